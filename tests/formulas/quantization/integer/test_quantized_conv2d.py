"""Quantized convolution: codes against exact integer steps and the real number, and the error paths."""

import numpy as np
import pytest

from refcompress.formulas.quantization import integer
from refcompress.formulas.quantization.integer import quantized_conv2d, quantized_matmul
from tests.formulas.quantization.integer.checks import quantized_conv2d as checks
from tests.formulas.quantization.integer.checks.common import MODES, codes


@pytest.mark.parametrize("check", checks.QUANTIZED_CONV)
def test_property(check):
    check(quantized_conv2d)


@pytest.mark.parametrize("rounding", MODES)
def test_a_filter_of_one_pixel_is_a_matrix_product(rounding):
    rng = np.random.default_rng(1)
    x, w = codes(rng, np.uint8, (2, 7, 3, 4)), codes(rng, np.int8, (5, 7, 1, 1))
    bias, s_w = rng.integers(-999, 999, 5), rng.uniform(0.01, 0.1, 5)
    options = {"out_scale": 3.0, "out_zero_point": -9, "rounding": rounding, "dtype": np.int8}
    out = quantized_conv2d.conv2d(x, w, bias, x_scale=0.05, w_scale=s_w, x_zero_point=99, w_zero_point=3, **options)
    rows = x.transpose(0, 2, 3, 1).reshape(-1, 7)
    same = quantized_matmul.matmul(
        rows, w[:, :, 0, 0].T, bias, a_scale=0.05, b_scale=s_w, a_zero_point=99, b_zero_point=3, **options
    )
    assert out.transpose(0, 2, 3, 1).reshape(-1, 5).tolist() == same.tolist()


GOOD = {
    "x": np.ones((2, 4, 5, 6), np.uint8), "w": np.ones((6, 2, 3, 3), np.int8), "x_scale": 0.5, "w_scale": 0.5,
    "out_scale": 0.5, "groups": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "x must be an integer array, got float64", {"x": np.ones((2, 4, 5, 6))}),
        (TypeError, "w must be an integer array, got float32", {"w": np.ones((6, 2, 3, 3), np.float32)}),
        (ValueError, "groups must divide", {"groups": 3}),
        (ValueError, "padding must be at least 0", {"padding": -1}),
        (ValueError, "kernel_size must fit", {"dilation": 4}),
        (ValueError, "x_zero_point must be from 0 to 255, got 300", {"x_zero_point": 300}),
        (ValueError, r"w_zero_point must be a scalar or of shape \(6,\)", {"w_zero_point": np.ones(3, int)}),
        (TypeError, "zero_point must be an integer", {"out_zero_point": 0.0}),
        (TypeError, "bias must be an integer array", {"bias": np.ones(6)}),
        (ValueError, r"bias must have shape \(6,\), got \(5,\)", {"bias": np.ones(5, int)}),
        (ValueError, r"acc \+ bias must be within int32", {"bias": np.full(6, 2**31 - 9)}),
        (ValueError, "scale must be a scalar", {"x_scale": np.ones(2)}),
        (ValueError, r"scale must be a scalar or of shape \(6,\), got shape \(2,\)", {"w_scale": np.ones(2)}),
        (ValueError, "out_scale must be finite and above 0", {"out_scale": 0.0}),
        (TypeError, "scale must be float32 or float64", {"w_scale": 1}),
        (ValueError, "rounding must be one of double, double_up, single, float", {"rounding": "integer"}),
        (ValueError, "qmax must be from 1 to 255, got 0", {"qmin": 1, "qmax": 0}),
        (ValueError, "qmin must be from 0 to 255, got -1", {"qmin": -1}),
        (ValueError, "out_zero_point must be from 0 to 255, got -1", {"out_zero_point": -1}),
        (ValueError, "out_zero_point must be from -128 to 127, got 128", {"out_zero_point": 128, "dtype": "int8"}),
        (ValueError, "w_zero_point must be from -128 to 127", {"w_zero_point": 128}),
        (TypeError, "dtype must be uint8, int8, uint16, int16 or int32, got 'int64'", {"dtype": "int64"}),
        (TypeError, "dtype must be given where x is none of .*int64", {"x": np.ones((2, 4, 5, 6), np.int64)}),
        (TypeError, "w must be .* filters, got a Factor", {"w": integer.prepare(np.ones((6, 18), np.int8))}),
    ],
)
def test_refused(error, match, change):
    with pytest.raises(error, match=match):
        quantized_conv2d.conv2d(**GOOD | change)
