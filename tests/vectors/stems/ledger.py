"""Vectors of the ledger: the bytes of a quantized tensor, and how many times smaller it is."""

import math

import numpy as np

from tests.oracles import ledger as oracle
from tests.vectors.specification import Function, Mutant, Stem

SIZES = (  # count, bits
    (9, 4),
    (8, 1),
    (2, 3),
    (1, 1),
    (5, 16),
    (3, 12),
    (3, 32),
    (8, 4),
    (0, 8),
    (2**24 + 1, 8),
    (2**28 + 1, 8),
    (2**29 + 1, 8),
)


def payload(count, bits):
    """The oracle counts bit by bit; every 8 codes fill as many bytes as a code has bits."""
    return count // 8 * bits + oracle.payload(count % 8, bits)


def tensors(convention):
    for groups, float_bytes in ((1, 4), (3, 4), (3, 2), (2, 8), (0, 4)):
        for count, bits in SIZES:
            yield {"count": count, "bits": bits, "groups": groups, "float_bytes": float_bytes}


def entry(payload, scales, offsets=None):
    return {
        "payload": np.int64(payload),
        "scales": np.int64(scales),
        "offsets": np.int64(scales if offsets is None else offsets),
    }


def right(convention, count, bits, groups, float_bytes):
    return entry(payload(count, bits), groups * float_bytes)


def payload_by(sentence, function):
    """A variant with the payload function(count, bits)."""

    def answer(convention, count, bits, groups, float_bytes):
        return entry(function(count, bits), groups * float_bytes)

    return Mutant(sentence, answer)


def sides_by(sentence, function):
    """A variant with (scales, offsets) = function(count, bits, groups, float_bytes)."""

    def answer(convention, count, bits, groups, float_bytes):
        return entry(payload(count, bits), *function(count, bits, groups, float_bytes))

    return Mutant(sentence, answer)


