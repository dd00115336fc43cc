import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refcompress.formulas.pruning import stability
from tests.oracles import stability as oracle

UNIT = 2.0**-53

# float32 values, so that squares neither overflow nor underflow in float64
values = st.floats(-1e3, 1e3, width=32)
gradient_tables = hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=values)


def moment_bound(gradients):
    """Allowed |error| of a mean or std over T rows.

    The mean: T additions and one division, (T + 1)·u·max|g|. The std: it is a norm of the deviations, each wrong by the
    mean's error and one rounding (at most 2u·max|g|), then T + 3 roundings of squares, sum, division and root; ddof 1
    stretches by √2 at most. 4(T + 4)·u·max|g| covers both.
    """
    return 4 * (len(gradients) + 4) * UNIT * np.abs(gradients).max(initial=0)


def test_constants():
    assert stability.RULES == ("text", "listing")


# ---- mean and std (P1, P2) ----


def test_mean_and_std_of_a_small_table():
    gradients = np.array([[1.0, 0.0, -3.0], [3.0, 0.0, 3.0]])
    assert stability.mean(gradients).tolist() == [2.0, 0.0, 0.0]
    assert stability.std(gradients).tolist() == [1.0, 0.0, 3.0]
    assert stability.std(gradients, ddof=0).tolist() == [1.0, 0.0, 3.0]
    squares = stability.std(gradients, ddof=1) ** 2
    np.testing.assert_allclose(squares, [2.0, 0.0, 18.0], rtol=4 * UNIT, atol=0)  # root and square: two roundings


def test_a_single_iteration_has_std_zero():
    gradients = np.array([[0.1, -7.0]])
    assert stability.mean(gradients).tolist() == [0.1, -7.0]
    assert stability.std(gradients).tolist() == [0.0, 0.0]


def test_lists_are_accepted_and_float64():
    result = stability.mean([[1.0, 2.0], [2.0, 2.0]])
    assert result.dtype == np.float64
    assert result.tolist() == [1.5, 2.0]
    assert stability.std([[1.0, 2.0], [2.0, 2.0]]).tolist() == [0.5, 0.0]


def test_float32_gradients_are_summed_in_float64():
    gradients = np.array([[2.0**24], [1.0], [1.0], [2.0]], np.float32)
    result = stability.mean(gradients)
    assert result.dtype == np.float64
    assert result.tolist() == [(2**24 + 4) / 4]  # a float32 sum loses the ones
    gradients = np.array([[4097.0], [4099.0]], np.float32)
    assert stability.std(gradients).dtype == np.float64
    assert stability.std(gradients).tolist() == [1.0]


def test_memory_order_and_inputs_are_left_alone():
    gradients = np.array([[1.0, 5.0, 2.0], [2.0, 1.0, 2.0]])
    kept = gradients.copy()
    transposed = np.asfortranarray(gradients)
    assert stability.mean(transposed).tolist() == [1.5, 3.0, 2.0]
    assert stability.std(transposed[:, ::-1]).tolist() == [0.0, 2.0, 0.5]
    gradients.flags.writeable = False
    stability.mean(gradients)
    stability.std(gradients, ddof=1)
    assert (gradients == kept).all()


@settings(deadline=None, max_examples=60)
@given(gradient_tables)
def test_mean_and_std_match_the_oracle(gradients):
    bound = moment_bound(gradients)
    expected = [float(m) for m in oracle.mean(gradients)]
    np.testing.assert_allclose(stability.mean(gradients), expected, rtol=0, atol=bound)
    for ddof in (0, 1):
        if len(gradients) > ddof:
            expected = oracle.std(gradients, ddof)
            np.testing.assert_allclose(stability.std(gradients, ddof=ddof), expected, rtol=0, atol=bound)


