"""Vectors of decimal quantization: codes of b places after the point, and their weights."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np

from tests.oracles import decimal as oracle
from tests.vectors.specification import Function, Mutant, Stem

LIMIT = 2**53


def exact(value):
    return Fraction(float(value))


def quantize_candidates(convention):
    for dtype in (np.float32, np.float64):
        for w, places in (
            ([-0.126, 0.125, 1.0], 2),
            ([0.5, 1.5, 2.5], 0),
            ([-0.125, 0.125, 0.375], 2),
            ([-2.5, -1.5, -0.4], 0),
            ([0.7, -0.7], 1),
            ([0.045], 2),
            ([1.005], 2),
            ([0.49999997], 0),
            ([0.575], 2),
            ([-3e9, 3e9], 0),
            ([1000.25, -70.5], 5),
            ([-0.003, 0.003], 6),
            ([2.0, -1.5], 12),
        ):
            yield {"w": np.array(w, dtype), "places": places}
    generator = np.random.default_rng(4)
    for dtype in (np.float32, np.float64):
        for places in (1, 2, 3, 5) * 30:
            tie = int(generator.integers(1, 10 ** min(places + 1, 5))) + Fraction(1, 2)
            yield {"w": np.array([float(tie / 10**places)], dtype), "places": places}


def codes(values):
    return {"q": np.array([int(value) for value in values], np.int64)}


def right(convention, w, places, rule="half_even", name=None):
    return codes(oracle.float_code(exact(x), places, rule, name or w.dtype.name) for x in w)


def rule(name, sentence):
    return Mutant(sentence, lambda convention, w, places: right(convention, w, places, name))


def product(sentence, function, rounded=np.rint):
    """A variant with something else for w·10^b, or another rounding of it."""
    return Mutant(sentence, lambda convention, w, places: codes(rounded(function(w, places)).tolist()))


def times(w, places):
    return w * w.dtype.type(10**places)


def step_by_step(w, places):
    for _ in range(places):
        w = w * w.dtype.type(10)
    return w


def as_printed(convention, w, places):
    """The shortest decimal, which is what a reader sees."""
    unit = Decimal(1).scaleb(-places)
    return codes(Decimal(str(x)).quantize(unit, ROUND_HALF_EVEN).scaleb(places) for x in w)


def exactly(convention, w, places):
    return codes(oracle.code(exact(x), places, "half_even") for x in w)


def by_way_of(low, high):
    def answer(convention, w, places):
        return codes(min(max(q, low), high) for q in right(convention, w, places)["q"].tolist())

    return answer


QUANTIZE = Function(
    summary="codes of the decimal scheme: round(w · 10^places), ties to even; "
    "10^places and the product are each rounded to w's dtype",
    parameters={"w": "(n,) float32 or float64 array, weights", "places": "int from 0 to 15, after the point"},
    returns={"q": "(n,) array of codes, of any integer type that holds −2^53 to 2^53"},
    candidates=quantize_candidates,
    expected=right,
    mutants={
        "ties: half away from zero": rule("half_away", "2.5 becomes 3, −2.5 becomes −3"),
        "ties: half up": rule("half_up", "2.5 becomes 3, −2.5 becomes −2"),
        "ties: half down": rule("half_down", "1.5 becomes 1, −1.5 becomes −2"),
        "ties: half toward zero": rule("half_toward_zero", "1.5 becomes 1, −1.5 becomes −1"),
        "rounding: floor": rule("floor", "rounds down"),
        "rounding: ceil": rule("ceil", "rounds up"),
        "rounding: toward zero": rule("toward_zero", "truncates"),
        "(int)(t + ½)": product(
            "½ is added, also to what is negative, and the sum truncated",
            lambda w, places: times(w, places) + w.dtype.type(0.5), np.trunc),
        "binary places": product("w · 2^places", lambda w, places: w * w.dtype.type(2**places)),
        "one place more": product("w · 10^(places + 1)", lambda w, places: times(w, places + 1)),
        "power inverted": product("w · 10^−places", lambda w, places: w / w.dtype.type(10**places)),
        "divided by the step": product("w / 10^−places", lambda w, places: w / w.dtype.type(float(f"1e-{places}"))),
        "ten by ten": product("a rounded product by 10 for every place", step_by_step),
        "dtype: float64 inside": product(
            "float32 weights, their product not rounded", lambda w, places: times(w.astype(np.float64), places)),
        "dtype: float32 inside": product(
            "float64 weights by way of float32", lambda w, places: times(w.astype(np.float32), places)),
        "exact product": Mutant("not rounded before the ties are looked for", exactly),
        "as printed": Mutant("the shortest decimal of w is rounded", as_printed),
        "sign lost": product("codes of |w|", lambda w, places: times(np.abs(w), places)),
        "fraction alone": product(
            "what is before the point is dropped", lambda w, places: times(w - np.trunc(w), places)),
        "by way of int8": Mutant("codes saturate at −128 and 127", by_way_of(-128, 127)),
        "by way of int32": Mutant("codes saturate at ±2³¹", by_way_of(-(2**31), 2**31 - 1)),
        "unsigned": Mutant("codes saturate at 0", by_way_of(0, LIMIT)),
    },
    provenance="tests/oracles/decimal.py, Fraction",
    holds=lambda inputs: {"q": (-LIMIT, LIMIT)},
)  # fmt: skip


def dequantize_candidates(convention):
    for q, places in (
        ([-13, 12, 100], 2),
        ([3], 1),
        ([7, -7], 0),
        ([-1, 1], 15),
        ([3 * 10**9, -3], 3),
        ([2**24 + 1], 2),
        ([1234567, -1234567], 6),
    ):
        yield {"q": np.array(q, np.int64), "places": places}
    generator = np.random.default_rng(6)
    for places in (1, 2, 3, 5, 7, 12) * 12:
        yield {"q": generator.integers(-(2**30), 2**30, 2), "places": places}


def values(sentence, function, *formats):
    """A variant from function(q, places, the format's type), of all formats or some."""

    def answer(convention, q, places):
        return {"w": function(q, places, np.dtype(convention).type)}

    return Mutant(sentence, answer, lambda convention: not formats or convention in formats)


def step(places, dtype):
    return dtype(float(f"1e-{places}"))


def step_of_steps(q, places, dtype):
    s = dtype(1)
    for _ in range(places):
        s = s * dtype(0.1)
    return s * q.astype(dtype)


DEQUANTIZE = Function(
    summary="weights from decimal codes: s·q, s = 10^−places; s, q and the product are each rounded to the "
    "convention's format",
    parameters={"q": "(n,) int64 array, codes", "places": "int from 0 to 15, after the point"},
    returns={"w": "(n,) array of the convention's format"},
    conventions=(("float32",), ("float64",)),
    candidates=dequantize_candidates,
    expected=lambda convention, q, places: {
        "w": np.array([float(oracle.float_value(int(k), places, convention)) for k in q], convention)},
    mutants={
        "divided by the power": values("q / 10^places", lambda q, places, dtype: q.astype(dtype) / dtype(10**places)),
        "binary places": values("q · 2^−places", lambda q, places, dtype: q.astype(dtype) * dtype(2.0**-places)),
        "one place less": values(
            "q · 10^(1 − places)", lambda q, places, dtype: step(places, dtype) * dtype(10) * q.astype(dtype)),
        "power inverted": values("q · 10^places", lambda q, places, dtype: q.astype(dtype) * dtype(10**places)),
        "tenth by tenth": values("a rounded product by 0.1 for every place", step_of_steps),
        "sign lost": values("|q|", lambda q, places, dtype: step(places, dtype) * np.abs(q).astype(dtype)),
        "whole quotient": values("a division of integers", lambda q, places, dtype: (q // 10**places).astype(dtype)),
        "by way of int32": values(
            "codes saturate at ±2³¹",
            lambda q, places, dtype: step(places, dtype) * np.clip(q, -(2**31), 2**31 - 1).astype(dtype)),
        "dtype: float64 inside": values(
            "s and q are not rounded to float32",
            lambda q, places, dtype: (step(places, np.float64) * q).astype(dtype), "float32"),
        "dtype: float64": values("of the result", lambda q, places, dtype: step(places, np.float64) * q, "float32"),
        "dtype: float32 inside": values(
            "s and q are rounded to float32",
            lambda q, places, dtype: (step(places, np.float32) * q.astype(np.float32)).astype(dtype), "float64"),
        "dtype: float32": values(
            "of the result",
            lambda q, places, dtype: step(places, np.float32) * q.astype(np.float32), "float64"),
    },
    provenance="tests/oracles/decimal.py, Fraction",
)  # fmt: skip

STEM = Stem({"quantize": QUANTIZE, "dequantize": DEQUANTIZE})
