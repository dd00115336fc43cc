"""Fully connected layer: all neurons w_i · x + b_i of a layer at once.

Tutorial: tutorials/01_network_by_hand.py
"""

from typing import Any, NamedTuple

import numpy as np

from refcompress.formulas.checks import float_array, like


class Gradients(NamedTuple):
    """∂L/∂x (N, D), ∂L/∂W (M, D) and ∂L/∂b (M,); None where it was not asked for or there is no bias."""

    dX: np.ndarray | None
    dW: np.ndarray
    db: np.ndarray | None


def forward(x: np.ndarray, W: np.ndarray, b: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
    """Weighted sums of a fully connected layer (N1, before the activation).

        out = x Wᵀ + b        out[n, i] = Σ_d W[i, d] · x[n, d] + b[i]

    Parameters
    ----------
    x : (N, D) float array
        One sample per row.
    W : (M, D) float array of x's dtype
        Row i holds the incoming weights of neuron i.
    b : (M,) float array of x's dtype, optional

    Returns
    -------
    out : (N, M) array of x's dtype
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or the dtypes differ.
    ValueError
        If the shapes do not fit.

    Notes
    -----
    The sum over d runs in the order of the BLAS product. `out` is the transpose of a contiguous array.

    References
    ----------
    .. [1] source document, formula N1.

    Examples
    --------
    >>> W = np.array([[1.0, 0.0, -1.0], [0.5, 0.5, 0.5]])
    >>> out, cache = forward(np.array([[1.0, 2.0, 3.0]]), W, np.array([10.0, 0.0]))
    >>> out
    array([[8., 3.]])
    """
    x = float_array("x", x, ndim=2)
    W = float_array("W", W, ndim=2)
    W = like("W", W, (W.shape[0], x.shape[1]), x.dtype)
    out = (W @ x.T).T  # (N, M); a third faster than x @ Wᵀ where N is small
    if b is not None:
        out += like("b", b, (W.shape[0],), x.dtype)
    return out, (x, W, b is not None)


def backward(dout: np.ndarray, cache: Any, *, input_gradient: bool = True) -> Gradients:
    """Gradients of the fully connected layer.

    out[n, i] depends on x[n, d] by W[i, d], on W[i, d] by x[n, d], on b[i] by 1; summed over what is shared:

        dX[n, d] = Σ_i dout[n, i] · W[i, d]        dX = dout W
        dW[i, d] = Σ_n dout[n, i] · x[n, d]        dW = doutᵀ x
        db[i]    = Σ_n dout[n, i]

    Parameters
    ----------
    dout : (N, M) array
        ∂L/∂out, in the dtype of `out`.
    cache : what `forward` returned
    input_gradient : bool
        False leaves out dX, which the first layer of a network does not need.

    Returns
    -------
    Gradients(dX, dW, db)

    Raises
    ------
    ValueError, TypeError
        If `dout` has not the shape and dtype of `out`.

    References
    ----------
    .. [1] Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", 1986, eqs. 4-7.

    Examples
    --------
    >>> _, cache = forward(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.0]))
    >>> backward(np.array([[1.0]]), cache)
    Gradients(dX=array([[3., 4.]]), dW=array([[1., 2.]]), db=array([1.]))
    """
    x, W, has_bias = cache
    dout = like("dout", dout, (x.shape[0], W.shape[0]), x.dtype)
    dX = (W.T @ dout.T).T if input_gradient else None  # (N, D), in the memory order of `out`
    dW = dout.T @ x  # (M, D)
    db = dout.sum(axis=0) if has_bias else None  # (M,)
    return Gradients(dX, dW, db)


def macs(W: np.ndarray) -> int:
    """Multiply–accumulates for one sample: M · D, one for every weight.

    Parameters
    ----------
    W : (M, D) array

    Returns
    -------
    int

    Examples
    --------
    >>> macs(np.zeros((128, 4096)))
    524288
    """
    return int(W.shape[0] * W.shape[1])
