import pickle
import struct
import zipfile

import numpy as np
import pytest

from refcompress.datasets import read_npz
from tests.datasets.conftest import TEST_LABELS, TEST_PIXELS, TRAIN_LABELS, TRAIN_PIXELS, npy_bytes, npz_bytes

BYTES = bytes(TRAIN_PIXELS)
FLOATS = [k / 32 for k in range(24)]  # exact in every float type


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read it."""

    def write_and_read(data):
        path = tmp_path / "data.npz"
        path.write_bytes(data)
        return read_npz(path)

    return write_and_read


def check(data):
    """The Dataset must be the one of conftest.py."""
    assert data.x_train.shape == (3, 1, 2, 4)
    assert data.x_test.shape == (2, 1, 2, 4)
    assert data.x_train.ravel().tolist() == [float(np.float32(k / 255)) for k in TRAIN_PIXELS]
    assert data.x_test.ravel().tolist() == [float(np.float32(k / 255)) for k in TEST_PIXELS]
    assert data.y_train.tolist() == TRAIN_LABELS
    assert data.y_test.tolist() == TEST_LABELS


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_hand_written_files(read, members, compression):
    check(read(npz_bytes(members, compression)))


def test_other_arrays_are_ignored(read, members):
    check(read(npz_bytes(members | {"names": npy_bytes("|O", (1,), pickle.dumps(["a"])), "x_valid": b"damaged"})))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_that_numpy_writes(tmp_path, save):
    x_train = np.array(TRAIN_PIXELS, dtype=np.uint8).reshape(3, 2, 4)
    x_test = np.array(TEST_PIXELS, dtype=np.uint8).reshape(2, 2, 4)
    save(tmp_path / "file.npz", x_train=x_train, y_train=TRAIN_LABELS, x_test=x_test, y_test=TEST_LABELS)
    check(read_npz(tmp_path / "file.npz"))
    check(read_npz(str(tmp_path / "file.npz")))


def test_version_2_of_the_array_format(read, members):
    long = members["x_train"]
    size = struct.unpack("<H", long[8:10])[0]
    members["x_train"] = b"\x93NUMPY\x02\x00" + struct.pack("<I", size) + long[10:]
    check(read(npz_bytes(members)))


@pytest.mark.parametrize("shape", [(3, 2, 4), (3, 1, 2, 4), (3, 2, 4, 1)])
@pytest.mark.parametrize(
    ("descr", "elements"),
    [
        ("<f4", struct.pack("<24f", *FLOATS)),
        (">f4", struct.pack(">24f", *FLOATS)),
        ("<f8", struct.pack("<24d", *FLOATS)),
        (">f8", struct.pack(">24d", *FLOATS)),
    ],
)
def test_float_images_in_every_form(read, members, shape, descr, elements):
    members["x_train"] = npy_bytes(descr, shape, elements)
    data = read(npz_bytes(members))
    assert data.x_train.shape == (3, 1, 2, 4)
    assert data.x_train.dtype == np.float32
    assert data.x_train.ravel().tolist() == FLOATS
    assert data.x_train.flags.c_contiguous
    data.x_train[0, 0, 0, 0] = 0.5  # the array is the caller's own


@pytest.mark.parametrize("shape", [(3, 1, 2, 4), (3, 2, 4, 1)])
def test_byte_images_with_a_channel_axis(read, members, shape):
    check(read(npz_bytes(members | {"x_train": npy_bytes("|u1", shape, BYTES)})))


def test_the_second_axis_is_the_channel_if_both_could_be(read, members):
    members["x_train"] = npy_bytes("|u1", (3, 1, 8, 1), BYTES)
    members["x_test"] = npy_bytes("|u1", (2, 1, 8, 1), bytes(TEST_PIXELS))
    assert read(npz_bytes(members)).x_train.shape == (3, 1, 8, 1)


def test_fortran_order(read, members):
    # first index fastest: element (n, y, x) lies at n + 3 y + 6 x
    scattered = bytes(TRAIN_PIXELS[8 * n + 4 * y + x] for x in range(4) for y in range(2) for n in range(3))
    check(read(npz_bytes(members | {"x_train": npy_bytes("|u1", (3, 2, 4), scattered, fortran_order=True)})))


@pytest.mark.parametrize("descr", ["|i1", "|u1", "<i2", ">u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8"])
def test_labels_of_every_integer_type(read, members, descr):
    letter = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}[descr[1:]]
    order = ">" if descr[0] == ">" else "<"
    members["y_train"] = npy_bytes(descr, (3,), struct.pack(f"{order}3{letter}", 2, 0, 120))
    data = read(npz_bytes(members))
    assert data.y_train.dtype == np.int64
    assert data.y_train.tolist() == [2, 0, 120]


@pytest.mark.parametrize("key", ["x_train", "y_train", "x_test", "y_test"])
def test_a_missing_key_is_named(read, members, key):
    del members[key]
    with pytest.raises(ValueError, match=f"data.npz cannot be read as a data set: {key} missing; it holds ") as error:
        read(npz_bytes(members))
    assert all(other in str(error.value) for other in members)


def packed(code, *values):
    return struct.pack(f"<{len(values)}{code}", *values)


UNFIT = [
    ("x_train", npy_bytes("|u1", (3, 8), BYTES), r"x_train must have shape \(N, H, W\).* got \(3, 8\)"),
    ("x_train", npy_bytes("|u1", (24,), BYTES), r"x_train must have shape \(N, H, W\).* got \(24,\)"),
    ("x_train", npy_bytes("|u1", (1, 1, 3, 2, 4), BYTES), r"x_train must have shape \(N, H, W\)"),
    ("x_train", npy_bytes("|u1", (2, 3, 2, 2), BYTES), r"colour images are not accepted: got shape \(2, 3, 2, 2\)"),
    ("x_train", npy_bytes("|u1", (2, 2, 2, 3), BYTES), r"colour images are not accepted: got shape \(2, 2, 2, 3\)"),
    ("x_train", npy_bytes("|i1", (3, 2, 4), bytes(24)), "x_train must be uint8, float32 or float64, got int8"),
    ("x_train", npy_bytes("|b1", (3, 2, 4), bytes(24)), "x_train must be uint8, float32 or float64, got bool"),
    ("x_train", npy_bytes("<f2", (3, 2, 4), bytes(48)), "x_train must be uint8, float32 or float64, got float16"),
    ("x_train", npy_bytes("<i8", (3, 2, 4), bytes(192)), "x_train must be uint8, float32 or float64, got int64"),
    ("x_train", npy_bytes("<c8", (3, 2, 4), bytes(192)), "x_train must be uint8, float32 or float64, got complex64"),
    (
        "x_train",
        npy_bytes("<f8", (3, 2, 4), packed("d", 1 + 2**-52, *FLOATS[1:])),  # would be 1 after the cast
        r"x_train of float64 must lie in \[0, 1\], got values from .* to 1.0000000000000002",
    ),
    ("x_train", npy_bytes("<f8", (3, 2, 4), packed("d", -1e-300, *FLOATS[1:])), r"must lie in \[0, 1\], got .*-1e-300"),
    ("x_train", npy_bytes("<f4", (3, 2, 4), packed("f", float("nan"), *FLOATS[1:])), "x_train must be finite, got nan"),
    ("x_train", npy_bytes("<f4", (3, 2, 4), packed("f", float("inf"), *FLOATS[1:])), "x_train must be finite, got inf"),
    ("x_test", npy_bytes("<f4", (0, 2, 4), b""), "x_test must not be empty"),
    ("x_test", npy_bytes("|u1", (0, 2, 4), b""), "x_test must not be empty"),
    ("x_test", npy_bytes("|u1", (2, 4, 2), bytes(16)), "x_test must have images of x_train's size"),
    ("y_train", npy_bytes("<f8", (3,), packed("d", 2, 0, 1)), "y_train must be an integer array, got float64"),
    ("y_train", npy_bytes("|b1", (3,), bytes(3)), "y_train must be an integer array, got bool"),
    ("y_train", npy_bytes("|u1", (3, 1), bytes(3)), "y_train must have 1 dimensions"),
    ("y_train", npy_bytes("|i1", (3,), packed("b", 2, 0, -1)), "y_train must not be negative, got -1"),
    ("y_train", npy_bytes("<u8", (3,), packed("Q", 2, 0, 2**63)), "must fit into int64, got 9223372036854775808"),
    ("y_train", npy_bytes("|u1", (4,), bytes([2, 0, 1, 1])), r"y_train must have shape \(3,\), got \(4,\)"),
    ("y_test", npy_bytes("|u1", (2,), bytes([0, 3])), "y_test must not exceed the largest training label 2, got 3"),
    ("y_test", npy_bytes("|u1", (), bytes(1)), "y_test must have 1 dimensions"),
    ("x_train", npy_bytes("|u1", (3, 2, 4), BYTES[:-1]), r"x_train of shape \(3, 2, 4\) .* 24 bytes, got 23"),
    ("x_train", npy_bytes("|u1", (3, 2, 4), BYTES + b"\0"), "must have 24 bytes, got more"),
    ("x_train", npy_bytes("|u1", (10**15, 2, 4), BYTES), "must have 8000000000000000 bytes, got 24"),
    ("x_train", npy_bytes("|u1", (-3, -2, 4), BYTES), "cannot be read as a data set: "),
    ("x_train", npy_bytes("|V0", (3, 2, 4), b""), "cannot be read as a data set"),
    ("x_train", npy_bytes("|q9", (3, 2, 4), BYTES), "cannot be read as a data set: "),
    ("x_train", b"", "cannot be read as a data set: "),
    ("x_train", b"\x93NUMPY\x03\x00" + npy_bytes("|u1", (3, 2, 4), BYTES)[8:], r"version 1\.0 or 2\.0"),
]


@pytest.mark.parametrize(("key", "data", "message"), UNFIT, ids=range(len(UNFIT)))
def test_an_array_that_does_not_fit(read, members, key, data, message):
    with pytest.raises(ValueError, match=message) as error:
        read(npz_bytes(members | {key: data}))
    assert "data.npz cannot be read as a data set: " in str(error.value)


class Trap:
    """Unpickling it leaves a mark."""

    sprung = False

    @classmethod
    def spring(cls):
        cls.sprung = True
        return np.zeros(3)

    def __reduce__(self):
        return Trap.spring, ()


def test_nothing_is_unpickled(read, members, tmp_path):
    for key in members:
        with pytest.raises(ValueError, match=f"{key} holds pickled Python objects, which are never loaded"):
            read(npz_bytes(members | {key: npy_bytes("|O", (3,), pickle.dumps(Trap()))}))
    np.savez(
        tmp_path / "objects.npz",
        allow_pickle=True,
        x_train=np.array([Trap()], dtype=object),
        y_train=np.zeros(1),
        x_test=np.zeros(1),
        y_test=np.zeros(1),
    )
    with pytest.raises(ValueError, match="x_train holds pickled Python objects"):
        read_npz(tmp_path / "objects.npz")
    with pytest.raises(ValueError, match="not a zip file"):
        read(pickle.dumps(Trap()))
    assert not Trap.sprung
    pickle.loads(pickle.dumps(Trap()))
    assert Trap.sprung  # the trap works


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"text", npy_bytes("|u1", (3, 2, 4), BYTES)])
def test_not_an_npz(read, data):
    with pytest.raises(ValueError, match=r"data\.npz cannot be read as a data set: File is not a zip file"):
        read(data)


def test_an_empty_archive(read):
    with pytest.raises(ValueError, match="x_train, y_train, x_test, y_test missing; it holds nothing"):
        read(npz_bytes({}))


def test_a_path_without_a_file(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere\.npz cannot be read as a data set: .*No such file"):
        read_npz(tmp_path / "nowhere.npz")
    with pytest.raises(ValueError, match="cannot be read as a data set"):
        read_npz(tmp_path)


def test_encrypted_and_unknown_compression(read, members):
    data = npz_bytes(members)
    entry = data.index(b"PK\x01\x02")  # the first member's entry in the central directory
    encrypted, unknown = bytearray(data), bytearray(data)
    encrypted[entry + 8] |= 1
    encrypted[6] |= 1
    unknown[entry + 10] = 99
    with pytest.raises(ValueError, match=r"cannot be read as a data set: .*encrypted"):
        read(bytes(encrypted))
    with pytest.raises(ValueError, match=r"cannot be read as a data set: .*compression"):
        read(bytes(unknown))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_truncation_is_a_value_error(read, members, compression):
    data = npz_bytes(members, compression)
    for length in range(len(data)):
        with pytest.raises(ValueError, match="cannot be read as a data set"):
            read(data[:length])


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_random_corruption_is_a_value_error_or_changes_nothing(read, members, compression):
    """The archive's checksums cover every array: what passes touched only dates, names of the system and the like."""
    data = npz_bytes(members, compression)
    rng = np.random.default_rng(21)
    refused = 0
    for _ in range(2000):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= rng.integers(1, 256)
        try:
            result = read(bytes(damaged))
        except ValueError:
            refused += 1
        else:
            check(result)
    assert 0 < refused < 2000
