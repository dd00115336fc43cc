"""Tests of the tests: correct stand-ins pass every property, and every planted error fails the one named beside it."""

import math
from collections import namedtuple

import numpy as np
import pytest

from tests.formulas.coding import checks
from tests.formulas.coding import test_packing_orders as orders
from tests.oracles import packing_orders as orders_oracle


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
        return checks.code_dtype(bits)

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
    MostSignificantCodeBitFirst: checks.packing_literals,
    MostSignificantByteBitFirst: checks.packing_literals,
    HighNibbleFirst: checks.packing_small_domain,
    BigEndianWords: checks.packing_around_byte_borders,
    LastByteDropped: checks.packing_around_byte_borders,
    OneByteMore: checks.packing_around_byte_borders,
    LastByteShifted: checks.packing_small_domain,
    SpareBitsOne: checks.packing_small_domain,
    CodesInWholeBytes: checks.packing_literals,
    TopBitLost: checks.packing_around_byte_borders,
    WordsOverlap: checks.packing_every_bit,
    TopBitOfEverySecondLost: checks.packing_every_bit,
    GroupsExchanged: checks.packing_every_bit,
    ColumnsFirst: checks.packing_of_arrays,
    MemoryOrder: checks.packing_of_arrays,
    CodesMasked: checks.packing_refuses_codes,
    NegativeAccepted: checks.packing_refuses_codes,
    PowerAccepted: checks.packing_refuses_codes,
    CastBeforeCheck: checks.packing_refuses_codes,
    FirstCodeChecked: checks.packing_refuses_codes,
    AnyLength: checks.unpacking_refuses_data,
    LongerAccepted: checks.unpacking_refuses_data,
    SpareBitsIgnored: checks.unpacking_refuses_data,
    LastSpareBitIgnored: checks.unpacking_refuses_data,
    AlwaysUint8: checks.packing_around_byte_borders,
    AlwaysUint16: checks.packing_small_domain,
    NothingIsFloat: checks.packing_of_nothing,
}


@pytest.mark.parametrize("check", checks.PACKING)
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
    PayloadFloored: checks.ledger_matches_the_oracle,
    PayloadOneMore: checks.ledger_matches_the_oracle,
    PayloadOfWholeBytes: checks.ledger_literals,
    PayloadInFloats: checks.ledger_is_exact_for_large_counts,
    OneScale: checks.ledger_literals,
    ScalesOfFourBytes: checks.ledger_matches_the_oracle,
    NoOffsets: checks.ledger_literals,
    UsedBits: checks.ledger_literals,
    EightUnusedBits: checks.ledger_matches_the_oracle,
    RatioInverted: checks.ledger_matches_the_oracle,
    RatioOfIntegers: checks.ledger_literals,
    RatioSaved: checks.ledger_literals,
}


@pytest.mark.parametrize("check", checks.LEDGER)
def test_correct_ledger_passes(check):
    check(Ledger())


@pytest.mark.parametrize("wrong", LEDGER_MUTANTS)
def test_wrong_ledger_is_caught(wrong):
    with pytest.raises(AssertionError):
        LEDGER_MUTANTS[wrong](wrong())


