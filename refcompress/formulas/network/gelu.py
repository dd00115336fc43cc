"""Gaussian error linear unit: x times the probability that a normal variable is below x.

Tutorial: tutorials/01_network_by_hand.py
"""

import math

import numpy as np

from refcompress.formulas.checks import float_array, like


def forward(x: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Gaussian error linear unit, exact (not the tanh approximation).

        out = x · Φ(x) = x/2 · (1 + erf(x/√2))

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
    1 + erf(t) is taken as erfc(−t), which is the same number and keeps its digits where x is far below 0.

    References
    ----------
    .. [1] Hendrycks, Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, section 2.

    Examples
    --------
    >>> forward(np.array([-1.0, 0.0, 1.0]))[0].round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    x = float_array("x", x)
    from scipy.special import erfc  # here, because importing SciPy takes longer than NumPy itself

    probability = erfc(x * -math.sqrt(0.5)) / 2  # Φ(x)
    return x * probability, (x, probability)


def backward(dout: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Gradient of the GELU; φ = Φ′ is the normal density.

        dX = dout · (Φ(x) + x · φ(x)),   φ(x) = e^(−x²/2) / √(2π)

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
    .. [1] Hendrycks, Gimpel, arXiv:1606.08415, section 2, differentiated.

    Examples
    --------
    >>> backward(np.array([8.0]), forward(np.array([0.0]))[1])
    array([4.])
    """
    x, probability = cache
    with np.errstate(over="ignore"):  # x² may become infinite, where the density is 0
        density = np.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return like("dout", dout, x.shape, x.dtype) * (probability + x * density)
