"""He initialization: weights drawn so that a layer of ReLUs keeps the size of its signal.

Tutorial: tutorials/01_network_by_hand.py
"""

import math

import numpy as np
from numpy.typing import DTypeLike

from refcompress.formulas.checks import float_dtype, generator, integer


def sample(shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Draw the weights of a layer in front of a ReLU.

        W ~ Normal(0, σ²),   σ = √(2 / fan_in),   fan_in = shape[1] · shape[2] · …

    Parameters
    ----------
    shape : tuple of int
        (M, D) of a fully connected layer or (O, C/groups, kh, kw) of a convolution.
    rng : numpy.random.Generator
        One `standard_normal` draw of this shape in float64.
    dtype : float32 or float64

    Returns
    -------
    array of this shape and dtype

    Raises
    ------
    TypeError
        If the dtype is neither float32 nor float64, the shape is not of integers, or rng is no Generator.
    ValueError
        If the shape has fewer than two axes, or one is not positive.

    References
    ----------
    .. [1] He, Zhang, Ren, Sun, "Delving deep into rectifiers", arXiv:1502.01852, eq. 10.

    Examples
    --------
    >>> W = sample((1000, 50), np.random.default_rng(0))
    >>> bool(abs(W.std() - 0.2) < 0.001)
    True
    """
    dtype = float_dtype(dtype)
    generator("rng", rng)
    if not isinstance(shape, tuple | list) or len(shape) < 2:
        raise ValueError(f"shape must have at least two axes, got {shape}")
    shape = tuple(integer("shape", size, 1) for size in shape)
    fan_in = math.prod(shape[1:])
    return (rng.standard_normal(shape) * math.sqrt(2 / fan_in)).astype(dtype)
