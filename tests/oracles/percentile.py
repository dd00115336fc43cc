"""Percentiles from the sorted list: the k-th value, k by float64 steps, and the exact interpolation."""

from collections.abc import Iterable
from fractions import Fraction

from tests.oracles import rounding


def position(p: float, n: int) -> Fraction:
    """Return fl(fl(0.01·p)·n) in float64."""
    return rounding.to_format(rounding.to_format(Fraction(0.01) * Fraction(p), "float64") * n, "float64")


def high_k(p: float, n: int) -> int:
    """Return ⌊fl(fl(fl(0.01·p)·n) + ½)⌋, from 1."""
    return rounding.to_integer(rounding.to_format(position(p, n) + Fraction(1, 2), "float64"), "floor")


def low_k(p: float, n: int) -> int:
    """Return ⌈fl(fl(0.01·p)·n)⌉, from 1."""
    return rounding.to_integer(position(p, n), "ceil")


def kth(values: Iterable[float], k: int) -> float | None:
    """Return the k-th smallest value, counted from 1, or None where there is none."""
    ordered = sorted(values)
    return ordered[k - 1] if 1 <= k <= len(ordered) else None


def interpolated(values: Iterable[float], p: float) -> Fraction:
    """Return the exact value at position p/100·(n − 1) of the ordered values, straight lines between them."""
    ordered = [Fraction(x) for x in sorted(values)]
    h = Fraction(p) / 100 * (len(ordered) - 1)
    below = h.numerator // h.denominator
    if below == len(ordered) - 1:
        return ordered[-1]
    part = h - below
    return (1 - part) * ordered[below] + part * ordered[below + 1]
