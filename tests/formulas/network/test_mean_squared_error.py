import math

import numpy as np
import pytest

from refcompress.formulas.network import mean_squared_error
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import mean_squared_error as oracle


def arrays(shape, dtype=np.float64):
    rng = np.random.default_rng(1)
    return tuple(frozen(rng.standard_normal(shape).astype(dtype)) for _ in range(2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4, 5)])
def test_equals_the_loops(shape, reduction, dtype):
    prediction, target = arrays(shape, dtype)
    loss, cache = mean_squared_error.forward(prediction, target, reduction=reduction)
    # A difference counts twice in its square; then the product, K sums and a division, all of positive terms.
    expected = oracle.forward(prediction, target, reduction)
    assert_within(loss, expected, gamma(2 * (prediction.size + 4), dtype) * expected, dtype)
    gradients = mean_squared_error.backward(dtype(-1.5), cache)
    assert gradients._fields == ("dprediction", "dtarget")
    for gradient, right in zip(gradients, oracle.backward(-1.5, prediction, target, reduction), strict=True):
        assert_within(gradient, right, gamma(8, dtype) * abs(right), dtype)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4, 5)])
def test_gradient(shape, reduction):
    check_gradient(
        lambda prediction, target: mean_squared_error.forward(prediction, target, reduction=reduction),
        mean_squared_error.backward,
        arrays(shape),
    )


def test_literals():
    prediction, target = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 4.0], [3.0, 7.0]])
    loss, cache = mean_squared_error.forward(prediction, target)
    assert loss == 3.5  # (1 + 4 + 0 + 9)/4: over all elements, not over samples
    gradients = mean_squared_error.backward(2.0, cache)
    np.testing.assert_array_equal(gradients.dprediction, [[1, -2], [0, -3]])
    np.testing.assert_array_equal(gradients.dtarget, [[-1, 2], [0, 3]])
    loss, cache = mean_squared_error.forward(prediction, target, reduction="sum")
    assert loss == 14.0
    np.testing.assert_array_equal(mean_squared_error.backward(0.5, cache).dprediction, [[1, -2], [0, -3]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_of_the_loss(dtype):
    loss, cache = mean_squared_error.forward(*arrays((3, 4), dtype))
    assert np.shape(loss) == ()
    assert loss.dtype == dtype
    for dout in (1.0, dtype(1), np.ones((), dtype), loss):
        assert {gradient.dtype for gradient in mean_squared_error.backward(dout, cache)} == {np.dtype(dtype)}


def test_memory_layout_does_not_matter():
    prediction, target = arrays((2, 3, 4, 5))
    expected = oracle.backward(1.0, prediction, target)[0]
    for one, other in zip(layouts(prediction), reversed(list(layouts(target))), strict=True):
        loss, cache = mean_squared_error.forward(frozen(one), frozen(other))
        assert math.isclose(loss, oracle.forward(prediction, target), rel_tol=1e-13)
        assert_within(mean_squared_error.backward(1.0, cache).dprediction, expected, 1e-15, np.float64)


def test_wrong_arguments():
    prediction, target = arrays((3, 4))
    for wrong in (target[:1], target[:, :1], target[0], target.T, target[None], np.float64(1)):
        with pytest.raises(ValueError, match=r"\b(target|prediction)\b"):
            mean_squared_error.forward(prediction, wrong)
    for dtype in (int, np.float16, np.float32):
        with pytest.raises(TypeError, match=r"\btarget\b"):
            mean_squared_error.forward(prediction, target.astype(dtype))
        with pytest.raises(TypeError, match=r"\b(prediction|target)\b"):
            mean_squared_error.forward(prediction.astype(dtype), target)
    for wrong in ("none", "Mean", None):
        with pytest.raises((ValueError, TypeError), match=r"\breduction\b"):
            mean_squared_error.forward(prediction, target, reduction=wrong)
    _, cache = mean_squared_error.forward(prediction, target)
    for wrong in (prediction, "1", None):
        with pytest.raises((ValueError, TypeError), match=r"\bdout\b"):
            mean_squared_error.backward(wrong, cache)
