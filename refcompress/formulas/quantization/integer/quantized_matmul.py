"""Quantized matrix product: from codes to codes, as a fully connected layer computes them.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.checks import integer_array
from refcompress.formulas.quantization.integer import products, requantization
from refcompress.formulas.quantization.integer.checks import outputs


def matmul(
    a: ArrayLike,
    b: ArrayLike | products.Factor,
    bias: ArrayLike | None = None,
    *,
    a_scale: ArrayLike,
    b_scale: ArrayLike,
    out_scale: ArrayLike,
    a_zero_point: ArrayLike = 0,
    b_zero_point: ArrayLike = 0,
    out_zero_point: int = 0,
    rounding: str = "double",
    dtype: DTypeLike | None = None,
    qmin: int | None = None,
    qmax: int | None = None,
) -> np.ndarray:
    """Product of two quantized matrices, quantized again.

        acc[m, n] = Σ_k (a[m, k] − z_a[m]) · (b[k, n] − z_b[n]) + bias[n]
        out[m, n] = clip( round( acc[m, n] · s_a[m] · s_b[n] / s_out ) + z_out,  qmin, qmax )

    which is s_out · (out − z_out) ≈ Σ_k s_a (a − z_a) · s_b (b − z_b) + s_a s_b · bias, solved for out.

    Parameters
    ----------
    a : (M, K) integer array
    b : (K, N) integer array, or what `products.prepare` made of it
    bias : (N,) integer array within int32, optional
        In units of s_a · s_b, as `bias.quantize_bias` makes it; only where a_scale is a scalar.
    a_scale : float scalar > 0, or (M,) array
        One for all or one for every row of a (per token).
    b_scale : float scalar > 0, or (N,) array
        One for all or one for every column of b.
    out_scale : float scalar > 0
    a_zero_point : integer, or (M,) integer array, in the range of a's dtype
    b_zero_point : integer, or (N,) integer array, in the range of b's dtype
    out_zero_point : int in the range of dtype
    rounding : "double", "double_up", "single" or "float"
        See `requantization.requantize`.
    dtype : uint8, int8, uint16, int16 or int32, optional
        Type of the output; that of a if not given.
    qmin, qmax : int in the range of dtype, optional
        Range of the output's codes, or the part of it that a fused ReLU leaves (qmin = z_out; the dtype stays).
        If not given, the ends of dtype.

    Returns
    -------
    (M, N) array of this dtype

    Raises
    ------
    TypeError
        If an array is of another type than stated, or dtype none of these (lists are int64, and need it).
    ValueError
        If shapes do not fit, a value is out of its range, rounding is unknown, a sum could leave int32, or there is a
        bias where a_scale is an array: its unit would change with the row.

    Notes
    -----
    acc is exact. "float" is ONNX Runtime's QLinearMatMul. TensorFlow Lite's FULLY_CONNECTED, whose weights are stored
    as (N, K), is "single" in the reference kernel of 2.21 and "float" in the default one. `requantization.rescale`
    says how the scales become one number. TensorFlow Lite's optimized FULLY_CONNECTED with one output column (its
    kernels for vectors) rounds otherwise than with several, which "double_up" does not cover.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, sections 2.2 to 2.4, eq. 4 and 5.
    .. [2] ONNX, operator QLinearMatMul.

    Examples
    --------
    >>> a, b = np.array([[10, 20]], np.uint8), np.array([[2, -1], [1, 3]], np.int8)
    >>> matmul(a, b, a_scale=0.5, b_scale=0.25, out_scale=0.5, a_zero_point=8)  # 0.25 · [[16, 34]]
    array([[4, 9]], dtype=uint8)
    >>> matmul(a, b, a_scale=0.5, b_scale=0.25, out_scale=0.5, a_zero_point=8, rounding="float", dtype=np.int8)
    array([[4, 8]], dtype=int8)
    >>> tokens = np.array([[4, 2], [40, 20]], np.int8)
    >>> matmul(tokens, b, a_scale=np.array([0.5, 0.05]), b_scale=0.25, out_scale=0.125)  # the same numbers twice
    array([[10,  2],
           [10,  2]], dtype=int8)
    """
    a = integer_array("a", a, ndim=2)
    kind, low, high, z_out = outputs("a", a, dtype, qmin, qmax, out_zero_point)
    acc = products.matmul(a, b, a_zero_point, b_zero_point)
    return requantization.rescale(
        acc, a_scale, b_scale, out_scale, rounding, bias=bias, zero_point=z_out, dtype=kind, qmin=low, qmax=high,
        axis=1, a_axis=0,
    )  # fmt: skip
