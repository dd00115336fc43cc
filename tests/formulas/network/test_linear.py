import numpy as np
import pytest

from refcompress.formulas.network import linear
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import linear as oracle

N, D, M = 3, 4, 5


def arrays(dtype=np.float64):
    rng = np.random.default_rng(1)
    return tuple(frozen(rng.standard_normal(shape).astype(dtype)) for shape in [(N, D), (M, D), (M,), (N, M)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_equals_the_loops(dtype, bias):
    x, W, b, dout = arrays(dtype)
    b = b if bias else None
    out, cache = linear.forward(x, W, b)
    # K products and sums in any order err by γ_K·Σ|a||b|; twice, because the oracle rounds too.
    size = oracle.forward(abs(x), abs(W), None if b is None else abs(b))
    assert_within(out, oracle.forward(x, W, b), gamma(2 * (D + 1), dtype) * size, dtype)
    gradients = linear.backward(dout, cache)
    assert gradients._fields == ("dX", "dW", "db")
    expected, sizes = oracle.backward(dout, x, W), oracle.backward(abs(dout), abs(x), abs(W))
    assert_within(gradients.dX, expected[0], gamma(2 * M, dtype) * sizes[0], dtype)
    assert_within(gradients.dW, expected[1], gamma(2 * N, dtype) * sizes[1], dtype)
    if bias:
        assert_within(gradients.db, expected[2], gamma(2 * N, dtype) * sizes[2], dtype)
    else:
        assert gradients.db is None


def test_small_integers_are_exact():
    rng = np.random.default_rng(2)
    x, W, b, dout = (rng.integers(-8, 9, shape).astype(np.float32) for shape in [(7, 30), (11, 30), (11,), (7, 11)])
    out, cache = linear.forward(x, W, b)
    np.testing.assert_array_equal(out, oracle.forward(x, W, b))
    for gradient, expected in zip(linear.backward(dout, cache), oracle.backward(dout, x, W), strict=True):
        np.testing.assert_array_equal(gradient, expected)


def test_literals():
    out, cache = linear.forward(
        np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.5]]), np.array([0.5, -1.0])
    )
    np.testing.assert_array_equal(out, [[-1.5, 4.5]])  # 1 − 3 + ½; 2 + 2 + 1½ − 1
    dX, dW, db = linear.backward(np.array([[1.0, 10.0]]), cache)
    np.testing.assert_array_equal(dX, [[21.0, 10.0, 4.0]])  # row 1 + 10 · row 2
    np.testing.assert_array_equal(dW, [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    np.testing.assert_array_equal(db, [1.0, 10.0])


@pytest.mark.parametrize("bias", [True, False])
def test_gradient(bias):
    x, W, b, _ = arrays()
    check_gradient(linear.forward, linear.backward, (x, W, b if bias else None))


def test_without_the_input_gradient():
    x, W, b, dout = arrays()
    _, cache = linear.forward(x, W, b)
    full, short = linear.backward(dout, cache), linear.backward(dout, cache, input_gradient=False)
    assert short.dX is None
    np.testing.assert_array_equal(short.dW, full.dW)
    np.testing.assert_array_equal(short.db, full.db)


def test_memory_layout_does_not_matter():
    rng = np.random.default_rng(3)
    x, W, dout = (rng.integers(-9, 10, shape).astype(float) for shape in [(N, D), (M, D), (N, M)])
    out, dX, dW = oracle.forward(x, W), *oracle.backward(dout, x, W)[:2]
    for x_, W_, dout_ in zip(layouts(x), layouts(W), layouts(dout), strict=True):
        result, cache = linear.forward(frozen(x_), frozen(W_))
        np.testing.assert_array_equal(result, out)
        gradients = linear.backward(frozen(dout_), cache)
        np.testing.assert_array_equal(gradients.dX, dX)
        np.testing.assert_array_equal(gradients.dW, dW)


def test_lists_are_float64():
    out, _ = linear.forward([[1.0, 2.0]], [[3.0, 4.0]])
    assert out.dtype == np.float64
    assert out.tolist() == [[11.0]]


def test_macs():
    macs = linear.macs(np.zeros((M, D)))
    assert (type(macs), macs) == (int, 20)
    assert linear.macs(np.zeros((128, 4096), np.float32)) == 524288


def test_wrong_shapes():
    x, W, b, dout = arrays()
    with pytest.raises(ValueError, match=r"\bx\b"):
        linear.forward(x[0], W, b)
    with pytest.raises(ValueError, match=r"\bW\b"):
        linear.forward(x, W[0], b)
    with pytest.raises(ValueError, match=r"\b(x|W)\b"):
        linear.forward(x, W[:, :-1], b)
    with pytest.raises(ValueError, match=r"\b(x|W)\b"):
        linear.forward(x, W[:, :1], b)
    for wrong in (b[:-1], b[:1], b[None], np.float64(1)):
        with pytest.raises(ValueError, match=r"\bb\b"):
            linear.forward(x, W, wrong)
    _, cache = linear.forward(x, W, b)
    for wrong in (dout[:-1], dout[:, :1], dout[0], dout.T):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            linear.backward(wrong, cache)


def test_wrong_dtypes():
    x, W, b, dout = arrays()
    for name, wrong in [
        ("x", (x.astype(np.float16), W, b)),
        ("x", (x.astype(int), W, b)),
        ("W", (x, W.astype(complex), b)),
        ("b", (x, W, b.astype(bool))),
        ("W|x", (x.astype(np.float32), W, b)),
        ("W|x", (x, W.astype(np.float32), b)),
        ("b", (x, W, b.astype(np.float32))),
    ]:
        with pytest.raises(TypeError, match=rf"\b({name})\b"):
            linear.forward(*wrong)
    _, cache = linear.forward(x, W, b)
    for wrong in (dout.astype(np.float32), dout.astype(int)):
        with pytest.raises(TypeError, match=r"\bdout\b"):
            linear.backward(wrong, cache)
