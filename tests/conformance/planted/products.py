"""Wrong products: what each property must see."""

import numpy as np


def right(a, b, a_zero_point, b_zero_point):
    z_a, z_b = np.reshape(a_zero_point, (-1, 1)), np.reshape(b_zero_point, (1, -1))
    return (a.astype(int) - z_a) @ (b.astype(int) - z_b)


def no_constant(a, b, a_zero_point, b_zero_point):
    """Without the term K · z_a · z_b."""
    return right(a, b, a_zero_point, b_zero_point) - a.shape[1] * a_zero_point * b_zero_point


def wrapped_differences(a, b, a_zero_point, b_zero_point):
    return right(right(a, np.eye(a.shape[1]), a_zero_point, 0).astype(a.dtype), b, 0, b_zero_point)


def first_term_twice(a, b, a_zero_point, b_zero_point):
    return right(a, b, a_zero_point, b_zero_point) + (int(a[0, 0]) - a_zero_point)


def zero_points_swapped(a, b, a_zero_point, b_zero_point):
    return right(a, b, b_zero_point, a_zero_point) + 2 * a_zero_point


def first_zero_points(a, b, a_zero_point, b_zero_point):
    return right(a, b, a_zero_point[0], b_zero_point[0])


# property: (convention, wrong implementation)
PLANTED = {
    "subtracts_its_zero_points": ("default", no_constant),
    "has_an_identity": ("default", wrapped_differences),
    "adds_up_over_terms": ("default", first_term_twice),
    "transposes": ("default", zero_points_swapped),
    "treats_each_sum_alone": ("default", first_zero_points),
    "keeps_16_bit_differences": ("default", wrapped_differences),
}
