"""Softmax and cross-entropy: the loss of a classifier, from its raw outputs.

Tutorial: tutorials/01_network_by_hand.py
"""

import numpy as np

from refcompress.formulas.checks import check_not_empty, check_shape, choice, float_array, integer_array, real


def forward(
    logits: np.ndarray, labels: np.ndarray, *, reduction: str = "mean", label_smoothing: float = 0.0
) -> tuple[np.floating, tuple[np.ndarray, np.ndarray, float, int]]:
    """Cross-entropy between the softmax of the logits and the labels.

        log p[n, c] = logits[n, c] − log Σ_k e^logits[n, k]
        loss        = −Σ_n Σ_c target[n, c] · log p[n, c]   (divided by N for the mean),
        target      = (1 − ε) · [c = label_n] + ε/C

    Parameters
    ----------
    logits : (N, C) float array
    labels : (N,) integer array
        Class indices from 0 to C − 1.
    reduction : {"mean", "sum"}
    label_smoothing : float in [0, 1]
        ε.

    Returns
    -------
    loss : scalar of the logits' dtype, in nats
    cache : what `backward` needs

    Raises
    ------
    TypeError
        If the logits are neither float32 nor float64, or the labels are not integers.
    ValueError
        If shapes do not fit, a label is out of range, or an option is not one of the above.

    Notes
    -----
    The row's maximum is subtracted first, so that no exponential overflows.

    References
    ----------
    .. [1] Bishop, "Pattern recognition and machine learning", 2006, eqs. 4.104 and 4.108.
    .. [2] Szegedy et al., "Rethinking the Inception architecture", arXiv:1512.00567, section 7 (label smoothing).

    Examples
    --------
    >>> loss, _ = forward(np.array([[1000.0, 1000.0]]), np.array([1]))
    >>> print(round(float(loss), 6))  # log 2
    0.693147
    """
    logits = float_array("logits", logits, ndim=2)
    check_not_empty("logits", logits)
    N, C = logits.shape
    labels = integer_array("labels", labels, ndim=1)
    check_shape("labels", labels, (N,))
    if labels.min() < 0 or labels.max() >= C:
        raise ValueError(f"labels must be from 0 to {C - 1}, got {labels.min()} to {labels.max()}")
    choice("reduction", reduction, ("mean", "sum"))
    epsilon = real("label_smoothing", label_smoothing, 0, 1)

    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # (N, C)
    terms = log_p[np.arange(N), labels]  # (N,)
    if epsilon:
        terms = (1 - epsilon) * terms + epsilon / C * log_p.sum(axis=1)
    divisor = N if reduction == "mean" else 1
    return -terms.sum() / log_p.dtype.type(divisor), (log_p, labels, epsilon, divisor)


def backward(dout: float, cache: tuple[np.ndarray, np.ndarray, float, int]) -> np.ndarray:
    """Gradient of the cross-entropy.

    ∂ log p[n, k]/∂logits[n, c] = [k = c] − p[n, c], and the targets of a row sum to 1, so

        dlogits[n, c] = dout · (p[n, c] − target[n, c])   (divided by N for the mean)

    Parameters
    ----------
    dout : float
        ∂L/∂loss; 1 where the loss is what is minimized.
    cache : what `forward` returned

    Returns
    -------
    dlogits : (N, C) array of the logits' dtype

    Raises
    ------
    TypeError, ValueError
        If `dout` is not a finite real number.

    References
    ----------
    .. [1] Bishop, 2006, eq. 4.109.

    Examples
    --------
    >>> _, cache = forward(np.array([[0.0, 0.0]]), np.array([1]))
    >>> backward(1.0, cache)
    array([[ 0.5, -0.5]])
    """
    log_p, labels, epsilon, divisor = cache
    dout = real("dout", dout, -np.inf, np.inf, open_low=True, open_high=True)
    dlogits = np.exp(log_p)  # p
    if epsilon:
        dlogits -= epsilon / log_p.shape[1]
    dlogits[np.arange(len(labels)), labels] -= 1 - epsilon
    dlogits *= log_p.dtype.type(dout / divisor)
    return dlogits
