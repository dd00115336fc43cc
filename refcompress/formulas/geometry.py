"""Sliding windows over images: the sizes, padding and views that convolution and pooling share.

Images are (N, C, H, W) to the caller. Inside they are handled as (N, H, W, C), because a row of channels that lies
together in memory is what matrix products and reductions read fastest.
"""

from collections.abc import Iterator

import numpy as np

from refcompress.formulas.checks import integer

Pair = int | tuple[int, int]


def pair(name: str, value: Pair, low: int) -> tuple[int, int]:
    """Return `value` as (height, width): one integer ≥ low stands for both."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name} must be one integer or two, got {value!r}")
        return integer(name, value[0], low), integer(name, value[1], low)
    number = integer(name, value, low)
    return number, number


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Positions of a window along one axis: ⌊(size + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1.

    Raises ValueError where the window does not fit once or an argument is out of range.

    Examples
    --------
    >>> output_size(32, kernel_size=3, padding=1)
    32
    """
    size, padding = integer("size", size, 0), integer("padding", padding, 0)
    kernel_size, stride = integer("kernel_size", kernel_size, 1), integer("stride", stride, 1)
    dilation = integer("dilation", dilation, 1)
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError(
            f"kernel_size must fit the padded input, got {kernel_size} (dilation {dilation}) for size {size} "
            f"with padding {padding}"
        )
    return room // stride + 1


def channels_last(x: np.ndarray) -> np.ndarray:
    """View of (N, C, H, W) as (N, H, W, C)."""
    return x.transpose(0, 2, 3, 1)


def channels_first(x: np.ndarray) -> np.ndarray:
    """View of (N, H, W, C) as (N, C, H, W)."""
    return x.transpose(0, 3, 1, 2)


def pad(x: np.ndarray, padding: tuple[int, int], value: float = 0.0) -> np.ndarray:
    """Put a border of `value` around the images x (N, H, W, C); x itself where there is none."""
    if padding == (0, 0):
        return x
    (top, left), (N, H, W, C) = padding, x.shape
    out = np.full((N, H + 2 * top, W + 2 * left, C), value, x.dtype)
    out[:, top : top + H, left : left + W] = x
    return out


def windows(
    x: np.ndarray,
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
    *,
    writeable: bool = False,
) -> np.ndarray:
    """View of x (N, H, W, C) as (N, H_out, W_out, kh, kw, C): every window that the kernel sees."""
    (kh, kw), (sh, sw), (dh, dw) = kernel_size, stride, dilation
    reach = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2), writeable=writeable)  # (N, H', W', C, reach)
    return view[:, ::sh, ::sw, :, ::dh, ::dw].transpose(0, 1, 2, 4, 5, 3)


def taps(
    x: np.ndarray, kernel_size: tuple[int, int], stride: tuple[int, int], out_size: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Views (N, H_out, W_out, C) of x (N, H, W, C), one for each kernel position in row-major order."""
    for i, j in np.ndindex(kernel_size):
        yield x[:, i : i + stride[0] * out_size[0] : stride[0], j : j + stride[1] * out_size[1] : stride[1]]


def pool_geometry(
    size: tuple[int, int], kernel_size: Pair, stride: Pair | None, padding: Pair
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Kernel size, stride (default: kernel size), padding (at most half of it) and output size of a pool."""
    kernel = pair("kernel_size", kernel_size, 1)
    steps = kernel if stride is None else pair("stride", stride, 1)
    border = pair("padding", padding, 0)
    if any(2 * p > k for p, k in zip(border, kernel, strict=True)):
        raise ValueError(f"padding must be at most half of kernel_size {kernel}, got {border}")
    height, width = (output_size(*axis) for axis in zip(size, kernel, steps, border, strict=True))
    return kernel, steps, border, (height, width)
