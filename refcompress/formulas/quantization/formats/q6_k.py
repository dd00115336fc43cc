"""Q6_K: ggml's super-blocks of 256 weights of 6 bits, with 16 scales of 8 bits (6.5625 bits a weight).

Tutorial: tutorials/06_number_formats.py
"""

import numpy as np

from refcompress.formulas.coding import packing
from refcompress.formulas.quantization.formats.ggml_bytes import fields, half


def dequantize(data: np.ndarray) -> np.ndarray:
    """Weights from super-blocks of 210 bytes.

        x′ = (d·s_i)·(q − 32)        i = ⌊weight / 16⌋

    =======  =====  ==============================================================================
    field    bytes  content
    =======  =====  ==============================================================================
    ql         128  low 4 bits: byte 64h + l has weight 128h + l in the low half, 128h + 64 + l above
    qh          64  high 2 bits: byte 32h + l has weights 128h + 32j + l in bits 2j, j = 0 … 3
    scales      16  s_i, int8
    d            2  float16
    =======  =====  ==============================================================================

    Parameters
    ----------
    data : (blocks, 210) uint8 array

    Returns
    -------
    (blocks·256,) float32 array.

    Raises
    ------
    TypeError
        If data is not uint8.
    ValueError
        If data has not the shape, or d is not finite.

    Notes
    -----
    Exact in float32 (11 + 7 + 5 bits at most; −128 and −32 are powers of two).

    With a d that is not finite, ggml goes on to infinities and NaN; here it is refused, unlike a scale of MX or
    NVFP4 that is NaN.

    Quantization, a search for d and the scales, is out of scope.

    References
    ----------
    .. [1] ggml, src/ggml-common.h, block_q6_K; src/ggml-quants.c, dequantize_row_q6_K.

    Examples
    --------
    >>> data = np.zeros((1, 210), np.uint8)
    >>> data[0, [0, 128, 192, 209]] = 0x0F, 0b11, 3, 0x3C  # q = 63, s = 3, d = 1
    >>> dequantize(data)[[0, 1, 16]]
    array([ 93., -96.,  -0.], dtype=float32)
    """
    ql, qh, scales, d = fields(data, 128, 64, 16, 2)
    s = half(d) * scales.view(np.int8)
    q = packing.unpack(ql.reshape(-1), 4, 256 * len(ql), "ggml_64")
    q |= packing.unpack(qh.reshape(-1), 2, 256 * len(ql), "ggml_32") << 4
    return (s[:, :, None] * (q.reshape(-1, 16, 16).astype(np.float32) - 32)).reshape(-1)
