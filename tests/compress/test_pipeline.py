import itertools
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from refcompress import nn, storage
from refcompress.compress import (
    Criterion,
    Options,
    Progress,
    Scheme,
    compress,
    pipeline,
    prepare_data,
    quantize_model,
    remove_neurons,
)
from refcompress.compress.pipeline import build_network
from refcompress.datasets import Dataset

CLASSES, SIZE = 3, 6
HIDDEN = 128  # neurons of the mlp
DENSE = (HIDDEN * SIZE * SIZE + HIDDEN) + (CLASSES * HIDDEN + CLASSES)
STAGES = ["dense", "pruned", "finetuned", "quantized"]


def images(count, rng):
    """A bright stripe whose row tells the class, on grey noise: easy, but not trivial."""
    y = rng.permutation(np.arange(count) % CLASSES)
    x = rng.uniform(0, 0.5, (count, 1, SIZE, SIZE))
    x[np.arange(count), 0, 2 * y] += 0.4
    return x.astype(np.float32), y.astype(np.int64)


def dataset(train=75, test=42):
    rng = np.random.default_rng(8)
    return Dataset(*images(train, rng), *images(test, rng))


def options(**settings):
    return Options(**({"net": "mlp", "epochs": 3, "finetune_epochs": 2, "batch_size": 16} | settings))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return compress(dataset(), options(seed=4), out=tmp_path_factory.mktemp("out") / "small.npz")


# ---- what comes back ----


def test_all_stages_are_there(result):
    assert list(result.stages) == STAGES
    for name, stage in result.stages.items():
        assert stage.total == 42
        assert stage.accuracy == stage.correct / 42
        low, high = stage.interval
        assert 0 <= low <= stage.accuracy <= high <= 1
        assert math.isfinite(stage.loss), name
        assert stage.seconds_per_1000 > 0
    assert result.stages["dense"].accuracy > 0.8  # it has learned something: a third would be chance


def test_half_of_the_hidden_neurons_are_gone(result):
    half = HIDDEN // 2
    small = (half * SIZE * SIZE + half) + (CLASSES * half + CLASSES)
    counts = {name: (stage.parameters, stage.macs) for name, stage in result.stages.items()}
    small_macs = half * SIZE * SIZE + CLASSES * half
    assert counts == {
        "dense": (DENSE, HIDDEN * SIZE * SIZE + CLASSES * HIDDEN),
        "pruned": (small, small_macs),
        "finetuned": (small, small_macs),
        "quantized": (small, small_macs),
    }
    sizes = {name: stage.bytes for name, stage in result.stages.items()}
    assert sizes == {
        "dense": 4 * DENSE,
        "pruned": 4 * small,
        "finetuned": 4 * small,
        "quantized": result.path.stat().st_size,
    }
    before_and_after = [(layer.name, layer.neurons_before, layer.neurons_after) for layer in result.layers]
    assert before_and_after == [("fc1", HIDDEN, half), ("fc2", CLASSES, CLASSES)]
    assert [layer.name for layer in result.stability] == ["fc1"]
    assert len(result.stability[0].selected) == half


def test_what_is_reported_is_what_the_file_does(result):
    data = dataset()
    stored = nn.evaluate(storage.load(result.path), data.x_test, data.y_test)
    quantized = result.stages["quantized"]
    assert (quantized.accuracy, quantized.correct, quantized.loss) == (stored.accuracy, stored.correct, stored.loss)
    tuned = nn.evaluate(result.model, data.x_test, data.y_test)
    assert (result.stages["finetuned"].accuracy, result.stages["finetuned"].loss) == tuned[:2]
    for name, tensor in storage.read(result.path).tensors.items():
        np.testing.assert_array_equal(tensor.codes, result.compressed.tensors[name].codes)
    assert storage.read(result.path).metadata == {"net": "mlp", "seed": 4}


def test_a_report_of_anything_but_the_file_is_caught(tmp_path, monkeypatch):
    """Here the network before quantization is evaluated in the file's place."""
    tuned = []
    with monkeypatch.context() as patched:
        patched.setattr(
            pipeline, "quantize_model", lambda model, *rest: tuned.append(model) or quantize_model(model, *rest)
        )
        patched.setattr(storage, "load", lambda path: tuned[0])
        result = compress(dataset(), options(seed=4), out=tmp_path / "a.npz")
    with pytest.raises(AssertionError):
        test_what_is_reported_is_what_the_file_does(result)


