"""Ledger: how many bytes a quantized tensor needs.

Tutorial: tutorials/03_b_bit_quantization.py
"""

from typing import NamedTuple

from refcompress.formulas.checks import integer, real


class Entry(NamedTuple):
    """Bytes of one tensor: packed codes, scales and offsets."""

    payload: int
    scales: int
    offsets: int


def entry(count: int, bits: int, groups: int, float_bytes: int = 4) -> Entry:
    """Bytes of one quantized tensor.

        payload = ⌈n · b / 8⌉        scales = offsets = groups · float_bytes

    Parameters
    ----------
    count : int ≥ 0
        n, the number of codes.
    bits : int from 1 to 64
        b; 32 or 64 for a tensor that stays float32 or float64.
    groups : int ≥ 0
        Parts with a scale and an offset of their own: 1 per tensor, one for every channel, 0 for floats.
    float_bytes : int
        Size of one scale or offset.

    Returns
    -------
    Entry(payload, scales, offsets), in bytes.

    Raises
    ------
    TypeError
        If an argument is not an integer.
    ValueError
        If an argument is out of range.

    References
    ----------
    .. [1] Han, Mao, Dally, "Deep compression", arXiv:1510.00149, section 3 (the count behind its equation for r).

    Examples
    --------
    >>> entry(count=9, bits=4, groups=3)
    Entry(payload=5, scales=12, offsets=12)
    """
    count, bits = integer("count", count, 0), integer("bits", bits, 1, 64)
    side = integer("groups", groups, 0) * integer("float_bytes", float_bytes, 1)
    return Entry((count * bits + unused_bits(count, bits)) // 8, side, side)


def unused_bits(count: int, bits: int) -> int:
    """Bits of the last byte that no code uses.

        (−n · b) mod 8

    Parameters
    ----------
    count : int ≥ 0
        n, the number of codes.
    bits : int ≥ 1
        b.

    Returns
    -------
    int from 0 to 7.

    Raises
    ------
    TypeError
        If an argument is not an integer.
    ValueError
        If an argument is out of range.

    References
    ----------
    .. [1] ⌈n·b/8⌉·8 − n·b.

    Examples
    --------
    >>> unused_bits(3, 4)
    4
    """
    return -integer("count", count, 0) * integer("bits", bits, 1) % 8


def ratio(original_bytes: float, compressed_bytes: float) -> float:
    """How many times smaller the compressed model is.

        r = original / compressed

    Parameters
    ----------
    original_bytes, compressed_bytes : float > 0

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If an argument is not a real number.
    ValueError
        If an argument is not above 0.

    References
    ----------
    .. [1] Han, Mao, Dally, "Deep compression", arXiv:1510.00149, section 3.

    Examples
    --------
    >>> ratio(2_000_000, 50_000)
    40.0
    """
    original = real("original_bytes", original_bytes, 0, open_low=True)
    return original / real("compressed_bytes", compressed_bytes, 0, open_low=True)
