"""Mean squared error: the loss of a regression.

Tutorial: tutorials/01_network_by_hand.py
"""

from typing import Any, NamedTuple

import numpy as np

from refcompress.formulas.checks import check_not_empty, choice, float_array, like, real


class Gradients(NamedTuple):
    """∂L/∂prediction and ∂L/∂target, in their shape."""

    dprediction: np.ndarray
    dtarget: np.ndarray


def forward(prediction: np.ndarray, target: np.ndarray, *, reduction: str = "mean") -> tuple[np.floating, Any]:
    """Squared distance between prediction and target.

        loss = Σ (prediction − target)²   (divided by the number of elements for the mean)

    Parameters
    ----------
    prediction : float array of any shape
    target : array of the prediction's shape and dtype
    reduction : {"mean", "sum"}

    Returns
    -------
    loss : scalar of the prediction's dtype, in its unit squared
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or the dtypes differ.
    ValueError
        If the shapes differ, an array is empty, or the reduction is unknown.

    References
    ----------
    .. [1] Bishop, "Pattern recognition and machine learning", 2006, eq. 1.2, without its factor 1/2.

    Examples
    --------
    >>> float(forward(np.array([1.0, 3.0]), np.array([0.0, 0.0]))[0])
    5.0
    """
    prediction = float_array("prediction", prediction)
    check_not_empty("prediction", prediction)
    difference = prediction - like("target", target, prediction.shape, prediction.dtype)
    divisor = prediction.size if choice("reduction", reduction, ("mean", "sum")) == "mean" else 1
    return (difference * difference).sum() / difference.dtype.type(divisor), (difference, divisor)


def backward(dout: float, cache: Any) -> Gradients:
    """Gradients of the squared error.

        dprediction = dout · 2 · (prediction − target)   (divided by the number of elements for the mean)
        dtarget     = −dprediction

    Parameters
    ----------
    dout : float
        ∂L/∂loss; 1 where the loss is what is minimized.
    cache : what `forward` returned

    Returns
    -------
    Gradients(dprediction, dtarget)

    Raises
    ------
    TypeError, ValueError
        If `dout` is not a finite real number.

    References
    ----------
    .. [1] Bishop, 2006, eq. 1.2, differentiated.

    Examples
    --------
    >>> _, cache = forward(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    >>> backward(1.0, cache).dprediction
    array([1., 3.])
    """
    difference, divisor = cache
    dout = real("dout", dout, -np.inf, np.inf, open_low=True, open_high=True)
    dprediction = difference * difference.dtype.type(2 * dout / divisor)
    return Gradients(dprediction, -dprediction)
