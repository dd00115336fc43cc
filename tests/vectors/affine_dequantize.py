"""Vectors of affine.dequantize."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from refcompress.formulas.quantization.conventions import PRESETS
from tests.oracles import affine as oracle
from tests.oracles import rounding
from tests.oracles.conventions import TWINS
from tests.vectors.conventions import domain, groups, scale_of, zero_point_of
from tests.vectors.specification import Mutant


class Values(NamedTuple):
    """What of a convention numbers of codes depend on."""

    form: str
    zero_point_type: str
    scale_dtype: str


class Given(NamedTuple):
    """What a convention is given."""

    zero: bool  # its zero point is always 0
    negative: bool  # its scale can be below 0
    scale: str  # dtype of its scale
    unsigned: bool  # codes from 0 on
    signed: bool  # codes of both signs
    bits: int


def values_of(convention):
    c = PRESETS[convention]
    return Values(c.form, c.zero_point_type, c.scale_dtype)


def given_to(convention):
    d, ends = domain(convention), [end for codes in domain(convention).ranges for end in codes]
    return Given(d.zero, d.signed, d.name, max(ends) in (15, 255), min(ends) < 0, 4 if max(ends) == 15 else 8)


GROUPS = groups(values_of, given_to)
GROUP = {convention: group for group in GROUPS for convention in group}


def restored(c, q, s, Z, name="float32"):
    """Return the oracle's numbers, as float32."""
    numbers = (oracle.value(int(k), s, Z, c, name) for k in q)
    return {"x": np.array([float(rounding.to_format(x, "float32")) for x in numbers], np.float32)}


def right_values(convention, q, scale, zero_point):
    right = restored(values_of(convention), q, Fraction(float(scale)), Fraction(float(zero_point)))
    for each in GROUP[convention]:
        if TWINS[each].dequantize is not None:
            zero = zero_point if domain(each).real else int(zero_point)
            twin = TWINS[each].dequantize(q.astype(np.int32), scale, zero)
            assert twin.dtype == np.float32, each
            assert twin.tobytes() == right["x"].tobytes(), (each, q, scale, zero_point, twin, right)
    return right


