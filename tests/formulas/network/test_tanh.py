import numpy as np
import pytest

from refcompress.formulas.network import tanh
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import tanh as oracle


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_loops(dtype):
    x = frozen(np.concatenate([np.linspace(-20, 20, 801), [-0.0, 1e-30, -90, 90]]).astype(dtype))
    dout = frozen(np.random.default_rng(1).standard_normal(x.shape).astype(dtype))
    out, cache = tanh.forward(x)
    # A tanh good to 4 ulp (8 roundings); twice for the oracle.
    expected = oracle.forward(x)
    assert_within(out, expected, gamma(16, dtype) * abs(expected), dtype)
    # In 1 − t² the difference has the absolute error of t².
    assert_within(tanh.backward(dout, cache), oracle.backward(dout, x), gamma(40, dtype) * abs(dout), dtype)


def test_gradient():
    check_gradient(tanh.forward, tanh.backward, (np.random.default_rng(2).uniform(-4, 4, (2, 3, 4, 5)),))


def test_literals():
    out, cache = tanh.forward(np.array([0.0, np.log(3), -np.log(3)]))  # (9 − 1)/(9 + 1)
    np.testing.assert_allclose(out, [0.0, 0.8, -0.8], rtol=1e-15)
    np.testing.assert_allclose(tanh.backward(np.full(3, 25.0), cache), [25.0, 9.0, 9.0], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_out(dtype):
    out, cache = tanh.forward(np.array([-np.inf, -1000, 1000, np.inf], dtype))
    np.testing.assert_array_equal(out, [-1, -1, 1, 1])
    np.testing.assert_array_equal(tanh.backward(np.ones(4, dtype), cache), [0, 0, 0, 0])


def test_nan_stays():
    assert np.isnan(tanh.forward(np.array([np.nan]))[0]).all()


def test_memory_layout_does_not_matter():
    x = np.random.default_rng(3).standard_normal((2, 3, 4, 5))
    for x_ in layouts(x):
        out, cache = tanh.forward(frozen(x_))
        assert_within(out, oracle.forward(x), gamma(16, float), np.float64)
        assert_within(tanh.backward(x_, cache), oracle.backward(x, x), gamma(40, float) * abs(x), np.float64)


def test_wrong_arrays():
    for wrong in (np.ones(3, int), np.ones(3, np.float16)):
        with pytest.raises(TypeError, match=r"\bx\b"):
            tanh.forward(wrong)
    _, cache = tanh.forward(np.ones((3, 4)))
    for wrong in (np.ones((3, 5)), np.ones((3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            tanh.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        tanh.backward(np.ones((3, 4), np.float32), cache)
