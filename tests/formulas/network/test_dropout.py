import numpy as np
import pytest

from refcompress.formulas.network import dropout
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import dropout as oracle

SHAPE = (2, 3, 4, 5)


def draws(seed, shape, dtype):
    """The uniform numbers in C order, drawn one by one."""
    rng = np.random.default_rng(seed)
    return np.array([rng.random(dtype=dtype) for _ in range(int(np.prod(shape)))], dtype).reshape(shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, np.float64(0.7), 0.999])
@pytest.mark.parametrize("shape", [(7,), (3, 4), SHAPE])
def test_equals_the_loops(shape, p, dtype):
    values = np.random.default_rng(1)
    x, dout = (frozen(values.standard_normal(shape).astype(dtype)) for _ in range(2))
    out, cache = dropout.forward(x, p, np.random.default_rng(5))
    uniform = draws(5, shape, dtype)
    # 1 − p, its reciprocal, that rounded to the dtype, and a product; a dropped number is exactly 0.
    expected = oracle.forward(x, p, uniform)
    assert_within(out, expected, gamma(5, dtype) * abs(expected), dtype)
    expected = oracle.backward(dout, p, uniform)
    assert_within(dropout.backward(dout, cache), expected, gamma(5, dtype) * abs(expected), dtype)


def test_gradient():
    x = np.random.default_rng(1).standard_normal(SHAPE)
    check_gradient(lambda x: dropout.forward(x, 0.3, np.random.default_rng(5)), dropout.backward, (x,))
    check_gradient(lambda x: dropout.forward(x, 0.3, training=False), dropout.backward, (x,))


class Draws(np.random.Generator):
    """A generator whose uniform numbers are given."""

    def __init__(self, values):
        super().__init__(np.random.PCG64(0))
        self.values = values

    def random(self, size=None, dtype=np.float64, out=None):
        assert tuple(size) == self.values.shape
        return self.values.astype(dtype)


def test_literals():
    uniform = np.array([0.0, np.nextafter(0.75, 0), 0.75, 0.9])
    out, cache = dropout.forward(np.array([1.0, 2.0, 3.0, 4.0]), 0.75, Draws(uniform))
    np.testing.assert_array_equal(out, [0, 0, 12, 16])  # kept where u ≥ p, times 4
    np.testing.assert_array_equal(dropout.backward(np.array([1.0, 1.0, 1.0, -2.0]), cache), [0, 0, 4, -8])


def test_p_of_0_keeps_all():
    x = np.random.default_rng(1).standard_normal(SHAPE)
    out, cache = dropout.forward(x, 0.0, np.random.default_rng(5))
    np.testing.assert_array_equal(out, x)
    np.testing.assert_array_equal(dropout.backward(x, cache), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_evaluation_is_the_identity(dtype):
    x = frozen(np.random.default_rng(1).standard_normal(SHAPE).astype(dtype))
    rng = np.random.default_rng(5)
    for generator in (None, rng):
        out, cache = dropout.forward(x, 0.9, generator, training=False)
        assert out.dtype == dtype
        np.testing.assert_array_equal(out, x)
        dX = dropout.backward(x, cache)
        assert dX.dtype == dtype
        np.testing.assert_array_equal(dX, x)
    assert rng.random() == np.random.default_rng(5).random()  # nothing was drawn


def test_the_mask_is_by_place_not_by_memory():
    x = np.random.default_rng(1).standard_normal(SHAPE)
    expected = oracle.forward(x, 0.5, draws(5, SHAPE, np.float64))
    for x_ in layouts(x):
        out, cache = dropout.forward(frozen(x_), 0.5, np.random.default_rng(5))
        np.testing.assert_array_equal(out, expected)  # times 2 is exact
        np.testing.assert_array_equal(dropout.backward(x_, cache), expected)


def test_wrong_arguments():
    x = np.ones((3, 4))
    rng = np.random.default_rng(5)
    for wrong in (-0.1, 1.0, 1.5, float("nan"), float("inf")):
        for training in (True, False):
            with pytest.raises(ValueError, match=r"\bp\b"):
                dropout.forward(x, wrong, rng, training=training)
    for wrong in ("0.5", None, True):
        with pytest.raises(TypeError, match=r"\bp\b"):
            dropout.forward(x, wrong, rng)
    with pytest.raises(ValueError, match=r"\brng\b"):
        dropout.forward(x, 0.5)
    for wrong in (0, np.random, np.random.PCG64(0)):
        with pytest.raises((ValueError, TypeError), match=r"\brng\b"):
            dropout.forward(x, 0.5, wrong)
    for wrong in (x.astype(int), x.astype(np.float16)):
        with pytest.raises(TypeError, match=r"\bx\b"):
            dropout.forward(wrong, 0.5, rng)
    for training in (True, False):
        _, cache = dropout.forward(x, 0.5, rng, training=training)
        for wrong in (np.ones((3, 5)), np.ones((3, 1)), np.ones(4)):
            with pytest.raises(ValueError, match=r"\bdout\b"):
                dropout.backward(wrong, cache)
        with pytest.raises(TypeError, match=r"\bdout\b"):
            dropout.backward(x.astype(np.float32), cache)
