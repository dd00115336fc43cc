"""What every implementation of the small floats must satisfy: functions that take one and assert."""

import math
import struct
from fractions import Fraction
from functools import cache

import numpy as np

from tests.formulas.quantization.formats.checks.common import DTYPES, frozen, neighbours, same_codes, same_floats
from tests.oracles import float_format as float_oracle

NAMES = tuple(float_oracle.LAYOUTS)
SMALL = tuple(name for name in NAMES if float_oracle.bits(name) <= 8)
SIXTEEN = tuple(name for name in NAMES if float_oracle.bits(name) == 16)
NO_NAN = tuple(name for name in NAMES if float_oracle.LAYOUTS[name].quiet is None)
ROUNDINGS = ("half_even", "half_away", "half_toward_zero", "toward_zero", "away")


def policies(name):
    """The policies that the format takes."""
    return ("saturate",) if float_oracle.ALL[name].quiet is None else ("saturate", "nan")


def code_type(name):
    return np.dtype(np.uint16 if float_oracle.bits(name) > 8 else np.uint8)


@cache
def values(name):
    """Float32 values of all codes."""
    return frozen([float(float_oracle.decode(code, name)) for code in range(2 ** float_oracle.bits(name))], np.float32)


@cache
def steps(name):
    """The finite values of codes 0, 1, 2, …, and the one that would come next, as float64: exact."""
    array = frozen([float(value) for value in float_oracle.ladder(name)])
    assert all(Fraction(a) == b for a, b in zip(array.tolist(), float_oracle.ladder(name), strict=True))
    return array


@cache
def points(name):
    """Magnitudes at which a decision falls: values, midpoints, their neighbours in both dtypes, and the extremes."""
    at = steps(name)
    if float_oracle.ALL[name].zeros == 0:
        at = np.concatenate([at, [float(float_oracle.decode(0, name))]])
    at = np.unique(np.concatenate([at, (at[1:] + at[:-1]) / 2, [at[-1] + (at[-1] - at[-2]) / 2, 2 * at[-1]]]))
    within = at[at <= np.finfo(np.float32).max]
    extremes = [0, 5e-324, 2.0**-1022, 1e-45, 2.0**-148, 2.0**-126, 3.4028234663852886e38, 1e300, np.finfo(float).max]
    found = np.concatenate([neighbours(at, np.float64), neighbours(within, np.float32), extremes, [np.inf]])
    return frozen(np.unique(np.abs(found)))


@cache
def expected_codes(name, overflow, rounding):
    """The oracle's codes of the points and of their negatives."""
    both = (*points(name).tolist(), *(-points(name)).tolist())
    return frozen([float_oracle.encode(x, name, overflow, rounding) for x in both])


def encode_agrees(subject, name, x, expected, overflow, rounding):
    """Encode x as float64 and, as far as it is float32, as that."""
    same_codes(subject.encode(frozen(x), name, overflow, rounding=rounding), expected, code_type(name))
    with np.errstate(over="ignore"):
        single = x.astype(np.float32)
    fits = single == x
    assert fits.sum() > x.size // 4
    got = subject.encode(frozen(single[fits]), name, overflow, rounding=rounding)
    same_codes(got, expected[fits], code_type(name))


def float_every_code(subject):
    for name in NAMES:
        got = subject.decode(np.arange(values(name).size, dtype=code_type(name)), name)
        same_floats(got, values(name))
        if name == "bfloat16":  # the upper half of a float32
            np.testing.assert_array_equal(got.view(np.uint32), np.arange(1 << 16) << 16)


def float_nan_has_no_sign(subject):
    for name in NAMES:
        got = subject.decode(np.arange(values(name).size, dtype=code_type(name)), name)
        assert name == "bfloat16" or not np.signbit(got[np.isnan(got)]).any(), name


