"""What remembers: layers, networks, optimizers, the training loop and the gradient history."""

from refcompress.nn import networks
from refcompress.nn.history import GradientHistory
from refcompress.nn.layers import (
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
    ReLU,
    Sigmoid,
    Standardize,
    Tanh,
)
from refcompress.nn.network import Network, Node, Sequential
from refcompress.nn.optimizers import SGD, Adam, AdamW
from refcompress.nn.schedules import cosine_schedule, step_schedule
from refcompress.nn.training import Epoch, Evaluation, evaluate, fit, gradient_pass

__all__ = [
    "GELU",
    "SGD",
    "Adam",
    "AdamW",
    "AveragePool2d",
    "BatchNorm",
    "Conv2d",
    "Dropout",
    "Epoch",
    "Evaluation",
    "Flatten",
    "GlobalAveragePool2d",
    "GradientHistory",
    "Layer",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Network",
    "Node",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Standardize",
    "Tanh",
    "cosine_schedule",
    "evaluate",
    "fit",
    "gradient_pass",
    "networks",
    "step_schedule",
]
