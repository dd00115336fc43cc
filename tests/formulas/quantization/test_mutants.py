"""Tests of the tests: correct stand-ins pass every property, and every planted error fails the one named beside it."""

import numpy as np
import pytest

from tests.formulas.quantization import checks

# Rounding: one function of (t, u) a rule.


def half_away(t, u=None):
    whole = np.trunc(t)
    with np.errstate(invalid="ignore"):  # inf − inf
        return np.where(np.abs(t - whole) >= 0.5, whole + np.copysign(1, t), whole).astype(t.dtype)


def half_up(t, u=None):
    below = np.floor(t)
    with np.errstate(invalid="ignore"):
        return np.where(t - below >= 0.5, np.ceil(t), below).astype(t.dtype)


def half_down(t, u=None):
    return -half_up(-t)


def half_toward_zero(t, u=None):
    whole = np.trunc(t)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(t - whole) > 0.5, whole + np.copysign(1, t), whole).astype(t.dtype)


def stochastic(t, u):
    below = np.floor(t)
    with np.errstate(invalid="ignore"):
        return np.where(u < t - below, below + 1, below).astype(t.dtype)


CORRECT = {
    "half_even": lambda t, u: np.rint(t),
    "half_away": half_away,
    "half_up": half_up,
    "half_down": half_down,
    "half_toward_zero": half_toward_zero,
    "floor": lambda t, u: np.floor(t),
    "ceil": lambda t, u: np.ceil(t),
    "toward_zero": lambda t, u: np.trunc(t),
    "stochastic": stochastic,
}


def rounding_with(**wrong):
    """Return an `apply` whose rules are the correct ones but for those given."""
    rules = CORRECT | wrong

    def apply(t, rule="half_even", rng=None):
        u = rng.random(t.shape) if rng is not None else None
        return rules[rule](t, u)

    return apply


apply = rounding_with()


def lose_dtype(t, rule="half_even", rng=None):
    return apply(t, rule, rng).astype(np.float64)


def in_place(t, rule="half_even", rng=None):
    t[...] = apply(t, rule, rng)
    return t


def no_nan(t, rule="half_even", rng=None):
    return np.nan_to_num(apply(t, rule, rng))


def one_draw(t, rule="half_even", rng=None):
    return stochastic(t, rng.random(())) if rule == "stochastic" else CORRECT[rule](t, None)


def magic_number(t, u=None):
    magic = t.dtype.type(1.5 * 2.0 ** (23 if t.dtype == np.float32 else 52))
    with np.errstate(all="ignore"):
        return t + magic - magic


def half_odd(t, u=None):
    return np.where(t - np.floor(t) == 0.5, 2 * np.floor((np.floor(t) + 1) / 2) + 1 - (np.floor(t) % 2), np.rint(t))


def add_half(t, u=None):
    with np.errstate(over="ignore"):
        return np.floor(t + t.dtype.type(0.5))


def add_half_away(t, u=None):
    with np.errstate(over="ignore"):
        return np.trunc(t + np.copysign(t.dtype.type(0.5), t))


def up_to_and_including(t, u):
    with np.errstate(invalid="ignore"):
        return (np.floor(t) + (u <= t - np.floor(t))).astype(t.dtype)


def from_zero(t, u):
    with np.errstate(invalid="ignore"):
        return (np.trunc(t) + np.copysign(u < np.abs(t - np.trunc(t)), t)).astype(t.dtype)


def mirrored(t, u):
    with np.errstate(invalid="ignore"):
        return (np.floor(t) + (1 - u < t - np.floor(t))).astype(t.dtype)


