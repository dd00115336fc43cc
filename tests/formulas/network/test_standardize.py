import numpy as np
import pytest

from refcompress.formulas.network import standardize
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import standardize as oracle


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("mean", "std"), [(0.1307, 0.3081), (-2, 3), (np.float64(0.3), np.float64(0.7))])
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4, 5)])
def test_equals_the_loops(shape, mean, std, dtype):
    rng = np.random.default_rng(1)
    x, dout = (frozen(rng.standard_normal(shape).astype(dtype)) for _ in range(2))
    out, cache = standardize.forward(x, mean, std)
    # mean and std are rounded to the dtype, then a difference and a quotient (or a reciprocal and a product).
    bound = gamma(6, dtype) * (abs(x.astype(float)) + abs(mean)) / std
    assert_within(out, oracle.forward(x, mean, std), bound, dtype)
    expected = oracle.backward(dout, std)
    assert_within(standardize.backward(dout, cache), expected, gamma(4, dtype) * abs(expected), dtype)


def test_gradient():
    check_gradient(
        lambda x: standardize.forward(x, 0.3, 0.7),
        standardize.backward,
        (np.random.default_rng(2).standard_normal((2, 3, 4, 5)),),
    )


def test_literals():
    out, cache = standardize.forward(np.array([1.0, 3.0, 7.0]), 3.0, 4.0)
    np.testing.assert_array_equal(out, [-0.5, 0.0, 1.0])
    np.testing.assert_array_equal(standardize.backward(np.array([4.0, 8.0, -1.0]), cache), [1.0, 2.0, -0.25])


def test_memory_layout_does_not_matter():
    x = np.random.default_rng(3).integers(-8, 9, (2, 3, 4, 5)) * 1.0
    for x_ in layouts(x):
        out, cache = standardize.forward(frozen(x_), 1.0, 4.0)
        np.testing.assert_array_equal(out, oracle.forward(x, 1.0, 4.0))
        np.testing.assert_array_equal(standardize.backward(x_, cache), oracle.backward(x, 4.0))


def test_wrong_arguments():
    x = np.ones((3, 4))
    for wrong in (x.astype(int), x.astype(np.float16)):
        with pytest.raises(TypeError, match=r"\bx\b"):
            standardize.forward(wrong, 0.0, 1.0)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=r"\bstd\b"):
            standardize.forward(x, 0.0, wrong)
    with pytest.raises(ValueError, match=r"\bmean\b"):
        standardize.forward(x, float("nan"), 1.0)
    for wrong in ("1", None):
        with pytest.raises(TypeError, match=r"\bstd\b"):
            standardize.forward(x, 0.0, wrong)
        with pytest.raises(TypeError, match=r"\bmean\b"):
            standardize.forward(x, wrong, 1.0)
    _, cache = standardize.forward(x, 0.0, 1.0)
    for wrong in (np.ones((3, 5)), np.ones((3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            standardize.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        standardize.backward(x.astype(np.float32), cache)
