"""Quantized multipliers: a real number as an integer and a power of two.

Tutorial: tutorials/05_integer_arithmetic.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import check_finite, choice, float_array
from refcompress.formulas.quantization import rounding as rounding_rules


def quantize_multiplier(real: ArrayLike, rounding: str = "half_away") -> tuple[np.ndarray, np.ndarray]:
    """A real multiplier as an integer and a shift.

        real = q · 2^shift,  ½ ≤ q < 1,       M = round(2^31 · q),       real ≈ M · 2^(shift − 31)

    Parameters
    ----------
    real : float scalar or array ≥ 0, below 2^30
        Such as s_x · s_w / s_y.
    rounding : "half_away" or "half_even"

    Returns
    -------
    (M, shift) : int32 arrays of real's shape; 2^30 ≤ M ≤ 2^31 − 1, or M = 0, and −31 ≤ shift ≤ 30

    Raises
    ------
    TypeError
        If real is neither float32 nor float64.
    ValueError
        If real is negative, not finite or 2^30 and more, or rounding is another word.

    Notes
    -----
    Where rounding makes M = 2^31, it becomes 2^30 and the shift one more. Multipliers of a shift below −31 become
    M = 0 and shift 0: their products with an int32 are below ½. 0 has M = 0 and shift 0. 2^31 · q is exact in float64,
    so that M is the integer nearest to it, and M · 2^(shift − 31) within a relative 2^-31 of real.

    TensorFlow Lite rounds half away from zero. The two rules differ only where real has exactly 32 significant bits.
    What is 2^30 and more, TensorFlow Lite takes (its single-rounding build as the largest multiplier of shift 30); here
    it is an error.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 2.2, eq. 5 and 6.
    .. [2] TensorFlow Lite, kernels/internal/quantization_util.cc, QuantizeMultiplier.

    Examples
    --------
    >>> M, shift = quantize_multiplier(0.375)
    >>> int(M), int(shift), M * 2.0 ** (shift - 31)
    (1610612736, -1, np.float64(0.375))
    """
    real = float_array("real", real)
    check_finite("real", real)
    choice("rounding", rounding, ("half_away", "half_even"))
    M, shift = np.empty(real.shape, np.int32), np.empty(real.shape, np.int32)
    for block in blocks(real.shape):
        q, e = np.frexp(real[block].astype(np.float64))
        m = rounding_rules.apply(np.ldexp(q, 31), rounding).astype(np.int64)
        full = m == 2**31
        m, e = np.where(full, 2**30, m), e + full
        good = (real[block] >= 0) & (e <= 30)
        if not good.all():
            raise ValueError(f"real must be at least 0 and round to less than 2^30, got {real[block][~good][0]}")
        M[block], shift[block] = np.where(e < -31, 0, m), np.where(e < -31, 0, e)
    return M[()], shift[()]
