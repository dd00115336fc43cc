"""Integer products: matrices of integers multiplied exactly, by the floating-point BLAS.

Tutorial: tutorials/03_b_bit_quantization.py
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import integer_array

INT32_MAX = 2**31 - 1
SHORTEST = 64  # terms a product in float32 must take at a time to be worth it; else float64


class Factor(NamedTuple):
    """An integer matrix (K, N) as floats, and its largest absolute value."""

    values: np.ndarray
    largest: int


def prepare(b: ArrayLike) -> Factor:
    """Convert a right factor, such as a layer's weights, once for many products.

        values = b in float32 where that is exact, |b| ≤ 2^24, else in float64

    Parameters
    ----------
    b : (K, N) integer array

    Returns
    -------
    Factor(values, largest), largest = max |b|

    Raises
    ------
    TypeError
        If b is not of integers.
    ValueError
        If b has not two dimensions, or max |b| > 2^31 − 1.

    Examples
    --------
    >>> prepare(np.array([[1, -3]], np.int8))
    Factor(values=array([[ 1., -3.]], dtype=float32), largest=3)
    """
    b = integer_array("b", b, ndim=2)
    largest = _largest(b)
    if largest > INT32_MAX:
        raise ValueError(f"b must be within ±{INT32_MAX}, got {largest} as its largest absolute value")
    return Factor(b.astype(np.float32 if largest <= 2**24 else np.float64), largest)


def matmul(a: ArrayLike, b: ArrayLike | Factor) -> np.ndarray:
    """Product of two integer matrices, exact.

        out[m, n] = Σ_k a[m, k] · b[k, n]

    Parameters
    ----------
    a : (M, K) integer array
    b : (K, N) integer array, or what `prepare` made of it

    Returns
    -------
    (M, N) int32 array

    Raises
    ------
    TypeError
        If a or b is not of integers.
    ValueError
        If the shapes do not fit, or a sum could leave int32: K · max|a| · max|b| > 2^31 − 1.

    Notes
    -----
    A float32 holds every integer up to 2^24. While k · max|a| · max|b| ≤ 2^24, every partial sum of k terms, in
    whatever order and with or without fused multiply-adds, is such an integer, and so exact. Longer sums are cut into
    parts of k terms, which are added as int32; int8 by int8 takes 1,024 terms and more at a time. Where k would be
    below 64, the products are formed in float64, whose 2^53 exceeds all that fits int32.

    References
    ----------
    .. [1] Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
       arXiv:1712.05877, section 2.2, eq. 4 (int32 accumulators).
    .. [2] Higham, "Accuracy and stability of numerical algorithms", 2002, section 2.1 (integers in floating point).

    Examples
    --------
    >>> matmul(np.array([[127, -128]], np.int8), np.array([[127], [-128]], np.int8))
    array([[32513]], dtype=int32)
    """
    a = integer_array("a", a, ndim=2)
    values, largest_b = b if isinstance(b, Factor) else prepare(b)
    (M, K), N = a.shape, values.shape[1]
    if len(values) != K:
        raise ValueError(f"b must have {K} rows like a has columns, got {len(values)}")
    largest = _largest(a) * largest_b  # of one term
    if K * largest > INT32_MAX:
        raise ValueError(f"a and b must have sums within ±{INT32_MAX}, got up to {K} terms of {largest}")
    terms = K if largest == 0 else min(K, 2**24 // largest)
    if terms < min(K, SHORTEST):
        return (a.astype(np.float64) @ values.astype(np.float64)).astype(np.int32)
    out = np.zeros((M, N), np.int32)
    for k in range(0, K, max(terms, 1)):
        part = slice(k, k + terms)
        out += (a[:, part].astype(np.float32) @ values[part].astype(np.float32, copy=False)).astype(np.int32)
    return out


def _largest(array: np.ndarray) -> int:
    """Largest absolute value as a Python integer, which does not overflow."""
    return max(int(array.max()), -int(array.min())) if array.size else 0
