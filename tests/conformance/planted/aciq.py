"""Wrong analytical clipping: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.ranges import aciq


def deviation(x):
    return np.abs(x - x.mean(dtype=float)).mean()


def around_zero(x, factor, positive):
    alpha = factor * deviation(x)
    return (0 if positive else -alpha), alpha


def around_the_mean(x, alpha, positive):
    return (0, alpha) if positive else (x.mean(dtype=float) - alpha, x.mean(dtype=float) + alpha)


def clipped(x, factor, positive):
    low, high = around_the_mean(x, factor * deviation(x), positive)
    return max(low, 2 * x.mean(dtype=float) - x.max()), min(high, x.max())


def variance(x, factor, positive):
    return around_the_mean(x, factor * x.var(dtype=float), positive)


def of_magnitudes(x, factor, positive):
    return around_the_mean(x, factor * np.abs(x).mean(dtype=float), positive)


def never_empty(x, factor, positive):
    return around_the_mean(x, max(factor * deviation(x), 1e-3), positive)


# property: (convention, wrong implementation)
PLANTED = {
    "lies_around_the_mean": ("laplace", around_zero),
    "grows_with_the_factor": ("laplace", clipped),
    "is_as_wide_as_the_values_allow": ("gauss", variance),
    "moves_with_the_values": ("laplace", of_magnitudes),
    "a_constant_has_no_width": ("laplace", never_empty),
    "has_the_least_error": ("laplace", lambda bits, positive: aciq.PUBLISHED["laplace"].get(bits + positive, 6.2)),
    "grows_with_the_bits": ("laplace", lambda bits, positive: aciq.factor(min(bits, 8), positive=positive)),
    "positive_is_a_bit_more": ("gauss", lambda bits, positive: aciq.factor(bits, "gauss")),
}
