"""Two-dimensional convolution: every filter is one neuron, applied at every position.

Tutorial: tutorials/01_network_by_hand.py
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from refcompress.formulas.checks import check_not_empty, float_array, integer, like
from refcompress.formulas.geometry import Pair, channels_first, channels_last, output_size, pad, pair, windows

__all__ = ["Gradients", "backward", "forward", "macs", "output_size"]

CACHE = 5 << 18  # bytes of one block of windows: with its product it stays in a second-level cache


class Gradients(NamedTuple):
    """∂L/∂x (N, C, H, W), ∂L/∂W (O, C/groups, kh, kw) and ∂L/∂b (O,); None where not asked for or without bias."""

    dX: np.ndarray | None
    dW: np.ndarray
    db: np.ndarray | None


def forward(
    x: np.ndarray,
    W: np.ndarray,
    b: np.ndarray | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[np.ndarray, Any]:
    """Cross-correlation of images with O filters (N1 at every position, weights shared).

        out[n, o, i, j] = b[o] + Σ_c Σ_u Σ_v W[o, c, u, v] · x[n, g·C/groups + c, i·stride + u·dilation − padding, …]

    with g = ⌊o·groups/O⌋, the group of filter o; the last index is that of the columns, formed as that of the rows.

    Parameters
    ----------
    x : (N, C, H, W) float array
        Zeros stand outside of the image.
    W : (O, C/groups, kh, kw) float array of x's dtype
    b : (O,) float array of x's dtype, optional
    stride, padding, dilation : int or (height, width)
    groups : int
        Filter o is of group g and reads the C/groups channels of that group only.

    Returns
    -------
    out : (N, O, H_out, W_out) array of x's dtype, H_out = ⌊(H + 2·padding − dilation·(kh − 1) − 1)/stride⌋ + 1
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or the dtypes differ.
    ValueError
        If shapes, groups or sizes do not fit.

    Notes
    -----
    im2col, block by block: the windows of an image, or of several small ones, are laid out as rows, so that one matrix
    product, small enough for the cache, computes all their outputs. `out` has its channels last in memory.

    References
    ----------
    .. [1] Chellapilla, Puri, Simard, "High performance convolutional neural networks for document processing", 2006.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> forward(x, np.ones((1, 1, 2, 2)))[0]
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    x = float_array("x", x, ndim=4)
    W = float_array("W", W, ndim=4)
    check_not_empty("W", W)
    O, _, kh, kw = W.shape
    stride, dilation = pair("stride", stride, 1), pair("dilation", dilation, 1)
    padding = pair("padding", padding, 0)
    groups = integer("groups", groups, 1)
    if O % groups or x.shape[1] % groups:
        raise ValueError(f"groups must divide the {x.shape[1]} channels and the {O} filters, got {groups}")
    W = like("W", W, (O, x.shape[1] // groups, kh, kw), x.dtype)
    for axis in range(2):  # says so where the kernel does not fit
        output_size(x.shape[2 + axis], W.shape[2 + axis], stride[axis], padding[axis], dilation[axis])

    x_padded = pad(channels_last(x), padding)  # (N, H + 2p, W + 2p, C)
    w = W.reshape(groups, O // groups, -1, kh, kw).transpose(0, 3, 4, 2, 1)  # (groups, kh, kw, C/groups, O/groups)
    b = None if b is None else like("b", b, (O,), x.dtype)
    out = _correlate(x_padded, w, b, stride, dilation)  # (N, H_out, W_out, O)
    return channels_first(out), (x_padded, w, x.shape, b is not None, stride, padding, dilation)


def backward(dout: np.ndarray, cache: Any, *, input_gradient: bool = True) -> Gradients:
    """Gradients of the convolution.

    W[o, c, u, v] meets x[…, i·stride + u·dilation − padding, …] in out[…, o, i, j], so

        dW[o, c, u, v] = Σ_n Σ_i Σ_j dout[n, o, i, j] · x[n, c, i·stride + u·dilation − padding, …]
        db[o]          = Σ_n Σ_i Σ_j dout[n, o, i, j]
        dX[n, c, h, …] = Σ_o Σ_u dout[n, o, i, …] · W[o, c, u, …]   where i·stride + u·dilation − padding = h

    (here for one group: channel c of W is channel g·C/groups + c of x, and o runs over the filters of its group).

    With Z, the gradient dout spread out by the stride, Z[i·stride + dilation·(kh − 1) − padding] = dout[i], the last
    line is again a correlation, with the kernel turned around: dX[h] = Σ_u Z[h + u·dilation] · W[kh − 1 − u].

    Parameters
    ----------
    dout : (N, O, H_out, W_out) array
        ∂L/∂out, in the dtype of `out`.
    cache : what `forward` returned
    input_gradient : bool
        False leaves out dX, which the first layer of a network does not need.

    Returns
    -------
    Gradients(dX, dW, db)

    Raises
    ------
    ValueError, TypeError
        If `dout` has not the shape and dtype of `out`.

    References
    ----------
    .. [1] Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285, section 4.

    Examples
    --------
    >>> _, cache = forward(np.ones((1, 1, 2, 2)), np.array([[[[1.0, 2.0], [3.0, 4.0]]]]))
    >>> backward(np.array([[[[10.0]]]]), cache).dX
    array([[[[10., 20.],
             [30., 40.]]]])
    """
    x_padded, w, x_shape, has_bias, stride, padding, dilation = cache
    groups, kh, kw, Cg, Og = w.shape
    N, _, H, W = x_shape
    view = windows(x_padded, (kh, kw), stride, dilation)  # (N, H_out, W_out, kh, kw, C)
    H_out, W_out = view.shape[1:3]
    dout = channels_last(like("dout", dout, (N, groups * Og, H_out, W_out), x_padded.dtype))
    dy = np.ascontiguousarray(dout).reshape(N, H_out, W_out, groups, Og)

    dw = np.zeros((groups, kh * kw * Cg, Og), dy.dtype)
    for g, images, rows, columns in _column_blocks(view, groups):
        dw[g] += columns.T @ dy[images, rows, :, g].reshape(-1, Og)
    dW = dw.reshape(groups, kh, kw, Cg, Og).transpose(0, 4, 3, 1, 2).reshape(groups * Og, Cg, kh, kw)
    db = np.ones(N * H_out * W_out, dy.dtype) @ dy.reshape(-1, groups * Og) if has_bias else None  # (O,)
    if not input_gradient:
        return Gradients(None, dW, db)

    rows, Z_rows = _spread(H_out, H, kh, stride[0], padding[0], dilation[0])
    cols, Z_cols = _spread(W_out, W, kw, stride[1], padding[1], dilation[1])
    Z = np.zeros((N, H + dilation[0] * (kh - 1), W + dilation[1] * (kw - 1), groups * Og), x_padded.dtype)
    Z[:, Z_rows, Z_cols] = dout[:, rows, cols]
    turned = w[:, ::-1, ::-1].swapaxes(3, 4)  # (groups, kh, kw, O/groups, C/groups)
    return Gradients(channels_first(_correlate(Z, turned, None, (1, 1), dilation)), dW, db)


def macs(W: np.ndarray, output_height: int, output_width: int) -> int:
    """Multiply–accumulates for one image: every weight once at every output position.

    Parameters
    ----------
    W : (O, C/groups, kh, kw) array
    output_height, output_width : int

    Returns
    -------
    int

    Examples
    --------
    >>> macs(np.zeros((64, 32, 3, 3)), 32, 32)
    18874368
    """
    return int(W.size * output_height * output_width)


def _correlate(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, stride: tuple[int, int], dilation: tuple[int, int]
) -> np.ndarray:
    """Correlate padded images x (N, H, W, C) with w (groups, kh, kw, C/groups, O/groups): (N, H_out, W_out, O)."""
    groups, kh, kw, _, Og = w.shape
    view = windows(x, (kh, kw), stride, dilation)  # (N, H_out, W_out, kh, kw, C)
    matrices = w.reshape(groups, -1, Og)
    out = np.empty((groups, *view.shape[:3], Og), x.dtype)
    b_rows = None if b is None else np.tile(b.reshape(groups, Og), view.shape[2])  # long rows are added faster
    for g, images, rows, columns in _column_blocks(view, groups):
        block = out[g, images, rows].reshape(-1, Og)  # a view: whole images, or rows of one
        np.matmul(columns, matrices[g], out=block)
        if b_rows is not None:
            block.reshape(-1, b_rows.shape[1])[:] += b_rows[g]
    return out.transpose(1, 2, 3, 0, 4).reshape(*view.shape[:3], groups * Og)


def _column_blocks(view: np.ndarray, groups: int) -> Iterator[tuple[int, slice, slice, np.ndarray]]:
    """Cut the windows (N, H_out, W_out, kh, kw, C) into blocks: group, images, rows, (positions, kh·kw·C/groups)."""
    N, H_out, W_out, kh, kw, C = view.shape
    Cg = C // groups
    row_bytes = W_out * kh * kw * Cg * view.itemsize
    parts = max(1, -(-H_out * row_bytes // CACHE))  # of one image
    images, rows = max(1, CACHE // (H_out * row_bytes)), -(-H_out // parts)
    shape, columns = None, np.empty(0)
    for g, n, i in np.ndindex(groups, -(-N // images), -(-H_out // rows)):
        where = slice(n * images, (n + 1) * images), slice(i * rows, (i + 1) * rows)
        block = view[(*where, ..., slice(g * Cg, (g + 1) * Cg))]
        if block.shape != shape:
            shape, columns = block.shape, _room_for(block)
        columns[:] = block
        yield g, *where, columns.reshape(-1, kh * kw * Cg)


def _room_for(view: np.ndarray) -> np.ndarray:
    """Memory for these windows (n, rows, W_out, kh, kw, C), in the order that copies them in the longer runs."""
    if view.shape[4] * view.shape[5] >= view.shape[2]:
        return np.empty(view.shape, view.dtype)
    by_tap = (*view.shape[3:], *view.shape[:3])  # few channels: a run is a row of pixels
    return np.empty(by_tap, view.dtype).transpose(3, 4, 5, 0, 1, 2)


def _spread(count: int, size: int, kernel: int, stride: int, padding: int, dilation: int) -> tuple[slice, slice]:
    """Which of dout's `count` rows touch the image, and the rows of Z (size + dilation·(kernel − 1)) they go to."""
    start, length = dilation * (kernel - 1) - padding, size + dilation * (kernel - 1)
    first = max(0, -(start // stride))  # the smallest i with i·stride + start ≥ 0
    last = max(first, min(count, -((start - length) // stride)))  # the smallest i beyond Z
    return slice(first, last), slice(first * stride + start, first * stride + start + (last - first) * stride, stride)
