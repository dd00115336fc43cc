"""Read a data set from a NumPy .npz file, trusting nothing in it."""

import os
import zipfile
from pathlib import Path

import numpy as np

from refcompress.datasets.data import Dataset
from refcompress.datasets.levels import unit_range
from refcompress.datasets.npy import read_npy
from refcompress.formulas import checks

KEYS = ("x_train", "y_train", "x_test", "y_test")


def read_npz(path: str | os.PathLike[str]) -> Dataset:
    """Read the arrays x_train, y_train, x_test and y_test of an .npz file.

    Parameters
    ----------
    path : path of a file
        As np.savez and np.savez_compressed write it; other arrays in it are ignored.
        Images: (N, H, W), (N, 1, H, W) or (N, H, W, 1), in this order of preference; uint8 is divided by 255, float32
        and float64 must lie in [0, 1] and become float32. Labels: (N,), any integer type, from 0.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If the file cannot be opened or is damaged, an array is missing, of another type or shape, or colour, or the
        four make no sound Dataset. The message names the file and the problem. A wrong dtype in the file is a
        ValueError too: the argument is the path.

    Notes
    -----
    Nothing is unpickled: the arrays are taken as plain bytes, and every checksum is compared before a byte is used.

    Examples
    --------
    >>> import tempfile
    >>> x, y = np.full((3, 4, 5), 51, dtype=np.uint8), np.array([0, 1, 2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder, "my.npz"), x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    ...     data = read_npz(Path(folder, "my.npz"))
    >>> data.x_train.shape, float(data.x_train.max())
    ((3, 1, 4, 5), 0.20000000298023224)
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            held = [name.removesuffix(".npy") for name in archive.namelist()]
            missing = [key for key in KEYS if key not in held]
            if missing:
                raise ValueError(f"{', '.join(missing)} missing; it holds {', '.join(held) or 'nothing'}")
            x_train, y_train, x_test, y_test = (_read(archive, key) for key in KEYS)
        return Dataset(
            _images("x_train", x_train),
            _labels("y_train", y_train),
            _images("x_test", x_test),
            _labels("y_test", y_test),
        )
    except Exception as error:  # a damaged zip raises nearly anything: BadZipFile, zlib.error, NotImplementedError, …
        raise ValueError(f"{path} cannot be read as a data set: {error or type(error).__name__}") from error


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as member:
        return read_npy(name, member)


def _images(name: str, array: np.ndarray) -> np.ndarray:
    """Images in one of the accepted forms as (N, 1, H, W) float32 in [0, 1]."""
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim == 4:
        raise ValueError(f"{name} must be grey images, colour images are not accepted: got shape {array.shape}")
    if array.ndim != 3:
        raise ValueError(f"{name} must have shape (N, H, W), (N, 1, H, W) or (N, H, W, 1), got {array.shape}")
    if array.dtype == np.uint8:
        return unit_range(array, 255)
    if array.dtype.newbyteorder("=") not in checks.FLOATS:
        raise ValueError(f"{name} must be uint8, float32 or float64, got {array.dtype}")
    checks.check_not_empty(name, array)
    checks.check_finite(name, array)
    if array.min() < 0 or array.max() > 1:  # before the cast, which could round a value above 1 down to it
        raise ValueError(f"{name} of {array.dtype} must lie in [0, 1], got values from {array.min()} to {array.max()}")
    return array[:, np.newaxis].astype(np.float32, order="C")


def _labels(name: str, array: np.ndarray) -> np.ndarray:
    """Labels of any integer type as int64."""
    array = checks.integer_array(name, array, ndim=1)
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"{name} must fit into int64, got {array.max()}")
    return array.astype(np.int64)
