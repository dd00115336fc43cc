"""What every implementation of the rules for a range must satisfy.

Every function takes the implementation (a module, or anything with the same names) and asserts; test_<stem>.py gives it
the package's module, test_mutants.py wrong ones. Expected values are literals or come from the exact oracles.
"""

import math
from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
import pytest

from tests.formulas.quantization.checks.common import DTYPES, exact, frozen
from tests.oracles import aciq as aciq_oracle
from tests.oracles import entropy as entropy_oracle
from tests.oracles import histogram as histogram_oracle
from tests.oracles import least_error as least_error_oracle
from tests.oracles import min_max as min_max_oracle
from tests.oracles import moving_average as moving_average_oracle
from tests.oracles import percentile as percentile_oracle
from tests.oracles import power_of_two as power_of_two_oracle

candidates, searched = cache(entropy_oracle.candidates), cache(histogram_oracle.search)  # mutants ask again
best_factor = cache(aciq_oracle.factor)


def fractions(x):
    """The exact values of an array, in row-major order."""
    return [exact(v) for v in np.asarray(x).ravel()]


def is_range(ends, low, high, dtype):
    """Both ends have the dtype and these values."""
    assert isinstance(ends, tuple)
    assert [np.ndim(end) for end in ends] == [0, 0]
    assert [end.dtype for end in ends] == [dtype, dtype]
    assert [float(end) for end in ends] == [float(low), float(high)]


def extreme_arrays(dtype):
    """Name and array: constant, all zero, one element, subnormal, the largest numbers, and shapes of their own."""
    info = np.finfo(dtype)
    tiny, large = info.smallest_subnormal, info.max
    return {
        "constant": frozen(np.full((2, 3), -0.75), dtype),
        "zero": frozen(np.zeros(5), dtype),
        "both zeros": frozen([-0.0, 0.0], dtype),
        "one element": frozen([[[2.5]]], dtype),
        "a scalar": frozen(-2.5, dtype),
        "subnormal": frozen([3 * tiny, -tiny, 0, 2 * tiny], dtype),
        "huge": frozen([large, -large, large / 2], dtype),
        "all positive": frozen([[1, 4, 2], [3, 9, 5]], dtype),
        "all negative": frozen([-1, -4, -2], dtype),
        "strided": frozen(np.arange(24).reshape(2, 3, 4) - 11, dtype).transpose(2, 0, 1)[::-2, :, 1:],
    }


def refuses_what_is_no_finite_float_array(call):
    """What every rule says of an x that is empty, not finite, or of another dtype."""
    for wrong in (np.float16, np.int32, bool, np.complex128):
        with pytest.raises(TypeError, match=rf"^x must be float32 or float64, got {np.dtype(wrong).name}"):
            call(np.ones(3, wrong))
    for shape in ((0,), (3, 0)):
        with pytest.raises(ValueError, match=rf"^x must not be empty, got shape \({shape[0]},"):
            call(np.zeros(shape, np.float32))
    for bad in (np.nan, np.inf, -np.inf):
        x = np.ones((2, 3), np.float32)
        x[1, 2] = bad
        with pytest.raises(ValueError, match=rf"^x must be finite, got {bad} at index \(1, 2\)"):
            call(x)


# min_max


def min_max_of_extreme_arrays(m):
    for dtype in DTYPES:
        for x in extreme_arrays(dtype).values():
            values = x.ravel().tolist()
            is_range(m.min_max(x), *min_max_oracle.min_max(values), dtype)
            largest = m.absolute_maximum(x)
            assert largest.dtype == dtype
            assert float(largest) == min_max_oracle.absolute_maximum(values)


MIN_MAX = (min_max_of_extreme_arrays,)


# moving_average


def moving_average_rounds_every_step(m):
    """Bit for bit fl(m + fl(fl(c)·fl(x − m))), batch after batch, from both kinds of a start."""
    for dtype in DTYPES:
        name, rng = np.dtype(dtype).name, np.random.default_rng(5)
        for c, include_zero, start in ((0.01, False, None), (1 - 0.999, True, (-6, 6)), (0.3, True, None)):
            state = None if start is None else (dtype(start[0]), dtype(start[1]))
            expected = None if start is None else (Fraction(start[0]), Fraction(start[1]))
            for _ in range(20):
                x = frozen(rng.normal(2, 1, (3, 4)), dtype)
                state = m.update(state, x, c, include_zero=include_zero)
                expected = moving_average_oracle.update(expected, fractions(x), Fraction(c), name, include_zero)
                is_range(state, *expected, dtype)


