"""What the checks of rounding and of the quantizers share: dtypes, rules, draws, exact numbers, conventions."""

from fractions import Fraction
from itertools import product

import numpy as np

from refcompress.formulas.quantization.convention import AXES, Convention

DTYPES = (np.float32, np.float64)
NEAREST = ("half_even", "half_away", "half_up", "half_down", "half_toward_zero")
RULES = (*NEAREST, "floor", "ceil", "toward_zero", "stochastic")
DRAW = 0.375  # the draw shared by all elements where the stochastic rule is compared with the oracle


class Draws(np.random.Generator):
    """Stands in for a random generator: random(shape) hands out the given draws, whose shape must be the one wanted."""

    def __init__(self, u):
        super().__init__(np.random.PCG64(0))
        self.u = np.asarray(u, dtype=np.float64)

    def random(self, size):
        assert tuple(size) == self.u.shape, f"random() was asked for shape {size}, not {self.u.shape}"
        return self.u.copy()


def shared_draw(rule, shape, u=DRAW):
    """Return the generator that the rule takes: None, or the same draw for every element."""
    return Draws(np.full(shape, u)) if rule == "stochastic" else None


def draw(rule, u=DRAW):
    """Return the same draw for the oracle."""
    return Fraction(u) if rule == "stochastic" else None


def frozen(values, dtype=None):
    """Return an array that cannot be written to: a function that modifies its input raises."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def exact(value):
    """Return the rational number that a finite float (of either size) is."""
    return Fraction(float(value))


def neighbours(value, dtype, steps=2):
    """Return the float and those up to `steps` places below and above it."""
    around = [dtype(value)]
    for direction in (-np.inf, np.inf):
        x = dtype(value)
        for _ in range(steps):
            x = np.nextafter(x, dtype(direction))
            around.append(x)
    return around


def fitting(**fields):
    """Return a convention with these fields, and with those of the range that they ask for; None if they contradict."""
    form = fields.get("form", "s(q-Z)")
    if form in ("sq+Z", "sq-Z"):
        needed = {"zero_point": "low" if form == "sq+Z" else "negated_low", "zero_point_type": "real"}
    elif fields.get("zero_point_type") == "real":
        needed = {"zero_point": "quotient"}
    else:
        needed = {}
    if form == "(q-Z)/s":
        needed["scale"] = "inverse_width"
    try:
        return Convention(**(needed | fields))
    except ValueError:
        return None


def axis_values(*names):
    """Return the dictionaries of all combinations of these axes' values."""
    return [dict(zip(names, values, strict=True)) for values in product(*(AXES[name] for name in names))]
