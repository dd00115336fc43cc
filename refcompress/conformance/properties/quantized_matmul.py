"""Properties of quantized matrix products."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.products import codes
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import quantized_matmul


def own(convention: str) -> Callable[..., Any]:
    """Return the package's, called like a target."""

    def matmul(
        a: np.ndarray, b: np.ndarray, bias: np.ndarray, a_scale: Any, b_scale: Any, out_scale: Any, a_zero_point: int,
        b_zero_point: int, out_zero_point: int, qmin: int, qmax: int,
    ) -> np.ndarray:  # fmt: skip
        return quantized_matmul.matmul(
            a, b, bias, a_scale=a_scale, b_scale=b_scale, out_scale=out_scale, a_zero_point=a_zero_point,
            b_zero_point=b_zero_point, out_zero_point=out_zero_point, rounding=convention,
            dtype=np.int8 if qmin < 0 else np.uint8, qmin=qmin, qmax=qmax,
        )  # fmt: skip

    return matmul


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"matmul": own}
SCALES = st.sampled_from([0.5, 0.25, 0.0625]) | st.floats(0.03125, 0.5, width=32)
OUTPUTS = st.sampled_from([(0, -128, 127), (5, -128, 127), (7, 7, 127), (-20, -20, 100), (131, 0, 255)])


