"""Q4_K: ggml's super-blocks of 256 weights of 4 bits, with 8 scales and minima of 6 bits (4.5 bits a weight).

Tutorial: tutorials/06_number_formats.py
"""

import numpy as np

from refcompress.formulas.coding import packing
from refcompress.formulas.quantization.formats.ggml_bytes import fields, half


def dequantize(data: np.ndarray) -> np.ndarray:
    """Weights from super-blocks of 144 bytes.

        x′ = (d·s_i)·q − dmin·m_i        i = ⌊weight / 32⌋

    =======  =====  ==============================================================================
    field    bytes  content
    =======  =====  ==============================================================================
    d            2  float16
    dmin         2  float16
    scales      12  s_i and m_i, see `scales_and_mins`
    qs         128  q, 4 bits: byte 32c + l has weight 64c + l in the low half, 64c + 32 + l above
    =======  =====  ==============================================================================

    Parameters
    ----------
    data : (blocks, 144) uint8 array

    Returns
    -------
    (blocks·256,) float32 array.

    Raises
    ------
    TypeError
        If data is not uint8.
    ValueError
        If data has not the shape, or d or dmin is not finite.

    Notes
    -----
    Both products are exact in float32 (11 + 6 + 4 bits at most); the difference is rounded once. m_i ≥ 0, so that a
    block's least weight is at most 0 where dmin ≥ 0.

    With a d or dmin that is not finite, ggml goes on to infinities and NaN; here it is refused, unlike a scale of MX or
    NVFP4 that is NaN.

    Quantization, a search for d and the scales, is out of scope.

    References
    ----------
    .. [1] ggml, src/ggml-common.h, block_q4_K; src/ggml-quants.c, dequantize_row_q4_K.

    Examples
    --------
    >>> data = np.zeros((1, 144), np.uint8)
    >>> data[0, [1, 3, 4, 8, 16]] = 0x3C, 0x3C, 5, 2, 0x0F  # d = dmin = 1, s = 5, m = 2, q = 15
    >>> dequantize(data)[[0, 1, 32]]
    array([73., -2.,  0.], dtype=float32)
    """
    d, dmin, scales, qs = fields(data, 2, 2, 12, 128)
    s, m = scales_and_mins(scales)
    q = packing.unpack(qs.reshape(-1), 4, 256 * len(qs), "ggml_32").reshape(-1, 8, 32)
    return ((half(d) * s)[:, :, None] * q - (half(dmin) * m)[:, :, None]).reshape(-1)


def scales_and_mins(scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eight scales and eight minima of 6 bits from 12 bytes.

        i < 4:  s_i = B_i mod 64                               m_i = B_(i+4) mod 64
        i ≥ 4:  s_i = B_(i+4) mod 16 + 16·⌊B_(i−4) / 64⌋       m_i = ⌊B_(i+4) / 16⌋ + 16·⌊B_i / 64⌋

    Parameters
    ----------
    scales : (blocks, 12) uint8 array
        B, the field of Q4_K and Q5_K.

    Returns
    -------
    (s, m) : (blocks, 8) uint8 arrays, from 0 to 63.

    Raises
    ------
    TypeError
        If scales is not uint8.
    ValueError
        If scales has not the shape.

    References
    ----------
    .. [1] ggml, src/ggml-quants.c, get_scale_min_k4.

    Examples
    --------
    >>> s, m = scales_and_mins(np.array([[0xC1, 2, 3, 4, 5, 6, 7, 8, 0x29, 0, 0, 0]], np.uint8))
    >>> s, m
    (array([[ 1,  2,  3,  4, 57,  0,  0,  0]], dtype=uint8), array([[5, 6, 7, 8, 2, 0, 0, 0]], dtype=uint8))
    """
    first, second, low = fields(scales, 4, 4, 4, name="scales")
    s = np.concatenate([first & 63, low & 15 | first >> 6 << 4], axis=1)
    m = np.concatenate([second & 63, low >> 4 | second >> 6 << 4], axis=1)
    return s, m
