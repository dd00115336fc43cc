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


@pytest.mark.parametrize(
    ("kernel_size", "stride"),
    [
        ((2, 3), (2, 3)),  # side by side
        ((2, 3), (3, 4)),  # with gaps
        ((2, 3), (2, 5)),  # side by side down, gaps across
        ((2, 3), (1, 3)),  # overlapping down only
        ((2, 3), (2, 1)),  # overlapping across only
        ((3, 2), (2, 1)),
        ((1, 1), (2, 2)),
        ((4, 4), (3, 5)),
    ],
)
@pytest.mark.parametrize("padding", [(0, 0), (0, 1), (1, 1)])
def test_every_window_gives_its_share_back(kernel_size, stride, padding):
    """Windows that overlap, touch or leave gaps, along both axes or one: each pixel gets what all its windows owe."""
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel_size, strict=True))
    shape, K = (2, 5, 9, 11), kernel_size[0] * kernel_size[1]
    for count_include_pad in (True, False):
        x = frozen(np.zeros(shape))
        out, cache = average_pool2d.forward(x, kernel_size, stride, padding, count_include_pad=count_include_pad)
        dout = frozen(np.random.default_rng(5).standard_normal(out.shape))
        arguments = (shape, kernel_size, stride, padding, count_include_pad)
        expected, size = oracle.backward(dout, *arguments), oracle.backward(abs(dout), *arguments)
        for dout_ in layouts(dout):
            dX = average_pool2d.backward(frozen(dout_), cache)
            assert_within(dX, expected, gamma(2 * (K + 1), float) * size, np.float64)


def test_a_share_given_once_where_windows_overlap_is_caught(monkeypatch):
    """Assigning instead of adding is right side by side, and wrong where windows overlap along one axis only."""

    def assigned(x, kernel, steps, out_size):
        view = average_pool2d.windows(x, kernel, steps, writeable=True)
        return (Assigned(view[:, :, :, i, j]) for i, j in np.ndindex(*kernel))

    for stride, right in (((2, 3), True), ((3, 3), True), ((1, 3), False), ((2, 1), False), ((1, 1), False)):
        out, cache = average_pool2d.forward(np.zeros((2, 5, 9, 11)), (2, 3), stride)
        expected = oracle.backward(np.ones(out.shape), (2, 5, 9, 11), (2, 3), stride, (0, 0))
        with monkeypatch.context() as planted:
            planted.setattr(average_pool2d, "taps", assigned)
            assert np.allclose(average_pool2d.backward(np.ones_like(out), cache), expected) == right


class Assigned:
    """A view where += replaces what was there."""

    def __init__(self, view):
        self.view = view

    def __iadd__(self, values):
        self.view[...] = values
        return self


@pytest.mark.parametrize("shape", [(2, 1, 9, 7), (2, 3, 8, 6), (3, 5, 12, 4)])
def test_the_sum_runs_in_row_major_order(shape):
    """Bit for bit in float32, whatever the memory order of x."""
    x = np.random.default_rng(6).standard_normal(shape).astype(np.float32)
    for kernel, stride in (((2, 2), (2, 2)), ((4, 4), (4, 4)), ((3, 2), (1, 1))):
        rows, columns = ((size - k) // s + 1 for size, k, s in zip(shape[2:], kernel, stride, strict=True))
        total = np.zeros((*shape[:2], rows, columns), np.float32)
        for n, c, i, j in np.ndindex(total.shape):
            for u, v in np.ndindex(*kernel):
                total[n, c, i, j] += x[n, c, i * stride[0] + u, j * stride[1] + v]
        for x_ in (x, *layouts(x)):
            out, _ = average_pool2d.forward(x_, kernel, stride)
            np.testing.assert_array_equal(out, total / np.float32(kernel[0] * kernel[1]))


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
