import numpy as np
import pytest

from refcompress import nn
from refcompress.compress import remove_neurons
from refcompress.formulas.network import softmax_cross_entropy
from tests.gradient_check import check_gradient
from tests.oracles import linear as linear_oracle

# ---- a whole network's gradients ----

LABELS = np.array([2, 0, 3])


def convolutional(rng, batch_norm=nn.BatchNorm):
    """conv – batch norm – ReLU – max pool – conv – average pool – flatten – linear, all sizes distinct."""
    return nn.Sequential(
        {
            "conv1": nn.Conv2d(rng.standard_normal((5, 2, 3, 2)), rng.standard_normal(5), padding=(1, 0)),
            "bn": batch_norm(rng.uniform(1, 2, 5), rng.standard_normal(5), np.zeros(5), np.ones(5)),
            "relu": nn.ReLU(),
            "pool1": nn.MaxPool2d((1, 2)),
            "conv2": nn.Conv2d(rng.standard_normal((4, 5, 2, 2)), None, stride=(2, 1)),
            "pool2": nn.AveragePool2d((3, 2), stride=1),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(rng.standard_normal((6, 4 * 4)), rng.standard_normal(6)),
        },
        input_shape=(2, 8, 9),
    )


def loss_of(model):
    """The loss as a function of the input and every parameter, and its gradients by `backward`."""
    arrays = model.parameters()

    def forward(x, *values):
        for array, value in zip(arrays.values(), values, strict=True):
            array[...] = value
        return softmax_cross_entropy.forward(model.forward(x, training=True), LABELS)

    def backward(dout, cache):
        dX = model.backward(softmax_cross_entropy.backward(dout, cache), input_gradient=True)
        assert model.gradients().keys() == arrays.keys()
        return dX, *model.gradients().values()

    return forward, backward


def margin(model, x):
    """How far the nearest ReLU input is from its kink, and the nearest maximum from a tie."""
    outputs = {"input": x}
    for node in model.nodes:
        outputs[node.name] = node.layer.forward(outputs[node.inputs[0]], training=True)
    pairs = outputs["relu"].reshape(3, 5, 8, 4, 2)
    gaps = abs(pairs[..., 0] - pairs[..., 1])
    return min(abs(outputs["bn"]).min(), gaps[pairs.max(axis=-1) > 0].min())


def check_whole_network(**settings):
    rng = np.random.default_rng(192)
    model, x = convolutional(rng, **settings), rng.standard_normal((3, 2, 8, 9))
    assert margin(model, x) > 0.01  # a step of 1e-5 moves nothing across a kink, however it is amplified (up to 1000)
    forward, backward = loss_of(model)
    check_gradient(forward, backward, (x, *(array.copy() for array in model.parameters().values())), step=1e-5)


def test_gradients_of_a_whole_network():
    check_whole_network()


class OffBatchNorm(nn.BatchNorm):
    """Its gradients are 0.05 % off."""

    def backward(self, dout, *, input_gradient=True):
        dX = super().backward(dout, input_gradient=input_gradient)
        return None if dX is None else dX * 1.0005


class FrozenBatchNorm(nn.BatchNorm):
    """It forgets that the batch's statistics depend on the batch."""

    def backward(self, dout, *, input_gradient=True):
        self._cache = self._cache._replace(training=False)
        return super().backward(dout, input_gradient=input_gradient)


@pytest.mark.parametrize("batch_norm", [OffBatchNorm, FrozenBatchNorm])
def test_a_planted_error_is_caught(batch_norm):
    with pytest.raises(AssertionError, match="central difference"):
        check_whole_network(batch_norm=batch_norm)


# ---- branches ----


class Add(nn.Layer):
    """Sum of two nodes: what a user of the package writes for a branch."""

    def forward(self, a, b, *, training=False):
        return a + b

    def backward(self, dout, *, input_gradient=True):
        return (dout, dout) if input_gradient else None


