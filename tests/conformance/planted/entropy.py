"""Wrong entropy calibrations: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.ranges.entropy import threshold


def not_clipped(x, bins, target_bins):
    largest = np.abs(x).max()
    return -largest, largest


def of_all_but_the_last(x, bins, target_bins):
    """The last value is counted in no bin."""
    return threshold(x[:-1] if x[:-1].any() else x, bins, target_bins)


def middles(x, bins, target_bins):
    """From the middle of the first bin to that of the last."""
    low, high = threshold(x, bins, target_bins)
    half = np.abs(x).max() / x.dtype.type(bins)
    return min(low + half, high), max(high - half, low)


def from_two_bins_on(x, bins, target_bins):
    return threshold(x, bins, 2)


def printed(x, bins, target_bins):
    """The ends have one decimal."""
    return tuple(np.round(end, 1) for end in threshold(x, bins, target_bins))


# property: (convention, wrong implementation)
PLANTED = {
    "lies_within_the_values": ("default", not_clipped),
    "ends_where_bins_end": ("default", middles),
    "holds_the_narrowest_range": ("default", from_two_bins_on),
    "keeps_all_with_a_code_for_every_bin": ("default", from_two_bins_on),
    "ignores_the_order": ("default", of_all_but_the_last),
    "scales": ("default", printed),
}
