"""Properties of decimal quantization."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import decimal

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize": lambda convention: decimal.quantize,
    "dequantize": lambda convention: lambda q, places: decimal.dequantize(q, places, np.dtype(convention)),
}
DTYPES: st.SearchStrategy[Any] = st.sampled_from([np.float32, np.float64])


PLACES = st.integers(0, 15)
HALVES = st.lists(st.integers(-600, 600) | st.integers(-(10**6), 10**6), min_size=1, max_size=5)  # codes and ties
OTHERS = st.lists(st.integers(-8, 8) | st.floats(-8, 8), max_size=3)
CODES = st.lists(st.integers(-20, 20) | st.integers(-(2**53), 2**53), min_size=1, max_size=6)


@st.composite
def weights(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Decimals, ties, whole numbers and others, whose codes are within ±2^53."""
    dtype, places = draw(DTYPES), draw(PLACES)
    w = [half / 2 * 10.0**-places for half in draw(HALVES)]
    return {"w": np.array(w + draw(OTHERS), dtype), "places": places}


@st.composite
def decimals(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Codes so small that the roundings of their weights and of the product stay below half a code."""
    dtype = draw(DTYPES)
    most = 2**20 if dtype is np.float32 else 2**49
    q = draw(st.lists(st.integers(-most, most), min_size=1, max_size=6))
    return {"q": np.array(q, np.int64), "places": draw(PLACES), "dtype": dtype}


@st.composite
def codes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Codes of both signs, small and large."""
    return {"q": np.array(draw(CODES), np.int64), "places": draw(PLACES)}


def errs_by_half_a_step(f: Callable[..., Any], convention: str, w: np.ndarray, places: int) -> None:
    """|w · 10^places − q| ≤ ½, but for the rounding of the product, and of the power where it is no float."""
    u = Fraction(float(np.finfo(w.dtype).eps)) / 2
    slack = u if int(w.dtype.type(10**places)) == 10**places else 2 * u + u**2
    for x, q in zip(w, np.asarray(f(w, places)).tolist(), strict=True):
        t = Fraction(float(x)) * 10**places
        assert abs(t - q) <= Fraction(1, 2) + slack * abs(t), f"{x!r} is {float(t)} steps, its code {q}"


def is_monotone(f: Callable[..., Any], convention: str, w: np.ndarray, places: int) -> None:
    """A greater weight never has a smaller code."""
    w = np.sort(w)
    q = np.asarray(f(w, places)).tolist()
    assert q == sorted(q), f"{w.tolist()} have the codes {q}"


def is_odd(f: Callable[..., Any], convention: str, w: np.ndarray, places: int) -> None:
    """The code of −w is the negative of w's."""
    q, other = np.asarray(f(w, places)).tolist(), np.asarray(f(-w, places)).tolist()
    assert other == [-code for code in q], f"{w.tolist()} have the codes {q}, their negatives {other}"


def takes_ties_to_even(f: Callable[..., Any], convention: str, q: np.ndarray, places: int, dtype: Any) -> None:
    """At 0 places q + ½ has an even code."""
    w = q.astype(dtype) + dtype(0.5)
    even = np.asarray(f(w, 0)).tolist()
    assert not any(code % 2 for code in even), f"{w.tolist()} have the codes {even}"


def gives_back_decimals(f: Callable[..., Any], convention: str, q: np.ndarray, places: int, dtype: Any) -> None:
    """The float nearest to q / 10^places has the code q."""
    w = np.array([code / 10**places for code in q.tolist()], dtype)
    again = np.asarray(f(w, places)).tolist()
    assert again == q.tolist(), f"{w.tolist()} have the codes {again}"


def restores_within_roundoff(f: Callable[..., Any], convention: str, q: np.ndarray, places: int) -> None:
    """|w − q / 10^places| is at most three roundings: of 10^−places, of q and of their product."""
    u = Fraction(float(np.finfo(convention).eps)) / 2
    for code, w in zip(q.tolist(), np.asarray(f(q, places)), strict=True):
        right = Fraction(code, 10**places)
        most = ((1 + u) ** 3 - 1) * abs(right)
        assert abs(Fraction(float(w)) - right) <= most, f"{code} must be {float(right)} ± {float(most):.3g}, got {w!r}"


def restores_odd(f: Callable[..., Any], convention: str, q: np.ndarray, places: int) -> None:
    """The weight of −q is the negative of q's."""
    w, other = np.asarray(f(q, places)), np.asarray(f(-q, places))
    assert np.array_equal(other, -w), f"{q.tolist()} are {w.tolist()}, their negatives {other.tolist()}"


def restores_in_order(f: Callable[..., Any], convention: str, q: np.ndarray, places: int) -> None:
    """A greater code never is a smaller weight."""
    w = np.asarray(f(np.sort(q), places)).tolist()
    assert w == sorted(w), f"the codes {np.sort(q).tolist()} are {w}"


PROPERTIES = (
    Property("quantize", errs_by_half_a_step, weights),
    Property("quantize", is_monotone, weights),
    Property("quantize", is_odd, weights),
    Property("quantize", takes_ties_to_even, decimals),
    Property("quantize", gives_back_decimals, decimals),
    Property("dequantize", restores_within_roundoff, codes),
    Property("dequantize", restores_odd, codes),
    Property("dequantize", restores_in_order, codes),
)
AGREES = {"quantize": weights, "dequantize": codes}
LONGER = {"quantize": longer(weights, repeated(w=0)), "dequantize": longer(codes, repeated(q=0))}
