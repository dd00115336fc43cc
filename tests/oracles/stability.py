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
