"""Percentile: a range that leaves a given part of the values outside.

Tutorial: tutorials/04_conventions.py
"""

from math import ceil, floor, isfinite

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_finite, check_not_empty, choice, float_array, real

METHODS = ("kth", "interpolated")


def percentile(
    x: ArrayLike, p: float, method: str = "kth", *, low_p: float | None = None
) -> tuple[np.floating, np.floating]:
    """Range between two percentiles. x₁ ≤ … ≤ x_n are the values in order.

        kth:             high = x_k, k = ⌊p/100·n + ½⌋            low = x_k, k = ⌈p′/100·n⌉
        interpolated:    x_(h+1) between its neighbours,  h = p/100·(n − 1),  for both ends

    Parameters
    ----------
    x : float array of any shape
    p : real number from 0 to 100
        Percentile of the high end.
    method : "kth" or "interpolated"
    low_p : real number from 0 to 100, optional
        p′, percentile of the low end; 100 − p if not given.

    Returns
    -------
    (low, high) : scalars of x's dtype, in x's unit.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64, or a percentile is not a real number.
    ValueError
        If x is empty, a value is not finite, a percentile is out of range, low_p exceeds p, k is 0, or method is
        unknown.

    Notes
    -----
    kth is Brevitas 0.13 (core/stats/stats_op.py): the high end of AbsPercentile and PercentileInterval, the low end of
    PercentileInterval and NegativePercentileOrZero before these take min(low, 0). k is computed as it is there,
    (0.01 · p) · n in float64, whose rounding counts where p/100·n is an integer or a half: at p′ = 7 and n = 100 k is
    ⌈7.000000000000001⌉ = 8. k = 0 is an error, as in torch.kthvalue.

    interpolated is linear interpolation, the default of numpy.percentile and torch.quantile: here in float64, rounded
    once to x's dtype. On float64, NumPy 2.4 gives the same bits and PyTorch 2.13 the same within 2 units in the last
    place of the largest value. On float32, NumPy interpolates in float32 (1 unit), and PyTorch rounds p/100 and h to
    float32 too, which moves h by up to about n·2⁻²⁴.

    References
    ----------
    .. [1] Hyndman and Fan, "Sample quantiles in statistical packages", 1996, definition 7 (interpolated).

    Examples
    --------
    >>> x = np.arange(1.0, 11.0)
    >>> low, high = percentile(x, 90.0)
    >>> float(low), float(high)
    (1.0, 9.0)
    >>> low, high = percentile(x, 95.0, "interpolated")
    >>> round(float(low), 12), round(float(high), 12)
    (1.45, 9.55)
    """
    v = _values(x)
    p = real("p", p, 0.0, 100.0)
    low_p = 100.0 - p if low_p is None else real("low_p", low_p, 0.0, 100.0)
    if low_p > p:
        raise ValueError(f"low_p must be at most p, got {low_p} and {p}")
    if choice("method", method, METHODS) == "interpolated":
        return _interpolated(v, low_p), _interpolated(v, p)
    low_k, high_k = ceil(0.01 * low_p * v.size), floor(0.01 * p * v.size + 0.5)
    if low_k > high_k:
        raise ValueError(f"low_p must leave a value up to p, got {low_p} and {p}: the values {low_k} to {high_k}")
    return _kth(v, low_k), _kth(v, high_k)


def absolute(x: ArrayLike, p: float, method: str = "kth") -> np.floating:
    """Percentile of the magnitudes, the end of a symmetric range [−a, a].

        a = x_k,  k = ⌊p/100·n + ½⌋,  of |x|        or interpolated, as for `percentile`

    Parameters
    ----------
    x, p, method : as for `percentile`

    Returns
    -------
    scalar of x's dtype, in x's unit, at least 0.

    Raises
    ------
    TypeError, ValueError
        As `percentile` does.

    Notes
    -----
    kth is Brevitas' AbsPercentile.

    References
    ----------
    .. [1] Wu et al., "Integer quantization for deep learning inference: principles and empirical evaluation",
       arXiv:2004.09602, section 4 (percentile calibration).

    Examples
    --------
    >>> float(absolute(np.array([-4.0, 3.0, -2.0, 1.0]), 75.0))
    3.0
    """
    magnitudes = np.abs(_values(x))
    p = real("p", p, 0.0, 100.0)
    if choice("method", method, METHODS) == "interpolated":
        return _interpolated(magnitudes, p)
    return _kth(magnitudes, floor(0.01 * p * magnitudes.size + 0.5))


def _values(x: ArrayLike) -> np.ndarray:
    """x as one dimension; TypeError or ValueError unless it has percentiles."""
    x = float_array("x", x)
    check_not_empty("x", x)
    check_finite("x", x)
    return x.reshape(-1)


def _kth(x: np.ndarray, k: int) -> np.floating:
    """The k-th smallest value, k from 1."""
    if k < 1:
        raise ValueError(f"p and low_p must each reach a value, got k = {k} of {x.size} values")
    return np.partition(x, k - 1)[k - 1]


def _interpolated(x: np.ndarray, p: float) -> np.floating:
    """Value at position h = p/100·(n − 1), counted from 0, in the sorted x."""
    h = p / 100 * (x.size - 1)
    i = floor(h)
    j = min(i + 1, x.size - 1)
    both = np.partition(x, (i, j))
    a, b, t = float(both[i]), float(both[j]), h - i
    if not isfinite(b - a):
        raise ValueError(f"x must have neighbours whose difference is finite, got {a} and {b}")
    between = a + (b - a) * t if t < 0.5 else b - (b - a) * (1 - t)  # from the nearer end: exact at both, and monotone
    return x.dtype.type(between)
