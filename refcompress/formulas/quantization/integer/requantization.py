"""Requantization: from int32 sums to the codes of the next layer, by integers alone or by one float product.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import check_broadcasts, check_shape, choice, integer, integer_array
from refcompress.formulas.quantization.integer.checks import (
    INT32_MAX,
    check_int32,
    code_range,
    code_zero_point,
    int32,
    scales,
)
from refcompress.formulas.quantization.integer.multiplier import quantize_multiplier

ROUNDINGS = ("double", "double_up", "single", "float")


def saturating_rounding_doubling_high_mul(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Upper half of the doubled product of two int32, rounded: b stands for b / 2^31.

        ⌊a · b / 2^31 + ½⌋,  but 2^31 − 1 where a = b = −2^31

    Parameters
    ----------
    a, b : integer arrays that broadcast, within int32

    Returns
    -------
    int32 array

    Raises
    ------
    TypeError
        If a or b is not of integers.
    ValueError
        If a value is outside of int32, or the shapes do not fit.

    Notes
    -----
    Ties go toward +∞, also below zero: −½ → 0, −1½ → −1. gemmlowp adds 2^30 to a·b ≥ 0 and 1 − 2^30 to a·b < 0 and
    truncates, which is the same integer for every a·b; Arm's SQRDMULH adds 2^30 and shifts.

    References
    ----------
    .. [1] gemmlowp, fixedpoint/fixedpoint.h, SaturatingRoundingDoublingHighMul.
    .. [2] Jacob et al., arXiv:1712.05877, appendix B.

    Examples
    --------
    >>> saturating_rounding_doubling_high_mul([3, 1, -1, -3], 2**30)
    array([ 2,  1,  0, -1], dtype=int32)
    >>> int(saturating_rounding_doubling_high_mul(-(2**31), -(2**31)))
    2147483647
    """
    a, b = int32("a", a), int32("b", b)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"b must broadcast with a of shape {a.shape}, got {b.shape}") from None
    return np.asarray(np.minimum((a * b + 2**30) >> 31, INT32_MAX)).astype(np.int32)[()]


def rounding_divide_by_pot(x: ArrayLike, exponent: ArrayLike) -> np.ndarray:
    """Division by a power of two, rounded half away from zero.

        round( x / 2^e )

    Parameters
    ----------
    x : integer array within int32
    exponent : int from 0 to 31, or integer array that broadcasts to x
        e.

    Returns
    -------
    int32 array

    Raises
    ------
    TypeError
        If an argument is not of integers.
    ValueError
        If a value is outside of int32, an exponent is out of range, or the shapes do not fit.

    Notes
    -----
    x ≫ e rounds down, and is one more where the bits that fall off are above half, or equal to half and x > 0.

    References
    ----------
    .. [1] gemmlowp, fixedpoint/fixedpoint.h, RoundingDivideByPOT.
    .. [2] Jacob et al., arXiv:1712.05877, appendix B.

    Examples
    --------
    >>> rounding_divide_by_pot([6, 5, 2, -2, -5, -6], 2)
    array([ 2,  1,  1, -1, -1, -2], dtype=int32)
    """
    x, e = int32("x", x), int32("exponent", exponent)
    check_broadcasts("exponent", e, x.shape)
    if e.size and (e.min() < 0 or e.max() > 31):
        raise ValueError(f"exponent must be from 0 to 31, got {e.min()} to {e.max()}")
    mask = (np.int64(1) << e) - 1
    return np.asarray((x >> e) + ((x & mask) > (mask >> 1) + (x < 0))).astype(np.int32)[()]


