"""What stands in the tables, as rows of text; `tables` and `html` only lay them out."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from refcompress.compress import LayerReport, Result
from refcompress.compress.result import STAGES
from refcompress.formulas.coding import ledger as byte_ledger
from refcompress.storage import CompressedModel, QuantizedTensor

NONE = "–"  # where there is no figure
STAGE_NAMES = {**{name: name for name in STAGES}, "finetuned": "fine-tuned"}


class Table(NamedTuple):
    """A header, rows of the same length, how many columns are aligned to the left, and whether the last row sums up."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    left: int = 1
    has_sum: bool = False


def stages(result: Result) -> Table:
    """Figures of every stage on held-out images."""
    header = ("stage", "accuracy %", "95 % interval", "loss", "parameters", "MACs/image", "bytes", "s/1,000 images")
    seconds = _fixed([stage.seconds_per_1000 for stage in result.stages.values()])
    rows = []
    for (name, stage), time in zip(result.stages.items(), seconds, strict=True):
        low, high = stage.interval
        rows.append(
            (
                STAGE_NAMES[name],
                f"{100 * stage.accuracy:.2f}",
                f"{100 * low:.2f} … {100 * high:.2f}",
                f"{stage.loss:.4f}",
                f"{stage.parameters:,}",
                f"{stage.macs:,}",
                f"{stage.bytes:,}",
                time,
            )
        )
    return Table(header, rows)


def layers(result: Result) -> Table:
    """Every layer of neurons: what was removed, how its gradients behaved, and what quantization did to its weights."""
    header = ("layer", "neurons", "gradient mean", "gradient std", "bits", "max |w − w′|", "s/2")
    width = max(len(str(layer.neurons_after)) for layer in result.layers)
    return Table(header, [_layer(layer, width) for layer in result.layers])


def ledger(parts: dict[str, int]) -> Table:
    """Bytes of the file by what they are for."""
    total = sum(parts.values())
    rows = [(part, f"{size:,}", f"{100 * size / total:.1f} %") for part, size in parts.items()]
    return Table(("part", "bytes", "share"), [*rows, ("file", f"{total:,}", "100.0 %")], has_sum=True)


def tensors(model: CompressedModel) -> Table:
    """Every stored array: how it is coded, and its bytes."""
    header = ("tensor", "shape", "scheme", "bits", "ranges", "payload", "scales", "offsets")
    rows, total = [], [0, 0, 0]
    for name, tensor in model.tensors.items():
        if isinstance(tensor, QuantizedTensor):
            shape, scheme, bits, groups, entry = (
                tensor.codes.shape,
                tensor.scheme,
                tensor.bits,
                tensor.groups,
                tensor.entry(),
            )
        else:
            shape, scheme, bits, groups = tensor.shape, "float", 8 * tensor.itemsize, 0
            entry = byte_ledger.Entry(tensor.nbytes, 0, 0)
        sizes = (f"{size:,}" for size in entry)
        rows.append((name, " × ".join(map(str, shape)), scheme, str(bits), f"{groups:,}" if groups else NONE, *sizes))
        total = [sum(pair) for pair in zip(total, entry, strict=True)]
    return Table(header, [*rows, ("all", "", "", "", "", *(f"{size:,}" for size in total))], left=3, has_sum=True)


def model(model: CompressedModel) -> Table:
    """The network behind the tensors: its nodes, its input and what else the writer wanted to be known."""
    names = ["input", *(node.name for node in model.nodes)]
    if all(node.inputs == (names[i],) for i, node in enumerate(model.nodes)):
        nodes = " → ".join(names)
    else:
        nodes = ", ".join(f"{' + '.join(node.inputs)} → {node.name}" for node in model.nodes)
    shape = "not stored" if model.input_shape is None else " × ".join(map(str, model.input_shape))
    metadata = ", ".join(f"{key} = {value}" for key, value in model.metadata.items()) or "none"
    return Table(("model", ""), [("nodes", nodes), ("input shape", shape), ("metadata", metadata)], left=2)


def _layer(layer: LayerReport, width: int) -> tuple[str, ...]:
    return (
        layer.name,
        f"{layer.neurons_before} → {layer.neurons_after:{width}}",
        _span(layer.mean_range),
        _span(layer.std_range),
        str(layer.bits),
        f"{layer.max_error:.3e}",
        f"{layer.error_bound:.3e}",
    )


def _span(ends: tuple[float, float] | None) -> str:
    return NONE if ends is None else f"{ends[0]:.2e} … {ends[1]:.2e}"


def _fixed(values: list[float]) -> list[str]:
    """Numbers with equally many decimals, so many that the smallest shows two digits other than leading zeros."""
    smallest = min((v for v in values if v > 0), default=1.0)
    decimals = max(0, 1 - math.floor(math.log10(smallest)))
    return [f"{v:,.{decimals}f}" for v in values]
