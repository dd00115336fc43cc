"""MX blocks: 32 small elements that share a power of two (OCP Microscaling Formats v1.0).

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
)
from refcompress.formulas.quantization import float_format
from refcompress.formulas.quantization.granularity import expand, parameter_shape

ELEMENTS = ("float8_e4m3fn", "float8_e5m2", "float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn", "int8")
EXPONENTS = ("floor", "ceil", "even", "even_one_bit", "rceil")


def quantize(
    x: ArrayLike, element: str, *, exponent: str = "floor", block_size: int = 32, axis: int = -1
) -> tuple[np.ndarray, np.ndarray]:
    """Elements and shared scales of MX blocks.

        X = 2^S,   S = shared exponent of amax = max |v| in the block,   P = cast(v / X)

        floor:          S = ⌊log₂ amax⌋ − emax
        ceil:           S = ⌈log₂ amax⌉ − emax
        even:           S = ⌊log₂ amax′⌋ − emax,   amax′ = amax rounded to the element's m mantissa bits, ties up
        even_one_bit:   the same with m = 1 for every element
        rceil:          S = ⌈log₂(amax / max)⌉

    emax is the exponent of the element's largest value max; S is at least −127.

    Parameters
    ----------
    x : float array of at least one dimension
    element : one of `ELEMENTS`
    exponent : one of `EXPONENTS`
    block_size : int of at least 1
        Values that share a scale, along the axis. The last block may be shorter.
    axis : int
        The axis that is cut into blocks.

    Returns
    -------
    codes : array of x's shape, uint8 codes of `float_format`, or int8 for element "int8"
    scales : uint8 array of x's shape with the axis' length n replaced by ⌈n / block_size⌉
        Codes S + 127 of float8_e8m0fnu.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64, or block_size or axis is not an integer.
    ValueError
        If x is empty, has no dimension or is not finite, a word is unknown, block_size or axis is out of range, or S
        exceeds 127 (which takes values of at least 2¹²⁷).

    Notes
    -----
    S is found from the bits of amax, without a logarithm or a quotient that rounds. v / X is exact, but where it is
    subnormal in x's dtype, far below the elements. cast rounds half to even and saturates, so that floor (and even)
    clip what is above max · X. A block of zeros has S = −127. NaN and infinity are refused; the specification also
    allows a block whose scale is NaN, and `dequantize` reads it.

    The name "even" is torchao's. The rule is not half to even: a tie of amax goes up, even to the next power of two.

    int8 is two's complement with 6 fraction bits: P = round(64 · v / X) from −127 to 127, so emax = 0, max = 127/64,
    m = 6; −128 stays unused, as the specification permits, for symmetry.

    torchao 0.18, to_mx: FLOOR, CEIL, EVEN and RCEIL give these codes as long as S > −127 (there it divides by 2^−126,
    for RCEIL by 1). Its RCEIL rounds the logarithm to float32, so that an amax above max · 2^S by up to a factor
    1 + 2^−18 can get this S. compressed-tensors 0.20, generate_mx_scales, is even for FP4 and E2M3, even_one_bit for
    FP8.

    References
    ----------
    .. [1] OCP Microscaling Formats (MX) Specification v1.0, section 5 (formats) and 6.3 (conversion: floor).
    .. [2] NVIDIA cuBLAS documentation, 1D block quantization (rceil).

    Examples
    --------
    >>> codes, scales = quantize(np.array([6.5, 3.0, -0.5, 0.0]), "float4_e2m1fn", block_size=4)
    >>> codes, scales
    (array([7, 5, 9, 0], dtype=uint8), array([127], dtype=uint8))
    >>> quantize(np.array([6.5, 3.0, -0.5, 0.0]), "float4_e2m1fn", exponent="rceil", block_size=4)
    (array([5, 3, 8, 0], dtype=uint8), array([128], dtype=uint8))
    """
    x = float_array("x", x)
    choice("element", element, ELEMENTS)
    choice("exponent", exponent, EXPONENTS)
    B, axis = integer("block_size", block_size, 1), _axis("x", x, axis)
    check_not_empty("x", x)
    check_finite("x", x)
    amax = np.maximum.reduceat(np.abs(x), range(0, x.shape[axis], B), axis=axis)
    S = np.maximum(_shared_exponent(amax, element, exponent), -127)
    if S.max() > 127:
        raise ValueError(f"x must have blocks with shared exponents of at most 127, got {S.max()}")
    t = x * expand("scales", np.ldexp(x.dtype.type(1), -S), x.shape, axis, B)
    if element == "int8":
        codes = np.clip(np.rint(t * 64), -127, 127).astype(np.int8)
    else:
        codes = float_format.encode(t, element)
    return codes, (S + 127).astype(np.uint8)


def dequantize(
    codes: ArrayLike, scales: ArrayLike, element: str, *, block_size: int = 32, axis: int = -1
) -> np.ndarray:
    """Values of MX blocks.

        v = X · P,   X = 2^(scale − 127)

    Parameters
    ----------
    codes : integer array of at least one dimension, as `quantize` returns it
    scales : integer array of its shape with the axis' length n replaced by ⌈n / block_size⌉
        Codes of float8_e8m0fnu; 255 makes its block NaN.
    element : one of `ELEMENTS`
    block_size, axis : as for `quantize`

    Returns
    -------
    float32 array of the codes' shape: exact, except that products beyond float32 are infinite.

    Raises
    ------
    TypeError
        If codes or scales are not integers, or block_size or axis is not an integer.
    ValueError
        If a code is none of its format's, shapes do not fit, element is unknown, or block_size or axis is out of range.

    Notes
    -----
    A scale that is NaN gives NaN, as in NVFP4; the ggml formats refuse theirs.

    References
    ----------
    .. [1] OCP Microscaling Formats (MX) Specification v1.0, section 5 (the value of a block).

    Examples
    --------
    >>> dequantize(np.array([7, 5, 10, 0], np.uint8), np.array([128], np.uint8), "float4_e2m1fn", block_size=4)
    array([12.,  6., -2.,  0.], dtype=float32)
    """
    codes, scales = integer_array("codes", codes), integer_array("scales", scales)
    choice("element", element, ELEMENTS)
    B, axis = integer("block_size", block_size, 1), _axis("codes", codes, axis)
    check_shape("scales", scales, parameter_shape(codes.shape, axis, B))
    if scales.size and (scales.min() < 0 or scales.max() > 255):
        raise ValueError(f"scales must be from 0 to 255, got {scales.min()} to {scales.max()}")
    X = expand("scales", float_format.decode(scales, "float8_e8m0fnu"), codes.shape, axis, B)
    if element != "int8":
        P = float_format.decode(codes, element)
    else:
        if codes.size and (codes.min() < -128 or codes.max() > 127):
            raise ValueError(f"codes must be from -128 to 127 for int8, got {codes.min()} to {codes.max()}")
        P = codes.astype(np.float32) / 64
    with np.errstate(over="ignore"):
        return P * X


def _axis(name: str, array: np.ndarray, axis: int) -> int:
    """The axis, from 0; ValueError unless the array has it."""
    if array.ndim == 0:
        raise ValueError(f"{name} must have at least 1 dimension, got shape ()")
    return integer("axis", axis, -array.ndim, array.ndim - 1) % array.ndim


def _shared_exponent(amax: np.ndarray, element: str, rule: str) -> np.ndarray:
    """S before it is limited; amax = f · 2^k with f in [1/2, 1)."""
    largest, m = 127 / 64, 6
    if element != "int8":
        form = float_format.FORMATS[element]
        largest, m = float(float_format.decode(form.largest, element)), form.mantissa_bits
    f_max, k_max = np.frexp(largest)
    f, k = np.frexp(amax)
    if rule == "rceil":
        S = k - k_max + (f > f_max)
    elif rule == "ceil":
        S = k - k_max + (f > 0.5)
    elif rule == "floor":
        S = k - k_max
    else:
        bits = m if rule == "even" else 1
        S = k - k_max + (f >= 1 - 0.5 ** (bits + 2))  # carries into the next power of two
    return np.where(amax > 0, S, -127)