def requantize(
    acc: ArrayLike,
    multiplier: ArrayLike,
    shift: ArrayLike | None,
    rounding: str = "double",
    *,
    zero_point: int = 0,
    dtype: DTypeLike | None = None,
    qmin: int | None = None,
    qmax: int | None = None,
    axis: int | None = None,
) -> np.ndarray:
    """Codes from int32 sums: times a real number below or above 1, plus the zero point, clipped.

        q = clip( round(acc · real) + z,  qmin, qmax )

        double:     real = M · 2^(shift − 31),  round = RDByPOT(t, max(−shift, 0)),  t = SRDHM(acc · 2^max(shift, 0), M)
        double_up:  real = M · 2^(shift − 31),  round = ⌊t / 2^max(−shift, 0) + ½⌋,  with the same t
        single:     real = M · 2^(shift − 31),  round = ⌊(acc · M + 2^(30 − shift)) / 2^(31 − shift)⌋
        float:      real is a float32,          round = half_even( fl32( fl32(acc) · real ) )

    Parameters
    ----------
    acc : integer array within int32
    multiplier : integer scalar, or (n,) array, from 0 to 2^31 − 1; for "float" a float scalar or (n,) array > 0
        M, or the real number itself, which is rounded to float32 if it is a float64.
    shift : integer scalar, or (n,) array, from −31 to 30; None for "float", and for "float" only
    rounding : "double", "double_up", "single" or "float"
    zero_point : int in the range of the codes' dtype
        z, added to the rounded product.
    dtype : uint8, int8, uint16, int16 or int32, optional
        Type of the codes. If not given, the first of these, in this order, that holds qmin and qmax.
    qmin, qmax : int in the range of dtype, optional
        Range of the codes, or the part of it that a fused ReLU leaves (qmin = z). If not given, the ends of dtype, or
        −128 and 127 where that is not given either.
    axis : int, optional
        Axis of acc with n entries that arrays of multipliers and shifts belong to.

    Returns
    -------
    array of acc's shape and of this dtype

    Raises
    ------
    TypeError
        If acc, or another integer, is not one, a real multiplier no float, or dtype none of these.
    ValueError
        If a value is out of its range, shapes or axis do not fit, rounding is unknown, shift is None or is not where it
        must not be, or for a double rounding acc · 2^shift, shift > 0, leaves int32 (where C code would wrap).

    Notes
    -----
    Ties. double: the first rounding has ties toward +∞, the second away from zero, and the second may see a tie which
    the first has made: 7984 · 1583594044 · 2^-40 = 11.4991… → 11.5 → 12. double_up: both toward +∞. single: toward +∞,
    one rounding, the result nearest to the exact acc · real (11). float: half even; acc above 2^24 in magnitude is
    rounded when it becomes float32, and the product once more, so that it is off by at most 2^-23 of itself. They
    differ by at most 1 as long as |acc · real| < 2^22. In "single", acc · M < 2^62 is formed in int64, and what leaves
    int32 is clipped.

    Who. TensorFlow Lite 2.21 has all four: its reference kernels are double in CONV_2D and ADD and single in
    FULLY_CONNECTED (and wherever it is built with TFLITE_SINGLE_ROUNDING), its default ones (XNNPACK) float in both
    layers, and its optimized ones on x86 (ruy) double_up. FBGEMM and PyTorch (lrintf) and ONNX Runtime's QLinearMatMul
    and QLinearConv are float. ONNX's own reference forms the product in float64 and adds z before it rounds, so that
    ties go to the even code instead of the even difference from z: an odd z moves them, by 1.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 2.2, eq. 5 and 6, and section 2.4.
    .. [2] TensorFlow Lite, kernels/internal/common.cc, MultiplyByQuantizedMultiplier (both).
    .. [3] ONNX Runtime, core/mlas/lib/quantize.cpp, MlasRequantizeOutput.

    Examples
    --------
    >>> M, shift = 2**30, -1  # 0.25
    >>> requantize([-6, 2, 6, 5000], M, shift, zero_point=3)
    array([  1,   4,   5, 127], dtype=int8)
    >>> requantize([-6, 2, 6, 5000], 0.25, None, "float", zero_point=3, qmin=0, qmax=255)
    array([  1,   3,   5, 255], dtype=uint8)
    >>> [int(requantize(7984, 1583594044, -9, rounding)) for rounding in ("double", "single")]
    [12, 11]
    """
    acc = integer_array("acc", acc)
    choice("rounding", rounding, ROUNDINGS)
    kind, low, high = code_range(dtype, qmin, qmax)
    z = code_zero_point("zero_point", zero_point, kind)
    if axis is not None:
        axis = _axis(axis, acc)
    if (shift is None) != (rounding == "float"):
        raise ValueError(f"shift must be None for rounding 'float' and only there, got {shift!r} for {rounding!r}")
    if shift is None:
        M = _along("multiplier", scales("multiplier", multiplier, _count(multiplier), dtype=np.float32), acc, axis)
        e = np.zeros((), np.int64)
    else:
        M = _along("multiplier", int32("multiplier", multiplier), acc, axis)
        e = _along("shift", int32("shift", shift), acc, axis)
        if (M < 0).any():
            raise ValueError(f"multiplier must be from 0 to {INT32_MAX}, got {M.min()}")
        if e.size and (e.min() < -31 or e.max() > 30):
            raise ValueError(f"shift must be from -31 to 30, got {e.min()} to {e.max()}")
    return _codes(acc, M, e, rounding, z, low, high, kind)


