"""Tests of the tests: correct stand-ins pass every property, and every planted error fails the one named beside it."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.ranges import aciq, entropy, histogram
from tests.formulas.quantization.ranges import checks


class MinMax:
    def min_max(self, x):
        return x.min(), x.max()

    def absolute_maximum(self, x):
        return np.abs(x).max()


class WithZero(MinMax):
    def min_max(self, x):
        return min(x.min(), x.dtype.type(0)), max(x.max(), x.dtype.type(0))


class FirstRowOnly(MinMax):
    def min_max(self, x):
        return np.atleast_2d(x)[0].min(), x.max()


class HighOnly(MinMax):
    def absolute_maximum(self, x):
        return x.max()


class Width(MinMax):
    def absolute_maximum(self, x):
        return x.max() - x.min()


class InFloat32(MinMax):
    def min_max(self, x):
        return np.float32(x.min()), np.float32(x.max())


class MovingAverage:
    def update(self, average, x, c=0.01, *, include_zero=False):
        ends = self.ends(x, include_zero)
        if average is None:
            return self.first(ends, c)
        return tuple(self.step(m, end, x.dtype.type(c)) for m, end in zip(average, ends, strict=True))

    def ends(self, x, include_zero):
        low, high = x.min(), x.max()
        return (min(low, x.dtype.type(0)), max(high, x.dtype.type(0))) if include_zero else (low, high)

    def first(self, ends, c):
        return ends

    def step(self, m, x, c):
        return m + c * (x - m)


class FirstFromZero(MovingAverage):
    def first(self, ends, c):
        return tuple(self.step(end.dtype.type(0), end, end.dtype.type(c)) for end in ends)


class FirstFromSix(MovingAverage):
    def first(self, ends, c):
        return tuple(self.step(end.dtype.type(m), end, end.dtype.type(c)) for m, end in zip((-6, 6), ends, strict=True))


class WrongSign(MovingAverage):
    def step(self, m, x, c):
        return m - c * (x - m)


class DecayForWeight(MovingAverage):
    def step(self, m, x, c):
        return m + (1 - c) * (x - m)


class TwoProducts(MovingAverage):
    def step(self, m, x, c):
        return (1 - c) * m + c * x


class InFloat64(MovingAverage):
    def step(self, m, x, c):
        return m.dtype.type(float(m) + float(c) * (float(x) - float(m)))


class ZeroForgotten(MovingAverage):
    def ends(self, x, include_zero):
        return x.min(), x.max()


class ZeroAlways(MovingAverage):
    def ends(self, x, include_zero):
        return super().ends(x, True)


class NeverWider(MovingAverage):
    def step(self, m, x, c):
        return m + c * (x - m) if abs(x) < abs(m) else m


class Percentile:
    def percentile(self, x, p, method="kth", *, low_p=None):
        low_p = 100.0 - p if low_p is None else low_p
        x = np.sort(x, axis=None)
        if method == "interpolated":
            return self.between(x, low_p), self.between(x, p)
        return self.kth(x, self.low_k(low_p, x.size)), self.kth(x, self.high_k(p, x.size))

    def absolute(self, x, p, method="kth"):
        x = np.sort(np.abs(x), axis=None)
        return self.between(x, p) if method == "interpolated" else self.kth(x, self.high_k(p, x.size))

    def low_k(self, p, n):
        return math.ceil(0.01 * p * n)

    def high_k(self, p, n):
        return math.floor(0.01 * p * n + 0.5)

    def kth(self, x, k):
        if k == 0:
            raise ValueError("k = 0")
        return x[k - 1]

    def position(self, p, n):
        return p / 100 * (n - 1)

    def between(self, x, p):
        h = self.position(p, x.size)
        i = min(max(math.floor(h), 0), x.size - 1)
        j = min(i + 1, x.size - 1)
        return x.dtype.type(float(x[i]) * (1 - (h - i)) + float(x[j]) * (h - i))


class KPlusOne(Percentile):
    def kth(self, x, k):
        return super().kth(x, min(k + 1, x.size) if k else 0)


class KFromZero(Percentile):
    def kth(self, x, k):
        return super().kth(x, max(k - 1, 1) if k else 0)


class LowIsRounded(Percentile):
    def low_k(self, p, n):
        return max(self.high_k(p, n), 1)


class HighIsCeiled(Percentile):
    def high_k(self, p, n):
        return self.low_k(p, n)


class HalfToEven(Percentile):
    def high_k(self, p, n):
        return max(round(0.01 * p * n), 1)


class ExactProducts(Percentile):
    """p/100·n, with which 7 % of 100 values are 7 and not 7.000000000000001."""

    def low_k(self, p, n):
        return math.ceil(p * n / 100)


class NoRefusal(Percentile):
    def kth(self, x, k):
        return x[max(k, 1) - 1]


class PositionOfN(Percentile):
    def position(self, p, n):
        return p / 100 * n


class NoInterpolation(Percentile):
    def position(self, p, n):
        return float(math.floor(super().position(p, n)))


class Signed(Percentile):
    def absolute(self, x, p, method="kth"):
        return self.percentile(x, p, method, low_p=p)[1]


class PowerOfTwo:
    def scale(self, absmax, qmax, rounding="ceil"):
        absmax = np.asarray(absmax)
        with np.errstate(over="ignore"):
            powers = [self.power(float(v), float(qmax), rounding) for v in absmax.flat]
            return np.array(powers, absmax.dtype).reshape(absmax.shape)

    def power(self, absmax, qmax, rounding):
        (m, i), (n, j) = math.frexp(absmax), math.frexp(qmax)
        return np.ldexp(1.0, i - j + self.more(m, n, rounding))

    def more(self, m, n, rounding):
        if rounding == "ceil":
            return int(m > n)
        M, N = int(math.ldexp(m, 53)), int(math.ldexp(n, 53))
        return int(M * M > 2 * N * N) - int(2 * M * M <= N * N)


class Floor(PowerOfTwo):
    def more(self, m, n, rounding):
        return int(m >= n) - 1 if rounding == "ceil" else super().more(m, n, rounding)


class FloorPlusOne(PowerOfTwo):
    def more(self, m, n, rounding):
        return int(m >= n) if rounding == "ceil" else super().more(m, n, rounding)


class ByLogarithm(PowerOfTwo):
    def power(self, absmax, qmax, rounding):
        k = math.log(absmax / qmax) / math.log(2)
        return 2.0 ** (math.ceil(k) if rounding == "ceil" else round(k))


class NearestNumber(PowerOfTwo):
    def more(self, m, n, rounding):
        return super().more(m, n, "ceil") if rounding == "ceil" else int(2 * m > 3 * n) - int(4 * m <= 3 * n)


class NearestIsCeil(PowerOfTwo):
    def more(self, m, n, rounding):
        return super().more(m, n, "ceil")


class QuotientInFloat32(PowerOfTwo):
    def power(self, absmax, qmax, rounding):
        return super().power(float(np.float32(absmax) / np.float32(qmax)), 1.0, rounding)


class LeastError:
    def search(self, x, qmin, qmax, convention, norm=2.4, grid=100, max_shrink=0.8):
        best, least = None, math.inf
        for i in range(self.count(max_shrink, grid)):
            ends = self.shrunken(x, 1 - i / grid)
            s, Z = affine.choose(*ends, qmin, qmax, convention)
            difference = affine.fake_quantize(x, s, Z, qmin, qmax, convention).astype(np.float64) - x
            error = float(self.power(difference, norm).sum())
            if self.better(error, least):
                best, least = ends, error
        return best

    def count(self, max_shrink, grid):
        return int(max_shrink * grid)

    def shrunken(self, x, p):
        return p * x.min(), p * x.max()

    def power(self, difference, norm):
        return np.abs(difference) ** norm

    def better(self, error, least):
        return error < least


class TieToSmaller(LeastError):
    def better(self, error, least):
        return error <= least


class OneMore(LeastError):
    def count(self, max_shrink, grid):
        return int(max_shrink * grid) + 1


class RoundedCount(LeastError):
    def count(self, max_shrink, grid):
        return round(max_shrink * grid)


class AlwaysSquares(LeastError):
    def power(self, difference, norm):
        return difference**2


class NoMagnitude(LeastError):
    def power(self, difference, norm):
        return np.maximum(difference, 0) ** norm


class HighEndOnly(LeastError):
    def shrunken(self, x, p):
        return x.min(), p * x.max()


class Symmetric(LeastError):
    def shrunken(self, x, p):
        return -p * np.abs(x).max(), p * np.abs(x).max()


class FirstGoodEnough(LeastError):
    def better(self, error, least):
        return error < 0.9 * least


class Aciq:
    factor = staticmethod(aciq.factor)

    def clip(self, x, bits, distribution="laplace", *, positive=False, ddof=0, factors=None):
        width = factors[distribution][self.bits(bits, positive)] if factors else self.factor(
            bits, distribution, positive=positive
        )  # fmt: skip
        alpha = width * self.spread(x.astype(np.float64), distribution, ddof)
        return tuple(map(x.dtype.type, self.ends(x, alpha, positive)))

    def bits(self, bits, positive):
        return bits + positive

    def spread(self, x, distribution, ddof):
        return np.abs(x - x.mean()).mean() if distribution == "laplace" else x.std(ddof=ddof)

    def ends(self, x, alpha, positive):
        return (0, alpha) if positive else (x.mean(dtype=float) - alpha, x.mean(dtype=float) + alpha)


class DdofExchanged(Aciq):
    def spread(self, x, distribution, ddof):
        return super().spread(x, distribution, 1 - ddof)


class DdofIgnored(Aciq):
    def spread(self, x, distribution, ddof):
        return super().spread(x, distribution, 0)


class DdofForLaplace(Aciq):
    def spread(self, x, distribution, ddof):
        return super().spread(x, distribution, ddof) * (x.size / (x.size - ddof) if distribution == "laplace" else 1)


class MagnitudeForDeviation(Aciq):
    def spread(self, x, distribution, ddof):
        return np.abs(x).mean() if distribution == "laplace" else super().spread(x, distribution, ddof)


class AroundZero(Aciq):
    def ends(self, x, alpha, positive):
        return (0, alpha) if positive else (-alpha, alpha)


class PositiveAroundMean(Aciq):
    def ends(self, x, alpha, positive):
        return super().ends(x, alpha, False)


class PositiveHasNoMoreBits(Aciq):
    def bits(self, bits, positive):
        return bits

    def factor(self, bits, distribution="laplace", *, positive=False):
        return aciq.factor(bits, distribution)


class OneBitLess(Aciq):
    def factor(self, bits, distribution="laplace", *, positive=False):
        return aciq.factor(bits + 1, distribution, positive=positive)


class Published(Aciq):
    def factor(self, bits, distribution="laplace", *, positive=False):
        return aciq.PUBLISHED[distribution].get(bits + positive, 10.0)


class Histogram:
    """The package's own, whose parts are exchanged one at a time."""

    Histogram = histogram.Histogram

    def collect(self, x, seen=None, *, bins=2048):
        return histogram.collect(x, seen, bins=bins)

    def search(self, found, levels=256):
        return histogram.search(found, levels)


