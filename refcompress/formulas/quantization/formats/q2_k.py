"""Q2_K: ggml's super-blocks of 256 weights of 2 bits, with 16 scales and minima of 4 bits (2.625 bits a weight).

Tutorial: tutorials/06_number_formats.py
"""

import numpy as np

from refcompress.formulas.coding import packing
from refcompress.formulas.quantization.formats.ggml_bytes import fields, half


def dequantize(data: np.ndarray) -> np.ndarray:
    """Weights from super-blocks of 84 bytes.

        x′ = (d·s_i)·q − dmin·m_i        i = ⌊weight / 16⌋

    =======  =====  ==============================================================================
    field    bytes  content
    =======  =====  ==============================================================================
    scales      16  byte i: s_i in the low 4 bits, m_i in the high 4
    qs          64  q, 2 bits: byte 32h + l has weights 128h + 32j + l in bits 2j, j = 0 … 3
    d            2  float16
    dmin         2  float16
    =======  =====  ==============================================================================

    Parameters
    ----------
    data : (blocks, 84) uint8 array

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
    Both products are exact in float32 (11 + 4 + 2 bits at most); the difference is rounded once.

    With a d or dmin that is not finite, ggml goes on to infinities and NaN; here it is refused, unlike a scale of MX or
    NVFP4 that is NaN.

    Quantization, a search for d and the scales, is out of scope.

    References
    ----------
    .. [1] ggml, src/ggml-common.h, block_q2_K; src/ggml-quants.c, dequantize_row_q2_K.

    Examples
    --------
    >>> data = np.zeros((1, 84), np.uint8)
    >>> data[0, [0, 16, 81, 83]] = 0x23, 0b11, 0x3C, 0x3C  # s = 3, m = 2, q = 3, d = dmin = 1
    >>> dequantize(data)[[0, 1, 16]]
    array([ 7., -2.,  0.], dtype=float32)
    """
    scales, qs, d, dmin = fields(data, 16, 64, 2, 2)
    s, m = half(d) * (scales & 15), half(dmin) * (scales >> 4)
    q = packing.unpack(qs.reshape(-1), 2, 256 * len(qs), "ggml_32").reshape(-1, 16, 16)
    return (s[:, :, None] * q - m[:, :, None]).reshape(-1)
