"""Tests of the tests of conventions: a stand-in that asks the oracles passes, and every planted error is caught."""

from dataclasses import fields
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from refcompress.formulas.quantization.convention import AXES, Convention
from tests.formulas.quantization.checks import affine, qparams
from tests.oracles import affine as affine_oracle
from tests.oracles import rounding as rounding_oracle

# A correct class that asks the oracles, and subclasses that ignore one axis or take one wrong step.


def unseen(c, **wrong):
    """Return the convention with other values on these axes, whether or not that is a convention."""
    if all(getattr(c, axis) == value for axis, value in wrong.items()):
        return c
    return SimpleNamespace(**({f.name: getattr(c, f.name) for f in fields(c)} | wrong))


class Affine:
    def see(self, c):
        return c

    def number(self, value, c):
        """A Python number is float32 unless the input's dtype counts."""
        return np.float32(value) if isinstance(value, float) and c.compute_dtype == "float32" else value

    def code(self, x, s, Z, qmin, qmax, c, name, u):
        return affine_oracle.code(affine_oracle.number(x), s, Z, qmin, qmax, c, name, u)

    def quantize(self, x, s, Z, qmin, qmax, c, *, rng=None):
        c = self.see(c)
        s = self.number(s, c)
        u = Fraction(float(rng.random(x.shape).flat[0])) if rng is not None else None
        name = affine_oracle.dtype_name(c, x.dtype.name, np.asarray(s).dtype.name)
        s, Z = Fraction(float(s)), Fraction(float(Z))
        codes = [self.code(value, s, Z, qmin, qmax, c, name, u) for value in x.tolist()]
        if None in codes:
            raise ValueError("x must be finite")
        types = (np.uint8, np.int8, np.uint16, np.int16)
        fitting = [t for t in types if np.iinfo(t).min <= qmin and qmax <= np.iinfo(t).max]
        return np.array(codes).astype(fitting[0] if fitting else np.int32)

    def dequantize(self, q, s, Z, c):
        c = self.see(c)
        s = self.number(s, c)
        free = c.scale_dtype == "input" and c.compute_dtype == "input"
        name = np.asarray(s).dtype.name if free else "float32"
        return np.array([float(v) for v in self.values(q.tolist(), s, Z, c, name)], name)

    def values(self, q, s, Z, c, name):
        return affine_oracle.values(q, s, Z, c, name)

    def fake_quantize(self, x, s, Z, qmin, qmax, c, *, rng=None):
        return self.dequantize(self.quantize(x, s, Z, qmin, qmax, c, rng=rng), s, Z, c)

    def choose(self, low, high, qmin, qmax, c):
        c = self.see(c)
        if isinstance(low, float) and c.range_dtype == "float32":
            low, high = np.float32(low), np.float32(high)
        given = np.asarray(low).dtype.name
        ask = qparams.oracle_choice if isinstance(c, Convention) else qparams.oracle_choice.__wrapped__
        chosen = ask(c, float(low), float(high), qmin, qmax, given)
        if chosen is None:
            raise ValueError("low must not be high")
        name = "float32" if c.compute_dtype == "float32" else given if c.range_dtype == "input" else c.range_dtype
        s, Z = chosen
        number = np.dtype(name).type
        return number(float(s)), (np.int32(int(Z)) if c.zero_point_type == "integer" else number(float(Z)))


def ignoring(**wrong):
    """Return an implementation that knows one value of these axes."""

    class Ignoring(Affine):
        def see(self, c):
            return unseen(c, **wrong)

    return Ignoring()


def swapped(axis, one, other):
    """Return an implementation that takes one value of an axis for another."""

    class Swapped(Affine):
        def see(self, c):
            return unseen(c, **{axis: other}) if getattr(c, axis) == one else c

    return Swapped()


class FusedTwice(Affine):
    """fma with two roundings."""

    def see(self, c):
        return unseen(c, quotient="reciprocal") if c.quotient == "fused" else c


class ClipsAtTheCodes(Affine):
    """Before rounding, at qmin and qmax, although Z is added after it."""

    def code(self, x, s, Z, qmin, qmax, c, name, u):
        if c.clip == "before" and c.zero_point_added == "after" and c.form == "s(q-Z)" and np.isfinite(x):
            x = float(min(max(Fraction(x), s * qmin), s * qmax))
        return super().code(x, s, Z, qmin, qmax, c, name, u)