LITERALS = {
    "float8_e4m3fn": {0x00: 0.0, 0x01: 2.0**-9, 0x07: 7 * 2.0**-9, 0x08: 2.0**-6, 0x38: 1.0, 0x7E: 448.0, 0xC0: -2.0},
    "float8_e4m3fnuz": {0x01: 2.0**-10, 0x08: 2.0**-7, 0x40: 1.0, 0x7F: 240.0, 0xFF: -240.0},
    "float8_e5m2": {0x01: 2.0**-16, 0x04: 2.0**-14, 0x3C: 1.0, 0x7B: 57344.0, 0x7C: math.inf, 0xFC: -math.inf},
    "float8_e5m2fnuz": {0x01: 2.0**-17, 0x40: 1.0, 0x7F: 57344.0, 0xC1: -1.25},
    "float8_e4m3": {0x01: 2.0**-9, 0x38: 1.0, 0x77: 240.0, 0x78: math.inf, 0xF8: -math.inf},
    "float8_e3m4": {0x01: 2.0**-6, 0x30: 1.0, 0x6F: 15.5, 0x70: math.inf},
    "float8_e4m3b11fnuz": {0x01: 2.0**-13, 0x58: 1.0, 0x7F: 30.0, 0xD8: -1.0},
    "float6_e2m3fn": {0x01: 0.125, 0x07: 0.875, 0x08: 1.0, 0x1F: 7.5, 0x3F: -7.5},
    "float6_e3m2fn": {0x01: 0.0625, 0x0C: 1.0, 0x1F: 28.0, 0x3F: -28.0},
    "float4_e2m1fn": dict(enumerate((0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2, -3, -4, -6))),
    "float8_e8m0fnu": {0x01: 2.0**-126, 0x7E: 0.5, 0x7F: 1.0, 0x80: 2.0, 0xFE: 2.0**127},
    "bfloat16": {0x0001: 2.0**-133, 0x0080: 2.0**-126, 0x3F80: 1.0, 0x4049: 3.140625, 0x7F7F: 255 * 2.0**120},
    "float16": {
        0x0001: 2.0**-24,
        0x0400: 2.0**-14,
        0x3C00: 1.0,
        0x3555: 0.333251953125,
        0x7BFF: 65504.0,
        0xFBFF: -65504,
    },
}
NANS = {
    "float8_e4m3fn": (0x7F, 0xFF),
    "float8_e4m3fnuz": (0x80, 0x80),
    "float8_e5m2": (0x7E, 0xFE),
    "float8_e5m2fnuz": (0x80, 0x80),
    "float8_e4m3": (0x7C, 0xFC),
    "float8_e3m4": (0x78, 0xF8),
    "float8_e4m3b11fnuz": (0x80, 0x80),
    "float8_e8m0fnu": (0xFF, 0xFF),
    "bfloat16": (0x7FC0, 0xFFC0),
    "float16": (0x7E00, 0xFE00),
}  # of NaN and −NaN


def float_literals(subject):
    for name, table in LITERALS.items():
        codes, expected = frozen(list(table)), frozen(list(table.values()), np.float32)
        same_floats(subject.decode(codes, name), expected)
        same_codes(subject.encode(expected, name, policies(name)[-1]), codes, code_type(name))
    for code in range(1 << 16):
        (half,) = struct.unpack("<e", struct.pack("<H", code))
        assert math.isnan(half) or half == values("float16")[code]


def float_nan(subject):
    for name, (positive, negative) in NANS.items():
        for overflow in ("saturate", "nan"):
            for dtype in DTYPES:
                x = frozen([np.nan, -np.nan], dtype)
                assert np.signbit(x).tolist() == [False, True]
                same_codes(subject.encode(x, name, overflow), [positive, negative], code_type(name))
        assert np.isnan(subject.decode(np.array([positive, negative]), name)).all()


def float_zeros(subject):
    """Zeros, and the smallest numbers of both dtypes, which every format but bfloat16 (and e8m0) rounds to zero."""
    for dtype in DTYPES:
        tiny = np.finfo(dtype).smallest_subnormal
        x = frozen([0.0, -0.0, tiny, -tiny], dtype)
        for name in NAMES:
            if name == "float8_e8m0fnu":
                expected = [255, 255, 0, 255]
            else:
                minus = 0 if name.endswith("fnuz") else 2 ** (float_oracle.bits(name) - 1)
                expected = [0, minus, 0, minus]
            for overflow in policies(name):
                same_codes(subject.encode(x, name, overflow), expected, code_type(name))


