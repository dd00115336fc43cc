import math
from fractions import Fraction

import numpy as np
import pytest

from refcompress import nn
from refcompress.formulas.network import mean_squared_error
from refcompress.nn import networks
from tests.oracles import linear as linear_oracle
from tests.oracles import softmax_cross_entropy as loss_oracle

# ---- plain SGD by hand ----

X = np.array([[1.0, -2.0], [3.0, 0.0], [-1.0, 1.0], [2.0, 2.0], [0.0, -3.0], [1.0, 1.0], [-2.0, 4.0]])
Y = np.array([[1.0], [-2.0], [0.5], [3.0], [0.0], [-1.0], [2.5]])
SEED = 5


def neuron(dtype=np.float64):
    return nn.Sequential({"fc": nn.Linear(np.array([[0.5, -0.25]], dtype), np.array([1.0], dtype))})


def by_hand(order, rates, batch_size=2, x=X):
    """One epoch of SGD on one neuron and the squared error, in Fractions: weights, bias, mean loss."""
    w, b, total = [Fraction(1, 2), Fraction(-1, 4)], Fraction(1), Fraction(0)
    x, y = [[Fraction(v) for v in row] for row in x.tolist()], [Fraction(row[0]) for row in Y.tolist()]
    for step, start in enumerate(range(0, len(order), batch_size)):
        batch = order[start : start + batch_size]
        residuals = [w[0] * x[n][0] + w[1] * x[n][1] + b - y[n] for n in batch]
        total += sum(r * r for r in residuals)
        gradient = [sum(2 * r * x[n][d] for r, n in zip(residuals, batch, strict=True)) / len(batch) for d in range(2)]
        slope = sum(2 * r for r in residuals) / len(batch)
        w = [v - Fraction(rates[step]) * g for v, g in zip(w, gradient, strict=True)]
        b -= Fraction(rates[step]) * slope
    return w, b, total / len(order)


def check_one_epoch(train=nn.fit, rates=(0.125,) * 4, schedule=None):
    model, steps, epochs = neuron(), [], []
    curve = train(
        model,
        X,
        Y,
        optimizer=nn.SGD(rates[0]),
        epochs=1,
        batch_size=2,
        rng=np.random.default_rng(SEED),
        schedule=schedule,
        loss=mean_squared_error,
        on_step=lambda step, of: steps.append((step, of)),
        on_epoch=epochs.append,
    )
    w, b, loss = by_hand(np.random.default_rng(SEED).permutation(7).tolist(), rates)
    # Dyadic numbers of few bits: four steps in float64 are exact.
    assert [Fraction(v) for v in model.layers["fc"].parameters["weight"][0].tolist()] == w
    assert Fraction(float(model.layers["fc"].parameters["bias"][0])) == b
    assert len(curve) == 1
    assert curve[0].number == 1
    assert curve[0].loss == pytest.approx(float(loss), rel=1e-15)  # the division by 7 rounds
    assert curve[0].accuracy is None
    assert curve[0].learning_rate == rates[-1]
    assert curve[0].seconds >= 0
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert epochs == curve


def test_one_epoch_equals_the_loop():
    check_one_epoch()


def test_a_schedule_sets_the_rate_of_every_iteration():
    rates, asked = (0.5, 0.125, 0.25, 0.0625), []

    def schedule(t):
        asked.append(t)
        return rates[t]

    check_one_epoch(rates=rates, schedule=schedule)
    assert asked == [0, 1, 2, 3]


class Reversed(np.random.Generator):
    """An rng with another order."""

    def permutation(self, count):
        return np.random.default_rng(SEED).permutation(count)[::-1]


