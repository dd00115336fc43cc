"""Level tables one value at a time: rational arithmetic, with the stated roundings to float32 written out."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from mpmath import mp, mpf

from tests.oracles.rounding import to_format


def f32(x: Fraction) -> Fraction:
    """Return the nearest float32, which must not be infinite."""
    rounded = to_format(x, "float32")
    assert not isinstance(rounded, float)
    return rounded


NF4 = (
    "-1.0 -0.6961928009986877 -0.5250730514526367 -0.39491748809814453 -0.28444138169288635 -0.18477343022823334 "
    "-0.09105003625154495 0.0 0.07958029955625534 0.16093020141124725 0.24611230194568634 0.33791524171829224 "
    "0.44070982933044434 0.5626170039176941 0.7229568362236023 1.0"
)
FP4 = [Fraction(n, 192) for n in (0, 1, 128, 192, 64, 96, 32, 48)]
LEVELS = {
    "nf4": [f32(Fraction(word)) for word in NF4.split()],
    "bitsandbytes_fp4": [f32(size) for size in FP4] + [f32(-size) for size in FP4],
}
SMALLEST = f32(Fraction("1e-38"))


def normal_float(offset: str = "0.9677083") -> list[Fraction]:
    """Return the levels of NF4 from their definition: quantiles of the normal distribution, over the largest.

    Eight probabilities from the offset towards ½ above zero, seven of another spacing below; ½ itself is the zero.
    """
    with mp.workprec(120):
        top, half = mpf(offset), mpf(1) / 2

        def quantiles(count: int) -> list:
            found = []
            for i in range(count):
                p = top + (half - top) * i / count
                found.append(mp.sqrt(2) * mp.erfinv(2 * p - 1))
            return found

        levels = sorted([*quantiles(8), mpf(0), *(-q for q in quantiles(7))])
        largest = levels[-1]
        return [Fraction(int(mp.nint(level / largest * 2**80)), 2**80) for level in levels]


# codes by their levels, of two equal ones the smaller code first; and the float32 midpoints between neighbours
ASCENDING = {
    name: sorted(range(16), key=lambda code, table=table: (table[code], code)) for name, table in LEVELS.items()
}
MIDPOINTS = {
    name: [f32((LEVELS[name][a] + LEVELS[name][b]) / 2) for a, b in pairwise(order)]
    for name, order in ASCENDING.items()
}


def code(t: Fraction, levels: str) -> int:
    """Return the code of a number in [−1, 1]: past every midpoint that lies below it."""
    return ASCENDING[levels][sum(t > midpoint for midpoint in MIDPOINTS[levels])]


def block(values: list[float], levels: str) -> tuple[list[int], Fraction]:
    """Return the codes and absmax of one block."""
    absmax = max(abs(Fraction(v)) for v in values)
    inverse = f32(1 / max(absmax, SMALLEST))
    return [code(max(Fraction(-1), min(Fraction(1), f32(Fraction(v) * inverse))), levels) for v in values], absmax


def quantize(x: np.ndarray, levels: str = "nf4", block_size: int = 64) -> tuple[np.ndarray, list[Fraction]]:
    """Return the codes in x's shape and the list of absmax."""
    flat = [float(v) for v in x.reshape(-1)]
    codes: list[int] = []
    largest = []
    for start in range(0, len(flat), block_size):
        found, absmax = block(flat[start : start + block_size], levels)
        codes += found
        largest.append(absmax)
    return np.array(codes).reshape(x.shape), largest


def value(code: int, absmax: float, levels: str) -> float:
    """Return the float32 value of one code; what a negative level underflows to is −0."""
    level = LEVELS[levels][code]
    size = float(to_format(abs(level) * Fraction(absmax), "float32"))
    return -size if level < 0 else size


def dequantize(codes: np.ndarray, absmax: np.ndarray, levels: str = "nf4", block_size: int = 64) -> np.ndarray:
    """Return the float32 values."""
    flat = [int(c) for c in codes.reshape(-1)]
    out = [value(c, float(absmax[i // block_size]), levels) for i, c in enumerate(flat)]
    return np.array(out, np.float32).reshape(codes.shape)
