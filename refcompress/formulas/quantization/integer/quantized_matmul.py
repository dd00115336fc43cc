"""Quantized matrix product: from codes to codes, as a fully connected layer computes them.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.quantization.integer import products, requantization


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
    qmin: int = -128,
    qmax: int = 127,
) -> np.ndarray:
    """Product of two quantized matrices, quantized again.

        acc[m, n] = Σ_k (a[m, k] − z_a) · (b[k, n] − z_b) + bias[n]
        out[m, n] = clip( round( acc[m, n] · s_a · s_b / s_out ) + z_out,  qmin, qmax )

    which is s_out · (out − z_out) ≈ Σ_k s_a (a − z_a) · s_b (b − z_b) + s_a s_b · bias, solved for out.

    Parameters
    ----------
    a : (M, K) integer array
    b : (K, N) integer array, or what `products.prepare` made of it
    bias : (N,) integer array within int32, optional
        In units of s_a · s_b, as `bias.quantize_bias` makes it.
    a_scale, out_scale : float scalars > 0
    b_scale : float scalar > 0, or (N,) array
        One for all or one for every column of b.
    a_zero_point : integer, or (M,) integer array
    b_zero_point : integer, or (N,) integer array
    out_zero_point : int
    rounding : "double", "double_up", "single" or "float"
        See `requantization.requantize`.
    qmin, qmax : int
        Range of the output's codes, or the part of it that a fused ReLU leaves (qmin = z_out).

    Returns
    -------
    (M, N) array, the first of uint8, int8, uint16, int16 and int32 that holds qmin and qmax

    Raises
    ------
    TypeError
        If an array is of another type than stated.
    ValueError
        If shapes do not fit, a value is out of its range, rounding is unknown, or a sum could leave int32.

    Notes
    -----
    acc is exact. "float" is ONNX Runtime's QLinearMatMul. TensorFlow Lite's FULLY_CONNECTED, whose weights are stored
    as (N, K), is "single" in the reference kernel of 2.21 and "float" in the default one. `requantization.rescale`
    says how the scales become one number.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, sections 2.2 to 2.4, eq. 4 and 5.
    .. [2] ONNX, operator QLinearMatMul.

    Examples
    --------
    >>> a, b = np.array([[10, 20]], np.uint8), np.array([[2, -1], [1, 3]], np.int8)
    >>> matmul(a, b, a_scale=0.5, b_scale=0.25, out_scale=0.5, a_zero_point=8)  # 0.25 · [[16, 34]]
    array([[4, 9]], dtype=int8)
    >>> matmul(a, b, a_scale=0.5, b_scale=0.25, out_scale=0.5, a_zero_point=8, rounding="float")
    array([[4, 8]], dtype=int8)
    """
    acc = products.matmul(a, b, a_zero_point, b_zero_point)
    return requantization.rescale(
        acc, a_scale, b_scale, out_scale, rounding, bias=bias, zero_point=out_zero_point, qmin=qmin, qmax=qmax, axis=1
    )
