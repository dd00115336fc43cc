"""The uniform quantizer w' = s·q + z twice: as the rational formula, and as the floating-point steps it is taken in."""

import math
from fractions import Fraction

from tests.oracles import rounding


def levels(bits: int) -> int:
    """Return the largest code."""
    return 2**bits - 1


def scale(low: Fraction, high: Fraction, bits: int) -> Fraction:
    """Return the exact s of the range [low, high]."""
    return Fraction(1) if low == high else (high - low) / levels(bits)


def float_scale(low: Fraction, high: Fraction, bits: int, name: str) -> Fraction | float:
    """Return s as fl(fl(high − low) / (2^bits − 1)): infinite or 0 where the range has none."""
    if low == high:
        return Fraction(1)
    width = rounding.to_format(high - low, name)
    return width if width == math.inf else rounding.to_format(width / levels(bits), name)


def clip(q: int, bits: int) -> int:
    """Return the code nearest to q."""
    return min(max(q, 0), levels(bits))


def code(w: Fraction, s: Fraction, z: Fraction, bits: int, rule: str, u: Fraction | None = None) -> int:
    """Return the exact code clip(round((w − z)/s), 0, 2^bits − 1)."""
    return clip(rounding.to_integer((w - z) / s, rule, u), bits)


def float_code(
    w: Fraction, s: Fraction, z: Fraction, bits: int, rule: str, name: str, u: Fraction | None = None
) -> int:
    """Return the code as floating point takes it: fl(fl(w − z)/s), then an exact rounding and the clip."""
    difference = rounding.to_format(w - z, name)
    if not isinstance(difference, float):
        quotient = rounding.to_format(difference / s, name)
        if not isinstance(quotient, float):
            return clip(rounding.to_integer(quotient, rule, u), bits)
        difference = quotient
    return levels(bits) if difference > 0 else 0  # an overflow lies far outside of the range: saturate


def value(q: int, s: Fraction, z: Fraction) -> Fraction:
    """Return the exact s·q + z."""
    return s * q + z


def float_value(q: int, s: Fraction, z: Fraction, name: str) -> Fraction | float:
    """Return fl(fl(s·q) + z)."""
    return rounding.to_format(rounding.to_format(s * q, name) + z, name)


def float_restored(
    w: Fraction, s: Fraction, z: Fraction, bits: int, rule: str, names: tuple[str, str], u: Fraction | None = None
) -> Fraction | float:
    """Return the value of w's code; the code is taken in the first format, its value in the second."""
    return float_value(float_code(w, s, z, bits, rule, names[0], u), s, z, names[1])


def error_bound(s: Fraction, rule: str) -> Fraction:
    """Return the largest |w − w'| on [z, z + s·(2^bits − 1)] in exact arithmetic (not reached for the other rules)."""
    return s / 2 if rule in ("half_even", "half_away", "half_up") else s
