"""Vectors of the moving average of a range: one batch more, and all batches from the first one on."""

from fractions import Fraction

import numpy as np

from tests.oracles import moving_average as oracle
from tests.vectors.specification import Function, Mutant, Stem

CONVENTIONS = ("torch",), ("tensorflow",)
SLIPS = np.random.default_rng(0).integers(-99, 100, (60, 4)) / 10  # among them sums that the order of roundings changes


def update_inputs():
    yield np.float32, -1, 1, [-3, 0, 5], 0.25
    yield np.float32, -1, 1, [1, 2], 0.25
    yield np.float32, -1, 2, [-3, -2], 0.25
    yield np.float32, -2, 4, [-1, 3], 0.25
    yield np.float32, 1, 2, [3, 7], 0.5
    yield np.float32, -4, 2, [[-2, 1], [-8, 6]], 0.5
    yield np.float32, -1, 1, [2], 1.0
    yield np.float32, 0, 1, [2**-25, 1], 0.25
    yield np.float64, -1, 1, [-3.5, 0, 5.5], 0.25
    for dtype, c in ((np.float32, 0.3), (np.float64, 0.3), (np.float32, 0.01)):
        for low, high, first, last in SLIPS:
            yield dtype, min(low, high), max(low, high), [first, last], c


def update_candidates(convention):
    for dtype, low, high, x, c in update_inputs():
        yield {"low": dtype(low), "high": dtype(high), "x": np.array(x, dtype), "c": np.float64(c)}


def exact(x):
    return [Fraction(float(v)) for v in np.ravel(x)]


def ends(low, high, dtype):
    return {"low": dtype.type(float(low)), "high": dtype.type(float(high))}


def updated(convention, low, high, x, c):
    zero = convention == "tensorflow"
    average = Fraction(float(low)), Fraction(float(high))
    return ends(*oracle.update(average, exact(x), Fraction(float(c)), x.dtype.name, zero), x.dtype)


def with_zero(convention, low, high):
    """The ends of a batch as the convention has them."""
    return (min(low, low * 0), max(high, high * 0)) if convention == "tensorflow" else (low, high)


def step(function, of=lambda x: (x.min(), x.max())):
    """A variant from function(m, x, c) of one end, or of(x), the ends of a batch."""

    def answer(convention, low, high, x, c):
        new = with_zero(convention, *of(x))
        return dict(
            zip(("low", "high"), (function(m, end, c) for m, end in zip((low, high), new, strict=True)), strict=True)
        )

    return answer


def right(m, x, c):
    return m + type(m)(c) * (x - m)


def in_fractions(function):
    """One step in exact arithmetic, rounded once."""
    return lambda m, x, c: type(m)(float(function(Fraction(float(m)), Fraction(float(x)), Fraction(float(type(m)(c))))))


def fused(m, x, c):
    return in_fractions(lambda m, difference, c: m + c * difference)(m, x - m, c)


def other_convention(convention, low, high, x, c):
    return updated({"torch": "tensorflow", "tensorflow": "torch"}[convention], low, high, x, c)


def only(convention):
    return lambda other: other == convention


def in_dtype(dtype):
    """A variant that passes through another dtype and stays there."""
    return lambda convention, low, high, x, c: updated(convention, dtype(low), dtype(high), x.astype(dtype), c)


def hull(convention, low, high, x, c):
    new_low, new_high = with_zero(convention, x.min(), x.max())
    return {"low": min(low, new_low), "high": max(high, new_high)}


def widened(convention, low, high, x, c):
    moved = updated(convention, low, high, x, c)
    return {"low": min(low, moved["low"]), "high": max(high, moved["high"])}


def clipped(convention, low, high, x, c):
    return updated(convention, low, high, x.clip(low, high), c)


def exchanged(convention, low, high, x, c):
    moved = updated(convention, low, high, x, c)
    return {"low": moved["high"], "high": moved["low"]}