class Product(nn.Layer):
    """w · a · b, with a trained w: two inputs and a parameter."""

    def __init__(self, weight):
        super().__init__()
        self.parameters["weight"] = weight

    def forward(self, a, b, *, training=False):
        self._cache = a, b
        return self.parameters["weight"] * a * b

    def backward(self, dout, *, input_gradient=True):
        a, b = self._cache
        w = self.parameters["weight"]
        self.gradients = {"weight": (dout * a * b).sum(axis=0)}
        return (w * b * dout, w * a * dout) if input_gradient else None


def branched(rng):
    """fc1 is read by two layers, whose outputs are multiplied; the skip from fc1 is added."""
    return nn.Network(
        [
            nn.Node("fc1", nn.Linear(rng.standard_normal((4, 3)), rng.standard_normal(4)), ("input",)),
            nn.Node("left", nn.Linear(rng.standard_normal((4, 4))), ("fc1",)),
            nn.Node("right", nn.Tanh(), ("fc1",)),
            nn.Node("product", Product(rng.standard_normal(4)), ("left", "right")),
            nn.Node("sum", Add(), ("product", "fc1")),
        ],
        input_shape=(3,),
    )


def test_gradients_of_a_branched_network():
    rng = np.random.default_rng(5)
    model, x = branched(rng), rng.standard_normal((3, 3))
    assert list(model.parameters()) == ["fc1.weight", "fc1.bias", "left.weight", "product.weight"]
    forward, backward = loss_of(model)
    check_gradient(forward, backward, (x, *(array.copy() for array in model.parameters().values())))


def test_the_gradients_of_two_readers_are_added():
    """y = a·x + a·x with a = 2: both branches hand back 1, ∂y/∂w = 2·x."""
    fc = nn.Linear(np.array([[2.0]]))
    model = nn.Network([nn.Node("fc", fc, ("input",)), nn.Node("sum", Add(), ("fc", "fc"))])
    assert model.forward(np.array([[3.0]])).tolist() == [[12.0]]
    assert model.backward(np.array([[1.0]]), input_gradient=True).tolist() == [[4.0]]
    assert fc.gradients["weight"].tolist() == [[6.0]]


def test_a_node_after_a_skip_over_the_input():
    """y = w·x + x: ∂y/∂x = w + 1 arrives along both ways."""
    model = nn.Network(
        [nn.Node("fc", nn.Linear(np.array([[2.0]])), ("input",)), nn.Node("sum", Add(), ("fc", "input"))]
    )
    model.forward(np.array([[3.0]]))
    assert model.backward(np.array([[1.0]]), input_gradient=True).tolist() == [[3.0]]
    model.forward(np.array([[3.0]]))
    assert model.backward(np.array([[1.0]])) is None
    assert model.gradients()["fc.weight"].tolist() == [[3.0]]


def test_a_layer_of_two_inputs_may_stand_first():
    """Nobody needs ∂L/∂input: backward is told so, and hands back None for both inputs."""
    layer = Product(np.array([2.0]))
    model = nn.Network([nn.Node("product", layer, ("input", "input"))])
    assert model.forward(np.array([[3.0]])).tolist() == [[18.0]]
    assert model.backward(np.array([[1.0]])) is None
    assert layer.gradients["weight"].tolist() == [9.0]


def test_a_network_of_layers_without_parameters():
    model = nn.Network([nn.Node("relu", nn.ReLU(), ("input",)), nn.Node("sum", Add(), ("relu", "input"))])
    model.forward(np.array([[3.0, -1.0]]))
    assert model.backward(np.ones((1, 2)), input_gradient=True).tolist() == [[2.0, 1.0]]
    assert model.backward(np.ones((1, 2))) is None
    assert model.dtype == np.float32


def test_a_node_that_nothing_reads_gets_no_gradient():
    model = nn.Network(
        [
            nn.Node("side", nn.Linear(np.ones((2, 1))), ("input",)),
            nn.Node("main", nn.Linear(np.ones((3, 1))), ("input",)),
        ]
    )
    assert model.forward(np.array([[2.0]])).tolist() == [[2.0, 2.0, 2.0]]
    model.backward(np.ones((1, 3)))
    assert list(model.gradients()) == ["main.weight"]


