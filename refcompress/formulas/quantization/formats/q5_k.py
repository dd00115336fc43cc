"""Q5_K: ggml's super-blocks of 256 weights of 5 bits, with 8 scales and minima of 6 bits (5.5 bits a weight).

Tutorial: tutorials/06_number_formats.py
"""

import numpy as np

from refcompress.formulas.coding import packing
from refcompress.formulas.quantization.formats.ggml_bytes import fields, half
from refcompress.formulas.quantization.formats.q4_k import scales_and_mins


def dequantize(data: np.ndarray) -> np.ndarray:
    """Weights from super-blocks of 176 bytes.

        x′ = (d·s_i)·q − dmin·m_i        i = ⌊weight / 32⌋

    =======  =====  ==============================================================================
    field    bytes  content
    =======  =====  ==============================================================================
    d            2  float16
    dmin         2  float16
    scales      12  s_i and m_i as in Q4_K
    qh          32  high bit of q: byte l has weights 32j + l in bit j, j = 0 … 7
    qs         128  low 4 bits: byte 32c + l has weight 64c + l in the low half, 64c + 32 + l above
    =======  =====  ==============================================================================

    Parameters
    ----------
    data : (blocks, 176) uint8 array

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
    Both products are exact in float32 (11 + 6 + 5 bits at most); the difference is rounded once.

    With a d or dmin that is not finite, ggml goes on to infinities and NaN; here it is refused, unlike a scale of MX or
    NVFP4 that is NaN.

    Quantization, a search for d and the scales, is out of scope.

    References
    ----------
    .. [1] ggml, src/ggml-common.h, block_q5_K; src/ggml-quants.c, dequantize_row_q5_K.

    Examples
    --------
    >>> data = np.zeros((1, 176), np.uint8)
    >>> data[0, [1, 3, 4, 8, 16, 48]] = 0x3C, 0x3C, 5, 2, 1, 0x0F  # d = dmin = 1, s = 5, m = 2, q = 31
    >>> dequantize(data)[[0, 1, 32]]
    array([153.,  -2.,   0.], dtype=float32)
    """
    d, dmin, scales, qh, qs = fields(data, 2, 2, 12, 32, 128)
    s, m = scales_and_mins(scales)
    q = packing.unpack(qs.reshape(-1), 4, 256 * len(qs), "ggml_32")
    q |= packing.unpack(qh.reshape(-1), 1, 256 * len(qs), "ggml_32") << 4
    return ((half(d) * s)[:, :, None] * q.reshape(-1, 8, 32) - (half(dmin) * m)[:, :, None]).reshape(-1)
