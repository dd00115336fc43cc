"""The moving average of a range, every operation exact and then rounded to the format."""

from collections.abc import Iterable
from fractions import Fraction

from tests.oracles import rounding


def step(m: Fraction, x: Fraction, c: Fraction, name: str) -> Fraction | float:
    """Return fl(m + fl(fl(c) · fl(x − m))), or ±inf where the difference overflows."""
    weight, difference = rounding.to_format(c, name), rounding.to_format(x - m, name)
    if isinstance(difference, float):
        return difference
    return rounding.to_format(m + rounding.to_format(weight * difference, name), name)


def update(
    average: tuple[Fraction, Fraction] | None, batch: Iterable[Fraction], c: Fraction, name: str, include_zero: bool
) -> tuple[Fraction | float, Fraction | float]:
    """Return the range after one more batch; the first batch's range is its own."""
    values = list(batch) + [Fraction(0)] * include_zero
    low, high = min(values), max(values)
    if average is None:
        return low, high
    return step(average[0], low, c, name), step(average[1], high, c, name)


def closed_form(first: Fraction, ends: list[Fraction], c: Fraction) -> Fraction:
    """Return the exact average (1 − c)^T·first + c·Σ_t (1 − c)^(T−t)·end_t after T more batches."""
    total = (1 - c) ** len(ends) * first
    for t, end in enumerate(ends, start=1):
        total += c * (1 - c) ** (len(ends) - t) * end
    return total
