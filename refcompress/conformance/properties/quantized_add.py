"""Properties of quantized addition."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.products import codes
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import quantized_add


def own(convention: str) -> Callable[..., Any]:
    """Return the package's, called like a target."""

    def add(
        a: np.ndarray, b: np.ndarray, a_scale: Any, b_scale: Any, out_scale: Any, a_zero_point: int, b_zero_point: int,
        out_zero_point: int, qmin: int, qmax: int,
    ) -> np.ndarray:  # fmt: skip
        return quantized_add.add(
            a, b, a_scale=a_scale, b_scale=b_scale, out_scale=out_scale, a_zero_point=a_zero_point,
            b_zero_point=b_zero_point, out_zero_point=out_zero_point, rounding=convention,
            dtype=np.int8 if qmin < 0 else np.uint8, qmin=qmin, qmax=qmax,
        )  # fmt: skip

    return add


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"add": own}
OUTPUTS = st.sampled_from([(0, -128, 127), (5, -128, 127), (7, 7, 127), (-20, -20, 100), (131, 0, 255)])


@st.composite
def sums(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Three pairs, scales of which those that are powers of two or tenths make ties or nearly so."""
    a, b, (z_a, z_b) = np.split(draw(codes(8)), (3, 6))
    scales = st.sampled_from([0.5, 0.25, 0.1, 0.3, 0.7]) | st.floats(0.0625, 1, width=32)
    out_zero_point, qmin, qmax = draw(OUTPUTS)
    return {
        "a": a, "b": b, "a_scale": np.float32(draw(scales)), "b_scale": np.float32(draw(scales)),
        "out_scale": np.float32(2 * draw(scales)), "a_zero_point": int(z_a), "b_zero_point": int(z_b),
        "out_zero_point": out_zero_point, "qmin": qmin, "qmax": qmax,
    }  # fmt: skip


def furthest(convention: str, inputs: dict[str, Any], product: Fraction, size: Fraction) -> Fraction:
    """How far a code may be from the real sum.

    float: seven roundings to float32 of what is at most `size`. Else: either term is ¾ and ⅛ of a unit of S / 2^20 off
    at most, for two roundings and its multiplier, both together 2 units; then half a code, half a unit of what the last
    division sees in double and double_up, and its multiplier, 2^-30 of the product.
    """
    if convention == "float":
        return Fraction(1, 2) + size / 2**21
    s_a, s_b, s_out = (Fraction(float(inputs[name])) for name in ("a_scale", "b_scale", "out_scale"))
    unit = 2 * max(s_a, s_b) / (2**20 * s_out)
    shift = math.frexp(float(unit * (1 + Fraction(1, 2**31))))[1]
    second = Fraction(2) ** (shift - 1) if convention.startswith("double") else 0
    return Fraction(1, 2) + 2 * unit + second + abs(product) / 2**30


def is_near_the_real_sum(add: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A code is half a code off the real sum, and what the other roundings add, or at the end of the range."""
    out = np.asarray(add(*inputs.values())).tolist()
    s_a, s_b, s_out = (Fraction(float(inputs[name])) for name in ("a_scale", "b_scale", "out_scale"))
    z_a, z_b, z = (inputs[name] for name in ("a_zero_point", "b_zero_point", "out_zero_point"))
    for a, b, q in zip(inputs["a"].tolist(), inputs["b"].tolist(), out, strict=True):
        real = (s_a * (a - z_a) + s_b * (b - z_b)) / s_out
        size = (s_a * (abs(a) + abs(z_a)) + s_b * (abs(b) + abs(z_b))) / s_out + abs(z)
        off = furthest(convention, inputs, real, size)
        low, high = (min(max(real + z + way, inputs["qmin"]), inputs["qmax"]) for way in (-off, off))
        assert low <= q <= high, f"{a} and {b} add up to {float(real)} with zero point {z}, got {q}"


def is_monotone(add: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A larger code of either does not have a smaller sum."""
    for name in ("a", "b"):
        ascending = inputs | {name: np.sort(inputs[name]), "ab".replace(name, ""): np.full_like(inputs["a"], 9)}
        out = np.asarray(add(*ascending.values())).tolist()
        assert out == sorted(out), f"sums of ascending codes of {name} must not descend, got {out}"


def terms_may_change_places(add: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """b plus a is a plus b; for float, whose two products are not rounded alike, within one code."""
    out = np.asarray(add(*inputs.values())).astype(int)
    names = {"a": "b", "b": "a", "a_scale": "b_scale", "b_scale": "a_scale"}
    names |= {"a_zero_point": "b_zero_point", "b_zero_point": "a_zero_point"}
    other = np.asarray(add(*(inputs[names.get(name, name)] for name in inputs))).astype(int)
    most = 1 if convention == "float" else 0
    assert (abs(out - other) <= most).all(), f"a + b is {out.tolist()}, b + a {other.tolist()}"


def zeros_add_up_to_zero(add: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """Where both are their zero points, the sum is the output's."""
    for name in ("a", "b"):
        inputs[name] = np.full_like(inputs[name], inputs[f"{name}_zero_point"])
    out, z = np.asarray(add(*inputs.values())).tolist(), inputs["out_zero_point"]
    assert set(out) == {z}, f"must be {z}, got {out}"


PROPERTIES = (
    Property("add", is_near_the_real_sum, sums),
    Property("add", is_monotone, sums),
    Property("add", terms_may_change_places, sums),
    Property("add", zeros_add_up_to_zero, sums),
)
AGREES = {"add": sums}
LONGER = {"add": longer(sums, repeated(a=0, b=0))}
