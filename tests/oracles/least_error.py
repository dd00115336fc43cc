"""The search for the range with the least error as a loop over the grid, with a quantizer of its own."""

from collections.abc import Sequence
from fractions import Fraction

import mpmath

from tests.oracles import rounding

Values = Sequence[Fraction]


def fl(x: Fraction, name: str) -> Fraction:
    """Return x in the format."""
    result = rounding.to_format(x, name)
    assert isinstance(result, Fraction), "overflow"
    return result


def gptq(values: Values, low: Fraction, high: Fraction, qmin: int, qmax: int, name: str) -> list[Fraction]:
    """Return the values from codes in [qmin, qmax] of a range that holds 0, float32, ties to even."""
    assert name == "float32"
    low, high = min(low, Fraction(0)), max(high, Fraction(0))
    if low == high:
        low, high = Fraction(-1), Fraction(1)
    s = fl(fl(high - low, name) / (qmax - qmin), name)
    Z = rounding.to_integer(fl(qmin - fl(low / s, name), name), "half_even")
    Z = min(max(Z, qmin), qmax)
    result = []
    for x in values:
        q = rounding.to_integer(fl(x / s, name), "half_even") + Z
        result.append(fl(s * (min(max(q, qmin), qmax) - Z), name))
    return result


def source(values: Values, low: Fraction, high: Fraction, qmin: int, qmax: int, name: str) -> list[Fraction]:
    """Return s·q + low, q = clip(round((x − low)/s)), in the values' own format."""
    assert qmin == 0
    s = Fraction(1) if low == high else fl(fl(high - low, name) / qmax, name)
    result = []
    for x in values:
        q = rounding.to_integer(fl(fl(x - low, name) / s, name), "half_even")
        result.append(fl(fl(s * min(max(q, 0), qmax), name) + low, name))
    return result


def symmetric(values: Values, low: Fraction, high: Fraction, qmin: int, qmax: int, name: str) -> list[Fraction]:
    """Return s·q, s = max(−low, high)/qmax and at least (5·10⁻⁷)/qmax, x·(1/s) rounded away from 0 at ties."""
    assert name == "float32"
    size = max(-low, high, fl(Fraction(5e-7), name))
    s = fl(size / qmax, name)
    inverse = fl(1 / s, name)
    result = []
    for x in values:
        q = rounding.to_integer(fl(x * inverse, name), "half_away")
        result.append(fl(s * min(max(q, qmin + 1), qmax), name))
    return result


QUANTIZERS = {"gptq": gptq, "source": source, "tflite_weights": symmetric}


def shrunken(low: Fraction, high: Fraction, i: int, grid: int, name: str) -> tuple[Fraction, Fraction]:
    """Return the range times p = 1 − i/grid: p in float64, then in the format, then the products rounded."""
    quotient = fl(Fraction(i, grid), "float64")
    p = fl(fl(1 - quotient, "float64"), name)
    return fl(p * low, name), fl(p * high, name)


def candidates(grid: int, max_shrink: float) -> int:
    """Return how many ranges there are: ⌊fl(max_shrink·grid)⌋."""
    product = fl(Fraction(max_shrink) * grid, "float64")
    return product.numerator // product.denominator


def error(values: Values, restored: Values, norm: float) -> Fraction | mpmath.mpf:
    """Return Σ |x̂ − x|^norm, exact for 2."""
    differences = [abs(a - b) for a, b in zip(values, restored, strict=True)]
    if norm == 2:
        return sum((d * d for d in differences), Fraction(0))
    total = mpmath.mpf(0)
    for d in differences:
        total += (mpmath.mpf(d.numerator) / d.denominator) ** mpmath.mpf(norm)
    return total


def search(
    values: Values,
    qmin: int,
    qmax: int,
    convention: str,
    norm: float,
    grid: int,
    max_shrink: float,
    name: str,
) -> list[tuple[tuple[Fraction, Fraction], Fraction | mpmath.mpf]]:
    """Return every range of the grid with its error, the whole range first."""
    found = []
    for i in range(candidates(grid, max_shrink)):
        ends = shrunken(min(values), max(values), i, grid, name)
        found.append((ends, error(values, QUANTIZERS[convention](values, *ends, qmin, qmax, name), norm)))
    return found
