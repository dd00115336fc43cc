"""Vectors of the histogram search: the search, counting, and counts that move to the bins of a wider range.

Ends of bins have few digits. In the search every decision between two errors is clear by 1 in 1000.
"""

from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np

from tests.oracles import histogram as oracle
from tests.vectors.specification import Function, Mutant, Stem

FLOAT = np.float32
HISTOGRAM = {
    "counts": "(B,) float32 array, how many values fall into each bin",
    "low": "float32 scalar, where the first bin begins",
    "high": "float32 scalar, where the last bin ends",
}


def exact(values):
    return [Fraction(float(v)) for v in np.ravel(values)]


def changed(function, **options):
    return lambda convention, **inputs: function(convention, **inputs, **options)


def in_float64(function):
    return lambda convention, **inputs: {
        key: value if key == "counts" else np.float64(value) for key, value in function(convention, **inputs).items()
    }


# search

COUNTS = (
    [4, 4, 0, 1],
    [1, 0, 4, 4],
    [2, 1, 1, 2],
    [1, 2, 1, 2, 5, 3, 0, 1],
    [1, 1, 1, 1, 1, 1, 1, 1],
    [9, 3, 1, 1, 0, 0, 0, 1],
    [1, 0, 1, 30, 20, 0, 0, 2],
    [1, 3, 8, 3, 1, 0, 0, 1],
    [1, 0, 0, 500_000, 300_000, 2, 0, 1],
    [3, 1, 2, 200_000, 700_000, 90_000, 30, 4],
    [2, 30, 90_000, 400_000, 200_000, 500, 20, 3],
    [10, 3000, 200_000, 3000, 100, 10, 5, 2],
)


def search_candidates(convention):
    for counts in COUNTS:
        for levels in (2, 4):
            if searched(tuple(counts), levels).margin > Fraction(1, 1000):
                low = FLOAT(-3 if counts[0] == 1 else 0)
                high = low + FLOAT(len(counts) / 2)
                yield {"counts": np.array(counts, FLOAT), "low": low, "high": high, "levels": levels}


@cache
def searched(counts, levels):
    return oracle.search([Fraction(n) for n in counts], levels)


def ends(counts, low, high, start, end):
    """Where the bin `start` begins and the bin `end` ends."""
    kept = oracle.Search(start, end, Fraction(1))
    first, last = oracle.restored_ends(*exact([low, high]), len(counts), kept)
    return {"low": FLOAT(float(first)), "high": FLOAT(float(last))}


def right(convention, counts, low, high, levels, moved=(0, 0)):
    kept = searched(tuple(map(int, counts)), levels)
    return ends(counts, low, high, kept.start + moved[0], kept.end + moved[1])


def ranges(counts, steps=oracle.STEPS, low_first=False, high_only=False):
    """The ranges that the search looks at when it gives up 1/steps of all values at a time."""
    total, running = float(sum(counts)), np.cumsum(counts)
    shares = (total * np.arange(steps + 1) / steps).astype(FLOAT).astype(float)
    start, end, gone_low, gone_high = 0, len(counts) - 1, 0, 0
    while start < end and gone_low + gone_high < steps:
        left = int(np.clip(np.searchsorted(running, shares[gone_low + 1]), start, end)) if not high_only else start
        right = int(np.clip(np.searchsorted(running, shares[steps - gone_high - 1], "right") - 1, start, end))
        low_moves = left - start > end - right or (low_first and left - start == end - right)
        if (left, right) == (start, end):  # steps in vain, as many as it takes until that end passes its bin
            if low_moves:
                gone_low = max(gone_low + 1, int(np.searchsorted(shares, running[start], "right")) - 1)
            else:
                gone_high = max(gone_high + 1, steps - int(np.searchsorted(shares, running[end])))
            continue
        if low_moves:
            start, gone_low = left, gone_low + 1
        else:
            end, gone_high = right, gone_high + 1
        yield start, end


def walk(error=oracle.error, levels_of=lambda levels: levels, whole=False, stops=True, **options):
    """The search with one of its parts exchanged."""

    def answer(convention, counts, low, high, levels):
        n, best = exact(counts), (0, len(counts) - 1)
        least = error(n, *best, levels_of(levels)) if whole else None
        for found in ranges(counts.astype(float), **options):
            now = error(n, *found, levels_of(levels))
            if least is None or now <= least:
                least, best = now, found
            elif stops:
                break
        return ends(counts, low, high, *best)

    return answer


