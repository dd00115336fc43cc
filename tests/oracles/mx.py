"""MX blocks in exact arithmetic: one block at a time, the shared exponent by comparing with powers of two."""

import math
from fractions import Fraction
from itertools import product

import numpy as np

from tests.oracles import float_format
from tests.oracles.float_format import ceil_log2, floor_log2, to_int8
from tests.oracles.rounding import to_format

# element: (its largest value, bits of its mantissa)
ELEMENTS = {
    "float8_e4m3fn": (Fraction(448), 3),
    "float8_e5m2": (Fraction(57344), 2),
    "float6_e2m3fn": (Fraction(15, 2), 3),
    "float6_e3m2fn": (Fraction(28), 2),
    "float4_e2m1fn": (Fraction(6), 1),
    "int8": (Fraction(127, 64), 6),
}
RULES = ("floor", "ceil", "even", "even_one_bit", "rceil")


def shared_exponent(amax: Fraction, element: str, rule: str) -> int:
    """Return S of a block; more than 127 is an error."""
    if amax == 0:
        return -127
    largest, mantissa = ELEMENTS[element]
    emax = floor_log2(largest)
    if rule == "floor":
        found = floor_log2(amax) - emax
    elif rule == "ceil":
        found = ceil_log2(amax) - emax
    elif rule == "rceil":
        found = ceil_log2(amax / largest)
    else:
        kept = {"even": mantissa, "even_one_bit": 1}[rule]
        step = Fraction(2) ** (floor_log2(amax) - kept)
        rounded = math.floor(amax / step + Fraction(1, 2)) * step
        found = floor_log2(rounded) - emax
    return max(found, -127)


def block(values: list[float], element: str, rule: str) -> tuple[list[int], int]:
    """Return the codes of one block and its S."""
    S = shared_exponent(max(abs(Fraction(v)) for v in values), element, rule)
    X = Fraction(2) ** S
    if element == "int8":
        return [to_int8(Fraction(v) / X) for v in values], S
    codes = []
    for v in values:
        form = float_format.LAYOUTS[element]
        code = float_format.nearest(abs(Fraction(v)) / X, element, "half_even")
        code = min(code, float_format.largest(element))
        codes.append(code + (2 ** (form.exponent + form.mantissa) if math.copysign(1, v) < 0 else 0))
    return codes, S


def quantize(
    x: np.ndarray, element: str, exponent: str = "floor", block_size: int = 32, axis: int = -1
) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and scale codes; the scales hold more than 254 where S is too large."""
    axis %= x.ndim
    length = x.shape[axis]
    codes = np.zeros(x.shape, np.int64)
    scales = np.zeros([len(range(0, n, block_size)) if a == axis else n for a, n in enumerate(x.shape)], np.int64)
    for place in product(*map(range, scales.shape)):
        start = place[axis] * block_size
        indices = [(*place[:axis], i, *place[axis + 1 :]) for i in range(start, min(start + block_size, length))]
        found, S = block([float(x[index]) for index in indices], element, exponent)
        scales[place] = S + 127
        for index, code in zip(indices, found, strict=True):
            codes[index] = code
    return codes, scales


def value(code: int, scale: int, element: str) -> float:
    """Return the float32 value of one element."""
    if scale == 255:
        return math.nan
    P = Fraction(code, 64) if element == "int8" else float_format.decode(code, element)
    if isinstance(P, float):  # −0, infinity, NaN: a power of two changes none of them
        return P
    v = P * Fraction(2) ** (scale - 127)
    rounded = to_format(v, "float32")
    assert math.isinf(rounded) or rounded == v  # exact, or too large
    return float(rounded)


def dequantize(codes: np.ndarray, scales: np.ndarray, element: str, block_size: int = 32, axis: int = -1) -> np.ndarray:
    """Return the float32 values."""
    axis %= codes.ndim
    out = np.zeros(codes.shape, np.float32)
    for index in product(*map(range, codes.shape)):
        place = (*index[:axis], index[axis] // block_size, *index[axis + 1 :])
        out[index] = value(int(codes[index]), int(scales[place]), element)
    return out
