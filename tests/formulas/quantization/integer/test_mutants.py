"""Tests of the tests: every error planted in the package's module fails the check named beside it."""

import numpy as np
import pytest

from refcompress.formulas.quantization.integer import (
    bias,
    integer_conv2d,
    multiplier,
    products,
    quantized_add,
    quantized_average_pool2d,
    quantized_conv2d,
    quantized_matmul,
    requantization,
)
from tests.formulas.planted import planted
from tests.formulas.quantization.integer.checks import bias as bias_checks
from tests.formulas.quantization.integer.checks import integer_conv2d as conv_checks
from tests.formulas.quantization.integer.checks import multiplier as multiplier_checks
from tests.formulas.quantization.integer.checks import products as product_checks
from tests.formulas.quantization.integer.checks import quantized_add as add_checks
from tests.formulas.quantization.integer.checks import quantized_average_pool2d as pool_checks
from tests.formulas.quantization.integer.checks import quantized_conv2d as quantized_conv_checks
from tests.formulas.quantization.integer.checks import quantized_matmul as matmul_checks
from tests.formulas.quantization.integer.checks import requantization as requantization_checks
from tests.formulas.quantization.integer.checks.common import MIN, smallest


def wide(value):
    return np.asarray(value, np.int64)


def first(value):
    return np.ravel(value)[0]


# Products and convolutions.


def matmul_with(change):
    """The module with matmul(*change(a, b, z_a, z_b))."""
    return planted(products, matmul=lambda a, b, z_a=0, z_b=0: products.matmul(*change(a, b, z_a, z_b)))


def constant_without_k(a, b, z_a=0, z_b=0):
    more = (a.shape[1] - 1) * wide(z_a).reshape(-1, 1) * wide(z_b).reshape(1, -1)
    return (products.matmul(a, b, z_a, z_b) - more).astype(np.int32)


def total_in_float32(a, b, z_a=0, z_b=0):
    in_float32 = (a.astype(np.float32) @ b.astype(np.float32)).astype(np.int64)
    return (products.matmul(a, b, z_a, z_b) - wide(a) @ wide(b) + in_float32).astype(np.int32)


def wide_result(a, b, z_a=0, z_b=0):
    return products.matmul(a, b, z_a, z_b).astype(np.int64)


def zero_point_of_the_first_filter(x, w, z_x=0, z_w=0, **geometry):
    return integer_conv2d.conv2d(x, w, z_x, first(z_w), **geometry)


def groups_interleaved(x, w, z_x=0, z_w=0, *, groups=1, **geometry):
    """Filter o belongs to group o mod groups."""
    order = np.argsort(np.arange(len(w)) % groups, kind="stable")
    z_w = z_w[order] if np.ndim(z_w) else z_w
    return integer_conv2d.conv2d(x, w[order], z_x, z_w, groups=groups, **geometry)[:, np.argsort(order)]


PRODUCTS = {
    "constant without K": (
        planted(products, matmul=constant_without_k),
        product_checks.products_far_from_zero_and_close_to_their_zero_points,
    ),
    "the first zero point of b": (
        matmul_with(lambda a, b, z_a, z_b: (a, b, z_a, first(z_b))),
        product_checks.products_largest_sums,
    ),
    "total in float32": (
        planted(products, matmul=total_in_float32),
        product_checks.products_at_the_bound_of_float32,
    ),
    "wide result": (planted(products, matmul=wide_result), product_checks.products_match_the_oracle),
    "zero point of the first filter": (
        planted(integer_conv2d, conv2d=zero_point_of_the_first_filter),
        conv_checks.conv_largest_sums,
    ),
    "groups interleaved": (
        planted(integer_conv2d, conv2d=groups_interleaved),
        conv_checks.conv_matches_the_oracle,
    ),
}


# Biases, multipliers, and what rescales.


def unit_in_float32(b, x_scale, w_scale, **options):
    return bias.quantize_bias(b, 1.0, np.asarray(np.float32(x_scale) * np.float32(w_scale), np.float64), **options)


def of_30_bits(real, rounding="half_away"):
    M, shift = multiplier.quantize_multiplier(real, rounding)
    return M >> 1, shift


def not_saturated(a, b):
    found = requantization.saturating_rounding_doubling_high_mul(a, b)
    return np.where((wide(a) == MIN) & (wide(b) == MIN), np.int32(MIN), found)


def division_floors(x, exponent):
    return (wide(x) >> wide(exponent)).astype(np.int32)


def requantize_with(function):
    """The module with requantize(acc, M, shift, rounding, **options) by this function."""

    def requantize(acc, M, shift, rounding="double", **options):
        return function(np.asarray(acc), M, shift, rounding, **options)

    return planted(requantization, requantize=requantize)


def real_in_float64(acc, real, shift, rounding, **options):
    if rounding != "float" or np.ndim(real):
        return requantization.requantize(acc, real, shift, rounding, **options)
    q = np.rint((acc.astype(np.float32) * np.asarray(real, np.float64)).astype(np.float32))
    q = np.clip(q, -(2.0**31), 2.0**31 - 128).astype(np.int64)
    return requantization.requantize(q, 1.0, None, rounding, **options)


