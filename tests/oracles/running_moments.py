"""Moments of a stream of gradients in fractions, and how far sums of the gradients' own precision may be from them."""

from fractions import Fraction

import numpy as np


def moments(gradients):
    """Count, means (neurons, parameters) and squared deviations summed over each neuron's parameters, as Fractions."""
    steps, neurons, parameters = len(gradients), len(gradients[0]), len(gradients[0][0])
    means, squares = [], []
    for i in range(neurons):
        means.append([])
        squares.append(Fraction(0))
        for p in range(parameters):
            column = [float(gradients[t][i][p]).as_integer_ratio() for t in range(steps)]
            unit = max(divisor for _, divisor in column)  # powers of two: all are integers times 1 / unit
            whole = [numerator * (unit // divisor) for numerator, divisor in column]
            total = sum(whole)
            means[-1].append(Fraction(total, steps * unit))
            squares[-1] += Fraction(sum((steps * value - total) ** 2 for value in whole), (steps * unit) ** 2)
    return steps, means, squares


def slack(gradients, span, unit):
    """How far the means (neurons, parameters) and M₂ (neurons,) may be off. Roundings are of relative size `unit`.

    A span of T gradients of K parameters sums d = g − c, one rounding each. S is off by at most T·u·Σ|d|; Q by
    (K + 2)·u·Q; with Σ S²/T ≤ Q (Cauchy–Schwarz) that makes (K + 2 + 2·T)·u·Q for M₂ = Q − Σ S²/T. c is the first
    gradient, and after the first span any mean so far, or 0 for a neuron whose mean is not larger than its deviation.
    Joining two spans adds the effect of their means' errors Δ on (T_a·T_b/T)·Σ δ², and a few roundings in float64.
    """
    gradients = np.array(gradients, np.float64)
    K, v = gradients.shape[2], 2.0**-53
    past, past_mean, past_m2 = 0, np.zeros(gradients.shape[1:]), np.zeros(len(gradients[0]))
    mean_off, m2_off = np.zeros_like(past_mean), np.zeros_like(past_m2)
    for start in range(0, len(gradients), span):
        part = gradients[start : start + span]
        T, mean = len(part), part.mean(axis=0)
        shifts = [past_mean if start else part[0]]
        if start:
            near = past * (past_mean**2).sum(axis=1) <= past_m2 * (1 + 1e-6)
            shifts.append(np.where(near[:, None], 0, past_mean))
        size = np.max([np.abs(part - c).mean(axis=0) for c in shifts], axis=0)
        Q = np.max([((part - c) ** 2).sum(axis=(0, 2)) for c in shifts], axis=0)
        off, delta = T * unit * size + 3 * v * np.abs(mean), mean - past_mean
        whole = past + T
        weight = past * T / whole
        both = mean_off + off
        m2 = past_m2 + ((part - mean) ** 2).sum(axis=(0, 2)) + weight * (delta**2).sum(axis=1)
        m2_off += (K + 2 + 2 * T) * unit * Q + weight * (2 * np.abs(delta) * both + both**2).sum(axis=1)
        m2_off += (K + 8) * v * m2
        mean_off = (past * mean_off + T * off) / whole + 4 * v * (np.abs(past_mean) + np.abs(mean))
        past_mean, past_m2, past = gradients[: start + T].mean(axis=0), m2, whole
    return 1.01 * mean_off, 1.01 * m2_off  # products of roundings, and those of this function
