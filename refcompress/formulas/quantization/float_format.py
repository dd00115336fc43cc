"""Small floats: encoding to and decoding from up to 16 bits, in formats by name or by widths, bias and specials.

Tutorial: tutorials/06_number_formats.py
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import boolean, choice, float_array, integer, integer_array


class Format(NamedTuple):
    """A float format: fields from the highest bit are sign (if any), exponent and mantissa.

    Without sign and mantissa it is a scale like e8m0: every code but NaN's is a power of two, and none is 0.
    """

    exponent_bits: int
    mantissa_bits: int
    bias: int
    infinity: bool  # the all-ones exponent with mantissa 0 is ±∞
    nan: str  # "ieee": all-ones exponent, other mantissas; "all_ones"; "negative_zero": the code of −0; "none"
    signed: bool = True

    @property
    def bits(self) -> int:
        """Width of a code."""
        return self.signed + self.exponent_bits + self.mantissa_bits

    @property
    def largest(self) -> int:
        """The code of the largest finite value."""
        if self.infinity:
            return ((1 << self.exponent_bits) - 1 << self.mantissa_bits) - 1
        return (1 << self.exponent_bits + self.mantissa_bits) - (2 if self.nan == "all_ones" else 1)

    @property
    def zero(self) -> bool:
        """Whether code 0 is 0."""
        return self.signed or self.mantissa_bits > 0


_FORMATS = {
    "float8_e4m3fn": Format(4, 3, 7, False, "all_ones"),
    "float8_e4m3fnuz": Format(4, 3, 8, False, "negative_zero"),
    "float8_e5m2": Format(5, 2, 15, True, "ieee"),
    "float8_e5m2fnuz": Format(5, 2, 16, False, "negative_zero"),
    "float8_e4m3": Format(4, 3, 7, True, "ieee"),
    "float8_e3m4": Format(3, 4, 3, True, "ieee"),
    "float8_e4m3b11fnuz": Format(4, 3, 11, False, "negative_zero"),
    "float6_e2m3fn": Format(2, 3, 1, False, "none"),
    "float6_e3m2fn": Format(3, 2, 3, False, "none"),
    "float4_e2m1fn": Format(2, 1, 1, False, "none"),
    "float8_e8m0fnu": Format(8, 0, 127, False, "all_ones", signed=False),
    "bfloat16": Format(8, 7, 127, True, "ieee"),
    "float16": Format(5, 10, 15, True, "ieee"),
}
FORMATS: Mapping[str, Format] = MappingProxyType(_FORMATS)
NANS = ("ieee", "all_ones", "negative_zero", "none")
ROUNDINGS = ("half_even", "half_away", "half_toward_zero", "toward_zero", "away")


def encode(x: ArrayLike, name: str | Format, overflow: str = "saturate", *, rounding: str = "half_even") -> np.ndarray:
    """Codes of the values nearest to x in a float format, by one rounding.

        E = max(⌊log₂ |x|⌋, 1 − bias),   ulp = 2^(E − m)
        code = round(|x| / ulp) + 2^m · (E − (1 − bias))  [+ 2^(e + m) where x is negative]

    Parameters
    ----------
    x : float array of any shape
    name : one of `FORMATS`, or a `Format` of at most 16 bits whose values float32 holds
    overflow : {"saturate", "nan"}
        "nan" gives infinity where the format has one, else NaN, to what is too large after rounding, infinity included;
        "saturate" gives it ± the largest finite value.
    rounding : one of `ROUNDINGS`
        The first three to the nearest; "toward_zero" and "away" to the next smaller or larger magnitude.

    Returns
    -------
    array of x's shape, uint8, or uint16 for the formats of more than 8 bits. Narrow codes are in the low bits.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64, or a field of a `Format` has a wrong type.
    ValueError
        If a word is unknown, a `Format` is none, overflow is "nan" in a format with neither infinity nor NaN, or x
        holds a NaN, or without sign a negative number, that the format cannot express.

    Notes
    -----
    round acts on |x|/ulp, so half_even is a tie to the even code, but where m = 0: there |x|/ulp = 1½ goes to 2, the
    larger power of two. A carry out of the mantissa runs into the exponent, as it should. "Too large" is judged after
    rounding with an unbounded exponent, for toward_zero too. NaN keeps its sign where the format has two of them; −0
    and what rounds to it is 0 in formats whose NaN is that code.

    Without sign, negatives become NaN under both policies, and −0 is 0. float8_e8m0fnu has no zero either: 0 is NaN.
    Its code 0, which decodes to 2^−127, is rounded as if it were 0: what is just above 2^−127 becomes 2^−126, which is
    not the nearest. ml_dtypes and PyTorch do this, and it is kept for their sake.

    A `Format` needs an exponent of at least 1 bit, a bias of at most 127 and a largest value below 2^128. infinity and
    nan "ieee" go together, with a mantissa; "negative_zero" needs a sign; with neither sign nor mantissa NaN is
    "all_ones".

    The codes are right also where the processor flushes subnormal numbers to zero (torch.set_flush_denormal).

    ml_dtypes 0.6 casts float32 to the same codes under "nan" (in its formats without NaN under "saturate", and there
    NaN becomes a zero). It and torch 2.13 cast float64 by way of float32 and so round twice: 1 + 2^−4 + 2^−40 is 1
    there and 1.125 here in float8_e4m3fn. torch saturates in float8_e4m3fn alone, infinity too; its NaN is 127 in
    float8_e5m2; and in float8_e8m0fnu it gives 0 the code 0 and negatives the code of their magnitude. ONNX's Cast
    with saturate=1 is "saturate" in its four fp8 formats. To float8_e8m0fnu it rounds by round_mode, "up" by default:
    "away" here, so that 1.2 becomes 2.

    References
    ----------
    .. [1] IEEE 754-2019, sections 3.4 (encodings), 4.3 (rounding) and 7.4 (overflow).
    .. [2] OCP 8-bit Floating Point Specification (OFP8), revision 1.0: E4M3 and E5M2, saturation.
    .. [3] OCP Microscaling Formats (MX) Specification v1.0, section 5.3 (elements) and 5.4 (E8M0).

    Examples
    --------
    >>> encode(np.array([1.0, 1.0625, -448.0, 1000.0]), "float8_e4m3fn")
    array([ 56,  56, 254, 126], dtype=uint8)
    >>> encode(np.array([1000.0]), "float8_e4m3fn", "nan")
    array([127], dtype=uint8)

    UE4M3, the type of NVFP4's block scales, as a format of its own:

    >>> ue4m3 = Format(4, 3, 7, infinity=False, nan="all_ones", signed=False)
    >>> encode(np.array([0.0, 1.0, 448.0, -1.0]), ue4m3)
    array([  0,  56, 126, 127], dtype=uint8)
    """
    x = float_array("x", x)
    form = _format(name)
    choice("overflow", overflow, ("saturate", "nan"))
    choice("rounding", rounding, ROUNDINGS)
    if overflow == "nan" and form.nan == "none":
        raise ValueError(f"overflow must be saturate for {name}, which has neither infinity nor NaN, got {overflow!r}")
    codes = np.empty(x.shape, np.uint8 if form.bits <= 8 else np.uint16)
    for block in blocks(x.shape):
        codes[block] = _encode(np.ascontiguousarray(x[block]), form, overflow, rounding)
    return codes


def decode(codes: ArrayLike, name: str | Format) -> np.ndarray:
    """Values of the codes of a float format.

        x = ±(M + 2^m · [X > 0]) · 2^(max(X, 1) − bias − m),   X and M the exponent's and the mantissa's bits

    Parameters
    ----------
    codes : integer array of any shape
    name : one of `FORMATS`, or a `Format`, as for `encode`

    Returns
    -------
    float32 array of the codes' shape, exact.

    Raises
    ------
    TypeError
        If codes are not integers, or a field of a `Format` has a wrong type.
    ValueError
        If a code is negative or has more bits than the format, name is unknown, or a `Format` is none.

    Notes
    -----
    Subnormals are X = 0. float8_e8m0fnu is 2^(X − bias), also at X = 0. NaN has no sign here, but in bfloat16, whose
    codes are the upper half of a float32. Where the processor flushes subnormal numbers, those of float32 are 0 in all
    other formats: 2^−127, code 0 of float8_e8m0fnu.

    References
    ----------
    .. [1] IEEE 754-2019, section 3.4.

    Examples
    --------
    >>> decode(np.array([0, 1, 56, 254], np.uint8), "float8_e4m3fn")
    array([ 0.000000e+00,  1.953125e-03,  1.000000e+00, -4.480000e+02],
          dtype=float32)
    """
    codes = integer_array("codes", codes)
    form = _format(name)
    if codes.size and (codes.min() < 0 or codes.max() >> form.bits):
        top = (1 << form.bits) - 1
        raise ValueError(f"codes must be from 0 to {top} for {name}, got {codes.min()} to {codes.max()}")
    x = np.empty(codes.shape, np.float32)
    if form == FORMATS["bfloat16"]:
        for block in blocks(codes.shape):
            x[block] = (codes[block].astype(np.uint32) << 16).view(np.float32)
    elif codes.size < 1 << form.bits:
        x[...] = _values(codes.reshape(-1).astype(np.int64), form).reshape(codes.shape)
    else:
        table = _values(np.arange(1 << form.bits), form)
        for block in blocks(codes.shape):
            x[block] = table[codes[block]]
    return x


def _format(name: str | Format) -> Format:
    """The format that is meant; TypeError or ValueError unless it is known by name or possible."""
    if not isinstance(name, Format):
        return FORMATS[choice("name", name, FORMATS)]
    e, m = integer("exponent_bits", name.exponent_bits, 1), integer("mantissa_bits", name.mantissa_bits, 0)
    signed, infinity = boolean("signed", name.signed), boolean("infinity", name.infinity)
    nan = choice("nan", name.nan, NANS)
    if signed + e + m > 16:
        raise ValueError(f"name must be a format of at most 16 bits, got {signed + e + m}")
    if infinity != (nan == "ieee") or (infinity and m == 0):
        raise ValueError(f"infinity must come with nan ieee and a mantissa, and only there, got {name}")
    if nan == "negative_zero" and not signed:
        raise ValueError(f"nan must not be negative_zero in a format without sign, got {name}")
    if not name.zero and nan != "all_ones":
        raise ValueError(f"nan must be all_ones in a format with neither sign nor mantissa, got {name}")
    form = Format(e, m, name.bias, infinity, nan, signed)
    if form.largest == 0:
        raise ValueError(f"name must be a format with more than one number, got {name}")
    return form._replace(bias=integer("bias", name.bias, (form.largest >> m) - 127, 127))  # float32 holds all values


def _widened(x: np.ndarray) -> np.ndarray:
    """Float32 as float64: exactly, even where the processor flushes subnormal numbers to zero."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        wide = x.astype(np.float64)
    bits = x.view(np.uint32)
    a = bits & np.uint32((1 << 31) - 1)
    small = a < 1 << 23
    wide[small] = np.where(bits[small] >> np.uint32(31), -1.0, 1.0) * (a[small] * 2.0**-149)
    return wide


