"""Gradient stability: a neuron whose gradient stays close to 0 over training is unimportant (P1, P2, P3).

Tutorial: tutorials/02_gradient_stability.py
"""

import numpy as np

from refcompress.formulas.checks import check_finite, check_shape, choice, float_array, integer, real

RULES = ("text", "listing")


def mean(gradients: np.ndarray) -> np.ndarray:
    """Mean of every neuron's gradient over training (P1).

        mean_i = 1/T · Σ_t g_i(t)

    Parameters
    ----------
    gradients : (T, n) float array
        One row per training iteration, one column per neuron.

    Returns
    -------
    (n,) float64 array, in the gradients' unit.

    Raises
    ------
    TypeError
        If the gradients are neither float32 nor float64.
    ValueError
        If T is 0, or a value is not finite.

    Notes
    -----
    Summed in float64.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P1.

    Examples
    --------
    >>> mean(np.array([[1.0, 0.0], [3.0, 0.0]]))
    array([2., 0.])
    """
    gradients = _gradient_history(gradients)
    return gradients.mean(axis=0, dtype=np.float64)


def std(gradients: np.ndarray, *, ddof: int = 0) -> np.ndarray:
    """Standard deviation of every neuron's gradient over training (P2).

        std_i = sqrt( 1/(T − ddof) · Σ_t (g_i(t) − mean_i)² )

    Parameters
    ----------
    gradients : (T, n) float array
        One row per training iteration, one column per neuron.
    ddof : {0, 1}
        0 divides by T, as the source prints it; 1 by T − 1 (torch.std's default).

    Returns
    -------
    (n,) float64 array, in the gradients' unit.

    Raises
    ------
    TypeError
        If the gradients are neither float32 nor float64.
    ValueError
        If T ≤ ddof, or a value is not finite.

    Notes
    -----
    Two passes in float64: the mean first, then the squared deviations.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P2.

    Examples
    --------
    >>> std(np.array([[1.0, 0.0], [3.0, 0.0]]))
    array([1., 0.])
    """
    gradients = _gradient_history(gradients)
    ddof = integer("ddof", ddof, 0, 1)
    if len(gradients) <= ddof:
        raise ValueError(f"gradients must have more than ddof = {ddof} rows, got {len(gradients)}")
    deviation = gradients - mean(gradients)
    return np.sqrt((deviation * deviation).sum(axis=0) / (len(gradients) - ddof))


def unimportant(mean: np.ndarray, std: np.ndarray, tau_mean: float, tau_std: float, rule: str = "text") -> np.ndarray:
    """Which neurons are unimportant (P3).

        text:     |mean_i| < τ_mean  and  std_i < τ_std
        listing:  mean_i < τ_mean  and  std_i / mean_i < τ_std

    Parameters
    ----------
    mean, std : (n,) float arrays
        As P1 and P2 give them; std ≥ 0.
    tau_mean, tau_std : float ≥ 0
        Thresholds in the unit of mean and of std (listing: τ_std is a pure number); infinity accepts every value.
    rule : {"text", "listing"}

    Returns
    -------
    (n,) bool array, True where the neuron is unimportant.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If shapes differ, a value is not finite, a std or a threshold is negative, or the rule is unknown.

    Notes
    -----
    Both comparisons are strict. The listing's rule is computed as printed, without absolute values: a negative mean
    makes both sides negative, so that any negative mean passes (for std > 0, or τ_std > 0). Its division is IEEE's: a
    std above 0 over a mean of −0 is −∞ and selects, 0/0 selects nothing. All is compared in float64.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P3, and the pruning listing.

    Examples
    --------
    >>> mean, std = np.array([1e-4, -5.0]), np.array([1e-4, 9.0])
    >>> unimportant(mean, std, 1e-3, 1e-3)
    array([ True, False])
    >>> unimportant(mean, std, 1e-3, 1e-3, rule="listing")
    array([False,  True])
    """
    mean, std = moments(mean, std)
    tau_mean, tau_std = real("tau_mean", tau_mean, 0), real("tau_std", tau_std, 0)
    if choice("rule", rule, RULES) == "text":
        return (np.abs(mean) < tau_mean) & (std < tau_std)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return (mean < tau_mean) & (std / mean < tau_std)


def moments(mean: np.ndarray, std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and std (n,) in float64; TypeError or ValueError unless they are finite, of one shape, std ≥ 0."""
    mean, std = float_array("mean", mean, ndim=1), float_array("std", std, ndim=1)
    check_shape("std", std, mean.shape)
    check_finite("mean", mean)
    check_finite("std", std)
    if (std < 0).any():
        raise ValueError(f"std must not be negative, got {std.min()}")
    return mean.astype(np.float64), std.astype(np.float64)


def _gradient_history(gradients: np.ndarray) -> np.ndarray:
    gradients = float_array("gradients", gradients, ndim=2)
    if len(gradients) == 0:
        raise ValueError(f"gradients must have at least one row, got shape {gradients.shape}")
    check_finite("gradients", gradients)
    return gradients
