"""From scores to a selection: which fraction of a layer goes first (P3 turned into an order).

Tutorial: tutorials/02_gradient_stability.py
"""

import math
from fractions import Fraction

import numpy as np

from refcompress.formulas.checks import check_not_empty, float_array, kept_mask, real
from refcompress.formulas.pruning.stability import moments


def median_thresholds(mean: np.ndarray, std: np.ndarray) -> tuple[float, float]:
    """Thresholds in the unit of the layer itself.

        τ_mean = median_i |mean_i|        τ_std = median_i std_i

    Parameters
    ----------
    mean, std : (n,) float arrays

    Returns
    -------
    (tau_mean, tau_std) : floats, in the unit of mean and of std

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If the arrays are empty, differ in shape, or hold a value that is not finite or a negative std.

    Notes
    -----
    An even number of neurons has the mean of the two middle values as its median.

    References
    ----------
    .. [1] source document, section 3.1.3: thresholds are left to the user.

    Examples
    --------
    >>> median_thresholds(np.array([-1.0, 2.0, 9.0]), np.array([5.0, 4.0, 3.0]))
    (2.0, 4.0)
    """
    mean, std = moments(mean, std)
    check_not_empty("mean", mean)
    return float(np.median(np.abs(mean))), float(np.median(std))


def score(mean: np.ndarray, std: np.ndarray, tau_mean: float, tau_std: float) -> np.ndarray:
    """The factor by which both thresholds must grow until P3 selects a neuron.

        score_i = max( |mean_i| / τ_mean,  std_i / τ_std )

    Parameters
    ----------
    mean, std : (n,) float arrays
    tau_mean, tau_std : float ≥ 0
        In the unit of mean and of std.

    Returns
    -------
    (n,) float64 array, a pure number; small means unimportant.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If shapes differ, a value is not finite, a std is negative, or a threshold is negative or not finite.

    Notes
    -----
    At τ = 0, 0/0 counts as 0 and any other value as infinity.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P3.

    Examples
    --------
    >>> score(np.array([1.0, -4.0]), np.array([6.0, 2.0]), tau_mean=2.0, tau_std=2.0)
    array([3., 2.])
    """
    mean, std = moments(mean, std)
    tau_mean = real("tau_mean", tau_mean, 0, np.inf, open_high=True)
    tau_std = real("tau_std", tau_std, 0, np.inf, open_high=True)
    return np.maximum(_ratio(np.abs(mean), tau_mean), _ratio(std, tau_std))


def smallest(score: np.ndarray, fraction: float) -> np.ndarray:
    """Select the wanted fraction of a layer: the neurons of the smallest score.

        the ⌊fraction · n⌋ first indices in the order of (score_i, i)

    Parameters
    ----------
    score : (n,) float array
        Infinity is allowed, NaN is not.
    fraction : float in [0, 1)
        Taken as the decimal that it prints as: 0.29 of 100 is 29, although 0.29 · 100 in floating point is below 29
        (and 1/3 of 3, a decimal of sixteen threes, is 0).

    Returns
    -------
    (⌊fraction·n⌋,) int64 array of indices, ascending.

    Raises
    ------
    TypeError
        If the score is neither float32 nor float64.
    ValueError
        If the score is empty or holds NaN, or the fraction is outside of [0, 1).

    Notes
    -----
    Ties go to the lower index. Since fraction < 1, at least one neuron stays.

    References
    ----------
    .. [1] source document, section 3.1.3 (select by a threshold); the order is that of growing thresholds.

    Examples
    --------
    >>> smallest(np.array([3.0, 1.0, 2.0, 1.0]), 0.5)
    array([1, 3])
    """
    score = float_array("score", score, ndim=1)
    check_not_empty("score", score)
    if np.isnan(score).any():
        raise ValueError(f"score must not be NaN, got NaN at index {int(np.isnan(score).argmax())}")
    fraction = real("fraction", fraction, 0, 1, open_high=True)
    count = math.floor(Fraction(repr(fraction)) * len(score))
    return np.sort(np.argsort(score, kind="stable")[:count])


def separating_thresholds(
    score: np.ndarray, selected: np.ndarray, tau_mean: float, tau_std: float
) -> tuple[float, float]:
    """The thresholds at which P3 selects what `smallest` has selected.

        τ′ = τ · (a + b)/2,    a = max of score_i over the selected (0 without any),  b = min of score_i over the others

    Parameters
    ----------
    score : (n,) float array
        As `score` gives it for τ_mean and τ_std.
    selected : (k,) integer array, k < n
        As `smallest` gives it.
    tau_mean, tau_std : float ≥ 0

    Returns
    -------
    (tau_mean, tau_std) : floats, in the unit of the given ones.

    Raises
    ------
    TypeError
        If the score is neither float32 nor float64, or the selection is not of integers.
    ValueError
        If the score is empty or holds NaN, an index is out of range, nothing is left, or a threshold is negative or not
        finite.

    Notes
    -----
    No thresholds separate equal scores, a = b (with the medians as thresholds, the neurons at the two medians may both
    score 1), nor what has a score above 0 at τ = 0: then P3 at τ′ selects fewer. So it can where no float lies between
    a and b. An infinite b counts as 3a (3 for a = 0), an infinite a leaves τ as it is.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P3.

    Examples
    --------
    >>> separating_thresholds(np.array([3.0, 1.0, 2.0, 1.0]), np.array([1, 3]), tau_mean=10.0, tau_std=1.0)
    (15.0, 1.5)
    """
    score = float_array("score", score, ndim=1)
    check_not_empty("score", score)
    stays = score[kept_mask(len(score), selected, "selected")]
    if np.isnan(score).any():
        raise ValueError(f"score must not be NaN, got NaN at index {int(np.isnan(score).argmax())}")
    tau_mean = real("tau_mean", tau_mean, 0, np.inf, open_high=True)
    tau_std = real("tau_std", tau_std, 0, np.inf, open_high=True)
    a, b = float(score[selected].max(initial=0)), float(stays.min())
    if math.isinf(b):
        b = 3 * (a or 1)
    factor = 1.0 if math.isinf(a) else a + (b - a) / 2
    return tau_mean * factor, tau_std * factor


def _ratio(value: np.ndarray, tau: float) -> np.ndarray:
    if tau == 0:
        return np.where(value > 0, np.inf, 0.0)
    with np.errstate(over="ignore"):  # beyond every finite factor
        return value / tau
