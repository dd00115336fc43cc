"""Vectors of affine quantization, in every convention."""

from fractions import Fraction
from functools import cache

import numpy as np

from tests.oracles import affine as oracle
from tests.oracles import rounding
from tests.oracles.conventions import TWINS
from tests.vectors import affine_dequantize
from tests.vectors.affine_inputs import candidates
from tests.vectors.conventions import domain, groups, only, steps
from tests.vectors.specification import Function, Mutant, Stem

HALF, INFINITY = Fraction(1, 2), float("inf")
TYPES = np.uint8, np.int8, np.int16, np.int32, np.int64


# ---- the codes of numbers ----

CODES = groups(steps, domain)
GROUP = {convention: group for group in CODES for convention in group}


@cache
def code(ends, c, name, value, scale, zero):
    return oracle.code(oracle.number(value), scale, zero, *ends, c, name)


def codes(c, name, x, scale, zero_point, *ends):
    """Return the oracle's codes; None where there is a division by 0."""
    if scale == 0 and c.quotient == "divide":
        return None
    return [code(ends, c, name, value, scale, zero_point) for value in map(float, x)]


def coded(values, qmin, qmax):
    """Return codes as an array of the narrowest type that holds them and the range."""
    low, high = min(qmin, *values), max(qmax, *values)
    return {"q": np.array(values, next(t for t in TYPES if np.iinfo(t).min <= low and high <= np.iinfo(t).max))}


def question(convention, x, scale, zero_point, qmin, qmax):
    """Return what `codes` is asked."""
    exact = Fraction(float(scale)), Fraction(float(zero_point))
    return steps(convention), domain(convention).name, x.tolist(), *exact, qmin, qmax


def right_codes(convention, x, scale, zero_point, qmin, qmax):
    right = codes(*question(convention, x, scale, zero_point, qmin, qmax))
    for each in GROUP[convention]:  # the library's own steps, one after the other
        with np.errstate(all="ignore"):
            twin = TWINS[each].quantize(x, scale, zero_point if domain(each).real else int(zero_point), qmin, qmax)
        assert twin.tolist() == right, (each, x, scale, zero_point, qmin, qmax, twin, right)
    return coded(right, qmin, qmax)


def asked(change):
    """Return the answer of a mutant that asks the oracle something else, or nothing."""

    def answer(convention, **inputs):
        wrong = change(*question(convention, **inputs))
        wrong = None if wrong is None else codes(*wrong)
        return None if wrong is None else coded(wrong, inputs["qmin"], inputs["qmax"])

    return answer


def other(**fields):
    """The same with other steps."""
    return asked(lambda c, *rest: (c._replace(**fields), *rest))


def fused(c, Z):
    """Rounding and zero point for the oracle: ⌊fma(x, 1/s, Z + ½)⌋ where ½ is added."""
    return (c._replace(rounding="floor"), Z + HALF) if c.rounding == "add_half" else (c, Z)


def rounded_by(rule):
    def change(c, name, x, s, Z, *ends):
        c = c._replace(rounding=rule)
        c, Z = fused(c, Z) if c.quotient == "fused" else (c, Z)
        return c, name, x, s, Z, *ends

    return asked(change)


def quotient(value):
    def change(c, name, x, s, Z, *ends):
        if value == "fused":
            c, Z = fused(c, Z)
            s = 1 / s if c.quotient == "multiply" else s  # of which the oracle takes the reciprocal
            c = c._replace(zero_point_added="before")
        return c._replace(quotient=value), name, x, s, Z, *ends

    return asked(change)


def zero_point_added(value):
    def change(c, name, x, s, Z, *ends):
        if c.form == "sq+Z":  # x/s and Z/s one by one
            if s == 0:
                return None
            inverse = rounding.to_format(1 / s, name)
            Z = -(oracle.divide(Z, s, name) if c.quotient == "divide" else oracle.multiply(Z, inverse, name))
            c = c._replace(form="s(q-Z)")
        way = "reciprocal" if c.quotient == "fused" else c.quotient
        return c._replace(zero_point_added=value, quotient=way), name, x, s, Z, *ends

    return asked(change)


