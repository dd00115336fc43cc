"""Tiny files written byte by byte, without the readers and without np.save."""

import io
import struct
import zipfile

import pytest


def idx_bytes(kind, shape, elements):
    """IDX: 0, 0, type, number of dimensions, big-endian sizes, elements (already bytes)."""
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + elements


def npy_bytes(descr, shape, elements, fortran_order=False):
    """Version 1.0 of .npy: magic, version, header length, header (a Python dictionary), elements (already bytes)."""
    header = f"{{'descr': {descr!r}, 'fortran_order': {fortran_order}, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + elements


def npz_bytes(members, compression=zipfile.ZIP_DEFLATED):
    """A zip archive of the members, a dict from array name to .npy bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data, compression)
    return file.getvalue()


# Three training and two test images of 2 × 4 pixels; the labels have one class in between that is not used in testing.
TRAIN_PIXELS = [0, 51, 102, 153, 204, 255, 1, 2, *range(3, 11), *range(240, 248)]
TEST_PIXELS = [*range(100, 108), *range(200, 208)]
TRAIN_LABELS, TEST_LABELS = [2, 0, 1], [0, 2]


@pytest.fixture
def mnist_bytes():
    """The four files of an MNIST folder by their name."""
    return {
        "train-images-idx3-ubyte": idx_bytes(8, (3, 2, 4), bytes(TRAIN_PIXELS)),
        "train-labels-idx1-ubyte": idx_bytes(8, (3,), bytes(TRAIN_LABELS)),
        "t10k-images-idx3-ubyte": idx_bytes(8, (2, 2, 4), bytes(TEST_PIXELS)),
        "t10k-labels-idx1-ubyte": idx_bytes(8, (2,), bytes(TEST_LABELS)),
    }


@pytest.fixture
def mnist_folder(tmp_path, mnist_bytes):
    """A folder with the four plain files."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, data in mnist_bytes.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def members():
    """The four .npy files of an .npz by their key."""
    return {
        "x_train": npy_bytes("|u1", (3, 2, 4), bytes(TRAIN_PIXELS)),
        "y_train": npy_bytes("<i4", (3,), struct.pack("<3i", *TRAIN_LABELS)),
        "x_test": npy_bytes("|u1", (2, 2, 4), bytes(TEST_PIXELS)),
        "y_test": npy_bytes("|u1", (2,), bytes(TEST_LABELS)),
    }
