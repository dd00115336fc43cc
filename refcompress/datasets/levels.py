"""Grey levels as files store them, made into the numbers the network computes with."""

import numpy as np

from refcompress.formulas import checks


def unit_range(levels: np.ndarray, largest: int) -> np.ndarray:
    """Grey levels as float32 in [0, 1]: levels / largest.

    Parameters
    ----------
    levels : (N, H, W) uint8 array
        Grey levels 0 … largest.
    largest : int
        The level of white, 1 … 255.

    Returns
    -------
    (N, 1, H, W) float32 array
        One division per pixel, correctly rounded.

    Raises
    ------
    TypeError, ValueError
        If levels is not a three-dimensional uint8 array, or a level is above `largest`.

    Examples
    --------
    >>> unit_range(np.array([[[0, 4, 16]]], dtype=np.uint8), 16)
    array([[[[0.  , 0.25, 1.  ]]]], dtype=float32)
    """
    levels = np.asarray(levels)
    if levels.dtype != np.uint8:
        raise TypeError(f"levels must be uint8, got {levels.dtype}")
    checks.check_ndim("levels", levels, 3)
    white = checks.integer("largest", largest, 1, 255)
    if levels.max(initial=0) > white:
        raise ValueError(f"levels must be from 0 to {white}, got {levels.max()}")
    images = levels[:, np.newaxis].astype(np.float32)
    images /= np.float32(white)
    return images
