"""Histogram search: a range with little squared error, estimated from a histogram as PyTorch's observer does.

Tutorial: tutorials/04_conventions.py
"""

from bisect import bisect_left, bisect_right
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_dtype, check_finite, check_not_empty, float_array, integer
from refcompress.formulas.fused import fma

FINE = 16  # parts of an old bin when histograms merge
STEP = 1e-5  # of all values: what the search takes from one end at a time


class Histogram(NamedTuple):
    """How many values fall into each of equally wide bins from low to high; all of it float32."""

    counts: np.ndarray
    low: np.float32
    high: np.float32


def collect(x: ArrayLike, seen: Histogram | None = None, *, bins: int = 2048) -> Histogram:
    """Histogram of a tensor, or of one more batch after others.

        bin of x = ⌊ (x − low) · B / (high − low) ⌋,  and B − 1 for x = high

    A batch that widens the range moves the old counts: each old bin is cut into 16 parts of 1/16 of its count, and each
    part falls into the new bin in which its middle lies.

    Parameters
    ----------
    x : float32 array of any shape
    seen : Histogram, optional
        What the batches before gave.
    bins : int from 2 to 65,536
        B, for the first batch; later ones have the bins of `seen`.

    Returns
    -------
    Histogram

    Raises
    ------
    TypeError
        If x is not float32, or bins is not an integer.
    ValueError
        If x is empty, a value is not finite, bins is out of range, or (high − low) · B overflows.

    Notes
    -----
    This is HistogramObserver.forward of PyTorch 2.13 on an x86 processor with AVX2, with one thread, bit for bit: 0
    of 2800 runs differ. All is float32: products before quotients in the bin's number; the ends of the bins and parts
    as torch.linspace gives them, fma(step, i, low) in the lower half and fma(−step, rest, high) in the upper one; the
    merged counts added one after the other. Here counts are exact up to 2²⁴ a bin; torch.histc adds ones in float32
    and stays at 2²⁴. A constant tensor is counted between x − 1 and x + 1 (from 2²⁴ on, where float32 has not both,
    PyTorch's bin is another); when it merges, its count goes into the bin of its value. PyTorch drops infinities with
    a warning; here they are errors.

    References
    ----------
    .. [1] PyTorch 2.13, torch/ao/quantization/observer.py, HistogramObserver.

    Examples
    --------
    >>> first = collect(np.array([0, 1, 2, 4], np.float32), bins=4)
    >>> first.counts
    array([1., 1., 1., 1.], dtype=float32)
    >>> collect(np.array([8], np.float32), first).counts
    array([2., 2., 0., 1.], dtype=float32)
    """
    x = float_array("x", x).reshape(-1)
    check_dtype("x", x, np.dtype(np.float32))
    check_not_empty("x", x)
    check_finite("x", x)
    bins = integer("bins", bins, 2, 2**16) if seen is None else seen.counts.size
    low, high = x.min(), x.max()
    if seen is not None:
        low, high = min(low, seen.low), max(high, seen.high)
    new = _counted(x, low, high, bins)
    if seen is not None:
        if (low, high) == (seen.low, seen.high):
            new += seen.counts
        elif seen.low == seen.high:
            new += _counted(np.array([seen.low]), low, high, bins) * seen.counts.sum()
        else:
            new += _moved(seen, low, high)
    return Histogram(new, low, high)


def search(histogram: Histogram, levels: int = 256) -> tuple[np.float32, np.float32]:
    """Range with the least estimated squared error; bins at both ends are left outside while that lessens it.

        error = Σ_bins ∫ (x − c(x))² · n/w dx        c(x): middle of the level, one of L equal parts of the range, of x

    w is a bin's width and n its count, spread evenly over it. In each step the end that passes more bins gives up
    10⁻⁵ of all values; at a tie it is the high end. The search stops at the first range with a larger error.

    Parameters
    ----------
    histogram : Histogram
    levels : int from 2 to 65,536
        L, 2^b.

    Returns
    -------
    (low, high) : float32 scalars, ends of bins, in x's unit.

    Raises
    ------
    TypeError
        If levels is not an integer.
    ValueError
        If levels is out of range, or float32 does not hold the squared errors: with 2048 bins and 256 levels below a
        width of 10⁻¹⁰ and from 7·10¹² on, where PyTorch goes on with cubes that underflow or overflow.

    Notes
    -----
    This is HistogramObserver._non_linear_param_search of PyTorch 2.13: 0 of 2800 ranges differ. What it does that the
    name does not say:

        the whole range is never a candidate: the first shorter one is taken whatever its error
        the levels are the middles of L equal parts: the ends of the range are no levels, as they are of s · (q − Z)
        the low end first moves when 10⁻⁵ of all values are more than its bin holds: hardly below 100,000 values
        L is 2^8 for every 8-bit type, also where qmin and qmax are narrower, and for 4 bits
        a bin beyond the range counts with its distances from the middle of the last level

    Everything is float32 but the sum over bins, which is float64 (PyTorch adds in float32, in an order that depends
    on the processor's vectors; no range in 2800 depended on it), and the fractions 10⁻⁵·i.

    References
    ----------
    .. [1] PyTorch 2.13, torch/ao/quantization/observer.py, HistogramObserver.

    Examples
    --------
    >>> low, high = search(collect(np.linspace(-1, 1, 10_000, dtype=np.float32)))
    >>> float(low), float(high)  # two bins of 2048 less
    (-1.0, 0.9990234375)
    """
    levels = integer("levels", levels, 2, 2**16)
    counts, low, high = histogram
    if low == high:
        return low, high
    _check_cubes(histogram, levels)
    cumulative = np.cumsum(counts, dtype=np.float64).astype(np.float32).tolist()  # bisect is quick on a list
    total = float(counts.sum())
    alpha, beta = 0.0, 1.0
    start, end = 0, counts.size - 1
    least = inf
    while alpha < beta:
        next_alpha, next_beta = alpha + STEP, beta - STEP
        left = bisect_left(cumulative, float(np.float32(next_alpha * total)))
        right = bisect_right(cumulative, float(np.float32(next_beta * total))) - 1
        left, right = min(max(left, start), end), max(min(right, end), start)
        next_start, next_end = start, end
        if left - start > end - right:
            next_start, alpha = left, next_alpha
        else:
            next_end, beta = right, next_beta
        if (next_start, next_end) == (start, end):
            continue
        error = _error(histogram, next_start, next_end, levels)
        if error > least:
            break
        least, start, end = error, next_start, next_end
    width = (high - low) / np.float32(counts.size)
    return low + width * np.float32(start), low + width * np.float32(end + 1)