UPDATE = Function(
    summary="the range of the batches so far, moved toward the range of one more: m + c·(x − m) for both ends, each "
    "operation rounded to x's dtype; tensorflow: the batch's range is widened to hold 0 first",
    parameters={
        "low": "scalar of x's dtype, of the batches before",
        "high": "scalar of x's dtype, of the batches before",
        "x": "float32 or float64 array of any shape, the batch",
        "c": "float64 scalar in (0, 1], weight of the batch (1 − decay); rounded to x's dtype first",
    },
    returns={"low": "scalar of x's dtype, given and returned", "high": "scalar of x's dtype, given and returned"},
    conventions=CONVENTIONS,
    candidates=update_candidates,
    expected=updated,
    mutants={
        "0 is put in": Mutant("the batch's range is widened to hold 0", other_convention, only("torch")),
        "0 is not put in": Mutant("the batch's range is not widened to hold 0", other_convention, only("tensorflow")),
        "weight on the wrong side": Mutant("c is taken for the decay", step(lambda m, x, c: right(m, x, 1 - c))),
        "sign of the step": Mutant("away from the batch", step(lambda m, x, c: m - type(m)(c) * (x - m))),
        "nothing moves": Mutant("the old range is kept", step(lambda m, x, c: m)),
        "no average": Mutant("the batch's range is the result", step(lambda m, x, c: x)),
        "min and max": Mutant("the range of all batches, which only widens", hull),
        "only widens": Mutant("an end that would move inward stays", widened),
        "only narrows": Mutant("the batch is clipped to the old range first", clipped),
        "ends exchanged": Mutant("high comes first", exchanged),
        "one end": Mutant(
            "low stays where it is",
            lambda convention, low, high, x, c: {**updated(convention, low, high, x, c), "low": low}),
        "symmetric": Mutant(
            "the batch's range is −max |x| to max |x|", step(right, lambda x: (-np.abs(x).max(), np.abs(x).max()))),
        "first row": Mutant(
            "only the first row of the batch is looked at",
            step(right, lambda x: (np.atleast_2d(x)[0].min(), np.atleast_2d(x)[0].max()))),
        "mean of the batch": Mutant(
            "both ends move toward the batch's mean", step(right, lambda x: (x.mean(), x.mean()))),
        "first and last value": Mutant("the batch is taken for sorted", step(right, lambda x: (x.flat[0], x.flat[-1]))),
        "(1 − c)·m + c·x": Mutant("two products are rounded instead of a difference and a product", step(
            lambda m, x, c: (1 - type(m)(c)) * m + type(m)(c) * x)),
        "fused": Mutant("product and sum are one fma", step(fused)),
        "rounded once": Mutant("the step is exact, or in a wider format, and its result rounded", step(
            in_fractions(lambda m, x, c: m + c * (x - m)))),
        "c in float64": Mutant("the step is in float64 with a weight that is not rounded to float32", step(
            lambda m, x, c: type(m)(float(m) + float(c) * (float(x) - float(m))))),
        "dtype: float64": Mutant("the ends are float64 whatever x is", in_dtype(np.float64)),
        "dtype: float32": Mutant("the ends are float32 whatever x is", in_dtype(np.float32)),
    },
    provenance="tests/oracles/moving_average.py, Fraction",
)  # fmt: skip


def run_candidates(convention):
    for dtype in (np.float32, np.float64):
        for x, c in (
            ([[-1, 3]], 0.25),
            ([[1, 3]], 0.25),
            ([[-3, -1]], 0.25),
            ([[-1, 1], [-3, 5]], 0.25),
            ([[-8, 8], [-4, 2], [-2, 16]], 0.5),
            ([[8, 2], [1, 4], [16, 32]], 0.5),
            ([[-8, 8], [-2, 16]], 1.0),
        ):
            yield {"x": np.array(x, dtype), "c": np.float64(c)}


