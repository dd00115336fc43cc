import math

import numpy as np
import pytest

from refcompress import nn
from tests.oracles import reduction as oracle

PER_STEP = ("sum", "mean", "mean_abs", "l2", "bias")
REDUCTIONS = ("rms_of_parameter_moments", *PER_STEP)
STEPS = 7
# W's shape for every layer with parameters; (6, 3·2·2) follows the convolution through Flatten
SHAPES = {"conv": (3, 2, 2, 5), "fc1": (6, 12), "fc2": (4, 6)}
BOUND = 1e-13  # under 40 roundings (25 terms, 7 steps, division, root) of values up to 25·1: 40 · 25 · 1.1e-16
# In float32 the sums over a neuron's up to 20 weights in (−1, 1) are taken in float32, or those over the steps: at most
# (20 + 4 roundings) · Σ|d| < 20, and √2 of that for a std of two steps with ddof 1.
BOUND32 = 24 * 20 * 1.5 * 2.0**-24


def network(dtype=np.float64, bias=True):
    def parameters(name):
        shape = SHAPES[name]
        return np.ones(shape, dtype), np.ones(shape[0], dtype) if bias else None

    layers = {
        "conv": nn.Conv2d(*parameters("conv")),
        "relu0": nn.ReLU(),
        "flatten": nn.Flatten(),
        "fc1": nn.Linear(*parameters("fc1")),
        "relu1": nn.ReLU(),
        "fc2": nn.Linear(*parameters("fc2")),
    }
    return nn.Sequential(layers), layers


def random_steps(steps=STEPS, dtype=np.float64, bias=True, seed=23):
    """One dict per iteration: layer name -> (dW, db or None)."""
    rng = np.random.default_rng(seed)
    result = []
    for _ in range(steps):
        step = {}
        for name, shape in SHAPES.items():
            dW = rng.uniform(-1, 1, shape).astype(dtype)
            step[name] = dW, (rng.uniform(-1, 1, shape[0]).astype(dtype) if bias else None)
        result.append(step)
    return result


def set_gradients(layers, step):
    for name, (dW, db) in step.items():
        layers[name].gradients = {"weight": dW} if db is None else {"weight": dW, "bias": db}


def recorded(steps, network_and_layers=None, *, build=nn.GradientHistory, **settings):
    model, layers = network_and_layers or network()
    history = build(model, **settings)
    for step in steps:
        set_gradients(layers, step)
        history.record()
    return history


def check(history, steps, reduce, bound=BOUND):
    """The history holds exactly these steps."""
    for name, shape in SHAPES.items():
        dW, db = [step[name][0] for step in steps], [step[name][1] for step in steps]
        assert history.steps(name) == len(steps)
        for ddof in (0, 1):
            if len(steps) <= ddof:
                continue
            means, stds = oracle.stability(dW, db, reduce, ddof)
            result = history.mean(name), history.std(name, ddof=ddof)
            for array in result:
                assert array.shape == (shape[0],)
                assert array.dtype == np.float64
            np.testing.assert_allclose(result[0], means, rtol=0, atol=bound)
            np.testing.assert_allclose(result[1], stds, rtol=0, atol=bound)
        assert (history.std(name) == history.std(name, ddof=0)).all()
        if reduce in PER_STEP:
            rows = [oracle.neuron_gradients(*step[name], reduce) for step in steps]
            kept = history.gradients(name)
            assert kept.shape == (len(steps), shape[0])
            assert kept.dtype == np.float64
            np.testing.assert_allclose(kept, rows, rtol=0, atol=bound)


# ---- the source's example ----


