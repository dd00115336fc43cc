"""Fused multiply-add of float32: a·b + c with one rounding, as the processor's instruction gives it."""

import numpy as np

TIE = np.uint64(1 << 28)  # of the 29 bits that a float64 has and a float32 has not
BELOW = np.uint64((1 << 29) - 1)
TINY = 2.0**-125  # twice the smallest normal float32


def fma(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return fl(a·b + c) of float32 arrays, rounded once to float32.

    The product of two float32 is exact in float64. The sum is rounded to float64, then to float32. The second rounding
    can go astray only from a tie of float32 that the first one has made, or among subnormals. There the sum is rounded
    to odd instead (Boldo and Melquiond, 2008), with the part that was lost from Knuth's two-sum.

    Examples
    --------
    >>> a, b, c = np.float32([1 + 2**-12]), np.float32([1 + 2**-12]), np.float32([2**-40])
    >>> float(fma(a, b, c)[0]) == 1 + 2**-11 + 2**-23, float((a * b + c)[0]) == 1 + 2**-11
    (True, True)
    """
    product = a.astype(np.float64) * b
    addend = np.asarray(c, np.float64)
    total = np.asarray(product + addend)
    suspect = ((total.view(np.uint64) & BELOW) == TIE) | (np.abs(total) < TINY)
    if suspect.any():
        p, q, t = (np.broadcast_to(v, total.shape)[suspect] for v in (product, addend, total))
        rest = t - p
        lost = (p - (t - rest)) + (q - rest)
        even = (t.view(np.uint64) & np.uint64(1)) == 0
        toward = np.where(lost > 0, np.inf, -np.inf)
        total[suspect] = np.where(even & (lost != 0), np.nextafter(t, toward), t)
    return total.astype(np.float32)[()]
