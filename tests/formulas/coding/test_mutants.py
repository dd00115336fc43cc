"""Tests of the tests: correct stand-ins pass every property, and every planted error fails the one named beside it."""

import math
from collections import namedtuple

import numpy as np
import pytest

from tests.formulas.coding import properties


class Packing:
    """Correct packing on a list of bits; the mutants exchange one step."""

    def check(self, q, bits):
        if any(not 0 <= code < 2**bits for code in q):
            raise ValueError("code")

    def flat(self, q):
        return q.ravel().tolist()

    def write(self, code, bits):
        return [code >> j & 1 for j in range(bits)]

    def byte(self, stream):
        return sum(bit << j for j, bit in enumerate(stream))

    def starts(self, stream):
        return range(0, len(stream), 8)

    def pack(self, q, bits):
        codes = self.flat(np.asarray(q))
        self.check(codes, bits)
        stream = [bit for code in codes for bit in self.write(code, bits)]
        return np.array([self.byte(stream[i : i + 8]) for i in self.starts(stream)], np.uint8)

    def length(self, data, bits, count):
        if data.size != math.ceil(count * bits / 8):
            raise ValueError("length")

    def spare(self, stream):
        if any(stream):
            raise ValueError("spare")

    def dtype(self, bits):
        return properties.code_dtype(bits)

    def unpack(self, data, bits, count):
        self.length(data, bits, count)
        stream = [byte >> j & 1 for byte in data.tolist() for j in range(8)]
        self.spare(stream[count * bits :])
        codes = [sum(bit << j for j, bit in enumerate(stream[k * bits : (k + 1) * bits])) for k in range(count)]
        return np.array(codes, self.dtype(bits))


class MostSignificantCodeBitFirst(Packing):
    def write(self, code, bits):
        return super().write(code, bits)[::-1]


class MostSignificantByteBitFirst(Packing):
    def byte(self, stream):
        return sum(bit << (7 - j) for j, bit in enumerate(stream))


class HighNibbleFirst(Packing):
    def pack(self, q, bits):
        data = super().pack(q, bits)
        return (data >> 4 | data << 4) if bits == 4 else data


class BigEndianWords(Packing):
    def pack(self, q, bits):
        return super().pack(q, bits) if bits < 16 else np.frombuffer(np.asarray(q).astype(">u2").tobytes(), np.uint8)


class LastByteDropped(Packing):
    def starts(self, stream):
        return range(0, len(stream) - 7, 8)


class OneByteMore(Packing):
    def starts(self, stream):
        return range(0, len(stream) + 1, 8)


class LastByteShifted(Packing):
    def byte(self, stream):
        return super().byte([0] * (8 - len(stream)) + stream)


class SpareBitsOne(Packing):
    def byte(self, stream):
        return super().byte(stream + [1] * (8 - len(stream)))


class CodesInWholeBytes(Packing):
    def write(self, code, bits):
        return super().write(code, 8 if bits <= 8 else 16)


class TopBitLost(Packing):
    def write(self, code, bits):
        return [*super().write(code, bits)[:-1], 0] if bits == 16 else super().write(code, bits)


class WordsOverlap(Packing):
    """The fifth of 8 codes, where a second word of 64 bits begins, loses its lowest bit to the fourth."""

    def pack(self, q, bits):
        q = np.asarray(q).copy()
        if bits > 8 and q.size >= 24:
            q.reshape(-1)[4::8] &= 2**bits - 2
        return super().pack(q, bits)


class TopBitOfEverySecondLost(Packing):
    """A mask one bit too narrow, for one width only."""

    def unpack(self, data, bits, count):
        codes = super().unpack(data, bits, count)
        if bits == 5:
            codes[1::2] &= 15
        return codes


class GroupsExchanged(Packing):
    def flat(self, q):
        codes = super().flat(q)
        return codes if len(codes) < 24 else [*codes[8:16], *codes[:8], *codes[16:]]


class ColumnsFirst(Packing):
    def flat(self, q):
        return q.ravel(order="F").tolist()


class MemoryOrder(Packing):
    def flat(self, q):
        return q.ravel(order="K").tolist()


class CodesMasked(Packing):
    def check(self, q, bits):
        pass


class NegativeAccepted(Packing):
    def check(self, q, bits):
        if any(code >= 2**bits for code in q):
            raise ValueError("code")


class PowerAccepted(Packing):
    def check(self, q, bits):
        if any(not 0 <= code <= 2**bits for code in q):
            raise ValueError("code")


class CastBeforeCheck(Packing):
    def check(self, q, bits):
        super().check([code % 2**16 for code in q], bits)


class FirstCodeChecked(Packing):
    def check(self, q, bits):
        super().check(q[:1], bits)


class AnyLength(Packing):
    def length(self, data, bits, count):
        pass


class LongerAccepted(Packing):
    def length(self, data, bits, count):
        if data.size * 8 < count * bits:
            raise ValueError("length")


class SpareBitsIgnored(Packing):
    def spare(self, stream):
        pass


class LastSpareBitIgnored(Packing):
    def spare(self, stream):
        super().spare(stream[:-1])


class AlwaysUint8(Packing):
    def unpack(self, data, bits, count):
        return super().unpack(data, bits, count).astype(np.uint8)


