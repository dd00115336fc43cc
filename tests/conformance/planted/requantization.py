"""Wrong requantizations: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.integer import requantization

MAX = 2**31 - 1


def ends(zero_point, qmin, qmax):
    return {"zero_point": zero_point, "qmin": qmin, "qmax": qmax}


def truncates(acc, multiplier, shift, zero_point, qmin, qmax):
    q = (acc.astype(np.int64) * multiplier >> (31 - shift)) + zero_point
    return np.clip(q, qmin, qmax)


def wraps_at_the_clip(acc, multiplier, shift, zero_point, qmin, qmax):
    q = (acc.astype(np.int64) * multiplier + (1 << (30 - shift)) >> (31 - shift)) + zero_point
    return (q - qmin) % (qmax - qmin + 1) + qmin


def zero_point_in_the_rounding(acc, multiplier, shift, zero_point, qmin, qmax):
    return np.clip(np.rint(acc.astype(np.float32) * multiplier + zero_point), qmin, qmax).astype(np.int64)


def ties_up(acc, multiplier, shift, *output):
    return requantization.requantize(acc, multiplier, shift, "double_up", **ends(*output))


def not_saturated(a, b):
    return ((a.astype(np.int64) * b + 2**30) >> 31).astype(np.int32)


def nudge_by_the_first(a, b):
    """The sign of one factor is taken for that of the product."""
    nudge = np.where(a >= 0, 2**30, 1 - 2**30)
    total = a.astype(np.int64) * b + nudge
    return np.minimum(np.sign(total) * (np.abs(total) >> 31), MAX)


def adds_half(x, exponent):
    return (x.astype(np.int64) + ((1 << exponent) >> 1)) >> exponent


# property: (convention, wrong implementation)
PLANTED = {
    "is_near_the_product": ("double", truncates),
    "is_monotone": ("single", wraps_at_the_clip),
    "adds_the_zero_point_last": ("float", zero_point_in_the_rounding),
    "breaks_ties_as_its_rounding_does": ("double", ties_up),
    "is_the_nearest_and_ties_go_up": ("default", not_saturated),
    "commutes": ("default", nudge_by_the_first),
    "is_the_nearest_and_ties_go_away": ("default", adds_half),
    "is_odd": ("default", adds_half),
}