def zero_point_after_clip(*arguments, zero_point=0, **options):
    found = requantization.requantize(*arguments, **options)
    return (found + zero_point).astype(found.dtype)


def first_multiplier(acc, M, shift, rounding, **options):
    return requantization.requantize(acc, first(M), None if shift is None else first(shift), rounding, **options)


def wrong_axis(acc, M, shift, rounding, *, axis=None, **options):
    """The last axis, whatever is asked for."""
    M, shift = (np.resize(v, acc.shape[-1]) if np.ndim(v) else v for v in (M, shift))
    return requantization.requantize(acc, M, shift, rounding, axis=-1, **options)


def type_of_the_range(found, dtype, qmin, qmax):
    """The smallest type that holds the range: a ReLU with z = 0 makes uint8 of int8."""
    info = np.iinfo(dtype)
    return found.astype(smallest(info.min if qmin is None else qmin, info.max if qmax is None else qmax))


def requantizes_to_the_type_of_the_range(*arguments, dtype=None, qmin=None, qmax=None, **options):
    found = requantization.requantize(*arguments, dtype=dtype, qmin=qmin, qmax=qmax, **options)
    return found if dtype is None else type_of_the_range(found, dtype, qmin, qmax)


def without_dtype(*arguments, dtype=None, **options):
    return requantization.requantize(*arguments, **options)


def rescale_with(function):
    """The module with rescale(acc, s_a, s_b, s_out, rounding, **options) by this function."""

    def rescale(acc, s_a, s_b, s_out, rounding="double", **options):
        return function(acc, s_a, s_b, s_out, rounding, **options)

    return planted(requantization, rescale=rescale)


def rows_by_the_other_axis(acc, s_a, s_b, s_out, rounding, *, axis=-1, a_axis=None, **options):
    """Every place of the last axis has a scale of the rows."""
    last = axis % acc.ndim == acc.ndim - 1 and np.ndim(s_b)
    found = [
        requantization.rescale(
            acc[..., [j]], s_a[j % len(s_a)], s_b[[j]] if last else s_b, s_out, rounding, axis=axis, **options
        )
        for j in range(acc.shape[-1])
    ]
    return np.concatenate(found, axis=-1)


def float_real(real):
    """The module that multiplies by real(s_a, s_b, s_out), for scalars and "float"."""

    def rescale(acc, s_a, s_b, s_out, rounding, *, bias=None, **options):
        return requantization.requantize(acc, real(s_a, s_b, s_out), None, rounding, **options)

    return rescale_with(rescale)


def scales_in_float32(acc, s_a, s_b, s_out, rounding, **options):
    real = np.float32(s_a) * np.asarray(s_b, np.float32) / np.float32(s_out)
    return requantization.rescale(acc, 1.0, real.astype(np.float64), 1.0, rounding, **options)


def own_rescale(acc, s_a, s_b, s_out, rounding, **options):
    return requantization.rescale(acc, s_a, s_b, s_out, rounding, **options)


RESCALING = {
    "bias: unit in float32": (planted(bias, quantize_bias=unit_in_float32), bias_checks.bias_matches_the_oracle),
    "multiplier: of 30 bits": (
        planted(multiplier, quantize_multiplier=of_30_bits),
        multiplier_checks.multiplier_matches_the_oracle,
    ),
    "high mul: not saturated": (
        planted(requantization, saturating_rounding_doubling_high_mul=not_saturated),
        requantization_checks.srdhm_matches_the_oracle,
    ),
    "division: floors": (
        planted(requantization, rounding_divide_by_pot=division_floors),
        requantization_checks.divide_matches_the_oracle,
    ),
    "float: real in float64": (
        requantize_with(real_in_float64),
        requantization_checks.requantize_float_matches_the_oracle,
    ),
    "zero point after the clip": (
        requantize_with(zero_point_after_clip),
        requantization_checks.requantize_clips,
    ),
    "always int8": (
        requantize_with(lambda *arguments, **options: requantization.requantize(*arguments, **options).astype(np.int8)),
        requantization_checks.requantize_integers_match_the_oracle,
    ),
    "the type of the range": (
        requantize_with(requantizes_to_the_type_of_the_range),
        requantization_checks.requantize_dtype,
    ),
    "no type": (requantize_with(without_dtype), requantization_checks.requantize_dtype),
    "the first multiplier": (requantize_with(first_multiplier), requantization_checks.requantize_per_channel),
    "the wrong axis": (requantize_with(wrong_axis), requantization_checks.requantize_per_channel),
    "the first row": (
        rescale_with(lambda acc, s_a, *more, a_axis=None, **options: own_rescale(acc, first(s_a), *more, **options)),
        requantization_checks.rescale_per_row,
    ),
    "rows by the other axis": (rescale_with(rows_by_the_other_axis), requantization_checks.rescale_per_row),
    "the quotient first": (
        float_real(lambda s_a, s_b, s_out: s_a * (s_b / s_out)),
        requantization_checks.rescale_order_of_operations,
    ),
    "the quotient in float64": (
        float_real(lambda s_a, s_b, s_out: np.float32(np.float64(s_a) * s_b / s_out)),
        requantization_checks.rescale_order_of_operations,
    ),
    "multiplied by the output's scale": (
        rescale_with(lambda acc, s_a, s_b, s_out, *others, **options: own_rescale(
            acc, s_a, s_b, s_out.dtype.type(1) / s_out, *others, **options)),
        requantization_checks.rescale_matches_the_oracle,
    ),
    "the bias forgotten": (
        rescale_with(lambda *arguments, bias=None, **options: own_rescale(*arguments, **options)),
        requantization_checks.rescale_matches_the_oracle,
    ),
    "scales in float32": (rescale_with(scales_in_float32), requantization_checks.rescale_matches_the_oracle),
}  # fmt: skip


