"""Standardization of the input by constants: pixels to mean 0 and standard deviation 1.

Tutorial: tutorials/01_network_by_hand.py
"""

import numpy as np

from refcompress.formulas.checks import float_array, like, real


def forward(x: np.ndarray, mean: float, std: float) -> tuple[np.ndarray, tuple[tuple[int, ...], np.dtype, float]]:
    """Subtract the mean and divide by the standard deviation of the training pixels.

        out = (x − mean) / std

    Parameters
    ----------
    x : float array of any shape
    mean, std : float
        Constants in x's unit, std > 0; taken in x's dtype, in whose normal range they must lie.

    Returns
    -------
    out : array of x's shape and dtype
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If x is neither float32 nor float64.
    ValueError
        If a constant is not finite or out of range, or std is not above 0.

    References
    ----------
    .. [1] LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.3.

    Examples
    --------
    >>> forward(np.array([0.0, 0.5, 1.0]), mean=0.5, std=0.25)[0]
    array([-2.,  0.,  2.])
    """
    x = float_array("x", x)
    limits = np.finfo(x.dtype)
    mean = real("mean", mean, float(limits.min), float(limits.max))
    std = real("std", std, float(limits.tiny), float(limits.max))
    return (x - mean) / std, (x.shape, x.dtype, std)


def backward(dout: np.ndarray, cache: tuple[tuple[int, ...], np.dtype, float]) -> np.ndarray:
    """Gradient of the standardization.

        dX = dout / std

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
    .. [1] LeCun, Bottou, Orr, Müller, 1998, section 4.3, differentiated.

    Examples
    --------
    >>> backward(np.array([1.0]), forward(np.array([0.5]), mean=0.5, std=0.25)[1])
    array([4.])
    """
    shape, dtype, std = cache
    return like("dout", dout, shape, dtype) / std
