"""What every implementation of quantize_multiplier must satisfy: functions that take one and assert."""

from fractions import Fraction

import numpy as np

from tests.formulas.quantization.integer.checks.common import frozen
from tests.oracles import multiplier as multiplier_oracle


def assert_multiplier(f, real, rounding="half_away"):
    """The oracle's pair."""
    M, shift = f.quantize_multiplier(real, rounding)
    expected = multiplier_oracle.quantize_multiplier(Fraction(float(real)), rounding)
    assert (int(M), int(shift)) == expected, float(real)
    assert M.dtype == shift.dtype == np.int32


# Beside the ends of M and of the shift, and ties of both rules at 32 significant bits.
REALS = [0.375, 1.0, 2.0**29, 2.0**30 - 2.0**-1, 0.0, 1 - 2.0**-31, 1 - 2.0**-33, 1 - 2.0**-32, 1 - 3 * 2.0**-33]
REALS += [2.0**-32, 2.0**-32 * (1 - 2.0**-33), 2.0**-32 * (1 - 2.0**-31), 2.0**-33, 5e-324]
REALS += [odd * 2.0 ** (exponent - 32) for exponent in (-31, -7, 0, 30) for odd in (2**31 + 1, 2**31 + 3)]


def multiplier_matches_the_oracle(f):
    for real in REALS:
        for rounding in ("half_away", "half_even"):
            assert_multiplier(f, np.float64(real), rounding)
    rng = np.random.default_rng(4)
    for exponent in range(-40, 30):
        for real in (2.0**exponent, *(rng.uniform(1, 2, 4) * 2.0**exponent)):
            assert_multiplier(f, np.float64(real), "half_away")
            assert_multiplier(f, np.float32(real), "half_even")
    many = frozen(rng.uniform(0, 2, (3, 4)))
    M, shift = f.quantize_multiplier(many)
    assert M.shape == shift.shape == (3, 4)
    for place in np.ndindex(3, 4):
        pair = multiplier_oracle.quantize_multiplier(Fraction(float(many[place])))
        assert (int(M[place]), int(shift[place])) == pair


MULTIPLIER = (multiplier_matches_the_oracle,)
