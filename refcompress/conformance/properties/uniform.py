"""Properties of the uniform scheme."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import uniform

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize": lambda convention: uniform.quantize,
    "dequantize": lambda convention: uniform.dequantize,
    "scale_and_offset": lambda convention: uniform.scale_and_offset,
}


BITS = st.integers(1, 16)
DTYPES: st.SearchStrategy[Any] = st.sampled_from([np.float32, np.float64])


SCALES = st.sampled_from([1.0, 0.25, 2.0**-9]) | st.floats(1e-3, 10)
OFFSETS = st.sampled_from([0.0, -1.0, 1000.0]) | st.floats(-100, 100)
# places in the range, 1 being its end, and quarters of a step beside them; and weights far beyond
PLACES = st.lists(st.tuples(st.sampled_from([0.0, 1.0]) | st.floats(0, 1), st.integers(-9, 9)), min_size=1, max_size=5)
FAR = st.lists(st.sampled_from([-1e30, -1e5, 1e5, 1e30, 3e38]), max_size=2)


@st.composite
def scales(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A scale, an offset that is small, 0 or large beside it, and a width of codes."""
    dtype = draw(DTYPES)
    return {"s": dtype(draw(SCALES)), "z": dtype(draw(OFFSETS)), "bits": draw(BITS)}


