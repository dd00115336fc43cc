"""Data to train and test on: the embedded digits, and readers for IDX files (MNIST, Fashion-MNIST) and .npz."""

from refcompress.datasets.data import Dataset
from refcompress.datasets.digits import digits
from refcompress.datasets.idx import read_idx
from refcompress.datasets.idx_folder import read_idx_folder
from refcompress.datasets.images import prepare, shift
from refcompress.datasets.load import load
from refcompress.datasets.npy import read_npy
from refcompress.datasets.npz import read_npz
from refcompress.datasets.split import stratified_split

__all__ = [
    "Dataset",
    "digits",
    "load",
    "prepare",
    "read_idx",
    "read_idx_folder",
    "read_npy",
    "read_npz",
    "shift",
    "stratified_split",
]
