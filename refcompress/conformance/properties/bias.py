"""Properties of quantized biases."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import bias

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize_bias": lambda convention: (
        lambda b, x_scale, w_scale: bias.quantize_bias(b, x_scale, w_scale, rounding=convention)
    )
}
SCALES = st.floats(0.0078125, 8, width=32)


@st.composite
def biases(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to five, in units that make codes of up to 24 bits of them."""
    outputs = st.lists(st.tuples(st.floats(-1000, 1000, width=32), SCALES), min_size=1, max_size=5)
    b, w_scale = np.array(draw(outputs), np.float32).T.copy()
    return {"b": b, "x_scale": np.float32(draw(SCALES)), "w_scale": w_scale}


@st.composite
def ties(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Halves of units that are small integers, so that quotients are exact."""
    units = draw(st.lists(st.integers(1, 99), min_size=1, max_size=5))
    codes = draw(st.lists(st.integers(-99, 99), min_size=len(units), max_size=len(units)))
    return {"units": np.array(units, np.float32), "below": np.array(codes)}


def is_the_nearest_integer(
    quantize_bias: Callable[..., Any], convention: str, b: np.ndarray, x_scale: np.float32, w_scale: np.ndarray
) -> None:
    """Every code is within ½ of b / (x_scale · w_scale), and a quotient rounded to float64."""
    codes = np.asarray(quantize_bias(b, x_scale, w_scale)).tolist()
    for v, s, q in zip(b.tolist(), w_scale.tolist(), codes, strict=True):
        real = Fraction(v) / (Fraction(float(x_scale)) * Fraction(s))
        slack = abs(real) / 2**53
        assert abs(q - real) <= Fraction(1, 2) + slack, f"{v} is {float(real)} units, got {q}"


def breaks_ties_as_said(
    quantize_bias: Callable[..., Any], convention: str, units: np.ndarray, below: np.ndarray
) -> None:
    """Half of a unit goes to the even code, away from zero or up, as the convention says."""
    b = np.float32((below + 0.5) * units)
    codes = np.asarray(quantize_bias(b, np.float32(1), units)).tolist()
    up = {"half_even": below % 2 != 0, "half_away": below >= 0, "half_up": True}[convention]
    wanted = (below + up).tolist()
    assert codes == wanted, f"{(below + 0.5).tolist()} units must be {wanted}, got {codes}"


def treats_each_output_alone(
    quantize_bias: Callable[..., Any], convention: str, b: np.ndarray, x_scale: np.float32, w_scale: np.ndarray
) -> None:
    """Biases in the reverse order, with their scales, have their codes in the reverse order."""
    codes = np.asarray(quantize_bias(b, x_scale, w_scale)).tolist()
    reverse = np.asarray(quantize_bias(b[::-1], x_scale, w_scale[::-1])).tolist()
    assert reverse[::-1] == codes, f"codes depend on the order: {codes} and {reverse[::-1]}"


def depends_on_the_quotient_alone(
    quantize_bias: Callable[..., Any], convention: str, b: np.ndarray, x_scale: np.float32, w_scale: np.ndarray
) -> None:
    """Twice the bias by twice the scale is the same code, whichever scale it is."""
    codes = np.asarray(quantize_bias(b, x_scale, w_scale)).tolist()
    for twice in ((2 * x_scale, w_scale), (x_scale, 2 * w_scale)):
        again = np.asarray(quantize_bias(2 * b, *twice)).tolist()
        assert again == codes, f"twice the bias by twice a scale must be {codes}, got {again}"


PROPERTIES = (
    Property("quantize_bias", is_the_nearest_integer, biases),
    Property("quantize_bias", breaks_ties_as_said, ties),
    Property("quantize_bias", treats_each_output_alone, biases),
    Property("quantize_bias", depends_on_the_quotient_alone, biases),
)
AGREES = {"quantize_bias": biases}
LONGER = {"quantize_bias": longer(biases, repeated(b=0, w_scale=0))}