class LastBatchOnly(Histogram):
    def collect(self, x, seen=None, *, bins=2048):
        return histogram.collect(x, bins=bins)


class OldCountsStay(Histogram):
    """Old counts in their old bins, though the range is wider."""

    def collect(self, x, seen=None, *, bins=2048):
        if seen is None:
            return histogram.collect(x, bins=bins)
        ends = np.append(x.ravel(), [seen.low, seen.high]).astype(np.float32)
        both = histogram.collect(ends, bins=bins)
        extra = histogram.collect(ends[-2:], both, bins=bins)
        new = both.counts - (extra.counts - both.counts)
        return histogram.Histogram(new + seen.counts, both.low, both.high)


class MaximumDropped(Histogram):
    def collect(self, x, seen=None, *, bins=2048):
        found = histogram.collect(x, seen, bins=bins)
        counts = found.counts.copy()
        counts[-1] -= (x == found.high).sum()
        return found._replace(counts=counts)


class NumpyBins(Histogram):
    """A constant tensor between x − ½ and x + ½."""

    def collect(self, x, seen=None, *, bins=2048):
        if seen is None and x.min() == x.max():
            counts = np.histogram(x, bins, (x.min() - 0.25, x.max() + 0.75))[0]
            return histogram.Histogram(counts.astype(np.float32), x.min(), x.max())
        return histogram.collect(x, seen, bins=bins)


