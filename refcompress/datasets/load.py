"""One name for every source of data."""

import os
from pathlib import Path

from refcompress.datasets.data import Dataset
from refcompress.datasets.digits import digits
from refcompress.datasets.idx_folder import read_idx_folder
from refcompress.datasets.npz import read_npz


def load(source: str | os.PathLike[str] = "digits", seed: int = 0) -> Dataset:
    """Read a data set by its name or path.

    Parameters
    ----------
    source : str or path
        "digits": the embedded digits (a folder of that name is "./digits"); a folder: the IDX files of MNIST or
        Fashion-MNIST; a file whose name ends in .npz: x_train, y_train, x_test, y_test.
    seed : int
        Seed of the digits' split, at least 0. The other sources are split already and do not use it.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError
        If source is neither a string nor a path.
    ValueError
        If source is none of these, does not exist, or its content is not accepted.

    Examples
    --------
    >>> load("digits", seed=7).x_test.shape
    (359, 1, 8, 8)
    """
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"source must be a string or a path, got {type(source).__name__}")
    if source == "digits":
        return digits(seed)
    path = Path(source)
    if path.is_dir():
        return read_idx_folder(path)
    if path.is_file() and path.suffix.lower() == ".npz":
        return read_npz(path)
    problem = "another file" if path.exists() else "a path that does not exist"
    raise ValueError(f'source must be "digits", a folder of IDX files, or an .npz file; got {str(source)!r}, {problem}')
