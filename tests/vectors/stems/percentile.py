"""Vectors of percentiles: which value is the k-th, and where between two values an interpolated one lies.

Interpolated ones are at positions with few binary digits and between integers, so that nothing is rounded.
"""

from fractions import Fraction
from math import ceil, floor

import numpy as np

from tests.oracles import percentile as oracle
from tests.vectors.specification import Function, Mutant, Stem

CONVENTIONS = ("kth",), ("interpolated",)
TEN = [7, 3, 9, 1, 5, 10, 2, 8, 4, 6]
POWERS = [16, 1, 8, 4, 2]

INPUTS = {
    "kth": (
        (np.float32, TEN, 10, 90),
        (np.float32, TEN, 15, 85),
        (np.float32, TEN, 16, 84),
        (np.float32, TEN, 6, 94),
        (np.float32, TEN, 10.5, 75),
        (np.float32, TEN, 70, 100),  # 0.01·70·10 is 7.000000000000001
        (np.float32, [3, 4, 8, 6], 25, 62.5),
        (np.float32, [-4, 3, -2, 1], 30, 75),
        (np.float32, [-8, -2, -4, -6], 25, 75),
        (np.float32, [[4, 9, 2], [3, 5, 7]], 20, 80),
        (np.float32, [2, 2, 2, 8, 4], 40, 60),
        (np.float32, [5], 50, 99.9),
        (np.float64, [0.7, 0.1, -0.3], 10, 99),
    ),
    "interpolated": (
        (np.float32, POWERS, 0, 100),
        (np.float32, POWERS, 25, 75),
        (np.float32, POWERS, 37.5, 62.5),
        (np.float32, POWERS, 12.5, 81.25),
        (np.float32, POWERS, 6.25, 93.75),
        (np.float32, [10, 0], 25, 75),
        (np.float32, [-4, 3, -2], 25, 62.5),
        (np.float32, [-16, -2, -8, -4, -1], 12.5, 75),
        (np.float32, [[4, 9, 3], [2, 7, 5], [8, 1, 12]], 6.25, 78.125),
        (np.float32, [2, 2, 2, 8, 4], 37.5, 93.75),
        (np.float32, [5], 50, 75),
        (np.float64, [0.1, 16777217, -0.3], 0, 100),
    ),
}


def candidates(convention):
    for dtype, values, low, high in INPUTS[convention]:
        yield {"x": np.array(values, dtype), "low_p": np.float64(low), "high_p": np.float64(high)}


def right(convention, values, p, side):
    """The percentile of a list: its end "low" or "high"."""
    if convention == "interpolated":
        return oracle.interpolated(values, p)
    return oracle.kth(values, {"low": oracle.low_k, "high": oracle.high_k}[side](p, len(values)))


def ranged(convention, x, low_p, high_p, end=right, of=np.ravel):
    """Both ends; wrong variants have another end, or another list of values."""
    values = of(x).ravel().tolist()
    low, high = (end(convention, values, float(p), side) for p, side in ((low_p, "low"), (high_p, "high")))
    return {"low": x.dtype.type(float(low)), "high": x.dtype.type(float(high))}


def by_k(low=oracle.low_k, high=oracle.high_k):
    """Another k, from 1; the first or last value where there is none."""

    def end(convention, values, p, side):
        k = {"low": low, "high": high}[side](p, len(values))
        return sorted(values)[min(max(k, 1), len(values)) - 1]

    return end


def at(h=lambda p, n: p * (n - 1), mix=lambda a, b, t: a + (b - a) * t):
    """Another position, from 0, or another mixture of the values on both sides of it."""

    def end(convention, values, p, side):
        v, last = sorted(values), len(values) - 1
        position = min(max(h(Fraction(p) / 100, len(v)), 0), last)
        i = floor(position)
        return mix(v[i], v[min(i + 1, last)], position - i)

    return end


def more(k, added):
    return lambda p, n: k(p, n) + added


def unsorted(convention, values, p, side):
    """The place of the right value, in the list as it is."""
    places = [float(v) for v in range(len(values))]
    h = float(right(convention, places, p, side))
    i = floor(h)
    return values[i] + (values[min(i + 1, len(values) - 1)] - values[i]) * (h - i)


def downward(convention, values, p, side):
    return -right(convention, [-v for v in values], p, side)


def once(convention, values, p, side):
    return right(convention, sorted(set(values)), p, side)


