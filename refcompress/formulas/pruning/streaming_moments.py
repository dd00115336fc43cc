"""Mean and standard deviation in one pass, without keeping the history (P1, P2 for every parameter).

Tutorial: tutorials/02_gradient_stability.py
"""

from typing import NamedTuple

import numpy as np

from refcompress.formulas.checks import check_finite, check_shape, float_array, integer


class Moments(NamedTuple):
    """Number of values seen, their mean, and M₂ = Σ (g − mean)²: arrays of one shape in float64."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which no one needs here
    mean: np.ndarray
    m2: np.ndarray


def empty(shape: tuple[int, ...]) -> Moments:
    """Moments of no values at all.

        T = 0,  mean = 0,  M₂ = 0

    Parameters
    ----------
    shape : tuple of int
        Shape of the gradients to come.

    Returns
    -------
    Moments

    Examples
    --------
    >>> empty((2,))
    Moments(count=0, mean=array([0., 0.]), m2=array([0., 0.]))
    """
    return Moments(0, np.zeros(shape), np.zeros(shape))


def update(moments: Moments, gradient: np.ndarray) -> Moments:
    """Moments after one more value (P1, P2 as recurrences).

        δ     = g(T) − mean_{T−1}
        mean_T = mean_{T−1} + δ/T
        M₂_T   = M₂_{T−1} + δ · (g(T) − mean_T)

    Parameters
    ----------
    moments : Moments
    gradient : float array of the moments' shape

    Returns
    -------
    Moments
        New arrays; the given ones stay as they are.

    Raises
    ------
    TypeError
        If the gradient is neither float32 nor float64.
    ValueError
        If its shape differs, or a value is not finite.

    Notes
    -----
    In float64. Unlike Σg and Σg², it does not lose std where |mean| is much larger.

    References
    ----------
    .. [1] Welford, "Note on a method for calculating corrected sums of squares and products", 1962.

    Examples
    --------
    >>> update(update(empty((1,)), np.array([1.0])), np.array([3.0]))
    Moments(count=2, mean=array([2.]), m2=array([2.]))
    """
    gradient = float_array("gradient", gradient)
    check_shape("gradient", gradient, moments.mean.shape)
    check_finite("gradient", gradient)
    count = moments.count + 1
    delta = gradient - moments.mean
    mean = moments.mean + delta / count
    delta *= gradient - mean
    delta += moments.m2
    return Moments(count, mean, delta)


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of two runs together.

        δ = mean_b − mean_a,   T = T_a + T_b
        mean = mean_a + δ · T_b/T
        M₂   = M₂_a + M₂_b + δ² · T_a·T_b/T

    Parameters
    ----------
    a, b : Moments of the same shape

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    .. [1] Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979,
       eqs. 2.1a and 2.1b.

    Examples
    --------
    >>> merge(update(empty((1,)), np.array([1.0])), update(empty((1,)), np.array([3.0])))
    Moments(count=2, mean=array([2.]), m2=array([2.]))
    """
    check_shape("b", b.mean, a.mean.shape)
    count = a.count + b.count
    if count == 0:
        return a
    delta = b.mean - a.mean
    mean = a.mean + delta * (b.count / count)
    return Moments(count, mean, a.m2 + b.m2 + delta * delta * (a.count * b.count / count))


def std(moments: Moments, *, ddof: int = 0) -> np.ndarray:
    """Standard deviation of the values seen (P2).

        std = sqrt( M₂ / (T − ddof) )

    Parameters
    ----------
    moments : Moments
    ddof : {0, 1}
        0 divides by T, as the source prints it; 1 by T − 1.

    Returns
    -------
    float64 array of the moments' shape

    Raises
    ------
    ValueError
        If T ≤ ddof.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P2.

    Examples
    --------
    >>> std(Moments(2, np.array([2.0]), np.array([2.0])))
    array([1.])
    """
    ddof = integer("ddof", ddof, 0, 1)
    if moments.count <= ddof:
        raise ValueError(f"moments must hold more than ddof = {ddof} values, got {moments.count}")
    return np.sqrt(moments.m2 / (moments.count - ddof))
