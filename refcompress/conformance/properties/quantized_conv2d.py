"""Properties of quantized convolution, channels first."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.geometry import IMAGE_SIZES, check_padding, check_stride, deeper, wider
from refcompress.conformance.properties.integer_conv2d import PLAIN, images
from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.products import CODES, codes
from refcompress.conformance.properties.property import Property
from refcompress.conformance.properties.quantized_matmul import OUTPUTS, SCALES, check_code
from refcompress.formulas.quantization.integer import quantized_conv2d


def own(convention: str) -> Callable[..., Any]:
    """Return the package's, called like a target."""

    def conv2d(
        x: np.ndarray, w: np.ndarray, bias: np.ndarray, x_scale: Any, w_scale: Any, out_scale: Any, x_zero_point: int,
        w_zero_point: int, out_zero_point: int, stride: Any, padding: Any, dilation: Any, groups: int, qmin: int,
        qmax: int,
    ) -> np.ndarray:  # fmt: skip
        return quantized_conv2d.conv2d(
            x, w, bias, x_scale=x_scale, w_scale=w_scale, out_scale=out_scale, x_zero_point=x_zero_point,
            w_zero_point=w_zero_point, out_zero_point=out_zero_point, rounding=convention,
            dtype=np.int8 if qmin < 0 else np.uint8, qmin=qmin, qmax=qmax, stride=stride, padding=padding,
            dilation=dilation, groups=groups,
        )  # fmt: skip

    return conv2d


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"conv2d": own}


@st.composite
def layers(draw: st.DrawFn, convention: str, drawn: st.SearchStrategy[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Images and filters, the latter of 3 bits, so that few codes saturate, and what a layer needs; any geometry."""
    of = draw(images(convention) if drawn is None else drawn)
    O, (out_zero_point, qmin, qmax) = len(of["w"]), draw(OUTPUTS)
    return {
        "x": of["x"], "w": of["w"] // 32, "bias": draw(codes(O, dtype=np.int16)).astype(np.int32) // 64,
        "x_scale": np.float32(draw(SCALES)), "w_scale": draw(SCALES) * np.array([1, 0.5, 0.25, 2], np.float32)[:O],
        "out_scale": np.float32(4 * draw(SCALES)), "x_zero_point": of["x_zero_point"],
        "w_zero_point": of["w_zero_point"] // 32, "out_zero_point": out_zero_point, "stride": of["stride"],
        "padding": of["padding"], "dilation": of["dilation"], "groups": of["groups"], "qmin": qmin, "qmax": qmax,
    }  # fmt: skip


def more_filters(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n filters a group, with their biases and scales."""
    return repeated(w=0, bias=0, w_scale=0)(arguments, n * arguments["groups"])


def deeper_layers(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n channels a group, and an output's scale with which no more codes saturate."""
    more = np.float32(n / arguments["w"].shape[1])
    return deeper(arguments, n) | {"out_scale": arguments["out_scale"] * more}


def pixels(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Two filters of one pixel, on two channels of two pixels."""
    arrays = {"x": codes(1, 2, 1, 2), "w": codes(2, 2, 1, 1), "x_zero_point": CODES, "w_zero_point": CODES}
    return layers(convention, st.fixed_dictionaries(arrays).map(lambda drawn: drawn | PLAIN))


def is_near_the_real_number(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """With filters of one pixel, a code is half a code off the real number, and what the rounding adds."""
    out = np.asarray(conv2d(*inputs.values()))
    x, w = inputs["x"].astype(int) - inputs["x_zero_point"], inputs["w"].astype(int) - inputs["w_zero_point"]
    sums = np.einsum("nchw,oc->nohw", x, w[:, :, 0, 0]) + inputs["bias"][:, None, None]
    assert out.shape == sums.shape, f"must have shape {sums.shape}, got {out.shape}"
    output = inputs["out_zero_point"], inputs["qmin"], inputs["qmax"]
    for n, o, i, j in np.ndindex(sums.shape):
        scales = inputs["x_scale"], inputs["w_scale"][o], inputs["out_scale"]
        check_code(convention, int(sums[n, o, i, j]), scales, output, int(out[n, o, i, j]))


def an_image_of_zero_points_has_the_biases(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """Where x is its zero point, padded or not, every filter gives the code of its bias."""
    inputs["x"] = np.full_like(inputs["x"], inputs["x_zero_point"])
    out = np.asarray(conv2d(*inputs.values()))
    output = inputs["out_zero_point"], inputs["qmin"], inputs["qmax"]
    for o, total in enumerate(inputs["bias"].tolist()):
        (q, *others) = np.unique(out[:, o]).tolist()
        assert not others, f"filter {o} must give one code, got {[q, *others]}"
        check_code(convention, total, (inputs["x_scale"], inputs["w_scale"][o], inputs["out_scale"]), output, q)


def an_image_may_be_padded_before(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """An image with a border of zero points, not padded, has the codes of the padded one."""
    check_padding(conv2d, inputs)


def a_stride_leaves_out_codes(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A stride takes every second row or column of the codes of stride 1."""
    check_stride(conv2d, inputs)


def filters_are_apart(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """The last filter alone, with its bias and scale, has the last codes."""
    out = np.asarray(conv2d(*inputs.values()))[:, -1:].tolist()
    last = {name: inputs[name][-1:] for name in ("w", "bias", "w_scale")}
    alone = np.asarray(conv2d(*(inputs | last).values())).tolist()
    assert out == alone, f"the last filter gives {out}, alone {alone}"


PROPERTIES = (
    Property("conv2d", is_near_the_real_number, pixels),
    Property("conv2d", an_image_of_zero_points_has_the_biases, layers),
    Property("conv2d", an_image_may_be_padded_before, layers),
    Property("conv2d", a_stride_leaves_out_codes, layers),
    Property("conv2d", filters_are_apart, pixels),
)
AGREES = {"conv2d": layers}
LONGER = {"conv2d": longer(layers, wider, deeper_layers, more_filters, sizes=IMAGE_SIZES)}
