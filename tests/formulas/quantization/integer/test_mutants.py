"""Tests of the tests: correct stand-ins pass every property, and every planted error fails the one named beside it."""

from types import SimpleNamespace

import numpy as np
import pytest

from tests.formulas.quantization.integer import checks

MIN, MAX = -(2**31), 2**31 - 1


def wide(value):
    return np.asarray(value, np.int64)


def codes(q, qmin, qmax, dtype=None):
    return np.clip(q, qmin, qmax).astype(checks.smallest(qmin, qmax) if dtype is None else dtype)


def outputs(first, dtype, qmin, qmax):
    """Type and ends of an operator's output, from its first operand's type."""
    info = np.iinfo(np.asarray(first).dtype if dtype is None else dtype)
    return {
        "dtype": info.dtype,
        "qmin": int(info.min) if qmin is None else qmin,
        "qmax": int(info.max) if qmax is None else qmax,
    }


class Int8:
    """−128 to 127 whatever the input is."""

    def outputs(self, first, dtype, qmin, qmax):
        return outputs(np.int8(0), dtype, qmin, qmax)


class TypeOfTheRange:
    """The smallest type that holds the range: a ReLU with z = 0 makes uint8 of int8."""

    def outputs(self, first, dtype, qmin, qmax):
        out = outputs(first, dtype, qmin, qmax)
        return out | {"dtype": checks.smallest(out["qmin"], out["qmax"])}


