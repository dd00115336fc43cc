"""Every formula of the network against PyTorch, forward and backward, in float64."""

from itertools import product

import numpy as np
import pytest

from refcompress.formulas.network import (
    average_pool2d,
    batch_norm,
    conv2d,
    dropout,
    gelu,
    global_average_pool2d,
    he_normal,
    leaky_relu,
    linear,
    max_pool2d,
    mean_squared_error,
    relu,
    sigmoid,
    softmax_cross_entropy,
    standardize,
    tanh,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed: python -m pip install '.[crosscheck]'")
F = torch.nn.functional

pytestmark = pytest.mark.crosscheck

IMAGES = (2, 4, 9, 11)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On arrays this small more threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random(*shapes):
    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape) for shape in shapes]


def check_close(ours, theirs):
    """Sums of at most a few hundred terms of size 1: rounding stays some powers of 10 below 1e-12."""
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def check_against_torch(forward, backward, reference, inputs):
    """Compare outputs, and for one random dout the gradient of every input; return our cache."""
    out, cache = forward(*inputs)
    tensors = [None if value is None else torch.tensor(value, requires_grad=True) for value in inputs]
    expected = reference(*tensors)
    check_close(out, expected)
    dout = np.random.default_rng(2).standard_normal(np.shape(out))
    expected.backward(torch.tensor(dout))
    gradients = backward(dout, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    for gradient, tensor in zip(gradients, tensors, strict=True):
        if tensor is None:
            assert gradient is None
        else:
            check_close(gradient, tensor.grad)
    return cache


@pytest.mark.parametrize("bias", [True, False])
def test_linear(bias):
    x, W, b = random((7, 13), (5, 13), (5,))
    check_against_torch(linear.forward, linear.backward, F.linear, (x, W, b if bias else None))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("dilation", [1, (2, 1)])
@pytest.mark.parametrize("padding", [0, (1, 2), (5, 4)])
@pytest.mark.parametrize("stride", [1, 2, (3, 2), (4, 6)])
def test_conv2d(stride, padding, dilation, groups, bias):
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x, W, b = random(IMAGES, (8, 4 // groups, 3, 5), (8,))
    check_against_torch(
        lambda *inputs: conv2d.forward(*inputs, **options),
        conv2d.backward,
        lambda *inputs: F.conv2d(*inputs, **options),
        (x, W, b if bias else None),
    )


POOLS = [
    (kernel_size, stride, padding)
    for kernel_size, stride, padding in product([1, 3, (2, 5), (9, 11)], [None, 1, (3, 2)], [0, 1, (1, 2), (4, 5)])
    if all(2 * p <= k for p, k in zip(np.broadcast_to(padding, 2), np.broadcast_to(kernel_size, 2), strict=True))
]


@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("options", POOLS)
def test_average_pool2d(options, count_include_pad):
    check_against_torch(
        lambda x: average_pool2d.forward(x, *options, count_include_pad=count_include_pad),
        average_pool2d.backward,
        lambda x: F.avg_pool2d(x, *options, count_include_pad=count_include_pad),
        random(IMAGES),
    )


@pytest.mark.parametrize("values", ["distinct", "ties", "infinite", "NaN"])
@pytest.mark.parametrize("options", POOLS)
def test_max_pool2d(options, values):
    (x,) = random(IMAGES)
    if values == "ties":
        x = np.round(x)
    elif values == "infinite":
        x = np.where(x > 1, x, -np.inf)
    elif values == "NaN":
        x[:, :, 4, 5] = np.nan  # a single one: of several, PyTorch takes the last
    check_against_torch(
        lambda x: max_pool2d.forward(x, *options), max_pool2d.backward, lambda x: F.max_pool2d(x, *options), (x,)
    )


def test_global_average_pool2d():
    check_against_torch(
        global_average_pool2d.forward,
        global_average_pool2d.backward,
        lambda x: F.adaptive_avg_pool2d(x, 1),
        random(IMAGES),
    )


@pytest.mark.parametrize(
    ("formula", "reference"),
    [
        (relu, F.relu),
        (leaky_relu, F.leaky_relu),
        (sigmoid, torch.sigmoid),
        (tanh, torch.tanh),
        (gelu, F.gelu),
    ],
    ids=["relu", "leaky_relu", "sigmoid", "tanh", "gelu"],
)
def test_elementwise(formula, reference):
    x = np.concatenate([np.linspace(-40, 40, 1001), [0.0, -0.0, 1000, -1000]])  # with the kinks
    check_against_torch(formula.forward, formula.backward, reference, (x,))


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.5])
def test_leaky_relu_slope(slope):
    check_against_torch(
        lambda x: leaky_relu.forward(x, slope),
        leaky_relu.backward,
        lambda x: F.leaky_relu(x, slope),
        (np.linspace(-3, 3, 13),),
    )


@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("epsilon", [1e-5, 0.1])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(7, 4), IMAGES])
def test_batch_norm(shape, training, epsilon, momentum):
    x, gamma, beta, running_mean, running_var = random(shape, 4, 4, 4, 4)
    running_var = abs(running_var)
    theirs = torch.tensor(running_mean), torch.tensor(running_var)
    cache = check_against_torch(
        lambda x, gamma, beta: batch_norm.forward(
            x, gamma, beta, running_mean, running_var, training=training, momentum=momentum, epsilon=epsilon
        ),
        batch_norm.backward,
        lambda x, gamma, beta: F.batch_norm(x, *theirs, gamma, beta, training, momentum, epsilon),
        (x, gamma, beta),
    )
    check_close(cache.running_mean, theirs[0])
    check_close(cache.running_var, theirs[1])


