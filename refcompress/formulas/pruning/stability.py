"""Gradient stability: a neuron whose gradient stays close to 0 over training is unimportant (P1, P2, P3).

Tutorial: tutorials/02_gradient_stability.py
"""

import numpy as np

from refcompress.formulas.checks import check_finite, check_shape, choice, float_array, integer, real

REDUCTIONS = ("rms_of_parameter_moments", "sum", "mean", "mean_abs", "l2", "bias")
SIGNED_REDUCTIONS = ("sum", "mean", "bias")  # what the listing's rule, which looks at the sign, needs
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


def neuron_gradients(dW: np.ndarray, db: np.ndarray | None, reduce: str) -> np.ndarray:
    """One number for every neuron's gradient at one iteration: a reading of g_i(t), which the source leaves open.

        sum:       g_i = Σ_p d_ip                over the neuron's K incoming weights and its bias
        mean:      g_i = Σ_p d_ip / (K + 1)
        mean_abs:  g_i = Σ_p |d_ip| / (K + 1)
        l2:        g_i = sqrt( Σ_p d_ip² )
        bias:      g_i = ∂L/∂b_i

    Parameters
    ----------
    dW : (n, …) float array
        Gradient of the weights; row i belongs to neuron i (for a convolution: filter i).
    db : (n,) float array or None
        Gradient of the biases; without one the divisor is K.
    reduce : {"sum", "mean", "mean_abs", "l2", "bias"}

    Returns
    -------
    (n,) float64 array, in the gradients' unit.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If the shapes do not fit, the reduction is unknown, or "bias" meets a layer without biases.

    Notes
    -----
    The sixth reading takes moments first: see `rms_of_parameter_moments`. Sums run in float64.

    References
    ----------
    .. [1] source document, section 3.1.3 ("∂L/∂w_i and ∂L/∂b_i").

    Examples
    --------
    >>> neuron_gradients(np.array([[1.0, -1.0]]), np.array([0.5]), "sum")
    array([0.5])
    >>> neuron_gradients(np.array([[1.0, -1.0]]), np.array([0.5]), "l2")
    array([1.5])
    """
    choice("reduce", reduce, REDUCTIONS[1:])
    weights, bias = _rows("dW", dW), _biases("db", db, len(dW))
    if reduce == "bias":
        if bias is None:
            raise ValueError("reduce must not be 'bias' for a layer without biases, got db = None")
        return bias
    if bias is None:
        bias = np.zeros(len(weights))
    count = weights.shape[1] + (db is not None)
    if reduce == "l2":
        return np.sqrt(np.einsum("ik,ik->i", weights, weights) + bias * bias)
    if reduce == "mean_abs":
        return (np.abs(weights).sum(axis=1) + np.abs(bias)) / count
    total = weights.sum(axis=1) + bias
    return total if reduce == "sum" else total / count


def rms_of_parameter_moments(W_moments: np.ndarray, b_moments: np.ndarray | None) -> np.ndarray:
    """Root mean square over a neuron's parameters of one moment of each: the default reading of P1 and P2.

        mean_i = sqrt( 1/(K + 1) · Σ_p mean_ip² )        std_i = sqrt( 1/(K + 1) · Σ_p std_ip² )

    Parameters
    ----------
    W_moments : (n, …) float array
        Mean or standard deviation over training of every weight's gradient; row i belongs to neuron i.
    b_moments : (n,) float array or None
        The same for the biases; without them the divisor is K.

    Returns
    -------
    (n,) float64 array, in the gradients' unit, ≥ 0.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If the shapes do not fit.

    Notes
    -----
    Gradients of opposite sign cannot cancel: (1, −1, 0) then (−1, 1, 0) has the standard deviations (1, 1, 0), so
    std = √(2/3), where "sum" and "mean" see 0.

    References
    ----------
    .. [1] source document, section 3.1.3.

    Examples
    --------
    >>> rms_of_parameter_moments(np.array([[3.0, 4.0, 0.0]]), np.array([0.0]))
    array([2.5])
    """
    weights, bias = _rows("W_moments", W_moments), _biases("b_moments", b_moments, len(W_moments))
    squares = np.einsum("ik,ik->i", weights, weights)
    if bias is None:
        return np.sqrt(squares / weights.shape[1])
    return np.sqrt((squares + bias * bias) / (weights.shape[1] + 1))


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
    makes both sides negative, so that any negative mean passes. Its division is IEEE's; 0/0 selects nothing. All is
    compared in float64.

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


def _rows(name: str, array: np.ndarray) -> np.ndarray:
    """Return `array` (n, …) as (n, K) in float64."""
    array = float_array(name, array)
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"{name} must have one row of weights per neuron, got shape {array.shape}")
    return array.reshape(len(array), -1).astype(np.float64)


def _biases(name: str, array: np.ndarray | None, count: int) -> np.ndarray | None:
    """Return `array` (n,) in float64, or None."""
    if array is None:
        return None
    array = float_array(name, array)
    check_shape(name, array, (count,))
    return array.astype(np.float64)
