"""Tests of the tests: correct stand-ins pass every property, and every planted error fails the one named beside it."""

import numpy as np
import pytest

from refcompress.formulas.quantization import float_format as package
from tests.formulas.planted import planted
from tests.formulas.quantization.formats.checks import float_format, level_table, mx, nvfp4
from tests.oracles import float_format as float_oracle

F32 = np.float32


def variant(base, **methods):
    """A base object with methods exchanged; each is given the object first."""
    return type("Variant", (base,), methods)()


# Small floats: the package's module with one of its two functions exchanged.


def encodes(change):
    """The module with encode(*change(x, name, overflow, rounding))."""

    def encode(x, name, overflow="saturate", *, rounding="half_even"):
        x, name, overflow, rounding = change(np.asarray(x), name, overflow, rounding)
        return package.encode(x, name, overflow, rounding=rounding)

    return planted(package, encode=encode)


def codes_then(change):
    """The module with change(codes, x, name, overflow, rounding) after encode."""

    def encode(x, name, overflow="saturate", *, rounding="half_even"):
        codes = package.encode(x, name, overflow, rounding=rounding)
        return change(codes, np.asarray(x), name, overflow, rounding)

    return planted(package, encode=encode)


def values_then(change):
    """The module with change(values, codes, name) after decode."""
    return planted(
        package,
        decode=lambda codes, name: change(package.decode(codes, name), np.asarray(codes).astype(np.int64), name),
    )


def other_rule(wanted, given):
    return encodes(lambda x, name, overflow, rule: (x, name, overflow, given if rule == wanted else rule))


def odd_at_one_point(codes, x, name, overflow, rule):
    """Ties of half_even above one of the codes of 16 bits go up."""
    if rule != "half_even" or float_oracle.bits(name) < 16:
        return codes
    down, up = (package.encode(x, name, overflow, rounding=f"half_{to}") for to in ("toward_zero", "away"))
    return np.where(down & 0x7FFF == 0x1234, up, codes)


def by_way_of_float32(x, *others):
    with np.errstate(over="ignore", under="ignore"):
        return x.astype(F32), *others


def never_over_towards_zero(x, name, overflow, rule):
    largest = np.float64(package.decode(package.encode(np.inf, name, "saturate"), name))
    return (np.clip(x, -largest, largest) if rule == "toward_zero" else x), name, overflow, rule


def like_ieee(codes, x, name, overflow, rule):
    """The largest value of e4m3fn is 240."""
    return np.where(codes & 0x7F > 0x77, (codes & 0x80) + 0x77, codes) if name == "float8_e4m3fn" else codes


def two_to_minus_127_is_a_value(codes, x, name, overflow, rule):
    """e8m0 has no 0: the middle between its first two values decides, not the first one."""
    nearer = (x > 2.0**-127) & (x < 1.5 * 2.0**-127)
    return np.where(nearer, 0, codes) if name == "float8_e8m0fnu" and rule.startswith("half") else codes


def no_subnormals(values, codes, name):
    m = float_oracle.ALL[name].mantissa
    return np.where((codes % (1 << float_oracle.bits(name) - 1) >> m == 0) & np.isfinite(values), values * 0, values)


