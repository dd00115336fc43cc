"""What every implementation of the small floats and of the block formats must satisfy.

Every function takes the implementation (a module, or anything with the same names) and asserts; test_<stem>.py gives it
the package's module, test_mutants.py wrong ones. Expected values are literals or come from the exact oracles.
"""

import math
import struct
from fractions import Fraction
from functools import cache

import numpy as np

from tests.oracles import float_format as float_oracle
from tests.oracles import level_table as level_oracle
from tests.oracles import mx as mx_oracle
from tests.oracles import nvfp4 as nvfp4_oracle

NAMES = tuple(float_oracle.LAYOUTS)
SMALL = tuple(name for name in NAMES if float_oracle.bits(name) <= 8)
SIXTEEN = tuple(name for name in NAMES if float_oracle.bits(name) == 16)
NO_NAN = tuple(name for name in NAMES if float_oracle.LAYOUTS[name].quiet is None)
ROUNDINGS = ("half_even", "half_away", "half_toward_zero", "toward_zero", "away")
DTYPES = (np.float32, np.float64)


def policies(name):
    """The policies that the format takes."""
    return ("saturate",) if float_oracle.ALL[name].quiet is None else ("saturate", "nan")


def frozen(values, dtype=None):
    """Return an array that cannot be written to: a function that modifies its input raises."""
    array = np.array(values, dtype)
    array.setflags(write=False)
    return array


def neighbours(values, dtype):
    """The values and those one place below and above them, in ascending order, as float64."""
    values = np.asarray(values, dtype)
    with np.errstate(over="ignore"):
        near = [np.nextafter(values, dtype(-np.inf)), values, np.nextafter(values, dtype(np.inf))]
    return np.unique(np.concatenate(near).astype(np.float64))


def same_floats(got, expected):
    """Both arrays have dtype float32 and the same values, signs of zero included; NaN is NaN."""
    assert got.dtype == expected.dtype == np.float32
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(expected)[numbers])


def same_codes(got, expected, dtype):
    """The codes are those expected, in this dtype."""
    assert got.dtype == dtype
    np.testing.assert_array_equal(got.astype(np.int64), expected)


known = {}


def once(function, x, *arguments):
    """What an oracle says of an array; every implementation is asked the same, so it is kept."""
    key = (function.__module__, function.__name__, x.tobytes(), x.shape, x.strides, x.dtype.str, *arguments)
    if key not in known:
        known[key] = function(x, *arguments)
    return known[key]


# Small floats: subject.encode and subject.decode.


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


def float_round_trip(subject):
    """Codes survive, but for those of NaN, which become the one code of their sign."""
    for name in NAMES:
        codes = np.arange(values(name).size)
        for overflow in policies(name):
            for rounding in ROUNDINGS:
                number = ~np.isnan(values(name))
                if overflow == "saturate":
                    number &= ~np.isinf(values(name))
                got = subject.encode(values(name)[number], name, overflow, rounding=rounding)
                same_codes(got, codes[number], code_type(name))
        assert (~np.isfinite(values(name))).sum() == len(float_oracle.LAYOUTS[name].nan) + 2 * (
            float_oracle.LAYOUTS[name].infinity is not None
        )


def spread(name, dtype, count=2000, seed=0):
    """Ascending values all over the format's finite range, positive ones where it has no sign."""
    rng = np.random.default_rng(seed)
    low, high = np.log2(steps(name)[1]) - 3, np.log2(steps(name)[-2])
    x = 2.0 ** rng.uniform(low, high, count) * rng.choice([-1.0, 1.0], count)
    return frozen(np.sort(np.abs(x) if name == "float8_e8m0fnu" else x).astype(dtype))


def float_monotone(subject):
    for name in NAMES:
        for dtype in DTYPES:
            for rounding in ROUNDINGS:
                decoded = subject.decode(subject.encode(spread(name, dtype), name, rounding=rounding), name)
                assert (np.diff(decoded) >= 0).all()


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
    float_round_trip,
    float_monotone,
    float_error_bound,
    float_shapes,
)

