"""Moving average: the range of activations, averaged over batches.

Tutorial: tutorials/04_conventions.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import boolean, like, real
from refcompress.formulas.quantization.ranges.min_max import min_max


def update(
    average: tuple[ArrayLike, ArrayLike] | None, x: ArrayLike, c: float = 0.01, *, include_zero: bool = False
) -> tuple[np.floating, np.floating]:
    """Running ends of the range after one more batch.

        low ← low + c · (min x − low)        high ← high + c · (max x − high)

    Parameters
    ----------
    average : (low, high) scalars of x's dtype, or None
        What the batch before gave. None: this is the first batch, and its range is the result.
    x : float array of any shape
        The batch.
    c : real number in (0, 1]
        Weight of the new batch, 1 − decay.
    include_zero : bool
        True widens the batch's range to hold 0 before it is averaged: min(min x, 0) and max(max x, 0).

    Returns
    -------
    (low, high) : scalars of x's dtype, in x's unit.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64, the average is not of x's dtype, or c is not a real number.
    ValueError
        If x is empty, a value is not finite, c is out of range, or a difference overflows.

    Notes
    -----
    c is rounded to x's dtype; difference, product and sum are rounded each. m − c·(m − x), which TensorFlow computes,
    gives the same bits, as rounding is symmetric. So the libraries differ in these arguments only:

        PyTorch 2.13, MovingAverageMinMaxObserver    c = 0.01, first average None
        TensorFlow Model Optimization, quant_ops     c = 1 − 0.999, include_zero=True, first average (−6, 6) or what the
                                                     variables hold; assign_moving_average without zero debiasing

    assign_moving_average keeps the decay as float32: in float64 it gives these bits only for a c that float32 holds.
    From (−6, 6) and decay 0.999 the start still counts 37 % after 1000 batches (0.999^1000 = 0.368).

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 3.1 (activations).

    Examples
    --------
    >>> first = update(None, np.array([-1.0, 1.0]))
    >>> low, high = update(first, np.array([0.5, 3.0]), c=0.5)
    >>> float(low), float(high)
    (-0.25, 2.0)
    >>> low, high = update(first, np.array([0.5, 3.0]), c=0.5, include_zero=True)
    >>> float(low), float(high)
    (-0.5, 2.0)
    """
    c = real("c", c, 0.0, 1.0, open_low=True)
    low, high = min_max(x)
    number = low.dtype.type
    if boolean("include_zero", include_zero):
        low, high = min(low, number(0)), max(high, number(0))
    if average is None:
        return low, high
    return _moved("average's low", average[0], low, number(c)), _moved("average's high", average[1], high, number(c))


def _moved(name: str, m: ArrayLike, x: np.floating, c: np.floating) -> np.floating:
    """m + c · (x − m)."""
    m = like(name, m, (), x.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = m + c * (x - m)
    if not np.isfinite(moved):
        raise ValueError(f"{name} must be finite, and its difference from the batch's too, got {m} and {x}")
    return moved
