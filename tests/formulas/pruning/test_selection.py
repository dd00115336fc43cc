import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refcompress.formulas.pruning import selection, stability
from tests.oracles import selection as oracle

means = hnp.arrays(np.float64, st.integers(1, 7), elements=st.floats(-1e3, 1e3, width=32))


def stds(n):
    return hnp.arrays(np.float64, n, elements=st.floats(0, 1e3, width=32))


pairs = means.flatmap(lambda mean: st.tuples(st.just(mean), stds(len(mean))))


# ---- thresholds ----


def test_median_thresholds_by_hand():
    mean = np.array([-5.0, 1.0, -2.0])
    std = np.array([0.5, 0.0, 4.0])
    assert selection.median_thresholds(mean, std) == (2.0, 0.5)
    # an even count: half way between the two in the middle
    assert selection.median_thresholds(np.array([-5.0, 1.0, -2.0, 0.0]), np.array([0.5, 0.0, 4.0, 1.0])) == (1.5, 0.75)
    assert selection.median_thresholds(np.array([-3.0]), np.array([0.0])) == (3.0, 0.0)
    assert selection.median_thresholds([-3.0, -5.0], [1.0, 2.0]) == (4.0, 1.5)


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_median_thresholds_match_the_oracle(pair):
    # exact: the sum of the two middle values rounds once, halving it does not
    assert selection.median_thresholds(*pair) == oracle.median_thresholds(*pair)


# ---- score ----


def test_score_by_hand():
    mean = np.array([-4.0, 1.0, 0.0, -0.0, 2.0])
    std = np.array([1.0, 6.0, 0.0, 2.0, 4.0])
    result = selection.score(mean, std, 2.0, 4.0)
    assert result.dtype == np.float64
    assert result.tolist() == [2.0, 1.5, 0.0, 0.5, 1.0]


def test_score_at_zero_thresholds():
    mean = np.array([0.0, -0.0, 1.0, 0.0, -1.0])
    std = np.array([0.0, 3.0, 0.0, 0.0, 3.0])
    inf = math.inf
    assert selection.score(mean, std, 0.0, 2.0).tolist() == [0.0, 1.5, inf, 0.0, inf]
    assert selection.score(mean, std, 2.0, 0.0).tolist() == [0.0, inf, 0.5, 0.0, inf]
    assert selection.score(mean, std, 0.0, 0.0).tolist() == [0.0, inf, inf, 0.0, inf]


def test_an_overflowing_quotient_is_infinite_without_a_warning():
    assert selection.score(np.array([1e300]), np.array([0.0]), 1e-300, 1.0).tolist() == [math.inf]
    assert selection.score(np.array([0.0]), np.array([1e300]), 1.0, 1e-300).tolist() == [math.inf]


@settings(deadline=None, max_examples=60)
@given(pairs, st.floats(0, 100, width=32), st.floats(0, 100, width=32))
def test_score_matches_the_oracle(pair, tau_mean, tau_std):
    # exact: a quotient rounds once, and the maximum of rounded values is the rounded maximum
    assert selection.score(*pair, tau_mean, tau_std).tolist() == oracle.score(*pair, tau_mean, tau_std)


def grid_of_neurons(rng, n):
    """Integers over powers of two, so that every product and quotient below is exact."""
    return rng.integers(-12, 13, n).astype(float), rng.integers(0, 13, n).astype(float)


@pytest.mark.parametrize("seed", range(6))
def test_score_is_the_factor_at_which_both_thresholds_select(seed):
    """c·τ selects neuron i exactly for the factors c > score_i."""
    mean, std = grid_of_neurons(np.random.default_rng(seed), 9)
    tau_mean, tau_std = 4.0, 2.0
    score = selection.score(mean, std, tau_mean, tau_std)
    for i in range(len(score)):
        for factor, selected in [
            (math.nextafter(score[i], 0) if score[i] else 0.0, False),
            (score[i], False),
            (math.nextafter(score[i], math.inf), True),
        ]:
            assert stability.unimportant(mean, std, factor * tau_mean, factor * tau_std)[i] == selected


