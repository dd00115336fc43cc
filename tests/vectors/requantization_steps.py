"""The two steps of gemmlowp's requantization: their inputs and wrong variants."""

from fractions import Fraction

import numpy as np

from tests.oracles import requantization as oracle
from tests.oracles.rounding import to_format, to_integer
from tests.vectors.integers import INT32, MAX, MIN, clamp, wrap
from tests.vectors.specification import Function, Mutant

PROVENANCE = "tests/oracles/requantization.py, integers and fractions"


def int32(values):
    return np.array(values, np.int32)


def of_each(function):
    """Results of an array from those of its integers."""
    return lambda convention, a, b: {
        "t": np.array([function(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)], np.int64)
    }


# ---- saturating_rounding_doubling_high_mul ----


HALF = 2**30
HIGH = (
    (2, HALF), (1, HALF), (-1, HALF), (3, HALF), (-3, HALF), (-2, HALF), (HALF, HALF), (2**29, 2**29), (HALF, -HALF),
    (-HALF - 1, 2), (MIN, MIN), (MIN, MAX), (MIN, 1), (MAX, MAX), (HALF + 1, MIN), (MIN, HALF + 1), (2**16, 2**16),
    (-(2**16), 2**16), (-5, 2**29), (5, 2**29),
)  # fmt: skip


def high_candidates(convention):
    for a, b in HIGH:
        yield {"a": int32([a]), "b": int32([b])}
    for a in (2**30 + 1, MAX - 2, -(2**30) - 1):  # a·b one below a tie, which no float64 holds
        b = (2**30 - 1) * pow(a, -1, 2**31) % 2**31
        yield {"a": int32([a]), "b": int32([b])}


def high(a, b):
    return oracle.saturating_rounding_doubling_high_mul(a, b)


def high_by(rule):
    return of_each(lambda a, b: clamp(to_integer(Fraction(a * b, 2**31), rule)))


def toward_zero(value, divisor):
    return to_integer(Fraction(value, divisor), "toward_zero")


HIGH_MUL = Function(
    summary="upper half of the doubled product, rounded: ⌊a · b / 2^31 + ½⌋, and 2^31 − 1 for −2^31 · −2^31",
    parameters={"a": "(n,) int32 array", "b": "(n,) int32 array"},
    returns={"t": "(n,) array of integers within int32"},
    candidates=high_candidates,
    expected=of_each(high),
    mutants={
        "truncation: toward −∞": Mutant("shifted without rounding", high_by("floor")),
        "truncation: toward zero": Mutant("divided without rounding", high_by("toward_zero")),
        "ties: away from zero": Mutant("ties go away from zero", high_by("half_away")),
        "ties: to even": Mutant("ties go to the even integer", high_by("half_even")),
        "ties: toward −∞": Mutant("ties go down", high_by("half_down")),
        "one nudge, then division": Mutant(
            "2^30 is added whatever the sign, and the sum divided with truncation",
            of_each(lambda a, b: clamp(toward_zero(a * b + 2**30, 2**31))),
        ),
        "two nudges, then a shift": Mutant(
            "1 − 2^30 is added to negative products, and the sum shifted to the right, not divided",
            of_each(lambda a, b: clamp((a * b + (2**30 if a * b >= 0 else 1 - 2**30)) >> 31)),
        ),
        "saturation: missing": Mutant(
            "−2^31 · −2^31 wraps to −2^31", of_each(lambda a, b: wrap((a * b + 2**30) >> 31))
        ),
        "saturation: a = b": Mutant(
            "saturates wherever the factors are equal", of_each(lambda a, b: MAX if a == b else high(a, b))
        ),
        "saturation: one factor": Mutant(
            "saturates where one of the factors is −2^31", of_each(lambda a, b: MAX if MIN in (a, b) else high(a, b))
        ),
        "not doubled": Mutant(
            "the product is divided by 2^32", of_each(lambda a, b: to_integer(Fraction(a * b, 2**32), "half_up"))
        ),
        "product in int32": Mutant(
            "the product wraps at 32 bits", of_each(lambda a, b: to_integer(Fraction(wrap(a * b), 2**31), "half_up"))
        ),
        "product in float64": Mutant(
            "the product is rounded to float64, which has 53 bits of its 62",
            of_each(lambda a, b: clamp(to_integer(to_format(Fraction(a * b), "float64") / 2**31, "half_up"))),
        ),
        "unsigned": Mutant(
            "the product is shifted as an unsigned 64-bit integer",
            of_each(lambda a, b: wrap((a * b + 2**30) % 2**64 >> 31)),
        ),
    },
    provenance=PROVENANCE,
    holds=lambda inputs: {"t": INT32},
)


