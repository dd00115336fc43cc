"""Properties of quantized multipliers."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import multiplier

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize_multiplier": lambda convention: lambda real: multiplier.quantize_multiplier(real, convention)
}


@st.composite
def reals(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Numbers of any size, many with 31 to 34 bits, and those that round up to a power of two."""
    bits = draw(st.integers(30, 34))
    significand = draw(st.integers(2**bits, 2 ** (bits + 1) - 1) | st.integers(1, 9).map(lambda k: 2 ** (bits + 1) - k))
    exact = np.ldexp(float(significand), draw(st.integers(-40, 28)) - bits)
    return {"real": np.float64(draw(st.just(exact) | st.floats(0, 2.0**29) | st.floats(0, 1e-8)))}


def within(real: dict[str, Any]) -> bool:
    """Neither 0 nor near an end of the range, so that its double and its half are alike."""
    return bool(2.0**-30 < real["real"] < 2.0**28)


@st.composite
def ties(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """(M + ½) · 2^(shift − 31)."""
    return {"M": draw(st.integers(2**30, 2**31 - 2)), "shift": draw(st.integers(-31, 30))}


def pair(result: Any) -> tuple[int, int]:
    """M and shift as Python integers."""
    M, shift = result
    return int(M), int(shift)


def is_normalized(quantize_multiplier: Callable[..., Any], convention: str, real: np.float64) -> None:
    """M has 31 bits and the shift is from −31 to 30, or both are 0, which is so only below 2^-32."""
    M, shift = pair(quantize_multiplier(real))
    if M == shift == 0:
        assert real < 2.0**-32, f"{real} is not below 2^-32, got M = 0"
    else:
        assert 2**30 <= M < 2**31, f"M must be from 2^30 to 2^31 − 1, got {M} for {real}"
        assert -31 <= shift <= 30, f"shift must be from −31 to 30, got {shift} for {real}"


def is_the_nearest_multiplier(quantize_multiplier: Callable[..., Any], convention: str, real: np.float64) -> None:
    """M · 2^(shift − 31) is within half a unit of M's last bit."""
    M, shift = pair(quantize_multiplier(real))
    if M:
        off = abs(M * Fraction(2) ** (shift - 31) - Fraction(float(real)))
        assert off <= Fraction(2) ** (shift - 32), f"{M} · 2^({shift} − 31) is {float(off)} off {real}"


def doubles_with_the_shift(quantize_multiplier: Callable[..., Any], convention: str, real: np.float64) -> None:
    """Twice a number has the same M, and a shift that is one more."""
    M, shift = pair(quantize_multiplier(real))
    twice = pair(quantize_multiplier(2 * real))
    assert twice == (M, shift + 1), f"{real} has {(M, shift)}, and its double must have one more shift, got {twice}"


def breaks_ties_of_the_last_bit(quantize_multiplier: Callable[..., Any], convention: str, M: int, shift: int) -> None:
    """A tie between M and M + 1 goes up, or to the even one, as the convention says."""
    wanted = M + M % 2 if convention == "half_even" else M + 1
    found = pair(quantize_multiplier(np.ldexp(M + 0.5, shift - 31)))
    assert found == (wanted, shift), f"({M} + ½) · 2^({shift} − 31) must have M = {wanted}, got {found}"


PROPERTIES = (
    Property("quantize_multiplier", is_normalized, reals),
    Property("quantize_multiplier", is_the_nearest_multiplier, reals),
    Property("quantize_multiplier", doubles_with_the_shift, lambda convention: reals(convention).filter(within)),
    Property("quantize_multiplier", breaks_ties_of_the_last_bit, ties),
)
AGREES = {"quantize_multiplier": reals}