# MX: subject.quantize and subject.dequantize.

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


MX_SCALES = {  # of float4_e2m1fn, whose emax is 2 and largest value 6: amax, S under each of the five rules
    4.0: (0, 0, 0, 0, 0),
    np.nextafter(np.float32(4), np.float32(0)): (-1, 0, 0, 0, 0),
    3.0: (-1, 0, -1, -1, -1),
    6.0: (0, 1, 0, 0, 0),
    6.5: (0, 1, 0, 0, 1),
    np.nextafter(np.float32(7), np.float32(0)): (0, 1, 0, 0, 1),
    7.0: (0, 1, 1, 1, 1),
    8.0: (1, 1, 1, 1, 1),
    np.nextafter(np.float32(8), np.float32(9)): (1, 2, 1, 1, 1),
    12.0: (1, 2, 1, 1, 1),
    np.nextafter(np.float32(12), np.float32(13)): (1, 2, 1, 1, 2),
    0.0: (-127, -127, -127, -127, -127),
    1e-45: (-127, -127, -127, -127, -127),
    2.0**-126: (-127, -127, -127, -127, -127),
    2.0**-124: (-126, -126, -126, -126, -126),
    2.0**127: (125, 125, 125, 125, 125),
}


def mx_scale_literals(subject):
    amax = frozen([[a, -a / 2] for a in MX_SCALES], np.float32)
    for column, exponent in enumerate(EXPONENTS):
        for dtype in DTYPES:
            scales = subject.quantize(amax.astype(dtype), "float4_e2m1fn", exponent=exponent, block_size=2)[1]
            same_codes(scales[:, 0], [rules[column] + 127 for rules in MX_SCALES.values()], np.uint8)
    # One block, whose amax is just below 2: 1 + 15/16 is a tie for three mantissa bits, 1 + 3/4 for one.
    below = {1.0: (0, 0), 1.5: (0, 0), 1.75: (0, 1), 1.9375: (1, 1), 1.9374: (0, 1), 1.7499: (0, 0), 1.96: (1, 1)}
    for amax, expected in below.items():
        x = frozen([amax], np.float32)
        got = [subject.quantize(x, "float8_e4m3fn", exponent=rule)[1].item() for rule in ("even", "even_one_bit")]
        assert got == [expected[0] - 8 + 127, expected[1] - 8 + 127], amax


def mx_code_literals(subject):
    """One block of each element by hand, amax as large as the element's largest value, so that X = 1."""
    x = frozen([6.0, -6.0, 0.25, 0.75, -1.25, 2.5, 3.5, 5.0, -0.0, 0.0, 5.1])
    codes, scales = subject.quantize(x, "float4_e2m1fn")
    same_codes(codes, [7, 15, 0, 2, 10, 4, 6, 6, 8, 0, 7], np.uint8)
    same_codes(scales, [127], np.uint8)
    x = frozen([448.0, 464, 480, -511, 1, 1.0625, 1.1875, 2.0**-10, 2.0**-9, -0.0])
    codes, scales = subject.quantize(x, "float8_e4m3fn")
    same_codes(codes, [0x7E, 0x7E, 0x7E, 0xFE, 0x38, 0x38, 0x3A, 0, 1, 0x80], np.uint8)
    same_codes(scales, [127], np.uint8)
    x = frozen([1.984375, -1.984375, 1.9999, -1.9999, 1, -0.5, 1 / 128, 3 / 128, -0.0, 5 / 128])
    codes, scales = subject.quantize(x, "int8")
    same_codes(codes, [127, -127, 127, -127, 64, -32, 0, 2, 0, 2], np.int8)
    same_codes(scales, [127], np.uint8)


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
    mx_scale_literals,
    mx_code_literals,
    mx_exponents,
    mx_random,
    mx_default_blocks,
    mx_ties,
    mx_every_code,
    mx_error_bound,
)

