"""The clipping threshold with the least expected squared error, from the integrals over the density."""

from collections.abc import Sequence
from fractions import Fraction

import mpmath


def density(t: mpmath.mpf, distribution: str) -> mpmath.mpf:
    """Return the density of Laplace's distribution with b = 1, or of the normal one with σ = 1."""
    if distribution == "laplace":
        return mpmath.exp(-abs(t)) / 2
    assert distribution == "gauss"
    return mpmath.exp(-t * t / 2) / mpmath.sqrt(2 * mpmath.pi)


def expected_error(alpha: float, bits: int, distribution: str) -> mpmath.mpf:
    """Return 2·∫_α^∞ (x − α)² f(x) dx, and the width 2α/2^M squared over 12."""
    alpha = mpmath.mpf(alpha)
    clipped = mpmath.quad(lambda x: (x - alpha) ** 2 * density(x, distribution), [alpha, alpha + 5, mpmath.inf])
    return 2 * clipped + (2 * alpha / 2**bits) ** 2 / 12


def slope(alpha: mpmath.mpf, bits: int, distribution: str) -> mpmath.mpf:
    """Return the derivative of the expected error: −4·∫_α^∞ (x − α) f(x) dx + 2·α/(3·4^M)."""
    clipped = mpmath.quad(lambda x: (x - alpha) * density(x, distribution), [alpha, alpha + 5, mpmath.inf])
    return -4 * clipped + 2 * alpha / (3 * mpmath.mpf(4) ** bits)


def factor(bits: int, distribution: str) -> mpmath.mpf:
    """Return the zero of the slope."""
    with mpmath.workdps(20):
        return mpmath.findroot(lambda a: slope(a, bits, distribution), (0.1, 25), solver="anderson", tol=1e-26)


def mean(x: Sequence[Fraction]) -> Fraction:
    """Return Σ x / n."""
    return sum(x, Fraction(0)) / len(x)


def deviation(x: Sequence[Fraction]) -> Fraction:
    """Return Laplace's b, the mean distance from the mean."""
    m = mean(x)
    return sum((abs(v - m) for v in x), Fraction(0)) / len(x)


def variance(x: Sequence[Fraction], ddof: int) -> Fraction:
    """Return Σ (x − mean)² / (n − ddof)."""
    m = mean(x)
    return sum(((v - m) ** 2 for v in x), Fraction(0)) / (len(x) - ddof)


def clip(
    x: Sequence[Fraction], alpha_per_unit: mpmath.mpf, distribution: str, positive: bool, ddof: int
) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Return the range of this factor around the mean, or from 0 on."""
    unit = number(deviation(x)) if distribution == "laplace" else mpmath.sqrt(number(variance(x, ddof)))
    alpha, middle = alpha_per_unit * unit, number(mean(x))
    return (mpmath.mpf(0), alpha) if positive else (middle - alpha, middle + alpha)


def number(x: Fraction) -> mpmath.mpf:
    """Return the fraction in mpmath's precision."""
    return mpmath.mpf(x.numerator) / x.denominator
