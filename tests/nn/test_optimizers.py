import math

import numpy as np
import pytest

from refcompress import nn
from refcompress.formulas import blocks
from tests.oracles import optimizers as oracle

STEPS = 20
SHAPES = {"fc1.weight": (3, 2), "fc1.bias": (3,), "conv.weight": (2, 1, 2, 4)}
# a learning rate that changes between the steps
RATES = [0.05 / (1 + t // 4) for t in range(STEPS)]

SETTINGS = {
    "SGD": {},
    "SGD momentum": {"momentum": 0.9},
    "SGD nesterov": {"momentum": 0.75, "nesterov": True},
    "SGD decay": {"weight_decay": 0.1},
    "SGD everything": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "Adam": {},
    "Adam betas": {"betas": (0.5, 0.75)},
    "Adam without memory": {"betas": (0.0, 0.0)},
    "Adam epsilon": {"epsilon": 0.5},
    "Adam decay": {"weight_decay": 0.1},
    "AdamW": {},
    "AdamW decay": {"weight_decay": 0.25, "betas": (0.75, 0.9)},
    "AdamW without decay": {"weight_decay": 0.0},
}
REAL = {"SGD": nn.SGD, "Adam": nn.Adam, "AdamW": nn.AdamW}
ORACLES = {"SGD": oracle.sgd, "Adam": oracle.adam, "AdamW": oracle.adamw}


def tolerance(dtype):
    """Allowed |error| after 20 steps with |parameter| ≤ 4, |gradient| ≤ 1, rates ≤ 0.05, u half an ulp of 1.

    A step rounds the parameter two or three times: 12·u. SGD's velocity is a sum of terms whose sizes add up to at most
    (1 + 0.1·4)/(1 − 0.9) = 14, each rounded three times a step since it came in, for 10 steps on average: 0.05·14·33·u
    = 23·u. Adam's quotient has terms adding up to at most √20 (Cauchy–Schwarz), each rounded 3·20 times above, half of
    that below the root, and 10 times beside: 0.05·√20·100·u = 23·u. 20 steps of 12 + 23, on both sides: 1400·u.
    """
    return 1400 * np.finfo(dtype).eps / 2


def problem(dtype, seed=7):
    rng = np.random.default_rng(seed)
    parameters = {name: rng.uniform(-3, 3, shape).astype(dtype) for name, shape in SHAPES.items()}
    gradients = [
        {name: rng.uniform(-1, 1, shape).astype(dtype) for name, shape in SHAPES.items()} for _ in range(STEPS)
    ]
    for step in gradients:
        step["fc1.bias"][1] = 0.0  # a parameter that never has a gradient
        step["fc1.weight"][0, 0] *= 1e-6
    return parameters, gradients


def check(optimizer, expected_by, settings, dtype=np.float64):
    """Drive `optimizer` for 20 steps beside the scalar loops."""
    parameters, gradients = problem(dtype)
    arrays = dict(parameters)
    trajectories = {
        name: {
            place: expected_by(float(array[place]), [float(step[name][place]) for step in gradients], RATES, **settings)
            for place in np.ndindex(array.shape)
        }
        for name, array in parameters.items()
    }
    for t, step in enumerate(gradients):
        kept = {name: gradient.copy() for name, gradient in step.items()}
        optimizer.learning_rate = RATES[t]
        optimizer.step(parameters, step)
        for name, array in parameters.items():
            assert array is arrays[name], "parameters are updated in place"
            assert array.dtype == dtype
            assert (step[name] == kept[name]).all(), "gradients are left alone"
            expected = np.zeros(array.shape)
            for place, trajectory in trajectories[name].items():
                expected[place] = trajectory[t]
            np.testing.assert_allclose(array, expected, rtol=0, atol=tolerance(dtype))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", SETTINGS)
def test_twenty_steps_match_the_oracle(name, dtype):
    kind, settings = name.split()[0], SETTINGS[name]
    check(REAL[kind](RATES[0], **settings), ORACLES[kind], settings, dtype)


@pytest.mark.parametrize("most", [1, 2, 5, 8])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", SETTINGS)
def test_borders_of_blocks_are_not_seen(name, dtype, most, monkeypatch):
    """Bit for bit the parameters of one block, step by step; against the oracle too."""
    kind, settings = name.split()[0], SETTINGS[name]
    whole, gradients = problem(dtype)
    parts, _ = problem(dtype)
    one, other = (REAL[kind](RATES[0], **settings) for _ in range(2))
    for rate, step in zip(RATES, gradients, strict=True):
        one.learning_rate = other.learning_rate = rate
        one.step(whole, step)
        with monkeypatch.context() as patch:
            patch.setattr(blocks, "BLOCK", most)
            other.step(parts, step)
        for key, array in whole.items():
            assert parts[key].tobytes() == array.tobytes()
    monkeypatch.setattr(blocks, "BLOCK", most)
    check(REAL[kind](RATES[0], **settings), ORACLES[kind], settings, dtype)


@pytest.mark.parametrize("kind", REAL)
def test_a_step_of_many_real_blocks(kind):
    """150,001 parameters are three blocks; the last one's, and those at the borders, move like the first."""
    settings = {"momentum": 0.9} if kind == "SGD" else {}
    size = 2 * blocks.BLOCK + 18_929
    parameters = {"w": np.ones(size), "W": np.ones((3, size // 3))}
    optimizer = REAL[kind](0.1, **settings)
    for gradient in (0.5, -0.25, 0.125):
        optimizer.step(parameters, {"w": np.full(size, gradient), "W": np.full((3, size // 3), gradient)})
    expected = ORACLES[kind](1.0, [0.5, -0.25, 0.125], [0.1] * 3, **settings)[-1]
    for array in parameters.values():
        assert np.ptp(array) == 0
        assert array.flat[0] == pytest.approx(expected, rel=1e-14)  # under 50 roundings


@pytest.mark.parametrize("kind", REAL)
def test_single_numbers_and_nothing_are_parameters(kind):
    parameters = {"one": np.array(1.0), "none": np.zeros((0, 3))}
    optimizer = REAL[kind](0.1)
    for gradient in (0.5, -0.25):
        optimizer.step(parameters, {"one": np.array(gradient), "none": np.zeros((0, 3))})
    assert parameters["one"].shape == ()
    expected = ORACLES[kind](1.0, [0.5, -0.25], [0.1] * 2)[-1]
    assert float(parameters["one"]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("kind", REAL)
def test_parameters_that_come_later_have_a_memory_of_their_own(kind):
    """Zero at their first step, and their own count of steps."""
    settings = {"momentum": 0.9} if kind == "SGD" else {}
    optimizer, a, b = REAL[kind](0.1, **settings), np.array([1.0]), np.array([1.0])
    optimizer.step({"a": a}, {"a": np.array([0.5])})
    for gradient in (-0.25, 0.125):
        optimizer.step({"a": a, "b": b}, {"a": np.array([gradient]), "b": np.array([gradient])})
    for array, gradients in ((a, [0.5, -0.25, 0.125]), (b, [-0.25, 0.125])):
        expected = ORACLES[kind](1.0, gradients, [0.1] * len(gradients), **settings)[-1]
        np.testing.assert_allclose(array, [expected], rtol=1e-14)


# ---- by hand ----


def test_sgd_by_hand():
    parameters = {"w": np.array([1.0, -2.0])}
    optimizer = nn.SGD(0.5)
    optimizer.step(parameters, {"w": np.array([2.0, 0.0])})
    assert parameters["w"].tolist() == [0.0, -2.0]
    assert optimizer.learning_rate == 0.5


@pytest.mark.parametrize(("nesterov", "expected"), [(False, [0.5, -0.25, -1.125]), (True, [0.25, -0.625, -1.5625])])
def test_momentum_by_hand(nesterov, expected):
    """Gradients 1 at rate ½ and momentum ½: velocities 1, 1.5, 1.75; Nesterov steps 1.5, 1.75, 1.875."""
    parameters = {"w": np.array([1.0])}
    optimizer = nn.SGD(0.5, momentum=0.5, nesterov=nesterov)
    seen = []
    for _ in range(3):
        optimizer.step(parameters, {"w": np.array([1.0])})
        seen.append(float(parameters["w"][0]))
    assert seen == expected


def test_the_first_adam_step_is_the_rate():
    """Bias correction makes the first update rate · g/(|g| + ε), whatever the size of the gradient."""
    parameters = {"w": np.array([1.0, 1.0, 1.0])}
    nn.Adam(0.25, epsilon=0.0).step(parameters, {"w": np.array([1e-3, -8.0, 0.5])})
    np.testing.assert_allclose(parameters["w"], [0.75, 1.25, 0.75], rtol=0, atol=1e-15)  # a few roundings near 1


def test_decay_of_adam_and_adamw_differ():
    """With a vanishing gradient AdamW still shrinks by rate·decay; Adam's decay is a gradient and is normalised."""
    zero = {"w": np.array([0.0])}
    coupled, decoupled = {"w": np.array([4.0])}, {"w": np.array([4.0])}
    nn.Adam(0.5, weight_decay=0.25, epsilon=0.0).step(coupled, zero)
    nn.AdamW(0.5, weight_decay=0.25).step(decoupled, zero)
    np.testing.assert_allclose(coupled["w"], [3.5], rtol=1e-15)
    assert decoupled["w"].tolist() == [3.5]
    nn.Adam(0.5, weight_decay=0.125, epsilon=0.0).step(coupled, zero)
    nn.AdamW(0.5, weight_decay=0.125).step(decoupled, zero)
    np.testing.assert_allclose(coupled["w"], [3.0], rtol=1e-15)
    assert decoupled["w"].tolist() == [3.28125]


def test_defaults():
    """The defaults are PyTorch's: rate 1e-3 for Adam and AdamW, AdamW's decay 0.01."""
    gradients = [0.5, -0.25, 0.125]
    for kind, options in [("Adam", {}), ("AdamW", {"weight_decay": 0.01})]:
        optimizer, parameters = REAL[kind](), {"w": np.array([2.0])}
        assert optimizer.learning_rate == 1e-3
        expected = ORACLES[kind](2.0, gradients, [1e-3] * 3, (0.9, 0.999), 1e-8, **options)
        for gradient in gradients:
            optimizer.step(parameters, {"w": np.array([gradient])})
        np.testing.assert_allclose(parameters["w"], [expected[-1]], rtol=0, atol=1e-14)  # under 50 roundings of 2


@pytest.mark.parametrize("kind", REAL)
def test_a_zero_rate_changes_nothing_and_two_optimizers_share_nothing(kind):
    parameters, gradients = problem(np.float64)
    kept = {name: array.copy() for name, array in parameters.items()}
    REAL[kind](0.0).step(parameters, gradients[0])
    assert all((parameters[name] == kept[name]).all() for name in kept)
    once, again = ({name: array.copy() for name, array in kept.items()} for _ in range(2))
    REAL[kind](0.1).step(once, gradients[0])
    REAL[kind](0.1).step(again, gradients[0])
    assert all((once[name] == again[name]).all() for name in kept)
    assert any((once[name] != kept[name]).any() for name in kept)


@pytest.mark.parametrize("kind", REAL)
def test_views_are_updated_in_their_base(kind):
    base = np.ones((3, 4))
    parameters = {"w": base[:, ::2].T}
    REAL[kind](0.5).step(parameters, {"w": np.ones((2, 3))})
    assert (base[:, 1::2] == 1.0).all()
    assert (base[:, ::2] < 0.75).all()


# ---- planted errors ----


class Planted:
    """An optimizer of its own, with the parts that can be wrong as switches."""

    def __init__(self, rule):
        self.learning_rate, self.rule, self.state, self.t = 0.0, rule, {}, 0

    def step(self, parameters, gradients):
        self.t += 1
        for name, p in parameters.items():
            state = self.state.setdefault(name, [np.zeros_like(p), np.zeros_like(p)])
            self.rule(p, gradients[name], state, self.learning_rate, self.t)


def sgd_rule(momentum, nesterov, decay, heavy=1.0, rate_inside=False):
    def rule(p, g, state, rate, t):
        g = g + decay * p
        if rate_inside:
            state[0] = momentum * state[0] + rate * g
            p -= state[0]
            return
        state[0] = momentum * state[0] + heavy * g
        p -= rate * (g + momentum * state[0] if nesterov else state[0])

    return rule


def adam_rule(betas, epsilon, decay, decoupled, corrected=True, inside=False, count_from=0):
    def rule(p, g, state, rate, t):
        if decoupled:
            p -= rate * decay * p
        else:
            g = g + decay * p
        state[0] = betas[0] * state[0] + (1 - betas[0]) * g
        state[1] = betas[1] * state[1] + (1 - betas[1]) * g**2
        power = t + count_from
        first = state[0] / (1 - betas[0] ** power) if corrected else state[0]
        second = state[1] / (1 - betas[1] ** power) if corrected else state[1]
        p -= rate * first / (np.sqrt(second + epsilon) if inside else np.sqrt(second) + epsilon)

    return rule


def first_block_only(p, g, state, rate, t):
    p.reshape(-1)[:4] -= rate * g.reshape(-1)[:4]


def out_of_place(p, g, state, rate, t):
    p = p - rate * g


def scaling_the_gradient(p, g, state, rate, t):
    g *= rate
    p -= g


BETAS = (0.9, 0.999)
NESTEROV = {"momentum": 0.9, "nesterov": True}
DECAY = {"weight_decay": 0.1}
CORRECT = {
    "SGD": (sgd_rule(0.0, False, 0.0), "SGD", {}),
    "nesterov": (sgd_rule(0.9, True, 0.0), "SGD", NESTEROV),
    "Adam": (adam_rule(BETAS, 1e-8, 0.1, False), "Adam", DECAY),
    "AdamW": (adam_rule(BETAS, 1e-8, 0.1, True), "AdamW", DECAY),
}
MUTANTS = {
    "nesterov forgotten": (sgd_rule(0.9, False, 0.0), "SGD", NESTEROV),
    "momentum forgotten": (sgd_rule(0.0, False, 0.0), "SGD", {"momentum": 0.9}),
    "momentum as an average": (sgd_rule(0.9, False, 0.0, heavy=0.1), "SGD", {"momentum": 0.9}),
    "the rate inside the velocity": (sgd_rule(0.9, False, 0.0, rate_inside=True), "SGD", {"momentum": 0.9}),
    "SGD decay forgotten": (sgd_rule(0.0, False, 0.0), "SGD", DECAY),
    "SGD decay of the other sign": (sgd_rule(0.0, False, -0.1), "SGD", DECAY),
    "decay coupled": (adam_rule(BETAS, 1e-8, 0.1, False), "AdamW", DECAY),
    "decay decoupled": (adam_rule(BETAS, 1e-8, 0.1, True), "Adam", DECAY),
    "no bias correction": (adam_rule(BETAS, 1e-8, 0.0, False, corrected=False), "Adam", {}),
    "bias correction one step late": (adam_rule(BETAS, 1e-8, 0.0, False, count_from=1), "Adam", {}),
    "epsilon inside the root": (adam_rule(BETAS, 0.5, 0.0, False, inside=True), "Adam", {"epsilon": 0.5}),
    "betas exchanged": (adam_rule((0.999, 0.9), 1e-8, 0.0, False), "Adam", {}),
    "the first block alone": (first_block_only, "SGD", {}),
    "parameters replaced": (out_of_place, "SGD", {}),
    "gradients overwritten": (scaling_the_gradient, "SGD", {}),
}


@pytest.mark.parametrize("name", CORRECT)
def test_a_second_correct_optimizer_passes(name):
    rule, kind, settings = CORRECT[name]
    check(Planted(rule), ORACLES[kind], settings)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_error_is_caught(name):
    rule, kind, settings = MUTANTS[name]
    with pytest.raises(AssertionError):
        check(Planted(rule), ORACLES[kind], settings)


# ---- schedules ----


def test_step_schedule():
    rate = nn.step_schedule(0.5, 3)
    np.testing.assert_allclose(
        [rate(t) for t in range(8)], [0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.005, 0.005], rtol=1e-15
    )  # two multiplications
    halved = nn.step_schedule(8.0, 2, gamma=0.5)
    assert [halved(t) for t in range(7)] == [8.0, 8.0, 4.0, 4.0, 2.0, 2.0, 1.0]
    # gamma^k by repeated products rounds k times, by a power once or twice
    for t in range(40):
        assert nn.step_schedule(0.3, 4, 0.7)(t) == pytest.approx(oracle.step_schedule(0.3, 4, 0.7, t), rel=1e-14)


def test_cosine_schedule():
    rate = nn.cosine_schedule(1.0, 4)
    half = math.sqrt(0.5)
    expected = [1.0, (1 + half) / 2, 0.5, (1 - half) / 2, 0.0]
    np.testing.assert_allclose([rate(t) for t in range(5)], expected, rtol=0, atol=4 * 2.0**-53)
    raised = nn.cosine_schedule(0.5, 10, minimum=0.125)
    assert raised(0) == 0.5
    for t in range(11):
        assert raised(t) == pytest.approx(oracle.cosine_schedule(0.5, 10, 0.125, t), rel=1e-14)
    assert all(raised(t) > raised(t + 1) for t in range(10))


@pytest.mark.parametrize("schedule", [nn.step_schedule, nn.cosine_schedule])
def test_schedules_refuse(schedule):
    for base in (-0.1, math.nan):
        with pytest.raises(ValueError, match="base"):
            schedule(base, 10)
    with pytest.raises(ValueError, match=r"step_size|total"):
        schedule(0.1, 0)


# ---- what is refused ----


@pytest.mark.parametrize("kind", REAL)
def test_bad_settings(kind):
    build = REAL[kind]
    for bad in (-0.1, math.nan):
        with pytest.raises(ValueError, match="learning_rate"):
            build(bad)
        with pytest.raises(ValueError, match="weight_decay"):
            build(0.1, weight_decay=bad)
    with pytest.raises(TypeError, match="learning_rate"):
        build("fast")


def test_bad_sgd_settings():
    for bad in (-0.1, 1.0, 2.0, math.nan):
        with pytest.raises(ValueError, match="momentum"):
            nn.SGD(0.1, momentum=bad)
    with pytest.raises(ValueError, match="nesterov"):
        nn.SGD(0.1, nesterov=True)
    with pytest.raises(ValueError, match="nesterov"):
        nn.SGD(0.1, momentum=0.0, nesterov=True)


@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
def test_bad_adam_settings(kind):
    for bad in (-0.1, 1.0, 2.0, math.nan):
        with pytest.raises(ValueError, match="beta"):
            REAL[kind](0.1, betas=(bad, 0.5))
        with pytest.raises(ValueError, match="beta"):
            REAL[kind](0.1, betas=(0.5, bad))
    for bad in (-1e-8, math.nan):
        with pytest.raises(ValueError, match="epsilon"):
            REAL[kind](0.1, epsilon=bad)


@pytest.mark.parametrize("kind", REAL)
@pytest.mark.parametrize(
    "gradients",
    [
        {"a": np.ones(2)},
        {},
        {"a": np.ones(2), "c": np.ones((3, 1))},
        {"a": np.ones(2), "b": np.ones((3, 1)), "c": np.ones(1)},
        {"a": np.ones(2), "b": np.ones(3)},
        {"a": np.ones(2), "b": np.ones((1, 3))},
        {"a": np.ones(2), "b": np.ones(())},
    ],
)
def test_mismatching_names_or_shapes(kind, gradients):
    parameters = {"a": np.ones(2), "b": np.ones((3, 1))}
    optimizer = REAL[kind](0.1)
    with pytest.raises(ValueError, match=r"gradient|parameter|name|shape"):
        optimizer.step(parameters, gradients)
    assert all((array == 1.0).all() for array in parameters.values()), "nothing is updated by a refused step"


@pytest.mark.parametrize("kind", REAL)
def test_a_parameter_may_not_change_its_shape_between_steps(kind):
    """State of the old shape would be meaningless, or silently broadcast."""
    optimizer = REAL[kind](0.1, **({"momentum": 0.9} if kind == "SGD" else {}))
    optimizer.step({"w": np.ones((3, 1))}, {"w": np.ones((3, 1))})
    with pytest.raises(ValueError, match=r"w|shape"):
        optimizer.step({"w": np.ones((3, 2))}, {"w": np.ones((3, 2))})


def test_momentum_may_be_set_between_steps():
    """w = 1, g = 1, rate 1: without momentum to 0; then with 0.5, whose velocity begins there: v = 1, then 1.5."""
    sgd, w = nn.SGD(1.0), np.array([1.0])
    for momentum, expected in ((0.0, 0.0), (0.5, -1.0), (0.5, -2.5)):
        sgd.momentum = momentum
        sgd.step({"w": w}, {"w": np.array([1.0])})
        assert w.tolist() == [expected]