def integer_zero_point(c, name, x, s, Z, *ends):
    if c.form == "sq+Z":
        if s == 0:
            return None
        c, Z = c._replace(form="s(q-Z)", zero_point_added="after"), -Z / s
    return c, name, x, s, Fraction(rounding.to_integer(Z, "half_even")), *ends


def computed_in(name):
    def change(c, _, x, s, Z, *ends):
        if name == "float16":
            x, s = [float(rounding.to_format(Fraction(value), name)) for value in x], rounding.to_format(s, name)
        return None if abs(s) in (0, INFINITY) else (c, name, x, s, Z, *ends)

    return asked(change)


def scale_kept_in(format_):
    def change(c, name, x, s, *rest):
        kept = rounding.to_format(s, format_)
        return None if abs(kept) in (0, INFINITY) else (c, name, x, kept, *rest)

    return asked(change)


def half_added_and_truncated(convention, **inputs):
    """(int)(t + 0.5), with Z where the convention adds it."""
    c, name, x, s, Z, qmin, qmax = question(convention, **inputs)
    lowest, highest = oracle.used_codes(qmin, qmax, c)
    Z, later = (0, int(Z)) if c.zero_point_added == "after" else (Z, 0)
    c = c._replace(rounding="toward_zero", zero_point_added="before", narrow="no")
    truncated = codes(c, name, x, s, Z + HALF, lowest - later, highest - later)
    return None if truncated is None else coded([k + later for k in truncated], qmin, qmax)


def half_away_by_adding(convention, **inputs):
    """(int)(t + copysign(0.5, t)) + Z."""
    c, name, x, s, Z, qmin, qmax = question(convention, **inputs)
    added = c._replace(rounding="toward_zero", zero_point_added="before", narrow="no")
    sizes = codes(added, name, [abs(value) for value in x], s, HALF, -(2**40), 2**40)
    if sizes is None:
        return None
    ends = oracle.used_codes(qmin, qmax, c)
    signed = (-size if value < 0 else size for size, value in zip(sizes, x, strict=True))
    return coded([clip(k + int(Z), *ends) for k in signed], qmin, qmax)


def unclipped(change):
    """Return the answer of a mutant that makes something else of the codes as they are before they are clipped."""

    def answer(convention, **inputs):
        c, name, x, s, Z, qmin, qmax = question(convention, **inputs)
        if s == 0:
            return None
        added = "after" if c.zero_point_added == "shifted" else c.zero_point_added
        free = codes(c._replace(narrow="no", zero_point_added=added), name, x, s, Z, qmin - 2**40, qmax + 2**40)
        used, zero = oracle.used_codes(qmin, qmax, c), 0 if c.form == "sq+Z" else int(Z)
        return coded([change(k, *used, zero, qmin, qmax) for k in free], qmin, qmax)

    return answer


def clip(k, low, high):
    return min(max(k, low), high)


def infinite_reciprocal(convention, **inputs):
    c, _, x, s, Z, *ends = question(convention, **inputs)
    if s != 0:
        return None
    low, high = oracle.used_codes(*ends, c)
    return coded([high if value > (Z if c.form == "sq+Z" else 0) else low for value in x], *ends)


RULES = {
    "half_even": "ties go to the even code",
    "half_away": "ties go away from zero",
    "half_up": "ties go up",
    "half_down": "ties go down",
    "half_toward_zero": "ties go toward zero",
    "floor": "rounded down",
    "ceil": "rounded up",
    "toward_zero": "truncated",
    "add_half": "½ is added in floats and the sum rounded down: ties go up, and so does what is just below ½",
    "½ added and truncated": "(int)(t + 0.5), which is wrong for negative numbers",
}


def another_rule(rule):
    """Return what tells whether a rule gives other codes than the convention's."""

    def alike(rule, c, d):
        if c.zero_point_added == "before" and all(qmin == 0 for qmin, _ in d.ranges):  # what is below 0 saturates
            rule = {"half_up": "half_away", "half_down": "half_toward_zero", "floor": "toward_zero"}.get(rule, rule)
            if d.signed and rule in ("add_half", "½ added and truncated"):  # Z ≥ 8: beside ties all sums are alike
                return "half_away"
        return rule

    return only(lambda c, d: alike(rule, c, d) != alike(c.rounding, c, d))


