"""Logistic sigmoid: from the real line into (0, 1).

Tutorial: tutorials/01_network_by_hand.py
"""

import numpy as np

from refcompress.formulas.checks import float_array, like


def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic sigmoid.

        out = 1 / (1 + e^−x)

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
    Computed from e^−|x|, which cannot overflow: 1/(1 + e^−|x|) where x ≥ 0, e^−|x|/(1 + e^−|x|) elsewhere.

    References
    ----------
    .. [1] Bishop, "Pattern recognition and machine learning", 2006, eq. 4.59.

    Examples
    --------
    >>> forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    x = float_array("x", x)
    e = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    return out, out


def backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient of the sigmoid, by its own value.

        dX = dout · out · (1 − out)

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
    .. [1] Bishop, 2006, eq. 4.88.

    Examples
    --------
    >>> backward(np.array([8.0]), forward(np.array([0.0]))[1])
    array([2.])
    """
    out = cache
    return like("dout", dout, out.shape, out.dtype) * out * (1 - out)
