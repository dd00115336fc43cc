import numpy as np
import pytest

from refcompress.formulas.network import sigmoid
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import sigmoid as oracle


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_loops(dtype):
    x = frozen(np.concatenate([np.linspace(-40, 40, 801), [-0.0, 1e-30, -90, 90]]).astype(dtype))
    dout = frozen(np.random.default_rng(1).standard_normal(x.shape).astype(dtype))
    out, cache = sigmoid.forward(x)
    # An exponential good to 4 ulp (8 roundings), a sum and a quotient, also in the tail; twice for the oracle.
    expected = oracle.forward(x)
    assert_within(out, expected, gamma(20, dtype) * expected, dtype)
    # In s·(1 − s) the difference has the absolute error of s.
    assert_within(sigmoid.backward(dout, cache), oracle.backward(dout, x), gamma(40, dtype) * abs(dout), dtype)


def test_gradient():
    check_gradient(sigmoid.forward, sigmoid.backward, (np.random.default_rng(2).uniform(-6, 6, (2, 3, 4, 5)),))


def test_literals():
    out, cache = sigmoid.forward(np.array([0.0, np.log(3), -np.log(3)]))
    np.testing.assert_allclose(out, [0.5, 0.75, 0.25], rtol=1e-15)
    np.testing.assert_allclose(sigmoid.backward(np.full(3, 16.0), cache), [4.0, 3.0, 3.0], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out(dtype):
    # Any overflow would warn, and warnings are errors here.
    out, cache = sigmoid.forward(np.array([-np.inf, -1000, 1000, np.inf], dtype))
    np.testing.assert_array_equal(out, [0, 0, 1, 1])
    np.testing.assert_array_equal(sigmoid.backward(np.ones(4, dtype), cache), [0, 0, 0, 0])


def test_nan_stays():
    assert np.isnan(sigmoid.forward(np.array([np.nan]))[0]).all()


def test_memory_layout_does_not_matter():
    x = np.random.default_rng(3).standard_normal((2, 3, 4, 5))
    for x_ in layouts(x):
        out, cache = sigmoid.forward(frozen(x_))
        assert_within(out, oracle.forward(x), gamma(20, float), np.float64)
        assert_within(sigmoid.backward(x_, cache), oracle.backward(x, x), gamma(40, float) * abs(x), np.float64)


def test_wrong_arrays():
    for wrong in (np.ones(3, int), np.ones(3, np.float16)):
        with pytest.raises(TypeError, match=r"\bx\b"):
            sigmoid.forward(wrong)
    _, cache = sigmoid.forward(np.ones((3, 4)))
    for wrong in (np.ones((3, 5)), np.ones((3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            sigmoid.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        sigmoid.backward(np.ones((3, 4), np.float32), cache)
