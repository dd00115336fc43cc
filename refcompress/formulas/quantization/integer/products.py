"""Integer products: sums of products of integers with zero points, exact, formed by the floating-point BLAS.

Tutorial: tutorials/05_integer_arithmetic.py
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import integer, integer_array
from refcompress.formulas.quantization.integer.checks import (
    INT32_MAX,
    check_sums,
    distance,
    ends,
    type_ends,
    zero_points,
)

SHORTEST = 64  # terms a product in float32 must take at a time to be worth it; else float64


class Factor(NamedTuple):
    """An integer matrix (K, N) as floats, its largest absolute value, and what zero points need of its columns.

    `low`, `high` and `sums` are (N,) arrays: smallest, largest and sum of every column, the sums modulo 2^32 as int32.
    `ends` are those of the integers' type.
    """

    values: np.ndarray
    largest: int
    low: np.ndarray
    high: np.ndarray
    sums: np.ndarray
    ends: tuple[int, int]


def prepare(b: ArrayLike) -> Factor:
    """Convert a right factor, such as a layer's weights, once for many products.

        values = b in float32 where that is exact, |b| ≤ 2^24, else in float64

    Parameters
    ----------
    b : (K, N) integer array

    Returns
    -------
    Factor(values, largest, low, high, sums, ends), largest = max |b|

    Raises
    ------
    TypeError
        If b is not of integers.
    ValueError
        If b has not two dimensions, or max |b| > 2^31 − 1.

    Examples
    --------
    >>> factor = prepare(np.array([[1, -3], [5, 0]], np.int8))
    >>> factor.values, factor.largest, factor.sums
    (array([[ 1., -3.],
           [ 5.,  0.]], dtype=float32), 5, array([ 6, -3], dtype=int32))
    """
    b = integer_array("b", b, ndim=2)
    low, high = (end(axis=0) if len(b) else np.zeros(b.shape[1], b.dtype) for end in (b.min, b.max))
    largest = distance(low, high)
    if largest > INT32_MAX:
        raise ValueError(f"b must be within ±{INT32_MAX}, got {largest} as its largest absolute value")
    values = b.astype(np.float32 if largest <= 2**24 else np.float64)
    return Factor(values, largest, low, high, b.sum(axis=0, dtype=np.int32), type_ends(b.dtype))


def matmul(a: ArrayLike, b: ArrayLike | Factor, a_zero_point: ArrayLike = 0, b_zero_point: ArrayLike = 0) -> np.ndarray:
    """Product of two integer matrices with zero points, exact.

        out[m, n] = Σ_k (a[m, k] − z_a) · (b[k, n] − z_b)
                  = Σ_k a[m, k] · b[k, n]  −  z_b Σ_k a[m, k]  −  z_a Σ_k b[k, n]  +  K · z_a · z_b

    Parameters
    ----------
    a : (M, K) integer array
    b : (K, N) integer array, or what `prepare` made of it
    a_zero_point : integer, or (M,) integer array, in the range of a's dtype
        z_a, one for all or one for every row of a.
    b_zero_point : integer, or (N,) integer array, in the range of b's dtype
        z_b, one for all or one for every column of b.

    Returns
    -------
    (M, N) int32 array

    Raises
    ------
    TypeError
        If an argument is not of integers.
    ValueError
        If the shapes do not fit, a zero point is no code of its array's dtype, or a sum could leave int32:
        K · max|a − z_a| · max|b − z_b| > 2^31 − 1.

    Notes
    -----
    The second line costs one product and sums over rows and columns, where the first would need copies of a and b that
    are one bit wider; column sums of weights are known beforehand. Its terms can leave int32 while their total does not
    (a = 255, z_a = 250). All are therefore taken modulo 2^32, where sums and differences wrap and products are right
    modulo 2^32: the total, which the bound puts within int32, is right without any "modulo".

    A float32 holds every integer up to 2^24. While k · max|a| · max|b| ≤ 2^24, every partial sum of k terms, in
    whatever order and with or without fused multiply-adds, is such an integer, and so exact. Longer sums are cut into
    parts of k terms, which are added as int32; int8 by int8 takes 1,024 terms and more at a time. Where k would be
    below 64, the products are formed in float64, exact up to 2^53, which exceeds all that fits int32; only large
    operands close to their zero points can exceed that too, and are multiplied as int64, modulo 2^64.

    References
    ----------
    .. [1] Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
       arXiv:1712.05877, section 2.2, eq. 4 (int32 accumulators) and section 2.3, eq. 7 and 8 (the four terms).
    .. [2] Higham, "Accuracy and stability of numerical algorithms", 2002, section 2.1 (integers in floating point).
    .. [3] ONNX, operator MatMulInteger.

    Examples
    --------
    >>> matmul(np.array([[127, -128]], np.int8), np.array([[127], [-128]], np.int8))
    array([[32513]], dtype=int32)
    >>> matmul(np.array([[255, 0]], np.uint8), np.array([[3], [4]], np.uint8), a_zero_point=250, b_zero_point=5)
    array([[240]], dtype=int32)
    """
    a = integer_array("a", a, ndim=2)
    factor = b if isinstance(b, Factor) else prepare(b)
    values, largest_b = factor.values, factor.largest
    (M, K), N = a.shape, values.shape[1]
    if len(values) != K:
        raise ValueError(f"b must have {K} rows like a has columns, got {len(values)}")
    z_a = zero_points("a_zero_point", a_zero_point, M, type_ends(a.dtype))
    z_b = zero_points("b_zero_point", b_zero_point, N, factor.ends)
    largest_a = distance(*ends(a, 0))
    distance_a = largest_a if not z_a.any() else distance(*ends(a, z_a.ndim), z_a)
    distance_b = largest_b if not z_b.any() else distance(factor.low, factor.high, z_b)
    check_sums("a and b", K, distance_a * distance_b, bool(z_a.any() or z_b.any()))

    out = _product(a, values, largest_a * largest_b)
    if z_b.any():  # the rest is modulo 2^32: int32 arrays wrap
        out -= a.sum(axis=1, dtype=np.int32)[:, None] * z_b.astype(np.int32)
    if z_a.any():
        sums = factor.sums - np.array([K], np.int32) * z_b.astype(np.int32)  # Σ_k (b − z_b)
        out -= z_a.astype(np.int32).reshape(-1, 1) * sums
    return out


def overflow_bound(terms: int, largest_a: int, largest_b: int) -> int:
    """Largest absolute value that a sum of products can take.

        |Σ_k (a_k − z_a)(b_k − z_b)| ≤ K · max|a − z_a| · max|b − z_b|

    Parameters
    ----------
    terms : int ≥ 0
        K.
    largest_a, largest_b : int ≥ 0
        max|a − z_a| and max|b − z_b|: up to 128 for int8 without zero points, 255 with any zero point of its range.

    Returns
    -------
    int, which an accumulator of B bits holds if it is at most 2^(B−1) − 1

    Raises
    ------
    TypeError
        If an argument is not an integer.
    ValueError
        If an argument is negative.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 2.2.

    Examples
    --------
    >>> overflow_bound(1024, 128, 128) == 2**24
    True
    >>> overflow_bound(33_025, 255, 255) <= 2**31 - 1 < overflow_bound(33_026, 255, 255)
    True
    """
    return integer("terms", terms, 0) * integer("largest_a", largest_a, 0) * integer("largest_b", largest_b, 0)


def _product(a: np.ndarray, values: np.ndarray, largest: int) -> np.ndarray:
    """Σ_k a[m, k]·b[k, n] modulo 2^32 as int32, where no term exceeds `largest`."""
    (M, K), N = a.shape, values.shape[1]
    terms = K if largest == 0 else min(K, 2**24 // largest)
    if terms < min(K, SHORTEST):
        if K * largest <= 2**53:
            return (a.astype(np.float64) @ values.astype(np.float64)).astype(np.int64).astype(np.int32)
        return (a.astype(np.int64) @ values.astype(np.int64)).astype(np.int32)
    out = np.zeros((M, N), np.int32)
    for k in range(0, K, max(terms, 1)):
        part = slice(k, k + terms)
        out += (a[:, part].astype(np.float32) @ values[part].astype(np.float32, copy=False)).astype(np.int32)
    return out
