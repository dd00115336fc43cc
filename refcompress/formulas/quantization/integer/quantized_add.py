"""Quantized addition: the sum of two arrays of codes with different scales, as a residual connection needs it.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import choice, integer, integer_array
from refcompress.formulas.fused import fma
from refcompress.formulas.quantization.integer.checks import (
    INT32_MAX,
    INT32_MIN,
    check_int32,
    code_zero_point,
    outputs,
    scales,
)
from refcompress.formulas.quantization.integer.multiplier import quantize_multiplier
from refcompress.formulas.quantization.integer.requantization import ROUNDINGS, requantize


def add(
    a: ArrayLike,
    b: ArrayLike,
    *,
    a_scale: ArrayLike,
    b_scale: ArrayLike,
    out_scale: ArrayLike,
    a_zero_point: int = 0,
    b_zero_point: int = 0,
    out_zero_point: int = 0,
    rounding: str = "double",
    left_shift: int | None = None,
    dtype: DTypeLike | None = None,
    qmin: int | None = None,
    qmax: int | None = None,
) -> np.ndarray:
    """Sum of two quantized arrays, quantized again.

        s_out · (out − z_out) ≈ s_a · (a − z_a) + s_b · (b − z_b)

        double, double_up, single:  with S = 2 · max(s_a, s_b) and L = left_shift, R = `requantize` by this rounding:
            t_a = R( (a − z_a) · 2^L by s_a / S )      t_b = R( (b − z_b) · 2^L by s_b / S )
            out = clip( R( t_a + t_b by S / (2^L · s_out) ) + z_out,  qmin, qmax )

        float:  with r_a = fl(s_a / s_out), r_b = fl(s_b / s_out), F = fl(z_out − fl(fl(r_a · z_a) + fl(r_b · z_b))):
            out = clip( half_even( fma(a, r_a, fma(b, r_b, F)) ),  qmin, qmax )

    Parameters
    ----------
    a, b : integer arrays that broadcast
    a_scale, b_scale, out_scale : float scalars > 0
    a_zero_point, b_zero_point, out_zero_point : int in the range of the dtype of a, of b, of the output
    rounding : "double", "double_up", "single" or "float"
    left_shift : int from 0 to 30, optional
        L, for all but "float", where it must not be given: 20 if not given, which keeps int8 and uint8 within int32; 15
        keeps int16.
    dtype : uint8, int8, uint16, int16 or int32, optional
        Type of the output; that of a if not given.
    qmin, qmax : int in the range of dtype, optional
        Range of the output's codes, or the part of it that a fused ReLU leaves (qmin = z_out; the dtype stays).
        If not given, the ends of dtype.

    Returns
    -------
    array of the broadcast shape, of this dtype

    Raises
    ------
    TypeError
        If a or b is not of integers, a scale no float, or dtype none of these (lists are int64, and need it).
    ValueError
        If shapes do not fit, a value is out of its range, rounding is unknown, (a − z_a) · 2^L leaves int32,
        S / (2^L · s_out) is 1 or more, or for "float" left_shift is given or something leaves float32.

    Notes
    -----
    All but "float": the factor 2 in S keeps the sum of the two terms within int32. Multipliers are formed in
    float64, and made integers half away. Where s_a = s_b and L ≥ 1, both terms are exact, and out is all that is
    rounded. "double" is TensorFlow Lite's ADD, reference and optimized. (Its default kernel, XNNPACK, has multipliers
    of its own, and its ties go toward +∞ like those of "single".)

    "float" is ONNX Runtime's QLinearAdd on x86 with AVX2: float32, where the zero points are one constant F, and a
    fused multiply-add rounds once. F and both sums are rounded at their size, by about 2^-24 of |z_out| + r_a |z_a| +
    r_b |z_b| each, and z_out is inside of the rounding, so that ties go to the even code. (An ONNX Runtime without
    AVX2 adds in another order. For arrays of one element, ONNX Runtime 1.32 differs: −33 for −32 in one case; 18 other
    lengths up to 1000 agree.)

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, appendix A.2.
    .. [2] TensorFlow Lite, kernels/add.cc and kernels/internal/reference/integer_ops/add.h.
    .. [3] ONNX Runtime, core/mlas/lib/qladd.cpp and intrinsics/avx2/qladd_avx2.cpp (com.microsoft.QLinearAdd).

    Examples
    --------
    >>> a, b = np.array([10, -20, 127], np.int8), np.array([1, 2, 127], np.int8)
    >>> add(a, b, a_scale=0.5, b_scale=0.25, out_scale=0.5)  # 10.5, −19, 190.5
    array([ 11, -19, 127], dtype=int8)
    >>> add(a, b, a_scale=0.5, b_scale=0.25, out_scale=0.5, rounding="float")
    array([ 10, -19, 127], dtype=int8)
    """
    a, b = integer_array("a", a), integer_array("b", b)
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"b must broadcast with a of shape {a.shape}, got {b.shape}") from None
    choice("rounding", rounding, ROUNDINGS)
    floats = np.float32 if rounding == "float" else np.float64
    s_a, s_b = scales("a_scale", a_scale, dtype=floats), scales("b_scale", b_scale, dtype=floats)
    s_out = scales("out_scale", out_scale, dtype=floats)
    z_a = code_zero_point("a_zero_point", a_zero_point, a.dtype)
    z_b = code_zero_point("b_zero_point", b_zero_point, b.dtype)
    kind, low, high, z_out = outputs("a", a, dtype, qmin, qmax, out_zero_point)
    if rounding == "float" and left_shift is not None:
        raise ValueError(f"left_shift must be None for rounding 'float', which does not shift, got {left_shift!r}")
    L = integer("left_shift", 20 if left_shift is None else left_shift, 0, 30)
    check_int32("a", a)
    check_int32("b", b)
    out, whole = np.empty(shape, kind), [np.broadcast_to(q, shape) for q in (a, b)]
    if rounding == "float":
        for block in blocks(shape):
            q_a, q_b = (q[block].astype(np.float32) for q in whole)
            out[block] = np.clip(_fused(q_a, q_b, [s_a, s_b, s_out], [z_a, z_b, z_out]), low, high)
        return out[()]

    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        S = 2.0 * np.maximum(s_a, s_b)
        real = S / (2.0**L * s_out)
    if not 0 < real < 1:
        raise ValueError(f"out_scale must be above 2·max(a_scale, b_scale) / 2^{L}, all finite in float64, got {s_out}")
    for name, q, z in (("a", a, z_a), ("b", b, z_b)):
        if q.size and ((int(q.min()) - z) << L < INT32_MIN or (int(q.max()) - z) << L > INT32_MAX):
            rule = f"{name} − {name}_zero_point must be within int32 after a left shift of {L}"
            raise ValueError(f"{rule}, got up to {max(abs(int(q.min()) - z), abs(int(q.max()) - z))}")
    inputs = list(zip(whole, (z_a, z_b), (quantize_multiplier(s / S) for s in (s_a, s_b)), strict=True))
    last = quantize_multiplier(real)
    for block in blocks(shape):
        total = np.zeros((), np.int64)
        for q, z, pair in inputs:
            total = total + requantize((q[block].astype(np.int64) - z) << L, *pair, rounding, dtype=np.int32)
        out[block] = requantize(total, *last, rounding, zero_point=z_out, dtype=kind, qmin=low, qmax=high)
    return out[()]


def _fused(a: np.ndarray, b: np.ndarray, s: list[np.ndarray], z: list[int]) -> np.ndarray:
    """The sum of float32 arrays, with fused multiply-adds, rounded to integers in float64."""
    (s_a, s_b, s_out), (z_a, z_b, z_out) = s, (np.float32(point) for point in z)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        r_a, r_b = s_a / s_out, s_b / s_out
        fixed = z_out - (r_a * z_a + r_b * z_b)
        total = fma(a, r_a, fma(b, r_b, fixed))
    if not np.isfinite(total).all():
        raise ValueError(f"out_scale must keep a_scale / out_scale and the sum within float32, got {s_out}")
    return np.asarray(np.rint(total.astype(np.float64)))
