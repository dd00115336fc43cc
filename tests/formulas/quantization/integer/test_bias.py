"""Quantized biases: their checks against the oracle, random cases, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import integer
from refcompress.formulas.quantization.integer import bias
from tests.formulas.quantization.integer.checks import bias as checks
from tests.formulas.quantization.integer.checks.common import assert_integers, frozen
from tests.oracles import bias as oracle


@pytest.mark.parametrize("check", checks.BIAS)
def test_property(check):
    check(bias)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=5),
    st.floats(1e-3, 10),
    st.floats(1e-3, 10),
    st.sampled_from(["half_even", "half_away", "half_up", "half_down", "half_toward_zero", "floor", "ceil"]),
)
def test_any_bias(values, s_x, s_w, rule):
    expected = [oracle.quantize_bias(v, s_x, s_w, rule) for v in values]
    assert_integers(bias.quantize_bias(frozen(values), s_x, s_w, rounding=rule), expected)


def test_re_exported_and_empty():
    assert integer.quantize_bias is bias.quantize_bias
    assert_integers(bias.quantize_bias(np.zeros(0), 1.0, np.zeros(0)), [])


B = np.array([1.0, -2.0])


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "b must be float32 or float64, got int64", {"b": np.array([1, 2])}),
        (ValueError, "b must have 1 dimensions", {"b": B[None]}),
        (ValueError, "b must be finite, got nan", {"b": np.array([1, np.nan])}),
        (ValueError, "b must be finite, got -inf", {"b": np.array([1, -np.inf])}),
        (TypeError, "x_scale must be float32 or float64, got int64", {"x_scale": 1}),
        (TypeError, "w_scale must be float32 or float64, got float16", {"w_scale": np.float16(1)}),
        (ValueError, "x_scale must be a scalar, got shape", {"x_scale": B}),
        (ValueError, r"w_scale must be a scalar or of shape \(2,\), got shape \(3,\)", {"w_scale": np.ones(3)}),
        (ValueError, "x_scale must be finite and above 0 in float64, got 0.0", {"x_scale": 0.0}),
        (ValueError, "w_scale must be finite and above 0 in float64, got -2.0", {"w_scale": B}),
        (ValueError, "w_scale must be finite and above 0 in float64, got nan", {"w_scale": np.nan}),
        (ValueError, "x_scale must be finite and above 0 in float64, got inf", {"x_scale": np.inf}),
        (ValueError, "must be one of half_even, half_away.*got 'up'", {"rounding": "up"}),
        (ValueError, "stochastic", {"rounding": "stochastic"}),
        (ValueError, r"b must be within int32 .*got up to 2147483648\.0", {"b": np.array([2.0**31, 0])}),
        (ValueError, r"b must be within int32 .*got up to 2147483648\.0", {"b": np.array([2.0**31 - 0.5, 0])}),
        (ValueError, "b must be within int32", {"b": np.array([0, -(2.0**31) - 1])}),
        (ValueError, "b must be within int32 .*got up to inf", {"x_scale": 1e-300, "w_scale": 1e-300}),
    ],
)
def test_refused(error, match, change):
    with pytest.raises(error, match=match):
        bias.quantize_bias(**{"b": B, "x_scale": 1.0, "w_scale": 1.0} | change)
