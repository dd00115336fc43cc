"""Affine quantization twice: in exact rational numbers, and as the floating-point steps that a convention names.

A convention is anything with the fields of `refcompress.formulas.convention.Convention`. A number is a Fraction, or a
Python float where it is infinite or NaN.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.oracles import rounding

Number = Fraction | float
HALF = Fraction(1, 2)


def number(x: float) -> Number:
    """Return a float as what this file computes with."""
    x = float(x)
    return Fraction(x) if math.isfinite(x) else x


def add(a: Number, b: Number, name: str) -> Number:
    """Return fl(a + b)."""
    if isinstance(a, float) or isinstance(b, float):
        return float(a) + float(b)
    return rounding.to_format(a + b, name)


def multiply(a: Number, b: Number, name: str) -> Number:
    """Return fl(a·b); 0·∞ is NaN."""
    if isinstance(a, float) or isinstance(b, float):
        return float(a) * float(b)
    return rounding.to_format(a * b, name)


def multiply_add(a: Number, b: Number, c: Number, name: str) -> Number:
    """Return fl(a·b + c), rounded once."""
    if any(isinstance(value, float) for value in (a, b, c)):
        return float(a) * float(b) + float(c)
    return rounding.to_format(a * b + c, name)


def divide(a: Number, b: Fraction, name: str) -> Number:
    """Return fl(a/b) for b ≠ 0."""
    if isinstance(a, float):
        return a if b > 0 else -a
    return rounding.to_format(a / b, name)


def used_codes(qmin: int, qmax: int, c: Any) -> tuple[int, int]:
    """Return the lowest and the highest code in use."""
    return {"no": (qmin, qmax), "low": (qmin + 1, qmax), "high": (qmin, qmax - 1)}[c.narrow]


def dtype_name(c: Any, *given: str) -> str:
    """Return the format in which the codes are computed, from those of the arrays."""
    if c.compute_dtype == "float32":
        return "float32"
    assert c.compute_dtype == "input"
    return "float64" if "float64" in given else "float32"


def code(
    x: Number, s: Fraction, Z: Fraction, qmin: int, qmax: int, c: Any, name: str, u: Fraction | None = None
) -> int | None:
    """Return the code of x, or None where the convention has none. All steps are rounded to the format `name`."""
    lowest, highest = used_codes(qmin, qmax, c)
    if isinstance(x, float) and (math.isnan(x) or c.nonfinite == "error"):
        return _not_a_number(lowest, highest, c) if math.isnan(x) else None
    zero = -Z if c.form == "s(q+Z)" else Z  # the code that stands for 0, but for offsets
    match c.zero_point_added:  # what is divided by s
        case "subtracted":
            x = add(x, {"sq+Z": -Z, "sq-Z": Z}[c.form], name)
        case "shifted":
            value_of_lowest = multiply(s, lowest - zero, name)
            x = add(x, -value_of_lowest, name)
    later = {"before": zero, "shifted": lowest - zero, "after": None, "subtracted": None}[c.zero_point_added]
    if c.rounding == "add_half":  # one sum where there is a zero point to add before
        later = rounding.to_format((zero if c.zero_point_added == "before" else Fraction(0)) + HALF, name)
    inverse = Fraction(0) if s == 0 or c.quotient in ("divide", "multiply") else rounding.to_format(1 / s, name)
    match c.quotient:
        case "divide":
            t = divide(x, s, name)
        case "reciprocal":
            t = multiply(x, inverse, name)
        case "multiply":
            t = multiply(x, s, name)
        case "fused":
            t = multiply_add(x, inverse, zero, name)
            later = None
    if c.rounding == "add_half" and c.zero_point_added == "shifted":
        t = add(t, lowest - zero, name)
    if later is not None:
        t = add(t, later, name)
    after = zero if c.zero_point_added in ("after", "shifted") else 0
    if isinstance(t, float):
        if math.isnan(t):
            return _not_a_number(lowest, highest, c)
        return highest if t > 0 and c.nonfinite != "int64" else lowest
    assert c.clip in ("before", "after")
    if c.clip == "before":
        more = HALF if c.rounding == "add_half" else 0
        t = min(max(t, lowest - after + more), highest - after + more)
    q = rounding.to_integer(t, "floor" if c.rounding == "add_half" else c.rounding, u) + after
    if c.nonfinite == "int64" and abs(q) >= 2**63:
        return lowest
    return int(min(max(q, lowest), highest))


def _not_a_number(lowest: int, highest: int, c: Any) -> int | None:
    """Return the code of NaN."""
    if c.nonfinite in ("error", "saturate"):
        return None
    return min(
        max({"nan_low": lowest, "nan_high": highest, "nan_zero": 0, "int64": lowest}[c.nonfinite], lowest), highest
    )


def codes(
    x: Sequence[float],
    s: float,
    Z: float,
    qmin: int,
    qmax: int,
    c: Any,
    name: str = "float32",
    u: Fraction | None = None,
) -> list[int | None]:
    """Return the codes of numbers that share s and Z."""
    step, zero = Fraction(float(s)), Fraction(float(Z))
    return [code(number(value), step, zero, qmin, qmax, c, name, u) for value in x]


def kept(s: Fraction, c: Any) -> Number:
    """Return s, or a zero point that is a real number, as the convention keeps it."""
    return s if c.scale_dtype == "input" else rounding.to_format(s, c.scale_dtype)


def value(q: int, s: Fraction, Z: Fraction, c: Any, name: str) -> Number:
    """Return the number that a code stands for, all steps rounded to the format `name`."""
    s = kept(s, c)
    if c.zero_point_type == "real":
        Z = kept(Z, c)
    match c.form:
        case "s(q-Z)":
            return multiply(s, add(Fraction(q), -Z, name), name)
        case "s(q+Z)":
            return multiply(s, add(Fraction(q), Z, name), name)
        case "sq+Z":
            return add(multiply(s, Fraction(q), name), Z, name)
        case "sq-Z":
            return add(multiply(s, Fraction(q), name), -Z, name)
        case "(q-Z)/s":
            inverse = Fraction(0) if s == 0 else rounding.to_format(1 / s, name)
            return multiply(add(Fraction(q), -Z, name), inverse, name)
    raise KeyError(c.form)


def values(q: Sequence[int], s: float, Z: float, c: Any, name: str = "float32") -> list[Number]:
    """Return the numbers of codes that share s and Z."""
    return [value(int(k), Fraction(float(s)), Fraction(float(Z)), c, name) for k in q]


def ideal_position(x: Fraction, s: Fraction, Z: Fraction, c: Any) -> Fraction:
    """Return the exact real number that the code of x is rounded from, the zero point added."""
    match c.form:
        case "s(q-Z)":
            return x / s + Z
        case "s(q+Z)":
            return x / s - Z
        case "sq+Z":
            return (x - Z) / s
        case "sq-Z":
            return (x + Z) / s
        case "(q-Z)/s":
            return x * s + Z
    raise KeyError(c.form)


def ideal_code(x: Fraction, s: Fraction, Z: Fraction, qmin: int, qmax: int, c: Any, u: Fraction | None = None) -> int:
    """Return the code that the convention gives in exact arithmetic: only where Z is added still matters, at ties."""
    lowest, highest = used_codes(qmin, qmax, c)
    zero = -Z if c.form == "s(q+Z)" else Z
    after = zero if c.zero_point_added in ("after", "shifted") else Fraction(0)
    rule = "half_up" if c.rounding == "add_half" else c.rounding
    if c.zero_point_added == "shifted":
        after = zero
    q = rounding.to_integer(ideal_position(x, s, Z, c) - after, rule, u) + after
    if c.nonfinite == "int64" and abs(q) >= 2**63:
        return lowest
    return int(min(max(q, lowest), highest))


def ideal_value(q: int, s: Fraction, Z: Fraction, c: Any) -> Fraction:
    """Return the exact number that a code stands for, s as it is given."""
    match c.form:
        case "s(q-Z)":
            return s * (q - Z)
        case "s(q+Z)":
            return s * (q + Z)
        case "sq+Z":
            return s * q + Z
        case "sq-Z":
            return s * q - Z
        case "(q-Z)/s":
            return (q - Z) / s
    raise KeyError(c.form)


def group_of(index: tuple[int, ...], axis: Any, block_size: int | None, ndim: int) -> tuple[int, ...]:
    """Return the place of an element's scale among the scales."""
    if axis is None:
        return ()
    axes = [a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    if block_size is None:
        return tuple(index[a] for a in axes)
    return tuple(i // block_size if a == axes[0] else i for a, i in enumerate(index))
