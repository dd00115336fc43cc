"""Vectors of the packing orders: which codes share a byte or a word, and which of them is lowest."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.oracles import packing_orders as oracle
from tests.vectors.specification import Function, Mutant, Stem

ORDERS = tuple(oracle.WIDTHS)
COUNTS = {  # order: bits and counts: a part of a word or a block, one, and more than one
    "lsb": ((4, 3), (3, 3), (12, 3)),  # the stem packing has all widths
    "int32_dense": ((4, 3), (4, 8), (3, 11), (5, 7), (8, 5)),
    "int32_words": ((4, 9), (3, 11), (5, 7), (7, 5), (8, 5)),
    "awq": ((4, 8), (4, 16)),
    "low_nibble_first": ((4, 3), (4, 2), (2, 5), (2, 3)),
    "high_nibble_first": ((4, 2), (4, 4), (2, 4), (2, 8)),
    "ggml": ((4, 32), (4, 64)),
    "ggml_32": ((4, 64), (4, 128), (2, 128), (1, 256)),
    "ggml_64": ((4, 128), (4, 256)),
    "hqq": ((4, 4), (4, 8), (2, 8), (1, 16), (3, 10), (3, 12), (8, 3)),
    "torchao_uintx": ((4, 8), (3, 8), (5, 8), (6, 8), (7, 8), (1, 16), (2, 16), (3, 16)),
}


def code_type(bits):
    return np.uint8 if bits <= 8 else np.uint16


def inputs(order):
    for bits, count in COUNTS[order]:
        # the first has all its bits, and they do not repeat within a block
        yield [-(1 + 37 * (k + k // 3 + k // 7)) % 2**bits for k in range(count)], bits


def pack_candidates(order):
    for codes, bits in inputs(order):
        yield {"q": np.array(codes, code_type(bits)), "bits": bits}


def unpack_candidates(order):
    for codes, bits in inputs(order):
        yield {"data": np.array(oracle.pack(codes, bits, order), np.uint8), "bits": bits, "count": len(codes)}


@dataclass(frozen=True)
class Places:
    """A wrong order: bit j of a code is number bit(code, j, count, bits, order); None where it has no place."""

    sentence: str
    orders: tuple[str, ...]
    bit: Callable
    size: Callable = oracle.size

    def packs(self):
        def answer(order, q, bits):
            data = [0] * self.size(len(q), bits, order)
            for k, code in enumerate(q.tolist()):
                for j in range(bits):
                    place = self.bit(k, j, len(q), bits, order)
                    if place is None:
                        return None
                    data[place // 8] |= (code >> j & 1) << place % 8
            return {"data": np.array(data, np.uint8)}

        return Mutant(self.sentence, answer, self.applies)

    def unpacks(self):
        def answer(order, data, bits, count):
            codes = [0] * count
            for k in range(count):
                for j in range(bits):
                    place = self.bit(k, j, count, bits, order)
                    if place is None or place // 8 >= len(data):
                        return None
                    codes[k] |= (int(data[place // 8]) >> place % 8 & 1) << j
            return {"q": np.array(codes, code_type(bits))}

        return Mutant(self.sentence, answer, self.applies)

    def applies(self, order):
        return order in self.orders


def order_of(other, *orders):
    def bit(code, j, count, bits, order):
        known = bits in oracle.WIDTHS[other] and count % oracle.multiple(bits, other) == 0
        return oracle.bit(code, j, count, bits, other) if known else None

    def size(count, bits, order):
        return oracle.size(count, bits, other)

    return Places(f"codes lie as in the order {other}", orders, bit, size)


def moved(function):
    """Places by function(right place, code, j, count, bits)."""
    return lambda code, j, count, bits, order: function(oracle.bit(code, j, count, bits, order), code, j, count, bits)


def from_the_top(place, code, j, count, bits):
    """The first code of a word of 32 bits in its highest bits."""
    word, within = divmod(place, 32)
    return 32 * word + 32 - bits * ((within - j) // bits + 1) + j


def inverse_of_awq(place, code, j, count, bits):
    return 32 * (code // 8) + 4 * oracle.AWQ[code % 8] + j


def only_of_3_bits(function):
    def bit(place, code, j, count, bits):
        return function(place, code, j) if bits == 3 else None

    return moved(bit)


def shards(count, bits, reverse):
    """Where the shard of every piece begins, and where its bits begin, in bits."""
    found, start = {}, 0
    for width in oracle.PIECES[bits][:: -1 if reverse else 1]:
        found[width] = start
        start += count * width
    return found


def piece_of(j, bits, from_the_highest=False):
    """The width of the piece of a code in which bit j is, and its number there."""
    pieces = oracle.PIECES[bits]
    first = 0
    for width in pieces[::-1] if from_the_highest else pieces:
        if j < first + width:
            return width, j - first
        first += width
    raise ValueError(j)


def cut(reverse=False, from_the_highest=False, first_part_highest=False):
    """torchao's places with its shards, its pieces or the parts of a shard in the other order."""

    def bit(code, j, count, bits, order):
        width, i = piece_of(j, bits, from_the_highest)
        part, byte = divmod(code, count * width // 8)
        part = 8 // width - 1 - part if first_part_highest else part
        return shards(count, bits, reverse)[width] + 8 * byte + width * part + i

    return bit


def eight_by_eight(code, j, count, bits, order):
    return 8 * bits * (code // 8) + oracle.bit(code % 8, j, 8, bits, order)


def without_pieces(code, j, count, bits, order):
    return code * bits + j


NIBBLES = ("low_nibble_first", "high_nibble_first")
WORDS = ("int32_dense", "int32_words", "awq")
STRIDED = ("ggml", "ggml_32", "ggml_64")
PLACES = {
    "order: lsb": order_of("lsb", "int32_words", "awq", "high_nibble_first", *STRIDED, "hqq", "torchao_uintx"),
    "order: int32_words": order_of("int32_words", "int32_dense"),
    "order: awq": order_of("awq", "int32_dense"),
    "order: high_nibble_first": order_of("high_nibble_first", "low_nibble_first", "hqq", "awq", "ggml"),
    "order: ggml": order_of("ggml", "ggml_32", "ggml_64"),
    "order: ggml_32": order_of("ggml_32", "ggml", "ggml_64"),
    "order: ggml_64": order_of("ggml_64", "ggml_32"),
    "order: hqq": order_of("hqq", "high_nibble_first", "torchao_uintx", "ggml"),
    "order: torchao_uintx": order_of("torchao_uintx", *STRIDED, "hqq"),
    "nibbles swapped": Places(
        "both halves of every byte change places", ("lsb", *WORDS, *NIBBLES, *STRIDED, "hqq", "torchao_uintx"),
        moved(lambda place, *_: place ^ 4)),
    "words: big-endian": Places(
        "the bytes of a word of 32 bits, most significant first", (*WORDS, "hqq"), lambda *args: (
            None if args[-1] == "hqq" and args[3] != 3 else oracle.bit(*args) ^ 24)),
    "first code highest": Places(
        "a word of 32 bits is filled from its highest bits", ("int32_words", "awq"), moved(from_the_top)),
    "inverse": Places("code k in nibble 0 2 4 6 1 3 5 7, not the other way round", ("awq",), moved(inverse_of_awq)),
    "evens of the array": Places(
        "all even codes before all odd ones, not in every word", ("awq",),
        lambda code, j, count, bits, order: bits * (code // 2 + count // 2 * (code % 2)) + j),
    "3 bits: ten in a row": Places(
        "a word has ten neighbours", ("hqq",), only_of_3_bits(lambda place, code, j: (
            32 * (code // 10) + 3 * (9 - code % 10) + j))),
    "3 bits: the upper 30": Places("the 2 lowest bits are free", ("hqq",), only_of_3_bits(lambda place, *_: place + 2)),
    "shards: in reverse": Places("the narrow pieces before the wide ones", ("torchao_uintx",), cut(reverse=True)),
    "pieces: from the highest bit": Places(
        "the widest piece has a code's high bits", ("torchao_uintx",), cut(from_the_highest=True)),
    "parts: first highest": Places(
        "the first part of the codes in the high bits", ("torchao_uintx",), cut(first_part_highest=True)),
    "shards of 8 codes": Places("pieces of 8 codes after another", ("torchao_uintx",), eight_by_eight),
}  # fmt: skip
FILLED = ("lsb", "int32_dense", "int32_words", "low_nibble_first")  # orders which have unused bits


def of_bytes(sentence, function, *orders):
    """A variant with the bytes function(right bytes, count, bits, order)."""

    def answer(order, q, bits):
        return {"data": np.array(function(oracle.pack(q.tolist(), bits, order), len(q), bits, order), np.uint8)}

    return Mutant(sentence, answer, lambda order: order in orders)


def full_words_only(data, count, bits, order):
    if order == "lsb":
        return data[: count * bits // 8]
    full = count // (32 // bits) * 4 if order == "int32_words" else count * bits // 32 * 4
    return data[: count * bits // 8 if order == "low_nibble_first" else full]


def with_ones(data, count, bits, order):
    data = list(data)
    for place in oracle.unused(count, bits, order):
        data[place // 8] |= 1 << place % 8
    return data


def top_bit_lost(width, change):
    """A variant by change(what a function is given, mask) for codes of this width."""
    return Mutant(
        f"codes of {width} bits lose their highest one",
        lambda order, bits, **given: change(order, bits, given, 2**width - 1 >> 1) if bits == width else None,
        lambda order: any(bits == width for bits, _ in COUNTS[order]),
    )


def packed_without(order, bits, given, mask):
    return {"data": np.array(oracle.pack([code & mask for code in given["q"].tolist()], bits, order), np.uint8)}


def unpacked_without(order, bits, given, mask):
    return {"q": np.array(oracle.unpack(given["data"].tolist(), bits, given["count"], order), code_type(bits)) & mask}


WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 12)
HAVE = "; ".join(f"{order} {' '.join(map(str, widths))}" for order, widths in oracle.WIDTHS.items())
BITS = f"int, a width of the order: {HAVE.replace(' '.join(map(str, oracle.WIDTHS['lsb'])), '1 to 16')}"
PACK = Function(
    summary="codes of b bits in bytes, in the order of a library: which share a byte or a word, and which is lowest; "
    "with 2 bits the nibble orders have four codes in a byte, the first one lowest or highest",
    parameters={
        "q": "(n,) uint8 or uint16 array, codes from 0 to 2^bits − 1, as many as the order takes",
        "bits": BITS,
    },
    returns={"data": "uint8 array; words of 32 bits are four bytes, the least significant first; unused bits are 0"},
    conventions=tuple((order,) for order in ORDERS),
    candidates=pack_candidates,
    expected=lambda order, q, bits: {"data": np.array(oracle.pack(q.tolist(), bits, order), np.uint8)},
    mutants={
        "order: int32_dense": order_of("int32_dense", "lsb", "low_nibble_first").packs(),
        **{name: places.packs() for name, places in PLACES.items()},
        "whole bytes": of_bytes(
            "only as many bytes as the codes need, not whole words",
            lambda data, count, bits, order: data[: -(-count * bits // 8)], "int32_dense", "int32_words"),
        "full words only": of_bytes("the last word, or byte, is lost where it is not full", full_words_only, *FILLED),
        "unused bits: 1": of_bytes("what no code has is filled with ones", with_ones, *FILLED),
        **{f"width {bits}: top bit lost": top_bit_lost(bits, packed_without) for bits in WIDTHS},
    },
    provenance="tests/oracles/packing_orders.py, bit by bit",
)  # fmt: skip


def padding_unpacked(order, data, bits, count):
    """As many codes as the words hold."""
    more = {"int32_words": len(data) // 4 * (32 // bits), "hqq": count}.get(order, 8 * len(data) // bits)
    return {"q": np.array(oracle.unpack(data.tolist(), bits, more, order), code_type(bits))}


UNPACK = Function(
    summary="the codes of bytes that were packed in the order of a library, as by pack",
    parameters={
        "data": "uint8 array; words of 32 bits are four bytes, the least significant first",
        "bits": BITS,
        "count": "int, n",
    },
    returns={"q": "(n,) array of codes, of any integer type that holds them"},
    conventions=tuple((order,) for order in ORDERS),
    candidates=unpack_candidates,
    expected=lambda order, data, bits, count: {
        "q": np.array(oracle.unpack(data.tolist(), bits, count, order), code_type(bits))
    },
    mutants={
        **{name: places.unpacks() for name, places in PLACES.items()},
        "padding unpacked": Mutant(
            "as many codes as the words hold, not as there are", padding_unpacked, lambda order: order in FILLED),
        **{f"width {bits}: top bit lost": top_bit_lost(bits, unpacked_without) for bits in WIDTHS},
    },
    provenance="tests/oracles/packing_orders.py, bit by bit",
    holds=lambda inputs: {"q": (0, 2 ** inputs["bits"] - 1)},
)  # fmt: skip

STEM = Stem({"pack": PACK, "unpack": UNPACK})
