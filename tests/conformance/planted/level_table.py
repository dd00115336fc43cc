"""Wrong level tables: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.formats import level_table

NF4, FP4 = "nf4", "bitsandbytes_fp4"


def keeps_the_sign(x, block_size):
    codes, absmax = level_table.quantize(x, NF4, block_size=block_size)
    starts = np.arange(0, x.size, block_size)
    return codes, np.maximum.reduceat(x.reshape(-1), starts) if x.size else absmax


def the_level_below(x, block_size):
    codes, absmax = level_table.quantize(x, NF4, block_size=block_size)
    return np.maximum(codes, 1) - np.uint8(1), absmax


def fp4_in_order(x, block_size):
    codes, absmax = level_table.quantize(x, FP4, block_size=block_size)
    return codes ^ np.uint8(7), absmax


def through_float16(codes, absmax, block_size):
    x = level_table.LEVELS[NF4].astype(np.float16).astype(np.float32)[codes]
    return x * np.repeat(absmax, block_size)[: codes.size].reshape(codes.shape)


def almost_one(codes, absmax, block_size):
    """The least level is −7/8."""
    x = level_table.dequantize(codes, absmax, NF4, block_size=block_size)
    return np.where(codes == 0, x * np.float32(0.875), x)


# property: (convention, wrong implementation)
PLANTED = {
    "absmax_is_the_largest_magnitude": (NF4, keeps_the_sign),
    "levels_are_near": (NF4, the_level_below),
    "is_monotone": (FP4, fp4_in_order),
    "multiplies_the_level": (NF4, through_float16),
    "one_is_absmax": (NF4, almost_one),
}
