"""−Σ_c t_c·log softmax(logits)_c, sample by sample, t the (smoothed) one-hot target."""

import math

import numpy as np


def target(label, classes, smoothing):
    return [(1 - smoothing) * (c == label) + smoothing / classes for c in range(classes)]


def log_softmax(row):
    largest = max(row)
    return [v - largest - math.log(math.fsum(math.exp(w - largest) for w in row)) for v in row]


def forward(logits, labels, reduction="mean", smoothing=0.0):
    losses = []
    for row, label in zip(np.asarray(logits, float).tolist(), labels, strict=True):
        losses.append(
            -math.fsum(t * v for t, v in zip(target(label, len(row), smoothing), log_softmax(row), strict=True) if t)
        )
    return math.fsum(losses) / (len(losses) if reduction == "mean" else 1)


def backward(dout, logits, labels, reduction="mean", smoothing=0.0):
    """∂(−Σ_c t_c·log p_c)/∂l_k = −Σ_c t_c·([c = k] − p_k), term by term."""
    gradient = []
    for row, label in zip(np.asarray(logits, float).tolist(), labels, strict=True):
        t, p = target(label, len(row), smoothing), [math.exp(v) for v in log_softmax(row)]
        gradient.append(
            [
                float(dout)
                * -math.fsum(t[c] * ((c == k) - p[k]) for c in range(len(row)))
                / (len(labels) if reduction == "mean" else 1)
                for k in range(len(row))
            ]
        )
    return np.array(gradient)
