import itertools

import numpy as np
import pytest

from refcompress import nn
from refcompress.compress import remove_neurons
from refcompress.nn import networks
from tests.gradient_check import gamma
from tests.oracles import removal as oracle

EPSILON = 0.25  # of the batch norms; with variance 0.75 or 3.75 the root is 1 or 2, exactly


class Mask(nn.Layer):
    """Sets channels to 0 and changes nothing else."""

    def __init__(self, indices):
        super().__init__()
        self.indices = list(indices)

    def forward(self, x, *, training=False):
        out = x.copy()
        out[:, self.indices] = 0
        return out


class Add(nn.Layer):
    def forward(self, a, b, *, training=False):
        return a + b


class Draw:
    """Arrays by shape: normal numbers, or small integers under which every sum is exact in any order."""

    def __init__(self, exact, seed=1, dtype=np.float64):
        self.exact, self.rng, self.dtype = exact, np.random.default_rng(seed), dtype

    def __call__(self, *shape):
        numbers = self.rng.integers(-3, 4, shape) if self.exact else self.rng.standard_normal(shape)
        return numbers.astype(self.dtype)

    def batch_norm(self, channels):
        var = self.rng.choice([0.75, 3.75], channels) if self.exact else self.rng.uniform(0.5, 2, channels)
        return nn.BatchNorm(*(self(channels) for _ in range(3)), var.astype(self.dtype), epsilon=EPSILON)


# Networks by name: Draw -> (network, the node behind which each layer is masked, neurons to remove); behind a flatten
# the node comes with the number of columns that one channel has there.


def linear_relu_linear(draw):
    layers = {"fc1": nn.Linear(draw(7, 5), draw(7)), "relu": nn.ReLU(), "fc2": nn.Linear(draw(3, 7), draw(3))}
    return nn.Sequential(layers, (5,)), {"fc1": "relu"}, {"fc1": [0, 3, 4]}


def without_bias(draw):
    layers = {"fc1": nn.Linear(draw(7, 5)), "relu": nn.ReLU(), "fc2": nn.Linear(draw(3, 7))}
    return nn.Sequential(layers, (5,)), {"fc1": "relu"}, {"fc1": [6, 2]}


def conv_relu_conv(draw):
    layers = {
        "conv1": nn.Conv2d(draw(5, 2, 3, 3), draw(5), padding=1),
        "relu": nn.ReLU(),
        "conv2": nn.Conv2d(draw(4, 5, 3, 2), draw(4), padding=(1, 1), stride=(2, 1)),
    }
    return nn.Sequential(layers, (2, 7, 6)), {"conv1": "relu"}, {"conv1": [1, 4]}


def conv_bn_relu_pool_flatten_linear(draw):
    layers = {
        "conv": nn.Conv2d(draw(6, 2, 2, 3), draw(6)),
        "bn": draw.batch_norm(6),
        "relu": nn.ReLU(),
        "pool": nn.AveragePool2d((2, 2)),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(draw(4, 6 * 6), draw(4)),
    }
    return nn.Sequential(layers, (2, 7, 6)), {"conv": "relu"}, {"conv": [5, 0, 2]}


def conv_global_pool_flatten_linear(draw):
    layers = {
        "conv": nn.Conv2d(draw(5, 2, 3, 3), draw(5), padding=1),
        "leaky": nn.LeakyReLU(0.25),
        "pool": nn.GlobalAveragePool2d(),
        "flatten": nn.Flatten(),
        "fc": nn.Linear(draw(3, 5), draw(3)),
    }
    return nn.Sequential(layers, (2, 4, 8)), {"conv": "leaky"}, {"conv": [2, 3]}


def padded_max_pool_and_dropout(draw):
    layers = {
        "conv": nn.Conv2d(draw(5, 2, 3, 3), draw(5)),
        "relu": nn.ReLU(),
        "drop": nn.Dropout(0.5),
        "pool": nn.MaxPool2d(3, 2, 1),
        "conv2": nn.Conv2d(draw(4, 5, 1, 2), draw(4)),
    }
    return nn.Sequential(layers, (2, 8, 7)), {"conv": "pool"}, {"conv": [0, 3]}


