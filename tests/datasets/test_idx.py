import gzip
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from refcompress.datasets import read_idx
from tests.datasets.conftest import idx_bytes

TINY = idx_bytes(0x0B, (2, 3), struct.pack(">6h", 1, -2, 300, -32768, 32767, 0))


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read it."""

    def write_and_read(data, name="data"):
        path = tmp_path / name
        path.write_bytes(data)
        return read_idx(path)

    return write_and_read


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("kind", "code", "dtype", "values"),
    [
        (0x08, "B", np.uint8, [0, 1, 127, 128, 254, 255]),
        (0x09, "b", np.int8, [0, 1, -1, 127, -128, 5]),
        (0x0B, "h", np.int16, [0, 1, -2, 258, -32768, 32767]),
        (0x0C, "i", np.int32, [0, 1, -2, 16909060, -2147483648, 2147483647]),
        (0x0D, "f", np.float32, [0.0, 1.0, -0.5, 0.15625, -3.0e38, float("inf")]),
        (0x0E, "d", np.float64, [0.0, 1.0, -0.5, 0.1, -1.0e308, float("-inf")]),
    ],
)
def test_every_type(read, kind, code, dtype, values, zipped):
    data = idx_bytes(kind, (2, 3), struct.pack(f">6{code}", *values))
    array = read(gzip.compress(data) if zipped else data)
    expected = struct.unpack(f"=6{code}", struct.pack(f"=6{code}", *values))  # rounds 3e38 to float32
    assert array.dtype == dtype
    assert array.dtype.isnative
    assert array.tolist() == [list(expected[:3]), list(expected[3:])]
    array[0, 0] = 7  # the array is the caller's own
    assert array[0, 0] == 7


@pytest.mark.parametrize("shape", [(6,), (3, 2), (1, 2, 3), (2, 1, 1, 3), (6, *[1] * 63)])
def test_every_number_of_dimensions(read, shape):
    array = read(idx_bytes(8, shape, bytes(range(6))))
    assert array.shape == shape
    assert array.ravel().tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4)])
def test_no_elements(read, shape):
    assert read(idx_bytes(0x0D, shape, b"")).shape == shape


def test_gzip_is_recognised_by_its_bytes_not_by_its_name(read):
    assert read(gzip.compress(TINY), "plain-name").tolist() == [[1, -2, 300], [-32768, 32767, 0]]
    assert read(TINY, "plain-content.gz").tolist() == [[1, -2, 300], [-32768, 32767, 0]]


def test_gzip_of_several_members(read):
    assert read(gzip.compress(TINY[:7]) + gzip.compress(TINY[7:])).tolist() == [[1, -2, 300], [-32768, 32767, 0]]


def test_a_string_is_a_path_too(tmp_path):
    (tmp_path / "labels").write_bytes(idx_bytes(8, (2,), b"\x04\x09"))
    assert read_idx(str(tmp_path / "labels")).tolist() == [4, 9]


GZIPPED = gzip.compress(TINY, mtime=0)
DAMAGED = [
    (b"", "must begin with 00 00, a type and a number of dimensions, got nothing"),
    (b"\0\0\x08", "got 00 00 08"),
    (b"\0\x01\x08\x01\0\0\0\x01\x07", "got 00 01 08 01"),
    (b"\x01\0\x08\x01\0\0\0\x01\x07", "got 01 00 08 01"),
    (b"\0\0\x08\0\x07", "got 00 00 08 00"),
    (b"PK\x03\x04 a zip archive", "got 50 4b 03 04"),
    (idx_bytes(0x0A, (1,), b"\x07"), "its type must be one of 08, 09, 0B, 0C, 0D, 0E, got 0A"),
    (idx_bytes(0x0F, (1,), b"\x07"), "its type must be one of 08, 09, 0B, 0C, 0D, 0E, got 0F"),
    (idx_bytes(8, (2, 3), b"")[:10], "ends within its 2 sizes"),
    (TINY[:-1], r"its shape \(2, 3\) of int16 declares 12 bytes, got only 11"),
    (TINY + b"\0", r"its shape \(2, 3\) of int16 declares 12 bytes, got more"),
    (idx_bytes(0x0E, (0,), b"\0"), r"its shape \(0,\) of float64 declares 0 bytes, got more"),
    (gzip.compress(TINY[:-1]), "declares 12 bytes, got only 11"),
    (gzip.compress(TINY + b"\0"), "declares 12 bytes, got more"),
    (idx_bytes(8, [1] * 65, b"\x07"), "64"),
    (idx_bytes(8, [0] + [2**32 - 1] * 5, b""), "too big"),
    (b"\x1f\x8b", "Compressed file ended before"),
    (GZIPPED[:-9], "Compressed file ended before the end-of-stream marker"),
    (GZIPPED[:-8] + bytes(4) + GZIPPED[-4:], "CRC check failed"),
    (GZIPPED[:-4] + bytes(4), "Incorrect length of data"),
    (GZIPPED + b"garbage", "Not a gzipped file"),
    (GZIPPED[:10] + b"\xff" * 20, "Error -3 while decompressing"),
]


@pytest.mark.parametrize(("data", "message"), DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_a_value_error_with_its_name(read, tmp_path, data, message):
    with pytest.raises(ValueError, match=message) as error:
        read(data, "the-file")
    assert str(error.value).startswith(f"{tmp_path / 'the-file'} cannot be read as IDX: ")
    assert type(error.value) is ValueError


def test_a_path_without_a_file(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere cannot be read as IDX: .*No such file"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="cannot be read as IDX"):
        read_idx(tmp_path)


def test_a_path_must_be_a_path():
    with pytest.raises(TypeError):
        read_idx(7)


@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_declared_is_not_allocated(read, zipped):
    data = idx_bytes(0x0E, [2**32 - 1] * 3, b"only a few bytes")
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="declares 633825299671392843082401579000 bytes, got only 16"):
            read(gzip.compress(data) if zipped else data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20  # one chunk of 1 MiB, and what opening a file takes


def test_reading_stops_at_the_first_byte_too_many(read):
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(idx_bytes(8, (3,), b"abc")) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(64))
    bomb += packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 9  # damaged after 64 MiB: a reader that went there would say so
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"its shape \(3,\) of uint8 declares 3 bytes, got more"):
            read(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize("data", [TINY, GZIPPED], ids=["plain", "gzip"])
def test_every_truncation_is_a_value_error(read, data):
    for length in range(len(data)):
        with pytest.raises(ValueError, match="cannot be read as IDX"):
            read(data[:length])


@pytest.mark.parametrize("data", [TINY, GZIPPED], ids=["plain", "gzip"])
def test_a_random_corruption_is_a_value_error_or_a_valid_array(read, data):
    rng = np.random.default_rng(20)
    refused = 0
    for _ in range(2000):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= rng.integers(1, 256)
        try:
            array = read(bytes(damaged))
        except ValueError:
            refused += 1
            continue
        if data is GZIPPED:  # its checksum lets only fields pass that do not concern the content
            assert array.tolist() == [[1, -2, 300], [-32768, 32767, 0]]
        else:
            assert array.nbytes == 12
    assert 0 < refused < 2000
