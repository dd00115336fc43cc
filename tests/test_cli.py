"""The command line as its user meets it: what it prints, what it writes, and what it refuses."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import refcompress
from refcompress import cli, nn, storage
from refcompress.report import formula_index

# a small job: 60 images of 8 × 8 in 3 classes, one bright quadrant each
SMALL = ["--net", "mlp", "--epochs", "2", "--finetune-epochs", "1", "--batch-size", "8"]
EPOCHS = 3
TOP = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder with small data beside it, outside."""
    rng = np.random.default_rng(5)
    labels = np.arange(75) % 3
    images = rng.integers(0, 60, (75, 8, 8), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 * (label // 2) :, 4 * (label % 2) :] += 150
    np.savez(tmp_path / "data.npz", x_train=images[:60], y_train=labels[:60], x_test=images[60:], y_test=labels[60:])
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def run(folder, capsys):
    """Run the command line; returns its exit status and what it printed."""

    def run(*arguments):
        try:
            status = cli.main(arguments)
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err

    return run


def compress(run, *arguments):
    return run("compress", "--data", "../data.npz", *SMALL, *arguments)


def test_version(run):
    assert run("--version") == (0, f"refcompress {refcompress.__version__}\n", "")


def test_tables(run, folder):
    status, out, err = compress(run)
    assert status == 0
    assert [path.name for path in folder.iterdir()] == ["compressed.npz"]
    for word in ("dense", "pruned", "fine-tuned", "quantized", "fc1", "payload", "padding", "compressed.npz"):
        assert word in out
    assert f"{(folder / 'compressed.npz').stat().st_size:,}" in out
    lines = err.splitlines()
    assert len(lines) == EPOCHS
    assert lines[0].startswith("train epoch 1/2: loss ")
    assert lines[2].startswith("fine-tune epoch 1/1: loss ")


def test_json(run, folder):
    status, out, _ = compress(run, "--json", "--seed", "3", "--out", "small.npz")
    assert status == 0
    result = json.loads(out)  # alone on standard output
    assert set(result) == {"seed", "stages", "layers", "file"}
    assert result["seed"] == 3
    assert list(result["stages"]) == ["dense", "pruned", "finetuned", "quantized"]
    for stage in result["stages"].values():
        assert set(stage) == {"accuracy", "loss", "parameters", "macs", "bytes", "seconds_per_1000"}
        assert 0 <= stage["accuracy"] <= 1
    # 64 → 128 → 3 with biases; half of the 128 gone
    assert result["stages"]["dense"]["parameters"] == 64 * 128 + 128 + 128 * 3 + 3
    assert result["stages"]["pruned"]["parameters"] == 64 * 64 + 64 + 64 * 3 + 3
    assert result["stages"]["quantized"]["macs"] == 64 * 64 + 64 * 3
    assert result["stages"]["dense"]["bytes"] == 4 * result["stages"]["dense"]["parameters"]
    file = result["file"]
    assert file["path"] == "small.npz"
    assert list(file["ledger"]) == ["payload", "scales", "offsets", "shapes", "container", "padding"]
    assert sum(file["ledger"].values()) == file["bytes"] == (folder / "small.npz").stat().st_size
    assert result["stages"]["quantized"]["bytes"] == file["bytes"]
    assert [layer["name"] for layer in result["layers"]] == ["fc1", "fc2"]
    assert (result["layers"][0]["neurons_before"], result["layers"][0]["neurons_after"]) == (128, 64)
    assert result["layers"][1]["mean_range"] is None


def test_evaluate_repeats_what_compress_reported(run):
    _, out, _ = compress(run, "--json", "--seed", "4")
    reported = json.loads(out)["stages"]["quantized"]
    status, out, _ = run("evaluate", "compressed.npz", "--data", "../data.npz", "--json")
    assert status == 0
    assert json.loads(out) == {"accuracy": reported["accuracy"], "loss": reported["loss"]}
    status, out, _ = run("evaluate", "compressed.npz", "--data", "../data.npz")
    assert status == 0
    assert f"{100 * reported['accuracy']:.2f} %" in out


def test_evaluate_takes_the_split_of_the_file(run):
    arguments = ["--net", "mlp", "--epochs", "1", "--finetune-epochs", "0", "--no-augment", "--json", "--seed", "7"]
    _, out, _ = run("compress", *arguments)
    reported = json.loads(out)["stages"]["quantized"]
    expected = {"accuracy": reported["accuracy"], "loss": reported["loss"]}
    assert json.loads(run("evaluate", "compressed.npz", "--json")[1]) == expected
    assert json.loads(run("evaluate", "compressed.npz", "--json", "--seed", "7")[1]) == expected
    assert json.loads(run("evaluate", "compressed.npz", "--json", "--seed", "8")[1])["loss"] != reported["loss"]


def test_same_seed_same_bytes(run, folder):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert compress(run, "--seed", seed, "--out", f"{name}.npz")[0] == 0
    a, b, c = ((folder / f"{name}.npz").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    "options",
    [
        ["--scheme", "decimal", "--places", "1"],
        ["--scheme", "decimal"],
        ["--scheme", "fixed-point", "--bits", "6"],
        ["--scheme", "fixed-point", "--bits", "6", "--fraction-bits", "4"],
        ["--scheme", "uniform", "--bits", "16", "--granularity", "tensor", "--float-biases"],
        ["--bits", "1", "--granularity", "channel"],
        ["--rule", "listing"],
        ["--rule", "listing", "--reduce", "bias", "--tau-mean", "1e-9", "--tau-std", "1e-9", "--ddof", "0"],
        ["--tau-mean", "1", "--tau-std", "1", "--tau-relative-to", "layer-median"],
        ["--tau-mean", "0", "--tau-std", "0"],
        ["--fraction", "0"],
        ["--fraction", "0.9"],
        *(["--reduce", r] for r in ("rms_of_parameter_moments", "sum", "mean", "mean_abs", "l2", "bias")),
        ["--ddof", "1", "--record", "last:5"],
        ["--record", "after:3"],
        ["--momentum", "0", "--no-augment", "--learning-rate", "0.01"],
        ["--finetune-epochs", "0"],
        ["--net", "lenet-300-100"],
    ],
    ids=" ".join,
)
def test_every_option_works(run, folder, options):
    status, out, err = compress(run, "--json", *options)
    assert status == 0, err
    result = json.loads(out)
    _, out, _ = run("evaluate", "compressed.npz", "--data", "../data.npz", "--json")
    assert json.loads(out)["loss"] == result["stages"]["quantized"]["loss"]
    status, out, _ = run("inspect", "compressed.npz")
    assert status == 0
    assert "fc1.weight" in out


def test_winograd(run):
    """The second convolution, and the file says so; the first and the default compute directly."""
    small = ["compress", "--data", "../data.npz", "--net", "listing", "--epochs", "1", "--finetune-epochs", "1"]
    for options, ways in ((["--winograd"], [False, True]), ([], [False, False])):
        status, out, err = run(*small, *options)
        assert status == 0, err
        assert ("listing (Winograd convolution); weights He" in out) == (options != [])
        for network in (storage.load("compressed.npz"), storage.read("compressed.npz").network()):
            assert [network.layers[f"conv{k}"].settings.get("winograd", False) for k in (1, 2)] == ways
        assert run("evaluate", "compressed.npz", "--data", "../data.npz")[0] == 0


@pytest.mark.parametrize("net", ["listing", "lenet-5"])
def test_convolutional_networks(run, net):
    # 45 images are enough to see that the images reach 32 × 32 and the right filters go
    status, out, err = run(
        "compress", "--data", "../data.npz", "--net", net, "--epochs", "1", "--finetune-epochs", "0", "--json"
    )
    assert status == 0, err
    layers = json.loads(out)["layers"]
    halves = {"listing": [(32, 16), (64, 32), (128, 64)], "lenet-5": [(6, 3), (16, 8), (120, 60), (84, 42)]}[net]
    assert [(layer["neurons_before"], layer["neurons_after"]) for layer in layers[:-1]] == halves
    assert layers[-1]["neurons_after"] == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bits", "0"], "bits must be from 1 to 16, got 0"),
        (["--bits", "17"], "bits must be from 1 to 16, got 17"),
        (["--bits", "four"], "--bits: invalid int value: 'four'"),
        (["--bits", "4", "--scheme", "decimal"], "bits must not be given"),
        (["--places", "2"], "places must not be given"),
        (["--places", "16", "--scheme", "decimal"], "places must be from 0 to 15"),
        (["--fraction-bits", "3"], "fraction_bits must not be given"),
        (["--fraction-bits", "-1", "--scheme", "fixed-point"], "fraction_bits must be from 0 to 126"),
        (["--granularity", "channel", "--scheme", "decimal"], "granularity"),
        (["--fraction", "1"], "fraction must be in [0, 1)"),
        (["--fraction", "-0.1"], "fraction must be in [0, 1)"),
        (["--fraction", "nan"], "fraction must be in [0, 1)"),
        (["--fraction", "0.5", "--tau-mean", "1", "--tau-std", "1"], "exclude each other"),
        (["--tau-mean", "1"], "given together"),
        (["--tau-mean", "-1", "--tau-std", "1"], "tau_mean must be in [0, inf]"),
        (["--tau-mean", "1", "--tau-std", "nan"], "tau_std must be in [0, inf]"),
        (["--tau-relative-to", "layer-median"], "tau_relative_to must come with"),
        (["--rule", "listing", "--fraction", "0.5"], "fraction must not be given with the listing's rule"),
        (["--rule", "listing", "--reduce", "l2"], "reduce must be one of sum, mean, bias"),
        (["--rule", "prose"], "invalid choice: 'prose'"),
        (["--record", "first:3"], "record must be all, last:K or after:K"),
        (["--record", "last:0"], "record's K must be at least 1"),
        (["--record", "last:17"], "record must leave more than"),  # 2 epochs of 8 batches are 16 iterations
        (["--record", "after:16"], "record must leave more than"),
        (["--record", "after:15", "--ddof", "1"], "record must leave more than"),
        (["--epochs", "0"], "epochs must be at least 1"),
        (["--finetune-epochs", "-1"], "finetune_epochs must be at least 0"),
        (["--batch-size", "0"], "batch_size must be at least 1"),
        (["--learning-rate", "0"], "learning_rate must be in (0, inf)"),
        (["--momentum", "1"], "momentum must be in [0, 1)"),
        (["--seed", "-1"], "seed must be at least 0"),
        (["--net", "vgg"], "invalid choice: 'vgg'"),
        (["--net", "mlp", "--winograd"], "winograd must be False but for the net 'listing'"),
        (["--data", "nowhere"], "does not exist"),
        (["--data", "."], "train-images"),
        (["--out", "."], "output must be a file"),
        (["--out", "nowhere/file.npz"], "No such file or directory"),
        (["--report", "../data.npz"], "data.npz"),
        (["--net", "listing", "--data", "../odd.npz"], "size must be"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options_are_refused_before_training(run, folder, monkeypatch, options, words):
    images = np.zeros((6, 5, 5), np.uint8)
    np.savez("../odd.npz", x_train=images, y_train=np.arange(6) % 2, x_test=images, y_test=np.arange(6) % 2)
    monkeypatch.setattr(nn, "fit", lambda *_, **__: pytest.fail("training has started"))
    status, out, err = compress(run, *options)
    assert status == 2
    assert err.count("\n") == 1
    assert err.startswith("refcompress")
    assert words in err
    assert list(folder.iterdir()) == []
    assert not out or out.startswith("network")  # at most the recipe


def test_a_whole_layer_selected_writes_nothing(run, folder):
    status, _, err = compress(run, "--tau-mean", "inf", "--tau-std", "inf")
    assert status == 2
    assert "select the whole layer 'fc1'" in err.splitlines()[-1]
    assert list(folder.iterdir()) == []


def test_too_many_places_write_nothing(run, folder):
    status, _, err = compress(run, "--scheme", "decimal", "--places", "9")
    assert status == 2
    assert "16 bits" in err.splitlines()[-1]
    assert list(folder.iterdir()) == []


def test_divergence_is_said(run, folder):
    status, _, err = compress(run, "--learning-rate", "1e30")
    assert status == 2
    assert "training diverged" in err.splitlines()[-1]
    assert list(folder.iterdir()) == []


def test_interruption_leaves_nothing(run, folder, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)  # at the worst moment: written, not yet renamed
    status, _, err = compress(run)
    assert status == 130
    assert err.endswith("refcompress compress: interrupted\n")
    assert list(folder.iterdir()) == []


def test_an_older_file_survives_a_failure(run, folder):
    (folder / "compressed.npz").write_bytes(b"older")
    assert compress(run, "--tau-mean", "inf", "--tau-std", "inf")[0] == 2
    assert (folder / "compressed.npz").read_bytes() == b"older"


@pytest.mark.parametrize("command", ["inspect", "evaluate"])
def test_files_that_are_none(run, folder, command):
    (folder / "text.npz").write_text("not a zip")
    np.savez("arrays.npz", a=np.zeros(3))
    np.savez("pickled.npz", a=np.array([{}], object))
    for name in ("text.npz", "arrays.npz", "pickled.npz"):
        status, out, err = run(command, name)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert f"{name} is not a sound compressed file" in err
    status, _, err = run(command, "missing.npz")
    assert status == 2
    assert err == f"refcompress {command}: error: No such file or directory: 'missing.npz'\n"
    assert run(command, ".")[0] == 2


def test_a_file_with_one_byte_changed(run, folder):
    compress(run)
    data = bytearray((folder / "compressed.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "compressed.npz").write_bytes(data)
    for command in ("inspect", "evaluate"):
        status, _, err = run(command, "compressed.npz")
        assert status == 2
        assert "checksum" in err


def images_of(height, width, name):
    """45 images of three classes, each brightest in its own third of the rows."""
    labels = np.arange(45) % 3
    images = np.random.default_rng(6).integers(0, 60, (45, height, width), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label * height // 3 : (label + 1) * height // 3] += 150
    np.savez(name, x_train=images[:30], y_train=labels[:30], x_test=images[30:], y_test=labels[30:])
    return name


def test_images_that_are_not_square(run):
    images_of(6, 9, "../oblong.npz")
    status, out, err = run("compress", "--data", "../oblong.npz", *SMALL, "--json")
    assert status == 0, err
    result = json.loads(out)
    assert result["stages"]["dense"]["parameters"] == 54 * 128 + 128 + 128 * 3 + 3
    reported = {key: result["stages"]["quantized"][key] for key in ("accuracy", "loss")}
    status, out, err = run("evaluate", "compressed.npz", "--data", "../oblong.npz", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == reported


@pytest.mark.parametrize(
    ("trained_on", "shown", "words"),
    [
        ((6, 9), (8, 8), "images must have the network's input shape (1, 6, 9), got (1, 8, 8)"),
        ((6, 9), (9, 6), "images must have the network's input shape (1, 6, 9), got (1, 9, 6)"),
        ((8, 8), (6, 9), "images must have the network"),
        ((8, 8), (12, 12), "for 12 × 12 images"),
        ((8, 8), (16, 16), "for 16 × 16 images"),
    ],
)
def test_evaluate_on_images_that_do_not_fit(run, trained_on, shown, words):
    images_of(*trained_on, "../seen.npz")
    images_of(*shown, "../other.npz")
    assert run("compress", "--data", "../seen.npz", "--net", "mlp", "--epochs", "1", "--finetune-epochs", "0")[0] == 0
    status, out, err = run("evaluate", "compressed.npz", "--data", "../other.npz")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("refcompress evaluate: error: ")
    assert words in err


def test_evaluate_enlarges_small_images(run):
    """Every pixel of 4 × 4 becomes 2 × 2: what an 8 × 8 network takes."""
    images_of(4, 4, "../small.npz")
    with np.load("../small.npz") as small:
        arrays = {name: small[name] for name in small}
    large = {name: np.kron(a, np.ones((1, 2, 2), np.uint8)) if a.ndim == 3 else a for name, a in arrays.items()}
    np.savez("../large.npz", **large)
    assert run("compress", "--data", "../large.npz", *SMALL)[0] == 0
    answers = [run("evaluate", "compressed.npz", "--data", f"../{name}.npz", "--json") for name in ("small", "large")]
    assert answers[0] == answers[1]
    assert answers[0][0] == 0


def test_evaluate_refuses_what_is_no_image_network(run, folder):
    network = nn.networks.mlp((4, 3, 2), np.random.default_rng(0))
    from refcompress.compress import quantize_model

    storage.save("vector.npz", quantize_model(network))
    status, _, err = run("evaluate", "vector.npz")
    assert status == 2
    assert "must hold a network for images" in err


def test_formulas(run):
    status, out, _ = run("formulas")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [entry.stem for entry in formula_index.entries()]
    assert len(out.splitlines()) > 60
    status, out, _ = run("formulas", "p3")
    assert status == 0
    for words in (
        "unimportant(mean, std, tau_mean, tau_std, rule='text')",
        "|mean_i| < τ_mean",
        "refcompress/formulas/pruning/stability.py",
        "tests/oracles/stability.py",
        "tests/formulas/pruning/test_stability.py",
        "tutorials/02_gradient_stability.py",
    ):
        assert words in out
    assert "std(gradients" not in out
    assert "std(gradients" in run("formulas", "stability")[1]
    status, _, err = run("formulas", "P9")
    assert status == 2
    assert "got 'P9'" in err


def test_conventions(run):
    status, out, _ = run("conventions")
    assert status == 0
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["onnx"] == "q = clip(half_even(x / s) + Z, qmin, qmax);  x̂ = s·(q − Z)"
    assert lines["source"] == "q = clip(half_even((x − Z) / s), qmin, qmax);  x̂ = s·q + Z"
    status, out, _ = run("conventions", "torch_quantize")
    assert status == 0
    assert out.splitlines()[1] == "q = clip(half_even(fma(x, 1/s, Z)), qmin, qmax);  x̂ = s·(q − Z)"
    assert "checked against: torch 2.13.0, " in out
    status, out, _ = run("conventions", "onnx", "gptq")
    assert status == 0
    assert out.splitlines()[2:] == [
        "zero_range",
        "    onnx: an empty range becomes [low, low + 1]",
        "    gptq: an empty range becomes [−1, 1]",
        "finite numbers do not tell them apart",
    ]
    assert run("conventions", "onnx", "onnx")[1].endswith("no axis differs\n")
    for names in (("nope",), ("onnx", "nope")):
        status, out, err = run("conventions", *names)
        assert (status, out) == (2, "")
        assert "convention must be one of source, onnx, " in err
        assert "got 'nope'" in err


def test_the_bar_on_a_terminal(run, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    status, _, err = compress(run)
    assert status == 0
    assert "train: 100%" in err
    assert "16/16" in err  # two epochs of 8 batches
    last = err.split("fine-tune: 100%")[-1]
    assert re.search(r"accuracy=[\d.]+ %, loss=[\d.]+\]", last)  # the last epoch's figures stay
    assert "epoch 1/2" not in err


def test_lines_on_a_terminal_without_tqdm(run, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    status, _, err = compress(run)
    assert status == 0
    assert len(err.splitlines()) == EPOCHS


def test_report(run, folder):
    status, out, _ = compress(run, "--report", "pages")
    assert status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["compressed.npz", "pages"]
    assert [path.name for path in (folder / "pages").iterdir()] == ["index.html"]
    assert "pages/index.html" in out


def test_report_without_matplotlib_is_refused_before_training(run, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(nn, "fit", lambda *_, **__: pytest.fail("training has started"))
    status, _, err = compress(run, "--report", "pages")
    assert status == 2
    assert "python -m pip install 'refcompress[viz]'" in err
    assert list(folder.iterdir()) == []


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m refcompress formulas conv2d | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("conv2d: ")
    assert done.stderr == ""


@pytest.mark.parametrize("options", ["", " --json"])
def test_a_closed_pipe_does_not_hide_what_was_found(folder, options):
    (folder / "mine.py").write_text("def pack(q, bits):\n    return q\n")
    check = f"{sys.executable} -m refcompress check mine:pack --formula packing{options}"
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    command = ["bash", "-c", f"{check} | true; exit ${{PIPESTATUS[0]}}"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_console_that_has_not_all_letters():
    command = [sys.executable, "-m", "refcompress", "conventions", "onnx"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"x\\u0302 = s\xb7(q \\u2212 Z)" in done.stdout
