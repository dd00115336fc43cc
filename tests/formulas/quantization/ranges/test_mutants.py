"""Tests of the tests: every error planted in the package's module fails the check named beside it."""

import math

import numpy as np
import pytest

from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.ranges import (
    aciq,
    entropy,
    histogram,
    least_error,
    min_max,
    moving_average,
    percentile,
    power_of_two,
)
from tests.formulas.planted import planted
from tests.formulas.quantization.ranges import checks


def first_row_only(x):
    return np.atleast_2d(x)[0].min(), x.max()


def two_products(average, x, c=0.01, *, include_zero=False):
    ends = moving_average.update(None, x, c, include_zero=include_zero)
    if average is None:
        return ends
    c = x.dtype.type(c)
    return tuple((1 - c) * m + c * end for m, end in zip(average, ends, strict=True))


def no_refusal(*arguments, **options):
    """k = 0 is 1 where there is a k."""
    try:
        return percentile.percentile(*arguments, **options)
    except ValueError:
        x = np.asarray(arguments[0])
        return x.min(), x.min()


def not_interpolated(x, p, method="kth", *, low_p=None):
    if method == "kth":
        return percentile.percentile(x, p, method, low_p=low_p)
    return tuple(np.percentile(x, [100 - p if low_p is None else low_p, p], method="lower"))


def floor_plus_one(absmax, qmax, rounding="ceil"):
    s = power_of_two.scale(absmax, qmax, rounding)
    with np.errstate(over="ignore"):
        return np.where((s * s.dtype.type(qmax) == absmax) & (rounding == "ceil"), 2 * s, s)


def quotient_in_float32(absmax, qmax, rounding="ceil"):
    absmax = np.asarray(absmax)
    quotient = absmax.astype(np.float32) / np.float32(qmax)
    return power_of_two.scale(quotient, 1.0, rounding).astype(absmax.dtype)


def searching(better):
    """The module with a search that takes a candidate if better(its error, the least so far)."""

    def search(x, qmin, qmax, convention, norm=2.4, grid=100, max_shrink=0.8):
        best, least = None, math.inf
        for i in range(int(max_shrink * grid)):
            ends = (1 - i / grid) * x.min(), (1 - i / grid) * x.max()
            s, Z = affine.choose(*ends, qmin, qmax, convention)
            difference = affine.fake_quantize(x, s, Z, qmin, qmax, convention).astype(np.float64) - x
            error = float((np.abs(difference) ** norm).sum())
            if better(error, least):
                best, least = ends, error
        return best

    return planted(least_error, search=search)


def one_candidate_more(x, qmin, qmax, convention, norm=2.4, grid=100, max_shrink=0.8):
    count = int(max_shrink * grid) + 1
    return least_error.search(x, qmin, qmax, convention, norm, grid, min((count + 0.5) / grid, 1.0))


def always_squares(x, qmin, qmax, convention, norm=2.4, grid=100, max_shrink=0.8):
    return least_error.search(x, qmin, qmax, convention, 2.0, grid, max_shrink)


def old_counts_stay(x, seen=None, *, bins=2048):
    """Old counts in their old bins, though the range is wider."""
    if seen is None:
        return histogram.collect(x, bins=bins)
    ends = np.append(x.ravel(), [seen.low, seen.high]).astype(np.float32)
    both = histogram.collect(ends, bins=bins)
    extra = histogram.collect(ends[-2:], both, bins=bins)
    return both._replace(counts=2 * both.counts - extra.counts + seen.counts)


def ddof_for_laplace(x, bits, distribution="laplace", *, positive=False, ddof=0, factors=None):
    low, high = aciq.clip(x, bits, distribution, positive=positive, ddof=ddof, factors=factors)
    if distribution != "laplace" or not ddof:
        return low, high
    middle, more = (low if positive else (low + high) / 2), x.size / (x.size - ddof)
    return tuple(x.dtype.type(middle + (end - middle) * more) for end in (low, high))


MUTANTS = {
    "the first row's minimum": (planted(min_max, min_max=first_row_only), checks.min_max_of_extreme_arrays),
    "(1 − c)·m + c·x": (planted(moving_average, update=two_products), checks.moving_average_rounds_every_step),
    "k = 0 is 1": (planted(percentile, percentile=no_refusal), checks.percentile_kth_matches_the_oracle),
    "h is cut off": (
        planted(percentile, percentile=not_interpolated),
        checks.percentile_interpolated_matches_the_oracle,
    ),
    "floor + 1 for ceil": (planted(power_of_two, scale=floor_plus_one), checks.power_of_two_at_every_power),
    "a quotient in float32": (
        planted(power_of_two, scale=quotient_in_float32),
        checks.power_of_two_matches_the_oracle,
    ),
    "ties go to the smaller range": (
        searching(lambda error, least: error <= least),
        checks.least_error_ties_go_to_the_larger_range,
    ),
    "a gain must be a tenth": (
        searching(lambda error, least: error < 0.9 * least),
        checks.least_error_matches_the_oracle,
    ),
    "a candidate more": (planted(least_error, search=one_candidate_more), checks.least_error_default_grid),
    "squares for every norm": (planted(least_error, search=always_squares), checks.least_error_norms_differ),
    "a batch forgets the ones before": (
        planted(histogram, collect=lambda x, seen=None, *, bins=2048: histogram.collect(x, bins=bins)),
        checks.histogram_collect_matches_the_oracle,
    ),
    "old counts stay in their bins": (
        planted(histogram, collect=old_counts_stay),
        checks.histogram_collect_matches_the_oracle,
    ),
    "twice the levels": (
        planted(histogram, search=lambda found, levels=256: histogram.search(found, 2 * levels)),
        checks.histogram_search_matches_the_oracle,
    ),
    "the whole range": (
        planted(entropy, threshold=lambda x, bins=2048, target_bins=128: (x.min(), x.max())),
        checks.entropy_cuts_means_off,
    ),
    "ddof for Laplace": (planted(aciq, clip=ddof_for_laplace), checks.aciq_clip_matches_the_oracle),
    "a bit more": (
        planted(aciq, factor=lambda bits, *arguments, **options: aciq.factor(bits + 1, *arguments, **options)),
        checks.aciq_factor_matches_the_oracle,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_planted_error_is_caught(name):
    wrong, check = MUTANTS[name]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(wrong)


@pytest.mark.parametrize("check", checks.LEAST_ERROR)
def test_the_search_without_an_error_passes(check):
    check(searching(lambda error, least: error < least))


def test_a_smoothing_of_the_package_dropped(monkeypatch):
    """Almost none: ε of 10⁻³⁰ is another divergence wherever a bin of Q is empty."""
    monkeypatch.setattr(entropy, "SMOOTHING", 1e-30)
    with pytest.raises(AssertionError):
        checks.entropy_matches_the_oracle(planted(entropy))
