"""Wrong MX blocks: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.formats import mx

FLOAT4 = "float4_e2m1fn"


def half_of_it(x):
    """By floor for even."""
    return mx.quantize(x, FLOAT4, exponent="floor")


def truncates(x):
    _, scales = mx.quantize(x, "int8")
    X = np.repeat(np.ldexp(1.0, scales.astype(int) - 127), 32, axis=1)[:, : x.shape[1]]
    return np.clip(np.trunc(x / X * 64), -127, 127).astype(np.int8), scales


def whole_rows(x):
    """One scale for a row."""
    codes, scales = mx.quantize(x, FLOAT4, exponent="rceil", block_size=x.shape[1])
    return codes, np.repeat(scales, -(-x.shape[1] // 32), axis=1)


def linear(codes, scales):
    """The scale as an integer."""
    return mx.dequantize(codes, np.full_like(scales, 127), FLOAT4) * np.repeat(scales, 32, axis=1)[
        :, : codes.shape[1]
    ].astype(np.float32)


def infinite(codes, scales):
    """2^128 for NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        x = mx.dequantize(codes, np.minimum(scales, 254), FLOAT4)
        return x * np.repeat(np.where(scales == 255, 2, 1), 32, axis=1)[:, : codes.shape[1]].astype(np.float32)


# property: (convention, wrong implementation)
PLANTED = {
    "amax_fits_the_rule": (f"{FLOAT4}-even", half_of_it),
    "elements_are_near": ("int8-floor", truncates),
    "blocks_are_on_their_own": (f"{FLOAT4}-rceil", whole_rows),
    "doubles_with_the_scale": (FLOAT4, linear),
    "a_scale_is_nan": (FLOAT4, infinite),
}