def batch_norm_behind_flatten(draw):
    layers = {
        "conv": nn.Conv2d(draw(5, 2, 2, 2), draw(5)),
        "relu": nn.ReLU(),
        "flatten": nn.Flatten(),
        "bn": draw.batch_norm(5 * 6),
        "fc": nn.Linear(draw(3, 5 * 6), draw(3)),
    }
    return nn.Sequential(layers, (2, 3, 4)), {"conv": ("bn", 6)}, {"conv": [1, 2]}


def branches(draw):
    """conv1 is read by two convolutions, one of them behind a ReLU, and their sum is flattened."""
    nodes = [
        nn.Node("conv1", nn.Conv2d(draw(6, 2, 3, 3), draw(6)), ("input",)),
        nn.Node("relu", nn.ReLU(), ("conv1",)),
        nn.Node("left", nn.Conv2d(draw(4, 6, 2, 2), draw(4)), ("relu",)),
        nn.Node("right", nn.Conv2d(draw(4, 6, 2, 2), draw(4)), ("conv1",)),
        nn.Node("sum", Add(), ("left", "right")),
        nn.Node("flatten", nn.Flatten(), ("sum",)),
        nn.Node("fc", nn.Linear(draw(3, 4 * 6), draw(3)), ("flatten",)),
    ]
    return nn.Network(nodes, (2, 5, 6)), {"conv1": "conv1"}, {"conv1": [0, 2, 5]}


def several_layers(draw):
    layers = {
        "conv1": nn.Conv2d(draw(4, 2, 3, 3), draw(4), padding=1),
        "relu1": nn.ReLU(),
        "conv2": nn.Conv2d(draw(5, 4, 3, 3), draw(5)),
        "relu2": nn.ReLU(),
        "pool": nn.AveragePool2d(2),
        "flatten": nn.Flatten(),
        "fc1": nn.Linear(draw(7, 5 * 6), draw(7)),
        "relu3": nn.ReLU(),
        "fc2": nn.Linear(draw(3, 7), draw(3)),
    }
    masks = {"conv1": "relu1", "conv2": "relu2", "fc1": "relu3"}
    return nn.Sequential(layers, (2, 6, 8)), masks, {"conv1": [1], "conv2": [0, 4], "fc1": [2, 3, 6]}


NETS = {
    f.__name__: f
    for f in (
        linear_relu_linear,
        without_bias,
        conv_relu_conv,
        conv_bn_relu_pool_flatten_linear,
        conv_global_pool_flatten_linear,
        padded_max_pool_and_dropout,
        batch_norm_behind_flatten,
        branches,
        several_layers,
    )
}


def masked(model, nodes):
    """The network with a Mask behind the given nodes, which all their readers read instead."""
    result, renamed = [], {}
    for node in model.nodes:
        inputs = tuple(renamed.get(i, i) for i in node.inputs)
        result.append(nn.Node(node.name, node.layer.copy(), inputs))
        if node.name in nodes:
            renamed[node.name] = f"{node.name}_mask"
            result.append(nn.Node(renamed[node.name], Mask(nodes[node.name]), (node.name,)))
    return nn.Network(result, model.input_shape)