class Ordered:
    """Correct packing in every order, bit by bit from a table of their places; the mutants exchange one step."""

    def __init__(self):
        self.found = {}

    def bit(self, code, j, count, bits, order):
        return orders_oracle.bit(code, j, count, bits, order)

    def size(self, count, bits, order):
        return orders_oracle.size(count, bits, order)

    def check_order(self, count, bits, order):
        if bits not in orders_oracle.WIDTHS[order]:
            raise ValueError("bits")
        self.check_count(count, bits, order)

    def check_count(self, count, bits, order):
        if count % orders_oracle.multiple(bits, order):
            raise ValueError("count")

    def check_codes(self, codes, bits):
        if (codes < 0).any() or (codes >= 2**bits).any():
            raise ValueError("code")

    def check_length(self, found, size):
        if found != size:
            raise ValueError("length")

    def check_rest(self, stream, used):
        rest = stream.copy()
        rest[used] = 0
        if rest.any():
            raise ValueError("rest")

    def places(self, count, bits, order):
        """Numbers of the bits of every code, worked out once: a row for every code."""
        if (count, bits, order) not in self.found:
            every = [[self.bit(k, j, count, bits, order) for j in range(bits)] for k in range(count)]
            self.found[count, bits, order] = np.array(every, np.int64).reshape(count, bits)
        return self.found[count, bits, order]

    def pack(self, q, bits, order):
        codes = q.ravel()
        self.check_order(codes.size, bits, order)
        self.check_codes(codes, bits)
        stream = np.zeros(8 * self.size(codes.size, bits, order), np.uint8)
        ones = codes[:, None].astype(np.int64) >> np.arange(bits) & 1 == 1
        stream[self.places(codes.size, bits, order)[ones]] = 1
        return np.packbits(stream, bitorder="little")

    def unpack(self, data, bits, count, order):
        self.check_order(count, bits, order)
        self.check_length(data.size, self.size(count, bits, order))
        places, stream = self.places(count, bits, order), np.unpackbits(data, bitorder="little")
        self.check_rest(stream, places)
        codes = stream[places].astype(np.int64) @ 2 ** np.arange(bits)
        return codes.astype(checks.code_dtype(bits))


class NibblesSwapped(Ordered):
    """The high nibble first for the low one first, and the other way round."""

    def bit(self, code, j, count, bits, order):
        place = super().bit(code, j, count, bits, order)
        return place ^ 4 if bits == 4 and order in ("low_nibble_first", "high_nibble_first") else place


class PairsNotReversed(Ordered):
    """The first of four codes of 2 bits lowest where it is highest."""

    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "low_nibble_first" if order == "high_nibble_first" else order)


class HalvesSwapped(Ordered):
    """Code j + 16 in the low nibble."""

    def bit(self, code, j, count, bits, order):
        return super().bit(code ^ 16 if order == "ggml" else code, j, count, bits, order)


class NeighboursInAByte(Ordered):
    """Codes 2j and 2j + 1 in a byte, as elsewhere."""

    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "lsb" if order == "ggml" else order)


class BlocksOf32(Ordered):
    """Half the stride: 16 for 32."""

    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "ggml" if (order, bits) == ("ggml_32", 4) else order)


class OneLongBlock(Ordered):
    """Halves of the array and not of every block: seen in the second block only."""

    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "torchao_uintx" if order.startswith("ggml") else order)


class SecondBlockOneByteOff(Ordered):
    def bit(self, code, j, count, bits, order):
        place = super().bit(code, j, count, bits, order)
        off = order == "ggml_64" and count >= 256
        return (place + 8) % (8 * self.size(count, bits, order)) if off else place


class WordsBigEndian(Ordered):
    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, order) ^ (24 if order in ("awq", "int32_words") else 0)


class HqqWordsBigEndian(Ordered):
    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, order) ^ (24 if (order, bits) == ("hqq", 3) else 0)


class AwqInOrder(Ordered):
    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "lsb" if order == "awq" else order)


class AwqInverse(Ordered):
    """The place of code k is map[k] instead of the code of place p being map[p]."""

    def bit(self, code, j, count, bits, order):
        if order == "awq":
            code = code // 8 * 8 + orders_oracle.AWQ[orders_oracle.AWQ[code % 8]]
        return super().bit(code, j, count, bits, order)


class WordsStraddled(Ordered):
    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "lsb" if order == "int32_words" else order)


class WordsNotStraddled(Ordered):
    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "int32_words" if order == "int32_dense" else order)

    def size(self, count, bits, order):
        return super().size(count, bits, "int32_words" if order == "int32_dense" else order)


class BytesForWords(Ordered):
    def size(self, count, bits, order):
        return super().size(count, bits, "lsb" if order == "int32_dense" else order)


class HqqFirstPartLowest(Ordered):
    def bit(self, code, j, count, bits, order):
        low = order == "hqq" and bits in (1, 2, 4)
        return super().bit(code, j, count, bits, "torchao_uintx" if low and count % 8 == 0 else order)


class HqqAtTheTop(Ordered):
    """Ten codes of 3 bits in the highest 30 bits of a word."""

    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, order) + (2 if (order, bits) == ("hqq", 3) else 0)