def percent_as_fraction(convention, values, p, side):
    return right(convention, values, min(100 * p, 100.0), side)


def of_the_range(convention, values, p, side):
    return min(values) + (max(values) - min(values)) * p / 100


BOTH = ("kth", "interpolated")
MUTANTS = {
    "k + 1": ("the index k counts from 0", by_k(more(oracle.low_k, 1), more(oracle.high_k, 1)), "kth"),
    "k − 1": ("the value before the k-th", by_k(more(oracle.low_k, -1), more(oracle.high_k, -1)), "kth"),
    "high k: ceil": ("⌈p/100·n⌉ from above too", by_k(high=oracle.low_k), "kth"),
    "high k: floor": ("⌊p/100·n⌋ from above", by_k(high=lambda p, n: floor(0.01 * p * n)), "kth"),
    "high k: ties to even": (
        "p/100·n is rounded to the even k at a tie", by_k(high=lambda p, n: round(0.01 * p * n)), "kth"),
    "h = p·n": ("n instead of n − 1", at(lambda p, n: p * n), "interpolated"),
    "lower": ("h is cut off", at(mix=lambda a, b, t: a), "interpolated"),
    "method: kth": ("the k-th value, nothing interpolated", by_k(), "interpolated"),
    "method: interpolated": ("between two values", at(), "kth"),
    "not sorted": ("the places are those of the values as they come", unsorted, *BOTH),
    "percent as a fraction": (
        "p is not divided by 100, and what is beyond the values is the last", percent_as_fraction, *BOTH),
    "of the range": ("that share of the way from the smallest to the largest value", of_the_range, *BOTH),
}  # fmt: skip
OF_RANGES = {
    "high k: ties down": ("⌈p/100·n − ½⌉ from above", by_k(high=lambda p, n: ceil(0.01 * p * n - 0.5)), "kth"),
    "h = p·n − 1": ("positions count from 1 (definition 4)", at(lambda p, n: p * n - 1), "interpolated"),
    "h = p·n − ½": (
        "values stand for what is around them (definition 5)", at(lambda p, n: p * n - Fraction(1, 2)), "interpolated"),
    "h = p·(n + 1) − 1": ("definition 6", at(lambda p, n: p * (n + 1) - 1), "interpolated"),
    "higher": ("h is rounded up", at(mix=lambda a, b, t: b if t else a), "interpolated"),
    "nearest": (
        "h is rounded to the nearest, ties upward", at(mix=lambda a, b, t: b if 2 * t >= 1 else a), "interpolated"),
    "midpoint": ("the mean of both neighbours", at(mix=lambda a, b, t: (a + b) / 2 if t else a), "interpolated"),
    "weights exchanged": (
        "each neighbour has the other's weight", at(mix=lambda a, b, t: b + (a - b) * t), "interpolated"),
    "sorted downward": ("the places count from the largest value", downward, *BOTH),
    "equal values once": ("the places are those among the different values", once, *BOTH),
    "low k: round": ("⌊p′/100·n + ½⌋ from below too", by_k(low=oracle.high_k), "kth"),
    "low k: floor": ("⌊p′/100·n⌋ from below", by_k(low=lambda p, n: floor(0.01 * p * n)), "kth"),
    "low k: floor + 1": ("⌊p′/100·n⌋ + 1 from below", by_k(low=lambda p, n: floor(0.01 * p * n) + 1), "kth"),
    "low k: p′/100": ("p′ is divided by 100, not multiplied by 0.01", by_k(low=lambda p, n: ceil(p / 100 * n)), "kth"),
}  # fmt: skip


def mutants(answer, table):
    """Mutants of a function whose answer(end) is a variant with another end."""
    return {
        name: Mutant(sentence, answer(end), lambda convention, where=where: convention in where)
        for name, (sentence, end, *where) in table.items()
    }


def on(of):
    return lambda convention, x, low_p, high_p: ranged(convention, x, low_p, high_p, of=of)


def with_zero(convention, x, low_p, high_p):
    found = ranged(convention, x, low_p, high_p)
    return {**found, "low": min(found["low"], x.dtype.type(0))}


def exchanged(convention, x, low_p, high_p):
    found = ranged(convention, x, low_p, high_p)
    return {"low": found["high"], "high": found["low"]}


def first_row(x):
    return np.atleast_2d(x)[0]


def without_last(x):
    return x.ravel()[:-1] if x.size > 1 else x


