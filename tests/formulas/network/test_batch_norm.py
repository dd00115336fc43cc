import numpy as np
import pytest

from refcompress.formulas.network import batch_norm
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import batch_norm as oracle

SHAPES = [(7, 3), (2, 3, 4, 5), (1, 3, 4, 5)]
NAMES = ("x", "gamma", "beta", "running_mean", "running_var")


def arrays(shape, dtype=np.float64, offset=0.0):
    rng = np.random.default_rng(1)
    C = shape[1]
    values = (
        rng.standard_normal(shape) + offset,
        rng.uniform(0.5, 2, C),
        rng.standard_normal(C),
        rng.standard_normal(C) + offset,
        rng.uniform(0.5, 2, C),
    )
    return [frozen(value.astype(dtype)) for value in values]


def per_channel(values, ndim):
    return np.asarray(values, float).reshape(1, -1, *[1] * (ndim - 2))


def sizes(x, mean, var, dtype, epsilon=1e-5):
    """Return x̂, σ and a bound on the rounding error of x̂ = (x − μ)/σ.

    With m values a channel: |δμ| ≤ γ_m·max|x|, which moves the variance by exactly δμ²; the squares, their sum, + ε,
    the root and the quotient add m + 8 relative roundings, the difference (or x·(1/σ) − μ/σ) 4 of |x| + |μ|.
    """
    axes = (0, *range(2, x.ndim))
    m = x.size // x.shape[1]
    x = x.astype(float)
    mean, var = per_channel(mean, x.ndim), per_channel(var, x.ndim)
    sigma = np.sqrt(var + epsilon)
    normal = (x - mean) / sigma
    largest = abs(x).max(axis=axes, keepdims=True) + abs(mean)
    relative = gamma(m + 8, dtype) + (gamma(m, dtype) * largest) ** 2 / sigma**2
    # Doubled, because the oracle rounds too.
    return normal, sigma, 2 * (gamma(m + 4, dtype) * largest / sigma + abs(normal) * relative)


