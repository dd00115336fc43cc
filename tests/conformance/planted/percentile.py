"""Wrong percentiles: what each property must see."""

from math import ceil, floor

import numpy as np

from refcompress.formulas.quantization.ranges import percentile


def kth(x, low_p, high_p, of=np.sort):
    v, n = of(x), x.size
    return v[max(ceil(0.01 * low_p * n), 1) - 1], v[max(floor(0.01 * high_p * n + 0.5), 1) - 1]


def interpolated(x, low_p, high_p):
    return percentile.percentile(x, high_p, "interpolated", low_p=low_p)


def beyond(x, low_p, high_p):
    """Positions of n values instead of n − 1, and the last interval goes on."""
    v, h = np.sort(x), high_p / 100 * x.size
    i = min(floor(h), max(x.size - 2, 0))
    return interpolated(x, low_p, high_p)[0], v[i] + (v[min(i + 1, x.size - 1)] - v[i]) * x.dtype.type(h - i)


def first_index(x, low_p, high_p):
    v, n = np.sort(x), x.size
    return v[min(ceil(0.01 * low_p * n), n - 1)], v[min(floor(0.01 * high_p * n + 0.5), n - 1)]


def from_above(x, low_p, high_p):
    """The share to leave outside is taken for the share to keep, from the middle on."""
    return kth(x, low_p, 150 - high_p)


def cut_off(x, low_p, high_p):
    return kth(np.trunc(x), low_p, high_p)


def k_from_zero(x, p):
    return np.sort(np.abs(x))[min(floor(0.01 * p * x.size + 0.5), x.size - 1)]


# property: (convention, wrong implementation)
PLANTED = {
    "is_a_range": ("interpolated", beyond),
    "leaves_its_share_outside": ("kth", first_index),
    "more_percent_is_no_less": ("kth", from_above),
    "ignores_the_order": ("kth", lambda x, low_p, high_p: kth(x, low_p, high_p, np.asarray)),
    "scales": ("kth", cut_off),
    "ignores_signs": ("kth", lambda x, p: kth(x, p, p)[1]),
    "reaches_its_share": ("kth", k_from_zero),
    "grows_with_the_percentage": ("kth", lambda x, p: percentile.absolute(x, max(105 - p, 50))),
    "is_among_the_magnitudes": ("interpolated", lambda x, p: interpolated(x, p, p)[1]),
}
