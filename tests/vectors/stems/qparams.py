"""Vectors of scale and zero point of a range, in every convention."""

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np

from refcompress.formulas.quantization.conventions import PRESETS
from tests.oracles import qparams as oracle
from tests.oracles import rounding
from tests.oracles.conventions import TWINS
from tests.vectors import qparams_inputs
from tests.vectors.conventions import domain, groups
from tests.vectors.specification import Function, Mutant, Stem


class Range(NamedTuple):
    """What of a convention scale and zero point depend on."""

    scale: str
    zero_point: str
    zero_point_rounding: str
    zero_point_from: str
    include_zero: str
    zero_range: str
    smallest_range: float
    smallest_scale: float
    nudge: str
    range_dtype: str
    compute_dtype: str
    narrow: str
    form: str
    quotient: str


@cache
def range_of(convention):
    c = PRESETS[convention]
    fields = {name: getattr(c, name) for name in Range._fields}
    if c.zero_point not in COMPUTED:
        fields |= {"zero_point_rounding": "half_even", "zero_point_from": "rounded_scale"}
    if c.range_dtype == "input":  # float32, here
        fields |= {"range_dtype": "float32", "compute_dtype": "float32"}
    return Range(**(fields | {"quotient": "multiply" if c.quotient == "multiply" else "divide"}))


COMPUTED = "rounded_quotient", "rounded_difference", "nearer_end"
SYMMETRIC = "symmetric_qmax", "symmetric_half", "symmetric_qmin", "signed", "both_ends", "mirrored"
RULES = "half_even", "half_away", "half_up", "half_down", "half_toward_zero", "floor", "ceil", "toward_zero"


def key(convention):
    """What makes conventions one: those whose library takes its scales from elsewhere are left out."""
    return None if TWINS[convention].choose is None else (range_of(convention), domain(convention).ranges)


GROUPS = tuple(group for group in groups(key) if key(group[0]) is not None)
GROUP = {convention: group for group in GROUPS for convention in group}


@cache
def chosen(c, low, high, qmin, qmax):
    """Return the oracle's scale and zero point, or None; where there is a division by 0 too."""
    try:
        return oracle.choose(low, high, qmin, qmax, c)
    except ZeroDivisionError:
        return None


def outputs(c, s, Z):
    value = -0.0 if s == 0 and c.scale == "signed" else float(s)  # 0 divided by a number below 0
    scale = (np.float64 if c.compute_dtype == "input" else np.float32)(value)
    return {"scale": scale, "zero_point": (np.float32 if is_real(c) else np.int32)(float(Z))}


def is_real(c):
    return c.zero_point in ("low", "negated_low", "quotient")


def exactly(low, high, qmin, qmax):
    return Fraction(float(low)), Fraction(float(high)), qmin, qmax


def right_pair(convention, low, high, qmin, qmax):
    right = outputs(range_of(convention), *chosen(range_of(convention), *exactly(low, high, qmin, qmax)))
    for each in GROUP[convention]:  # the library's own steps, one after the other
        with np.errstate(all="ignore"):
            twin = TWINS[each].choose(low, high, qmin, qmax)
        same = [float(v).hex() for v in twin] == [float(v).hex() for v in right.values()]
        assert same, (each, low, high, qmin, qmax, twin, right)
    return right


def candidates(convention):
    """Return the ranges that have a scale."""
    for inputs in qparams_inputs.candidates(convention):
        if chosen(range_of(convention), *exactly(**inputs)) is not None:
            yield inputs


def asked(change):
    """Return the answer of a mutant that asks the oracle something else."""

    def answer(convention, **inputs):
        question = change(range_of(convention), *exactly(**inputs))
        pair = chosen(*question)
        return None if pair is None else outputs(question[0], *pair)

    return answer


def other(**fields):
    return asked(lambda c, *rest: (c._replace(**fields), *rest))


def after(change):
    """Return the answer of a mutant that makes something else of the scale and zero point."""

    def answer(convention, **inputs):
        c, low, high, qmin, qmax = range_of(convention), *exactly(**inputs)
        s, Z = change(c, *chosen(c, low, high, qmin, qmax), low, high, qmin, qmax)
        return None if abs(s) in (0, float("inf")) else outputs(c, s, Z)

    return answer


def scaled(value):
    """Another scale, of the whole range of codes, with a zero point that suits it."""

    def change(c, *rest):
        c = c._replace(scale=value, narrow="no", form="s(q-Z)", quotient="divide")
        if value == "asymmetric":
            c = c._replace(zero_point=c.zero_point if c.zero_point in COMPUTED else "rounded_difference")
        elif c.zero_point not in ("zero", "middle"):
            c = c._replace(zero_point="middle")
        if value in ("signed", "both_ends"):
            c = c._replace(smallest_range=0.0)
        return c, *rest

    return asked(change)


def widened(value):
    """Another rule for 0 in the range, but for ranges that are empty without it."""

    def change(c, low, high, *codes):
        return c._replace(include_zero=c.include_zero if low == high else value), low, high, *codes

    return asked(change)