# Operators.


def int8(operator):
    """−128 to 127 whatever the input is."""
    return lambda *arguments, dtype=None, **options: operator(
        *arguments, dtype=np.int8 if dtype is None else dtype, **options
    )


def by_the_range(operator):
    """The type is the smallest that holds the range."""

    def wrong(x, *others, dtype=None, qmin=None, qmax=None, **options):
        found = operator(x, *others, dtype=dtype, qmin=qmin, qmax=qmax, **options)
        return type_of_the_range(found, x.dtype if dtype is None else dtype, qmin, qmax)

    return wrong


def one_scale_of_rows(*arguments, a_scale, **options):
    return quantized_matmul.matmul(*arguments, a_scale=first(a_scale), **options)


def pads_with_zero(x, *others, padding=0, **options):
    pair = (padding, padding) if isinstance(padding, int) else tuple(padding)
    top, left, bottom, right = pair if len(pair) == 4 else (*pair, *pair)
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    return quantized_conv2d.conv2d(x, *others, **options)


def sums_in_int32(x, kernel, *, stride=None, padding=0, **options):
    """Without padding: the quotient of the sum, which wraps, ties away from zero."""
    stride = kernel if stride is None else stride
    if padding != 0 or options or not isinstance(kernel, tuple) or not isinstance(stride, tuple):
        return quantized_average_pool2d.average_pool2d(x, kernel, stride=stride, padding=padding, **options)
    view = np.lib.stride_tricks.sliding_window_view(wide(x), kernel, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    total, n = view.sum(axis=(-2, -1)).astype(np.int32).astype(np.int64), kernel[0] * kernel[1]
    return (np.sign(total) * ((2 * np.abs(total) + n) // (2 * n))).astype(x.dtype)


def ties_up(*arguments, rounding="double", **options):
    return quantized_add.add(*arguments, rounding="double_up" if rounding == "double" else rounding, **options)


def fused_a_first(a, b, *, rounding="double", **options):
    """The first operand's product is rounded with the sum, not the second's."""
    exchanged = {"a_" + k[2:] if k[:2] == "b_" else "b_" + k[2:] if k[:2] == "a_" else k: v for k, v in options.items()}
    return quantized_add.add(b, a, rounding=rounding, **{"dtype": a.dtype.name} | exchanged)


OPERATORS = {
    "matmul: one scale of the rows": (
        planted(quantized_matmul, matmul=one_scale_of_rows),
        matmul_checks.matmul_end_to_end,
    ),
    "conv2d: pads with 0": (
        planted(quantized_conv2d, conv2d=pads_with_zero),
        quantized_conv_checks.conv_end_to_end,
    ),
    "pool: sums in int32": (
        planted(quantized_average_pool2d, average_pool2d=sums_in_int32),
        pool_checks.pool_large_windows,
    ),
    "pool: int8, all windows": (
        planted(quantized_average_pool2d, average_pool2d=int8(quantized_average_pool2d.average_pool2d)),
        pool_checks.pool_matches_the_oracle,
    ),
    "add: ties up": (planted(quantized_add, add=ties_up), add_checks.add_end_to_end),
    "add: ties up, few bits": (planted(quantized_add, add=ties_up), add_checks.add_left_shifts),
    "add: fused, a first": (planted(quantized_add, add=fused_a_first), add_checks.add_float_is_fused),
}
OPERATORS |= {
    f"{function}: {name}": (planted(module, **{function: wrong(getattr(module, function))}), check)
    for module, function, check in (
        (quantized_matmul, "matmul", matmul_checks.matmul_dtype),
        (quantized_conv2d, "conv2d", quantized_conv_checks.quantized_conv_dtype),
        (quantized_average_pool2d, "average_pool2d", pool_checks.pool_dtype),
        (quantized_add, "add", add_checks.add_dtype),
    )
    for name, wrong in (("int8", int8), ("the type of the range", by_the_range))
}

MUTANTS = PRODUCTS | RESCALING | OPERATORS


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_is_caught(name):
    wrong, check = MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)
