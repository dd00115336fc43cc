"""Affine quantization: integers with a scale and a zero point, s·(q − Z), in any convention.

Tutorial: tutorials/04_conventions.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.quantization import affine_steps
from refcompress.formulas.quantization.convention import Convention
from refcompress.formulas.quantization.granularity import Axis
from refcompress.formulas.quantization.qparams import choose

__all__ = ["choose", "dequantize", "fake_quantize", "quantize"]


def quantize(
    x: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    qmin: int,
    qmax: int,
    convention: Convention | str,
    axis: Axis = None,
    *,
    block_size: int | None = None,
    rng: np.random.Generator | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Codes of numbers.

        q = clip( round(x / s) + Z,  qmin,  qmax )        or what the convention says (`Convention.formula`)

    Parameters
    ----------
    x : float array of any shape
        Weights or activations; float32, or float64 too in a convention that computes in the input's dtype.
    scale : float scalar or array
        s > 0, in x's unit, or in codes per unit of x for the form (q − Z)/s. Below 0 in a convention with signed
        scales, 0 in one that gives an empty range s = 0.
    zero_point : scalar or array like scale
        Z: an integer among the codes (its negative for the form s·(q + Z)), or a real number.
    qmin, qmax : int from −32,768 to 65,535
        The codes' range, the unused code of a narrow range included.
    convention : Convention, or the name of a preset
    axis, block_size : as for `granularity.parameter_shape`
        None: one scale for all, or an array that broadcasts to x.
    rng : numpy.random.Generator
        For stochastic rounding only.
    out : array of the result's shape and dtype, optional
        Where to write the result; if an error is raised, its contents are undefined.

    Returns
    -------
    array of x's shape, of the first of uint8, int8, uint16, int16, int32 that holds qmin and qmax.

    Raises
    ------
    TypeError
        If an array has a dtype that the convention does not take (a Python number takes any).
    ValueError
        If x is empty, a value is not finite and the convention has no code for it, s ≤ 0, Z is no code, or shapes do
        not fit.

    Notes
    -----
    Every operation is rounded to the dtype of x and s together, in the order in which the formula is written. What is
    beyond all codes saturates, whatever a library's conversion to an integer type does with it.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 2.1, eq. 1; ONNX operators, QuantizeLinear-25.

    Examples
    --------
    >>> x = np.array([-0.5, 0.5, 1.5, 300], np.float32)
    >>> quantize(x, 1.0, 1, 0, 255, "onnx")
    array([  1,   1,   3, 255], dtype=uint8)
    >>> quantize(x, 1.0, 1, 0, 255, "torch_quantize")  # the zero point is added before rounding
    array([  0,   2,   2, 255], dtype=uint8)
    """
    return affine_steps.to_codes(
        affine_steps.prepare(x, scale, zero_point, qmin, qmax, convention, axis, block_size), rng, out
    )


def dequantize(
    q: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    convention: Convention | str,
    axis: Axis = None,
    *,
    block_size: int | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Numbers from codes.

        x̂ = s · (q − Z)        or what the convention says (`Convention.formula`)

    Parameters
    ----------
    q : integer array of any shape
    scale, zero_point, convention, axis, block_size : as for `quantize`
    out : array of the result's shape and dtype, optional
        Where to write the result.

    Returns
    -------
    array of q's shape: float32, or in a convention that computes in the input's dtype and keeps s as it is, the dtype
    of s and a real Z together.

    Raises
    ------
    TypeError, ValueError
        As `quantize`, except that any integer Z is taken; or if s overflows the dtype in which the convention keeps it.

    Notes
    -----
    q − Z is exact below 2²⁴ in float32; the product, and an offset's sum, are rounded, unless the convention is fused.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 2.1, eq. 1; ONNX operators, DequantizeLinear-25.

    Examples
    --------
    >>> dequantize(np.array([0, 1, 255], np.uint8), 0.5, 1, "onnx")
    array([ -0.5,   0. , 127. ], dtype=float32)
    """
    return affine_steps.from_codes(q, scale, zero_point, convention, axis, block_size, out)


def fake_quantize(
    x: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    qmin: int,
    qmax: int,
    convention: Convention | str,
    axis: Axis = None,
    *,
    block_size: int | None = None,
    rng: np.random.Generator | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Numbers as they come back from their codes, without the codes.

        x̂ = s · (clip( round(x / s) + Z,  qmin,  qmax ) − Z)

    Parameters
    ----------
    x, scale, zero_point, qmin, qmax, convention, axis, block_size, rng : as for `quantize`
    out : array of the result's shape and dtype, optional
        Where to write the result, x itself if it is of that dtype; if an error is raised, its contents are undefined.

    Returns
    -------
    array of x's shape, bit for bit dequantize(quantize(x, …), …).

    Raises
    ------
    TypeError, ValueError
        As `quantize` and `dequantize`.

    References
    ----------
    .. [1] Krishnamoorthi, arXiv:1806.08342, section 2.4, eq. 10–11.

    Examples
    --------
    >>> fake_quantize(np.array([-0.5, 0.5, 1.5], np.float32), 1.0, 1, 0, 255, "onnx")
    array([0., 0., 2.], dtype=float32)
    """
    return affine_steps.there_and_back(
        affine_steps.prepare(x, scale, zero_point, qmin, qmax, convention, axis, block_size), rng, out
    )
