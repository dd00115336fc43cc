"""Dropout with the uniform draws given, one number at a time."""

import numpy as np


def forward(x, p, draws):
    return np.array(
        [float(v) / (1 - p) if u >= p else 0.0 for v, u in zip(np.ravel(x), np.ravel(draws), strict=True)]
    ).reshape(np.shape(x))


def backward(dout, p, draws):
    """The kept numbers are multiplied by 1/(1 − p), so is their gradient."""
    return np.array(
        [float(d) / (1 - p) if u >= p else 0.0 for d, u in zip(np.ravel(dout), np.ravel(draws), strict=True)]
    ).reshape(np.shape(dout))