FLOAT_MUTANTS = {
    "ties to odd in 16 bits": (codes_then(odd_at_one_point), float_format.float_sixteen_bits),
    "half_away is half_even": (other_rule("half_away", "half_even"), float_format.float_sixteen_bits),
    "half_toward_zero is half_even": (other_rule("half_toward_zero", "half_even"), float_format.float_sixteen_bits),
    "half_toward_zero is half_away": (other_rule("half_toward_zero", "half_away"), float_format.float_points),
    "away is to the nearest": (other_rule("away", "half_away"), float_format.float_points),
    "away is to the nearest, 16 bits": (other_rule("away", "half_away"), float_format.float_sixteen_bits),
    "away is to the nearest, error": (other_rule("away", "half_away"), float_format.float_error_bound),
    "e4m3fn like IEEE, overflow": (codes_then(like_ieee), float_format.float_overflow),
    "subnormals decode to 0": (values_then(no_subnormals), float_format.float_every_code),
    "rounds to float32 first": (encodes(by_way_of_float32), float_format.float_no_double_rounding),
    "rounds to float32 first, 16 bits": (encodes(by_way_of_float32), float_format.float_sixteen_bits),
    "toward_zero never overflows": (encodes(never_over_towards_zero), float_format.float_points),
    "NaN loses its sign": (
        encodes(lambda x, *others: (np.where(np.isnan(x), np.abs(x), x), *others)),
        float_format.float_nan,
    ),
    "e8m0: 0 is 2^−127": (
        codes_then(lambda codes, x, name, *_: np.where(x == 0, 0, codes) if name == "float8_e8m0fnu" else codes),
        float_format.float_zeros,
    ),
    "e8m0: 2^−127 as a value": (
        codes_then(two_to_minus_127_is_a_value),
        float_format.float_points,
    ),
    "always uint16": (codes_then(lambda codes, *_: codes.astype(np.uint16)), float_format.float_literals),
    "NaN has a sign": (
        values_then(lambda values, codes, name: np.where(np.isnan(values), -np.abs(values), values)),
        float_format.float_nan_has_no_sign,
    ),
    "one shape": (values_then(lambda values, codes, name: values.reshape(-1)), float_format.float_shapes),
}


# MX.

MX_FIELDS = {  # emax, bits of the mantissa, largest value
    "float8_e4m3fn": (8, 3, 448),
    "float8_e5m2": (15, 2, 57344),
    "float6_e2m3fn": (2, 3, 7.5),
    "float6_e3m2fn": (4, 2, 28),
    "float4_e2m1fn": (2, 1, 6),
    "int8": (0, 6, 127 / 64),
}


class MX:
    floats = package

    def emax(self, element):
        return MX_FIELDS[element][0]

    def bits(self, element, exponent):
        return 1 if exponent == "even_one_bit" else MX_FIELDS[element][1]

    def rounded(self, significand, m):
        return np.floor(significand * 2**m + 0.5) / 2**m

    def ceil(self, amax):
        significand, k = np.frexp(amax)  # from ½
        return k - (significand == 0.5)

    def rceil(self, amax, largest):
        significand, k = np.frexp(amax)
        top, shift = np.frexp(largest)
        return k - shift + (significand > top)

    def floor(self, amax):
        return np.frexp(amax)[1] - 1

    def exponent(self, amax, element, rule):
        emax, _, largest = MX_FIELDS[element]
        emax = self.emax(element)
        if rule == "floor":
            return self.floor(amax) - emax
        if rule == "ceil":
            return self.ceil(amax) - emax
        if rule == "rceil":
            return self.rceil(amax, largest)
        significand, k = np.frexp(amax)
        up = self.rounded(2 * significand, self.bits(element, rule)) >= 2
        return k - 1 + up - emax

    def limited(self, S, amax):
        return np.where(amax == 0, -127, np.maximum(S, -127))

    def blocks(self, length, block_size):
        return [slice(i, min(i + block_size, length)) for i in range(0, length, block_size)]

    def amax(self, block):
        return np.abs(block).max(axis=-1, keepdims=True)

    def cast(self, scaled, element):
        if element == "int8":
            return np.clip(np.rint(scaled * 64), -127, 127).astype(np.int8)
        return self.floats.encode(scaled, element)

    def quantize(self, x, element, *, exponent="floor", block_size=32, axis=-1):
        x = np.moveaxis(np.asarray(x), axis, -1).astype(np.float64)
        codes, scales = [], []
        for part in self.blocks(x.shape[-1], block_size):
            amax = self.amax(x[..., part])
            S = self.limited(self.exponent(amax, element, exponent), amax)
            codes.append(self.cast(np.ldexp(x[..., part], -S), element))
            scales.append((S + 127).astype(np.uint8))
        return tuple(np.moveaxis(np.concatenate(parts, axis=-1), -1, axis) for parts in (codes, scales))

    def value(self, scales):
        return np.where(scales == 255, np.nan, np.ldexp(1.0, scales.astype(np.int64) - 127))

    def element(self, codes, element):
        if element == "int8":
            return codes.astype(np.float64) / 64
        return self.floats.decode(codes, element).astype(np.float64)

    def dequantize(self, codes, scales, element, *, block_size=32, axis=-1):
        X = np.repeat(self.value(np.asarray(scales)), block_size, axis=axis)
        X = np.take(X, np.arange(codes.shape[axis]), axis=axis)
        with np.errstate(over="ignore"):
            return (self.element(np.asarray(codes), element) * X).astype(F32)


