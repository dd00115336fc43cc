"""Read the four IDX files in which MNIST and Fashion-MNIST are published."""

import os
from pathlib import Path

import numpy as np

from refcompress.datasets.data import Dataset
from refcompress.datasets.idx import read_idx
from refcompress.datasets.levels import unit_range


def read_idx_folder(folder: str | os.PathLike[str]) -> Dataset:
    """Read the four files of MNIST or Fashion-MNIST.

    Parameters
    ----------
    folder : path of a folder
        It holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte.
        A dot may stand before idx, and .gz at the end; a plain file wins over a .gz, then the hyphen over the dot.

    Returns
    -------
    Dataset
        Pixels are the file's bytes / 255. Training is "train", testing is "t10k".

    Raises
    ------
    ValueError
        If a file is missing (the message lists the names looked for) or unreadable, does not hold uint8 of three
        dimensions (images) or one (labels), the numbers of images and labels differ, or they make no sound Dataset.
    """
    folder = Path(folder)
    train = _part(folder, "train")
    test = _part(folder, "t10k")
    try:
        return Dataset(*train, *test)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error


def _part(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 1, H, W) and labels (N,) of "train" or "t10k"."""
    images_path = _find(folder, f"{part}-images", "idx3-ubyte")
    labels_path = _find(folder, f"{part}-labels", "idx1-ubyte")
    images, labels = read_idx(images_path), read_idx(labels_path)
    for path, array, ndim in ((images_path, images, 3), (labels_path, labels, 1)):
        if array.dtype != np.uint8 or array.ndim != ndim:
            raise ValueError(f"{path} must hold uint8 of {ndim} dimensions, got {array.dtype} of shape {array.shape}")
    if len(images) != len(labels):
        raise ValueError(f"{images_path} holds {len(images)} images, but {labels_path} {len(labels)} labels")
    return unit_range(images, 255), labels.astype(np.int64)


def _find(folder: Path, stem: str, kind: str) -> Path:
    """The first of the four names that is a file in the folder."""
    names = [f"{stem}{mark}{kind}{end}" for end in ("", ".gz") for mark in "-."]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ValueError(f"{folder} must be a folder with one of {', '.join(names)}; none is there")
