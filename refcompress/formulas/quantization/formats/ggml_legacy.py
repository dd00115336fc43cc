"""ggml blocks: 32 weights with a float16 scale of their own, Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0, byte for byte.

Tutorial: tutorials/06_number_formats.py
"""

from typing import NamedTuple

import numpy as np

from refcompress.formulas.checks import check_finite, choice, float_array
from refcompress.formulas.coding import packing
from refcompress.formulas.quantization import rounding
from refcompress.formulas.quantization.formats.ggml_bytes import fields, half


class Kind(NamedTuple):
    """One format of blocks: bits of a code, and whether a block has a minimum m beside its scale d."""

    bits: int
    minimum: bool


KINDS = {
    "q4_0": Kind(4, False),  # d 2 bytes, qs 16 bytes
    "q4_1": Kind(4, True),  # d 2, m 2, qs 16
    "q5_0": Kind(5, False),  # d 2, qh 4, qs 16
    "q5_1": Kind(5, True),  # d 2, m 2, qh 4, qs 16
    "q8_0": Kind(8, False),  # d 2, qs 32
}


def quantize(x: np.ndarray, kind: str) -> np.ndarray:
    """Blocks of bytes from weights, as ggml's reference functions write them.

        q4_0, q5_0:  d = x_e / −2^(b−1),            q = min( ⌊x·(1/d) + 2^(b−1) + ½⌋,  2^b − 1 )
        q4_1, q5_1:  d = (max x − m) / (2^b − 1),   q = min( ⌊(x − m)·(1/d) + ½⌋,  2^b − 1 ),   m = min x
        q8_0:        d = max|x| / 127,              q = round( x·(1/d) ),  ties away from zero

    Parameters
    ----------
    x : float32 array, the last axis a multiple of 32
        Weights, cut in row-major order into blocks of 32. x_e is the first of a block's largest |x|, with its sign.
    kind : one of `KINDS`

    Returns
    -------
    (blocks, bytes of a block) uint8 array: 18, 20, 22, 24 or 34 bytes in the order of `KINDS`. Little-endian float16 d
    and m; of 5-bit codes the high bits qh, bit j of 32 for weight j; qs, the low 4 bits in the packing order "ggml"
    (byte j: weight j low, weight j + 16 high), or in Q8_0 the int8 codes.

    Raises
    ------
    TypeError
        If x is not float32.
    ValueError
        If x is not finite, its last axis is no multiple of 32, kind is unknown, d or m is too large for float16 (ggml
        stores infinity), or 1/d for float32, d below about 2^−128 (ggml's conversion of infinity to int is undefined).

    Notes
    -----
    All in float32, one rounding an operation. The codes come from the unrounded d and its rounded reciprocal, the block
    keeps d rounded to float16: |x − x′| may exceed d/2. d = 0 takes the codes of x·(1/d) = 0; a d up to 2^−25 is stored
    as 0 with codes that then mean nothing. A block of zeros, whatever their signs, has d = −0 in Q4_0 and Q5_0, and the
    first of 0 and −0 is the minimum, as in ggml's C. The Python package gguf 0.19 differs in just these two signs: its
    d of a block of zeros which starts with −0 is +0, its minimum is numpy.min's.

    No multiplication is contracted with an addition, nor is it in gguf. C compilers may do so where the processor has
    fused multiply-add: gcc -O3 -march=native changes Q4_0 in about 4 of 1,048,576 blocks of normal numbers.

    ggml's quantizers with an importance matrix search d and are out of scope.

    References
    ----------
    .. [1] ggml, src/ggml-quants.c, quantize_row_q4_0_ref to quantize_row_q8_0_ref; src/ggml-common.h, block_q4_0 ff.

    Examples
    --------
    >>> data = quantize(np.arange(-16, 16, dtype=np.float32), "q8_0")
    >>> data.shape, data[0, :4]  # d = 16/127, codes −127 and −119
    ((1, 34), array([  8,  48, 129, 137], dtype=uint8))
    """
    x = float_array("x", x)
    if x.dtype != np.float32:
        raise TypeError(f"x must be float32, got {x.dtype}")
    bits, minimum = KINDS[choice("kind", kind, KINDS)]
    if x.ndim == 0 or x.shape[-1] % 32:
        raise ValueError(f"x must have a last axis that is a multiple of 32, got shape {x.shape}")
    check_finite("x", x)
    x, top, half_range = x.reshape(-1, 32), 2**bits - 1, 2 ** (bits - 1)
    with np.errstate(over="ignore"):  # of max − m and float16, which _half_bytes refuses
        if minimum:
            m = _first(x, np.argmin(x, axis=1))
            d = (_first(x, np.argmax(x, axis=1)) - m) / np.float32(top)
            stored = [_half_bytes(d), _half_bytes(m)]
        else:
            extreme = _first(x, np.argmax(np.abs(x), axis=1)) + np.float32(0)  # −0 + 0 is 0
            d = np.abs(extreme) / np.float32(127) if bits == 8 else extreme / np.float32(-half_range)
            stored = [_half_bytes(d)]
    inverse = _reciprocal(d)
    if minimum:
        codes = np.minimum(np.trunc((x - m) * inverse + np.float32(0.5)), top)
    elif bits == 8:
        codes = rounding.apply(x * inverse, "half_away")
    else:
        codes = np.minimum(np.trunc(x * inverse + np.float32(half_range + 0.5)), top)
    if bits == 8:
        return np.concatenate([*stored, codes.astype(np.int8).view(np.uint8)], axis=1)
    q = codes.astype(np.uint8)
    if bits == 5:
        stored.append(packing.pack(q >> 4, 1).reshape(-1, 4))
    return np.concatenate([*stored, packing.pack(q & 15, 4, "ggml").reshape(-1, 16)], axis=1)


