"""What happens to images before the network sees them: a size it accepts, and small random shifts."""

import numpy as np

from refcompress.formulas import checks


def prepare(images: np.ndarray, size: int | None) -> np.ndarray:
    """Bring square images to size × size pixels without inventing grey levels.

    Parameters
    ----------
    images : (N, 1, H, W) float32 or float64 array
        H = W, unless size is None.
    size : int or None
        None and H keep the images (the same array is returned); k·H repeats every pixel k times in both directions
        (8 → 32: k = 4); 28 → 32 adds 2 rows or columns of zeros on each side.

    Returns
    -------
    (N, 1, size, size) array of the images' dtype

    Raises
    ------
    TypeError
        If the images are of another dtype, or size is no integer.
    ValueError
        If the shape is another one, or size is none of those above.

    Examples
    --------
    >>> prepare(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), 4)[0, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.],
           [3., 3., 4., 4.],
           [3., 3., 4., 4.]])
    """
    images = _checked(images)
    if size is None:
        return images
    size = checks.integer("size", size, 1)
    height, width = images.shape[2:]
    if height != width:
        raise ValueError(f"images must be square to get a size, got {height} × {width}; size=None keeps them")
    if size == height:
        return images
    if size % height == 0:
        return images.repeat(size // height, axis=2).repeat(size // height, axis=3)
    if (height, size) == (28, 32):
        return np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    accepted = [str(height * k) for k in (1, 2, 3)] + ["and so on in multiples"] + ["32 (zero-padded)"] * (height == 28)
    raise ValueError(f"size must be None or, for {height} × {height} images, {', '.join(accepted)}; got {size}")


def shift(images: np.ndarray, rng: np.random.Generator, pixels: int = 2) -> np.ndarray:
    """Move every image by its own random number of pixels; zeros come in at the border.

        out[n, 0, y, x] = images[n, 0, y − dy_n, x − dx_n], 0 where that lies outside

    Parameters
    ----------
    images : (N, 1, H, W) float32 or float64 array
    rng : numpy.random.Generator
        One call draws all: offsets = rng.integers(−pixels, pixels + 1, size=(N, 2)), row n holds (dy_n, dx_n).
    pixels : int
        The largest move in either direction, at least 0. A positive dy moves down, a positive dx to the right.

    Returns
    -------
    (N, 1, H, W) array of the images' dtype, a new one

    Raises
    ------
    TypeError, ValueError
        If the images are of another dtype or shape, rng is no Generator, or pixels is not an integer from 0.

    Examples
    --------
    >>> np.random.default_rng(2).integers(-1, 2, size=(1, 2))
    array([[ 1, -1]])
    >>> shift(np.ones((1, 1, 3, 3)), np.random.default_rng(2), pixels=1)[0, 0]
    array([[0., 0., 0.],
           [1., 1., 0.],
           [1., 1., 0.]])
    """
    images = _checked(images)
    checks.generator("rng", rng)
    p = checks.integer("pixels", pixels, 0)
    n, _, height, width = images.shape
    dy, dx = rng.integers(-p, p + 1, size=(n, 2)).T
    padded = np.pad(images[:, 0], ((0, 0), (p, p), (p, p)))  # (N, H + 2p, W + 2p)
    rows = p + np.arange(height) - dy[:, np.newaxis]  # (N, H)
    columns = p + np.arange(width) - dx[:, np.newaxis]  # (N, W)
    image = np.arange(n)[:, np.newaxis, np.newaxis]  # (N, 1, 1)
    moved: np.ndarray = padded[image, rows[:, :, np.newaxis], columns[:, np.newaxis, :]]
    return moved[:, np.newaxis]


def _checked(images: np.ndarray) -> np.ndarray:
    """The images, if they are (N, 1, H, W) floats with at least one element."""
    images = checks.float_array("images", images, ndim=4)
    checks.check_not_empty("images", images)
    checks.check_shape("images", images, (len(images), 1, *images.shape[2:]))
    return images
