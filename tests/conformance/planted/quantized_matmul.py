"""Wrong quantized products: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.integer import products, requantization


def sums(a, b, bias, a_zero_point, b_zero_point):
    return products.matmul(a, b, a_zero_point, b_zero_point) + bias


def right(
    a, b, bias, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, out_zero_point, qmin, qmax, rounding="double"
):
    return requantization.rescale(
        sums(a, b, bias, a_zero_point, b_zero_point), a_scale, b_scale, out_scale, rounding, zero_point=out_zero_point,
        qmin=qmin, qmax=qmax, axis=1,
    )  # fmt: skip


def floors(a, b, bias, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, out_zero_point, qmin, qmax):
    real = sums(a, b, bias, a_zero_point, b_zero_point) * (a_scale * b_scale / out_scale).astype(np.float64)
    return np.clip(np.floor(real) + out_zero_point, qmin, qmax).astype(np.int64)


def bias_afterwards(a, b, bias, *rest):
    """In units of the output."""
    return np.clip(right(a, b, 0 * bias, *rest).astype(int) + bias, *rest[-2:])


def first_scale(a, b, bias, a_scale, b_scale, *rest):
    return right(a, b, bias, a_scale, np.full_like(b_scale, b_scale[0]), *rest)


def scale_of_the_output_ignored(a, b, bias, a_scale, b_scale, out_scale, *rest):
    return right(a, b, bias, a_scale, b_scale, np.float32(1), *rest)


def zero_point_in_the_rounding(
    a, b, bias, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, out_zero_point, qmin, qmax
):
    total = sums(a, b, bias, a_zero_point, b_zero_point).astype(np.float32)
    return np.clip(np.rint(total * (a_scale * b_scale / out_scale) + np.float32(out_zero_point)), qmin, qmax).astype(
        int
    )


# property: (convention, wrong implementation)
PLANTED = {
    "is_near_the_real_number": ("single", floors),
    "a_bias_is_one_more_term": ("double", bias_afterwards),
    "treats_each_code_alone": ("double", first_scale),
    "depends_on_the_quotient_of_scales": ("double", scale_of_the_output_ignored),
    "adds_its_zero_point_last": ("float", zero_point_in_the_rounding),
}
