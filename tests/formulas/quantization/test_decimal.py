"""The decimal quantizer: its checks against the oracle, random cases, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import decimal
from tests.formulas.quantization.checks import decimal as checks
from tests.formulas.quantization.checks.common import DTYPES, RULES, exact, frozen


@pytest.mark.parametrize("check", checks.DECIMAL)
def test_property(check):
    check(decimal)


def test_product_is_rounded_to_the_dtype_first():
    """0.045 in float64 and 1.005 in float32 lie below these decimals; times 100 they round to the ties 4.5, 100.5."""
    for dtype, value, up, even in ((np.float64, 0.045, 5, 4), (np.float32, 1.005, 101, 100)):
        w = frozen([value], dtype)
        assert 1000 * exact(w[0]) < round(1000 * value)
        assert decimal.quantize(w, 2, rounding="half_up").tolist() == [up]
        assert decimal.quantize(w, 2, rounding="half_even").tolist() == [even]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-2e6, 2e6, width=64), min_size=1, max_size=5), st.integers(0, 9), st.sampled_from(RULES))
def test_float64_codes_and_errors(values, places, rule):
    checks.assert_decimal(decimal, frozen(values, np.float64), places, rule)  # 2e15 < 2^53


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=5), st.integers(0, 15), st.sampled_from(RULES))
def test_float32_codes_and_errors(values, places, rule):
    checks.assert_decimal(decimal, frozen(values, np.float32), places, rule)  # 8e15 < 2^53


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=5),
    st.integers(0, 14),
    st.sampled_from(RULES),
    st.integers(0, 2**32 - 1),
)
def test_monotone_under_a_shared_draw(pairs, places, rule, seed):
    pairs = np.sort(np.array(pairs), axis=1)
    smaller, larger = (
        decimal.quantize(
            pairs[:, i], places, rounding=rule, rng=np.random.default_rng(seed) if rule == "stochastic" else None
        )
        for i in (0, 1)
    )
    assert (smaller <= larger).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_slack_in_units_of_the_bound(dtype):
    """For a weight of 1 and 3 to 6 roundings: float32's slack passes ½·10^−places at 7 places, float64's not by 14."""
    for places in range(15):
        slack = float(decimal.float_slack(frozen([1.0], dtype), places)[0])
        assert 3 * np.finfo(dtype).eps / 2 <= slack <= 6 * np.finfo(dtype).eps / 2 * (1 + 10.0**-places)
        assert (slack > 0.5 * 10.0**-places) == (dtype is np.float32 and places >= 7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_slack_has_the_shape_of_the_weights_and_ignores_signs(dtype):
    w = frozen(np.linspace(-3, 3, 15).reshape(3, 5), dtype)
    slack = decimal.float_slack(w, 4)
    assert slack.shape == w.shape
    assert (slack == decimal.float_slack(-w, 4)).all()
    assert (slack >= 0).all()


def test_shape_is_kept_and_inputs_are_not_modified():
    for dtype in DTYPES:
        w = np.linspace(-2, 2, 12, dtype=dtype).reshape(3, 4)
        before = w.tobytes()
        q = decimal.quantize(w, 1)
        assert q.shape == w.shape
        codes = q.tobytes()
        restored = decimal.dequantize(q, 1, dtype=dtype)
        slack = decimal.float_slack(w, 1)
        assert restored.shape == w.shape
        assert not any(np.shares_memory(a, b) for a in (q, restored, slack) for b in (w,))
        assert (w.tobytes(), q.tobytes()) == (before, codes)
        assert (decimal.quantize(w.T, 1) == q.T).all()


# error paths


@pytest.mark.parametrize("places", [-1, 16, 100])
def test_places_out_of_range(places):
    for call in (
        lambda: decimal.quantize([0.5], places),
        lambda: decimal.dequantize([1], places),
        lambda: decimal.error_bound(places),
        lambda: decimal.float_slack([0.5], places),
    ):
        with pytest.raises(ValueError, match=rf"places.*\b15\b.*{places}"):
            call()


@pytest.mark.parametrize("places", [2.0, True, "2", None])
def test_places_of_the_wrong_type(places):
    for call in (
        lambda: decimal.quantize([0.5], places),
        lambda: decimal.dequantize([1], places),
        lambda: decimal.error_bound(places),
        lambda: decimal.float_slack([0.5], places),
    ):
        with pytest.raises(TypeError, match="places"):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(bad):
    for dtype in DTYPES:
        with pytest.raises(ValueError, match=r"\bw\b"):
            decimal.quantize(frozen([0.5, bad], dtype), 2)


def test_empty_weights():
    with pytest.raises(ValueError, match=r"\bw\b"):
        decimal.quantize(np.zeros((0, 3)), 2)


@pytest.mark.parametrize("w", [np.ones(3, np.float16), np.ones(3, int), [1, 2], np.ones(3, bool)])
def test_wrong_type(w):
    for call in (lambda: decimal.quantize(w, 2), lambda: decimal.float_slack(w, 2)):
        with pytest.raises(TypeError, match=r"\bw\b.*float32.*float64"):
            call()


@pytest.mark.parametrize("q", [np.ones(3), np.ones(3, bool), [0.5]])
def test_codes_must_be_integers(q):
    with pytest.raises(TypeError, match=r"\bq\b"):
        decimal.dequantize(q, 2)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, bool])
def test_wrong_dtype(dtype):
    with pytest.raises(TypeError, match="dtype"):
        decimal.dequantize([1, 2], 2, dtype=dtype)


def test_too_large_for_a_code():
    for w in ([2.0**53 + 2], [1e300], [0.0, -1e300]):
        with pytest.raises(ValueError, match=r"\bw\b"):
            decimal.quantize(w, 0)
    with pytest.raises(ValueError, match=r"\bw\b"):
        decimal.quantize([9.1], 15)
    with pytest.raises(ValueError, match=r"\bw\b"):
        decimal.quantize(frozen([3e38], np.float32), 2)  # the product overflows


@pytest.mark.parametrize("rounding", ["nearest", "HALF_EVEN", ""])
def test_unknown_rounding(rounding):
    with pytest.raises(ValueError, match="rounding"):
        decimal.quantize([0.5], 2, rounding=rounding)
    with pytest.raises(ValueError, match="rounding"):
        decimal.error_bound(2, rounding=rounding)


def test_rng_missing_or_superfluous():
    with pytest.raises(ValueError, match="rng"):
        decimal.quantize([0.5], 2, rounding="stochastic")
    for rule in RULES[:-1]:
        with pytest.raises(ValueError, match="rng"):
            decimal.quantize([0.5], 2, rounding=rule, rng=np.random.default_rng(0))
