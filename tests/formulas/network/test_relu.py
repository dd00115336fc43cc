import numpy as np
import pytest

from refcompress.formulas.network import relu
from tests.gradient_check import check_gradient, frozen, layouts, spread
from tests.oracles import relu as oracle


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4, 5)])
def test_equals_the_loops(shape, dtype):
    rng = np.random.default_rng(1)
    x, dout = (frozen(rng.standard_normal(shape).astype(dtype)) for _ in range(2))
    out, cache = relu.forward(x)
    dX = relu.backward(dout, cache)
    assert out.dtype == dX.dtype == dtype
    np.testing.assert_array_equal(out, oracle.forward(x))
    np.testing.assert_array_equal(dX, oracle.backward(dout, x))


def test_gradient():
    check_gradient(relu.forward, relu.backward, (spread((2, 3, 4, 5), np.random.default_rng(2)),))


def test_literals():
    tiny = np.nextafter(0, 1)
    out, cache = relu.forward(np.array([-np.inf, -2.0, -tiny, -0.0, 0.0, tiny, 3.0, np.inf]))
    np.testing.assert_array_equal(out, [0, 0, 0, 0, 0, tiny, 3, np.inf])
    # The derivative at 0 is 0.
    np.testing.assert_array_equal(relu.backward(np.full(8, 5.0), cache), [0, 0, 0, 0, 0, 5, 5, 5])


def test_nan_stays():
    assert np.isnan(relu.forward(np.array([np.nan]))[0]).all()


def test_memory_layout_does_not_matter():
    x = spread((2, 3, 4, 5), np.random.default_rng(3))
    for x_ in layouts(x):
        out, cache = relu.forward(frozen(x_))
        np.testing.assert_array_equal(out, oracle.forward(x))
        np.testing.assert_array_equal(relu.backward(x_, cache), oracle.backward(x, x))


def test_wrong_arrays():
    for wrong in (np.ones(3, int), np.ones(3, np.float16), [1, 2]):
        with pytest.raises(TypeError, match=r"\bx\b"):
            relu.forward(wrong)
    _, cache = relu.forward(np.ones((3, 4)))
    for wrong in (np.ones((3, 5)), np.ones((3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            relu.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        relu.backward(np.ones((3, 4), np.float32), cache)
