"""Mean or sum of (prediction − target)², one number at a time."""

import math

import numpy as np


def forward(prediction, target, reduction="mean"):
    squares = [(float(p) - float(t)) ** 2 for p, t in zip(np.ravel(prediction), np.ravel(target), strict=True)]
    return math.fsum(squares) / (len(squares) if reduction == "mean" else 1)


def backward(dout, prediction, target, reduction="mean"):
    """Return dprediction, dtarget."""
    count = np.size(prediction) if reduction == "mean" else 1
    dprediction = np.array(
        [
            float(dout) * 2 * (float(p) - float(t)) / count
            for p, t in zip(np.ravel(prediction), np.ravel(target), strict=True)
        ]
    ).reshape(np.shape(prediction))
    return dprediction, -dprediction
