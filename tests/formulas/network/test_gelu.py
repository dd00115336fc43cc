import numpy as np
import pytest

from refcompress.formulas.network import gelu
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import gelu as oracle


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_loops(dtype):
    x = frozen(np.concatenate([np.linspace(-12, 12, 801), [-0.0, 1e-30, -40, 40]]).astype(dtype))
    dout = frozen(np.random.default_rng(1).standard_normal(x.shape).astype(dtype))
    out, cache = gelu.forward(x)
    # x/√2 (two roundings, damped by x·φ(x) < ¼), erf to 4 ulp (8), 1 + erf and two products; twice for the oracle.
    # The sum 1 + erf cancels for x < 0, so that the error is relative to |x|, not to the result.
    assert_within(out, oracle.forward(x), gamma(24, dtype) * abs(x.astype(float)), dtype)
    # Φ as above; x·φ: the exponent x²/2 passes its roundings on times x²/2, and (1 + x²)·|x|·φ(x) < 0.81.
    assert_within(gelu.backward(dout, cache), oracle.backward(dout, x), gamma(40, dtype) * abs(dout), dtype)


def test_gradient():
    check_gradient(gelu.forward, gelu.backward, (np.random.default_rng(2).uniform(-4, 4, (2, 3, 4, 5)),))


def test_literals():
    # Φ(1) = 0.841344746068542948…, φ(1) = 0.241970724519143349…
    out, cache = gelu.forward(np.array([0.0, 1.0, -1.0]))
    np.testing.assert_allclose(out, [0, 0.841344746068542948, -0.158655253931457051], rtol=1e-15)
    np.testing.assert_allclose(
        gelu.backward(np.ones(3), cache), [0.5, 1.083315470587686297, -0.083315470587686297], rtol=4e-15
    )


def test_exact_form_not_the_tanh_approximation():
    # At 2 the tanh form gives 1.954597694…, Φ(2) = 0.977249868051820792….
    assert abs(gelu.forward(np.array([2.0]))[0][0] - 1.954499736103641585) < 1e-15


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [40, 1e4, 1e30])  # (1e30)² is infinite in float32, and warnings are errors here
def test_tails(size, dtype):
    out, cache = gelu.forward(np.array([-size, size], dtype))
    np.testing.assert_array_equal(out, np.array([0, size], dtype))
    np.testing.assert_array_equal(gelu.backward(np.ones(2, dtype), cache), [0, 1])


def test_digits_stay_in_the_negative_tail():
    # 1 + erf would be 0 here. −10·Φ(−10) with Φ(−10) = 7.61985302416052606…e−24; erfc multiplies the relative
    # rounding of its argument by about x² = 100.
    out, _ = gelu.forward(np.array([-10.0]))
    np.testing.assert_allclose(out, [-7.61985302416052606e-23], rtol=float(gamma(220, float)))


def test_nan_stays():
    assert np.isnan(gelu.forward(np.array([np.nan]))[0]).all()


def test_memory_layout_does_not_matter():
    x = np.random.default_rng(3).standard_normal((2, 3, 4, 5))
    for x_ in layouts(x):
        out, cache = gelu.forward(frozen(x_))
        assert_within(out, oracle.forward(x), gamma(24, float) * abs(x), np.float64)
        assert_within(gelu.backward(x_, cache), oracle.backward(x, x), gamma(40, float) * abs(x), np.float64)


def test_wrong_arrays():
    for wrong in (np.ones(3, int), np.ones(3, np.float16)):
        with pytest.raises(TypeError, match=r"\bx\b"):
            gelu.forward(wrong)
    _, cache = gelu.forward(np.ones((3, 4)))
    for wrong in (np.ones((3, 5)), np.ones((3, 1)), np.ones(4)):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            gelu.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        gelu.backward(np.ones((3, 4), np.float32), cache)
