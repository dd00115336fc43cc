"""Vectors of the search for the range with the least error: its grid, its ties, its error, and the quantizer in it.

In every case the least error is less than the next by 1 in 10⁴, or nothing is rounded at a tie.
"""

from fractions import Fraction
from functools import cache

import numpy as np

from tests.oracles import least_error as oracle
from tests.vectors.specification import Function, Mutant, Stem

CONVENTIONS = ("source", "gptq")
CLEAR = Fraction(10_001, 10_000)


def literals(convention):
    """Values, codes, norm, grid and shrink; in small numbers of few digits first."""
    yield [0, 0.75, 0.75, 1], 0, 1, 2.0, 4, 0.8
    yield [0, 0.5, 1], 0, 1, 2.0, 2, 1.0
    yield [0, -0.75, -0.75, -1], 0, 1, 2.0, 4, 0.8
    yield [0, 0.75, 0.75, 1], 0, 1, 2.0, 4, 0.25
    yield [[0, 1], [0.75, 0.75], [0.75, 0.75]], 0, 1, 2.0, 4, 1.0
    yield [0, 0.5, 0.5, 0.5, 1], 0, 1, 1.0, 4, 0.5
    yield [0, 0.5, 0.5, 0.5, 1], 0, 1, 1.0, 100, 0.29
    yield [0, 0.29, 0.29, 0.29, 0.29, 0.29, 1], 0, 1, 1.0, 4, 1.0
    yield [0, 0.29, 0.29, 0.29, 0.29, 0.29, 1], 0, 1, 1.0, 10, 0.8
    yield [-1, 2, 5, 8], 0, 3, 2.0, 4, 1.0
    if convention == "gptq":
        yield [-1, 1, 2, 8], -2, 1, 2.0, 4, 1.0
    for top in (1, 1.1, 3.3):
        for norm in (2.0, 1.0, 2.4):
            yield [0, 0.5 * top, 0.5 * top, top], 0, 1, norm, 10, 1.0
            yield [-0.4 * top, 0.2 * top, 0.2 * top, top], 0, 3, norm, 10, 1.0


def candidates(convention):
    for values, qmin, qmax, norm, grid, max_shrink in literals(convention):
        for dtype in (np.float32, np.float64) if convention == "source" and grid == 10 else (np.float32,):
            inputs = {
                "x": np.array(values, dtype),
                "qmin": qmin,
                "qmax": qmax,
                "norm": np.float64(norm),
                "grid": grid,
                "max_shrink": np.float64(max_shrink),
            }
            if is_clear(convention, **inputs):
                yield inputs


def exact(x):
    return tuple(Fraction(float(v)) for v in x.ravel())


def searched(convention, x, qmin, qmax, norm, grid, max_shrink):
    """Every range with its error, the whole range first."""
    return all_ranges(exact(x), qmin, qmax, convention, float(norm), grid, float(max_shrink), x.dtype.name)


all_ranges = cache(oracle.search)
QUANTIZERS = {name: cache(quantizer) for name, quantizer in oracle.QUANTIZERS.items()}


def is_clear(convention, x, qmin, qmax, norm, grid, max_shrink):
    """Whether no rounding of the errors can decide."""
    found = searched(convention, x, qmin, qmax, norm, grid, max_shrink)
    least = min(error for _, error in found)
    others = [error for _, error in found if least != error]
    few_digits = all((64 * v).denominator == 1 for v in (*exact(x), *(e for ends, _ in found for e in ends)))
    tied = len(found) - len(others) > 1
    return all(error > least * CLEAR for error in others) and (not tied or (few_digits and norm == 2))


def ends(low, high, x):
    return {"low": x.dtype.type(float(low)), "high": x.dtype.type(float(high))}


def least(convention, x, **inputs):
    (low, high), _ = min(searched(convention, x, **inputs), key=lambda found: found[1])
    return ends(low, high, x)


def variant(
    count=oracle.candidates,
    shrink=oracle.shrunken,
    error=oracle.error,
    better=lambda error, least: error < least,
    first=0,
    patience=None,
    codes=lambda qmin, qmax: (qmin, qmax),
    of=lambda x: x,
    quantizer=None,
):
    """The search with one of its parts exchanged."""

    def answer(convention, x, qmin, qmax, norm, grid, max_shrink):
        values, name = exact(of(x)), x.dtype.name
        best, since = None, 0
        for i in range(first, count(grid, float(max_shrink))):
            low, high = shrink(min(values), max(values), i, grid, name)
            restored = QUANTIZERS[quantizer or convention](values, low, high, *codes(qmin, qmax), name)
            now = error(values, restored, float(norm))
            if best is None or better(now, best[0]):
                best, since = (now, low, high), 0
            elif since + 1 == patience:
                break
            else:
                since += 1
        return None if best is None else ends(*best[1:], x)

    return answer


def grid_of(p):
    """Another factor p(i, grid) of the range."""
    return lambda low, high, i, grid, name: (oracle.fl(p(i, grid) * low, name), oracle.fl(p(i, grid) * high, name))


def right_p(i, grid):
    return oracle.fl(1 - oracle.fl(Fraction(i, grid), "float64"), "float64")


def one_end(which):
    def shrink(low, high, i, grid, name):
        small_low, small_high = oracle.shrunken(low, high, i, grid, name)
        return (small_low, high) if which == "low" else (low, small_high)

    return shrink


def symmetric(low, high, i, grid, name):
    size = max(abs(low), abs(high))
    return oracle.shrunken(-size, size, i, grid, name)


def to_the_middle(low, high, i, grid, name):
    middle, half = (low + high) / 2, (high - low) / 2 * right_p(i, grid)
    return oracle.fl(middle - half, name), oracle.fl(middle + half, name)


