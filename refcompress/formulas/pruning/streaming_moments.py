"""Mean and standard deviation in one pass, without keeping the history (P1, P2 for every parameter).

Tutorial: tutorials/02_gradient_stability.py
"""

from typing import NamedTuple

import numpy as np

from refcompress.formulas.checks import check_finite, check_shape, float_array, integer


class Moments(NamedTuple):
    """Number of values seen, their mean, and M₂ = Σ (g − mean)²: arrays in float64.

    M₂ has the shape of the mean, or that without its last axes, over which it is summed: a neuron whose gradient is a
    vector has one M₂.
    """

    count: int  # type: ignore[assignment]  # hides tuple.count, which no one needs here
    mean: np.ndarray
    m2: np.ndarray


def empty(shape: tuple[int, ...], *, summed: int = 0) -> Moments:
    """Moments of no values at all.

        T = 0,  mean = 0,  M₂ = 0

    Parameters
    ----------
    shape : tuple of int
        Shape of the gradients to come.
    summed : int from 0 to len(shape)
        Number of last axes over which M₂ is summed.

    Returns
    -------
    Moments

    Raises
    ------
    TypeError, ValueError
        If `summed` is not an integer or out of range.

    Examples
    --------
    >>> empty((2,))
    Moments(count=0, mean=array([0., 0.]), m2=array([0., 0.]))
    """
    return Moments(0, np.zeros(shape), np.zeros(shape[: len(shape) - integer("summed", summed, 0, len(shape))]))


def update(moments: Moments, gradient: np.ndarray) -> Moments:
    """Moments after one more value (P1, P2 as recurrences).

        δ     = g(T) − mean_{T−1}
        mean_T = mean_{T−1} + δ/T
        M₂_T   = M₂_{T−1} + Σ δ · (g(T) − mean_T)       Σ over the summed axes, if any

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
    return Moments(count, mean, moments.m2 + _sum_last(delta * (gradient - mean), moments.m2.ndim))


def from_shifted_sums(count: int, shift: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> Moments:
    """Moments from sums of deviations from any constant c, such as the mean so far.

        S = Σ_t (g(t) − c)        mean = c + S/T
        Q = Σ_t (g(t) − c)²       M₂   = Q − Σ S²/T           Σ over the summed axes, if any

    Parameters
    ----------
    count : int ≥ 1
        T.
    shift, sums : float arrays of one shape
        c and S.
    squares : float array of that shape, or of it without the summed last axes
        Q.

    Returns
    -------
    Moments

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or count is not an integer.
    ValueError
        If the shapes do not fit, or count < 1.

    Notes
    -----
    Q and S²/T cancel where c is far from the mean, by a factor 1 + (mean − c)²/std²; M₂ below 0 by rounding becomes 0.

    References
    ----------
    .. [1] Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983, eq. 1.6 (shifted data).

    Examples
    --------
    >>> from_shifted_sums(2, np.array([1.0]), np.array([2.0]), np.array([4.0]))  # of 1 and 3
    Moments(count=2, mean=array([2.]), m2=array([2.]))
    """
    count = integer("count", count, 1)
    c, S, Q = float_array("shift", shift), float_array("sums", sums), float_array("squares", squares)
    check_shape("sums", S, c.shape)
    check_shape("squares", Q, c.shape[: Q.ndim])
    S = S.astype(np.float64)
    m2 = Q - _sum_last(S * S, Q.ndim) / count
    return Moments(count, c + S / count, np.maximum(m2, 0))


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of two runs together.

        δ = mean_b − mean_a,   T = T_a + T_b
        mean = mean_a + δ · T_b/T
        M₂   = M₂_a + M₂_b + Σ δ² · T_a·T_b/T           Σ over the summed axes, if any

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
    check_shape("b's m2", b.m2, a.m2.shape)
    count = a.count + b.count
    if count == 0:
        return a
    delta = b.mean - a.mean
    mean = a.mean + delta * (b.count / count)
    between = _sum_last(delta * delta, a.m2.ndim) * (a.count * b.count / count)
    return Moments(count, mean, a.m2 + b.m2 + between)


def std(moments: Moments, *, ddof: int = 0) -> np.ndarray:
    """Standard deviation of the values seen (P2).

        std = sqrt( M₂ / (T − ddof) )        of summed axes: sqrt( Σ std² )

    Parameters
    ----------
    moments : Moments
    ddof : {0, 1}
        0 divides by T, as the source prints it; 1 by T − 1.

    Returns
    -------
    float64 array of M₂'s shape

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


def _sum_last(values: np.ndarray, ndim: int) -> np.ndarray:
    """Sum over the last axes, so that `ndim` are left."""
    return values.sum(axis=tuple(range(ndim, values.ndim)))
