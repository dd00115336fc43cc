"""Packing: codes of b bits, side by side in bytes.

Tutorial: tutorials/03_b_bit_quantization.py
"""

import numpy as np

from refcompress.formulas.checks import integer, integer_array
from refcompress.formulas.coding import packing_orders
from refcompress.formulas.coding.ledger import unused_bits

BLOCK = 1 << 14  # groups of 8 codes, at a time: with their temporaries they stay in the cache


def pack(q: np.ndarray, bits: int, order: str = "lsb") -> np.ndarray:
    """Pack codes densely, least significant bit first, or in the order of another library.

        bit j of code k is bit k·b + j of the stream;  bit i of the stream is bit i mod 8 of byte ⌊i/8⌋

    Parameters
    ----------
    q : integer array of any shape
        Codes from 0 to 2^b − 1, taken in row-major order.
    bits : int from 1 to 16
        b.
    order : one of `packing_orders.ORDERS`
        "lsb" is the above. The others first put the codes of every word side by side (`packing_orders.arrange`), and
        every word, of 1 or 4 bytes, is such a stream.

    Returns
    -------
    (⌈n·b/8⌉,) uint8 array. Orders with words of 4 bytes give whole words, which data.view("<u4") reads. Unused bits and
    padding codes are 0.

    Raises
    ------
    TypeError
        If q is not of integers, or bits is not an integer.
    ValueError
        If a code is negative or needs more than b bits, bits is out of range or none of the order's, the order is
        unknown, or q has not the whole words which it needs.

    Notes
    -----
    Bit 0 is the least significant. Code borders need not be byte borders.

    Signed codes are not taken as they are. In two's complement of b bits they are q & (2**b − 1), and back from u:
    (u ^ 2**(b − 1)) − 2**(b − 1) in a signed type. int8 codes of 8 bits are q.view(np.uint8).

    References
    ----------
    .. [1] The bit order of NumPy's packbits(bitorder="little") and of RFC 1951, section 3.1.1.

    Examples
    --------
    >>> pack(np.array([1, 2, 3]), bits=4)  # 0x21, 0x03
    array([33,  3], dtype=uint8)
    >>> pack(np.array([1, 2, 3, 4]), bits=4, order="high_nibble_first")  # 0x12, 0x34
    array([18, 52], dtype=uint8)

    Signed codes, in two's complement, and back:

    >>> data = pack(np.array([-8, -1, 0, 7]) & 15, bits=4)
    >>> data  # 0xF8, 0x70
    array([248, 112], dtype=uint8)
    >>> (unpack(data, bits=4, count=4).astype(np.int8) ^ 8) - 8
    array([-8, -1,  0,  7], dtype=int8)

    Rows of their own, as compressed-tensors packs them:

    >>> rows = np.array([[1, 2, 3], [4, 5, 6]])
    >>> np.stack([pack(row, bits=4, order="int32_dense") for row in rows]).view("<u4")
    array([[ 801],
           [1620]], dtype=uint32)
    """
    q = integer_array("q", q)
    bits = integer("bits", bits, 1, 16)
    widths = packing_orders.parts(bits, order)
    if q.size and (q.min() < 0 or q.max() >= 2**bits):
        raise ValueError(f"q must be from 0 to {2**bits - 1} for {bits} bits, got {q.min()} to {q.max()}")
    codes = q.reshape(-1)
    if len(widths) > 1:
        pieces = [(codes >> sum(widths[:i])) & (2**width - 1) for i, width in enumerate(widths)]
        return np.concatenate([pack(piece, width, order) for piece, width in zip(pieces, widths, strict=True)])
    words = packing_orders.arrange(codes, bits, order)
    return _join(words, bits, packing_orders.ORDERS[order].words[bits])