class AddsHalfSeparately(Affine):
    """⌊fl(fl(t + Z) + ½)⌋: two sums."""

    def code(self, x, s, Z, qmin, qmax, c, name, u):
        if c.rounding != "add_half" or c.zero_point_added != "before":
            return super().code(x, s, Z, qmin, qmax, c, name, u)
        inverse = affine_oracle.divide(Fraction(1), s, name)
        t = affine_oracle.add(affine_oracle.multiply(Fraction(x), inverse, name), Z, name)
        q = rounding_oracle.to_integer(affine_oracle.add(t, Fraction(1, 2), name), "floor")
        return min(max(q, qmin), qmax)


class Wraps(Affine):
    """Codes beyond the ends wrap around."""

    def code(self, x, s, Z, qmin, qmax, c, name, u):
        q = super().code(x, s, Z, -(2**20), 2**20, unseen(c, narrow="no"), name, u)
        return q if q is None else (q - qmin) % (qmax - qmin + 1) + qmin


class InfinityIsNaN(Affine):
    def code(self, x, s, Z, qmin, qmax, c, name, u):
        return super().code(np.nan if np.isinf(x) else x, s, Z, qmin, qmax, c, name, u)


class IgnoresTheSignOfTheScale(Affine):
    def code(self, x, s, Z, qmin, qmax, c, name, u):
        return super().code(x, abs(s), Z, qmin, qmax, c, name, u)


class RoundsRealZeroPoints(Affine):
    def values(self, q, s, Z, c, name):
        return super().values(q, s, np.rint(Z) if c.zero_point_type == "real" else Z, c, name)


class RestoresInFloat64(Affine):
    """One rounding where the convention has two."""

    def values(self, q, s, Z, c, name):
        exact = [affine_oracle.value(k, Fraction(float(s)), Fraction(float(Z)), c, "float64") for k in q]
        return [rounding_oracle.to_format(v, name) for v in exact]


class DividesByTheInverse(Affine):
    """(q − Z)/s for (q − Z)·(1/s)."""

    def values(self, q, s, Z, c, name):
        if c.form != "(q-Z)/s":
            return super().values(q, s, Z, c, name)
        return [affine_oracle.divide(affine_oracle.add(Fraction(k), -Fraction(float(Z)), name),
                                     affine_oracle.kept(Fraction(float(s)), c), name) for k in q]  # fmt: skip


class RoundsTwice(Affine):
    """To an eighth of a step first: off by more than half a step beside ties."""

    def code(self, x, s, Z, qmin, qmax, c, name, u):
        if np.isfinite(x) and s:
            x = float(rounding_oracle.to_integer(Fraction(x) / s * 8, "half_even") * s / 8)
        return super().code(x, s, Z, qmin, qmax, c, name, u)


class FallsBack(Affine):
    """A code too low above the middle: neither monotone nor a round trip."""

    def code(self, x, s, Z, qmin, qmax, c, name, u):
        q = super().code(x, s, Z, qmin, qmax, c, name, u)
        return q - 1 if q is not None and q > (qmin + qmax) // 2 else q


class OneCodeMore(Affine):
    def code(self, x, s, Z, qmin, qmax, c, name, u):
        return super().code(x, s, Z, qmin, qmax + 1, c, name, u)


class DropsBack(Affine):
    """The last code wraps to the lowest."""

    def code(self, x, s, Z, qmin, qmax, c, name, u):
        q = super().code(x, s, Z, qmin, qmax, c, name, u)
        return qmin if q == qmax else q


class FakeKeepsNegativeZero(Affine):
    def fake_quantize(self, x, s, Z, qmin, qmax, c, *, rng=None):
        values = super().fake_quantize(x, s, Z, qmin, qmax, c, rng=rng)
        return np.where(values == 0, np.copysign(values, x), values).astype(values.dtype)


class FakeInFloat64(Affine):
    def fake_quantize(self, x, s, Z, qmin, qmax, c, *, rng=None):
        return super().fake_quantize(x, s, Z, qmin, qmax, c, rng=rng).astype(np.float64)


