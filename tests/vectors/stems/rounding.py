"""Vectors of rounding to integers: ties, the floats beside them, large numbers, zeros, infinities and NaN."""

import numpy as np

from tests.oracles import rounding as oracle
from tests.vectors.specification import Function, Mutant, Stem

NEAREST = ("half_even", "half_away", "half_up", "half_down", "half_toward_zero")
RULES = (*NEAREST, "floor", "ceil", "toward_zero")
HALF = np.nextafter(np.float32(0.5), np.float32(0)), np.nextafter(0.5, 0)  # the floats below ½
TINY = 2.0**-149  # float32's smallest subnormal

INPUTS = (
    (np.float32, [0.5, 1.5, 2.5]),
    (np.float32, [-0.5, -1.5, -2.5]),
    (np.float32, [-0.5, 0.5, 1.5]),
    (np.float32, [-1.5, -0.25]),
    (np.float32, [-0.75, 0.25]),
    (np.float32, [-1.25, 0.75]),
    (np.float32, [-2.0, 3.0]),
    (np.float32, [-0.0, 0.0]),
    (np.float32, [np.nan, -np.inf, -3e9, 1e19]),
    (np.float32, [HALF[0]]),
    (np.float32, [-HALF[0]]),
    (np.float64, [HALF[1]]),
    (np.float64, [-HALF[1]]),
    (np.float32, [2.0**22 + 0.5]),
    (np.float32, [2.0**22 + 1.5, -(2.0**22) - 0.5]),
    (np.float32, [2.0**23 - 0.5]),
    (np.float32, [2.0**23 + 1]),
    (np.float32, [-(2.0**23) - 1]),
    (np.float64, [2.0**52 + 1]),
    (np.float64, [0.5 + 2.0**-40]),
    (np.float64, [0.5 - 2.0**-40]),
    (np.float64, [1.0 - 2.0**-40, -1.0 + 2.0**-40]),
    (np.float64, [1.0 + 2.0**-40]),
    (np.float64, [-1.0 - 2.0**-40]),
    (np.float32, [-TINY, TINY]),
)


def candidates(convention):
    for dtype, values in INPUTS:
        yield {"t": np.array(values, dtype)}


def rounded(t, rule):
    """The oracle's integers; where they are 0, they have the sign of t."""
    values = np.array([oracle.apply(float(x), rule) for x in t], t.dtype)
    return np.copysign(values, t)


def wrong(function):
    """A variant from function(t, rule)."""

    def answer(convention, t):
        with np.errstate(all="ignore"):
            return {"rounded": function(t, convention)}

    return answer


def variant(sentence, function, *rules):
    return Mutant(sentence, wrong(function), lambda convention: convention in (rules or RULES))


def another_rule(rule):
    answer = wrong(lambda t, _: rounded(t, rule))
    return Mutant(f"rounds by {rule}", answer, lambda convention: convention != rule)


def half_odd(t, rule):
    nearest = rounded(t, "half_even")
    tie = np.abs(t - nearest) == 0.5
    return np.where(tie, np.copysign(np.abs(2 * np.trunc(t / 2)) + 1, t), nearest).astype(t.dtype)


def by_way_of(limit):
    return lambda t, rule: np.clip(rounded(t, rule), -limit, limit).astype(t.dtype)


def without_nan(t, rule):
    return np.where(np.isnan(t), t.dtype.type(0), rounded(t, rule))


def in_float32(t, rule):
    return rounded(t.astype(np.float32), rule).astype(t.dtype)


def flushed(t, rule):
    return rounded(np.where(np.abs(t) < 2.0**-126, np.copysign(0, t), t).astype(t.dtype), rule)


def up_or_even(t, half):
    up = np.floor(t + half)
    return np.where((t - np.floor(t) == half) & (up % 2 == 1), up - 1, up).astype(t.dtype)


def magic(t, rule):
    number = t.dtype.type(1.5 * 2.0 ** (np.finfo(t.dtype).nmant))
    return np.copysign((t + number) - number, t)


def signed(function, guarded=False):
    """The result with t's sign, so that only the magnitude is wrong; guarded: what has no fraction stays."""

    def result(t, rule):
        whole = guarded & (np.abs(t) >= 2.0 ** np.finfo(t.dtype).nmant)
        return np.copysign(np.where(whole, t, function(t, t.dtype.type(0.5))), t)

    return result


def sums(name, function, rule):
    return {
        name: variant("the sum is rounded: 2²³ + 1 (2⁵² + 1) becomes even", signed(function), rule),
        f"{name}, below 2²³": variant("the sum is rounded: the float below ½ becomes 1", signed(function, True), rule),
    }


