"""Wrong ends of a range: what each property must see."""

import numpy as np


def else_if(x):
    low, high = x.dtype.type(np.inf), x.dtype.type(-np.inf)
    for value in x.flat:
        if value < low:
            low = value
        elif value > high:
            high = value
    return low, high


def with_zero(x):
    return min(x.min(), x.dtype.type(0)), max(x.max(), x.dtype.type(0))


def high_from_tiny(x):
    return x.min(), max(x.max(), np.finfo(x.dtype).tiny)


# property: (convention, wrong implementation)
PLANTED = {
    "brackets_every_value": ("default", else_if),
    "returns_values": ("default", with_zero),
    "mirrors": ("default", high_from_tiny),
    "reaches_every_value": ("default", lambda x: x.max()),
    "returns_a_magnitude": ("default", lambda x: max(-x.min(), x.max())),  # −0 for zeros
    "ignores_signs": ("default", lambda x: max(x.max(), x.dtype.type(0))),
}