def wrapped(bits, signed):
    """⌈n·b/8⌉ where n·b is kept in an integer of 32 bits."""

    def function(count, width):
        product = count * width % 2**bits
        if signed and product >= 2 ** (bits - 1):
            product -= 2**bits
        return -(-product // 8)

    return function


ENTRY = Function(
    summary="bytes of a quantized tensor: codes of b bits, packed, and a scale and an offset for each group",
    parameters={
        "count": "int ≥ 0, n, the number of codes",
        "bits": "int from 1 to 64, b",
        "groups": "int ≥ 0, parts with a scale and an offset of their own",
        "float_bytes": "int, bytes of one scale or offset",
    },
    returns={"payload": "int, ⌈n·b/8⌉", "scales": "int, groups · float_bytes", "offsets": "int, groups · float_bytes"},
    candidates=tensors,
    expected=right,
    mutants={
        "rounded down": payload_by("⌊n·b/8⌋", lambda n, b: n * b // 8),
        "one more": payload_by("⌊n·b/8⌋ + 1", lambda n, b: n * b // 8 + 1),
        "rounded to the nearest": payload_by("n·b/8 rounded", lambda n, b: math.floor(n * b / 8 + 0.5)),
        "whole bytes a code": payload_by("n·⌈b/8⌉, nothing is packed", lambda n, b: n * -(-b // 8)),
        "codes do not straddle bytes": payload_by("⌊8/b⌋ codes a byte", lambda n, b: (
            -(-n // (8 // b)) if b <= 8 else n * -(-b // 8))),
        "words of 32 bits": payload_by("filled up to 4 bytes", lambda n, b: -(-n * b // 32) * 4),
        "bits": payload_by("n·b, not divided by 8", lambda n, b: n * b),
        "precision: single": payload_by(
            "in float32", lambda n, b: math.ceil(np.float32(n) * np.float32(b) / np.float32(8))),
        "n·b in 32 bits": payload_by("the product wraps at 2³²", wrapped(32, False)),
        "n·b in 32 bits, signed": payload_by("the product is negative from 2³¹ on", wrapped(32, True)),
        "one group": sides_by("one scale and one offset", lambda n, b, groups, size: (size, size)),
        "a group always": sides_by("at least one group", lambda n, b, groups, size: (max(groups, 1) * size,) * 2),
        "scales of 4 bytes": sides_by("float_bytes ignored", lambda n, b, groups, size: (groups * 4,) * 2),
        "scales of 1 byte": sides_by("counted, not measured", lambda n, b, groups, size: (groups, groups)),
        "offsets missing": sides_by("symmetric: no offsets", lambda n, b, groups, size: (groups * size, 0)),
        "offsets of codes": sides_by(
            "b bits for every offset, as for zero points", lambda n, b, groups, size: (
                groups * size, -(-groups * b // 8))),
        "scales per code": sides_by("n for the groups", lambda n, b, groups, size: (n * size, n * size)),
    },
    provenance="tests/oracles/ledger.py, integers",
    holds=lambda inputs: {name: (0, int(size)) for name, size in right("default", **inputs).items()},
)  # fmt: skip

UNUSED = Function(
    summary="bits of the last byte that no code uses",
    parameters={"count": "int ≥ 0, n", "bits": "int ≥ 1, b"},
    returns={"unused": "int from 0 to 7"},
    candidates=lambda convention: ({"count": count, "bits": bits} for count, bits in SIZES),
    expected=lambda convention, count, bits: {"unused": np.int64(oracle.unused_bits(count % 8, bits))},
    mutants={
        "used bits": Mutant(
            "those that a code uses", lambda convention, count, bits: {"unused": np.int64(count * bits % 8)}),
        "8 for none": Mutant(
            "a full byte has 8", lambda convention, count, bits: {"unused": np.int64(8 - count * bits % 8)}),
        "of one code": Mutant("the count is ignored", lambda convention, count, bits: {"unused": np.int64(-bits % 8)}),
        "of 32 bits": Mutant("of a word", lambda convention, count, bits: {"unused": np.int64(-count * bits % 32)}),
        "none": Mutant("always 0", lambda convention, count, bits: {"unused": np.int64(0)}),
        "negative": Mutant(
            "the remainder of a negative number is negative, as in C",
            lambda convention, count, bits: {"unused": np.int64(-(count * bits % 8))}),
    },
    provenance="tests/oracles/ledger.py, integers",
    holds=lambda inputs: {"unused": (0, 7)},
)  # fmt: skip


def pairs(convention):
    for original, compressed in ((2_000_000, 50_000), (100, 250), (7, 2), (49, 3), (7, 3), (10, 7), (2**24 + 1, 1)):
        yield {"original_bytes": original, "compressed_bytes": compressed}


def quotient(sentence, function):
    """A variant from function(original, compressed)."""

    def answer(convention, original_bytes, compressed_bytes):
        return {"ratio": np.float64(function(original_bytes, compressed_bytes))}

    return Mutant(sentence, answer)


RATIO = Function(
    summary="how many times smaller the compressed model is",
    parameters={"original_bytes": "int > 0", "compressed_bytes": "int > 0"},
    returns={"ratio": "float64 scalar, original_bytes/compressed_bytes rounded once"},
    candidates=pairs,
    expected=lambda convention, original_bytes, compressed_bytes: {
        "ratio": np.float64(float(oracle.ratio(original_bytes, compressed_bytes)))
    },
    mutants={
        "inverted": quotient("compressed over original", lambda original, compressed: compressed / original),
        "saved": quotient("1 − compressed/original", lambda original, compressed: 1 - compressed / original),
        "integer division": quotient("rounded down", lambda original, compressed: original // compressed),
        "rounded up": quotient("to an integer", lambda original, compressed: -(-original // compressed)),
        "percent": quotient("100 times as much", lambda original, compressed: 100 * original / compressed),
        "reciprocal": quotient(
            "multiplied by 1/compressed, which rounds twice", lambda original, compressed: original * (1 / compressed)),
        "precision: single": quotient(
            "in float32", lambda original, compressed: np.float32(original) / np.float32(compressed)),
    },
    provenance="tests/oracles/ledger.py, a Fraction rounded once",
)  # fmt: skip

STEM = Stem({"entry": ENTRY, "unused_bits": UNUSED, "ratio": RATIO})
