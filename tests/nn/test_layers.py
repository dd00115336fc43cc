import copy
import pickle

import numpy as np
import pytest

from refcompress import nn
from tests.oracles import (
    average_pool2d,
    batch_norm,
    conv2d,
    dropout,
    gelu,
    global_average_pool2d,
    leaky_relu,
    linear,
    max_pool2d,
    relu,
    sigmoid,
    standardize,
    tanh,
    winograd,
)

IMAGES = (2, 4, 5, 6)  # N, C, H, W
ROWS = (2, 5)
SEED = 11  # of the dropout's draws


def integers(shape, dtype=np.float64, seed=3):
    """Small integers, of both signs: sums of their products are exact, and no bit depends on their order."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


def draws(shape, dtype):
    return np.random.default_rng(SEED).random(shape, dtype=dtype)


def linear_case(dtype, bias=True):
    W, b = integers((3, 5), dtype, 4), integers(3, dtype, 5) if bias else None
    return nn.Linear(W, b), ROWS, lambda x: linear.forward(x, W, b), lambda d, x: linear.backward(d, x, W)


def conv_case(dtype, bias=True, **settings):
    options = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
    pairs = {k: v if isinstance(v, tuple) or k == "groups" else (v, v) for k, v in settings.items()}
    options |= pairs
    W = integers((6, 4 // options["groups"], 2, 3), dtype, 4)
    b = integers(6, dtype, 5) if bias else None
    arguments = tuple(options[k] for k in ("stride", "padding", "dilation", "groups"))
    return (
        nn.Conv2d(W, b, **settings),
        IMAGES,
        lambda x: conv2d.forward(x, W, b, *arguments),
        lambda d, x: conv2d.backward(d, x, W, *arguments),
    )


def winograd_arrays(dtype=np.float64):
    return integers((6, 4, 3, 3), dtype, 4), integers(6, dtype, 5)


def winograd_case(dtype):
    W, b = winograd_arrays(dtype)
    arguments = ((1, 1), (1, 2), (1, 1), 1)
    return (
        nn.Conv2d(W, b, padding=(1, 2), winograd=True),
        IMAGES,
        lambda x: conv2d.forward(x, W, b, *arguments),
        lambda d, x: conv2d.backward(d, x, W, *arguments),
    )


def winograd_roundings():
    """The bound of formulas.network.winograd on what `check` computes, in units of u: (n + 90) · absolute values."""
    (W, b), x = winograd_arrays(), integers(IMAGES, seed=8)
    out = winograd.sizes(x, W, b, (1, 2))
    gradients, tiles = winograd.backward_sizes(integers(out.shape, seed=9), x, W, (1, 2))
    terms = (W.shape[1], len(W), tiles, tiles)
    return max((n + 90) * size.max() for n, size in zip(terms, (out, *gradients), strict=True))


def batch_norm_case(dtype, training, shape=IMAGES, **settings):
    channels = shape[1]
    gamma, beta, mean = (integers(channels, dtype, seed) for seed in (4, 5, 6))
    var = integers(channels, dtype, 7) ** 2 + 1
    epsilon = settings.get("epsilon", 1e-5)
    return (
        nn.BatchNorm(gamma, beta, mean, var, **settings),
        shape,
        lambda x: batch_norm.forward(x, gamma, beta, mean, var, training, **settings)[0],
        lambda d, x: batch_norm.backward(d, x, gamma, mean, var, training, epsilon),
    )


# name -> (case of a dtype, training, bound); a case is (layer, shape of x, oracle of forward, oracle of backward).
# Where the bound is 0 every number is a multiple of 1/4 below 2^20, so all is exact. Elsewhere |out| and |gradients|
# stay below 64 and at most 100 roundings of such numbers add up: 100 · 64 · u.
INEXACT = 6400
CASES = {
    "Linear": (linear_case, False, 0),
    "Linear without bias": (lambda t: linear_case(t, bias=False), False, 0),
    "Conv2d": (conv_case, False, 0),
    "Conv2d without bias": (lambda t: conv_case(t, bias=False, padding=1), False, 0),
    "Conv2d pairs": (lambda t: conv_case(t, stride=(2, 1), padding=(1, 2), dilation=(3, 2)), False, 0),
    "Conv2d groups": (lambda t: conv_case(t, groups=2, stride=2), False, 0),
    "Conv2d by Winograd": (winograd_case, False, winograd_roundings()),
    "AveragePool2d": (
        lambda t: (
            nn.AveragePool2d(2),
            IMAGES,
            lambda x: average_pool2d.forward(x, (2, 2), (2, 2), (0, 0)),
            lambda d, x: average_pool2d.backward(d, x.shape, (2, 2), (2, 2), (0, 0)),
        ),
        False,
        0,
    ),
    "AveragePool2d settings": (
        lambda t: (
            nn.AveragePool2d((2, 4), (1, 3), (1, 2), count_include_pad=False),
            IMAGES,
            lambda x: average_pool2d.forward(x, (2, 4), (1, 3), (1, 2), False),
            lambda d, x: average_pool2d.backward(d, x.shape, (2, 4), (1, 3), (1, 2), False),
        ),
        False,
        INEXACT,
    ),
    "MaxPool2d": (
        lambda t: (
            nn.MaxPool2d(2),
            IMAGES,
            lambda x: max_pool2d.forward(x, (2, 2), (2, 2), (0, 0)),
            lambda d, x: max_pool2d.backward(d, x, (2, 2), (2, 2), (0, 0)),
        ),
        False,
        0,
    ),
    "MaxPool2d settings": (
        lambda t: (
            nn.MaxPool2d((2, 3), (2, 1), (1, 0)),
            IMAGES,
            lambda x: max_pool2d.forward(x, (2, 3), (2, 1), (1, 0)),
            lambda d, x: max_pool2d.backward(d, x, (2, 3), (2, 1), (1, 0)),
        ),
        False,
        0,
    ),
    "GlobalAveragePool2d": (
        lambda t: (
            nn.GlobalAveragePool2d(),
            (2, 3, 4, 8),  # 32 pixels: exact
            global_average_pool2d.forward,
            lambda d, x: global_average_pool2d.backward(d, x.shape),
        ),
        False,
        0,
    ),
    "ReLU": (lambda t: (nn.ReLU(), IMAGES, relu.forward, relu.backward), False, 0),
    "LeakyReLU": (
        lambda t: (
            nn.LeakyReLU(0.25),
            IMAGES,
            lambda x: leaky_relu.forward(x, 0.25),
            lambda d, x: leaky_relu.backward(d, x, 0.25),
        ),
        False,
        0,
    ),
    "LeakyReLU default": (
        lambda t: (
            nn.LeakyReLU(),
            IMAGES,
            lambda x: leaky_relu.forward(x, 0.01),
            lambda d, x: leaky_relu.backward(d, x, 0.01),
        ),
        False,
        INEXACT,
    ),
    "Sigmoid": (lambda t: (nn.Sigmoid(), IMAGES, sigmoid.forward, sigmoid.backward), False, INEXACT),
    "Tanh": (lambda t: (nn.Tanh(), IMAGES, tanh.forward, tanh.backward), False, INEXACT),
    "GELU": (lambda t: (nn.GELU(), IMAGES, gelu.forward, gelu.backward), False, INEXACT),
    "Standardize": (
        lambda t: (
            nn.Standardize(3.0, 0.5),
            IMAGES,
            lambda x: standardize.forward(x, 3.0, 0.5),
            lambda d, x: standardize.backward(d, 0.5),
        ),
        False,
        0,
    ),
    "Flatten": (
        lambda t: (nn.Flatten(), IMAGES, lambda x: np.array([list(n.flat) for n in x]), unflatten),
        False,
        0,
    ),
    "Dropout in training": (
        lambda t: (
            nn.Dropout(0.5, np.random.default_rng(SEED)),
            IMAGES,
            lambda x: dropout.forward(x, 0.5, draws(x.shape, t)),
            lambda d, x: dropout.backward(d, 0.5, draws(x.shape, t)),
        ),
        True,
        0,
    ),
    "Dropout": (lambda t: (nn.Dropout(0.5), IMAGES, lambda x: x, lambda d, x: d), False, 0),
    "BatchNorm in training": (lambda t: batch_norm_case(t, True), True, INEXACT),
    "BatchNorm": (lambda t: batch_norm_case(t, False), False, INEXACT),
    "BatchNorm of rows": (lambda t: batch_norm_case(t, True, (7, 3), momentum=0.25, epsilon=0.5), True, INEXACT),
}


def unflatten(dout, x):
    """Channels outermost: entry (c, i, j) of a sample is column (c·H + i)·W + j."""
    dX = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(x.shape):
        dX[n, c, i, j] = dout[n, (c * x.shape[2] + i) * x.shape[3] + j]
    return dX


def check(name, dtype=np.float64, change=lambda layer: layer):
    case, training, roundings = CASES[name]
    layer, shape, forward, backward = case(dtype)
    layer = change(layer)
    bound = roundings * np.finfo(dtype).eps / 2
    x = integers(shape, dtype, 8)
    kept = x.copy()
    out = layer.forward(x, training=training)
    expected = forward(x)
    assert out.dtype == dtype
    assert out.shape == expected.shape
    np.testing.assert_allclose(out, expected, rtol=0, atol=bound)
    dout = integers(out.shape, dtype, 9)
    dX = layer.backward(dout)
    gradients = backward(dout, x)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    assert layer.gradients.keys() == layer.parameters.keys()
    for gradient, wanted in zip((dX, *layer.gradients.values()), gradients, strict=False):
        assert gradient.dtype == dtype
        assert gradient.shape == wanted.shape
        np.testing.assert_allclose(gradient, wanted, rtol=0, atol=bound)
    again = {key: gradient.copy() for key, gradient in layer.gradients.items()}
    assert layer.backward(dout, input_gradient=False) is None
    for key, gradient in layer.gradients.items():
        np.testing.assert_array_equal(gradient, again[key])
    np.testing.assert_array_equal(x, kept)
    return layer


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_equals_the_loops(name, dtype):
    check(name, dtype)


# ---- tests of the check ----


def without_padding(layer):
    return nn.Conv2d(*layer.parameters.values(), stride=(2, 1), dilation=(3, 2))


class DullLinear(nn.Linear):
    def backward(self, dout, *, input_gradient=True):
        dX = super().backward(dout, input_gradient=input_gradient)
        self.gradients.pop("bias")
        return dX


class OffLinear(nn.Linear):
    def backward(self, dout, *, input_gradient=True):
        dX = super().backward(dout, input_gradient=input_gradient)
        self.gradients["weight"] = self.gradients["weight"] * 1.0005
        return dX


class FlattenChannelsLast(nn.Flatten):
    def forward(self, x, *, training=False):
        return super().forward(x.transpose(0, 2, 3, 1))


class ForgetfulDropout(nn.Dropout):
    def forward(self, x, *, training=False):
        return super().forward(x, training=False)


MUTANTS = {
    "padding is lost": ("Conv2d pairs", without_padding),
    "padding is lost by Winograd": (
        "Conv2d by Winograd",
        lambda layer: nn.Conv2d(*layer.parameters.values(), padding=(2, 1), winograd=True),
    ),
    "a weight 0.05 % off by Winograd": (
        "Conv2d by Winograd",
        lambda layer: nn.Conv2d(1.0005 * layer.parameters["weight"], layer.parameters["bias"], **layer.settings),
    ),
    "the slope is lost": ("LeakyReLU", lambda layer: nn.LeakyReLU()),
    "no gradient of the bias": ("Linear", lambda layer: DullLinear(*layer.parameters.values())),
    "a gradient 0.05 % off": ("Linear", lambda layer: OffLinear(*layer.parameters.values())),
    "channels innermost": ("Flatten", lambda layer: FlattenChannelsLast()),
    "no dropout in training": ("Dropout in training", lambda layer: ForgetfulDropout(0.5)),
    "strides swapped": ("MaxPool2d settings", lambda layer: nn.MaxPool2d((2, 3), (1, 2), (1, 0))),
    "the default stride": ("AveragePool2d", lambda layer: nn.AveragePool2d(2, 1)),
    "another epsilon": (
        "BatchNorm of rows",
        lambda layer: nn.BatchNorm(*layer.parameters.values(), *layer.buffers.values()),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_error_is_caught(name):
    case, change = MUTANTS[name]
    with pytest.raises(AssertionError):
        check(case, change=change)


# ---- what every layer holds ----


@pytest.mark.parametrize("name", CASES)
def test_is_rebuilt_from_what_it_holds(name):
    case, training, _ = CASES[name]
    layer, shape, *_ = case(np.float64)
    if not isinstance(layer, nn.Dropout):  # its rng is not part of what is held
        x = integers(shape, seed=8)
        layer.forward(x, training=training)
        rebuilt = type(layer)(**layer.parameters, **layer.buffers, **layer.settings)
        assert rebuilt.settings == layer.settings
        np.testing.assert_array_equal(rebuilt.forward(x), layer.forward(x))
        dout = integers(layer.forward(x).shape, seed=9)
        np.testing.assert_array_equal(rebuilt.backward(dout), layer.backward(dout))
    else:
        assert type(layer)(**layer.settings).settings == {"p": 0.5}


@pytest.mark.parametrize("name", CASES)
def test_a_copy_shares_no_arrays(name):
    case, training, _ = CASES[name]
    layer, shape, *_ = case(np.float32)
    x = integers(shape, np.float32, 8)
    layer.forward(x, training=training)
    copy = layer.copy()
    assert type(copy) is type(layer)
    assert copy.settings == layer.settings
    assert copy.gradients == {}
    for mine, theirs in ((layer.parameters, copy.parameters), (layer.buffers, copy.buffers)):
        assert mine.keys() == theirs.keys()
        for key, array in mine.items():
            np.testing.assert_array_equal(theirs[key], array)
            assert theirs[key].dtype == np.float32
            assert not np.shares_memory(theirs[key], array)


def test_names_of_what_is_held():
    fields = {name: CASES[name][0](np.float64)[0] for name in CASES}
    assert list(fields["Linear"].parameters) == ["weight", "bias"]
    assert list(fields["Linear without bias"].parameters) == ["weight"]
    assert list(fields["Conv2d"].parameters) == ["weight", "bias"]
    assert list(fields["Conv2d"].settings) == ["stride", "padding", "dilation", "groups"]
    assert fields["Conv2d by Winograd"].settings == {
        "stride": 1,
        "padding": (1, 2),
        "dilation": 1,
        "groups": 1,
        "winograd": True,
    }
    assert list(fields["BatchNorm"].parameters) == ["weight", "bias"]
    assert list(fields["BatchNorm"].buffers) == ["running_mean", "running_var"]
    assert fields["AveragePool2d"].settings == {
        "kernel_size": 2,
        "stride": None,
        "padding": 0,
        "count_include_pad": True,
    }
    assert fields["MaxPool2d settings"].settings == {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 0)}
    assert nn.LeakyReLU().settings == {"slope": 0.01}
    assert fields["Standardize"].settings == {"mean": 3.0, "std": 0.5}
    for name in ("ReLU", "Sigmoid", "Tanh", "GELU", "Flatten", "GlobalAveragePool2d"):
        assert fields[name].settings == fields[name].parameters == fields[name].buffers == {}


def test_repr_names_shapes_and_settings():
    assert repr(nn.Linear(np.zeros((2, 3)), np.zeros(2))) == "Linear(weight: 2 × 3, bias: 2)"
    assert repr(nn.MaxPool2d(2)) == "MaxPool2d(kernel_size=2, stride=None, padding=0)"
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.Conv2d(np.zeros((2, 1, 3, 3)), winograd=True)) == (
        "Conv2d(weight: 2 × 1 × 3 × 3, stride=1, padding=0, dilation=1, groups=1, winograd=True)"
    )


@pytest.mark.parametrize(
    ("layer", "output_shape", "expected"),
    [
        (nn.Linear(np.zeros((3, 5))), (3,), 15),
        (nn.Conv2d(np.zeros((6, 2, 3, 4)), groups=2), (6, 5, 7), 5040),  # 6 · 2 · 3 · 4 weights at 5 · 7 places
        (nn.Conv2d(np.zeros((6, 2, 3, 3)), winograd=True), (6, 5, 7), 3780),  # counted as if directly
        (nn.BatchNorm.identity(3), (3, 5, 7), 0),
        (nn.AveragePool2d(2), (3, 5, 7), 0),
    ],
)
def test_macs(layer, output_shape, expected):
    assert layer.macs(output_shape) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_winograd_is_another_way_to_the_same_convolution(dtype):
    """Outputs and gradients agree within the bounds of both; that they are not the same bits shows that it is used."""
    rng = np.random.default_rng(2)
    x, W, b = (rng.standard_normal(shape).astype(dtype) for shape in ((3, 4, 9, 7), (5, 4, 3, 3), (5,)))
    layers = [nn.Conv2d(W, b, padding=1, winograd=w) for w in (False, True)]
    dout = rng.standard_normal((3, 5, 9, 7)).astype(dtype)
    outs, dXs = [layer.forward(x) for layer in layers], [layer.backward(dout) for layer in layers]
    sizes, tiles = winograd.backward_sizes(dout, x, W, (1, 1))
    u = np.finfo(dtype).eps / 2
    # conv2d's sums of 9·C + 1, 9·O and 3·9·7 terms, of no larger absolute values
    pairs = [(*outs, (4 + 90 + 37) * winograd.sizes(x, W, b, (1, 1))), (*dXs, (5 + 90 + 45) * sizes[0])]
    for key, size in (("weight", sizes[1]), ("bias", sizes[2])):
        pairs.append((*(layer.gradients[key] for layer in layers), (tiles + 90 + 189) * size))
    for one, other, bound in pairs:
        assert one.dtype == other.dtype == dtype
        assert (np.abs(one.astype(float) - other) <= 1.01 * u * bound).all()
    assert not np.array_equal(*outs)


def test_winograd_without_bias():
    layer = nn.Conv2d(winograd_arrays()[0], winograd=True)
    out = layer.forward(integers(IMAGES, seed=8))
    assert layer.backward(out, input_gradient=False) is None
    assert list(layer.gradients) == ["weight"]


@pytest.mark.parametrize("kernel", [(5, 5), (3, 5), (1, 3), (1, 1), (2, 2)])
def test_winograd_takes_no_other_kernel(kernel):
    with pytest.raises(ValueError, match=rf"^winograd must be False .*\({kernel[0]}, {kernel[1]}\)"):
        nn.Conv2d(np.zeros((4, 2, *kernel)), winograd=True)
    assert "winograd" not in nn.Conv2d(np.zeros((4, 2, *kernel))).settings


@pytest.mark.parametrize(
    "settings",
    [{"stride": 2}, {"stride": (1, 2)}, {"dilation": 2}, {"dilation": (2, 1)}, {"groups": 2}],
    ids=str,
)
def test_winograd_takes_no_other_steps(settings):
    ((_, value),) = settings.items()
    with pytest.raises(ValueError, match=r"^winograd must be False") as caught:
        nn.Conv2d(np.zeros((4, 1, 3, 3)), winograd=True, **settings)
    assert str(value) in str(caught.value).split("got")[1]


def test_winograd_takes_ones_as_a_pair_and_any_padding():
    layer = nn.Conv2d(np.zeros((4, 2, 3, 3)), stride=(1, 1), dilation=(1, 1), padding=(0, 3), winograd=True)
    assert layer.forward(np.ones((1, 2, 5, 6))).shape == (1, 4, 3, 10)
    assert layer.settings["stride"] == (1, 1)


@pytest.mark.parametrize("value", [1, 0, "yes", None, np.True_])
def test_winograd_is_true_or_false(value):
    with pytest.raises(TypeError, match=r"^winograd must be True or False"):
        nn.Conv2d(np.zeros((4, 2, 3, 3)), winograd=value)


def test_batch_norm_remembers_running_statistics():
    layer = nn.BatchNorm.identity(2, np.float64)
    assert {**layer.parameters, **layer.buffers}.keys() == {"weight", "bias", "running_mean", "running_var"}
    layer.forward(np.array([[1.0, 4.0], [5.0, 4.0]]), training=True)
    # mean 3 and 4; unbiased variance 8 and 0; momentum 0.1
    np.testing.assert_allclose(layer.buffers["running_mean"], [0.3, 0.4], rtol=1e-15)
    np.testing.assert_allclose(layer.buffers["running_var"], [1.7, 0.9], rtol=1e-15)
    kept = {key: array.copy() for key, array in layer.buffers.items()}
    layer.forward(np.array([[9.0, 9.0]]))
    for key, array in kept.items():
        np.testing.assert_array_equal(layer.buffers[key], array)


def test_batch_norm_identity():
    layer = nn.BatchNorm.identity(3)
    assert {array.dtype for array in (*layer.parameters.values(), *layer.buffers.values())} == {np.dtype(np.float32)}
    values = {key: array.tolist() for key, array in {**layer.parameters, **layer.buffers}.items()}
    assert values == {"weight": [1] * 3, "bias": [0] * 3, "running_mean": [0] * 3, "running_var": [1] * 3}


def test_dropout_needs_an_rng_in_training_only():
    layer = nn.Dropout(0.5)
    np.testing.assert_array_equal(layer.forward(np.ones((1, 3))), np.ones((1, 3)))
    with pytest.raises(ValueError, match="rng"):
        layer.forward(np.ones((1, 3)), training=True)


def test_lists_of_floats_are_arrays():
    """As everywhere, lists of Python floats become float64 arrays."""
    layer = nn.Linear([[1.0, 2.0]], [3.0])
    np.testing.assert_array_equal(layer.forward(np.array([[4.0, 5.0]])), [[17.0]])


@pytest.mark.parametrize(
    ("build", "error", "match"),
    [
        (lambda: nn.Linear(np.zeros((2, 3), int)), TypeError, "weight"),
        (lambda: nn.Linear(np.zeros((2, 3), np.float16)), TypeError, "weight"),
        (lambda: nn.Linear(np.zeros(3)), ValueError, "weight"),
        (lambda: nn.Linear(np.zeros((2, 3)), np.zeros(3)), ValueError, "bias"),
        (lambda: nn.Linear(np.zeros((2, 3)), np.zeros(2, np.float32)), TypeError, "bias"),
        (lambda: nn.ReLU(slope=0.1), TypeError, "slope"),
        (lambda: nn.Flatten(weight=np.zeros(2)), TypeError, "weight"),
        (lambda: nn.GlobalAveragePool2d(padding=1), TypeError, "padding"),
        (lambda: nn.Conv2d(np.zeros((2, 3))), ValueError, "weight"),
        (lambda: nn.Conv2d(np.zeros((2, 3, 1, 1)), np.zeros((2, 1))), ValueError, "bias"),
        (lambda: nn.BatchNorm(*np.zeros((3, 1, 2)), np.zeros(2)), ValueError, "weight"),
        (lambda: nn.BatchNorm(*np.zeros((3, 2)), np.zeros(3)), ValueError, "running_var"),
        (lambda: nn.BatchNorm(*np.zeros((3, 2)), np.zeros(2, np.float32)), TypeError, "running_var"),
        (lambda: nn.BatchNorm.identity(3).forward(np.zeros((2, 3, 4), np.float32)), ValueError, "x"),
        (lambda: nn.Linear(np.zeros((2, 3))).forward(np.zeros((5, 4))), ValueError, "shape"),
        (lambda: nn.Conv2d(np.zeros((2, 3, 1, 1)), stride=0).forward(np.zeros((1, 3, 2, 2))), ValueError, "stride"),
    ],
)
def test_refuses(build, error, match):
    with pytest.raises(error, match=match):
        build()


@pytest.mark.parametrize("number", [float, np.float32, np.float64])
@pytest.mark.parametrize(
    ("build", "bad", "name"),
    [
        (lambda v: nn.Standardize(v, 1.0), (np.nan, np.inf, -np.inf), "mean"),
        (lambda v: nn.Standardize(0.0, v), (0.0, -1.0, np.nan, np.inf), "std"),
        (nn.LeakyReLU, (np.nan, np.inf, -np.inf), "slope"),
        (nn.Dropout, (1.0, -0.25, np.nan, np.inf), "p"),
        (lambda v: nn.BatchNorm(*np.ones((4, 2)), momentum=v), (-0.25, 1.5, np.nan), "momentum"),
        (lambda v: nn.BatchNorm(*np.ones((4, 2)), epsilon=v), (0.0, -1.0, np.nan, np.inf), "epsilon"),
    ],
)
def test_settings_out_of_range_are_refused_by_the_constructor(build, bad, name, number):
    for value in bad:
        with pytest.raises(ValueError, match=f"^{name} must be in"):
            build(number(value))
    for value in ("0.5", None, True, np.ones(2)):
        with pytest.raises(TypeError, match=f"^{name} must be a real number"):
            build(value)
    assert build(number(0.5)).settings[name] == 0.5
    assert type(build(number(0.5)).settings[name]) is float


def test_training_leaves_the_callers_arrays_alone():
    rng = np.random.default_rng(3)
    conv, bn, fc = (3, 2, 2, 2), (4, 3), (2, 3 * 6)
    arrays = [rng.standard_normal(shape) for shape in (conv, 3, fc, 2)] + list(rng.uniform(1, 2, bn))
    kept = [array.copy() for array in arrays]
    model = nn.Sequential(
        {
            "conv": nn.Conv2d(*arrays[:2]),
            "bn": nn.BatchNorm(*arrays[4:]),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(*arrays[2:4]),
        }
    )
    x, y = rng.standard_normal((5, 2, 3, 4)), np.array([0, 1, 1, 0, 1])
    nn.fit(model, x, y, optimizer=nn.SGD(0.5, 0.5), epochs=2, batch_size=2, rng=rng, on_step=None)
    held = [model.layers[name] for name in ("conv", "fc", "bn")]
    now = [array for layer in held for array in (*layer.parameters.values(), *layer.buffers.values())]
    for given, before, trained in zip(arrays, kept, now, strict=True):
        np.testing.assert_array_equal(given, before)
        assert not np.shares_memory(given, trained)
        assert not np.array_equal(given, trained)


def test_changing_a_callers_array_does_not_change_the_layer():
    W, b = np.ones((2, 3)), np.ones(2)
    layer = nn.Linear(W, b)
    W[:], b[:] = 9, 9
    assert layer.forward(np.ones((1, 3))).tolist() == [[4.0, 4.0]]


@pytest.mark.parametrize("winograd", [False, True])
def test_groups_are_checked_when_the_layer_is_made(winograd):
    W = np.zeros((2, 1, 3, 3))
    with pytest.raises(TypeError, match=r"groups must be an integer, got 1\.0"):
        nn.Conv2d(W, groups=1.0, winograd=winograd)
    with pytest.raises(ValueError, match="groups must be at least 1, got 0"):
        nn.Conv2d(W, groups=0, winograd=winograd)


@pytest.mark.parametrize("settings", [{}, {"winograd": True}], ids=str)
def test_a_convolution_is_copied_and_pickled_like_any_object(settings):
    """The layer holds nothing but arrays and settings; what changes them changes what is computed."""
    (W, b), x = winograd_arrays(), integers(IMAGES, seed=8)
    layer = nn.Conv2d(W, b, padding=1, **settings)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin.forward(x), layer.forward(x))
    layer.settings["padding"] = 0
    np.testing.assert_array_equal(layer.forward(x), nn.Conv2d(W, b, padding=0, **settings).forward(x))


@pytest.mark.parametrize("layer", [nn.Linear(np.ones((2, 3))), nn.ReLU()], ids=lambda layer: type(layer).__name__)
def test_backward_needs_a_forward_that_ran(layer):
    dout = np.ones((1, 2))
    with pytest.raises(ValueError, match=rf"forward of {type(layer).__name__} must have run before backward"):
        layer.backward(dout)
    with pytest.raises((TypeError, ValueError)):
        layer.forward(np.ones((1, 5), np.int64))
    with pytest.raises(ValueError, match="must have run before backward"):
        layer.backward(dout)
