"""Oracle for the gradient stability (P1–P3): plain loops over exact fractions."""

import math
from fractions import Fraction


def root(value):
    """Square root of a Fraction as float: 70 or more correct bits from the integer root, then one rounding."""
    if value == 0:
        return 0.0
    shift = max(0, 70 + (value.denominator.bit_length() - value.numerator.bit_length()) // 2 + 1)
    return float(Fraction(math.isqrt((value.numerator << (2 * shift)) // value.denominator), 1 << shift))


def mean(gradients):
    """P1: one Fraction per neuron; `gradients` holds one row per iteration."""
    steps = len(gradients)
    result = []
    for i in range(len(gradients[0])):
        total = Fraction(0)
        for t in range(steps):
            total += Fraction(float(gradients[t][i]))
        result.append(total / steps)
    return result


def variance(gradients, ddof=0):
    """The square of P2: one Fraction per neuron."""
    steps = len(gradients)
    means = mean(gradients)
    result = []
    for i in range(len(gradients[0])):
        total = Fraction(0)
        for t in range(steps):
            total += (Fraction(float(gradients[t][i])) - means[i]) ** 2
        result.append(total / (steps - ddof))
    return result


def std(gradients, ddof=0):
    """P2 as floats."""
    return [root(value) for value in variance(gradients, ddof)]


def neuron_gradients(dW, db, reduce):
    """One float per neuron: its weights' and bias's gradients of one iteration, reduced."""
    result = []
    for i in range(len(dW)):
        values = [Fraction(float(value)) for value in dW[i].ravel()]
        if db is not None:
            values.append(Fraction(float(db[i])))
        if reduce == "bias":
            result.append(float(db[i]))
        elif reduce == "l2":
            result.append(root(sum(value * value for value in values)))
        elif reduce == "sum":
            result.append(float(sum(values)))
        elif reduce == "mean":
            result.append(float(sum(values) / len(values)))
        elif reduce == "mean_abs":
            result.append(float(sum(abs(value) for value in values) / len(values)))
        else:
            raise AssertionError(reduce)
    return result


def rms_of_parameter_moments(W_moments, b_moments):
    """One float per neuron: the root of the mean square over its weights and bias."""
    result = []
    for i in range(len(W_moments)):
        squares = [Fraction(float(value)) ** 2 for value in W_moments[i].ravel()]
        if b_moments is not None:
            squares.append(Fraction(float(b_moments[i])) ** 2)
        result.append(root(sum(squares) / len(squares)))
    return result


def stability(dW_steps, db_steps, reduce, ddof=0):
    """(mean, std) of every neuron over the iterations, for every reading of g_i(t); db_steps may hold None."""
    if reduce != "rms_of_parameter_moments":
        rows = [neuron_gradients(dW, db, reduce) for dW, db in zip(dW_steps, db_steps, strict=True)]
        return [float(value) for value in mean(rows)], std(rows, ddof)
    neurons = len(dW_steps[0])
    means, stds = [], []
    for i in range(neurons):
        rows = []
        for dW, db in zip(dW_steps, db_steps, strict=True):
            rows.append([*dW[i].ravel()] + ([] if db is None else [db[i]]))
        parameter_means, parameter_variances = mean(rows), variance(rows, ddof)
        means.append(root(sum(value * value for value in parameter_means) / len(parameter_means)))
        stds.append(root(sum(parameter_variances) / len(parameter_variances)))
    return means, stds


def ieee_quotient(numerator, denominator):
    """The float64 quotient, with the signed infinities and the NaN that Python's own division refuses."""
    if denominator == 0:
        if numerator == 0:
            return math.nan
        return math.copysign(math.inf, numerator) * math.copysign(1.0, denominator)
    try:
        return float(Fraction(numerator) / Fraction(denominator))
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf


def unimportant(mean, std, tau_mean, tau_std, rule="text"):
    """P3, or the listing's test, as a list of bools."""
    result = []
    for m, s in zip(mean, std, strict=True):
        m, s = float(m), float(s)
        if rule == "text":
            result.append(abs(m) < tau_mean and s < tau_std)
        elif rule == "listing":
            result.append(m < tau_mean and ieee_quotient(s, m) < tau_std)
        else:
            raise AssertionError(rule)
    return result
