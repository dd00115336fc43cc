"""Results to report: small ones by really running the job, and one made by hand with figures that are known."""

from pathlib import Path

import numpy as np
import pytest

from refcompress import nn
from refcompress.compress import LayerReport, LayerStability, Options, Result, Stage, compress
from refcompress.datasets import Dataset
from refcompress.nn import Epoch
from refcompress.storage import CompressedModel, NodeRecord, QuantizedTensor


@pytest.fixture(scope="session")
def make(tmp_path_factory):
    """Run the job on 40 images of 8 × 8 in 3 classes; the result of the same options is made once."""
    rng = np.random.default_rng(11)
    images, labels = rng.random((52, 1, 8, 8), np.float32), np.arange(52) % 3
    data = Dataset(images[:40], labels[:40], images[40:], labels[40:])
    folder, made = tmp_path_factory.mktemp("report"), {}

    def make(**settings):
        options = Options(**{"net": "mlp", "epochs": 2, "finetune_epochs": 1, "batch_size": 8, **settings})
        if options not in made:
            made[options] = compress(data, options, out=folder / f"{len(made)}.npz")
        return made[options]

    return make


@pytest.fixture
def handmade():
    """A result whose every figure is written down here: four neurons of which two stay, then two classes."""
    weights = np.array([[0.0, 0.5, 1.0], [-1.0, 0.25, 2.0]], np.float32)
    model = nn.Sequential(
        {"fc1": nn.Linear(weights, np.zeros(2, np.float32)), "relu1": nn.ReLU(), "fc2": nn.Linear(weights[:, :2])},
        input_shape=(3,),
    )
    per_neuron = QuantizedTensor(
        np.array([[0, 2, 3], [0, 1, 3]]), np.float32([1 / 3, 1]), np.float32([0, -1]), 2, 0, "uniform"
    )
    decimal = QuantizedTensor(np.array([[0, 5], [-10, 3]]), np.float32([0.1]), np.float32([0]), 4, -10, "decimal")
    compressed = CompressedModel(
        (
            NodeRecord("fc1", "Linear", {}, ("input",)),
            NodeRecord("relu1", "ReLU", {}, ("fc1",)),
            NodeRecord("fc2", "Linear", {}, ("relu1",)),
        ),
        (3,),
        {"fc1.weight": per_neuron, "fc1.bias": np.zeros(2, np.float32), "fc2.weight": decimal},
        {"net": "mlp", "seed": 3},
    )
    return Result(
        options=Options(net="mlp", seed=3, epochs=2, finetune_epochs=1),
        stages={
            "dense": Stage(0.9, 18, 20, (0.699, 0.9721), 0.25, 24, 1_020_000, 9600, 0.5),
            "pruned": Stage(0.75, 15, 20, (0.5313, 0.8881), 1.5, 12, 10, 4800, 0.25),
            "finetuned": Stage(0.95, 19, 20, (0.7639, 0.9911), 0.125, 12, 10, 4800, 0.0312),
            "quantized": Stage(1.0, 20, 20, (0.8389, 1.0), 0.0625, 12, 10, 1234, 12.5),
        },
        layers=[
            LayerReport("fc1", 4, 2, (1e-4, 1.0), (0.0, 0.02), 2, 1 / 6, 0.5),
            LayerReport("fc2", 10, 10, None, None, 4, 0.05, 0.05),
        ],
        stability=[
            LayerStability(
                "fc1",
                np.array([1e-4, 1e-3, 0.1, 1.0]),
                np.array([1e-3, 1e-2, 1e-1, 10.0]),
                0.01,
                0.05,
                np.array([0, 1]),
            )
        ],
        training=[Epoch(1, 2.0, 0.5, 0.05, 1.0), Epoch(2, 1.0, 0.75, 0.01, 1.0)],
        finetuning=[Epoch(1, 0.5, 1.0, 0.0, 1.0)],
        model=model,
        compressed=compressed,
        path=Path("out.npz"),
        ledger={"payload": 617, "scales": 308, "offsets": 0, "shapes": 9, "container": 100, "padding": 200},
    )
