"""Vectors of fixed-point quantization: codes with f bits after the binary point, their weights, and the finest f."""

import math
from fractions import Fraction

import numpy as np

from tests.oracles import fixed_point as oracle
from tests.vectors.specification import Function, Mutant, Stem


def exact(value):
    return Fraction(float(value))


def quantize_candidates(convention):
    for dtype in (np.float32, np.float64):
        largest = float(np.finfo(dtype).max)
        for w, fraction_bits, bits in (
            ([-9.0, -0.3, 0.125, 0.3], 2, 4),
            ([0.5, 1.5, 2.5], 0, 4),
            ([-2.5, -1.5, -0.4], 0, 4),
            ([-0.375, 0.375, 0.125], 2, 4),
            ([-0.7, 0.7], 3, 8),
            ([-9.0, 9.0], 3, 4),
            ([-5.0, 5.0], 2, 4),
            ([-1.0, -2.0], 0, 1),
            ([-300.0, 300.0], 0, 8),
            ([-300.0, 300.0], 0, 16),
            ([-5e4, 5e4], 0, 16),
            ([-3e9, 3e9], 0, 8),
            ([-largest, largest], 126, 8),
            ([-(2.0**-40), 3 * 2.0**-40], 40, 8),
            ([0.49999997], 0, 4),
            ([1.5 * 2.0**-127], 126, 4),
            ([0.5 - 2.0**-40], 0, 8),
            ([0.5 + 2.0**-40, -0.5 - 2.0**-40], 0, 8),
        ):
            yield {"w": np.array(w, dtype), "fraction_bits": fraction_bits, "bits": bits}


def codes(values, bits):
    """Of the type that holds them; a wrong variant's may be any int32."""
    values = np.array([int(value) for value in values], np.int64)
    half = 2 ** (bits - 1)
    narrow = values.min() >= -half and values.max() < half
    return {"q": values.astype((np.int8 if bits <= 8 else np.int16) if narrow else np.int32)}


def right(convention, w, fraction_bits, bits, rule="half_even"):
    return codes([oracle.code(exact(x), fraction_bits, bits, rule) for x in w], bits)


def rule(name, sentence):
    return Mutant(sentence, lambda convention, w, fraction_bits, bits: right(convention, w, fraction_bits, bits, name))


def to_int64(t):
    """As a conversion makes it, which takes what has no place for the smallest."""
    return [int(x) if abs(x) < 2.0**63 else -(2**63) for x in t.astype(np.float64).tolist()]


def to_int32(t):
    return [x if abs(x) < 2**31 else -(2**31) for x in to_int64(t)]


def scaled(sentence, function, rounded=np.rint):
    """A variant with something else for w·2^f, or another rounding of it."""

    def answer(convention, w, fraction_bits, bits):
        with np.errstate(over="ignore"):
            t = rounded(function(w, fraction_bits))
        return codes(np.clip(t, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1), bits)

    return Mutant(sentence, answer)


def ends(sentence, end):
    """A variant from end(round(w·2^f), 2^(bits − 1), f)."""

    def answer(convention, w, fraction_bits, bits):
        with np.errstate(over="ignore"):
            t = np.rint(np.ldexp(w, fraction_bits))
        return codes(end(t, 2 ** (bits - 1), fraction_bits), bits)

    return Mutant(sentence, answer)


def wrapped(t, half, fraction_bits):
    return [(x + half) % (2 * half) - half for x in to_int64(t)]


def flushed(w, fraction_bits):
    return np.ldexp(np.where(np.abs(w) < 2.0**-126, 0, w), fraction_bits)


