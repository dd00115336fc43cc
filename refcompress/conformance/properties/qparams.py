"""Properties of the choice of scale and zero point in every convention."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.property import Property
from refcompress.conformance.suite import cases
from refcompress.formulas.quantization import qparams
from refcompress.formulas.quantization.conventions import PRESETS, Convention

Function = Callable[..., Any]

OWN: dict[str, Callable[[str], Function]] = {
    "choose": lambda convention: lambda low, high, qmin, qmax: qparams.choose(low, high, qmin, qmax, convention),
}
U = Fraction(1, 2**24)  # what rounding to float32 changes at most, in parts


@cache
def codes(convention: str) -> list[tuple[int, int]]:
    """The ranges of codes of the convention's cases."""
    found = (case.arguments for case in cases("qparams.choose", convention))
    return sorted({(arguments["qmin"], arguments["qmax"]) for arguments in found})


@cache
def ranges(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Two ends of one sign or of both, at most 4096 in size and at least 1/16 apart: no scale is raised."""
    sizes = st.sampled_from([1.0, 0.1, 3.0, 0.0]) | st.floats(0, 4096)

    def chosen(drawn: tuple[float, float, str, tuple[int, int]]) -> dict[str, Any]:
        first, second, signs, (qmin, qmax) = drawn
        low, high = sorted((first if signs == "++" else 0.0 - first, 0.0 - second if signs == "--" else second))
        if low == 0 and PRESETS[convention].zero_point == "quotient":  # −low/s is −0 there, or 0
            low = -1.0
        return {"low": np.float32(low), "high": np.float32(max(high, low + 0.0625)), "qmin": qmin, "qmax": qmax}

    return st.tuples(sizes, sizes, st.sampled_from(["-+", "++", "--"]), st.sampled_from(codes(convention))).map(chosen)


@cache
def any_ranges(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same, and narrow ranges, and empty ones where they are no error."""
    c = PRESETS[convention]
    widths = [1e-30, 1e-6, 1e-5, 5e-5, 1e-3] + [0.0] * (c.zero_range != "error")

    def chosen(drawn: tuple[dict[str, Any], float, bool]) -> dict[str, Any]:
        given, width, below = drawn
        if width < 0:
            return given
        end = -1.0 if c.zero_point == "quotient" else 0.0
        return given | {"low": np.float32(end - width * below), "high": np.float32(end + width * (not below))}

    return st.tuples(ranges(convention), st.sampled_from([-1.0, *widths]), st.booleans()).map(chosen)


def exact(value: Any) -> Fraction:
    """The rational number that a float is."""
    return Fraction(float(value))


def used(low: Any, high: Any, c: Convention) -> tuple[Fraction, Fraction]:
    """The ends of the range from which scale and zero point are computed."""
    if c.zero_point in ("zero", "middle"):
        largest = max(-exact(low), exact(high))
        return -largest, largest
    start = exact(low) if c.include_zero == "no" else min(exact(low), Fraction(0))
    return start, exact(high) if c.include_zero != "yes" else max(exact(high), Fraction(0))


def step_and_slack(s: Any, Z: Any, qmin: int, qmax: int, c: Convention) -> tuple[Fraction, Fraction]:
    """The distance between the numbers of two codes, and what floats can move such a number by.

    No more than four roundings (of the width, of s, of the quotient, and of Z) err by u·(|qmin| + |qmax| + |Z|) codes
    each, where Z counts unless it is an offset; that makes 5 with the terms in u².
    """
    step = 1 / exact(s) if c.form == "(q-Z)/s" else abs(exact(s))
    zero = 0 if c.form == "sq+Z" else abs(exact(Z))
    return step, 5 * U * (abs(qmin) + abs(qmax) + zero) * step


def is_usable(f: Function, convention: str, low: Any, high: Any, qmin: int, qmax: int) -> None:
    """The scale is above 0, or beside 0 where it has a sign, and an integer zero point is a code in use."""
    c = PRESETS[convention]
    s, Z = f(low, high, qmin, qmax)
    lowest, highest = c.codes(qmin, qmax)
    assert np.isfinite(s), f"the scale must be finite, got {s!r}"
    assert s > 0 or (s < 0 and c.scale == "signed"), f"the scale must be above 0, got {s!r}"
    if c.zero_point_type == "integer":
        assert lowest <= Z <= highest, f"the zero point must be from {lowest} to {highest}, got {Z}"
        assert Z % 1 == 0, f"the zero point must be an integer, got {Z}"


def covers_the_range(f: Function, convention: str, low: Any, high: Any, qmin: int, qmax: int) -> None:
    """The codes reach both ends: to half a step if the zero point is rounded, to a step if only one side fits."""
    c = PRESETS[convention]
    start, end = exact(low), exact(high)
    if c.include_zero != "yes" and c.zero_point_type == "integer" and not start <= 0 <= end:
        return  # the zero point is clipped
    if c.scale == "mirrored" and start >= 0:
        return  # which is not mirrored, and reached by half
    s, Z = f(low, high, qmin, qmax)
    step, slack = step_and_slack(s, Z, qmin, qmax, c)
    short = Fraction(0)
    if c.scale in ("signed", "symmetric_qmin"):
        short = step
    elif c.scale in ("symmetric_half", "mirrored") or (c.scale == "asymmetric" and c.zero_point_type == "integer"):
        short = step / 2
    reached = sorted(number(code, s, Z, c) for code in c.codes(qmin, qmax))
    assert reached[0] <= start + short + slack, f"low = {low!r}, the codes begin at {float(reached[0])}, s = {s!r}"
    assert reached[1] >= end - short - slack, f"high = {high!r}, the codes end at {float(reached[1])}, s = {s!r}"


def number(code: int, s: Any, Z: Any, c: Convention) -> Fraction:
    """The exact number that a code stands for."""
    match c.form:
        case "sq+Z":
            return exact(s) * code + exact(Z)
        case "(q-Z)/s":
            return (code - exact(Z)) / exact(s)
    return exact(s) * (code - exact(Z))


def is_as_fine_as_it_can_be(f: Function, convention: str, low: Any, high: Any, qmin: int, qmax: int) -> None:
    """All codes span no more than the range, or than twice its larger magnitude and a step."""
    c = PRESETS[convention]
    s, Z = f(low, high, qmin, qmax)
    step, slack = step_and_slack(s, Z, qmin, qmax, c)
    start, end = used(low, high, c)
    lowest, highest = c.codes(qmin, qmax)
    span, most = step * (highest - lowest), end - start + (step if c.zero_point in ("zero", "middle") else 0)
    assert span <= most + slack, f"[{low!r}, {high!r}]: the codes span {float(span)}, {float(most)} is enough"


def follows_its_unit(f: Function, convention: str, low: Any, high: Any, qmin: int, qmax: int) -> None:
    """In a unit 8 times as small the scale is 8 times as large and the zero point the same, or an offset too."""
    c, unit = PRESETS[convention], np.float32(8)
    s, Z = map(float, f(low, high, qmin, qmax))
    again = tuple(map(float, f(low * unit, high * unit, qmin, qmax)))
    wanted = (s / 8 if c.form == "(q-Z)/s" else s * 8), (Z * 8 if c.form == "sq+Z" else Z)
    assert again == wanted, f"[{low!r}, {high!r}] has {(s, Z)}, and multiplied by 8 {again}"


PROPERTIES = (
    Property("choose", is_usable, ranges),
    Property("choose", covers_the_range, ranges),
    Property("choose", is_as_fine_as_it_can_be, ranges),
    Property("choose", follows_its_unit, ranges),
)
AGREES = {"choose": any_ranges}
