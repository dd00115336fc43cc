"""Quantized addition: codes against exact integer steps and the real number, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas import blocks as formula_blocks
from refcompress.formulas.quantization.integer import quantized_add
from tests.formulas.quantization.integer.checks import quantized_add as checks
from tests.formulas.quantization.integer.checks.common import frozen

ROUNDINGS = ("double", "double_up", "single", "float")


@pytest.mark.parametrize("check", checks.ADD)
def test_property(check):
    check(quantized_add)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-128, 127), st.integers(0, 255)), min_size=1, max_size=9),
    st.tuples(*[st.floats(2.0**-9, 4, width=32)] * 3),
    st.tuples(st.integers(-128, 127), st.integers(0, 255), st.integers(-128, 127)),
)
def test_any_scales(pairs, scales, zero_points):
    a, b = frozen([x for x, _ in pairs], np.int8), frozen([y for _, y in pairs], np.uint8)
    options = dict(zip(("a_scale", "b_scale", "out_scale"), map(np.float32, scales), strict=True))
    options |= dict(zip(("a_zero_point", "b_zero_point", "out_zero_point"), zero_points, strict=True))
    for rounding in ROUNDINGS:
        checks.assert_added(quantized_add, a, b, options, rounding)


def test_scalars_and_nothing():
    scales = {"a_scale": 0.5, "b_scale": 0.5, "out_scale": 0.5}
    for rounding in ROUNDINGS:
        found = quantized_add.add(np.int8(3), np.int16(-5), rounding=rounding, **scales)
        assert (int(found), found.dtype, found.shape) == (-2, np.int8, ())
        assert int(quantized_add.add(3, -5, rounding=rounding, **scales, dtype=np.int16)) == -2
        found = quantized_add.add(np.zeros((0, 3), np.int8), 1, rounding=rounding, **scales)
        assert (found.shape, found.dtype) == ((0, 3), np.int8)


@pytest.mark.parametrize("size", [1, 7, 30])
def test_blocks_do_not_matter(monkeypatch, size):
    monkeypatch.setattr(formula_blocks, "BLOCK", size)
    for check in (checks.add_end_to_end, checks.add_float_is_fused):
        check(quantized_add)


GOOD = {"a": np.array([[1], [2]]), "b": np.array([3, 4, 5]), "a_scale": 0.5, "b_scale": 0.5, "out_scale": 0.5}
GOOD |= {"dtype": np.int8}


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "a must be an integer array, got float64", {"a": np.ones(3)}),
        (TypeError, "b must be an integer array, got bool", {"b": np.ones(3, bool)}),
        (ValueError, r"b must broadcast with a of shape \(2, 1\), got \(3, 3\)", {"b": np.ones((3, 3), int)}),
        (ValueError, "a must be within int32", {"a": [2**31]}),
        (ValueError, "b must be within int32", {"b": [-(2**31) - 1]}),
        (ValueError, "rounding must be one of double, double_up, single, float, got 'half'", {"rounding": "half"}),
        (TypeError, "a_scale must be float32 or float64", {"a_scale": 1}),
        (ValueError, "b_scale must be a scalar", {"b_scale": np.ones(3)}),
        (ValueError, "b_scale must be finite and above 0 in float64, got -1.0", {"b_scale": -1.0}),
        (ValueError, "out_scale must be finite and above 0 in float64, got nan", {"out_scale": np.nan}),
        (ValueError, "a_scale must be finite and above 0 in float32, got 1e-50",
         {"a_scale": 1e-50, "rounding": "float"}),
        (TypeError, "a_zero_point must be an integer", {"a_zero_point": 0.0}),
        (ValueError, "b_zero_point must be from", {"b_zero_point": 2**31}),
        (TypeError, "out_zero_point must be an integer", {"out_zero_point": np.ones(2, int)}),
        (ValueError, "a_zero_point must be from 0 to 255, got -1", {"a": np.ones(3, np.uint8), "a_zero_point": -1}),
        (ValueError, "b_zero_point must be from -128 to 127", {"b": np.ones(3, np.int8), "b_zero_point": 128}),
        (ValueError, "out_zero_point must be from -128 to 127, got 128", {"out_zero_point": 128}),
        (TypeError, "dtype must be given where a is none of .*: int64", {"dtype": None}),
        (TypeError, "dtype must be uint8, .* got 'float32'", {"dtype": "float32"}),
        (ValueError, "qmax must be from 2 to 127, got 1", {"qmin": 2, "qmax": 1}),
        (ValueError, "left_shift must be None for rounding 'float', .* got 3", {"left_shift": 3, "rounding": "float"}),
        (ValueError, "left_shift must be None .* got 20", {"left_shift": 20, "rounding": "float"}),
        (ValueError, r"a_scale must be a scalar, got shape \(1,\), whose one element is to be given as a scalar",
         {"a_scale": np.ones(1)}),
        (ValueError, "left_shift must be from 0 to 30, got 31", {"left_shift": 31}),
        (ValueError, "left_shift must be from 0 to 30, got -1", {"left_shift": -1}),
        (TypeError, "left_shift must be an integer", {"left_shift": 20.0}),
        (ValueError, "a − a_zero_point must be within int32 after a left shift of 20, got up to 2048", {"a": [2048]}),
        (ValueError, "b − b_zero_point must be within int32 after a left shift of 20, got up to 2049",
         {"b": [-1], "b_zero_point": 2048}),
        (ValueError, r"out_scale must be above 2·max\(a_scale, b_scale\) / 2\^2, .* got 0.25", {"left_shift": 2,
                                                                                            "out_scale": 0.25}),
        (ValueError, "out_scale must keep a_scale / out_scale and the sum within float32",
         {"a_scale": 1e30, "out_scale": 1e-30, "rounding": "float"}),
    ],
)  # fmt: skip
def test_refused(error, match, change):
    with pytest.raises(error, match=match):
        quantized_add.add(**GOOD | change)


def test_the_largest_terms():
    """−2,048 · 2²⁰ is −2³¹, which int32 holds."""
    scales = {"a_scale": 0.5, "b_scale": 0.5, "out_scale": 0.5, "dtype": np.int16}
    for rounding in ("double", "double_up", "single"):
        assert int(quantized_add.add(-2048, -2048, rounding=rounding, **scales)) == -4096
        assert int(quantized_add.add(2047, 2047, rounding=rounding, **scales)) == 4094
