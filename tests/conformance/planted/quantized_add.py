"""Wrong sums: what each property must see."""

import numpy as np

from refcompress.conformance.properties.quantized_add import own


def rounds_each_term(a, b, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, out_zero_point, qmin, qmax):
    terms = [
        np.rint((q.astype(int) - z) * (s / out_scale).astype(float))
        for q, s, z in ((a, a_scale, a_zero_point), (b, b_scale, b_zero_point))
    ]
    return np.clip(sum(terms) + out_zero_point, qmin, qmax).astype(int)


def wraps(a, b, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, out_zero_point, qmin, qmax):
    t = (a.astype(int) - a_zero_point) * float(a_scale) + (b.astype(int) - b_zero_point) * float(b_scale)
    return (np.rint(t / float(out_scale)).astype(int) + out_zero_point - qmin) % (qmax - qmin + 1) + qmin


def scale_of_a_for_both(a, b, a_scale, b_scale, *rest):
    return own("double")(a, b, a_scale, a_scale, *rest)


def zero_point_of_b_kept(a, b, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, *rest):
    return own("double")(a, b, a_scale, b_scale, out_scale, a_zero_point, 0, *rest)


# property: (convention, wrong implementation)
PLANTED = {
    "is_near_the_real_sum": ("single", rounds_each_term),
    "is_monotone": ("double", wraps),
    "terms_may_change_places": ("double", scale_of_a_for_both),
    "zeros_add_up_to_zero": ("double", zero_point_of_b_kept),
}
