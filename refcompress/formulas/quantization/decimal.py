"""Decimal quantization: rounding to b places after the point (Q2 as the source words it).

Tutorial: tutorials/03_b_bit_quantization.py
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import (
    check_finite,
    check_not_empty,
    choice,
    float_array,
    float_dtype,
    integer,
    integer_array,
)
from refcompress.formulas.quantization import rounding as rounding_rules


def quantize(
    w: ArrayLike, places: int, *, rounding: str = "half_even", rng: np.random.Generator | None = None
) -> np.ndarray:
    """Codes of the decimal scheme (Q2, "the integer from rounding w_i to b places after the point").

        q = round(w · 10^b)

    Parameters
    ----------
    w : float array of any shape
        Weights.
    places : int from 0 to 15
        b.
    rounding : one of `rounding.RULES`
    rng : numpy.random.Generator
        For stochastic rounding only.

    Returns
    -------
    int64 array of w's shape.

    Raises
    ------
    TypeError
        If w is neither float32 nor float64, or places is not an integer.
    ValueError
        If w is empty or not finite, places is out of range, rounding is unknown, or a code is beyond ±2^53.

    Notes
    -----
    The product is taken in w's dtype, and may round: 0.045 · 100 is 4.5 in float64, a tie that 0.045 itself, which as a
    float is a little below 0.045, is not.

    References
    ----------
    .. [1] source document, section 3.2, formula Q2.

    Examples
    --------
    >>> quantize(np.array([-0.126, 0.125, 1.0]), places=2)
    array([-13,  12, 100])
    """
    rounding_rules.check("rounding", rounding, rng)
    w = float_array("w", w)
    check_not_empty("w", w)
    check_finite("w", w)
    places = integer("places", places, 0, 15)
    q = np.empty(w.shape, np.int64)
    for block in blocks(w.shape):
        with np.errstate(over="ignore"):
            t = w[block] * w.dtype.type(10**places)
        if max(t.max(), -t.min()) > 2.0**53:
            raise ValueError(f"w must give codes within ±2^53, got {np.abs(w).max()} at {places} places")
        q[block] = rounding_rules.apply(t, rounding, rng)
    return q


def dequantize(q: ArrayLike, places: int, dtype: DTypeLike = np.float64) -> np.ndarray:
    """Weights from codes (Q3 with s = 10^−b and z = 0).

        w′ = s · q

    Parameters
    ----------
    q : integer array of any shape
    places : int from 0 to 15
        b.
    dtype : float32 or float64
        In which s, q and the product are rounded.

    Returns
    -------
    array of q's shape and this dtype.

    Raises
    ------
    TypeError
        If q is not of integers, places is not an integer, or the dtype is neither float32 nor float64.
    ValueError
        If places is out of range.

    References
    ----------
    .. [1] source document, section 3.2, formula Q3.

    Examples
    --------
    >>> dequantize(np.array([-13, 12, 100]), places=2)
    array([-0.13,  0.12,  1.  ])
    """
    q = integer_array("q", q)
    return scale(places, dtype) * q.astype(dtype)


def scale(places: int, dtype: DTypeLike = np.float64) -> np.floating:
    """Scale of the decimal scheme (Q4).

        s = 10^−b

    Parameters
    ----------
    places : int from 0 to 15
    dtype : float32 or float64

    Returns
    -------
    the number of this dtype that is nearest to 10^−b.

    Raises
    ------
    TypeError
        If places is not an integer, or the dtype is neither float32 nor float64.
    ValueError
        If places is out of range.

    References
    ----------
    .. [1] source document, section 3.2, formula Q4.

    Examples
    --------
    >>> float(scale(2))
    0.01
    """
    return float_dtype(dtype).type(float(f"1e-{integer('places', places, 0, 15)}"))


def error_bound(places: int, rounding: str = "half_even") -> float:
    """Largest error of a weight, in exact arithmetic.

        |w − w′| ≤ ½ · 10^−b   for the nearest rules        |w − w′| < 10^−b   for the others

    Parameters
    ----------
    places : int from 0 to 15
    rounding : one of `rounding.RULES`

    Returns
    -------
    float, in the weights' unit.

    Raises
    ------
    TypeError
        If places is not an integer.
    ValueError
        If places is out of range, or rounding is unknown.

    Notes
    -----
    Floating point adds at most `float_slack`, which in float32 becomes the larger part at 6 to 7 places: where |w|
    exceeds about 10^−b / (10u), which is 1.7 at 6 places and 0.17 at 7.

    References
    ----------
    .. [1] source document, section 3.2, formulas Q2 and Q3.

    Examples
    --------
    >>> error_bound(2)
    0.005
    """
    nearest = choice("rounding", rounding, rounding_rules.RULES) in rounding_rules.NEAREST
    return float(scale(places)) / (2 if nearest else 1)


def float_slack(w: ArrayLike, places: int) -> np.ndarray:
    """What floating point can add to `error_bound`, for every weight.

        slack = u · (5 · |w| + 3 · 10^−b) · (1 + 16u) + 2η

    u is the unit roundoff and η the smallest subnormal of w's dtype, in which w′ is computed too. Each rounded
    operation errs by a factor 1 ± u:

        10^b, then w · 10^b               two factors on |w|: 2u·|w|
        10^−b, q as a float, s · q        three factors on |s·q| ≤ |w| + 10^−b: 3u·(|w| + 10^−b)

    (1 + 16u) covers the products of these factors and the rounding of this formula, 2η a product that is subnormal.

    Parameters
    ----------
    w : float array of any shape
    places : int from 0 to 15

    Returns
    -------
    float64 array of w's shape, in the weights' unit.

    Raises
    ------
    TypeError
        If w is neither float32 nor float64, or places is not an integer.
    ValueError
        If places is out of range.

    References
    ----------
    .. [1] Higham, "Accuracy and stability of numerical algorithms", 2002, section 2.2 (the standard model).

    Examples
    --------
    >>> w = np.array([1.0], np.float32)
    >>> bool(float_slack(w, 6)[0] < error_bound(6)), bool(float_slack(w, 7)[0] > error_bound(7))
    (True, True)
    """
    w = float_array("w", w)
    info = np.finfo(w.dtype)
    u = float(info.eps) / 2
    return u * (5 * np.abs(w).astype(np.float64) + 3 * float(scale(places))) * (1 + 16 * u) + 2 * float(
        info.smallest_subnormal
    )
