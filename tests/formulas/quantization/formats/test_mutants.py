"""Tests of the tests: correct stand-ins pass every property, and every planted error fails the one named beside it."""

import numpy as np
import pytest

from tests.formulas.quantization.formats import checks

F32 = np.float32

# name: sign, bits of exponent and mantissa, bias, kind of its specials
FIELDS = {
    "float8_e4m3fn": (1, 4, 3, 7, "all_ones"),
    "float8_e4m3fnuz": (1, 4, 3, 8, "minus_zero"),
    "float8_e5m2": (1, 5, 2, 15, "ieee"),
    "float8_e5m2fnuz": (1, 5, 2, 16, "minus_zero"),
    "float8_e4m3": (1, 4, 3, 7, "ieee"),
    "float8_e3m4": (1, 3, 4, 3, "ieee"),
    "float8_e4m3b11fnuz": (1, 4, 3, 11, "minus_zero"),
    "float6_e2m3fn": (1, 2, 3, 1, "none"),
    "float6_e3m2fn": (1, 3, 2, 3, "none"),
    "float4_e2m1fn": (1, 2, 1, 1, "none"),
    "float8_e8m0fnu": (0, 8, 0, 127, "unsigned"),
    "bfloat16": (1, 8, 7, 127, "ieee"),
    "float16": (1, 5, 10, 15, "ieee"),
}


class Float:
    """Encoding by a search in the table of all values; decoding from the fields."""

    def largest(self, name):
        _, e, m, _, kind = FIELDS[name]
        return {"ieee": ((1 << e) - 1 << m) - 1, "all_ones": (1 << e + m) - 2, "unsigned": 254}.get(
            kind, (1 << e + m) - 1
        )

    def bias(self, name):
        return FIELDS[name][3]

    def ladder(self, name):
        """Values of codes 0 to the one after the largest, as if the exponent had no end."""
        _, _, m, _, kind = FIELDS[name]
        codes = np.arange(self.largest(name) + 2)
        X, M = codes >> m, codes & ((1 << m) - 1)
        if kind == "unsigned":
            return np.ldexp(1.0, X - self.bias(name))
        return np.ldexp(M + np.where(X > 0, 1 << m, 0.0), np.maximum(X, 1) - self.bias(name) - m)

    def lowest(self, name, values):
        if FIELDS[name][4] == "unsigned":
            values[0] = 0
        return values

    def decode(self, codes, name):
        sign, e, m, _, kind = FIELDS[name]
        codes = np.asarray(codes).astype(np.int64)
        if name == "bfloat16":
            return (codes.astype(np.uint32) << 16).view(F32)
        size = codes & ((1 << e + m) - 1)
        values = np.append(self.ladder(name), np.nan)[np.minimum(size, self.largest(name) + 1)]
        values = np.where(size > self.largest(name), np.nan, values)
        if kind == "ieee":
            values = np.where(size == self.largest(name) + 1, np.inf, values)
        if sign:
            values = np.where((codes >> e + m == 1) & ~np.isnan(values), -values, values)
        if kind == "minus_zero":
            values = np.where(codes == 1 << e + m, np.nan, values)
        return values.astype(F32)

    def tie(self, low, rounding, name):
        """Whether a tie between codes low and low + 1 goes up."""
        if rounding == "half_even":
            return low > 0 if FIELDS[name][4] == "unsigned" else low % 2 == 1
        return rounding == "half_away"

    def up(self, size, low, below, above, rounding, name):
        middle = (below + above) / 2
        nearest = (rounding != "toward_zero") & (size > middle) | (size == middle) & self.tie(low, rounding, name)
        return nearest | (rounding == "away") & (size > below)

    def code(self, size, name, rounding):
        values = self.lowest(name, self.ladder(name))
        low = np.minimum(np.searchsorted(values, size, "right") - 1, values.size - 2)
        rounded = low + self.up(size, low, values[low], values[low + 1], rounding, name)
        rounded = np.where(size >= values[-1], self.largest(name) + 1, rounded)
        return np.where(size <= 2.0**-127, 0, rounded) if FIELDS[name][4] == "unsigned" else rounded

    def quiet(self, name):
        _, e, m, _, kind = FIELDS[name]
        return {"ieee": ((1 << e) - 1 << m) + (1 << m >> 1), "minus_zero": 1 << e + m}.get(kind, (1 << e + m) - 1)

    def saturated(self, name):
        return self.largest(name)

    def nan_sign(self, name):
        return FIELDS[name][4] in ("ieee", "all_ones")

    def sign(self, x):
        return np.signbit(x)

    def beyond(self, name, overflow, code):
        """What becomes of codes above the largest."""
        if overflow == "saturate":
            return np.where(code > self.largest(name), self.saturated(name), code)
        return np.where(code > self.largest(name), self.largest(name) + 1, code)

    def zero(self, code, name):
        return np.where(code == 1 << sum(FIELDS[name][1:3]), 0, code) if FIELDS[name][4] == "minus_zero" else code

    def exact(self, x):
        return x.astype(np.float64)

    def dtype(self, name):
        return np.uint16 if sum(FIELDS[name][:3]) == 16 else np.uint8

    def encode(self, x, name, overflow="saturate", *, rounding="half_even"):
        sign, e, m, _, kind = FIELDS[name]
        x = self.exact(np.asarray(x))
        size = np.abs(x)
        with np.errstate(invalid="ignore"):
            code = self.code(np.where(np.isnan(x), 0, size), name, rounding)
        lost = np.isnan(x) | ((code > self.largest(name)) & (overflow == "nan") & (kind in ("minus_zero", "unsigned")))
        code = self.beyond(name, overflow, code)
        if sign:
            code = self.zero(code + (self.sign(x).astype(np.int64) << e + m), name)
        else:
            lost = self.unsigned(lost, x)
        quiet = self.quiet(name) + ((self.sign(x) & self.nan_sign(name)).astype(np.int64) << e + m)
        return np.where(lost, quiet, code).astype(self.dtype(name))

    def unsigned(self, lost, x):
        return lost | ~(x > 0)


