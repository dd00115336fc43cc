"""What every implementation of the decimal quantizer must satisfy: functions that take one and assert."""

from fractions import Fraction

import numpy as np

from tests.formulas.quantization.checks.common import (
    DTYPES,
    NEAREST,
    RULES,
    Draws,
    draw,
    exact,
    frozen,
    neighbours,
    shared_draw,
)
from tests.oracles import decimal as decimal_oracle
from tests.oracles import rounding as rounding_oracle


def around_decimals(codes, places, dtype, steps=2):
    """Return the floats at and next to q·10^−places and (q + ½)·10^−places, in ascending order."""
    values = set()
    for q in codes:
        for part in (Fraction(0), Fraction(1, 2)):
            centre = rounding_oracle.to_format((q + part) / 10**places, np.dtype(dtype).name)
            values.update(neighbours(float(centre), dtype, steps))
    return frozen(sorted(values), dtype)


def decimal_codes_of(places, dtype, largest=None):
    """Return codes of both signs up to the largest integer of the dtype, for values from tiny to large."""
    largest = largest or (2**23 if dtype is np.float32 else 2**52)
    others = np.random.default_rng(places).integers(0, largest, 6).tolist()
    positive = [0, 1, 2, 5, 12, 10**places // 3, 10**places, *others, largest - 1]
    return sorted({sign * q for q in positive for sign in (1, -1) if q <= largest})


def assert_decimal(decimal, w, places, rule):
    """The codes are those of fl(w·10^places), and the error is within bound and slack, in exact arithmetic."""
    name = w.dtype.name
    q = decimal.quantize(w, places, rounding=rule, rng=shared_draw(rule, w.shape))
    assert q.dtype == np.int64
    assert q.shape == w.shape
    restored = decimal.dequantize(q, places, dtype=w.dtype.type)
    slack = np.asarray(decimal.float_slack(w, places))
    assert slack.shape == w.shape
    bound = exact(decimal.error_bound(places, rounding=rule))
    for x, k, back, extra in zip(w, q.tolist(), restored, slack, strict=True):
        expected = decimal_oracle.float_code(exact(x), places, rule, name, draw(rule))
        assert k == expected, f"{rule}, {places} places: {x!r}: {k}, not {expected}"
        error = abs(exact(x) - exact(back))
        assert error <= bound + exact(extra), f"{rule}, {places} places: {x!r}: off by {float(error)}"


def decimal_codes_and_errors(decimal):
    for dtype in DTYPES:
        for places in (0, 1, 2, 5, 6, 7, 9, 11, 13, 15):
            w = around_decimals(decimal_codes_of(places, dtype), places, dtype, steps=1)
            for rule in ("half_even", "half_away", "floor", "stochastic"):
                assert_decimal(decimal, w, places, rule)


def decimal_small_domain(decimal):
    """At 0 places every quarter and so every tie of small integers, exactly, under all rules."""
    for dtype in DTYPES:
        w = frozen([k / 4 for k in range(-34, 35)], dtype)
        for rule in RULES:
            q = decimal.quantize(w, 0, rounding=rule, rng=shared_draw(rule, w.shape))
            assert q.tolist() == [decimal_oracle.code(exact(x), 0, rule, draw(rule)) for x in w]


def decimal_dequantize_matches_the_oracle(decimal):
    """fl(fl(10^−places)·fl(q)): 3·0.1 is 0.30000000000000004."""
    assert decimal.dequantize(frozen([3]), 1).tolist() == [3 * 0.1]
    assert decimal.dequantize(frozen([3]), 1).dtype == np.float64
    for dtype in DTYPES:
        for places in range(16):
            codes = decimal_codes_of(places, dtype, 2**53)
            restored = decimal.dequantize(frozen(codes, np.int64), places, dtype=dtype)
            assert restored.dtype == dtype
            assert [exact(x) for x in restored] == [
                decimal_oracle.float_value(q, places, np.dtype(dtype).name) for q in codes
            ]


def decimal_error_bound_literals(decimal):
    for rule in RULES:
        for places, half in ((0, 0.5), (1, 0.05), (6, 5e-7), (15, 5e-16)):
            bound = decimal.error_bound(places, rounding=rule)
            expected = half if rule in NEAREST else 2 * half
            assert abs(bound - expected) <= 2**-52 * expected  # 10^−places has no exact float


def decimal_largest_codes(decimal):
    """±2^53 is a code; what lies beyond, or overflows, raises."""
    limit = 2**53
    for dtype, value, places, expected in (
        (np.float64, limit, 0, limit),
        (np.float64, -limit, 0, -limit),
        (np.float32, limit, 0, limit),
        (np.float32, -limit, 0, -limit),
        (np.float64, limit + 2, 0, None),
        (np.float64, -limit - 2, 0, None),
        (np.float64, 9.1, 15, None),
        (np.float64, 1e300, 15, None),
        (np.float32, 2.0**54, 0, None),
        (np.float32, -1e8, 8, None),
        (np.float32, 3e38, 3, None),
        (np.float64, 1.7e308, 1, None),
    ):
        try:
            got = decimal.quantize(frozen([0.0, value], dtype), places).tolist()
        except ValueError:
            got = None
        assert got == (None if expected is None else [0, expected]), f"{value!r} at {places} places: {got}"


def decimal_slack_is_not_silly(decimal):
    """A constructed case needs at least a fifth of the slack, and in float32 it dominates from about 6 places on.

    Derivation, with u the unit roundoff: the product w·10^places errs by u·|w| in the unit of w, another u·|w| where
    10^places is no float (float32 beyond 10^10); code and step as floats and their product by up to u·|w'| each:
    5·u·|w| up to terms in u². Up to 10^10, and for codes that are floats, only 3 of these 5 occur, and never all at
    their worst.
    """
    generator = np.random.default_rng(9)
    for dtype, places, largest in (
        (np.float32, 6, 2**21),
        (np.float32, 7, 2**23),
        (np.float64, 6, 2**50),
        (np.float64, 15, 2**52),
    ):
        w = around_decimals(generator.integers(largest // 2, largest, 200).tolist(), places, dtype)
        restored = decimal.dequantize(decimal.quantize(w, places), places, dtype=dtype)
        bound = decimal_oracle.error_bound(places, "half_even")
        extra = [
            (abs(exact(x) - exact(y)) - bound) / exact(slack)
            for x, y, slack in zip(w, restored, decimal.float_slack(w, places), strict=True)
        ]
        assert Fraction(1, 5) <= max(extra) <= 1, f"{np.dtype(dtype)}, {places} places: {float(max(extra)):.3f} of it"
    for places, weight in ((6, 4.0), (7, 1.0)):  # 3 or more roundings of 2^−24 relative against ½·10^−places
        w = frozen([weight], np.float32)
        assert decimal.float_slack(w, places)[0] > decimal.error_bound(places)
    w = frozen(generator.uniform(0.5, 1, 200), np.float32)
    restored = decimal.dequantize(decimal.quantize(w, 7), 7, dtype=np.float32)
    assert max(abs(exact(x) - exact(y)) for x, y in zip(w, restored, strict=True)) > Fraction(1, 2 * 10**7)


def decimal_stochastic(decimal):
    u = np.arange(8) / 8
    for dtype in DTYPES:
        for n in (-3, 0, 6):
            for j in range(8):
                w = frozen(np.full(8, n + j / 8), dtype)
                q = decimal.quantize(w, 0, rounding="stochastic", rng=Draws(u))
                assert q.tolist() == [n + 1] * j + [n] * (8 - j)
    w = frozen(np.linspace(-1, 1, 35).reshape(7, 5))
    q, again = (decimal.quantize(w, 1, rounding="stochastic", rng=np.random.default_rng(4)) for _ in range(2))
    assert q.tobytes() == again.tobytes()


DECIMAL = (
    decimal_codes_and_errors,
    decimal_small_domain,
    decimal_dequantize_matches_the_oracle,
    decimal_error_bound_literals,
    decimal_largest_codes,
    decimal_slack_is_not_silly,
    decimal_stochastic,
)
