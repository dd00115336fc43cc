"""Vectors of the uniform scheme: codes of w = s·q + z, the weights of codes, and scale and offset of a range."""

from fractions import Fraction

import numpy as np

from tests.oracles import rounding as rounding_oracle
from tests.oracles import uniform as oracle
from tests.vectors.specification import Function, Mutant, Stem


def exact(value):
    return Fraction(float(value))


def scalars(dtype, *values):
    return tuple(dtype(value) for value in values)


def near_ties(count, dtype=np.float32):
    """One weight beside a tie each, where the last bit of the quotient decides."""
    generator = np.random.default_rng(7)
    for _ in range(count):
        s, z = (dtype(value) for value in generator.uniform(0.001, 0.02, 2))
        tie = int(generator.integers(20, 255)) + Fraction(1, 2)
        yield [float(exact(s) * tie + exact(z))], s, z


def quantize_candidates(convention):
    for dtype in (np.float32, np.float64):
        largest = float(np.finfo(dtype).max)
        for w, s, z, bits in (
            ([-1.0, 0.5, 7.0], 1.0, -1.0, 2),
            ([0.5, 1.5, 2.5], 1.0, 0.0, 3),
            ([-0.5, 0.4, 0.6, 9.0], 1.0, -1.0, 3),
            ([0.25, 0.75, 1.25], 0.5, 0.0, 2),
            ([1.0, 2.0, 3.0], 0.25, 0.5, 4),
            ([-2.0, 1.0, 2.0, 5.0], 1.0, -1.0, 1),
            ([-1.0, 9.0], 0.5, 0.25, 4),
            ([-3.0, 254.0, 260.0], 1.0, -2.0, 8),
            ([-3.0, 70000.0], 1.0, 0.0, 16),
            ([300.0, 40000.0], 1.0, 0.0, 16),
            ([-3e9, 3e9], 1.0, 0.0, 8),
            ([-largest, largest], 1.0, -largest, 4),
            ([0.49999997], 1.0, 0.0, 2),
            ([1.000001], 2.0**-30, 1.0, 8),  # z + 255·s rounds beyond code 255
        ):
            s, z = scalars(dtype, s, z)
            yield {"w": np.array(w, dtype), "s": s, "z": z, "bits": bits}
    # 127.49999 by division, 127.5 by the reciprocal
    s, z = scalars(np.float32, 0.00214854861, 0.0)
    yield {"w": np.array([0.273939937], np.float32), "s": s, "z": z, "bits": 8}
    for dtype in (np.float32, np.float64):
        for w, s, z in near_ties(150, dtype):
            yield {"w": np.array(w, dtype), "s": s, "z": z, "bits": 8}


def codes(values, bits):
    """Of the type that holds them; a wrong variant's may be any int32."""
    values = np.array([int(value) for value in values], np.int64)
    if values.min(initial=0) >= 0 and values.max(initial=0) < 2**bits:
        return {"q": values.astype(np.uint8 if bits <= 8 else np.uint16)}
    return {"q": values.astype(np.int32)}


def right(convention, w, s, z, bits, rule="half_even"):
    values = [oracle.float_code(exact(x), exact(s), exact(z), bits, rule, w.dtype.name) for x in w]
    return codes(values, bits)


def rule(name, sentence):
    return Mutant(sentence, lambda convention, w, s, z, bits: right(convention, w, s, z, bits, name))


def quotient(sentence, function, rounded=np.rint, end=None):
    """A variant with another quotient, another rounding of it, or another treatment of what is beyond the ends."""

    def answer(convention, w, s, z, bits):
        with np.errstate(all="ignore"):
            t = rounded(function(w, s, z))
            t = np.clip(np.nan_to_num(t), 0, 2**bits - 1) if end is None else end(t, 2**bits)
        return codes(t, bits)

    return Mutant(sentence, answer)


def plain(w, s, z):
    return (w - z) / s


def ends(sentence, end):
    return quotient(sentence, plain, end=end)


def int64(t):
    """As a conversion makes it, which takes what has no place for the smallest."""
    return [int(x) if abs(x) < 2.0**63 else -(2**63) for x in t.astype(np.float64).tolist()]


def int32(t):
    return [x if abs(x) < 2**31 else -(2**31) for x in int64(t)]


def wrapped(t, levels):
    return [x % levels for x in int64(t)]


def clipped_weights(convention, w, s, z, bits):
    top = z + s * s.dtype.type(2**bits - 1)
    return codes(np.rint(plain(np.clip(w, z, top), s, z)), bits)


def exactly(convention, w, s, z, bits):
    return codes([oracle.code(exact(x), exact(s), exact(z), bits, "half_even") for x in w], bits)


