"""The checker accepts right gradients and catches planted errors."""

import numpy as np
import pytest

from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts, spread
from tests.oracles import conv2d, tanh


def random(*shapes):
    rng = np.random.default_rng(7)
    return tuple(rng.uniform(-2, 2, shape) for shape in shapes)


def linear(x, W, b):
    return (x @ W.T if b is None else x @ W.T + b), (x, W, b)


def linear_gradients(dout, cache):
    x, W, b = cache
    return dout @ W, dout.T @ x, None if b is None else dout.sum(axis=0)


LINEAR_ERRORS = {
    "dX off by 0.05 %": lambda dX, dW, db: (dX * 1.0005, dW, db),
    "dW off by 0.05 %": lambda dX, dW, db: (dX, dW * 1.0005, db),
    "db off by 0.05 %": lambda dX, dW, db: (dX, dW, db * 0.9995),
    "dW of the wrong shape": lambda dX, dW, db: (dX, dW.T, db),
    "db left out": lambda dX, dW, db: (dX, dW, None),
    "db zero": lambda dX, dW, db: (dX, dW, 0 * db),
    "db of the wrong shape": lambda dX, dW, db: (dX, dW, db[None]),
    "a gradient too few": lambda dX, dW, db: (dX, dW),
    "order of the gradients": lambda dX, dW, db: (dW, dX, db),
    "sign": lambda dX, dW, db: (dX, -dW, db),
    "one entry": lambda dX, dW, db: (dX, dW + np.eye(5, 4) * 1e-4, db),
    "NaN": lambda dX, dW, db: (dX, dW, db * np.nan),
    "float32": lambda dX, dW, db: (dX.astype(np.float32), dW, db),
}


@pytest.mark.parametrize("bias", [True, False])
def test_accepts_linear(bias):
    x, W, b = random((3, 4), (5, 4), (5,))
    check_gradient(linear, linear_gradients, (x, W, b if bias else None))


@pytest.mark.parametrize("error", LINEAR_ERRORS)
def test_catches_errors_in_linear(error):
    def backward(dout, cache):
        return LINEAR_ERRORS[error](*linear_gradients(dout, cache))

    with pytest.raises(AssertionError, match=r"gradient|central difference"):
        check_gradient(linear, backward, random((3, 4), (5, 4), (5,)))


def test_catches_a_transposed_square_dW():
    def backward(dout, cache):
        dX, dW, db = linear_gradients(dout, cache)
        return dX, dW.T, db

    with pytest.raises(AssertionError, match=r"input 1 at .*central difference"):
        check_gradient(linear, backward, random((3, 4), (4, 4), (4,)))


def test_catches_a_gradient_for_an_argument_left_out():
    def backward(dout, cache):
        return *linear_gradients(dout, cache)[:2], dout.sum(axis=0)

    with pytest.raises(AssertionError, match="input 2 was left out"):
        check_gradient(linear, backward, (*random((3, 4), (5, 4)), None))


def test_catches_modified_arrays():
    def forward(x):
        out = x**2
        x += 1
        return out, x

    with pytest.raises(AssertionError, match="input 0 was modified"):
        check_gradient(forward, lambda dout, x: 2 * (x - 1) * dout, random((3, 4)))

    def backward(dout, x):
        dout *= 2 * x
        return dout

    with pytest.raises(AssertionError, match="modified dout"):
        check_gradient(lambda x: (x**2, x), backward, random((3, 4)))


def convolution(stride):
    def forward(x, W, b):
        return conv2d.forward(x, W, b, (2, 3), (1, 2), (1, 1), 1), (x, W)

    def backward(dout, cache):
        right = conv2d.backward(dout, *cache, (2, 3), (1, 2), (1, 1), 1)
        return conv2d.backward(dout, *cache, stride, (1, 2), (1, 1), 1)[0], *right[1:]

    return forward, backward


def test_catches_a_wrong_stride():
    inputs = random((1, 2, 6, 7), (4, 2, 3, 5), (4,))
    check_gradient(*convolution((2, 3)), inputs)
    for stride in [(1, 3), (2, 2), (3, 2)]:
        with pytest.raises(AssertionError, match=r"input 0 at .*central difference"):
            check_gradient(*convolution(stride), inputs)


def test_catches_a_mean_without_its_divisor():
    def forward(prediction, target):
        return np.mean((prediction - target) ** 2), prediction - target

    def backward(divisor):
        return lambda dout, error: (dout * 2 * error / divisor, dout * -2 * error / divisor)

    inputs = random((3, 4), (3, 4))
    check_gradient(forward, backward(12), inputs)
    for divisor in (1, 3, 4):
        with pytest.raises(AssertionError, match="input 0 at"):
            check_gradient(forward, backward(divisor), inputs)


@pytest.mark.parametrize("factor", [1.0, 1.0005, 0.9995, 1.00001])
def test_elementwise_derivative(factor):
    def run():
        check_gradient(lambda x: (np.tanh(x), x), lambda dout, x: factor * tanh.backward(dout, x), random((5, 7)))

    if factor == 1.0:
        run()
    else:
        with pytest.raises(AssertionError, match="input 0 at"):
            run()


def test_catches_statistics_taken_as_constants():
    def forward(x):
        return x - x.mean(axis=0), None

    check_gradient(forward, lambda dout, _: dout - dout.mean(axis=0), random((3, 4)))
    with pytest.raises(AssertionError, match="input 0 at"):
        check_gradient(forward, lambda dout, _: dout, random((3, 4)))


def test_wants_float64():
    with pytest.raises(AssertionError, match="float64"):
        check_gradient(linear, linear_gradients, (np.ones((3, 4), np.float32), *random((5, 4), (5,))))


def test_gamma():
    assert gamma(0, np.float32) == 0
    assert gamma(1, np.float32) == 2.0**-24 / (1 - 2.0**-24)
    assert gamma(2**12, np.float64) == 2.0**-41 / (1 - 2.0**-41)


def test_assert_within():
    expected = np.array([1.0, 2.0])
    assert_within(np.array([1.5, 2.0]), expected, 0.5, np.float64)
    for actual, dtype in [
        (np.array([1.75, 2.0]), np.float64),
        (np.array([np.nan, 2.0]), np.float64),
        (np.array([[1.0, 2.0]]), np.float64),
        (expected, np.float32),
    ]:
        with pytest.raises(AssertionError):
            assert_within(actual, expected, 0.5, dtype)


def test_frozen():
    with pytest.raises(ValueError, match="read-only"):
        frozen(np.zeros(2))[0] = 1


def test_spread():
    values = np.sort(np.append(spread((5, 7), np.random.default_rng(0)).ravel(), 0))
    assert values.size == 36
    assert np.diff(values).min() > 0.0049


def test_layouts():
    array = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    different = list(layouts(array))
    assert len({other.strides for other in different}) == len(different) == 4
    for other in different:
        assert np.array_equal(other, array)
        assert not other.flags.c_contiguous