AFFINE_MUTANTS = {
    "rounding: half even for all": (ignoring(rounding="half_even"), affine.affine_literals),
    "rounding: ⌊t + ½⌋ is half up": (swapped("rounding", "add_half", "half_up"), affine.affine_add_half_is_one_sum),
    "rounding: half up is ⌊t + ½⌋": (swapped("rounding", "half_up", "add_half"), affine.affine_add_half_is_one_sum),
    "rounding: two sums": (AddsHalfSeparately(), affine.affine_add_half_is_one_sum),
    "rounding: twice": (RoundsTwice(), affine.affine_error_within_bound),
    "quotient: always divides": (swapped("quotient", "reciprocal", "divide"), affine.affine_divides_or_multiplies),
    "quotient: never divides": (swapped("quotient", "divide", "reciprocal"), affine.affine_divides_or_multiplies),
    "quotient: fused with two roundings": (FusedTwice(), affine.affine_divides_or_multiplies),
    "quotient: divided by codes per unit": (swapped("quotient", "multiply", "divide"), affine.affine_literals),
    "zero_point_added: always after": (swapped("zero_point_added", "before", "after"), affine.affine_literals),
    "zero_point_added: always before": (swapped("zero_point_added", "after", "before"), affine.affine_literals),
    "zero_point_added: not shifted": (
        swapped("zero_point_added", "shifted", "after"), affine.affine_computes_in_its_dtype),
    "clip: at the codes": (ClipsAtTheCodes(), affine.affine_literals),
    "clip: none": (Wraps(), affine.affine_literals),
    "clip: one code more": (OneCodeMore(), affine.affine_literals),
    "nonfinite: saturates for all": (ignoring(nonfinite="saturate"), affine.affine_specials),
    "nonfinite: NaN is the lowest": (swapped("nonfinite", "nan_high", "nan_low"), affine.affine_specials),
    "nonfinite: NaN is the lowest, not 0": (swapped("nonfinite", "nan_zero", "nan_low"), affine.affine_specials),
    "nonfinite: infinity is NaN": (InfinityIsNaN(), affine.affine_specials),
    "nonfinite: beyond int64 saturates": (swapped("nonfinite", "int64", "nan_low"), affine.affine_specials),
    "nonfinite: infinity passes": (swapped("nonfinite", "error", "saturate"), affine.affine_specials),
    "compute_dtype: float32 for all": (ignoring(compute_dtype="float32"), affine.affine_computes_in_its_dtype),
    "form: one for all": (ignoring(form="s(q-Z)"), affine.affine_literals),
    "form: Z added": (swapped("form", "s(q-Z)", "s(q+Z)"), affine.affine_literals),
    "form: divided by s": (DividesByTheInverse(), affine.affine_values_match_the_oracle),
    "form: restored in float64": (RestoresInFloat64(), affine.affine_values_match_the_oracle),
    "zero_point_type: integers for all": (RoundsRealZeroPoints(), affine.affine_literals),
    "narrow: never": (ignoring(narrow="no"), affine.affine_narrow),
    "narrow: the other end": (swapped("narrow", "high", "low"), affine.affine_narrow),
    "scale: its sign ignored": (IgnoresTheSignOfTheScale(), affine.affine_signed_scales),
    "scale_dtype: kept as it is": (ignoring(scale_dtype="input"), affine.affine_values_match_the_oracle),
    "scale_dtype: float32 for all": (
        swapped("scale_dtype", "input", "float32"), affine.affine_values_match_the_oracle),
    "codes fall back": (FallsBack(), affine.affine_round_trip),
    "codes are not monotone": (DropsBack(), affine.affine_literals),
    "codes are half a step off": (swapped("rounding", "half_even", "floor"), affine.affine_error_within_bound),
    "codes are off the ideal": (
        swapped("rounding", "half_even", "ceil"), affine.affine_floats_stay_beside_the_ideal),
    "fake −0": (FakeKeepsNegativeZero(), affine.affine_fake_is_dequantize_of_quantize),
    "fake in float64": (FakeInFloat64(), affine.affine_fake_is_dequantize_of_quantize),
    "zero is not kept": (FallsBack(), affine.affine_zero_is_exact),
}  # fmt: skip

# Those whose expected values are no oracle's.
AFFINE_PROPERTIES = (
    affine.affine_literals,
    affine.affine_add_half_is_one_sum,
    affine.affine_specials,
    affine.affine_signed_scales,
    affine.affine_narrow,
    affine.affine_clip_commutes,
    affine.affine_error_within_bound,
    affine.affine_zero_is_exact,
    qparams.qparams_literals,
    qparams.qparams_of_empty_ranges,
    qparams.qparams_cover_the_range,
)


class ZeroPointOutside(Affine):
    """Z is not clipped to the codes."""

    def choose(self, low, high, qmin, qmax, c):
        s, Z = super().choose(low, high, qmin, qmax, c)
        if c.zero_point in ("rounded_quotient", "rounded_difference"):
            Z = np.int32(np.rint(qmin - float(low) / float(s)))
        return s, Z


class SameScaleForTheNextCode(Affine):
    """Divides by the number of codes, not of steps."""

    def choose(self, low, high, qmin, qmax, c):
        return super().choose(low, high, qmin, qmax + 1, c)