def batch(x):
    axes = (0, *range(2, x.ndim))
    return x.astype(float).mean(axis=axes), x.astype(float).var(axis=axes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("offset", [0.0, 1000.0])  # far from 0, E[x²] − E[x]² would leave nothing of a variance of 1
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_loops(shape, offset, training, dtype):
    x, g, b, running_mean, running_var = arrays(shape, dtype, offset)
    out, cache = batch_norm.forward(x, g, b, running_mean, running_var, training=training)
    expected, new_mean, new_var = oracle.forward(x, g, b, running_mean, running_var, training)
    normal, sigma, error = sizes(x, *(batch(x) if training else (running_mean, running_var)), dtype)
    scale = per_channel(abs(g), x.ndim)
    bound = scale * error + gamma(8, dtype) * (scale * abs(normal) + abs(per_channel(b, x.ndim)))
    assert_within(out, expected, bound, dtype)

    m = x.size // x.shape[1]
    largest = abs(x).max()
    assert_within(cache.running_mean, new_mean, gamma(2 * m + 8, dtype) * (largest + abs(running_mean)), dtype)
    relative = gamma(2 * m + 16, dtype)
    assert_within(cache.running_var, new_var, relative * abs(new_var) + (gamma(m, dtype) * largest) ** 2 * 2, dtype)
    if not training:
        np.testing.assert_array_equal(cache.running_mean, running_mean)
        np.testing.assert_array_equal(cache.running_var, running_var)

    dout = frozen(np.random.default_rng(2).standard_normal(shape).astype(dtype))
    gradients = batch_norm.backward(dout, cache)
    assert gradients._fields == ("dX", "dgamma", "dbeta")
    dX, dgamma, dbeta = oracle.backward(dout, x, g, running_mean, running_var, training)
    axes = (0, *range(2, x.ndim))
    d = abs(dout.astype(float))
    assert_within(gradients.dbeta, dbeta, gamma(2 * m, dtype) * d.sum(axis=axes), dtype)
    bound = (d * error).sum(axis=axes) + gamma(2 * m + 4, dtype) * (d * abs(normal)).sum(axis=axes)
    assert_within(gradients.dgamma, dgamma, bound, dtype)
    # dX = γ/σ·(dout − mean(dout) − x̂·mean(dout·x̂)): 1/σ is off by up to γ_(m+8), sums by γ_m, x̂ by `error`.
    terms = d
    through_normal = 0.0
    if training:
        both = (d * abs(normal)).mean(axis=axes, keepdims=True)
        terms = d + d.mean(axis=axes, keepdims=True) + abs(normal) * both
        through_normal = error * both + abs(normal) * (d * error).mean(axis=axes, keepdims=True)
    largest = abs(x).max(axis=axes, keepdims=True)
    shifted = (gamma(m, dtype) * largest / sigma) ** 2 if training else 0.0
    bound = scale / sigma * (terms * (gamma(2 * (2 * m + 16), dtype) + shifted) + 2 * through_normal)
    assert_within(gradients.dX, dX, bound, dtype)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("epsilon", [1e-5, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient(shape, epsilon, training):
    x, g, b, running_mean, running_var = arrays(shape)
    check_gradient(
        lambda x, g, b: batch_norm.forward(x, g, b, running_mean, running_var, training=training, epsilon=epsilon),
        batch_norm.backward,
        (x, g, b),
    )


def test_literals():
    # Channel 0 holds 1, 5 (mean 3, variance 4, unbiased 8), channel 1 holds 2, 2; σ = √(4 + 12) and √(0 + 12).
    x = np.array([[1.0, 2.0], [5.0, 2.0]])
    zeros, ones = np.zeros(2), np.ones(2)
    out, cache = batch_norm.forward(
        x, np.array([8.0, 7.0]), np.array([1.0, -1.0]), zeros, ones, training=True, momentum=0.25, epsilon=12.0
    )
    np.testing.assert_allclose(out, [[-3.0, -1.0], [5.0, -1.0]], rtol=1e-15)
    np.testing.assert_allclose(cache.running_mean, [0.75, 0.5], rtol=1e-15)
    np.testing.assert_allclose(cache.running_var, [2.75, 0.75], rtol=1e-15)  # ¾·1 + ¼·8, ¾·1 + ¼·0
    gradients = batch_norm.backward(np.array([[1.0, 0.0], [0.0, 0.0]]), cache)
    # x̂ = ∓½; dX = 8/4·(1 − ½ − ¼/2) and 8/4·(0 − ½ + ¼/2)
    np.testing.assert_allclose(gradients.dX, [[0.75, 0.0], [-0.75, 0.0]], rtol=1e-15)
    np.testing.assert_allclose(gradients.dgamma, [-0.5, 0.0], rtol=1e-15)
    np.testing.assert_array_equal(gradients.dbeta, [1.0, 0.0])
    out, cache = batch_norm.forward(
        x,
        np.array([8.0, 7.0]),
        np.array([1.0, -1.0]),
        np.array([3.0, 2.0]),
        np.array([4.0, 0.0]),
        training=False,
        epsilon=12.0,
    )
    np.testing.assert_allclose(out, [[-3.0, -1.0], [5.0, -1.0]], rtol=1e-15)
    gradients = batch_norm.backward(np.array([[1.0, 0.0], [0.0, 0.0]]), cache)
    np.testing.assert_allclose(gradients.dX, [[2.0, 0.0], [0.0, 0.0]], rtol=1e-15)  # statistics are constants


@pytest.mark.parametrize("momentum", [0.0, 0.3, 1.0])
def test_momentum(momentum):
    values = arrays((2, 3, 4, 5))
    _, cache = batch_norm.forward(*values, training=True, momentum=momentum)
    _, mean, var = oracle.forward(*values, True, momentum)
    np.testing.assert_allclose(cache.running_mean, mean, rtol=1e-14)
    np.testing.assert_allclose(cache.running_var, var, rtol=1e-14)


def test_a_constant_channel_is_normalised_to_0():
    x = np.full((4, 2), 3.0)
    out, cache = batch_norm.forward(
        x, np.array([2.0, 3.0]), np.array([5.0, 6.0]), np.zeros(2), np.ones(2), training=True
    )
    np.testing.assert_array_equal(out, [[5.0, 6.0]] * 4)
    assert np.isfinite(batch_norm.backward(x, cache).dX).all()


def test_options_of_numpy_keep_float32():
    values = arrays((7, 3), np.float32)
    out, cache = batch_norm.forward(*values, training=True, momentum=np.float64(0.1), epsilon=np.float64(1e-5))
    assert {array.dtype for array in (out, cache.running_mean, cache.running_var)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("training", [True, False])
def test_memory_layout_does_not_matter(training):
    x, *rest = arrays((2, 3, 4, 5))
    expected, _, _ = oracle.forward(x, *rest, training)
    dX, _, _ = oracle.backward(x, x, rest[0], *rest[2:], training)
    for x_ in layouts(x):
        out, cache = batch_norm.forward(frozen(x_), *rest, training=training)
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(batch_norm.backward(x_, cache).dX, dX, rtol=1e-12, atol=1e-13)


def test_one_value_a_channel_cannot_be_trained_on():
    for shape in [(1, 3), (1, 3, 1, 1)]:
        values = arrays(shape)
        with pytest.raises(ValueError, match=r"\bx\b"):
            batch_norm.forward(*values, training=True)
        out, _ = batch_norm.forward(*values, training=False)
        assert_within(out, oracle.forward(*values, False)[0], 1e-13, np.float64)


def test_wrong_arrays():
    values = arrays((2, 3, 4, 5))
    for wrong in (values[0][0], values[0][0, 0, 0], values[0][None]):
        with pytest.raises(ValueError, match=r"\bx\b"):
            batch_norm.forward(wrong, *values[1:], training=True)
    for position in range(1, 5):
        for wrong in (values[position][:2], values[position][:1], values[position][None]):
            arguments = [*values[:position], wrong, *values[position + 1 :]]
            with pytest.raises(ValueError, match=rf"\b{NAMES[position]}\b"):
                batch_norm.forward(*arguments, training=True)
    for position in range(5):
        for dtype in (np.float16, int, np.float32):
            arguments = [*values[:position], values[position].astype(dtype), *values[position + 1 :]]
            # With only x in float32, any of the others may be named.
            name = "|".join(NAMES) if position == 0 else NAMES[position]
            with pytest.raises(TypeError, match=rf"\b({name})\b"):
                batch_norm.forward(*arguments, training=False)
    out, cache = batch_norm.forward(*values, training=True)
    for wrong in (out[:1], out[:, :1], out[0]):
        with pytest.raises(ValueError, match=r"\bdout\b"):
            batch_norm.backward(wrong, cache)
    with pytest.raises(TypeError, match=r"\bdout\b"):
        batch_norm.backward(out.astype(np.float32), cache)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"momentum": -0.1}, ValueError),
        ({"momentum": 1.1}, ValueError),
        ({"momentum": float("nan")}, ValueError),
        ({"momentum": "0.1"}, TypeError),
        ({"epsilon": -1e-5}, ValueError),
        ({"epsilon": float("nan")}, ValueError),
        ({"epsilon": None}, TypeError),
    ],
)
def test_wrong_options(options, error):
    with pytest.raises(error, match=rf"\b{next(iter(options))}\b"):
        batch_norm.forward(*arrays((7, 3)), training=True, **options)


def test_training_has_to_be_said():
    with pytest.raises(TypeError, match="training"):
        batch_norm.forward(*arrays((7, 3)))
