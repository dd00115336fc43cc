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


# ---- one M₂ for a neuron of several parameters ----


def one_pass_summed(gradients, summed):
    moments = streaming_moments.empty(gradients.shape[1:], summed=summed)
    for gradient in gradients:
        moments = streaming_moments.update(moments, gradient)
    return moments


@pytest.mark.parametrize("summed", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_summed_axes(summed, dtype):
    """The mean of every parameter as ever; M₂ and std² are the sums of those of the parameters."""
    gradients = np.random.default_rng(summed).standard_normal((6, 2, 3, 4)).astype(dtype)
    moments, single = one_pass_summed(gradients, summed), one_pass(gradients)
    assert (moments.mean.shape, moments.m2.shape) == ((2, 3, 4), (2, 3, 4)[: 3 - summed])
    assert moments.mean.dtype == moments.m2.dtype == np.float64
    assert moments.mean.tolist() == single.mean.tolist()
    count, _, squares = oracle.summed(gradients.reshape(6, -1), int(np.prod((2, 3, 4)[3 - summed :])))
    scale = math.sqrt(24 * count) * bound(gradients)  # of a norm of up to 24 deviations
    np.testing.assert_allclose(np.sqrt(moments.m2).ravel(), [math.sqrt(s) for s in squares], rtol=0, atol=scale)
    for ddof in (0, 1):
        result, expected = (streaming_moments.std(m, ddof=ddof) for m in (moments, single))
        assert result.shape == moments.m2.shape
        norms = np.sqrt(np.sum(expected**2, axis=tuple(range(3 - summed, 3))))
        np.testing.assert_allclose(result, norms, rtol=0, atol=scale)
    for split in (0, 2, 6):
        halves = one_pass_summed(gradients[:split], summed), one_pass_summed(gradients[split:], summed)
        merged = streaming_moments.merge(*halves)
        assert (merged.count, merged.mean.shape, merged.m2.shape) == (6, moments.mean.shape, moments.m2.shape)
        np.testing.assert_allclose(np.sqrt(merged.m2), np.sqrt(moments.m2), rtol=0, atol=2 * scale)


def test_summed_moments_by_hand():
    """(1, −4), (3, 4), (5, 0): Σ δ² is 8 for the first parameter and 32 for the second."""
    moments = one_pass_summed(np.array([[[1.0, -4.0]], [[3.0, 4.0]], [[5.0, 0.0]]]), 1)
    assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (3, [[3.0, 0.0]], [40.0])
    assert (streaming_moments.std(moments, ddof=1) ** 2).tolist() == pytest.approx([20.0], rel=4 * UNIT)


def test_moments_of_other_sums_are_not_merged():
    full = one_pass_summed(np.ones((2, 3, 4)), 0)
    for other in (one_pass_summed(np.ones((2, 3, 4)), 1), one_pass_summed(np.ones((2, 3, 4)), 2)):
        for a, b in ((full, other), (other, full)):
            with pytest.raises(ValueError, match=r"\bb\b.*shape"):
                streaming_moments.merge(a, b)
    with pytest.raises(ValueError, match="gradient"):
        streaming_moments.update(streaming_moments.empty((3, 4), summed=1), np.ones(3))


@pytest.mark.parametrize(("summed", "error"), [(-1, ValueError), (3, ValueError), (0.5, TypeError), (True, TypeError)])
def test_the_number_of_summed_axes(summed, error):
    with pytest.raises(error, match="summed"):
        streaming_moments.empty((2, 3), summed=summed)


# ---- from sums of deviations from a constant ----


def check_shifted(gradients, shift, summed=False):
    """Exact sums in; |M₂ − exact| ≤ (K + 4)·u·(Q + Σ S²/T): K − 1 sums, S², its quotient, the difference, Q itself."""
    S, Q = oracle.sums(gradients, shift)
    count, means, squares = oracle.moments(gradients)
    room = [float(q + s * s / count) for q, s in zip(Q, S, strict=True)]
    c, sums, Q, K = shift, np.array([float(s) for s in S]), np.array([float(q) for q in Q]), 1
    if summed:
        c, sums, Q, K = c[None], sums[None], np.array([float(sum(oracle.sums(gradients, shift)[1]))]), len(Q)
        squares, room = [sum(squares)], [sum(room)]
    moments = streaming_moments.from_shifted_sums(count, c, sums, Q)
    assert isinstance(moments, streaming_moments.Moments)
    assert (moments.count, moments.mean.shape, moments.m2.shape) == (count, c.shape, Q.shape)
    for result, exact, largest in zip(moments.m2, squares, room, strict=True):
        assert result >= 0
        assert abs(result - float(exact)) <= (K + 4) * UNIT * largest
    for result, exact, s, c in zip(moments.mean.ravel(), means, S, shift, strict=True):
        assert abs(result - float(exact)) <= 4 * UNIT * max(abs(float(s)), abs(c), abs(float(exact)))
    return moments


@settings(deadline=None, max_examples=60)
@given(tables, st.data())
def test_shifted_sums_match_the_oracle(gradients, data):
    shift = data.draw(hnp.arrays(np.float64, gradients.shape[1], elements=st.floats(-1e3, 1e3, width=32)))
    check_shifted(gradients, shift)
    check_shifted(gradients, shift, summed=True)
    check_shifted(gradients, gradients[0])


def test_a_shift_to_the_mean_saves_what_cancels():
    """Mean 1, std 1e-4: with c = 0 a relative error of 10⁸·u is allowed and happens; with c = 1 a few u."""
    rng = np.random.default_rng(3)
    gradients = np.round((1 + 1e-4 * rng.standard_normal((500, 20))) * 2.0**45) / 2.0**45
    exact = np.array([oracle.std_of_dyadics(column, 45) for column in gradients.T])
    errors = [
        np.abs(streaming_moments.std(check_shifted(gradients, np.full(20, c))) / exact - 1).max() for c in (0.0, 1.0)
    ]
    assert 1e-10 < errors[0] < 1e-7
    assert errors[1] < 1e-15


def test_shifted_sums_go_on_as_moments():
    """Merged with others and updated, like those of one pass."""
    gradients = np.random.default_rng(9).standard_normal((9, 3))
    S, Q = (np.array([float(v) for v in values]) for values in oracle.sums(gradients[:5], gradients[0]))
    moments = streaming_moments.from_shifted_sums(5, gradients[0], S, Q)
    for gradient in gradients[5:7]:
        moments = streaming_moments.update(moments, gradient)
    check_moments(streaming_moments.merge(moments, one_pass(gradients[7:])), gradients)


def test_shifted_sums_leave_their_arrays_alone():
    arrays = [np.array(values, np.float32) for values in ([1.0, 2.0], [3.0, 4.0], [50.0, 60.0])]
    for array in arrays:
        array.flags.writeable = False
    result = streaming_moments.from_shifted_sums(2, *arrays)
    assert result.mean.tolist() == [2.5, 4.0]
    assert result.m2.tolist() == [45.5, 52.0]
    assert not any(np.shares_memory(a, b) for a in (result.mean, result.m2) for b in arrays)


def test_shifted_sums_refuse():
    one = np.ones((2, 3))
    for count in (0, -1):
        with pytest.raises(ValueError, match="count"):
            streaming_moments.from_shifted_sums(count, one, one, one)
    for count in (1.0, True, None):
        with pytest.raises(TypeError, match="count"):
            streaming_moments.from_shifted_sums(count, one, one, one)
    for shape in ((3,), (2, 1), (3, 2), (2, 3, 1), ()):
        with pytest.raises(ValueError, match="sums"):
            streaming_moments.from_shifted_sums(2, one, np.ones(shape), one)
    for shape in ((3,), (2, 1), (3, 2), (2, 3, 1)):
        with pytest.raises(ValueError, match="squares"):
            streaming_moments.from_shifted_sums(2, one, one, np.ones(shape))
    for position, name in enumerate(("shift", "sums", "squares")):
        arrays = [one, one, one]
        for wrong in (np.int64, np.float16, bool):
            arrays[position] = one.astype(wrong)
            with pytest.raises(TypeError, match=name):
                streaming_moments.from_shifted_sums(2, *arrays)


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