@pytest.mark.parametrize(
    ("reduce", "mean", "square"),
    [
        ("rms_of_parameter_moments", 0.0, 2 / 3),
        ("sum", 0.0, 0.0),
        ("mean", 0.0, 0.0),
        ("mean_abs", 2 / 3, 0.0),
        ("l2", math.sqrt(2), 0.0),
        ("bias", 0.0, 0.0),
    ],
)
def test_the_example_of_two_iterations(reduce, mean, square):
    """T = 2, gradients of (w1, w2, b): (1, −1, 0), then (−1, 1, 0)."""
    layer = nn.Linear(np.ones((1, 2)), np.ones(1))
    history = nn.GradientHistory(nn.Sequential({"fc": layer}), reduce=reduce)
    for sign in (1.0, -1.0):
        layer.gradients = {"weight": np.array([[sign, -sign]]), "bias": np.array([0.0])}
        history.record()
    assert history.steps("fc") == 2
    np.testing.assert_allclose(history.mean("fc"), [mean], rtol=1e-15, atol=0)  # one division or root
    np.testing.assert_allclose(history.std("fc"), [math.sqrt(square)], rtol=1e-15, atol=0)
    np.testing.assert_allclose(history.std("fc", ddof=1), [math.sqrt(2 * square)], rtol=1e-15, atol=0)


# ---- against the oracle ----


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_all_iterations(reduce):
    steps = random_steps()
    check(recorded(steps, reduce=reduce), steps, reduce)