def variant(base, **methods):
    """A base object with methods exchanged; each is given the object first."""
    return type("Variant", (base,), methods)()


def flushed(self, name):
    values = Float.ladder(self, name)
    values[1 : 1 << FIELDS[name][2]] = 0
    return values


def no_subnormals(self, size, name, rounding):
    smallest = self.ladder(name)[1 << FIELDS[name][2]]
    return np.where(size < smallest, 0, Float.code(self, size, name, rounding))


def by_way_of_float32(self, x):
    with np.errstate(over="ignore", under="ignore"):
        return x.astype(F32).astype(np.float64)


def flush_float32(self, x):
    return np.where(np.abs(x) < 2.0**-126, x * 0.0, x).astype(np.float64)


def judged_before(self, size, name, rounding):
    code = Float.code(self, size, name, rounding)
    return np.where(size > self.ladder(name)[-2], self.largest(name) + 1, code)


def never_over_towards_zero(self, size, name, rounding):
    code = Float.code(self, size, name, rounding)
    return np.minimum(code, self.largest(name)) if rounding == "toward_zero" else code


def infinity_kept(self, name, overflow, code):
    return np.where(code > self.largest(name), self.largest(name) + 1, code)


def other_rule(wanted, given):
    return lambda self, low, rounding, name: Float.tie(self, low, given if rounding == wanted else rounding, name)


def truncated(self, size, low, below, above, rounding, name):
    return np.zeros(size.shape, bool)


def upwards(self, size, low, below, above, rounding, name):
    return size > below


def nearest_only(self, size, low, below, above, rounding, name):
    return Float.up(self, size, low, below, above, "half_away" if rounding == "away" else rounding, name)


def open_middle(self, size, low, below, above, rounding, name):
    return (rounding != "toward_zero") & (size - below >= (above - below) / 2) | (rounding == "away") & (size > below)


def zero_first(self, lost, x):
    return np.isnan(x) | (x < 0)


def magnitude(self, lost, x):
    return lost | (x == 0)


def fnuz_minus_zero(self, code, name):
    return code


def plus_biased(self, name):
    return FIELDS[name][3] + (name == "float8_e4m3fnuz") - (name == "float8_e4m3b11fnuz")


def from_ieee(self, name):
    return 0x77 if name == "float8_e4m3fn" else Float.largest(self, name)


def one_more(self, name):
    return self.largest(name) + (FIELDS[name][4] == "all_ones")


def one_less(self, name):
    return self.largest(name) - 1


def decodes(change):
    """A decode whose values are changed afterwards."""
    return lambda self, codes, name: change(Float.decode(self, codes, name), np.asarray(codes).astype(np.int64), name)


