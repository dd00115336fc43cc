"""Level tables: blocks whose 4-bit codes name one of 16 levels of [−1, 1], times the block's largest magnitude.

Tutorial: tutorials/06_number_formats.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import (
    check_finite,
    check_not_empty,
    check_shape,
    choice,
    float_array,
    integer,
    integer_array,
)

LEVELS = {  # in the order of the codes, which for bitsandbytes_fp4 have a sign bit, and so do not ascend
    "nf4": np.array(
        [
            *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
            *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
            *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
            *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
        ],
        np.float32,
    ),
    "bitsandbytes_fp4": np.array([*(0, 0.0625, 8, 12, 4, 6, 2, 3), *(0, -0.0625, -8, -12, -4, -6, -2, -3)], np.float32)
    / np.float32(12),
}
for table in LEVELS.values():
    table.flags.writeable = False
SMALLEST = np.float32(1e-38)  # what divides is not below


def quantize(x: ArrayLike, levels: str = "nf4", *, block_size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Codes and absmax of blocks, by the nearest level.

        absmax = max |x| in the block,   code = argmin_k |t − c_k|,   t = clip(x · (1 / absmax), −1, 1)

    Parameters
    ----------
    x : float32 array of any shape
        Cut into blocks in row-major order, across its rows.
    levels : one of `LEVELS`
        c.
    block_size : int of at least 1
        The last block may be shorter.

    Returns
    -------
    codes : uint8 array of x's shape, 0 to 15
    absmax : (⌈n / block_size⌉,) float32 array

    Raises
    ------
    TypeError
        If x is not float32, or block_size is not an integer.
    ValueError
        If x is empty or not finite, levels is unknown, or block_size is out of range.

    Notes
    -----
    Decided by comparing t with the float32 midpoints of neighbouring levels; a t on a midpoint takes the lower level
    (the lower value, for negative ones too). Reciprocal and product are rounded to float32; what is inverted is at
    least 1e-38, so smaller blocks do not reach the outer levels. A block of zeros has absmax 0 and the code of level 0.

    bitsandbytes_fp4 is not float4_e2m1fn: its levels are 0, 1/192, 1/6, ¼, ⅓, ½, ⅔ and 1, and it has 0 twice. Code 0 is
    for t from above −1/384 to 0, so for negative values too, code 8, also 0, for t from above 0 to 1/384.

    These are the codes of bitsandbytes 0.50.2 on a CPU, quantize_4bit; but that divides by absmax in a shorter last
    block, and stores there an absmax of at least 1e-38.

    References
    ----------
    .. [1] Dettmers et al., "QLoRA: efficient finetuning of quantized LLMs", arXiv:2305.14314, section 3 and appendix E
       (the levels of NF4).

    Examples
    --------
    >>> quantize(np.array([0.5, -2.0, 0.0, 2.0], np.float32))
    (array([10,  0,  7, 15], dtype=uint8), array([2.], dtype=float32))
    """
    x = float_array("x", x)
    if x.dtype != np.float32:
        raise TypeError(f"x must be float32, got {x.dtype}")
    order, bounds = _bounds(LEVELS[choice("levels", levels, LEVELS)])
    B = min(integer("block_size", block_size, 1), max(x.size, 1))
    check_not_empty("x", x)
    check_finite("x", x)
    flat = x.reshape(-1)
    absmax = np.maximum.reduceat(np.abs(flat), range(0, flat.size, B))
    reciprocal = np.repeat(np.float32(1) / np.maximum(absmax, SMALLEST), B)
    codes = np.empty(flat.shape, np.uint8)
    for block in blocks(flat.shape):
        t = np.clip(flat[block] * reciprocal[: flat.size][block], -1, 1)
        place = np.zeros(t.shape, np.uint8)
        for bound in bounds:
            place += t > bound
        codes[block] = order[place]
    return codes.reshape(x.shape), absmax


def dequantize(codes: ArrayLike, absmax: ArrayLike, levels: str = "nf4", *, block_size: int = 64) -> np.ndarray:
    """Values of codes in a level table.

        x = c_code · absmax

    Parameters
    ----------
    codes : integer array of any shape, 0 to 15
    absmax : (⌈n / block_size⌉,) float32 array
    levels : one of `LEVELS`
        c.
    block_size : int of at least 1

    Returns
    -------
    float32 array of the codes' shape.

    Raises
    ------
    TypeError
        If codes are not integers, absmax is not float32, or block_size is not an integer.
    ValueError
        If a code is out of range, absmax is not finite, below 0 or of another length, levels is unknown, or block_size
        is out of range.

    Notes
    -----
    One product, rounded to float32.

    References
    ----------
    .. [1] Dettmers et al., "QLoRA: efficient finetuning of quantized LLMs", arXiv:2305.14314, section 3.

    Examples
    --------
    >>> dequantize(np.array([15, 0, 7]), np.array([2.0], np.float32), "nf4")
    array([ 2., -2.,  0.], dtype=float32)
    """
    codes, absmax = integer_array("codes", codes), float_array("absmax", absmax, ndim=1)
    if absmax.dtype != np.float32:
        raise TypeError(f"absmax must be float32, got {absmax.dtype}")
    c = LEVELS[choice("levels", levels, LEVELS)]
    B = min(integer("block_size", block_size, 1), max(codes.size, 1))
    check_shape("absmax", absmax, (-(-codes.size // B),))
    check_finite("absmax", absmax)
    if (absmax < 0).any():
        raise ValueError(f"absmax must not be below 0, got {absmax.min()}")
    if codes.size and (codes.min() < 0 or codes.max() > 15):
        raise ValueError(f"codes must be from 0 to 15, got {codes.min()} to {codes.max()}")
    x = c[codes.reshape(-1)]
    x *= np.repeat(absmax, B)[: x.size]
    return x.reshape(codes.shape)


def _bounds(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes in ascending order of their levels, and the midpoints between neighbours."""
    order = np.argsort(levels, kind="stable").astype(np.uint8)
    ascending = levels[order]
    return order, (ascending[:-1] + ascending[1:]) / 2