def unpack(data: np.ndarray, bits: int, count: int, order: str = "lsb") -> np.ndarray:
    """Unpack what `pack` has packed.

        q_k = Σ_j 2^j · (bit k·b + j of the stream)

    Parameters
    ----------
    data : (⌈count·b/8⌉,) uint8 array
        Or whole words, where the order has words of 4 bytes.
    bits : int from 1 to 16
        b.
    count : int
        Number of codes.
    order : one of `packing_orders.ORDERS`

    Returns
    -------
    (count,) array, uint8 up to 8 bits, else uint16.

    Raises
    ------
    TypeError
        If data is not uint8, or bits or count is not an integer.
    ValueError
        If the length of data does not fit, an unused bit or a code that only fills a word is not 0, bits or count is
        out of range or none of the order's, or the order is unknown.

    References
    ----------
    .. [1] The bit order of NumPy's packbits(bitorder="little") and of RFC 1951, section 3.1.1.

    Examples
    --------
    >>> unpack(np.array([0x21, 0x03], np.uint8), bits=4, count=3)
    array([1, 2, 3], dtype=uint8)
    >>> unpack(np.array([0x12, 0x34], np.uint8), bits=4, count=4, order="high_nibble_first")
    array([1, 2, 3, 4], dtype=uint8)
    """
    data = integer_array("data", data, ndim=1)
    if data.dtype != np.uint8:
        raise TypeError(f"data must be uint8, got {data.dtype}")
    bits, count = integer("bits", bits, 1, 16), integer("count", count, 0)
    widths, size = packing_orders.parts(bits, order), packing_orders.ORDERS[order].words[bits]
    words, k, _ = packing_orders.layout(count, widths[0], order)
    whole = words * -(-k * widths[0] // (8 * size)) * size
    needed = whole if len(widths) == 1 else count * bits // 8  # the parts of 8 codes are whole bytes
    if data.size != needed:
        raise ValueError(f"data must have {needed} bytes for {count} codes of {bits} bits, got {data.size}")
    if len(widths) > 1:
        lows = np.cumsum((0, *widths[:-1]))
        pieces = np.split(data, lows[1:] * count // 8)
        codes = [unpack(piece, width, count, order) for piece, width in zip(pieces, widths, strict=True)]
        return np.bitwise_or.reduce([piece << low for piece, low in zip(codes, lows.astype(np.uint8), strict=True)])
    return packing_orders.restore(_split(data, bits, (words, k), size), bits, order, count)


def _join(words: np.ndarray, bits: int, size: int) -> np.ndarray:
    """Bytes of words (words, k) of codes, every word filled up to whole `size` bytes."""
    k = words.shape[1]
    if len(words) > 1 and k * bits < 8 * size:  # a gap between words: 32-bit words, which 32 // b codes do not fill
        return np.bitwise_or.reduce(words.astype("<u4") << _shifts(k, bits), axis=1).astype("<u4").view(np.uint8)
    data = _pack_dense(words.reshape(-1), bits)
    return data if data.size % size == 0 else np.append(data, np.zeros(-data.size % size, np.uint8))


def _split(data: np.ndarray, bits: int, shape: tuple[int, int], size: int) -> np.ndarray:
    """Undo `_join`; what fills the words up must be 0."""
    words, k = shape
    if words > 1 and k * bits < 8 * size:
        numbers = np.ascontiguousarray(data).view("<u4")
        if (numbers >> np.uint32(k * bits)).any():
            raise ValueError(f"data must have zeros in the {32 - k * bits} highest bits of every 32-bit word")
        return ((numbers[:, None] >> _shifts(k, bits)) & np.uint32(2**bits - 1)).astype(np.uint8)
    used = -(-words * k * bits // 8)
    if data[used:].any():
        raise ValueError(f"data must have zeros after its {used} bytes of codes, got {data[used:].tolist()}")
    return _unpack_dense(data[:used], bits, words * k).reshape(shape)


def _shifts(k: int, bits: int) -> np.ndarray:
    return np.arange(0, k * bits, bits, dtype="<u4")


def _pack_dense(codes: np.ndarray, bits: int) -> np.ndarray:
    """Bytes of codes (n,), least significant bit first."""
    packed = np.empty((-(-codes.size // 8), bits), np.uint8)  # 8 codes are b bytes
    for k in range(0, len(packed), BLOCK):
        part = codes[8 * k : 8 * (k + BLOCK)]
        whole = np.zeros(-(-part.size // 8) * 8, _code_type(bits))
        whole[: part.size] = part
        _squeeze(whole, bits, out=packed[k : k + BLOCK])
    return packed.reshape(-1)[: -(-codes.size * bits // 8)]


def _unpack_dense(data: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Undo `_pack_dense`; the unused bits of the last byte must be 0."""
    spare = unused_bits(count, bits)
    if spare and data[-1] >> (8 - spare):
        raise ValueError(f"data must have zeros in the {spare} unused bits of its last byte, got {int(data[-1]):#04x}")
    codes = np.empty((-(-count // 8), 8), _code_type(bits))
    for k in range(0, len(codes), BLOCK):
        part = data[bits * k : bits * (k + BLOCK)]
        codes[k : k + BLOCK] = _spread(part, bits)
    return codes.reshape(-1)[:count].astype(codes.dtype.newbyteorder("="), copy=False)


def _code_type(bits: int) -> str:
    """The integer type of a code, least significant byte first."""
    return "<u1" if bits <= 8 else "<u2"


def _squeeze(codes: np.ndarray, bits: int, out: np.ndarray) -> None:
    """Close the gaps between codes (8·n,) of 8 or 16 bits: out is (n, bits) bytes.

    In words of 64 bits. Each step moves neighbours together, so that 2, 4 and at last 8 (or 4) codes lie side by side.
    """
    words, width, used = codes.view("<u8"), 8 * codes.itemsize, bits
    while width < 64:
        low = _every(2 * width, used)
        words = (words & low) | ((words >> (width - used)) & (low << used))
        width, used = 2 * width, 2 * used
    if bits > 8:  # 8 codes are two words
        first, second = words[0::2], words[1::2]
        words = np.stack([first | (second << used), second >> (64 - used)], axis=1)
    size = words.nbytes // len(out)
    leading = np.dtype({"names": ["bytes"], "formats": [f"V{bits}"], "itemsize": size})
    out.view(f"V{bits}")[:] = words.reshape(len(out), -1).view(leading)["bytes"]  # as a whole: twice as fast as a slice


def _spread(packed: np.ndarray, bits: int) -> np.ndarray:
    """Undo `_squeeze`: bytes (bits·n,), fewer in the last group, to codes (n, 8)."""
    groups, size = -(-packed.size // bits), 1 if bits <= 8 else 2
    padded = np.zeros(groups * bits + 8, np.uint8)
    padded[: packed.size] = packed
    words, width, used = np.empty((groups, size), "<u8"), 64, 8 * bits // size
    for i in range(size):  # 8 codes are one or two words
        byte, shift = divmod(i * used, 8)
        words[:, i] = np.ndarray(groups, "<u8", padded, byte, (bits,))
        words[:, i] >>= shift
    while width > 8 * size:  # the first step clears what belongs to the next group
        width, used = width // 2, used // 2
        low = _every(2 * width, used)
        words = (words & low) | ((words & (low << used)) << (width - used))
    return words.view(f"<u{size}").reshape(groups, 8)


def _every(period: int, ones: int) -> np.uint64:
    """The lowest `ones` bits of every `period` bits."""
    return np.uint64(sum((2**ones - 1) << start for start in range(0, 64, period)))