class AlwaysUint16(Packing):
    def dtype(self, bits):
        return np.uint16


class NothingIsFloat(Packing):
    def pack(self, q, bits):
        return super().pack(q, bits) if np.asarray(q).size else np.array([])


PACKING_MUTANTS = {
    MostSignificantCodeBitFirst: properties.packing_literals,
    MostSignificantByteBitFirst: properties.packing_literals,
    HighNibbleFirst: properties.packing_small_domain,
    BigEndianWords: properties.packing_around_byte_borders,
    LastByteDropped: properties.packing_length,
    OneByteMore: properties.packing_length,
    LastByteShifted: properties.packing_small_domain,
    SpareBitsOne: properties.packing_length,
    CodesInWholeBytes: properties.packing_length,
    TopBitLost: properties.packing_around_byte_borders,
    WordsOverlap: properties.packing_every_bit,
    TopBitOfEverySecondLost: properties.packing_every_bit,
    GroupsExchanged: properties.packing_every_bit,
    ColumnsFirst: properties.packing_of_arrays,
    MemoryOrder: properties.packing_of_arrays,
    CodesMasked: properties.packing_refuses_codes,
    NegativeAccepted: properties.packing_refuses_codes,
    PowerAccepted: properties.packing_refuses_codes,
    CastBeforeCheck: properties.packing_refuses_codes,
    FirstCodeChecked: properties.packing_refuses_codes,
    AnyLength: properties.unpacking_refuses_data,
    LongerAccepted: properties.unpacking_refuses_data,
    SpareBitsIgnored: properties.unpacking_refuses_data,
    LastSpareBitIgnored: properties.unpacking_refuses_data,
    AlwaysUint8: properties.packing_around_byte_borders,
    AlwaysUint16: properties.packing_small_domain,
    NothingIsFloat: properties.packing_of_nothing,
}


@pytest.mark.parametrize("check", properties.PACKING)
def test_correct_packing_passes(check):
    check(Packing())


@pytest.mark.parametrize("wrong", PACKING_MUTANTS)
def test_wrong_packing_is_caught(wrong):
    with pytest.raises(AssertionError):
        PACKING_MUTANTS[wrong](wrong())


Entry = namedtuple("Entry", ["payload", "scales", "offsets"])


class Ledger:
    def payload(self, count, bits):
        return -(-count * bits // 8)

    def scales(self, groups, float_bytes):
        return groups * float_bytes

    def offsets(self, groups, float_bytes):
        return groups * float_bytes

    def entry(self, count, bits, groups, float_bytes=4):
        return Entry(self.payload(count, bits), self.scales(groups, float_bytes), self.offsets(groups, float_bytes))

    def unused_bits(self, count, bits):
        return -count * bits % 8

    def ratio(self, original_bytes, compressed_bytes):
        return original_bytes / compressed_bytes


class PayloadFloored(Ledger):
    def payload(self, count, bits):
        return count * bits // 8


class PayloadOneMore(Ledger):
    def payload(self, count, bits):
        return count * bits // 8 + 1


class PayloadOfWholeBytes(Ledger):
    def payload(self, count, bits):
        return count * -(-bits // 8)


class PayloadInFloats(Ledger):
    def payload(self, count, bits):
        return math.ceil(count * bits / 8)


class OneScale(Ledger):
    def scales(self, groups, float_bytes):
        return float_bytes


class ScalesOfFourBytes(Ledger):
    def scales(self, groups, float_bytes):
        return 4 * groups


class NoOffsets(Ledger):
    def offsets(self, groups, float_bytes):
        return 0


class UsedBits(Ledger):
    def unused_bits(self, count, bits):
        return count * bits % 8


class EightUnusedBits(Ledger):
    def unused_bits(self, count, bits):
        return 8 - count * bits % 8


class RatioInverted(Ledger):
    def ratio(self, original_bytes, compressed_bytes):
        return compressed_bytes / original_bytes


class RatioOfIntegers(Ledger):
    def ratio(self, original_bytes, compressed_bytes):
        return original_bytes // compressed_bytes


class RatioSaved(Ledger):
    def ratio(self, original_bytes, compressed_bytes):
        return 1 - compressed_bytes / original_bytes


LEDGER_MUTANTS = {
    PayloadFloored: properties.ledger_matches_the_oracle,
    PayloadOneMore: properties.ledger_matches_the_oracle,
    PayloadOfWholeBytes: properties.ledger_literals,
    PayloadInFloats: properties.ledger_is_exact_for_large_counts,
    OneScale: properties.ledger_literals,
    ScalesOfFourBytes: properties.ledger_matches_the_oracle,
    NoOffsets: properties.ledger_literals,
    UsedBits: properties.ledger_literals,
    EightUnusedBits: properties.ledger_matches_the_oracle,
    RatioInverted: properties.ledger_matches_the_oracle,
    RatioOfIntegers: properties.ledger_literals,
    RatioSaved: properties.ledger_literals,
}


@pytest.mark.parametrize("check", properties.LEDGER)
def test_correct_ledger_passes(check):
    check(Ledger())


@pytest.mark.parametrize("wrong", LEDGER_MUTANTS)
def test_wrong_ledger_is_caught(wrong):
    with pytest.raises(AssertionError):
        LEDGER_MUTANTS[wrong](wrong())