OVERFLOW = {  # the least magnitude that half_even takes for too large, code of the largest, of what is too large
    "float8_e4m3fn": (np.nextafter(464, 500), 0x7E, 0x7F),
    "float8_e4m3fnuz": (248.0, 0x7F, 0x80),
    "float8_e5m2": (61440.0, 0x7B, 0x7C),
    "float8_e5m2fnuz": (61440.0, 0x7F, 0x80),
    "float8_e4m3": (248.0, 0x77, 0x78),
    "float8_e3m4": (15.75, 0x6F, 0x70),
    "float8_e4m3b11fnuz": (31.0, 0x7F, 0x80),
    "bfloat16": (511 * 2.0**119, 0x7F7F, 0x7F80),
    "float16": (65520.0, 0x7BFF, 0x7C00),
}


def float_overflow(subject):
    for name, (threshold, largest, beyond) in OVERFLOW.items():
        sign = 2 ** (float_oracle.bits(name) - 1)
        below = np.nextafter(threshold, 0)
        x = frozen([below, threshold, np.inf, -below, -threshold, -np.inf])
        same_codes(subject.encode(x, name), [largest] * 3 + [largest + sign] * 3, code_type(name))
        lost = beyond if name.endswith("fnuz") else beyond + sign
        expected = [largest, beyond, beyond, largest + sign, lost, lost]
        same_codes(subject.encode(x, name, "nan"), expected, code_type(name))
    for name, (largest, code) in {
        "float6_e2m3fn": (7.5, 31),
        "float6_e3m2fn": (28, 31),
        "float4_e2m1fn": (6, 7),
    }.items():
        x = frozen([largest, 1e6, np.inf, -1e6, -np.inf])
        minus = code + 2 ** (float_oracle.bits(name) - 1)
        same_codes(subject.encode(x, name), [code] * 3 + [minus] * 2, code_type(name))
    x = frozen([2.0**127, np.nextafter(1.5 * 2.0**127, 0), 1.5 * 2.0**127, np.inf, -np.inf, -1.0])
    same_codes(subject.encode(x, "float8_e8m0fnu"), [254, 254, 254, 254, 255, 255], code_type("float8_e8m0fnu"))
    same_codes(subject.encode(x, "float8_e8m0fnu", "nan"), [254, 254, 255, 255, 255, 255], code_type("float8_e8m0fnu"))


def float_points(subject, names=SMALL):
    for name in names:
        x = np.concatenate([points(name), -points(name)])
        for overflow in policies(name):
            for rounding in ROUNDINGS:
                expected = expected_codes(name, overflow, rounding)
                encode_agrees(subject, name, x, expected, overflow, rounding)


def float_sixteen_bits(subject):
    """Every value, midpoint and neighbour of the 16-bit formats: the rule says which of two codes is meant."""
    for name in SIXTEEN:
        at = steps(name)
        code, largest = np.arange(at.size - 1), at.size - 2
        middle = (at[1:] + at[:-1]) / 2
        around = [(at[:-1], 0)]
        for dtype in DTYPES:
            around += [(np.nextafter(middle.astype(dtype), dtype(0)).astype(np.float64), "below")]
            around += [(np.nextafter(middle.astype(dtype), dtype(np.inf)).astype(np.float64), "above")]
        around += [(middle, "tie"), (np.nextafter(at[1:], 0), "above"), (np.nextafter(at[:-1], np.inf), "below")]
        for rounding in ROUNDINGS:
            ups = {
                0: 0,
                "below": int(rounding == "away"),
                "above": int(rounding != "toward_zero"),
                "tie": {"half_even": code % 2, "half_away": 1, "away": 1}.get(rounding, 0),
            }
            x = np.concatenate([values for values, _ in around])
            ideal = np.concatenate([code + ups[side] for _, side in around])
            infinity = float_oracle.LAYOUTS[name].infinity
            encode_agrees(subject, name, x, np.minimum(ideal, largest), "saturate", rounding)
            negative = np.where(ideal > largest, infinity, ideal) + 0x8000
            encode_agrees(subject, name, -x, negative, "nan", rounding)