MOVING_AVERAGE = (moving_average_rounds_every_step,)


# percentile


def percentile_kth_matches_the_oracle(m):
    """All sizes up to 12, and percentages whose float64 products fall on both sides of integers and halves."""
    rng = np.random.default_rng(1)
    for n in (*range(1, 13), 100, 200):
        x = frozen(rng.permutation(n) - n // 2, np.float32)
        for p in (50, 55, 57, 58, 62.5, 75, 83.3, 93, 95, 99, 99.99, 100):
            for low_p in (None, 0.1, 7, 14, 28, 29):
                below = 100.0 - p if low_p is None else low_p
                low = percentile_oracle.kth(x.tolist(), percentile_oracle.low_k(below, n))
                high = percentile_oracle.kth(x.tolist(), percentile_oracle.high_k(p, n))
                if low is None:
                    with pytest.raises(ValueError, match=r"k = 0"):
                        m.percentile(x, p, low_p=low_p)
                else:
                    is_range(m.percentile(x, p, low_p=low_p), low, high, np.float32)
                    sizes = [abs(v) for v in x.tolist()]
                    largest = percentile_oracle.kth(sizes, percentile_oracle.high_k(p, n))
                    assert float(m.absolute(x, p)) == largest


def interpolation_slack(x, dtype):
    """What rounding can add to the exact interpolation.

    In float64, u = 2⁻⁵³: p/100 and h are rounded, so that h − ⌊h⌋ errs by 2u·n; this, times the gap of at most twice
    the largest magnitude, and four roundings of numbers of at most that size. The result is rounded once to the dtype.
    """
    largest = max(abs(v) for v in fractions(x))
    u = Fraction(1, 2**53)
    last = Fraction(float(np.finfo(dtype).eps)) / 2 * largest + Fraction(float(np.finfo(dtype).smallest_subnormal))
    return (4 * u * x.size + 8 * u) * largest + last


def percentile_interpolated_matches_the_oracle(m):
    rng = np.random.default_rng(2)
    for dtype in DTYPES:
        for n in (1, 2, 3, 7, 40):
            x = frozen(rng.normal(size=n), dtype)
            slack = interpolation_slack(x, dtype)
            for p in (50, 62.5, 77.7, 90, 99.9, 100):
                ends = m.percentile(x, p, "interpolated")
                for end, percent in zip(ends, (100.0 - p, p), strict=True):
                    assert abs(exact(end) - percentile_oracle.interpolated(x.tolist(), percent)) <= slack
                size = exact(m.absolute(x, p, "interpolated"))
                assert abs(size - percentile_oracle.interpolated(np.abs(x).tolist(), p)) <= slack


PERCENTILE = (
    percentile_kth_matches_the_oracle,
    percentile_interpolated_matches_the_oracle,
)


# power_of_two


def power_of_two_at_every_power(m):
    """Every power of two of both formats, and its neighbours one place away: ceil goes up only from the one above."""
    for dtype in DTYPES:
        info = np.finfo(dtype)
        first, last = math.frexp(float(info.smallest_subnormal))[1] - 1, math.frexp(float(info.max))[1] - 1
        powers = np.array([math.ldexp(1, k) for k in range(first, last + 1)], dtype)
        for qmax in (1.0, 0.5, 64.0):
            with np.errstate(over="ignore"):
                quotients = powers.astype(float) / qmax
            good = powers[(quotients >= powers[0]) & (quotients <= powers[-1])]
            for rounding in ("ceil", "nearest"):
                s = m.scale(frozen(good, dtype), qmax, rounding)
                assert s.dtype == dtype
                assert (s.astype(float) == good.astype(float) / qmax).all()
            above = np.nextafter(good[:-1], dtype(np.inf))
            above = above[above > good[:-1]]
            assert (m.scale(above, qmax).astype(float) == good[1:].astype(float) / qmax).all()
            normal = good[good >= 4 * powers[0]]
            below = np.nextafter(normal, dtype(0))
            assert (m.scale(below, qmax).astype(float) == normal.astype(float) / qmax).all()


def power_of_two_matches_the_oracle(m):
    """Random magnitudes, and those one place around 2^k·qmax and around 2^(k + ½)·qmax."""
    rng = np.random.default_rng(3)
    for dtype in DTYPES:
        for qmax in (127, 127.5, 7, 1, 0.1, 32767, 1 / 3):
            x = [10.0 ** rng.uniform(-9, 9) for _ in range(8)]
            x += [qmax * 2.0 ** (k / 2) for k in range(-5, 6)]
            x = np.array(x, dtype)
            x = np.concatenate([x, np.nextafter(x, dtype(0)), np.nextafter(x, dtype(np.inf))])
            for rounding in ("ceil", "nearest"):
                s = m.scale(frozen(x, dtype), qmax, rounding)
                expected = [power_of_two_oracle.exponent(v, Fraction(qmax), rounding) for v in fractions(x)]
                assert s.tolist() == [2.0**k for k in expected]


POWER_OF_TWO = (power_of_two_at_every_power, power_of_two_matches_the_oracle)


# least_error


def least_error_ties_go_to_the_larger_range(m):
    """½ rounds to 0 and costs ¼ in [0, 1]; 1 costs ¼ in [0, ½]."""
    for dtype in DTYPES:
        x = frozen([0, 0.5, 1], dtype)
        is_range(m.search(x, 0, 1, "source", norm=2.0, grid=2, max_shrink=1.0), 0, 1, dtype)
    x = frozen([-1e-10, 2e-10], np.float32)  # every range has the smallest scale, 2⁻²³, and no value but 0
    is_range(m.search(x, 0, 255, "torch_observer_affine"), *x, np.float32)


def least_error_default_grid(m):
    """⌊0.8·100⌋ = 80 candidates, the last of them 1 − 79/100; ⌊0.29·100⌋ = 28, as 0.29·100 is below 29."""
    for value, p, options in (
        (0.19, 1 - 79 / 100, {}),
        (0.5, 0.5, {}),
        (0.5, 1 - 27 / 100, {"max_shrink": 0.29}),
        (0.5, 1 - 19 / 100, {"max_shrink": 0.2}),
        (0.19, 1 - 7 / 10, {"grid": 10, "max_shrink": 0.8, "norm": 1.0}),
    ):
        x = frozen([0] * 3 + [value] * 900 + [1], np.float32)
        low, high = m.search(x, 0, 1, "source", **options)
        is_range((low, high), 0, np.float32(p), np.float32)


def least_error_norms_differ(m):
    """Twelve values at 0.6, one at 1, two codes: Σ|e| is least for 0.6, 0.4 in all; Σ e¹⁶ for 0.8, 0.2 everywhere."""
    x = frozen([0.0] + [0.6] * 12 + [1.0], np.float32)
    is_range(m.search(x, 0, 1, "source", 1.0, 20), 0, np.float32(1 - 8 / 20), np.float32)
    is_range(m.search(x, 0, 1, "source", 16.0, 20), 0, np.float32(1 - 4 / 20), np.float32)
    for norm in (1.0, 2.0, 2.4, 4.0, 16.0):
        found = least_error_oracle.search(fractions(x), 0, 1, "source", norm, 20, 0.8, "float32")
        got = m.search(x, 0, 1, "source", norm, 20)
        assert is_the_least(found, got)


def least_error_matches_the_oracle(m):
    """The best range of the grid in exact arithmetic, where it is clear; else one that is as good to 10⁻¹²."""
    rng, clear = np.random.default_rng(4), 0
    for convention, qmin, qmax in (("gptq", 0, 3), ("gptq", -8, 7), ("source", 0, 7), ("tflite_weights", -8, 7)):
        for norm, grid, max_shrink in ((2.0, 20, 0.8), (2.4, 10, 0.5), (1.0, 7, 1.0)):
            x = frozen(np.append(rng.normal(0.2, 1, 12), 3), np.float32)
            found = least_error_oracle.search(fractions(x), qmin, qmax, convention, norm, grid, max_shrink, "float32")
            low, high = m.search(x, qmin, qmax, convention, norm, grid, max_shrink)
            assert low.dtype == high.dtype == np.float32
            clear += is_the_least(found, (low, high))
    assert clear >= 10


def is_the_least(found, ends):
    """The range is one of the grid whose error is least to 10⁻¹²; True if no other one is that good."""
    errors = dict(reversed(found))  # of equal ranges the first
    least = min(errors.values())
    assert errors[fractions(np.array(ends))[0], fractions(np.array(ends))[1]] <= least * (1 + Fraction(1, 10**12))
    return sum(float(error) <= float(least) * (1 + 1e-9) for error in errors.values()) == 1


LEAST_ERROR = (
    least_error_ties_go_to_the_larger_range,
    least_error_default_grid,
    least_error_norms_differ,
    least_error_matches_the_oracle,
)


# histogram


def collected(m, batches, bins):
    """The histogram after all batches."""
    seen = None
    for batch in batches:
        seen = m.collect(frozen(batch, np.float32), seen, bins=bins)
    assert seen.counts.dtype == seen.low.dtype == seen.high.dtype == np.float32
    return seen


def histogram_collect_matches_the_oracle(m):
    rng = np.random.default_rng(6)
    for bins in (2, 3, 5, 8, 17):
        for _ in range(4):
            batches = [rng.normal(rng.normal(), 10.0 ** rng.uniform(-2, 2), 6).astype(np.float32) for _ in range(3)]
            histogram = collected(m, batches, bins)
            counts, low, high = histogram_oracle.collect([fractions(batch) for batch in batches], bins)
            assert fractions(histogram.counts) == counts
            assert (exact(histogram.low), exact(histogram.high)) == (low, high)


def histogram_search_matches_the_oracle(m):
    """All decisions but those closer than float32's roundings: errors are sums of cubes, each within some 10⁻⁶."""
    rng = np.random.default_rng(7)
    histograms = []
    for case in range(12):
        batches = [rng.normal(-1, 10.0 ** rng.uniform(-1, 1), 8) for _ in range(1 + case % 2)]
        histograms.append(collected(m, batches, int(rng.integers(3, 11))))
    for _ in range(10):  # the low end moves only over bins that hold less than 10⁻⁵ of all values
        counts = rng.integers(0, 3, 9) * 10.0 ** rng.integers(0, 6, 9)
        counts[[0, 8]] = 1
        counts[4] = 500_000
        histograms.append(m.Histogram(counts.astype(np.float32), np.float32(-3), np.float32(1.5)))
    clear, moved_low = 0, 0
    for histogram in histograms:
        levels = int(rng.integers(2, 9))
        counts, low, high = fractions(histogram.counts), exact(histogram.low), exact(histogram.high)
        expected = searched(tuple(counts), levels)
        if expected.margin >= Fraction(1, 10_000):
            clear += 1
            moved_low += expected.start > 0
            ends = histogram_oracle.restored_ends(low, high, len(counts), expected)
            is_range(m.search(histogram, levels), *ends, np.float32)
    assert clear >= 14
    assert moved_low >= 3


HISTOGRAM = (
    histogram_collect_matches_the_oracle,
    histogram_search_matches_the_oracle,
)


# entropy


def counted(counts, dtype=np.float64):
    """Values in the middles of equal bins from −B to B, so many in each, but one in the last bin is B itself."""
    bins = len(counts)
    values = [2 * k + 1 - bins for k, n in enumerate(counts) for _ in range(n)]
    assert counts[-1]
    values[-1] = bins
    return frozen(values, dtype)


def entropy_matches_the_oracle(m):
    """The candidate with the least divergence, where no other is within float32's roundings of it.

    A divergence is a sum of B terms P·log(P/Q), of which Σ P|log(P/Q)| < 10 here, each rounded a few times in float32:
    within 10⁻⁴ for these sizes.
    """
    rng, narrower = np.random.default_rng(8), 0
    for bins, target in ((4, 2), (5, 2), (8, 4), (9, 3), (16, 4), (33, 8), (64, 8), (12, 12), (13, 5)):
        for spread in (0.05, 0.2, 0.6):
            counts = entropy_counts(rng, bins, spread)
            x = counted(counts)
            h = entropy_oracle.histogram(fractions(x), bins, Fraction(bins))
            assert h == counts
            narrower += is_a_least_divergence(m.threshold(x, bins, target), x, h, target)
    assert narrower >= 5


def entropy_cuts_means_off(m):
    """1 0 1 2 3 0 2 with two codes: the runs 1 0 1 and 2 3 0 2 have 2/2 and 7/2, the latter cut off to 3.

    So it is for the candidates of three and five bins: with the means as they are that of five bins would be the best.
    """
    for counts, target in (([1, 0, 1, 2, 3, 0, 2], 2), ([1, 0, 1, 2, 1, 0, 1, 2], 3), ([1, 2, 1, 1, 2, 0, 0, 3], 3)):
        x = counted(counts)
        is_a_least_divergence(m.threshold(x, len(counts), target), x, counts, target)
    is_range(m.threshold(counted([1, 0, 1, 2, 3, 0, 2]), 7, 2), -6, 7, np.float64)


def entropy_counts(rng, bins, spread):
    """Counts of a bell, with at least one value in the last bin."""
    centre = (np.arange(bins) + 0.5) / bins - 0.5
    counts = rng.poisson(40 * np.exp(-((centre / spread) ** 2)))
    counts[-1] += 1
    return counts.tolist()


def is_a_least_divergence(ends, x, h, target):
    """The range is a candidate whose divergence is the least; True if it is a part of the bins."""
    bins, dtype = len(h), x.dtype
    found = candidates(tuple(h), target)
    absmax = max(abs(v) for v in fractions(x))
    least = min(candidate.divergence for candidate in found)
    good = {}
    for candidate in found:
        low, high = (entropy_oracle.edge(k, bins, absmax) for k in candidate[:2])
        clipped = float(max(low, exact(x.min()))), float(min(high, exact(x.max())))
        if candidate.divergence <= least + mpmath.mpf(1e-4):
            good.setdefault(clipped, candidate)
    assert [end.dtype for end in ends] == [dtype, dtype]
    got = float(ends[0]), float(ends[1])
    assert got in good, f"{got} is none of {good}"
    return good[got].stop - good[got].start < bins - 1


ENTROPY = (entropy_matches_the_oracle, entropy_cuts_means_off)


# aciq


def aciq_factor_matches_the_oracle(m):
    """The zero of the derivative, itself found to 10⁻¹²; and the levels twice as close are those of one bit more."""
    for distribution in ("laplace", "gauss"):
        for bits in (1, 2, 3, 4, 8, 16):
            expected = best_factor(bits, distribution)
            got = m.factor(bits, distribution)
            assert isinstance(got, float)
            assert abs(got - expected) < 4e-12 + 1e-14 * expected
        for bits in (1, 4, 15):
            assert abs(m.factor(bits, distribution, positive=True) - m.factor(bits + 1, distribution)) < 8e-12
    assert m.factor(4) == m.factor(4, "laplace") != m.factor(4, "gauss")


def aciq_clip_matches_the_oracle(m):
    """In float64 within n + 8 roundings of what is added, and one rounding to the dtype."""
    rng = np.random.default_rng(9)
    for dtype in DTYPES:
        for distribution in ("laplace", "gauss"):
            for bits, positive, ddof in ((2, False, 0), (4, False, 1), (4, True, 0), (8, True, 1)):
                x = rng.normal(0.3, 1, (3, 5)).astype(dtype)
                x = frozen(np.abs(x) if positive else x, dtype)
                alpha = best_factor(bits + positive, distribution)
                expected = aciq_oracle.clip(fractions(x), alpha, distribution, positive, ddof)
                ends = m.clip(x, bits, distribution, positive=positive, ddof=ddof)
                assert [end.dtype for end in ends] == [dtype, dtype]
                size = sum(abs(end) for end in expected) + 1
                for end, wanted in zip(ends, expected, strict=True):
                    rounding = np.finfo(dtype).eps / 2 * abs(wanted)
                    assert abs(float(end) - wanted) <= rounding + (x.size + 8) * 2**-53 * size + 1e-11


ACIQ = (aciq_factor_matches_the_oracle, aciq_clip_matches_the_oracle)
