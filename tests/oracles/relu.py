"""max(x, 0), one number at a time."""

import numpy as np


def value(x):
    return x if x > 0 else 0.0


def derivative(x):
    return 1.0 if x > 0 else 0.0


def forward(x):
    return np.array([value(float(v)) for v in np.ravel(x)]).reshape(np.shape(x))


def backward(dout, x):
    return np.array(
        [float(d) * derivative(float(v)) for d, v in zip(np.ravel(dout), np.ravel(x), strict=True)]
    ).reshape(np.shape(x))
