"""Quantized convolution: the sums of `integer_conv2d`, each through the rescaling of `requantization`."""

from tests.oracles import integer_conv2d, requantization
from tests.oracles.products import of
from tests.oracles.quantized_matmul import scale_of


def each(function, sums):
    """function(sum, filter) of every entry of nested lists (N, O, H, W)."""
    return [[[[function(v, o) for v in row] for row in plane] for o, plane in enumerate(image)] for image in sums]


def sums(x, w, bias, x_zero_point, w_zero_point, geometry):
    acc = integer_conv2d.conv2d(x, w, x_zero_point, w_zero_point, **geometry)
    return each(lambda v, o: v + (0 if bias is None else of(bias, o)), acc)


def conv2d(
    x, w, bias=None, *, x_scale, w_scale, out_scale, x_zero_point=0, w_zero_point=0, out_zero_point=0,
    rounding="double", dtype="int8", qmin=None, qmax=None, **geometry,
):  # fmt: skip
    ends = requantization.code_range(dtype, qmin, qmax)

    def code(v, o):
        return requantization.rescale(v, x_scale, scale_of(w_scale, o), out_scale, rounding, 0, out_zero_point, *ends)

    return each(code, sums(x, w, bias, x_zero_point, w_zero_point, geometry))


def exact(x, w, bias=None, *, x_scale, w_scale, out_scale, x_zero_point=0, w_zero_point=0, **geometry):
    """The same in real numbers: (out − z_out) before it is rounded."""
    return each(
        lambda v, o: requantization.exact(v, x_scale, scale_of(w_scale, o), out_scale),
        sums(x, w, bias, x_zero_point, w_zero_point, geometry),
    )