@pytest.mark.parametrize("seed", range(6))
def test_score_order_is_the_order_of_growing_thresholds(seed):
    """Growing both thresholds in small steps selects the neurons in the order of `smallest`."""
    rng = np.random.default_rng(100 + seed)
    n = 10
    # quarters over thresholds 1 and 2: every score is a multiple of 1/8
    mean = rng.permutation(n) / 4.0 * rng.choice([-1.0, 1.0], n)
    std = rng.permutation(n) / 4.0
    tau_mean, tau_std = 1.0, 2.0
    selected_at = np.full(n, math.inf)
    for step in range(1, 64):
        factor = step / 16 + 1 / 32  # exact, and between the multiples of 1/8
        grown = stability.unimportant(mean, std, factor * tau_mean, factor * tau_std)
        selected_at[grown & np.isinf(selected_at)] = factor
    assert np.isfinite(selected_at).all()
    growing_order = sorted(range(n), key=lambda i: (selected_at[i], i))
    score = selection.score(mean, std, tau_mean, tau_std)
    for k in range(n):
        assert selection.smallest(score, k / 10).tolist() == sorted(growing_order[:k])


# ---- smallest ----


def test_smallest_by_hand():
    score = np.array([3.0, 1.0, 2.0, 1.0, 0.5])
    result = selection.smallest(score, 0.4)
    assert result.dtype == np.int64
    assert result.tolist() == [1, 4]  # the tie between 1 and 3 goes to 1
    assert selection.smallest(score, 0.6).tolist() == [1, 3, 4]
    assert selection.smallest(score, 0.0).tolist() == []
    assert selection.smallest(score, 0).dtype == np.int64
    assert selection.smallest(score, 0.19).tolist() == []
    assert selection.smallest([3.0, 1.0], 0.5).tolist() == [1]
    assert selection.smallest(score.astype(np.float32), 0.2).tolist() == [4]


def test_zeros_of_both_signs_tie_and_infinities_come_last():
    score = np.array([math.inf, 0.0, -0.0, 5.0, math.inf])
    assert selection.smallest(score, 0.2).tolist() == [1]
    assert selection.smallest(score, 0.8).tolist() == [0, 1, 2, 3]


def test_all_small_score_vectors():
    """Every vector over {0, 1, 2} up to length 5, every fraction of tenths."""
    for n in range(1, 6):
        for score in itertools.product((0.0, 1.0, 2.0), repeat=n):
            for tenths in range(10):
                result = selection.smallest(np.array(score), tenths / 10)
                assert result.tolist() == oracle.smallest(score, tenths / 10), (score, tenths)


@pytest.mark.parametrize("fraction", [np.float64(0.29), 0.29])
def test_the_decimal_is_taken_as_written(fraction):
    assert 0.29 * 100 < 29  # the float product falls short
    score = np.arange(100, 0, -1).astype(float)
    assert selection.smallest(score, fraction).tolist() == list(range(71, 100))


def test_every_hundredth_of_every_count():
    """⌊p·n/100⌋ in integers, for every p and n up to 100; scientific notation too."""
    for n in range(1, 101):
        score = np.zeros(n)
        for p in range(0, 100, 7 if n % 10 else 1):
            assert selection.smallest(score, p / 100).tolist() == list(range(p * n // 100))
    assert len(selection.smallest(np.zeros(200_000), 1e-05)) == 2
    assert len(selection.smallest(np.zeros(100_000), 2.9e-4)) == 29
    assert len(selection.smallest(np.zeros(7), math.nextafter(1, 0))) == 6
    # a third is no decimal: its sixteen threes are below it
    assert [len(selection.smallest(np.zeros(n), 1 / 3)) for n in (3, 4, 6, 7)] == [0, 1, 1, 2]


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 3, width=16) | st.just(math.inf)),
    st.floats(0, 1, exclude_max=True),
)
def test_smallest_matches_the_oracle(score, fraction):
    kept = score.copy()
    assert selection.smallest(score, fraction).tolist() == oracle.smallest(score, fraction)
    assert (score == kept).all()


# ---- thresholds that separate ----


@pytest.mark.parametrize(
    ("score", "selected", "factor"),
    [
        ([3.0, 1.0, 2.0, 1.0], [1, 3], 1.5),
        ([3.0, 1.0, 2.0, 0.5], [1, 2, 3], 2.5),
        ([3.0, 1.0, 2.0, 0.5], [], 0.25),  # half of the smallest
        ([0.0, 1.0, 2.0], [0], 0.5),
        ([0.0, 1.0, 0.0], [], 0.0),  # nothing is below 0
        ([1.0, 1.0, 2.0], [0], 1.0),  # a tie at the border
        ([1.0, 1.0, 2.0], [0, 1], 1.5),  # a tie inside
        ([0.0, 0.0], [0], 0.0),
        ([math.inf, 4.0], [1], 8.0),  # infinity counts as 12
        ([math.inf, 0.0, math.inf], [1], 1.5),  # and as 3 beside 0
        ([math.inf, math.inf], [], 1.5),
        ([math.inf, 4.0, math.inf], [0, 1], 1.0),  # all that is finite has been selected
    ],
)
def test_separating_thresholds_by_hand(score, selected, factor):
    result = selection.separating_thresholds(np.array(score), np.array(selected, np.int64), 10.0, 0.5)
    assert result == (10.0 * factor, 0.5 * factor)
    assert [type(tau) for tau in result] == [float, float]


