"""Properties of integer convolution, channels first."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.geometry import IMAGE_SIZES, check_padding, check_stride, deeper, wider
from refcompress.conformance.properties.longer import longer, repeated, resized
from refcompress.conformance.properties.products import CODES, codes
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import integer_conv2d


def own(convention: str) -> Callable[..., Any]:
    """Return the package's, called like a target."""
    return lambda x, w, x_zero_point, w_zero_point, stride, padding, dilation, groups: integer_conv2d.conv2d(
        x, w, x_zero_point, w_zero_point, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"conv2d": own, "conv2d_per_filter": own}
SIZES = ((1, 1, 1, 1), (1, 1, 2, 1), (1, 1, 1, 2), (2, 1, 1, 1), (1, 2, 1, 1), (1, 2, 2, 1), (1, 2, 1, 2))
PLAIN: dict[str, Any] = {"stride": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1), "groups": 1}


@st.composite
def images(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """One or two small images, up to two groups of filters, and any geometry that fits."""
    N, groups, Cg, Og = draw(st.sampled_from(SIZES))
    (kh, kw), dilation, stride = (draw(st.tuples(*[st.integers(1, 2)] * 2)) for _ in range(3))
    padding = draw(st.tuples(*[st.integers(0, 2)] * 4))
    reach = dilation[0] * (kh - 1) + 1, dilation[1] * (kw - 1) + 1
    H, W = (draw(st.integers(max(1, reach[d] - padding[d] - padding[d + 2]), 3)) for d in range(2))
    return {
        "x": draw(codes(N, groups * Cg, H, W)), "w": draw(codes(groups * Og, Cg, kh, kw)),
        "x_zero_point": draw(CODES), "w_zero_point": draw(CODES),
        "stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
    }  # fmt: skip


def more_filters(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n filters a group."""
    return arguments | {"w": resized(arguments["w"], 0, n * arguments["groups"])}


@st.composite
def images_of_filters(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """The same with a zero point for every filter, in one group."""
    x, w = draw(codes(1, 2, 2, 3)), draw(codes(3, 2, 2, 1))
    zero_points = draw(codes(3)).astype(np.int32)
    return {"x": x, "w": w, "x_zero_point": draw(CODES), "w_zero_point": zero_points} | PLAIN


@st.composite
def pixels(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """An image, and a filter that is 1 in one place."""
    kh, kw = draw(st.tuples(*[st.integers(1, 3)] * 2))
    place = draw(st.integers(0, kh - 1)), draw(st.integers(0, kw - 1))
    return {
        "x": draw(codes(1, 1, 3, 4)), "kernel": (kh, kw), "place": place, "x_zero_point": draw(CODES),
        "w_zero_point": draw(st.integers(-128, 126)),
    }  # fmt: skip


def padding_stands_for_the_zero_point(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """An image with a border of zero points, not padded, has the sums of the padded one."""
    check_padding(conv2d, inputs)


def a_stride_leaves_out_positions(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A stride takes every second row or column of the sums of stride 1."""
    check_stride(conv2d, inputs)


def a_dilation_spreads_filters(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """Filters with zero points between their entries, not dilated, have the sums of the dilated ones."""
    w, (height, width) = inputs["w"], inputs["dilation"]
    shape = *w.shape[:2], height * (w.shape[2] - 1) + 1, width * (w.shape[3] - 1) + 1
    spread = np.full(shape, inputs["w_zero_point"], w.dtype)
    spread[:, :, ::height, ::width] = w
    out = np.asarray(conv2d(*inputs.values())).tolist()
    wanted = np.asarray(conv2d(*(inputs | {"w": spread, "dilation": (1, 1)}).values())).tolist()
    assert out == wanted, f"dilation {inputs['dilation']} gives {out}, spread filters {wanted}"


def groups_are_apart(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """The first channels and filters alone have the first sums, the last ones the last."""
    x, w, groups = inputs["x"], inputs["w"], inputs["groups"]
    out = np.asarray(conv2d(*inputs.values())).tolist()
    parts = zip(np.split(x, groups, axis=1), np.split(w, groups), strict=True)
    alone = [np.asarray(conv2d(*(inputs | {"x": c.copy(), "w": o, "groups": 1}).values())) for c, o in parts]
    wanted = np.concatenate(alone, axis=1).tolist()
    assert out == wanted, f"{groups} groups give {out}, each alone {wanted}"


def a_filter_of_one_pixel_moves_the_image(
    conv2d: Callable[..., Any], convention: str, x: np.ndarray, kernel: tuple[int, int], place: tuple[int, int],
    x_zero_point: int, w_zero_point: int,
) -> None:  # fmt: skip
    """Where a filter is 1 in place (u, v) and else 0, out[i, j] is x[i + u, j + v] less its zero point."""
    w = np.full((1, 1, *kernel), w_zero_point, np.int8)
    w[0, 0, place[0], place[1]] += 1
    out = np.asarray(conv2d(x, w, x_zero_point, w_zero_point, *PLAIN.values())).tolist()
    (u, v), rows, columns = place, 4 - kernel[0], 5 - kernel[1]
    wanted = (x[:, :, u : u + rows, v : v + columns].astype(int) - x_zero_point).tolist()
    assert out == wanted, f"a filter that is 1 in {place} must give {wanted}, got {out}"


def treats_each_filter_alone(conv2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """The last filter alone, with its zero point, has the last sums."""
    out = np.asarray(conv2d(*inputs.values()))[:, -1:].tolist()
    last = {"w": inputs["w"][-1:], "w_zero_point": inputs["w_zero_point"][-1:]}
    alone = np.asarray(conv2d(*(inputs | last).values())).tolist()
    assert out == alone, f"the last filter gives {out}, alone {alone}"


PROPERTIES = (
    Property("conv2d", padding_stands_for_the_zero_point, images),
    Property("conv2d", a_stride_leaves_out_positions, images),
    Property("conv2d", a_dilation_spreads_filters, images),
    Property("conv2d", groups_are_apart, images),
    Property("conv2d", a_filter_of_one_pixel_moves_the_image, pixels),
    Property("conv2d_per_filter", treats_each_filter_alone, images_of_filters),
)
AGREES = {"conv2d": images, "conv2d_per_filter": images_of_filters}
LONGER = {
    "conv2d": longer(images, wider, deeper, more_filters, sizes=IMAGE_SIZES),
    "conv2d_per_filter": longer(images_of_filters, wider, deeper, repeated(w=0, w_zero_point=0), sizes=IMAGE_SIZES),
}
