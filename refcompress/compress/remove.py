"""Remove neurons from a network: their rows here, their columns wherever they are read (P4)."""

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import boolean, integer_array
from refcompress.formulas.pruning import removal
from refcompress.nn import (
    GELU,
    AveragePool2d,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAveragePool2d,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Network,
    Node,
    ReLU,
    Sigmoid,
    Standardize,
    Tanh,
)

# What works on every channel by itself
POINTWISE = Dropout | GELU | LeakyReLU | ReLU | Sigmoid | Standardize | Tanh
CHANNELWISE = POINTWISE | AveragePool2d | BatchNorm | GlobalAveragePool2d | MaxPool2d


def remove_neurons(model: Network, neurons: Mapping[str, ArrayLike], fold: bool = False) -> Network:
    """Delete neurons with the edges connected to them (P4): the arrays get smaller.

    Parameters
    ----------
    model : Network
        Stays as it is. Must know its `input_shape` where a Flatten reads the neurons.
    neurons : dict of layer name → (k,) integers
        Neurons of Linear or filters of Conv2d layers: distinct, in range, not all of a layer; none of a layer whose
        outputs are the network's.
    fold : bool
        False: the removed neuron's activation counts as 0. True: its incoming weights count as 0 but its bias stays,
        so that its activation is a constant, which is added to the biases of the layers that read it.

    Returns
    -------
    Network

    Raises
    ------
    TypeError
        If the indices are not integers.
    ValueError
        If a layer is unknown or has no neurons, indices are not as above, or a convolution in groups is concerned; with
        fold also if a layer that reads the neurons pads (its border would not see the constant) or has no bias.

    Notes
    -----
    What stands between must work on every channel by itself, as activations and pools do. A batch norm loses its
    entries too, so that what counts as 0 is what the next layer of neurons reads.
    """
    boolean("fold", fold)
    pruned = model.copy()
    for name, given in neurons.items():
        indices = integer_array(f"neurons[{name!r}]", given, ndim=1)
        _check_indices(name, indices, len(_neuron_layer(model, name).parameters["weight"]))
        indices = indices.astype(np.int64)
        if indices.size == 0:
            continue
        own = model.layers[name].parameters  # before another layer's neurons were folded into the bias
        bias = own.get("bias", np.zeros(len(own["weight"]), model.dtype))
        _remove_downstream(pruned, name, indices, bias[indices] if fold else None, 1, functools.partial(_pixels, model))
        _remove_rows(pruned.layers[name], indices)
    return pruned


def neuron_layers(model: Network) -> tuple[str, ...]:
    """Names of the layers that have neurons, in the network's order."""
    return tuple(node.name for node in model.nodes if isinstance(node.layer, Linear | Conv2d))


def _neuron_layer(model: Network, name: str) -> Linear | Conv2d:
    layer = model.layers.get(name)
    if not isinstance(layer, Linear | Conv2d):
        raise ValueError(f"neurons must name layers among {', '.join(neuron_layers(model))}, got {name!r}")
    if isinstance(layer, Conv2d) and layer.settings["groups"] != 1:
        raise ValueError(f"neurons must not be of a convolution in groups, got {name!r}")
    return layer


def _pixels(model: Network, flatten: Node) -> int:
    """Columns that a Flatten makes of one channel, H · W."""
    if model.input_shape is None:
        raise ValueError("model must know its input_shape to remove neurons in front of a Flatten, got None")
    return math.prod(model.shapes()[flatten.inputs[0]][1:])


def _check_indices(name: str, indices: np.ndarray, count: int) -> None:
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        raise ValueError(f"neurons of {name!r} must be from 0 to {count - 1}, got {indices.min()} to {indices.max()}")
    if len(np.unique(indices)) != indices.size:
        raise ValueError(f"neurons of {name!r} must be distinct, got {indices.tolist()}")
    if indices.size == count:
        raise ValueError(f"neurons of {name!r} must not be the whole layer, got all {count}")


def _remove_downstream(
    model: Network,
    name: str,
    removed: np.ndarray,
    constant: np.ndarray | None,
    block: int,
    pixels: Callable[[Node], int],
) -> None:
    """Remove channels of node `name`'s output from all that read it, as far as the next layers of neurons.

    `constant` holds what the removed channels are there (None without fold), `block` the columns of one channel.
    """
    readers = [node for node in model.nodes if name in node.inputs]
    if name == model.nodes[-1].name or not readers:
        raise ValueError(f"neurons must not be of a layer whose outputs are the network's, got them at {name!r}")
    for node in readers:
        layer = node.layer
        if isinstance(layer, Linear | Conv2d):
            _remove_inputs(node, removed, constant, block)
            continue
        if not isinstance(layer, Flatten | CHANNELWISE):
            raise ValueError(f"neurons must not be read by {type(layer).__name__}, got {node.name!r}")
        value = None if constant is None else _through(node, constant, removed, block)
        if isinstance(layer, BatchNorm):
            _remove_rows(layer, (removed[:, np.newaxis] * block + np.arange(block)).reshape(-1))
        columns = block * pixels(node) if isinstance(layer, Flatten) else block
        _remove_downstream(model, node.name, removed, value, columns, pixels)


def _remove_rows(layer: Layer, indices: np.ndarray) -> None:
    for arrays in (layer.parameters, layer.buffers):
        for key, array in arrays.items():
            arrays[key] = removal.rows(array, indices)


def _remove_inputs(node: Node, removed: np.ndarray, constant: np.ndarray | None, block: int) -> None:
    parameters, settings = node.layer.parameters, node.layer.settings
    if settings.get("groups", 1) != 1:
        raise ValueError(f"neurons must not be read by a convolution in groups, got {node.name!r}")
    if constant is not None:
        if "bias" not in parameters:
            raise ValueError(f"fold must be False where a layer without bias reads the neurons, got {node.name!r}")
        _check_no_padding(node)
        parameters["bias"] = removal.folded_bias(parameters["bias"], parameters["weight"], removed, constant, block)
    parameters["weight"] = removal.columns(parameters["weight"], removed, block)


def _through(node: Node, constant: np.ndarray, removed: np.ndarray, block: int) -> np.ndarray:
    """What constant channels are behind a layer that works on every channel by itself."""
    layer = node.layer
    if isinstance(layer, AveragePool2d) and layer.settings["count_include_pad"]:
        _check_no_padding(node)
    if isinstance(layer, Flatten | AveragePool2d | MaxPool2d | GlobalAveragePool2d):
        return constant  # the mean or maximum of equal values
    if not isinstance(layer, BatchNorm):
        return layer.copy().forward(constant)
    if block > 1:
        raise ValueError(f"fold must be False where a BatchNorm stands behind a Flatten, got {node.name!r}")
    channels = np.zeros((1, len(layer.parameters["weight"])), constant.dtype)
    channels[0, removed] = constant
    return layer.copy().forward(channels)[0, removed]


def _check_no_padding(node: Node) -> None:
    """Zeros around an image would make the constant another one at the border."""
    if np.any(node.layer.settings.get("padding", 0)):
        raise ValueError(f"fold must be False where a layer that pads reads the neurons, got {node.name!r}")