def averaged(convention, x, c, start="its own"):
    """The range after all rows; a start of ±6, ±0 or the first batch's range."""
    if start == "its own":
        start = 6 if convention == "tensorflow" else None
    average = None if start is None else (Fraction(-start), Fraction(start))
    for row in x:
        average = oracle.update(average, exact(row), Fraction(float(c)), x.dtype.name, convention == "tensorflow")
    return ends(*average, x.dtype)


def cumulative(convention, x, c):
    rows = [with_zero(convention, row.min(), row.max()) for row in x]
    return ends(*np.mean(rows, axis=0), x.dtype)


def debiased(convention, x, c):
    """As Adam's averages: from 0, divided by 1 − (1 − c)^T."""
    found = averaged(convention, x, c, 0)
    share = 1 - (1 - float(c)) ** len(x)
    return ends(*(float(v) / share for v in found.values()), x.dtype)


def bare(convention, x, c):
    start = 6 if convention == "tensorflow" else None
    other = {"torch": "tensorflow", "tensorflow": "torch"}[convention]
    return averaged(other, x, c, start)


RUN = Function(
    summary="the moving average of the ranges of all batches, as by update; torch: the first batch's range is the "
    "start; tensorflow: the start is (−6, 6), and every batch's range is widened to hold 0",
    parameters={
        "x": "(T, n) float32 or float64 array, a batch in every row, the first one first",
        "c": "float64 scalar in (0, 1], weight of a new batch (1 − decay); rounded to x's dtype first",
    },
    returns={"low": "scalar of x's dtype", "high": "scalar of x's dtype"},
    conventions=CONVENTIONS,
    candidates=run_candidates,
    expected=averaged,
    mutants={
        "start: 0": Mutant(
            "the first batch is averaged with 0", lambda convention, x, c: averaged(convention, x, c, 0)),
        "start: ±6": Mutant(
            "the first batch is averaged with −6 and 6",
            lambda convention, x, c: averaged(convention, x, c, 6), only("torch")),
        "start: first batch": Mutant(
            "the first batch's range is the start",
            lambda convention, x, c: averaged(convention, x, c, None), only("tensorflow")),
        "start: ∞": Mutant(
            "the average starts at (∞, −∞), which never leaves it",
            lambda convention, x, c: ends(np.inf, -np.inf, x.dtype)),
        "zero debiasing": Mutant("from 0, and divided by 1 − (1 − c)^T", debiased),
        "0 is put in": Mutant("every batch's range is widened to hold 0", bare, only("torch")),
        "0 is not put in": Mutant("no batch's range is widened to hold 0", bare, only("tensorflow")),
        "weight on the wrong side": Mutant(
            "c is taken for the decay", lambda convention, x, c: averaged(convention, x, 1 - c)),
        "order: last first": Mutant(
            "the batches are taken from the last to the first",
            lambda convention, x, c: averaged(convention, x[::-1], c)),
        "off by one: last batch": Mutant(
            "the last batch is left out",
            lambda convention, x, c: averaged(convention, x[:-1], c) if len(x) > 1 else None),
        "off by one: first batch": Mutant(
            "the second batch is the first one",
            lambda convention, x, c: averaged(convention, x[1:], c) if len(x) > 1 else None),
        "batches in columns": Mutant(
            "the array is read along the other axis", lambda convention, x, c: averaged(convention, x.T, c)),
        "plain mean": Mutant("all batches have the same weight", cumulative),
        "no average": Mutant(
            "the range of all values",
            lambda convention, x, c: ends(*with_zero(convention, x.min(), x.max()), x.dtype)),
        "dtype: float64": Mutant(
            "the ends are float64 whatever x is",
            lambda convention, x, c: averaged(convention, x.astype(np.float64), c)),
        "dtype: float32": Mutant(
            "the ends are float32 whatever x is",
            lambda convention, x, c: averaged(convention, x.astype(np.float32), c)),
    },
    provenance="tests/oracles/moving_average.py, Fraction",
)  # fmt: skip

STEM = Stem({"update": UPDATE, "run": RUN})