def float_no_double_rounding(subject):
    """1 + 2^−4 is a tie; what float32 cannot hold beside it decides."""
    x = frozen([1 + 2.0**-4 - 2.0**-40, 1 + 2.0**-4, 1 + 2.0**-4 + 2.0**-40])
    same_codes(subject.encode(x, "float8_e4m3fn"), [0x38, 0x38, 0x39], np.uint8)
    same_codes(subject.encode(-x, "float8_e4m3fn"), [0xB8, 0xB8, 0xB9], np.uint8)
    x = frozen([1 + 2.0**-8 + 2.0**-40, 1 + 3 * 2.0**-8 - 2.0**-40])
    same_codes(subject.encode(x, "bfloat16"), [0x3F81, 0x3F81], np.uint16)


def spread(name, dtype, count=2000, seed=0):
    """Ascending values all over the format's finite range, positive ones where it has no sign."""
    rng = np.random.default_rng(seed)
    low, high = np.log2(steps(name)[1]) - 3, np.log2(steps(name)[-2])
    x = 2.0 ** rng.uniform(low, high, count) * rng.choice([-1.0, 1.0], count)
    return frozen(np.sort(np.abs(x) if name == "float8_e8m0fnu" else x).astype(dtype))


def float_error_bound(subject):
    """At most half an ulp of the format to the nearest, less than one towards zero; exactly, and in range.

    An ulp is the distance of neighbours in x's own binade, so that rounding up into the next one is no exception.
    """
    for name in NAMES:
        for dtype in DTYPES:
            x = spread(name, dtype, 300, 1)
            for rounding in ROUNDINGS:
                codes = subject.encode(x, name, rounding=rounding)
                for value, code in zip(x.tolist(), codes.tolist(), strict=True):
                    result = float_oracle.decode(code, name)
                    if name == "float8_e8m0fnu" and code == 0:
                        continue  # rounded to as if it were 0
                    error = Fraction(value) - Fraction(result)
                    ulp = float_oracle.unit(Fraction(value), name)
                    if rounding in ("toward_zero", "away"):
                        assert abs(result) == abs(value) or (abs(result) > abs(value)) == (rounding == "away")
                        assert abs(error) < ulp
                    else:
                        assert abs(error) <= ulp / 2


def float_shapes(subject):
    """Any shape, order of memory and size, blocks included."""
    small = np.linspace(-3, 3, 24, dtype=np.float32)
    expected = [float_oracle.encode(float(v), "float8_e5m2") for v in small]
    for x in (small.reshape(2, 3, 4), small.reshape(4, 3, 2)[::-1], np.asfortranarray(small.reshape(4, 6))):
        order = np.argsort(np.argsort(x.reshape(-1)))  # small ascends
        codes = subject.encode(x, "float8_e5m2")
        assert codes.shape == x.shape
        same_codes(codes.reshape(-1), np.array(expected)[order], np.uint8)
        same_floats(subject.decode(codes, "float8_e5m2"), values("float8_e5m2")[codes])
    for shape in ((), (0,), (3, 0, 2)):
        codes = subject.encode(np.ones(shape, np.float32), "float16")
        assert isinstance(codes, np.ndarray)
        assert (codes.shape, codes.dtype) == (shape, np.uint16)
        assert (codes == 0x3C00).all()
        decoded = subject.decode(codes, "float16")
        assert (decoded.shape, decoded.dtype) == (shape, np.float32)
        assert (decoded == 1).all()
    count = 70_001
    codes = np.resize(np.arange(0, 256, 7), (3, count))
    large = subject.encode(values("float8_e4m3")[codes], "float8_e4m3")
    number = ~np.isnan(values("float8_e4m3")[codes]) & ~np.isinf(values("float8_e4m3")[codes])
    assert (large[number] == codes[number]).all()
    same_floats(subject.decode(codes, "float8_e4m3"), values("float8_e4m3")[codes])


FLOAT = (
    float_every_code,
    float_nan_has_no_sign,
    float_literals,
    float_nan,
    float_zeros,
    float_overflow,
    float_points,
    float_sixteen_bits,
    float_no_double_rounding,
    float_error_bound,
    float_shapes,
)
