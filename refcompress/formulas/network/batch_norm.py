"""Batch normalization: every channel to mean β and standard deviation γ.

Tutorial: tutorials/01_network_by_hand.py
"""

from typing import NamedTuple

import numpy as np

from refcompress.formulas.checks import boolean, float_array, like, real


class Cache(NamedTuple):
    """What `backward` needs, and the running statistics after this batch."""

    normalized: np.ndarray
    scale: np.ndarray
    inverse_std: np.ndarray
    training: bool
    running_mean: np.ndarray
    running_var: np.ndarray


class Gradients(NamedTuple):
    """∂L/∂x in x's shape, ∂L/∂γ (C,) and ∂L/∂β (C,)."""

    dX: np.ndarray
    dgamma: np.ndarray
    dbeta: np.ndarray


def forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    *,
    training: bool,
    momentum: float = 0.1,
    epsilon: float = 1e-5,
) -> tuple[np.ndarray, Cache]:
    """Normalize every channel, then scale and shift it.

        x̂   = (x − μ) / √(σ² + ε)
        out = γ · x̂ + β

    In training μ and σ² are the batch's mean and variance (divisor m, the number of values of a channel), and

        running ← (1 − momentum) · running + momentum · batch,   with the batch's variance by divisor m − 1;

    otherwise μ and σ² are the running statistics.

    Parameters
    ----------
    x : (N, C) or (N, C, H, W) float array
    gamma, beta, running_mean, running_var : (C,) arrays of x's dtype
    training : bool
    momentum : float in [0, 1]
        The weight of the new batch.
    epsilon : float > 0, in the normal range of x's dtype

    Returns
    -------
    out : array of x's shape and dtype
    cache : Cache
        `cache.running_mean` and `cache.running_var` are the running statistics after this batch.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, or the dtypes differ.
    ValueError
        If shapes do not fit, a running variance is negative or NaN, an option is out of range, or training has only one
        value for a channel.

    References
    ----------
    .. [1] Ioffe, Szegedy, "Batch normalization", arXiv:1502.03167, algorithms 1 and 2.

    Examples
    --------
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> out, cache = forward(np.array([[1.0], [3.0]]), one, zero, zero, one, training=True, epsilon=1e-300)
    >>> out.ravel(), cache.running_mean, cache.running_var
    (array([-1.,  1.]), array([0.2]), array([1.1]))
    """
    x = float_array("x", x, ndim=(2, 4))
    C = x.shape[1]
    gamma, beta = like("gamma", gamma, (C,), x.dtype), like("beta", beta, (C,), x.dtype)
    running_mean = like("running_mean", running_mean, (C,), x.dtype)
    running_var = like("running_var", running_var, (C,), x.dtype)
    if not (running_var >= 0).all():
        raise ValueError(f"running_var must not be negative, got {running_var.min()}")
    momentum = real("momentum", momentum, 0, 1)
    limits = np.finfo(x.dtype)
    epsilon = real("epsilon", epsilon, float(limits.tiny), float(limits.max))
    per_channel = (1, C) + (1,) * (x.ndim - 2)

    mean, variance = running_mean, running_var
    if boolean("training", training):
        m = x.size // max(C, 1)
        if m < 2:
            raise ValueError(f"x must have at least 2 values for a channel in training, got shape {x.shape}")
        axes = _all_but_channels(x)
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * variance * (m / (m - 1))
    inverse_std = (1 / np.sqrt(variance + epsilon)).reshape(per_channel)
    normalized = (x - mean.reshape(per_channel)) * inverse_std
    scale = gamma.reshape(per_channel)
    out = scale * normalized + beta.reshape(per_channel)
    return out, Cache(normalized, scale, inverse_std, training, running_mean, running_var)


def backward(dout: np.ndarray, cache: Cache) -> Gradients:
    """Gradients of the batch normalization.

        dγ = Σ dout · x̂        dβ = Σ dout        (sums over all m values of a channel)
        dX = γ/√(σ² + ε) · dout                                     with running statistics, which are constants
        dX = γ/√(σ² + ε) · (dout − 1/m · Σ dout − x̂ · 1/m · Σ dout · x̂)                          in training,

    where the two means are what flows through μ and through σ²: ∂x̂/∂μ = −1/√(σ² + ε), ∂x̂/∂σ² = −x̂/(2(σ² + ε)),
    ∂σ²/∂x = 2(x − μ)/m, and ∂σ²/∂μ = 0.

    Parameters
    ----------
    dout : array of out's shape and dtype
        ∂L/∂out.
    cache : what `forward` returned

    Returns
    -------
    Gradients(dX, dgamma, dbeta)

    Raises
    ------
    ValueError, TypeError
        If `dout` has not the shape and dtype of `out`.

    References
    ----------
    .. [1] Ioffe, Szegedy, arXiv:1502.03167, section 3, the unnumbered chain of derivatives.

    Examples
    --------
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> _, cache = forward(np.array([[1.0], [3.0]]), one, zero, zero, one, training=True)
    >>> backward(np.array([[1.0], [1.0]]), cache).dX.ravel()
    array([0., 0.])
    """
    normalized, scale, inverse_std, training, _, _ = cache
    dout = like("dout", dout, normalized.shape, normalized.dtype)
    axes = _all_but_channels(dout)
    dgamma, dbeta = (dout * normalized).sum(axis=axes), dout.sum(axis=axes)  # (C,)
    dnormalized = dout
    if training:
        m = dout.size // dgamma.size
        dnormalized = dout - (dbeta.reshape(scale.shape) + normalized * dgamma.reshape(scale.shape)) / m
    return Gradients(scale * inverse_std * dnormalized, dgamma, dbeta)


def _all_but_channels(x: np.ndarray) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))