def error_with(integral=oracle.cube_integral, at_ends=False, outside="last level", points=False):
    """The error of a range with another distance, other levels, or another part of the bins outside."""

    def error(counts, start, end, levels):
        span = Fraction(end - start + 1)
        width = span / (levels - 1) if at_ends else span / levels
        first = -width / 2 if at_ends else Fraction(0)
        total = Fraction(0)
        for b, n in enumerate(counts):
            left, right = Fraction(b - start), Fraction(b - start + 1)
            if outside == "free" and not start <= b <= end:
                continue
            bounds = [first + k * width for k in range(1, levels) if left < first + k * width < right]
            for begin, stop in pairwise([left, right] if points else [left, *bounds, right]):
                k = min(max((((begin + stop) / 2 - first) / width).__floor__(), 0), levels - 1)
                centre = first + (k + Fraction(1, 2)) * width
                if outside == "end" and not start <= b <= end:
                    centre = Fraction(0) if b < start else span
                middle = (begin + stop) / 2 - centre
                total += n * (middle**2 if points else integral(begin - centre, stop - centre))
        return total

    return error


def magnitude_integral(begin, end):
    """∫ |t| dt."""
    return (end * abs(end) - begin * abs(begin)) / 2


SEARCH = Function(
    summary="the range with the least error that shares of the values at both ends lead to, estimated from a "
    "histogram, in float32 but for the sums over bins and the shares (see the definition)",
    parameters={**HISTOGRAM, "levels": "int, how many codes there are, 2^b"},
    returns={"low": "float32 scalar", "high": "float32 scalar"},
    candidates=search_candidates,
    expected=right,
    mutants={
        "nothing is searched": Mutant(
            "the whole range", lambda convention, counts, low, high, levels: {"low": low, "high": high}),
        "whole range: a candidate": Mutant(
            "the first shorter range must have a smaller error than the whole one", walk(whole=True)),
        "does not stop": Mutant("the best of all ranges down to the shortest", walk(stops=False)),
        "ties: low end": Mutant("low moves where both ends pass as many bins", walk(low_first=True)),
        "high end only": Mutant("low never moves", walk(high_only=True)),
        "step: 10⁻³": Mutant("a thousandth of all values is given up at a time", walk(steps=1000)),
        "levels: twice as many": Mutant("one bit more", walk(levels_of=lambda levels: 2 * levels)),
        "levels: half as many": Mutant("one bit less", walk(levels_of=lambda levels: max(levels // 2, 1))),
        "levels: one less": Mutant("qmax − qmin of them", walk(levels_of=lambda levels: levels - 1)),
        "levels: at the ends": Mutant(
            "the ends of the range are levels, as they are of s·(q − Z)", walk(error_with(at_ends=True))),
        "bins are points": Mutant("all values of a bin lie in its middle", walk(error_with(points=True))),
        "error: magnitude": Mutant("distances are added, not their squares", walk(error_with(magnitude_integral))),
        "outside: free": Mutant("bins outside of the range have no error", walk(error_with(outside="free"))),
        "outside: from the end": Mutant(
            "their values have the distance from the range's end, not from the middle of the last level",
            walk(error_with(outside="end"))),
        "off by one: high": Mutant("high is where the last bin begins", changed(right, moved=(0, -1))),
        "off by one: a bin more": Mutant("high is a bin further", changed(right, moved=(0, 1))),
        "off by one: low": Mutant("low is where the first bin ends", changed(right, moved=(1, 0))),
        "low ignored": Mutant("the bins begin at 0", lambda convention, counts, low, high, levels: right(
            convention, counts, FLOAT(0), high - low, levels)),
        "dtype: float64": Mutant("the ends are float64", in_float64(right)),
    },
    provenance="tests/oracles/histogram.py, Fraction",
)  # fmt: skip


# collect


def found(counts, low, high):
    return {
        "counts": np.array([float(n) for n in counts], FLOAT),
        "low": FLOAT(float(low)),
        "high": FLOAT(float(high)),
    }


def collect_candidates(convention):
    for values, bins in (
        ([0, 1, 2, 4], 4),
        ([0, 0.5, 3, 4], 4),
        ([-4, -2.5, 4], 4),
        ([2, 2.5, 3.5, 4], 4),
        ([3, 3], 4),
        ([3, 3], 5),
        ([-1.5], 3),
        ([[1, -1, 0.75], [0.5, 3, -0.25]], 8),
        ([0, 2.7999997, 8.4], 3),  # on the border of two bins
        ([0, 6.16, 30.8], 5),
        ([0, 35.6, 89.0], 5),
    ):
        yield {"x": np.array(values, FLOAT), "bins": bins}


def collected(convention, x, bins):
    return found(*oracle.collect([exact(x)], bins))


def number(x, low, width, bins):
    """The right number of a bin; all of it float32."""
    return x * bins / width


def counted(number=number, of=lambda x: x, first=lambda x: (x.min(), x.max()), dtype=FLOAT, rounded=np.floor):
    """A variant with another number(x − low, low, high − low, B) of a bin, or another first range."""

    def answer(convention, x, bins):
        low, high = map(FLOAT, first(x))
        begin, end = (low - FLOAT(1), high + FLOAT(1)) if low == high else (low, high)
        counts = np.zeros(bins, dtype)
        for value in of(x.ravel()):
            place = rounded(number(value - begin, begin, end - begin, FLOAT(bins)))
            counts[min(max(int(place), 0), bins - 1)] += 1
        return {"counts": counts, "low": low, "high": high}

    return answer


def own_bin(convention, x, bins):
    right = collected(convention, x, bins)
    largest = FLOAT(np.sum(x == x.max()) if x.min() < x.max() else 0)
    counts = np.append(right["counts"], largest)
    counts[-2] -= largest
    return {**right, "counts": counts}


def first_bin(convention, x, bins):
    right = collected(convention, x, bins)
    return {**right, "counts": np.sort(right["counts"])[::-1]} if x.min() == x.max() else right


def wider(convention, x, bins):
    right = collected(convention, x, bins)
    off = FLOAT(x.min() == x.max())
    return {**right, "low": right["low"] - off, "high": right["high"] + off}


COLLECT = Function(
    summary="the histogram of a tensor, bins of equal width from low = min x to high = max x: x is in bin "
    "⌊(x − low)·B / (high − low)⌋, each operation in float32 from left to right, and high in bin B − 1; "
    "equal values are counted as between x − 1 and x + 1, but low and high are x",
    parameters={"x": "float32 array of any shape", "bins": "int, B"},
    returns=HISTOGRAM,
    candidates=collect_candidates,
    expected=collected,
    mutants={
        "largest value: dropped": Mutant(
            "x = high falls into no bin", counted(of=lambda x: x[(x < x.max()) | (x == x.min())])),
        "largest value: its own bin": Mutant("x = high falls into a bin B + 1", own_bin),
        "number: rounded": Mutant("the bin whose beginning is nearest", counted(rounded=np.rint)),
        "number: closed on the right": Mutant(
            "a value between two bins falls into the lower one", counted(rounded=lambda k: np.ceil(k) - 1)),
        "number: B − 1 parts": Mutant(
            "as if the last bin began at high", counted(lambda x, low, width, bins: x * (bins - 1) / width)),
        "number: by the width": Mutant(
            "divided by the rounded width of a bin", counted(lambda x, low, width, bins: x / (width / bins))),
        "number: by the reciprocal": Mutant(
            "multiplied by B / (high − low)", counted(lambda x, low, width, bins: x * (bins / width))),
        "number: quotient first": Mutant(
            "divided by high − low, then multiplied by B", counted(lambda x, low, width, bins: x / width * bins)),
        "number: in float64": Mutant(
            "not rounded to float32 at every step", counted(lambda *v: number(*map(float, v)))),
        "low ignored": Mutant(
            "numbers count from 0, not from low", counted(lambda x, low, width, bins: (x + low) * bins / width)),
        "range: symmetric": Mutant(
            "the bins go from −max |x| to max |x|", counted(first=lambda x: (-np.abs(x).max(), np.abs(x).max()))),
        "range: 0 is put in": Mutant("the bins hold 0", counted(first=lambda x: (min(x.min(), 0), max(x.max(), 0)))),
        "constant: first bin": Mutant("0/0 is taken for 0", first_bin),
        "constant: wider range": Mutant("x − 1 and x + 1 are returned too", wider),
        "first row": Mutant("only the first row is counted", counted(of=lambda x: x[:3])),
        "off by one: last value": Mutant("the last value is not counted", counted(of=lambda x: x[:-1])),
        "dtype: int64": Mutant("the counts are integers", counted(dtype=np.int64)),
    },
    provenance="tests/oracles/histogram.py, Fraction",
)  # fmt: skip


# merge


def merge_candidates(convention):
    for counts, low, high, x in (
        ([1, 1, 1, 1], 0, 4, [3]),
        ([1, 1, 1, 1], 0, 4, [8]),
        ([1, 1, 1, 1], 0, 4, [-4, 8]),
        ([1, 1, 1, 1], 0, 4, [6]),
        ([3, 1, 1], 0, 3, [4]),
        ([3, 0, 1], 0, 3, [4, -1]),
        ([2, 4, 8, 1], -4, 4, [5, -11]),
        ([2, 1, 0, 1], 0, 4, [16]),
        ([0, 0, 2, 0], 3, 3, [3]),
        ([0, 0, 2, 0], 3, 3, [5]),
        ([0, 0, 2, 0], 3, 3, [-5]),
        ([0, 0, 2, 0], 3, 3, [2, 7, 4]),
    ):
        yield {"counts": np.array(counts, FLOAT), "low": FLOAT(low), "high": FLOAT(high), "x": np.array(x, FLOAT)}


def merged(convention, counts, low, high, x, moved=oracle.moved, times=1):
    """The right histogram, or that of other moved(counts, old, new)."""
    old, values = exact([low, high]), exact(x)
    wide = min(old[0], *values), max(old[1], *values)
    n = exact(counts)
    if wide != tuple(old):
        n = moved(n, old, wide)
    new = oracle.count(values, *wide, len(counts))
    return found([a + times * b for a, b in zip(n, new, strict=True)], *wide)


def parts(fine, place):
    """Old bins cut into `fine` parts that move with the point at `place` from 0 to 1 of each."""

    def moved(counts, old, new):
        bins, width = len(counts), (old[1] - old[0]) / len(counts)
        result = [Fraction(0)] * bins
        for j in range(bins * fine):
            point = old[0] + (j + place) * width / fine
            k = (point - new[0]) * bins / (new[1] - new[0])
            result[min(k.__floor__(), bins - 1)] += counts[j // fine] / fine
        return result

    return moved


def evenly(counts, old, new):
    """Each old bin's count is spread over what it covers, not cut into parts."""
    bins, width, wide = len(counts), (old[1] - old[0]) / len(counts), (new[1] - new[0]) / len(counts)
    result = [Fraction(0)] * bins
    for b, n in enumerate(counts):
        for k in range(bins) if width else ():
            begin = max(old[0] + b * width, new[0] + k * wide)
            result[k] += n * max(min(old[0] + (b + 1) * width, new[0] + (k + 1) * wide) - begin, 0) / width
    return result if width else oracle.moved(counts, old, new)


def over_two(counts, old, new):
    """A constant's count stays in the bins from x − 1 to x + 1."""
    if old[0] < old[1]:
        return oracle.moved(counts, old, new)
    low, high = old[0] - 1, old[1] + 1
    return parts(16, Fraction(1, 2))(counts, (low, high), (min(new[0], low), max(new[1], high)))


def clipped(convention, counts, low, high, x):
    return {**merged(convention, counts, low, high, x.clip(low, high)), "low": low, "high": high}


def inside(convention, counts, low, high, x):
    kept = x[(low <= x) & (x <= high)]
    return merged(convention, counts, low, high, kept) if kept.size else found(counts, low, high)


MERGE = Function(
    summary="the histogram after one more batch, in the range of both; where that is wider every old bin is cut into "
    "16 parts, each with 1/16 of its count, which move to the bin that their middle is in",
    parameters={**HISTOGRAM, "x": "float32 array of any shape, the batch"},
    returns=HISTOGRAM,
    candidates=merge_candidates,
    expected=merged,
    mutants={
        "old counts: forgotten": Mutant(
            "the histogram of the batch in the common range", lambda convention, counts, **inputs: merged(
            convention, 0 * counts, **inputs)),
        "old counts: alone": Mutant("the batch only widens the range", changed(merged, times=0)),
        "batch only": Mutant(
            "the histogram of the batch in its own range", lambda convention, counts, low, high, x: collected(
            convention, x, len(counts))),
        "batch twice": Mutant("the batch is counted twice", changed(merged, times=2)),
        "old counts: stay": Mutant(
            "in their bins, though these are others", changed(merged, moved=lambda counts, old, new: counts)),
        "old counts: whole bins": Mutant(
            "each bin's count moves with its middle", changed(merged, moved=parts(1, Fraction(1, 2)))),
        "parts: 8": Mutant("old bins are cut into 8 parts", changed(merged, moved=parts(8, Fraction(1, 2)))),
        "parts: beginnings": Mutant("parts move with their beginnings", changed(merged, moved=parts(16, Fraction(0)))),
        "spread evenly": Mutant("counts are spread over what each old bin covers", changed(merged, moved=evenly)),
        "constant: spread": Mutant(
            "equal values stay between x − 1 and x + 1, as they were counted", changed(merged, moved=over_two)),
        "range: the old one": Mutant("values outside are counted in the first and last bin", clipped),
        "outside dropped": Mutant("values outside of the old range are not counted", inside),
        "dtype: float64": Mutant("the ends are float64", in_float64(merged)),
    },
    provenance="tests/oracles/histogram.py, Fraction",
)  # fmt: skip

STEM = Stem({"search": SEARCH, "collect": COLLECT, "merge": MERGE})