@st.composite
def layers(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """2 by 3 by 2 codes, b's of 3 bits, so that few saturate; powers of two among the scales make ties."""
    all_codes = draw(codes(18)).astype(np.int32)
    a, b, bias, (z_a, z_b) = np.split(all_codes, (6, 12, 16))
    s_a, *s_b, s_out = draw(st.tuples(*[SCALES] * 4))
    out_zero_point, qmin, qmax = draw(OUTPUTS)
    return {
        "a": a.astype(np.int8).reshape(2, 3), "b": b.astype(np.int8).reshape(3, 2) // 32,
        "bias": bias[:2] * bias[2:] // 32, "a_scale": np.float32(s_a), "b_scale": np.array(s_b, np.float32),
        "out_scale": np.float32(4 * s_out), "a_zero_point": int(z_a), "b_zero_point": int(z_b) // 32,
        "out_zero_point": out_zero_point, "qmin": qmin, "qmax": qmax,
    }  # fmt: skip


def more_terms(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n terms a sum, and an output's scale with which no more codes saturate."""
    return repeated(a=1, b=0)(arguments, n) | {"out_scale": arguments["out_scale"] * np.float32(n / 3)}


def furthest(convention: str, real: Fraction, product: Fraction) -> Fraction:
    """How far a code may be from a sum times `real`, which is the scales' quotient.

    Half a code. double, double_up: half a unit of the first product, which is 2^shift codes, where it is divided again;
    integer multiplier and two roundings in float64: 2^-30 of the product. float: three roundings in float32 of the
    multiplier and its product, one of the sum, 2^-21 of the product.
    """
    if convention == "float":
        return Fraction(1, 2) + abs(product) / 2**21
    shift = math.frexp(float(real * (1 + Fraction(1, 2**31))))[1]
    second = Fraction(2) ** (shift - 1) if convention.startswith("double") and shift < 0 else 0
    return Fraction(1, 2) + second + abs(product) / 2**30


def check_code(convention: str, total: int, scales: tuple[Any, Any, Any], output: tuple[int, int, int], q: int) -> None:
    """Assert that a code is as near to a sum's real number as its rounding must be, or at the end of the range."""
    s_a, s_b, s_out = (Fraction(float(s)) for s in scales)
    zero_point, qmin, qmax = output
    product = total * s_a * s_b / s_out
    off = furthest(convention, s_a * s_b / s_out, product)
    low, high = (min(max(product + zero_point + way, Fraction(qmin)), Fraction(qmax)) for way in (-off, off))
    assert low <= q <= high, f"a sum of {total} is {float(product)} with zero point {zero_point}, got {q}"


def is_near_the_real_number(matmul: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A code is half a code off the real number, and what the rounding adds, or at the end of the range."""
    out = np.asarray(matmul(*inputs.values()))
    a, b = inputs["a"].astype(int) - inputs["a_zero_point"], inputs["b"].astype(int) - inputs["b_zero_point"]
    sums = a @ b + inputs["bias"]
    assert out.shape == sums.shape, f"must have shape {sums.shape}, got {out.shape}"
    output = inputs["out_zero_point"], inputs["qmin"], inputs["qmax"]
    for m, n in np.ndindex(sums.shape):
        scales = inputs["a_scale"], inputs["b_scale"][n], inputs["out_scale"]
        check_code(convention, int(sums[m, n]), scales, output, int(out[m, n]))


def a_bias_is_one_more_term(matmul: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """A column of a with codes of 1 more than the zero point, and the bias as a row of b, are the bias."""
    row = (inputs["bias"] % 256 - 128).astype(np.int8)  # in codes, less their zero point
    inputs |= {"bias": row.astype(np.int32) - inputs["b_zero_point"], "a_zero_point": min(inputs["a_zero_point"], 126)}
    out = np.asarray(matmul(*inputs.values())).tolist()
    one = np.full((len(inputs["a"]), 1), inputs["a_zero_point"] + 1, np.int8)
    longer = {"a": np.hstack([inputs["a"], one]), "b": np.vstack([inputs["b"], row]), "bias": 0 * inputs["bias"]}
    wanted = np.asarray(matmul(*(inputs | longer).values())).tolist()
    assert out == wanted, f"a bias of {inputs['bias'].tolist()} gives {out}, as one more term {wanted}"


def treats_each_code_alone(matmul: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """The last row and column alone, with bias and scale, have the last code."""
    out = np.asarray(matmul(*inputs.values()))[-1, -1]
    last = {name: inputs[name][-1:] for name in ("a", "bias", "b_scale")} | {"b": inputs["b"][:, -1:].copy()}
    alone = np.asarray(matmul(*(inputs | last).values()))[0, 0]
    assert out == alone, f"the last code is {out}, but {alone} alone"


def depends_on_the_quotient_of_scales(matmul: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """Twice one operand's scale is as half the output's, or half of the other's."""
    out = np.asarray(matmul(*inputs.values())).tolist()
    for twice, half in (("a_scale", "b_scale"), ("b_scale", "a_scale")):
        for change in ({half: inputs[half] / 2}, {"out_scale": inputs["out_scale"] * 2}):
            again = np.asarray(matmul(*(inputs | {twice: inputs[twice] * 2} | change).values())).tolist()
            assert again == out, f"twice {twice} and {', '.join(change)} to match must give {out}, got {again}"


def adds_its_zero_point_last(matmul: Callable[..., Any], convention: str, **inputs: Any) -> None:
    """Without a zero point, in a range moved by it, codes are less by it."""
    z, qmin, qmax = inputs["out_zero_point"], inputs["qmin"], inputs["qmax"]
    low, high = max(qmin - z, -128), min(qmax - z, 127)
    out = np.asarray(matmul(*(inputs | {"qmin": low + z, "qmax": high + z}).values())).astype(int) - z
    moved = np.asarray(matmul(*(inputs | {"out_zero_point": 0, "qmin": low, "qmax": high}).values())).astype(int)
    assert np.array_equal(out, moved), f"codes less the zero point {z} are {out.tolist()}, without it {moved.tolist()}"


PROPERTIES = (
    Property("matmul", is_near_the_real_number, layers),
    Property("matmul", a_bias_is_one_more_term, layers),
    Property("matmul", treats_each_code_alone, layers),
    Property("matmul", depends_on_the_quotient_of_scales, layers),
    Property("matmul", adds_its_zero_point_last, layers),
)
AGREES = {"matmul": layers}
LONGER = {"matmul": longer(layers, more_terms, repeated(a=0), repeated(b=1, bias=0, b_scale=0))}
