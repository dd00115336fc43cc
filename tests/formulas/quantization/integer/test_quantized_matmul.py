"""Quantized matrix products: codes against exact integer steps and the real number, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import integer
from refcompress.formulas.quantization.integer import quantized_matmul
from tests.formulas.quantization.integer.checks import quantized_matmul as checks
from tests.formulas.quantization.integer.checks.common import MODES, assert_integers, codes, frozen
from tests.oracles import quantized_matmul as oracle


class Prepared:
    @staticmethod
    def matmul(a, b, bias=None, **options):
        return quantized_matmul.matmul(a, integer.prepare(b), bias, **options)


@pytest.mark.parametrize("check", checks.MATMUL)
@pytest.mark.parametrize("module", [quantized_matmul, Prepared])
def test_property(check, module):
    check(module)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 999),
    st.tuples(*[st.floats(2.0**-7, 1, width=32)] * 3),
    st.tuples(st.integers(-128, 127), st.integers(0, 255), st.integers(-128, 127)),
    st.sampled_from(MODES),
)
def test_any_scales(seed, scales, zero_points, rounding):
    rng = np.random.default_rng(seed)
    a, b = codes(rng, np.int8, (2, 5)), codes(rng, np.uint8, (5, 3))
    bias = frozen(rng.integers(-999, 999, 3))
    options = dict(zip(("a_scale", "b_scale", "out_scale"), map(np.float32, scales), strict=True))
    options |= dict(zip(("a_zero_point", "b_zero_point", "out_zero_point"), zero_points, strict=True))
    expected = oracle.matmul(a.tolist(), b.tolist(), bias.tolist(), **options, rounding=rounding)
    assert_integers(quantized_matmul.matmul(a, b, bias, **options, rounding=rounding), expected, np.int8)


GOOD = {
    "a": np.ones((2, 3), np.int8), "b": np.ones((3, 4), np.int8), "a_scale": 0.5, "b_scale": 0.5, "out_scale": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "a must be an integer array, got float64", {"a": np.ones((2, 3))}),
        (TypeError, "b must be an integer array, got bool", {"b": np.ones((3, 4), bool)}),
        (ValueError, "b must have 3 rows like a has columns, got 4", {"b": np.ones((4, 3), np.int8)}),
        (ValueError, r"a_zero_point must be a scalar or of shape \(2,\)", {"a_zero_point": np.ones(3, int)}),
        (TypeError, "b_zero_point must be an integer array", {"b_zero_point": 0.0}),
        (TypeError, "out_zero_point|zero_point must be an integer", {"out_zero_point": 0.0}),
        (TypeError, "bias must be an integer array", {"bias": np.ones(4)}),
        (ValueError, r"bias must have shape \(4,\), got \(2,\)", {"bias": np.ones(2, int)}),
        (ValueError, "bias must be within int32", {"bias": np.full(4, 2**31)}),
        (ValueError, r"acc \+ bias must be within int32", {"bias": np.full(4, 2**31 - 3)}),
        (ValueError, "sums within .*3 terms of 2147483648", {"a": np.ones((2, 3), int), "a_zero_point": 1 - 2**31,
                                                             "dtype": np.int8}),
        (ValueError, "a_zero_point must be from -128 to 127", {"a_zero_point": [0, 128]}),
        (ValueError, "b_zero_point must be from -128 to 127", {"b_zero_point": -129}),
        (ValueError, "out_zero_point must be from -128 to 127, got 200", {"out_zero_point": 200}),
        (ValueError, "out_zero_point must be from 0 to 65535, got -1", {"out_zero_point": -1, "dtype": np.uint16}),
        (TypeError, "dtype must be uint8, .* or int32, got <class 'float'>", {"dtype": float}),
        (TypeError, "dtype must be uint8, .* or int32, got 'byte8'", {"dtype": "byte8"}),
        (TypeError, "dtype must be given where a is none of .*: uint32", {"a": np.ones((2, 3), np.uint32)}),
        (TypeError, "a_scale must be float32 or float64", {"a_scale": 1}),
        (ValueError, r"a_scale must be a scalar or of shape \(2,\), got shape \(3,\)", {"a_scale": np.ones(3)}),
        (ValueError, r"a_scale must be .*, got shape \(1,\), whose one element .* scalar", {"a_scale": np.ones(1)}),
        (ValueError, r"bias must be None where a_scale, its unit, is an array, got shape \(4,\)",
         {"a_scale": np.ones(2), "bias": [1, 2, 3, 4]}),
        (ValueError, r"b_scale must be a scalar or of shape \(4,\), got shape \(3,\)", {"b_scale": np.ones(3)}),
        (ValueError, "out_scale must be finite and above 0", {"out_scale": -0.5}),
        (ValueError, "b_scale must be finite and above 0", {"b_scale": np.array([1, 1, np.nan, 1])}),
        (ValueError, "rounding must be one of double, double_up, single, float, got 'half'", {"rounding": "half"}),
        (ValueError, "qmax must be from 0 to 127, got -1", {"qmin": 0, "qmax": -1}),
        (ValueError, "qmax must be from -128 to 127, got 255", {"qmax": 255}),
        (ValueError, "qmin must be from -128 to 127, got -129", {"qmin": -129}),
    ],
)  # fmt: skip
def test_refused(error, match, change):
    with pytest.raises(error, match=match):
        quantized_matmul.matmul(**GOOD | change)
