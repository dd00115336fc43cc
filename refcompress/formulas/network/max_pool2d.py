"""Max pooling: the largest value of every window.

Tutorial: tutorials/01_network_by_hand.py
"""

from typing import Any

import numpy as np

from refcompress.formulas.checks import float_array, like
from refcompress.formulas.geometry import Pair, channels_first, channels_last, pad, pool_geometry, taps, windows


def forward(x: np.ndarray, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0) -> tuple[np.ndarray, Any]:
    """Maximum over every window.

        out[n, c, i, j] = max_{u, v} x[n, c, i·stride + u − padding, j·stride + v − padding]

    Parameters
    ----------
    x : (N, C, H, W) float array
        −∞ stands outside of the image.
    kernel_size : int or (height, width)
    stride : int or (height, width), default kernel_size
    padding : int or (height, width)
        At most half of the kernel.

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
    Among equal maxima the first of the window in row-major order is the one that receives the gradient. NaN wins over
    every number. A last window that does not fit whole is left out.

    References
    ----------
    .. [1] Scherer, Müller, Behnke, "Evaluation of pooling operations in convolutional architectures for object
       recognition", 2010, eq. 2.

    Examples
    --------
    >>> forward(np.arange(16.0).reshape(1, 1, 4, 4), kernel_size=2)[0]
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    x = float_array("x", x, ndim=4)
    kernel, steps, border, out_size = pool_geometry(x.shape[2:], kernel_size, stride, padding)
    x_padded = pad(channels_last(x), border, -np.inf)
    candidates = list(taps(x_padded, kernel, steps, out_size))  # (N, H_out, W_out, C) each
    out = candidates[0].copy()
    for tap in candidates[1:]:
        np.maximum(out, tap, out=out)
    winner = np.zeros(out.shape, np.min_scalar_type(len(candidates)))
    searching = np.ones(out.shape, bool)
    for tap in candidates:  # the first that is the maximum, or NaN
        searching &= (tap != out) & (tap == tap)
        winner += searching
    if border != (0, 0):  # where all is −∞, the first position inside of the image wins, not the padding
        inside = windows(pad(np.ones((1, *x.shape[2:], 1), bool), border, False), kernel, steps)
        first = inside.reshape(*inside.shape[:3], -1, 1).argmax(axis=3)  # (1, H_out, W_out, 1)
        winner = np.where(out == -np.inf, first, winner)
    return channels_first(out), (winner, x.shape, x_padded.shape, x.dtype, kernel, steps, border)


def backward(dout: np.ndarray, cache: Any) -> np.ndarray:
    """Gradient of the max pooling.

    Only the winner of a window moves its maximum, and one value may win several windows:

        dX[n, c, h, w] = Σ dout[n, c, i, j]   over all windows (i, j) that (h, w) won

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
    .. [1] Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 9.3 (the chain rule applied to its maximum).

    Examples
    --------
    >>> _, cache = forward(np.array([[[[1.0, 7.0], [7.0, 2.0]]]]), kernel_size=2)
    >>> backward(np.array([[[[5.0]]]]), cache)
    array([[[[0., 5.],
             [0., 0.]]]])
    """
    winner, x_shape, padded_shape, dtype, kernel, steps, (top, left) = cache
    N, C, H, W = x_shape
    out_size = winner.shape[1:3]
    dy = channels_last(like("dout", dout, (N, C, *out_size), dtype))  # (N, H_out, W_out, C)
    dX = np.zeros(padded_shape, dtype)
    for k, tap in enumerate(taps(dX, kernel, steps, out_size)):
        tap += dy * (winner == k)
    return channels_first(dX[:, top : top + H, left : left + W])