ROUNDING_MUTANTS = {
    "half_even is half_away": (rounding_with(half_even=half_away), checks.rounding_of_quarters),
    "half_even is half_odd": (rounding_with(half_even=half_odd), checks.rounding_of_quarters),
    "half_even by a magic number": (rounding_with(half_even=magic_number), checks.rounding_of_large_numbers),
    "half_away is half_even": (rounding_with(half_away=CORRECT["half_even"]), checks.rounding_of_quarters),
    "half_away is half_up": (rounding_with(half_away=half_up), checks.rounding_of_quarters),
    "half_away adds ½: ½ − ulp": (rounding_with(half_away=add_half_away), checks.rounding_beside_ties),
    "half_away adds ½: 2^52 + 1": (rounding_with(half_away=add_half_away), checks.rounding_of_large_numbers),
    "half_up is half_away": (rounding_with(half_up=half_away), checks.rounding_of_quarters),
    "half_up adds ½: ½ − ulp": (rounding_with(half_up=add_half), checks.rounding_beside_ties),
    "half_up adds ½: 2^52 + 1": (rounding_with(half_up=add_half), checks.rounding_of_large_numbers),
    "half_down is half_toward_zero": (rounding_with(half_down=half_toward_zero), checks.rounding_of_quarters),
    "half_down is half_up": (rounding_with(half_down=half_up), checks.rounding_of_quarters),
    "half_down subtracts ½: ½ + ulp": (
        rounding_with(half_down=lambda t, u: -add_half(-t)),
        checks.rounding_beside_ties,
    ),
    "half_toward_zero is half_down": (rounding_with(half_toward_zero=half_down), checks.rounding_of_quarters),
    "half_toward_zero is half_away": (rounding_with(half_toward_zero=half_away), checks.rounding_of_quarters),
    "half_toward_zero is toward_zero": (
        rounding_with(half_toward_zero=CORRECT["toward_zero"]),
        checks.rounding_of_quarters,
    ),
    "floor truncates": (rounding_with(floor=CORRECT["toward_zero"]), checks.rounding_of_quarters),
    "floor truncates tiny numbers": (
        rounding_with(floor=CORRECT["half_even"]),
        checks.rounding_of_small_numbers,
    ),
    "ceil is floor + 1": (rounding_with(ceil=lambda t, u: np.floor(t) + 1), checks.rounding_of_quarters),
    "toward_zero is floor": (rounding_with(toward_zero=CORRECT["floor"]), checks.rounding_of_quarters),
    "stochastic from zero": (rounding_with(stochastic=from_zero), checks.rounding_of_quarters),
    "stochastic with 1 − u": (rounding_with(stochastic=mirrored), checks.rounding_draws_once_per_element),
    "stochastic is half_even": (rounding_with(stochastic=CORRECT["half_even"]), checks.rounding_of_quarters),
    "one draw for all": (one_draw, checks.rounding_draws_once_per_element),
    "float64 from float32": (lose_dtype, checks.rounding_of_quarters),
    "NaN becomes 0": (no_nan, checks.rounding_of_infinity_and_nan),
    "floor is ceil − 1": (rounding_with(floor=lambda t, u: np.ceil(t) - 1), checks.rounding_of_quarters),
}


@pytest.mark.parametrize("check", checks.ROUNDING)
def test_correct_rounding_passes(check):
    check(apply)


@pytest.mark.parametrize("name", ROUNDING_MUTANTS)
def test_wrong_rounding_is_caught(name):
    wrong, check = ROUNDING_MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)


def test_rounding_in_place_is_caught():
    with pytest.raises(ValueError, match="read-only"):
        checks.rounding_of_quarters(in_place)


# The quantizers: a correct class, and subclasses with one method exchanged.


def unit_roundoff(dtype):
    return np.finfo(dtype).eps / 2


