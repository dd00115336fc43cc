"""Wrong rules of rounding: what each property must see."""

import numpy as np

from refcompress.formulas.quantization import rounding


def adds_half(t):
    return np.floor(t + t.dtype.type(0.5))


def one_below(t):
    return np.ceil(t) - 1


def loses_the_sign(t):
    return rounding.apply(t) + t.dtype.type(0)


def away_only_above_zero(t):
    return rounding.apply(t, "half_up")


def upward_below_zero(t):
    """A fraction of ½ or more adds 1 to the whole part, which for −0.75 is 0."""
    return np.trunc(t) + (np.abs(t - np.trunc(t)) >= 0.5)


def up_from(compare):
    def stochastic(t, u):
        below = np.floor(t)
        return np.where(compare(u, t - below), below + 1, below)

    return stochastic


def one_draw(t, u):
    return up_from(np.less)(t, u[:1])


# property: (convention, wrong implementation)
PLANTED = {
    "moves_less_than_one": ("half_up", adds_half),
    "keeps_integers": ("floor", one_below),
    "keeps_the_sign": ("half_even", loses_the_sign),
    "is_monotone": ("half_even", upward_below_zero),
    "takes_its_side": ("half_away", away_only_above_zero),
    "mirrors_or_moves_along": ("half_away", away_only_above_zero),
    "is_beside_t": ("default", up_from(np.less_equal)),
    "goes_up_in_proportion": ("default", up_from(lambda u, rest: u >= rest)),
    "falls_with_the_draw": ("default", up_from(lambda u, rest: 1 - u <= rest)),
    "uses_its_own_draw": ("default", one_draw),
}