def test_the_ledger_sums_to_the_file(result):
    assert result.ledger == storage.ledger(result.path)
    assert sum(result.ledger.values()) == result.path.stat().st_size
    # 64 · 36 and 3 · 64 weights, 64 and 3 biases, of 4 bits, each tensor from a byte border
    assert result.ledger["payload"] == 1152 + 96 + 32 + 2
    assert result.ledger["scales"] == result.ledger["offsets"] == 4 * (64 + 3 + 1 + 1)


def test_the_layers_errors_and_ranges(result):
    (fc1, fc2), weights = result.layers, result.model.parameters()
    stability = result.stability[0]
    assert fc1.mean_range == (stability.mean.min(), stability.mean.max())
    assert fc1.std_range == (stability.std.min(), stability.std.max())
    assert fc2.mean_range is None
    assert fc2.std_range is None
    for layer in (fc1, fc2):
        w = weights[f"{layer.name}.weight"].astype(np.float64)
        restored = storage.load(result.path).layers[layer.name].parameters["weight"]
        assert layer.bits == 4
        assert layer.max_error == np.abs(w - restored).max()
        neuron = np.abs(w - restored).max(axis=1).argmax()  # the bound is that of the weight with the largest error
        largest = float(np.ptp(w[neuron]))
        assert layer.error_bound == pytest.approx(largest / 15 / 2, rel=1e-6)  # float32: three roundings
        # float slack of s/2: below 16 roundings of numbers below the range
        assert layer.max_error <= layer.error_bound + 16 * 2.0**-24 * (largest + float(np.abs(w).max()))


def test_the_curves(result):
    assert [epoch.number for epoch in result.training] == [1, 2, 3]
    assert [epoch.number for epoch in result.finetuning] == [1, 2]
    assert result.training[-1].loss < result.training[0].loss
    # cosine over 3 · 5 steps: the last one of an epoch has t = 4, 9, 14
    rates = [0.05 * (1 + math.cos(math.pi * t / 15)) / 2 for t in (4, 9, 14)]
    assert [epoch.learning_rate for epoch in result.training] == pytest.approx(rates, rel=1e-12)


def test_the_json(result):
    decoded = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert list(decoded) == ["seed", "stages", "layers", "file"]
    assert decoded["seed"] == 4
    assert list(decoded["stages"]) == STAGES
    for name, stage in decoded["stages"].items():
        assert list(stage) == ["accuracy", "loss", "parameters", "macs", "bytes", "seconds_per_1000"]
        assert stage["accuracy"] == result.stages[name].accuracy
    assert [layer["name"] for layer in decoded["layers"]] == ["fc1", "fc2"]
    assert list(decoded["file"]) == ["path", "bytes", "ledger"]
    assert decoded["file"]["path"] == str(result.path)
    assert decoded["file"]["bytes"] == sum(decoded["file"]["ledger"].values()) == result.path.stat().st_size
    assert list(decoded["file"]["ledger"]) == ["payload", "scales", "offsets", "shapes", "container", "padding"]


def test_the_interval_is_wilsons(result):
    for stage in result.stages.values():
        z, n, p = 1.959963984540054, stage.total, stage.accuracy
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        spread = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        assert stage.interval == pytest.approx((centre - spread, centre + spread), abs=1e-12)


# ---- the steps one by one ----


def test_the_job_is_its_steps(result):
    """Built again from the parts: seed → three generators; train with a history; score; remove; train; quantize."""
    data, initial, training, tuning = dataset(), *np.random.default_rng(4).spawn(3)
    model = build_network(data, "mlp", initial)
    assert (model.layers["standardize"].settings["mean"], model.layers["standardize"].settings["std"]) == pytest.approx(
        (data.x_train.mean(dtype=float), data.x_train.std(dtype=float)), rel=1e-12
    )
    history = nn.GradientHistory(model)
    for stage_model, epochs, rng, recorded in ((model, 3, training, history), (None, 2, tuning, None)):
        if stage_model is None:
            mean, std = history.mean("fc1"), history.std("fc1")
            score = np.maximum(mean / np.median(mean), std / np.median(std))
            chosen = sorted(np.argsort(score, kind="stable")[:64])
            assert chosen == result.stability[0].selected.tolist()
            stage_model = model = remove_neurons(model, {"fc1": np.array(chosen)})
        nn.fit(
            stage_model,
            data.x_train,
            data.y_train,
            optimizer=nn.SGD(0.05, 0.9),
            epochs=epochs,
            batch_size=16,
            rng=rng,
            schedule=nn.cosine_schedule(0.05, epochs * 5),
            augment=shifted_by_one,
            history=recorded,
        )
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, result.model.state()[name])
    for name, tensor in quantize_model(model).tensors.items():
        np.testing.assert_array_equal(tensor.codes, result.compressed.tensors[name].codes)


