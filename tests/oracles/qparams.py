"""Scale and zero point of a range, step by step: every step exact, then rounded to the format the convention names."""

import math
from fractions import Fraction
from typing import Any

from tests.oracles import affine, rounding


def choose(
    low: Fraction, high: Fraction, qmin: int, qmax: int, c: Any, given: str = "float32"
) -> tuple[Fraction, Fraction] | None:
    """Return (s, Z) of a range whose ends have the format `given`, or None where the convention has none."""
    name = given if c.range_dtype == "input" else c.range_dtype
    out = "float32" if c.compute_dtype == "float32" else name

    def fl(x: Fraction | float, name: str = name) -> Any:
        return rounding.to_format(x, name) if isinstance(x, Fraction) else x

    known = ("one", "zero", "one_below_normal", "smallest", "epsilon", "tenth", "one_below_1e-4", "unit_width",
             "unit_ends", "grown", "error")  # fmt: skip
    if c.zero_range not in known or c.nudge not in ("zero_point", "range"):
        raise KeyError((c.zero_range, c.nudge))

    qmin, qmax = affine.used_codes(qmin, qmax, c)
    match c.include_zero:
        case "yes":
            low, high = min(low, Fraction(0)), max(high, Fraction(0))
        case "low":
            low = min(low, Fraction(0))
    empty = low == high
    match c.zero_range:
        case "error" if empty:
            return None
        case "unit_width" if empty:
            high = low + 1
        case "unit_ends" if empty:
            low, high = Fraction(-1), Fraction(1)
        case "grown" if high - low <= Fraction(1e-6):
            low, high = fl(low - Fraction(1e-6), "float64"), fl(high + Fraction(1e-6), "float64")
    ends = low, high
    low, high = fl(low), fl(high)
    middle = (qmin + qmax + 1) // 2
    Z0 = {"zero": 0, "middle": middle}.get(c.zero_point, 0)
    least = fl(Fraction(c.smallest_range))
    size = max(-low, high, least)
    if c.scale == "mirrored" and low < 0:
        low, high = -size, size
    width = fl(high - low)
    if width == math.inf:
        return None
    width = max(width, least)
    match c.scale:
        case "asymmetric" | "mirrored":
            s = fl(width / (qmax - qmin))
        case "symmetric_qmax":
            s = fl(size / (qmax - Z0))
        case "symmetric_half":
            s = fl(size / Fraction(qmax - qmin, 2))
        case "symmetric_qmin":
            s = fl(size / (Z0 - qmin))
        case "signed":
            s = fl((size if high > -low else -size) / (qmin - Z0))
        case "both_ends":
            s = max(fl(low / (qmin - Z0)), fl(high / (qmax - Z0)))
        case "inverse_width":
            s = Fraction(0) if width == 0 else fl(fl(1 / width) * (qmax - qmin))
        case "inverse_absmax":
            s = Fraction(0) if size == 0 else fl(fl(1 / size) * qmax)
        case _:
            raise KeyError(c.scale)
    if c.zero_range == "one_below_1e-4" and width <= fl(Fraction(1e-4)):
        s = Fraction(1)
    if c.zero_range == "one" and empty:
        s = Fraction(1)
    if s == math.inf and not (c.scale.startswith("inverse") and c.smallest_scale):
        return None
    if c.smallest_scale:
        bound = fl(Fraction(c.smallest_scale))
        s = min(s, fl(Fraction(1 / c.smallest_scale))) if c.scale.startswith("inverse") else max(s, bound)
    Z_set = None
    match c.zero_range:
        case "one_below_normal" if abs(s) < Fraction(2) ** -126:
            s, Z_set = Fraction(1), 0
        case "epsilon" if s == 0:
            s = Fraction(1, 2**23)
            if c.zero_point not in ("zero", "middle"):
                Z_set = qmax if low < 0 else 0
        case "tenth":
            least = Fraction(float(rounding.to_format(Fraction(6.1e-5), "float32")))
            given_out = rounding.to_format(s, "float32")
            if given_out == 0 or rounding.to_format(1 / given_out, "float32") == math.inf:
                s = fl(Fraction(0.1))
            if s < least:
                s = least
                if low == 0:
                    high = fl(least * fl(Fraction(qmax - qmin)), "float32")
                elif high == 0:
                    low = -fl(least * fl(Fraction(qmax - qmin)), "float32")
                else:
                    factor = fl(least / given_out, "float32")
                    low, high = fl(low * factor, "float32"), fl(high * factor, "float32")
                ends = low, high
    unrounded, s = s, rounding.to_format(s, out)
    if isinstance(s, float) or (s == 0 and c.zero_range != "zero"):
        return None
    low, high = ends if c.zero_point_from.startswith("float64") else (low, high)
    Z = _zero_point(low, high, s, unrounded, qmin, qmax, middle, c, name)
    if Z_set is not None:
        Z = Fraction(Z_set)
    if c.nudge == "range" and not empty and Z_set is None:
        covering = [fl(end / (q - Z)) for end, q in ((low, qmin), (high, qmax)) if q != Z]
        s = rounding.to_format(max(covering), out)
        if s == 0:
            return None
    return s, (-Z if c.form == "s(q+Z)" else fl(Z, out))


def _zero_point(
    low: Fraction,
    high: Fraction,
    s: Fraction,
    unrounded: Fraction,
    qmin: int,
    qmax: int,
    middle: int,
    c: Any,
    name: str,
) -> Fraction:
    """Return Z, clipped to the codes in use where it is an integer."""
    match c.zero_point_from:
        case "unrounded_scale":
            s = unrounded
        case "float64" | "float64_to_float32":
            name = "float64"
        case "rounded_scale":
            pass
        case _:
            raise KeyError(c.zero_point_from)

    def position(end: Fraction) -> Any:
        if s == 0:
            return Fraction(0)
        return rounding.to_format(end * s if c.quotient == "multiply" else end / s, name)

    def rounded(t: Any) -> Fraction:
        if c.zero_point_from == "float64_to_float32" and isinstance(t, Fraction):
            t = rounding.to_format(t, "float32")
        if isinstance(t, float):
            return Fraction(qmax if t > 0 else qmin)
        return Fraction(rounding.to_integer(t, c.zero_point_rounding))

    def difference(end: int, t: Any) -> Any:
        return affine.add(Fraction(end), -t, name)

    match c.zero_point:
        case "zero":
            return Fraction(0)
        case "middle":
            return Fraction(middle)
        case "low":
            return low
        case "negated_low":
            return -low
        case "quotient":
            return difference(qmin, position(low))
        case "rounded_quotient":
            t = position(low)
            Z = Fraction(qmin) - (Fraction(rounding.to_integer(t, c.zero_point_rounding)))
        case "rounded_difference":
            Z = rounded(difference(qmin, position(low)))
        case "nearer_end":
            below, above = position(low), position(high)
            near_low = difference(abs(qmin), abs(below)) < difference(abs(qmax), abs(above))
            Z = rounded(difference(qmin, below) if near_low else difference(qmax, above))
        case _:
            raise KeyError(c.zero_point)
    return min(max(Z, Fraction(qmin)), Fraction(qmax))
