"""Properties of fixed-point quantization."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import fixed_point

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize": lambda convention: fixed_point.quantize,
    "dequantize": lambda convention: (
        lambda q, fraction_bits: fixed_point.dequantize(q, fraction_bits, np.dtype(convention))
    ),
    "largest_fraction_bits": lambda convention: fixed_point.largest_fraction_bits,
}
DTYPES: st.SearchStrategy[Any] = st.sampled_from([np.float32, np.float64])
BITS = st.integers(1, 16)
# places in the range, 1 being its upper end, and quarters of a step beside them; and places beside ½ or far beyond
PLACES = st.lists(
    st.tuples(st.sampled_from([0.0, -1.0, 1.0]) | st.floats(-1, 1), st.integers(-9, 9)), min_size=1, max_size=6
)
FAR = st.lists(st.sampled_from([-1e30, 1e30, 0.5 - 2.0**-25, 2.0**-25 - 0.5]), max_size=2)
POINTS = st.integers(0, 16) | st.integers(0, 126)


@st.composite
def weights(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Weights at codes, at ties and beside them, beyond the ends, and far beyond them."""
    dtype, f, bits = draw(DTYPES), draw(POINTS), draw(BITS)
    half = 2 ** (bits - 1)
    near = [round(share * half) + quarters / 4 for share, quarters in draw(PLACES)]
    w = [np.ldexp(dtype(place), -f) for place in near + draw(FAR)]
    return {"w": np.array(w, dtype), "fraction_bits": f, "bits": bits}


@st.composite
def codes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 6 codes, of the narrowest type that holds them."""
    half = 2 ** (draw(BITS) - 1)
    q = draw(st.lists(st.integers(-half, half - 1), min_size=1, max_size=6))
    return {"q": np.array(q, np.int8 if half <= 128 else np.int16), "fraction_bits": draw(POINTS)}


@st.composite
def codes_and_width(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Codes of a width, and the format that their weights are to have."""
    bits = draw(BITS)
    q = draw(st.lists(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1), min_size=1, max_size=6))
    return {"q": np.array(q), "fraction_bits": draw(POINTS), "bits": bits, "dtype": draw(DTYPES)}


