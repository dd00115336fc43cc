import numpy as np
import pytest

from refcompress.formulas.network import global_average_pool2d
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import global_average_pool2d as oracle

SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_loops(dtype):
    rng = np.random.default_rng(1)
    x = frozen(rng.standard_normal(SHAPE).astype(dtype))
    out, cache = global_average_pool2d.forward(x)
    # 20 sums and a division; twice, because the oracle rounds too.
    assert_within(out, oracle.forward(x), gamma(2 * 21, dtype) * oracle.forward(abs(x)), dtype)
    dout = frozen(rng.standard_normal((2, 3, 1, 1)).astype(dtype))
    expected = oracle.backward(dout, SHAPE)
    assert_within(global_average_pool2d.backward(dout, cache), expected, gamma(3, dtype) * abs(expected), dtype)


@pytest.mark.parametrize("shape", [SHAPE, (2, 3, 1, 5), (2, 3, 1, 1)])
def test_gradient(shape):
    check_gradient(
        global_average_pool2d.forward,
        global_average_pool2d.backward,
        (np.random.default_rng(2).standard_normal(shape),),
    )


def test_literals():
    x = np.array([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, -8.0]]]])
    out, cache = global_average_pool2d.forward(x)
    np.testing.assert_array_equal(out, [[[[3.0]], [[-2.0]]]])
    np.testing.assert_array_equal(
        global_average_pool2d.backward(np.array([[[[4.0]], [[-8.0]]]]), cache),
        [[[[1.0, 1.0], [1.0, 1.0]], [[-2.0, -2.0], [-2.0, -2.0]]]],
    )


def test_memory_layout_does_not_matter():
    x = np.random.default_rng(3).integers(-8, 9, (2, 3, 4, 8)) * 1.0  # a division by 32 is exact
    for x_ in layouts(x):
        out, cache = global_average_pool2d.forward(frozen(x_))
        np.testing.assert_array_equal(out, oracle.forward(x))
        np.testing.assert_array_equal(global_average_pool2d.backward(out, cache), oracle.backward(out, x.shape))


def test_the_gradient_is_an_array_of_its_own():
    _, cache = global_average_pool2d.forward(np.ones(SHAPE))
    dX = global_average_pool2d.backward(np.ones((2, 3, 1, 1)), cache)
    dX[0, 0, 0, 0] = 7.0  # a broadcast view would be read-only, or change its neighbours
    assert np.count_nonzero(dX == 7.0) == 1


def test_wrong_arrays():
    x = np.ones(SHAPE)
    for wrong in (x[0], x[None], x[..., :0]):
        with pytest.raises(ValueError, match=r"\bx\b"):
            global_average_pool2d.forward(wrong)
    for dtype in (np.float16, int):
        with pytest.raises(TypeError, match=r"\bx\b"):
            global_average_pool2d.forward(x.astype(dtype))
    out, cache = global_average_pool2d.forward(x)
    for wrong in (out[:1], out[:, :, 0, 0], x):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            global_average_pool2d.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        global_average_pool2d.backward(out.astype(np.float32), cache)
