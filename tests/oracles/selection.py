"""Oracle for the selection by score: exact quotients, exact decimal fraction, plain sort."""

import math
from fractions import Fraction


def median(values):
    """The median as Fraction: the middle value, or half the sum of the two in the middle."""
    ordered = sorted(Fraction(float(value)) for value in values)
    half = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2


def median_thresholds(mean, std):
    """The medians of |mean| and of std, as floats."""
    return float(median([abs(float(m)) for m in mean])), float(median(std))


def quotient(value, threshold):
    """value/threshold for values >= 0, with 0/0 = 0 and x/0 = inf."""
    if threshold == 0:
        return 0.0 if value == 0 else math.inf
    try:
        return float(Fraction(value) / Fraction(threshold))
    except OverflowError:
        return math.inf


def score(mean, std, tau_mean, tau_std):
    """max(|mean|/τ_mean, std/τ_std), each quotient exact and rounded once."""
    result = []
    for m, s in zip(mean, std, strict=True):
        result.append(max(quotient(abs(float(m)), tau_mean), quotient(float(s), tau_std)))
    return result


def count(fraction, total):
    """⌊fraction·total⌋ with the fraction as it is written: its shortest decimal."""
    return math.floor(Fraction(repr(float(fraction))) * total)


def smallest(score, fraction):
    """Indices of the smallest scores, taken one by one; the lower index first among equals."""
    chosen = []
    for _ in range(count(fraction, len(score))):
        best = None
        for i in range(len(score)):
            if i not in chosen and (best is None or score[i] < score[best]):
                best = i
        chosen.append(best)
    return sorted(chosen)


def separating_factor(score, selected):
    """Half way between the largest selected score and the smallest other one, as Fraction."""
    largest = max([float(score[i]) for i in selected], default=0.0)
    smallest = min(float(score[i]) for i in range(len(score)) if i not in selected)
    if math.isinf(largest):
        return Fraction(1)
    largest = Fraction(largest)
    if math.isinf(smallest):
        smallest = 3 * largest if largest else Fraction(3)
    return (largest + Fraction(smallest)) / 2


def separating_thresholds(score, selected, tau_mean, tau_std):
    """Both thresholds times the factor: exact, rounded once."""
    factor = separating_factor(score, selected)
    return float(Fraction(tau_mean) * factor), float(Fraction(tau_std) * factor)
