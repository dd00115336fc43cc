"""Layers: an operation of the book with its parameters, and what its backward pass must remember.

A layer can be built again from what it holds: `type(layer)(**layer.parameters, **layer.buffers, **layer.settings)`.
"""

from types import ModuleType
from typing import Any

import numpy as np

from refcompress.formulas.checks import boolean, check_ndim, float_array, integer, like, real
from refcompress.formulas.geometry import Pair, pair
from refcompress.formulas.network import (
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
)
from refcompress.formulas.network import winograd as winograd_convolution


class Layer:
    """One operation in a network.

    Attributes
    ----------
    parameters : dict of arrays
        What training changes: "weight" and "bias" where the layer has them.
    gradients : dict of arrays
        ∂L/∂parameter by the same names, set anew by every `backward`.
    buffers : dict of arrays
        What is remembered but not trained (running statistics).
    settings : dict
        The other arguments of the constructor: numbers, pairs of them, booleans.
    """

    operation: ModuleType

    def __init__(self) -> None:
        self.parameters: dict[str, np.ndarray] = {}
        self.gradients: dict[str, np.ndarray] = {}
        self.buffers: dict[str, np.ndarray] = {}
        self.settings: dict[str, Any] = {}
        self._cache: Any = None

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Compute the output and remember what `backward` needs; `training` matters to Dropout and BatchNorm."""
        self._cache = None  # frees its memory for the new one
        out, self._cache = self.operation.forward(x, **self.settings)
        return out

    def backward(self, dout: np.ndarray, *, input_gradient: bool = True) -> np.ndarray | None:
        """Set `gradients` and return ∂L/∂x, or None where it is not asked for."""
        return self.operation.backward(dout, self._remembered()) if input_gradient else None

    def _remembered(self) -> Any:
        """What the last `forward` kept; ValueError where there was none, or it failed."""
        if self._cache is None:
            raise ValueError(f"forward of {type(self).__name__} must have run before backward")
        return self._cache

    def macs(self, output_shape: tuple[int, ...]) -> int:
        """Multiply–accumulates for one sample whose output has this shape; only layers with weights count."""
        return 0

    def copy(self) -> "Layer":
        """Return a layer with copies of the arrays and without gradients."""
        return type(self)(**self.parameters, **self.buffers, **self.settings)

    def __repr__(self) -> str:
        shapes = [f"{name}: {' × '.join(map(str, array.shape))}" for name, array in self.parameters.items()]
        settings = [f"{name}={value!r}" for name, value in self.settings.items()]
        return f"{type(self).__name__}({', '.join(shapes + settings)})"


class _Weighted(Layer):
    """A layer of neurons: row i of the weight and entry i of the bias belong to neuron i."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray | None, ndim: int) -> None:
        super().__init__()
        weight = self.parameters["weight"] = float_array("weight", weight, ndim=ndim).copy()  # training changes it
        if bias is not None:
            self.parameters["bias"] = like("bias", bias, weight.shape[:1], weight.dtype).copy()

    def _chosen(self) -> tuple[ModuleType, dict[str, Any]]:
        """The operation that computes this layer, and the options of its forward."""
        return self.operation, self.settings

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        operation, options = self._chosen()
        self._cache = None
        out, self._cache = operation.forward(x, self.parameters["weight"], self.parameters.get("bias"), **options)
        return out

    def backward(self, dout: np.ndarray, *, input_gradient: bool = True) -> np.ndarray | None:
        self.gradients = {}  # frees the memory that the new ones can take, while it is in the cache
        operation, _ = self._chosen()
        dX, dW, db = operation.backward(dout, self._remembered(), input_gradient=input_gradient)
        self.gradients = {"weight": dW} if db is None else {"weight": dW, "bias": db}
        return dX


class Linear(_Weighted):
    """Fully connected layer: weight (M, D), bias (M,) or None."""

    operation = linear

    def __init__(self, weight: np.ndarray, bias: np.ndarray | None = None) -> None:
        super().__init__(weight, bias, ndim=2)

    def macs(self, output_shape: tuple[int, ...]) -> int:
        return linear.macs(self.parameters["weight"])


class Conv2d(_Weighted):
    """Convolution: weight (O, C/groups, kh, kw), bias (O,) or None.

    `winograd=True` computes it by formulas.network.winograd, which is faster with many channels and a little less
    accurate; for 3×3 filters with stride, dilation and groups 1 only.
    """

    operation = conv2d

    def __init__(
        self,
        weight: np.ndarray,
        bias: np.ndarray | None = None,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        winograd: bool = False,
    ) -> None:
        super().__init__(weight, bias, ndim=4)
        groups = integer("groups", groups, 1)
        self.settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        if boolean("winograd", winograd):
            kernel_size = self.parameters["weight"].shape[2:]
            steps = pair("stride", stride, 1), pair("dilation", dilation, 1)
            if kernel_size != (3, 3) or steps != ((1, 1), (1, 1)) or groups != 1:
                raise ValueError(
                    "winograd must be False unless the kernel is 3 × 3 with stride, dilation and groups 1, got "
                    f"{kernel_size} with {stride}, {dilation} and {groups}"
                )
            self.settings["winograd"] = True

    def _chosen(self) -> tuple[ModuleType, dict[str, Any]]:
        if self.settings.get("winograd"):
            return winograd_convolution, {"padding": self.settings["padding"]}
        return super()._chosen()

    def macs(self, output_shape: tuple[int, ...]) -> int:
        return conv2d.macs(self.parameters["weight"], *output_shape[1:])


