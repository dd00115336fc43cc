"""A network as it is stored: which layers in which order, and a tensor for every array."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from refcompress import nn
from refcompress.storage.quantized_tensor import QuantizedTensor

LAYERS: dict[str, type[nn.Layer]] = {
    layer.__name__: layer
    for layer in (
        nn.Linear,
        nn.Conv2d,
        nn.AveragePool2d,
        nn.MaxPool2d,
        nn.GlobalAveragePool2d,
        nn.ReLU,
        nn.LeakyReLU,
        nn.Sigmoid,
        nn.Tanh,
        nn.GELU,
        nn.Standardize,
        nn.Flatten,
        nn.Dropout,
        nn.BatchNorm,
    )
}


@dataclass(frozen=True)
class NodeRecord:
    """One node of the network: its name, its layer's class name and settings, and the nodes that it reads."""

    name: str
    layer: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CompressedModel:
    """A network whose arrays are codes.

    Parameters
    ----------
    nodes : tuple of NodeRecord
    input_shape : tuple of int or None
        Shape of one sample.
    tensors : dict of "node.name" → QuantizedTensor, or float array for what is not quantized
        In the order in which they are stored.
    metadata : dict of str → str, int, float, bool or None
        What else the writer wants to be known.
    """

    nodes: tuple[NodeRecord, ...]
    input_shape: tuple[int, ...] | None
    tensors: Mapping[str, QuantizedTensor | np.ndarray]
    metadata: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)

    def network(self) -> nn.Network:
        """Build the network with dequantized weights; TypeError or ValueError where layers and tensors do not fit."""
        arrays: dict[str, dict[str, np.ndarray]] = {node.name: {} for node in self.nodes}
        for name, tensor in self.tensors.items():
            node, _, key = str(name).rpartition(".")
            if node not in arrays:
                raise ValueError(f"tensors must belong to a node, got {name!r}")
            arrays[node][key] = tensor.dequantize() if isinstance(tensor, QuantizedTensor) else tensor.copy()
        nodes = []
        for record in self.nodes:
            if record.layer not in LAYERS:
                raise ValueError(f"layer must be one of {', '.join(LAYERS)}, got {record.layer!r}")
            layer = LAYERS[record.layer](**arrays[record.name], **record.settings)
            if not layer.settings.keys() >= record.settings.keys():
                raise ValueError(
                    f"settings of {record.name!r} must be of {[*layer.settings]}, got {[*record.settings]}"
                )
            nodes.append(nn.Node(record.name, layer, record.inputs))
        return nn.Network(nodes, self.input_shape)
