"""Uniform b-bit quantization: 2^b equal steps from α to β (Q2 in its default reading, Q3, Q4).

Tutorial: tutorials/03_b_bit_quantization.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import (
    check_broadcasts,
    check_finite,
    check_not_empty,
    check_ranges,
    check_shape,
    choice,
    float_array,
    integer,
    integer_array,
)
from refcompress.formulas.quantization import rounding as rounding_rules


def scale_and_offset(low: ArrayLike, high: ArrayLike, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of the uniform scheme over the range [α, β] (Q4).

        s = (β − α) / (2^b − 1)        z = α

    Parameters
    ----------
    low, high : float scalars or arrays of one shape
        α and β, in the weights' unit; one of each for every channel where they are arrays.
    bits : int from 1 to 16
        b.

    Returns
    -------
    (s, z) : in the weights' unit and the dtype of low and high (a Python float counts as float64), s > 0.

    Raises
    ------
    TypeError
        If an end is neither float32 nor float64, or bits is not an integer.
    ValueError
        If α > β, an end is not finite, shapes differ, bits is out of range, s underflows to 0, or β − α (or what the
        last code stands for, s · (2^b − 1) + z) overflows.

    Notes
    -----
    A constant range, α = β, gets s = 1 and z = α, so that its code is 0 and comes back exactly.

    References
    ----------
    .. [1] source document, section 3.2, formulas Q3 and Q4.

    Examples
    --------
    >>> s, z = scale_and_offset(-1.0, 2.0, bits=2)
    >>> float(s), float(z)
    (1.0, -1.0)
    """
    low, high = float_array("low", low), float_array("high", high)
    check_shape("high", high, low.shape)
    check_finite("low", low)
    check_finite("high", high)
    levels = 2 ** integer("bits", bits, 1, 16) - 1
    check_ranges("low must not exceed high", low <= high, low, high)
    with np.errstate(over="ignore", under="ignore"):
        s = (high - low) / levels
        top = s * levels + low  # w′ of the last code
    check_ranges(f"high - low must be finite in {s.dtype}", np.isfinite(s) & np.isfinite(top), low, high)
    constant = low == high
    check_ranges("high - low must be large enough for a scale above 0", (s > 0) | constant, low, high)
    return np.where(constant, s.dtype.type(1), s)[()], low.astype(s.dtype)[()]