def test_both_divisors_differ_by_the_known_factor():
    gradients = np.array([[1.0], [2.0], [4.0], [-5.0], [0.5]])
    ratio = stability.std(gradients, ddof=1) / stability.std(gradients)
    np.testing.assert_allclose(ratio, [math.sqrt(5 / 4)], rtol=16 * UNIT)  # two roots, two divisions, one quotient


@pytest.mark.parametrize(("rows", "ddof"), [(0, 0), (0, 1), (1, 1)])
def test_std_needs_more_rows_than_ddof(rows, ddof):
    with pytest.raises(ValueError, match=r"gradients|T|ddof"):
        stability.std(np.ones((rows, 3)), ddof=ddof)


def test_mean_needs_a_row():
    with pytest.raises(ValueError, match=r"gradients|T"):
        stability.mean(np.ones((0, 3)))


@pytest.mark.parametrize("function", [stability.mean, stability.std])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_gradients_must_be_finite(function, bad):
    with pytest.raises(ValueError, match="gradients"):
        function(np.array([[1.0, 2.0], [bad, 2.0]]))


@pytest.mark.parametrize("function", [stability.mean, stability.std])
def test_gradients_must_be_a_float_table(function):
    for dtype in (np.float16, np.int64, bool, complex):
        with pytest.raises(TypeError, match="gradients"):
            function(np.ones((3, 2), dtype))
    for shape in [(3,), (3, 2, 1)]:
        with pytest.raises(ValueError, match="gradients"):
            function(np.ones(shape))


@pytest.mark.parametrize(("ddof", "error"), [(2, ValueError), (-1, ValueError), (0.5, TypeError), ("0", TypeError)])
def test_ddof_is_zero_or_one(ddof, error):
    with pytest.raises(error, match="ddof"):
        stability.std(np.ones((4, 2)), ddof=ddof)


# ---- the test (P3) ----

SPECIAL = (0.0, 5e-4, 1e-3, 2.0)


def test_text_rule_on_the_listed_threshold():
    mean = np.array([0.0, 5e-4, -5e-4, 1e-3, 5e-4, -2.0, -0.0])
    std = np.array([0.0, 5e-4, 5e-4, 5e-4, 1e-3, 5e-4, 0.0])
    result = stability.unimportant(mean, std, 1e-3, 1e-3)
    assert result.dtype == bool
    assert result.tolist() == [True, True, True, False, False, False, True]


def test_listing_rule_lets_every_negative_mean_pass():
    mean = np.array([-1.0, -1e-3, 5e-4, 5e-4, 1e-3, 0.0, 0.0, -0.0, -0.0])
    std = np.array([2.0, 0.0, 0.0, 5e-4, 0.0, 0.0, 1.0, 0.0, 1.0])
    result = stability.unimportant(mean, std, 1e-3, 1e-3, rule="listing")
    # 1/0.0 = +inf is not selected, 1/−0.0 = −inf is, 0/0 never
    assert result.tolist() == [True, True, True, False, False, False, False, False, True]