def _counted(x: np.ndarray, low: np.float32, high: np.float32, bins: int) -> np.ndarray:
    """How many values fall into each bin, as torch.histc counts them."""
    if low == high:
        low, high = low - np.float32(1), high + np.float32(1)
    with np.errstate(over="ignore"):
        width = high - low
        if not np.isfinite(width * np.float32(bins)):
            raise ValueError(f"(high - low) · bins must be finite in float32, got low = {low} and high = {high}")
    if width == 0:  # x ± 1 is x from 2^25 on
        k = np.full(x.size, bins // 2)
    else:
        k = ((x - low) * np.float32(bins) / width).astype(np.int64)
    return np.bincount(np.minimum(k, bins - 1), minlength=bins).astype(np.float32)


def _moved(seen: Histogram, low: np.float32, high: np.float32) -> np.ndarray:
    """The old counts in the bins of the new range."""
    bins = seen.counts.size
    parts = np.repeat(seen.counts, FINE) / np.float32(FINE)
    half = np.float32(0.5) * ((seen.high - seen.low) / np.float32(bins * FINE))
    middles = _ends(seen.low, seen.high, bins * FINE)[:-1] + half
    k = np.searchsorted(_ends(low, high, bins), middles, side="right") - 1
    moved = np.zeros(bins, np.float32)
    np.add.at(moved, np.clip(k, 0, bins - 1), parts)
    return moved


def _ends(low: np.float32, high: np.float32, parts: int) -> np.ndarray:
    """Ends of equal parts as torch.linspace gives them: from low in the lower half, from high in the upper one."""
    step = (high - low) / np.float32(parts)
    i = np.arange(parts + 1, dtype=np.float32)
    steps, lows, highs = np.full_like(i, step), np.full_like(i, low), np.full_like(i, high)
    return np.where(i < (parts + 1) // 2, fma(steps, i, lows), fma(-steps, parts - i, highs))


def _check_cubes(histogram: Histogram, levels: int) -> None:
    """Raise ValueError unless the integrals of `_error` are normal numbers in float32."""
    span, info = float(histogram.high) - float(histogram.low), np.finfo(np.float32)
    largest = span**3 * max(1.0, float(histogram.counts.sum()) / (span / histogram.counts.size))
    if (span / levels / 2) ** 3 < float(info.tiny) or largest > float(info.max):
        raise ValueError(f"high - low must leave squared errors that float32 holds, got {span:g}")


def _error(histogram: Histogram, start: int, end: int, levels: int) -> float:
    """Estimated squared error when the bins from start to end share the levels."""
    counts, low, high = histogram
    bins, number = counts.size, np.float32
    width = (float(high) - float(low)) / bins
    level = width * (end - start + 1) / levels
    half = number(level / 2)
    density = counts / number(width)
    begin = (np.arange(bins) - start).astype(number) * number(width)  # of every bin, from the range's start
    finish = begin + number(width)
    first = np.clip(begin // number(level), 0, levels - 1)  # the levels in which the bin begins and ends
    last = np.clip(finish // number(level), 0, levels - 1)

    def integral(a: np.ndarray | np.float32, b: np.ndarray | np.float32) -> np.ndarray:
        """n/w · ∫ from a to b of t² dt, t the distance from a level's middle."""
        return density * ((b * b * b - a * a * a) / number(3))

    error = integral(begin - (first + number(0.5)) * number(level), half)
    error += (last - first - number(1)) * integral(-half, half)
    error += integral(-half, finish - (last * number(level) + half))
    return float(error.sum(dtype=np.float64))