class AveragePool2d(Layer):
    """Average pooling."""

    operation = average_pool2d

    def __init__(
        self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, *, count_include_pad: bool = True
    ) -> None:
        super().__init__()
        self.settings = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "count_include_pad": count_include_pad,
        }


class MaxPool2d(Layer):
    """Max pooling."""

    operation = max_pool2d

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.settings = {"kernel_size": kernel_size, "stride": stride, "padding": padding}


class GlobalAveragePool2d(Layer):
    """Mean of every channel: (N, C, H, W) to (N, C, 1, 1)."""

    operation = global_average_pool2d


class ReLU(Layer):
    """Rectified linear unit."""

    operation = relu


class LeakyReLU(Layer):
    """Leaky rectified linear unit."""

    operation = leaky_relu

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        self.settings = {"slope": real("slope", slope, -np.inf, np.inf, open_low=True, open_high=True)}


class Sigmoid(Layer):
    """Logistic sigmoid."""

    operation = sigmoid


class Tanh(Layer):
    """Hyperbolic tangent."""

    operation = tanh


class GELU(Layer):
    """Gaussian error linear unit, exact."""

    operation = gelu


class Standardize(Layer):
    """Subtract a constant mean and divide by a constant standard deviation."""

    operation = standardize

    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        mean = real("mean", mean, -np.inf, np.inf, open_low=True, open_high=True)
        self.settings = {"mean": mean, "std": real("std", std, 0, np.inf, open_low=True, open_high=True)}


class Flatten(Layer):
    """All axes but the first become one, channels outermost: (N, C, H, W) to (N, C·H·W)."""

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        self._cache = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout: np.ndarray, *, input_gradient: bool = True) -> np.ndarray | None:
        return dout.reshape(self._cache) if input_gradient else None


class Dropout(Layer):
    """Dropout; `rng` is needed for training only, and is not part of what is stored."""

    def __init__(self, p: float, rng: np.random.Generator | None = None) -> None:
        super().__init__()
        self.settings = {"p": real("p", p, 0, 1, open_high=True)}
        self.rng = rng

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        out, self._cache = dropout.forward(x, self.settings["p"], self.rng, training=training)
        return out

    def backward(self, dout: np.ndarray, *, input_gradient: bool = True) -> np.ndarray | None:
        return dropout.backward(dout, self._cache) if input_gradient else None

    def copy(self) -> "Dropout":
        return Dropout(self.settings["p"], self.rng)


class BatchNorm(Layer):
    """Batch normalization of (N, C) or (N, C, H, W): weight γ, bias β and running statistics, each (C,)."""

    def __init__(
        self,
        weight: np.ndarray,
        bias: np.ndarray,
        running_mean: np.ndarray,
        running_var: np.ndarray,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        epsilon = real("epsilon", epsilon, 0, np.inf, open_low=True, open_high=True)
        self.settings = {"momentum": real("momentum", momentum, 0, 1), "epsilon": epsilon}
        weight = float_array("weight", weight, ndim=1).copy()
        self.parameters = {"weight": weight, "bias": like("bias", bias, weight.shape, weight.dtype).copy()}
        self.buffers = {
            "running_mean": like("running_mean", running_mean, weight.shape, weight.dtype).copy(),
            "running_var": like("running_var", running_var, weight.shape, weight.dtype).copy(),
        }

    @classmethod
    def identity(cls, channels: int, dtype: type[np.floating] = np.float32) -> "BatchNorm":
        """Return the layer before training: γ = 1, β = 0, running mean 0 and variance 1."""
        return cls(
            np.ones(channels, dtype), np.zeros(channels, dtype), np.zeros(channels, dtype), np.ones(channels, dtype)
        )

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        check_ndim("x", x, (2, 4))
        out, self._cache = batch_norm.forward(
            x, *self.parameters.values(), *self.buffers.values(), training=training, **self.settings
        )
        self.buffers = {"running_mean": self._cache.running_mean, "running_var": self._cache.running_var}
        return out

    def backward(self, dout: np.ndarray, *, input_gradient: bool = True) -> np.ndarray | None:
        dX, dgamma, dbeta = batch_norm.backward(dout, self._cache)
        self.gradients = {"weight": dgamma, "bias": dbeta}
        return dX if input_gradient else None