MUTANTS = {
    "another order": lambda *a, rng, **k: nn.fit(*a, rng=Reversed(np.random.PCG64(0)), **k),
    "the last, smaller batch is dropped": lambda m, x, y, *, rng, **k: nn.fit(m, x[:6], y[:6], rng=rng, **k),
    "another batch size": lambda *a, batch_size, **k: nn.fit(*a, batch_size=3, **k),
    "momentum": lambda *a, optimizer, **k: nn.fit(*a, optimizer=nn.SGD(optimizer.learning_rate, 0.5), **k),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_error_is_caught(name):
    with pytest.raises(AssertionError):
        check_one_epoch(MUTANTS[name])


# ---- what the rng draws, what the hooks see ----


def test_the_draws_and_the_batches():
    """One permutation(N) an epoch, then what augment draws, batch by batch."""
    seen, drawn = [], []

    def augment(x, rng):
        drawn.append(rng.integers(0, 1000, 3).tolist())
        seen.append(x.copy())
        return -x

    class Recorder(nn.Linear):
        inputs: list = []  # noqa: RUF012 - one recorder, one test

        def forward(self, x, *, training=False):
            if training:
                self.inputs.append(x.copy())
            return super().forward(x, training=training)

    model = nn.Sequential({"fc": Recorder(np.array([[0.5, -0.25]]), np.array([1.0]))})
    nn.fit(
        model,
        X,
        Y,
        optimizer=nn.SGD(0.0),
        epochs=2,
        batch_size=3,
        rng=np.random.default_rng(SEED),
        augment=augment,
        loss=mean_squared_error,
    )
    rng = np.random.default_rng(SEED)
    batches, numbers = [], []
    for _ in range(2):
        order = rng.permutation(7)
        for start in (0, 3, 6):
            batches.append(X[order[start : start + 3]])
            numbers.append(rng.integers(0, 1000, 3).tolist())
    assert drawn == numbers
    assert len(seen) == len(batches) == len(Recorder.inputs) == 6
    for batch, given, used in zip(batches, seen, Recorder.inputs, strict=True):
        np.testing.assert_array_equal(given, batch)
        np.testing.assert_array_equal(used, -batch)


def test_the_data_are_left_alone():
    x, y = X.copy(), np.array([0, 1, 0, 1, 0, 1, 0])
    model = networks.mlp((2, 3, 2), np.random.default_rng(0), dtype=np.float64)
    nn.fit(model, x, y, optimizer=nn.SGD(0.1), epochs=2, batch_size=3, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(x, X)
    assert y.tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_accuracy_and_loss_of_an_epoch():
    """A rate of 0 keeps the weights, so that the epoch's figures are those of the initial network."""
    W = np.array([[2.0, 0.0], [0.0, 2.0]])
    model = nn.Sequential({"fc": nn.Linear(W)})
    x = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0], [1.0, 2.0], [0.5, 0.5]])
    y = np.array([0, 1, 1, 1, 0])  # the third is wrong; the fifth is a tie, which class 0 wins
    (epoch,) = nn.fit(model, x, y, optimizer=nn.SGD(0.0), epochs=1, batch_size=2, rng=np.random.default_rng(1))
    assert epoch.accuracy == 4 / 5
    assert epoch.loss == pytest.approx(loss_oracle.forward(2 * x, y), rel=1e-14)  # some 20 roundings
    np.testing.assert_array_equal(W, [[2.0, 0.0], [0.0, 2.0]])


def test_the_history_sees_every_iteration():
    model = neuron()
    history = nn.GradientHistory(model, reduce="bias")
    nn.fit(
        model,
        X,
        Y,
        optimizer=nn.SGD(0.0),
        epochs=2,
        batch_size=3,
        rng=np.random.default_rng(SEED),
        loss=mean_squared_error,
        history=history,
    )
    rng, expected = np.random.default_rng(SEED), []
    for _ in range(2):
        order = rng.permutation(7).tolist()
        for start in (0, 3, 6):
            batch = order[start : start + 3]
            residuals = [0.5 * X[n][0] - 0.25 * X[n][1] + 1.0 - Y[n][0] for n in batch]
            expected.append([2 * sum(residuals) / len(batch)])
    assert history.steps("fc") == 6
    # 2r/3 is rounded once before the sum of three: 5 roundings of numbers below 8
    np.testing.assert_allclose(history.gradients("fc"), expected, rtol=0, atol=40 * 2.0**-53)


def train(seed, dtype=np.float32, **settings):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 6)).astype(dtype), rng.integers(0, 3, 50)
    model = networks.mlp((6, 5, 3), np.random.default_rng(1), dtype=dtype)
    curve = nn.fit(
        model,
        x,
        y,
        optimizer=nn.SGD(0.1, 0.9),
        epochs=3,
        batch_size=8,
        rng=np.random.default_rng(seed),
        augment=lambda x, rng: x + rng.standard_normal(x.shape).astype(x.dtype) / 8,
        **settings,
    )
    return model.state(), curve