METHODS = (
    "kth: the k-th smallest value, k = ⌊(0.01·p)·n + ½⌋ for the high end and ⌈(0.01·p)·n⌉ for the low one, in float64; "
    "interpolated: linearly between two values at the place p/100·(n − 1), from 0, in float64, rounded once"
)
PERCENTILE = Function(
    summary=f"the range between two percentiles; {METHODS}",
    parameters={
        "x": "float32 or float64 array of any shape, n values",
        "low_p": "float64 scalar from 0 to high_p, percent",
        "high_p": "float64 scalar up to 100, percent; not always 100 − low_p",
    },
    returns={"low": "scalar of x's dtype", "high": "scalar of x's dtype"},
    conventions=CONVENTIONS,
    candidates=candidates,
    expected=ranged,
    mutants={
        **mutants(lambda end: lambda *c, **inputs: ranged(*c, **inputs, end=end), {**MUTANTS, **OF_RANGES}),
        "low_p ignored": Mutant(
            "100 − high_p in its place", lambda c, x, low_p, high_p: ranged(c, x, max(100 - high_p, 1), high_p)),
        "of the magnitudes": Mutant("percentiles of |x|", on(np.abs)),
        "0 is put in": Mutant("low is at most 0", with_zero),
        "ends exchanged": Mutant("high comes first", exchanged),
        "first row": Mutant("only the first row is looked at", on(first_row)),
        "off by one: last value": Mutant("the last value is left out", on(without_last)),
        "nothing is left out": Mutant(
            "the smallest and the largest value", lambda c, x, low_p, high_p: ranged("interpolated", x, 0, 100)),
        "dtype: float64": Mutant(
            "the ends are float64 whatever x is", lambda c, x, **p: ranged(c, x.astype(np.float64), **p)),
        "dtype: float32": Mutant(
            "the ends are float32 whatever x is", lambda c, x, **p: ranged(c, x.astype(np.float32), **p)),
    },
    provenance="tests/oracles/percentile.py, Fraction",
)  # fmt: skip


def magnitude_candidates(convention):
    for inputs in candidates(convention):
        yield {"x": inputs["x"], "p": inputs["high_p"]}


def magnitude(convention, x, p, end=right, of=np.abs):
    return {"a": x.dtype.type(float(end(convention, of(x).ravel().tolist(), float(p), "high")))}


def larger_end(convention, x, p):
    """The larger magnitude of both ends of the range that leaves out half as much on each side."""
    found = ranged("interpolated", x, 50 - p / 2, 50 + p / 2)
    return {"a": max(abs(found["low"]), abs(found["high"]))}


ABSOLUTE = Function(
    summary="a percentile of the magnitudes, end of a symmetric range: the high end that percentile has for them",
    parameters={
        "x": "float32 or float64 array of any shape, n values",
        "p": "float64 scalar from 0 to 100, percent",
    },
    returns={"a": "scalar of x's dtype"},
    conventions=CONVENTIONS,
    candidates=magnitude_candidates,
    expected=magnitude,
    mutants={
        **mutants(lambda end: lambda *c, **inputs: magnitude(*c, **inputs, end=end), MUTANTS),
        "|·| dropped": Mutant("the percentile of the values", lambda c, x, p: magnitude(c, x, p, of=lambda x: x)),
        "|·| of the percentile": Mutant(
            "the magnitude of the percentile of the values",
            lambda c, x, p: {"a": abs(magnitude(c, x, p, of=lambda x: x)["a"])}),
        "both ends": Mutant("the larger magnitude of the ends that leave out (100 − p)/2 percent each", larger_end),
        "nothing is left out": Mutant("the largest magnitude", lambda c, x, p: magnitude("interpolated", x, 100)),
        "first row": Mutant(
            "only the first row is looked at", lambda c, x, p: magnitude(c, x, p, of=lambda x: abs(first_row(x)))),
        "off by one: last value": Mutant(
            "the last value is left out", lambda c, x, p: magnitude(c, x, p, of=lambda x: abs(without_last(x)))),
        "dtype: float64": Mutant(
            "the result is float64 whatever x is", lambda c, x, p: magnitude(c, x.astype(np.float64), p)),
        "dtype: float32": Mutant(
            "the result is float32 whatever x is", lambda c, x, p: magnitude(c, x.astype(np.float32), p)),
    },
    provenance="tests/oracles/percentile.py, Fraction",
)  # fmt: skip

STEM = Stem({"percentile": PERCENTILE, "absolute": ABSOLUTE})
