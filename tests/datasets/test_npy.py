import io
import pickle
import struct
import tracemalloc
import zipfile

import pytest

from refcompress.datasets import read_npy, read_npz
from tests.datasets.conftest import npy_bytes

MEGABYTE = 2**20
PIXELS = bytes(range(10, 22))  # 12 elements
DTYPES = {"|u1": "B", "<i2": "h", ">i2": "h", "<f4": "f", ">f8": "d", "<u8": "Q"}


def read(data):
    return read_npy("pixels", io.BytesIO(data))


def check_refused(data, match):
    with pytest.raises(ValueError, match=match):
        read(data)


def with_header(text, elements=PIXELS):
    """Version 1.0 around any header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + elements


@pytest.mark.parametrize("descr", DTYPES)
def test_version_1(descr):
    order = ">" if descr[0] == ">" else "<"
    array = read(npy_bytes(descr, (2, 3), struct.pack(f"{order}6{DTYPES[descr]}", *range(10, 16))))
    assert array.dtype.str == descr
    assert array.tolist() == [[10, 11, 12], [13, 14, 15]]


def test_version_2():
    plain = npy_bytes("|u1", (3, 4), PIXELS)
    (length,) = struct.unpack("<H", plain[8:10])
    array = read(b"\x93NUMPY\x02\x00" + struct.pack("<I", length) + plain[10:])
    assert array.tolist() == [[10, 11, 12, 13], [14, 15, 16, 17], [18, 19, 20, 21]]


@pytest.mark.parametrize("version", [(0, 0), (0, 1), (1, 1), (3, 0), (255, 255)])
def test_other_versions(version):
    check_refused(b"\x93NUMPY" + bytes(version) + npy_bytes("|u1", (12,), PIXELS)[8:], r"pixels .*version 1\.0 or 2\.0")


def test_fortran_order():
    array = read(npy_bytes("|u1", (3, 2, 2), PIXELS, fortran_order=True))
    # element (i, j, k) lies at i + 3 j + 6 k
    assert array.tolist() == [[[10 + i + 3 * j + 6 * k for k in range(2)] for j in range(2)] for i in range(3)]


@pytest.mark.parametrize(("shape", "expected"), [((), 10), ((1,), [10]), ((1, 1), [[10]])])
def test_a_single_element(shape, expected):
    array = read(npy_bytes("|u1", shape, PIXELS[:1]))
    assert (array.shape, array.tolist()) == (shape, expected)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_no_elements(shape):
    assert read(npy_bytes("<f4", shape, b"")).shape == shape
    check_refused(npy_bytes("<f4", shape, b"\0"), "pixels .*must have 0 bytes, got more")


def test_the_array_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        read(npy_bytes("|u1", (12,), PIXELS))[0] = 1


def test_pickled_objects_are_never_loaded():
    for descr in ("|O", [("a", "|u1"), ("b", "|O")]):
        check_refused(npy_bytes(descr, (1,), pickle.dumps([1])), "pixels holds pickled Python objects, which are never")


def test_too_few_and_too_many_bytes():
    for count in range(12):
        check_refused(
            npy_bytes("|u1", (3, 4), PIXELS[:count]),
            rf"pixels of shape \(3, 4\) and uint8 must have 12 bytes, got {count}$",
        )
    for extra in (1, 2, 1000):
        check_refused(npy_bytes("|u1", (3, 4), PIXELS + bytes(extra)), "must have 12 bytes, got more$")
    check_refused(npy_bytes("<f8", (3, 4), PIXELS * 7), "pixels of shape .* and float64 must have 96 bytes, got 84$")


@pytest.mark.parametrize("shape", [(10**15,), (2**31, 2**31), (2**63,), (2**40, 2**40), (10**30,)])
def test_sizes_far_over_the_files(shape):
    check_refused(npy_bytes("|u1", shape, PIXELS), "pixels")


@pytest.mark.parametrize("shape", [(-1,), (-2,), (-12,), (-1, 12), (-3, -4), (3, -4), (-(2**70),)])
def test_negative_sizes_do_not_read_to_the_end(shape):
    """Of a stream, read(−1) means all of it: a bomb would go off."""
    data = npy_bytes("|u1", shape, b"")
    stream = io.BytesIO(data + bytes(1000))
    with pytest.raises(ValueError, match=r"pixels|dimension"):
        read_npy("pixels", stream)
    assert stream.tell() <= len(data) + 13  # 3 · 4 and one more


@pytest.mark.parametrize("surplus", [1, 1000])
def test_no_more_is_read_than_is_declared(surplus):
    data = npy_bytes("|u1", (3, 4), PIXELS)
    stream = io.BytesIO(data + bytes(surplus))
    with pytest.raises(ValueError, match="got more"):
        read_npy("pixels", stream)
    assert stream.tell() == len(data) + 1


GOOD = "{'descr': '|u1', 'fortran_order': False, 'shape': (12,), }"


def test_the_header_that_the_damaged_ones_are_made_of():
    assert read(with_header(GOOD.encode())).tolist() == list(PIXELS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "{",
        "(" * 200,
        "-" * 9000 + "1",
        "'" * 3,
        "  a\n b",
        "12",
        "{1}",
        "{[]: 1}",
        "{}",
        GOOD[:-1],
        GOOD[1:],
        GOOD.replace("False", "0"),
        GOOD.replace("False", "print()"),
        GOOD.replace("(12,)", "12"),
        GOOD.replace("(12,)", "[12]"),
        GOOD.replace("(12,)", "(12.0,)"),
        GOOD.replace("(12,)", "('12',)"),
        GOOD.replace("'shape'", "'size'"),
        GOOD.replace("'shape'", "5"),
        GOOD.replace("}", "'more': 1}"),
        GOOD.replace("|u1", "|q9"),
        GOOD.replace("|u1", ","),
        GOOD.replace("'|u1'", "5"),
        GOOD.replace("'|u1'", "None"),
        " " * 20_000 + GOOD,
    ],
    ids=lambda text: repr(text[:60]),
)
def test_damaged_headers_are_value_errors(text):
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy's own messages, different from version to version
        read(with_header(text.encode()))


def test_every_truncation_is_a_value_error():
    data = npy_bytes("|u1", (3, 4), PIXELS)
    for length in range(len(data)):
        with pytest.raises(ValueError):  # noqa: PT011
            read(data[:length])


def test_every_flipped_bit_of_the_header_is_a_value_error_or_an_array():
    data = npy_bytes("|u1", (3, 4), PIXELS)
    refusals, others = 0, {}
    for position in range(len(data) - 12):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            try:
                assert read(bytes(changed)).nbytes == 12
            except ValueError:
                refusals += 1
            except Exception as error:
                others.setdefault(type(error).__name__, []).append((position, bit))
    assert refusals > 100
    assert others == {}


def test_a_zip_bomb_is_refused_in_little_memory(tmp_path):
    """x_train.npy inflates to 600 MB, of which its header declares 12 bytes."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("y_train", "x_test", "y_test"):
            archive.writestr(f"{name}.npy", npy_bytes("|u1", (0,), b""))
        with archive.open("x_train.npy", "w") as member:
            member.write(npy_bytes("|u1", (3, 2, 2), b""))
            for _ in range(600):
                member.write(bytes(MEGABYTE))
    assert path.stat().st_size < 5 * MEGABYTE
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("x_train.npy").file_size > 600 * MEGABYTE
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"bomb\.npz .*x_train of shape .* must have 12 bytes, got more"):
            read_npz(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50 * MEGABYTE
