"""Integer convolution: its checks against the oracle, random geometries, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import integer
from refcompress.formulas.quantization.integer import integer_conv2d
from tests.formulas.quantization.integer.checks import integer_conv2d as checks
from tests.formulas.quantization.integer.checks.common import codes, frozen
from tests.oracles import integer_conv2d as oracle


@pytest.mark.parametrize("check", checks.CONV)
def test_property(check):
    check(integer_conv2d)


@pytest.mark.parametrize("elements", [1, 300, 2000])
def test_blocks_do_not_matter(monkeypatch, elements):
    """Rows of one image, single images and several images at a time."""
    monkeypatch.setattr(integer_conv2d, "ELEMENTS", elements)
    checks.conv_matches_the_oracle(integer_conv2d)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_geometry(data):
    def numbers(low, high, count):
        return tuple(data.draw(st.lists(st.integers(low, high), min_size=count, max_size=count)))

    (N, Cg, Og, groups), (H, W), (kh, kw) = numbers(1, 2, 4), numbers(1, 5, 2), numbers(1, 3, 2)
    stride, dilation, padding = numbers(1, 3, 2), numbers(1, 2, 2), numbers(0, 2, 4)
    top, left, bottom, right = padding
    if H + top + bottom < dilation[0] * (kh - 1) + 1 or W + left + right < dilation[1] * (kw - 1) + 1:
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, w = (
        codes(rng, data.draw(st.sampled_from([np.int8, np.uint8])), shape)
        for shape in ((N, Cg * groups, H, W), (Og * groups, Cg, kh, kw))
    )
    z_x, z_w = int(x[0, 0, 0, 0]), data.draw(st.sampled_from([0, 5, frozen(w[:, 0, 0, 0])]))
    checks.assert_convolution(
        integer_conv2d, x, w, z_x, z_w, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def test_re_exported():
    assert integer.conv2d is integer_conv2d.conv2d


def test_no_images():
    x, w = np.zeros((0, 2, 4, 5), np.int8), np.ones((3, 2, 2, 2), np.int8)
    assert integer_conv2d.conv2d(x, w).shape == (0, 3, 3, 4)


def test_border():
    for padding in (0, 3, (1, 2), (1, 2, 3, 4), [4, 0, 0, 1]):
        assert integer_conv2d.border(padding) == oracle.border(padding)
    for wrong in ((), (1,), (1, 2, 3), (1, 2, 3, 4, 5)):
        with pytest.raises(ValueError, match="padding must be one integer, two or four"):
            integer_conv2d.border(wrong)
    for wrong in (-1, (0, -1), (0, 0, -1, 0)):
        with pytest.raises(ValueError, match="padding must be at least 0, got -1"):
            integer_conv2d.border(wrong)
    for wrong in (1.0, (0, 1.5), (0, 0, 0, "1"), None, True):
        with pytest.raises(TypeError, match="padding must be an integer"):
            integer_conv2d.border(wrong)


X, W = np.ones((2, 4, 5, 6), np.uint8), np.ones((6, 2, 3, 3), np.int8)


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "x must be an integer array, got float64", {"x": X.astype(float)}),
        (TypeError, "w must be an integer array, got bool", {"w": W.astype(bool)}),
        (ValueError, "x must have 4 dimensions", {"x": X[0]}),
        (ValueError, "w must have 4 dimensions", {"w": W[0]}),
        (ValueError, "w must not be empty", {"w": W[:0]}),
        (ValueError, r"w must have shape \(6, 2, 3, 3\), got \(6, 1, 3, 3\)", {"w": W[:, :1]}),
        (ValueError, "groups must divide the 4 channels and the 6 filters, got 3", {"groups": 3}),
        (ValueError, "groups must divide the 4 channels and the 6 filters, got 4", {"groups": 4}),
        (ValueError, "groups must be at least 1", {"groups": 0}),
        (TypeError, "groups must be an integer", {"groups": 2.0}),
        (ValueError, "stride must be at least 1, got 0", {"stride": (1, 0)}),
        (ValueError, "stride must be one integer or two", {"stride": (1, 1, 1)}),
        (ValueError, "dilation must be at least 1, got 0", {"dilation": 0}),
        (ValueError, "kernel_size must fit the padded input, got 3", {"dilation": (3, 1)}),
        (ValueError, "padding must be at least 0", {"padding": -1}),
        (ValueError, "padding must be one integer, two or four", {"padding": (1, 1, 1)}),
        (ValueError, "x_zero_point must be from 0 to 255, got -1", {"x_zero_point": -1}),
        (ValueError, "x_zero_point must be from 0 to 255, got 256", {"x_zero_point": 256}),
        (TypeError, "x_zero_point must be an integer", {"x_zero_point": 1.0}),
        (TypeError, "x_zero_point must be an integer", {"x_zero_point": np.ones(2, int)}),
        (TypeError, "w_zero_point must be an integer array", {"w_zero_point": 0.5}),
        (ValueError, r"w_zero_point must be a scalar or of shape \(6,\)", {"w_zero_point": np.ones(2, int)}),
        (ValueError, "w_zero_point must be from -128 to 127, got 128 to 128", {"w_zero_point": 128}),
        (ValueError, "w_zero_point must be from -128 to 127, got -129 to 5", {"w_zero_point": [-129, 0, 0, 0, 0, 5]}),
        (TypeError, "w must be an integer array of filters, got a Factor", {"w": integer.prepare(W.reshape(6, -1))}),
        (
            ValueError,
            "x and w must have sums within .*18 terms of 255000000",
            {"w": W.astype(np.int32), "w_zero_point": 1_000_001, "x_zero_point": 255, "x": 0 * X},
        ),
    ],
)
def test_refused(error, match, change):
    with pytest.raises(error, match=match):
        integer_conv2d.conv2d(**{"x": X, "w": W, "groups": 2} | change)


def test_sums_that_could_leave_int32():
    """25 · 1,321 = 33,025 terms of 255² are inside int32, 33,026 = 2 · 16,513 are not, if only of one filter."""
    for shape, inside in (((1, 1321, 5, 5), True), ((1, 16513, 2, 1), False)):
        x, w = np.zeros(shape, np.uint8), np.zeros((2, *shape[1:]), np.uint8)
        if inside:
            assert integer_conv2d.conv2d(x, w, 255, 255).tolist() == [[[[33_025 * 255**2]]] * 2]
        else:
            for z_w in (255, np.array([0, 255])):
                with pytest.raises(ValueError, match=r"x and w .*33026 terms of 65025"):
                    integer_conv2d.conv2d(x, w, 255, z_w)
