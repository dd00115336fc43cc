"""The main job: train, record gradients, score, remove, fine-tune, quantize, store, and validate what was stored."""

import functools
import os
import time
from pathlib import Path

import numpy as np

from refcompress import nn, storage
from refcompress.compress.criterion import LayerStability, score_layers
from refcompress.compress.options import Options
from refcompress.compress.quantize import quantize_model
from refcompress.compress.remove import neuron_layers, remove_neurons
from refcompress.compress.result import LayerReport, Progress, Result, Stage
from refcompress.datasets import Dataset, prepare, shift
from refcompress.formulas.quantization import uniform
from refcompress.nn import networks
from refcompress.storage import CompressedModel, QuantizedTensor

CONVOLUTIONAL = {"listing": (1, 32, 32), "lenet-5": (1, 32, 32)}  # the inputs they take; the others take any
TIMING_RUNS = 3


def compress(
    data: Dataset,
    options: Options | None = None,
    *,
    out: str | os.PathLike[str] = "compressed.npz",
    progress: Progress | None = None,
) -> Result:
    """Train a network on the data, compress it into a file, and report what the stored file does.

    Parameters
    ----------
    data : Dataset
        Train and held-out images and labels.
    options : Options
    out : path
        The compressed file; written beside and renamed.
    progress : Progress, optional
        Is told of every iteration and epoch.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If the data do not fit the network, the output cannot be written (both before training), the training
        diverges, or thresholds select a whole layer. Nothing is written then.
    """
    options = Options() if options is None else options
    progress = Progress() if progress is None else progress
    storage.check_writable(out)
    data = prepare_data(data, options.net)
    steps = nn.training.steps_per_epoch(len(data.x_train), options.batch_size)
    start = options.first_recorded(options.epochs * steps)
    initial, training, finetuning = np.random.default_rng(options.seed).spawn(3)

    dense = build_network(data, options.net, initial, winograd=options.winograd)
    history = nn.GradientHistory(dense, start=start, reduce=options.criterion.reduce or "")
    curve = _train("train", dense, data, options, options.epochs, training, progress, history)
    prunable = neuron_layers(dense)[:-1]  # the last layer's neurons are the classes
    stability = score_layers(history, prunable, options.criterion)
    pruned = remove_neurons(dense, {layer.name: layer.selected for layer in stability})
    tuned, tuning_curve = pruned.copy(), []
    if options.finetune_epochs:
        tuning_curve = _train("fine-tune", tuned, data, options, options.finetune_epochs, finetuning, progress)

    compressed = quantize_model(tuned, options.scheme, {"net": options.net, "seed": options.seed})
    stages = {
        "dense": _stage(dense, data, _float_bytes(dense)),
        "pruned": _stage(pruned, data, _float_bytes(pruned)),
        "finetuned": _stage(tuned, data, _float_bytes(tuned)),
    }
    storage.save(out, compressed)
    ledger = storage.ledger(out)
    stages["quantized"] = _stage(storage.load(out), data, sum(ledger.values()))
    layers = _layer_reports(dense, tuned, compressed, stability)
    return Result(options, stages, layers, stability, curve, tuning_curve, tuned, compressed, Path(out), ledger)


def prepare_data(data: Dataset, net: str) -> Dataset:
    """Bring the images to the size that a network takes: 32 × 32 for convolutional ones, their own for the others."""
    shape = CONVOLUTIONAL.get(net, data.x_train.shape[1:])
    return Dataset(input_images(data.x_train, shape), data.y_train, input_images(data.x_test, shape), data.y_test)


def input_images(images: np.ndarray, input_shape: tuple[int, ...]) -> np.ndarray:
    """Bring images (N, 1, H, W) to a network's input shape (1, H′, W′); ValueError where there is no way."""
    if images.shape[1:] == input_shape:
        return images
    if len(input_shape) != 3 or input_shape[1] != input_shape[2] or images.shape[2] != images.shape[3]:
        raise ValueError(f"images must have the network's input shape {input_shape}, got {images.shape[1:]}")
    return prepare(images, input_shape[-1])