class Uniform:
    apply = staticmethod(apply)
    nearest = checks.NEAREST

    def levels(self, bits):
        return 2**bits - 1

    def scale(self, low, high, bits):
        return (high - low) / low.dtype.type(self.levels(bits))

    def constant(self, low):
        return np.ones_like(low), low

    def scale_and_offset(self, low, high, bits):
        low, high = np.asarray(low), np.asarray(high)
        s = self.scale(low, high, bits)
        if (s == 0)[low != high].any():
            raise ValueError("s underflows")
        one, value = self.constant(low)
        return np.where(low == high, one, s)[()], np.where(low == high, value, low)[()]

    def quotient(self, w, s, z):
        return (w - z) / s

    def saturate(self, q, bits):
        return np.clip(q, 0, 2**bits - 1)

    def quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        with np.errstate(over="ignore"):
            q = self.apply(self.quotient(w, s, z), rounding, rng)
        with np.errstate(invalid="ignore"):
            return self.saturate(q, bits).astype(np.int64).astype(np.uint8 if bits <= 8 else np.uint16)

    def dequantize(self, q, s, z):
        return q.astype(s.dtype) * s + z

    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        return self.dequantize(self.quantize(w, s, z, bits, rounding=rounding, rng=rng), s, z)

    def error_bound(self, s, rounding="half_even"):
        return s / 2 if rounding in self.nearest else s

    def roundoff(self, s):
        return unit_roundoff(s.dtype)

    def float_slack(self, s, z, bits):
        # 3·u·s·L + u·max(|z|, |z + s·L|), and 1/16 more for the terms in u² and the roundings of this line;
        # a subnormal s can be off by half a subnormal, and then s·L by L times that
        span = s * s.dtype.type(2**bits - 1)
        largest = np.maximum(np.abs(z), np.abs(z + span))
        return (
            self.roundoff(s) * s.dtype.type(1.0625) * (3 * span + largest)
            + 2**bits * np.finfo(s.dtype).smallest_subnormal
        ).astype(s.dtype)


class LevelsPowerOfTwo(Uniform):
    def levels(self, bits):
        return 2**bits


class ScaleFromScaledEnds(Uniform):
    def scale(self, low, high, bits):
        top = low.dtype.type(self.levels(bits))
        return high / top - low / top


class ScaleInFloat64(Uniform):
    def scale(self, low, high, bits):
        return ((high.astype(np.float64) - low) / self.levels(bits)).astype(low.dtype)


class ConstantScaleZero(Uniform):
    def constant(self, low):
        return np.zeros_like(low), low


class ConstantOffsetZero(Uniform):
    def constant(self, low):
        return np.ones_like(low), np.zeros_like(low)


class UnderflowPasses(Uniform):
    def scale_and_offset(self, low, high, bits):
        low, high = np.asarray(low), np.asarray(high)
        return np.where(low == high, 1, self.scale(low, high, bits))[()], low[()]


class OneScaleForAllChannels(Uniform):
    def scale_and_offset(self, low, high, bits):
        s, z = super().scale_and_offset(low.min(), high.max(), bits)
        return np.full_like(low, s), np.full_like(low, z)


class OffsetAdded(Uniform):
    def quotient(self, w, s, z):
        return (w + z) / s


class OffsetSubtracted(Uniform):
    def dequantize(self, q, s, z):
        return q.astype(s.dtype) * s - z


class IntegerZeroPoint(Uniform):
    def quotient(self, w, s, z):
        return w / s - np.rint(z / s)


class QuotientsSeparately(Uniform):
    def quotient(self, w, s, z):
        return w / s - z / s


class Reciprocal(Uniform):
    def quotient(self, w, s, z):
        return (w - z) * (s.dtype.type(1) / s)


class QuotientInFloat64(Uniform):
    def quotient(self, w, s, z):
        return (w.astype(np.float64) - z) / s


class QuotientInFloat32(Uniform):
    def quotient(self, w, s, z):
        return (w.astype(np.float32) - np.float32(z)) / np.float32(s)


class ValueInFloat64(Uniform):
    def dequantize(self, q, s, z):
        return (q * np.float64(s) + z).astype(s.dtype)


class ValuePromotes(Uniform):
    def dequantize(self, q, s, z):
        return q.astype(np.float64) * s + z


class Truncates(Uniform):
    @staticmethod
    def apply(t, rule, rng):
        return np.trunc(t)


class HalfAway(Uniform):
    @staticmethod
    def apply(t, rule, rng):
        return apply(t, "half_away" if rule == "half_even" else rule, rng)


