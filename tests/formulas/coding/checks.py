"""What every implementation of packing and of the ledger must satisfy; see the checks of quantization."""

import itertools

import numpy as np

from tests.oracles import ledger as ledger_oracle
from tests.oracles import packing as oracle


def frozen(values, dtype=None):
    """Return an array that cannot be written to: a function that modifies its input raises."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def code_dtype(bits):
    """Return the type of unpacked codes."""
    return np.uint8 if bits <= 8 else np.uint16


def assert_packs(packing, codes, bits, dtype=None):
    """The bytes are the oracle's, and unpack gives the codes back."""
    q = frozen(codes, dtype or code_dtype(bits))
    data = packing.pack(q, bits)
    assert data.dtype == np.uint8
    assert data.ndim == 1
    expected = oracle.pack(q.ravel().tolist(), bits)
    assert data.tolist() == expected, f"{bits} bits, {q.tolist()}: {data.tolist()}, not {expected}"
    back = packing.unpack(frozen(data), bits, q.size)
    assert back.dtype == code_dtype(bits)
    assert back.shape == (q.size,)
    assert back.tolist() == q.ravel().tolist()


def packing_small_domain(packing):
    """Up to 4 bits: every word of up to 3 codes."""
    for bits in (1, 2, 3, 4):
        for length in (1, 2, 3):
            for codes in itertools.product(range(2**bits), repeat=length):
                assert_packs(packing, codes, bits)


def packing_every_bit(packing):
    """One bit of 24 codes at a time: bit j of code k is bit k·b + j and no other, there and back."""
    for bits in range(1, 17):
        for place in range(24 * bits):
            codes, data = np.zeros(24, np.uint16), np.zeros(3 * bits, np.uint8)
            codes[place // bits] = 1 << place % bits
            data[place // 8] = 1 << place % 8
            assert packing.pack(frozen(codes), bits).tolist() == data.tolist(), f"{bits} bits, bit {place}"
            assert packing.unpack(frozen(data), bits, 24).tolist() == codes.tolist(), f"{bits} bits, bit {place}"


def packing_of_arrays(packing):
    """Any shape and memory order, in the order of the indices, and any integer type."""
    q = np.arange(24).reshape(2, 3, 4)
    for array in (q, q.T, q[:, ::-1], np.asfortranarray(q)):
        assert packing.pack(array, 5).tolist() == oracle.pack(array.ravel().tolist(), 5)
    for dtype in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64, ">u2", ">i4"):
        assert_packs(packing, [100, 3, 127, 0, 77], 7, dtype)
        if np.dtype(dtype).itemsize > 1:
            assert_packs(packing, [1000, 3, 2047, 0, 77], 11, dtype)
    assert_packs(packing, 5, 3)


def packing_of_nothing(packing):
    for bits in (1, 8, 9, 16):
        for shape in ((0,), (3, 0)):
            data = packing.pack(np.zeros(shape, np.int64), bits)
            assert (data.tolist(), data.dtype) == ([], np.uint8)
        q = packing.unpack(np.zeros(0, np.uint8), bits, 0)
        assert (q.tolist(), q.dtype) == ([], code_dtype(bits))


def raises_value_error(call, *arguments):
    try:
        call(*arguments)
    except ValueError:
        return True
    return False


def packing_refuses_codes(packing):
    """A negative code or one of 2^bits raises, at the first place or the last, also where a cast would hide it."""
    for bits in range(1, 17):
        for code in (-1, -(2**bits), 2**bits, 2**bits + 1, 65536, 65537, 2**32, 2**40 + 1):
            for codes in ([code], [0, code], [code, 0, 1]):
                assert raises_value_error(packing.pack, frozen(codes, np.int64), bits), f"{bits} bits accept {code}"
    assert raises_value_error(packing.pack, frozen([0, 2**63 + 1], np.uint64), 16)


def unpacking_refuses_data(packing):
    """A byte too many or too few, or a one in an unused bit, raises."""
    for bits in (1, 3, 4, 8, 11, 16):
        for count in (1, 2, 5, 8):
            size = ledger_oracle.payload(count, bits)
            for wrong in {0, size - 1, size + 1, 2 * size}:
                assert raises_value_error(packing.unpack, np.zeros(wrong, np.uint8), bits, count)
            for place in range(ledger_oracle.unused_bits(count, bits)):
                data = np.zeros(size, np.uint8)
                data[-1] = 128 >> place
                assert raises_value_error(packing.unpack, data, bits, count), f"{bits} bits: spare bit {7 - place} is 1"
    assert raises_value_error(packing.unpack, np.zeros(1, np.uint8), 8, 0)


PACKING = (
    packing_small_domain,
    packing_every_bit,
    packing_of_arrays,
    packing_of_nothing,
    packing_refuses_codes,
    unpacking_refuses_data,
)


def ledger_matches_the_oracle(ledger):
    for count in (*range(1, 20), 255, 1000):
        for bits in range(1, 17):
            entry = ledger.entry(count, bits, 5, 2)
            assert tuple(entry) == (ledger_oracle.payload(count, bits), 10, 10)
            assert ledger.unused_bits(count, bits) == ledger_oracle.unused_bits(count, bits)
    for original, compressed in ((7, 3), (1, 1), (3, 7), (544522 * 4, 272269)):
        assert ledger.ratio(original, compressed) == float(ledger_oracle.ratio(original, compressed))


def ledger_is_exact_for_large_counts(ledger):
    """Sums in integers, not in floats."""
    count = 2**60 + 1
    assert tuple(ledger.entry(count, 4, 2**60)) == (2**59 + 1, 2**62, 2**62)
    assert ledger.unused_bits(count, 4) == 4


LEDGER = (ledger_matches_the_oracle, ledger_is_exact_for_large_counts)
