"""Wrong histograms and searches on them: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.ranges import histogram
from refcompress.formulas.quantization.ranges.histogram import Histogram


def search(counts, low, high, levels):
    return histogram.search(Histogram(counts, low, high), levels)


def middles(counts, low, high, levels):
    """From the middle of the first bin to that of the last."""
    half = (high - low) / len(counts) / 2
    first, last = search(counts, low, high, levels)
    return first + half, last - half


def above_forty(counts, low, high, levels):
    """Bins of at most forty values are left out at both ends."""
    kept = np.flatnonzero(counts > 40) if counts.max() > 40 else [0]
    width = (high - low) / len(counts)
    return low + width * kept[0], low + width * (kept[-1] + 1)


def from_zero(counts, low, high, levels):
    first, last = search(counts, low, high, levels)
    return first - low, last - low


def largest_dropped(x, bins):
    counts, low, high = histogram.collect(x, bins=bins)
    counts[-1] -= np.sum(x == high) if low < high else 0
    return counts, low, high


def around_zero(x, bins):
    largest = np.abs(x).max()
    return np.histogram(x, bins, (-largest, largest))[0], -largest, largest


def present(x, bins):
    counts, low, high = histogram.collect(x, bins=bins)
    return np.minimum(counts, 1), low, high


def merge(counts, low, high, x):
    return histogram.collect(x, Histogram(counts, low, high))


def clipped(counts, low, high, x):
    return merge(counts, low, high, x.clip(low, high))[0], low, high


def inside(counts, low, high, x):
    kept = x[(low <= x) & (x <= high)]
    return merge(counts, low, high, kept) if kept.size else (counts, low, high)


def faded(counts, low, high, x):
    """Old counts weigh half."""
    return merge(counts / 2, low, high, x)


def relative(counts, low, high, x):
    """Old counts become as many as new ones."""
    return merge(counts * np.float32(x.size) / max(counts.sum(), np.float32(1)), low, high, x)


# property: (convention, wrong implementation)
PLANTED = {
    "ends_where_bins_end": ("default", middles),
    "is_never_whole": ("default", lambda counts, low, high, levels: (low, high)),
    "ignores_the_number_of_values": ("default", above_forty),
    "scales_and_moves": ("default", from_zero),
    "counts_every_value": ("default", largest_dropped),
    "reaches_both_ends": ("default", around_zero),
    "counts_each_value_alone": ("default", present),
    "loses_no_value": ("default", inside),
    "spans_both": ("default", clipped),
    "adds_in_the_same_range": ("default", faded),
    "adds_old_counts_as_they_are": ("default", relative),
}
