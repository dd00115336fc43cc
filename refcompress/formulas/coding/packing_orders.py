"""Packing orders: which codes share a word of bytes, and which of them is in its lowest bits.

Tutorial: tutorials/06_number_formats.py
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from refcompress.formulas.checks import check_shape, choice, integer, integer_array

UP, DOWN, EVEN_ODD = "up", "down", "even_odd"  # the first code lowest; the first code highest; 0 2 4 … 1 3 5 …


class Order(NamedTuple):
    """One order; `layout` reads it."""

    text: str
    words: Mapping[int, int]  # bytes of a word, for every number of bits which the order has
    stride: int | None = 1  # s: how far apart a word's codes are; None: as far as possible, over the whole array
    sequence: str = UP  # σ: a word's codes from its lowest bits on
    dense: bool = False  # codes run on from word to word: the whole is like one long word
    padded: tuple[int, ...] = ()  # bits for which codes of 0 fill the last words; for others they must be full
    multiple: int = 1  # the library takes no other counts
    parts: Mapping[int, tuple[int, ...]] = {}  # widths into which a code is cut, from its lowest bit on


def _words(*bits: int, size: int = 1) -> dict[int, int]:
    return dict.fromkeys(bits, size)


ORDERS: dict[str, Order] = {
    "lsb": Order("dense, least significant bit first", _words(*range(1, 17)), dense=True),
    "int32_dense": Order(
        "lsb, filled up to whole 32-bit words: compressed-tensors, GPTQ", _words(*range(1, 9), size=4), dense=True
    ),
    "int32_words": Order(
        "⌊32/b⌋ codes in a 32-bit word, none in two words: GPTQ, older compressed-tensors",
        _words(*range(1, 9), size=4),
        padded=tuple(range(1, 9)),
    ),
    "awq": Order("codes 0 2 4 6 1 3 5 7 in a 32-bit word: AWQ", _words(4, size=4), sequence=EVEN_ODD),
    "low_nibble_first": Order("the first code in the low bits: ONNX", _words(2, 4), padded=(2, 4)),
    "high_nibble_first": Order("the first code in the high bits: bitsandbytes", _words(2, 4), sequence=DOWN),
    "ggml": Order(
        "codes j and j + 16 of 32 in a byte, the first in the low bits: ggml Q4_0 to Q5_1", _words(4), stride=16
    ),
    "ggml_32": Order(
        "codes j, j + 32 … in a byte, the first in the low bits: ggml Q2_K to Q6_K", _words(1, 2, 4), stride=32
    ),
    "ggml_64": Order("codes j and j + 64 of 128 in a byte, the first in the low bits: ggml Q6_K", _words(4), stride=64),
    "hqq": Order(
        "the first of k equal parts of the array in the high bits: HQQ",
        {1: 1, 2: 1, 3: 4, 4: 1, 8: 1},
        stride=None,
        sequence=DOWN,
        padded=(3,),
    ),
    "torchao_uintx": Order(
        "bits in parts of 4, 2 and 1; of each the first of k equal parts of the array in the low bits: torchao",
        _words(*range(1, 8)),
        stride=None,
        multiple=8,
        parts={3: (2, 1), 5: (4, 1), 6: (4, 2), 7: (4, 2, 1)},
    ),
}


def parts(bits: int, order: str) -> tuple[int, ...]:
    """Widths of the pieces into which an order cuts a code, from its lowest bit on.

        b = Σ parts

    Parameters
    ----------
    bits : int
        b, one of `ORDERS[order].words`.
    order : one of `ORDERS`

    Returns
    -------
    tuple of int: (b,) where codes stay whole. The pieces of all codes are packed one width after the other.

    Raises
    ------
    TypeError
        If bits is not an integer.
    ValueError
        If the order is unknown or has no codes of b bits.

    Notes
    -----
    Only "torchao_uintx" cuts codes: no permutation of codes of 3, 5, 6 or 7 bits gives its bytes.

    References
    ----------
    .. [1] torchao 0.18, prototype/dtypes/uintx/bitpacking.py, numbits.

    Examples
    --------
    >>> parts(7, "torchao_uintx"), parts(7, "lsb")
    ((4, 2, 1), (7,))
    """
    bits, entry = integer("bits", bits, 1, 16), ORDERS[choice("order", order, ORDERS)]
    if bits not in entry.words:
        wanted = ", ".join(map(str, entry.words))
        raise ValueError(f"bits must be one of {wanted} for the order {order!r}, got {bits}")
    return entry.parts.get(bits, (bits,))


def layout(count: int, bits: int, order: str) -> tuple[int, int, int]:
    """Number of words, codes in a word, and how far apart these are.

        k = ⌊8·bytes / b⌋        s = the order's stride, or ⌈n/k⌉        words = ⌈n / (k·s)⌉ · s

    Parameters
    ----------
    count : int ≥ 0
        n, the number of codes.
    bits : int
        b, one of `ORDERS[order].words` for which codes stay whole.
    order : one of `ORDERS`

    Returns
    -------
    (words, k, s): int each; (1, n, 1) for a dense order.

    Raises
    ------
    TypeError
        If count or bits is not an integer.
    ValueError
        If count is negative or, where the order does not pad, does not fill the words; if the order is unknown, or has
        no codes of b bits, or cuts them into parts.

    Notes
    -----
    Padded are "int32_words", "low_nibble_first" and, as HQQ does it, "hqq" with 3 bits. A count must be a multiple of 8
    for "awq" and "torchao_uintx", of k for "high_nibble_first" and "hqq", and of k·s for ggml's.
    bitsandbytes fills an odd count of 4-bit codes with the code of 0.0, which is 7 in NF4: append it to q.

    References
    ----------
    .. [1] The libraries which `arrange` names.

    Examples
    --------
    >>> layout(64, 4, "ggml")  # 32 bytes of 2 codes, which were 16 apart
    (32, 2, 16)
    """
    n, entry = integer("count", count, 0), ORDERS[choice("order", order, ORDERS)]
    if parts(bits, order) != (bits,):
        raise ValueError(f"bits must be the width of a part for the order {order!r}, got {bits}")
    if entry.dense:
        return 1, n, 1
    k = 8 * entry.words[bits] // bits
    s = entry.stride or max(-(-n // k), 1)
    multiple = max(entry.multiple, k * (entry.stride or 1))
    if bits not in entry.padded and n % multiple:
        raise ValueError(f"the number of codes must be a multiple of {multiple} in the order {order!r}, got {n}")
    return -(-n // (k * s)) * s, k, s


def arrange(codes: np.ndarray, bits: int, order: str) -> np.ndarray:
    """Put the codes of every word side by side, the one in the lowest bits first.

        place p of word w holds code  ⌊w/s⌋·k·s + σ(p)·s + (w mod s)

    Parameters
    ----------
    codes : (n,) integer array
        q, in row-major order.
    bits : int
        b, one of `ORDERS[order].words` for which codes stay whole.
    order : one of `ORDERS`
        σ(p) is p for the sequence "up", k − 1 − p for "down", and 0 2 4 … 1 3 5 … for "even_odd".

    Returns
    -------
    (words, k) array of the codes' dtype; places which no code has are 0.

    Raises
    ------
    TypeError
        If codes is not of integers or bits is not an integer.
    ValueError
        As `layout`, or if codes has not 1 dimension.

    Notes
    -----
    What codes mean is not the order's business: compressed-tensors stores q + 2^(b−1) of a signed q, GPTQ's first
    format a zero point less 1; the caller adds and subtracts.

    Libraries pack along an axis; pack takes codes as they lie in memory. compressed-tensors packs every row by itself
    (a row starts a new word), so pack the rows one by one. GPTQ packs its (in, out) weights along "in": pack the rows
    of the transpose, and transpose the words back, to (in·b/32, out). AWQ packs the rows of (in, out), onnx and
    bitsandbytes the flat array. hqq cuts the first axis, which is where the flat array is cut; with 3 bits it adds rows
    of 0 up to a multiple of 10, which is the caller's part unless a row is one code. torchao's is the flat array with
    dim=0, and row by row with dim=−1.

    GPTQ's 3 bits are "int32_dense" (its loop lets codes straddle words), and so is all of compressed-tensors 0.20; its
    0.9 had "int32_words". Where b divides 32, both orders are the same.

    Compared by running, byte for byte: "int32_dense" and, where b divides 32, "int32_words" with compressed-tensors;
    "low_nibble_first" with onnx and torchao; "high_nibble_first" with bitsandbytes at 4 bits and torchao at 2; "ggml",
    "ggml_32" and "ggml_64" with the Python package gguf; "hqq" with hqq; "torchao_uintx" with torchao; "lsb" at 6 bits
    with compressed-tensors and onnx. Only against the published layout: "int32_words" at 3, 5, 6 and 7 bits, and GPTQ.
    AWQ's own packing has not been run either: "awq" is what compressed-tensors reads as AutoAWQ's.

    References
    ----------
    .. [1] compressed-tensors 0.20, compressors/pack_quantized/helpers.py, pack_to_int32.
    .. [2] AutoGPTQ 0.7, nn_modules/qlinear/qlinear_cuda.py, pack; AutoAWQ 0.2, modules/linear/gemm.py, from_linear.
    .. [3] onnx 1.23, numpy_helper.py, _pack_4bitx2 and _pack_2bitx4; bitsandbytes 0.50, backends/default/ops.py,
       quantize_4bit; hqq 0.2.8, core/bitpack.py; torchao 0.18, prototype/dtypes/uintx/bitpacking.py, pack.
    .. [4] ggml, src/ggml-quants.c, quantize_row_q4_0_ref.

    Examples
    --------
    >>> arrange(np.arange(8), 4, "awq")
    array([[0, 2, 4, 6, 1, 3, 5, 7]])
    >>> arrange(np.arange(8), 4, "hqq")  # code 0 above code 4 in the first byte
    array([[4, 0],
           [5, 1],
           [6, 2],
           [7, 3]])
    """
    codes = integer_array("codes", codes, ndim=1)
    words, k, s = layout(codes.size, bits, order)
    if ORDERS[order].dense:
        return codes.reshape(1, -1)
    filled = np.zeros(words * k, codes.dtype)
    filled[: codes.size] = codes
    return filled.reshape(-1, k, s)[:, _sequence(k, order)].swapaxes(1, 2).reshape(words, k)


def restore(arranged: np.ndarray, bits: int, order: str, count: int) -> np.ndarray:
    """Undo `arrange`.

        code  ⌊w/s⌋·k·s + σ(p)·s + (w mod s)  is in place p of word w

    Parameters
    ----------
    arranged : (words, k) integer array
    bits : int
        b, one of `ORDERS[order].words` for which codes stay whole.
    order : one of `ORDERS`
    count : int ≥ 0
        n, the number of codes.

    Returns
    -------
    (n,) array of the dtype of arranged.

    Raises
    ------
    TypeError
        If arranged is not of integers, or bits or count is not an integer.
    ValueError
        As `layout`, if the shape does not fit, or if a place which no code has is not 0.

    References
    ----------
    .. [1] Those of `arrange`.

    Examples
    --------
    >>> restore(np.array([[0, 2, 4, 6, 1, 3, 5, 7]]), 4, "awq", 8)
    array([0, 1, 2, 3, 4, 5, 6, 7])
    """
    arranged = integer_array("arranged", arranged, ndim=2)
    words, k, s = layout(count, bits, order)
    check_shape("arranged", arranged, (words, k))
    if ORDERS[order].dense:
        return arranged.reshape(-1)
    back = np.argsort(_sequence(k, order))
    codes = arranged.reshape(-1, s, k).swapaxes(1, 2)[:, back].reshape(-1)
    if codes[count:].any():
        raise ValueError(f"arranged data must have zeros after its {count} codes, got {codes[count:].tolist()}")
    return codes[:count]


def _sequence(k: int, order: str) -> list[int]:
    """σ: the codes of a word, from its lowest bits on."""
    up = list(range(k))
    return {UP: up, DOWN: up[::-1], EVEN_ODD: up[0::2] + up[1::2]}[ORDERS[order].sequence]
