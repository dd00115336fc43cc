import numpy as np
import pytest

from refcompress.formulas.network import leaky_relu
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts, spread
from tests.oracles import leaky_relu as oracle


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, np.float64(0.3), 1.0])
def test_equals_the_loops(slope, dtype):
    rng = np.random.default_rng(1)
    x, dout = (frozen(rng.standard_normal((2, 3, 4, 5)).astype(dtype)) for _ in range(2))
    out, cache = leaky_relu.forward(x, slope)
    # The slope is rounded to the dtype, then one product.
    expected = oracle.forward(x, slope)
    assert_within(out, expected, gamma(3, dtype) * abs(expected), dtype)
    expected = oracle.backward(dout, x, slope)
    assert_within(leaky_relu.backward(dout, cache), expected, gamma(3, dtype) * abs(expected), dtype)


@pytest.mark.parametrize("slope", [0.01, 0.3])
def test_gradient(slope):
    check_gradient(
        lambda x: leaky_relu.forward(x, slope), leaky_relu.backward, (spread((2, 3, 4, 5), np.random.default_rng(2)),)
    )


def test_literals():
    out, cache = leaky_relu.forward(np.array([-8.0, -0.0, 0.0, 3.0]), 0.25)
    np.testing.assert_array_equal(out, [-2, 0, 0, 3])
    # The derivative at 0 is the slope.
    np.testing.assert_array_equal(leaky_relu.backward(np.full(4, 4.0), cache), [1, 1, 1, 4])


def test_default_slope():
    out, cache = leaky_relu.forward(np.array([-1.0]))
    assert out.tolist() == [-0.01]
    assert leaky_relu.backward(np.array([1.0]), cache).tolist() == [0.01]


def test_nan_stays():
    assert np.isnan(leaky_relu.forward(np.array([np.nan]))[0]).all()


def test_memory_layout_does_not_matter():
    x = spread((2, 3, 4, 5), np.random.default_rng(3))
    for x_ in layouts(x):
        out, cache = leaky_relu.forward(frozen(x_), 0.5)
        np.testing.assert_array_equal(out, oracle.forward(x, 0.5))
        np.testing.assert_array_equal(leaky_relu.backward(x_, cache), oracle.backward(x, x, 0.5))


def test_wrong_arguments():
    for wrong in (np.ones(3, int), np.ones(3, np.float16)):
        with pytest.raises(TypeError, match=r"\bx\b"):
            leaky_relu.forward(wrong)
    for wrong in ("0.1", None, True):
        with pytest.raises(TypeError, match=r"\bslope\b"):
            leaky_relu.forward(np.ones(3), wrong)
    with pytest.raises(ValueError, match=r"\bslope\b"):
        leaky_relu.forward(np.ones(3), float("nan"))
    _, cache = leaky_relu.forward(np.ones((3, 4)))
    for wrong in (np.ones((3, 5)), np.ones((3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            leaky_relu.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        leaky_relu.backward(np.ones((3, 4), np.float32), cache)