def test_what_no_parameter_needs_is_not_computed():
    asked = []

    class Spy(nn.ReLU):
        def backward(self, dout, *, input_gradient=True):
            asked.append(input_gradient)
            return super().backward(dout, input_gradient=input_gradient)

    model = nn.Sequential({"first": Spy(), "fc": nn.Linear(np.ones((2, 2))), "last": Spy()})
    model.forward(np.ones((1, 2)))
    assert model.backward(np.ones((1, 2))) is None
    assert asked == [True]  # the last one only
    assert model.backward(np.ones((1, 2)), input_gradient=True).tolist() == [[2.0, 2.0]]
    assert asked == [True, True, True]


def test_a_branched_network_trains():
    rng = np.random.default_rng(6)
    model, x = branched(rng), rng.standard_normal((20, 3))
    curve = nn.fit(
        model, x, np.arange(20) % 4, optimizer=nn.SGD(0.05), epochs=5, batch_size=6, rng=np.random.default_rng(7)
    )
    assert curve[-1].loss < curve[0].loss


# ---- names ----


def fc(rows=2, columns=2):
    return nn.Linear(np.ones((rows, columns)))


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [nn.Node("a", fc(), ("input",)), nn.Node("a", fc(), ("a",))],
        [nn.Node("input", fc(), ("input",))],
        [nn.Node("", fc(), ("input",))],
        [nn.Node("a.b", fc(), ("input",))],
        [nn.Node("a", fc(), ())],
        [nn.Node("a", fc(), ("b",)), nn.Node("b", fc(), ("input",))],  # read before it has run
        [nn.Node("a", fc(), ("a",))],
        [nn.Node("a", fc(), ("input", "nobody"))],
    ],
)
def test_refuses_nodes(nodes):
    with pytest.raises(ValueError, match="nodes must"):
        nn.Network(nodes)


def test_one_layer_in_two_nodes_is_refused():
    """It remembers one forward pass, so that the gradients of the other node would be wrong."""
    shared = fc()
    for nodes in (
        [nn.Node("a", shared, ("input",)), nn.Node("b", shared, ("a",))],
        [nn.Node("a", shared, ("input",)), nn.Node("b", nn.ReLU(), ("a",)), nn.Node("c", shared, ("input",))],
    ):
        with pytest.raises(ValueError, match="nodes must have a layer each, got one twice"):
            nn.Network(nodes)
    relu = nn.ReLU()
    with pytest.raises(ValueError, match="nodes must have a layer each, got one twice"):
        nn.Sequential({"relu1": relu, "fc": shared, "relu2": relu})
    equal = nn.Sequential({"a": fc(), "b": fc()})  # equal layers are not the same
    assert list(equal.layers) == ["a", "b"]


@pytest.mark.parametrize(("shape", "error"), [((0,), ValueError), ((2.0,), TypeError), ((True,), TypeError)])
def test_refuses_input_shapes(shape, error):
    with pytest.raises(error, match="input_shape"):
        nn.Sequential({"fc": fc()}, shape)


def test_a_sequential_is_a_chain():
    model = nn.Sequential({"b": fc(), "a": nn.ReLU(), "c": fc()})
    assert [(node.name, node.inputs) for node in model.nodes] == [("b", ("input",)), ("a", ("b",)), ("c", ("a",))]
    assert list(model.layers) == ["b", "a", "c"]
    with pytest.raises(ValueError, match="nodes must"):
        nn.Sequential({})


def test_inputs_of_another_shape_are_refused():
    model = nn.Sequential({"fc": fc()}, (2,))
    with pytest.raises(ValueError, match="x must have shape"):
        model.forward(np.ones((1, 3)))
    with pytest.raises(ValueError, match="x must have shape"):
        model.forward(np.ones((1, 2, 1)))


# ---- state ----


