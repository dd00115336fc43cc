import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.network import max_pool2d
from tests.gradient_check import check_gradient, frozen, layouts, spread
from tests.oracles import max_pool2d as oracle

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
@pytest.mark.parametrize("case", CASES)
def test_equals_the_loops(case, dtype):
    shape, options = CASES[case]
    rng = np.random.default_rng(1)
    x = frozen(rng.standard_normal(shape).astype(dtype) - 5)  # negative: a padding of 0 would win
    out, cache = max_pool2d.forward(x, *options)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, oracle.forward(x, *for_oracle(*options)))
    dout = frozen(rng.integers(-8, 9, out.shape).astype(dtype))
    dX = max_pool2d.backward(dout, cache)
    assert dX.dtype == dtype
    np.testing.assert_array_equal(dX, oracle.backward(dout, x, *for_oracle(*options)))


@pytest.mark.parametrize("case", CASES)
def test_gradient(case):
    shape, options = CASES[case]
    check_gradient(
        lambda x: max_pool2d.forward(x, *options), max_pool2d.backward, (spread(shape, np.random.default_rng(2)),)
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


@settings(max_examples=60, deadline=None)
@given(shapes_and_options(), st.integers(0, 999))
def test_random_shapes_full_of_ties(case, seed):
    shape, options = case
    rng = np.random.default_rng(seed)
    x = frozen(rng.choice([-np.inf, -2.0, -1.0], shape))
    out, cache = max_pool2d.forward(x, *options)
    np.testing.assert_array_equal(out, oracle.forward(x, *options))
    dout = rng.integers(1, 9, out.shape).astype(float)
    np.testing.assert_array_equal(max_pool2d.backward(dout, cache), oracle.backward(dout, x, *options))


def test_literals():
    x = np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 6.0]]]])
    out, cache = max_pool2d.forward(x, 2, 1)
    np.testing.assert_array_equal(out, [[[[5.0, 6.0]]]])
    np.testing.assert_array_equal(
        max_pool2d.backward(np.array([[[[4.0, 8.0]]]]), cache), [[[[0.0, 4.0, 0.0], [0.0, 0.0, 8.0]]]]
    )


def test_one_pixel_may_win_twice():
    out, cache = max_pool2d.forward(np.array([[[[1.0, 9.0, 2.0]]]]), (1, 2), 1)
    np.testing.assert_array_equal(out, [[[[9.0, 9.0]]]])
    np.testing.assert_array_equal(max_pool2d.backward(np.array([[[[4.0, 8.0]]]]), cache), [[[[0.0, 12.0, 0.0]]]])


def test_ties_go_to_the_first_in_row_major_order():
    _, cache = max_pool2d.forward(np.zeros((1, 1, 4, 4)), 2)
    first = [1.0, 0.0, 1.0, 0.0]
    np.testing.assert_array_equal(max_pool2d.backward(np.ones((1, 1, 2, 2)), cache), [[[first, [0] * 4] * 2]])
    _, cache = max_pool2d.forward(np.array([[[[1.0, 7.0], [7.0, 1.0]]]]), 2)
    np.testing.assert_array_equal(max_pool2d.backward(np.ones((1, 1, 1, 1)), cache), [[[[0.0, 1.0], [0.0, 0.0]]]])
    _, cache = max_pool2d.forward(np.array([[[[-0.0, 0.0]]]]), (1, 2))
    np.testing.assert_array_equal(max_pool2d.backward(np.ones((1, 1, 1, 1)), cache), [[[[1.0, 0.0]]]])


def test_padding_never_wins():
    x = np.full((1, 1, 2, 2), -np.inf)
    out, cache = max_pool2d.forward(x, 2, 2, 1)
    np.testing.assert_array_equal(out, x)
    # Every window holds one real pixel, behind or before padding that is −inf too.
    np.testing.assert_array_equal(
        max_pool2d.backward(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), cache), [[[[1.0, 2.0], [3.0, 4.0]]]]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_wins(dtype):
    for place in np.ndindex(2, 3):
        x = np.array([[[[1.0, np.inf, 2.0], [-np.inf, 3.0, 4.0]]]], dtype)
        x[0, 0][place] = np.nan
        out, cache = max_pool2d.forward(x, (2, 3))
        assert np.isnan(out).all()
        expected = np.zeros((1, 1, 2, 3))
        expected[0, 0][place] = 1
        np.testing.assert_array_equal(max_pool2d.backward(np.ones((1, 1, 1, 1), dtype), cache), expected)


def test_nan_stays_in_its_window():
    x = np.array([[[[np.nan, 1.0, 2.0, 3.0]]]])
    np.testing.assert_array_equal(max_pool2d.forward(x, (1, 2))[0], [[[[np.nan, 3.0]]]])


@pytest.mark.parametrize("case", ["plain", "padding pair"])
def test_memory_layout_does_not_matter(case):
    shape, options = CASES[case]
    rng = np.random.default_rng(3)
    x = rng.integers(-8, 9, shape) * 1.0
    expected = oracle.forward(x, *for_oracle(*options))
    dout = rng.integers(-8, 9, expected.shape) * 1.0
    dX = oracle.backward(dout, x, *for_oracle(*options))
    for x_, dout_ in zip(layouts(x), layouts(dout), strict=True):
        out, cache = max_pool2d.forward(frozen(x_), *options)
        np.testing.assert_array_equal(out, expected)
        np.testing.assert_array_equal(max_pool2d.backward(frozen(dout_), cache), dX)


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
        max_pool2d.forward(np.ones((2, 5, 7, 8)), *options)


def test_wrong_arrays():
    x = np.ones((2, 5, 7, 8))
    for wrong in (x[0], x[None]):
        with pytest.raises(ValueError, match=r"\bx\b"):
            max_pool2d.forward(wrong, 2)
    for dtype in (np.float16, int, bool):
        with pytest.raises(TypeError, match=r"\bx\b"):
            max_pool2d.forward(x.astype(dtype), 2)
    out, cache = max_pool2d.forward(x, 2)
    for wrong in (out[:1], out[..., :1], out[0], x):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            max_pool2d.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        max_pool2d.backward(out.astype(np.float32), cache)
