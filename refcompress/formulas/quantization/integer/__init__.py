"""Arithmetic on integers alone: exact products, and the ways from their sums back to codes."""

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
from refcompress.formulas.quantization.integer.bias import quantize_bias
from refcompress.formulas.quantization.integer.integer_conv2d import conv2d
from refcompress.formulas.quantization.integer.multiplier import quantize_multiplier
from refcompress.formulas.quantization.integer.products import Factor, matmul, overflow_bound, prepare
from refcompress.formulas.quantization.integer.requantization import (
    requantize,
    rescale,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)

__all__ = [
    "Factor",
    "bias",
    "conv2d",
    "integer_conv2d",
    "matmul",
    "multiplier",
    "overflow_bound",
    "prepare",
    "products",
    "quantize_bias",
    "quantize_multiplier",
    "quantized_add",
    "quantized_average_pool2d",
    "quantized_conv2d",
    "quantized_matmul",
    "requantization",
    "requantize",
    "rescale",
    "rounding_divide_by_pot",
    "saturating_rounding_doubling_high_mul",
]