class StochasticIgnored(Uniform):
    @staticmethod
    def apply(t, rule, rng):
        return np.rint(t) if rule == "stochastic" else apply(t, rule, rng)


class StochasticSeeded(Uniform):
    @staticmethod
    def apply(t, rule, rng):
        return apply(t, rule, np.random.default_rng(0) if rule == "stochastic" else None)


class StochasticIncludesEqual(Uniform):
    apply = staticmethod(rounding_with(stochastic=up_to_and_including))


class CodesUpToPower(Uniform):
    def saturate(self, q, bits):
        return np.clip(q, 0, 2**bits)


class CodesNarrow(Uniform):
    def saturate(self, q, bits):
        return np.clip(q, 0, max(2**bits - 2, 1))


class CodesFromOne(Uniform):
    def saturate(self, q, bits):
        return np.clip(q, 1, 2**bits - 1)


class NoClip(Uniform):
    def saturate(self, q, bits):
        return np.where(np.abs(q) < 2**62, q, 0)


class NoClipBelow(Uniform):
    def saturate(self, q, bits):
        return np.minimum(np.where(q > -(2**62), q, 0), 2**bits - 1)


class ClipBeforeRounding(Uniform):
    def quotient(self, w, s, z):
        return super().quotient(np.clip(w, z, z + s * s.dtype.type(255)), s, z)

    def saturate(self, q, bits):
        return q


class AlwaysUint8(Uniform):
    def quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        return super().quantize(w, s, z, bits, rounding=rounding, rng=rng).astype(np.uint8)


class AlwaysUint16(Uniform):
    def quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        return super().quantize(w, s, z, bits, rounding=rounding, rng=rng).astype(np.uint16)


class BoundAlwaysHalf(Uniform):
    nearest = checks.RULES


class BoundNeverHalf(Uniform):
    nearest = ()


class HalfUpNotNearest(Uniform):
    nearest = ("half_even", "half_away")


class NoSlack(Uniform):
    def float_slack(self, s, z, bits):
        return 0 * s


class SlackOfFloat64(Uniform):
    def roundoff(self, s):
        return unit_roundoff(np.float64)


class SlackWithoutOffset(Uniform):
    def float_slack(self, s, z, bits):
        return super().float_slack(s, 0 * z, bits)


class SlackOfOneStep(Uniform):
    def float_slack(self, s, z, bits):
        return super().float_slack(s, z, 1)


class SlackHuge(Uniform):
    def roundoff(self, s):
        return 16 * unit_roundoff(s.dtype)


class SlackOfLargestChannel(Uniform):
    def float_slack(self, s, z, bits):
        return np.full_like(s, super().float_slack(s, z, bits).max())


class FakeInOneDtype(Uniform):
    """All in the dtype of s and z, where the codes are taken in the promoted one."""

    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        with np.errstate(over="ignore"):
            return super().fake_quantize(w.astype(s.dtype), s, z, bits, rounding=rounding, rng=rng)


class FakePromotes(Uniform):
    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        return super().fake_quantize(w, s, z, bits, rounding=rounding, rng=rng).astype(np.result_type(w, s, z))


class FakeUnclipped(Uniform):
    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        with np.errstate(over="ignore"):
            return self.apply(self.quotient(w, s, z), rounding, rng) * s + z


class FakeClippedAsWeights(Uniform):
    """Clipping w instead of its code: where the ends lie between floats the last step is lost or gained."""

    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        inside = np.clip(w, z, z + s * s.dtype.type(2**bits - 1))
        return self.apply(self.quotient(inside, s, z), rounding, rng).astype(s.dtype) * s + z


class FakeFused(Uniform):
    """One rounding for the product and the sum."""

    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        q = self.quantize(w, s, z, bits, rounding=rounding, rng=rng)
        return (q * np.float64(s) + np.float64(z)).astype(s.dtype)


class FakeWithNegativeZero(Uniform):
    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        return self.saturate(self.apply(self.quotient(w, s, z), rounding, rng), bits) * s + z