def rounded_once(convention, w, s, z, bits):
    quotients = [rounding_oracle.to_format((exact(x) - exact(z)) / exact(s), w.dtype.name) for x in w]
    if any(isinstance(t, float) for t in quotients):  # beyond all floats
        return None
    return codes([oracle.clip(rounding_oracle.to_integer(t, "half_even"), bits) for t in quotients], bits)


def halfway_added(w, s, z):
    return plain(w, s, z) + w.dtype.type(0.5)


def shifted(convention, w, s, z, bits):
    return {"q": right(convention, w, s, z, bits)["q"].astype(np.int32) - 2 ** (bits - 1)}


def by_way_of(dtype):
    def function(w, s, z):
        return (w.astype(dtype) - dtype(z)) / dtype(s)

    return function


QUANTIZE = Function(
    summary="codes of the uniform scheme: clip(round((w − z)/s), 0, 2^bits − 1), ties to even; "
    "difference and quotient are each rounded to w's dtype",
    parameters={
        "w": "(n,) float32 or float64 array, weights",
        "s": "scalar of w's dtype, > 0, scale",
        "z": "scalar of w's dtype, offset in the weights' unit",
        "bits": "int from 1 to 16",
    },
    returns={"q": "(n,) array of codes, of any integer type that holds 0 to 2^bits − 1"},
    candidates=quantize_candidates,
    expected=right,
    mutants={
        "ties: half away from zero": rule("half_away", "0.5 becomes 1"),
        "ties: half down": rule("half_down", "1.5 becomes 1"),
        "rounding: floor": rule("floor", "truncates"),
        "rounding: ceil": rule("ceil", "rounds up"),
        "⌊t + ½⌋": quotient("the float below ½ becomes 1", halfway_added, np.floor),
        "offset added": quotient("(w + z)/s", lambda w, s, z: (w + z) / s),
        "offset left out": quotient("w/s", lambda w, s, z: w / s),
        "offset in codes": quotient("w/s − z", lambda w, s, z: w / s - z),
        "integer zero point": quotient(
            "w/s + round(−z/s): 0 is moved onto a code", lambda w, s, z: w / s + np.rint(-z / s)),
        "rounded before the zero point": quotient(
            "round(w/s) + round(−z/s)", lambda w, s, z: np.rint(w / s) + np.rint(-z / s)),
        "two quotients": quotient("w/s − z/s", lambda w, s, z: w / s - z / s),
        "reciprocal": quotient("(w − z) · (1/s)", lambda w, s, z: (w - z) * (w.dtype.type(1) / s)),
        "multiplied by s": quotient("(w − z) · s", lambda w, s, z: (w - z) * s),
        "dtype: float64 inside": quotient("float32 weights, one rounding less", by_way_of(np.float64)),
        "exact difference and quotient": Mutant("(w − z)/s is not rounded before it becomes an integer", exactly),
        "exact difference": Mutant("the difference is not rounded before the quotient", rounded_once),
        "dtype: float32 inside": quotient("float64 weights, all of it in float32", by_way_of(np.float32)),
        "dtype: float16 scale": quotient(
            "s is rounded to float16", lambda w, s, z: (w - z) / s.astype(np.float16).astype(w.dtype)),
        "codes to 2^bits": ends("one too many", lambda t, n: np.clip(t, 0, n)),
        "codes to 2^bits − 2": ends("one too few", lambda t, n: np.clip(t, 0, max(n - 2, 1))),
        "codes from 1": ends("the first one is not used", lambda t, n: np.clip(t, 1, n - 1)),
        "codes to 255": ends("whatever the width", lambda t, n: np.clip(t, 0, 255)),
        "one byte": ends("codes of more than 8 bits lose the upper ones", lambda t, n: np.clip(t, 0, n - 1) % 256),
        "saturation missing": ends("codes wrap around", wrapped),
        "saturation missing below": ends(
            "codes wrap around", lambda t, n: [min(x, n - 1) if x > 0 else x % n for x in int64(t)]),
        "saturation missing above": ends("codes wrap around", lambda t, n: [max(x, 0) % n for x in int64(t)]),
        "by way of int32": ends(
            "what is beyond becomes −2³¹ before it is clipped", lambda t, n: np.clip(int32(t), 0, n - 1)),
        "weights clipped": Mutant("to z and z + s·(2^bits − 1), not the codes", clipped_weights),
        "signed codes": Mutant("2^(bits−1) is subtracted", shifted),
    },
    provenance="tests/oracles/uniform.py, Fraction",
    holds=lambda inputs: {"q": (0, 2 ** inputs["bits"] - 1)},
)  # fmt: skip


