"""The histogram of a tensor and the search on it by plain loops: float32 steps where bins are chosen, exact errors."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tests.oracles import rounding

FINE = 16
STEPS = 100_000  # one step of the search gives up 1/STEPS of all values


def fl(x: Fraction) -> Fraction:
    """Return x rounded to float32."""
    result = rounding.to_format(x, "float32")
    assert isinstance(result, Fraction), "overflow"
    return result


def count(values: Sequence[Fraction], low: Fraction, high: Fraction, bins: int) -> list[int]:
    """Return how many values fall into each bin, the bin's number ⌊fl(fl(fl(x − low)·B)/fl(high − low))⌋."""
    if low == high:
        low, high = fl(low - 1), fl(high + 1)
    counts = [0] * bins
    for x in values:
        t = fl(fl(fl(x - low) * bins) / fl(high - low))
        counts[min(t.numerator // t.denominator, bins - 1)] += 1
    return counts


def ends(low: Fraction, high: Fraction, parts: int) -> list[Fraction]:
    """Return the ends of equal parts, from low in the lower half and from high in the upper one, rounded once each."""
    step = fl(fl(high - low) / parts)
    lower = (parts + 1) // 2
    return [fl(low + step * i) if i < lower else fl(high - step * (parts - i)) for i in range(parts + 1)]


def moved(counts: Sequence[Fraction], old: tuple[Fraction, Fraction], new: tuple[Fraction, Fraction]) -> list[Fraction]:
    """Return old counts in the bins of a wider range: a sixteenth of a bin falls where its middle lies."""
    bins = len(counts)
    if old[0] == old[1]:
        single = count([old[0]], *new, bins)
        return [fl(sum(counts, Fraction(0)) * k) for k in single]
    edges = ends(*new, bins)
    fine = ends(*old, bins * FINE)
    half = fl(fl(fl(old[1] - old[0]) / (bins * FINE)) / 2)
    result = [Fraction(0)] * bins
    for j in range(bins * FINE):
        middle = fl(fine[j] + half)
        k = 0
        while k < bins - 1 and middle >= edges[k + 1]:
            k += 1
        result[k] = fl(result[k] + fl(Fraction(counts[j // FINE]) / FINE))
    return result


def collect(batches: Sequence[Sequence[Fraction]], bins: int) -> tuple[list[Fraction], Fraction, Fraction]:
    """Return (counts, low, high) after all batches."""
    low, high = min(batches[0]), max(batches[0])
    counts = [Fraction(k) for k in count(batches[0], low, high, bins)]
    for batch in batches[1:]:
        wide = min(low, *batch), max(high, *batch)
        if wide != (low, high):
            counts = moved(counts, (low, high), wide)
        low, high = wide
        counts = [fl(a + b) for a, b in zip(counts, count(batch, low, high, bins), strict=True)]
    return counts, low, high


def cube_integral(begin: Fraction, end: Fraction) -> Fraction:
    """Return ∫ t² dt from begin to end."""
    return (end**3 - begin**3) / 3


def error(counts: Sequence[Fraction], start: int, end: int, levels: int) -> Fraction:
    """Return Σ ∫ (x − c(x))²·n dx in units of a bin's width: levels are equal parts of the bins from start to end."""
    width = Fraction(end - start + 1, levels)
    total = Fraction(0)
    for b, n in enumerate(counts):
        left, right = Fraction(b - start), Fraction(b - start + 1)
        inner = [k * width for k in range(1, levels) if left < k * width < right]
        points = [left, *inner, right]
        for begin, stop in pairwise(points):
            t = (begin + stop) / 2 / width
            level = min(max(t.numerator // t.denominator, 0), levels - 1)
            centre = (level + Fraction(1, 2)) * width
            total += Fraction(n) * cube_integral(begin - centre, stop - centre)
    return total


class Search(NamedTuple):
    """Bins of the result, and how clear the closest decision was: the least |error/previous − 1|."""

    start: int
    end: int
    margin: Fraction


def search(counts: Sequence[Fraction], levels: int) -> Search:
    """Return the bins that the search keeps, for a whole number of values; shares of them are rounded to float32."""
    total = sum(counts, Fraction(0))
    assert total.denominator == 1
    assert total * STEPS < 2**53  # the product with a number of steps is exact
    running = [float(sum(counts[: k + 1], Fraction(0))) for k in range(len(counts))]  # sixteenths: exact
    shares = [float(v) for v in (int(total) * np.arange(STEPS + 1) / STEPS).astype(np.float32)]
    start, end, gone_low, gone_high = 0, len(counts) - 1, 0, 0
    least, margin = None, Fraction(1)
    while gone_low + gone_high < STEPS:
        left, right = start, end
        below, above = shares[gone_low + 1], shares[STEPS - gone_high - 1]
        while left < end and running[left] < below:
            left += 1
        while right > start and running[right] > above:
            right -= 1
        if left - start > end - right:
            gone_low += 1
            candidate = (left, end)
        else:
            gone_high += 1
            candidate = (start, right)
        if candidate == (start, end):
            continue
        now = error(counts, *candidate, levels)
        if least is not None:
            margin = min(margin, abs(now / least - 1) if least else Fraction(now != 0))
            if now > least:
                break
        start, end, least = *candidate, now
    return Search(start, end, margin)


def restored_ends(low: Fraction, high: Fraction, bins: int, found: Search) -> tuple[Fraction, Fraction]:
    """Return where the first bin begins and the last one stops: fl(low + fl(fl(fl(high − low)/B)·k))."""
    width = fl(fl(high - low) / bins)
    return fl(low + fl(width * found.start)), fl(low + fl(width * (found.end + 1)))
