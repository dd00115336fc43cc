"""Tests of the tests: every error planted in the package's module fails the check named beside it."""

import numpy as np
import pytest

from refcompress.formulas.quantization import decimal, fixed_point, rounding, uniform
from tests.formulas.planted import planted
from tests.formulas.quantization.checks import decimal as decimal_checks
from tests.formulas.quantization.checks import fixed_point as fixed_checks
from tests.formulas.quantization.checks import rounding as rounding_checks
from tests.formulas.quantization.checks import uniform as uniform_checks
from tests.formulas.quantization.checks.common import Draws

# Rounding: one function of t and the generator.


def rounding_with(wrong_rule, function):
    """Return an `apply` of which one rule is wrong."""

    def apply(t, rule="half_even", rng=None):
        return function(t, rng) if rule == wrong_rule else rounding.apply(t, rule, rng)

    return apply


def add_half_away(t, rng):
    with np.errstate(over="ignore"):
        return np.trunc(t + np.copysign(t.dtype.type(0.5), t))


def one_draw(t, rng):
    return rounding.apply(t, "stochastic", Draws(np.full(t.shape, rng.random(()))))


def no_nan(t, rule="half_even", rng=None):
    return np.nan_to_num(rounding.apply(t, rule, rng))


def in_place(t, rule="half_even", rng=None):
    t[...] = rounding.apply(t, rule, rng)
    return t


ROUNDING_MUTANTS = {
    "half_away adds ½: ½ − ulp": (rounding_with("half_away", add_half_away), rounding_checks.rounding_beside_ties),
    "half_away adds ½: 2^52 + 1": (
        rounding_with("half_away", add_half_away),
        rounding_checks.rounding_of_large_numbers,
    ),
    "floor is half_even": (
        rounding_with("floor", lambda t, rng: np.rint(t)),
        rounding_checks.rounding_of_small_numbers,
    ),
    "ceil is floor + 1": (rounding_with("ceil", lambda t, rng: np.floor(t) + 1), rounding_checks.rounding_of_quarters),
    "one draw for all": (rounding_with("stochastic", one_draw), rounding_checks.rounding_draws_once_per_element),
    "NaN becomes 0": (no_nan, rounding_checks.rounding_of_infinity_and_nan),
}


@pytest.mark.parametrize("name", ROUNDING_MUTANTS)
def test_wrong_rounding_is_caught(name):
    wrong, check = ROUNDING_MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)


def test_rounding_in_place_is_caught():
    with pytest.raises(ValueError, match="read-only"):
        rounding_checks.rounding_of_quarters(in_place)


# The quantizers.


def quantize_with(module, wrong_rounding):
    """The module with a quantize whose rule and generator are wrong_rounding(rule, generator, shape)."""

    def quantize(w, *arguments, rounding="half_even", rng=None):
        rule, generator = wrong_rounding(rounding, rng, np.shape(w))
        return module.quantize(w, *arguments, rounding=rule, rng=generator)

    return planted(module, quantize=quantize)


def half_away(rule, rng, shape):
    return "half_away" if rule == "half_even" else rule, rng


def not_stochastic(rule, rng, shape):
    return ("half_even", None) if rule == "stochastic" else (rule, rng)


def seeded(rule, rng, shape):
    return rule, rng and np.random.default_rng(0)


def equal_goes_up(rule, rng, shape):
    """⌊t⌋ + 1 where u ≤ t − ⌊t⌋, not <."""
    return rule, rng and Draws(np.nextafter(rng.random(shape), -1))


def changed(function, change):
    """The function with change(result, *arguments)."""
    return lambda *arguments, **options: change(function(*arguments, **options), *arguments)


def always_half(module):
    return planted(module, error_bound=lambda step, rounding="half_even": module.error_bound(step))


def never_half(module):
    return planted(module, error_bound=lambda step, rounding="half_even": module.error_bound(step, "floor"))


def only_two_are_nearest(s, rounding="half_even"):
    return uniform.error_bound(s, rounding if rounding in ("half_even", "half_away") else "floor")


