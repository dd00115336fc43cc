import numpy as np
import pytest

from refcompress import nn
from refcompress.nn import networks
from tests.oracles import he_normal


def rng(seed=0):
    return np.random.default_rng(seed)


BUILDERS = {
    "listing": networks.listing,
    "lenet_5": networks.lenet_5,
    "lenet_300_100": networks.lenet_300_100,
    "mlp": lambda generator, *, classes=10, **settings: networks.mlp((64, 32, classes), generator, **settings),
}

# name -> parameters, multiply–accumulates: by hand, layer by layer, weights + biases and weights · places
COUNTS = {
    "listing": (
        (32 * 1 * 9 + 32) + (64 * 32 * 9 + 64) + (128 * 4096 + 128) + (10 * 128 + 10),
        32 * 1 * 9 * 32 * 32 + 64 * 32 * 9 * 32 * 32 + 128 * 4096 + 10 * 128,
    ),
    "lenet_5": (
        (6 * 25 + 6) + (16 * 6 * 25 + 16) + (120 * 400 + 120) + (84 * 120 + 84) + (10 * 84 + 10),
        6 * 25 * 28 * 28 + 16 * 6 * 25 * 10 * 10 + 120 * 400 + 84 * 120 + 10 * 84,
    ),
    "lenet_300_100": (
        (300 * 784 + 300) + (100 * 300 + 100) + (10 * 100 + 10),
        300 * 784 + 100 * 300 + 10 * 100,
    ),
    "mlp": ((32 * 64 + 32) + (10 * 32 + 10), 32 * 64 + 10 * 32),
}
LITERALS = {
    "listing": (544_522, 19_694_848),
    "lenet_5": (61_706, 416_520),
    "lenet_300_100": (266_610, 266_200),
    "mlp": (2_410, 2_368),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_parameters_and_macs(name):
    assert COUNTS[name] == LITERALS[name]
    model = BUILDERS[name](rng())
    assert (model.parameter_count(), model.macs()) == LITERALS[name]
    total = model.summary().splitlines()[-1].split()
    assert total == ["total", f"{LITERALS[name][0]:,}", f"{LITERALS[name][1]:,}"]


def test_the_summary_of_the_listing():
    assert [" ".join(line.split()) for line in networks.listing(rng()).summary().splitlines()] == [
        "node layer output parameters MACs",
        "conv1 Conv2d 32 × 32 × 32 320 294,912",
        "relu1 ReLU 32 × 32 × 32 0 0",
        "conv2 Conv2d 64 × 32 × 32 18,496 18,874,368",
        "relu2 ReLU 64 × 32 × 32 0 0",
        "pool AveragePool2d 64 × 8 × 8 0 0",
        "flatten Flatten 4096 0 0",
        "fc1 Linear 128 524,416 524,288",
        "relu3 ReLU 128 0 0",
        "fc2 Linear 10 1,290 1,280",
        "total 544,522 19,694,848",
    ]


def test_the_layers_of_lenet_5():
    model = networks.lenet_5(rng())
    assert {
        name: (type(model.layers[name]).__name__, shape) for name, shape in model.shapes().items() if name != "input"
    } == {
        "conv1": ("Conv2d", (6, 28, 28)),
        "relu1": ("ReLU", (6, 28, 28)),
        "pool1": ("MaxPool2d", (6, 14, 14)),
        "conv2": ("Conv2d", (16, 10, 10)),
        "relu2": ("ReLU", (16, 10, 10)),
        "pool2": ("MaxPool2d", (16, 5, 5)),
        "flatten": ("Flatten", (400,)),
        "fc1": ("Linear", (120,)),
        "relu3": ("ReLU", (120,)),
        "fc2": ("Linear", (84,)),
        "relu4": ("ReLU", (84,)),
        "fc3": ("Linear", (10,)),
    }


def test_the_layers_of_lenet_300_100_and_mlp():
    model = networks.lenet_300_100(rng(), inputs=(1, 4, 7), classes=3)
    assert model.input_shape == (1, 4, 7)
    assert list(model.layers) == ["flatten", "fc1", "relu1", "fc2", "relu2", "fc3"]
    assert [model.layers[f"fc{k}"].parameters["weight"].shape for k in (1, 2, 3)] == [(300, 28), (100, 300), (3, 100)]
    assert list(networks.mlp((5, 3), rng()).layers) == ["flatten", "fc1"]
    assert networks.mlp(((2, 3), 4, 5), rng()).shapes()["fc1"] == (4,)


@pytest.mark.parametrize("name", BUILDERS)
def test_weights_are_drawn_by_he_layer_by_layer_and_biases_are_0(name):
    model, draws = BUILDERS[name](rng(5), dtype=np.float64), rng(5)
    for layer in model.layers.values():
        if not layer.parameters:
            continue
        weight, bias = layer.parameters["weight"], layer.parameters["bias"]
        if weight.size > 60_000:  # the loop would be slow; he_normal has its own test
            draws.standard_normal(weight.size)
        else:
            # the root, its quotient and the product round differently by an ulp each
            np.testing.assert_allclose(weight, he_normal.sample(weight.shape, draws), rtol=4 * 2.0**-52, atol=0)
        assert not bias.any()
        assert weight.dtype == bias.dtype == np.float64


@pytest.mark.parametrize("name", BUILDERS)
def test_float32_is_the_default_and_rounds_the_same_numbers(name):
    single, double = BUILDERS[name](rng(1)), BUILDERS[name](rng(1), dtype=np.float64)
    assert single.dtype == np.float32
    assert double.dtype == np.float64
    for key, array in double.state().items():
        np.testing.assert_array_equal(single.state()[key], array.astype(np.float32))


@pytest.mark.parametrize("name", BUILDERS)
def test_same_seed_same_weights_other_seed_others(name):
    first, again, other = (BUILDERS[name](rng(seed)).state() for seed in (1, 1, 2))
    for key, array in first.items():
        np.testing.assert_array_equal(again[key], array)
        assert key.endswith("bias") or not np.array_equal(other[key], array)


@pytest.mark.parametrize("name", BUILDERS)
def test_classes_and_standardize(name):
    model = BUILDERS[name](rng(), classes=7, standardize=(0.25, 0.5))
    assert next(iter(model.layers)) == "standardize"
    assert model.layers["standardize"].settings == {"mean": 0.25, "std": 0.5}
    assert list(model.shapes().values())[-1] == (7,)
    plain = BUILDERS[name](rng(), classes=7)
    x = np.random.default_rng(3).integers(0, 5, (2, *model.input_shape)).astype(np.float32) / 4
    # (x − 1/4)/(1/2) is exact, so both see the same numbers
    np.testing.assert_array_equal(model.predict(x), plain.predict(2 * x - np.float32(0.5)))


@pytest.mark.parametrize(
    ("build", "error"),
    [
        (lambda: networks.listing(rng(), classes=0), ValueError),
        (lambda: networks.lenet_5(rng(), classes=2.5), TypeError),
        (lambda: networks.lenet_300_100(rng(), inputs=0), ValueError),
        (lambda: networks.mlp((64,), rng()), ValueError),
        (lambda: networks.mlp((64, 0, 10), rng()), ValueError),
        (lambda: networks.mlp(((3, -1), 4), rng()), ValueError),
        (lambda: networks.mlp((64, 32.0, 10), rng()), TypeError),
        (lambda: networks.mlp((64, 10), rng(), dtype=np.float16), TypeError),
        (lambda: networks.mlp((64, 10), 0), TypeError),
    ],
)
def test_refuses(build, error):
    with pytest.raises(error):
        build()


def test_listing_by_winograd_trains_as_the_default_does():
    """In float64, four steps on random images: all outputs and weights to 1e-10, with the same draws."""
    models = [networks.listing(rng(3), dtype=np.float64, winograd=winograd) for winograd in (False, True)]
    assert ["winograd" in model.layers["conv2"].settings for model in models] == [False, True]
    assert ["winograd" in model.layers["conv1"].settings for model in models] == [False, False]
    for key, array in models[0].state().items():
        np.testing.assert_array_equal(models[1].state()[key], array)
    assert models[0].summary() == models[1].summary()
    x, y, before = rng(4).standard_normal((8, 1, 32, 32)), np.arange(8) % 10, models[0].copy().state()
    outs, curves = [], []
    for model in models:
        optimizer = nn.SGD(0.01, momentum=0.9)
        curves.append(nn.fit(model, x, y, optimizer=optimizer, epochs=2, batch_size=4, rng=rng(5)))
        outs.append(model.predict(x))
    assert all(np.abs(array - before[key]).max() > 1e-4 for key, array in models[0].state().items())
    for one, other in zip(*curves, strict=True):
        assert abs(one.loss - other.loss) <= 1e-10
    assert not np.array_equal(*outs)
    np.testing.assert_allclose(outs[0], outs[1], rtol=0, atol=1e-10 * np.abs(outs[0]).max())
    for key, array in models[0].state().items():
        np.testing.assert_allclose(models[1].state()[key], array, rtol=0, atol=1e-10)


def test_listing_computes_directly_unless_it_is_told():
    assert "winograd" not in networks.listing(rng()).layers["conv2"].settings
    with pytest.raises(TypeError, match="winograd"):
        networks.listing(rng(), winograd=1)


def test_networks_are_chains():
    assert all(isinstance(BUILDERS[name](rng()), nn.Sequential) for name in BUILDERS)