QPARAMS_MUTANTS = {
    **{
        f"scale: {other} for {one}": (swapped("scale", one, other), qparams.qparams_literals)
        for one, other in (
            ("symmetric_qmax", "symmetric_half"),
            ("symmetric_half", "symmetric_qmax"),
            ("symmetric_qmin", "symmetric_qmax"),
            ("signed", "symmetric_qmin"),
            ("both_ends", "symmetric_qmin"),
            ("mirrored", "asymmetric"),
            ("inverse_width", "asymmetric"),
        )
    },
    "scale: inverse_absmax by the width": (
        swapped("scale", "inverse_absmax", "inverse_width"), qparams.qparams_match_the_oracle),
    "scale: one step too many": (SameScaleForTheNextCode(), qparams.qparams_literals),
    "zero_point: rounded before": (
        swapped("zero_point", "rounded_difference", "rounded_quotient"), qparams.qparams_on_ties),
    "zero_point: rounded after": (
        swapped("zero_point", "rounded_quotient", "rounded_difference"), qparams.qparams_on_ties),
    "zero_point: always from low": (
        swapped("zero_point", "nearer_end", "rounded_difference"), qparams.qparams_on_ties),
    "zero_point: 0 for the middle": (swapped("zero_point", "middle", "zero"), qparams.qparams_match_the_oracle),
    "zero_point: outside of the codes": (ZeroPointOutside(), qparams.qparams_match_the_oracle),
    "zero_point_rounding: half even": (ignoring(zero_point_rounding="half_even"), qparams.qparams_on_ties),
    "zero_point_from: the rounded scale": (
        swapped("zero_point_from", "unrounded_scale", "rounded_scale"), qparams.qparams_on_ties),
    "zero_point_from: not in float64": (
        swapped("zero_point_from", "float64", "rounded_scale"), qparams.qparams_on_ties),
    "zero_point_from: not through float32": (
        swapped("zero_point_from", "float64_to_float32", "float64"), qparams.qparams_on_ties),
    "zero_range: always 1": (ignoring(zero_range="one"), qparams.qparams_of_empty_ranges),
    "zero_range: normal numbers ignored": (
        swapped("zero_range", "one_below_normal", "one"), qparams.qparams_of_small_ranges),
    "zero_range: only empty grows": (swapped("zero_range", "grown", "unit_ends"), qparams.qparams_of_small_ranges),
    "zero_range: small scales stay": (swapped("zero_range", "tenth", "one"), qparams.qparams_of_small_ranges),
    "zero_range: small widths stay": (
        swapped("zero_range", "one_below_1e-4", "one"), qparams.qparams_of_small_ranges),
    "include_zero: always": (ignoring(include_zero="yes"), qparams.qparams_match_the_oracle),
    "include_zero: both ends": (swapped("include_zero", "low", "yes"), qparams.qparams_match_the_oracle),
    "include_zero: never": (ignoring(include_zero="no"), qparams.qparams_cover_the_range),
    "smallest_range: none": (ignoring(smallest_range=0.0), qparams.qparams_literals),
    "smallest_scale: none": (ignoring(smallest_scale=0.0), qparams.qparams_literals),
    "nudge: none": (ignoring(nudge="zero_point"), qparams.qparams_literals),
    "narrow: never": (ignoring(narrow="no"), qparams.qparams_literals),
    "narrow: the other end": (swapped("narrow", "high", "low"), qparams.qparams_match_the_oracle),
    "range_dtype: float32 for all": (ignoring(range_dtype="float32"), qparams.qparams_on_ties),
    "compute_dtype: s in float32": (ignoring(compute_dtype="float32"), qparams.qparams_in_float64),
    "form: the sign of Z": (swapped("form", "s(q+Z)", "s(q-Z)"), qparams.qparams_literals),
}  # fmt: skip


@pytest.mark.parametrize("check", AFFINE_PROPERTIES)
def test_correct_affine_passes(check):
    check(Affine())


@pytest.mark.parametrize("name", AFFINE_MUTANTS)
def test_wrong_affine_is_caught(name):
    wrong, check = AFFINE_MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)


@pytest.mark.parametrize("name", QPARAMS_MUTANTS)
def test_wrong_qparams_is_caught(name):
    wrong, check = QPARAMS_MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)


def test_every_axis_has_a_mutant():
    named = {name.split(":")[0] for name in (*AFFINE_MUTANTS, *QPARAMS_MUTANTS)}
    assert set(AXES) <= named
