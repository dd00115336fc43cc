"""Properties of the small floats."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import float_format
from refcompress.formulas.quantization.float_format import FORMATS, Format


def meaning(convention: str) -> tuple[str, Format, str]:
    """Return the format's name, the format and the policy: float8_e5m2 saturates, float8_e5m2-nan does not."""
    name, _, ending = convention.partition("-")
    return name, FORMATS[name], ending or "saturate"


def own_encode(convention: str) -> Callable[..., Any]:
    """Return `float_format.encode` to the format by the policy."""
    name, _, overflow = meaning(convention)
    return lambda x: float_format.encode(x, name, overflow)


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "encode": own_encode,
    "decode": lambda convention: lambda codes: float_format.decode(codes, convention),
}


@cache
def values(name: str) -> np.ndarray:
    """Return the values of codes 0, 1, 2, … to the largest, in ascending order."""
    return float_format.decode(np.arange(FORMATS[name].largest + 1), name)


def code_array(form: Format, codes: list[int]) -> np.ndarray:
    """Return codes of a format as they are stored."""
    return np.array(codes, np.uint8 if form.bits <= 8 else np.uint16)


SHIFTS = 0, 0.5, 1, 0.5 - 2.0**-10, 0.5 + 2.0**-10, 0.3


@cache
def number(name: str) -> st.SearchStrategy[float]:
    """Values of the format, halfway between two, beside that, and between; of both signs where the format has two.

    Below its second smallest value e8m0 has a rule of its own, which is left out.
    """
    at, form = values(name).astype(np.float64), FORMATS[name]
    first = int(not form.zero)

    def nth(n: int) -> float:
        place, rest = divmod(n, 2 * len(SHIFTS))
        low, high = at[first + place : first + place + 2].tolist()
        size = low + SHIFTS[rest // 2] * (high - low)
        return -size if form.signed and rest % 2 else size

    return st.integers(0, 2 * len(SHIFTS) * (len(at) - first - 1) - 1).map(nth)


def array(x: list[float]) -> dict[str, Any]:
    """Return arguments."""
    return {"x": np.array(x, np.float32)}


@cache
def numbers(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 6 numbers that are not too large."""
    return st.lists(number(meaning(convention)[0]), min_size=1, max_size=6).map(array)


@cache
def too_large(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """A number of at least twice the largest value, if float32 has one, or infinity."""
    name, form, _ = meaning(convention)
    largest = float(values(name)[-1])
    size = st.floats(2 * largest if largest < 2.0**127 else np.inf, width=32)
    return st.tuples(size, st.sampled_from((1, -1) if form.signed else (1,))).map(lambda x: array([x[0] * x[1]]))


@cache
def anything(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 6 numbers, too large ones too, zeros, and NaN where the format has one."""
    name, form, _ = meaning(convention)
    others = [0.0, -0.0, np.inf, -np.inf, 3e38, -1.0] + [np.nan] * (form.nan != "none")
    return st.lists(number(name) | st.sampled_from(others), max_size=6).map(array)


@cache
def any_codes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 8 codes."""
    form = FORMATS[convention]
    return st.lists(st.integers(0, (1 << form.bits) - 1), max_size=8).map(
        lambda codes: {"codes": code_array(form, codes)}
    )


@cache
def code(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """A code from 0 to the largest value's, small ones often."""
    form = FORMATS[convention]
    codes = st.integers(0, form.largest)
    return (st.integers(0, 2 << form.mantissa_bits) | codes).map(lambda drawn: {"code": drawn})


def sizes_of(codes: Any, form: Format) -> np.ndarray:
    """Return the codes without their sign bits, as int64."""
    return np.asarray(codes).astype(np.int64) & ((1 << form.bits - form.signed) - 1)


# encode


def puts_the_sign_into_the_highest_bit(encode: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """−x has the code of x with the other sign bit; where there is none, that of NaN, and one zero has no sign."""
    _, form, _ = meaning(convention)
    sign, both = 1 << form.bits - 1, np.abs(x)
    plus, minus = (np.asarray(encode(v)).astype(np.int64) for v in (both, -both))
    if not form.signed:
        assert (minus == sign * 2 - 1).all(), f"the codes of {-both} must be {sign * 2 - 1}, NaN's, got {minus}"
        return
    bit = np.where((plus == 0) & (form.nan == "negative_zero"), 0, sign)
    assert (plus < sign).all(), f"the codes of {both} must be below {sign}, got {plus}"
    assert (minus == plus + bit).all(), f"the codes of {-both} must be {plus + bit}, got {minus}"


def is_nearest(encode: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """No value is nearer than the code's; of two equally near ones it is the even code's, in e8m0 the larger."""
    name, form, _ = meaning(convention)
    at = values(name)
    for v, code in zip(x.tolist(), sizes_of(encode(x), form).tolist(), strict=True):
        assert code <= form.largest, f"{v} is not too large, got code {code}"
        error = abs(Fraction(abs(v)) - Fraction(float(at[code])))
        for other in (code - 1, code + 1):
            if not 0 <= other <= form.largest:
                continue
            distance = abs(Fraction(abs(v)) - Fraction(float(at[other])))
            wins = other % 2 == 0 if form.mantissa_bits else other > code
            assert error < distance or (error == distance and not wins), f"{v} must have code {other}, got {code}"


def is_limited(encode: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """What is too large is the largest value, or with -nan infinity where the format has one, else NaN."""
    _, form, overflow = meaning(convention)
    sign = int(np.signbit(x[0])) << form.bits - 1
    if overflow == "saturate":
        wanted = form.largest + sign
    else:
        wanted = 1 << form.bits - 1 if form.nan == "negative_zero" else form.largest + 1 + sign
    got = np.asarray(encode(x)).tolist()
    assert got == [wanted] * len(x), f"the codes of {x.tolist()} must be {wanted}, got {got}"


# decode


def one_code(decode: Callable[..., Any], form: Format, code: int) -> float:
    """Return the value of one code."""
    (value,) = np.asarray(decode(code_array(form, [code]))).tolist()
    return float(value)


def reads_the_sign_from_the_highest_bit(decode: Callable[..., Any], convention: str, codes: np.ndarray) -> None:
    """Two codes that differ in the highest bit are a number and its negative, with the sign bit of a zero too."""
    form = FORMATS[convention]
    if not form.signed:
        return
    x, negative = (np.asarray(decode(codes ^ codes.dtype.type(bit))) for bit in (0, 1 << form.bits - 1))
    for code, a, b in zip(codes.tolist(), x, negative, strict=True):
        two = not np.isnan(a) and not np.isnan(b)
        assert not two or (a == -b and np.signbit(a) != np.signbit(b)), f"codes {code} and its negative are {a} and {b}"


def doubles_with_the_exponent(decode: Callable[..., Any], convention: str, code: int) -> None:
    """A normal number whose exponent is one more is twice as large."""
    form = FORMATS[convention]
    step = 1 << form.mantissa_bits
    code = min(max(code, step * form.zero), form.largest - step)
    x, double = one_code(decode, form, code), one_code(decode, form, code + step)
    assert double == 2 * x, f"code {code + step} must be twice code {code}, {x}, got {double}"


def is_linear_below_the_normal_numbers(decode: Callable[..., Any], convention: str, code: int) -> None:
    """A subnormal number is its mantissa times the smallest, and so is the smallest normal number."""
    form = FORMATS[convention]
    if not form.zero:
        return
    code = min(code, 1 << form.mantissa_bits)
    x, unit = one_code(decode, form, code), one_code(decode, form, 1)
    assert x == code * unit, f"code {code} must be {code} times code 1, {unit}, got {x}"


PROPERTIES = (
    Property("encode", is_nearest, numbers),
    Property("encode", puts_the_sign_into_the_highest_bit, numbers),
    Property("encode", is_limited, too_large),
    Property("decode", doubles_with_the_exponent, code),
    Property("decode", is_linear_below_the_normal_numbers, code),
    Property("decode", reads_the_sign_from_the_highest_bit, any_codes),
)
AGREES = {"encode": anything, "decode": any_codes}
LONGER = {"encode": longer(anything, repeated(x=0)), "decode": longer(any_codes, repeated(codes=0))}
