"""The fixed-point quantizer: q = round(w·2^f) saturated to b signed bits, w' = q·2^−f, in exact arithmetic."""

from fractions import Fraction

from tests.oracles import rounding


def code(w: Fraction, fraction_bits: int, bits: int, rule: str, u: Fraction | None = None) -> int:
    """Return the code; multiplying by 2^f is exact, so there is no second, floating-point level."""
    half = 2 ** (bits - 1)
    return min(max(rounding.to_integer(w * 2**fraction_bits, rule, u), -half), half - 1)


def value(q: int, fraction_bits: int) -> Fraction:
    """Return q·2^−f."""
    return Fraction(q, 2**fraction_bits)


def error_bound(fraction_bits: int, rule: str) -> Fraction:
    """Return the largest |w − w'| between the smallest and the largest value that a code stands for."""
    return Fraction(1, (2 if rule in ("half_even", "half_away", "half_up") else 1) * 2**fraction_bits)


def largest_fraction_bits(low: Fraction, high: Fraction, bits: int) -> int | None:
    """Return the largest f in 0..126 under which neither end saturates, by trying them all; None if there is none."""
    if low == high == 0:
        return bits - 1
    half = 2 ** (bits - 1)
    fits = [
        f
        for f in range(127)
        if rounding.to_integer(low * 2**f, "half_even") >= -half
        and rounding.to_integer(high * 2**f, "half_even") <= half - 1
    ]
    return max(fits) if fits else None
