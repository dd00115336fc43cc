"""Rectified linear unit: what is negative becomes zero.

Tutorial: tutorials/01_network_by_hand.py
"""

import numpy as np

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import float_array, like


def forward(x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.dtype]]:
    """Rectified linear unit (the f of N1 in the listings).

        out = max(x, 0)

    Parameters
    ----------
    x : float array of any shape

    Returns
    -------
    out : array of x's shape and dtype
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If x is neither float32 nor float64.

    Notes
    -----
    NaN stays NaN. The derivative at 0 is taken as 0, and a gradient that is not finite is not stopped by it (∞ · 0).

    References
    ----------
    .. [1] Nair, Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010, section 2.

    Examples
    --------
    >>> forward(np.array([-2.0, 0.0, 3.0]))[0]
    array([0., 0., 3.])
    """
    x = float_array("x", x)
    out, active = np.empty_like(x), np.empty_like(x, bool)
    for block in blocks(x.shape):  # out is still in the cache when it is compared
        np.maximum(x[block], 0, out=out[block])
        np.greater(out[block], 0, out=active[block])
    return out, (active, x.dtype)


def backward(dout: np.ndarray, cache: tuple[np.ndarray, np.dtype]) -> np.ndarray:
    """Gradient of the ReLU: passes where the unit is active.

        dX = dout · [x > 0]

    Parameters
    ----------
    dout : array of out's shape and dtype
        ∂L/∂out.
    cache : what `forward` returned

    Returns
    -------
    dX : array of x's shape and dtype

    Raises
    ------
    ValueError, TypeError
        If `dout` has not the shape and dtype of `out`.

    References
    ----------
    .. [1] Nair, Hinton, 2010 (the subgradient 0 at 0, as PyTorch and TensorFlow take it).

    Examples
    --------
    >>> backward(np.array([5.0, 5.0, 5.0]), forward(np.array([-2.0, 0.0, 3.0]))[1])
    array([0., 0., 5.])
    """
    active, dtype = cache
    return like("dout", dout, active.shape, dtype) * active
