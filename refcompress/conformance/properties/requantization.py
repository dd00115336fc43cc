"""Properties of requantization, and of its two steps."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import requantization

MIN, MAX = -(2**31), 2**31 - 1
RANGES = ((-128, 127), (0, 255), (0, 127), (-20, 100), (-32768, 32767))


def requantize(convention: str) -> Callable[..., Any]:
    """Return the package's, called like a target."""
    return lambda acc, multiplier, shift, zero_point, qmin, qmax: requantization.requantize(
        acc, multiplier, shift, convention, zero_point=zero_point, qmin=qmin, qmax=qmax
    )


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "requantize": requantize,
    "saturating_rounding_doubling_high_mul": lambda convention: requantization.saturating_rounding_doubling_high_mul,
    "rounding_divide_by_pot": lambda convention: requantization.rounding_divide_by_pot,
}
POWERS = st.builds(lambda sign, k, d: sign * 2**k + d, st.sampled_from([1, -1]), st.integers(0, 31), st.integers(-1, 1))
INT32 = st.integers(MIN, MAX) | st.integers(-9, 9) | POWERS.filter(lambda v: MIN <= v <= MAX)


@st.composite
def factors(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to six pairs, powers of two and small numbers among them, whose products are ties."""
    pairs = draw(st.lists(st.tuples(INT32, INT32) | st.just((MIN, MIN)), min_size=1, max_size=6))
    return {"a": np.array([a for a, _ in pairs], np.int32), "b": np.array([b for _, b in pairs], np.int32)}


@st.composite
def dividends(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to six integers, ties among them."""
    e = draw(st.integers(0, 31))
    beside = st.builds(lambda k, d: k * 2**e // 2 + d, st.integers(-9, 9), st.integers(-1, 1))
    x = draw(st.lists(INT32 | beside.filter(lambda v: MIN <= v <= MAX), min_size=1, max_size=6))
    return {"x": np.array(x, np.int32), "exponent": e}


@st.composite
def multipliers(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A multiplier, and up to six sums within int32 after a left shift, many of them beside ties."""
    M, shift = draw(st.integers(2**30, 2**31 - 1)), draw(st.integers(-31, 5))
    real = M * 2.0 ** (shift - 31)
    room = 2**31 >> max(shift, 0)
    beside = st.builds(lambda k, d: round((k + 0.5) / real) + d, st.integers(-300, 300), st.integers(-1, 1))
    sums = beside.map(lambda v: max(-room, min(v, room - 1))) | st.integers(-room, room - 1)
    acc = np.array(draw(st.lists(sums, min_size=1, max_size=6)), np.int32)
    if convention == "float":
        return {"acc": acc, "multiplier": np.float32(real), "shift": None}
    return {"acc": acc, "multiplier": M, "shift": shift}


@st.composite
def sums(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """The same with a range of codes and a zero point in it."""
    qmin, qmax = draw(st.sampled_from(RANGES))
    zero_point = draw(st.integers(max(qmin, -300), min(qmax, 300)))
    return draw(multipliers(convention)) | {"zero_point": zero_point, "qmin": qmin, "qmax": qmax}


@st.composite
def zero_points(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """The same with a zero point alone."""
    return draw(multipliers(convention)) | {"zero_point": draw(st.integers(-100, 100))}


@st.composite
def tied_sums(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Codes, each of which is half a code below a sum, in units of 2^right."""
    below = draw(st.lists(st.integers(-60, 60), min_size=1, max_size=6))
    return {"below": np.array(below), "right": draw(st.integers(2, 20))}


def exact_multiplier(multiplier: Any, shift: int | None) -> Fraction:
    """The real number that is meant."""
    return Fraction(float(multiplier)) if shift is None else Fraction(int(multiplier)) * Fraction(2) ** (shift - 31)


def furthest(convention: str, real: Fraction, shift: int | None) -> Fraction:
    """How far a code may be from a product.

    One rounding: ½. double, double_up: ½ of a unit of t more where that is divided again. float: sum and product are
    rounded to 24 bits each.
    """
    if shift is None:
        return Fraction(1, 2) + abs(real) / 2**22
    return Fraction(1, 2) + (Fraction(2) ** (shift - 1) if convention.startswith("double") and shift < 0 else 0)


def is_near_the_product(
    f: Callable[..., Any], convention: str, acc: np.ndarray, multiplier: Any, shift: int | None, zero_point: int,
    qmin: int, qmax: int,
) -> None:  # fmt: skip
    """A code is half a code off acc · real + zero_point, and what the rounding adds, or at the end of the range."""
    codes = np.asarray(f(acc, multiplier, shift, zero_point, qmin, qmax)).tolist()
    for a, q in zip(acc.tolist(), codes, strict=True):
        real = a * exact_multiplier(multiplier, shift)
        off = furthest(convention, real, shift)
        low, high = (min(max(real + zero_point + way, qmin), qmax) for way in (-off, off))
        assert low <= q <= high, f"{a} times {float(exact_multiplier(multiplier, shift))} is {float(real)}, got {q}"


def is_monotone(
    f: Callable[..., Any], convention: str, acc: np.ndarray, multiplier: Any, shift: int | None, zero_point: int,
    qmin: int, qmax: int,
) -> None:  # fmt: skip
    """A larger sum does not have a smaller code."""
    above = np.minimum(acc.astype(np.int64), int(acc.max()) - 1) + 1
    acc = np.unique(np.concatenate([acc, above.astype(np.int32)]))
    codes = np.asarray(f(acc, multiplier, shift, zero_point, qmin, qmax)).tolist()
    assert codes == sorted(codes), f"codes of {acc.tolist()} must not descend, got {codes}"


def adds_the_zero_point_last(
    f: Callable[..., Any], convention: str, acc: np.ndarray, multiplier: Any, shift: int | None, zero_point: int
) -> None:
    """A zero point moves codes and their range, and no tie."""
    moved = np.asarray(f(acc, multiplier, shift, zero_point, -900 + zero_point, 900 + zero_point)).astype(int)
    codes = np.asarray(f(acc, multiplier, shift, 0, -900, 900)).astype(int)
    wanted = (codes + zero_point).tolist()
    assert moved.tolist() == wanted, f"with a zero point of {zero_point} must be {wanted}, got {moved.tolist()}"


def breaks_ties_as_its_rounding_does(f: Callable[..., Any], convention: str, below: np.ndarray, right: int) -> None:
    """Half a code goes away from zero (double), up (double_up, single) or to the even code (float)."""
    acc = ((2 * below + 1) << (right - 1)).astype(np.int32)
    pair = (np.float32(2.0**-right), None) if convention == "float" else (2**30, 1 - right)
    codes = np.asarray(f(acc, *pair, 0, -128, 127)).tolist()
    up = {"double": below >= 0, "float": below % 2 != 0}.get(convention, True)
    wanted = (below + up).tolist()
    assert codes == wanted, f"{(below + 0.5).tolist()} must become {wanted}, got {codes}"


def is_the_nearest_and_ties_go_up(f: Callable[..., Any], convention: str, a: np.ndarray, b: np.ndarray) -> None:
    """t is within ½ of a · b / 2^31, and above it where it is ½ off; only −2^31 · −2^31 gives one less."""
    for x, y, t in zip(a.tolist(), b.tolist(), np.asarray(f(a, b)).tolist(), strict=True):
        if x == y == MIN:
            assert t == MAX, f"−2^31 · −2^31 must saturate at {MAX}, got {t}"
        else:
            assert -(2**30) < t * 2**31 - x * y <= 2**30, f"{x} · {y} / 2^31 is {x * y / 2**31}, got {t}"


def commutes(f: Callable[..., Any], convention: str, a: np.ndarray, b: np.ndarray) -> None:
    """The factors may change places."""
    t, swapped = np.asarray(f(a, b)).tolist(), np.asarray(f(b, a)).tolist()
    assert t == swapped, f"factors in this order give {t}, in the other {swapped}"


def is_the_nearest_and_ties_go_away(f: Callable[..., Any], convention: str, x: np.ndarray, exponent: int) -> None:
    """q is within ½ of x / 2^e, and farther from zero where it is ½ off."""
    for v, q in zip(x.tolist(), np.asarray(f(x, exponent)).tolist(), strict=True):
        off = q * 2 ** (exponent + 1) - 2 * v  # twice, so that a half is an integer
        good = abs(off) < 2**exponent or (abs(off) == 2**exponent and (off > 0) == (v > 0))
        assert good, f"{v} / 2^{exponent} is {v / 2**exponent}, got {q}"


def is_odd(f: Callable[..., Any], convention: str, x: np.ndarray, exponent: int) -> None:
    """Numbers of the other sign have quotients of the other sign."""
    x = np.maximum(x, -MAX)
    q, other = np.asarray(f(x, exponent)).astype(int), np.asarray(f(-x, exponent)).astype(int)
    assert (q == -other).all(), f"{x.tolist()} give {q.tolist()}, but of the other sign {other.tolist()}"


PROPERTIES = (
    Property("requantize", is_near_the_product, sums),
    Property("requantize", is_monotone, sums),
    Property("requantize", adds_the_zero_point_last, zero_points),
    Property("requantize", breaks_ties_as_its_rounding_does, tied_sums),
    Property("saturating_rounding_doubling_high_mul", is_the_nearest_and_ties_go_up, factors),
    Property("saturating_rounding_doubling_high_mul", commutes, factors),
    Property("rounding_divide_by_pot", is_the_nearest_and_ties_go_away, dividends),
    Property("rounding_divide_by_pot", is_odd, dividends),
)
AGREES = {
    "requantize": sums,
    "saturating_rounding_doubling_high_mul": factors,
    "rounding_divide_by_pot": dividends,
}
LONGER = {
    "requantize": longer(sums, repeated(acc=0)),
    "saturating_rounding_doubling_high_mul": longer(factors, repeated(a=0, b=0)),
    "rounding_divide_by_pot": longer(dividends, repeated(x=0)),
}
