"""What every apply(t, rule, rng) must satisfy: functions that take one and assert."""

import math

import numpy as np

from tests.formulas.quantization.checks.common import DRAW, DTYPES, RULES, frozen, neighbours, shared_draw
from tests.oracles import rounding as rounding_oracle


def assert_rounds(apply, values, rule, dtype, u=DRAW):
    t = frozen(values, dtype)
    result = apply(t, rule=rule, rng=shared_draw(rule, t.shape, u))
    assert result.dtype == dtype, f"{rule} of {np.dtype(dtype)} gives {result.dtype}"
    assert result.shape == t.shape
    for got, value in zip(result.ravel().tolist(), t.ravel().tolist(), strict=True):
        expected = rounding_oracle.apply(value, rule, u)
        same = math.isnan(got) if math.isnan(expected) else got == expected
        assert same, f"{rule} of {np.dtype(dtype)} {value!r}: {got!r}, not {expected!r}"


def rounding_of_quarters(apply):
    """Every quarter, and so every tie k + ½, of a few small integers of both signs."""
    for dtype in DTYPES:
        for rule in RULES:
            assert_rounds(apply, [k / 4 for k in range(-42, 43)], rule, dtype)


def rounding_beside_ties(apply):
    """The floats next to ties: ½ − ulp must not become 1 by adding ½."""
    for dtype in DTYPES:
        values = [x for k in range(-5, 5) for x in neighbours(k + 0.5, dtype)]
        for rule in RULES:
            assert_rounds(apply, values, rule, dtype)


def rounding_of_large_numbers(apply):
    """Where floats become integers: 2^p ± ½, odd integers above (adding ½ to them is a tie), and the largest float."""
    for dtype, last in ((np.float32, 23), (np.float64, 52)):  # the spacing is 1 from 2^last on
        values = [float(np.finfo(dtype).max), 2.0**63, 2.0**31, 2.0**62 + 2.0**40]
        values += [2.0 ** (last + 1) - 1, 2.0 ** (last + 1) - 2, 2.0 ** (last + 1) + 2]
        for power in (last - 1, last):
            values += [2.0**power + k / 2 for k in range(-7, 8)]  # + ½ rounds to 2^power itself on the way in
        for rule in RULES:
            assert_rounds(apply, values + [-value for value in values], rule, dtype)


def rounding_of_small_numbers(apply):
    """Subnormal and other tiny numbers round to 0 or to ±1."""
    for dtype in DTYPES:
        info = np.finfo(dtype)
        values = [float(info.smallest_subnormal), float(info.tiny), float(info.eps), 1e-30]
        for rule in RULES:
            assert_rounds(apply, values + [-value for value in values], rule, dtype)


def rounding_of_infinity_and_nan(apply):
    for dtype in DTYPES:
        for rule in RULES:
            assert_rounds(apply, [np.inf, -np.inf, np.nan, 1.5], rule, dtype)


def rounding_draws_once_per_element(apply):
    """The draws are rng.random(t.shape), element by element, so that the same seed gives the same bytes."""
    for dtype in DTYPES:
        t = frozen(np.linspace(-4, 4, 35).reshape(5, 7), dtype)
        first = apply(t, rule="stochastic", rng=np.random.default_rng(5))
        again = apply(t, rule="stochastic", rng=np.random.default_rng(5))
        other = apply(t, rule="stochastic", rng=np.random.default_rng(6))
        assert first.tobytes() == again.tobytes() != other.tobytes()
        u = np.random.default_rng(5).random(t.shape)
        for place in np.ndindex(t.shape):
            assert first[place] == rounding_oracle.apply(float(t[place]), "stochastic", float(u[place]))


ROUNDING = (
    rounding_of_quarters,
    rounding_beside_ties,
    rounding_of_large_numbers,
    rounding_of_small_numbers,
    rounding_of_infinity_and_nan,
    rounding_draws_once_per_element,
)
