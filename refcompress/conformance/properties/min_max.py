"""Properties of the ends of a range."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import from_dtype

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.ranges import min_max

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "min_max": lambda convention: min_max.min_max,
    "absolute_maximum": lambda convention: min_max.absolute_maximum,
}


@st.composite
def arrays(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 12 finite numbers in one or two dimensions, subnormals and the largest among them; no −0."""
    dtype = draw(st.sampled_from((np.float32, np.float64)))
    numbers = from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False) | st.integers(-4, 4)
    values = np.array(draw(st.lists(numbers, min_size=1, max_size=12)), dtype)
    values[values == 0] = 0
    return {"x": values.reshape(2, -1) if values.size % 2 == 0 and draw(st.booleans()) else values}


def brackets_every_value(f: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """No value is below low or above high."""
    low, high = f(x)
    outside = x[(x < low) | (x > high)]
    assert outside.size == 0, f"{outside[0]} is not from {low} to {high}"


def returns_values(f: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """Both ends are values of the array, in its dtype."""
    for end in map(np.asarray, f(x)):
        assert (end.dtype, end.shape) == (x.dtype, ()), f"the ends must be scalars of {x.dtype}, got {end.dtype}"
        assert end in x, f"{end} is none of the values"


def mirrors(f: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """The ends of −x are −high and −low."""
    (low, high), (mirrored_low, mirrored_high) = f(x), f(-x)
    assert (mirrored_low, mirrored_high) == (-high, -low), f"{low} to {high} become {mirrored_low} to {mirrored_high}"


def reaches_every_value(f: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """No magnitude is above a."""
    a = f(x)
    largest = np.abs(x).max()
    assert a >= largest, f"{largest} is beyond {a}"


def returns_a_magnitude(f: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """The result a is the magnitude of a value, in the array's dtype, and never −0."""
    a = np.asarray(f(x))
    assert (a.dtype, a.shape) == (x.dtype, ()), f"a must be a scalar of {x.dtype}, got {a.dtype}"
    assert a in np.abs(x), f"{a} is the magnitude of no value"
    assert not np.signbit(a), f"{a} has a sign"


def ignores_signs(f: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """All of x, −x and |x| have the same a."""
    found = [float(f(values)) for values in (x, -x, np.abs(x))]
    assert len(set(found)) == 1, f"x, −x and |x| give {found}"


PROPERTIES = (
    Property("min_max", brackets_every_value, arrays),
    Property("min_max", returns_values, arrays),
    Property("min_max", mirrors, arrays),
    Property("absolute_maximum", reaches_every_value, arrays),
    Property("absolute_maximum", returns_a_magnitude, arrays),
    Property("absolute_maximum", ignores_signs, arrays),
)
AGREES = {"min_max": arrays, "absolute_maximum": arrays}
LONGER = {name: longer(arrays, repeated(x=-1)) for name in AGREES}