def _codes(
    acc: np.ndarray, M: np.ndarray, e: np.ndarray, rounding: str, z: int, low: int, high: int, kind: np.dtype
) -> np.ndarray:
    """clip(round(acc · real) + z, low, high) of M and e that broadcast to acc, block by block."""
    check_int32("acc", acc)
    each = [v if v.ndim == 0 else np.broadcast_to(v, acc.shape) for v in (M, e)]
    q = np.empty(acc.shape, kind)
    for block in blocks(acc.shape):
        m, shift = (v if v.ndim == 0 else v[block] for v in each)  # one for all stays one
        q[block] = np.clip(_rounded(acc[block].astype(np.int64), m, shift, rounding) + z, low, high)
    return q[()]


def _rounded(acc: np.ndarray, M: np.ndarray, shift: np.ndarray, rounding: str) -> np.ndarray:
    """round(acc · real), before the zero point: int64, or float64 for "float"."""
    if rounding == "float":
        with np.errstate(over="ignore", under="ignore"):  # infinity saturates
            product = acc.astype(np.float32) * M
        return np.asarray(np.rint(product.astype(np.float64)))  # to which z is added exactly
    if rounding == "single":
        return (acc * M + (np.int64(1) << (30 - shift))) >> (31 - shift)
    right = np.maximum(-shift, 0)
    shifted = int32("acc · 2^shift", acc << np.maximum(shift, 0))
    t = np.asarray(saturating_rounding_doubling_high_mul(shifted, M), np.int64)
    if rounding == "double_up":
        return np.asarray((t + ((np.int64(1) << right) >> 1)) >> right)
    return np.asarray(rounding_divide_by_pot(t, right), np.int64)


