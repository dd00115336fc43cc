"""The ends of a range, by comparing one value after the other."""

from collections.abc import Iterable


def min_max(values: Iterable[float]) -> tuple[float, float]:
    """Return the smallest and the largest value."""
    low = high = None
    for x in values:
        if low is None or x < low:
            low = x
        if high is None or x > high:
            high = x
    assert low is not None
    assert high is not None
    return low, high


def absolute_maximum(values: Iterable[float]) -> float:
    """Return the largest distance from 0."""
    largest = 0.0
    for x in values:
        size = -x if x < 0 else x
        if size > largest:
            largest = size
    return largest