def test_separating_thresholds_take_lists_float32_and_any_integers():
    assert selection.separating_thresholds([1.0, 2.0], [0], 2, 4) == (3.0, 6.0)
    assert selection.separating_thresholds([1.0, 2.0], [], 2, 4) == (1.0, 2.0)
    score = np.array([1, 2], np.float32)
    for dtype in (np.uint8, np.int32, np.uint64):
        assert selection.separating_thresholds(score, np.array([0], dtype), 2.0, 4.0) == (3.0, 6.0)


def test_a_threshold_of_zero_stays_zero():
    for score in ([0.0, 1.0], [0.0, math.inf], [0.0, 0.0]):
        assert selection.separating_thresholds(np.array(score), np.array([0]), 0.0, 0.0) == (0.0, 0.0)
    assert selection.separating_thresholds(np.array([0.0, 1.0]), np.array([0]), 0.0, 4.0) == (0.0, 2.0)


def test_zero_medians_select_fewer():
    """Half of the means are 0: so is their median, and P3 at τ_mean = 0 selects nothing."""
    mean, std = np.array([0.0, 0.0, 5.0]), np.array([1.0, 4.0, 2.0])
    tau_mean, tau_std = selection.median_thresholds(mean, std)
    assert (tau_mean, tau_std) == (0.0, 2.0)
    score = selection.score(mean, std, tau_mean, tau_std)
    assert score.tolist() == [0.5, 2.0, math.inf]
    for k, factor in ((1, 1.25), (2, 4.0)):
        tau = selection.separating_thresholds(score, np.arange(k), tau_mean, tau_std)
        assert tau == (0.0, 2.0 * factor)
        assert not stability.unimportant(mean, std, *tau).any()


def test_a_tie_at_the_border_is_not_selected():
    mean, std = np.array([1.0, 4.0, -4.0, 8.0]), np.zeros(4)
    score = selection.score(mean, std, 4.0, 1.0)
    tau = selection.separating_thresholds(score, np.array([0, 1]), 4.0, 1.0)
    assert tau == (4.0, 1.0)
    assert stability.unimportant(mean, std, *tau).tolist() == [True, False, False, False]


def test_all_small_score_vectors_separate_like_the_oracle():
    """Every vector over {0, 1, 2.5, ∞} up to length 4, every count; exact, as all are small multiples of 1/16."""
    for n in range(1, 5):
        for score in itertools.product((0.0, 1.0, 2.5, math.inf), repeat=n):
            for count in range(n):
                chosen = oracle.smallest(score, count / n + 0.01)
                assert len(chosen) == count
                result = selection.separating_thresholds(np.array(score), np.array(chosen, np.int64), 3.0, 0.25)
                assert result == oracle.separating_thresholds(score, chosen, 3.0, 0.25), (score, chosen)


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float64, st.integers(1, 9), elements=st.floats(0, 1e3, width=32) | st.just(math.inf)),
    st.floats(0, 0.99),
    st.floats(0, 100, width=32),
    st.floats(0, 100, width=32),
)
def test_separating_thresholds_match_the_oracle(score, fraction, tau_mean, tau_std):
    chosen = oracle.smallest(score, fraction)
    result = selection.separating_thresholds(score, np.array(chosen, np.int64), tau_mean, tau_std)
    # the sum and the product round, by 2^-53 each; 2^-1074 where the product of float32 numbers is subnormal
    expected = oracle.separating_thresholds(score, chosen, tau_mean, tau_std)
    np.testing.assert_allclose(result, expected, rtol=3 * 2.0**-53, atol=2.0**-1074)


def check_separation(mean, std, tau_mean, tau_std, gap):
    """P3 at the separating thresholds selects what `smallest` has selected, for every tenth."""
    score = selection.score(mean, std, tau_mean, tau_std)
    ordered = np.sort(score)
    assert ordered[0] > 0
    assert np.diff(ordered).min() > gap  # no ties, and no roundings between two scores
    for tenths in range(10):
        chosen = selection.smallest(score, tenths / 10)
        tau = selection.separating_thresholds(score, chosen, tau_mean, tau_std)
        assert np.flatnonzero(stability.unimportant(mean, std, *tau)).tolist() == chosen.tolist()
        assert len(chosen) == tenths * len(score) // 10


