import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.network import average_pool2d
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import average_pool2d as oracle

# name: shape of x, (kernel_size, stride, padding)
CASES = {
    "plain": ((2, 5, 6, 9), (3, None, 0)),
    "pair": ((2, 5, 6, 12), ((3, 4), None, 0)),
    "remainder": ((2, 5, 7, 11), ((3, 4), None, 0)),
    "overlapping": ((2, 5, 7, 8), ((3, 4), (1, 2), 0)),
    "gaps": ((2, 5, 9, 11), ((3, 4), (4, 6), 0)),
    "padding": ((2, 5, 7, 9), (3, None, 1)),
    "padding pair": ((2, 5, 8, 9), ((3, 4), (2, 3), (1, 2))),
    "padding on one axis": ((2, 5, 8, 9), ((3, 4), 2, (0, 2))),
    "one pixel": ((2, 5, 3, 4), (1, 1, 0)),
    "the whole plane": ((2, 5, 3, 4), ((3, 4), None, 0)),
}


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def for_oracle(kernel_size, stride, padding):
    return pair(kernel_size), pair(kernel_size if stride is None else stride), pair(padding)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_loops(case, count_include_pad, dtype):
    shape, options = CASES[case]
    rng = np.random.default_rng(1)
    x = frozen(rng.standard_normal(shape).astype(dtype))
    out, cache = average_pool2d.forward(x, *options, count_include_pad=count_include_pad)
    arguments = (*for_oracle(*options), count_include_pad)
    # K sums and one division err by γ_(K+1)·Σ|a|/divisor; twice, because the oracle rounds too.
    K = int(np.prod(arguments[0]))
    bound = gamma(2 * (K + 1), dtype) * oracle.forward(abs(x), *arguments)
    assert_within(out, oracle.forward(x, *arguments), bound, dtype)
    dout = frozen(rng.standard_normal(out.shape).astype(dtype))
    # A pixel lies in at most K windows.
    bound = gamma(2 * (K + 1), dtype) * oracle.backward(abs(dout), shape, *arguments)
    assert_within(average_pool2d.backward(dout, cache), oracle.backward(dout, shape, *arguments), bound, dtype)


@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_gradient(case, count_include_pad):
    shape, options = CASES[case]
    check_gradient(
        lambda x: average_pool2d.forward(x, *options, count_include_pad=count_include_pad),
        average_pool2d.backward,
        (np.random.default_rng(2).standard_normal(shape),),
    )


@st.composite
def shapes_and_options(draw):
    kernel_size, stride, padding, size = [], [], [], []
    for _ in range(2):
        kernel_size.append(draw(st.integers(1, 5)))
        stride.append(draw(st.integers(1, 6)))
        padding.append(draw(st.integers(0, kernel_size[-1] // 2)))
        smallest = max(1, kernel_size[-1] - 2 * padding[-1])
        size.append(draw(st.integers(smallest, smallest + 7)))
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 3)), *size)
    return shape, (tuple(kernel_size), tuple(stride), tuple(padding))


@settings(max_examples=50, deadline=None)
@given(shapes_and_options(), st.booleans(), st.integers(0, 999))
def test_random_shapes(case, count_include_pad, seed):
    shape, options = case
    rng = np.random.default_rng(seed)
    x = frozen(rng.integers(-8, 9, shape).astype(float))
    out, cache = average_pool2d.forward(x, *options, count_include_pad=count_include_pad)
    # The sums are exact, one or two roundings (a division, or a reciprocal and a product) and the oracle's remain.
    expected = oracle.forward(x, *options, count_include_pad)
    assert_within(out, expected, gamma(3, float) * abs(expected), np.float64)
    dout = rng.integers(-8, 9, out.shape).astype(float)
    K = int(np.prod(options[0]))
    bound = gamma(2 * (K + 2), float) * oracle.backward(abs(dout), shape, *options, count_include_pad)
    assert_within(
        average_pool2d.backward(dout, cache),
        oracle.backward(dout, shape, *options, count_include_pad),
        bound,
        np.float64,
    )


def test_literals():
    x = np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    out, cache = average_pool2d.forward(x, (2, 2), 1)
    np.testing.assert_array_equal(out, [[[[3.0, 4.0]]]])
    np.testing.assert_array_equal(
        average_pool2d.backward(np.array([[[[4.0, 8.0]]]]), cache), [[[[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]]]]
    )


def test_count_include_pad():
    x = np.full((1, 1, 2, 2), 12.0)
    out, cache = average_pool2d.forward(x, 2, 2, 1)
    np.testing.assert_array_equal(out, [[[[3.0, 3.0], [3.0, 3.0]]]])  # one pixel of four
    np.testing.assert_array_equal(average_pool2d.backward(np.ones((1, 1, 2, 2)), cache), np.full((1, 1, 2, 2), 0.25))
    out, cache = average_pool2d.forward(x, 2, 2, 1, count_include_pad=False)
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(average_pool2d.backward(np.ones((1, 1, 2, 2)), cache), np.ones((1, 1, 2, 2)))


@pytest.mark.parametrize("case", ["plain", "padding pair"])
def test_memory_layout_does_not_matter(case):
    shape, options = CASES[case]
    rng = np.random.default_rng(3)
    x = rng.integers(-8, 9, shape) * 12.0  # twelfths and ninths of integers, up to rounding
    expected = oracle.forward(x, *for_oracle(*options))
    dout = rng.integers(-8, 9, expected.shape) * 1.0
    dX = oracle.backward(dout, shape, *for_oracle(*options))
    for x_, dout_ in zip(layouts(x), layouts(dout), strict=True):
        out, cache = average_pool2d.forward(frozen(x_), *options)
        np.testing.assert_allclose(out, expected, rtol=1e-15, atol=1e-14)
        np.testing.assert_allclose(average_pool2d.backward(frozen(dout_), cache), dX, rtol=1e-15, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ((0,), ValueError, "kernel_size"),
        (((2, 0),), ValueError, "kernel_size"),
        ((2.0,), TypeError, "kernel_size"),
        (((2, 2, 2),), (TypeError, ValueError), "kernel_size"),
        ((None,), TypeError, "kernel_size"),
        ((2, 0), ValueError, "stride"),
        ((2, (1, -1)), ValueError, "stride"),
        ((2, 1.5), TypeError, "stride"),
        ((2, 1, -1), ValueError, "padding"),
        ((3, 1, 2), ValueError, "padding"),
        (((4, 3), 1, (2, 2)), ValueError, "padding"),
        ((1, 1, 1), ValueError, "padding"),
        ((2, 1, 0.5), TypeError, "padding"),
        ((8,), ValueError, "kernel_size|x|size"),
        (((1, 9),), ValueError, "kernel_size|x|size"),
    ],
)
def test_wrong_options(options, error, name):
    with pytest.raises(error, match=rf"\b({name})\b"):
        average_pool2d.forward(np.ones((2, 5, 7, 8)), *options)


def test_wrong_arrays():
    x = np.ones((2, 5, 7, 8))
    for wrong in (x[0], x[None]):
        with pytest.raises(ValueError, match=r"\bx\b"):
            average_pool2d.forward(wrong, 2)
    for dtype in (np.float16, int, bool):
        with pytest.raises(TypeError, match=r"\bx\b"):
            average_pool2d.forward(x.astype(dtype), 2)
    out, cache = average_pool2d.forward(x, 2)
    for wrong in (out[:1], out[..., :1], out[0], x):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            average_pool2d.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        average_pool2d.backward(out.astype(np.float32), cache)
