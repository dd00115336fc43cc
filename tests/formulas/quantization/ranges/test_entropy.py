"""Entropy calibration: its checks against the oracle, random arrays, and the error paths."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.ranges import entropy
from tests.formulas.quantization.checks.common import DTYPES, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import entropy as oracle


@pytest.mark.parametrize("check", checks.ENTROPY)
def test_property(check):
    check(entropy)


@st.composite
def cases(draw):
    """Counts of bins, one in the last at least, and how many codes there are."""
    counts = draw(st.lists(st.integers(0, 20), min_size=2, max_size=14))
    counts[-1] += 1
    return counts, draw(st.integers(2, len(counts))), draw(st.sampled_from(DTYPES))


@settings(deadline=None, max_examples=60)
@given(cases())
def test_random_counts(case):
    counts, target, dtype = case
    x = checks.counted(counts, dtype)
    h = oracle.histogram(checks.fractions(x), len(counts), Fraction(len(counts)))
    assert h == counts
    ends = entropy.threshold(x, len(counts), target)
    checks.is_a_least_divergence(ends, x, h, target)


def test_the_default_number_of_codes_takes_128_bins():
    """With 128 bins too there is one candidate, the whole range."""
    x = frozen(np.append(np.linspace(-1, 1, 300), 8.0))
    checks.is_range(entropy.threshold(x, 128), -1, 8, np.float64)
    checks.is_range(entropy.threshold(x, bins=128, target_bins=128), -1, 8, np.float64)
    assert [c[:2] for c in oracle.candidates([1] * 128, 128)] == [(0, 128)]
    assert float(entropy.threshold(x)[1]) < 8  # 2048 bins


def test_ties_go_to_the_narrowest_range(monkeypatch):
    """Candidates of different runs do not tie exactly, unless all are given the same divergence."""
    x = frozen(np.arange(-7.5, 8.0))
    monkeypatch.setattr(entropy, "_divergence", lambda *_: np.float32(1))
    found = oracle.candidates(oracle.histogram(checks.fractions(x), 15, Fraction(15, 2)), 5)
    low, high = (float(oracle.edge(k, 15, Fraction(15, 2))) for k in found[0][:2])
    assert (low, high) == (-2.5, 2.5)
    checks.is_range(entropy.threshold(x, 15, 5), low, high, np.float64)


def test_the_oracle_by_hand():
    """Bins 2 3 0 1 5 1: the candidate from 1 to 5 of two codes has runs 3 0 and 1 5, six bins runs of three."""
    h = [2, 3, 0, 1, 5, 1]
    assert [c[:2] for c in oracle.candidates(h, 2)] == [(2, 5), (1, 6), (0, 6)]
    p = oracle.reference(h, 2, 5)
    assert p == [5, 1, 6]  # 2 and 3 from the left, 1 from the right
    assert oracle.coarse(h, p, 2, 5, 2) == [0, 6, 0]  # runs of one bin; the second counts what is left over
    p = oracle.reference(h, 1, 6)
    assert p == [5, 0, 1, 5, 1]
    assert oracle.coarse(h, p, 1, 6, 2) == [3, 3, 3, 3, 0]  # 3 in one bin; (1 + 5 + 1)/2 cut off
    assert oracle.coarse(h, h, 0, 6, 2) == [2, 2, 2, 2, 2, 2]  # 5/2 and 7/3 cut off
    assert oracle.smoothed([0, 2, 0, 4]) == [Fraction(1, 10**4), 2 - Fraction(1, 10**4), Fraction(1, 10**4),
                                             4 - Fraction(1, 10**4)]  # fmt: skip
    assert oracle.smoothed([0, 0]) is None
    halves = oracle.divergence([Fraction(1), Fraction(1)], [Fraction(1), Fraction(3)])
    assert abs(halves - (mpmath.log(2) + mpmath.log(mpmath.mpf(2) / 3)) / 2) < 1e-14


def test_an_empty_q_is_no_candidate():
    """4 0 0 1: the narrower has P = 4 0 1, of which Q sees 0 0, and 1 in a run of an empty bin; the whole 4 4 1 1."""
    h = [4, 0, 0, 1]
    p = oracle.reference(h, 1, 4)
    assert (p, oracle.coarse(h, p, 1, 4, 2)) == ([4, 0, 1], [0, 0, 0])
    assert [c.divergence == mpmath.inf for c in oracle.candidates(h, 2)] == [True, False]
    checks.is_range(entropy.threshold(checks.counted(h), 4, 2), -3, 4, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_arrays(dtype):
    arrays = checks.extreme_arrays(dtype)
    for name in ("constant", "zero", "both zeros", "one element", "a scalar", "all positive", "strided"):
        x = arrays[name]
        low, high = entropy.threshold(x, 16, 4)
        assert low.dtype == high.dtype == dtype
        assert x.min() <= low <= high <= x.max()
        if x.min() == x.max():
            checks.is_range((low, high), x.min(), x.max(), dtype)
    for name in ("subnormal", "huge"):
        with pytest.raises(ValueError, match=rf"^x must leave 16 bins of a width that {dtype.__name__} has, got max"):
            entropy.threshold(arrays[name], 16, 4)


def test_wrong_values():
    checks.refuses_what_is_no_finite_float_array(lambda x: entropy.threshold(x, 16, 4))


def test_wrong_numbers():
    x = frozen([0.0, 1.0])
    for bins in (1, 0, 10_001):
        with pytest.raises(ValueError, match=rf"^bins must be from 2 to 10000, got {bins}"):
            entropy.threshold(x, bins, 2)
    for target in (1, 0, 17):
        with pytest.raises(ValueError, match=rf"^target_bins must be from 2 to 16, got {target}"):
            entropy.threshold(x, 16, target)
    with pytest.raises(ValueError, match=r"^target_bins must be from 2 to 64, got 128"):
        entropy.threshold(x, 64)
    for wrong in (16.0, True, "16", None):
        with pytest.raises(TypeError, match=r"^bins must be an integer, got"):
            entropy.threshold(x, wrong, 2)
        with pytest.raises(TypeError, match=r"^target_bins must be an integer, got"):
            entropy.threshold(x, 16, wrong)