def rescale(
    acc: ArrayLike,
    a_scale: ArrayLike,
    b_scale: ArrayLike,
    out_scale: ArrayLike,
    rounding: str = "double",
    *,
    bias: ArrayLike | None = None,
    zero_point: int = 0,
    dtype: DTypeLike | None = None,
    qmin: int | None = None,
    qmax: int | None = None,
    axis: int = -1,
    a_axis: int | None = None,
) -> np.ndarray:
    """Codes from the sums of a product of two quantized arrays, whose scales are given.

        q = clip( round( (acc + b) · s_a · s_b / s_out ) + z,  qmin, qmax )

    Parameters
    ----------
    acc : integer array within int32, of one dimension or more
    a_scale : float scalar > 0, or (m,) array
        s_a, one for all or one for every entry of `a_axis`, such as a token.
    b_scale : float scalar > 0, or (n,) array
        s_b, one for all or one for every entry of `axis`.
    out_scale : float scalar > 0
    rounding, zero_point, dtype, qmin, qmax : as in `requantize`
    bias : (n,) integer array, optional
        b, in units of s_a · s_b; not where a_scale is an array, as one integer would stand for a number in each row.
    axis : int
        Axis of acc of the outputs, with n entries.
    a_axis : int, optional
        Another axis of acc, with m entries, that an array a_scale belongs to.

    Returns
    -------
    array of acc's shape, as `requantize` returns it

    Raises
    ------
    TypeError, ValueError
        As `requantize`; also if a scale is not above 0, a_axis is axis or missing, or a sum leaves int32 with its bias.

    Notes
    -----
    "double", "double_up", "single": real = s_a · s_b / s_out with two roundings, left to right, in float64 (a float32
    scale is exact there), then `quantize_multiplier` half away. "float": the scales as float32, and the same two
    roundings in float32.

    TensorFlow Lite forms the product in float64 where weights have a scale per channel; otherwise its fully connected
    layer rounds s_a · s_b to float32, which a caller gets by giving that product as a_scale and 1.0 as b_scale.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 2.2, eq. 5.
    .. [2] TensorFlow Lite, kernels/kernel_util.cc, PopulateConvolutionQuantizationParams.

    Examples
    --------
    >>> rescale(np.array([[10, 20]]), 0.5, np.array([0.5, 0.25]), 0.5, bias=[1, -1])
    array([[6, 5]], dtype=int8)
    """
    acc = integer_array("acc", acc)
    axis = _axis(axis, acc)
    choice("rounding", rounding, ROUNDINGS)
    kind, low, high = code_range(dtype, qmin, qmax)
    z = code_zero_point("zero_point", zero_point, kind)
    if a_axis is not None:
        a_axis = _axis(a_axis, acc, "a_axis")
        if a_axis == axis:
            raise ValueError(f"a_axis must be another axis than axis, got {a_axis} for both")
    floats = np.float32 if rounding == "float" else np.float64
    rows = None if a_axis is None else acc.shape[a_axis]
    s_a, s_b = scales("a_scale", a_scale, rows, dtype=floats), scales("b_scale", b_scale, acc.shape[axis], dtype=floats)
    s_out = scales("out_scale", out_scale, dtype=floats)
    if bias is not None:
        if s_a.ndim:
            raise ValueError(f"bias must be None where a_scale, its unit, is an array, got shape {np.shape(bias)}")
        b = int32("bias", bias)
        check_shape("bias", b, (acc.shape[axis],))
        acc = int32("acc + bias", int32("acc", acc) + _along("bias", b, acc, axis))
    with np.errstate(over="ignore", under="ignore"):
        real = np.asarray(_along("a_scale", s_a, acc, a_axis) * _along("b_scale", s_b, acc, axis) / s_out)
    good = np.isfinite(real) & (real > 0)
    if not good.all():
        rule = f"a_scale · b_scale / out_scale must be finite and above 0 in {real.dtype}"
        raise ValueError(f"{rule}, got {real[~good][0]}")
    M, shift = (real, np.zeros((), np.int64)) if rounding == "float" else quantize_multiplier(real)
    return _codes(acc, np.asarray(M), np.asarray(shift), rounding, z, low, high, kind)


def _axis(axis: int, acc: np.ndarray, name: str = "axis") -> int:
    """The axis counted from 0, checked."""
    if acc.ndim == 0:
        raise ValueError(f"acc must have one dimension or more where it has an {name}, got shape ()")
    return integer(name, axis, -acc.ndim, acc.ndim - 1) % acc.ndim


def _count(value: ArrayLike) -> int | None:
    return len(value) if isinstance(value, np.ndarray | list | tuple) and np.ndim(value) else None


def _along(name: str, value: np.ndarray, acc: np.ndarray, axis: int | None) -> np.ndarray:
    """A scalar as it is, (n,) values in a shape that broadcasts along the axis."""
    if value.ndim == 0:
        return value
    if axis is None:
        raise ValueError(f"axis must be given for {name} of shape {value.shape}, got None")
    check_shape(name, value, (acc.shape[axis],))
    shape = [1] * acc.ndim
    shape[axis] = -1
    return value.reshape(shape)
