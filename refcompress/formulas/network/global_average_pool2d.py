"""Global average pooling: one mean for every channel.

Tutorial: tutorials/01_network_by_hand.py
"""

from typing import Any

import numpy as np

from refcompress.formulas.checks import check_not_empty, float_array, like


def forward(x: np.ndarray) -> tuple[np.ndarray, Any]:
    """Mean of every channel over the whole image.

        out[n, c, 0, 0] = 1/(H·W) · Σ_h Σ_w x[n, c, h, w]

    Parameters
    ----------
    x : (N, C, H, W) float array

    Returns
    -------
    out : (N, C, 1, 1) array of x's dtype
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If x is neither float32 nor float64.
    ValueError
        If x has not four dimensions, or is empty.

    References
    ----------
    .. [1] Lin, Chen, Yan, "Network in network", arXiv:1312.4400, section 3.2.

    Examples
    --------
    >>> forward(np.arange(8.0).reshape(1, 2, 2, 2))[0].ravel()
    array([1.5, 5.5])
    """
    x = float_array("x", x, ndim=4)
    check_not_empty("x", x)
    return x.mean(axis=(2, 3), keepdims=True), (x.shape, x.dtype)


def backward(dout: np.ndarray, cache: Any) -> np.ndarray:
    """Gradient of the global average pooling: every pixel moves the mean of its channel by 1/(H·W).

        dX[n, c, h, w] = dout[n, c, 0, 0] / (H·W)

    Parameters
    ----------
    dout : (N, C, 1, 1) array
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
    .. [1] Lin, Chen, Yan, "Network in network", arXiv:1312.4400, section 3.2 (the chain rule applied to its mean).

    Examples
    --------
    >>> _, cache = forward(np.zeros((1, 1, 2, 2)))
    >>> backward(np.array([[[[4.0]]]]), cache)
    array([[[[1., 1.],
             [1., 1.]]]])
    """
    (N, C, H, W), dtype = cache
    dout = like("dout", dout, (N, C, 1, 1), dtype)
    return np.broadcast_to(dout / (H * W), (N, C, H, W)).copy()
