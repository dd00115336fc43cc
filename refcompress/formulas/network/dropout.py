"""Dropout: in training, every value is dropped with probability p.

Tutorial: tutorials/01_network_by_hand.py
"""

import numpy as np

from refcompress.formulas.checks import boolean, float_array, generator, like, real


def forward(
    x: np.ndarray, p: float, rng: np.random.Generator | None = None, *, training: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Drop values at random and scale up the rest, so that the expected value stays (inverted dropout).

        out = x · [u ≥ p] / (1 − p),   u uniform in [0, 1)        in training; otherwise out = x

    Parameters
    ----------
    x : float array of any shape
    p : float in [0, 1)
        Probability of a zero.
    rng : numpy.random.Generator
        Needed in training: one draw of x's shape and dtype.
    training : bool

    Returns
    -------
    out : array of x's shape and dtype
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If x is neither float32 nor float64, or rng is no Generator.
    ValueError
        If p is outside of [0, 1), or training has no rng.

    References
    ----------
    .. [1] Srivastava et al., "Dropout", JMLR 15, 2014, section 4; scaled in training, section 10.

    Examples
    --------
    >>> forward(np.ones(6), 0.5, np.random.default_rng(0))[0]
    array([2., 0., 0., 0., 2., 2.])
    """
    x = float_array("x", x)
    p = real("p", p, 0, 1, open_high=True)
    if not boolean("training", training):
        return x.copy(), np.ones_like(x)
    if rng is None:
        raise ValueError("rng must be a numpy.random.Generator in training, got None")
    generator("rng", rng)
    factor = (rng.random(x.shape, dtype=x.dtype.type) >= p) / np.array(1 - p, x.dtype)
    return x * factor, factor


def backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """Gradient of dropout: each value passes what it was multiplied by.

        dX = dout · [u ≥ p] / (1 − p)        in training; otherwise dX = dout

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
    .. [1] Srivastava et al., JMLR 15, 2014, section 5.1.

    Examples
    --------
    >>> _, cache = forward(np.ones(6), 0.5, np.random.default_rng(0))
    >>> backward(np.full(6, 3.0), cache)
    array([6., 0., 0., 0., 6., 6.])
    """
    return like("dout", dout, cache.shape, cache.dtype) * cache
