"""Properties of quantized average pooling, channels first."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.geometry import IMAGE_SIZES, check_stride, wider
from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.products import CODES, codes
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import quantized_average_pool2d


def pool(x: np.ndarray, kernel_size: Any, stride: Any, padding: Any, qmin: int, qmax: int) -> np.ndarray:
    """Return the package's means of codes, called like a target."""
    dtype = np.int8 if qmin < 0 else np.uint8
    return quantized_average_pool2d.average_pool2d(
        x, kernel_size, stride=stride, padding=padding, dtype=dtype, qmin=qmin, qmax=qmax
    )


def pool_float(
    x: np.ndarray, kernel_size: Any, stride: Any, padding: Any, x_scale: Any, out_scale: Any, x_zero_point: int,
    out_zero_point: int, qmin: int, qmax: int,
) -> np.ndarray:  # fmt: skip
    """Return the package's rescaled means, called like a target."""
    return quantized_average_pool2d.average_pool2d(
        x, kernel_size, stride=stride, padding=padding, rounding="float", x_scale=x_scale, out_scale=out_scale,
        x_zero_point=x_zero_point, out_zero_point=out_zero_point, dtype=np.int8 if qmin < 0 else np.uint8, qmin=qmin,
        qmax=qmax,
    )  # fmt: skip


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "average_pool2d": lambda convention: pool,
    "average_pool2d_float": lambda convention: pool_float,
}
ENDS = {"qmin": -128, "qmax": 127}


@st.composite
def geometries(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """An image of 1 by 2 by 3 by 3 codes, and windows which it reaches into."""
    kernel, stride = (draw(st.tuples(*[st.integers(1, 3)] * 2)) for _ in range(2))
    padding = tuple(draw(st.integers(0, kernel[side % 2] - 1)) for side in range(4))
    return {"x": draw(codes(1, 2, 3, 3)), "kernel_size": kernel, "stride": stride, "padding": padding}


def images(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same with a range of codes."""
    ends = st.sampled_from([(-128, 127), (-128, 127), (0, 127), (-5, 6)])
    return st.tuples(geometries(convention), ends).map(lambda p: p[0] | {"qmin": p[1][0], "qmax": p[1][1]})


def plain_images(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same with all codes."""
    return geometries(convention).map(lambda windows: windows | ENDS)


@st.composite
def scaled_images(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """The same with scales and zero points."""
    scales = st.sampled_from([0.5, 0.1, 0.3]) | st.floats(0.0625, 4, width=32)
    return draw(geometries(convention)) | {
        "x_scale": np.float32(draw(scales)), "out_scale": np.float32(draw(scales)), "x_zero_point": draw(CODES),
        "out_zero_point": draw(CODES), **ENDS,
    }  # fmt: skip


def windows(inputs: dict[str, Any]) -> Any:
    """Yield every window's place in the output and its codes, as Python integers."""
    (x, (kh, kw), (sh, sw), (top, left, bottom, right)) = list(inputs.values())[:4]
    N, C, H, W = x.shape
    rows, columns = (H + top + bottom - kh) // sh + 1, (W + left + right - kw) // sw + 1
    for n, c, i, j in np.ndindex(N, C, rows, columns):
        up, side = i * sh - top, j * sw - left
        part = x[n, c, max(up, 0) : up + kh, max(side, 0) : side + kw]
        yield (n, c, i, j), part.ravel().tolist()


def is_the_mean_of_the_window(average_pool2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A code is within ½ of the mean over positions in the image, away from zero where it is ½ off, or at the end."""
    out = np.asarray(average_pool2d(*inputs.values()))
    for place, part in windows(inputs):
        size = Fraction(abs(sum(part)), len(part)) + Fraction(1, 2)
        q = int(size) if sum(part) >= 0 else -int(size)
        wanted = min(max(q, inputs["qmin"]), inputs["qmax"])
        assert out[place] == wanted, f"the mean of {part} must be {wanted}, got {out[place]}"


def keeps_a_constant_image(average_pool2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """An image of one code has that code everywhere, padded or not."""
    code = inputs["x"].ravel()[0]
    inputs["x"] = np.full_like(inputs["x"], code)
    out = np.unique(np.asarray(average_pool2d(*inputs.values()))).tolist()
    assert out == [code], f"an image of {code} gives {out}"


def is_odd(average_pool2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """Codes of the other sign have means of the other sign."""
    inputs["x"] = np.maximum(inputs["x"], -127)
    out = np.asarray(average_pool2d(*inputs.values())).astype(int)
    other = np.asarray(average_pool2d(*(inputs | {"x": -inputs["x"]}).values())).astype(int)
    assert np.array_equal(out, -other), f"means are {out.tolist()}, of the other sign {other.tolist()}"


def a_stride_leaves_out_windows(average_pool2d: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A stride takes every second or third row or column of the means of stride 1."""
    check_stride(average_pool2d, inputs)


def is_near_the_real_mean(average_pool2d_float: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A code is half a code off the mean of numbers in units of the output, and roundings to float32, or at the end.

    A product and up to 9 sums are rounded, then two quotients, each by 2^-24 of itself at most, and the sum with the
    zero point.
    """
    out = np.asarray(average_pool2d_float(*inputs.values()))
    ratio, z = Fraction(float(inputs["x_scale"])) / Fraction(float(inputs["out_scale"])), inputs["out_zero_point"]
    for place, part in windows(inputs):
        differences = [q - inputs["x_zero_point"] for q in part]
        mean, size = (Fraction(total, len(part)) * ratio for total in (sum(differences), sum(map(abs, differences))))
        off = Fraction(1, 2) + (13 * size + abs(mean + z)) / 2**24
        low, high = (min(max(mean + z + way, inputs["qmin"]), inputs["qmax"]) for way in (-off, off))
        wanted = f"the mean of {part} is {float(mean)} with zero point {z}"
        assert low <= int(out[place]) <= high, f"{wanted}, got {out[place]}"


def zero_points_stand_for_zero(average_pool2d_float: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """An image of x's zero point has the output's everywhere."""
    inputs["x"] = np.full_like(inputs["x"], inputs["x_zero_point"])
    out = np.unique(np.asarray(average_pool2d_float(*inputs.values()))).tolist()
    assert out == [inputs["out_zero_point"]], f"must be {inputs['out_zero_point']}, got {out}"


PROPERTIES = (
    Property("average_pool2d", is_the_mean_of_the_window, images),
    Property("average_pool2d", keeps_a_constant_image, plain_images),
    Property("average_pool2d", is_odd, plain_images),
    Property("average_pool2d", a_stride_leaves_out_windows, images),
    Property("average_pool2d_float", is_near_the_real_mean, scaled_images),
    Property("average_pool2d_float", zero_points_stand_for_zero, scaled_images),
)
AGREES = {"average_pool2d": images, "average_pool2d_float": scaled_images}
LONGER = {name: longer(drawn, wider, repeated(x=1), sizes=IMAGE_SIZES) for name, drawn in AGREES.items()}