def half_away(total, n):
    """total / n of integers, ties away from zero."""
    return np.sign(total) * ((2 * np.abs(total) + n) // (2 * n))


def half_up(total, n):
    return (2 * total + n) // (2 * n)


class Products:
    """The four terms of the expansion, in int64."""

    def of_a(self, z, a):
        return wide(z).reshape(-1, 1)

    def of_b(self, z, b):
        return wide(z).reshape(1, -1)

    def terms(self, a, b, z_a, z_b, K):
        return a @ b, -z_b * a.sum(1, keepdims=True), -z_a * b.sum(0, keepdims=True), K * z_a * z_b

    def total(self, terms):
        return sum(terms)

    def matmul(self, a, b, a_zero_point=0, b_zero_point=0):
        a, b = wide(a), wide(b)
        terms = self.terms(a, b, self.of_a(a_zero_point, a), self.of_b(b_zero_point, b), a.shape[1])
        return (np.zeros((len(a), b.shape[1]), np.int64) + self.total(terms)).astype(np.int32)


class NoConstant(Products):
    def terms(self, *args):
        return super().terms(*args)[:3]


class ConstantWithoutK(Products):
    def terms(self, a, b, z_a, z_b, K):
        return (*super().terms(a, b, z_a, z_b, K)[:3], z_a * z_b)


class ConstantSubtracted(Products):
    def terms(self, *args):
        ab, rows, columns, constant = super().terms(*args)
        return ab, rows, columns, -constant


class ZeroPointOfAAdded(Products):
    def of_a(self, z, a):
        return -super().of_a(z, a)


class ZeroPointOfBAdded(Products):
    def of_b(self, z, b):
        return -super().of_b(z, b)


class ZeroPointsSwapped(Products):
    def terms(self, a, b, z_a, z_b, K):
        if z_a.size == z_b.size == 1:
            z_a, z_b = z_b, z_a
        return super().terms(a, b, z_a, z_b, K)


class FirstZeroPointOfA(Products):
    def of_a(self, z, a):
        return super().of_a(z, a)[:1]


class FirstZeroPointOfB(Products):
    def of_b(self, z, b):
        return super().of_b(z, b)[:, :1]


class ZeroPointsOfAByColumn(Products):
    """The wrong axis: one for every k, as far as they go."""

    def matmul(self, a, b, a_zero_point=0, b_zero_point=0):
        z = np.resize(wide(a_zero_point), a.shape[1]) if np.ndim(a_zero_point) else wide(a_zero_point)
        return super().matmul(wide(a) - z, b, 0, b_zero_point)


class TermsSaturate(Products):
    def total(self, terms):
        return sum(np.clip(term, MIN, MAX) for term in terms)


class TotalInFloat32(Products):
    def terms(self, a, b, z_a, z_b, K):
        ab, *rest = super().terms(a, b, z_a, z_b, K)
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(np.int64) if ab.size else ab, *rest


class DifferencesInTheCodesType(Products):
    def matmul(self, a, b, a_zero_point=0, b_zero_point=0):
        if np.ndim(a_zero_point) == 0 and a.size:
            a = (wide(a) - wide(a_zero_point)).astype(a.dtype)  # wraps
            a_zero_point = 0
        return super().matmul(a, b, a_zero_point, b_zero_point)


class WideResult(Products):
    def matmul(self, *args):
        return super().matmul(*args).astype(np.int64)


PRODUCT_MUTANTS = {
    NoConstant: checks.products_literals,
    ConstantWithoutK: checks.products_match_the_oracle,
    ConstantSubtracted: checks.products_literals,
    ZeroPointOfAAdded: checks.products_literals,
    ZeroPointOfBAdded: checks.products_literals,
    ZeroPointsSwapped: checks.products_literals,
    FirstZeroPointOfA: checks.products_literals,
    FirstZeroPointOfB: checks.products_largest_sums,
    ZeroPointsOfAByColumn: checks.products_literals,
    TermsSaturate: checks.products_largest_sums,
    TotalInFloat32: checks.products_at_the_bound_of_float32,
    DifferencesInTheCodesType: checks.products_literals,
    WideResult: checks.products_match_the_oracle,
}


class Conv:
    """im2col of the differences, in int64."""

    def zero_point(self, z_w, O):
        return wide(z_w).reshape(-1, 1, 1, 1)

    def outside(self, z_x):
        return z_x

    def sides(self, padding):
        if isinstance(padding, int):
            padding = (padding, padding)
        return tuple(padding) if len(padding) == 4 else (*padding, *padding)

    def group(self, o, O, groups):
        return o // (O // groups)

    def conv2d(self, x, w, x_zero_point=0, w_zero_point=0, *, stride=1, padding=0, dilation=1, groups=1):
        (sh, sw), (dh, dw) = ((v, v) if isinstance(v, int) else v for v in (stride, dilation))
        (top, left, bottom, right), (O, D, kh, kw) = self.sides(padding), w.shape
        outside = self.outside(x_zero_point)
        sides = ((0, 0), (0, 0), (top, bottom), (left, right))
        x = np.pad(wide(x), sides, constant_values=outside) - x_zero_point
        w = wide(w) - self.zero_point(w_zero_point, O)
        view = np.lib.stride_tricks.sliding_window_view(x, (dh * (kh - 1) + 1, dw * (kw - 1) + 1), axis=(2, 3))
        view = view[:, :, ::sh, ::sw, ::dh, ::dw]
        firsts = [self.group(o, O, groups) * D for o in range(O)]
        out = [np.einsum("ncijuv,cuv->nij", view[:, c : c + D], w[o]) for o, c in enumerate(firsts)]
        return np.stack(out, axis=1).astype(np.int32)


class PadsWithZero(Conv):
    def outside(self, z_x):
        return 0


class PadsTopBottomLeftRight(Conv):
    def sides(self, padding):
        top, left, bottom, right = super().sides(padding)
        return (top, bottom, left, right) if isinstance(padding, tuple) and len(padding) == 4 else (top, left) * 2


class PaddingTransposed(Conv):
    def sides(self, padding):
        top, left, bottom, right = super().sides(padding)
        return left, top, right, bottom


class ZeroPointOfFirstFilter(Conv):
    def zero_point(self, z_w, O):
        return super().zero_point(z_w, O)[:1]


class ZeroPointOfFiltersAdded(Conv):
    def zero_point(self, z_w, O):
        return -super().zero_point(z_w, O)


class GroupsInterleaved(Conv):
    def group(self, o, O, groups):
        return o % groups


class DilationIgnored(Conv):
    def conv2d(self, x, w, *args, dilation=1, **options):
        pair = (dilation, dilation) if isinstance(dilation, int) else dilation
        reach = [d * (k - 1) + 1 for d, k in zip(pair, w.shape[2:], strict=True)]
        out = super().conv2d(x, w, *args, dilation=dilation, **options)
        if tuple(reach) != w.shape[2:]:
            out = super().conv2d(x, w, *args, **options)[:, :, : out.shape[2], : out.shape[3]]
        return out


class StrideTransposed(Conv):
    def conv2d(self, *args, stride=1, **options):
        return super().conv2d(*args, stride=stride if isinstance(stride, int) else stride[::-1], **options)


class Convolution(Conv):
    """True convolution: filters turned around."""

    def conv2d(self, x, w, *args, **options):
        return super().conv2d(x, w[..., ::-1, ::-1], *args, **options)


CONV_MUTANTS = {
    PadsWithZero: checks.conv_literals,
    PadsTopBottomLeftRight: checks.conv_literals,
    PaddingTransposed: checks.conv_literals,
    ZeroPointOfFirstFilter: checks.conv_matches_the_oracle,
    ZeroPointOfFiltersAdded: checks.conv_literals,
    GroupsInterleaved: checks.conv_matches_the_oracle,
    DilationIgnored: checks.conv_matches_the_oracle,
    StrideTransposed: checks.conv_literals,
    Convolution: checks.conv_literals,
}


class Bias:
    def unit(self, s_x, s_w):
        return np.float64(s_x) * np.float64(s_w)

    def round(self, t, rounding):
        rules = {"half_even": np.rint, "floor": np.floor, "half_up": lambda t: np.floor(t) + (t - np.floor(t) >= 0.5)}
        rules["half_away"] = lambda t: np.sign(t) * (np.floor(np.abs(t)) + (np.abs(t) - np.floor(np.abs(t)) >= 0.5))
        return rules[rounding](t)

    def quantize_bias(self, b, x_scale, w_scale, *, rounding="half_even"):
        return self.round(np.float64(b) / self.unit(x_scale, w_scale), rounding).astype(np.int32)


class BiasByWeightsScale(Bias):
    def unit(self, s_x, s_w):
        return np.float64(s_w)


class BiasByInputsScale(Bias):
    def unit(self, s_x, s_w):
        return np.float64(s_x)


class BiasMultiplied(Bias):
    def unit(self, s_x, s_w):
        return 1 / super().unit(s_x, s_w)


class BiasOfFirstScale(Bias):
    def unit(self, s_x, s_w):
        return super().unit(s_x, np.ravel(s_w)[0])


class BiasHalfAway(Bias):
    def round(self, t, rounding):
        return super().round(t, "half_away")


class BiasFloor(Bias):
    def round(self, t, rounding):
        return np.floor(t)


class BiasUnitInFloat32(Bias):
    def unit(self, s_x, s_w):
        return np.float64(np.float32(s_x) * np.float32(s_w))


BIAS_MUTANTS = {
    BiasByWeightsScale: checks.bias_literals,
    BiasByInputsScale: checks.bias_literals,
    BiasMultiplied: checks.bias_literals,
    BiasOfFirstScale: checks.bias_literals,
    BiasHalfAway: checks.bias_literals,
    BiasFloor: checks.bias_literals,
    BiasUnitInFloat32: checks.bias_matches_the_oracle,
}


class Multiplier:
    bits = 31

    def round(self, t, rounding):
        return np.rint(t) if rounding == "half_even" else np.floor(t) + (t - np.floor(t) >= 0.5)

    def carry(self, M, shift):
        full = np.equal(M, 2.0**self.bits)
        return np.where(full, M / 2, M), shift + full

    def small(self, M, shift):
        return shift < -31

    def quantize_multiplier(self, real, rounding="half_away"):
        q, shift = np.frexp(np.float64(real))
        M, shift = self.carry(self.round(np.ldexp(q, self.bits), rounding), shift)
        small = self.small(M, shift)
        return np.where(small, 0, M).astype(np.int64).astype(np.int32), np.where(small, 0, shift).astype(np.int32)


class MultiplierWithoutCarry(Multiplier):
    def carry(self, M, shift):
        return M, shift


class MultiplierSaturates(Multiplier):
    def carry(self, M, shift):
        return np.minimum(M, MAX), shift


class MultiplierTruncates(Multiplier):
    def round(self, t, rounding):
        return np.floor(t)


class MultiplierAlwaysEven(Multiplier):
    def round(self, t, rounding):
        return np.rint(t)


class MultiplierAlwaysAway(Multiplier):
    def round(self, t, rounding):
        return super().round(t, "half_away")


class MultiplierOf30Bits(Multiplier):
    bits = 30


class MultiplierKeepsTiny(Multiplier):
    def small(self, M, shift):
        return shift < -40


class MultiplierDropsTooMuch(Multiplier):
    def small(self, M, shift):
        return shift < -30


class MultiplierDropsBeforeCarry(Multiplier):
    def carry(self, M, shift):
        return super().carry(np.where(shift < -31, 0, M), shift)


class MultiplierThroughFloat32(Multiplier):
    def quantize_multiplier(self, real, rounding="half_away"):
        return super().quantize_multiplier(np.float32(real), rounding)


MULTIPLIER_MUTANTS = {
    MultiplierWithoutCarry: checks.multiplier_literals,
    MultiplierSaturates: checks.multiplier_literals,
    MultiplierTruncates: checks.multiplier_literals,
    MultiplierAlwaysEven: checks.multiplier_ties,
    MultiplierAlwaysAway: checks.multiplier_ties,
    MultiplierOf30Bits: checks.multiplier_matches_the_oracle,
    MultiplierKeepsTiny: checks.multiplier_literals,
    MultiplierDropsTooMuch: checks.multiplier_matches_the_oracle,
    MultiplierDropsBeforeCarry: checks.multiplier_literals,
    MultiplierThroughFloat32: checks.multiplier_matches_the_oracle,
}


class Requantization(Multiplier):
    def high(self, product):
        return (product + 2**30) >> 31

    def saturated(self, t, a, b):
        return np.where((a == MIN) & (b == MIN), MAX, t)

    def saturating_rounding_doubling_high_mul(self, a, b):
        a, b = wide(a), wide(b)
        return self.saturated(self.high(a * b), a, b).astype(np.int32)

    def divided(self, x, n):
        return half_away(x, n)

    def rounding_divide_by_pot(self, x, exponent):
        return self.divided(wide(x), np.int64(1) << wide(exponent)).astype(np.int32)

    def up(self, t, n):
        return half_up(t, n)

    def single(self, acc, M, shift):
        return (acc * M + (np.int64(1) << (30 - shift))) >> (31 - shift)

    def float(self, acc, real):
        return np.rint(acc.astype(np.float32) * np.float32(real))

    def finish(self, q, z, qmin, qmax):
        return codes(q + z, qmin, qmax)

    def finished(self, q, z, dtype, qmin, qmax):
        if dtype is not None:
            qmin, qmax = (outputs(0, dtype, qmin, qmax)[end] for end in ("qmin", "qmax"))
        out = self.finish(q, z, -128 if qmin is None else qmin, 127 if qmax is None else qmax)
        return out if dtype is None else out.astype(dtype)

    def along(self, value, acc, axis):
        value = np.asarray(value)
        return value if value.ndim != 1 else value.reshape([-1 if d == axis % acc.ndim else 1 for d in range(acc.ndim)])

    def requantize(
        self, acc, multiplier, shift, rounding="double", *, zero_point=0, dtype=None, qmin=None, qmax=None, axis=None
    ):  # fmt: skip
        acc, out = wide(acc), (zero_point, dtype, qmin, qmax)
        M = self.along(multiplier, acc, axis)
        if rounding == "float":
            return self.finished(self.float(acc, M).astype(np.float64), *out)
        shift = self.along(wide(shift), acc, axis)
        if rounding == "single":
            return self.finished(self.single(acc, M, shift), *out)
        t, right = self.saturating_rounding_doubling_high_mul(acc << np.maximum(shift, 0), M), np.maximum(-shift, 0)
        if rounding == "double":
            return self.finished(wide(self.rounding_divide_by_pot(t, right)), *out)
        return self.finished(self.up(wide(t), np.int64(1) << right), *out)

    def real(self, s_a, s_b, s_out):
        return s_a * s_b / s_out

    def rows(self, s_a, acc, a_axis):
        return self.along(s_a, acc, a_axis)

    def rescale(
        self, acc, a_scale, b_scale, out_scale, rounding="double", *, bias=None, axis=-1, a_axis=None, **options
    ):  # fmt: skip
        kind = np.float32 if rounding == "float" else np.float64
        acc, s_a, s_b = wide(acc), np.asarray(a_scale).astype(kind), np.asarray(b_scale).astype(kind)
        if s_a.ndim:
            s_a, s_b = self.rows(s_a, acc, a_axis), self.along(s_b, acc, axis)
        real = self.real(s_a, s_b, np.asarray(out_scale).astype(kind))
        acc = acc if bias is None else acc + self.along(bias, acc, axis)
        pair = (real, None) if rounding == "float" else self.quantize_multiplier(real)
        return self.requantize(acc, *pair, rounding, axis=axis, **options)


class NudgeSign(Requantization):
    def high(self, product):
        return (product - 2**30) >> 31


class NoNudge(Requantization):
    def high(self, product):
        return product >> 31


class HighTiesAway(Requantization):
    def high(self, product):
        return half_away(product, 2**31)


class NotDoubled(Requantization):
    def high(self, product):
        return (product + 2**31) >> 32


class NotSaturated(Requantization):
    def saturated(self, t, a, b):
        return t


class DivisionTiesUp(Requantization):
    def divided(self, x, n):
        return half_up(x, n)


class DivisionFloors(Requantization):
    def divided(self, x, n):
        return x // n


class DivisionTiesEven(Requantization):
    def divided(self, x, n):
        return np.rint(x / n)


class DivisionTruncates(Requantization):
    def divided(self, x, n):
        return np.sign(x) * (np.abs(x) // n)


class DoubleUpIsDouble(Requantization):
    def up(self, t, n):
        return half_away(t, n)


class SingleIsDouble(Requantization):
    def single(self, acc, M, shift):
        t = self.saturating_rounding_doubling_high_mul(acc << np.maximum(shift, 0), M)
        return wide(self.rounding_divide_by_pot(t, np.maximum(-shift, 0)))


class SingleFloors(Requantization):
    def single(self, acc, M, shift):
        return acc * M >> (31 - shift)


class SingleTiesAway(Requantization):
    def single(self, acc, M, shift):
        return half_away(acc * M, np.int64(1) << (31 - shift))


class DoubleIsSingle(Requantization):
    def requantize(self, acc, multiplier, shift, rounding="double", **options):
        return super().requantize(acc, multiplier, shift, "single" if rounding == "double" else rounding, **options)


class FloatInFloat64(Requantization):
    def float(self, acc, real):
        return np.rint(acc * np.asarray(real, np.float64))


class FloatRealInFloat64(Requantization):
    def float(self, acc, real):
        return np.rint((acc.astype(np.float32) * np.asarray(real, np.float64)).astype(np.float32))


class FloatTiesAway(Requantization):
    def float(self, acc, real):
        t = (acc.astype(np.float32) * np.float32(real)).astype(np.float64)
        return np.trunc(t + np.copysign(0.5, t))


class FloatFloors(Requantization):
    def float(self, acc, real):
        return np.floor(acc.astype(np.float32) * np.float32(real))


class ZeroPointSubtracted(Requantization):
    def finish(self, q, z, qmin, qmax):
        return codes(q - z, qmin, qmax)


class ZeroPointAfterClip(Requantization):
    def finish(self, q, z, qmin, qmax):
        return codes(np.clip(q, qmin, qmax) + z, MIN, MAX).astype(checks.smallest(qmin, qmax))


class ClipsToTheType(Requantization):
    def finish(self, q, z, qmin, qmax):
        info = np.iinfo(checks.smallest(qmin, qmax))
        return codes(q + z, info.min, info.max)


class AlwaysInt8(Requantization):
    def finish(self, q, z, qmin, qmax):
        return codes(q + z, qmin, qmax).astype(np.int8)


class ZeroPointInsideOfTheRounding(Requantization):
    """ONNX's reference: ties go to the even code."""

    def requantize(self, acc, multiplier, shift, rounding="double", *, zero_point=0, axis=None, **options):
        if rounding != "float":
            return super().requantize(acc, multiplier, shift, rounding, zero_point=zero_point, axis=axis, **options)
        acc = wide(acc)
        t = acc.astype(np.float32) * np.float32(self.along(multiplier, acc, axis))
        return codes(np.rint(t.astype(np.float64) + zero_point), -128, 127)


class RequantizesToTheTypeOfTheRange(Requantization):
    def requantize(self, *args, dtype=None, **options):
        out = super().requantize(*args, dtype=dtype, **options)
        if dtype is None:
            return out
        ends = outputs(0, dtype, options.get("qmin"), options.get("qmax"))
        return out.astype(checks.smallest(ends["qmin"], ends["qmax"]))


class RequantizesToInt8(Requantization):
    def finished(self, q, z, dtype, qmin, qmax):
        return super().finished(q, z, None, qmin, qmax)


class FirstRow(Requantization):
    def rows(self, s_a, acc, a_axis):
        return s_a[0]


class RowsByTheOtherAxis(Requantization):
    def rows(self, s_a, acc, a_axis):
        return np.resize(s_a, acc.shape[-1])


class FirstMultiplier(Requantization):
    def along(self, value, acc, axis):
        return np.ravel(value)[0]


class WrongAxis(Requantization):
    def along(self, value, acc, axis):
        """The last axis, whatever is asked for."""
        return np.asarray(value) if np.ndim(value) == 0 else np.resize(value, acc.shape[-1])


class QuotientFirst(Requantization):
    def real(self, s_a, s_b, s_out):
        return s_a * (s_b / s_out)


class RealInFloat64(Requantization):
    def real(self, s_a, s_b, s_out):
        return (np.float64(s_a) * s_b / s_out).astype(s_a.dtype)


class OutputScaleMultiplied(Requantization):
    def real(self, s_a, s_b, s_out):
        return s_a * s_b * s_out


class RescaleForgetsBias(Requantization):
    def rescale(self, *args, bias=None, **options):
        return super().rescale(*args, **options)


class RescaleInFloat32(Requantization):
    def real(self, s_a, s_b, s_out):
        return (s_a.astype(np.float32) * s_b.astype(np.float32) / s_out.astype(np.float32)).astype(s_a.dtype)


REQUANTIZATION_MUTANTS = {
    NudgeSign: checks.srdhm_literals,
    NoNudge: checks.srdhm_literals,
    HighTiesAway: checks.srdhm_literals,
    NotDoubled: checks.srdhm_literals,
    NotSaturated: checks.srdhm_matches_the_oracle,
    DivisionTiesUp: checks.divide_literals,
    DivisionFloors: checks.divide_matches_the_oracle,
    DivisionTiesEven: checks.divide_literals,
    DivisionTruncates: checks.divide_literals,
    DoubleUpIsDouble: checks.requantize_literals,
    SingleIsDouble: checks.requantize_literals,
    SingleFloors: checks.requantize_literals,
    SingleTiesAway: checks.requantize_literals,
    DoubleIsSingle: checks.requantize_literals,
    FloatInFloat64: checks.requantize_float_matches_the_oracle,
    FloatRealInFloat64: checks.requantize_float_matches_the_oracle,
    FloatTiesAway: checks.requantize_literals,
    FloatFloors: checks.requantize_literals,
    ZeroPointSubtracted: checks.requantize_literals,
    ZeroPointAfterClip: checks.requantize_clips,
    ClipsToTheType: checks.requantize_clips,
    AlwaysInt8: checks.requantize_clips,
    RequantizesToTheTypeOfTheRange: checks.requantize_dtype,
    RequantizesToInt8: checks.requantize_dtype,
    FirstRow: checks.rescale_per_row,
    RowsByTheOtherAxis: checks.rescale_per_row,
    ZeroPointInsideOfTheRounding: checks.requantize_literals,
    FirstMultiplier: checks.requantize_per_channel,
    WrongAxis: checks.requantize_per_channel,
    QuotientFirst: checks.rescale_order_of_operations,
    RealInFloat64: checks.rescale_order_of_operations,
    OutputScaleMultiplied: checks.rescale_matches_the_oracle,
    RescaleForgetsBias: checks.rescale_matches_the_oracle,
    RescaleInFloat32: checks.rescale_matches_the_oracle,
}


class QuantizedMatmul:
    """The stand-ins above, put together."""

    products, steps = Products(), Requantization()

    def arranged(self, options):
        return options

    def outputs(self, *args):
        return outputs(*args)

    def matmul(
        self, a, b, bias=None, *, a_scale, b_scale, out_scale, a_zero_point=0, b_zero_point=0, out_zero_point=0,
        rounding="double", dtype=None, qmin=None, qmax=None,
    ):  # fmt: skip
        acc = self.products.matmul(a, b, a_zero_point, b_zero_point)
        options = {"bias": bias, "zero_point": out_zero_point, "axis": 1, "a_axis": 0}
        options |= self.outputs(a, dtype, qmin, qmax)
        return self.steps.rescale(acc, a_scale, b_scale, out_scale, rounding, **self.arranged(options))


class MatmulSkipsBias(QuantizedMatmul):
    def arranged(self, options):
        return options | {"bias": None}


class MatmulAddsBiasAfterwards(QuantizedMatmul):
    """In units of the output."""

    def matmul(self, a, b, bias=None, **options):
        out = super().matmul(a, b, **options)
        q = wide(out) + (0 if bias is None else bias)
        return codes(q, **outputs(a, options.get("dtype"), options.get("qmin"), options.get("qmax")))


class MatmulNegatesZeroPoint(QuantizedMatmul):
    def arranged(self, options):
        return options | {"zero_point": -options["zero_point"]}


class MatmulIgnoresReLU(QuantizedMatmul):
    def arranged(self, options):
        return options | outputs(0, options["dtype"], None, None)


class MatmulOfMutantProducts(QuantizedMatmul):
    products = NoConstant()


class MatmulFloors(QuantizedMatmul):
    steps = DivisionFloors()


class MatmulDividesTiesUp(QuantizedMatmul):
    steps = DivisionTiesUp()


class MatmulOneScale(QuantizedMatmul):
    def matmul(self, a, b, bias=None, *, b_scale, **options):
        return super().matmul(a, b, bias, b_scale=np.ravel(b_scale)[0], **options)


class MatmulOneScaleOfRows(QuantizedMatmul):
    def matmul(self, a, b, bias=None, *, a_scale, **options):
        return super().matmul(a, b, bias, a_scale=np.ravel(a_scale)[0], **options)


class MatmulInt8(Int8, QuantizedMatmul):
    pass


class MatmulTypeOfTheRange(TypeOfTheRange, QuantizedMatmul):
    pass


MATMUL_MUTANTS = {
    MatmulSkipsBias: checks.matmul_literals,
    MatmulAddsBiasAfterwards: checks.matmul_literals,
    MatmulNegatesZeroPoint: checks.matmul_literals,
    MatmulIgnoresReLU: checks.matmul_literals,
    MatmulOfMutantProducts: checks.matmul_end_to_end,
    MatmulFloors: checks.matmul_end_to_end,
    MatmulDividesTiesUp: checks.matmul_end_to_end,
    MatmulOneScale: checks.matmul_literals,
    MatmulOneScaleOfRows: checks.matmul_end_to_end,
    MatmulInt8: checks.matmul_dtype,
    MatmulTypeOfTheRange: checks.matmul_dtype,
}


class QuantizedConv:
    convolution, steps, axis = Conv(), Requantization(), 1

    def outputs(self, *args):
        return outputs(*args)

    def conv2d(
        self, x, w, bias=None, *, x_scale, w_scale, out_scale, x_zero_point=0, w_zero_point=0, out_zero_point=0,
        rounding="double", dtype=None, qmin=None, qmax=None, **geometry,
    ):  # fmt: skip
        acc = self.convolution.conv2d(x, w, x_zero_point, w_zero_point, **geometry)
        options = {"bias": bias, "zero_point": out_zero_point, "axis": self.axis}
        options |= self.outputs(x, dtype, qmin, qmax)
        if self.axis != 1:
            n = acc.shape[self.axis]
            options["bias"] = None if bias is None else np.resize(bias, n)
            w_scale = np.resize(w_scale, n) if np.ndim(w_scale) else w_scale
        return self.steps.rescale(acc, x_scale, w_scale, out_scale, rounding, **options)


class QuantizedConvPadsWithZero(QuantizedConv):
    convolution = PadsWithZero()


class QuantizedConvWrongAxis(QuantizedConv):
    axis = 3


class QuantizedConvSubtracts(QuantizedConv):
    steps = ZeroPointSubtracted()


class QuantizedConvInt8(Int8, QuantizedConv):
    pass


class QuantizedConvTypeOfTheRange(TypeOfTheRange, QuantizedConv):
    pass


QUANTIZED_CONV_MUTANTS = {
    QuantizedConvInt8: checks.quantized_conv_dtype,
    QuantizedConvTypeOfTheRange: checks.quantized_conv_dtype,
    QuantizedConvPadsWithZero: checks.quantized_conv_literals,
    QuantizedConvWrongAxis: checks.quantized_conv_literals,
    QuantizedConvSubtracts: checks.quantized_conv_literals,
}


class Pool:
    def outputs(self, *args):
        return outputs(*args)

    def counted(self, ones, kernel):
        return ones

    def mean(self, total, n):
        return half_away(total, n)

    def float_mean(self, total, n, s_out, z_out):
        return np.rint(total / n.astype(np.float32) / s_out + np.float32(z_out))

    def sums(self, x, kernel, stride, padding):
        top, left, bottom, right = Conv().sides(padding)
        x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
        view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
        view = view[:, :, :: stride[0], :: stride[1]]
        out = np.zeros(view.shape[:4], x.dtype)
        for place in np.ndindex(*kernel):
            out = out + view[(..., *place)]
        return out

    def average_pool2d(
        self, x, kernel_size, *, stride=None, padding=0, rounding="integer", x_scale=None, out_scale=None,
        x_zero_point=0, out_zero_point=0, dtype=None, qmin=None, qmax=None,
    ):  # fmt: skip
        out = self.outputs(x, dtype, qmin, qmax)
        kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        stride = kernel if stride is None else (stride, stride) if isinstance(stride, int) else stride
        n = self.counted(self.sums(np.ones_like(wide(x)), kernel, stride, padding), kernel)
        if rounding == "integer":
            return codes(self.mean(self.sums(wide(x), kernel, stride, padding), n), **out)
        values = np.float32(x_scale) * (wide(x) - x_zero_point).astype(np.float32)
        total = self.sums(values, kernel, stride, padding)
        return codes(self.float_mean(total, n, np.float32(out_scale), out_zero_point).astype(float), **out)


class PoolCountsPadding(Pool):
    def counted(self, ones, kernel):
        return np.full_like(ones, kernel[0] * kernel[1])


class PoolTiesUp(Pool):
    def mean(self, total, n):
        return half_up(total, n)


class PoolTiesEven(Pool):
    def mean(self, total, n):
        return np.rint(total / n)


class PoolFloors(Pool):
    def mean(self, total, n):
        return total // n


class PoolTruncates(Pool):
    def mean(self, total, n):
        return np.sign(total) * (np.abs(total) // n)


class PoolZeroPointAfterRounding(Pool):
    def float_mean(self, total, n, s_out, z_out):
        return np.rint(total / n.astype(np.float32) / s_out) + z_out


class PoolFloatTiesAway(Pool):
    def float_mean(self, total, n, s_out, z_out):
        t = (total / n.astype(np.float32) / s_out + np.float32(z_out)).astype(float)
        return np.trunc(t + np.copysign(0.5, t))


class PoolFloat64(Pool):
    def float_mean(self, total, n, s_out, z_out):
        return np.rint(total.astype(float) / n / s_out + z_out)


class PoolReciprocal(Pool):
    def float_mean(self, total, n, s_out, z_out):
        return np.rint(total * (np.float32(1) / n.astype(np.float32)) / s_out + np.float32(z_out))


class PoolInt8(Int8, Pool):
    pass


class PoolTypeOfTheRange(TypeOfTheRange, Pool):
    pass


class PoolRunningSumsInInt32(Pool):
    def sums(self, x, kernel, stride, padding):
        total = super().sums(x, kernel, stride, padding)
        return total.astype(np.int32).astype(np.int64) if total.dtype == np.int64 else total


class PoolRunningSumsInFloat32(Pool):
    """Differences of large sums, whose last bits are gone."""

    def sums(self, x, kernel, stride, padding):
        return np.rint(super().sums(x.astype(np.float32), kernel, stride, padding)).astype(x.dtype)


POOL_MUTANTS = {
    PoolInt8: checks.pool_dtype,
    PoolTypeOfTheRange: checks.pool_dtype,
    PoolRunningSumsInInt32: checks.pool_large_windows,
    PoolRunningSumsInFloat32: checks.pool_large_windows,
    PoolCountsPadding: checks.pool_counts,
    PoolTiesUp: checks.pool_ties,
    PoolTiesEven: checks.pool_ties,
    PoolFloors: checks.pool_ties,
    PoolTruncates: checks.pool_ties,
    PoolZeroPointAfterRounding: checks.pool_float_ties,
    PoolFloatTiesAway: checks.pool_float_ties,
    PoolFloat64: checks.pool_matches_the_oracle,
    PoolReciprocal: checks.pool_matches_the_oracle,
}


class Add:
    steps = Requantization()

    def outputs(self, *args):
        return outputs(*args)

    def largest(self, s_a, s_b):
        return 2 * np.maximum(s_a, s_b)

    def shifted(self, q, z, L):
        return (wide(q) - z) << L

    def fused(self, a, r_a, b, r_b, F):
        """One rounding for a product and its sum: both exact in float64 for codes and ratios of these sizes."""
        inner = (b.astype(np.float64) * r_b + np.float64(F)).astype(np.float32)
        return (a.astype(np.float64) * r_a + inner.astype(np.float64)).astype(np.float32)

    def float(self, a, b, s, z, z_out):
        r_a, r_b = (np.float32(v) / np.float32(s[2]) for v in s[:2])
        F = np.float32(z_out) - (r_a * np.float32(z[0]) + r_b * np.float32(z[1]))
        return np.rint(self.fused(wide(a), r_a, wide(b), r_b, F)).astype(float)

    def add(
        self, a, b, *, a_scale, b_scale, out_scale, a_zero_point=0, b_zero_point=0, out_zero_point=0,
        rounding="double", left_shift=20, dtype=None, qmin=None, qmax=None,
    ):  # fmt: skip
        out = self.outputs(a, dtype, qmin, qmax)
        s = [float(v) for v in (a_scale, b_scale, out_scale)]
        if rounding == "float":
            q = self.float(a, b, s, (a_zero_point, b_zero_point), out_zero_point)
            return codes(q, **out)
        S, total = self.largest(s[0], s[1]), 0
        for q, scale, z in ((a, s[0], a_zero_point), (b, s[1], b_zero_point)):
            pair = self.steps.quantize_multiplier(scale / S)
            total = total + wide(
                self.steps.requantize(self.shifted(q, z, left_shift), *pair, rounding, qmin=MIN, qmax=MAX)
            )
        pair = self.steps.quantize_multiplier(S / (2.0**left_shift * s[2]))
        return self.steps.requantize(total, *pair, rounding, zero_point=out_zero_point, **out)


class AddInt8(Int8, Add):
    pass


class AddTypeOfTheRange(TypeOfTheRange, Add):
    pass


class AddIgnoresLeftShift(Add):
    def add(self, a, b, *, left_shift=20, **options):
        return super().add(a, b, left_shift=left_shift // 4, **options)


class AddAlwaysShifts15(Add):
    def add(self, a, b, *, left_shift=20, **options):
        return super().add(a, b, left_shift=15, **options)


class AddWithoutTheFactor2(Add):
    def largest(self, s_a, s_b):
        return np.maximum(s_a, s_b)


class AddScalesBySum(Add):
    def largest(self, s_a, s_b):
        return 2 * (s_a + s_b)


class AddZeroPointSign(Add):
    def shifted(self, q, z, L):
        return (wide(q) + z) << L


class AddZeroPointAfterShift(Add):
    def shifted(self, q, z, L):
        return (wide(q) << L) - z


class AddNotFused(Add):
    def fused(self, a, r_a, b, r_b, F):
        return a.astype(np.float32) * r_a + (b.astype(np.float32) * r_b + F)


class AddFusedAFirst(Add):
    def fused(self, a, r_a, b, r_b, F):
        return super().fused(b, r_b, a, r_a, F)


class AddZeroPointAfterRounding(Add):
    def float(self, a, b, s, z, z_out):
        return super().float(a, b, s, z, 0) + z_out


class AddFloors(Add):
    steps = DivisionFloors()


class AddTiesUp(Add):
    steps = DivisionTiesUp()


class AddNudgeSign(Add):
    steps = NudgeSign()


ADD_MUTANTS = {
    AddInt8: checks.add_dtype,
    AddTypeOfTheRange: checks.add_dtype,
    AddIgnoresLeftShift: checks.add_left_shifts,
    AddAlwaysShifts15: checks.add_left_shifts,
    AddWithoutTheFactor2: checks.add_left_shifts,
    AddScalesBySum: checks.add_left_shifts,
    AddZeroPointSign: checks.add_end_to_end,
    AddZeroPointAfterShift: checks.add_end_to_end,
    AddNotFused: checks.add_float_is_fused,
    AddFusedAFirst: checks.add_float_is_fused,
    AddZeroPointAfterRounding: checks.add_literals,
    AddFloors: checks.add_end_to_end,
    AddTiesUp: checks.add_literals,
    AddNudgeSign: checks.add_left_shifts,
}

GROUPS = (
    SimpleNamespace(correct=Products, checks=checks.PRODUCTS, mutants=PRODUCT_MUTANTS),
    SimpleNamespace(correct=Conv, checks=checks.CONV, mutants=CONV_MUTANTS),
    SimpleNamespace(correct=Bias, checks=checks.BIAS, mutants=BIAS_MUTANTS),
    SimpleNamespace(correct=Multiplier, checks=checks.MULTIPLIER, mutants=MULTIPLIER_MUTANTS),
    SimpleNamespace(correct=Requantization, checks=checks.REQUANTIZATION, mutants=REQUANTIZATION_MUTANTS),
    SimpleNamespace(correct=QuantizedMatmul, checks=checks.MATMUL, mutants=MATMUL_MUTANTS),
    SimpleNamespace(correct=QuantizedConv, checks=checks.QUANTIZED_CONV, mutants=QUANTIZED_CONV_MUTANTS),
    SimpleNamespace(correct=Pool, checks=checks.POOL, mutants=POOL_MUTANTS),
    SimpleNamespace(correct=Add, checks=checks.ADD, mutants=ADD_MUTANTS),
)


@pytest.mark.parametrize(("correct", "check"), [(g.correct, c) for g in GROUPS for c in g.checks])
def test_correct_passes(correct, check):
    check(correct())


@pytest.mark.parametrize(("wrong", "check"), [pair for g in GROUPS for pair in g.mutants.items()])
def test_wrong_is_caught(wrong, check):
    with pytest.raises(AssertionError):
        check(wrong())