@st.composite
def weights(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Weights at codes, at ties and between them, beyond the ends, and far beyond them."""
    drawn = draw(scales(convention))
    s, z = drawn["s"], drawn["z"]
    top = 2 ** drawn["bits"] - 1
    near = [s * s.dtype.type(round(share * top) + quarters / 4) + z for share, quarters in draw(PLACES)]
    return {"w": np.array(near + draw(FAR), s.dtype), **drawn}


@st.composite
def codes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 6 codes, of the narrowest type that holds them."""
    drawn = draw(scales(convention))
    top = 2 ** drawn["bits"] - 1
    q = draw(st.lists(st.integers(0, top) | st.sampled_from([0, top]), min_size=1, max_size=6))
    return {"q": np.array(q, np.uint8 if top < 256 else np.uint16), "s": drawn["s"], "z": drawn["z"]}


ENDS = st.integers(-40, 40).map(lambda k: k / 8) | st.floats(-1e4, 1e4).filter(lambda x: x == 0 or abs(x) > 1e-4)


@st.composite
def ranges(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Two ends, at times equal."""
    dtype = draw(DTYPES)
    low, high = sorted(dtype(draw(ENDS)) for _ in range(2))
    return {"low": low, "high": draw(st.sampled_from([high, high, high, low])), "bits": draw(BITS)}


def exact(value: Any) -> Fraction:
    """The rational number that a float is."""
    return Fraction(float(value))


def roundoff(x: Any) -> Fraction:
    """Half of the machine epsilon of x's dtype."""
    return exact(np.finfo(x.dtype).eps) / 2


def stays_inside(f: Callable[..., Any], convention: str, w: np.ndarray, s: Any, z: Any, bits: int) -> None:
    """There is a code from 0 to 2^bits − 1 for every weight."""
    q = np.asarray(f(w, s, z, bits))
    assert q.shape == w.shape, f"there must be {len(w)} codes, got shape {q.shape}"
    assert all(0 <= code < 2**bits for code in q.tolist()), f"codes must be from 0 to {2**bits - 1}, got {q.tolist()}"


def is_monotone(f: Callable[..., Any], convention: str, w: np.ndarray, s: Any, z: Any, bits: int) -> None:
    """A greater weight never has a smaller code."""
    w = np.sort(w)
    q = np.asarray(f(w, s, z, bits)).tolist()
    assert q == sorted(q), f"{w.tolist()} have the codes {q}"


def errs_by_half_a_step(f: Callable[..., Any], convention: str, w: np.ndarray, s: Any, z: Any, bits: int) -> None:
    """|(w − z)/s − q| ≤ ½ from 0 to 2^bits − 1, but for two roundings, and beyond q is the nearer end."""
    top = 2**bits - 1
    slack = 2 * top * roundoff(w) * (1 + roundoff(w))
    for x, q in zip(w, np.asarray(f(w, s, z, bits)).tolist(), strict=True):
        place = (exact(x) - exact(z)) / exact(s)
        off = abs(min(max(place, Fraction(0)), Fraction(top)) - q)
        assert off <= Fraction(1, 2) + slack, f"{x!r} is {float(place)} steps from z, its code {q}"


def follows_its_unit(f: Callable[..., Any], convention: str, w: np.ndarray, s: Any, z: Any, bits: int) -> None:
    """Weights, scale and offset in a unit 8 times as small have the same codes."""
    unit = w.dtype.type(0.125)
    q, again = np.asarray(f(w, s, z, bits)).tolist(), np.asarray(f(w * unit, s * unit, z * unit, bits)).tolist()
    assert q == again, f"codes are {q}, and after a division by 8 of all floats {again}"


@st.composite
def whole_codes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Codes whose weights, and ties whose neighbours, are floats: z is a multiple of a power of two s."""
    bits = draw(BITS)
    s = draw(DTYPES)(2.0 ** draw(st.integers(-20, 20)))
    q = draw(st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=6))
    return {"q": np.array(q), "s": s, "z": s * s.dtype.type(draw(st.integers(-100, 100))), "bits": bits}


def gives_back_codes(f: Callable[..., Any], convention: str, q: np.ndarray, s: Any, z: Any, bits: int) -> None:
    """The weights s·q + z have the codes q."""
    again = np.asarray(f(s * q.astype(s.dtype) + z, s, z, bits)).tolist()
    assert again == q.tolist(), f"the weights of {q.tolist()} have the codes {again}"


def takes_ties_to_even(f: Callable[..., Any], convention: str, q: np.ndarray, s: Any, z: Any, bits: int) -> None:
    """The weights s·(q + ½) + z have even codes, but for the last tie, which is beyond the range."""
    ties = q[q < 2**bits - 1]
    if len(ties):
        even = np.asarray(f(s * (ties.astype(s.dtype) + s.dtype.type(0.5)) + z, s, z, bits)).tolist()
        assert not any(code % 2 for code in even), f"the ties {(ties + 0.5).tolist()} have the codes {even}"


def starts_at_z(f: Callable[..., Any], convention: str, q: np.ndarray, s: Any, z: Any) -> None:
    """The code 0 is z, whatever the scale."""
    (w,) = np.asarray(f(np.zeros(1, q.dtype), s, z)).tolist()
    assert w == z, f"the code 0 must be {z!r}, got {w!r}"


def restores_within_roundoff(f: Callable[..., Any], convention: str, q: np.ndarray, s: Any, z: Any) -> None:
    """|w − (s·q + z)| is at most two roundings: of the product and of the sum."""
    u = roundoff(s)
    for code, w in zip(q.tolist(), np.asarray(f(q, s, z)), strict=True):
        right = exact(s) * code + exact(z)
        off, most = abs(exact(w) - right), u * (exact(s) * code * (1 + u) + abs(right))
        assert off <= most, f"the code {code} must be {float(right)} ± {float(most):.3g}, got {w!r}"


def restores_in_order(f: Callable[..., Any], convention: str, q: np.ndarray, s: Any, z: Any) -> None:
    """A greater code never is a smaller weight."""
    w = np.asarray(f(np.sort(q), s, z)).tolist()
    assert w == sorted(w), f"the codes {np.sort(q).tolist()} are {w}"


def restores_in_its_unit(f: Callable[..., Any], convention: str, q: np.ndarray, s: Any, z: Any) -> None:
    """Scale and offset in a unit 8 times as small give weights 8 times as small, to the last bit."""
    unit = s.dtype.type(0.125)
    w, eighth = np.asarray(f(q, s, z)), np.asarray(f(q, s * unit, z * unit))
    assert (w * unit == eighth).all(), f"weights are {w.tolist()}, and after a division by 8 {eighth.tolist()}"


def spans_the_range(f: Callable[..., Any], convention: str, low: Any, high: Any, bits: int) -> None:
    """2^bits − 1 steps lead from low to high, but for two roundings."""
    width, u = exact(high) - exact(low), roundoff(low)
    off = abs(exact(f(low, high, bits)[0]) * (2**bits - 1) - width)
    if width:
        assert off <= u * (2 + u) * width, (
            f"{2**bits - 1} steps must be {float(width)}, they are off by {float(off):.3g}"
        )


def offset_is_low(f: Callable[..., Any], convention: str, low: Any, high: Any, bits: int) -> None:
    """z is low."""
    z = f(low, high, bits)[1]
    assert z == low, f"z must be {low!r}, got {z!r}"


def constant_has_unit_scale(f: Callable[..., Any], convention: str, low: Any, high: Any, bits: int) -> None:
    """A constant range has s = 1."""
    s = f(low, low, bits)[0]
    assert s == 1, f"s of the range from {low!r} to itself must be 1, got {s!r}"


def is_finer_with_more_bits(f: Callable[..., Any], convention: str, low: Any, high: Any, bits: int) -> None:
    """More bits never give a greater scale."""
    s = [float(f(low, high, b)[0]) for b in range(1, 17)]
    assert s == sorted(s, reverse=True), f"the scales of 1 to 16 bits are {s}"


PROPERTIES = (
    Property("quantize", stays_inside, weights),
    Property("quantize", is_monotone, weights),
    Property("quantize", errs_by_half_a_step, weights),
    Property("quantize", follows_its_unit, weights),
    Property("quantize", gives_back_codes, whole_codes),
    Property("quantize", takes_ties_to_even, whole_codes),
    Property("dequantize", starts_at_z, codes),
    Property("dequantize", restores_within_roundoff, codes),
    Property("dequantize", restores_in_order, codes),
    Property("dequantize", restores_in_its_unit, codes),
    Property("scale_and_offset", spans_the_range, ranges),
    Property("scale_and_offset", offset_is_low, ranges),
    Property("scale_and_offset", constant_has_unit_scale, ranges),
    Property("scale_and_offset", is_finer_with_more_bits, ranges),
)
AGREES = {"quantize": weights, "dequantize": codes, "scale_and_offset": ranges}
LONGER = {"quantize": longer(weights, repeated(w=0)), "dequantize": longer(codes, repeated(q=0))}