def dequantize_candidates(convention):
    for dtype in (np.float32, np.float64):
        for q, s, z, bits in (
            ([0, 1, 3], 0.5, -1.0, 2),
            ([0, 1, 2, 3], 0.25, 3.0, 2),
            ([0, 255], 0.5, -1.0, 8),
            ([1, 65535], 2.0, 1.0, 16),
            ([3], 0.1, 0.2, 4),
        ):
            s, z = scalars(dtype, s, z)
            yield {"q": codes(q, bits)["q"], "s": s, "z": z}
    generator = np.random.default_rng(3)
    for dtype in (np.float32, np.float64):
        for _ in range(60):
            s, z = scalars(dtype, generator.uniform(0.01, 1), generator.uniform(-9, 9))
            yield {"q": generator.integers(1, 256, 2).astype(np.uint8), "s": s, "z": z}


def values(sentence, function):
    """A variant from the codes as floats."""

    def answer(convention, q, s, z):
        return {"w": function(q.astype(s.dtype), s, z)}

    return Mutant(sentence, answer)


def fused(convention, q, s, z):
    name = s.dtype.name
    return {"w": np.array([float(rounding_oracle.to_format(exact(s) * int(k) + exact(z), name)) for k in q], s.dtype)}


def float64_inside(convention, q, s, z):
    if s.dtype == np.float64:
        return {"w": s * q + z}
    return {"w": (np.float64(s) * q + np.float64(z)).astype(s.dtype)}


DEQUANTIZE = Function(
    summary="weights from the codes of the uniform scheme: s·q + z, the product rounded to s's dtype before the sum",
    parameters={
        "q": "(n,) uint8 or uint16 array, codes",
        "s": "float32 or float64 scalar, scale",
        "z": "scalar of s's dtype, offset in the weights' unit",
    },
    returns={"w": "(n,) array of s's dtype"},
    candidates=dequantize_candidates,
    expected=lambda convention, q, s, z: {
        "w": np.array([float(oracle.float_value(int(k), exact(s), exact(z), s.dtype.name)) for k in q], s.dtype)},
    mutants={
        "offset subtracted": values("s·q − z", lambda q, s, z: s * q - z),
        "offset left out": values("s·q", lambda q, s, z: s * q),
        "offset in codes": values("s·(q + z)", lambda q, s, z: s * (q + z)),
        "offset subtracted in codes": values("s·(q − z)", lambda q, s, z: s * (q - z)),
        "q/s": values("q/s + z", lambda q, s, z: q / s + z),
        "middle of the step": values("s·(q + ½) + z", lambda q, s, z: s * (q + q.dtype.type(0.5)) + z),
        "fused multiply-add": Mutant("one rounding", fused),
        "dtype: float64 inside": Mutant("float32 weights, rounded once", float64_inside),
        "dtype: float64": values("the result, whatever s is", lambda q, s, z: (s * q + z).astype(np.float64)),
        "dtype: float32": values("the result, whatever s is", lambda q, s, z: (s * q + z).astype(np.float32)),
        "dtype: float32 inside": values(
            "float64 by way of float32",
            lambda q, s, z: (np.float32(s) * q.astype(np.float32) + np.float32(z)).astype(s.dtype)),
        "dtype: float16 scale": values(
            "s is rounded to float16", lambda q, s, z: s.astype(np.float16).astype(s.dtype) * q + z),
        "signed codes": Mutant(
            "the highest bit of a byte or word is taken for a sign",
            lambda convention, q, s, z: {"w": s * q.view(f"i{q.itemsize}").astype(s.dtype) + z}),
        "one byte": Mutant(
            "codes of more than 8 bits lose the upper ones",
            lambda convention, q, s, z: {"w": s * (q & 255).astype(s.dtype) + z}),
    },
    provenance="tests/oracles/uniform.py, Fraction",
)  # fmt: skip


def ranges(convention):
    for dtype in (np.float32, np.float64):
        for low, high, bits in (
            (0.0, 15.0, 4),
            (-1.0, 2.0, 2),
            (-8.0, -5.0, 1),
            (1.0, 2.5, 2),
            (-1.0, 2.0, 3),
            (0.0, 65535.0, 16),
            (0.25, 0.25, 8),
            (-3.0, -3.0, 2),
            (0.0, 0.0, 4),
            (1.0, 1.0 + 2.0**-20, 4),
        ):
            low, high = scalars(dtype, low, high)
            yield {"low": low, "high": high, "bits": bits}
    generator = np.random.default_rng(5)
    for dtype in (np.float32, np.float64):
        for bits in (3, 4, 7, 8) * 10:
            low, high = scalars(dtype, *np.sort(generator.uniform(-2, 2, 2)))
            yield {"low": low, "high": high, "bits": bits}
    for bits in (3, 4, 7, 8) * 5:  # a difference that float64 rounds
        low, high = scalars(np.float64, generator.uniform(0, 0.1), generator.uniform(1, 2))
        yield {"low": low, "high": high, "bits": bits}