FLOAT_MUTANTS = {
    "ties to odd": (variant(Float, tie=lambda s, low, rule, name: low % 2 == 0), checks.float_points),
    "ties to odd at one point": (
        variant(Float, tie=lambda s, low, rule, n: Float.tie(s, low, rule, n) ^ (low == 9)),
        checks.float_points,
    ),
    "ties to odd in 16 bits": (
        variant(Float, tie=lambda s, low, rule, n: Float.tie(s, low, rule, n) ^ (low == 0x1234)),
        checks.float_sixteen_bits,
    ),
    "half_even is half_away": (variant(Float, tie=other_rule("half_even", "half_away")), checks.float_points),
    "half_away is half_even": (
        variant(Float, tie=other_rule("half_away", "half_even")),
        checks.float_sixteen_bits,
    ),
    "half_toward_zero is half_even": (
        variant(Float, tie=other_rule("half_toward_zero", "half_even")),
        checks.float_sixteen_bits,
    ),
    "half_toward_zero is half_away": (
        variant(Float, tie=other_rule("half_toward_zero", "half_away")),
        checks.float_points,
    ),
    "truncates": (variant(Float, up=truncated), checks.float_error_bound),
    "rounds away": (variant(Float, up=upwards), checks.float_error_bound),
    "toward_zero is away": (variant(Float, up=upwards), checks.float_points),
    "away is to the nearest": (variant(Float, up=nearest_only), checks.float_points),
    "away is to the nearest, 16 bits": (variant(Float, up=nearest_only), checks.float_sixteen_bits),
    "away is to the nearest, error": (variant(Float, up=nearest_only), checks.float_error_bound),
    "a tie always goes up": (variant(Float, up=open_middle), checks.float_sixteen_bits),
    "wrong bias of fnuz": (variant(Float, bias=plus_biased), checks.float_every_code),
    "wrong bias of fnuz, literals": (variant(Float, bias=plus_biased), checks.float_literals),
    "bias one off": (variant(Float, bias=lambda s, name: FIELDS[name][3] + 1), checks.float_literals),
    "e4m3fn like IEEE": (variant(Float, largest=from_ieee), checks.float_literals),
    "e4m3fn like IEEE, overflow": (variant(Float, largest=from_ieee), checks.float_overflow),
    "subnormals decode to 0": (variant(Float, ladder=flushed), checks.float_every_code),
    "subnormals encode to 0": (variant(Float, code=no_subnormals), checks.float_round_trip),
    "subnormals encode to 0, error": (variant(Float, code=no_subnormals), checks.float_error_bound),
    "float32's subnormals are flushed": (variant(Float, exact=flush_float32), checks.float_sixteen_bits),
    "rounds to float32 first": (variant(Float, exact=by_way_of_float32), checks.float_no_double_rounding),
    "rounds to float32 first, 16 bits": (variant(Float, exact=by_way_of_float32), checks.float_sixteen_bits),
    "saturates at the code after": (variant(Float, saturated=one_more), checks.float_overflow),
    "saturates one below": (variant(Float, saturated=one_less), checks.float_overflow),
    "saturate keeps infinity": (variant(Float, beyond=infinity_kept), checks.float_overflow),
    "too large before rounding": (variant(Float, code=judged_before), checks.float_overflow),
    "too large before rounding, 16 bits": (variant(Float, code=judged_before), checks.float_sixteen_bits),
    "toward_zero never overflows": (variant(Float, code=never_over_towards_zero), checks.float_points),
    "NaN loses its sign": (variant(Float, nan_sign=lambda s, name: False), checks.float_nan),
    "NaN keeps a sign in fnuz": (variant(Float, nan_sign=lambda s, name: True), checks.float_nan),
    "NaN is all ones": (
        variant(Float, quiet=lambda s, name: (1 << sum(FIELDS[name][1:3])) - 1),
        checks.float_nan,
    ),
    "−0 is 0": (variant(Float, sign=lambda s, x: x < 0), checks.float_zeros),
    "−0 is NaN in fnuz": (variant(Float, zero=fnuz_minus_zero), checks.float_zeros),
    "e8m0: 0 is 2^−127": (variant(Float, unsigned=zero_first), checks.float_zeros),
    "e8m0: −x is x": (variant(Float, unsigned=magnitude), checks.float_overflow),
    "e8m0: ties to the even code": (
        variant(Float, tie=lambda s, low, rule, n: low % 2 == 1 if rule == "half_even" else rule == "half_away"),
        checks.float_points,
    ),
    "e8m0: 2^−127 as a value": (variant(Float, lowest=lambda s, name, values: values), checks.float_points),
    "always uint8": (variant(Float, dtype=lambda s, name: np.uint8), checks.float_literals),
    "always uint16": (variant(Float, dtype=lambda s, name: np.uint16), checks.float_literals),
    "values in float64": (
        variant(Float, decode=decodes(lambda v, c, n: v.astype(np.float64))),
        checks.float_shapes,
    ),
    "infinity decodes to NaN": (
        variant(Float, decode=decodes(lambda v, c, n: np.where(np.isinf(v), F32(np.nan), v))),
        checks.float_every_code,
    ),
    "NaN decodes to a number": (
        variant(Float, decode=decodes(lambda v, c, n: np.where(c == 0xFF, F32(-480), v))),
        checks.float_every_code,
    ),
    "NaN has a sign": (
        variant(Float, decode=decodes(lambda v, c, n: np.where(np.isnan(v), -np.abs(v), v))),
        checks.float_nan_has_no_sign,
    ),
    "−0 decodes to 0": (variant(Float, decode=decodes(lambda v, c, n: v + F32(0))), checks.float_every_code),
    "not monotone": (
        variant(Float, decode=decodes(lambda v, c, n: np.where(c == 9, F32(0), v))),
        checks.float_monotone,
    ),
    "one shape": (variant(Float, decode=decodes(lambda v, c, n: v.reshape(-1))), checks.float_shapes),
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
    floats = Float()

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


def with_rule(wanted, given):
    return variant(
        MX, exponent=lambda s, amax, element, rule: MX.exponent(s, amax, element, given if rule == wanted else rule)
    )


def by_float32_logarithm(self, amax):
    with np.errstate(divide="ignore"):
        return np.floor(np.where(amax > 0, np.log2(amax.astype(F32)), 0)).astype(np.int64)


def rceil_by_float32(self, amax, largest):
    quotient = np.where(amax > 0, amax / largest, 1)
    return np.ceil(np.log2(np.maximum(quotient, 1e-45).astype(F32))).astype(np.int64)


def clamped_at(limit):
    return lambda self, S, amax: np.where(amax == 0, -127, np.maximum(S, limit))


def drop_last(self, length, block_size):
    starts = list(range(0, length, block_size))
    ends = [*starts[1:], length]
    if len(starts) > 1 and ends[-1] - starts[-1] < block_size:
        ends[-2] = length
    return [slice(a, b) for a, b in zip(starts, ends, strict=True)]


def signed_amax(self, block):
    return np.maximum(block.max(axis=-1, keepdims=True), 0)


def int8_cast(function):
    return lambda self, v, element: function(v).astype(np.int8) if element == "int8" else MX.cast(self, v, element)


def element_cast(function):
    return lambda self, v, element: MX.cast(self, v, element) if element == "int8" else function(self, v, element)


class WholeTensor(MX):
    def quantize(self, x, element, *, exponent="floor", block_size=32, axis=-1):
        codes, scales = super().quantize(x, element, exponent=exponent, block_size=x.shape[axis], axis=axis)
        return codes, np.repeat(scales, len(self.blocks(x.shape[axis], block_size)), axis=axis)


class LastAxis(MX):
    def quantize(self, x, element, *, exponent="floor", block_size=32, axis=-1):
        return super().quantize(x, element, exponent=exponent, block_size=block_size)


class OneMore(MX):
    def blocks(self, length, block_size):
        return super().blocks(length, block_size + 1)


class ScaleOfFirst(MX):
    def dequantize(self, codes, scales, element, *, block_size=32, axis=-1):
        scales = np.take(scales, np.zeros(scales.shape[axis], int), axis=axis)
        return super().dequantize(codes, scales, element, block_size=block_size, axis=axis)


MX_MUTANTS = {
    "floor is ceil": (with_rule("floor", "ceil"), checks.mx_scale_literals),
    "ceil is floor": (with_rule("ceil", "floor"), checks.mx_scale_literals),
    "ceil is rceil": (with_rule("ceil", "rceil"), checks.mx_scale_literals),
    "rceil is ceil": (with_rule("rceil", "ceil"), checks.mx_scale_literals),
    "even is floor": (with_rule("even", "floor"), checks.mx_scale_literals),
    "even is rceil": (with_rule("even", "rceil"), checks.mx_scale_literals),
    "even is even_one_bit": (with_rule("even", "even_one_bit"), checks.mx_scale_literals),
    "even_one_bit is even": (with_rule("even_one_bit", "even"), checks.mx_exponents),
    "ceil adds 1 at powers of two": (variant(MX, ceil=lambda s, a: np.frexp(a)[1]), checks.mx_scale_literals),
    "floor is ceil − 1": (variant(MX, floor=lambda s, a: MX().ceil(a) - 1), checks.mx_scale_literals),
    "rceil excludes max": (
        variant(MX, rceil=lambda s, a, top: MX().rceil(np.nextafter(a, np.inf), top)),
        checks.mx_scale_literals,
    ),
    "rceil by a float32 logarithm": (variant(MX, rceil=rceil_by_float32), checks.mx_exponents),
    "floor by a float32 logarithm": (variant(MX, floor=by_float32_logarithm), checks.mx_exponents),
    "even: ties down": (
        variant(MX, rounded=lambda s, v, m: np.ceil(v * 2**m - 0.5) / 2**m),
        checks.mx_scale_literals,
    ),
    "even: truncates": (variant(MX, rounded=lambda s, v, m: np.floor(v * 2**m) / 2**m), checks.mx_exponents),
    "even: m of float4 for all": (variant(MX, bits=lambda s, element, rule: 1), checks.mx_exponents),
    "even: m one more": (variant(MX, bits=lambda s, e, r: MX.bits(s, e, r) + 1), checks.mx_scale_literals),
    "even: m of int8 is 7": (
        variant(MX, bits=lambda s, e, r: 7 if e == "int8" and r == "even" else MX.bits(s, e, r)),
        checks.mx_exponents,
    ),
    "emax one more": (variant(MX, emax=lambda s, e: MX_FIELDS[e][0] + 1), checks.mx_code_literals),
    "emax of e5m2 is 16": (
        variant(MX, emax=lambda s, e: 16 if e == "float8_e5m2" else MX_FIELDS[e][0]),
        checks.mx_exponents,
    ),
    "emax of int8 is 6": (variant(MX, emax=lambda s, e: MX_FIELDS[e][0] or 6), checks.mx_code_literals),
    "S at least −126": (variant(MX, limited=clamped_at(-126)), checks.mx_scale_literals),
    "S has no lower end": (variant(MX, limited=clamped_at(-200)), checks.mx_scale_literals),
    "zero blocks have X = 1": (
        variant(MX, limited=lambda s, S, a: np.where(a == 0, 0, np.maximum(S, -127))),
        checks.mx_scale_literals,
    ),
    "amax without magnitude": (variant(MX, amax=signed_amax), checks.mx_random),
    "blocks one too long": (OneMore(), checks.mx_default_blocks),
    "blocks one too long, random": (OneMore(), checks.mx_random),
    "the last block joins the one before": (variant(MX, blocks=drop_last), checks.mx_random),
    "one scale for all": (WholeTensor(), checks.mx_default_blocks),
    "always the last axis": (LastAxis(), checks.mx_random),
    "the first scale for all": (ScaleOfFirst(), checks.mx_random),
    "int8 reaches −128": (
        variant(MX, cast=int8_cast(lambda v: np.clip(np.rint(v * 64), -128, 127))),
        checks.mx_code_literals,
    ),
    "int8 wraps": (
        variant(MX, cast=int8_cast(lambda v: np.rint(v * 64).astype(np.int64))),
        checks.mx_code_literals,
    ),
    "int8 with 7 fraction bits": (
        variant(MX, cast=int8_cast(lambda v: np.clip(np.rint(v * 128), -127, 127))),
        checks.mx_code_literals,
    ),
    "int8 half away": (
        variant(MX, cast=int8_cast(lambda v: np.clip(np.copysign(np.floor(np.abs(v) * 64 + 0.5), v), -127, 127))),
        checks.mx_ties,
    ),
    "int8 truncates": (
        variant(MX, cast=int8_cast(lambda v: np.clip(np.trunc(v * 64), -127, 127))),
        checks.mx_error_bound,
    ),
    "elements half away": (
        variant(MX, cast=element_cast(lambda s, v, e: s.floats.encode(v, e, rounding="half_away"))),
        checks.mx_ties,
    ),
    "elements truncated": (
        variant(MX, cast=element_cast(lambda s, v, e: s.floats.encode(v, e, rounding="toward_zero"))),
        checks.mx_error_bound,
    ),
    "elements overflow": (
        variant(
            MX,
            cast=element_cast(lambda s, v, e: s.floats.encode(v, e, "nan" if e.startswith("float8") else "saturate")),
        ),
        checks.mx_code_literals,
    ),
    "−0 is 0": (
        variant(MX, cast=element_cast(lambda s, v, e: s.floats.encode(v + 0.0, e))),
        checks.mx_code_literals,
    ),
    "codes of int8 are uint8": (
        variant(MX, cast=lambda s, v, e: MX.cast(s, v, e).astype(np.uint8)),
        checks.mx_code_literals,
    ),
    "scale 255 is 2^128": (
        variant(MX, value=lambda s, scales: np.ldexp(1.0, scales.astype(np.int64) - 127)),
        checks.mx_every_code,
    ),
    "scales of bias 128": (variant(MX, value=lambda s, v: MX.value(s, v) / 2), checks.mx_every_code),
    "scale 0 is 0": (variant(MX, value=lambda s, v: np.where(v == 0, 0, MX.value(s, v))), checks.mx_every_code),
    "−128 is −127": (
        variant(MX, element=lambda s, c, e: np.maximum(MX.element(s, c, e), -127 / 64 if e == "int8" else -np.inf)),
        checks.mx_every_code,
    ),
}


# NVFP4.


class NVFP4:
    floats = Float()
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
        return self.floats.encode(x, "float4_e2m1fn")

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


class NoZeroTensor(NVFP4):
    def tensor_scale(self, largest, arithmetic):
        with np.errstate(divide="ignore"):
            return largest / F32(2688) if arithmetic == "torchao" else F32(2688) / largest


class NVFP4LastAxis(NVFP4):
    def quantize(self, x, *, tensor_scale=None, axis=-1, arithmetic=None):
        return super().quantize(x, tensor_scale=tensor_scale, arithmetic=arithmetic)


class Blocks32(NVFP4):
    BLOCK = 32


class Blocks17(NVFP4):
    BLOCK = 17


class NoLeast(NVFP4):
    LEAST = F32(0)


class LeastSubnormal(NVFP4):
    LEAST = F32(2.0**-9)


class ZeroIsOne(NVFP4):
    INSTEAD = 0x38


class ZeroStays(NVFP4):
    INSTEAD = 0


class Unsaturated(NVFP4):
    def e4m3(self, s):
        return self.floats.encode(s, "float8_e4m3fn", "nan")


class NoNegativeZero(NVFP4):
    def e2m1(self, x):
        return super().e2m1(x + F32(0))


class HalfAway(NVFP4):
    def e2m1(self, x):
        return self.floats.encode(x, "float4_e2m1fn", rounding="half_away")


class ScaleHalfAway(NVFP4):
    def e4m3(self, s):
        return self.floats.encode(s, "float8_e4m3fn", rounding="half_away")


def wide(function):
    """The same in float64, from the same float32 numbers."""
    return lambda s, *values: function(s, *(np.asarray(v, np.float64) for v in values))


NVFP4_MUTANTS = {
    "blocks of 32": (Blocks32(), checks.nvfp4_by_hand),
    "blocks of 17": (Blocks17(), checks.nvfp4_random),
    "always the last axis": (NVFP4LastAxis(), checks.nvfp4_random),
    "one arithmetic": (variant(NVFP4, default=lambda s, arithmetic: "torchao"), checks.nvfp4_by_hand),
    "the other default": (
        variant(NVFP4, default=lambda s, arithmetic: arithmetic or "compressed_tensors"),
        checks.nvfp4_every_code,
    ),
    "arithmetics exchanged": (
        variant(NVFP4, default=lambda s, a: "compressed_tensors" if a == "torchao" else "torchao"),
        checks.nvfp4_by_hand,
    ),
    "t of a tensor of zeros is 0": (NoZeroTensor(), checks.nvfp4_zeros),
    "t = max / 448": (
        variant(NVFP4, tensor_scale=lambda s, a, rule: NVFP4.tensor_scale(s, a, rule) * F32(6)),
        checks.nvfp4_by_hand,
    ),
    "t = max / 448 / 6": (
        variant(
            NVFP4,
            tensor_scale=lambda s, a, rule: (
                NVFP4.tensor_scale(s, a, rule) if a == 0 or rule != "torchao" else a / F32(448) / F32(6)
            ),
        ),
        checks.nvfp4_random,
    ),
    "t of the other is 1 / (max / 2688)": (
        variant(
            NVFP4,
            tensor_scale=lambda s, a, rule: (
                NVFP4.tensor_scale(s, a, rule) if a == 0 or rule == "torchao" else F32(1) / (a / F32(2688))
            ),
        ),
        checks.nvfp4_random,
    ),
    "s may be 0": (NoLeast(), checks.nvfp4_zeros),
    "s may be subnormal": (LeastSubnormal(), checks.nvfp4_small_blocks),
    "an s of 0 becomes 1": (ZeroIsOne(), checks.nvfp4_small_blocks),
    "an s of 0 stays": (ZeroStays(), checks.nvfp4_small_blocks),
    "s overflows to NaN": (Unsaturated(), checks.nvfp4_extreme_scales),
    "s half away": (ScaleHalfAway(), checks.nvfp4_ties),
    "elements half away": (HalfAway(), checks.nvfp4_by_hand),
    "no negative zero": (NoNegativeZero(), checks.nvfp4_by_hand),
    "−0 is −0 in both": (variant(NVFP4, unsigned=lambda s, quotient: quotient), checks.nvfp4_by_hand),
    "−0 is −0 in both, alone": (
        variant(NVFP4, unsigned=lambda s, quotient: quotient),
        checks.nvfp4_negative_zeros,
    ),
    "what is nearly zero is 0": (
        variant(NVFP4, unsigned=lambda s, quotient: np.where(np.abs(quotient) <= F32(0.25), F32(0), quotient)),
        checks.nvfp4_negative_zeros,
    ),
    "amax / (6·t)": (
        variant(NVFP4, quotient=lambda s, amax, t: amax / (F32(6) * t)),
        checks.nvfp4_every_scale,
    ),
    "amax / t / 6": (variant(NVFP4, quotient=lambda s, amax, t: amax / t / F32(6)), checks.nvfp4_every_scale),
    "s in float64": (variant(NVFP4, quotient=wide(lambda s, amax, t: amax / 6 / t)), checks.nvfp4_every_scale),
    "t·amax / 6": (variant(NVFP4, product=lambda s, amax, t: t * amax / F32(6)), checks.nvfp4_every_scale),
    "t / 6·amax": (variant(NVFP4, product=lambda s, amax, t: t / F32(6) * amax), checks.nvfp4_every_scale),
    "x / (t·s)": (variant(NVFP4, divided=lambda s, x, t, v: x / (t * v)), checks.nvfp4_every_tie),
    "x · (1 / (t·s))": (
        variant(NVFP4, divided=lambda s, x, t, v: x * (F32(1) / (t * v))),
        checks.nvfp4_every_tie,
    ),
    "x / t / s": (variant(NVFP4, divided=lambda s, x, t, v: x / t / v), checks.nvfp4_every_tie),
    "x · (1/t) / s": (variant(NVFP4, divided=lambda s, x, t, v: x * (F32(1) / t) / v), checks.nvfp4_every_tie),
    "x in float64": (variant(NVFP4, divided=wide(lambda s, x, t, v: x * ((1 / t) / v))), checks.nvfp4_every_tie),
    "x · (t / s)": (variant(NVFP4, stored=lambda s, x, t, v: x * (t / v)), checks.nvfp4_every_tie),
    "x · t / s": (variant(NVFP4, stored=lambda s, x, t, v: x * t / v), checks.nvfp4_every_tie),
    "x / (s · (1/t))": (
        variant(NVFP4, stored=lambda s, x, t, v: x / (v * (F32(1) / t))),
        checks.nvfp4_every_tie,
    ),
    "x / (s / t) in float64": (
        variant(NVFP4, stored=wide(lambda s, x, t, v: x / (v / t))),
        checks.nvfp4_every_tie,
    ),
    "(q·t)·s": (variant(NVFP4, restored=lambda s, q, t, v: (q * t) * v), checks.nvfp4_every_code),
    "(q·s)·t": (variant(NVFP4, restored=lambda s, q, t, v: (q * v) * t), checks.nvfp4_every_code),
    "q·t·s in float64": (variant(NVFP4, restored=wide(lambda s, q, t, v: q * t * v)), checks.nvfp4_every_code),
    "q·s / t": (variant(NVFP4, restored_stored=lambda s, q, t, v: (q * v) / t), checks.nvfp4_every_code),
    "q·(s·(1/t))": (
        variant(NVFP4, restored_stored=lambda s, q, t, v: q * (v * (F32(1) / t))),
        checks.nvfp4_every_code,
    ),
    "q·(s / t) in float64": (
        variant(NVFP4, restored_stored=wide(lambda s, q, t, v: q * (v / t))),
        checks.nvfp4_every_code,
    ),
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


class TiesUp(Level):
    SIDE = "right"


class LevelOneMore(Level):
    def blocks(self, x, block_size):
        return super().blocks(x, block_size + 1)


class RowWise(Level):
    def blocks(self, x, block_size):
        return [block for row in np.atleast_2d(x) for block in super(RowWise, self).blocks(row, block_size)]


class NoSmallest(Level):
    SMALLEST = np.finfo(F32).smallest_subnormal


class SmallestNormal(Level):
    SMALLEST = np.finfo(F32).tiny


def ties_to_zero(self, t, table):
    order = self.order(table)
    at = self.midpoints(table[order])
    return order[np.where(t < 0, np.searchsorted(at, t, "right"), np.searchsorted(at, t, "left"))]


def by_distance(self, t, table):
    return np.argmin(np.abs(t[:, None].astype(np.float64) - table), axis=1)


def by_float32_distance(self, t, table):
    return np.argmin(np.abs(t[:, None] - table), axis=1)


def other_table(**tables):
    return variant(Level, LEVELS=Level.LEVELS | tables)


SWAPPED = np.concatenate([FP4, 0 - FP4])[[*range(8, 16), *range(8)]]
NEARLY = NF4.copy()
NEARLY[3] = np.nextafter(NEARLY[3], F32(0))

LEVEL_MUTANTS = {
    "a tie goes up": (TiesUp(), checks.level_thresholds),
    "a tie goes towards zero": (variant(Level, nearest=ties_to_zero), checks.level_thresholds),
    "by distance": (variant(Level, nearest=by_distance), checks.level_thresholds),
    "by distance in float32": (variant(Level, nearest=by_float32_distance), checks.level_thresholds),
    "midpoints in float64": (
        variant(Level, midpoints=lambda s, c: (c[1:].astype(np.float64) + c[:-1]) / 2),
        checks.level_thresholds,
    ),
    "the upper level as threshold": (variant(Level, midpoints=lambda s, c: c[1:]), checks.level_literals),
    "0 and −0 exchanged": (
        variant(Level, order=lambda s, table: np.argsort(table[::-1], kind="stable") ^ 15),
        checks.level_literals,
    ),
    "division": (variant(Level, t=lambda s, x, a: x / max(a, F32(1e-38))), checks.level_reciprocals),
    "t in float64": (
        variant(Level, t=lambda s, x, a: x / np.float64(max(a, F32(1e-38)))),
        checks.level_reciprocals,
    ),
    "product in float64": (
        variant(Level, t=lambda s, x, a: x * np.float64(F32(1) / max(a, F32(1e-38)))),
        checks.level_reciprocals,
    ),
    "no least absmax": (NoSmallest(), checks.level_zero_blocks),
    "least absmax the smallest normal": (SmallestNormal(), checks.level_zero_blocks),
    "absmax stored at least 1e-38": (
        variant(Level, absmax=lambda s, block: max(np.abs(block).max(), F32(1e-38))),
        checks.level_zero_blocks,
    ),
    "absmax with its sign": (
        variant(Level, absmax=lambda s, block: block[np.argmax(np.abs(block))]),
        checks.level_blocks,
    ),
    "absmax without magnitude": (variant(Level, absmax=lambda s, block: block.max()), checks.level_blocks),
    "blocks one too long": (LevelOneMore(), checks.level_blocks),
    "blocks in rows": (RowWise(), checks.level_blocks),
    "fp4 with exchanged signs": (other_table(bitsandbytes_fp4=SWAPPED), checks.level_values),
    "fp4 is e2m1": (
        other_table(
            bitsandbytes_fp4=np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6], F32) / 6
        ),
        checks.level_literals,
    ),
    "a level of nf4 one ulp off": (other_table(nf4=NEARLY), checks.level_values),
    "levels of nf4 reversed": (other_table(nf4=-NF4[::-1]), checks.level_literals),
    "values divided": (
        variant(Level, restored=lambda s, c, a: c / np.maximum(a, F32(1e-45))),
        checks.level_dequantizes,
    ),
    "values in float64": (
        variant(Level, restored=lambda s, c, a: c.astype(np.float64) * a),
        checks.level_dequantizes,
    ),
    "values through float16": (
        variant(Level, restored=lambda s, c, a: c.astype(np.float16).astype(F32) * a),
        checks.level_dequantizes,
    ),
}

GROUPS = {
    "float": (Float(), checks.FLOAT, FLOAT_MUTANTS),
    "mx": (MX(), checks.MX, MX_MUTANTS),
    "nvfp4": (NVFP4(), checks.NVFP4, NVFP4_MUTANTS),
    "level": (Level(), checks.LEVEL, LEVEL_MUTANTS),
}


@pytest.mark.parametrize(
    ("group", "check"), [(group, check) for group, (_, checks, _) in GROUPS.items() for check in checks]
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
