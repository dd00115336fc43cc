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