def zero_ranged(value):
    """Another rule for empty ranges; the smallest widths and scales are such a rule."""
    return other(zero_range=value, smallest_range=0.0, smallest_scale=0.0)


def from_low(c, s, low, qmin, sign):
    return Fraction(rounding.to_integer(qmin + sign * low / s, c.zero_point_rounding) if s else 0)


def with_the_other_sign(c, s, Z, low, high, qmin, qmax):
    if is_real(c):
        return s, -Z
    low = min(low, 0) if c.include_zero == "yes" else low
    return s, min(max(from_low(c, s, low, qmin, 1), qmin), qmax)


def integer_zero_point(c, *rest):
    if c.form == "sq+Z":
        return c._replace(form="s(q-Z)", zero_point="rounded_difference"), *rest
    return c._replace(zero_point="rounded_difference"), *rest


def only(holds):
    """Return what tells whether a mutant applies, from the convention's range fields and whether codes are signed."""

    def applies(convention):
        lows = {qmin < 0 for qmin, _ in domain(convention).ranges}
        return holds(range_of(convention), True in lows, False in lows)

    return applies


def computed(c):
    return c.zero_point in COMPUTED


def symmetric(c):
    return c.zero_point in ("zero", "middle")


def among(make, axis, values, applies=lambda c, value, signed: True):
    """Return mutants that have other values on an axis; each value with a sentence."""
    return {
        f"{axis}: {value}": Mutant(
            text, make(value),
            only(lambda c, signed, _, value=value: getattr(c, axis) != value and applies(c, value, signed)))
        for value, text in values.items()
    }  # fmt: skip


def scales_beside(c, value, signed):
    """What is easily taken for the scale."""
    mistaken = {
        "inverse_width": ("asymmetric",),
        "inverse_absmax": ("symmetric_qmax",),
        "asymmetric": ("symmetric_half",),
    }
    return value in mistaken.get(c.scale, (*SYMMETRIC, "asymmetric"))


def widths_beside(c, value, signed):
    """A symmetric range holds 0 anyway, and one that is mirrored ends above it."""
    return c.scale in ("asymmetric", "inverse_width") or (c.scale == "mirrored" and value == "no")


def zero_points_beside(c, value, signed):
    """From qmin = 0, and in float64, the three are one."""
    return computed(c) and signed and (c.range_dtype == "float32" or c.zero_point == "nearer_end")


def rules_beside(c, value, signed):
    """No zero point below 0 is rounded where qmin = 0."""
    return computed(c) and (signed or {value, c.zero_point_rounding} != {"half_up", "half_away"})


def precisions_beside(c, value, signed):
    """From qmin = 0 the quotient's is the only rounding; and float64 is the range's precision in some."""
    if c.range_dtype == "float64" and value == "float64":
        return False
    return computed(c) and (signed or {value, c.zero_point_from} != {"float64_to_float32", "rounded_scale"})