def shifted_by_one(x, rng):
    """Every image moves by −1, 0 or 1 pixel in both directions; zeros come in."""
    out = np.zeros_like(x)
    for image, moved, (dy, dx) in zip(x[:, 0], out[:, 0], rng.integers(-1, 2, (len(x), 2)), strict=True):
        for i, j in np.ndindex(SIZE, SIZE):
            if 0 <= i - dy < SIZE and 0 <= j - dx < SIZE:
                moved[i, j] = image[i - dy, j - dx]
    return out


def test_the_pruned_stage_is_not_yet_fine_tuned(tmp_path, monkeypatch):
    kept = []

    def removing(model, neurons):
        kept.append((model.copy(), neurons))
        return remove_neurons(model, neurons)

    monkeypatch.setattr(pipeline, "remove_neurons", removing)
    result = compress(dataset(), options(seed=4), out=tmp_path / "a.npz")
    ((dense, neurons),) = kept
    data, stages = dataset(), result.stages
    assert stages["pruned"].loss != stages["finetuned"].loss
    assert stages["pruned"].loss != stages["dense"].loss
    models = {"dense": dense, "pruned": remove_neurons(dense, neurons), "finetuned": result.model}
    for name, model in models.items():
        by_hand = nn.evaluate(model, data.x_test, data.y_test)
        assert (stages[name].accuracy, stages[name].loss, stages[name].correct, stages[name].total) == by_hand, name


@pytest.mark.parametrize(("net", "size", "pixels"), [("mlp", 28, 1), ("mlp", 32, 2), ("lenet-5", 28, 2), ("mlp", 6, 1)])
def test_images_move_by_a_sixteenth_of_their_size(net, size, pixels, tmp_path, monkeypatch):
    """±1 of 28 pixels, ±2 of 32; what lenet-5 sees has 32."""
    moves = []

    def recording(images, rng, pixels):
        moves.append((images.shape[-1], pixels))
        return images

    monkeypatch.setattr(pipeline, "shift", recording)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 1, (8, 1, size, size)).astype(np.float32), np.arange(8) % 2
    data, settings = Dataset(x, y, x, y), {"net": net, "epochs": 1, "finetune_epochs": 1, "batch_size": 4}
    compress(data, options(**settings), out=tmp_path / "a.npz")
    assert moves == [(32 if net == "lenet-5" else size, pixels)] * 4  # two batches, twice
    moves.clear()
    compress(data, options(augment=False, **settings), out=tmp_path / "a.npz")
    assert moves == []


