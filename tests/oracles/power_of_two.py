"""The power of two next to absmax/qmax, found by trying exponents one after the other in exact arithmetic."""

from fractions import Fraction

TWO = Fraction(2)


def exponent(absmax: Fraction, qmax: Fraction, rounding: str) -> int:
    """Return k of the scale 2^k: the smallest that covers (ceil), or the nearest in the logarithm (nearest)."""
    quotient = absmax / qmax

    def enough(k: int) -> bool:
        if rounding == "ceil":
            return quotient <= TWO**k
        assert rounding == "nearest"
        return quotient**2 < TWO ** (2 * k + 1)  # log₂ quotient < k + ½, squared so that no root is taken

    k = 0
    while not enough(k):
        k += 1
    while enough(k - 1):
        k -= 1
    return k
