"""Rounding by exact rational arithmetic: to an integer under every rule, and to a binary floating-point format."""

import math
from fractions import Fraction

# name of the format: (bits of the significand, exponent of the smallest subnormal, exponent above the largest number)
FORMATS = {"float16": (11, -24, 16), "float32": (24, -149, 128), "float64": (53, -1074, 1024)}


def to_integer(t: Fraction, rule: str, u: Fraction | None = None) -> int:
    """Return the integer that the rule makes of t; `u` is the draw from [0, 1) of the stochastic rule."""
    below, rest = divmod(t.numerator, t.denominator)
    if rule == "floor" or rest == 0:
        return below
    if rule == "ceil":
        return below + 1
    if rule == "toward_zero":
        return below if below >= 0 else below + 1
    if rule == "stochastic":
        return below + 1 if u < Fraction(rest, t.denominator) else below
    if 2 * rest != t.denominator:
        return below if 2 * rest < t.denominator else below + 1
    if rule == "half_even":
        return below if below % 2 == 0 else below + 1
    if rule == "half_away":
        return below + 1 if below >= 0 else below
    if rule == "half_up":
        return below + 1
    if rule == "half_down":
        return below
    if rule == "half_toward_zero":
        return below if below >= 0 else below + 1
    raise KeyError(rule)


def apply(t: float, rule: str, u: float | None = None) -> float:
    """Round one float; infinities, NaN and both zeros stay what they are."""
    if math.isnan(t) or math.isinf(t) or t == 0:
        return t
    return float(to_integer(Fraction(t), rule, None if u is None else Fraction(u)))


def to_format(x: Fraction, name: str) -> Fraction | float:
    """Return the number of the format nearest to x, ties to the even significand; ±inf where it overflows."""
    precision, smallest, above = FORMATS[name]
    size, divisor = abs(x.numerator), x.denominator
    if size == 0:
        return Fraction(0)
    exponent = size.bit_length() - divisor.bit_length()  # floor(log2 |x|), or one more
    if (divisor << exponent if exponent > 0 else divisor) > (size << -exponent if exponent < 0 else size):
        exponent -= 1
    unit = max(exponent - precision + 1, smallest)  # |x| in units of 2^unit is size / divisor
    if unit > 0:
        divisor <<= unit
    else:
        size <<= -unit
    rounded, rest = divmod(size, divisor)
    if 2 * rest > divisor or (2 * rest == divisor and rounded % 2 == 1):
        rounded += 1
    if rounded.bit_length() + unit > above:
        return math.inf if x > 0 else -math.inf
    rounded = rounded if x > 0 else -rounded
    return Fraction(rounded << unit) if unit > 0 else Fraction(rounded, 1 << -unit)