def build_network(data: Dataset, net: str, rng: np.random.Generator, *, winograd: bool = False) -> nn.Network:
    """A network before training, which standardizes its input by the training pixels' mean and standard deviation."""
    pixels = data.x_train.astype(np.float64)
    standardize, image = (float(pixels.mean()), float(pixels.std())), data.x_train.shape[1:]
    if standardize[1] == 0:
        raise ValueError(f"x_train must hold more than one grey level, got only {pixels.flat[0]:g}")
    if net == "listing":
        return networks.listing(rng, classes=data.classes, standardize=standardize, winograd=winograd)
    if net == "lenet-5":
        return networks.lenet_5(rng, classes=data.classes, standardize=standardize)
    if net == "lenet-300-100":
        return networks.lenet_300_100(rng, inputs=image, classes=data.classes, standardize=standardize)
    return networks.mlp((image, 128, data.classes), rng, standardize=standardize)


def _train(
    stage: str,
    model: nn.Network,
    data: Dataset,
    options: Options,
    epochs: int,
    rng: np.random.Generator,
    progress: Progress,
    history: nn.GradientHistory | None = None,
) -> list[nn.Epoch]:
    pixels = max(1, data.x_train.shape[-1] // 16)
    steps = epochs * nn.training.steps_per_epoch(len(data.x_train), options.batch_size)
    return nn.fit(
        model,
        data.x_train,
        data.y_train,
        optimizer=nn.SGD(options.learning_rate, options.momentum),
        epochs=epochs,
        batch_size=options.batch_size,
        rng=rng,
        schedule=nn.cosine_schedule(options.learning_rate, steps),
        augment=functools.partial(shift, pixels=pixels) if options.augment else None,
        history=history,
        on_step=functools.partial(progress.step, stage),
        on_epoch=lambda epoch: progress.epoch(stage, epoch, epochs),
    )


def _float_bytes(model: nn.Network) -> int:
    return sum(array.nbytes for array in model.state().values())


def _stage(model: nn.Network, data: Dataset, size: int) -> Stage:
    from scipy.stats import binomtest  # here, because importing it takes longer than NumPy itself

    result = nn.evaluate(model, data.x_test, data.y_test)
    interval = binomtest(result.correct, result.total).proportion_ci(0.95, method="wilson")
    seconds = []
    for _ in range(TIMING_RUNS):
        began = time.perf_counter()
        model.predict(data.x_test)
        seconds.append(time.perf_counter() - began)
    return Stage(
        result.accuracy,
        result.correct,
        result.total,
        (float(interval.low), float(interval.high)),
        result.loss,
        model.parameter_count(),
        model.macs(),
        size,
        1000 * float(np.median(seconds)) / result.total,
    )


def _layer_reports(
    dense: nn.Network, tuned: nn.Network, compressed: CompressedModel, stability: list[LayerStability]
) -> list[LayerReport]:
    scored = {layer.name: layer for layer in stability}
    reports = []
    for name in neuron_layers(dense):
        before, after = dense.layers[name].parameters["weight"], tuned.layers[name].parameters["weight"]
        tensor = compressed.tensors[f"{name}.weight"]
        assert isinstance(tensor, QuantizedTensor)  # weights always are
        layer = scored.get(name)
        error = np.abs(after.astype(np.float64) - tensor.dequantize())
        bound = np.broadcast_to(tensor.per_entry(uniform.error_bound(tensor.scale)), error.shape)
        worst = np.unravel_index(error.argmax(), error.shape)
        reports.append(
            LayerReport(
                name,
                len(before),
                len(after),
                None if layer is None else (float(layer.mean.min()), float(layer.mean.max())),
                None if layer is None else (float(layer.std.min()), float(layer.std.max())),
                tensor.bits,
                float(error[worst]),
                float(bound[worst]),
            )
        )
    return reports
