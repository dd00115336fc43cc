"""Removal of neurons with their edges: rows of this layer, columns of the next (P4).

Tutorial: tutorials/02_gradient_stability.py
"""

import numpy as np

from refcompress.formulas.checks import check_shape, float_array, integer, kept_mask


def rows(array: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Remove the neurons' own entries: row i of W, entry i of b (P4).

        array′ = (array_i)   for all i not in indices

    Parameters
    ----------
    array : (n, …) float array
        Weights, filters, biases, or a batch norm's γ, β and running statistics.
    indices : (k,) integer array
        Distinct, from 0 to n − 1, k < n.

    Returns
    -------
    (n − k, …) array of the same dtype, contiguous, a copy.

    Raises
    ------
    TypeError
        If the array is neither float32 nor float64, or the indices are not integers.
    ValueError
        If an index is out of range or doubled, or nothing would be left.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P4.

    Examples
    --------
    >>> rows(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), np.array([1]))
    array([[1., 1.],
           [3., 3.]])
    """
    array = float_array("array", array)
    if array.ndim == 0:
        raise ValueError("array must have at least one dimension, got shape ()")
    return np.ascontiguousarray(array[kept_mask(len(array), indices)])


def columns(W: np.ndarray, indices: np.ndarray, block: int = 1) -> np.ndarray:
    """Remove the edges out of the neurons: column i of the next layer's W (P4).

        W′ = (W_{·,j})   for all j with ⌊j/block⌋ not in indices

    Parameters
    ----------
    W : (M, n·block, …) float array
        Weights of the consumer: a linear layer's columns or a convolution's input channels.
    indices : (k,) integer array
        Distinct, from 0 to n − 1, k < n.
    block : int
        Columns per neuron: H·W where a Flatten stands between the two layers, else 1.

    Returns
    -------
    (M, (n − k)·block, …) array of the same dtype, contiguous, a copy.

    Raises
    ------
    TypeError
        If W is neither float32 nor float64, or the indices are not integers.
    ValueError
        If an index is out of range or doubled, nothing would be left, or block does not divide the columns.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P4.

    Examples
    --------
    >>> columns(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([0]), block=2)
    array([[3., 4.]])
    """
    W, blocks = _blocks(W, block)
    kept = blocks[:, kept_mask(blocks.shape[1], indices)]
    return np.ascontiguousarray(kept.reshape(len(W), -1, *W.shape[2:]))


def folded_bias(
    b: np.ndarray, W: np.ndarray, indices: np.ndarray, activation: np.ndarray, block: int = 1
) -> np.ndarray:
    """The next layer's bias, after neurons whose activation is the constant c_i were folded into it.

        b′_m = b_m + Σ_{i in indices} c_i · Σ (all weights of m that read neuron i)

    Parameters
    ----------
    b : (M,) float array
    W : (M, n·block, …) float array
        Weights of the consumer before the removal.
    indices : (k,) integer array
        The removed neurons: distinct, from 0 to n − 1, k < n.
    activation : (k,) float array
        c_i, in the order of the indices.
    block : int
        Columns per neuron, as in `columns`.

    Returns
    -------
    (M,) array in the promoted dtype of b, W and the activation.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or the indices are not integers.
    ValueError
        If shapes do not fit, or the indices are not as above.

    Notes
    -----
    Exact up to the order of sums, where the consumer sees c_i everywhere: not where it pads with zeros.

    References
    ----------
    .. [1] source document, section 3.1.3, formula P4; N1 with a constant x.

    Examples
    --------
    >>> folded_bias(np.array([1.0]), np.array([[2.0, 3.0]]), np.array([1]), np.array([10.0]))
    array([31.])
    """
    W, blocks = _blocks(W, block)
    b = float_array("b", b)
    check_shape("b", b, (len(W),))
    activation = float_array("activation", activation)
    removed = ~kept_mask(blocks.shape[1], indices)
    check_shape("activation", activation, (int(removed.sum()),))
    weight_sums = blocks[:, indices].sum(axis=tuple(range(2, blocks.ndim)))  # (M, k)
    return b + weight_sums @ activation


def _blocks(W: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Return W (M, n·block, …) and its view (M, n, block, …)."""
    W = float_array("W", W)
    if W.ndim < 2:
        raise ValueError(f"W must have at least two dimensions, got shape {W.shape}")
    block = integer("block", block, 1)
    if W.shape[1] % block:
        raise ValueError(f"block must divide the {W.shape[1]} columns of W, got {block}")
    return W, W.reshape(len(W), -1, block, *W.shape[2:])
