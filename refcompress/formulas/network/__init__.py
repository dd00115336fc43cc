"""Forward and backward pairs of a network's operations (N1, N2)."""

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

__all__ = [
    "average_pool2d",
    "batch_norm",
    "conv2d",
    "dropout",
    "gelu",
    "global_average_pool2d",
    "he_normal",
    "leaky_relu",
    "linear",
    "max_pool2d",
    "mean_squared_error",
    "relu",
    "sigmoid",
    "softmax_cross_entropy",
    "standardize",
    "tanh",
]
