"""Normal numbers with variance 2/fan_in, drawn one by one."""

import math

import numpy as np


def sample(shape, rng):
    """Return float64 numbers; fan_in counts the weights of one output (everything behind axis 0)."""
    fan_in = 1
    for size in shape[1:]:
        fan_in *= size
    return np.array([rng.standard_normal() * math.sqrt(2 / fan_in) for _ in np.ndindex(*shape)]).reshape(shape)
