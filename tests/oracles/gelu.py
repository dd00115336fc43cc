"""x·Φ(x) with the normal distribution function Φ(x) = erfc(−x/√2)/2, one number at a time."""

import math

import numpy as np


def distribution(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def derivative(x):
    """Φ(x) + x·φ(x), φ the normal density."""
    density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return distribution(x) + x * density


def forward(x):
    return np.array([float(v) * distribution(float(v)) for v in np.ravel(x)]).reshape(np.shape(x))


def backward(dout, x):
    return np.array(
        [float(d) * derivative(float(v)) for d, v in zip(np.ravel(dout), np.ravel(x), strict=True)]
    ).reshape(np.shape(x))
