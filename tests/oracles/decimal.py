"""The decimal quantizer q = round(w·10^places): as the rational formula, and as the floating-point steps it takes."""

import math
from fractions import Fraction

from tests.oracles import rounding


def code(w: Fraction, places: int, rule: str, u: Fraction | None = None) -> int:
    """Return the exact code."""
    return rounding.to_integer(w * 10**places, rule, u)


def float_code(w: Fraction, places: int, rule: str, name: str, u: Fraction | None = None) -> int | None:
    """Return the code of fl(w · fl(10^places)), or None where it lies beyond ±2^53."""
    power = rounding.to_format(Fraction(10**places), name)  # exact up to 10^10 in float32, up to 10^22 in float64
    t = rounding.to_format(w * power, name)
    if isinstance(t, float) and math.isinf(t):
        return None
    q = rounding.to_integer(t, rule, u)
    return q if abs(q) <= 2**53 else None


def float_value(q: int, places: int, name: str) -> Fraction:
    """Return fl(fl(10^−places) · fl(q))."""
    step = rounding.to_format(Fraction(1, 10**places), name)
    return rounding.to_format(step * rounding.to_format(Fraction(q), name), name)


def error_bound(places: int, rule: str) -> Fraction:
    """Return the largest |w − w'| in exact arithmetic (not reached for the rules that are not nearest)."""
    return Fraction(1, (2 if rule in ("half_even", "half_away", "half_up") else 1) * 10**places)
