"""Reduction: which number stands for a neuron's gradient, which is a vector (the g_i(t) of P1 and P2, left open).

Tutorial: tutorials/02_gradient_stability.py
"""

import numpy as np

from refcompress.formulas.checks import check_shape, choice, float_array, integer

REDUCTIONS = ("rms_of_parameter_moments", "sum", "mean", "mean_abs", "l2", "bias")
SIGNED_REDUCTIONS = ("sum", "mean", "bias")  # what the listing's rule, which looks at the sign, needs


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
    The sixth reading takes moments first: see `rms_of_parameter_moments`. Sums over the weights run in dW's dtype, by
    the dot products of BLAS (in float64 where one leaves float32's range); the bias is added in float64.

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
        return bias.astype(np.float64)
    count = weights.shape[1] + (bias is not None)
    bias = np.zeros(len(weights)) if bias is None else bias.astype(np.float64)
    if reduce == "l2":
        return np.sqrt(_squares(weights) + bias * bias)
    if reduce == "mean_abs":
        parts = [_sums(np.abs(weights[i : i + 64])) for i in range(0, len(weights), 64)]  # temporaries in the cache
        return (np.concatenate(parts) + np.abs(bias)) / count
    total = _sums(weights) + bias
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
    weights = _rows("W_moments", W_moments).astype(np.float64)
    bias = _biases("b_moments", b_moments, len(W_moments))
    squares = np.einsum("ik,ik->i", weights, weights)
    if bias is None:
        return np.sqrt(squares / weights.shape[1])
    return np.sqrt((squares + bias.astype(np.float64) ** 2) / (weights.shape[1] + 1))


def rms_of_norms(norms: np.ndarray, parameters: int) -> np.ndarray:
    """Root mean square over a neuron's parameters, where the sum of their squares is taken already.

        std_i = sqrt( 1/P · Σ_p std_ip² ) = norm_i / sqrt(P),        norm_i = sqrt( Σ_p std_ip² )

    Parameters
    ----------
    norms : (n,) float array
        For each neuron, the root of the sum of squares of one moment of its parameters' gradients.
    parameters : int ≥ 1
        P, weights and bias.

    Returns
    -------
    (n,) float64 array, in the gradients' unit, ≥ 0.

    Raises
    ------
    TypeError
        If the array is neither float32 nor float64, or parameters is not an integer.
    ValueError
        If the array has not one dimension, or parameters < 1.

    References
    ----------
    .. [1] source document, section 3.1.3.

    Examples
    --------
    >>> rms_of_norms(np.array([5.0]), 4)
    array([2.5])
    """
    norms = float_array("norms", norms, ndim=1).astype(np.float64)
    return norms / np.sqrt(integer("parameters", parameters, 1))


def _sums(rows: np.ndarray) -> np.ndarray:
    """Sum of every row, in float64 where it is out of the dtype's range."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = (rows @ np.ones(rows.shape[1], rows.dtype)).astype(np.float64)
    again = ~np.isfinite(sums)
    if again.any():
        sums[again] = rows[again].astype(np.float64).sum(axis=1)
    return sums


def _squares(rows: np.ndarray) -> np.ndarray:
    """Sum of squares of every row, in float64 where it is out of the dtype's range."""
    info = np.finfo(rows.dtype)
    with np.errstate(over="ignore", under="ignore"):
        squares = np.vecdot(rows, rows).astype(np.float64)
    again = ~np.isfinite(squares) | (squares < float(info.tiny) / float(info.eps))
    if again.any():
        wide = rows[again].astype(np.float64)
        squares[again] = np.vecdot(wide, wide)
    return squares


def _rows(name: str, array: np.ndarray) -> np.ndarray:
    """Return `array` (n, …) as (n, K)."""
    array = float_array(name, array)
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"{name} must have one row of weights per neuron, got shape {array.shape}")
    return array.reshape(len(array), -1)


def _biases(name: str, array: np.ndarray | None, count: int) -> np.ndarray | None:
    """Return `array` (n,), or None."""
    if array is None:
        return None
    array = float_array(name, array)
    check_shape(name, array, (count,))
    return array
