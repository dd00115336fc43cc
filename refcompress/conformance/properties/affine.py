"""Properties of affine quantization in every convention."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.conformance.suite import cases
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import PRESETS, Convention

Function = Callable[..., Any]
U = Fraction(1, 2**24)  # what rounding to float32 changes at most, in parts

OWN: dict[str, Callable[[str], Function]] = {
    "quantize": lambda convention: lambda x, s, Z, qmin, qmax: affine.quantize(x, s, Z, qmin, qmax, convention),
    "dequantize": lambda convention: lambda q, s, Z: affine.dequantize(q, s, Z, convention),
}


@cache
def ranges(convention: str) -> list[tuple[int, int]]:
    """The ranges of codes of the convention's cases."""
    found = (case.arguments for case in cases("affine.quantize", convention))
    return sorted({(arguments["qmin"], arguments["qmax"]) for arguments in found})


def scale_type(c: Convention) -> Any:
    """The dtype of a convention's scales."""
    return np.float64 if c.compute_dtype == "input" and c.range_dtype == "float64" else np.float32


def parameters(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """A scale, a zero point and a range of codes."""
    c = PRESETS[convention]
    least, most = (-8, 5) if c.scale_dtype == "float16" else (-20, 20)  # where it is far from overflow
    scales = st.sampled_from([1.0, 0.5, 0.1, 0.3]) | st.floats(2.0**least, 2.0**most)
    if c.scale == "signed":
        scales |= scales.map(lambda s: -s)

    def chosen(drawn: tuple[float, int, tuple[int, int]]) -> dict[str, Any]:
        s, place, (qmin, qmax) = scale_type(c)(drawn[0]), drawn[1], drawn[2]
        if c.zero_point_type == "real":
            Z: Any = np.float32(place / 4 * (s if c.form == "sq+Z" else 1))
        elif c.zero_point == "zero" or c.scale == "signed":
            Z = np.int32(0 if c.zero_point == "zero" else (qmin + qmax + 1) // 2)
        else:
            Z = np.int32(qmin + place % (qmax - qmin + 1))
        return {"scale": s, "zero_point": Z, "qmin": qmin, "qmax": qmax}

    return st.tuples(scales, st.integers(-160, 160), st.sampled_from(ranges(convention))).map(chosen)


@cache
def numbers(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 6 numbers at codes, ties and quarters, or a float beside them, up to 10 codes beyond the range."""

    def chosen(drawn: tuple[dict[str, Any], list[int], float]) -> dict[str, Any]:
        given, quarters, beside = drawn
        below, span = given["qmin"] - 10, given["qmax"] - given["qmin"] + 20
        places = [below + (quarter / 4 + 10) % span for quarter in quarters]  # the simplest is qmin
        x = numbers_at(places, convention, given["scale"], given["zero_point"])
        return {"x": np.nextafter(x, np.float32(beside)) if beside else x, **given}

    places = st.lists(st.integers(0, 1099), min_size=1, max_size=6)
    return st.tuples(parameters(convention), places, st.sampled_from([0.0, -np.inf, np.inf])).map(chosen)


@cache
def any_numbers(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same, and the largest and smallest floats."""
    others = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=2)

    def chosen(drawn: tuple[dict[str, Any], list[float]]) -> dict[str, Any]:
        return drawn[0] | {"x": np.append(drawn[0]["x"], np.array(drawn[1], np.float32))}

    return st.tuples(numbers(convention), others).map(chosen)


@cache
def codes_in_use(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 6 codes."""

    def chosen(drawn: tuple[dict[str, Any], list[int]]) -> dict[str, Any]:
        given, steps = drawn
        lowest, highest = PRESETS[convention].codes(given["qmin"], given["qmax"])
        q = [lowest + step % (highest - lowest + 1) for step in steps]
        return {"q": np.array(q, np.int8 if lowest < 0 else np.uint8), **given}

    return st.tuples(parameters(convention), st.lists(st.integers(0, 255), min_size=1, max_size=6)).map(chosen)


@cache
def restorable(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same without the range."""
    return codes_in_use(convention).map(lambda given: {key: given[key] for key in ("q", "scale", "zero_point")})


def numbers_at(places: Any, convention: str, s: Any, Z: Any) -> np.ndarray:
    """The float32 numbers nearest to those whose quotient, the zero point added, is given."""
    k, step, zero = np.asarray(places, np.float64), np.float64(s), np.float64(Z)
    form = PRESETS[convention].form
    x = step * k + zero if form == "sq+Z" else (k - zero) / step if form == "(q-Z)/s" else step * (k - zero)
    return np.asarray(x.astype(np.float32))


def exact(value: Any) -> Fraction:
    """The rational number that a float is."""
    return Fraction(float(value))


def place_of(x: Any, convention: str, s: Any, Z: Any) -> Fraction:
    """The real number that the code of x is rounded from, the zero point added."""
    match PRESETS[convention].form:
        case "sq+Z":
            return (exact(x) - exact(Z)) / exact(s)
        case "(q-Z)/s":
            return exact(x) * exact(s) + exact(Z)
    return exact(x) / exact(s) + exact(Z)


def slack(place: Fraction, convention: str, s: Any, Z: Any) -> Fraction:
    """What floats can move a quotient by, in codes.

    No step of any convention has an operand beyond P = |place| + |Z| + 256 codes, where an offset counts as |Z/s| codes
    and 256 is for the lowest code, which some subtract. Each of at most five roundings (of 1/s or of the lowest code's
    value, of a difference, the quotient, and two sums) errs by u·P; that makes 6 with the terms in u².
    """
    zero = exact(Z) / exact(s) if PRESETS[convention].form == "sq+Z" else exact(Z)
    return 6 * U * (abs(place) + abs(zero) + 256)


def alone(f: Function, convention: str, x: np.ndarray, scale: Any, zero_point: Any, qmin: int, qmax: int) -> None:
    """Every number has its code, whatever stands beside it."""
    q = np.asarray(f(x, scale, zero_point, qmin, qmax))
    assert q.shape == x.shape, f"there must be {len(x)} codes, got shape {q.shape}"
    one_by_one = [np.ravel(f(x[i : i + 1], scale, zero_point, qmin, qmax))[0] for i in range(len(x))]
    assert one_by_one == q.tolist(), f"together the codes are {q.tolist()}, one by one {one_by_one}"


def is_monotone(f: Function, convention: str, x: np.ndarray, scale: Any, zero_point: Any, qmin: int, qmax: int) -> None:
    """A greater number never has a smaller code, nor a greater one where the scale is below 0."""
    x = np.sort(x)
    q = np.asarray(f(x, scale, zero_point, qmin, qmax)).tolist()
    assert q == sorted(q, reverse=bool(scale < 0)), f"{x.tolist()} have the codes {q}"


def errs_by_half_a_step(
    f: Function, convention: str, x: np.ndarray, scale: Any, zero_point: Any, qmin: int, qmax: int
) -> None:
    """A code is within ½, and what floats add, of the number's place among the codes, or else the end in use."""
    lowest, highest = PRESETS[convention].codes(qmin, qmax)
    for value, q in zip(x, np.asarray(f(x, scale, zero_point, qmin, qmax)).tolist(), strict=True):
        place = place_of(value, convention, scale, zero_point)
        off = abs(min(max(place, Fraction(lowest)), Fraction(highest)) - q)
        assert off <= Fraction(1, 2) + slack(place, convention, scale, zero_point), (
            f"{value!r} lies at {float(place)} among the codes {lowest} to {highest}, its code is {q}"
        )


def has_the_zero_point(f: Function, convention: str, scale: Any, zero_point: Any, qmin: int, qmax: int) -> None:
    """0 has the code Z, or the nearest one to a real Z; the offset itself has the code 0."""
    lowest, highest = PRESETS[convention].codes(qmin, qmax)
    offset = PRESETS[convention].form == "sq+Z"
    x = np.array([zero_point] if offset else [0.0, -0.0], np.float32)
    place = min(max(0.0 if offset else float(zero_point), lowest), highest)
    for value, q in zip(x, np.asarray(f(x, scale, zero_point, qmin, qmax)).tolist(), strict=True):
        assert abs(q - place) <= 0.5, f"{value!r} must have the code {place:g}, got {q}"


def gives_back_codes(
    f: Function, convention: str, q: np.ndarray, scale: Any, zero_point: Any, qmin: int, qmax: int
) -> None:
    """The float next to a code's value has that code."""
    x = numbers_at(q, convention, scale, zero_point)
    again = np.asarray(f(x, scale, zero_point, qmin, qmax)).tolist()
    assert again == q.tolist(), f"the numbers of the codes {q.tolist()} have the codes {again}"


def follows_its_unit(
    f: Function, convention: str, x: np.ndarray, scale: Any, zero_point: Any, qmin: int, qmax: int
) -> None:
    """Numbers in a unit 8 times as small have the same codes."""
    q = np.asarray(f(x, scale, zero_point, qmin, qmax)).tolist()
    again = np.asarray(f(x * np.float32(8), *in_another_unit(convention, scale, zero_point), qmin, qmax)).tolist()
    assert q == again, f"the codes are {q}, and with x and s multiplied by 8 {again}"


def in_another_unit(convention: str, s: Any, Z: Any) -> tuple[Any, Any]:
    """Scale and zero point in a unit 8 times as small, exactly."""
    form, unit = PRESETS[convention].form, s.dtype.type(8)
    return (s / unit if form == "(q-Z)/s" else s * unit), (Z * np.float32(8) if form == "sq+Z" else Z)


def kept(value: Any, c: Convention) -> Any:
    """A scale or an offset as the convention keeps it."""
    return value if c.scale_dtype == "input" else value.astype(c.scale_dtype)


def restores_the_zero_point(f: Function, convention: str, q: np.ndarray, scale: Any, zero_point: Any) -> None:
    """The code Z is 0; the code 0 is the offset, as it is kept."""
    c = PRESETS[convention]
    if c.form == "sq+Z":
        code, right = 0, float(kept(zero_point, c))
    else:
        code, right = int(abs(zero_point)) if zero_point.dtype.kind == "f" else int(zero_point), 0.0
        zero_point = zero_point.dtype.type(code)
    (x,) = np.asarray(f(np.array([code], q.dtype), scale, zero_point)).tolist()
    assert x == right, f"the code {code} must be {right!r}, got {x!r}"


def restores_within_roundoff(f: Function, convention: str, q: np.ndarray, scale: Any, zero_point: Any) -> None:
    """A code's number is the exact one but for the rounding of each step."""
    c = PRESETS[convention]
    s = exact(kept(scale, c))
    Z = exact(kept(zero_point, c) if c.form == "sq+Z" else zero_point)
    for code, x in zip(q.tolist(), np.asarray(f(q, scale, zero_point)), strict=True):
        match c.form:
            case "sq+Z":  # the product, and the sum
                right, most = s * code + Z, U * (abs(s * code) * (1 + U) + abs(s * code + Z))
            case "(q-Z)/s":  # the difference, 1/s, and the product
                right, most = (code - Z) / s, ((1 + U) ** 3 - 1) * abs(code - Z) / s
            case _:  # only the product
                right, most = s * (code - Z), U * abs(s * (code - Z))
        assert abs(exact(x) - right) <= most, f"the code {code} must be {float(right)} ± {float(most):.3g}, got {x!r}"


def restores_in_its_unit(f: Function, convention: str, q: np.ndarray, scale: Any, zero_point: Any) -> None:
    """In a unit 8 times as small a code is a number 8 times as large, to the last bit."""
    x = np.asarray(f(q, scale, zero_point))
    again = np.asarray(f(q, *in_another_unit(convention, scale, zero_point)))
    assert again.tolist() == (8 * x).tolist(), f"{q.tolist()} are {x.tolist()}, and with 8·s {again.tolist()}"


PROPERTIES = (
    Property("quantize", alone, numbers),
    Property("quantize", is_monotone, numbers),
    Property("quantize", errs_by_half_a_step, numbers),
    Property("quantize", has_the_zero_point, parameters),
    Property("quantize", gives_back_codes, codes_in_use),
    Property("quantize", follows_its_unit, numbers),
    Property("dequantize", restores_the_zero_point, restorable),
    Property("dequantize", restores_within_roundoff, restorable),
    Property("dequantize", restores_in_its_unit, restorable),
)
AGREES = {"quantize": any_numbers, "dequantize": restorable}
LONGER = {"quantize": longer(any_numbers, repeated(x=0)), "dequantize": longer(restorable, repeated(q=0))}
