"""Average pooling: the mean of every window.

Tutorial: tutorials/01_network_by_hand.py
"""

from typing import Any

import numpy as np

from refcompress.formulas.checks import boolean, float_array, like
from refcompress.formulas.geometry import Pair, channels_first, channels_last, pad, pool_geometry, taps, windows


def forward(
    x: np.ndarray, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, *, count_include_pad: bool = True
) -> tuple[np.ndarray, Any]:
    """Mean over every window.

        out[n, c, i, j] = 1/count · Σ_u Σ_v x[n, c, i·stride + u − padding, j·stride + v − padding]

    Parameters
    ----------
    x : (N, C, H, W) float array
        Zeros stand outside of the image.
    kernel_size : int or (height, width)
    stride : int or (height, width), default kernel_size
    padding : int or (height, width)
        At most half of the kernel.
    count_include_pad : bool
        True divides by kh·kw everywhere; False by the number of window positions inside of the image.

    Returns
    -------
    out : (N, C, H_out, W_out) array of x's dtype
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If x is neither float32 nor float64.
    ValueError
        If the window does not fit, or padding exceeds half of the kernel.

    Notes
    -----
    The sum runs over the window in row-major order. A last window that does not fit whole is left out.

    References
    ----------
    .. [1] LeCun et al., "Gradient-based learning applied to document recognition", 1998, section II.B (subsampling).

    Examples
    --------
    >>> forward(np.arange(16.0).reshape(1, 1, 4, 4), kernel_size=2)[0]
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    x = float_array("x", x, ndim=4)
    kernel, steps, border, out_size = pool_geometry(x.shape[2:], kernel_size, stride, padding)
    x_padded = pad(channels_last(x), border)
    out = np.zeros((x.shape[0], *out_size, x.shape[1]), x.dtype)  # (N, H_out, W_out, C)
    for tap in taps(x_padded, kernel, steps, out_size):
        out += tap
    if boolean("count_include_pad", count_include_pad):
        count = np.array(kernel[0] * kernel[1], x.dtype)
    else:
        inside = pad(np.ones((1, *x.shape[2:], 1), x.dtype), border)
        count = sum(taps(inside, kernel, steps, out_size), np.zeros((), x.dtype))  # (1, H_out, W_out, 1)
    out /= count
    return channels_first(out), (x.shape, x_padded.shape, kernel, steps, border, count)


def backward(dout: np.ndarray, cache: Any) -> np.ndarray:
    """Gradient of the average pooling.

    Every value of a window enters its mean with the factor 1/count, and one value may stand in several windows:

        dX[n, c, h, w] = Σ dout[n, c, i, j] / count   over all windows (i, j) that hold (h, w)

    Parameters
    ----------
    dout : (N, C, H_out, W_out) array
        ∂L/∂out, in the dtype of `out`.
    cache : what `forward` returned

    Returns
    -------
    dX : (N, C, H, W) array

    Raises
    ------
    ValueError, TypeError
        If `dout` has not the shape and dtype of `out`.

    References
    ----------
    .. [1] Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 9.3 (the chain rule applied to its mean).

    Examples
    --------
    >>> _, cache = forward(np.zeros((1, 1, 2, 2)), kernel_size=2)
    >>> backward(np.array([[[[4.0]]]]), cache)
    array([[[[1., 1.],
             [1., 1.]]]])
    """
    x_shape, padded_shape, kernel, steps, (top, left), count = cache
    N, C, H, W = x_shape
    out_size = tuple((padded_shape[1 + a] - kernel[a]) // steps[a] + 1 for a in range(2))
    share = np.divide(channels_last(like("dout", dout, (N, C, *out_size), count.dtype)), count, order="C")
    dX = np.zeros(padded_shape, count.dtype)
    if kernel[0] <= steps[0] and kernel[1] <= steps[1]:  # no value stands in two windows
        windows(dX, kernel, steps, writeable=True)[:] = share[:, :, :, np.newaxis, np.newaxis]
    else:
        for tap in taps(dX, kernel, steps, out_size):  # (N, H_out, W_out, C)
            tap += share
    return channels_first(dX[:, top : top + H, left : left + W])
