"""Networks: named nodes with explicit inputs, run in order, backpropagated in reverse order (N2).

Tutorial: tutorials/01_network_by_hand.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from refcompress.formulas.checks import check_shape, integer, like
from refcompress.nn.layers import Layer
from refcompress.nn.text_table import columns

INPUT = "input"


@dataclass(frozen=True)
class Node:
    """One layer of a network, by name, with the names of the nodes that it reads ("input" is the network's own)."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]


class Network:
    """A composition of layers (N2).

        y = the composition of the layers: node k computes out_k = layer_k(out_i, …) over its inputs i < k

    Parameters
    ----------
    nodes : iterable of Node
        In an order in which every node comes after its inputs. The last one is the network's output.
    input_shape : tuple of int, optional
        Shape of one sample, (C, H, W) or (D,); `shapes`, `macs` and `summary` need it.

    Raises
    ------
    ValueError
        If there is no node, a layer stands twice, a name is doubled, empty or holds a dot, or an input is not known
        before its node.
    """

    def __init__(self, nodes: Iterable[Node], input_shape: tuple[int, ...] | None = None) -> None:
        self.nodes = tuple(nodes)
        self.input_shape = None if input_shape is None else tuple(integer("input_shape", n, 1) for n in input_shape)
        if not self.nodes:
            raise ValueError("nodes must hold at least one node, got none")
        if len({id(node.layer) for node in self.nodes}) < len(self.nodes):
            raise ValueError("nodes must have a layer each, got one twice: a layer remembers a single forward pass")
        known = {INPUT}
        self._trained = {INPUT: False}  # does a parameter stand at or before this node?
        for node in self.nodes:
            if not node.name or "." in node.name or node.name in known:
                raise ValueError(f"nodes must have distinct names without dots, got {node.name!r}")
            if not node.inputs or not known.issuperset(node.inputs):
                raise ValueError(f"nodes must read nodes before them, got {node.name!r} reading {node.inputs}")
            known.add(node.name)
            self._trained[node.name] = bool(node.layer.parameters) or any(self._trained[i] for i in node.inputs)
        self.layers: dict[str, Layer] = {node.name: node.layer for node in self.nodes}

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Compute the output for a batch x (N, …)."""
        return self._run(x, training)[self.nodes[-1].name]

    def backward(self, dout: np.ndarray, *, input_gradient: bool = False) -> np.ndarray | None:
        """Backpropagate ∂L/∂output through the last `forward`: sets every layer's gradients.

        Returns ∂L/∂x where `input_gradient` asks for it, else None; what no parameter needs is not computed.
        """
        gradients = {self.nodes[-1].name: dout}
        for node in reversed(self.nodes):
            if node.name not in gradients:
                continue  # a node that nothing reads
            wanted = [self._trained[i] or input_gradient for i in node.inputs]
            dX = node.layer.backward(gradients.pop(node.name), input_gradient=any(wanted))
            if dX is None:
                continue
            parts = dX if isinstance(dX, tuple) else (dX,)  # one part for every input of a node
            for name, part, needed in zip(node.inputs, parts, wanted, strict=True):
                if needed:
                    gradients[name] = gradients[name] + part if name in gradients else part
        return gradients.get(INPUT)

    def predict(self, x: np.ndarray, *, batch_size: int = 64) -> np.ndarray:
        """Outputs (N, …) for x (N, …), computed batch by batch without training behaviour."""
        batch_size = integer("batch_size", batch_size, 1)
        if len(x) == 0:
            raise ValueError(f"x must not be empty, got shape {x.shape}")
        return np.concatenate([self.forward(x[i : i + batch_size]) for i in range(0, len(x), batch_size)])

    def parameters(self) -> dict[str, np.ndarray]:
        """All parameters as "node.parameter" → array: the arrays themselves, not copies."""
        return {f"{n.name}.{key}": array for n in self.nodes for key, array in n.layer.parameters.items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """All gradients of the last `backward` as "node.parameter" → array."""
        return {f"{n.name}.{key}": array for n in self.nodes for key, array in n.layer.gradients.items()}

    def state(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers as "node.name" → array, named as in a PyTorch state_dict."""
        return {
            f"{n.name}.{key}": array.copy()
            for n in self.nodes
            for key, array in {**n.layer.parameters, **n.layer.buffers}.items()
        }

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over all parameters and buffers; ValueError or TypeError unless names, shapes and dtypes fit."""
        own = self.state()
        if own.keys() != state.keys():
            missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
            raise ValueError(f"state must have the network's names: missing {missing}, unknown {unknown}")
        for name, array in state.items():
            like(name, array, own[name].shape, own[name].dtype)
        for node in self.nodes:
            for arrays in (node.layer.parameters, node.layer.buffers):
                for key in arrays:
                    arrays[key] = np.array(state[f"{node.name}.{key}"])

    def copy(self) -> "Network":
        """Return a network with copies of all arrays."""
        return Network((Node(n.name, n.layer.copy(), n.inputs) for n in self.nodes), self.input_shape)

    @property
    def dtype(self) -> np.dtype:
        """Dtype of the parameters, float32 where there are none."""
        return next((array.dtype for array in self.parameters().values()), np.dtype(np.float32))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Output shape of every node for one sample: what a batch of one zero sample gives."""
        if self.input_shape is None:
            raise ValueError("input_shape must be given to the network for its shapes, got None")
        sample = np.zeros((1, *self.input_shape), self.dtype)
        outputs = self.copy()._run(sample, training=False)  # a copy, whose layers may forget their last batch
        return {name: out.shape[1:] for name, out in outputs.items()}

    def macs(self) -> int:
        """Multiply–accumulates for one sample."""
        shapes = self.shapes()
        return sum(node.layer.macs(shapes[node.name]) for node in self.nodes)

    def parameter_count(self) -> int:
        """Number of trained numbers."""
        return sum(array.size for array in self.parameters().values())

    def summary(self) -> str:
        """Table of the nodes: layer, output shape, parameters and multiply–accumulates for one sample."""
        shapes = self.shapes()
        rows = [("node", "layer", "output", "parameters", "MACs")]
        for n in self.nodes:
            count = sum(array.size for array in n.layer.parameters.values())
            shape = shapes[n.name]
            rows.append(
                (n.name, type(n.layer).__name__, " × ".join(map(str, shape)), f"{count:,}", f"{n.layer.macs(shape):,}")
            )
        rows.append(("total", "", "", f"{self.parameter_count():,}", f"{self.macs():,}"))
        return columns(rows, left=3)

    def _run(self, x: np.ndarray, training: bool) -> dict[str, np.ndarray]:
        if self.input_shape is not None:
            check_shape("x", x, (len(x), *self.input_shape))
        outputs = {INPUT: x}
        for node in self.nodes:
            outputs[node.name] = node.layer.forward(*(outputs[i] for i in node.inputs), training=training)
        return outputs


class Sequential(Network):
    """A chain: every layer reads the one before it.

    Parameters
    ----------
    layers : dict of name → Layer
        In the order in which they run.
    input_shape : tuple of int, optional
        Shape of one sample.

    Examples
    --------
    >>> from refcompress.nn import Linear, ReLU
    >>> net = Sequential({"fc1": Linear(np.array([[1.0], [-1.0]])), "relu": ReLU()}, input_shape=(1,))
    >>> net.forward(np.array([[3.0]]))
    array([[3., 0.]])
    """

    def __init__(self, layers: Mapping[str, Layer], input_shape: tuple[int, ...] | None = None) -> None:
        names = [INPUT, *layers]
        super().__init__((Node(name, layers[name], (names[i],)) for i, name in enumerate(layers)), input_shape)
