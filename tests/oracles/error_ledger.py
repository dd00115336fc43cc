"""The ledger of a squared error in exact arithmetic, and the steps of a quantization that it shares it among."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import mpmath

from tests.oracles import rounding

Values = Sequence[Fraction]


def ledger(*stages: Values) -> list[Fraction]:
    """Return the parts Σ e_k·e of the steps between the stages, and the total Σ e²."""
    parts = [Fraction(0)] * (len(stages) - 1)
    total = Fraction(0)
    for values in zip(*stages, strict=True):
        whole = values[-1] - values[0]
        total += whole**2
        for k in range(len(parts)):
            parts[k] += (values[k + 1] - values[k]) * whole
    return [*parts, total]


def pairs(*stages: Values) -> list[Fraction]:
    """Return the same parts as squares and cross terms: Σ e_k² + Σ_{j≠k} Σ e_j·e_k."""
    steps = [[b - a for a, b in zip(x, y, strict=True)] for x, y in pairwise(stages)]
    return [sum((a * b for other in steps for a, b in zip(step, other, strict=True)), Fraction(0)) for step in steps]


def unit(*stages: Values) -> Fraction:
    """Return 2⁻⁵⁰ times the smallest power of two above every Σ |e_k·e|; 0 where there is no error."""
    largest = Fraction(0)
    for x, y in pairwise(stages):
        steps = zip(stages[0], x, y, stages[-1], strict=True)
        largest = max(largest, sum((abs((b - a) * (z - first)) for first, a, b, z in steps), Fraction(0)))
    if largest == 0:
        return Fraction(0)
    k = 0
    while Fraction(2) ** k <= largest:
        k += 1
    while Fraction(2) ** (k - 1) > largest:
        k -= 1
    return Fraction(2) ** (k - 50)


def stages(
    x: Values,
    s: Fraction,
    Z: int,
    qmin: int,
    qmax: int,
    stored: Fraction,
    requantize: bool = False,
    output: str = "float32",
) -> list[list[Fraction]]:
    """Return x, clipped, rounded, stored, restored: clip(round(x/s) + Z) and s·(q − Z) in float32, ties to even."""

    def fl(value: Fraction, name: str = "float32") -> Fraction:
        result = rounding.to_format(value, name)
        assert isinstance(result, Fraction), "overflow"
        return result

    def code(value: Fraction, scale: Fraction) -> int:
        return min(max(rounding.to_integer(fl(value / scale), "half_even") + Z, qmin), qmax)

    def back(q: int, scale: Fraction) -> Fraction:
        return fl(scale * (q - Z))

    low, high = sorted((back(qmin, s), back(qmax, s)))
    clipped = [min(max(value, low), high) for value in x]
    rounded = [back(code(value, s), s) for value in x]
    kept = [back(code(value, stored if requantize else s), stored) for value in x]
    return [list(x), clipped, rounded, kept, [fl(value, output) for value in kept]]


def sqnr(x: Values, restored: Values) -> mpmath.mpf:
    """Return 10·log₁₀(Σ x²/Σ (x − x̂)²)."""
    signal = sum((a * a for a in x), Fraction(0))
    noise = sum(((a - b) ** 2 for a, b in zip(x, restored, strict=True)), Fraction(0))
    if noise == 0:
        return mpmath.inf
    with mpmath.workdps(40):
        ratio = signal / noise
        return 10 * mpmath.log10(mpmath.mpf(ratio.numerator) / ratio.denominator)
