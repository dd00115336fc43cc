"""Quantized average pooling: its checks against the oracle, random geometries, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.integer import quantized_average_pool2d
from tests.formulas.quantization.integer.checks import quantized_average_pool2d as checks
from tests.formulas.quantization.integer.checks.common import codes, frozen


@pytest.mark.parametrize("check", checks.POOL)
def test_property(check):
    check(quantized_average_pool2d)


@pytest.mark.parametrize("few", [0, 10_000])
def test_both_ways_of_adding(monkeypatch, few):
    monkeypatch.setattr(quantized_average_pool2d, "FEW", few)
    for check in checks.POOL:
        check(quantized_average_pool2d)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_geometry(data):
    H, W = (data.draw(st.integers(1, 6)) for _ in range(2))
    kernel = kh, kw = tuple(data.draw(st.integers(1, 4)) for _ in range(2))
    padding = top, left, bottom, right = tuple(data.draw(st.integers(0, k - 1)) for k in (*kernel, *kernel))
    if H + top + bottom < kh or W + left + right < kw:
        return
    stride = tuple(data.draw(st.integers(1, 5)) for _ in range(2))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = codes(rng, np.int8, (1, 2, H, W))
    checks.assert_pooled(quantized_average_pool2d, x, kernel, stride=stride, padding=padding)
    checks.assert_pooled(
        quantized_average_pool2d, x, kernel, stride=stride, padding=padding, rounding="float", x_scale=0.25,
        out_scale=0.5, x_zero_point=-3, out_zero_point=2,
    )  # fmt: skip


def test_no_images():
    found = quantized_average_pool2d.average_pool2d(np.zeros((0, 2, 4, 6), np.int8), 2)
    assert (found.shape, found.dtype) == ((0, 2, 2, 3), np.int8)


def test_equal_zero_points_do_not_matter_to_integers():
    x = frozen([[[[-3, 4]]]], np.int8)
    for z in (0, 7, -100):
        found = quantized_average_pool2d.average_pool2d(x, (1, 2), x_zero_point=z, out_zero_point=z)
        assert found.tolist() == [[[[1]]]]


FLOAT = {"rounding": "float", "x_scale": 0.5, "out_scale": 0.5}


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "x must be an integer array, got float64", {"x": np.ones((1, 2, 3, 4))}),
        (ValueError, "x must have 4 dimensions", {"x": np.ones((2, 3, 4), int)}),
        (ValueError, "x must be within int32, got 1 to 2147483648", {"x": np.full((1, 1, 2, 2), [[[1, 2**31]] * 2]),
                                                                        "dtype": np.int8}),
        (ValueError, "kernel_size must be at least 1, got 0", {"kernel_size": (2, 0)}),
        (TypeError, "kernel_size must be an integer", {"kernel_size": 2.0}),
        (ValueError, "kernel_size must fit", {"kernel_size": 4}),
        (ValueError, "stride must be at least 1", {"stride": 0}),
        (ValueError, r"padding must be smaller than kernel_size \(2, 2\), got \(2, 2, 2, 2\)", {"padding": 2}),
        (ValueError, "padding must be smaller than kernel_size", {"kernel_size": (3, 2), "padding": (0, 0, 0, 2)}),
        (ValueError, "padding must be smaller than kernel_size", {"kernel_size": (2, 3), "padding": (0, 0, 2, 0)}),
        (ValueError, "padding must be at least 0", {"padding": -1}),
        (ValueError, "rounding must be one of integer, float, got 'double'", {"rounding": "double"}),
        (ValueError, "x_scale and out_scale must be None .*got 0.5, None, 0 and 0", {"x_scale": 0.5}),
        (ValueError, "x_scale and out_scale must be None .*got None, 0.5, 0 and 0", {"out_scale": 0.5}),
        (ValueError, "x_zero_point and out_zero_point equal .*got None, None, 0 and 1", {"out_zero_point": 1}),
        (ValueError, "must be given for rounding 'float', got 0.5 and None", FLOAT | {"out_scale": None}),
        (ValueError, "must be given for rounding 'float', got None and 0.5", FLOAT | {"x_scale": None}),
        (TypeError, "x_scale must be float32 or float64", FLOAT | {"x_scale": 1}),
        (ValueError, "out_scale must be a scalar", FLOAT | {"out_scale": np.ones(2)}),
        (ValueError, "out_scale must be finite and above 0 in float32, got 0.0", FLOAT | {"out_scale": 0.0}),
        (ValueError, "x_scale must be finite and above 0 in float32, got nan", FLOAT | {"x_scale": np.nan}),
        (ValueError, "x_scale must keep sums within float32", FLOAT | {"x_scale": 3e38}),
        (TypeError, "x_zero_point must be an integer", FLOAT | {"x_zero_point": 0.0}),
        (ValueError, "out_zero_point must be from", FLOAT | {"out_zero_point": 2**31}),
        (ValueError, "x_zero_point must be from -128 to 127, got -129", FLOAT | {"x_zero_point": -129}),
        (ValueError, "out_zero_point must be from 0 to 255", FLOAT | {"out_zero_point": -1, "dtype": np.uint8}),
        (ValueError, "qmax must be from 3 to 127, got 2", {"qmin": 3, "qmax": 2}),
        (TypeError, "dtype must be uint8, .* got <class 'numpy.uint32'>", {"dtype": np.uint32}),
        (TypeError, "dtype must be given where x is none of .*: int64", {"x": np.ones((1, 2, 3, 3), np.int64)}),
    ],
)  # fmt: skip
def test_refused(error, match, change):
    given_ = {"x": np.full((1, 2, 3, 3), 9, np.int8), "kernel_size": 2} | change
    with pytest.raises(error, match=match):
        quantized_average_pool2d.average_pool2d(**given_)