def test_same_seed_same_bits_other_seed_others():
    (first, curve), (again, curve_again), (other, _) = train(3), train(3), train(4)
    for name, array in first.items():
        assert array.tobytes() == again[name].tobytes()
        assert array.tobytes() != other[name].tobytes()
    assert [epoch[:4] for epoch in curve] == [epoch[:4] for epoch in curve_again]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [nn.SGD(0.1, 0.9, nesterov=True, weight_decay=0.1), nn.Adam(), nn.AdamW()])
def test_dtypes_stay(optimizer, dtype):
    model = networks.mlp((2, 3, 2), np.random.default_rng(0), dtype=dtype)
    optimizer = type(optimizer)(0.1, weight_decay=0.1)
    nn.fit(
        model,
        X.astype(dtype),
        np.array([0, 1] * 3 + [0]),
        optimizer=optimizer,
        epochs=2,
        batch_size=3,
        rng=np.random.default_rng(0),
        schedule=nn.cosine_schedule(0.1, 6),
    )
    assert {array.dtype for array in (*model.state().values(), *model.gradients().values())} == {np.dtype(dtype)}


# ---- divergence ----


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize(
    ("dtype", "rate"),
    [(np.float32, 1e30), (np.float32, 1e38), (np.float32, 1e39), (np.float64, 1e200), (np.float64, 1e308)],
)
def test_divergence_is_a_value_error(dtype, rate, epochs):
    """The squared error overflows at once, or the very step does: either way the message tells the rate."""
    with pytest.raises(ValueError, match=r"diverged.*learning_rate"):
        nn.fit(
            neuron(dtype),
            X.astype(dtype),
            Y.astype(dtype),
            optimizer=nn.SGD(rate),
            epochs=epochs,
            batch_size=2,
            rng=np.random.default_rng(0),
            loss=mean_squared_error,
        )


def test_a_step_to_infinity_is_divergence_even_as_the_last():
    model = neuron(np.float32)
    with pytest.raises(ValueError, match="diverged"):
        nn.fit(
            model,
            X.astype(np.float32),
            Y.astype(np.float32),
            optimizer=nn.SGD(3e38),
            epochs=1,
            batch_size=7,
            rng=np.random.default_rng(0),
            loss=mean_squared_error,
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(bad):
    x = X.copy()
    x[3, 1] = bad
    with pytest.raises(ValueError):  # noqa: PT011 - by which check is open
        nn.fit(
            neuron(), x, Y, optimizer=nn.SGD(0.1), epochs=1, batch_size=7, rng=np.random.default_rng(0),
            loss=mean_squared_error,
        )  # fmt: skip


# ---- what fit refuses ----


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"x": X.astype(int)}, TypeError, "x"),
        ({"x": np.zeros((0, 2))}, ValueError, "x"),
        ({"x": X[:, :1]}, ValueError, "shape"),
        ({"y": np.zeros(6, int)}, ValueError, "y"),
        ({"y": np.full(7, 2)}, ValueError, "labels"),
        ({"y": np.full(7, -1)}, ValueError, "labels"),
        ({"y": np.zeros(7)}, TypeError, "labels"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"epochs": 1.0}, TypeError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"batch_size": True}, TypeError, "batch_size"),
    ],
)
def test_fit_refuses(change, error, match):
    model = networks.mlp((2, 3, 2), np.random.default_rng(0), dtype=np.float64)
    before = model.state()
    arguments = {
        "x": X,
        "y": np.zeros(7, int),
        "optimizer": nn.SGD(0.1),
        "epochs": 1,
        "batch_size": 3,
        "rng": np.random.default_rng(0),
    } | change
    with pytest.raises(error, match=match):
        nn.fit(model, **arguments)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


# ---- evaluate ----