@pytest.mark.parametrize("rule", ["text", "listing"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_special_pair(rule, dtype):
    """Every mean and std of a grid, under every pair of thresholds; warnings are errors."""
    means = [sign * m for m in (*SPECIAL, 1.0) for sign in (1.0, -1.0)]
    pairs = list(itertools.product(means, SPECIAL))
    # powers of two as thresholds besides 1e-3, so that float32 holds them
    mean = np.array([m for m, _ in pairs], dtype)
    std = np.array([s for _, s in pairs], dtype)
    thresholds = (0.0, 2.0**-10, 1.0, 2.0, math.inf) + ((1e-3, 5e-4) if dtype is np.float64 else ())
    for tau_mean, tau_std in itertools.product(thresholds, repeat=2):
        result = stability.unimportant(mean, std, tau_mean, tau_std, rule)
        assert result.tolist() == oracle.unimportant(mean, std, tau_mean, tau_std, rule), (tau_mean, tau_std)


def test_equality_is_not_below():
    mean, std = np.array([0.5]), np.array([0.25])
    above = math.nextafter(0.5, 1), math.nextafter(0.25, 1)
    assert stability.unimportant(mean, std, *above).tolist() == [True]
    assert stability.unimportant(mean, std, 0.5, above[1]).tolist() == [False]
    assert stability.unimportant(mean, std, above[0], 0.25).tolist() == [False]
    assert stability.unimportant(-mean, std, 0.5, above[1]).tolist() == [False]
    # std/mean = 0.5
    assert stability.unimportant(mean, std, above[0], above[0], rule="listing").tolist() == [True]
    assert stability.unimportant(mean, std, 0.5, above[0], rule="listing").tolist() == [False]
    assert stability.unimportant(mean, std, above[0], 0.5, rule="listing").tolist() == [False]


def test_zero_thresholds_select_nothing_and_infinite_ones_everything():
    mean = np.array([0.0, -0.0, 1e300, -1e-300])
    std = np.array([0.0, 1.0, 0.0, 1e300])
    assert stability.unimportant(mean, std, 0.0, 0.0).tolist() == [False] * 4
    assert stability.unimportant(mean, std, math.inf, math.inf).tolist() == [True] * 4
    assert stability.unimportant(mean, std, math.inf, 1.0).tolist() == [True, False, True, False]


def test_an_overflowing_quotient_is_infinite_without_a_warning():
    mean, std = np.array([1e-300, -1e-300]), np.array([1e300, 1e300])
    assert stability.unimportant(mean, std, 1.0, 1e300, rule="listing").tolist() == [False, True]
    tiny = np.array([1e300]), np.array([1e-300])
    assert stability.unimportant(*tiny, math.inf, 5e-324, rule="listing").tolist() == [True]  # underflows to 0


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float64, (5,), elements=st.floats(-4, 4, width=16)),
    hnp.arrays(np.float64, (5,), elements=st.floats(0, 4, width=16)),
    st.floats(0, 4, width=16),
    st.floats(0, 4, width=16),
    st.sampled_from(["text", "listing"]),
)
def test_unimportant_matches_the_oracle(mean, std, tau_mean, tau_std, rule):
    assert stability.unimportant(mean, std, tau_mean, tau_std, rule).tolist() == oracle.unimportant(
        mean, std, tau_mean, tau_std, rule
    )


@pytest.mark.parametrize("rule", ["text", "listing"])
def test_unimportant_refuses(rule):
    mean, std = np.array([0.5, 0.25]), np.array([0.5, 0.25])
    for bad in (-1e-3, math.nan, -math.inf):
        with pytest.raises(ValueError, match="tau_mean"):
            stability.unimportant(mean, std, bad, 1.0, rule)
        with pytest.raises(ValueError, match="tau_std"):
            stability.unimportant(mean, std, 1.0, bad, rule)
    with pytest.raises(TypeError, match="tau_mean"):
        stability.unimportant(mean, std, "1", 1.0, rule)
    for bad in (-1e-300, math.nan):
        with pytest.raises(ValueError, match="std"):
            stability.unimportant(mean, np.array([0.5, bad]), 1.0, 1.0, rule)
    with pytest.raises(ValueError, match="mean"):
        stability.unimportant(np.array([0.5, math.nan]), std, 1.0, 1.0, rule)
    with pytest.raises(ValueError, match=r"std|mean"):
        stability.unimportant(mean, np.array([0.5]), 1.0, 1.0, rule)
    with pytest.raises(TypeError, match="mean"):
        stability.unimportant(np.array([0, 1]), std, 1.0, 1.0, rule)
    with pytest.raises(TypeError, match="std"):
        stability.unimportant(mean, np.array([0, 1]), 1.0, 1.0, rule)


def test_unknown_rule():
    with pytest.raises(ValueError, match="rule"):
        stability.unimportant(np.array([0.5]), np.array([0.5]), 1.0, 1.0, "both")
