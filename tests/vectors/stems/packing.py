"""Vectors of dense packing, least significant bit first: every width, codes that straddle one byte border or two."""

import numpy as np

from tests.oracles import packing as oracle
from tests.vectors.specification import Function, Mutant, Stem


def code_type(bits):
    return np.uint8 if bits <= 8 else np.uint16


def lists():
    """A few codes of every width, and some that go beyond a word of 32 bits."""
    yield [1], 4
    yield [1], 1
    yield [1, 2], 8
    yield [1, 255], 16
    for bits in (4, 3, 8, 5, 12, 16, 2, 7, 11, 6, 9, 10, 13, 14, 15, 1):
        top = 2**bits - 1
        yield [min(code, top) for code in (1, top, 2)], bits
        yield [min(code, top) for code in (1, 2, 3, top // 3, top)], bits
    yield [7, 0, 1, 2, 3, 7, 5, 1, 7, 4, 6], 3
    yield [1, 0x123, 0xABC, 2], 12
    yield [], 4


def pack_candidates(convention):
    for codes, bits in lists():
        yield {"q": np.array(codes, code_type(bits)), "bits": bits}


def bits_of(code, bits):
    return [code >> i & 1 for i in range(bits)]


def filled(stream, size=8, padding=0):
    return stream + [padding] * (-len(stream) % size)


def data(stream, order=1):
    """Bytes from whole bytes of bits, the first bit the least significant; the most, if order is −1."""
    parts = [stream[k : k + 8][::order] for k in range(0, len(stream), 8)]
    return {"data": np.array([sum(bit << i for i, bit in enumerate(part)) for part in parts], np.uint8)}


def packed(q, bits):
    return data(filled([bit for code in q.tolist() for bit in bits_of(code, bits)]))


def by_stream(sentence, function):
    """A variant that packs the bits function(codes, bits), filled up to whole bytes."""
    return Mutant(sentence, lambda convention, q, bits: data(filled(function(q.tolist(), bits))))


def by_codes(sentence, function, applies=lambda bits: True):
    """A variant that packs function(codes, bits) of them; it has an answer for widths to which it applies."""

    def answer(convention, q, bits):
        return packed(np.array(function(q.tolist(), bits)), bits) if applies(bits) else None

    return Mutant(sentence, answer)


def by_width(sentence, width):
    """A variant that packs width(bits) bits of every code."""
    return Mutant(sentence, lambda convention, q, bits: packed(q, width(bits)))


def by_bytes(sentence, function):
    """A variant with the bytes function(right bytes, codes, bits), where it has any."""

    def answer(convention, q, bits):
        found = function(oracle.pack(q.tolist(), bits), q.tolist(), bits)
        return None if found is None else {"data": np.array(found, np.uint8)}

    return Mutant(sentence, answer)


def nibbles(data):
    return [(byte << 4 | byte >> 4) & 255 for byte in data]


def power_of_two(bits):
    return 1 << (bits - 1).bit_length()


def no_straddling(codes, bits):
    stream = []
    for code in codes:
        if bits <= 8 and len(stream) % 8 + bits > 8:
            stream = filled(stream)
        stream += bits_of(code, bits)
    return stream


def within(size):
    """Bits of a code that reach beyond the bytes, or the word, in which it may lie are 0: size(start of the code)."""

    def stream(codes, bits):
        found = []
        for code in codes:
            room = size(len(found))
            found += [bit * (i < room) for i, bit in enumerate(bits_of(code, bits))]
        return found

    return stream


def two_bytes(start):
    return 16 - start % 8


def word_of_32(start):
    return 32 - start % 32


def big_endian(data, codes, bits):
    return [byte for code in codes for byte in (code >> 8, code & 255)] if bits == 16 else None


def high_parts_first(data, codes, bits):
    """As camera sensors pack them: the upper 8 bits of every code of a group, then what is left of all."""
    group = {10: 4, 12: 2}.get(bits)
    if group is None or len(codes) % group:
        return None
    found = []
    for k in range(0, len(codes), group):
        part, low = codes[k : k + group], bits - 8
        found += [code >> low for code in part]
        found.append(sum((code % 2**low) << low * i for i, code in enumerate(part)))
    return found


def last_byte(data, function):
    return [*data[:-1], *map(function, data[-1:])]


def without_its_top(width):
    return by_codes(
        f"codes of {width} bits lose their highest one",
        lambda codes, bits: [code & (2**bits - 1 >> 1) for code in codes],
        lambda bits: bits == width,
    )


PACK = Function(
    summary="codes of b bits, side by side in bytes, least significant bit first",
    parameters={"q": "(n,) uint8 or uint16 array, codes from 0 to 2^bits − 1", "bits": "int from 1 to 16"},
    returns={"data": "(⌈n·bits/8⌉,) uint8 array"},
    candidates=pack_candidates,
    expected=lambda convention, q, bits: {"data": np.array(oracle.pack(q.tolist(), bits), np.uint8)},
    mutants={
        "bit order: most significant first": Mutant(
            "bytes are filled from their most significant bit, with codes from theirs on",
            lambda convention, q, bits: data(
                filled([bit for code in q.tolist() for bit in bits_of(code, bits)[::-1]]), -1)),
        "bits of a code reversed": by_stream(
            "codes are written from their most significant bit on",
            lambda codes, bits: [bit for code in codes for bit in bits_of(code, bits)[::-1]]),
        "nibbles swapped": by_bytes("both halves of every byte change places", lambda data, *_: nibbles(data)),
        "code order: last first": by_codes("from the last to the first", lambda codes, bits: codes[::-1]),
        "codes do not straddle bytes": by_stream(
            "a code that does not fit into what is left of a byte starts the next one", no_straddling),
        "codes straddle one border": by_stream(
            "what a code has in a third byte is lost", within(two_bytes)),
        "codes do not straddle words": by_stream(
            "what a code has in the next word of 32 bits is lost", within(word_of_32)),
        "width: whole bytes": by_width("8 or 16 bits for every code", lambda bits: 8 if bits <= 8 else 16),
        "width: power of two": by_width("filled up to 1, 2, 4, 8 or 16 bits", power_of_two),
        "width: at most 8": by_width("wide codes have 8 bits", lambda bits: min(bits, 8)),
        "codes above 255 truncated": by_codes(
            "wide codes lose all but 8 bits", lambda codes, bits: [code & 255 for code in codes]),
        "16 bits: big-endian": by_bytes("the high byte first", big_endian),
        "10 and 12 bits: high parts first": by_bytes(
            "the upper 8 bits of 4 or 2 codes, then the lower ones of all", high_parts_first),
        "length rounded down": by_bytes(
            "the last byte is lost where it is not full", lambda data, codes, bits: data[: len(codes) * bits // 8]),
        "one byte more": by_bytes(
            "⌊n·b/8⌋ + 1 bytes", lambda data, codes, bits: data + [0] * (len(codes) * bits % 8 == 0)),
        "never empty": by_bytes("no codes take a byte", lambda data, codes, bits: data or [0]),
        "whole groups": by_bytes(
            "filled up to the b bytes of 8 codes", lambda data, codes, bits: data + [0] * (-len(data) % bits)),
        "padding: ones": by_bytes(
            "what is left of the last byte is 1",
            lambda data, codes, bits: last_byte(data, lambda byte: byte | 255 & 255 << 8 - -len(codes) * bits % 8)),
        "padding: low": by_bytes(
            "what is left of the last byte are its low bits",
            lambda data, codes, bits: last_byte(data, lambda byte: byte << -len(codes) * bits % 8)),
        **{f"width {bits}: top bit lost": without_its_top(bits) for bits in range(1, 17)},
    },
    provenance="tests/oracles/packing.py, bits as text",
)  # fmt: skip


def unpack_candidates(convention):
    for codes, bits in lists():
        yield {"data": np.array(oracle.pack(codes, bits), np.uint8), "bits": bits, "count": len(codes)}


def bits_in(data):
    return [byte >> i & 1 for byte in data for i in range(8)]


def number(bits):
    return sum(bit << i for i, bit in enumerate(bits))


def read(data, bits, count, stride=None):
    """Codes of b bits, every stride bits."""
    stream = bits_in(data)
    return [number(stream[k * (stride or bits) :][:bits]) for k in range(count)]


def codes(values, bits):
    return {"q": np.array(values, code_type(bits))}


def unpack_by(sentence, function, applies=lambda bits: True):
    """A variant with the codes function(bytes, bits, count), for widths to which it applies."""

    def answer(convention, data, bits, count):
        return codes(function(data.tolist(), bits, count), bits) if applies(bits) else None

    return Mutant(sentence, answer)


def each(sentence, function, applies=lambda bits: True):
    """A variant with function(code, bits) of every code."""
    return unpack_by(sentence, lambda *args: [function(code, args[1]) for code in oracle.unpack(*args)], applies)


def from_the_top(data, bits, count):
    stream = [bit for byte in data for bit in bits_in([byte])[::-1]]
    return [number(stream[k * bits : (k + 1) * bits][::-1]) for k in range(count)]


def read_within(size):
    """Bits beyond the bytes, or the word, in which a code may lie are read as 0: size(start of the code)."""

    def function(data, bits, count):
        return [code % 2 ** min(size(k * bits), bits) for k, code in enumerate(read(data, bits, count))]

    return function


def byte_by_byte(data, bits, count):
    """⌊8/b⌋ codes a byte."""
    per_byte = max(8 // bits, 1)
    return [data[k // per_byte % len(data)] >> bits * (k % per_byte) & (2**bits - 1) for k in range(count)]


def unmasked(data, bits, count):
    """What is above a code in its two bytes, or its one, is not cleared."""
    window = 8 if bits <= 8 else 16
    stream = bits_in(data)
    return [number(stream[k * bits :][:window]) for k in range(count)]


def signed(convention, data, bits, count):
    found = oracle.unpack(data.tolist(), bits, count)
    return {"q": np.array([code - (code >> bits - 1 << bits) for code in found], np.int32)}


def reversed_bits(code, bits):
    return number(bits_of(code, bits)[::-1])


UNPACK = Function(
    summary="the codes of packed bytes",
    parameters={"data": "(⌈count·bits/8⌉,) uint8 array", "bits": "int from 1 to 16", "count": "int, n"},
    returns={"q": "(n,) array of codes, of any integer type that holds them"},
    candidates=unpack_candidates,
    expected=lambda convention, data, bits, count: codes(oracle.unpack(data.tolist(), bits, count), bits),
    mutants={
        "bit order: most significant first": unpack_by("bytes are read from their most significant bit", from_the_top),
        "bits of a code reversed": each("the first bit is the most significant", reversed_bits),
        "nibbles swapped": unpack_by(
            "both halves of every byte change places", lambda data, *args: oracle.unpack(nibbles(data), *args)),
        "code order: last first": unpack_by("from the last to the first", lambda *args: oracle.unpack(*args)[::-1]),
        "codes do not straddle bytes": unpack_by(
            "⌊8/b⌋ codes are read from every byte", byte_by_byte, lambda bits: bits <= 8),
        "codes straddle one border": unpack_by("a third byte is not read", read_within(two_bytes)),
        "codes do not straddle words": unpack_by("the next word of 32 bits is not read", read_within(word_of_32)),
        "width: whole bytes": unpack_by(
            "codes are read every 8 or 16 bits", lambda *args: read(*args, stride=8 if args[1] <= 8 else 16)),
        "width: power of two": unpack_by(
            "codes are read every 1, 2, 4, 8 or 16 bits", lambda *args: read(*args, stride=power_of_two(args[1]))),
        "codes above 255 truncated": each("wide codes lose all but 8 bits", lambda code, bits: code & 255),
        "16 bits: big-endian": each(
            "the high byte first", lambda code, bits: code >> 8 | (code & 255) << 8, lambda bits: bits == 16),
        "mask missing": unpack_by("what is above a code, up to 8 or 16 bits, is read with it", unmasked),
        "padding unpacked": unpack_by(
            "as many codes as the bytes hold, not as many as there are",
            lambda data, bits, count: read(data, bits, len(data) * 8 // bits)),
        "last code missing": unpack_by("n − 1 codes", lambda *args: oracle.unpack(*args)[:-1]),
        "never empty": unpack_by("no codes are one", lambda *args: oracle.unpack(*args) or [0]),
        "signed": Mutant("the highest bit is taken for a sign", signed),
        **{
            f"width {bits}: top bit lost": each(
                f"codes of {bits} bits lose their highest one",
                lambda code, bits: code & (2**bits - 1 >> 1), lambda bits, width=bits: bits == width)
            for bits in range(1, 17)
        },
    },
    provenance="tests/oracles/packing.py, one large integer",
    holds=lambda inputs: {"q": (0, 2 ** inputs["bits"] - 1)},
)  # fmt: skip

STEM = Stem({"pack": PACK, "unpack": UNPACK})
