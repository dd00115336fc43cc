"""Ready-made networks: the source's own, and three that everybody knows. Weights by He, biases 0."""

import numpy as np
from numpy.typing import DTypeLike

from refcompress.formulas.checks import integer
from refcompress.formulas.network import he_normal
from refcompress.nn.layers import AveragePool2d, Conv2d, Flatten, Layer, Linear, MaxPool2d, ReLU, Standardize
from refcompress.nn.network import Sequential

Pixels = tuple[float, float]


def listing(
    rng: np.random.Generator,
    *,
    classes: int = 10,
    standardize: Pixels | None = None,
    dtype: DTypeLike = np.float32,
    winograd: bool = False,
) -> Sequential:
    """The network of the source's listings: 544,522 parameters at 10 classes.

    Conv2d(1→32, 3×3, padding 1) – ReLU – Conv2d(32→64, 3×3, padding 1) – ReLU – AveragePool2d(4) – Flatten –
    Linear(4096→128) – ReLU – Linear(128→classes).

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the weights, layer by layer.
    classes : int ≥ 1
    standardize : (mean, std), optional
        Constants of a Standardize layer in front.
    dtype : float32 or float64
    winograd : bool
        Compute the second convolution by formulas.network.winograd (the first has one channel, where it does not pay).

    Returns
    -------
    Sequential for inputs of 1 × 32 × 32

    Examples
    --------
    >>> listing(np.random.default_rng(0)).parameter_count()
    544522
    """
    layers = {
        "conv1": _conv(32, 1, 3, rng, dtype, padding=1),
        "relu1": ReLU(),
        "conv2": _conv(64, 32, 3, rng, dtype, padding=1, winograd=winograd),
        "relu2": ReLU(),
        "pool": AveragePool2d(4),
        "flatten": Flatten(),
        "fc1": _linear(128, 64 * 8 * 8, rng, dtype),
        "relu3": ReLU(),
        "fc2": _linear(classes, 128, rng, dtype),
    }
    return _with_standardize(layers, standardize, (1, 32, 32))


def lenet_5(
    rng: np.random.Generator, *, classes: int = 10, standardize: Pixels | None = None, dtype: DTypeLike = np.float32
) -> Sequential:
    """LeNet-5 in its sizes of 1998, with today's ReLU and max pooling: 61,706 parameters at 10 classes.

    Conv2d(1→6, 5×5) – ReLU – MaxPool2d(2) – Conv2d(6→16, 5×5) – ReLU – MaxPool2d(2) – Flatten – Linear(400→120) –
    ReLU – Linear(120→84) – ReLU – Linear(84→classes); every filter of the second convolution sees all six channels.

    Parameters
    ----------
    rng, classes, standardize, dtype : as for `listing`

    Returns
    -------
    Sequential for inputs of 1 × 32 × 32

    References
    ----------
    .. [1] LeCun et al., "Gradient-based learning applied to document recognition", 1998, section II.B.

    Examples
    --------
    >>> lenet_5(np.random.default_rng(0)).parameter_count()
    61706
    """
    layers = {
        "conv1": _conv(6, 1, 5, rng, dtype),
        "relu1": ReLU(),
        "pool1": MaxPool2d(2),
        "conv2": _conv(16, 6, 5, rng, dtype),
        "relu2": ReLU(),
        "pool2": MaxPool2d(2),
        "flatten": Flatten(),
        "fc1": _linear(120, 16 * 5 * 5, rng, dtype),
        "relu3": ReLU(),
        "fc2": _linear(84, 120, rng, dtype),
        "relu4": ReLU(),
        "fc3": _linear(classes, 84, rng, dtype),
    }
    return _with_standardize(layers, standardize, (1, 32, 32))


def lenet_300_100(
    rng: np.random.Generator,
    *,
    inputs: int | tuple[int, ...] = 784,
    classes: int = 10,
    standardize: Pixels | None = None,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """LeNet-300-100: two hidden layers of 300 and 100 neurons, 266,610 parameters at 784 inputs and 10 classes.

    Parameters
    ----------
    rng, classes, standardize, dtype : as for `listing`
    inputs : int or shape
        Number of inputs, or the shape of one sample, such as (1, 28, 28).

    Returns
    -------
    Sequential

    References
    ----------
    .. [1] LeCun et al., 1998, section III.C.

    Examples
    --------
    >>> lenet_300_100(np.random.default_rng(0)).parameter_count()
    266610
    """
    return mlp((inputs, 300, 100, classes), rng, standardize=standardize, dtype=dtype)


def mlp(
    sizes: tuple[int | tuple[int, ...], *tuple[int, ...]],
    rng: np.random.Generator,
    *,
    standardize: Pixels | None = None,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Multilayer perceptron: Flatten, then Linear layers with a ReLU between each two.

    Parameters
    ----------
    sizes : tuple
        Inputs (a number, or the shape of one sample), neurons of every hidden layer, classes.
    rng, standardize, dtype : as for `listing`

    Returns
    -------
    Sequential

    Examples
    --------
    >>> list(mlp((64, 32, 10), np.random.default_rng(0)).layers)
    ['flatten', 'fc1', 'relu1', 'fc2']
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must hold at least inputs and classes, got {sizes}")
    first, *rest = sizes
    input_shape = first if isinstance(first, tuple) else (first,)
    widths = [int(np.prod([integer("sizes", n, 1) for n in input_shape])), *(integer("sizes", n, 1) for n in rest)]
    layers: dict[str, Layer] = {"flatten": Flatten()}
    for k in range(1, len(widths)):
        layers[f"fc{k}"] = _linear(widths[k], widths[k - 1], rng, dtype)
        if k < len(widths) - 1:
            layers[f"relu{k}"] = ReLU()
    return _with_standardize(layers, standardize, input_shape)


def _conv(
    filters: int,
    channels: int,
    kernel: int,
    rng: np.random.Generator,
    dtype: DTypeLike,
    padding: int = 0,
    winograd: bool = False,
) -> Conv2d:
    weight = he_normal.sample((filters, channels, kernel, kernel), rng, dtype)
    return Conv2d(weight, np.zeros(filters, dtype), padding=padding, winograd=winograd)


def _linear(neurons: int, inputs: int, rng: np.random.Generator, dtype: DTypeLike) -> Linear:
    return Linear(he_normal.sample((neurons, inputs), rng, dtype), np.zeros(neurons, dtype))


def _with_standardize(layers: dict[str, Layer], standardize: Pixels | None, input_shape: tuple[int, ...]) -> Sequential:
    if standardize is not None:
        layers = {"standardize": Standardize(*standardize), **layers}
    return Sequential(layers, input_shape)