def _encode(x: np.ndarray, form: Format, overflow: str, rounding: str) -> np.ndarray:
    """Codes of one block, in unsigned integers of x's width."""
    word: Any = np.uint32 if x.dtype == np.float32 else np.uint64
    p, bias = (23, 127) if x.dtype == np.float32 else (52, 1023)
    m, low = form.mantissa_bits, bias + 1 - form.bias  # low: the format's smallest exponent, as x's bits have it
    too_large = bias + 1 + (form.largest >> m) - form.bias
    bits = x.view(word)
    a = np.minimum(bits & word(~word(0) >> word(1)), word(too_large << p))  # |x|
    if x.dtype == np.float32 and (low <= p + 1 or too_large >= 2 * bias - p) and a.size:
        least = (a - word(rounding == "half_even")).min()  # 0 wraps around, since it needs no half
        if a.max() >= (2 * bias - p) << p or least < (p + 1) << p:  # so that nothing below is infinite or subnormal
            return _encode(_widened(x), form, overflow, rounding)
    if not form.zero:
        a[a <= word(max(bias - form.bias, 0) << p)] = 0
    if rounding == "away":
        np.maximum(a, (a > 0).astype(word) << word(p), out=a)  # subnormal numbers may be flushed

    E = np.maximum(a, word(low << p)) & word((2 * bias + 1) << p)
    C = E + word((p - m) << p)  # 2^(E + p − m): the last bit of |x| + C is ulp = 2^(E − m)
    rounded = a.view(x.dtype) + C.view(x.dtype)
    code = rounded.view(word) - C
    if rounding != "half_even":
        excess = a.view(x.dtype) - (rounded - C.view(x.dtype))  # exact
        half = C.view(x.dtype) * x.dtype.type(0.5 ** (p + 1))
        if rounding == "half_away":
            code += excess == half
        elif rounding == "away":
            code += excess > 0
        else:
            code -= excess < 0 if rounding == "toward_zero" else excess == -half
    E -= word(low << p)
    code += E >> word(p - m)

    after = form.largest + 1  # infinity's code where there is one, else NaN's
    np.minimum(code, word(after if overflow == "nan" else form.largest), out=code)
    sign_bit = form.bits - 1
    sign = (bits >> word(8 * x.itemsize - 1 - sign_bit)) & word(1 << sign_bit)
    if form.nan == "negative_zero":
        sign[code == 0] = 0
    if form.signed:
        code |= sign
    nan = np.isnan(x)
    if not form.signed:
        nan |= bits > word(1 << (8 * x.itemsize - 1))  # negative, and not −0
    if not form.zero:
        nan |= bits << word(1) == 0
    if nan.any():
        if form.nan == "none":
            raise ValueError(f"x must not hold what the format cannot express, got {x[nan].flat[0]}")
        code[nan] = after if form.nan != "ieee" else after | (1 << (m - 1))
        if form.signed:
            code[nan] |= word(1 << sign_bit) if form.nan == "negative_zero" else sign[nan]
    return code


def _values(codes: np.ndarray, form: Format) -> np.ndarray:
    """Float32 values of codes in int64."""
    m, bias = form.mantissa_bits, form.bias
    X, M = (codes >> m) & ((1 << form.exponent_bits) - 1), codes & ((1 << m) - 1)
    if not form.zero:
        x = np.ldexp(1.0, X - bias)
    else:
        x = np.ldexp(M + np.where(X > 0, 1 << m, 0.0), np.maximum(X, 1) - bias - m)
    magnitude = codes & ((1 << (form.exponent_bits + m)) - 1)
    if form.infinity:
        x[magnitude == form.largest + 1] = np.inf
    if form.signed:
        x = np.copysign(x, np.where(codes >> (form.bits - 1), -1.0, 1.0))
    x[magnitude > form.largest + form.infinity] = np.nan
    if form.nan == "negative_zero":
        x[codes == 1 << (form.bits - 1)] = np.nan
    return x.astype(np.float32)
