"""Properties of the histogram search."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import SIZES, at_times_longer, longer, repeated, resized
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.ranges import histogram
from refcompress.formulas.quantization.ranges.histogram import Histogram


def _search(counts: np.ndarray, low: np.float32, high: np.float32, levels: int) -> Any:
    return histogram.search(Histogram(counts, low, high), levels)


def _collect(x: np.ndarray, bins: int) -> Any:
    return tuple(histogram.collect(x, bins=bins))


def _merge(counts: np.ndarray, low: np.float32, high: np.float32, x: np.ndarray) -> Any:
    return tuple(histogram.collect(x, Histogram(counts, low, high)))


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "search": lambda convention: _search,
    "collect": lambda convention: _collect,
    "merge": lambda convention: _merge,
}
EIGHTHS = st.integers(-80, 80).map(lambda k: k / 8)


@st.composite
def histograms(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Twelve to 16 bins, all alike or with so few values at both ends that these are soon left out, and levels."""
    counts = draw(st.lists(st.integers(10, 30), min_size=12, max_size=16))
    if draw(st.booleans()):
        outer = draw(st.integers(1, 4))
        counts[outer:-outer] = [100_000 * n for n in counts[outer:-outer]]
    low, width = draw(st.integers(-4, 4)), draw(st.sampled_from((0.5, 1.0, 2.0)))
    ends = np.float32(low), np.float32(low + width * len(counts))
    return {"counts": np.array(counts, np.float32), "low": ends[0], "high": ends[1], "levels": draw(st.integers(2, 8))}


