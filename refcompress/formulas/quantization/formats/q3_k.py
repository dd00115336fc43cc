"""Q3_K: ggml's super-blocks of 256 weights of 3 bits, with 16 scales of 6 bits (3.4375 bits a weight).

Tutorial: tutorials/06_number_formats.py
"""

import numpy as np

from refcompress.formulas.coding import packing
from refcompress.formulas.quantization.formats.ggml_bytes import fields, half


def dequantize(data: np.ndarray) -> np.ndarray:
    """Weights from super-blocks of 110 bytes.

        x′ = d·(s_i − 32)·(q − 4)        i = ⌊weight / 16⌋

    =======  =====  ==============================================================================
    field    bytes  content
    =======  =====  ==============================================================================
    hmask       32  high bit of q: byte l has weights 32j + l in bit j, j = 0 … 7
    qs          64  low 2 bits: byte 32h + l has weights 128h + 32j + l in bits 2j, j = 0 … 3
    scales      12  see below
    d            2  float16
    =======  =====  ==============================================================================

    s_i, 6 bits: its low 4 bits are in byte i mod 8 of scales, low nibble for i < 8, else high; its high 2 bits are in
    byte 8 + i mod 4, bits 2⌊i/4⌋ and 2⌊i/4⌋ + 1.

    Parameters
    ----------
    data : (blocks, 110) uint8 array

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
    Exact in float32 (11 + 6 + 3 bits at most).

    With a d that is not finite, ggml goes on to infinities and NaN; here it is refused, unlike a scale of MX or
    NVFP4 that is NaN.

    Quantization, a search for d and the scales, is out of scope.

    References
    ----------
    .. [1] ggml, src/ggml-common.h, block_q3_K; src/ggml-quants.c, dequantize_row_q3_K.

    Examples
    --------
    >>> data = np.zeros((1, 110), np.uint8)
    >>> data[0, [0, 32, 96, 109]] = 1, 0b11, 0x02, 0x3C  # q = 7, s = 2, d = 1
    >>> dequantize(data)[[0, 1, 16]]
    array([-90., 120., 128.], dtype=float32)
    """
    hmask, qs, scales, d = fields(data, 32, 64, 12, 2)
    low = np.concatenate([scales[:, :8] & 15, scales[:, :8] >> 4], axis=1)
    high = np.concatenate([scales[:, 8:] >> shift & 3 for shift in (0, 2, 4, 6)], axis=1)
    s = half(d) * ((low | high << 4).astype(np.float32) - 32)
    q = packing.unpack(qs.reshape(-1), 2, 256 * len(qs), "ggml_32")
    q |= packing.unpack(hmask.reshape(-1), 1, 256 * len(qs), "ggml_32") << 2
    return (s[:, :, None] * (q.reshape(-1, 16, 16).astype(np.float32) - 4)).reshape(-1)
