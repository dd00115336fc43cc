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
    rounding="double", qmin=-128, qmax=127,
):  # fmt: skip
    """Lists of rows of integers; scales are floats, b_scale also a list of them."""
    return [
        [
            requantization.rescale(v, a_scale, scale_of(b_scale, n), out_scale, rounding, 0, out_zero_point, qmin, qmax)
            for n, v in enumerate(row)
        ]
        for row in sums(a, b, bias, a_zero_point, b_zero_point)
    ]


def exact(a, b, bias=None, *, a_scale, b_scale, out_scale, a_zero_point=0, b_zero_point=0):
    """The same in real numbers: (out − z_out) before it is rounded."""
    return [
        [requantization.exact(v, a_scale, scale_of(b_scale, n), out_scale) for n, v in enumerate(row)]
        for row in sums(a, b, bias, a_zero_point, b_zero_point)
    ]