def difference_bound(model, x):
    """How far two evaluations of a network, each summing in its own order, can be apart: an array like the output.

    Node by node: e is the bound so far, a the values. A sum of K products errs by γ_K·Σ|w||a| in either evaluation
    and hands on Σ|w|·e; a mean of k likewise; a batch norm is some 8 roundings; the rest hands e on.
    """
    values, errors = {"input": x}, {"input": np.zeros(x.shape)}
    for node in model.nodes:
        layer, inputs = node.layer, [errors[i] for i in node.inputs]
        a, e = values[node.inputs[0]], inputs[0]
        values[node.name] = layer.forward(*(values[i] for i in node.inputs))
        if isinstance(layer, nn.Linear | nn.Conv2d):
            W, b = abs(layer.parameters["weight"]), layer.parameters.get("bias")
            K = W[0].size + (b is not None)
            reach = type(layer)(W, None, **layer.settings).forward(e)
            size = type(layer)(W, None if b is None else abs(b), **layer.settings).forward(abs(a) + e)
            errors[node.name] = reach + 2 * gamma(K, np.float64) * size
        elif isinstance(layer, nn.AveragePool2d | nn.GlobalAveragePool2d):
            errors[node.name] = layer.forward(e) + 2 * gamma(x[0].size, np.float64) * layer.forward(abs(a) + e)
        elif isinstance(layer, nn.BatchNorm):
            shape = (-1,) + (1,) * (a.ndim - 2)
            mean, var = (array.reshape(shape) for array in layer.buffers.values())
            gain, shift = (abs(array).reshape(shape) for array in layer.parameters.values())
            gain = gain / np.sqrt(var + EPSILON)
            errors[node.name] = gain * e + 2 * gamma(8, np.float64) * (gain * (abs(a) + e + abs(mean)) + shift)
        elif isinstance(layer, Add):
            total = abs(values[node.name]) + inputs[0] + inputs[1]
            errors[node.name] = inputs[0] + inputs[1] + 2 * gamma(1, np.float64) * total
        else:  # no rounding; a maximum, a flatten, a mask and a piecewise linear function of slope ≤ 1 hand e on
            errors[node.name] = Mask([]).forward(e) if isinstance(layer, nn.LeakyReLU) else layer.forward(e)
            if isinstance(layer, nn.LeakyReLU):
                errors[node.name] = errors[node.name] + 2 * gamma(1, np.float64) * abs(a)
    return errors[model.nodes[-1].name]


def check(name, exact, remove=remove_neurons):
    draw = Draw(exact)
    model, places, neurons = NETS[name](draw)
    x = draw(3, *model.input_shape)
    masks = {}
    for layer, indices in neurons.items():
        node, block = places[layer] if isinstance(places[layer], tuple) else (places[layer], 1)
        masks[node] = [i * block + k for i in indices for k in range(block)]
    reference = masked(model, masks)
    expected = reference.forward(x)
    assert np.abs(expected - model.forward(x)).max() > 1e-3, "the removal must make a difference"
    out = remove(model, {layer: np.array(indices) for layer, indices in neurons.items()}).forward(x)
    assert out.shape == expected.shape
    bound = 0 if exact else difference_bound(reference, x)
    error = np.abs(out - expected)
    assert (error <= bound).all(), f"{error.max()} exceeds the bound by {(error - bound).max()}"


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("name", NETS)
def test_removed_is_masked(name, exact):
    check(name, exact)


@pytest.mark.parametrize("dtype", [np.uint64, np.uint8, np.int16])
@pytest.mark.parametrize("name", ["batch_norm_behind_flatten", "several_layers"])
def test_indices_of_any_integer_type(name, dtype):
    """uint64 and int64 have only float64 in common, which indexes nothing."""

    def remove(model, neurons):
        return remove_neurons(model, {layer: indices.astype(dtype) for layer, indices in neurons.items()})

    check(name, True, remove)


def test_the_bound_is_small():
    draw = Draw(exact=False)
    model, *_ = NETS["several_layers"](draw)
    x = draw(3, *model.input_shape)
    bound = difference_bound(model, x)
    assert (bound > 0).all()
    assert bound.max() < 1e-9 * np.abs(model.forward(x)).max()


