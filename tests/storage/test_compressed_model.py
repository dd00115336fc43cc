import inspect

import numpy as np
import pytest

from refcompress import nn
from refcompress.storage import CompressedModel, NodeRecord, QuantizedTensor
from refcompress.storage.compressed_model import LAYERS


def record(name="fc", layer="Linear", settings=None, inputs=("input",)):
    return NodeRecord(name, layer, settings or {}, inputs)


def quantized(shape=(2, 3)):
    codes = np.arange(int(np.prod(shape))).reshape(shape)
    return QuantizedTensor(codes, np.array([0.5]), np.array([-1.0]), 3, 0, "uniform")


def test_builds_the_network():
    bias = np.array([1.0, -1.0])
    model = CompressedModel(
        (record(), record("act", "LeakyReLU", {"slope": 0.25}, ("fc",))),
        (3,),
        {"fc.weight": quantized(), "fc.bias": bias},
    )
    network = model.network()
    assert isinstance(network, nn.Network)
    assert network.input_shape == (3,)
    assert [(n.name, type(n.layer), n.inputs) for n in network.nodes] == [
        ("fc", nn.Linear, ("input",)),
        ("act", nn.LeakyReLU, ("fc",)),
    ]
    # weights −1, −0.5, 0 | 0.5, 1, 1.5
    np.testing.assert_array_equal(network.layers["fc"].parameters["weight"], [[-1, -0.5, 0], [0.5, 1, 1.5]])
    np.testing.assert_array_equal(network.forward(np.array([[2.0, 4.0, 8.0]])), [[-0.75, 16.0]])
    network.layers["fc"].parameters["bias"][:] = 0
    assert bias.tolist() == [1.0, -1.0]
    assert model.metadata == {}


def test_branches():
    records = (record("a"), record("b"), record("c", "Linear", {}, ("a",)))
    tensors = {"a.weight": quantized(), "b.weight": quantized(), "c.weight": quantized((1, 2))}
    network = CompressedModel(records, None, tensors).network()
    assert network.input_shape is None
    assert [n.inputs for n in network.nodes] == [("input",), ("input",), ("a",)]


def test_every_layer_of_nn_can_be_stored():
    layers = {
        name: item
        for name, item in vars(nn).items()
        if inspect.isclass(item) and issubclass(item, nn.Layer) and item is not nn.Layer
    }
    assert layers == LAYERS


@pytest.mark.parametrize(
    ("nodes", "tensors", "error", "match"),
    [
        ((record(layer="Conv3d"),), {}, ValueError, "layer must be one of.*'Conv3d'"),
        ((record(),), {"other.weight": quantized()}, ValueError, "tensors must belong to a node, got 'other.weight'"),
        ((record(),), {"weight": quantized()}, ValueError, "tensors must belong to a node"),
        ((record(),), {"fc.weight.x": quantized()}, ValueError, "tensors must belong to a node"),
        ((record(),), {}, TypeError, "weight"),
        ((record(),), {"fc.weight": quantized(), "fc.running_mean": np.ones(2)}, TypeError, "running_mean"),
        ((record(),), {"fc.weight": quantized(), "fc.bias": np.ones(3)}, ValueError, "bias"),
        ((record(),), {"fc.weight": quantized((2, 3, 1))}, ValueError, "weight"),
        ((record(settings={"stride": 2}),), {"fc.weight": quantized()}, TypeError, "stride"),
        ((record("relu", "ReLU", {"slope": 0.1}),), {}, TypeError, "slope"),
        ((record("relu", "ReLU"),), {"relu.weight": quantized()}, TypeError, "weight"),
        ((record(inputs=("nobody",)),), {"fc.weight": quantized()}, ValueError, "nodes must read"),
        ((record(), record()), {"fc.weight": quantized()}, ValueError, "distinct names"),
        ((), {}, ValueError, "nodes must hold"),
        ((record(),), {5: quantized()}, (TypeError, ValueError), "5"),
    ],
)
def test_refuses(nodes, tensors, error, match):
    with pytest.raises(error, match=match):
        CompressedModel(nodes, (3,), tensors).network()


def test_an_rng_is_no_setting():
    """Dropout's generator is an argument of its constructor, but not part of what is stored."""
    with pytest.raises((TypeError, ValueError), match="rng"):
        CompressedModel((record("drop", "Dropout", {"p": 0.5, "rng": 5}),), None, {}).network()