MUTANTS = {
    **among(scaled, "scale", {
        "asymmetric": "(high − low)/(qmax − qmin)",
        "symmetric_qmax": "the larger magnitude is divided by qmax − Z",
        "symmetric_half": "the larger magnitude is divided by (qmax − qmin)/2",
        "symmetric_qmin": "the larger magnitude is divided by Z − qmin",
        "signed": "the end of the larger magnitude, with its sign, is divided by qmin − Z",
        "both_ends": "the larger of low/(qmin − Z) and high/(qmax − Z)",
        "mirrored": "the range is mirrored unless it is all above 0",
    }, scales_beside),
    "scale: number of codes": Mutant(
        "divided by qmax − qmin + 1", asked(lambda c, low, high, qmin, qmax: (c, low, high, qmin, qmax + 1)),
        only(lambda c, *_: not symmetric(c))),
    "scale: only the high end": Mutant(
        "max(x) is taken for max(|x|)", asked(lambda c, low, *rest: (c, max(low, Fraction(0)), *rest)),
        only(lambda c, *_: symmetric(c))),
    "scale: high at a tie": Mutant(
        "of two ends of one magnitude the high one is taken",
        after(lambda c, s, Z, low, high, *_: (-s if high == -low else s, Z)), only(lambda c, *_: c.scale == "signed")),
    "scale_dtype: float16": Mutant(
        "s is rounded to float16", after(lambda c, s, Z, *_: (rounding.to_format(s, "float16"), Z))),
    **among(widened, "include_zero", {
        "yes": "the range is widened to hold 0",
        "no": "the range is not widened to hold 0",
        "low": "the low end is lowered to 0, the high end is not raised",
    }, widths_beside),
    **among(zero_ranged, "zero_range", {
        "one": "an empty range has s = 1",
        "zero": "an empty range has s = 0",
        "one_below_normal": "a subnormal scale, or one of 0, becomes 1 and Z 0",
        "epsilon": "a scale of 0 becomes 2⁻²³",
        "tenth": "an empty range has s = 0.1, and no scale is below 6.1·10⁻⁵",
        "one_below_1e-4": "a range of width up to 10⁻⁴ has s = 1",
        "unit_width": "an empty range becomes [low, low + 1]",
        "unit_ends": "an empty range becomes [−1, 1]",
        "grown": "a range of width up to 10⁻⁶ grows by 10⁻⁶ at both ends",
        # a symmetric range that is [0, 1] is [−1, 1]
    }, lambda c, value, signed: c.zero_range != "error" and not (symmetric(c) and value == "unit_width")),
    "smallest_range: none": Mutant(
        "the width of the range has no lower limit", other(smallest_range=0.0),
        only(lambda c, *_: c.smallest_range > 0)),
    "smallest_scale: none": Mutant(
        "the scale has no limit", other(smallest_scale=0.0), only(lambda c, *_: c.smallest_scale > 0)),
    "smallest_scale: 2⁻²³": Mutant(
        "the scale is at least 2⁻²³", other(smallest_scale=2.0**-23),
        only(lambda c, *_: c.smallest_scale != 2**-23 and not c.scale.startswith(("signed", "inverse")))),
    **among(lambda value: other(zero_point=value), "zero_point", {
        "rounded_quotient": "qmin − round(low/s)",
        "rounded_difference": "round(qmin − low/s)",
        "nearer_end": "computed from the end whose quotient is the smaller beside its code",
    }, zero_points_beside),
    "zero_point: zero": Mutant(
        "0 where it is the middle code", after(lambda c, s, Z, *_: (s, 0)),
        only(lambda c, _, unsigned: c.zero_point == "middle" and unsigned)),
    "zero_point: the lower middle": Mutant(
        "⌊(qmin + qmax)/2⌋", after(lambda c, s, Z, low, high, qmin, qmax: (s, (qmin + qmax) // 2)),
        only(lambda c, *_: c.zero_point == "middle")),
    "zero_point: sign of the low end": Mutant(
        "qmin + low/s, or an offset of −low", after(with_the_other_sign), only(lambda c, *_: not symmetric(c))),
    "zero_point: qmin left out": Mutant(
        "−low/s", after(lambda c, s, Z, low, high, qmin, qmax: (s, Z - qmin)),
        only(lambda c, signed, _: computed(c) and signed)),
    "zero_point: not clipped": Mutant(
        "the zero point of a range without 0 is no code",
        after(lambda c, s, Z, low, high, qmin, qmax: (s, from_low(c, s, low, qmin, -1))),
        only(lambda c, *_: computed(c) and c.include_zero == "no")),
    "zero_point_type: integer": Mutant(
        "the zero point is rounded", asked(integer_zero_point), only(lambda c, *_: is_real(c))),
    **among(lambda value: other(zero_point_rounding=value), "zero_point_rounding",
            {rule: f"the zero point is rounded {rule}" for rule in RULES}, rules_beside),
    **among(lambda value: other(zero_point_from=value), "zero_point_from", {
        "rounded_scale": "computed with s as it is given out, in the range's precision",
        "float64": "computed in float64, with s as it is given out",
        "float64_to_float32": "computed in float64, with s as it is given out, and rounded to float32",
    }, precisions_beside),
    **among(lambda value: other(range_dtype=value, compute_dtype="float32"), "range_dtype", {
        "float32": "computed in float32",
        "float64": "computed in float64",
        # a quotient that is rounded to float64 and then to float32 is the same
    }, lambda c, value, signed: not symmetric(c) or c.compute_dtype == "input"),
    "nudge: range": Mutant("s grows until both ends fit", other(nudge="range"), only(lambda c, *_: computed(c))),
    "narrow: low": Mutant(
        "the lowest code is not used", other(narrow="low"),
        only(lambda c, *_: not symmetric(c) or c.scale == "mirrored")),  # else as symmetric_qmax
}  # fmt: skip

CHOOSE = Function(
    summary="scale and zero point for a range of numbers, as each library chooses them, every operation rounded as "
    "the preset's words say",
    parameters={
        "low": "float32, the low end of the range",
        "high": "float32, the high end, at least low",
        "qmin": "int, the lowest code, used or not",
        "qmax": "int, the highest code",
    },
    returns={
        "scale": "float32, s; float64 for tflite_weights_dynamic_range; codes per unit for hqq and bitsandbytes",
        "zero_point": "any integer type that holds qmin to qmax, Z; float32 for source and ggml_q4_1, an offset in the "
        "range's unit, and for hqq",
    },
    candidates=candidates,
    expected=right_pair,
    mutants=MUTANTS,
    provenance="tests/oracles/conventions.py, the library's steps in NumPy; tests/oracles/qparams.py, rational numbers",
    conventions=GROUPS,
    holds=lambda inputs: {"zero_point": (inputs["qmin"], inputs["qmax"])},
)

STEM = Stem({"choose": CHOOSE})
