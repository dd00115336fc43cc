"""Batch normalisation, channel by channel, the gradient from the full Jacobian."""

import math

import numpy as np


def statistics(x, channel):
    """Return the count, the mean and the sum of squared deviations of one channel."""
    values = [float(v) for v in np.ravel(np.moveaxis(np.asarray(x), 1, 0)[channel])]
    mean = math.fsum(values) / len(values)
    return len(values), mean, math.fsum((v - mean) ** 2 for v in values)


def forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, epsilon=1e-5):
    """Return out, the new running mean and the new running variance."""
    out, means, variances = np.zeros(np.shape(x)), [float(v) for v in running_mean], [float(v) for v in running_var]
    for place in np.ndindex(np.shape(x)):
        c = place[1]
        mean, variance = float(running_mean[c]), float(running_var[c])
        if training:
            count, mean, squares = statistics(x, c)
            variance = squares / count
        out[place] = float(gamma[c]) * (float(x[place]) - mean) / math.sqrt(variance + epsilon) + float(beta[c])
    if training:
        for c in range(len(means)):
            count, mean, squares = statistics(x, c)
            means[c] = (1 - momentum) * means[c] + momentum * mean
            variances[c] = (1 - momentum) * variances[c] + momentum * squares / (count - 1)
    return out, np.array(means), np.array(variances)


def backward(dout, x, gamma, running_mean, running_var, training, epsilon=1e-5):
    """Return dX, dgamma, dbeta.

    With m values in a channel, v_j = x_j − mean and r = 1/√(variance + ε):
    ∂mean/∂x_j = 1/m and ∂variance/∂x_j = 2·v_j/m, so ∂(r·v_i)/∂x_j = r·([i = j] − 1/m) − r³·v_i·v_j/m.
    """
    dX, dgamma, dbeta = np.zeros(np.shape(x)), np.zeros(len(gamma)), np.zeros(len(gamma))
    for c in range(len(gamma)):
        places = [place for place in np.ndindex(np.shape(x)) if place[1] == c]
        m, mean, squares = statistics(x, c)
        variance = squares / m
        if not training:
            mean, variance = float(running_mean[c]), float(running_var[c])
        r = 1 / math.sqrt(variance + epsilon)
        v = [float(x[place]) - mean for place in places]
        upstream = [float(dout[place]) for place in places]
        for j, place in enumerate(places):
            dgamma[c] += upstream[j] * r * v[j]
            dbeta[c] += upstream[j]
            for i in range(m):
                jacobian = r if i == j else 0.0
                if training:
                    jacobian += -r / m - r**3 * v[i] * v[j] / m
                dX[place] += upstream[i] * float(gamma[c]) * jacobian
    return dX, dgamma, dbeta