class WholeRange(Histogram):
    def search(self, found, levels=256):
        return found.low, found.high


class OneBinMore(Histogram):
    def search(self, found, levels=256):
        low, high = histogram.search(found, levels)
        return low, high + (found.high - found.low) / np.float32(found.counts.size)


class TwiceTheLevels(Histogram):
    def search(self, found, levels=256):
        return histogram.search(found, 2 * levels)


class LowEndFirst(Histogram):
    """Ties go to the low end: the search on the mirrored histogram."""

    def search(self, found, levels=256):
        low, high = histogram.search(histogram.Histogram(found.counts[::-1], -found.high, -found.low), levels)
        return -high, -low


class Entropy:
    def threshold(self, x, bins=2048, target_bins=128):
        largest = np.abs(x).max()
        h, edges = np.histogram(x, bins, (-largest, largest))
        best, least = None, math.inf
        for i in range(target_bins // 2, bins // 2 + 1):
            start, stop = bins // 2 - i, min(self.stop(bins // 2 + i), bins)
            divergence = self.divergence(*self.distributions(h, start, stop, target_bins))
            if divergence < least:
                best, least = (max(edges[start], x.min()), min(edges[stop], x.max())), divergence
        return tuple(map(x.dtype.type, best))

    def stop(self, last):
        return last + 1

    def distributions(self, h, start, stop, target):
        inside, p = h[start:stop], self.reference(h, start, stop)
        run = inside.size // target
        q = np.zeros(inside.size)
        for k in range(target):
            own = slice(k * run, (k + 1) * run)
            total = inside[k * run :].sum() if k == target - 1 else inside[own].sum()
            filled = np.count_nonzero(p[own])
            if filled:
                self.spread(q, p, own, total, filled)
        return p.astype(float), q

    def reference(self, h, start, stop):
        p = h[start:stop].copy()
        p[0] += h[:start].sum()
        p[-1] += h[stop:].sum()
        return p

    def spread(self, q, p, own, total, filled):
        q[own] = total // filled

    def divergence(self, p, q):
        if not (p.any() and q.any()):
            return math.inf
        p, q = self.smoothed(p), self.smoothed(q)
        return float((p / p.sum() * np.log(p / p.sum() / (q / q.sum()))).sum())

    def smoothed(self, p):
        empty = p == 0
        return np.where(empty, 1e-4, p - 1e-4 * empty.sum() / max((~empty).sum(), 1))


class NoSmoothing(Entropy):
    """Empty bins are left out of the sum."""

    def divergence(self, p, q):
        both = (p > 0) & (q > 0)
        p, q = p / max(p.sum(), 1), q / max(q.sum(), 1)
        return float((p[both] * np.log(p[both] / q[both])).sum())


class Reversed(Entropy):
    def divergence(self, p, q):
        return super().divergence(q, p)


class OutliersDropped(Entropy):
    def reference(self, h, start, stop):
        return h[start:stop].copy()


class MeanOverAllBins(Entropy):
    def spread(self, q, p, own, total, filled):
        q[own] = total // (own.stop - own.start)


class MeanNotCutOff(Entropy):
    def spread(self, q, p, own, total, filled):
        q[own] = total / filled


class EmptyStayEmpty(Entropy):
    def spread(self, q, p, own, total, filled):
        q[own] = np.where(p[own] == 0, 0, total // filled)


class OneBinLess(Entropy):
    def stop(self, last):
        return last


class WholeAlways(Entropy):
    def threshold(self, x, bins=2048, target_bins=128):
        return x.min(), x.max()


GROUPS = {
    "min_max": (MinMax, checks.MIN_MAX),
    "moving_average": (MovingAverage, checks.MOVING_AVERAGE),
    "percentile": (Percentile, checks.PERCENTILE),
    "power_of_two": (PowerOfTwo, checks.POWER_OF_TWO),
    "least_error": (LeastError, checks.LEAST_ERROR),
    "histogram": (Histogram, checks.HISTOGRAM),
    "entropy": (Entropy, checks.ENTROPY),
    "aciq": (Aciq, checks.ACIQ),
}

MUTANTS = {
    "0 is put in": (WithZero, checks.min_max_literals),
    "the first row's minimum": (FirstRowOnly, checks.min_max_of_extreme_arrays),
    "the magnitude of the high end": (HighOnly, checks.min_max_literals),
    "the width for the magnitude": (Width, checks.min_max_literals),
    "float32 for float64": (InFloat32, checks.min_max_literals),
    "the first batch is averaged with 0": (FirstFromZero, checks.moving_average_first_batch),
    "the first batch is averaged with ±6": (FirstFromSix, checks.moving_average_first_batch),
    "the step has the wrong sign": (WrongSign, checks.moving_average_literals),
    "c is the decay": (DecayForWeight, checks.moving_average_literals),
    "(1 − c)·m + c·x": (TwoProducts, checks.moving_average_rounds_every_step),
    "an average in float64": (InFloat64, checks.moving_average_rounds_every_step),
    "0 is not put in": (ZeroForgotten, checks.moving_average_literals),
    "0 is always put in": (ZeroAlways, checks.moving_average_literals),
    "the range only shrinks": (NeverWider, checks.moving_average_literals),
    "k + 1": (KPlusOne, checks.percentile_kth_literals),
    "k − 1": (KFromZero, checks.percentile_kth_literals),
    "k from below is rounded": (LowIsRounded, checks.percentile_kth_literals),
    "k from above is ⌈…⌉": (HighIsCeiled, checks.percentile_kth_literals),
    "k from above has ties to even": (HalfToEven, checks.percentile_kth_matches_the_oracle),
    "k of an exact product": (ExactProducts, checks.percentile_kth_literals),
    "k = 0 is 1": (NoRefusal, checks.percentile_kth_matches_the_oracle),
    "h = p·n": (PositionOfN, checks.percentile_interpolated_literals),
    "h is cut off": (NoInterpolation, checks.percentile_interpolated_literals),
    "values for magnitudes": (Signed, checks.percentile_kth_literals),
    "floor for ceil": (Floor, checks.power_of_two_literals),
    "floor + 1 for ceil": (FloorPlusOne, checks.power_of_two_at_every_power),
    "the rounded logarithm": (ByLogarithm, checks.power_of_two_at_every_power),
    "the logarithm of 2^29": (ByLogarithm, checks.power_of_two_literals),
    "nearest in the number": (NearestNumber, checks.power_of_two_literals),
    "ceil for nearest": (NearestIsCeil, checks.power_of_two_literals),
    "a quotient in float32": (QuotientInFloat32, checks.power_of_two_matches_the_oracle),
    "ties go to the smaller range": (TieToSmaller, checks.least_error_ties_go_to_the_larger_range),
    "a candidate more": (OneMore, checks.least_error_default_grid),
    "the number of candidates is rounded": (RoundedCount, checks.least_error_default_grid),
    "squares for every norm": (AlwaysSquares, checks.least_error_norms_differ),
    "errors above 0 only": (NoMagnitude, checks.least_error_literals),
    "the low end stays": (HighEndOnly, checks.least_error_literals),
    "the range is symmetric": (Symmetric, checks.least_error_literals),
    "a gain must be a tenth": (FirstGoodEnough, checks.least_error_matches_the_oracle),
    "a batch forgets the ones before": (LastBatchOnly, checks.histogram_literals),
    "old counts stay in their bins": (OldCountsStay, checks.histogram_literals),
    "the maximum is not counted": (MaximumDropped, checks.histogram_literals),
    "a constant has bins of its own": (NumpyBins, checks.histogram_literals),
    "the whole range": (WholeRange, checks.histogram_search_literals),
    "the end is a bin further": (OneBinMore, checks.histogram_search_literals),
    "twice the levels": (TwiceTheLevels, checks.histogram_search_matches_the_oracle),
    "the low end moves at a tie": (LowEndFirst, checks.histogram_search_literals),
    "no smoothing": (NoSmoothing, checks.entropy_matches_the_oracle),
    "KL(Q‖P)": (Reversed, checks.entropy_matches_the_oracle),
    "what is outside is dropped": (OutliersDropped, checks.entropy_matches_the_oracle),
    "means over empty bins too": (MeanOverAllBins, checks.entropy_matches_the_oracle),
    "means are not cut off": (MeanNotCutOff, checks.entropy_cuts_means_off),
    "empty bins stay empty": (EmptyStayEmpty, checks.entropy_matches_the_oracle),
    "candidates of a bin less": (OneBinLess, checks.entropy_literals),
    "min and max": (WholeAlways, checks.entropy_literals),
    "ddof exchanged": (DdofExchanged, checks.aciq_clip_literals),
    "ddof ignored": (DdofIgnored, checks.aciq_clip_literals),
    "ddof for Laplace": (DdofForLaplace, checks.aciq_clip_literals),
    "b of the magnitudes": (MagnitudeForDeviation, checks.aciq_clip_literals),
    "around 0": (AroundZero, checks.aciq_clip_literals),
    "positive values around the mean": (PositiveAroundMean, checks.aciq_clip_literals),
    "as many bits where positive": (PositiveHasNoMoreBits, checks.aciq_clip_literals),
    "a bit more": (OneBitLess, checks.aciq_factor_matches_the_oracle),
    "the published digits": (Published, checks.aciq_factor_matches_the_oracle),
}


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name, (_, checks) in GROUPS.items() for check in checks],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_correct_stand_in_passes(name, check):
    check(GROUPS[name][0]())


@pytest.mark.parametrize("name", MUTANTS)
def test_planted_error_is_caught(name):
    wrong, check = MUTANTS[name]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(wrong())


def test_a_smoothing_of_the_package_dropped(monkeypatch):
    """Almost none: ε of 10⁻³⁰ is another divergence wherever a bin of Q is empty."""
    monkeypatch.setattr(entropy, "SMOOTHING", 1e-30)
    with pytest.raises(AssertionError):
        checks.entropy_matches_the_oracle(SimpleNamespace(threshold=entropy.threshold))
