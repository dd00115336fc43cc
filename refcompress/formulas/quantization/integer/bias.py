"""Quantized biases: integers in the unit of the sums that they are added to.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_finite, float_array
from refcompress.formulas.quantization import rounding as rounding_rules
from refcompress.formulas.quantization.integer.checks import INT32_MAX, INT32_MIN, scales


def quantize_bias(b: ArrayLike, x_scale: ArrayLike, w_scale: ArrayLike, *, rounding: str = "half_even") -> np.ndarray:
    """Bias as int32, in the unit of the sums it is added to.

        b_q = round( b / (s_x · s_w) ),   zero point 0

    Parameters
    ----------
    b : float array (O,)
    x_scale : float scalar > 0
        s_x.
    w_scale : float scalar > 0, or (O,) array
        s_w, one for all or one for every output.
    rounding : "half_even", "half_away", or another of `rounding.RULES` without randomness

    Returns
    -------
    (O,) int32 array

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If a value is not finite, a scale is not above 0, shapes do not fit, rounding is unknown, or b_q leaves int32.

    Notes
    -----
    The product and the quotient are rounded once each, in float64, so that b / (s_x · s_w) is off by at most 2^-52 of
    itself. TensorFlow Lite's converter forms float32 scales and rounds half away; its biases can differ by 1, and it
    enlarges the weights' scale where a bias would leave int32, which is an error here.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 2.4, eq. 11.
    .. [2] TensorFlow Lite 8-bit quantization specification (bias: int32, scale s_x · s_w, zero point 0).

    Examples
    --------
    >>> quantize_bias(np.array([0.5, -1.25]), x_scale=0.5, w_scale=0.25)
    array([  4, -10], dtype=int32)
    """
    rounding_rules.check("rounding", rounding, None)
    b = float_array("b", b, ndim=1)
    check_finite("b", b)
    s_x, s_w = scales("x_scale", x_scale), scales("w_scale", w_scale, len(b))
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        unit = s_x * s_w
        t = np.where(b == 0, 0.0, b.astype(np.float64) / unit)
    codes = rounding_rules.apply(t, rounding)
    if not ((codes >= INT32_MIN) & (codes <= INT32_MAX)).all():
        raise ValueError(f"b must be within int32 in units of x_scale · w_scale, got up to {np.abs(codes).max()}")
    return codes.astype(np.int32)