def with_batch_norm(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        {
            "fc1": nn.Linear(rng.standard_normal((3, 2)).astype(dtype), rng.standard_normal(3).astype(dtype)),
            "bn": nn.BatchNorm(*rng.uniform(1, 2, (4, 3)).astype(dtype)),
            "relu": nn.ReLU(),
            "fc2": nn.Linear(rng.standard_normal((4, 3)).astype(dtype)),
        },
        input_shape=(2,),
    )


NAMES = ["fc1.weight", "fc1.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "fc2.weight"]


def test_state_names_and_copies():
    model = with_batch_norm()
    assert list(model.state()) == NAMES
    assert list(model.parameters()) == [name for name in NAMES if "running" not in name]
    for name, array in model.parameters().items():
        layer, key = name.split(".")
        assert array is model.layers[layer].parameters[key]
    for name, array in model.state().items():
        layer, key = name.split(".")
        held = {**model.layers[layer].parameters, **model.layers[layer].buffers}[key]
        np.testing.assert_array_equal(array, held)
        assert not np.shares_memory(array, held)


def test_state_goes_round():
    source, target = with_batch_norm(1), with_batch_norm(2)
    x = np.random.default_rng(3).standard_normal((5, 2))
    assert not np.array_equal(source.forward(x), target.forward(x))
    state = source.state()
    target.load_state(state)
    np.testing.assert_array_equal(source.forward(x), target.forward(x))
    state["fc1.weight"][...] = 0  # what was loaded is a copy
    np.testing.assert_array_equal(source.forward(x), target.forward(x))
    target.layers["fc1"].parameters["weight"][...] = 0
    assert source.layers["fc1"].parameters["weight"].any()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda s: s.pop("fc1.bias"), ValueError, r"missing \['fc1.bias'\]"),
        (lambda s: s.update({"fc2.bias": np.zeros(4)}), ValueError, r"unknown \['fc2.bias'\]"),
        (lambda s: s.update({"fc1.weight": np.zeros((2, 3))}), ValueError, "fc1.weight"),
        (lambda s: s.update({"fc1.weight": np.zeros((3, 1))}), ValueError, "fc1.weight"),  # would broadcast
        (lambda s: s.update({"fc2.weight": np.zeros((4, 3), np.float32)}), TypeError, "fc2.weight"),
        (lambda s: s.update({"bn.running_var": np.zeros(3, int)}), TypeError, "bn.running_var"),
        (lambda s: s.update({"fc1.bias": [1.0, 2.0]}), (TypeError, ValueError), "fc1.bias"),
    ],
)
def test_load_state_refuses_and_changes_nothing(change, error, match):
    model = with_batch_norm()
    before, state = model.state(), with_batch_norm(1).state()
    change(state)
    with pytest.raises(error, match=match):
        model.load_state(state)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_copy_is_independent():
    model = with_batch_norm()
    x = np.random.default_rng(3).standard_normal((5, 2))
    copy, before = model.copy(), model.forward(x)
    assert copy.input_shape == (2,)
    assert [(n.name, n.inputs) for n in copy.nodes] == [(n.name, n.inputs) for n in model.nodes]
    np.testing.assert_array_equal(copy.forward(x), before)
    for array in copy.parameters().values():
        array[...] = 0
    copy.forward(x, training=True)
    np.testing.assert_array_equal(model.forward(x), before)


# ---- what it counts ----


def test_shapes_counts_and_summary():
    model = with_batch_norm()
    assert model.shapes() == {"input": (2,), "fc1": (3,), "bn": (3,), "relu": (3,), "fc2": (4,)}
    assert model.macs() == 3 * 2 + 4 * 3
    assert model.parameter_count() == 6 + 3 + 3 + 3 + 12
    lines = model.summary().splitlines()
    assert lines == [
        "node   layer      output  parameters  MACs",
        "fc1    Linear     3                9     6",
        "bn     BatchNorm  3                6     0",
        "relu   ReLU       3                0     0",
        "fc2    Linear     4               12    12",
        "total                             27    18",
    ]


