"""Wrong selections: what each property must see."""

import math

import numpy as np

from refcompress.formulas.pruning import selection


def rounded(score, fraction):
    return np.sort(np.argsort(score, kind="stable")[: round(fraction * len(score))])


def ties_to_the_higher_index(score, fraction):
    count = len(selection.smallest(score, fraction))
    return np.sort(len(score) - 1 - np.argsort(score[::-1], kind="stable")[:count])


def nearest_to_the_fraction(score, fraction):
    count = len(selection.smallest(score, fraction))
    return np.sort(np.argsort(np.abs(score - fraction), kind="stable")[:count])


def by_the_sum(mean, std, tau_mean, tau_std):
    return sum(np.where(v > 0, v / tau if tau else math.inf, 0) for v, tau in ((abs(mean), tau_mean), (std, tau_std)))


def without_modulus(mean, std, tau_mean, tau_std):
    return selection.score(np.maximum(mean, 0), std, tau_mean, tau_std)


def signed(mean, std):
    return float(np.median(mean)), float(np.median(std))


def lower_middle(mean, std):
    return tuple(float(np.sort(values)[(len(values) - 1) // 2]) for values in (np.abs(mean), std))


def at_the_smallest_other(score, selected, tau_mean, tau_std):
    b = np.delete(score, selected).min()
    return tau_mean * b, tau_std * b


def one_grows(score, selected, tau_mean, tau_std):
    return selection.separating_thresholds(score, selected, tau_mean, tau_std)[0], tau_std


# property: (convention, wrong implementation)
PLANTED = {
    "counts_hundredths_down": ("default", rounded),
    "selects_the_smallest": ("default", ties_to_the_higher_index),
    "grows_with_the_fraction": ("default", nearest_to_the_fraction),
    "is_the_factor": ("default", by_the_sum),
    "score_ignores_the_sign": ("default", without_modulus),
    "has_as_many_below_as_above": ("default", signed),
    "mirrors": ("default", lower_middle),
    "separates": ("default", at_the_smallest_other),
    "both_thresholds_grow_alike": ("default", one_grows),
}