@pytest.mark.parametrize("p", [0.0, 0.3, 0.75])
def test_dropout(p):
    # The masks come from different generators, so what a kept number becomes is compared, and its gradient.
    x = np.full(1000, 3.0)
    out, cache = dropout.forward(x, p, np.random.default_rng(3))
    tensor = torch.tensor(x, requires_grad=True)
    expected = F.dropout(tensor, p, training=True)
    expected.sum().backward()
    check_close(np.unique(out), np.unique(expected.detach().numpy()))
    check_close(np.unique(dropout.backward(np.ones(1000), cache)), np.unique(tensor.grad.numpy()))
    check_against_torch(
        lambda x: dropout.forward(x, p, training=False),
        dropout.backward,
        lambda x: F.dropout(x, p, training=False),
        (x,),
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_softmax_cross_entropy(scale, smoothing, reduction):
    logits = scale * random((7, 5))[0]
    labels = np.random.default_rng(3).integers(0, 5, 7)
    check_against_torch(
        lambda logits: softmax_cross_entropy.forward(logits, labels, reduction=reduction, label_smoothing=smoothing),
        softmax_cross_entropy.backward,
        lambda logits: F.cross_entropy(logits, torch.tensor(labels), reduction=reduction, label_smoothing=smoothing),
        (logits,),
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_mean_squared_error(reduction):
    check_against_torch(
        lambda prediction, target: mean_squared_error.forward(prediction, target, reduction=reduction),
        mean_squared_error.backward,
        lambda prediction, target: F.mse_loss(prediction, target, reduction=reduction),
        random((7, 5), (7, 5)),
    )


def test_standardize():
    # A batch norm in evaluation, with ε = 0 and the same statistics for every channel.
    check_against_torch(
        lambda x: standardize.forward(x, 0.3, 0.7),
        standardize.backward,
        lambda x: F.batch_norm(x, torch.full((4,), 0.3, dtype=x.dtype), torch.full((4,), 0.49, dtype=x.dtype), eps=0.0),
        random(IMAGES),
    )


@pytest.mark.parametrize("shape", [(6, 5), (7, 3, 4, 2)])
def test_he_normal(shape):
    # Each initializer divided by its own standard normal numbers is the standard deviation, everywhere.
    ours = he_normal.sample(shape, np.random.default_rng(4), np.float64)
    ours /= np.random.default_rng(4).standard_normal(shape)
    numbers = []
    for fill in (lambda tensor: torch.nn.init.kaiming_normal_(tensor, nonlinearity="relu"), torch.nn.init.normal_):
        with torch.random.fork_rng():
            torch.manual_seed(4)
            numbers.append(fill(torch.empty(shape, dtype=torch.float64)))
    check_close(ours, numbers[0] / numbers[1])