@pytest.mark.parametrize("seed", range(4))
def test_without_ties_p3_selects_what_smallest_selected(seed):
    rng = np.random.default_rng(seed)
    mean, std = rng.standard_normal(12), rng.uniform(0, 2, 12)  # of an odd count two may have a median: a tie at 1
    check_separation(mean, std, *selection.median_thresholds(mean, std), gap=1e-9)
    # a permutation over powers of two: exact
    check_separation((rng.permutation(13) + 1) / 4, np.zeros(13), 2.0, 1.0, gap=0.1)
    check_separation(np.zeros(13), (rng.permutation(13) + 1) / 4, 1.0, 4.0, gap=0.05)


# ---- what is refused ----


def test_thresholds_and_scores_refuse():
    good = np.array([0.5, 0.25])
    with_nan = np.array([0.5, math.nan])
    for function, rest in [(selection.median_thresholds, ()), (selection.score, (1.0, 1.0))]:
        with pytest.raises(ValueError, match="mean"):
            function(with_nan, good, *rest)
        with pytest.raises(ValueError, match="std"):
            function(good, with_nan, *rest)
        with pytest.raises(ValueError, match=r"std|mean"):
            function(good, np.array([0.5]), *rest)
        with pytest.raises(TypeError, match="mean"):
            function(np.array([1, 2]), good, *rest)
        with pytest.raises(TypeError, match="std"):
            function(good, np.array([1, 2]), *rest)
    with pytest.raises(ValueError, match=r"mean|empty"):
        selection.median_thresholds(np.array([]), np.array([]))
    for bad in (-1.0, math.nan):
        with pytest.raises(ValueError, match="tau_mean"):
            selection.score(good, good, bad, 1.0)
        with pytest.raises(ValueError, match="tau_std"):
            selection.score(good, good, 1.0, bad)


def test_smallest_refuses():
    score = np.array([1.0, 2.0, 3.0])
    for bad in (1.0, 1.5, -0.1, math.nan, math.inf, 1):
        with pytest.raises(ValueError, match="fraction"):
            selection.smallest(score, bad)
    for bad in ("0.5", None, True):
        with pytest.raises(TypeError, match="fraction"):
            selection.smallest(score, bad)
    with pytest.raises(ValueError, match="score"):
        selection.smallest(np.array([1.0, math.nan]), 0.5)
    with pytest.raises(ValueError, match="score"):
        selection.smallest(np.ones((2, 2)), 0.5)
    with pytest.raises(TypeError, match="score"):
        selection.smallest(np.array([1, 2]), 0.5)


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        (([1.0, math.nan], [0], 1.0, 1.0), ValueError, "score"),
        (([], [], 1.0, 1.0), ValueError, "score"),
        (([[1.0, 2.0]], [0], 1.0, 1.0), ValueError, "score"),
        (([1, 2], [0], 1.0, 1.0), TypeError, "score"),
        ((np.ones(2, np.float16), [0], 1.0, 1.0), TypeError, "score"),
        (([1.0, 2.0], [2], 1.0, 1.0), ValueError, "selected"),
        (([1.0, 2.0], [-1], 1.0, 1.0), ValueError, "selected"),
        (([1.0, 2.0], [0, 1], 1.0, 1.0), ValueError, "selected"),
        (([1.0, 2.0], [0.0], 1.0, 1.0), TypeError, "selected"),
        (([1.0, 2.0], [True, False], 1.0, 1.0), TypeError, "selected"),
        (([1.0, 2.0], [0], -1.0, 1.0), ValueError, "tau_mean"),
        (([1.0, 2.0], [0], math.nan, 1.0), ValueError, "tau_mean"),
        (([1.0, 2.0], [0], math.inf, 1.0), ValueError, "tau_mean"),
        (([1.0, 2.0], [0], 1.0, -1.0), ValueError, "tau_std"),
        (([1.0, 2.0], [0], 1.0, math.nan), ValueError, "tau_std"),
        (([1.0, 2.0], [0], 1.0, math.inf), ValueError, "tau_std"),
    ],
)
def test_separating_thresholds_refuse(arguments, error, name):
    with pytest.raises(error, match=rf"\b{name}\b"):
        selection.separating_thresholds(*arguments)
