"""Entropy calibration by plain loops: exact counts, and the divergence of every candidate range by mpmath."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import mpmath

EPSILON = Fraction(1, 10_000)


class Candidate(NamedTuple):
    """A range in whole bins, and its divergence (infinite where P or Q is empty)."""

    start: int
    stop: int
    divergence: mpmath.mpf


def edge(k: int, bins: int, absmax: Fraction) -> Fraction:
    """Return where bin k begins; bin `bins` would begin at absmax."""
    return -absmax + 2 * absmax * k / bins


def histogram(values: Sequence[Fraction], bins: int, absmax: Fraction) -> list[int]:
    """Return how many values lie in each bin, its beginning included; the last has its end too."""
    counts, edges = [0] * bins, [edge(k, bins, absmax) for k in range(bins)]
    for x in values:
        k = 0
        while k < bins - 1 and x >= edges[k + 1]:
            k += 1
        counts[k] += 1
    return counts


def reference(h: Sequence[int], start: int, stop: int) -> list[int]:
    """Return P: the bins in the range, all that is outside added to its first and last bin."""
    p = list(h[start:stop])
    p[0] += sum(h[:start])
    p[-1] += sum(h[stop:])
    return p


def coarse(h: Sequence[int], p: Sequence[int], start: int, stop: int, target: int) -> list[int]:
    """Return Q: `target` runs, each with the whole part of its mean over the bins that P has not empty."""
    n = stop - start
    run = n // target
    q = [0] * n
    for t in range(target):
        inside = range(t * run, (t + 1) * run)
        counted = range(t * run, n) if t == target - 1 else inside
        total = sum(h[start + j] for j in counted)
        others = sum(p[j] != 0 for j in inside)
        for j in inside:
            q[j] = total // others if others else 0
    return q


def smoothed(p: Sequence[int], epsilon: Fraction = EPSILON) -> list[Fraction] | None:
    """Return p with ε in its empty bins, taken from the others in equal parts; None if all are empty."""
    empty = sum(v == 0 for v in p)
    if empty == len(p):
        return None
    return [epsilon if v == 0 else v - epsilon * empty / (len(p) - empty) for v in p]


def divergence(p: Sequence[Fraction], q: Sequence[Fraction]) -> mpmath.mpf:
    """Return Σ P·log(P/Q) of the two divided by their sums."""
    total, sum_p, sum_q = mpmath.mpf(0), sum(p), sum(q)
    for a, b in zip(p, q, strict=True):
        a, b = a / sum_p, b / sum_q
        ratio = a / b
        total += number(a) * mpmath.log(number(ratio))
    return total


def number(x: Fraction) -> mpmath.mpf:
    """Return the fraction in mpmath's precision."""
    return mpmath.mpf(x.numerator) / x.denominator


def candidates(h: Sequence[int], target: int) -> list[Candidate]:
    """Return all ranges, the narrowest first."""
    bins, found = len(h), []
    for i in range(target // 2, bins // 2 + 1):
        start, stop = bins // 2 - i, min(bins // 2 + i + 1, bins)
        p = reference(h, start, stop)
        q = coarse(h, p, start, stop, target)
        smooth_p, smooth_q = smoothed(p), smoothed(q)
        none = smooth_p is None or smooth_q is None
        found.append(Candidate(start, stop, mpmath.inf if none else divergence(smooth_p, smooth_q)))
    return found
