"""Quantized addition: the sum of two arrays of codes with different scales, as a residual connection needs it.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import choice, code_type, integer, integer_array
from refcompress.formulas.fused import fma
from refcompress.formulas.quantization.integer.checks import INT32_MAX, INT32_MIN, int32, scales
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
    left_shift: int = 20,
    qmin: int = -128,
    qmax: int = 127,
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
    a_zero_point, b_zero_point, out_zero_point : int
    rounding : "double", "double_up", "single" or "float"
    left_shift : int from 0 to 30
        L, for all but "float": 20 keeps int8 and uint8 within int32, 15 int16.
    qmin, qmax : int
        Range of the output's codes, or the part of it that a fused ReLU leaves (qmin = z_out).

    Returns
    -------
    array of the broadcast shape, the first of uint8, int8, uint16, int16 and int32 that holds qmin and qmax

    Raises
    ------
    TypeError
        If a or b is not of integers, or a scale no float.
    ValueError
        If shapes do not fit, a value is out of its range, rounding is unknown, (a − z_a) · 2^L leaves int32,
        S / (2^L · s_out) is 1 or more, or for "float" something leaves float32.

    Notes
    -----
    All but "float": the factor 2 in S keeps the sum of the two terms within int32. Multipliers are formed in
    float64, and made integers half away. Where s_a = s_b both terms are exact, and out is all that is rounded. "double"
    is TensorFlow Lite's ADD, reference and optimized. (Its default kernel, XNNPACK, has multipliers of its own, and its
    ties go toward +∞ like those of "single".)

    "float" is ONNX Runtime's QLinearAdd on x86 with AVX2: float32, where the zero points are one constant F, and a
    fused multiply-add rounds once. F and both sums are rounded at their size, by about 2^-24 of |z_out| + r_a |z_a| +
    r_b |z_b| each, and z_out is inside of the rounding, so that ties go to the even code. (An ONNX Runtime without
    AVX2 adds in another order.)

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
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"b must broadcast with a of shape {a.shape}, got {b.shape}") from None
    choice("rounding", rounding, ROUNDINGS)
    dtype = np.float32 if rounding == "float" else np.float64
    s_a, s_b = scales("a_scale", a_scale, dtype=dtype), scales("b_scale", b_scale, dtype=dtype)
    s_out = scales("out_scale", out_scale, dtype=dtype)
    names = {"a_zero_point": a_zero_point, "b_zero_point": b_zero_point, "out_zero_point": out_zero_point}
    z_a, z_b, z_out = (integer(name, z, INT32_MIN, INT32_MAX) for name, z in names.items())
    qmin = integer("qmin", qmin, INT32_MIN, INT32_MAX)
    qmax = integer("qmax", qmax, qmin, INT32_MAX)
    L = integer("left_shift", left_shift, 0, 30)
    a, b = int32("a", a), int32("b", b)
    if rounding == "float":
        return _fused(a, b, [s_a, s_b, s_out], [z_a, z_b, z_out], qmin, qmax)

    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        S = 2.0 * np.maximum(s_a, s_b)
        real = S / (2.0**L * s_out)
    if not 0 < real < 1:
        raise ValueError(f"out_scale must be above 2·max(a_scale, b_scale) / 2^{L}, all finite in float64, got {s_out}")
    terms = []
    for name, q, s, z in (("a", a, s_a, z_a), ("b", b, s_b, z_b)):
        shifted = (q - z) << L
        if shifted.size and (shifted.min() < INT32_MIN or shifted.max() > INT32_MAX):
            rule = f"{name} − {name}_zero_point must be within int32 after a left shift of {L}"
            raise ValueError(f"{rule}, got up to {abs(q - z).max()}")
        terms.append(requantize(shifted, *quantize_multiplier(s / S), rounding, qmin=INT32_MIN, qmax=INT32_MAX))
    total = terms[0].astype(np.int64) + terms[1]
    return requantize(total, *quantize_multiplier(real), rounding, zero_point=z_out, qmin=qmin, qmax=qmax)


def _fused(a: np.ndarray, b: np.ndarray, s: list[np.ndarray], z: list[int], qmin: int, qmax: int) -> np.ndarray:
    """The sum in float32, with fused multiply-adds."""
    (s_a, s_b, s_out), (z_a, z_b, z_out) = s, (np.float32(point) for point in z)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        r_a, r_b = s_a / s_out, s_b / s_out
        fixed = z_out - (r_a * z_a + r_b * z_b)
        total = fma(a.astype(np.float32), r_a, fma(b.astype(np.float32), r_b, fixed))
    if not np.isfinite(total).all():
        raise ValueError(f"out_scale must keep a_scale / out_scale and the sum within float32, got {s_out}")
    return np.clip(np.rint(total.astype(np.float64)), qmin, qmax).astype(code_type(qmin, qmax))