def clamped_at(limit):
    return lambda self, S, amax: np.where(amax == 0, -127, np.maximum(S, limit))


def element_cast(function):
    return lambda self, v, element: MX.cast(self, v, element) if element == "int8" else function(self, v, element)


class LastAxis(MX):
    def quantize(self, x, element, *, exponent="floor", block_size=32, axis=-1):
        return super().quantize(x, element, exponent=exponent, block_size=block_size)


class OneMore(MX):
    def blocks(self, length, block_size):
        return super().blocks(length, block_size + 1)


MX_MUTANTS = {
    "even: m of int8 is 7": (
        variant(MX, bits=lambda s, e, r: 7 if e == "int8" and r == "even" else MX.bits(s, e, r)),
        mx.mx_exponents,
    ),
    "S has no lower end": (variant(MX, limited=clamped_at(-200)), mx.mx_exponents),
    "blocks one too long": (OneMore(), mx.mx_default_blocks),
    "always the last axis": (LastAxis(), mx.mx_random),
    "elements half away": (
        variant(MX, cast=element_cast(lambda s, v, e: s.floats.encode(v, e, rounding="half_away"))),
        mx.mx_ties,
    ),
    "elements truncated": (
        variant(MX, cast=element_cast(lambda s, v, e: s.floats.encode(v, e, rounding="toward_zero"))),
        mx.mx_error_bound,
    ),
    "−128 is −127": (
        variant(MX, element=lambda s, c, e: np.maximum(MX.element(s, c, e), -127 / 64 if e == "int8" else -np.inf)),
        mx.mx_every_code,
    ),
}


# NVFP4.