def test_dropout_in_training_counts_what_is_left():
    """Behind the same draws a removed neuron is no longer there: p = 0 keeps all."""
    draw = Draw(exact=True)
    layers = {
        "fc1": nn.Linear(draw(4, 3), draw(4)),
        "drop": nn.Dropout(0.0, np.random.default_rng(0)),
        "fc2": nn.Linear(draw(2, 4), draw(2)),
    }
    model, x = nn.Sequential(layers, (3,)), draw(5, 3)
    pruned = remove_neurons(model, {"fc1": [2]})
    expected = masked(model, {"drop": [2]}).forward(x)
    np.testing.assert_array_equal(pruned.forward(x, training=True), expected)


# ---- tests of the check ----


def wrong(change):
    """A removal that is right but for `change`, a function (pruned network, original, neurons)."""

    def remove(model, neurons):
        pruned = remove_neurons(model, neurons)
        change(pruned, model, neurons)
        return pruned

    return remove


def columns_without_block(pruned, model, neurons):
    """Column j belongs to neuron j mod n, as if pixels were outermost."""
    (indices,) = neurons.values()
    W = model.layers["fc"].parameters["weight"]
    keep = ~np.isin(np.arange(W.shape[1]) % 6, indices)
    pruned.layers["fc"].parameters["weight"] = W[:, keep].copy()


def wrong_row(pruned, model, neurons):
    ((name, indices),) = neurons.items()
    for key, array in model.layers[name].parameters.items():
        pruned.layers[name].parameters[key] = np.delete(array, (indices + 1) % len(array), axis=0)


def wrong_bias(pruned, model, neurons):
    ((name, indices),) = neurons.items()
    bias = model.layers[name].parameters["bias"]
    pruned.layers[name].parameters["bias"] = np.delete(bias, (indices + 1) % len(bias))


def whole_batch_norm_statistics(pruned, model, neurons):
    (indices,) = neurons.values()
    mean = model.layers["bn"].buffers["running_mean"]
    pruned.layers["bn"].buffers["running_mean"] = mean[: len(mean) - len(indices)].copy()


def one_reader_forgotten(pruned, model, neurons):
    (indices,) = neurons.values()
    W = model.layers["right"].parameters["weight"]
    pruned.layers["right"].parameters["weight"] = W[:, : W.shape[1] - len(indices)].copy()


def a_weight_slightly_off(pruned, model, neurons):
    pruned.layers["fc"].parameters["weight"] *= 1 + 1e-9


MUTANTS = [
    ("conv_bn_relu_pool_flatten_linear", columns_without_block),
    ("linear_relu_linear", wrong_row),
    ("conv_relu_conv", wrong_row),
    ("conv_relu_conv", wrong_bias),
    ("conv_bn_relu_pool_flatten_linear", whole_batch_norm_statistics),
    ("branches", one_reader_forgotten),
    ("conv_bn_relu_pool_flatten_linear", a_weight_slightly_off),
]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("name", "change"), MUTANTS)
def test_a_planted_error_is_caught(name, change, exact):
    with pytest.raises(AssertionError, match="exceeds the bound"):
        check(name, exact, wrong(change))


# ---- what removal returns ----


def test_arrays_equal_the_oracle():
    model, _, neurons = several_layers(Draw(exact=False))
    before = model.state()
    state = remove_neurons(model, neurons).state()
    conv1, conv2, fc1 = (neurons[name] for name in ("conv1", "conv2", "fc1"))
    columns, rows = oracle.columns, oracle.rows
    assert {name: array.tolist() for name, array in state.items()} == {
        "conv1.weight": rows(before["conv1.weight"], conv1),
        "conv1.bias": rows(before["conv1.bias"], conv1),
        "conv2.weight": columns(np.array(rows(before["conv2.weight"], conv2)), conv1),
        "conv2.bias": rows(before["conv2.bias"], conv2),
        "fc1.weight": columns(np.array(rows(before["fc1.weight"], fc1)), conv2, 6),
        "fc1.bias": rows(before["fc1.bias"], fc1),
        "fc2.weight": columns(before["fc2.weight"], fc1),
        "fc2.bias": before["fc2.bias"].tolist(),
    }
    for array in state.values():
        assert array.flags.c_contiguous