def scale_in_float64(low, high, bits):
    wide = (np.asarray(high, np.float64) - low) / (2**bits - 1)
    s, z = uniform.scale_and_offset(low, high, bits)
    return np.where(low == high, s, wide.astype(s.dtype))[()], z


def underflow_passes(low, high, bits):
    low = np.asarray(low)
    return np.where(low == high, 1, (high - low) / low.dtype.type(2**bits - 1))[()], low[()]


def one_scale_for_all_channels(low, high, bits):
    s, z = uniform.scale_and_offset(low.min(), high.max(), bits)
    return np.full_like(low, s), np.full_like(low, z)


def quotient_in_float32(w, s, z, bits, **options):
    return uniform.quantize(w.astype(np.float32), np.float32(s), np.float32(z), bits, **options)


def codes_up_to_the_power(w, s, z, bits, **options):
    return np.minimum(uniform.quantize(w, s, z, min(bits + 1, 16), **options), 2**bits)


def quantize_then(change):
    return planted(uniform, quantize=changed(uniform.quantize, change))


def slack_by(change):
    return planted(uniform, float_slack=changed(uniform.float_slack, change))


def rounded(w, s, z, rule, rng):
    with np.errstate(over="ignore"):
        return rounding.apply(np.asarray((w - z) / s), rule, rng)


def fake_with(function):
    """The module with fake_quantize(w, s, z, bits, rule, rng) by this function."""

    def fake_quantize(w, s, z, bits, *, rounding="half_even", rng=None):
        with np.errstate(over="ignore"):
            return function(w, s, z, bits, rounding, rng)

    return planted(uniform, fake_quantize=fake_quantize)


def own_fake(w, s, z, bits, rule, rng):
    return uniform.fake_quantize(w, s, z, bits, rounding=rule, rng=rng)


def clipped_as_weights(w, s, z, bits, rule, rng):
    """Clipping w instead of its code: where the ends lie between floats the last step is lost or gained."""
    inside = np.clip(w, z, z + s * s.dtype.type(2**bits - 1))
    return rounded(inside, s, z, rule, rng).astype(s.dtype) * s + z


def fused(w, s, z, bits, rule, rng):
    """One rounding for the product and the sum."""
    q = uniform.quantize(w, s, z, bits, rounding=rule, rng=rng)
    return (q * np.float64(s) + np.float64(z)).astype(s.dtype)


def negative_zero(w, s, z, bits, rule, rng):
    return np.clip(rounded(w, s, z, rule, rng), 0, 2**bits - 1) * s + z


