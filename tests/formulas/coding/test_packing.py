"""Packing: its properties, random words against the oracle, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.coding import packing
from tests.formulas.coding import properties
from tests.formulas.coding.properties import frozen
from tests.oracles import packing as oracle


@pytest.mark.parametrize("check", properties.PACKING)
def test_property(check):
    check(packing)


@st.composite
def words(draw):
    bits = draw(st.integers(1, 16))
    return draw(st.lists(st.integers(0, 2**bits - 1), max_size=40)), bits


@settings(deadline=None, max_examples=100)
@given(words())
def test_round_trip(word):
    codes, bits = word
    properties.assert_packs(packing, codes, bits)
    assert oracle.unpack(oracle.pack(codes, bits), bits, len(codes)) == codes


@settings(deadline=None, max_examples=100)
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
