"""Checks of the pruning formulas as plain functions: each takes an implementation and raises AssertionError.

An implementation is anything with the module's functions as attributes, so that planted errors can be passed too.
"""

import itertools
import math

import numpy as np

from tests.oracles import reduction as reduction_oracle
from tests.oracles import removal as removal_oracle
from tests.oracles import selection as selection_oracle
from tests.oracles import stability as stability_oracle
from tests.oracles import streaming_moments as streaming_oracle

UNIT = 2.0**-53
# five iterations of three neurons: integers of every sign, one constant column
GRADIENTS = np.array([[3.0, -1.0, 2.0], [-5.0, 4.0, 2.0], [0.0, 4.0, 2.0], [8.0, -7.0, 2.0], [-1.0, 9.0, 2.0]])
ROUNDINGS = 16 * (len(GRADIENTS) + 4) * UNIT  # relative to the largest gradient; derived in test_streaming_moments


# ---- stability ----


def mean_matches(stability):
    expected = [float(m) for m in stability_oracle.mean(GRADIENTS)]
    np.testing.assert_allclose(stability.mean(GRADIENTS), expected, rtol=0, atol=9 * ROUNDINGS)


def std_uses_its_divisor(stability):
    for ddof in (0, 1):
        expected = stability_oracle.std(GRADIENTS, ddof)
        np.testing.assert_allclose(stability.std(GRADIENTS, ddof=ddof), expected, rtol=0, atol=9 * ROUNDINGS)
    assert (stability.std(GRADIENTS) == stability.std(GRADIENTS, ddof=0)).all()


def reductions_match(reduction):
    dW = np.array([[[3.0, -4.0]], [[0.0, 2.0]], [[-1.0, -1.0]], [[1.0, -2.0]]])  # (4, 1, 2)
    for db in (np.array([5.0, 1.0, -4.0, 1.0]), None):
        for reduce in ("sum", "mean", "mean_abs", "l2") + (("bias",) if db is not None else ()):
            expected = reduction_oracle.neuron_gradients(dW, db, reduce)
            # integers: at most the division and the root round, twice each
            np.testing.assert_allclose(reduction.neuron_gradients(dW, db, reduce), expected, rtol=8 * UNIT, atol=0)


def moments_are_combined_by_rms(reduction):
    W_moments, b_moments = np.array([[[1.0, 2.0]], [[0.0, 4.0]]]), np.array([2.0, 3.0])
    for b in (b_moments, None):
        expected = reduction_oracle.rms_of_parameter_moments(W_moments, b)
        np.testing.assert_allclose(reduction.rms_of_parameter_moments(W_moments, b), expected, rtol=8 * UNIT, atol=0)


def norms_are_divided_by_the_root(reduction):
    norms = np.array([0.0, 5.0, 2.0**0.5, 1e-200, 3e180])
    for parameters in (1, 2, 4, 7, 4097):
        expected = reduction_oracle.rms_of_norms(norms, parameters)
        # a root and a quotient, and the oracle's root
        np.testing.assert_allclose(reduction.rms_of_norms(norms, parameters), expected, rtol=4 * UNIT, atol=0)
    # the norm of a neuron's moments, divided, is their RMS
    W_moments = np.array([[1.0, 2.0, 2.0], [0.0, 4.0, 3.0]])
    expected = reduction.rms_of_parameter_moments(W_moments, None)
    np.testing.assert_allclose(reduction.rms_of_norms(np.array([3.0, 5.0]), 3), expected, rtol=4 * UNIT, atol=0)


def _neurons():
    pairs = list(itertools.product((-1.0, -1e-3, -0.0, 0.0, 5e-4, 1e-3, 2.0), (0.0, 5e-4, 1e-3, 2.0)))
    return np.array([m for m, _ in pairs]), np.array([s for _, s in pairs])


def _rule_holds(stability, rule):
    mean, std = _neurons()
    for tau_mean, tau_std in itertools.product((0.0, 5e-4, 1e-3, 1.0, 2.0, math.inf), repeat=2):
        expected = stability_oracle.unimportant(mean, std, tau_mean, tau_std, rule)
        assert stability.unimportant(mean, std, tau_mean, tau_std, rule).tolist() == expected, (tau_mean, tau_std)


def text_rule_holds(stability):
    _rule_holds(stability, "text")


def listing_rule_holds(stability):
    _rule_holds(stability, "listing")


# ---- streaming moments ----


def _one_pass(streaming, gradients):
    moments = streaming.empty(gradients.shape[1:])
    for gradient in gradients:
        moments = streaming.update(moments, gradient)
    return moments


def _check_moments(streaming, moments, gradients):
    count, means, squares = streaming_oracle.moments(gradients)
    assert moments.count == count
    largest = np.abs(gradients).max()
    np.testing.assert_allclose(moments.mean, [float(m) for m in means], rtol=0, atol=largest * ROUNDINGS)
    np.testing.assert_allclose(
        np.sqrt(moments.m2), [math.sqrt(s) for s in squares], rtol=0, atol=math.sqrt(count) * largest * ROUNDINGS
    )
    for ddof in range(min(2, count)):
        expected = streaming_oracle.std(gradients, ddof)
        np.testing.assert_allclose(streaming.std(moments, ddof=ddof), expected, rtol=0, atol=largest * ROUNDINGS)


