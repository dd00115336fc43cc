"""Wrong moments in one pass: what each property must see."""

import numpy as np


def with_the_old_mean(count, mean, m2, gradient):
    delta = gradient - mean
    return count + 1, mean + delta / (count + 1), m2 + delta**2


def forgetful(count, mean, m2, gradient):
    return count + 1, mean + (gradient - mean) / (count + 1), m2 * count / (count + 1)


def not_squared(count, mean, m2, gradient):
    new = mean + (gradient - mean) / (count + 1)
    return count + 1, new, m2 + np.abs(gradient - new)


def without_what_is_between(count_a, mean_a, m2_a, count_b, mean_b, m2_b):
    count = max(count_a + count_b, 1)
    return count_a + count_b, (count_a * mean_a + count_b * mean_b) / count, m2_a + m2_b


def mean_of_the_means(count_a, mean_a, m2_a, count_b, mean_b, m2_b):
    return count_a + count_b, (mean_a + mean_b) / 2, m2_a + m2_b


def distance_of_the_means(count_a, mean_a, m2_a, count_b, mean_b, m2_b):
    return count_a + count_b, np.maximum(mean_a, mean_b), m2_a + m2_b + np.abs(mean_b - mean_a)


def one_more(count, m2):
    return np.sqrt(m2 / (count + 1))


def variance(count, m2):
    return m2 / count


def without_the_shift(count, shift, sums, squares):
    return sums / count, np.maximum(squares - sums**2 / count, 0)


def not_divided(count, shift, sums, squares):
    return shift + sums / count, np.maximum(squares - sums**2, 0)


# property: (convention, wrong implementation)
PLANTED = {
    "counts_one_value_more": ("default", with_the_old_mean),
    "its_own_mean_adds_nothing": ("default", forgetful),
    "update_scales": ("default", not_squared),
    "counts_both_runs": ("default", without_what_is_between),
    "an_empty_run_adds_nothing": ("default", mean_of_the_means),
    "merge_scales": ("default", distance_of_the_means),
    "is_the_root_of_m2": ("ddof_0", one_more),
    "std_scales": ("ddof_0", variance),
    "the_constant_does_not_matter": ("default", without_the_shift),
    "is_of_these_values": ("default", not_divided),
}
