"""The one form in which every data set reaches the network: four arrays, checked once."""

from dataclasses import dataclass

import numpy as np

from refcompress.formulas import checks


@dataclass(frozen=True, eq=False)
class Dataset:
    """Grey images and their labels, one part to train on and one to test on.

    Parameters
    ----------
    x_train, x_test : (N, 1, H, W) float32 arrays
        The images, N may differ between the two, H and W may not; every pixel in [0, 1], 0 is the background.
    y_train, y_test : (N,) int64 arrays
        The labels, from 0; no test label is above the largest training label. A label in between may be unused.

    Raises
    ------
    TypeError
        If an array has another dtype, or is no NumPy array: nothing is cast.
    ValueError
        If a part is empty, a shape or a label does not fit, or a pixel is not finite or outside [0, 1].

    Notes
    -----
    The arrays are kept, not copied. Two datasets are equal only if they are the same object.

    Examples
    --------
    >>> x = np.zeros((3, 1, 4, 5), dtype=np.float32)
    >>> Dataset(x, np.array([0, 2, 1]), x[:2], np.array([1, 1])).classes
    3
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def __post_init__(self) -> None:
        """Check both parts, and that they belong together."""
        _check_part("train", self.x_train, self.y_train)
        _check_part("test", self.x_test, self.y_test)
        if self.x_test.shape[2:] != self.x_train.shape[2:]:
            raise ValueError(
                f"x_test must have images of x_train's size {self.x_train.shape[2:]}, got {self.x_test.shape[2:]}"
            )
        if int(self.y_test.max()) >= self.classes:
            raise ValueError(
                f"y_test must not exceed the largest training label {self.classes - 1}, got {self.y_test.max()}"
            )

    @property
    def classes(self) -> int:
        """Number of classes: 1 + the largest training label."""
        return 1 + int(self.y_train.max())


def _check_part(part: str, x: np.ndarray, y: np.ndarray) -> None:
    """Raise unless the images `x` and labels `y` of one part are sound."""
    for name, array, dtype in ((f"x_{part}", x, np.float32), (f"y_{part}", y, np.int64)):
        if not isinstance(array, np.ndarray) or array.dtype != dtype:
            got = getattr(array, "dtype", type(array).__name__)
            raise TypeError(f"{name} must be an array of {np.dtype(dtype)}, got {got}")
    if x.ndim != 4 or x.shape[1] != 1:
        raise ValueError(f"x_{part} must have shape (N, 1, H, W), got {x.shape}")
    checks.check_not_empty(f"x_{part}", x)
    checks.check_finite(f"x_{part}", x)
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"x_{part} must lie in [0, 1], got values from {x.min()} to {x.max()}")
    checks.check_shape(f"y_{part}", y, (len(x),))
    if y.min() < 0:
        raise ValueError(f"y_{part} must not be negative, got {y.min()}")