# NVFP4: subject.quantize and subject.dequantize.

ARITHMETICS = ("torchao", "compressed_tensors")


def nvfp4_there_and_back(x, t, axis, arithmetic):
    codes, scales, t = nvfp4_oracle.quantize(x, t, axis, arithmetic)
    return codes, scales, t, nvfp4_oracle.dequantize(codes, scales, t, axis, arithmetic)


def nvfp4_agrees(subject, x, arithmetic, tensor_scale=None, axis=-1):
    t = None if tensor_scale is None else Fraction(float(np.float32(tensor_scale)))
    codes, scales, t, values = once(nvfp4_there_and_back, x, t, axis, arithmetic)
    got = subject.quantize(x, tensor_scale=tensor_scale, axis=axis, arithmetic=arithmetic)
    assert type(got[2]) is np.float32
    assert Fraction(float(got[2])) == t
    same_codes(got[1], scales, np.uint8)
    same_codes(got[0], codes, np.uint8)
    restored = subject.dequantize(*got, axis=axis, arithmetic=arithmetic)
    same_floats(restored, values)


HAND = (12.0, 8, 6, 5, 7, 1, 0.5, -1.5, -0.4, 10, 10.01, -12, 2, 3, 0, -0.0)
HAND_CODES = (7, 6, 5, 4, 6, 1, 0, 10, 8, 6, 7, 15, 2, 3, 0)  # of their halves, and −0's below
LAST = {"torchao": 8, "compressed_tensors": 0}


def nvfp4_by_hand(subject):
    """With t = 1 a block whose amax is 12 has s = 2; next to it a block of zeros and a short one with s = 448."""
    x = frozen([*HAND, *[0.0] * 16, 2688.0, -448.0], np.float32)
    for arithmetic, least in (("torchao", 0x08), ("compressed_tensors", 0x20)):
        for given in (1, 1.0, np.float32(1), np.float64(1)):
            codes, scales, t = subject.quantize(x, tensor_scale=given, arithmetic=arithmetic)
            same_codes(codes, [*HAND_CODES, LAST[arithmetic], *[0] * 16, 7, 10], np.uint8)
            same_codes(scales, [0x40, least, 0x7E], np.uint8)
            assert type(t) is np.float32
            assert t == 1
        codes, scales, t = subject.quantize(x, arithmetic=arithmetic)  # 2688 = 448·6
        same_codes(codes, [*HAND_CODES, LAST[arithmetic], *[0] * 16, 7, 10], np.uint8)
        assert t == 1
        restored = subject.dequantize(codes, scales, t, arithmetic=arithmetic)
        halves = [6, 4, 3, 2, 4, 0.5, 0, -1, -0.0, 4, 6, -6, 1, 1.5, 0, -0.0 if LAST[arithmetic] else 0.0]
        same_floats(restored, np.array([*np.multiply(halves, 2), *[0] * 16, 2688, -448], np.float32))
    for arithmetic, t in (("torchao", 0.5), ("compressed_tensors", 2.0)):
        codes, scales, found = subject.quantize(x / np.float32(2), arithmetic=arithmetic)
        same_codes(codes, [*HAND_CODES, LAST[arithmetic], *[0] * 16, 7, 10], np.uint8)
        assert (found, scales[0], scales[2]) == (t, 0x40, 0x7E)
    codes, scales, t = subject.quantize(np.array([6.0, 3.0, -0.5, 0.0], np.float32))  # 6/2688 is 0.0022321429569274187
    assert (codes.tolist(), scales.tolist(), float(t)) == ([7, 5, 9, 0], [126], 0.0022321429569274187)


