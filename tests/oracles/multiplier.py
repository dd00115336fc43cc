"""A real multiplier as M·2^(shift − 31), by exact rational arithmetic."""

from fractions import Fraction

from tests.oracles.kept import kept
from tests.oracles.rounding import to_integer


@kept  # every sum of a matrix has the same
def quantize_multiplier(real, rounding="half_away"):
    """(M, shift) of a Fraction from 0 to below 2³⁰."""
    if real == 0:
        return 0, 0
    shift = 0
    while real / Fraction(2) ** shift >= 1:
        shift += 1
    while real / Fraction(2) ** shift < Fraction(1, 2):
        shift -= 1
    M = to_integer(2**31 * real / Fraction(2) ** shift, rounding)
    if M == 2**31:
        M, shift = 2**30, shift + 1
    return (M, shift) if shift >= -31 else (0, 0)


def real(M, shift):
    """What the pair stands for."""
    return M * Fraction(2) ** (shift - 31)
