import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refcompress.formulas.pruning import streaming_moments
from tests.oracles import streaming_moments as oracle

UNIT = 2.0**-53
# float32 values, so that squares neither overflow nor underflow in float64
tables = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 10), st.integers(1, 3)), elements=st.floats(-1e3, 1e3, width=32)
)


def one_pass(gradients):
    moments = streaming_moments.empty(gradients.shape[1:])
    for gradient in gradients:
        moments = streaming_moments.update(moments, gradient)
    return moments


def bound(gradients):
    """Allowed |error| of the mean and the std after T updates or merges.

    Each update changes the mean by three roundings of quantities ≤ 2·max|g|, damped by 1 − 1/k: (T + 4)·u·max|g| in all
    and a few times that for the deviations, of whose norm the std is one. 16(T + 4)·u·max|g| covers both divisors.
    """
    return 16 * (len(gradients) + 4) * UNIT * np.abs(gradients).max(initial=0)


def check_moments(moments, gradients):
    count, means, squares = oracle.moments(gradients)
    assert moments.count == count
    np.testing.assert_allclose(moments.mean, [float(m) for m in means], rtol=0, atol=bound(gradients))
    roots = [math.sqrt(value) for value in squares]
    np.testing.assert_allclose(np.sqrt(moments.m2), roots, rtol=0, atol=math.sqrt(count) * bound(gradients))
    for ddof in (0, 1):
        if count > ddof:
            result = streaming_moments.std(moments, ddof=ddof)
            np.testing.assert_allclose(result, oracle.std(gradients, ddof), rtol=0, atol=bound(gradients))


def test_empty():
    moments = streaming_moments.empty((2, 3))
    assert isinstance(moments, streaming_moments.Moments)
    assert moments._fields == ("count", "mean", "m2")
    assert moments.count == 0
    assert moments.mean.dtype == moments.m2.dtype == np.float64
    assert moments.mean.tolist() == moments.m2.tolist() == [[0.0] * 3] * 2


def test_three_updates_by_hand():
    moments = streaming_moments.empty((2,))
    moments = streaming_moments.update(moments, np.array([1.0, -4.0]))
    assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (1, [1.0, -4.0], [0.0, 0.0])
    moments = streaming_moments.update(moments, np.array([3.0, 4.0]))
    assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (2, [2.0, 0.0], [2.0, 32.0])
    moments = streaming_moments.update(moments, np.array([5.0, 0.0]))
    assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (3, [3.0, 0.0], [8.0, 32.0])
    assert (streaming_moments.std(moments, ddof=1) ** 2).tolist() == pytest.approx([4.0, 16.0], rel=4 * UNIT)
    assert (streaming_moments.std(moments) ** 2).tolist() == pytest.approx([8 / 3, 32 / 3], rel=8 * UNIT)


def test_merge_by_hand():
    a = one_pass(np.array([[1.0], [3.0]]))
    b = one_pass(np.array([[5.0], [7.0]]))
    merged = streaming_moments.merge(a, b)
    assert isinstance(merged, streaming_moments.Moments)
    assert (merged.count, merged.mean.tolist(), merged.m2.tolist()) == (4, [4.0], [20.0])
    assert (streaming_moments.std(merged) ** 2).tolist() == pytest.approx([5.0], rel=4 * UNIT)


def test_merging_with_the_empty_history_changes_nothing():
    full = one_pass(np.array([[0.1, 0.2], [0.7, -0.3], [0.4, 1e-9]]))
    nothing = streaming_moments.empty((2,))
    for merged in (streaming_moments.merge(full, nothing), streaming_moments.merge(nothing, full)):
        assert merged.count == 3
        assert merged.mean.tolist() == full.mean.tolist()
        assert merged.m2.tolist() == full.m2.tolist()
    both = streaming_moments.merge(nothing, nothing)
    assert (both.count, both.mean.tolist(), both.m2.tolist()) == (0, [0.0, 0.0], [0.0, 0.0])


@settings(deadline=None, max_examples=60)
@given(tables)
def test_one_pass_matches_the_oracle(gradients):
    check_moments(one_pass(gradients), gradients)


@settings(deadline=None, max_examples=40)
@given(tables)
def test_any_split_merges_to_one_pass(gradients):
    for split in range(len(gradients) + 1):
        merged = streaming_moments.merge(one_pass(gradients[:split]), one_pass(gradients[split:]))
        check_moments(merged, gradients)


@settings(deadline=None, max_examples=40)
@given(tables)
def test_merging_row_by_row_is_a_pass_too(gradients):
    merged = streaming_moments.empty(gradients.shape[1:])
    for row in range(len(gradients)):
        merged = streaming_moments.merge(merged, one_pass(gradients[row : row + 1]))
    check_moments(merged, gradients)


@settings(deadline=None, max_examples=40)
@given(tables, st.integers(-20, 20), st.sampled_from([1.0, -1.0]))
def test_scale_law(gradients, exponent, sign):
    factor = sign * 2.0**exponent
    plain, scaled = one_pass(gradients), one_pass(factor * gradients)
    assert (scaled.mean == factor * plain.mean).all()
    assert (scaled.m2 == factor**2 * plain.m2).all()
    assert (streaming_moments.std(scaled) == abs(factor) * streaming_moments.std(plain)).all()


def test_a_constant_stream_has_exactly_no_deviation():
    moments = one_pass(np.full((1000, 2), 0.1))
    assert moments.mean.tolist() == [0.1, 0.1]
    assert moments.m2.tolist() == [0.0, 0.0]