def one_pass_matches(streaming):
    for steps in range(1, len(GRADIENTS) + 1):
        _check_moments(streaming, _one_pass(streaming, GRADIENTS[:steps]), GRADIENTS[:steps])


def every_split_merges_to_one_pass(streaming):
    for split in range(len(GRADIENTS) + 1):
        halves = _one_pass(streaming, GRADIENTS[:split]), _one_pass(streaming, GRADIENTS[split:])
        _check_moments(streaming, streaming.merge(*halves), GRADIENTS)


NEURONS = np.concatenate([GRADIENTS, GRADIENTS[::-1] - 2], axis=1).reshape(len(GRADIENTS), 2, 3)  # 2 of 3 parameters


def _check_summed(streaming, moments, gradients):
    """One M₂ for every neuron, the means as ever."""
    steps, neurons, parameters = gradients.shape
    count, means, squares = streaming_oracle.summed(gradients.reshape(steps, -1), parameters)
    assert moments.count == count
    assert (moments.mean.shape, moments.m2.shape) == ((neurons, parameters), (neurons,))
    largest = np.abs(gradients).max()
    np.testing.assert_allclose(moments.mean.ravel(), [float(m) for m in means], rtol=0, atol=largest * ROUNDINGS)
    # a norm of `parameters` deviations, each off by √T · the bound of one
    bound = math.sqrt(count * parameters) * largest * ROUNDINGS
    np.testing.assert_allclose(np.sqrt(moments.m2), [math.sqrt(s) for s in squares], rtol=0, atol=bound)
    for ddof in range(min(2, count)):
        expected = [math.sqrt(s / (count - ddof)) for s in squares]
        np.testing.assert_allclose(streaming.std(moments, ddof=ddof), expected, rtol=0, atol=bound)


def summed_axes_match(streaming):
    """One pass and every split, with M₂ summed over the last axis."""

    def one_pass(gradients):
        moments = streaming.empty((2, 3), summed=1)
        assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (0, [[0.0] * 3] * 2, [0.0] * 2)
        for gradient in gradients:
            moments = streaming.update(moments, gradient)
        return moments

    for split in range(len(NEURONS) + 1):
        first, second = one_pass(NEURONS[:split]), one_pass(NEURONS[split:])
        _check_summed(streaming, streaming.merge(first, second), NEURONS)
        if split:
            _check_summed(streaming, first, NEURONS[:split])


def shifted_sums_match(streaming):
    """Four rows of integers and integer shifts: S, Q, S²/4 and c + S/4 are exact, summed or not, in float32 too."""
    for dtype in (np.float32, np.float64):
        for shift in (np.zeros(6), np.arange(6.0) - 2, np.full(6, 1024.0)):
            rows = NEURONS[:4].reshape(4, 6)
            S, Q = (np.array([float(v) for v in values]) for values in streaming_oracle.sums(rows, shift))
            _, means, squares = streaming_oracle.moments(rows)
            c, S, Q = shift.astype(dtype), S.astype(dtype), Q.astype(dtype)
            moments = streaming.from_shifted_sums(4, c, S, Q)
            assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (4, means, squares)
            moments = streaming.from_shifted_sums(4, c.reshape(2, 3), S.reshape(2, 3), Q.reshape(2, 3).sum(axis=1))
            wanted = streaming_oracle.summed(rows, 3)
            assert (moments.count, moments.mean.ravel().tolist(), moments.m2.tolist()) == wanted
            assert moments.mean.dtype == moments.m2.dtype == np.float64


def shifted_sums_are_squared_in_float64(streaming):
    """S = 2¹² + 1: its square, 2²⁴ + 2¹³ + 1, is no float32, and is what Q of one value must lose exactly."""
    S = np.array([4097.0], np.float32)
    moments = streaming.from_shifted_sums(1, np.zeros(1, np.float32), S, np.array([4097.0**2]))
    assert (moments.mean.tolist(), moments.m2.tolist()) == ([4097.0], [0.0])


def rounding_does_not_make_m2_negative(streaming):
    """Three times a third: Q a float below S²/3, whose difference would be −5·10⁻¹⁷."""
    below = np.array([np.nextafter(1 / 3, 0)])
    moments = streaming.from_shifted_sums(3, np.zeros(1), np.ones(1), below)
    assert moments.m2.tolist() == [0.0]
    assert streaming.std(moments).tolist() == [0.0]


def stable_far_from_zero(streaming):
    # 2^20 ± small integers: exact deviations of size 1, squares of size 2^40
    gradients = GRADIENTS + 2.0**20
    result = streaming.std(_one_pass(streaming, gradients))
    # the deviations are wrong by a few T·u·2^20 at most
    np.testing.assert_allclose(result, streaming_oracle.std(gradients), rtol=0, atol=2**20 * ROUNDINGS)


