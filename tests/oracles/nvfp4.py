"""NVFP4 one block at a time: rational arithmetic, with every stated rounding to float32 written out."""

import math
from fractions import Fraction
from itertools import product

import numpy as np

from tests.oracles import float_format
from tests.oracles.rounding import to_format

BLOCK = 16


def f32(x: Fraction) -> Fraction:
    """Return the nearest float32, which must not be infinite."""
    rounded = to_format(x, "float32")
    assert not isinstance(rounded, float)
    return rounded


def e4m3(x: Fraction) -> int:
    """Return the code of a number that is not negative; too large ones become 448."""
    return min(float_format.nearest(x, "float8_e4m3fn", "half_even"), 0x7E)


def e2m1(x: Fraction | float, negative: bool) -> int:
    """Return the code of an element of this size and sign."""
    code = 7 if math.isinf(x) else min(float_format.nearest(abs(Fraction(x)), "float4_e2m1fn", "half_even"), 7)
    return code + 8 if negative else code


def tensor_scale(largest: Fraction, arithmetic: str) -> Fraction:
    """Return t of a tensor."""
    if largest == 0:
        return Fraction(1)
    return f32(largest / 2688) if arithmetic == "torchao" else f32(2688 / largest)


def block(values: list[float], t: Fraction, arithmetic: str) -> tuple[list[int], int]:
    """Return the codes of one block and the code of its scale."""
    amax = max(abs(Fraction(v)) for v in values)
    sixth = f32(amax / 6)
    codes = []
    if arithmetic == "torchao":
        scale = e4m3(min(max(to_format(sixth / t, "float32"), Fraction(1, 64)), Fraction(448)))
        s = Fraction(float_format.decode(scale, "float8_e4m3fn"))
        factor = f32(f32(1 / t) / s)
        quotients = [to_format(Fraction(v) * factor, "float32") for v in values]
    else:
        scale = e4m3(min(to_format(t * sixth, "float32"), Fraction(448)))
        if scale == 0:
            scale = 0x20  # ⅛
        s = Fraction(float_format.decode(scale, "float8_e4m3fn"))
        divisor = f32(s / t)
        quotients = [to_format(Fraction(v) / divisor, "float32") for v in values]
    for v, quotient in zip(values, quotients, strict=True):
        negative = math.copysign(1, v) < 0
        if arithmetic == "compressed_tensors" and quotient == 0:
            negative = False
        codes.append(e2m1(quotient, negative))
    return codes, scale


def quantize(
    x: np.ndarray, t: Fraction | None = None, axis: int = -1, arithmetic: str = "torchao"
) -> tuple[np.ndarray, np.ndarray, Fraction]:
    """Return codes, scale codes and t."""
    axis %= x.ndim
    if t is None:
        t = tensor_scale(max(abs(Fraction(float(v))) for v in x.reshape(-1)), arithmetic)
    codes = np.zeros(x.shape, np.int64)
    scales = np.zeros([len(range(0, n, BLOCK)) if a == axis else n for a, n in enumerate(x.shape)], np.int64)
    for place in product(*map(range, scales.shape)):
        start = place[axis] * BLOCK
        indices = [(*place[:axis], i, *place[axis + 1 :]) for i in range(start, min(start + BLOCK, x.shape[axis]))]
        found, scales[place] = block([float(x[index]) for index in indices], t, arithmetic)
        for index, code in zip(indices, found, strict=True):
            codes[index] = code
    return codes, scales, t


def value(code: int, scale: int, t: Fraction, arithmetic: str) -> float:
    """Return the float32 value of one element."""
    if scale == 0x7F:
        return math.nan
    s = Fraction(float_format.decode(scale, "float8_e4m3fn"))
    step = f32(t * s) if arithmetic == "torchao" else f32(s / t)
    q = Fraction(float_format.decode(code % 8, "float4_e2m1fn"))
    size = float(to_format(q * step, "float32"))
    return -size if code >= 8 else size


def dequantize(
    codes: np.ndarray, scales: np.ndarray, t: Fraction, axis: int = -1, arithmetic: str = "torchao"
) -> np.ndarray:
    """Return the float32 values."""
    axis %= codes.ndim
    out = np.zeros(codes.shape, np.float32)
    for index in product(*map(range, codes.shape)):
        place = (*index[:axis], index[axis] // BLOCK, *index[axis + 1 :])
        out[index] = value(int(codes[index]), int(scales[place]), t, arithmetic)
    return out
