"""Wrong biases: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.integer import bias


def truncates(b, x_scale, w_scale):
    return np.trunc(b / (np.float64(x_scale) * w_scale)).astype(np.int32)


def ties_to_even(b, x_scale, w_scale):
    return bias.quantize_bias(b, x_scale, w_scale)


def first_scale(b, x_scale, w_scale):
    return bias.quantize_bias(b, x_scale, w_scale[0], rounding="half_away")


def safe_divisor(b, x_scale, w_scale):
    """A unit that is kept from 0."""
    return np.rint(b / (np.float64(x_scale) * w_scale + 1e-5)).astype(np.int32)


# property: (convention, wrong implementation)
PLANTED = {
    "is_the_nearest_integer": ("half_even", truncates),
    "breaks_ties_as_said": ("half_away", ties_to_even),
    "treats_each_output_alone": ("half_away", first_scale),
    "depends_on_the_quotient_alone": ("half_even", safe_divisor),
}
