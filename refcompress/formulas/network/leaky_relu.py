"""Leaky rectified linear unit: what is negative becomes small.

Tutorial: tutorials/01_network_by_hand.py
"""

import numpy as np

from refcompress.formulas.checks import float_array, like, real


def forward(x: np.ndarray, slope: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Leaky rectified linear unit.

        out = x where x > 0, slope · x elsewhere

    Parameters
    ----------
    x : float array of any shape
    slope : float
        Finite; the derivative on the negative side.

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
    The derivative at 0 is the slope.

    References
    ----------
    .. [1] Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013, eq. 2.

    Examples
    --------
    >>> forward(np.array([-2.0, 0.0, 3.0]))[0]
    array([-0.02,  0.  ,  3.  ])
    """
    x = float_array("x", x)
    limits = np.finfo(x.dtype)
    slope = real("slope", slope, float(limits.min), float(limits.max))
    factor = np.where(x > 0, np.ones((), x.dtype), np.array(slope, x.dtype))  # the derivative
    return x * factor, factor


def backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient of the leaky ReLU.

        dX = dout · (1 where x > 0, slope elsewhere)

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
    .. [1] Maas, Hannun, Ng, 2013, eq. 2, differentiated.

    Examples
    --------
    >>> backward(np.array([5.0, 5.0, 5.0]), forward(np.array([-2.0, 0.0, 3.0]))[1])
    array([0.05, 0.05, 5.  ])
    """
    return like("dout", dout, cache.shape, cache.dtype) * cache