def dequantize(data: np.ndarray, kind: str) -> np.ndarray:
    """Weights from blocks of bytes.

        q4_0, q5_0:  x′ = d·(q − 2^(b−1))        q4_1, q5_1:  x′ = d·q + m        q8_0:  x′ = d·q

    Parameters
    ----------
    data : (blocks, bytes of a block) uint8 array
    kind : one of `KINDS`

    Returns
    -------
    (blocks·32,) float32 array.

    Raises
    ------
    TypeError
        If data is not uint8.
    ValueError
        If data has not the shape, kind is unknown, or a d or m is not finite.

    Notes
    -----
    d has 11 bits and q at most 8, so the product is exact; the sum is rounded once, with or without fused multiply-add.

    With a d or m that is not finite, ggml goes on to infinities and NaN; here it is refused, unlike a scale of MX or
    NVFP4 that is NaN.

    References
    ----------
    .. [1] ggml, src/ggml-quants.c, dequantize_row_q4_0 to dequantize_row_q8_0.

    Examples
    --------
    >>> data = quantize(np.arange(-16, 16, dtype=np.float32), "q4_0")  # d = 2
    >>> dequantize(data, "q4_0")[:6]
    array([-16., -14., -14., -12., -12., -10.], dtype=float32)
    """
    bits, minimum = KINDS[choice("kind", kind, KINDS)]
    if bits == 8:
        head, qs = fields(data, 2, 32)
        return (half(head) * qs.view(np.int8)).reshape(-1)
    sizes = (2, 2 * minimum, 4 * (bits == 5), 16)
    head, low, qh, qs = fields(data, *sizes)
    q = packing.unpack(qs.reshape(-1), 4, 32 * len(qs), "ggml").reshape(-1, 32)
    if bits == 5:
        q |= packing.unpack(qh.reshape(-1), 1, 32 * len(qh)).reshape(-1, 32) << 4
    if minimum:
        return (half(head) * q + half(low)).reshape(-1)
    return (half(head) * (q.astype(np.float32) - 2 ** (bits - 1))).reshape(-1)


def _first(x: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return x (blocks, 1) at the place of each block."""
    return np.take_along_axis(x, place[:, None], axis=1)


def _reciprocal(d: np.ndarray) -> np.ndarray:
    """1/d in float32, and 0 for d = 0."""
    with np.errstate(over="ignore"):  # refused below
        inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)
    broken = np.flatnonzero(~np.isfinite(inverse))
    if broken.size:
        raise ValueError(f"x must give scales d with a finite 1/d, got d = {d.flat[broken[0]]} in block {broken[0]}")
    return inverse


def _half_bytes(value: np.ndarray) -> np.ndarray:
    """Float16 bytes (blocks, 2) of d or m."""
    stored = value.astype("<f2")
    broken = np.flatnonzero(~np.isfinite(stored))
    if broken.size:
        raise ValueError(
            f"x must give scales and minima which float16 holds, got {value.flat[broken[0]]} in block {broken[0]}"
        )
    return stored.view(np.uint8)
