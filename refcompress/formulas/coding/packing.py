"""Packing: codes of b bits, side by side in bytes.

Tutorial: tutorials/03_b_bit_quantization.py
"""

import numpy as np

from refcompress.formulas.checks import integer, integer_array
from refcompress.formulas.coding.ledger import unused_bits


def pack(q: np.ndarray, bits: int) -> np.ndarray:
    """Pack codes densely, least significant bit first.

        bit j of code k is bit k·b + j of the stream;  bit i of the stream is bit i mod 8 of byte ⌊i/8⌋

    Parameters
    ----------
    q : integer array of any shape
        Codes from 0 to 2^b − 1, taken in row-major order.
    bits : int from 1 to 16
        b.

    Returns
    -------
    (⌈n·b/8⌉,) uint8 array; the unused bits of the last byte are 0.

    Raises
    ------
    TypeError
        If q is not of integers, or bits is not an integer.
    ValueError
        If a code is negative or needs more than b bits, or bits is out of range.

    Notes
    -----
    Bit 0 is the least significant. Code borders need not be byte borders.

    References
    ----------
    .. [1] The bit order of NumPy's packbits(bitorder="little") and of RFC 1951, section 3.1.1.

    Examples
    --------
    >>> pack(np.array([1, 2, 3]), bits=4)  # 0x21, 0x03
    array([33,  3], dtype=uint8)
    """
    q = integer_array("q", q)
    bits = integer("bits", bits, 1, 16)
    if q.size and (q.min() < 0 or q.max() >= 2**bits):
        raise ValueError(f"q must be from 0 to {2**bits - 1} for {bits} bits, got {q.min()} to {q.max()}")
    stream = q.astype("<u2").reshape(-1, 1).view(np.uint8)  # (n, 2): low byte, high byte
    stream = np.unpackbits(stream, axis=1, count=bits, bitorder="little")  # (n, b)
    return np.packbits(stream.reshape(-1), bitorder="little")


def unpack(data: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Unpack what `pack` has packed.

        q_k = Σ_j 2^j · (bit k·b + j of the stream)

    Parameters
    ----------
    data : (⌈count·b/8⌉,) uint8 array
    bits : int from 1 to 16
        b.
    count : int
        Number of codes.

    Returns
    -------
    (count,) array, uint8 up to 8 bits, else uint16.

    Raises
    ------
    TypeError
        If data is not uint8, or bits or count is not an integer.
    ValueError
        If the length of data does not fit, an unused bit is not 0, or bits or count is out of range.

    References
    ----------
    .. [1] The bit order of NumPy's packbits(bitorder="little") and of RFC 1951, section 3.1.1.

    Examples
    --------
    >>> unpack(np.array([0x21, 0x03], np.uint8), bits=4, count=3)
    array([1, 2, 3], dtype=uint8)
    """
    data = integer_array("data", data, ndim=1)
    if data.dtype != np.uint8:
        raise TypeError(f"data must be uint8, got {data.dtype}")
    bits, count = integer("bits", bits, 1, 16), integer("count", count, 0)
    spare = unused_bits(count, bits)
    if data.size * 8 != count * bits + spare:
        raise ValueError(
            f"data must have {(count * bits + spare) // 8} bytes for {count} codes of {bits} bits, got {data.size}"
        )
    if spare and data[-1] >> (8 - spare):
        raise ValueError(f"data must have zeros in the {spare} unused bits of its last byte, got {int(data[-1]):#04x}")
    stream = np.unpackbits(data, count=count * bits, bitorder="little").reshape(count, bits)
    width = 8 if bits <= 8 else 16
    codes = np.packbits(stream, axis=1, bitorder="little")  # (count, 1 or 2): low byte, high byte
    return codes.view(f"<u{width // 8}").astype(f"u{width // 8}").reshape(count)
