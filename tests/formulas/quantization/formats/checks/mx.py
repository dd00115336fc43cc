"""What every implementation of the MX formats must satisfy: functions that take one and assert."""

from fractions import Fraction
from functools import cache

import numpy as np

from tests.formulas.quantization.formats.checks.common import DTYPES, frozen, neighbours, once, same_codes, same_floats
from tests.formulas.quantization.formats.checks.float_format import steps
from tests.oracles import float_format as float_oracle
from tests.oracles import mx as mx_oracle

ELEMENTS = tuple(mx_oracle.ELEMENTS)
EXPONENTS = mx_oracle.RULES


def element_type(element):
    return np.dtype(np.int8 if element == "int8" else np.uint8)


def mx_there_and_back(x, element, exponent, block_size, axis):
    codes, scales = mx_oracle.quantize(x, element, exponent, block_size, axis)
    return codes, scales, mx_oracle.dequantize(codes, scales, element, block_size, axis)


def mx_agrees(subject, x, element, exponent="floor", block_size=32, axis=-1):
    codes, scales, values = once(mx_there_and_back, x, element, exponent, block_size, axis)
    got = subject.quantize(x, element, exponent=exponent, block_size=block_size, axis=axis)
    same_codes(got[0], codes, element_type(element))
    same_codes(got[1], scales, np.uint8)
    restored = subject.dequantize(*got, element, block_size=block_size, axis=axis)
    same_floats(restored, values)


@cache
def mx_amax(element, dtype):
    """Largest magnitudes at which a rule decides, and their neighbours, from subnormal to the largest."""
    largest, mantissa = mx_oracle.ELEMENTS[element]
    top = float(largest) / 2.0 ** float_oracle.floor_log2(largest)
    significands = (1.0, 1.5, top, 1.75, 2 - 2.0 ** -(mantissa + 1))
    exponents = (-149, -140, -128, -127, -126, -125, -119, -112, -2, 0, 1, 3, 64, 120, 126, 127)
    found = neighbours([s * 2.0**k for s in significands for k in exponents], dtype)
    return frozen(found[(found >= 0) & (found <= np.finfo(np.float32).max)], dtype)


@cache
def mx_pairs(element, dtype, exponent):
    """Blocks of two with these largest magnitudes, as far as the scale is not too large."""
    amax = mx_amax(element, dtype)
    S = [mx_oracle.shared_exponent(Fraction(float(a)), element, exponent) for a in amax]
    fits = amax[np.array(S) <= 127]
    assert fits.size > amax.size * 0.9
    return frozen(np.stack([fits * dtype(-0.4), fits], axis=1))


def mx_exponents(subject, elements=ELEMENTS):
    for element in elements:
        for dtype in DTYPES:
            for exponent in EXPONENTS:
                mx_agrees(subject, mx_pairs(element, dtype, exponent), element, exponent, block_size=2)


def mx_random(subject):
    """Blocks along each axis, with a short last one, of very different sizes."""
    rng = np.random.default_rng(7)
    for dtype in DTYPES:
        x = frozen(rng.standard_normal((3, 70, 2)) * 2.0 ** rng.integers(-9, 9, (3, 70, 2)), dtype)
        for element in ELEMENTS:
            mx_agrees(subject, x, element, axis=1)
        for axis, block_size in ((0, 2), (-3, 3), (-2, 33), (1, 35), (2, 1), (-1, 100)):
            mx_agrees(subject, x, "float4_e2m1fn", "even", block_size, axis)
            mx_agrees(subject, x, "int8", "ceil", block_size, axis)


def mx_default_blocks(subject):
    """32 values along the last axis, by the rule floor."""
    x = np.full((2, 65), 0.5, np.float32)
    x[0, 31], x[1, 32], x[0, 64] = 448, 1000, 2
    codes, scales = subject.quantize(frozen(x), "float8_e4m3fn")
    same_codes(scales, [[127, 118, 120], [118, 128, 118]], np.uint8)
    assert codes.shape == (2, 65)
    expected = x.copy()
    expected[1, 32] = 896
    same_floats(subject.dequantize(codes, scales, "float8_e4m3fn")[0], expected[0])


def mx_ties(subject):
    """Every midpoint of every element, at X = 1 (the first value of the block sees to that), and its neighbours."""
    for element in ELEMENTS:
        if element == "int8":
            at = np.arange(128) / 64
        else:
            at = steps(element)[:-1]
        x = neighbours((at[1:] + at[:-1]) / 2, np.float32)
        x = np.concatenate([at[-1:], x, -x, at, -at]).astype(np.float32)
        mx_agrees(subject, frozen(x), element, block_size=x.size)


def mx_every_code(subject):
    """All codes times scales from the least to the largest, and the scale that is NaN."""
    for element in ELEMENTS:
        count = 256 if element == "int8" else 2 ** float_oracle.bits(element)
        codes = np.arange(count) - (128 if element == "int8" else 0)
        scales = np.array([[0], [1], [126], [127], [128], [245], [250], [254], [255]])
        both = np.tile(codes, (len(scales), 1))
        expected = mx_oracle.dequantize(both, scales, element, block_size=count)
        same_floats(subject.dequantize(both, scales, element, block_size=count), expected)
        small = both.astype(element_type(element))
        same_floats(subject.dequantize(small, scales.astype(np.uint8), element, block_size=count), expected)
    literal = subject.dequantize(np.array([[7, 15, 1], [7, 8, 2]]), np.array([[129], [255]]), "float4_e2m1fn")
    same_floats(literal, np.array([[24, -24, 2], [np.nan] * 3], np.float32))
    same_floats(subject.dequantize(np.array([-128, 64]), np.array([128]), "int8"), np.array([-4, 2], np.float32))


def mx_error_bound(subject):
    """Half an ulp of the element times X, where nothing is clipped, which ceil and rceil promise."""
    rng = np.random.default_rng(3)
    x = frozen(rng.standard_normal((5, 32)), np.float32)
    for element in ELEMENTS:
        for exponent in ("ceil", "rceil"):
            codes, scales = subject.quantize(x, element, exponent=exponent)
            restored = subject.dequantize(codes, scales, element)
            for index in np.ndindex(x.shape):
                X = Fraction(2) ** (int(scales[index[0], 0]) - 127)
                v = Fraction(float(x[index]))
                ulp = Fraction(1, 64) if element == "int8" else float_oracle.unit(v / X, element)
                assert abs(v - Fraction(float(restored[index]))) <= X * ulp / 2


MX = (
    mx_exponents,
    mx_random,
    mx_default_blocks,
    mx_ties,
    mx_every_code,
    mx_error_bound,
)