QUANTIZE = Function(
    summary="fixed-point codes: clip(round(w · 2^f), −2^(bits−1), 2^(bits−1) − 1), ties to even; the product is exact",
    parameters={
        "w": "(n,) float32 or float64 array, weights",
        "fraction_bits": "int from 0 to 126, f",
        "bits": "int from 1 to 16, the sign bit included",
    },
    returns={"q": "(n,) array of codes, of any signed integer type of at least that many bits"},
    candidates=quantize_candidates,
    expected=right,
    mutants={
        "ties: half away from zero": rule("half_away", "2.5 becomes 3, −2.5 becomes −3"),
        "ties: half up": rule("half_up", "2.5 becomes 3, −2.5 becomes −2"),
        "ties: half down": rule("half_down", "1.5 becomes 1, −1.5 becomes −2"),
        "ties: half toward zero": rule("half_toward_zero", "1.5 becomes 1, −1.5 becomes −1"),
        "rounding: floor": rule("floor", "an arithmetic shift to the right"),
        "rounding: ceil": rule("ceil", "rounds up"),
        "rounding: toward zero": rule("toward_zero", "truncates"),
        "(int)(t + ½)": scaled(
            "½ is added, also to what is negative, and the sum truncated",
            lambda w, f: np.ldexp(w, f) + w.dtype.type(0.5), np.trunc),
        "⌊t + ½⌋": scaled("the float below ½ becomes 1", lambda w, f: np.ldexp(w, f) + w.dtype.type(0.5), np.floor),
        "decimal places": scaled("w · 10^f", lambda w, f: w * w.dtype.type(10.0 ** min(f, 30))),
        "one bit more": scaled("w · 2^(f + 1)", lambda w, f: np.ldexp(w, f + 1)),
        "inverse": scaled("w · 2^−f", lambda w, f: np.ldexp(w, -f)),
        "1 << f in 32 bits": scaled("f is taken modulo 32", lambda w, f: np.ldexp(w, f % 32)),
        "subnormals are zero": scaled("flushed before they are multiplied", flushed),
        "dtype: float32 inside": scaled(
            "float64 weights by way of float32", lambda w, f: np.ldexp(w.astype(np.float32), f)),
        "saturation missing": ends("codes wrap around", wrapped),
        "by way of int32": ends(
            "what is beyond becomes −2³¹ and is clipped", lambda t, half, f: np.clip(to_int32(t), -half, half - 1)),
        "narrow range": ends("−2^(bits−1) is not used", lambda t, half, f: np.clip(t, -max(half - 1, 1), half - 1)),
        "one code too many": ends("2^(bits−1) is used", lambda t, half, f: np.clip(t, -half, half)),
        "unsigned": ends("0 to 2^bits − 1", lambda t, half, f: np.clip(t, 0, 2 * half - 1)),
        "sign bit not counted": ends("±2^bits", lambda t, half, f: np.clip(t, -2 * half, 2 * half - 1)),
        "fraction bits not counted": ends(
            "bits are those before the point",
            lambda t, half, f: np.clip(t, -half * 2 ** min(f, 9), half * 2 ** min(f, 9) - 1)),
        "whole type": ends("saturates at the ends of int8 or int16", lambda t, half, f: (
            np.clip(t, -128, 127) if half <= 128 else np.clip(t, -32768, 32767))),
        "one byte": ends(
            "saturates at −128 and 127", lambda t, half, f: np.clip(t, -min(half, 128), min(half, 128) - 1)),
    },
    provenance="tests/oracles/fixed_point.py, Fraction",
    holds=lambda inputs: {"q": (-(2 ** (inputs["bits"] - 1)), 2 ** (inputs["bits"] - 1) - 1)},
)  # fmt: skip


def dequantize_candidates(convention):
    for q, fraction_bits in (
        ([-8, -1, 0, 1], 2),
        ([-128, 127], 7),
        ([3, -3], 0),
        ([1, -1], 126),
        ([5, -5], 40),
        ([-32768, 32767, 2049], 15),
    ):
        yield {"q": np.array(q, np.int8 if max(q) < 128 else np.int16), "fraction_bits": fraction_bits}


def values(sentence, function, *formats):
    """A variant from function(q, f), of all formats or some."""

    def answer(convention, q, fraction_bits):
        return {"w": np.asarray(function(q, fraction_bits), convention)}

    return Mutant(sentence, answer, lambda convention: not formats or convention in formats)


def another_format(name):
    def answer(convention, q, fraction_bits):
        return {"w": np.ldexp(q.astype(name), -fraction_bits)}

    return Mutant(f"the result is {name}", answer, lambda convention: convention != name)


DEQUANTIZE = Function(
    summary="weights from fixed-point codes: q · 2^−f, exactly, in the convention's format",
    parameters={"q": "(n,) int8 or int16 array, codes", "fraction_bits": "int from 0 to 126, f"},
    returns={"w": "(n,) array of the convention's format"},
    conventions=(("float32",), ("float64",)),
    candidates=dequantize_candidates,
    expected=lambda convention, q, fraction_bits: {
        "w": np.array([float(oracle.value(int(k), fraction_bits)) for k in q], convention)},
    mutants={
        "inverse": values("q · 2^f", lambda q, f: np.ldexp(q.astype(float), f)),
        "decimal places": values("q · 10^−f", lambda q, f: q * 10.0 ** -min(f, 30)),
        "one bit less": values("q · 2^(1 − f)", lambda q, f: np.ldexp(q.astype(float), 1 - f)),
        "shift of integers": values(
            "q >> f: what is after the point is lost", lambda q, f: q.astype(int) >> min(f, 63)),
        "1 << f in 32 bits": values("f is taken modulo 32", lambda q, f: np.ldexp(q.astype(float), -(f % 32))),
        "unsigned codes": values(
            "the sign bit adds", lambda q, f: np.ldexp(q.view(f"u{q.itemsize}").astype(float), -f)),
        "sign lost": values("|q|", lambda q, f: np.ldexp(np.abs(q.astype(float)), -f)),
        "float16 inside": values(
            "the step is rounded to float16", lambda q, f: q * float(np.float16(2.0**-f))),
        "float16 codes": values(
            "codes of more than 11 bits are rounded", lambda q, f: np.ldexp(q.astype(np.float16).astype(float), -f)),
        "dtype: float32": another_format("float32"),
        "dtype: float64": another_format("float64"),
    },
    provenance="tests/oracles/fixed_point.py, Fraction",
)  # fmt: skip