def update_and_merge_are_pure(streaming):
    first, second = _one_pass(streaming, GRADIENTS[:2]), _one_pass(streaming, GRADIENTS[2:])
    before = [np.array(array) for moments in (first, second) for array in moments]
    streaming.update(first, GRADIENTS[4])
    streaming.merge(first, second)
    after = [np.array(array) for moments in (first, second) for array in moments]
    for old, new in zip(before, after, strict=True):
        assert (old == new).all()


# ---- selection ----


def thresholds_are_medians(selection):
    for n in (1, 2, 3, 4, 5):
        mean = np.array([-5.0, 1.0, -2.0, 0.5, 7.0])[:n]
        std = np.array([0.5, 0.0, 4.0, 1.0, 3.0])[:n]
        assert tuple(selection.median_thresholds(mean, std)) == selection_oracle.median_thresholds(mean, std)


def score_is_the_selecting_factor(selection):
    mean, std = _neurons()
    for tau_mean, tau_std in itertools.product((0.0, 0.5, 1.0, 3.0), repeat=2):
        expected = selection_oracle.score(mean, std, tau_mean, tau_std)
        assert selection.score(mean, std, tau_mean, tau_std).tolist() == expected, (tau_mean, tau_std)


def smallest_takes_the_lower_index(selection):
    for n in range(1, 5):
        for score in itertools.product((0.0, 1.0, 2.0), repeat=n):
            for fraction in (0.0, 0.25, 0.4, 0.5, 0.75):
                expected = selection_oracle.smallest(score, fraction)
                assert selection.smallest(np.array(score), fraction).tolist() == expected, (score, fraction)


def smallest_counts_the_decimal(selection):
    counts = [(0.29, 100, 29), (0.58, 50, 29), (0.5, 3, 1), (0.99, 10, 9), (0.0, 4, 0), (0.07, 100, 7)]
    for fraction, n, count in counts:
        assert len(selection.smallest(np.arange(float(n)), fraction)) == count, (fraction, n)


def thresholds_separate(selection):
    """P3 at them selects the smallest scores, with < and with ≤ alike: the border is between two scores, on neither."""
    mean, std = np.array([-5.0, 1.0, -2.0, 0.5, 7.0]), np.array([0.5, 3.0, 4.0, 0.25, 12.0])
    tau_mean, tau_std = 2.0, 1.0
    score = selection_oracle.score(mean, std, tau_mean, tau_std)  # 2.5, 3, 4, 0.25, 12
    for count in range(5):
        chosen = selection_oracle.smallest(score, count / 5)
        tau = selection.separating_thresholds(np.array(score), np.array(chosen, np.int64), tau_mean, tau_std)
        below = (np.abs(mean) < tau[0]) & (std < tau[1])
        up_to = (np.abs(mean) <= tau[0]) & (std <= tau[1])
        assert np.flatnonzero(below).tolist() == np.flatnonzero(up_to).tolist() == chosen, count


def thresholds_of_what_is_infinite(selection):
    for score in itertools.product((0.0, 1.0, math.inf), repeat=3):
        for count in range(3):
            chosen = selection_oracle.smallest(score, count / 3 + 0.01)
            tau = selection.separating_thresholds(np.array(score), np.array(chosen, np.int64), 2.0, 0.5)
            assert tuple(tau) == selection_oracle.separating_thresholds(score, chosen, 2.0, 0.5), (score, chosen)


# ---- removal ----


def _numbered(*shape):
    """Every entry is its own position in memory order."""
    return np.arange(float(math.prod(shape))).reshape(shape)


def _contiguous_copy(result, source):
    return result.flags.c_contiguous and not np.shares_memory(result, source)


def rows_go(removal):
    for array in (_numbered(4), _numbered(4, 3), np.asfortranarray(_numbered(4, 3, 2))):
        for chosen in ([0], [3, 1], [2, 0, 1], []):
            result = removal.rows(array, np.array(chosen, np.int64))
            assert result.tolist() == removal_oracle.rows(array, chosen)
            assert _contiguous_copy(result, array)


def columns_go_by_block(removal):
    for W, block in [(_numbered(3, 4), 1), (np.asfortranarray(_numbered(2, 8)), 2), (_numbered(5, 4, 3, 2), 1)]:
        for chosen in ([0], [3, 1], [2, 0, 1], []):
            result = removal.columns(W, np.array(chosen, np.int64), block=block)
            assert result.tolist() == removal_oracle.columns(W, chosen, block)
            assert _contiguous_copy(result, W)


def folding_is_exact_on_integers(removal):
    for W, block in [(_numbered(3, 4), 1), (_numbered(2, 8), 2), (_numbered(5, 4, 3, 2), 1)]:
        b = np.arange(float(len(W))) - 1
        for chosen in ([0], [3, 1], [2, 0, 1], []):
            activation = np.array([2.0, -3.0, 5.0])[: len(chosen)]
            result = removal.folded_bias(b, W, np.array(chosen, np.int64), activation, block=block)
            assert result.tolist() == removal_oracle.folded_bias(b, W, chosen, activation, block)
        assert (b == np.arange(float(len(W))) - 1).all()
