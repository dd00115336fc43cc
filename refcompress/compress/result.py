"""What the main job hands back, and how it tells of its progress."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refcompress.compress.criterion import LayerStability
from refcompress.compress.options import Options
from refcompress.nn import Epoch, Network
from refcompress.storage import CompressedModel

STAGES = ("dense", "pruned", "finetuned", "quantized")


@dataclass(frozen=True)
class Stage:
    """One stage's figures on held-out data: `correct` of `total` images, mean loss in nats, sizes and time."""

    accuracy: float
    correct: int
    total: int
    interval: tuple[float, float]
    loss: float
    parameters: int
    macs: int
    bytes: int
    seconds_per_1000: float


@dataclass(frozen=True)
class LayerReport:
    """One layer of neurons before and after.

    `mean_range` and `std_range` are None for the last layer, which is never scored; `max_error` is the largest
    |w − w′| of its weights, `error_bound` the s/2 of that weight.
    """

    name: str
    neurons_before: int
    neurons_after: int
    mean_range: tuple[float, float] | None
    std_range: tuple[float, float] | None
    bits: int
    max_error: float
    error_bound: float


@dataclass(frozen=True, eq=False)
class Result:
    """Everything that the tables and pictures are made of.

    `model` is the fine-tuned network before quantization, `compressed` what is in the file.
    """

    options: Options
    stages: dict[str, Stage]
    layers: list[LayerReport]
    stability: list[LayerStability]
    training: list[Epoch]
    finetuning: list[Epoch]
    model: Network
    compressed: CompressedModel
    path: Path
    ledger: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """The figures as plain numbers, strings and lists."""
        keys = ("accuracy", "loss", "parameters", "macs", "bytes", "seconds_per_1000")
        return {
            "seed": self.options.seed,
            "stages": {name: {key: getattr(stage, key) for key in keys} for name, stage in self.stages.items()},
            "layers": [vars(layer) for layer in self.layers],
            "file": {"path": str(self.path), "bytes": sum(self.ledger.values()), "ledger": self.ledger},
        }


class Progress:
    """What the main job tells while it works; this one is silent, subclasses show it."""

    def step(self, stage: str, step: int, steps: int) -> None:
        """One iteration of a stage is done."""

    def epoch(self, stage: str, epoch: Epoch, epochs: int) -> None:
        """One epoch of a stage is done."""