class FakeOfOneChannel(Uniform):
    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        return super().fake_quantize(w, s.ravel()[:1], z.ravel()[:1], bits, rounding=rounding, rng=rng)


class FakeDrawsItself(Uniform):
    def fake_quantize(self, w, s, z, bits, *, rounding="half_even", rng=None):
        rng = np.random.default_rng(0) if rng is not None else None
        return super().fake_quantize(w, s, z, bits, rounding=rounding, rng=rng)


UNIFORM_MUTANTS = {
    FakeInOneDtype: checks.uniform_fake_matches_the_oracle,
    FakePromotes: checks.uniform_fake_matches_the_oracle,
    FakeUnclipped: checks.uniform_fake_saturates,
    FakeClippedAsWeights: checks.uniform_fake_matches_the_oracle,
    FakeFused: checks.uniform_fake_matches_the_oracle,
    FakeWithNegativeZero: checks.uniform_fake_has_the_codes_zero,
    FakeOfOneChannel: checks.uniform_fake_per_channel,
    FakeDrawsItself: checks.uniform_fake_per_channel,
    LevelsPowerOfTwo: checks.uniform_scale_literals,
    ScaleFromScaledEnds: checks.uniform_scale_matches_the_oracle,
    ScaleInFloat64: checks.uniform_scale_matches_the_oracle,
    ConstantScaleZero: checks.uniform_scale_literals,
    ConstantOffsetZero: checks.uniform_scale_literals,
    UnderflowPasses: checks.uniform_scale_of_subnormal_widths,
    OneScaleForAllChannels: checks.uniform_scale_per_channel,
    OffsetAdded: checks.uniform_small_domain,
    OffsetSubtracted: checks.uniform_dequantize_matches_the_oracle,
    IntegerZeroPoint: checks.uniform_codes_are_exact,
    QuotientsSeparately: checks.uniform_codes_are_exact,
    Reciprocal: checks.uniform_divides,
    QuotientInFloat64: checks.uniform_divides,
    QuotientInFloat32: checks.uniform_promotes,
    ValueInFloat64: checks.uniform_dequantize_matches_the_oracle,
    ValuePromotes: checks.uniform_dequantize_matches_the_oracle,
    Truncates: checks.uniform_error_within_bound,
    HalfAway: checks.uniform_small_domain,
    StochasticIgnored: checks.uniform_stochastic,
    StochasticSeeded: checks.uniform_stochastic,
    StochasticIncludesEqual: checks.uniform_stochastic,
    CodesUpToPower: checks.uniform_saturates,
    CodesNarrow: checks.uniform_round_trip,
    CodesFromOne: checks.uniform_round_trip,
    NoClip: checks.uniform_saturates,
    NoClipBelow: checks.uniform_is_monotone,
    ClipBeforeRounding: checks.uniform_saturates,
    AlwaysUint8: checks.uniform_codes_are_exact,
    AlwaysUint16: checks.uniform_codes_are_exact,
    BoundAlwaysHalf: checks.uniform_error_within_bound,
    BoundNeverHalf: checks.uniform_error_bound_literals,
    HalfUpNotNearest: checks.uniform_error_bound_literals,
    NoSlack: checks.uniform_error_within_bound,
    SlackOfFloat64: checks.uniform_error_within_bound,
    SlackWithoutOffset: checks.uniform_error_within_bound,
    SlackOfOneStep: checks.uniform_error_within_bound,
    SlackHuge: checks.uniform_slack_is_not_silly,
    SlackOfLargestChannel: checks.uniform_slack_per_channel,
}


@pytest.mark.parametrize("check", checks.UNIFORM)
def test_correct_uniform_passes(check):
    check(Uniform())


@pytest.mark.parametrize("wrong", UNIFORM_MUTANTS)
def test_wrong_uniform_is_caught(wrong):
    with pytest.raises(AssertionError):
        UNIFORM_MUTANTS[wrong](wrong())


