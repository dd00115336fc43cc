"""Quantized average pooling: the mean of every window of codes.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.checks import choice, integer_array
from refcompress.formulas.geometry import Pair, output_size, pair, taps
from refcompress.formulas.quantization.integer.checks import check_int32, code_zero_point, outputs, scales
from refcompress.formulas.quantization.integer.integer_conv2d import Border, border

FEW = 6  # positions of a window that are added faster one by one than by running sums


def average_pool2d(
    x: ArrayLike,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Border = 0,
    rounding: str = "integer",
    x_scale: ArrayLike | None = None,
    out_scale: ArrayLike | None = None,
    x_zero_point: int = 0,
    out_zero_point: int = 0,
    dtype: DTypeLike | None = None,
    qmin: int | None = None,
    qmax: int | None = None,
) -> np.ndarray:
    """Mean of the codes of every window, over the n positions of the window which are in the image.

        integer:  out = clip( half_away( Σ q / n ),  qmin, qmax )
        float:    x̂ = s_x · (q − z_x),      out = clip( half_even( (Σ x̂ / n) / s_out + z_out ),  qmin, qmax )

    Parameters
    ----------
    x : (N, C, H, W) integer array
        The codes q, within int32.
    kernel_size : int or (height, width)
    stride : int or (height, width), optional
        The kernel size if not given.
    padding : int, (height, width) or (top, left, bottom, right), smaller than the kernel
    rounding : "integer" or "float"
    x_scale, out_scale : float scalars > 0
        For "float" only.
    x_zero_point, out_zero_point : int in the range of x's dtype, and of the output's
        For "float"; for "integer" they must be equal, and do not matter: the mean of codes stands for the mean.
    dtype : uint8, int8, uint16, int16 or int32, optional
        Type of the output; that of x if not given.
    qmin, qmax : int in the range of dtype, optional
        Range of the codes, or the part of it that a fused ReLU leaves; the ends of dtype if not given.

    Returns
    -------
    (N, C, H_out, W_out) array of this dtype

    Raises
    ------
    TypeError
        If x is not of integers, a scale no float, or dtype none of these (lists are int64, and need it).
    ValueError
        If sizes do not fit, rounding is unknown, a scale is missing, not above 0 or not used, or zero points differ
        where nothing is rescaled.

    Notes
    -----
    The padding is left out of sum and count (ONNX: count_include_pad = 0). "integer" is exact and rounded once;
    (Σ q + n/2) / n, truncated, with − for Σ q ≤ 0. It does not rescale: TensorFlow Lite refuses models whose scales or
    zero points differ between input and output, and so does this. "float" is what ONNX Runtime does: all operations in
    float32, each rounded, the sum row by row from the window's first position on, and the zero point added before
    rounding, so that ties go to the even code. Where the window is the whole image without padding, ONNX Runtime takes
    another path, and single results can be off by one code.

    References
    ----------
    .. [1] TensorFlow Lite, kernels/internal/reference/integer_ops/pooling.h, AveragePool.
    .. [2] ONNX Runtime, contrib_ops/cpu/quantization/qlinear_pool.cc (com.microsoft.QLinearAveragePool).

    Examples
    --------
    >>> x = np.array([[[[1, 2, -3], [3, 4, -8]]]], np.int8)
    >>> average_pool2d(x, (2, 1))
    array([[[[ 2,  3, -6]]]], dtype=int8)
    >>> average_pool2d(x, (2, 1), rounding="float", x_scale=0.5, out_scale=0.25, out_zero_point=1)
    array([[[[  5,   7, -10]]]], dtype=int8)
    """
    x = integer_array("x", x, ndim=4)
    choice("rounding", rounding, ("integer", "float"))
    z_x = code_zero_point("x_zero_point", x_zero_point, x.dtype)
    kind, low, high, z_out = outputs("x", x, dtype, qmin, qmax, out_zero_point)
    kernel = pair("kernel_size", kernel_size, 1)
    steps = kernel if stride is None else pair("stride", stride, 1)
    sides = border(padding)
    if any(side >= kernel[i % 2] for i, side in enumerate(sides)):
        raise ValueError(f"padding must be smaller than kernel_size {kernel}, got {sides}")
    check_int32("x", x)

    n = _integer_sums(np.ones((1, 1, *x.shape[2:]), np.int64), kernel, steps, sides)
    if not n.all():
        raise ValueError(f"x must reach into every window, got shape {x.shape} with padding {sides}")
    if rounding == "integer":
        if x_scale is not None or out_scale is not None or z_x != z_out:
            raise ValueError(
                "x_scale and out_scale must be None and x_zero_point and out_zero_point equal for rounding 'integer', "
                f"which does not rescale, got {x_scale!r}, {out_scale!r}, {z_x} and {z_out}"
            )
        total = _integer_sums(x.astype(np.int64), kernel, steps, sides)
        return np.clip(np.sign(total) * ((np.abs(total) + n // 2) // n), low, high).astype(kind)
    if x_scale is None or out_scale is None:
        raise ValueError(f"x_scale and out_scale must be given for rounding 'float', got {x_scale!r} and {out_scale!r}")
    s_x, s_out = scales("x_scale", x_scale, dtype=np.float32), scales("out_scale", out_scale, dtype=np.float32)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = _sums_by_position(s_x * (x.astype(np.int64) - z_x).astype(np.float32), kernel, steps, sides)
        if not np.isfinite(total).all():
            raise ValueError(f"x_scale must keep sums within float32, got {x_scale!r}")
        t = np.rint(total / n.astype(np.float32) / s_out + np.float32(z_out))
    return np.clip(t.astype(np.float64), low, high).astype(kind)


def _integer_sums(
    x: np.ndarray, kernel: tuple[int, int], steps: tuple[int, int], sides: tuple[int, int, int, int]
) -> np.ndarray:
    """Sums (N, C, H_out, W_out) over the windows of x (N, C, H, W), zeros outside: differences of running sums."""
    if kernel[0] * kernel[1] <= FEW:
        return _sums_by_position(x, kernel, steps, sides)
    for d, axis in enumerate((2, 3)):
        padding = [(0, 0)] * 4
        padding[axis] = sides[d] + 1, sides[d + 2]  # the running sum of nothing stands in front
        running = np.cumsum(np.pad(x, padding), axis=axis)
        starts = steps[d] * np.arange(output_size(running.shape[axis] - 1, kernel[d], steps[d]))
        x = running.take(starts + kernel[d], axis) - running.take(starts, axis)
    return x


def _sums_by_position(
    x: np.ndarray, kernel: tuple[int, int], steps: tuple[int, int], sides: tuple[int, int, int, int]
) -> np.ndarray:
    """The same sums, also of floats, row by row from the window's first position on."""
    top, left, bottom, right = sides
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right))).transpose(0, 2, 3, 1)
    size = tuple(output_size(padded.shape[1 + d], kernel[d], steps[d]) for d in range(2))
    out = np.zeros((len(x), size[0], size[1], x.shape[1]), x.dtype)
    for tap in taps(padded, kernel, steps, (size[0], size[1])):
        out += tap
    return out.transpose(0, 3, 1, 2)