def ranges(convention):
    for dtype in (np.float32, np.float64):
        for low, high, bits in (
            (-0.5, 0.4, 4),
            (-1.0, 0.99, 8),
            (-1.0, 1.0, 8),
            (0.0, 127.5 / 128, 8),
            (-128.5 / 128, 0.0, 8),
            (0.0, 0.0, 8),
            (0.0, 0.0, 1),
            (-0.75, 0.0, 1),
            (0.0, 127.25, 8),
            (5.0, 6.0, 4),
            (-6.0, -5.0, 4),
            (-3.0, 0.125, 4),
            (0.25, 3.75, 4),
            (-0.001, 0.0007, 8),
            (0.0, 2.0**-40, 8),
            (0.0, 2.0**-126, 8),
            (-1000.0, 1.0, 16),
        ):
            yield {"low": dtype(low), "high": dtype(high), "bits": bits}


def found(f):
    return {"fraction_bits": np.int64(f)}


def search(sentence, fits, rounded=round):
    """A variant with another test: fits(low's code, high's code, 2^(bits − 1)) under the largest f from 0 to 126."""

    def answer(convention, low, high, bits):
        if low == high == 0:
            return found(bits - 1)
        codes = [(rounded(exact(low) * 2**f), rounded(exact(high) * 2**f)) for f in range(127)]
        return found(max([f for f, ends in enumerate(codes) if fits(*ends, 2 ** (bits - 1))], default=-1))

    return Mutant(sentence, answer)


def after(sentence, function):
    """A variant from function(the right f, low, high, bits)."""

    def answer(convention, low, high, bits):
        return found(function(oracle.largest_fraction_bits(exact(low), exact(high), bits), low, high, bits))

    return Mutant(sentence, answer)


def logarithm(f, low, high, bits):
    largest = max(abs(float(low)), abs(float(high)))
    return bits - 1 - math.ceil(math.log2(largest)) if largest else bits - 1


def inside(a, b, half):
    return a >= -half and b <= half - 1


def nearest_away(x):
    return int(math.copysign(math.floor(abs(x) + Fraction(1, 2)), x))


LARGEST = Function(
    summary="the finest binary point at which no weight from low to high saturates, rounding half to even",
    parameters={
        "low": "float32 or float64 scalar",
        "high": "scalar of low's dtype, not below low",
        "bits": "int from 1 to 16, the sign bit included",
    },
    returns={"fraction_bits": "integer from 0 to 126; bits − 1 where low = high = 0"},
    candidates=ranges,
    expected=lambda convention, low, high, bits: found(oracle.largest_fraction_bits(exact(low), exact(high), bits)),
    mutants={
        "not rounded": search("the ends themselves must not be beyond the codes", inside, Fraction),
        "ties: half away from zero": search("low saturates at a tie", inside, nearest_away),
        "high alone": search("low is not asked", lambda a, b, half: b <= half - 1),
        "low alone": search("high is not asked", lambda a, b, half: a >= -half),
        "magnitudes": search(
            "max(|low|, |high|) must fit the positive codes", lambda a, b, half: max(-a, b) <= half - 1),
        "high may be 2^(bits−1)": search("one code too many", lambda a, b, half: a >= -half and b <= half),
        "sign bit not counted": search(
            "codes of one bit more", lambda a, b, half: a >= -2 * half and b <= 2 * half - 1),
        "width": search("high − low must fit 2^bits − 1 steps", lambda a, b, half: b - a <= 2 * half - 1),
        "logarithm": after("bits − 1 − ⌈log₂ max(|low|, |high|)⌉", logarithm),
        "one less": after("the search stops too early", lambda f, low, high, bits: max(f - (low < high), 0)),
        "at most bits − 1": after("a bit before the point is kept", lambda f, low, high, bits: min(f, bits - 1)),
        "at most 31": after("as many as an int32 has", lambda f, low, high, bits: min(f, 31)),
        "zeros: the largest": after("126", lambda f, low, high, bits: 126 if low == high == 0 else f),
        "zeros: none": after("0", lambda f, low, high, bits: 0 if low == high == 0 else f),
    },
    provenance="tests/oracles/fixed_point.py, Fraction",
    holds=lambda inputs: {"fraction_bits": (0, 126)},
)  # fmt: skip

STEM = Stem({"quantize": QUANTIZE, "dequantize": DEQUANTIZE, "largest_fraction_bits": LARGEST})
