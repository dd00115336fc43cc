"""Min-max: the whole range of a tensor, so that nothing is clipped.

Tutorial: tutorials/04_conventions.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_finite, check_not_empty, float_array


def min_max(x: ArrayLike) -> tuple[np.floating, np.floating]:
    """Smallest and largest value.

        low = min x        high = max x

    Parameters
    ----------
    x : float array of any shape

    Returns
    -------
    (low, high) : scalars of x's dtype, in x's unit.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64.
    ValueError
        If x is empty, or a value is not finite.

    Notes
    -----
    Zero need not be inside: whether the range is widened to hold it is the convention's choice. −0 and 0 are equal, and
    either may be returned.

    References
    ----------
    .. [1] Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
       arXiv:1712.05877, section 3.1 (weights).

    Examples
    --------
    >>> low, high = min_max(np.array([0.5, -1.0, 2.0]))
    >>> float(low), float(high)
    (-1.0, 2.0)
    """
    x = float_array("x", x)
    check_not_empty("x", x)
    check_finite("x", x)
    return x.min(), x.max()


def absolute_maximum(x: ArrayLike) -> np.floating:
    """Largest magnitude: the range [−a, a] is the smallest symmetric one that clips nothing.

        a = max |x|

    Parameters
    ----------
    x : float array of any shape

    Returns
    -------
    scalar of x's dtype, in x's unit, at least 0.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64.
    ValueError
        If x is empty, or a value is not finite.

    Notes
    -----
    Exact: floats are symmetric around 0.

    References
    ----------
    .. [1] Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference: a whitepaper",
       arXiv:1806.08342, section 2.2.

    Examples
    --------
    >>> float(absolute_maximum(np.array([0.5, -3.0, 2.0])))
    3.0
    """
    low, high = min_max(x)
    return max(low.dtype.type(0), -low, high)  # the first of equals: 0, not −0, where all is 0