# ---- rounding_divide_by_pot ----


def divided(rule=None):
    """The answer of another rule, or function of x and the exponent."""
    function = rule if callable(rule) else lambda x, e: to_integer(Fraction(x, 2**e), rule)
    return lambda convention, x, exponent: {"q": np.array([function(v, exponent) for v in x.tolist()], np.int64)}


DIVISIONS = (
    ([4], 2), ([3], 1), ([1], 1), ([-1], 1), ([-3], 1), ([5], 2), ([7], 2), ([-5], 2), ([-7], 2), ([7], 0), ([-8], 1),
    ([2**24 + 1], 1), ([MAX], 1), ([MAX], 31), ([MIN], 31), ([MIN], 0), ([2**30], 31), ([5, -5], 1),
)  # fmt: skip


DIVIDE = Function(
    summary="division by a power of two, rounded half away from zero",
    parameters={"x": "(n,) int32 array", "exponent": "int from 0 to 31"},
    returns={"q": "(n,) array of integers within int32"},
    candidates=lambda convention: ({"x": int32(x), "exponent": exponent} for x, exponent in DIVISIONS),
    expected=divided(oracle.rounding_divide_by_pot),
    mutants={
        "truncation: toward −∞": Mutant("shifted without rounding", divided("floor")),
        "truncation: toward zero": Mutant("divided without rounding", divided("toward_zero")),
        "ties: toward +∞": Mutant("half is added and the sum shifted", divided("half_up")),
        "ties: toward −∞": Mutant("ties go down", divided("half_down")),
        "ties: toward zero": Mutant("ties go toward zero", divided("half_toward_zero")),
        "ties: to even": Mutant("ties go to the even integer", divided("half_even")),
        "logical shift": Mutant(
            "the shift brings in zeros, also below 0", divided(lambda x, e: wrap(((x % 2**32) + (2**e >> 1)) >> e))
        ),
        "nudge in int32": Mutant(
            "the sum with half of 2^e wraps at 32 bits",
            divided(lambda x, e: toward_zero(wrap(x + (2**e >> 1) * (1 if x >= 0 else -1)), 2**e)),
        ),
        "exponent: one more": Mutant(
            "divided by 2^(e + 1)", divided(lambda x, e: to_integer(Fraction(x, 2 ** (e + 1)), "half_away"))
        ),
        "exponent: one less": Mutant(
            "divided by 2^(e − 1)", divided(lambda x, e: clamp(to_integer(Fraction(2 * x, 2**e), "half_away")))
        ),
        "exponent: none is one": Mutant(
            "divided by 2 where e is 0", divided(lambda x, e: oracle.rounding_divide_by_pot(x, max(e, 1)))
        ),
        "exponent: 31 is none": Mutant(
            "divided by 1 where e is 31",
            divided(lambda x, e: oracle.rounding_divide_by_pot(x, e % 31)),
        ),
        "float32": Mutant(
            "x is rounded to float32",
            divided(lambda x, e: to_integer(to_format(Fraction(x), "float32") / 2**e, "half_away")),
        ),
    },
    provenance=PROVENANCE,
    holds=lambda inputs: {"q": INT32},
)
