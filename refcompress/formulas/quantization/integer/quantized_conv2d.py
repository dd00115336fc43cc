"""Quantized convolution: from codes to codes, as a convolutional layer computes them.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.checks import integer_array
from refcompress.formulas.geometry import Pair
from refcompress.formulas.quantization.integer import integer_conv2d, requantization
from refcompress.formulas.quantization.integer.checks import outputs


def conv2d(
    x: ArrayLike,
    w: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    x_scale: ArrayLike,
    w_scale: ArrayLike,
    out_scale: ArrayLike,
    x_zero_point: int = 0,
    w_zero_point: ArrayLike = 0,
    out_zero_point: int = 0,
    rounding: str = "double",
    dtype: DTypeLike | None = None,
    qmin: int | None = None,
    qmax: int | None = None,
    stride: Pair = 1,
    padding: integer_conv2d.Border = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlation of quantized images with quantized filters, quantized again.

        out[n, o, …] = clip( round( s_x s_w[o] / s_out · (Σ (x − z_x)(w[o] − z_w[o]) + bias[o]) ) + z_out,  qmin, qmax )

    with the sum of `integer_conv2d.conv2d`.

    Parameters
    ----------
    x : (N, C, H, W) integer array
        z_x, which stands for 0, stands outside of the image.
    w : (O, C/groups, kh, kw) integer array
    bias : (O,) integer array within int32, optional
        In units of s_x · s_w, as `bias.quantize_bias` makes it.
    x_scale, out_scale : float scalars > 0
    w_scale : float scalar > 0, or (O,) array
        One for all or one for every filter.
    x_zero_point : int in the range of x's dtype
    w_zero_point : integer, or (O,) integer array, in the range of w's dtype
    out_zero_point : int in the range of dtype
    rounding : "double", "double_up", "single" or "float"
        See `requantization.requantize`.
    dtype : uint8, int8, uint16, int16 or int32, optional
        Type of the output; that of x if not given.
    qmin, qmax : int in the range of dtype, optional
        Range of the output's codes, or the part of it that a fused ReLU leaves (qmin = z_out; the dtype stays).
        If not given, the ends of dtype.
    stride, dilation : int or (height, width)
    padding : int, (height, width) or (top, left, bottom, right)
    groups : int

    Returns
    -------
    (N, O, H_out, W_out) array of this dtype

    Raises
    ------
    TypeError
        If an array is of another type than stated, or dtype none of these (lists are int64, and need it).
    ValueError
        If shapes, groups or sizes do not fit, a value is out of its range, rounding is unknown, or a sum could leave
        int32.

    Notes
    -----
    All up to the sum with the bias is exact. "float" is ONNX Runtime's QLinearConv. TensorFlow Lite's CONV_2D, whose
    images and filters have their channels last, is "double" in the reference kernel of 2.21 and "float" in the default
    one. `requantization.rescale` says how the scales become one number.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, sections 2.2 to 2.4, eq. 4 and 5.
    .. [2] Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", arXiv:1806.08342, section
       3.1 (one scale for every filter).
    .. [3] ONNX, operator QLinearConv.

    Examples
    --------
    >>> x = np.arange(2, 11, dtype=np.uint8).reshape(1, 1, 3, 3)
    >>> w = np.ones((2, 1, 2, 2), np.int8)
    >>> conv2d(x, w, [0, 4], x_scale=0.5, w_scale=np.array([1.0, 0.5]), out_scale=2.0, x_zero_point=1)
    array([[[[3, 4],
             [6, 7]],
    <BLANKLINE>
            [[2, 3],
             [4, 4]]]], dtype=uint8)
    """
    x = integer_array("x", x, ndim=4)
    kind, low, high, z_out = outputs("x", x, dtype, qmin, qmax, out_zero_point)
    acc = integer_conv2d.conv2d(
        x, w, x_zero_point, w_zero_point, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    return requantization.rescale(
        acc, x_scale, w_scale, out_scale, rounding, bias=bias, zero_point=z_out, dtype=kind, qmin=low, qmax=high, axis=1
    )