def candidates(convention):
    c, g = values_of(convention), given_to(convention)
    top = 2**g.bits - 1
    ranges = ([(0, top)] if g.unsigned else []) + ([(-(top // 2), top // 2)] if g.signed else [])
    for step in (0.5, 0.1, 0.3, 0.007, 1 / 3, 0.0371):
        for qmin, qmax in ranges:  # −128 is not used by all
            middle = (qmin + qmax + 1) // 2
            for zero in [0] if g.zero else [middle] if g.negative else [3, middle, qmax - 5]:
                for q in ([1, 2], [5], [7], [11], [qmin, qmax], [qmin], [qmax]):
                    s = scale_of(convention, 1 / step if c.form == "(q-Z)/s" else step)
                    Z = zero_point_of(convention, zero * step - 0.7 if c.form == "sq+Z" else zero)
                    Z = Z + np.float32(0.3) if c.form == "(q-Z)/s" and domain(convention).real else Z
                    for sign in (1, -1) if g.negative else (1,):
                        yield {"q": np.array(q, np.int8 if qmin < 0 else np.uint8), "scale": sign * s, "zero_point": Z}


def asked(change):
    """Return the answer of a mutant that asks the oracle something else."""

    def answer(convention, q, scale, zero_point):
        return restored(*change(values_of(convention), q.tolist(), Fraction(float(scale)), Fraction(float(zero_point))))

    return answer


def other(**fields):
    return asked(lambda c, q, s, Z: (c._replace(**fields), q, s, Z))


def one_by_one(convention, q, scale, zero_point):
    """s·q − s·Z."""
    c, s, Z = values_of(convention), Fraction(float(scale)), Fraction(float(zero_point))
    parts = [oracle.value(k, s, Fraction(0), c, "float32") for k in q.tolist()]
    less = oracle.multiply(Z, rounding.to_format(1 / s, "float32") if c.form == "(q-Z)/s" else s, "float32")
    return {"x": np.array([float(oracle.add(part, -less, "float32")) for part in parts], np.float32)}


def quotient(convention, q, scale, zero_point):
    """(q − Z)/s."""
    Z, s = Fraction(float(zero_point)), Fraction(float(scale))
    parts = (oracle.divide(oracle.add(Fraction(k), -Z, "float32"), s, "float32") for k in q.tolist())
    return {"x": np.array([float(x) for x in parts], np.float32)}


def steps_from_zero(c, q, s, Z):
    """An offset as a whole number of steps; another zero point rounded."""
    if c.form == "sq+Z":
        return (
            c._replace(form="s(q+Z)", zero_point_type="integer"),
            q,
            s,
            Fraction(rounding.to_integer(Z / s, "half_even")),
        )
    return c, q, s, Fraction(rounding.to_integer(Z, "half_even"))


def differences(low):
    """q − Z in eight bits, from low on."""
    return asked(lambda c, q, s, Z: (c, [(k - int(Z) - low) % 256 + low for k in q], s, Fraction(0)))


def read(low):
    """Codes of b bits that are read from low on: −2^(b−1), or 0."""

    def answer(convention, q, scale, zero_point):
        size = 2 ** given_to(convention).bits
        least = -size // 2 if low else 0
        codes = [(k - least) % size + least for k in q.tolist()]
        return restored(values_of(convention), codes, Fraction(float(scale)), Fraction(float(zero_point)))

    return answer


def in_float16(convention, q, scale, zero_point):
    right = restored(values_of(convention), q, Fraction(float(scale)), Fraction(float(zero_point)))
    return {"x": right["x"].astype(np.float16).astype(np.float32)}


def only(holds):
    return lambda convention: holds(values_of(convention), given_to(convention))


MUTANTS = {
    "form: s(q+Z)": Mutant(
        "the zero point is added", asked(lambda c, q, s, Z: (c, q, s, -Z)),
        only(lambda c, g: not g.zero and c.form != "sq+Z")),
    "form: sq-Z": Mutant(
        "zero point or offset are subtracted after the product", other(form="sq-Z"),
        only(lambda c, g: not g.zero and c.form != "(q-Z)/s")),
    "form: s(q-Z)": Mutant(
        "codes are multiplied by s, the zero point or offset subtracted before", other(form="s(q-Z)"),
        only(lambda c, g: c.form != "s(q-Z)")),
    "form: (q-Z)/s": Mutant(
        "codes are multiplied by 1/s", other(form="(q-Z)/s"), only(lambda c, g: c.form == "s(q-Z)")),
    "quotient: divide": Mutant(
        "divided by s, not multiplied by the rounded 1/s", quotient, only(lambda c, g: c.form == "(q-Z)/s")),
    "zero point ignored": Mutant(
        "as if it were 0", asked(lambda c, q, s, Z: (c, q, s, Fraction(0))), only(lambda c, g: not g.zero)),
    "zero_point_type: integer": Mutant(
        "the zero point is rounded, an offset to a multiple of s", asked(steps_from_zero),
        only(lambda c, g: c.zero_point_type == "real")),
    "zero point scaled on its own": Mutant(
        "s·q − s·Z, each product rounded", one_by_one, only(lambda c, g: not g.zero and c.form != "sq+Z")),
    "compute_dtype: float64": Mutant(
        "computed in float64 and rounded at the end", asked(lambda *question: (*question, "float64")),
        # elsewhere there is only one rounding, or of numbers of float16 all but one are exact, or it is like dividing
        only(lambda c, g: c.form != "s(q-Z)" and c.scale_dtype != "float16" and not g.zero)),
    "compute_dtype: float16": Mutant("numbers are rounded to float16", in_float16),
    "scale_dtype: float16": Mutant(
        "s, and an offset, are rounded to float16 first", other(scale_dtype="float16"),
        only(lambda c, g: c.scale_dtype != "float16")),
    "scale_dtype: float32": Mutant(
        "s, and an offset, are not rounded to float16 first", other(scale_dtype="float32"),
        only(lambda c, g: c.scale_dtype == "float16")),
    "scale_dtype: input": Mutant(
        "s is not rounded to float32 first",
        asked(lambda c, *rest: (c._replace(scale_dtype="input"), *rest, "float64")),
        only(lambda c, g: g.scale == "float64")),
    "scale_dtype: float16 without the offset": Mutant(
        "s is rounded to float16, the offset is not", other(zero_point_type="integer"),
        only(lambda c, g: c.form == "sq+Z" and c.scale_dtype == "float16")),
    "scale: its sign ignored": Mutant(
        "|s| is taken", asked(lambda c, q, s, Z: (c, q, abs(s), Z)), only(lambda c, g: g.negative)),
    "differences in uint8": Mutant(
        "q − Z wraps around below 0", differences(0),
        only(lambda c, g: g.unsigned and not g.zero and c.zero_point_type == "integer")),
    "differences in int8": Mutant(
        "q − Z wraps around beyond −128 and 127", differences(-128),
        only(lambda c, g: g.signed and not g.zero and c.zero_point_type == "integer")),
    "codes: signed": Mutant("unsigned codes are read as signed", read(-1), only(lambda c, g: g.unsigned)),
    "codes: unsigned": Mutant("signed codes are read as unsigned", read(0), only(lambda c, g: g.signed)),
}  # fmt: skip
