"""Schedules: the learning rate as a function of the iteration t, counted from 0."""

import math
from collections.abc import Callable

import numpy as np

from refcompress.formulas.checks import integer, real

Schedule = Callable[[int], float]


def step_schedule(base: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """Multiply the learning rate by γ every `step_size` iterations.

        η(t) = base · γ^⌊t / step_size⌋

    Parameters
    ----------
    base : float ≥ 0
    step_size : int ≥ 1
    gamma : float ≥ 0

    Returns
    -------
    function t → learning rate

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type or out of range.

    References
    ----------
    .. [1] torch.optim.lr_scheduler.StepLR.

    Examples
    --------
    >>> schedule = step_schedule(1.0, step_size=2, gamma=0.5)
    >>> [schedule(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    base, gamma = (real(n, v, 0, np.inf, open_high=True) for n, v in (("base", base), ("gamma", gamma)))
    step_size = integer("step_size", step_size, 1)
    return lambda t: base * gamma ** (t // step_size)


def cosine_schedule(base: float, total: int, minimum: float = 0.0) -> Schedule:
    """Lower the learning rate along half a cosine, from `base` at t = 0 to `minimum` at t = total.

        η(t) = minimum + (base − minimum) · (1 + cos(π·t/total)) / 2

    Parameters
    ----------
    base, minimum : float ≥ 0
    total : int ≥ 1

    Returns
    -------
    function t → learning rate

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type or out of range.

    References
    ----------
    .. [1] Loshchilov, Hutter, "SGDR", arXiv:1608.03983, eq. 5; torch.optim.lr_scheduler.CosineAnnealingLR.

    Examples
    --------
    >>> schedule = cosine_schedule(1.0, total=2)
    >>> [round(schedule(t), 3) for t in range(3)]
    [1.0, 0.5, 0.0]
    """
    base, minimum = (real(n, v, 0, np.inf, open_high=True) for n, v in (("base", base), ("minimum", minimum)))
    total = integer("total", total, 1)
    return lambda t: minimum + (base - minimum) * ((1 + math.cos(math.pi * t / total)) / 2)