UNIFORM_MUTANTS = {
    "scale: in float64": (
        planted(uniform, scale_and_offset=scale_in_float64), uniform_checks.uniform_scale_matches_the_oracle),
    "scale: underflow passes": (
        planted(uniform, scale_and_offset=underflow_passes), uniform_checks.uniform_scale_of_subnormal_widths),
    "scale: one for all channels": (
        planted(uniform, scale_and_offset=one_scale_for_all_channels), uniform_checks.uniform_scale_per_channel),
    "offset added": (
        planted(uniform, quantize=lambda w, s, z, bits, **options: uniform.quantize(w, s, -z, bits, **options)),
        uniform_checks.uniform_small_domain),
    "offset subtracted": (
        planted(uniform, dequantize=lambda q, s, z: uniform.dequantize(q, s, -z)),
        uniform_checks.uniform_dequantize_matches_the_oracle),
    "quotient in float32": (planted(uniform, quantize=quotient_in_float32), uniform_checks.uniform_promotes),
    "stochastic: ignored": (quantize_with(uniform, not_stochastic), uniform_checks.uniform_stochastic),
    "stochastic: seeded": (quantize_with(uniform, seeded), uniform_checks.uniform_stochastic),
    "stochastic: ≤": (quantize_with(uniform, equal_goes_up), uniform_checks.uniform_stochastic),
    "codes up to 2^b": (planted(uniform, quantize=codes_up_to_the_power), uniform_checks.uniform_saturates),
    "codes up to 2^b − 2": (
        quantize_then(lambda q, w, s, z, bits: np.minimum(q, max(2**bits - 2, 1)).astype(q.dtype)),
        uniform_checks.uniform_per_channel),
    "codes from 1": (
        quantize_then(lambda q, *arguments: np.maximum(q, 1)),
        uniform_checks.uniform_more_bits_can_raise_an_error),
    "codes always uint16": (
        quantize_then(lambda q, *arguments: q.astype(np.uint16)), uniform_checks.uniform_codes_are_exact),
    "bound: always half": (always_half(uniform), uniform_checks.uniform_error_within_bound),
    "bound: never half": (never_half(uniform), uniform_checks.uniform_error_bound_literals),
    "bound: half_up is not nearest": (
        planted(uniform, error_bound=only_two_are_nearest), uniform_checks.uniform_error_bound_literals),
    "slack: none": (slack_by(lambda slack, *arguments: 0 * slack), uniform_checks.uniform_error_within_bound),
    "slack: of float64": (
        slack_by(lambda slack, s, *_: slack * s.dtype.type(2.0**-53 / (np.finfo(s.dtype).eps / 2))),
        uniform_checks.uniform_error_within_bound),
    "slack: without the offset": (
        slack_by(lambda slack, s, z, bits: uniform.float_slack(s, 0 * z, bits)),
        uniform_checks.uniform_error_within_bound),
    "slack: of one step": (
        slack_by(lambda slack, s, z, bits: uniform.float_slack(s, z, 1)), uniform_checks.uniform_error_within_bound),
    "slack: huge": (slack_by(lambda slack, *arguments: 16 * slack), uniform_checks.uniform_slack_is_not_silly),
    "slack: the largest channel's": (
        slack_by(lambda slack, *arguments: np.full_like(slack, slack.max())),
        uniform_checks.uniform_slack_per_channel),
    "fake: in the dtype of s": (
        fake_with(lambda w, s, *others: own_fake(w.astype(s.dtype), s, *others)),
        uniform_checks.uniform_fake_matches_the_oracle),
    "fake: in the widest dtype": (
        fake_with(lambda w, s, z, *others: own_fake(w, s, z, *others).astype(np.result_type(w, s, z))),
        uniform_checks.uniform_fake_matches_the_oracle),
    "fake: not clipped": (
        fake_with(lambda w, s, z, bits, rule, rng: rounded(w, s, z, rule, rng) * s + z),
        uniform_checks.uniform_fake_saturates),
    "fake: clipped as weights": (fake_with(clipped_as_weights), uniform_checks.uniform_fake_matches_the_oracle),
    "fake: fused": (fake_with(fused), uniform_checks.uniform_fake_matches_the_oracle),
    "fake: −0": (fake_with(negative_zero), uniform_checks.uniform_fake_has_the_codes_zero),
    "fake: of one channel": (
        fake_with(lambda w, s, z, *others: own_fake(w, s.ravel()[:1], z.ravel()[:1], *others)),
        uniform_checks.uniform_fake_per_channel),
    "fake: draws itself": (
        fake_with(lambda w, s, z, bits, rule, rng: own_fake(w, s, z, bits, rule, rng and np.random.default_rng(0))),
        uniform_checks.uniform_fake_per_channel),
}  # fmt: skip


def limited(limit):
    """The codes of float64 by hand, and how large they may be."""

    def quantize(w, places, *, rounding="half_even", rng=None):
        t = w.astype(np.float64) * 10.0**places
        if (np.abs(t) > limit).any():
            raise ValueError("too large")
        return np.rint(t).astype(np.int64)

    return planted(decimal, quantize=quantize)


def divides_by_the_power(q, places, dtype=np.float64):
    return q.astype(dtype) / np.dtype(dtype).type(10.0**places)


def value_in_float64(q, places, dtype=np.float64):
    return (10.0**-places * q).astype(dtype)


def decimal_slack_by(change):
    return planted(decimal, float_slack=changed(decimal.float_slack, change))