def chosen(s, z, low):
    return {"s": low.dtype.type(s), "z": low.dtype.type(z)}


def scale_oracle(convention, low, high, bits):
    return chosen(float(oracle.float_scale(exact(low), exact(high), bits, low.dtype.name)), low, low)


def scale(sentence, function):
    """A variant from function(low, high, N) for ranges that are not constant."""

    def answer(convention, low, high, bits):
        if low == high:
            return scale_oracle(convention, low, high, bits)
        return chosen(*function(low, high, low.dtype.type(2**bits - 1)), low)

    return Mutant(sentence, answer)


def rounded_scale(low, high, levels):
    return float(rounding_oracle.to_format((exact(high) - exact(low)) / exact(levels), low.dtype.name))


def constant(sentence, function):
    """A variant of constant ranges alone."""

    def answer(convention, low, high, bits):
        if low != high:
            return scale_oracle(convention, low, high, bits)
        return chosen(*function(low, low.dtype.type(2**bits - 1)), low)

    return Mutant(sentence, answer)


def widened(low, high, levels):
    low, high = min(low, low.dtype.type(0)), max(high, low.dtype.type(0))
    return (high - low) / levels, low


SCALE = Function(
    summary="scale and offset of the uniform scheme over [low, high]: s = (high − low)/(2^bits − 1), z = low; "
    "difference and quotient are each rounded to low's dtype",
    parameters={
        "low": "float32 or float64 scalar",
        "high": "scalar of low's dtype, not below low",
        "bits": "int from 1 to 16",
    },
    returns={"s": "scalar of low's dtype; 1 where high = low", "z": "scalar of low's dtype"},
    candidates=ranges,
    expected=scale_oracle,
    mutants={
        "2^bits steps": scale("divided by the number of codes", lambda low, high, n: ((high - low) / (n + 1), low)),
        "2^bits − 2 steps": scale("a code is left out", lambda low, high, n: ((high - low) / max(n - 1, 1), low)),
        "reciprocal": scale("(high − low) · (1/N)", lambda low, high, n: ((high - low) * (1 / n), low)),
        "two quotients": scale("high/N − low/N", lambda low, high, n: (high / n - low / n, low)),
        "inverse": scale("N/(high − low)", lambda low, high, n: (n / (high - low), low)),
        "dtype: float64 inside": scale(
            "float32 ends, one rounding less", lambda low, high, n: ((np.float64(high) - low) / np.float64(n), low)),
        "exact difference": scale(
            "not rounded before the quotient", lambda low, high, n: (rounded_scale(low, high, n), low)),
        "dtype: float32 inside": scale(
            "float64 ends", lambda low, high, n: ((np.float32(high) - np.float32(low)) / np.float32(n), low)),
        "dtype: float16 scale": scale(
            "s is rounded to float16", lambda low, high, n: (np.float16((high - low) / n), low)),
        "symmetric": scale("2·max(|low|, |high|)/N", lambda low, high, n: (2 * max(abs(low), abs(high)) / n, low)),
        "range widened to 0": scale("min(low, 0) to max(high, 0)", widened),
        "z is the highest": scale("z = high", lambda low, high, n: ((high - low) / n, high)),
        "z is the middle": scale("z = (low + high)/2", lambda low, high, n: ((high - low) / n, (low + high) / 2)),
        "z has the other sign": scale("z = −low", lambda low, high, n: ((high - low) / n, -low)),
        "z in codes": scale(
            "an integer, round(−low/s)", lambda low, high, n: ((high - low) / n, np.rint(-low * n / (high - low)))),
        "constant: s = 0": constant("as the quotient gives it", lambda low, n: (0, low)),
        "constant: s = |low|/N": constant("a range from or to 0", lambda low, n: (abs(low) / n, low)),
        "constant: z = 0": constant("the value is lost", lambda low, n: (1, 0)),
        "constant: small s": constant("an epsilon for the range", lambda low, n: (np.finfo(low.dtype).eps, low)),
    },
    provenance="tests/oracles/uniform.py, Fraction",
)  # fmt: skip

STEM = Stem({"quantize": QUANTIZE, "dequantize": DEQUANTIZE, "scale_and_offset": SCALE})