def nvfp4_zeros(subject):
    x = np.zeros((2, 17), np.float32)
    x[0, 3] = -0.0
    for arithmetic, least in (("torchao", 0x08), ("compressed_tensors", 0x20)):
        codes, scales, t = subject.quantize(frozen(x), arithmetic=arithmetic)
        assert t == 1
        same_codes(scales, [[least] * 2] * 2, np.uint8)
        assert codes[0, 3] == LAST[arithmetic]
        assert np.count_nonzero(codes) == (arithmetic == "torchao")
        assert (subject.dequantize(codes, scales, t, arithmetic=arithmetic) == 0).all()


def nvfp4_negative_zeros(subject):
    """compressed_tensors takes the sign of the quotient: one below 0 gives −0, −0 gives 0, and so does underflow."""
    for value, size, expected in ((-0.0, 1.0, 0), (-1e-9, 1.0, 8), (-1e-45, 1.0, 8), (-1e-30, 1e30, 0)):
        x = frozen([size, *[value] * 15], np.float32)
        for arithmetic, code in (("torchao", 8), ("compressed_tensors", expected)):
            codes, _, _ = subject.quantize(x, arithmetic=arithmetic)
            same_codes(codes, [7, *[code] * 15], np.uint8)


def nvfp4_small_blocks(subject):
    """Blocks far smaller than the tensor: torchao's s is never below 2^−6, the other's goes down to 2^−9, then ⅛."""
    x = np.zeros((6, 16), np.float32)
    x[:, 0] = 6 * np.array([448, 2.0**-6, 2.0**-7, 2.0**-9, 2.0**-10, 2.0**-11])
    expected = {"torchao": [0x7E, 8, 8, 8, 8, 8], "compressed_tensors": [0x7E, 8, 4, 1, 0x20, 0x20]}
    elements = {"torchao": [7, 7, 5, 2, 1, 0], "compressed_tensors": [7, 7, 7, 7, 0, 0]}
    for arithmetic in ARITHMETICS:
        codes, scales, _ = subject.quantize(frozen(x), tensor_scale=1.0, arithmetic=arithmetic)
        same_codes(scales[:, 0], expected[arithmetic], np.uint8)
        same_codes(codes[:, 0], elements[arithmetic], np.uint8)
        nvfp4_agrees(subject, frozen(x), arithmetic)


def nvfp4_random(subject):
    rng = np.random.default_rng(11)
    for arithmetic in ARITHMETICS:
        x = frozen(rng.standard_normal((3, 50)) * 2.0 ** rng.integers(-12, 6, (3, 1)), np.float32)
        nvfp4_agrees(subject, x, arithmetic)
        nvfp4_agrees(subject, frozen(x.T.reshape(50, 1, 3)), arithmetic, axis=0)
        for axis in (1, -2):
            nvfp4_agrees(subject, frozen(x.T.reshape(5, 10, 3)[:, :, :2]), arithmetic, axis=axis)
        for size in (1, 15, 16, 17, 33):
            nvfp4_agrees(subject, frozen(x[0, :size]), arithmetic)


@cache
def quarters():
    """Multiples of ¼, whose quotients are often ties or nearly so, a scale to every block."""
    rng = np.random.default_rng(5)
    x = rng.integers(-60, 61, (40, 16)) / 4
    x[:, 0] = np.arange(40) / 4 + 6.25
    return frozen(x, np.float32)


def nvfp4_ties(subject):
    """The order of operations decides: t given and not, with mantissas that round."""
    for arithmetic in ARITHMETICS:
        for tensor_scale in (None, 1.0, 0.1, 3.0):
            nvfp4_agrees(subject, quarters(), arithmetic, tensor_scale)


def nvfp4_every_scale(subject):
    """Block scales on and beside the midpoints of e4m3, where the order of operations decides."""
    values = steps("float8_e4m3fn")[8:-1]
    middle = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    for arithmetic in ARITHMETICS:
        for t in (1.0, 0.1, 0.3, 7.0, 777.7):
            t = np.float32(t)
            amax = 6 * middle * t if arithmetic == "torchao" else 6 * middle / t
            x = np.stack([np.nextafter(amax, np.float32(0)), amax, np.nextafter(amax, np.float32(1e9))])
            nvfp4_agrees(subject, frozen(x.reshape(-1, 1)), arithmetic, t)