@pytest.mark.parametrize("batch_size", [1, 2, 4, 5, 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_evaluate_by_hand(dtype, batch_size):
    W, b = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 2.0]], dtype), np.array([0.0, 0.5, 0.0], dtype)
    x = np.array([[2.0, 1.0], [0.0, 3.0], [1.5, 1.0], [-1.0, 0.0], [1.0, 0.0]], dtype)
    # outputs (2, 1.5, 0), (0, 3.5, 6), (1.5, 1.5, 0.5), (−1, 0.5, 1), (1, 0.5, −1): answers 0, 2, 0 (a tie), 2, 0
    y = np.array([0, 2, 1, 2, 1])
    result = nn.evaluate(nn.Sequential({"fc": nn.Linear(W, b)}), x, y, batch_size=batch_size)
    assert (result.correct, result.total, result.accuracy) == (3, 5, 0.6)
    expected = loss_oracle.forward(linear_oracle.forward(x, W, b), y)
    assert result.loss == pytest.approx(expected, rel=1e-14)  # the loss is taken in float64, whatever the weights are
    assert isinstance(result.loss, float)


def test_evaluate_of_a_tie_of_all():
    model = nn.Sequential({"fc": nn.Linear(np.zeros((3, 2)))})
    result = nn.evaluate(model, X, np.array([0, 0, 1, 1, 2, 2, 2]))
    assert result[:1] + result[2:] == (2 / 7, 2, 7)
    assert result.loss == pytest.approx(math.log(3), rel=1e-15)


@pytest.mark.parametrize(
    ("x", "y", "error"),
    [
        (X, np.zeros(6, int), ValueError),
        (X, np.zeros(8, int), ValueError),
        (X, np.full(7, 3), ValueError),
        (X, np.full(7, -1), ValueError),
        (X, np.zeros(7), TypeError),
        (X[:0], np.zeros(0, int), ValueError),
        (X[:, :1], np.zeros(7, int), ValueError),
    ],
)
def test_evaluate_refuses(x, y, error):
    with pytest.raises(error):
        nn.evaluate(nn.Sequential({"fc": nn.Linear(np.ones((3, 2)))}), x, y)


# ---- gradient_pass ----


def test_gradient_pass_leaves_the_weights_alone_and_keeps_the_order():
    model = neuron()
    before = model.state()
    history = nn.GradientHistory(model, reduce="bias")
    nn.gradient_pass(model, X, Y, batch_size=3, history=history, loss=mean_squared_error)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])
    residuals = [0.5 * X[n][0] - 0.25 * X[n][1] + 1.0 - Y[n][0] for n in range(7)]
    expected = [[2 * sum(residuals[i : i + 3]) / len(residuals[i : i + 3])] for i in (0, 3, 6)]
    assert history.steps("fc") == 3
    np.testing.assert_allclose(history.gradients("fc"), expected, rtol=0, atol=40 * 2.0**-53)  # as above


@pytest.mark.parametrize(
    ("x", "y", "batch_size", "error"),
    [
        (X, Y, 0, ValueError),
        (X, Y, 2.0, TypeError),
        (X, Y[:6], 3, ValueError),
        (X[:6], Y, 3, ValueError),  # every batch fits, but one target is left over
        (X[:0], Y[:0], 3, ValueError),
        (X.astype(int), Y, 3, TypeError),
    ],
)
def test_gradient_pass_refuses(x, y, batch_size, error):
    model = neuron()
    with pytest.raises(error):
        nn.gradient_pass(model, x, y, batch_size=batch_size, history=nn.GradientHistory(model), loss=mean_squared_error)


@pytest.mark.parametrize(
    "layer", [nn.ReLU, nn.LeakyReLU, nn.GELU, lambda: nn.MaxPool2d(2), lambda: nn.AveragePool2d(2)]
)
@pytest.mark.parametrize("place", [(0, 0, 0, 0), (4, 0, 3, 5)])
def test_evaluate_refuses_images_that_are_not_numbers(place, layer):
    """No layer swallows a NaN, whatever it compares, and in whichever batch it comes."""
    x = np.ones((5, 1, 4, 6))
    features = layer().forward(x)[0].size
    model = nn.Sequential({"layer": layer(), "flatten": nn.Flatten(), "fc": nn.Linear(np.ones((3, features)))})
    assert nn.evaluate(model, x, np.zeros(5, int), batch_size=2).accuracy == 1.0
    x[place] = np.nan
    with pytest.raises(ValueError, match=rf"output of the network must be finite, got nan at index \({place[0]}, 0\)"):
        nn.evaluate(model, x, np.zeros(5, int), batch_size=2)