class Decimal:
    apply = staticmethod(apply)
    nearest = checks.NEAREST
    limit = 2.0**53

    def scaled(self, w, places):
        return w * w.dtype.type(10.0**places)

    def quantize(self, w, places, *, rounding="half_even", rng=None):
        with np.errstate(over="ignore"):
            q = self.apply(self.scaled(w, places), rounding, rng)
        if (np.abs(q) > self.limit).any():
            raise ValueError("beyond ±2^53")
        with np.errstate(invalid="ignore"):
            return q.astype(np.int64)

    def dequantize(self, q, places, dtype=np.float64):
        return dtype(10.0**-places) * q.astype(dtype)

    def error_bound(self, places, rounding="half_even"):
        return (0.5 if rounding in self.nearest else 1) * 10.0**-places

    def float_slack(self, w, places):
        # 5·u·|w'|, where |w'| ≤ |w| + 10^−places
        return self.roundoff(w.dtype) * 5 * (np.abs(w) + w.dtype.type(10.0**-places))

    def roundoff(self, dtype):
        return dtype.type(unit_roundoff(dtype) * 1.0625)


class Binary(Decimal):
    def scaled(self, w, places):
        return w * w.dtype.type(2.0**places)


class DividesByStep(Decimal):
    def scaled(self, w, places):
        return w / w.dtype.type(10.0**-places)


class DecimalInFloat64(Decimal):
    def scaled(self, w, places):
        return w.astype(np.float64) * 10.0**places


class DecimalTruncates(Decimal):
    @staticmethod
    def apply(t, rule, rng):
        return np.trunc(t)


class DecimalHalfAway(Decimal):
    @staticmethod
    def apply(t, rule, rng):
        return apply(t, "half_away" if rule == "half_even" else rule, rng)


class DecimalIncludesEqual(Decimal):
    apply = staticmethod(rounding_with(stochastic=up_to_and_including))


class DecimalNoLimit(Decimal):
    limit = np.inf


class DecimalLimitOfInt64(Decimal):
    limit = 2.0**63


class DecimalLimitExcluded(Decimal):
    limit = 2.0**53 - 1


class DecimalInt32(Decimal):
    def quantize(self, w, places, *, rounding="half_even", rng=None):
        return super().quantize(w, places, rounding=rounding, rng=rng).astype(np.int32)


class DividesByPower(Decimal):
    def dequantize(self, q, places, dtype=np.float64):
        return q.astype(dtype) / dtype(10.0**places)


class DecimalValueInFloat64(Decimal):
    def dequantize(self, q, places, dtype=np.float64):
        return (10.0**-places * q).astype(dtype)


class DecimalBoundAlwaysHalf(Decimal):
    nearest = checks.RULES


class DecimalBoundNeverHalf(Decimal):
    nearest = ()


class DecimalNoSlack(Decimal):
    def float_slack(self, w, places):
        return 0 * w


class DecimalSlackOfFloat64(Decimal):
    def roundoff(self, dtype):
        return unit_roundoff(np.float64)


class DecimalSlackHuge(Decimal):
    def roundoff(self, dtype):
        return 16 * unit_roundoff(dtype)


class DecimalSlackSigned(Decimal):
    def float_slack(self, w, places):
        return 5 * self.roundoff(w.dtype) * w


DECIMAL_MUTANTS = {
    Binary: checks.decimal_literals,
    DividesByStep: checks.decimal_codes_and_errors,
    DecimalInFloat64: checks.decimal_codes_and_errors,
    DecimalTruncates: checks.decimal_codes_and_errors,
    DecimalHalfAway: checks.decimal_small_domain,
    DecimalIncludesEqual: checks.decimal_stochastic,
    DecimalNoLimit: checks.decimal_largest_codes,
    DecimalLimitOfInt64: checks.decimal_largest_codes,
    DecimalLimitExcluded: checks.decimal_largest_codes,
    DecimalInt32: checks.decimal_codes_and_errors,
    DividesByPower: checks.decimal_dequantize_matches_the_oracle,
    DecimalValueInFloat64: checks.decimal_dequantize_matches_the_oracle,
    DecimalBoundAlwaysHalf: checks.decimal_error_bound_literals,
    DecimalBoundNeverHalf: checks.decimal_error_bound_literals,
    DecimalNoSlack: checks.decimal_codes_and_errors,
    DecimalSlackOfFloat64: checks.decimal_codes_and_errors,
    DecimalSlackHuge: checks.decimal_slack_is_not_silly,
    DecimalSlackSigned: checks.decimal_codes_and_errors,
}