def in_norm(norm):
    return lambda values, restored, _: oracle.error(values, restored, norm)


def largest(values, restored, _):
    return max(abs(a - b) for a, b in zip(values, restored, strict=True))


def of_the_sum(values, restored, norm):
    return abs(sum(b - a for a, b in zip(values, restored, strict=True)))


def inside(values, restored, norm):
    kept = [(a, b) for a, b in zip(values, restored, strict=True) if min(restored) <= a <= max(restored)]
    return oracle.error([a for a, _ in kept], [b for _, b in kept], norm)


def relative(values, restored, norm):
    """In units of what is between the ends of the restored values."""
    width = max(restored) - min(restored)
    return float(oracle.error(values, restored, norm)) / float(width) ** norm if width else float("inf")


def other(name):
    """The other convention's quantizer, of float32 and of codes from 0 on."""

    def answer(convention, x, qmin, **inputs):
        taken = x.dtype == np.float32 and qmin == 0
        return variant(quantizer=name)(convention, x, qmin, **inputs) if taken else None

    return Mutant(f"the errors are those of the convention {name}", answer, lambda convention: convention != name)


def in_dtype(dtype):
    def answer(convention, x, **inputs):
        found = least(convention, x, **inputs)
        return {key: dtype(value) for key, value in found.items()}

    return answer


SEARCH = Function(
    summary="the range p · (min x, max x), shrunk step by step toward 0, from which the values come back by the preset "
    "with the least Σ |error|^norm in float64; p and product are rounded to x's dtype, ties go to the larger range",
    parameters={
        "x": "float32 array of any shape; in the convention source float64 too",
        "qmin": "int, lowest code",
        "qmax": "int, highest code",
        "norm": "float64 scalar, exponent of the errors that are added",
        "grid": "int, G: p is 1 − i/G",
        "max_shrink": "float64 scalar in (0, 1], r: i goes from 0 to ⌊r·G⌋ − 1, of the float64 product",
    },
    returns={"low": "scalar of x's dtype", "high": "scalar of x's dtype"},
    conventions=tuple((name,) for name in CONVENTIONS),
    candidates=candidates,
    expected=least,
    mutants={
        "ties: smaller range": Mutant(
            "of equal errors the last is taken", variant(better=lambda error, least: error <= least)),
        "off by one: a range more": Mutant(
            "i goes up to ⌊r·G⌋", variant(count=lambda grid, r: oracle.candidates(grid, r) + 1)),
        "off by one: a range less": Mutant(
            "i goes up to ⌊r·G⌋ − 2", variant(count=lambda grid, r: oracle.candidates(grid, r) - 1)),
        "off by one: no whole range": Mutant("i starts at 1", variant(first=1)),
        "number of ranges: rounded": Mutant("r·G is rounded", variant(count=lambda grid, r: round(r * grid))),
        "number of ranges: exact": Mutant(
            "0.29·100 is 29, which in float64 it is not", variant(count=lambda grid, r: int(Fraction(str(r)) * grid))),
        "number of ranges: G": Mutant("the range is shrunk down to 1/G", variant(count=lambda grid, r: grid)),
        "1 − i/(G − 1)": Mutant(
            "the steps are those of one less", variant(shrink=grid_of(lambda i, grid: right_p(i, max(grid - 1, 1))))),
        "p in float64": Mutant("p is not rounded to x's dtype", variant(shrink=grid_of(right_p))),
        "norm: 2": Mutant("squares whatever the norm is", variant(error=in_norm(2.0))),
        "norm: 1": Mutant("magnitudes whatever the norm is", variant(error=in_norm(1.0))),
        "norm: 2.4": Mutant("the default whatever the norm is", variant(error=in_norm(2.4))),
        "largest error": Mutant("the largest error counts, not their sum", variant(error=largest)),
        "|·| dropped": Mutant("errors of both signs cancel", variant(error=of_the_sum)),
        "clipped values left out": Mutant("only errors of values inside the range are added", variant(error=inside)),
        "errors in codes": Mutant("errors are measured in units of the scale", variant(error=relative)),
        "nothing is searched": Mutant("the whole range", variant(count=lambda grid, r: 1)),
        "stops at the first worse": Mutant("the search ends when an error is not less", variant(patience=1)),
        "stops after five": Mutant("the search ends after five ranges without a gain", variant(patience=5)),
        "low end stays": Mutant("only high is shrunk", variant(shrink=one_end("high"))),
        "high end stays": Mutant("only low is shrunk", variant(shrink=one_end("low"))),
        "symmetric": Mutant("the range is ±max |x|, shrunk", variant(shrink=symmetric)),
        "to the middle": Mutant("the range is shrunk toward its middle, not toward 0", variant(shrink=to_the_middle)),
        "a code less": Mutant("qmax is not a code", variant(codes=lambda qmin, qmax: (qmin, max(qmax - 1, 1)))),
        "qmin ignored": Mutant(
            "the codes are those from 0 to qmax",
            variant(codes=lambda qmin, qmax: (0, qmax)), lambda convention: convention == "gptq"),
        "first row": Mutant("only the first row is looked at", variant(of=lambda x: np.atleast_2d(x)[0])),
        "convention: source": other("source"),
        "convention: gptq": other("gptq"),
        "dtype: float64": Mutant("the ends are float64 whatever x is", in_dtype(np.float64)),
        "dtype: float32": Mutant(
            "the ends are float32 whatever x is", in_dtype(np.float32), lambda convention: convention == "source"),
    },
    provenance="tests/oracles/least_error.py, Fraction and mpmath",
)  # fmt: skip

STEM = Stem({"search": SEARCH})