def test_stable_where_the_mean_dwarfs_the_deviation():
    """Mean 1, standard deviation 1e-4, 10⁵ steps: relative error of the std at most 1e-9.

    With κ = √(1 + mean²/var) = 1e4 the std's relative error is about λ·√T·κ·u/2 when roundings are independent (λ = 5
    is passed with probability under 2·exp(−12.5)): 5 · 316 · 1e4 · 1.1e-16 / 2 = 8.8e-10. The textbook E[g²] − E[g]²
    has κ² instead of κ: 8.8e-6 by the same count.
    """
    rng = np.random.default_rng(3)
    # multiples of 2^−45, so that the oracle may sum integers
    gradients = np.round((1 + 1e-4 * rng.standard_normal(100_000)) * 2.0**45) / 2.0**45
    exact = oracle.std_of_dyadics(gradients, 45)
    assert 0.99e-4 < exact < 1.01e-4
    moments = one_pass(gradients[:, None])
    assert moments.count == 100_000
    assert abs(streaming_moments.std(moments)[0] / exact - 1) <= 1e-9
    halves = streaming_moments.merge(one_pass(gradients[:30_000, None]), one_pass(gradients[30_000:, None]))
    assert abs(streaming_moments.std(halves)[0] / exact - 1) <= 1e-9


def test_update_and_merge_are_pure():
    first = one_pass(np.array([[1.0, 2.0], [3.0, 5.0]]))
    second = one_pass(np.array([[7.0, 1.0]]))
    kept = [array.copy() for moments in (first, second) for array in (moments.mean, moments.m2)]
    gradient = np.array([9.0, 9.0])
    for array in (first.mean, first.m2, second.mean, second.m2, gradient):
        array.flags.writeable = False
    updated = streaming_moments.update(first, gradient)
    merged = streaming_moments.merge(first, second)
    streaming_moments.std(first, ddof=1)
    assert (first.count, second.count) == (2, 1)
    now = [array for moments in (first, second) for array in (moments.mean, moments.m2)]
    assert all((a == b).all() for a, b in zip(kept, now, strict=True))
    for result in (updated, merged):
        for array in (result.mean, result.m2):
            assert not any(np.shares_memory(array, source) for source in (*now, gradient))


def test_a_first_update_does_not_keep_the_callers_array():
    gradient = np.array([1.0, 2.0])
    moments = streaming_moments.update(streaming_moments.empty((2,)), gradient)
    gradient[:] = 100.0
    assert moments.mean.tolist() == [1.0, 2.0]


def test_float32_gradients_and_any_shape():
    gradients = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    moments = one_pass(gradients)
    assert moments.mean.dtype == moments.m2.dtype == np.float64
    assert moments.mean.tolist() == (gradients[0] + 6.0).tolist()
    assert moments.m2.tolist() == [[72.0] * 4] * 3
    assert streaming_moments.std(moments).dtype == np.float64
    assert streaming_moments.std(moments).tolist() == [[6.0] * 4] * 3
    assert streaming_moments.update(streaming_moments.empty((2,)), [0.1, 0.2]).mean.tolist() == [0.1, 0.2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_single_number_has_moments_too(dtype):
    """Shape (): 1, 3, 5 have the mean 3 and Σ (g − 3)² = 8; then 7 and 9 join them."""
    moments = streaming_moments.empty(())
    assert moments.mean.shape == moments.m2.shape == ()
    for gradient in (1, 3, 5):
        moments = streaming_moments.update(moments, np.array(gradient, dtype))
    later = streaming_moments.update(streaming_moments.empty(()), np.array(7, dtype))
    later = streaming_moments.update(later, np.array(9, dtype))
    merged = streaming_moments.merge(moments, later)
    for result, expected in ((moments, (3, 3.0, 8.0)), (later, (2, 8.0, 2.0)), (merged, (5, 5.0, 40.0))):
        assert tuple(result) == expected
        assert result.mean.shape == result.m2.shape == ()
        assert result.mean.dtype == result.m2.dtype == np.float64
    assert streaming_moments.std(moments, ddof=1) == 2.0
    assert streaming_moments.std(merged) == pytest.approx(math.sqrt(8), rel=4 * UNIT)
    assert streaming_moments.merge(streaming_moments.empty(()), later) == later
    with pytest.raises(ValueError, match="gradient"):
        streaming_moments.update(moments, np.ones(1, dtype))
    with pytest.raises(ValueError, match="gradient"):
        streaming_moments.update(moments, np.array(math.nan, dtype))


@pytest.mark.parametrize(("count", "ddof"), [(0, 0), (0, 1), (1, 1)])
def test_std_needs_more_updates_than_ddof(count, ddof):
    moments = one_pass(np.ones((count, 3)))
    with pytest.raises(ValueError, match=r"count|moments|ddof"):
        streaming_moments.std(moments, ddof=ddof)


@pytest.mark.parametrize(("ddof", "error"), [(2, ValueError), (-1, ValueError), (0.5, TypeError)])
def test_ddof_is_zero_or_one(ddof, error):
    with pytest.raises(error, match="ddof"):
        streaming_moments.std(one_pass(np.ones((4, 3))), ddof=ddof)


def test_update_and_merge_refuse():
    moments = one_pass(np.ones((2, 3)))
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="gradient"):
            streaming_moments.update(moments, np.array([1.0, bad, 1.0]))
    for shape in [(2,), (1,), (1, 3), ()]:
        with pytest.raises(ValueError, match="gradient"):
            streaming_moments.update(moments, np.ones(shape))
    for dtype in (np.int64, np.float16):
        with pytest.raises(TypeError, match="gradient"):
            streaming_moments.update(moments, np.ones(3, dtype))
    with pytest.raises(ValueError, match=r"shape|b\b"):
        streaming_moments.merge(moments, one_pass(np.ones((2, 1))))