@pytest.mark.parametrize("check", checks.DECIMAL)
def test_correct_decimal_passes(check):
    check(Decimal())


@pytest.mark.parametrize("wrong", DECIMAL_MUTANTS)
def test_wrong_decimal_is_caught(wrong):
    with pytest.raises(AssertionError):
        DECIMAL_MUTANTS[wrong](wrong())


class FixedPoint:
    apply = staticmethod(apply)
    nearest = checks.NEAREST

    def scaled(self, w, fraction_bits):
        return np.ldexp(w, fraction_bits)

    def saturate(self, q, bits):
        return np.clip(q, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def quantize(self, w, fraction_bits, bits, *, rounding="half_even", rng=None):
        with np.errstate(over="ignore"):
            t = self.scaled(w, fraction_bits)
        return self.saturate(self.apply(t, rounding, rng), bits).astype(np.int8 if bits <= 8 else np.int16)

    def dequantize(self, q, fraction_bits, dtype=np.float64):
        return np.ldexp(q.astype(dtype), -np.asarray(fraction_bits))

    def error_bound(self, fraction_bits, rounding="half_even"):
        return np.ldexp(0.5 if rounding in self.nearest else 1.0, -np.asarray(fraction_bits))

    def fits(self, low, high, fraction_bits, bits):
        with np.errstate(over="ignore"):
            codes = np.rint(np.ldexp([low, high], fraction_bits))
        return codes[0] >= -(2 ** (bits - 1)) and codes[1] <= 2 ** (bits - 1) - 1

    def zero(self, bits):
        return bits - 1

    def largest_fraction_bits(self, low, high, bits):
        if low == high == 0:
            return self.zero(bits)
        for fraction_bits in range(126, -1, -1):
            if self.fits(low, high, fraction_bits, bits):
                return fraction_bits
        raise ValueError("saturates")


class FixedDecimal(FixedPoint):
    def scaled(self, w, fraction_bits):
        return w * w.dtype.type(10) ** fraction_bits


class FixedOneBitMore(FixedPoint):
    def scaled(self, w, fraction_bits):
        return np.ldexp(w, np.asarray(fraction_bits) + 1)


class FixedNarrow(FixedPoint):
    def saturate(self, q, bits):
        return np.clip(q, min(-(2 ** (bits - 1)) + 1, -1), 2 ** (bits - 1) - 1)


class FixedSymmetric(FixedPoint):
    def saturate(self, q, bits):
        return np.clip(q, -(2 ** (bits - 1)), min(2 ** (bits - 1), 32767 if bits > 8 else 127))


class FixedUnsigned(FixedPoint):
    def saturate(self, q, bits):
        return np.clip(q, 0, 2 ** (bits - 1) - 1)


class FixedOneSaturationForAll(FixedPoint):
    def saturate(self, q, bits):
        return np.clip(q, *((-128, 127) if bits <= 8 else (-32768, 32767)))


class FixedTruncates(FixedPoint):
    @staticmethod
    def apply(t, rule, rng):
        return np.trunc(t)


class FixedHalfAway(FixedPoint):
    @staticmethod
    def apply(t, rule, rng):
        return apply(t, "half_away" if rule == "half_even" else rule, rng)


class FixedIncludesEqual(FixedPoint):
    apply = staticmethod(rounding_with(stochastic=up_to_and_including))


class FixedInt16(FixedPoint):
    def quantize(self, w, fraction_bits, bits, *, rounding="half_even", rng=None):
        return super().quantize(w, fraction_bits, bits, rounding=rounding, rng=rng).astype(np.int16)


class FixedValueSign(FixedPoint):
    def dequantize(self, q, fraction_bits, dtype=np.float64):
        return np.ldexp(q.astype(dtype), fraction_bits)


class FixedValueFloat64(FixedPoint):
    def dequantize(self, q, fraction_bits, dtype=np.float64):
        return super().dequantize(q, fraction_bits)


class FixedBoundAlwaysHalf(FixedPoint):
    nearest = checks.RULES


class FixedBoundNeverHalf(FixedPoint):
    nearest = ()


class FitsWithoutRounding(FixedPoint):
    def fits(self, low, high, fraction_bits, bits):
        return low * 2.0**fraction_bits >= -(2 ** (bits - 1)) and high * 2.0**fraction_bits <= 2 ** (bits - 1) - 1


class FitsHighOnly(FixedPoint):
    def fits(self, low, high, fraction_bits, bits):
        return super().fits(0.0, high, fraction_bits, bits)


class FitsSymmetric(FixedPoint):
    def fits(self, low, high, fraction_bits, bits):
        largest = max(-low, high)
        return super().fits(-largest, largest, fraction_bits, bits)


class FitsHalfUp(FixedPoint):
    def fits(self, low, high, fraction_bits, bits):
        return (
            np.floor(low * 2.0**fraction_bits + 0.5) >= -(2 ** (bits - 1))
            and np.floor(high * 2.0**fraction_bits + 0.5) <= 2 ** (bits - 1) - 1
        )


class FitsHalfAway(FixedPoint):
    def fits(self, low, high, fraction_bits, bits):
        low, high = half_away(np.array([low, high]) * 2.0**fraction_bits)
        return low >= -(2 ** (bits - 1)) and high <= 2 ** (bits - 1) - 1


class FitsOneLess(FixedPoint):
    def fits(self, low, high, fraction_bits, bits):
        return super().fits(low, high, fraction_bits + 1, bits)


class ZeroTakesAll(FixedPoint):
    def zero(self, bits):
        return 126


class NeverSaturates(FixedPoint):
    def largest_fraction_bits(self, low, high, bits):
        try:
            return super().largest_fraction_bits(low, high, bits)
        except ValueError:
            return 0


FIXED_POINT_MUTANTS = {
    FixedDecimal: checks.fixed_small_domain,
    FixedOneBitMore: checks.fixed_literals,
    FixedNarrow: checks.fixed_round_trip,
    FixedSymmetric: checks.fixed_small_domain,
    FixedUnsigned: checks.fixed_literals,
    FixedOneSaturationForAll: checks.fixed_small_domain,
    FixedTruncates: checks.fixed_codes_and_errors,
    FixedHalfAway: checks.fixed_codes_and_errors,
    FixedIncludesEqual: checks.fixed_stochastic,
    FixedInt16: checks.fixed_codes_and_errors,
    FixedValueSign: checks.fixed_literals,
    FixedValueFloat64: checks.fixed_codes_and_errors,
    FixedBoundAlwaysHalf: checks.fixed_codes_and_errors,
    FixedBoundNeverHalf: checks.fixed_error_bound_literals,
    FitsWithoutRounding: checks.fixed_largest_fraction_bits,
    FitsHighOnly: checks.fixed_largest_fraction_bits,
    FitsSymmetric: checks.fixed_largest_fraction_bits,
    FitsHalfUp: checks.fixed_largest_fraction_bits,
    FitsHalfAway: checks.fixed_largest_fraction_bits,
    FitsOneLess: checks.fixed_largest_fraction_bits,
    ZeroTakesAll: checks.fixed_largest_fraction_bits,
    NeverSaturates: checks.fixed_largest_fraction_bits,
}


@pytest.mark.parametrize("check", checks.FIXED_POINT)
def test_correct_fixed_point_passes(check):
    check(FixedPoint())


@pytest.mark.parametrize("wrong", FIXED_POINT_MUTANTS)
def test_wrong_fixed_point_is_caught(wrong):
    with pytest.raises(AssertionError):
        FIXED_POINT_MUTANTS[wrong](wrong())
