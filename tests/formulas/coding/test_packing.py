"""Packing: its checks against the oracle, random words, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.coding import packing
from tests.formulas.coding import checks
from tests.formulas.coding.checks import frozen
from tests.oracles import packing as oracle
from tests.oracles import packing_orders as orders_oracle


@pytest.mark.parametrize("check", checks.PACKING)
def test_property(check):
    check(packing)


@st.composite
def words(draw):
    bits = draw(st.integers(1, 16))
    return draw(st.lists(st.integers(0, 2**bits - 1), max_size=40)), bits


@settings(deadline=None, max_examples=40)
@given(words())
def test_round_trip(word):
    codes, bits = word
    checks.assert_packs(packing, codes, bits)
    assert oracle.unpack(oracle.pack(codes, bits), bits, len(codes)) == codes


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=12), st.integers(1, 16))
def test_unpacking_any_bytes(data, bits):
    """Whole codes from arbitrary bytes: what unpack reads, pack writes."""
    count = 8 * len(data) // bits
    spare = 8 * len(data) - count * bits
    if spare >= 8:
        data = data[:-1]
        spare -= 8
    if spare:
        data = [*data[:-1], data[-1] % 2 ** (8 - spare)]
    codes = packing.unpack(frozen(data, np.uint8), bits, count)
    assert codes.tolist() == oracle.unpack(data, bits, count)
    assert packing.pack(codes, bits).tolist() == data


# groups of 8 codes, words of 64 bits, and blocks of them


@pytest.mark.parametrize("bits", range(1, 17))
def test_every_count_around_groups_and_words(bits):
    """0 … 67 codes: up to eight whole groups of 8 and every rest; all ones, a one in a single code, and mixed codes."""
    rng, top = np.random.default_rng(bits), 2**bits - 1
    for count in range(68):
        checks.assert_packs(packing, [top] * count, bits)
        checks.assert_packs(packing, rng.integers(0, top + 1, count), bits)
        checks.assert_packs(packing, [top if k == count // 2 else 0 for k in range(count)], bits)
        checks.assert_packs(packing, [0 if k == count // 2 else top for k in range(count)], bits, np.int64)


@pytest.mark.parametrize("block", [1, 2, 3, 8])
@pytest.mark.parametrize("bits", range(1, 17))
def test_borders_of_blocks_are_not_seen(bits, block, monkeypatch):
    """Blocks of 1, 2, 3 and 8 groups, the last of them short, whole or of a part of a group."""
    monkeypatch.setattr(packing, "BLOCK", block)
    rng = np.random.default_rng(block)
    for count in (1, 7, 8, 9, 15, 16, 17, 23, 24, 25, 47, 48, 49, 63, 64, 65, 127, 128, 129, 150):
        checks.assert_packs(packing, rng.integers(0, 2**bits, count), bits)


@pytest.mark.parametrize("bits", [1, 5, 8, 11, 16])
def test_borders_of_the_real_blocks(bits):
    """The codes around the border of two blocks, and all of them there and back."""
    rng, size = np.random.default_rng(bits), 8 * packing.BLOCK
    for count in (size - 1, size, size + 1, 2 * size + 9):
        codes = rng.integers(0, 2**bits, count).astype(checks.code_dtype(bits))
        data = packing.pack(codes, bits)
        assert data.size == -(-count * bits // 8)
        start = size - 64  # a multiple of 8: codes from there on are bytes from there on
        expected = oracle.pack(codes[start:][:128].tolist(), bits)
        assert data[start * bits // 8 :][: len(expected)].tolist() == expected
        assert data[:bits].tolist() == oracle.pack(codes[:8].tolist(), bits)
        assert packing.unpack(data, bits, count).tobytes() == codes.tobytes()


@pytest.mark.parametrize("bits", [1, 3, 7, 8, 9, 12, 13, 16])
def test_any_shape_memory_order_and_integer_type(bits):
    codes = np.random.default_rng(bits).integers(0, 2**bits, (6, 11))
    for dtype in (np.int64, np.uint64, np.int32, checks.code_dtype(bits)):
        q = codes.astype(dtype)
        wide = np.full((6, 22), -1 if q.dtype.kind == "i" else 0).astype(dtype)
        wide[:, ::2] = q
        for array in (q, q.T, q[:, ::-1], q[::-1, ::3], np.asfortranarray(q), wide[:, ::2], q[:, None, :], q[2:5, 1:9]):
            expected = oracle.pack(array.ravel().tolist(), bits)
            assert packing.pack(array, bits).tolist() == expected
            data = np.zeros(2 * len(expected), np.uint8)
            data[::2] = expected
            assert packing.unpack(data[::2], bits, array.size).tolist() == array.ravel().tolist()


def test_results_are_contiguous_and_ones_own():
    """The last group is filled up inside; none of that is handed out or shared."""
    codes = np.arange(13) % 8
    for bits in (3, 8, 9, 16):
        data, again = packing.pack(codes, bits), packing.pack(codes, bits)
        back = packing.unpack(data, bits, 13)
        for array in (data, back):
            assert array.flags.c_contiguous
            assert array.flags.writeable
            assert array.dtype.isnative
        assert data.size == -(-13 * bits // 8)
        data[:] = 0
        assert again.any()
        assert back.tolist() == codes.tolist()


@pytest.mark.parametrize("bits", range(1, 17))
def test_every_unused_bit_must_be_zero(bits, monkeypatch):
    """Also in the last of several blocks; the bits that are used may be one."""
    monkeypatch.setattr(packing, "BLOCK", 1)
    for count in range(1, 25):
        used, size = count * bits, -(-count * bits // 8)
        full = np.array(oracle.pack([2**bits - 1] * count, bits), np.uint8)
        assert packing.unpack(full, bits, count).tolist() == [2**bits - 1] * count
        for place in range(used, 8 * size):
            for data in (full.copy(), np.zeros(size, np.uint8)):
                data[-1] |= 1 << place % 8
                with pytest.raises(ValueError, match=rf"data .*\b{8 * size - used} unused bits"):
                    packing.unpack(data, bits, count)


def test_inputs_are_not_modified():
    for bits, dtype in ((3, np.uint8), (8, np.uint8), (11, np.uint16), (16, np.uint16)):
        q = np.arange(7).astype(dtype)
        before = q.tobytes()
        data = packing.pack(q, bits)
        packed = data.tobytes()
        codes = packing.unpack(data, bits, 7)
        assert not np.shares_memory(data, q)
        assert not np.shares_memory(codes, data)
        assert (q.tobytes(), data.tobytes()) == (before, packed)


def test_strided_bytes():
    data = np.array([0x21, 99, 0x43, 99, 0x05, 99], np.uint8)[::2]
    assert packing.unpack(data, 4, 5).tolist() == [1, 2, 3, 4, 5]
    assert packing.unpack(data, 8, 3).tolist() == [0x21, 0x43, 0x05]


def test_lists():
    assert packing.pack([1, 2, 3], 4).tolist() == [0x21, 0x03]
    assert packing.pack([[1, 2], [3, 0]], 2).tolist() == [0b00111001]


# error paths


@pytest.mark.parametrize("bits", [0, 17, -1])
def test_bits_out_of_range(bits):
    for call in (lambda: packing.pack(np.ones(3, int), bits), lambda: packing.unpack(np.ones(1, np.uint8), bits, 1)):
        with pytest.raises(ValueError, match=rf"bits.*\b16\b.*{bits}"):
            call()


@pytest.mark.parametrize("bits", [4.0, True, "4", None])
def test_bits_of_the_wrong_type(bits):
    for call in (lambda: packing.pack(np.ones(3, int), bits), lambda: packing.unpack(np.ones(1, np.uint8), bits, 1)):
        with pytest.raises(TypeError, match="bits"):
            call()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, bool, complex])
def test_codes_must_be_integers(dtype):
    with pytest.raises(TypeError, match=r"\bq\b"):
        packing.pack(np.ones(3, dtype), 4)


@pytest.mark.parametrize(("code", "bits"), [(-1, 4), (16, 4), (2, 1), (256, 8), (65536, 16)])
def test_code_out_of_range(code, bits):
    with pytest.raises(ValueError, match=rf"\bq\b.*\b{2**bits - 1}\b.*{code}"):
        packing.pack([0, code], bits)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float64, np.uint16, bool])
def test_bytes_must_be_uint8(dtype):
    with pytest.raises(TypeError, match="data"):
        packing.unpack(np.ones(2, dtype), 4, 3)


def test_bytes_must_be_one_dimensional():
    for shape in ((1, 2), ()):
        with pytest.raises(ValueError, match="data"):
            packing.unpack(np.zeros(shape, np.uint8), 4, 3)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_wrong_number_of_bytes(size):
    with pytest.raises(ValueError, match=rf"data.*\b2\b.*\b{size}\b"):
        packing.unpack(np.zeros(size, np.uint8), 4, 3)


def test_unused_bits_must_be_zero():
    with pytest.raises(ValueError, match="data"):
        packing.unpack(frozen([0x21, 0x13], np.uint8), 4, 3)


def test_count():
    with pytest.raises(ValueError, match="count"):
        packing.unpack(np.zeros(0, np.uint8), 4, -1)
    for count in (3.0, True, None):
        with pytest.raises(TypeError, match="count"):
            packing.unpack(np.zeros(2, np.uint8), 4, count)


# order=


def test_the_order_is_lsb_unless_given():
    for bits in range(1, 17):
        codes = np.random.default_rng(bits).integers(0, 2**bits, 19)
        data = packing.pack(codes, bits)
        assert packing.pack(codes, bits, "lsb").tolist() == data.tolist() == oracle.pack(codes.tolist(), bits)
        assert packing.unpack(data, bits, 19, order="lsb").tolist() == codes.tolist()


ORDERS = [(order, bits) for order, widths in orders_oracle.WIDTHS.items() for bits in widths]


@pytest.mark.parametrize(("order", "bits"), ORDERS)
def test_an_order_of_any_shape_memory_order_and_integer_type(order, bits):
    """256 codes are whole words and blocks of every order."""
    codes = np.random.default_rng(bits).integers(0, 2**bits, (8, 32))
    for dtype in (np.uint64, ">i4", checks.code_dtype(bits)):
        q = frozen(codes, dtype)
        for array in (q, q.T, q[:, ::-1], np.asfortranarray(q), q.reshape(4, 2, 32)):
            expected = orders_oracle.pack(array.ravel().tolist(), bits, order)
            assert packing.pack(array, bits, order).tolist() == expected
            strided = np.full(2 * len(expected), 255, np.uint8)
            strided[::2] = expected
            back = packing.unpack(strided[::2], bits, array.size, order)
            assert back.tolist() == array.ravel().tolist()


@pytest.mark.parametrize("block", [1, 3])
@pytest.mark.parametrize(("order", "bits"), ORDERS)
def test_borders_of_blocks_are_not_seen_in_an_order(order, bits, block, monkeypatch):
    monkeypatch.setattr(packing, "BLOCK", block)
    count = -(-150 // orders_oracle.multiple(bits, order)) * orders_oracle.multiple(bits, order)
    codes = np.random.default_rng(bits).integers(0, 2**bits, count)
    data = packing.pack(codes, bits, order)
    assert data.tolist() == orders_oracle.pack(codes.tolist(), bits, order)
    assert packing.unpack(data, bits, count, order).tolist() == codes.tolist()


@pytest.mark.parametrize(("order", "bits"), ORDERS)
def test_the_results_of_an_order_are_contiguous_and_ones_own(order, bits):
    count = orders_oracle.multiple(bits, order)
    q = np.full(count, 1, checks.code_dtype(bits))
    data = packing.pack(q, bits, order)
    packed = data.tobytes()
    back = packing.unpack(data, bits, count, order)
    assert not np.shares_memory(data, q)
    assert not np.shares_memory(back, data)
    for array in (data, back):
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.dtype.isnative
    assert data.tobytes() == packed
    assert q.tolist() == back.tolist() == [1] * count


def test_words_are_little_endian():
    assert packing.pack([1, 2, 3], 8, "int32_words").view("<u4").tolist() == [0x030201]
    assert packing.pack(np.arange(8), 4, "awq").view("<u4").tolist() == [0x75316420]
    assert packing.pack([1, 2, 3, 4, 5, 6, 7, 0, 1, 2], 3, "hqq").view("<u4").tolist() == [0o1234567012]
    assert packing.pack([7] * 11, 3, "int32_dense").view("<u4").tolist() == [2**32 - 1, 1]


@pytest.mark.parametrize(("order", "bits"), ORDERS)
def test_wrong_number_of_bytes_of_an_order(order, bits):
    count = 2 * orders_oracle.multiple(bits, order)
    size = orders_oracle.size(count, bits, order)
    for wrong in (0, size - 1, size + 1, size + 4):
        with pytest.raises(ValueError, match=rf"^data must have {size} bytes for {count} codes.*got {wrong}$"):
            packing.unpack(np.zeros(wrong, np.uint8), bits, count, order)


@pytest.mark.parametrize(
    ("order", "bits", "count", "data", "message"),
    [
        ("int32_dense", 4, 3, [0, 0x10, 0, 0], "4 unused bits"),
        ("int32_dense", 4, 3, [0, 0, 0, 1], "after its 2 bytes"),
        ("int32_dense", 3, 11, [0, 0, 0, 0, 2, 0, 0, 0], "7 unused bits"),
        ("int32_words", 3, 11, [0, 0, 0, 0x40, 0, 0, 0, 0], "2 highest bits"),
        ("int32_words", 3, 11, [0, 0, 0, 0, 0, 0, 0, 0x80], "2 highest bits"),
        ("int32_words", 3, 11, [0, 0, 0, 0, 8, 0, 0, 0], "after its 11 codes"),
        ("int32_words", 5, 6, [0, 0, 0, 0x40], "2 unused bits"),
        ("low_nibble_first", 4, 3, [0x21, 0x13], "after its 3 codes"),
        ("low_nibble_first", 2, 5, [0, 4], "after its 5 codes"),
        ("hqq", 3, 9, [1, 0, 0, 0], "after its 9 codes"),
        ("hqq", 3, 20, [0, 0, 0, 0, 0, 0, 0, 0x40], "2 highest bits"),
    ],
)
def test_what_fills_words_up_must_be_zero(order, bits, count, data, message):
    with pytest.raises(ValueError, match=rf"data must have zeros .*{message}"):
        packing.unpack(frozen(data, np.uint8), bits, count, order)


@pytest.mark.parametrize(("order", "bits"), ORDERS)
def test_the_codes_of_an_order_are_checked(order, bits):
    q = np.zeros(orders_oracle.multiple(bits, order), np.int64)
    for code in (-1, 2**bits, 2**40):
        q[-1] = code
        with pytest.raises(ValueError, match=rf"^q must be from 0 to {2**bits - 1} .*{code}"):
            packing.pack(q, bits, order)
    with pytest.raises(TypeError, match=r"^q must be an integer array"):
        packing.pack(np.zeros(q.size), bits, order)
    with pytest.raises(TypeError, match=r"^data must be"):
        packing.unpack(np.zeros(orders_oracle.size(q.size, bits, order), np.int8), bits, q.size, order)


@pytest.mark.parametrize(("order", "bits"), [pair for pair in ORDERS if orders_oracle.multiple(pair[1], pair[0]) > 1])
def test_codes_that_do_not_fill_the_words(order, bits):
    step = orders_oracle.multiple(bits, order)
    for count in (1, step - 1, step + 1):
        message = rf"multiple of {step}\b.*'{order}', got {count}$"
        with pytest.raises(ValueError, match=message):
            packing.pack(np.zeros(count, np.uint8), bits, order)
        with pytest.raises(ValueError, match=message):
            packing.unpack(np.zeros(-(-count * bits // 8), np.uint8), bits, count, order)