@st.composite
def tensors(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 12 values, equal ones and borders of bins among them, and up to 9 bins."""
    x = draw(st.lists(EIGHTHS | st.floats(-100, 100, width=32, allow_subnormal=False), min_size=1, max_size=12))
    return {"x": np.array(x, np.float32), "bins": draw(st.integers(2, 9))}


@st.composite
def batches(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A histogram, or one of equal values, and up to 6 more values; the ends of all bins have few digits."""
    bins = draw(st.sampled_from((2, 4, 8)))
    low, width = draw(EIGHTHS), draw(st.sampled_from((0.0, 0.25, 0.5, 1.0)))
    counts = np.array(draw(st.lists(st.integers(0, 9), min_size=bins, max_size=bins)), np.float32)
    if width:
        counts[[0, -1]] += 1
    else:
        counts[np.arange(bins) != bins // 2] = 0
        counts[bins // 2] += 1
    x = np.array(draw(st.lists(EIGHTHS, min_size=1, max_size=6)), np.float32)
    return {"counts": counts, "low": np.float32(low), "high": np.float32(low + width * bins), "x": x}


def more_bins(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n bins of the same width."""
    counts, low = arguments["counts"], arguments["low"]
    width = (arguments["high"] - low) / np.float32(counts.size)
    return arguments | {"counts": resized(counts, 0, n), "high": low + width * np.float32(n)}


many_histograms = at_times_longer(histograms, more_bins, sizes=SIZES[:5])


def more_of_both(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """16, 32 or 64 bins of the same width, or of the same one value; and n values."""
    bins = 2 ** (4 + n % 3)
    more = more_bins(arguments, bins)
    if arguments["low"] == arguments["high"]:
        more["counts"] = np.where(np.arange(bins) == bins // 2, arguments["counts"].sum(), np.float32(0))
    return repeated(x=0)(more, n)


def ends_where_bins_end(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, levels: int
) -> None:
    """The range begins and ends where bins do, and holds at least one."""
    borders = np.linspace(float(low), float(high), len(counts) + 1).tolist()
    first, last = map(float, f(counts, low, high, levels))
    assert first in borders, f"low must be one of {borders}, got {first}"
    assert last in borders, f"high must be one of {borders}, got {last}"
    assert first < last, f"low must be less than high, got {first} and {last}"


def is_never_whole(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, levels: int
) -> None:
    """A bin or more at one end is left outside, whatever the error is."""
    first, last = f(counts, low, high, levels)
    assert first > low or last < high, f"the whole range, {low} to {high}, is returned"


def ignores_the_number_of_values(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, levels: int
) -> None:
    """Twice the counts have the same range."""
    one, twice = tuple(f(counts, low, high, levels)), tuple(f(2 * counts, low, high, levels))
    assert one == twice, f"{one} becomes {twice}"


def scales_and_moves(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, levels: int
) -> None:
    """Bins of half the width somewhere else give half of the range, moved as far."""
    one = tuple(map(float, f(counts, low, high, levels)))
    other = tuple(map(float, f(counts, low / 2 + np.float32(1), high / 2 + np.float32(1), levels)))
    assert other == tuple(end / 2 + 1 for end in one), f"{one} becomes {other}"


def counts_every_value(f: Callable[..., Any], convention: str, x: np.ndarray, bins: int) -> None:
    """The counts are whole numbers that add up to the number of values, one for every bin."""
    counts = np.asarray(f(x, bins)[0])
    assert counts.shape == (bins,), f"there must be {bins} counts, got shape {counts.shape}"
    assert (counts >= 0).all(), f"counts must be at least 0, got {counts.tolist()}"
    assert (counts == np.floor(counts)).all(), f"counts must be whole numbers, got {counts.tolist()}"
    assert counts.sum() == x.size, f"{x.size} values are counted as {counts.sum()}"


def reaches_both_ends(f: Callable[..., Any], convention: str, x: np.ndarray, bins: int) -> None:
    """The range is that of the values, and unless they are equal the first and the last bin hold one."""
    counts, low, high = f(x, bins)
    assert (low, high) == (x.min(), x.max()), f"the range must be {x.min()} to {x.max()}, got {low} to {high}"
    assert low == high or (counts[0] > 0 and counts[-1] > 0), f"an end is in no bin: {np.asarray(counts).tolist()}"


def counts_each_value_alone(f: Callable[..., Any], convention: str, x: np.ndarray, bins: int) -> None:
    """The same values once more, in reverse order, double every count."""
    one, twice = np.asarray(f(x, bins)[0]), np.asarray(f(np.concatenate([x, x[::-1]]), bins)[0])
    assert (twice == 2 * one).all(), f"{one.tolist()} becomes {twice.tolist()}"


def loses_no_value(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, x: np.ndarray
) -> None:
    """The new counts add up to the old ones and the number of new values."""
    new = np.asarray(f(counts, low, high, x)[0])
    assert new.shape == counts.shape, f"there must be {len(counts)} counts, got shape {new.shape}"
    assert new.sum() == counts.sum() + x.size, f"{counts.sum()} and {x.size} values are {new.sum()} in the end"


def spans_both(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, x: np.ndarray
) -> None:
    """The range is the smallest that holds the old one and all new values."""
    wanted, found = (min(low, x.min()), max(high, x.max())), tuple(f(counts, low, high, x)[1:])
    assert found == wanted, f"the range must be {wanted}, got {found}"


def adds_in_the_same_range(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, x: np.ndarray
) -> None:
    """Values inside of the old range move nothing: counts grow by whole numbers."""
    grown = np.asarray(f(counts, low, high, x.clip(low, high))[0]) - counts
    assert (grown >= 0).all(), f"{counts.tolist()} grows by {grown.tolist()}"
    assert (grown == np.floor(grown)).all(), f"{counts.tolist()} grows by {grown.tolist()}"


def adds_old_counts_as_they_are(
    f: Callable[..., Any], convention: str, counts: np.ndarray, low: np.float32, high: np.float32, x: np.ndarray
) -> None:
    """Twice the old counts add twice as much to what the new values count."""
    none, one, twice = (np.asarray(f(k * counts, low, high, x)[0]) for k in map(np.float32, (0, 1, 2)))
    assert (twice - none == 2 * (one - none)).all(), f"{(one - none).tolist()} becomes {(twice - none).tolist()}"


PROPERTIES = (
    Property("search", ends_where_bins_end, many_histograms),
    Property("search", is_never_whole, many_histograms),
    Property("search", ignores_the_number_of_values, many_histograms),
    Property("search", scales_and_moves, many_histograms),
    Property("collect", counts_every_value, tensors),
    Property("collect", reaches_both_ends, tensors),
    Property("collect", counts_each_value_alone, tensors),
    Property("merge", loses_no_value, batches),
    Property("merge", spans_both, batches),
    Property("merge", adds_in_the_same_range, batches),
    Property("merge", adds_old_counts_as_they_are, batches),
)
AGREES = {"collect": tensors, "merge": batches}
LONGER = {"collect": longer(tensors, repeated(x=0)), "merge": longer(batches, more_of_both)}