def nvfp4_every_tie(subject):
    """Elements on and beside the midpoints of e2m1, in blocks whose scale s is known."""
    middles = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], np.float32)
    for arithmetic in ARITHMETICS:
        for t in np.array([0.1, 0.37, 29, 777.7], np.float32):
            for s in np.arange(8, 16, dtype=np.float32):
                step = t * s if arithmetic == "torchao" else s / t
                at = middles * step
                near = [np.nextafter(at, np.float32(0)), at, np.nextafter(at, np.float32(np.inf))]
                rows = [np.concatenate([[6 * step], x]) for x in near]
                nvfp4_agrees(subject, frozen(rows, np.float32), arithmetic, t)


def nvfp4_extreme_scales(subject):
    """The ends of what t may be, and elements too large for it: no warning, no NaN."""
    x = frozen([[1e-38, -1e-45, 0, 1], [3e38, -1e38, 1e-3, -0.0], [1e-30, 1e-31, 5.0, 6.0]], np.float32)
    for arithmetic in ARITHMETICS:
        for t in (2.0**-117, 2.0**-60, 1e-7, 1e7, 2.0**60, 2.0**117):
            nvfp4_agrees(subject, x, arithmetic, t)


@cache
def nvfp4_values(t, arithmetic):
    """Values of all 16 elements times all 128 scales, a row for every scale."""
    codes, scales = np.tile(np.arange(16), (128, 1)), np.arange(128)[:, None]
    return nvfp4_oracle.dequantize(codes, scales, t, arithmetic=arithmetic)


def nvfp4_every_code(subject):
    """All 16 elements times all 128 scales, for scales of the tensor that round."""
    codes = np.tile(np.arange(16), (128, 1))
    scales = np.arange(128)[:, None]
    for arithmetic in ARITHMETICS:
        for t in (1.0, 0.3, 1 / 2688, 777.7, 2.0**117, 2.0**-117):
            exact = Fraction(float(np.float32(t)))
            expected = nvfp4_values(exact, arithmetic)
            assert np.isnan(expected[127]).all()
            assert not np.isnan(expected[:127]).any()
            same_floats(subject.dequantize(codes, scales, t, arithmetic=arithmetic), expected)
    literal = subject.dequantize(np.array([7, 9, 8]), np.array([0x38 + 8]), 0.25)  # s = 2
    same_floats(literal, np.array([3, -0.25, -0.0], np.float32))
    literal = subject.dequantize(np.array([7, 9, 8]), np.array([0x38 + 8]), 0.25, arithmetic="compressed_tensors")
    same_floats(literal, np.array([48, -4, -0.0], np.float32))


NVFP4 = (
    nvfp4_by_hand,
    nvfp4_zeros,
    nvfp4_negative_zeros,
    nvfp4_small_blocks,
    nvfp4_random,
    nvfp4_ties,
    nvfp4_every_scale,
    nvfp4_every_tie,
    nvfp4_extreme_scales,
    nvfp4_every_code,
)

# Level tables: subject.LEVELS, subject.quantize and subject.dequantize.

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


def level_literals(subject):
    """Values near levels, in a block whose absmax is 3 or 12."""
    for table, name, largest in ((NF4_CODES, "nf4", 3), (FP4_CODES, "bitsandbytes_fp4", 12)):
        codes, absmax = subject.quantize(frozen(list(table), np.float32), name)
        same_codes(codes, list(table.values()), np.uint8)
        same_floats(absmax, np.array([largest], np.float32))


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
    level_literals,
    level_thresholds,
    level_reciprocals,
    level_blocks,
    level_zero_blocks,
    level_dequantizes,
)