@pytest.mark.parametrize("method", ["shapes", "macs", "summary"])
def test_counting_needs_an_input_shape(method):
    with pytest.raises(ValueError, match="input_shape"):
        getattr(nn.Sequential({"fc": fc()}), method)()


def test_dtype():
    assert with_batch_norm(dtype=np.float32).dtype == np.float32
    assert with_batch_norm().dtype == np.float64


BETWEEN = {
    "shapes": lambda model: model.shapes(),
    "macs": lambda model: model.macs(),
    "summary": lambda model: model.summary(),
    "remove_neurons": lambda model: remove_neurons(model, {"conv1": [0], "conv2": [1, 3]}),  # one before a Flatten
    "copy": lambda model: model.copy().forward(np.ones((1, 2, 8, 9)), training=True),
}


def check_between(call, batch):
    """What stands between forward and backward, or behind both, changes no gradient and no running statistic."""
    rng = np.random.default_rng(192)
    model, x, dout = convolutional(rng), rng.standard_normal((batch, 2, 8, 9)), rng.standard_normal((batch, 6))
    reference = model.copy()
    reference.forward(x, training=True)
    expected_dX = reference.backward(dout, input_gradient=True)
    model.forward(x, training=True)
    call(model)
    np.testing.assert_array_equal(model.backward(dout, input_gradient=True), expected_dX)
    call(model)
    assert list(model.gradients()) == list(reference.gradients())
    for name, gradient in reference.gradients().items():
        assert gradient.any()
        np.testing.assert_array_equal(model.gradients()[name], gradient)
    for name, array in reference.state().items():
        np.testing.assert_array_equal(model.state()[name], array)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", BETWEEN)
def test_looking_at_a_network_leaves_its_last_batch(name, batch):
    check_between(BETWEEN[name], batch)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_look_that_runs_the_network_itself_is_caught(batch):
    with pytest.raises((AssertionError, ValueError)):
        check_between(lambda model: model.forward(np.zeros((1, 2, 8, 9))), batch)


# ---- predict ----


@pytest.mark.parametrize("batch_size", [1, 2, 3, 6, 7, 8, 256])
def test_batches_are_one_batch(batch_size):
    """Small integers: every sum is exact, whatever the batch makes of its order."""
    rng = np.random.default_rng(4)
    W, b, x = (rng.integers(-5, 6, shape).astype(np.float32) for shape in ((3, 5), 3, (7, 5)))
    model = nn.Sequential({"fc": nn.Linear(W, b)}, (5,))
    out = model.predict(x, batch_size=batch_size)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, model.forward(x))
    np.testing.assert_array_equal(out, linear_oracle.forward(x, W, b))


def test_predict_has_no_training_behaviour():
    model = nn.Sequential({"bn": nn.BatchNorm.identity(2, np.float64), "drop": nn.Dropout(0.5)})
    before = model.state()
    x = np.random.default_rng(4).standard_normal((5, 2))
    np.testing.assert_allclose(model.predict(x), x / np.sqrt(1 + 1e-5), rtol=1e-15)
    for name, array in before.items():
        np.testing.assert_array_equal(model.state()[name], array)


@pytest.mark.parametrize(
    ("batch_size", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)]
)
def test_predict_refuses_batch_sizes(batch_size, error):
    with pytest.raises(error, match="batch_size"):
        nn.Sequential({"fc": fc()}).predict(np.ones((3, 2)), batch_size=batch_size)


def test_predict_refuses_no_samples():
    with pytest.raises(ValueError, match="x must not be empty"):
        nn.Sequential({"fc": fc()}).predict(np.ones((0, 2)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_stay(dtype):
    model = with_batch_norm(dtype=dtype)
    x = np.random.default_rng(3).standard_normal((5, 2)).astype(dtype)
    out = model.forward(x, training=True)
    dX = model.backward(np.ones_like(out), input_gradient=True)
    for array in (out, dX, *model.gradients().values(), *model.state().values()):
        assert array.dtype == dtype