def test_half_of_the_listings_network():
    model = networks.listing(np.random.default_rng(0))
    pruned = remove_neurons(model, {"conv1": np.arange(16), "conv2": np.arange(0, 64, 2), "fc1": np.arange(64, 128)})
    shapes = {name: array.shape for name, array in pruned.parameters().items()}
    assert shapes == {
        "conv1.weight": (16, 1, 3, 3),
        "conv1.bias": (16,),
        "conv2.weight": (32, 16, 3, 3),
        "conv2.bias": (32,),
        "fc1.weight": (64, 32 * 8 * 8),
        "fc1.bias": (64,),
        "fc2.weight": (10, 64),
        "fc2.bias": (10,),
    }
    assert model.parameter_count() == 544_522
    assert pruned.parameter_count() == 160 + 4_640 + 131_136 + 650 == 136_586
    assert pruned.macs() == 147_456 + 4_718_592 + 131_072 + 640
    assert pruned.shapes()["fc2"] == (10,)
    assert {array.dtype for array in pruned.state().values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("name", NETS)
def test_the_original_is_untouched(name, fold):
    draw = Draw(exact=True)
    model, _, neurons = NETS[name](draw)
    before, x = model.state(), draw(2, *model.input_shape)
    out = model.forward(x)
    try:
        pruned = remove_neurons(model, neurons, fold=fold)
    except ValueError:
        assert fold
    else:
        for array in pruned.parameters().values():
            array[...] = 9
    for key, array in model.state().items():
        np.testing.assert_array_equal(array, before[key])
    np.testing.assert_array_equal(model.forward(x), out)


@pytest.mark.parametrize("order", list(itertools.permutations(["conv1", "conv2", "fc1"])))
def test_the_order_of_layers_and_indices_is_irrelevant(order):
    model, _, neurons = several_layers(Draw(exact=False))
    expected = remove_neurons(model, neurons).state()
    others = [remove_neurons(model, {name: neurons[name][::-1] for name in order})]
    stepwise = model
    for name in order:
        stepwise = remove_neurons(stepwise, {name: neurons[name]})
    for other in (*others, stepwise):
        for key, array in other.state().items():
            np.testing.assert_array_equal(array, expected[key])


@pytest.mark.parametrize("neurons", [{}, {"fc1": np.array([], int)}])
def test_nothing_to_remove(neurons):
    model, *_ = linear_relu_linear(Draw(exact=False))
    pruned = remove_neurons(model, neurons)
    assert pruned is not model
    for key, array in pruned.state().items():
        np.testing.assert_array_equal(array, model.state()[key])


@pytest.mark.parametrize("indices", [[1, 3], (1, 3), np.array([1, 3], np.uint8), np.array([3, 1])])
def test_what_indices_may_be(indices):
    model, *_ = linear_relu_linear(Draw(exact=False))
    assert remove_neurons(model, {"fc1": indices}).layers["fc1"].parameters["weight"].shape == (5, 5)


def test_all_but_one_neuron():
    model, *_ = linear_relu_linear(Draw(exact=True))
    pruned = remove_neurons(model, {"fc1": [0, 1, 2, 3, 5, 6]})
    assert pruned.layers["fc2"].parameters["weight"].shape == (3, 1)


# ---- folding ----


def unpadded(draw):
    layers = {
        "conv1": nn.Conv2d(draw(5, 2, 3, 3), draw(5), padding=1),
        "relu": nn.ReLU(),
        "conv2": nn.Conv2d(draw(4, 5, 3, 2), draw(4), stride=(2, 1), dilation=(1, 2)),
    }
    return nn.Sequential(layers, (2, 7, 6)), {}, {"conv1": [1, 4]}


def standardized(draw):
    layers = {
        "fc1": nn.Linear(draw(6, 5), draw(6)),
        "standardize": nn.Standardize(3.0, 0.5),
        "leaky": nn.LeakyReLU(0.25),
        "fc2": nn.Linear(draw(3, 6), draw(3)),
    }
    return nn.Sequential(layers, (5,)), {}, {"fc1": [5, 0]}


def batch_norm_of_rows(draw):
    layers = {
        "fc1": nn.Linear(draw(6, 5), draw(6)),
        "bn": draw.batch_norm(6),
        "leaky": nn.LeakyReLU(0.25),
        "fc2": nn.Linear(draw(3, 6), draw(3)),
    }
    return nn.Sequential(layers, (5,)), {}, {"fc1": [4, 1]}


def two_linear_layers(draw):
    layers = {
        "fc1": nn.Linear(draw(6, 5), draw(6)),
        "leaky1": nn.LeakyReLU(0.25),
        "fc2": nn.Linear(draw(7, 6), draw(7)),
        "leaky2": nn.LeakyReLU(0.25),
        "fc3": nn.Linear(draw(3, 7), draw(3)),
    }
    return nn.Sequential(layers, (5,)), {}, {"fc1": [4, 1], "fc2": [0, 3, 6]}


def padded_average_pool(draw):
    """Its windows hold 1, 2 or 4 pixels: what lies outside does not count, and the means are exact."""
    layers = {
        "conv1": nn.Conv2d(draw(4, 2, 2, 2), draw(4)),
        "relu": nn.ReLU(),
        "pool": nn.AveragePool2d(2, padding=1, count_include_pad=False),
        "conv2": nn.Conv2d(draw(3, 4, 1, 2), draw(3)),
    }
    return nn.Sequential(layers, (2, 5, 6)), {}, {"conv1": [3, 1]}


FOLDS = {
    f.__name__: f
    for f in (
        linear_relu_linear,
        unpadded,
        conv_bn_relu_pool_flatten_linear,
        conv_global_pool_flatten_linear,
        padded_max_pool_and_dropout,
        branches,
        standardized,
        batch_norm_of_rows,
        two_linear_layers,
        padded_average_pool,
    )
}


def check_fold(name, remove, order=None):
    """Removed and folded ≡ incoming weights 0, the bias left, bit for bit on small integers."""
    draw = Draw(exact=True)
    model, _, neurons = FOLDS[name](draw)
    x = draw(3, *model.input_shape)
    for layer, indices in neurons.items():
        model.layers[layer].parameters["bias"][indices] = 2 + np.arange(len(indices))  # a ReLU lets them pass
    reference = model.copy()
    for layer, indices in neurons.items():
        reference.layers[layer].parameters["weight"][indices] = 0
    ordered = {layer: neurons[layer] for layer in order or neurons}
    pruned = remove(model, ordered)
    plain = remove_neurons(model, neurons).forward(x)
    assert not np.array_equal(plain, reference.forward(x)), "the fold must make a difference"
    assert pruned.parameter_count() == remove_neurons(model, neurons).parameter_count()
    np.testing.assert_array_equal(pruned.forward(x), reference.forward(x))


def folded(model, neurons):
    return remove_neurons(model, neurons, fold=True)


@pytest.mark.parametrize("name", FOLDS)
def test_fold_keeps_the_biases_effect(name):
    check_fold(name, folded)


@pytest.mark.parametrize("order", [("fc1", "fc2"), ("fc2", "fc1")])
def test_fold_of_two_layers_does_not_depend_on_their_order(order):
    """A neuron of fc2 that goes is f(its bias), whatever of fc1 was folded before."""
    check_fold("two_linear_layers", folded, order)


def test_a_removal_that_does_not_fold_is_caught():
    with pytest.raises(AssertionError):
        check_fold("linear_relu_linear", remove_neurons)


def folded_before_the_activation(model, neurons):
    """The bias goes on as it is, without what stands between."""
    pruned = remove_neurons(model, neurons)
    for indices in neurons.values():
        W, b = model.layers["fc2"].parameters["weight"], model.layers["fc1"].parameters["bias"]
        pruned.layers["fc2"].parameters["bias"] += W[:, indices] @ b[indices]
    return pruned


def test_a_fold_without_the_activation_is_caught():
    check_fold("linear_relu_linear", folded_before_the_activation)  # a ReLU of what is positive: nothing to catch
    with pytest.raises(AssertionError):
        check_fold("standardized", folded_before_the_activation)


def test_fold_through_a_smooth_activation():
    draw = Draw(exact=False)
    for activation in (nn.Sigmoid(), nn.Tanh(), nn.GELU()):
        model = nn.Sequential(
            {"fc1": nn.Linear(draw(6, 5), draw(6)), "f": activation, "fc2": nn.Linear(draw(3, 6), draw(3))}, (5,)
        )
        reference, x = model.copy(), draw(4, 5)
        reference.layers["fc1"].parameters["weight"][[0, 3]] = 0
        # 12 products of numbers below 4, summed in two orders, and two ulps of the function: 30 · 16 · u
        np.testing.assert_allclose(
            remove_neurons(model, {"fc1": [0, 3]}, fold=True).forward(x),
            reference.forward(x),
            rtol=0,
            atol=480 * 2.0**-53,
        )


def test_fold_of_a_layer_without_bias_adds_nothing():
    draw = Draw(exact=True)
    model = nn.Sequential(
        {"fc1": nn.Linear(draw(6, 5)), "relu": nn.ReLU(), "fc2": nn.Linear(draw(3, 6), draw(3))}, (5,)
    )
    x = draw(4, 5)
    np.testing.assert_array_equal(
        remove_neurons(model, {"fc1": [1]}, fold=True).forward(x), remove_neurons(model, {"fc1": [1]}).forward(x)
    )


def test_fold_of_the_listing_raises_at_its_padded_convolution():
    model = networks.listing(np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"fold must be False.*pads.*'conv2'"):
        remove_neurons(model, {"conv1": [0]}, fold=True)
    assert remove_neurons(model, {"conv2": [0]}, fold=True).layers["fc1"].parameters["weight"].shape == (128, 63 * 64)


@pytest.mark.parametrize(
    ("layers", "name"),
    [
        (lambda d: {"pool": nn.AveragePool2d(2, padding=1), "conv2": nn.Conv2d(d(3, 4, 1, 1), d(3))}, "pool"),
        (lambda d: {"conv2": nn.Conv2d(d(3, 4, 1, 2), d(3), padding=(0, 1))}, "conv2"),
        (lambda d: {"conv2": nn.Conv2d(d(3, 4, 1, 1))}, "conv2"),  # without a bias
        (
            lambda d: {
                "flatten": nn.Flatten(),
                "bn": d.batch_norm(4 * 20),
                "fc": nn.Linear(d(3, 4 * 20), d(3)),
            },
            "bn",
        ),
    ],
)
def test_fold_refuses(layers, name):
    draw = Draw(exact=True)
    model = nn.Sequential({"conv1": nn.Conv2d(draw(4, 2, 2, 2), draw(4)), "relu": nn.ReLU(), **layers(draw)}, (2, 5, 6))
    with pytest.raises(ValueError, match=f"fold must be False.*'{name}'"):
        remove_neurons(model, {"conv1": [0]}, fold=True)
    assert remove_neurons(model, {"conv1": [0]}).layers["conv1"].parameters["bias"].shape == (3,)


# ---- what is refused ----


def with_groups(draw):
    layers = {
        "conv1": nn.Conv2d(draw(4, 2, 1, 1), draw(4)),
        "grouped": nn.Conv2d(draw(6, 2, 1, 1), draw(6), groups=2),
        "conv3": nn.Conv2d(draw(3, 6, 1, 1), draw(3)),
    }
    return nn.Sequential(layers, (2, 3, 3))


@pytest.mark.parametrize(
    ("neurons", "error", "match"),
    [
        ({"fc9": [0]}, ValueError, "among fc1, fc2.*'fc9'"),
        ({"relu": [0]}, ValueError, "among fc1, fc2.*'relu'"),
        ({"input": [0]}, ValueError, "'input'"),
        ({"fc2": [0]}, ValueError, "outputs are the network's.*'fc2'"),
        ({"fc1": range(7)}, ValueError, "'fc1' must not be the whole layer, got all 7"),
        ({"fc1": [1, 1]}, ValueError, "'fc1' must be distinct"),
        ({"fc1": [-1]}, ValueError, "'fc1' must be from 0 to 6"),
        ({"fc1": [7]}, ValueError, "'fc1' must be from 0 to 6"),
        ({"fc1": [0.0]}, TypeError, "fc1"),
        ({"fc1": [True] * 7}, TypeError, "fc1"),
        ({"fc1": "0"}, TypeError, "fc1"),
        ({"fc1": [[0, 1]]}, ValueError, "fc1"),
        ({"fc1": 0}, ValueError, "fc1"),
    ],
)
@pytest.mark.parametrize("fold", [False, True])
def test_refuses(neurons, error, match, fold):
    model, *_ = linear_relu_linear(Draw(exact=True))
    before = model.state()
    with pytest.raises(error, match=match):
        remove_neurons(model, neurons, fold=fold)
    for key, array in model.state().items():
        np.testing.assert_array_equal(array, before[key])


def test_refuses_a_last_layer_behind_an_activation():
    draw = Draw(exact=True)
    model = nn.Sequential({"fc1": nn.Linear(draw(4, 3)), "relu": nn.ReLU()}, (3,))
    with pytest.raises(ValueError, match="outputs are the network's"):
        remove_neurons(model, {"fc1": [0]})


def test_refuses_groups():
    model = with_groups(Draw(exact=True))
    with pytest.raises(ValueError, match=r"groups.*'grouped'"):
        remove_neurons(model, {"conv1": [0]})
    with pytest.raises(ValueError, match=r"groups.*'grouped'"):
        remove_neurons(model, {"grouped": [0]})


def test_refuses_a_reader_that_it_does_not_know():
    draw = Draw(exact=True)
    nodes = [
        nn.Node("a", nn.Linear(draw(4, 3)), ("input",)),
        nn.Node("b", nn.Linear(draw(4, 3)), ("input",)),
        nn.Node("sum", Add(), ("a", "b")),
        nn.Node("c", nn.Linear(draw(2, 4)), ("sum",)),
    ]
    with pytest.raises(ValueError, match="read by Add, got 'sum'"):
        remove_neurons(nn.Network(nodes, (3,)), {"a": [0]})


def flattened(draw, input_shape=None):
    layers = {
        "standardize": nn.Standardize(0.0, 1.0),
        "flatten": nn.Flatten(),
        "fc1": nn.Linear(draw(4, 6), draw(4)),
        "fc2": nn.Linear(draw(3, 4), draw(3)),
    }
    return nn.Sequential(layers, input_shape)


def test_a_flatten_that_reads_the_neurons_needs_an_input_shape():
    draw = Draw(exact=True)
    layers = {"conv": nn.Conv2d(draw(4, 2, 1, 1)), "flatten": nn.Flatten(), "fc": nn.Linear(draw(3, 4 * 6))}
    with pytest.raises(ValueError, match="input_shape"):
        remove_neurons(nn.Sequential(layers), {"conv": [0]})
    pruned = remove_neurons(nn.Sequential(layers, (2, 2, 3)), {"conv": [0]})
    assert pruned.layers["fc"].parameters["weight"].shape == (3, 18)


def test_a_flatten_elsewhere_needs_none():
    pruned = remove_neurons(flattened(Draw(exact=True)), {"fc1": [0]})
    assert pruned.layers["fc2"].parameters["weight"].shape == (3, 3)
