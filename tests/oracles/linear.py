"""out[n, m] = Σ_d x[n, d]·W[m, d] + b[m], one product at a time."""

import numpy as np


def forward(x, W, b=None):
    x, W = np.asarray(x, float).tolist(), np.asarray(W, float).tolist()
    out = []
    for row in x:
        out.append([])
        for m, weights in enumerate(W):
            total = 0.0 if b is None else float(b[m])
            for d, weight in enumerate(weights):
                total += row[d] * weight
            out[-1].append(total)
    return np.array(out)


def backward(dout, x, W):
    """Return dX, dW, db; every product x[n, d]·W[m, d] hands dout[n, m] times the other factor to each factor."""
    (N, D), M = np.shape(x), len(W)
    dX, dW, db = np.zeros((N, D)), np.zeros((M, D)), np.zeros(M)
    for n in range(N):
        for m in range(M):
            upstream = float(dout[n][m])
            db[m] += upstream
            for d in range(D):
                dX[n, d] += upstream * float(W[m][d])
                dW[m, d] += upstream * float(x[n][d])
    return dX, dW, db
