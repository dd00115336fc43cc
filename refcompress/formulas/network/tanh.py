"""Hyperbolic tangent: from the real line into (−1, 1).

Tutorial: tutorials/01_network_by_hand.py
"""

import numpy as np

from refcompress.formulas.checks import float_array, like


def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hyperbolic tangent.

        out = tanh(x) = (e^x − e^−x) / (e^x + e^−x)

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
    The function is NumPy's.

    References
    ----------
    .. [1] Bishop, "Pattern recognition and machine learning", 2006, eq. 5.59.

    Examples
    --------
    >>> forward(np.array([-1000.0, 0.0, 1000.0]))[0]
    array([-1.,  0.,  1.])
    """
    x = float_array("x", x)
    out = np.tanh(x)
    return out, out


def backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient of tanh, by its own value.

        dX = dout · (1 − out²)

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
    .. [1] Bishop, 2006, eq. 5.60.

    Examples
    --------
    >>> backward(np.array([8.0]), forward(np.array([0.0]))[1])
    array([8.])
    """
    out = cache
    return like("dout", dout, out.shape, out.dtype) * (1 - out * out)
