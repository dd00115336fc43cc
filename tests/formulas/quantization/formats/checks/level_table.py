"""What every implementation of the level tables must satisfy: functions that take one and assert."""

from fractions import Fraction

import numpy as np

from tests.formulas.quantization.formats.checks.common import frozen, once, same_codes, same_floats
from tests.oracles import level_table as level_oracle

TABLES = ("nf4", "bitsandbytes_fp4")


def level_agrees(subject, x, levels, block_size=64):
    codes, absmax = once(level_oracle.quantize, x, levels, block_size)
    got = subject.quantize(x, levels, block_size=block_size)
    same_codes(got[0], codes, np.uint8)
    same_floats(got[1], np.array([float(a) for a in absmax], np.float32))
    restored = subject.dequantize(*got, levels, block_size=block_size)
    same_floats(restored, level_oracle.dequantize(codes, got[1], levels, block_size))


def level_values(subject):
    """The tables, by the oracle's literals and, for NF4, from its definition; by code."""
    assert tuple(subject.LEVELS) == TABLES
    for name in TABLES:
        same_floats(subject.LEVELS[name], np.array([float(level) for level in level_oracle.LEVELS[name]], np.float32))
        one = np.ones(1, np.float32)
        same_floats(subject.dequantize(np.arange(16), one, name), subject.LEVELS[name])
    # The published values come from float32 quantiles: they are within 2^−22, about two of their own ulps.
    for level, quantile in zip(subject.LEVELS["nf4"].tolist(), level_oracle.normal_float(), strict=True):
        assert abs(Fraction(level) - quantile) < Fraction(1, 2**22)
    sizes = [0, 1 / 192, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4]
    np.testing.assert_array_equal(subject.LEVELS["bitsandbytes_fp4"][:8], np.array(sizes, np.float32))
    np.testing.assert_array_equal(subject.LEVELS["bitsandbytes_fp4"][8:], -np.array(sizes, np.float32))


NF4_CODES = {-3.0: 0, -2: 1, -1.5: 2, -1.2: 3, -0.9: 4, -0.5: 5, -0.25: 6, 0: 7, 0.25: 8, 0.5: 9, 0.75: 10, 1: 11}


NF4_CODES |= {1.3: 12, 1.7: 13, 2.2: 14, 3.0: 15, -0.0: 7}
FP4_CODES = {-12.0: 11, -8: 10, -6: 13, -4: 12, -3: 15, -2: 14, -0.0625: 9, 0.0625: 1, 2: 6, 3: 7, 4: 4, 6: 5, 8: 2}


FP4_CODES |= {12.0: 3, 0.0: 0, -0.03: 0, 0.03: 8, 0.032: 1, -0.032: 9, 1.1: 6, 1.0: 1, -1.1: 14}


def level_thresholds(subject):
    """At absmax 1 and at powers of two t is exact: a midpoint takes the lower level, the float32 above it the upper."""
    for name in TABLES:
        order, at = level_oracle.ASCENDING[name], [float(m) for m in level_oracle.MIDPOINTS[name]]
        assert len(at) == 15
        at = np.array(at, np.float32)
        below, above = (np.nextafter(at, np.float32(end)) for end in (-2, 2))
        for size in (1.0, 2.0**-90, 2.0**90):
            size = np.float32(size)
            for x, expected in ((below, order[:-1]), (at, order[:-1]), (above, order[1:])):
                block = np.concatenate([x, [1]]).astype(np.float32) * size
                exact = block / size == [*x, 1]  # not the float32 beside 0 times 2^−90
                codes, absmax = subject.quantize(frozen(block[exact]), name)
                same_codes(codes, np.array([*expected, order[-1]])[exact], np.uint8)
                same_floats(absmax, np.array([size]))


def level_reciprocals(subject):
    """Products x · (1/absmax) that fall beside a midpoint, where division or float64 would decide otherwise."""
    rng = np.random.default_rng(13)
    for name in TABLES:
        at = np.array([float(m) for m in level_oracle.MIDPOINTS[name]], np.float32)
        blocks = []
        for size in (1 + rng.random(150)).astype(np.float32):
            x = at * size
            near = [x, np.nextafter(x, np.float32(-9)), np.nextafter(x, np.float32(9))]
            blocks.append(np.concatenate([[-size], *near]))
        level_agrees(subject, frozen(blocks, np.float32), name, block_size=46)


def level_blocks(subject):
    """Blocks go across rows; the last may be short; sizes from 1 to more than there is."""
    rng = np.random.default_rng(17)
    x = frozen(rng.standard_normal((3, 5, 7)) * 2.0 ** rng.integers(-4, 4, (3, 5, 7)), np.float32)
    for name in TABLES:
        for block_size in (1, 2, 7, 16, 64, 104, 105, 106, 4096):
            level_agrees(subject, x, name, block_size)
        level_agrees(subject, x.T, name, 9)
        level_agrees(subject, frozen(x[0, 0, 0]), name)
    x = np.full(130, 0.25, np.float32)
    x[63], x[64], x[129] = -2, 3, 5
    codes, absmax = subject.quantize(frozen(x))
    same_floats(absmax, np.array([2, 3, 5], np.float32))
    assert (codes[63], codes[64], codes[129]) == (0, 15, 15)


def level_zero_blocks(subject):
    """Blocks of zeros, and those below 1e-38, whose outer levels are out of reach."""
    for name, zero in (("nf4", 7), ("bitsandbytes_fp4", 0)):
        codes, absmax = subject.quantize(frozen([0.0, -0.0, 0.0, 1.0, -1.0], np.float32), name, block_size=3)
        assert codes[:3].tolist() == [zero] * 3
        same_floats(absmax, np.array([0, 1], np.float32))
        assert (subject.dequantize(codes, absmax, name, block_size=3)[:3] == 0).all()
        tiny = frozen([1e-45, -1e-45, 5e-39, -5e-39, 9e-39, 1e-38, -1e-38, 1.2e-38, 0.9e-38], np.float32)
        for block_size in (1, 2, 3, 9):
            level_agrees(subject, tiny, name, block_size)
    codes, _ = subject.quantize(frozen([5e-39], np.float32))  # t = ½: between 0.4407 and 0.5626, nearer to the former
    assert codes.tolist() == [12]


def level_dequantizes(subject):
    """All codes times sizes whose products round, overflow not, or become subnormal."""
    sizes = frozen([1.0, 3.3, 0.0, 1e-45, 1.7e-38, 3.4028234663852886e38, 0.1], np.float32)
    codes = np.tile(np.arange(16), 7).reshape(8, 14)
    for name in TABLES:
        same_floats(
            subject.dequantize(codes, sizes, name, block_size=16), level_oracle.dequantize(codes, sizes, name, 16)
        )


LEVEL = (
    level_values,
    level_thresholds,
    level_reciprocals,
    level_blocks,
    level_zero_blocks,
    level_dequantizes,
)