def test_default_reduction():
    steps = random_steps()
    history = recorded(steps)
    check(history, steps, "rms_of_parameter_moments")
    with pytest.raises(ValueError, match=r"gradients|reduce|rms"):
        history.gradients("fc1")


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_start_skips_the_first_iterations(reduce):
    steps = random_steps()
    for start in (1, 3, STEPS - 1):
        check(recorded(steps, start=start, reduce=reduce), steps[start:], reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_last_keeps_the_last_iterations(reduce):
    steps = random_steps()
    for last in (1, 4, STEPS, STEPS + 3):
        check(recorded(steps, last=last, reduce=reduce), steps[-last:], reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_start_and_last(reduce):
    steps = random_steps()
    check(recorded(steps, start=2, last=3, reduce=reduce), steps[4:], reduce)
    # fewer iterations after the start than the last ones wanted
    check(recorded(steps, start=5, last=3, reduce=reduce), steps[5:], reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_results_are_right_after_every_iteration(reduce):
    steps = random_steps()
    for settings, window in [({}, lambda t: steps[:t]), ({"last": 2}, lambda t: steps[max(t - 2, 0) : t])]:
        model, layers = network()
        history = nn.GradientHistory(model, reduce=reduce, **settings)
        for t, step in enumerate(steps, start=1):
            set_gradients(layers, step)
            history.record()
            check(history, window(t), reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS[:-1])
def test_layers_without_bias(reduce):
    steps = random_steps(bias=False)
    check(recorded(steps, network(bias=False), reduce=reduce), steps, reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("settings", [{}, {"last": 3}, {"start": 2}])
def test_float32_networks_have_float64_histories(settings, reduce):
    """Results are float64; what is summed over weights or steps is as accurate as float32 sums are."""
    steps = random_steps(dtype=np.float32)
    kept = steps[-3:] if "last" in settings else steps[settings.get("start", 0) :]
    history = recorded(steps, network(np.float32), reduce=reduce, **settings)
    check(history, kept, reduce, BOUND if reduce == "bias" else BOUND32)  # a single float32 is a float64
    for name in SHAPES if reduce in PER_STEP else ():
        assert history.gradients(name).dtype == np.float64


@pytest.mark.parametrize("steps", [64, 65, 130])
def test_more_iterations_than_a_span(steps):
    """The moments of every parameter are joined span by span: the result is that of all iterations."""
    given = random_steps(steps, seed=5)
    history = recorded(given)
    for name in SHAPES:
        means, stds = (np.array(values) for values in rms_of_moments(given, name))
        # under 10 roundings of sums of 65 terms in (−1, 1) a parameter; the root of the mean square keeps their size
        np.testing.assert_allclose(history.mean(name), means, rtol=0, atol=65 * 10 * 2.0**-53)
        np.testing.assert_allclose(history.std(name), stds, rtol=0, atol=65 * 10 * 2.0**-53)


def rms_of_moments(steps, name):
    """By statistics of Python's floats, for more steps than the fractions of the oracle take in a blink."""
    rows = [
        np.concatenate([dW.reshape(len(dW), -1), db[:, None]], axis=1).tolist() for dW, db in (s[name] for s in steps)
    ]
    means, stds = [], []
    for i in range(len(rows[0])):
        columns = [[row[i][p] for row in rows] for p in range(len(rows[0][0]))]
        averages = [math.fsum(column) / len(column) for column in columns]
        variances = [
            math.fsum((v - average) ** 2 for v in column) / len(column)
            for column, average in zip(columns, averages, strict=True)
        ]
        means.append(math.sqrt(math.fsum(a * a for a in averages) / len(columns)))
        stds.append(math.sqrt(math.fsum(variances) / len(columns)))
    return means, stds


# ---- merging ----


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("split", [1, 3, STEPS - 1])
def test_merge_is_the_history_of_both_runs(reduce, split):
    steps = random_steps()
    first, second = recorded(steps[:split], reduce=reduce), recorded(steps[split:], reduce=reduce)
    check(first.merge(second), steps, reduce)
    check(first, steps[:split], reduce)  # neither run is changed
    check(second, steps[split:], reduce)
    check(second.merge(first), steps[split:] + steps[:split], reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_merge_of_runs_that_start_late(reduce):
    """Each run skips its own first iterations."""
    steps = random_steps()
    first, second = recorded(steps[:3], start=1, reduce=reduce), recorded(steps[3:], start=1, reduce=reduce)
    check(first.merge(second), steps[1:3] + steps[4:], reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_a_merged_history_goes_on_recording(reduce):
    """The first iterations were skipped in both runs, and are not skipped again."""
    steps = random_steps()
    model, layers = network()
    first = recorded(steps[:3], (model, layers), start=2, reduce=reduce)
    second = recorded(steps[3:6], start=2, reduce=reduce)
    merged = first.merge(second)
    set_gradients(layers, steps[6])
    merged.record()
    check(merged, [steps[2], steps[5], steps[6]], reduce)
    check(first, [steps[2]], reduce)  # neither run is changed
    check(second, [steps[5]], reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_a_merged_history_of_no_iterations_still_skips_the_first(reduce):
    steps = random_steps()
    model, layers = network()
    merged = recorded([], (model, layers), start=2, reduce=reduce).merge(recorded([], start=2, reduce=reduce))
    for step in steps:
        set_gradients(layers, step)
        merged.record()
    check(merged, steps[2:], reduce)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_merge_with_a_run_of_no_iterations(reduce):
    steps = random_steps()
    full, nothing = recorded(steps, reduce=reduce), recorded([], reduce=reduce)
    check(full.merge(nothing), steps, reduce)
    check(nothing.merge(full), steps, reduce)


def test_merge_refuses_other_settings():
    steps = random_steps(3)
    plain = recorded(steps)
    for other in (recorded(steps, reduce="sum"), recorded(steps, start=1)):
        with pytest.raises(ValueError, match=r"merge|reduce|start|setting"):
            plain.merge(other)
        with pytest.raises(ValueError, match=r"merge|reduce|start|setting"):
            other.merge(plain)
    for first, second in [
        (recorded(steps, last=2), recorded(steps, last=2)),
        (recorded(steps, last=2), plain),
        (plain, recorded(steps, last=2)),
    ]:
        with pytest.raises(ValueError, match="last"):
            first.merge(second)


@pytest.mark.parametrize("reduce", ["rms_of_parameter_moments", "sum"])
def test_merge_refuses_another_network(reduce):
    def one_layer(name, shape, bias=True):
        layer = nn.Linear(np.ones(shape), np.ones(shape[0]) if bias else None)
        history = nn.GradientHistory(nn.Sequential({name: layer}), reduce=reduce)
        layer.gradients = {"weight": np.ones(shape)} | ({"bias": np.ones(shape[0])} if bias else {})
        history.record()
        return history

    history = one_layer("fc", (3, 2))
    assert history.merge(one_layer("fc", (3, 2))).steps("fc") == 2
    for other in (one_layer("fc", (4, 2)), one_layer("fc", (3, 5)), one_layer("other", (3, 2))):
        with pytest.raises(ValueError, match=r"merge|shape|layer|network"):
            history.merge(other)


# ---- planted errors ----


def check_scenario(build):
    """Every reduction with every setting; AssertionError unless `build` makes a right history."""
    steps = random_steps()
    for reduce in REDUCTIONS:
        check(recorded(steps, build=build, reduce=reduce), steps, reduce)
        check(recorded(steps, build=build, start=2, reduce=reduce), steps[2:], reduce)
        check(recorded(steps, build=build, last=3, reduce=reduce), steps[-3:], reduce)
        check(recorded(steps, build=build, start=5, last=3, reduce=reduce), steps[5:], reduce)
        first, second = (recorded(part, build=build, reduce=reduce) for part in (steps[:3], steps[3:]))
        check(first.merge(second), steps, reduce)
        check(first, steps[:3], reduce)


def with_settings(change):
    """A builder whose settings pass through `change`."""

    def build(model, start=0, last=None, reduce="rms_of_parameter_moments"):
        settings = {"start": start, "last": last, "reduce": reduce} | change(start, last, reduce)
        return nn.GradientHistory(model, **settings)

    return build


class IgnoresDdof(nn.GradientHistory):
    def std(self, layer, ddof=0):
        return super().std(layer)


class ExchangesTheMoments(nn.GradientHistory):
    def mean(self, layer):
        return super().std(layer)


class RecordsTwice(nn.GradientHistory):
    def record(self):
        super().record()
        super().record()


class MergesOnlyItself(nn.GradientHistory):
    def merge(self, other):
        return self


class MergesOnlyTheOther(nn.GradientHistory):
    def merge(self, other):
        return other


class MergesWithItself(nn.GradientHistory):
    def merge(self, other):
        return super().merge(self)


class IsFloat32(nn.GradientHistory):
    def mean(self, layer):
        return super().mean(layer).astype(np.float32)


MUTANTS = {
    "start one late": with_settings(lambda start, last, reduce: {"start": start + 1}),
    "start ignored": with_settings(lambda start, last, reduce: {"start": 0}),
    "last one more": with_settings(lambda start, last, reduce: {"last": last and last + 1}),
    "last ignored": with_settings(lambda start, last, reduce: {"last": None}),
    "mean for sum": with_settings(lambda start, last, reduce: {"reduce": {"sum": "mean"}.get(reduce, reduce)}),
    "l2 for mean_abs": with_settings(lambda start, last, reduce: {"reduce": {"mean_abs": "l2"}.get(reduce, reduce)}),
    "ddof ignored": IgnoresDdof,
    "std for mean": ExchangesTheMoments,
    "recorded twice": RecordsTwice,
    "only itself merged": MergesOnlyItself,
    "only the other merged": MergesOnlyTheOther,
    "merged with itself": MergesWithItself,
    "float32": IsFloat32,
}


def test_the_scenario_passes():
    check_scenario(nn.GradientHistory)
    check_scenario(with_settings(lambda start, last, reduce: {}))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_error_is_caught(name):
    with pytest.raises(AssertionError):
        check_scenario(MUTANTS[name])


# ---- memory ----


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("last", [None, 2])
def test_what_was_recorded_does_not_follow_the_layers(reduce, last):
    """Gradients may be written over after record(), and results after they are returned."""
    steps = random_steps()
    model, layers = network()
    history = nn.GradientHistory(model, last=last, reduce=reduce)
    for step in steps:
        copies = {name: tuple(g.copy() for g in pair) for name, pair in step.items()}
        set_gradients(layers, copies)
        history.record()
        for dW, db in copies.values():
            dW[...] = 99.0
            db[...] = 99.0
    for name in SHAPES:
        history.mean(name)[...] = 99.0
        history.std(name)[...] = 99.0
    check(history, steps if last is None else steps[-last:], reduce)


def test_record_leaves_the_gradients_alone():
    steps = random_steps(2)
    kept = [{name: (dW.copy(), db.copy()) for name, (dW, db) in step.items()} for step in steps]
    for reduce in REDUCTIONS:
        recorded(steps, reduce=reduce)
    for step, before in zip(steps, kept, strict=True):
        for name in SHAPES:
            assert all((new == old).all() for new, old in zip(step[name], before[name], strict=True))


def test_a_real_backward_is_recorded():
    """After forward and backward the layer's own gradients are read: with x = (1, 2), dL/dout = (1, −1, 4)."""
    model = nn.Sequential({"fc": nn.Linear(np.zeros((3, 2)), np.zeros(3))})
    history = nn.GradientHistory(model, reduce="sum")
    model.forward(np.array([[1.0, 2.0]]))
    model.backward(np.array([[1.0, -1.0, 4.0]]))
    history.record()
    assert history.gradients("fc").tolist() == [[4.0, -4.0, 16.0]]  # (1 + 2 + 1) times dL/dout


# ---- what is refused ----


def test_no_iterations_yet():
    for reduce in REDUCTIONS:
        for history in (recorded([], reduce=reduce), recorded(random_steps(2), start=2, reduce=reduce)):
            assert history.steps("fc1") == 0
            with pytest.raises(ValueError, match=r"iteration|steps|count|record|gradients|moments"):
                history.mean("fc1")
            with pytest.raises(ValueError, match=r"iteration|steps|count|record|gradients|moments"):
                history.std("fc1")
            with pytest.raises(ValueError, match=r"iteration|steps|count|record|reduce"):
                history.gradients("fc1")


def test_record_needs_a_backward_first():
    for settings in ({}, {"last": 2}, {"reduce": "sum"}):
        history = nn.GradientHistory(network()[0], **settings)
        with pytest.raises(ValueError, match=r"backward|gradient"):
            history.record()


def test_ddof_needs_more_iterations():
    for reduce in REDUCTIONS:
        history = recorded(random_steps(1), reduce=reduce)
        assert history.std("fc1").tolist() == [0.0] * 6
        with pytest.raises(ValueError, match=r"ddof|iteration|count"):
            history.std("fc1", ddof=1)


def test_bad_settings():
    model, _ = network()
    for bad in (-1, -5):
        with pytest.raises(ValueError, match="start"):
            nn.GradientHistory(model, start=bad)
    for bad in (0, -1):
        with pytest.raises(ValueError, match="last"):
            nn.GradientHistory(model, last=bad)
    with pytest.raises(TypeError, match="start"):
        nn.GradientHistory(model, start=1.5)
    with pytest.raises(TypeError, match="last"):
        nn.GradientHistory(model, last=1.5)
    for bad in ("median", ""):
        with pytest.raises(ValueError, match="reduce"):
            nn.GradientHistory(model, reduce=bad)


def test_unknown_layers():
    history = recorded(random_steps(2), reduce="sum")
    for name in ("fc9", "relu1", "flatten"):  # those without weights have no history
        for function in (history.mean, history.std, history.steps, history.gradients):
            with pytest.raises((KeyError, ValueError), match=name):
                function(name)


def test_the_bias_alone_needs_a_bias():
    with pytest.raises(ValueError, match="bias"):
        recorded(random_steps(1, bias=False), network(bias=False), reduce="bias")


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("last", [None, 2])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_record_refuses_what_is_not_finite(reduce, last, bad):
    for place in (0, 1) if reduce != "bias" else (1,):  # the bias alone need not look at the weights
        steps = random_steps(1)
        steps[0]["fc2"][place].flat[0] = bad
        with pytest.raises(ValueError, match=r"finite|nan|inf|NaN"):
            recorded(steps, reduce=reduce, last=last)


@pytest.mark.parametrize("bad", [np.full((4, 6), 2e37, np.float32), np.ones((4, 6)), np.ones((6, 4), np.float32)])
def test_what_is_refused_in_one_layer_is_taken_in_by_none(bad):
    """Too large for its sums, of another dtype, of another shape: in the last layer, after the others were seen."""
    model, layers = network(np.float32)
    history = nn.GradientHistory(model)
    (step,) = random_steps(1, np.float32)
    set_gradients(layers, step)
    history.record()
    layers["fc2"].gradients = layers["fc2"].gradients | {"weight": bad}
    with pytest.raises((TypeError, ValueError), match=r"gradient of fc2\.weight must"):
        history.record()
    assert [history.steps(name) for name in SHAPES] == [1, 1, 1]
    check_single = oracle.stability([step["fc1"][0]], [step["fc1"][1]], "rms_of_parameter_moments", 0)[0]
    np.testing.assert_allclose(history.mean("fc1"), check_single, rtol=1e-6)  # one float32 gradient, kept as it is
