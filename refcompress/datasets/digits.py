"""The data set that comes with the package: 1,797 handwritten digits of 8 × 8 pixels."""

from importlib import resources

import numpy as np

from refcompress.datasets.data import Dataset
from refcompress.datasets.levels import unit_range
from refcompress.datasets.split import stratified_split
from refcompress.formulas import checks


def digits(seed: int = 0) -> Dataset:
    """Handwritten digits 0–9, split 80 to 20 into training and test images.

    Parameters
    ----------
    seed : int
        Seed of the split, at least 0: `stratified_split(labels, 0.2, np.random.default_rng(seed))`.

    Returns
    -------
    Dataset
        1,438 training and 359 test images of 8 × 8 pixels; a pixel is its level 0 … 16 divided by 16, exact in float32.
        Both parts keep the images in the order of the source.

    Raises
    ------
    TypeError, ValueError
        If the seed is not an integer, or negative.

    References
    ----------
    .. [1] E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
       doi 10.24432/C50P49 (its test set; CC BY 4.0, see digits.LICENSE.txt).

    Examples
    --------
    >>> data = digits()
    >>> data.x_train.shape, data.x_test.shape, data.classes
    ((1438, 1, 8, 8), (359, 1, 8, 8), 10)
    """
    rng = np.random.default_rng(checks.integer("seed", seed, 0))
    file = resources.files("refcompress.datasets").joinpath("digits.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        x, y = unit_range(arrays["images"], 16), arrays["labels"].astype(np.int64)
    train, test = stratified_split(y, 0.2, rng)
    return Dataset(x[train], y[train], x[test], y[test])
