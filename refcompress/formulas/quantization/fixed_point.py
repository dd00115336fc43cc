"""Fixed-point quantization: integers of b bits with f bits after the binary point (a reading of Q2).

Tutorial: tutorials/03_b_bit_quantization.py
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import (
    check_broadcasts,
    check_finite,
    check_not_empty,
    check_ranges,
    check_shape,
    choice,
    float_array,
    float_dtype,
    integer,
    integer_array,
)
from refcompress.formulas.quantization import rounding as rounding_rules

MAX_FRACTION_BITS = 126  # 2^−126 is the smallest normal number of float32


def quantize(
    w: ArrayLike,
    fraction_bits: ArrayLike,
    bits: int,
    *,
    rounding: str = "half_even",
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Codes of the fixed-point scheme (Q2 with binary places).

        q = clip( round(w · 2^f),  −2^(b−1),  2^(b−1) − 1 )

    Parameters
    ----------
    w : float array of any shape
        Weights.
    fraction_bits : int from 0 to 126, or an integer array that broadcasts to w's shape
        f.
    bits : int from 1 to 16
        b, the sign bit included.
    rounding : one of `rounding.RULES`
    rng : numpy.random.Generator
        For stochastic rounding only.

    Returns
    -------
    array of w's shape, int8 up to 8 bits, else int16.

    Raises
    ------
    TypeError
        If w is neither float32 nor float64, or bits or fraction_bits is not of integers.
    ValueError
        If w is empty or not finite, a number of bits is out of range, shapes do not fit, or rounding is unknown.

    Notes
    -----
    w · 2^f is exact; what is beyond the largest float saturates like any other value beyond the range.

    References
    ----------
    .. [1] source document, section 3.2, formula Q2; ARM DUI 0066 "Q format" for the naming of f.

    Examples
    --------
    >>> quantize(np.array([-9.0, -0.3, 0.125, 0.3]), fraction_bits=2, bits=4)
    array([-8, -1,  0,  1], dtype=int8)
    """
    rounding_rules.check("rounding", rounding, rng)
    w = float_array("w", w)
    check_not_empty("w", w)
    check_finite("w", w)
    f = _fraction_bits(fraction_bits)
    check_broadcasts("fraction_bits", f, w.shape)
    half = 2 ** (integer("bits", bits, 1, 16) - 1)
    scale = np.broadcast_to(np.ldexp(w.dtype.type(1), f), w.shape)
    q = np.empty(w.shape, np.int8 if bits <= 8 else np.int16)
    for block in blocks(w.shape):
        with np.errstate(over="ignore"):
            t = rounding_rules.apply(w[block] * scale[block], rounding, rng)
        q[block] = np.clip(t, -half, half - 1)
    return q


def dequantize(q: ArrayLike, fraction_bits: ArrayLike, dtype: DTypeLike = np.float64) -> np.ndarray:
    """Weights from codes (Q3 with s = 2^−f and z = 0).

        w′ = q · 2^−f

    Parameters
    ----------
    q : integer array of any shape
    fraction_bits : int from 0 to 126, or an integer array that broadcasts to q's shape
    dtype : float32 or float64

    Returns
    -------
    array of q's shape and this dtype; exact for codes of up to 16 bits.

    Raises
    ------
    TypeError
        If q or fraction_bits is not of integers, or the dtype is neither float32 nor float64.
    ValueError
        If fraction_bits is out of range.

    References
    ----------
    .. [1] source document, section 3.2, formula Q3.

    Examples
    --------
    >>> dequantize(np.array([-8, -1, 0, 1]), fraction_bits=2)
    array([-2.  , -0.25,  0.  ,  0.25])
    """
    q, f = integer_array("q", q), _fraction_bits(fraction_bits)
    check_broadcasts("fraction_bits", f, q.shape)
    scale = np.broadcast_to(np.ldexp(float_dtype(dtype).type(1), -f), q.shape)
    w = np.empty(q.shape, scale.dtype)
    for block in blocks(q.shape):
        w[block] = q[block].astype(scale.dtype) * scale[block]
    return w


def error_bound(fraction_bits: ArrayLike, rounding: str = "half_even") -> np.ndarray:
    """Largest error of a weight inside of the range [−2^(b−1) · 2^−f, (2^(b−1) − 1) · 2^−f].

        |w − w′| ≤ ½ · 2^−f   for the nearest rules        |w − w′| < 2^−f   for the others

    Parameters
    ----------
    fraction_bits : int from 0 to 126, or an integer array
    rounding : one of `rounding.RULES`

    Returns
    -------
    float64 array, in the weights' unit.

    Raises
    ------
    TypeError
        If fraction_bits is not of integers.
    ValueError
        If fraction_bits is out of range, or rounding is unknown.

    Notes
    -----
    Holds as it is in floating point: scaling by 2^f, rounding and scaling back are exact.

    References
    ----------
    .. [1] source document, section 3.2, formulas Q2 and Q3.

    Examples
    --------
    >>> float(error_bound(2))
    0.125
    """
    nearest = choice("rounding", rounding, rounding_rules.RULES) in rounding_rules.NEAREST
    return np.ldexp(0.5 if nearest else 1.0, -_fraction_bits(fraction_bits))


def largest_fraction_bits(low: ArrayLike, high: ArrayLike, bits: int) -> np.ndarray:
    """The finest binary point at which no weight of [α, β] saturates (Q4).

        f = max { f in 0 … 126 :  round(α · 2^f) ≥ −2^(b−1)  and  round(β · 2^f) ≤ 2^(b−1) − 1 }

    Parameters
    ----------
    low, high : float scalars or arrays of one shape
        α and β, in the weights' unit; one of each for every channel where they are arrays.
    bits : int from 1 to 16
        b, the sign bit included.

    Returns
    -------
    int64 array of low's shape.

    Raises
    ------
    TypeError
        If an end is neither float32 nor float64, or bits is not an integer.
    ValueError
        If α > β, an end is not finite, shapes differ, bits is out of range, or even f = 0 saturates.

    Notes
    -----
    Rounds half to even. A range of zeros alone, which never saturates, gets f = b − 1.

    References
    ----------
    .. [1] source document, section 3.2, formula Q4: "chosen by model performance and accuracy needs".

    Examples
    --------
    >>> int(largest_fraction_bits(-0.5, 0.4, bits=4))
    4
    """
    low, high = float_array("low", low), float_array("high", high)
    check_shape("high", high, low.shape)
    check_finite("low", low)
    check_finite("high", high)
    check_ranges("low must not exceed high", low <= high, low, high)
    half = 2 ** (integer("bits", bits, 1, 16) - 1)
    f = np.full(low.shape, -1)
    with np.errstate(over="ignore"):
        for candidate in range(MAX_FRACTION_BITS + 1):
            fits = (np.rint(np.ldexp(low, candidate)) >= -half) & (np.rint(np.ldexp(high, candidate)) <= half - 1)
            f = np.where(fits, candidate, f)
    check_ranges(f"low and high must fit {bits} bits without fraction bits", f >= 0, low, high)
    return np.where((low == 0) & (high == 0), bits - 1, f)[()]


def _fraction_bits(fraction_bits: ArrayLike) -> np.ndarray:
    f = integer_array("fraction_bits", fraction_bits)
    if f.size and (f.min() < 0 or f.max() > MAX_FRACTION_BITS):
        raise ValueError(f"fraction_bits must be from 0 to {MAX_FRACTION_BITS}, got {fraction_bits!r}")
    return f.astype(np.int32)