class HqqTenInARow(Ordered):
    """Neighbours in a word of ten: right for one word only."""

    def bit(self, code, j, count, bits, order):
        if (order, bits) == ("hqq", 3):
            return 32 * (code // 10) + 3 * (9 - code % 10) + j
        return super().bit(code, j, count, bits, order)


class WidestPieceOfTheHighBits(Ordered):
    """Of 7 bits the highest 4 in the first shard."""

    def bit(self, code, j, count, bits, order):
        return super().bit(code, bits - 1 - j if order == "torchao_uintx" else j, count, bits, order)


class NoPieces(Ordered):
    def bit(self, code, j, count, bits, order):
        return super().bit(code, j, count, bits, "lsb" if order == "torchao_uintx" else order)


class PiecesInterleaved(Ordered):
    """The shards one after the other for every 8 codes."""

    def bit(self, code, j, count, bits, order):
        if order != "torchao_uintx":
            return super().bit(code, j, count, bits, order)
        return 8 * bits * (code // 8) + super().bit(code % 8, j, 8, bits, order)


class HighestBitMissing(Ordered):
    def pack(self, q, bits, order):
        return super().pack(q & (2**bits - 1) // 2 if order == "torchao_uintx" and bits == 7 else q, bits, order)


class FillingIgnored(Ordered):
    def check_rest(self, stream, used):
        pass


class LastWordOnlyIsChecked(Ordered):
    def check_rest(self, stream, used):
        start = max(stream.size - 32, 0)
        super().check_rest(stream[start:], used[used >= start] - start)


class FilledSilently(Ordered):
    def check_count(self, count, bits, order):
        pass

    def pack(self, q, bits, order):
        q = q.ravel()
        return super().pack(np.append(q, np.zeros(-q.size % orders_oracle.multiple(bits, order), q.dtype)), bits, order)


class AnyNumberOfBytes(Ordered):
    def check_length(self, found, size):
        if found < size:
            raise ValueError("length")


class OrderCodesMasked(Ordered):
    def check_codes(self, codes, bits):
        pass


class AnyWidth(Ordered):
    def check_order(self, count, bits, order):
        self.check_count(count, 4, order)

    def pack(self, q, bits, order):
        self.check_order(q.size, bits, order)
        return super().pack(q, bits, order) if bits in orders_oracle.WIDTHS[order] else Packing().pack(q, max(bits, 1))

    def unpack(self, data, bits, count, order):
        known = bits in orders_oracle.WIDTHS[order]
        return super().unpack(data, bits, count, order) if known else np.zeros(count, np.uint8)


ORDER_MUTANTS = {
    NibblesSwapped: orders.order_literals,
    PairsNotReversed: orders.order_literals,
    HalvesSwapped: orders.order_literals,
    NeighboursInAByte: orders.order_literals,
    BlocksOf32: orders.order_every_bit,
    OneLongBlock: orders.order_every_count,
    SecondBlockOneByteOff: orders.order_every_bit,
    WordsBigEndian: orders.order_literals,
    HqqWordsBigEndian: orders.order_literals,
    AwqInOrder: orders.order_literals,
    AwqInverse: orders.order_literals,
    WordsStraddled: orders.order_literals,
    WordsNotStraddled: orders.order_literals,
    BytesForWords: orders.order_every_count,
    HqqFirstPartLowest: orders.order_literals,
    HqqAtTheTop: orders.order_literals,
    HqqTenInARow: orders.order_every_bit,
    WidestPieceOfTheHighBits: orders.order_literals,
    NoPieces: orders.order_literals,
    PiecesInterleaved: orders.order_every_count,
    HighestBitMissing: orders.order_every_bit,
    FillingIgnored: orders.order_refuses_padding,
    LastWordOnlyIsChecked: orders.order_refuses_padding,
    FilledSilently: orders.order_refuses_counts,
    AnyNumberOfBytes: orders.order_refuses_lengths,
    OrderCodesMasked: orders.order_refuses_codes,
    AnyWidth: orders.order_refuses_widths,
}


@pytest.mark.parametrize("check", orders.ORDERED)
def test_correct_orders_pass(check):
    check(Ordered())


@pytest.mark.parametrize("wrong", ORDER_MUTANTS)
def test_wrong_order_is_caught(wrong):
    with pytest.raises(AssertionError):
        ORDER_MUTANTS[wrong](wrong())
