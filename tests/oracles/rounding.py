"""Rounding by exact rational arithmetic: to an integer under every rule, and to a binary floating-point format."""

import math
from fractions import Fraction

# name of the format: (bits of the significand, exponent of the smallest subnormal, exponent above the largest number)
FORMATS = {"float16": (11, -24, 16), "float32": (24, -149, 128), "float64": (53, -1074, 1024)}


def to_integer(t: Fraction, rule: str, u: Fraction | None = None) -> int:
    """Return the integer that the rule makes of t; `u` is the draw from [0, 1) of the stochastic rule."""
    below = t.numerator // t.denominator
    part = t - below
    if rule == "floor" or part == 0:
        return below
    if rule == "ceil":
        return below + 1
    if rule == "toward_zero":
        return below if t > 0 else below + 1
    if rule == "stochastic":
        return below + 1 if u < part else below
    if part != Fraction(1, 2):
        return below if part < Fraction(1, 2) else below + 1
    if rule == "half_even":
        return below if below % 2 == 0 else below + 1
    if rule == "half_away":
        return below + 1 if t > 0 else below
    if rule == "half_up":
        return below + 1
    if rule == "half_down":
        return below
    if rule == "half_toward_zero":
        return below if t > 0 else below + 1
    raise KeyError(rule)


def apply(t: float, rule: str, u: float | None = None) -> float:
    """Round one float; infinities, NaN and both zeros stay what they are."""
    if math.isnan(t) or math.isinf(t) or t == 0:
        return t
    return float(to_integer(Fraction(t), rule, None if u is None else Fraction(u)))


def to_format(x: Fraction, name: str) -> Fraction | float:
    """Return the number of the format nearest to x, ties to the even significand; ±inf where it overflows."""
    precision, smallest, above = FORMATS[name]
    if x == 0:
        return Fraction(0)
    size = abs(x)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()  # floor(log2 |x|), or one more
    if Fraction(2) ** exponent > size:
        exponent -= 1
    unit = Fraction(2) ** max(exponent - precision + 1, smallest)
    rounded = to_integer(size / unit, "half_even") * unit
    if rounded >= Fraction(2) ** above:
        return math.inf if x > 0 else -math.inf
    return rounded if x > 0 else -rounded