class NVFP4:
    floats = package
    BLOCK = 16
    LEAST = F32(2.0**-6)
    INSTEAD = 0x20

    def tensor_scale(self, largest, arithmetic):
        if largest == 0:
            return F32(1)
        return largest / F32(2688) if arithmetic == "torchao" else F32(2688) / largest

    def quotient(self, amax, t):
        return amax / F32(6) / t

    def product(self, amax, t):
        return t * (amax / F32(6))

    def divided(self, x, t, s):
        return x * ((F32(1) / t) / s)

    def stored(self, x, t, s):
        return x / (s / t)

    def unsigned(self, quotient):
        return np.where(quotient == 0, F32(0), quotient)

    def e4m3(self, s):
        return self.floats.encode(s, "float8_e4m3fn")

    def e2m1(self, x):
        return self.floats.encode(np.where(np.isnan(x), F32(0), x), "float4_e2m1fn")

    def default(self, arithmetic):
        return arithmetic or "torchao"

    def quantize(self, x, *, tensor_scale=None, axis=-1, arithmetic=None):
        arithmetic = self.default(arithmetic)
        x = np.moveaxis(x, axis, -1)
        t = self.tensor_scale(np.abs(x).max(), arithmetic) if tensor_scale is None else F32(tensor_scale)
        codes, scales = [], []
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            for i in range(0, x.shape[-1], self.BLOCK):
                part = x[..., i : i + self.BLOCK]
                amax = np.abs(part).max(axis=-1, keepdims=True)
                if arithmetic == "torchao":
                    code = self.e4m3(np.clip(self.quotient(amax, t), self.LEAST, F32(448)))
                    scaled = self.divided(part, t, self.floats.decode(code, "float8_e4m3fn"))
                else:
                    code = self.e4m3(self.product(amax, t))
                    code = np.where(code == 0, self.INSTEAD, code).astype(np.uint8)
                    scaled = self.unsigned(self.stored(part, t, self.floats.decode(code, "float8_e4m3fn")))
                codes.append(self.e2m1(scaled))
                scales.append(code)
        return (*(np.moveaxis(np.concatenate(parts, axis=-1), -1, axis) for parts in (codes, scales)), t)

    def restored(self, q, t, s):
        return q * (t * s)

    def restored_stored(self, q, t, s):
        return q * (s / t)

    def dequantize(self, codes, block_scales, tensor_scale, *, axis=-1, arithmetic=None):
        s = np.repeat(self.floats.decode(block_scales, "float8_e4m3fn"), self.BLOCK, axis=axis)
        s = np.take(s, np.arange(codes.shape[axis]), axis=axis)
        rule = self.restored if self.default(arithmetic) == "torchao" else self.restored_stored
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            return rule(self.floats.decode(codes, "float4_e2m1fn"), F32(tensor_scale), s).astype(F32)


class NVFP4LastAxis(NVFP4):
    def quantize(self, x, *, tensor_scale=None, axis=-1, arithmetic=None):
        return super().quantize(x, tensor_scale=tensor_scale, arithmetic=arithmetic)


class NoLeast(NVFP4):
    LEAST = F32(0)


class ZeroIsOne(NVFP4):
    INSTEAD = 0x38


class Unsaturated(NVFP4):
    def e4m3(self, s):
        return self.floats.encode(s, "float8_e4m3fn", "nan")


class ScaleHalfAway(NVFP4):
    def e4m3(self, s):
        return self.floats.encode(s, "float8_e4m3fn", rounding="half_away")


def wide(function):
    """The same in float64, from the same float32 numbers."""
    return lambda s, *values: function(s, *(np.asarray(v, np.float64) for v in values))


NVFP4_MUTANTS = {
    "always the last axis": (NVFP4LastAxis(), nvfp4.nvfp4_random),
    "the other default": (
        variant(NVFP4, default=lambda s, arithmetic: arithmetic or "compressed_tensors"),
        nvfp4.nvfp4_every_code,
    ),
    "s may be 0": (NoLeast(), nvfp4.nvfp4_zeros),
    "an s of 0 becomes 1": (ZeroIsOne(), nvfp4.nvfp4_small_blocks),
    "s overflows to NaN": (Unsaturated(), nvfp4.nvfp4_extreme_scales),
    "s half away": (ScaleHalfAway(), nvfp4.nvfp4_ties),
    "what is nearly zero is 0": (
        variant(NVFP4, unsigned=lambda s, quotient: np.where(np.abs(quotient) <= F32(0.25), F32(0), quotient)),
        nvfp4.nvfp4_negative_zeros,
    ),
    "amax / t / 6": (variant(NVFP4, quotient=lambda s, amax, t: amax / t / F32(6)), nvfp4.nvfp4_every_scale),
    "x in float64": (variant(NVFP4, divided=wide(lambda s, x, t, v: x * ((1 / t) / v))), nvfp4.nvfp4_every_tie),
}


# Level tables.

NF4 = np.zeros(16, F32)
NF4[:4] = -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453
NF4[4:7] = -0.28444138169288635, -0.18477343022823334, -0.09105003625154495
NF4[8:12] = 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224
NF4[12:] = 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1
FP4 = np.array([0, 0.0625, 8, 12, 4, 6, 2, 3], F32) / F32(12)


