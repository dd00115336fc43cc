"""Integer convolution: sums of products of integer images and filters with zero points, exact.

Tutorial: tutorials/05_integer_arithmetic.py
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_not_empty, check_shape, integer, integer_array
from refcompress.formulas.geometry import Pair, channels_first, channels_last, output_size, pair, windows
from refcompress.formulas.quantization.integer.checks import (
    check_sums,
    distance,
    ends,
    int32,
    type_ends,
    zero_points,
)
from refcompress.formulas.quantization.integer.products import Factor, matmul, prepare

ELEMENTS = 1 << 19  # of one block of a convolution's windows: as float32 it stays in a second-level cache

Border = int | tuple[int, int] | tuple[int, int, int, int]


def conv2d(
    x: ArrayLike,
    w: ArrayLike,
    x_zero_point: int = 0,
    w_zero_point: ArrayLike = 0,
    *,
    stride: Pair = 1,
    padding: Border = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlation of integer images with integer filters and zero points, exact.

        out[n, o, i, j] = Σ_c Σ_u Σ_v (x[n, g·C/groups + c, i·stride + u·dilation − top, …] − z_x)
                                      · (w[o, c, u, v] − z_w)

    with g = ⌊o·groups/O⌋, the group of filter o; the last index is that of the columns, formed as that of the rows.

    Parameters
    ----------
    x : (N, C, H, W) integer array
        z_x, which stands for 0, stands outside of the image too: terms there are 0.
    w : (O, C/groups, kh, kw) integer array
    x_zero_point : integer in the range of x's dtype
        z_x.
    w_zero_point : integer, or (O,) integer array, in the range of w's dtype
        z_w, one for all filters or one for each.
    stride, dilation : int or (height, width)
    padding : int, (height, width) or (top, left, bottom, right)
    groups : int

    Returns
    -------
    (N, O, H_out, W_out) int32 array, H_out = ⌊(H + top + bottom − dilation·(kh − 1) − 1)/stride⌋ + 1

    Raises
    ------
    TypeError
        If an argument is not of integers, or w is a `products.Factor`, which has no filters.
    ValueError
        If shapes, groups or sizes do not fit, a zero point is no code of its array's dtype, or a sum could leave int32:
        C/groups · kh · kw · max|x − z_x| · max|w − z_w| > 2^31 − 1.

    Notes
    -----
    im2col, block by block: the windows of rows of outputs are laid out as the rows of a matrix, and `products.matmul`
    does the rest. `out` has its channels last in memory.

    References
    ----------
    .. [1] ONNX, operator ConvInteger (whose `pads` are top, left, bottom, right).

    Examples
    --------
    >>> x = np.arange(2, 11, dtype=np.uint8).reshape(1, 1, 3, 3)
    >>> conv2d(x, np.ones((1, 1, 2, 2), np.uint8), x_zero_point=1)
    array([[[[12, 16],
             [24, 28]]]], dtype=int32)
    """
    if isinstance(w, Factor):
        raise TypeError("w must be an integer array of filters, got a Factor, which only matmul takes")
    x, w = integer_array("x", x, ndim=4), integer_array("w", w, ndim=4)
    check_not_empty("w", w)
    (N, C, H, W), (O, _, kh, kw) = x.shape, w.shape
    stride, dilation, groups = pair("stride", stride, 1), pair("dilation", dilation, 1), integer("groups", groups, 1)
    if O % groups or C % groups:
        raise ValueError(f"groups must divide the {C} channels and the {O} filters, got {groups}")
    Cg, Og = C // groups, O // groups
    check_shape("w", w, (O, Cg, kh, kw))
    int32("w", w)
    z_x = integer("x_zero_point", x_zero_point, *type_ends(x.dtype))
    z_w = zero_points("w_zero_point", w_zero_point, O, type_ends(w.dtype))
    distance_x = distance(*ends(x, 0), np.asarray(z_x))
    distance_w = distance(*ends(w.reshape(O, -1), z_w.ndim), z_w)
    check_sums("x and w", Cg * kh * kw, distance_x * distance_w, True)

    top, left, bottom, right = border(padding)
    x_padded = np.full((N, H + top + bottom, W + left + right, C), z_x, x.dtype)
    x_padded[:, top : top + H, left : left + W] = channels_last(x)
    H_out, W_out = (output_size(x_padded.shape[1 + d], w.shape[2 + d], stride[d], 0, dilation[d]) for d in range(2))
    view = windows(x_padded, (kh, kw), stride, dilation)  # (N, H_out, W_out, kh, kw, C)
    out = np.empty((N, H_out, W_out, O), np.int32)
    for g in range(groups):
        channels, filters = slice(g * Cg, (g + 1) * Cg), slice(g * Og, (g + 1) * Og)
        weights = prepare(w[filters].transpose(2, 3, 1, 0).reshape(-1, Og))  # (kh·kw·Cg, Og)
        z_g = z_w[filters] if z_w.ndim else z_w
        for block in _row_blocks(view.shape[:3], kh * kw * Cg):
            columns = view[block][..., channels]
            product = matmul(columns.reshape(-1, kh * kw * Cg), weights, z_x, z_g)
            out[block][..., filters] = product.reshape(*columns.shape[:-3], Og)
    return channels_first(out)


def border(padding: Border) -> tuple[int, int, int, int]:
    """Padding on the four sides of an image.

        p → (p, p, p, p)        (h, w) → (h, w, h, w)        (top, left, bottom, right) → itself

    Parameters
    ----------
    padding : int, (height, width) or (top, left, bottom, right), all ≥ 0

    Returns
    -------
    (top, left, bottom, right)

    Raises
    ------
    TypeError
        If a number is not an integer.
    ValueError
        If a number is negative, or there are neither one, two nor four.

    Examples
    --------
    >>> border((1, 2))
    (1, 2, 1, 2)
    """
    if isinstance(padding, (tuple, list)) and len(padding) == 4:
        top, left, bottom, right = (integer("padding", side, 0) for side in padding)
        return top, left, bottom, right
    if isinstance(padding, (tuple, list)) and len(padding) != 2:
        raise ValueError(f"padding must be one integer, two or four, got {padding!r}")
    height, width = pair("padding", padding, 0)
    return height, width, height, width


def _row_blocks(shape: tuple[int, ...], terms: int) -> Iterator[Any]:
    """Indices of blocks of whole images, or of rows of one image where an image is too large, of `terms` a position."""
    N, H_out, W_out = shape
    rows = max(1, ELEMENTS // max(1, W_out * terms))
    if rows >= H_out:
        images = max(1, rows // max(1, H_out))
        yield from ((slice(n, n + images),) for n in range(0, N, images))
    else:
        yield from ((n, slice(i, i + rows)) for n in range(N) for i in range(0, H_out, rows))