APPLY = Function(
    summary="a float rounded to an integer, which stays a float",
    parameters={"t": "(n,) float32 or float64 array"},
    returns={"rounded": "(n,) array of t's dtype; a result 0 has the sign of t; infinities and NaN stay"},
    conventions=tuple((rule,) for rule in RULES),
    candidates=candidates,
    expected=lambda convention, t: {"rounded": rounded(t, convention)},
    mutants={
        **{f"rule: {rule}": another_rule(rule) for rule in RULES},
        "rule: half_odd": variant("ties go to the odd integer", half_odd, *NEAREST),
        "(int)(t + ½)": variant(
            "½ is added and the sum truncated, also where t is negative",
            lambda t, rule: np.trunc(t + t.dtype.type(0.5)), *NEAREST),
        **sums("⌊t + ½⌋, one less at a tie that is odd", up_or_even, "half_even"),
        **sums("⌊t + ½⌋", lambda t, half: np.floor(t + half), "half_up"),
        **sums("⌈t − ½⌉", lambda t, half: np.ceil(t - half), "half_down"),
        **sums("⌊|t| + ½⌋ with t's sign", lambda t, half: np.floor(np.abs(t) + half), "half_away"),
        "⌈|t| − ½⌉ with t's sign": variant(
            "the difference rounds down where its ½ has no place left",
            signed(lambda t, half: np.ceil(np.maximum(np.abs(t) - half, 0))), "half_toward_zero"),
        "adds and subtracts 1.5·2²³ (2⁵²)": variant("large numbers lose their last bit", magic, "half_even"),
        "an integer moves": variant(
            "computed from the integer on the other side, which an integer does not have",
            lambda t, rule: np.ceil(t) - 1 if rule == "floor" else np.floor(t) + 1, "floor", "ceil"),
        "subnormals are zero": variant("t is flushed to zero before it is rounded", flushed, "floor", "ceil"),
        "sign of zero lost": variant("−0 becomes 0", lambda t, rule: rounded(t, rule) + t.dtype.type(0)),
        "NaN becomes 0": variant("as a conversion to an integer makes it", without_nan),
        "by way of int32": variant("what is beyond ±2³¹ saturates", by_way_of(2.0**31)),
        "by way of int64": variant("what is beyond ±2⁶³ saturates", by_way_of(2.0**63)),
        "dtype: float64": variant("whatever t is", lambda t, rule: rounded(t, rule).astype(np.float64)),
        "float64 by way of float32": variant("t is rounded to float32 first", in_float32),
    },
    provenance="tests/oracles/rounding.py, Fraction",
)  # fmt: skip


def draws(convention):
    """t − ⌊t⌋ is exact: no t is from −1 to 0, where it may not be, and every u a multiple of 1/8."""
    for dtype in (np.float32, np.float64):
        for t, u in (
            ([1.25], [0.125]),
            ([1.25, 1.25], [0.125, 0.625]),
            ([1.25, -1.25], [0.5, 0.5]),
            ([2.5, 2.5], [0.25, 0.75]),
            ([-1.25, -1.25], [0.625, 0.875]),
            ([3.0, -3.0], [0.0, 0.875]),
            ([1.25, -1.25], [0.25, 0.75]),
            ([1.75], [0.25]),
            ([0.0, -0.0], [0.0, 0.875]),
            ([np.inf, np.nan], [0.5, 0.5]),
            ([2.0**23 - 0.5, 2.0**23 + 1], [0.375, 0.0]),
            ([-(2.0**23) + 0.5, 1e10], [0.625, 0.5]),
        ):
            yield {"t": np.array(t, dtype), "u": np.array(u)}


def up_where(sentence, condition):
    """A variant that rounds up where condition(u, t − ⌊t⌋) says."""

    def function(t, u):
        with np.errstate(invalid="ignore"):
            below = np.floor(t)
            return np.where(condition(u, t - below), below + 1, below).astype(t.dtype)

    return changed(sentence, function)


def stochastic(t, u):
    values = [oracle.apply(float(x), "stochastic", float(draw)) for x, draw in zip(t, u, strict=True)]
    return np.array(values, t.dtype)


def changed(sentence, function):
    return Mutant(sentence, lambda convention, t, u: {"rounded": function(t, u)})


def from_zero(t, u):
    with np.errstate(invalid="ignore"):
        whole = np.trunc(t)
        return (whole + np.copysign(u < np.abs(t - whole), t)).astype(t.dtype)


STOCHASTIC = Function(
    summary="stochastic rounding with the draws given: ⌊t⌋ + [u < t − ⌊t⌋], the difference rounded to t's dtype",
    parameters={"t": "(n,) float32 or float64 array", "u": "(n,) float64 array, uniform draws from [0, 1)"},
    returns={"rounded": "(n,) array of t's dtype; a result 0 has the sign of t; infinities and NaN stay"},
    candidates=draws,
    expected=lambda convention, t, u: {"rounded": stochastic(t, u)},
    mutants={
        "≤ for <": up_where("an integer moves up at the draw 0", lambda u, rest: u <= rest),
        "up and down exchanged": up_where("up where u ≥ t − ⌊t⌋", lambda u, rest: u >= rest),
        "1 − u": up_where("the draw is mirrored", lambda u, rest: 1 - u < rest),
        "⌊t + u⌋": changed("up where u ≥ 1 − (t − ⌊t⌋)", lambda t, u: np.floor(t + u.astype(t.dtype))),
        "away from zero": changed("the draw decides about the magnitude", from_zero),
        "rule: half_even": changed("the draws are ignored", lambda t, u: np.rint(t)),
        "rule: floor": changed("never up", lambda t, u: np.floor(t)),
        "one draw": changed("the first draw is used for all", lambda t, u: stochastic(t, np.full(len(u), u[0]))),
        "draws in reverse order": changed("the last draw is used first", lambda t, u: stochastic(t, u[::-1])),
        "dtype: float64": changed("whatever t is", lambda t, u: stochastic(t, u).astype(np.float64)),
        "dtype: float32": changed("whatever t is", lambda t, u: stochastic(t, u).astype(np.float32)),
        "NaN becomes 0": changed(
            "as a conversion to an integer makes it", lambda t, u: np.nan_to_num(stochastic(t, u), posinf=np.inf)),
        "by way of int32": changed(
            "what is beyond ±2³¹ saturates", lambda t, u: np.minimum(stochastic(t, u), t.dtype.type(2.0**31))),
    },
    provenance="tests/oracles/rounding.py, Fraction",
)  # fmt: skip

STEM = Stem({"apply": APPLY, "stochastic": STOCHASTIC})