DECIMAL_MUTANTS = {
    "half away": (quantize_with(decimal, half_away), decimal_checks.decimal_small_domain),
    "stochastic: ≤": (quantize_with(decimal, equal_goes_up), decimal_checks.decimal_stochastic),
    "limit: none": (limited(np.inf), decimal_checks.decimal_largest_codes),
    "limit: of int64": (limited(2.0**63), decimal_checks.decimal_largest_codes),
    "limit: excluded": (limited(2.0**53 - 1), decimal_checks.decimal_largest_codes),
    "value: divided": (
        planted(decimal, dequantize=divides_by_the_power), decimal_checks.decimal_dequantize_matches_the_oracle),
    "value: in float64": (
        planted(decimal, dequantize=value_in_float64), decimal_checks.decimal_dequantize_matches_the_oracle),
    "bound: always half": (always_half(decimal), decimal_checks.decimal_error_bound_literals),
    "bound: never half": (never_half(decimal), decimal_checks.decimal_error_bound_literals),
    "slack: none": (decimal_slack_by(lambda slack, *_: 0 * slack), decimal_checks.decimal_codes_and_errors),
    "slack: of float64": (
        decimal_slack_by(lambda slack, w, places: slack * w.dtype.type(2.0**-53 / (np.finfo(w.dtype).eps / 2))),
        decimal_checks.decimal_codes_and_errors),
    "slack: huge": (decimal_slack_by(lambda slack, *_: 16 * slack), decimal_checks.decimal_slack_is_not_silly),
    "slack: signed": (
        decimal_slack_by(lambda slack, w, places: np.copysign(slack, w)), decimal_checks.decimal_codes_and_errors),
}  # fmt: skip


def decimal_powers(w, fraction_bits, bits, **options):
    return fixed_point.quantize(w * w.dtype.type(5) ** fraction_bits, fraction_bits, bits, **options)


def fits_half_up(low, high, bits):
    """The last f at which both ends, rounded half up, are codes."""
    if low == high == 0:
        return bits - 1
    for f in range(126, -1, -1):
        if np.floor(low * 2.0**f + 0.5) >= -(2 ** (bits - 1)) and np.floor(high * 2.0**f + 0.5) <= 2 ** (bits - 1) - 1:
            return f
    raise ValueError("saturates")


def never_saturates(low, high, bits):
    try:
        return fixed_point.largest_fraction_bits(low, high, bits)
    except ValueError:
        return 0


def fixed_with(change):
    return planted(fixed_point, quantize=changed(fixed_point.quantize, change))


FIXED_POINT_MUTANTS = {
    "powers of 10": (planted(fixed_point, quantize=decimal_powers), fixed_checks.fixed_small_domain),
    "one bit more": (
        planted(fixed_point, quantize=lambda w, f, bits, **options: fixed_point.quantize(2 * w, f, bits, **options)),
        fixed_checks.fixed_per_channel),
    "narrow": (
        fixed_with(lambda q, w, f, bits: np.maximum(q, min(-(2 ** (bits - 1)) + 1, -1)).astype(q.dtype)),
        fixed_checks.fixed_saturates),
    "stochastic: ≤": (quantize_with(fixed_point, equal_goes_up), fixed_checks.fixed_stochastic),
    "codes always int16": (
        fixed_with(lambda q, *arguments: q.astype(np.int16)), fixed_checks.fixed_codes_and_errors),
    "bound: always half": (always_half(fixed_point), fixed_checks.fixed_codes_and_errors),
    "bound: never half": (never_half(fixed_point), fixed_checks.fixed_error_bound_literals),
    "ends half up": (
        planted(fixed_point, largest_fraction_bits=fits_half_up), fixed_checks.fixed_largest_fraction_bits),
    "ends never saturate": (
        planted(fixed_point, largest_fraction_bits=never_saturates), fixed_checks.fixed_largest_fraction_bits),
}  # fmt: skip

MUTANTS = {
    f"{stem} {name}": pair
    for stem, pairs in (
        ("uniform", UNIFORM_MUTANTS),
        ("decimal", DECIMAL_MUTANTS),
        ("fixed_point", FIXED_POINT_MUTANTS),
    )
    for name, pair in pairs.items()
}


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_quantizer_is_caught(name):
    wrong, check = MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)
