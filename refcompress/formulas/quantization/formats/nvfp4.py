"""NVFP4: blocks of 16 four-bit floats with an 8-bit float scale each, and one float32 scale for the tensor.

Tutorial: tutorials/06_number_formats.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import (
    check_finite,
    check_not_empty,
    check_shape,
    choice,
    float_array,
    integer,
    integer_array,
    real,
)
from refcompress.formulas.quantization import float_format
from refcompress.formulas.quantization.granularity import expand, parameter_shape

BLOCK = 16
ELEMENT, SCALE = "float4_e2m1fn", "float8_e4m3fn"
LARGEST = np.float32(448 * 6)  # of a scale times an element
ARITHMETICS = ("torchao", "compressed_tensors")


def quantize(
    x: ArrayLike, *, tensor_scale: float | np.floating | None = None, axis: int = -1, arithmetic: str = "torchao"
) -> tuple[np.ndarray, np.ndarray, np.float32]:
    """Elements, block scales and tensor scale of NVFP4.

        torchao:              t = max |x| / (448 · 6)                   compressed_tensors:   t = (448 · 6) / max |x|
                              s = e4m3( clip(amax/6/t, 2⁻⁶, 448) )                            s = e4m3( t · (amax/6) )
                              q = e2m1( x · ((1/t) / s) )                                     q = e2m1( x / (s/t) )

    amax is the largest |x| of a block; e4m3 and e2m1 round half to even and saturate. In compressed_tensors an s of 0
    becomes ⅛.

    Parameters
    ----------
    x : float32 array of at least one dimension
    tensor_scale : float from 2⁻¹¹⁷ to 2¹¹⁷, optional
        t, rounded to float32; by default as above, or 1 where x is all zeros. The two arithmetics store inverse
        quantities: a t of the one is 1/t of the other, and no error tells them apart.
    axis : int
        The axis that is cut into blocks of 16. The last block may be shorter.
    arithmetic : one of `ARITHMETICS`
        Whether t multiplies or, as compressed_tensors stores it, divides.

    Returns
    -------
    codes : uint8 array of x's shape, codes of float4_e2m1fn
    block_scales : uint8 array of x's shape with the axis' length n replaced by ⌈n / 16⌉, codes of float8_e4m3fn
    tensor_scale : float32, t

    Raises
    ------
    TypeError
        If x is not float32, tensor_scale is not a number, or axis is not an integer.
    ValueError
        If x is empty, has no dimension or is not finite, t (given or not) or axis is out of range, or arithmetic is
        unknown.

    Notes
    -----
    Every operation is rounded to float32 in the order written. The two agree on 2²⁰ normal values, but differ in 4,385
    of 2²⁰ multiples of ¼, where quotients are ties, and in blocks far smaller than the tensor: torchao's s is never
    below the smallest normal value, 2⁻⁶. Within the limits of t no scale over- or underflows. For a tensor of zeros
    torchao's own scales are NaN.

    They differ in zeros too: torchao's element of −0 is −0, compressed_tensors' is 0, because it takes the sign of the
    quotient, and −0 has none. A quotient below 0 which rounds to zero is −0 in both.

    These are torchao 0.18, nvfp4_quantize with per_tensor_amax_to_scale, and compressed-tensors 0.20, generate_gparam,
    calculate_qparams, _quantize and, for the codes, pack_fp4_to_uint8.

    References
    ----------
    .. [1] NVIDIA, "Pretraining large language models with NVFP4", arXiv:2509.25149 (two-level scaling).

    Examples
    --------
    >>> codes, block_scales, tensor_scale = quantize(np.array([6.0, 3.0, -0.5, 0.0], np.float32))
    >>> codes, block_scales, float(tensor_scale)
    (array([7, 5, 9, 0], dtype=uint8), array([126], dtype=uint8), 0.0022321429569274187)
    """
    x = float_array("x", x)
    if x.dtype != np.float32:
        raise TypeError(f"x must be float32, got {x.dtype}")
    choice("arithmetic", arithmetic, ARITHMETICS)
    check_not_empty("x", x)
    check_finite("x", x)
    axis = _axis("x", x, axis)
    amax = np.maximum.reduceat(np.abs(x), range(0, x.shape[axis], BLOCK), axis=axis)
    six, divides = np.float32(6), arithmetic == "compressed_tensors"
    if tensor_scale is None:
        largest = amax.max()
        with np.errstate(over="ignore", under="ignore"):
            tensor_scale = np.float32(1) if largest == 0 else LARGEST / largest if divides else largest / LARGEST
    t = _tensor_scale(tensor_scale)
    with np.errstate(over="ignore", under="ignore"):
        if divides:
            block_scales = float_format.encode(t * (amax / six), SCALE)
            block_scales[block_scales == 0] = float_format.encode(np.float32(0.125), SCALE)
            scaled = x / expand("block_scales", float_format.decode(block_scales, SCALE) / t, x.shape, axis, BLOCK)
            scaled += np.float32(0)  # −0 + 0 is 0
        else:
            block_scales = float_format.encode(np.maximum(amax / six / t, np.float32(2**-6)), SCALE)
            reciprocal = (np.float32(1) / t) / float_format.decode(block_scales, SCALE)
            scaled = x * expand("block_scales", reciprocal, x.shape, axis, BLOCK)
    return float_format.encode(scaled, ELEMENT), block_scales, t


def dequantize(
    codes: ArrayLike,
    block_scales: ArrayLike,
    tensor_scale: float | np.floating,
    *,
    axis: int = -1,
    arithmetic: str = "torchao",
) -> np.ndarray:
    """Values of NVFP4.

        torchao:   x = q · (t · s)        compressed_tensors:   x = q · (s / t)

    Parameters
    ----------
    codes : integer array of at least one dimension, codes of float4_e2m1fn
    block_scales : integer array of its shape with the axis' length n replaced by ⌈n / 16⌉
        Codes of float8_e4m3fn without sign, 0 to 127; 127 makes its block NaN.
    tensor_scale : float from 2⁻¹¹⁷ to 2¹¹⁷
        t, rounded to float32, of this arithmetic: the other's is its inverse.
    axis, arithmetic : as for `quantize`

    Returns
    -------
    float32 array of the codes' shape; products beyond float32 are infinite.

    Raises
    ------
    TypeError
        If codes or block_scales are not integers, tensor_scale is not a number, or axis is not an integer.
    ValueError
        If a code is out of range, shapes do not fit, t or axis is out of range, or arithmetic is unknown.

    Notes
    -----
    Both operations are rounded to float32, the one in brackets first. A block scale that is NaN gives NaN, as in MX;
    the ggml formats refuse theirs.

    References
    ----------
    .. [1] NVIDIA, "Pretraining large language models with NVFP4", arXiv:2509.25149.

    Examples
    --------
    >>> dequantize(np.array([7, 5, 10, 0]), np.array([56]), tensor_scale=0.5)
    array([ 3. ,  1.5, -0.5,  0. ], dtype=float32)
    """
    codes, block_scales = integer_array("codes", codes), integer_array("block_scales", block_scales)
    choice("arithmetic", arithmetic, ARITHMETICS)
    axis, t = _axis("codes", codes, axis), _tensor_scale(tensor_scale)
    check_shape("block_scales", block_scales, parameter_shape(codes.shape, axis, BLOCK))
    if block_scales.size and (block_scales.min() < 0 or block_scales.max() > 127):
        raise ValueError(f"block_scales must be from 0 to 127, got {block_scales.min()} to {block_scales.max()}")
    s = float_format.decode(block_scales, SCALE)
    with np.errstate(over="ignore", under="ignore"):
        s = s / t if arithmetic == "compressed_tensors" else t * s
        return float_format.decode(codes, ELEMENT) * expand("block_scales", s, codes.shape, axis, BLOCK)


def _axis(name: str, array: np.ndarray, axis: int) -> int:
    """The axis, from 0; ValueError unless the array has it."""
    if array.ndim == 0:
        raise ValueError(f"{name} must have at least 1 dimension, got shape ()")
    return integer("axis", axis, -array.ndim, array.ndim - 1) % array.ndim


def _tensor_scale(value: float | np.floating) -> np.float32:
    """Return t in float32; TypeError or ValueError unless it is a number in the accepted range."""
    return np.float32(real("tensor_scale", value, 2.0**-117, 2.0**117))