def test_seconds_are_the_median_of_three_runs(tmp_path, monkeypatch):
    """Medians of 21, 10.5, 5.25 and 2.625 s for 42 images."""
    runs = [(336.0, 21.0, 1.0), (10.5, 168.0, 0.5), (0.25, 84.0, 5.25), (2.625, 0.125, 42.0)]
    ticks = itertools.chain.from_iterable((1000.0 * i, 1000.0 * i + d) for i, d in enumerate(itertools.chain(*runs)))
    monkeypatch.setattr(pipeline, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    result = compress(dataset(), options(epochs=1, finetune_epochs=0), out=tmp_path / "a.npz")
    assert {name: stage.seconds_per_1000 for name, stage in result.stages.items()} == {
        "dense": 500.0,
        "pruned": 250.0,
        "finetuned": 125.0,
        "quantized": 62.5,
    }
    assert list(ticks) == []  # twelve runs, no more


# ---- seeds ----


def test_same_seed_same_file_other_seed_another(result, tmp_path):
    again = compress(dataset(), options(seed=4), out=tmp_path / "again.npz")
    other = compress(dataset(), options(seed=5), out=tmp_path / "other.npz")
    assert again.path.read_bytes() == result.path.read_bytes() != other.path.read_bytes()
    for name, tensor in other.compressed.tensors.items():
        assert not np.array_equal(tensor.codes, result.compressed.tensors[name].codes)


def test_numpys_seed_is_as_good(tmp_path):
    small = {"epochs": 1, "finetune_epochs": 0}
    compress(dataset(), options(seed=4, **small), out=tmp_path / "python.npz")
    compress(dataset(), options(seed=np.int64(4), **small), out=tmp_path / "numpy.npz")
    assert (tmp_path / "python.npz").read_bytes() == (tmp_path / "numpy.npz").read_bytes()


# ---- settings ----


@pytest.mark.parametrize(("record", "steps"), [("all", 15), ("last:4", 4), ("last:15", 15), ("after:4", 11)])
def test_record_tells_which_iterations_count(record, steps, tmp_path, monkeypatch):
    kept = []
    original = nn.GradientHistory

    def remembered(*arguments, **settings):
        kept.append(original(*arguments, **settings))
        return kept[-1]

    monkeypatch.setattr(nn, "GradientHistory", remembered)
    compress(dataset(), options(record=record), out=tmp_path / "a.npz")
    assert [history.steps("fc1") for history in kept] == [steps]


@pytest.mark.parametrize("record", ["last:16", "after:15", "after:16"])
def test_record_is_checked_before_training(record, tmp_path, no_training):
    with pytest.raises(ValueError, match="record must leave more than ddof = 0 of the 15 iterations"):
        compress(dataset(), options(record=record), out=tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


def test_without_fine_tuning(tmp_path):
    result = compress(dataset(), options(finetune_epochs=0), out=tmp_path / "a.npz")
    assert list(result.stages) == STAGES
    pruned, tuned = result.stages["pruned"], result.stages["finetuned"]
    assert (pruned.accuracy, pruned.loss, pruned.parameters) == (tuned.accuracy, tuned.loss, tuned.parameters)
    assert result.finetuning == []


@pytest.mark.parametrize(
    "scheme",
    [Scheme(bits=1), Scheme(bits=16), Scheme("decimal"), Scheme("fixed-point", bits=6), Scheme(float_biases=True)],
    ids=str,
)
def test_schemes(scheme, tmp_path):
    result = compress(dataset(), options(scheme=scheme, epochs=1, finetune_epochs=0), out=tmp_path / "a.npz")
    data = dataset()
    stored = nn.evaluate(storage.load(result.path), data.x_test, data.y_test)
    assert (result.stages["quantized"].accuracy, result.stages["quantized"].loss) == stored[:2]
    assert all(layer.bits == (scheme.bits or layer.bits) for layer in result.layers)
    for layer in result.layers:  # nothing saturates, so that the bound holds but for float32's own error
        assert layer.max_error <= layer.error_bound * (1 + 1e-3) + 1e-6


@pytest.mark.parametrize(
    "criterion",
    [
        Criterion(fraction=0.75),
        Criterion(fraction=0.0),
        Criterion(tau_mean=1.0, tau_std=1.0, tau_relative_to="layer-median"),
        Criterion(rule="listing", tau_mean=1e-3, tau_std=1e-3),
        Criterion(reduce="l2", ddof=1),
    ],
    ids=str,
)
def test_criteria(criterion, tmp_path):
    result = compress(dataset(), options(criterion=criterion, finetune_epochs=0), out=tmp_path / "a.npz")
    (layer,) = result.stability
    assert result.layers[0].neurons_after == HIDDEN - len(layer.selected)
    if criterion.fraction is not None:
        assert len(layer.selected) == int(HIDDEN * criterion.fraction)
    else:
        assert 0 < len(layer.selected) < HIDDEN


def test_a_whole_layer_is_refused_and_nothing_is_written(tmp_path):
    everything = Criterion(tau_mean=math.inf, tau_std=math.inf)
    with pytest.raises(ValueError, match="whole layer 'fc1'"):
        compress(dataset(), options(criterion=everything, epochs=1), out=tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("net", "size"), [("mlp", 8), ("lenet-300-100", 8), ("listing", 32), ("lenet-5", 32)])
def test_images_are_brought_to_the_networks_size(net, size):
    x = np.arange(128, dtype=np.float32).reshape(2, 1, 8, 8) / 128
    y = np.array([0, 1])
    data = prepare_data(Dataset(x, y, x, y), net)
    assert data.x_train.shape == data.x_test.shape == (2, 1, size, size)
    np.testing.assert_array_equal(data.x_train[:, :, :: size // 8, :: size // 8], x)
    model = build_network(data, net, np.random.default_rng(0))
    assert model.input_shape == (1, size, size)
    assert list(model.shapes().values())[-1] == (2,)


# ---- what must not be written ----


@pytest.fixture
def no_training(monkeypatch):
    """Training fails the test."""

    def fit(*arguments, **settings):
        pytest.fail("training has begun")

    monkeypatch.setattr(nn, "fit", fit)
    monkeypatch.setattr(nn.training, "fit", fit)


def folder(path):
    return path


def missing(path):
    return path / "no" / "such" / "folder.npz"


def below_a_file(path):
    (path / "file").write_bytes(b"x")
    return path / "file" / "a.npz"


def too_long(path):
    return path / ("x" * 300)


def too_long_for_its_neighbour(path):
    """255 characters are allowed, but a file is written beside under a longer name first."""
    return path / ("x" * 251 + ".npz")


def with_a_null(path):
    return path / "a\0b"


@pytest.mark.parametrize("out", [folder, missing, below_a_file, too_long, with_a_null])
def test_an_unwritable_output_is_refused_before_training(out, tmp_path, no_training):
    path = out(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match="output must be"):
        compress(dataset(), options(), out=path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_long_name_is_written_or_refused_before_training(tmp_path, monkeypatch):
    path, began = too_long_for_its_neighbour(tmp_path), []
    original = nn.fit
    monkeypatch.setattr(nn, "fit", lambda *a, **k: began.append(1) or original(*a, **k))
    try:
        compress(dataset(), options(epochs=1, finetune_epochs=0), out=path)
    except ValueError:
        assert not began
        assert list(tmp_path.iterdir()) == []
    else:
        assert list(tmp_path.iterdir()) == [path]


def test_images_that_do_not_fit_are_refused_before_training(tmp_path, no_training):
    x = np.random.default_rng(0).uniform(0, 1, (9, 1, 6, 7)).astype(np.float32)
    y = np.arange(9) % 3
    with pytest.raises(ValueError, match="input shape"):
        compress(Dataset(x, y, x, y), options(net="listing"), out=tmp_path / "a.npz")
    with pytest.raises(ValueError, match="size"):
        compress(dataset(), options(net="lenet-5"), out=tmp_path / "a.npz")  # 6 × 6 does not divide 32
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [1e8, 1e20, 1e38, 1e300])
def test_divergence_writes_nothing(rate, tmp_path):
    (tmp_path / "a.npz").write_bytes(b"what stood here before")
    with pytest.raises(ValueError, match="diverged"):
        compress(dataset(), options(learning_rate=rate, momentum=0.0), out=tmp_path / "a.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert (tmp_path / "a.npz").read_bytes() == b"what stood here before"


class Interrupt(Progress):
    """Ctrl-C at the first iteration, or at the end of the first epoch, of a stage."""

    def __init__(self, stage, at):
        self.stage, self.at = stage, at

    def step(self, stage, step, steps):
        if (stage, "step") == (self.stage, self.at):
            raise KeyboardInterrupt

    def epoch(self, stage, epoch, epochs):
        if (stage, "epoch") == (self.stage, self.at):
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["step", "epoch"])
@pytest.mark.parametrize("stage", ["train", "fine-tune"])
def test_ctrl_c_leaves_nothing(stage, at, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        compress(dataset(), options(), out=tmp_path / "a.npz", progress=Interrupt(stage, at))
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_of_everything(tmp_path):
    told = []

    class Teller(Progress):
        def step(self, stage, step, steps):
            told.append((stage, step, steps))

        def epoch(self, stage, epoch, epochs):
            told.append((stage, "epoch", epoch.number, epochs))

    compress(dataset(), options(epochs=2, finetune_epochs=1), out=tmp_path / "a.npz", progress=Teller())
    train = [("train", step, 10) for step in range(1, 11)]
    tune = [("fine-tune", step, 5) for step in range(1, 6)]
    assert told == [
        *train[:5],
        ("train", "epoch", 1, 2),
        *train[5:],
        ("train", "epoch", 2, 2),
        *tune,
        ("fine-tune", "epoch", 1, 1),
    ]
