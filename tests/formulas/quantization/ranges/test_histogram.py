"""Histogram search: its checks against the oracle, random batches, and the error paths."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.ranges import histogram
from refcompress.formulas.quantization.ranges.histogram import Histogram
from tests.formulas.quantization.checks.common import exact, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import histogram as oracle


@pytest.mark.parametrize("check", checks.HISTOGRAM)
def test_property(check):
    check(histogram)


BATCH = st.lists(st.integers(-40, 40).map(lambda k: k / 8) | st.floats(-100, 100, width=32), min_size=1, max_size=6)


@settings(deadline=None, max_examples=40)
@given(st.lists(BATCH, min_size=1, max_size=3), st.integers(2, 9))
def test_random_batches(batches, bins):
    """Bit for bit."""
    found = checks.collected(histogram, batches, bins)
    exactly = [[exact(v) for v in np.array(batch, np.float32)] for batch in batches]
    counts, low, high = oracle.collect(exactly, bins)
    assert checks.fractions(found.counts) == counts
    assert (exact(found.low), exact(found.high)) == (low, high)


@settings(deadline=None, max_examples=6)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), st.integers(2, 9), st.sampled_from([0.25, 1.0, 3.7]))
def test_random_searches(counts, levels, span):
    counts[0], counts[-1] = counts[0] + 1, counts[-1] + 1  # the ends of a range are values
    found = Histogram(frozen(counts, np.float32), np.float32(-1), np.float32(span - 1))
    low, high = histogram.search(found, levels)
    assert found.low <= low <= high <= found.high
    expected = oracle.search([Fraction(n) for n in counts], levels)
    if expected.margin > Fraction(1, 10_000):
        ends = oracle.restored_ends(exact(found.low), exact(found.high), len(counts), expected)
        checks.is_range((low, high), *ends, np.float32)


def test_the_whole_range_is_never_a_candidate():
    """Even with as many levels as bins and a value in each."""
    x = frozen(np.arange(9), np.float32)
    low, high = histogram.search(histogram.collect(x, bins=8), levels=8)
    assert (float(low), float(high)) == (0, 7)


def test_the_default_number_of_bins():
    x = frozen(np.linspace(-1, 1, 4097), np.float32)
    found = histogram.collect(x)
    assert found.counts.shape == (2048,)
    assert set(found.counts.tolist()) == {2, 3}  # the last bin has its end too
    assert found.counts[-1] == 3
    assert histogram.collect(x, found, bins=5).counts.shape == (2048,)  # later batches have the bins of the first


def test_a_shape_of_its_own_and_the_input_stays():
    x = frozen(np.random.default_rng(0).normal(size=(2, 3, 4)), np.float32)
    first = histogram.collect(x, bins=6)
    assert histogram.collect(x.transpose(2, 0, 1)[::-1], bins=6).counts.tolist() == first.counts.tolist()
    kept = first.counts.copy()
    first.counts.setflags(write=False)
    histogram.collect(3 * x, first)
    histogram.collect(x[:1, :1, :1], first)
    histogram.search(first, 4)
    assert first.counts.tolist() == kept.tolist()


def test_ends_of_parts_by_the_oracle():
    """Tenths of [0, 1] in float32: 0.3 from below and 0.7 from above, which 7 steps from below are not."""
    ends = oracle.ends(Fraction(0), Fraction(1), 10)
    assert [float(end) for end in ends[::5]] == [0, 0.5, 1]
    assert float(ends[7]) == float(np.float32(1 - 3 * exact(np.float32(0.1))))
    assert oracle.ends(Fraction(-1), Fraction(3), 4) == [-1, 0, 1, 2, 3]


def test_extreme_arrays():
    """Constant ranges stay; the smallest and the largest numbers have bins, but not squared errors."""
    arrays = checks.extreme_arrays(np.float32)
    for name in ("constant", "zero", "both zeros", "one element", "a scalar"):
        x = arrays[name]
        found = histogram.collect(x, bins=4)
        assert found.counts.tolist() == [0, 0, x.size, 0]
        checks.is_range(histogram.search(found), x.min(), x.max(), np.float32)
    subnormal = histogram.collect(arrays["subnormal"], bins=4)
    assert subnormal.counts.tolist() == [1, 1, 0, 2]  # 3, −1, 0 and 2 of [−1, 3]
    with pytest.raises(ValueError, match=r"^high - low must leave squared errors that float32 holds, got 5\.6"):
        histogram.search(subnormal)
    with pytest.raises(ValueError, match=r"^\(high - low\) · bins must be finite in float32, got low = -3\.4"):
        histogram.collect(arrays["huge"], bins=4)
    large = histogram.collect(frozen([0, 2e37], np.float32), bins=4)
    assert large.counts.tolist() == [1, 0, 0, 1]
    with pytest.raises(ValueError, match=r"^high - low must leave squared errors that float32 holds, got 2e\+37"):
        histogram.search(large)


def test_a_large_constant():
    """From 2²⁴ on x − 1 and x + 1 are not both there; the value is counted once all the same."""
    for value in (2.0**24, 2.0**25, -(2.0**30), 3e38):
        found = histogram.collect(frozen([value, value], np.float32), bins=4)
        assert float(found.counts.sum()) == 2
        checks.is_range((found.low, found.high), np.float32(value), np.float32(value), np.float32)
        merged = histogram.collect(frozen([0, value / 2], np.float32), found) if abs(value) < 1e37 else None
        if merged is not None:
            assert merged.counts.tolist() == ([1, 0, 1, 2] if value > 0 else [2, 0, 1, 1])


def test_counts_are_exact_beyond_what_ones_can_add():
    seen = Histogram(np.array([2.0**24, 1], np.float32), np.float32(0), np.float32(1))
    assert histogram.collect(frozen([0, 0, 1], np.float32), seen).counts.tolist() == [2.0**24 + 2, 2]


def test_wrong_values():
    for wrong in (np.float16, np.int32, bool):
        with pytest.raises(TypeError, match=r"^x must be float32 or float64, got"):
            histogram.collect(np.ones(3, wrong))
    with pytest.raises(TypeError, match=r"^x must be float32 .*got float64"):
        histogram.collect(np.ones(3))
    with pytest.raises(ValueError, match=r"^x must not be empty"):
        histogram.collect(np.zeros((3, 0), np.float32))
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match=rf"^x must be finite, got {bad}"):
            histogram.collect(np.array([1, bad], np.float32))
        with pytest.raises(ValueError, match=rf"^x must be finite, got {bad}"):
            histogram.collect(np.array([1, bad], np.float32), histogram.collect(np.ones(1, np.float32)))


def test_wrong_numbers():
    x = np.ones(3, np.float32)
    for bins in (1, 0, -1, 65537):
        with pytest.raises(ValueError, match=rf"^bins must be from 2 to 65536, got {bins}"):
            histogram.collect(x, bins=bins)
    for levels in (1, 0, 65537):
        with pytest.raises(ValueError, match=rf"^levels must be from 2 to 65536, got {levels}"):
            histogram.search(histogram.collect(x), levels)
    for wrong in (4.0, True, "4", None):
        with pytest.raises(TypeError, match=r"^bins must be an integer, got"):
            histogram.collect(x, bins=wrong)
        with pytest.raises(TypeError, match=r"^levels must be an integer, got"):
            histogram.search(histogram.collect(x), wrong)
