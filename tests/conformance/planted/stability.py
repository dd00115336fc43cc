"""Wrong stability: what each property must see."""

import numpy as np

from refcompress.formulas.pruning import stability


def all_or_nothing(mean, std, tau_mean, tau_std):
    found = stability.unimportant(mean, std, tau_mean, tau_std)
    return np.full(len(mean), found[0])


def beyond_the_threshold(mean, std, tau_mean, tau_std):
    return (np.abs(mean) < tau_mean) & (std >= tau_std)


def up_to_the_threshold(mean, std, tau_mean, tau_std):
    return (np.abs(mean) < tau_mean) & (std <= tau_std)


def without_modulus(mean, std, tau_mean, tau_std):
    return (mean < tau_mean) & (std < tau_std)


def summed(gradients):
    return gradients.sum(axis=0)


def magnitudes(gradients):
    return np.abs(gradients).mean(axis=0)


def with_an_offset(gradients):
    return gradients.mean(axis=0) + 1e-9


def variance(gradients):
    return gradients.var(axis=0)


def about_zero(gradients):
    return np.sqrt((gradients**2).mean(axis=0))


def other_divisor(gradients):
    return gradients.std(axis=0, ddof=1)


def not_divided(gradients):
    return gradients.std(axis=0) * np.sqrt(len(gradients))


# property: (convention, wrong implementation)
PLANTED = {
    "looks_at_each_alone": ("text", all_or_nothing),
    "growing_thresholds_keep_neurons": ("text", beyond_the_threshold),
    "is_strict": ("text", up_to_the_threshold),
    "takes_the_sign_as_its_rule": ("text", without_modulus),
    "mean_lies_between": ("default", summed),
    "mean_moves_along": ("default", magnitudes),
    "mean_scales": ("default", with_an_offset),
    "std_scales": ("ddof_0", variance),
    "std_stays": ("ddof_0", about_zero),
    "std_of_two": ("ddof_0", other_divisor),
    "std_is_within_the_range": ("ddof_0", not_divided),
}