def quantize(
    w: ArrayLike,
    s: ArrayLike,
    z: ArrayLike,
    bits: int,
    *,
    rounding: str = "half_even",
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Codes q_i of the parameters w_i in the uniform scheme (Q1, Q2).

        q = clip( round((w − z) / s),  0,  2^b − 1 )

    Parameters
    ----------
    w : float array of any shape
        Weights.
    s, z : float scalars or arrays that broadcast to w's shape
        Scale (s > 0) and offset, in the weights' unit.
    bits : int from 1 to 16
        b.
    rounding : one of `rounding.RULES`
    rng : numpy.random.Generator
        For stochastic rounding only.

    Returns
    -------
    array of w's shape, uint8 up to 8 bits, else uint16.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or bits is not an integer.
    ValueError
        If w is empty, a value is not finite, s ≤ 0, shapes do not fit, bits is out of range, or rounding is unknown.

    Notes
    -----
    One subtraction, one division, one rounding to an integer, then saturation, all in the promoted dtype of w, s and z
    (a Python float counts as float64).

    References
    ----------
    .. [1] source document, section 3.2, formula Q2.

    Examples
    --------
    >>> quantize(np.array([-1.0, 0.4, 0.5, 7.0]), s=1.0, z=-1.0, bits=2)
    array([0, 1, 2, 3], dtype=uint8)
    """
    rounding_rules.check("rounding", rounding, rng)
    w, s, z = float_array("w", w), float_array("s", s), float_array("z", z)
    check_not_empty("w", w)
    for name, array in (("w", w), ("s", s), ("z", z)):
        check_finite(name, array)
    if (s <= 0).any():
        raise ValueError(f"s must be above 0, got {s.min()}")
    for name, array in (("s", s), ("z", z)):
        check_broadcasts(name, array, w.shape)
    levels = 2 ** integer("bits", bits, 1, 16) - 1
    with np.errstate(over="ignore", under="ignore"):  # an infinite quotient saturates like any other beyond the range
        t = (w - z) / s
    q = np.clip(rounding_rules.apply(t, rounding, rng), 0, levels)
    return q.astype(np.uint8 if bits <= 8 else np.uint16)


def dequantize(q: ArrayLike, s: ArrayLike, z: ArrayLike) -> np.ndarray:
    """Weights from codes (Q3).

        w′ = s · q + z

    Parameters
    ----------
    q : integer array of any shape
    s, z : float scalars or arrays that broadcast to q's shape
        Scale and offset, in the weights' unit.

    Returns
    -------
    array of q's shape in the promoted dtype of s and z.

    Raises
    ------
    TypeError
        If q is not of integers, or s or z is neither float32 nor float64.
    ValueError
        If s or z is not finite, or shapes do not fit.

    Notes
    -----
    The product is rounded before the sum (no fused multiply-add).

    References
    ----------
    .. [1] source document, section 3.2, formula Q3.

    Examples
    --------
    >>> dequantize(np.array([0, 1, 3]), s=0.5, z=-1.0)
    array([-1. , -0.5,  0.5])
    """
    q, s, z = integer_array("q", q), float_array("s", s), float_array("z", z)
    for name, array in (("s", s), ("z", z)):
        check_finite(name, array)
        check_broadcasts(name, array, q.shape)
    dtype = np.result_type(s, z)
    return s.astype(dtype) * q.astype(dtype) + z


def error_bound(s: ArrayLike, rounding: str = "half_even") -> np.ndarray:
    """Largest error of a weight inside of [α, β], in exact arithmetic.

        |w − w′| ≤ s/2   for the nearest rules        |w − w′| < s   for the others

    Parameters
    ----------
    s : float scalar or array
        Scale, in the weights' unit.
    rounding : one of `rounding.RULES`

    Returns
    -------
    array of s's shape and dtype, in the weights' unit.

    Raises
    ------
    TypeError
        If s is neither float32 nor float64.
    ValueError
        If rounding is unknown.

    Notes
    -----
    Floating point adds at most `float_slack`.

    References
    ----------
    .. [1] source document, section 3.2, formulas Q2 and Q3: w − w′ = s · (t − round(t)) for t = (w − z)/s.

    Examples
    --------
    >>> float(error_bound(0.5)), float(error_bound(0.5, "floor"))
    (0.25, 0.5)
    """
    s = float_array("s", s)
    nearest = choice("rounding", rounding, rounding_rules.RULES) in rounding_rules.NEAREST
    return s / (2 if nearest else 1)


def float_slack(s: ArrayLike, z: ArrayLike, bits: int) -> np.ndarray:
    """What floating point can add to `error_bound` on [α, β].

        slack = u · (3 · N · s + max(|z|, |z + N · s|)) · (1 + 16u) + 2 · N · η,     N = 2^b − 1

    u is the unit roundoff (half of the machine epsilon) and η the smallest subnormal of the promoted dtype of s and z.
    Each rounded operation errs by a factor 1 ± u, or by η where the result is subnormal:

        w − z, then its quotient by s      two factors on t ≤ N: 2u·N in units of s, so 2u·N·s
        s · q                              one factor on at most N·s: u·N·s
        … + z                              one factor on w′: u · max(|z|, |z + N·s|)
        s itself, where it is subnormal    N·s misses β − α by at most N·η

    (1 + 16u) covers the products of these factors and the rounding of this formula.

    Parameters
    ----------
    s, z : float scalars or arrays that broadcast
        Scale and offset, in the weights' unit.
    bits : int from 1 to 16

    Returns
    -------
    float64 array, in the weights' unit.

    Raises
    ------
    TypeError
        If s or z is neither float32 nor float64, or bits is not an integer.
    ValueError
        If bits is out of range.

    References
    ----------
    .. [1] Higham, "Accuracy and stability of numerical algorithms", 2002, section 2.2 (the standard model).

    Examples
    --------
    >>> bool(float_slack(np.float32(0.1), np.float32(-0.75), 4) < 1e-5 * error_bound(0.1))
    True
    """
    s, z = float_array("s", s), float_array("z", z)
    info = np.finfo(np.result_type(s, z))
    levels = 2 ** integer("bits", bits, 1, 16) - 1
    u, width = float(info.eps) / 2, levels * s.astype(np.float64)
    largest = np.maximum(np.abs(z), np.abs(z + width))
    return (3 * (u * width) + u * largest) * (1 + 16 * u) + 2 * levels * float(info.smallest_subnormal)