def integer(c, d):
    return not d.zero and not d.real


MUTANTS = {
    **{
        f"rounding: {rule}": Mutant(text, rounded_by(rule), another_rule(rule))
        for rule, text in RULES.items() if rule != "½ added and truncated"
    },
    "rounding: ½ added and truncated": Mutant(
        RULES["½ added and truncated"], half_added_and_truncated,
        lambda convention: another_rule("½ added and truncated")(convention)
        and steps(convention).zero_point_added in ("before", "after")),
    "rounding: ±½ added and truncated": Mutant(
        "(int)(t + copysign(0.5, t)): ties go away from zero, and so does what is just below ½", half_away_by_adding,
        only(lambda c, d: c.quotient != "fused" and (d.zero or c.zero_point_added == "after") and not d.signed)),
    "quotient: divide": Mutant(
        "x is divided by s", quotient("divide"), only(lambda c, d: c.quotient != "divide")),
    "quotient: reciprocal": Mutant(
        "x is multiplied by the rounded 1/s", quotient("reciprocal"),
        only(lambda c, d: c.quotient in ("divide", "fused"))),  # for codes per unit it is as wrong as dividing
    "quotient: fused": Mutant(
        "product and zero point are rounded once, as by fma", quotient("fused"),
        only(lambda c, d: c.quotient != "fused" and not d.zero and c.zero_point_added in ("before", "after"))),
    "quotient: multiply": Mutant(
        "x is multiplied by s", quotient("multiply"), only(lambda c, d: c.quotient != "multiply")),
    "zero_point_added: before": Mutant(
        "the zero point is added before rounding (an offset: x/s and Z/s one by one)", zero_point_added("before"),
        only(lambda c, d: c.zero_point_added != "before" and not d.zero)),
    "zero_point_added: after": Mutant(
        "the zero point is added after rounding", zero_point_added("after"),
        only(lambda c, d: c.zero_point_added in ("before", "shifted") and integer(c, d))),
    "zero_point_added: shifted": Mutant(
        "the lowest code's value is subtracted from x, and its code added after the quotient",
        zero_point_added("shifted"), only(lambda c, d: c.zero_point_added in ("before", "after") and integer(c, d))),
    "form: s(q+Z)": Mutant(
        "the zero point is subtracted", other(form="s(q+Z)"), only(lambda c, d: c.form != "sq+Z" and not d.zero)),
    "form: sq-Z": Mutant("the offset is added to x", other(form="sq-Z"), only(lambda c, d: c.form == "sq+Z")),
    "zero point ignored": Mutant(
        "as if it were 0", asked(lambda c, name, x, s, Z, *ends: (c, name, x, s, Fraction(0), *ends)),
        only(lambda c, d: not d.zero)),
    "zero_point_type: integer": Mutant(
        "the zero point is rounded first", asked(integer_zero_point), only(lambda c, d: d.real)),
    "narrow: no": Mutant("the lowest code is used", other(narrow="no"), only(lambda c, d: c.narrow != "no")),
    "narrow: low": Mutant("the lowest code is not used", other(narrow="low"), only(lambda c, d: c.narrow != "low")),
    "narrow: high": Mutant("the highest code is not used", other(narrow="high")),
    "off by one: qmax": Mutant(
        "clipped at qmax + 1", unclipped(lambda k, low, high, *_: clip(k, low, high + 1))),
    "off by one: qmin": Mutant(
        "clipped at qmin − 1", unclipped(lambda k, low, high, *_: clip(k, low - 1, high)),
        only(lambda c, d: c.narrow == "no")),  # else the lowest code is used, as above
    "range: unsigned": Mutant(
        "signed codes are clipped as if they were unsigned",
        unclipped(lambda k, low, high, Z, qmin, qmax: clip(k, 0, qmax - qmin)),
        only(lambda c, d: any(qmin < 0 for qmin, _ in d.ranges))),
    "range: signed": Mutant(
        "unsigned codes are clipped as if they were signed",
        unclipped(lambda k, low, high, Z, qmin, qmax: clip(k, -((qmax + 1 - qmin) // 2), (qmax - qmin) // 2)),
        only(lambda c, d: any(qmin == 0 for qmin, _ in d.ranges))),
    "saturation: none": Mutant(
        "codes beyond the ends wrap around",
        unclipped(lambda k, low, high, Z, qmin, qmax: (k - qmin) % (qmax - qmin + 1) + qmin)),
    "saturation: before the zero point": Mutant(
        "clipped to the codes' range before the zero point is added, and after",
        unclipped(lambda k, low, high, Z, *_: clip(clip(k - Z, low, high) + Z, low, high)), only(integer)),
    "saturation: int32": Mutant(
        "2³¹ steps and more give the lowest code, as x86's conversion to int32 does",
        unclipped(lambda k, low, high, Z, *_: low if abs(k - Z) >= 2**31 else clip(k, low, high))),
    "nonfinite: int64": Mutant(
        "2⁶³ steps and more give the lowest code, as x86's conversion to int64 does", other(nonfinite="int64"),
        only(lambda c, d: c.nonfinite != "int64")),
    "nonfinite: saturate": Mutant(
        "2⁶³ steps and more give the highest code", other(nonfinite="saturate"),
        only(lambda c, d: c.nonfinite == "int64")),
    "compute_dtype: float64": Mutant(
        "computed in float64", computed_in("float64"), only(lambda c, d: d.name == "float32")),
    "compute_dtype: float32": Mutant(
        "computed in float32", computed_in("float32"), only(lambda c, d: d.name == "float64")),
    "compute_dtype: float16": Mutant("computed in float16", computed_in("float16")),
    "scale_dtype: float16": Mutant("s is rounded to float16 first", scale_kept_in("float16")),
    "scale: its sign ignored": Mutant(
        "|s| is taken", asked(lambda c, name, x, s, *rest: (c, name, x, abs(s), *rest)),
        only(lambda c, d: d.signed)),
    "scale of 0: infinite reciprocal": Mutant(
        "1/0 is taken for infinite, so that every number saturates", infinite_reciprocal,
        only(lambda c, d: d.empty and c.quotient == "reciprocal")),
}  # fmt: skip

PARAMETERS = {
    "scale": "float32, s in x's unit, above 0; float64 for tflite_weights_dynamic_range; codes per unit of x for hqq "
    "and bitsandbytes; of either sign for ggml_q4_0 and onnxruntime_blockwise_symmetric",
    "zero_point": "int32, Z; float32 for source and ggml_q4_1, an offset in x's unit, and for hqq",
}
PROVENANCE = "tests/oracles/conventions.py, the library's steps in NumPy; tests/oracles/affine.py, rational numbers"
QUANTIZE = Function(
    summary="codes of numbers, round(x / s) + Z clipped to the codes' range, as each library computes them",
    parameters={"x": "(n,) float32 array, finite", **PARAMETERS, "qmin": "int, the lowest code, used or not",
                "qmax": "int, the highest code"},
    returns={"q": "(n,) array of codes, of any integer type that holds qmin to qmax"},
    candidates=candidates,
    expected=right_codes,
    mutants=MUTANTS,
    provenance=PROVENANCE,
    conventions=CODES,
    holds=lambda inputs: {"q": (inputs["qmin"], inputs["qmax"])},
)  # fmt: skip

DEQUANTIZE = Function(
    summary="numbers of codes, s·(q − Z) or what the convention has instead",
    parameters={"q": "(n,) uint8 or int8 array", **PARAMETERS},
    returns={"x": "(n,) float32 array"},
    candidates=affine_dequantize.candidates,
    expected=affine_dequantize.right_values,
    mutants=affine_dequantize.MUTANTS,
    provenance=PROVENANCE,
    conventions=affine_dequantize.GROUPS,
)

STEM = Stem({"quantize": QUANTIZE, "dequantize": DEQUANTIZE})