class Level:
    LEVELS = {"nf4": NF4, "bitsandbytes_fp4": np.concatenate([FP4, 0 - FP4])}  # noqa: RUF012
    SIDE = "left"  # a t on a midpoint is not past it
    SMALLEST = F32(1e-38)

    def blocks(self, x, block_size):
        flat = x.reshape(-1)
        return [flat[i : i + block_size] for i in range(0, flat.size, block_size)]

    def t(self, block, absmax):
        return np.clip(block * (F32(1) / max(absmax, self.SMALLEST)), -1, 1)

    def midpoints(self, ascending):
        return (ascending[1:] + ascending[:-1]) / F32(2)

    def order(self, table):
        return np.argsort(table, kind="stable")

    def nearest(self, t, table):
        order = self.order(table)
        return order[np.searchsorted(self.midpoints(table[order]), t, self.SIDE)]

    def absmax(self, block):
        return np.abs(block).max()

    def quantize(self, x, levels="nf4", *, block_size=64):
        blocks = self.blocks(x, block_size)
        absmax = np.array([self.absmax(block) for block in blocks], F32)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
            codes = [
                self.nearest(self.t(block, a), self.LEVELS[levels]) for block, a in zip(blocks, absmax, strict=True)
            ]
        return np.concatenate(codes).astype(np.uint8).reshape(x.shape), absmax

    def restored(self, c, absmax):
        return c * absmax

    def dequantize(self, codes, absmax, levels="nf4", *, block_size=64):
        absmax = np.repeat(absmax, block_size)[: codes.size].reshape(codes.shape)
        with np.errstate(over="ignore", under="ignore"):
            return self.restored(self.LEVELS[levels][codes], absmax)


class SmallestNormal(Level):
    SMALLEST = np.finfo(F32).tiny


def ties_to_zero(self, t, table):
    order = self.order(table)
    at = self.midpoints(table[order])
    return order[np.where(t < 0, np.searchsorted(at, t, "right"), np.searchsorted(at, t, "left"))]


def other_table(**tables):
    return variant(Level, LEVELS=Level.LEVELS | tables)


NEARLY = NF4.copy()
NEARLY[3] = np.nextafter(NEARLY[3], F32(0))

LEVEL_MUTANTS = {
    "a tie goes towards zero": (variant(Level, nearest=ties_to_zero), level_table.level_thresholds),
    "division": (variant(Level, t=lambda s, x, a: x / max(a, F32(1e-38))), level_table.level_reciprocals),
    "least absmax the smallest normal": (SmallestNormal(), level_table.level_zero_blocks),
    "absmax without magnitude": (variant(Level, absmax=lambda s, block: block.max()), level_table.level_blocks),
    "a level of nf4 one ulp off": (other_table(nf4=NEARLY), level_table.level_values),
    "values divided": (
        variant(Level, restored=lambda s, c, a: c / np.maximum(a, F32(1e-45))),
        level_table.level_dequantizes,
    ),
}

GROUPS = {
    "float": (package, float_format.FLOAT, FLOAT_MUTANTS),
    "mx": (MX(), mx.MX, MX_MUTANTS),
    "nvfp4": (NVFP4(), nvfp4.NVFP4, NVFP4_MUTANTS),
    "level": (Level(), level_table.LEVEL, LEVEL_MUTANTS),
}


@pytest.mark.parametrize(
    ("group", "check"),
    [(group, check) for group, (base, checks, _) in GROUPS.items() if base is not package for check in checks],
)
def test_the_correct_one_passes(group, check):
    check(GROUPS[group][0])


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, (_, _, mutants) in GROUPS.items() for name in mutants]
)
def test_wrong_ones_are_caught(group, name):
    wrong, check = GROUPS[group][2][name]
    assert check in GROUPS[group][1]
    with pytest.raises(AssertionError):
        check(wrong)
