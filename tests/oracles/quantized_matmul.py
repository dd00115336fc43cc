"""Quantized matrix product: the sums of `products`, each through the rescaling of `requantization`."""

from tests.oracles import products, requantization
from tests.oracles.products import of


def scale_of(value, index):
    return value[index] if isinstance(value, list) else value


def sums(a, b, bias=None, a_zero_point=0, b_zero_point=0):
    acc = products.matmul(a, b, a_zero_point, b_zero_point)
    return [[v + (0 if bias is None else of(bias, n)) for n, v in enumerate(row)] for row in acc]


def matmul(
    a, b, bias=None, *, a_scale, b_scale, out_scale, a_zero_point=0, b_zero_point=0, out_zero_point=0,
    rounding="double", dtype="int8", qmin=None, qmax=None,
):  # fmt: skip
    """Lists of rows of integers; scales are floats, a_scale and b_scale also lists of them; dtype is the output's."""
    ends = requantization.code_range(dtype, qmin, qmax)

    def code(v, m, n):
        s_a, s_b = scale_of(a_scale, m), scale_of(b_scale, n)
        return requantization.rescale(v, s_a, s_b, out_scale, rounding, 0, out_zero_point, *ends)

    acc = sums(a, b, bias, a_zero_point, b_zero_point)
    return [[code(v, m, n) for n, v in enumerate(row)] for m, row in enumerate(acc)]


def exact(a, b, bias=None, *, a_scale, b_scale, out_scale, a_zero_point=0, b_zero_point=0):
    """The same in real numbers: (out − z_out) before it is rounded."""
    return [
        [requantization.exact(v, scale_of(a_scale, m), scale_of(b_scale, n), out_scale) for n, v in enumerate(row)]
        for m, row in enumerate(sums(a, b, bias, a_zero_point, b_zero_point))
    ]
