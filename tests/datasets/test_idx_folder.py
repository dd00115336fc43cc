import gzip
import struct

import numpy as np
import pytest

from refcompress.datasets import read_idx_folder
from tests.datasets.conftest import TEST_LABELS, TEST_PIXELS, TRAIN_LABELS, TRAIN_PIXELS, idx_bytes


def check(data):
    """The Dataset must be the one of conftest.py."""
    assert data.x_train.shape == (3, 1, 2, 4)
    assert data.x_test.shape == (2, 1, 2, 4)
    assert data.x_train.ravel().tolist() == [float(np.float32(k / 255)) for k in TRAIN_PIXELS]
    assert data.x_test.ravel().tolist() == [float(np.float32(k / 255)) for k in TEST_PIXELS]
    assert data.y_train.tolist() == TRAIN_LABELS
    assert data.y_test.tolist() == TEST_LABELS
    assert data.y_train.dtype == np.int64
    assert data.classes == 3


def test_plain_files(mnist_folder):
    check(read_idx_folder(mnist_folder))
    check(read_idx_folder(str(mnist_folder)))


@pytest.mark.parametrize("dot", [False, True])
def test_gzipped_and_dotted_names(tmp_path, mnist_bytes, dot):
    for name, data in mnist_bytes.items():
        name = name.replace("-idx", ".idx") if dot else name
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
    check(read_idx_folder(tmp_path))


def test_dotted_plain_names(tmp_path, mnist_bytes):
    for name, data in mnist_bytes.items():
        (tmp_path / name.replace("-idx", ".idx")).write_bytes(data)
    check(read_idx_folder(tmp_path))


def test_plain_wins_over_gz_and_hyphen_over_dot(mnist_folder, mnist_bytes):
    for name in mnist_bytes:
        (mnist_folder / f"{name}.gz").write_bytes(b"not read")
        (mnist_folder / name.replace("-idx", ".idx")).write_bytes(b"not read")
    check(read_idx_folder(mnist_folder))
    for name, data in mnist_bytes.items():  # now the dotted plain files are the good ones, still before .gz
        (mnist_folder / name).unlink()
        (mnist_folder / name.replace("-idx", ".idx")).write_bytes(data)
    check(read_idx_folder(mnist_folder))


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        (
            "train-images-idx3-ubyte",
            "train-images-idx3-ubyte, train-images.idx3-ubyte, train-images-idx3-ubyte.gz, train-images.idx3-ubyte.gz",
        ),
        (
            "train-labels-idx1-ubyte",
            "train-labels-idx1-ubyte, train-labels.idx1-ubyte, train-labels-idx1-ubyte.gz, train-labels.idx1-ubyte.gz",
        ),
        (
            "t10k-images-idx3-ubyte",
            "t10k-images-idx3-ubyte, t10k-images.idx3-ubyte, t10k-images-idx3-ubyte.gz, t10k-images.idx3-ubyte.gz",
        ),
        (
            "t10k-labels-idx1-ubyte",
            "t10k-labels-idx1-ubyte, t10k-labels.idx1-ubyte, t10k-labels-idx1-ubyte.gz, t10k-labels.idx1-ubyte.gz",
        ),
    ],
)
def test_a_missing_file(mnist_folder, missing, names):
    (mnist_folder / missing).unlink()
    with pytest.raises(ValueError, match="must be a folder with one of") as error:
        read_idx_folder(mnist_folder)
    assert names in str(error.value)
    assert str(mnist_folder) in str(error.value)


def test_no_folder(tmp_path):
    with pytest.raises(ValueError, match="nowhere must be a folder with one of train-images-idx3-ubyte"):
        read_idx_folder(tmp_path / "nowhere")


UNFIT = [
    ("train-labels-idx1-ubyte", idx_bytes(8, (4,), bytes([2, 0, 1, 1])), "holds 3 images, but .* 4 labels"),
    ("t10k-images-idx3-ubyte", idx_bytes(8, (1, 2, 4), bytes(8)), "holds 1 images, but .* 2 labels"),
    ("train-images-idx3-ubyte", idx_bytes(8, (3, 8), bytes(24)), "must hold uint8 of 3 dimensions, got uint8 of shape"),
    ("t10k-images-idx3-ubyte", idx_bytes(9, (2, 2, 4), bytes(16)), "must hold uint8 of 3 dimensions, got int8"),
    ("t10k-labels-idx1-ubyte", idx_bytes(12, (2,), struct.pack(">2i", 0, 1)), "uint8 of 1 dimensions, got int32"),
    ("t10k-labels-idx1-ubyte", idx_bytes(8, (2, 1), bytes(2)), "must hold uint8 of 1 dimensions"),
    ("t10k-labels-idx1-ubyte", idx_bytes(8, (2,), bytes([0, 3])), "mnist: y_test must not exceed .* label 2, got 3"),
    ("t10k-images-idx3-ubyte", idx_bytes(8, (2, 4, 2), bytes(16)), "mnist: x_test must have images of x_train's size"),
    ("train-images-idx3-ubyte", b"damaged", "train-images-idx3-ubyte cannot be read as IDX"),
]


@pytest.mark.parametrize(("name", "data", "message"), UNFIT, ids=range(len(UNFIT)))
def test_files_that_do_not_fit(mnist_folder, name, data, message):
    (mnist_folder / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_idx_folder(mnist_folder)


def test_empty_parts(mnist_folder):
    (mnist_folder / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(8, (0, 2, 4), b""))
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(8, (0,), b""))
    with pytest.raises(ValueError, match="mnist: x_test must not be empty"):
        read_idx_folder(mnist_folder)
