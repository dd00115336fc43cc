"""The hyperbolic tangent, one number at a time."""

import math

import numpy as np


def derivative(x):
    """1/cosh² x = 4e/(1 + e)² with e = e^−2|x|."""
    e = math.exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2


def forward(x):
    return np.array([math.tanh(float(v)) for v in np.ravel(x)]).reshape(np.shape(x))


def backward(dout, x):
    return np.array(
        [float(d) * derivative(float(v)) for d, v in zip(np.ravel(dout), np.ravel(x), strict=True)]
    ).reshape(np.shape(x))