@st.composite
def ranges(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Two ends that fit the bits without a fraction, from tiny to large, often at ties."""
    dtype, bits = draw(DTYPES), draw(BITS)
    half = 2 ** (bits - 1)
    ends = st.integers(-2 * half, 2 * half - 2).map(lambda k: k / 2) | st.floats(-half, half - 1)
    f = draw(st.sampled_from([0, 0, 1, 5, 40, 120]))
    low, high = sorted(np.ldexp(dtype(draw(ends)), -f) for _ in range(2))
    return {"low": low, "high": high, "bits": bits}


def code(x: Any, fraction_bits: int) -> int:
    """The integer nearest to x · 2^f, ties to even, without limits."""
    return round(Fraction(float(x)) * 2**fraction_bits)


def stays_inside(f: Callable[..., Any], convention: str, w: np.ndarray, fraction_bits: int, bits: int) -> None:
    """There is a code from −2^(bits−1) to 2^(bits−1) − 1 for every weight."""
    q, half = np.asarray(f(w, fraction_bits, bits)), 2 ** (bits - 1)
    assert q.shape == w.shape, f"there must be {len(w)} codes, got shape {q.shape}"
    assert all(-half <= k < half for k in q.tolist()), f"codes must be from {-half} to {half - 1}, got {q.tolist()}"


def errs_by_half_a_step(f: Callable[..., Any], convention: str, w: np.ndarray, fraction_bits: int, bits: int) -> None:
    """|w · 2^f − q| ≤ ½ from −2^(bits−1) to 2^(bits−1) − 1, exactly, and beyond q is the nearer end."""
    half = 2 ** (bits - 1)
    for x, q in zip(w.tolist(), np.asarray(f(w, fraction_bits, bits)).tolist(), strict=True):
        t = Fraction(x) * 2**fraction_bits
        off = abs(min(max(t, Fraction(-half)), Fraction(half - 1)) - q)
        assert off <= Fraction(1, 2), f"{x!r} is {float(t)} steps, its code {q}"


def is_monotone(f: Callable[..., Any], convention: str, w: np.ndarray, fraction_bits: int, bits: int) -> None:
    """A greater weight never has a smaller code."""
    w = np.sort(w)
    q = np.asarray(f(w, fraction_bits, bits)).tolist()
    assert q == sorted(q), f"{w.tolist()} have the codes {q}"


def moves_the_point(f: Callable[..., Any], convention: str, w: np.ndarray, fraction_bits: int, bits: int) -> None:
    """w · 2^f has without fraction bits the codes that w has with f."""
    q = np.asarray(f(w, fraction_bits, bits)).tolist()
    whole = np.asarray(f(np.ldexp(w, fraction_bits), 0, bits)).tolist()
    assert q == whole, f"with {fraction_bits} fraction bits the codes are {q}, without {whole}"


def gives_back_codes(
    f: Callable[..., Any], convention: str, q: np.ndarray, fraction_bits: int, bits: int, dtype: Any
) -> None:
    """The weights q · 2^−f have the codes q."""
    again = np.asarray(f(np.ldexp(q.astype(dtype), -fraction_bits), fraction_bits, bits)).tolist()
    assert again == q.tolist(), f"the weights of {q.tolist()} have the codes {again}"


def takes_ties_to_even(
    f: Callable[..., Any], convention: str, q: np.ndarray, fraction_bits: int, bits: int, dtype: Any
) -> None:
    """The weights (q + ½) · 2^−f have even codes, but for the last tie, which is beyond the range."""
    ties = q[q < 2 ** (bits - 1) - 1] + 0.5
    if len(ties):
        even = np.asarray(f(np.ldexp(ties.astype(dtype), -fraction_bits), fraction_bits, bits)).tolist()
        assert not any(k % 2 for k in even), f"the ties {ties.tolist()} have the codes {even}"


def restores_exactly(f: Callable[..., Any], convention: str, q: np.ndarray, fraction_bits: int) -> None:
    """The weight times 2^f is the code."""
    for k, w in zip(q.tolist(), np.asarray(f(q, fraction_bits)).tolist(), strict=True):
        assert Fraction(w) * 2**fraction_bits == k, f"{k} with {fraction_bits} fraction bits must not be {w!r}"


def saturates_nothing(f: Callable[..., Any], convention: str, low: Any, high: Any, bits: int) -> None:
    """Both ends, and so every weight between, have codes from −2^(bits−1) to 2^(bits−1) − 1."""
    point, half = int(f(low, high, bits)), 2 ** (bits - 1)
    ends = code(low, point), code(high, point)
    assert ends[0] >= -half, f"with {point} fraction bits {low!r} has the code {ends[0]}, below {-half}"
    assert ends[1] < half, f"with {point} fraction bits {high!r} has the code {ends[1]}, above {half - 1}"


def is_the_finest(f: Callable[..., Any], convention: str, low: Any, high: Any, bits: int) -> None:
    """With one fraction bit more an end saturates, unless f is 126 or all weights are 0."""
    point, half = int(f(low, high, bits)), 2 ** (bits - 1)
    if point < 126 and not low == high == 0:
        ends = code(low, point + 1), code(high, point + 1)
        assert ends[0] < -half or ends[1] >= half, f"{low!r} and {high!r} fit {bits} bits with {point + 1} of fraction"


def zeros_have_a_sign_bit(f: Callable[..., Any], convention: str, low: Any, high: Any, bits: int) -> None:
    """Zeros alone get f = bits − 1."""
    zero = type(low)(0)
    point = int(f(zero, zero, bits))
    assert point == bits - 1, f"zeros of {bits} bits must have {bits - 1} fraction bits, got {point}"


PROPERTIES = (
    Property("quantize", stays_inside, weights),
    Property("quantize", errs_by_half_a_step, weights),
    Property("quantize", is_monotone, weights),
    Property("quantize", moves_the_point, weights),
    Property("quantize", gives_back_codes, codes_and_width),
    Property("quantize", takes_ties_to_even, codes_and_width),
    Property("dequantize", restores_exactly, codes),
    Property("largest_fraction_bits", saturates_nothing, ranges),
    Property("largest_fraction_bits", is_the_finest, ranges),
    Property("largest_fraction_bits", zeros_have_a_sign_bit, ranges),
)
AGREES = {"quantize": weights, "dequantize": codes, "largest_fraction_bits": ranges}
LONGER = {"quantize": longer(weights, repeated(w=0)), "dequantize": longer(codes, repeated(q=0))}
