"""Properties of MX blocks."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import SIZES, longer, more_columns, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import float_format
from refcompress.formulas.quantization.formats import mx


def own_quantize(convention: str) -> Callable[..., Any]:
    """Return `mx.quantize` to the element by the rule."""
    element, rule = convention.split("-")
    return lambda x: mx.quantize(x, element, exponent=rule)


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize": own_quantize,
    "dequantize": lambda convention: lambda codes, scales: mx.dequantize(codes, scales, convention),
}
BLOCK = 32
COLUMNS = (1, 3, 32, 33, 35)


def element_of(convention: str) -> tuple[str, int, float]:
    """Return the element, the bits of its mantissa and its largest value."""
    element = convention.split("-")[0]
    if element == "int8":
        return element, 6, 127 / 64
    form = float_format.FORMATS[element]
    return element, form.mantissa_bits, float(float_format.decode(form.largest, element))


def code_range(convention: str) -> tuple[int, int]:
    """Return the least and the largest code of an element."""
    element, _, _ = element_of(convention)
    return (-128, 127) if element == "int8" else (0, (1 << float_format.FORMATS[element].bits) - 1)


def numbers(convention: str, least: int, most: int) -> st.SearchStrategy[float]:
    """Zeros, and numbers on which the rules differ, and beside these, from 2^least to 2^(most + 1), of both signs."""
    _, m, largest = element_of(convention)
    at = [1, 1.5, 1.75, 2 * float(np.frexp(largest)[0]), 2 - 0.5 ** (m + 1), 1 + 0.5 ** (m + 1)]
    near = [float(np.nextafter(np.float32(v), np.float32(end))) for v in at for end in (0, 4)]
    sizes = [0, *at, *near]

    def nth(n: int) -> float:
        exponent, rest = divmod(n, 2 * len(sizes))
        return float(np.ldexp(sizes[rest // 2], least + exponent)) * (-1 if rest % 2 else 1)

    return st.integers(0, 2 * len(sizes) * (most - least + 1) - 1).map(nth)


@st.composite
def sparse(draw: st.DrawFn, numbers: st.SearchStrategy[float]) -> np.ndarray:
    """One or two rows of up to two blocks, zeros but for four numbers."""
    x = np.zeros((draw(st.integers(1, 2)), draw(st.sampled_from(COLUMNS))), np.float32)
    for place, number in draw(st.lists(st.tuples(st.integers(0, x.size - 1), numbers), max_size=4)):
        x.flat[place] = number
    return x


@cache
def moderate(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Tensors of numbers that are neither very small nor very large."""
    return sparse(numbers(convention, -9, 9)).map(lambda x: {"x": x})


@cache
def all_sizes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Tensors of float32 of every size, as far as X is not too large."""
    return sparse(numbers(convention, -149, 120)).map(lambda x: {"x": x})


@st.composite
def blocks(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Two rows of up to two blocks, with a few codes that are not 0 and any scales."""
    low, high = code_range(convention)
    codes = np.zeros((2, draw(st.sampled_from(COLUMNS))), np.int8 if low else np.uint8)
    for place, code in draw(st.lists(st.tuples(st.integers(0, codes.size - 1), st.integers(low, high)), max_size=4)):
        codes.flat[place] = code
    count = 2 * -(-codes.shape[1] // BLOCK)
    scales = draw(st.lists(st.sampled_from((0, 1, 255)) | st.integers(0, 255), min_size=count, max_size=count))
    return {"codes": codes, "scales": np.array(scales, np.uint8).reshape(2, -1)}


def results(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and scales as arrays; AssertionError unless they have their shapes and ranges."""
    codes, scales = (np.asarray(result) for result in quantize(x))
    count = -(-x.shape[1] // BLOCK)
    assert codes.shape == x.shape, f"codes must have shape {x.shape}, got {codes.shape}"
    assert scales.shape == (len(x), count), f"scales must have shape {(len(x), count)}, got {scales.shape}"
    low, high = code_range(convention)
    assert low <= codes.min(), f"codes must be at least {low}, got {codes.min()}"
    assert codes.max() <= high, f"codes must be at most {high}, got {codes.max()}"
    return codes, scales


def amax_fits_the_rule(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """A block's largest magnitude, over X, is between the rule's border and twice that; zeros have the scale 0."""
    _, m, largest = element_of(convention)
    rule = convention.split("-")[1]
    power = 2.0 ** np.floor(np.log2(largest))
    kept = m if rule == "even" else 1
    border = {"floor": power, "ceil": power / 2, "rceil": largest / 2}.get(rule, power * (1 - 0.5 ** (kept + 2)))
    _, scales = results(quantize, convention, x)
    for row, block in np.ndindex(*scales.shape):
        amax = Fraction(float(np.abs(x[row, BLOCK * block : BLOCK * (block + 1)]).max()))
        ratio = amax / Fraction(2) ** (int(scales[row, block]) - 127)
        where = f"block {block} of row {row}, whose largest magnitude is {float(amax)}"
        if amax == 0:
            assert scales[row, block] == 0, f"{where}, must have scale 0, got {scales[row, block]}"
        elif rule in ("ceil", "rceil"):
            assert border < ratio <= 2 * border, f"{where}, must not have scale {scales[row, block]}"
        else:
            assert border <= ratio < 2 * border, f"{where}, must not have scale {scales[row, block]}"


def elements_are_near(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """An element is within half a unit in its last place of v / X, or the largest where v / X is larger."""
    element, m, largest = element_of(convention)
    codes, scales = results(quantize, convention, x)
    P = codes / 64 if element == "int8" else float_format.decode(codes, element).astype(np.float64)
    least = 0 if element == "int8" else 1 - float_format.FORMATS[element].bias
    S = np.repeat(scales.astype(np.int64) - 127, BLOCK, axis=1)[:, : x.shape[1]]
    t = np.ldexp(x.astype(np.float64), -S)
    ulp = 2.0 ** (np.maximum(np.frexp(t)[1] - 1, least) - m)
    wrong = ~(np.abs(P - np.clip(t, -largest, largest)) <= ulp / 2)  # also where P is NaN
    assert not wrong.any(), f"the elements of {t[wrong]} must be at most {ulp[wrong] / 2} off, got {P[wrong]}"


def blocks_are_on_their_own(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """A block has the same codes and scale without the others."""
    codes, scales = results(quantize, convention, x)
    for row, block in np.ndindex(*scales.shape):
        place = slice(row, row + 1), slice(BLOCK * block, BLOCK * (block + 1))
        alone, scale = results(quantize, convention, x[place])
        assert (alone == codes[place]).all(), f"block {block} of row {row} is {codes[place]}, but alone {alone}"
        assert scale[0, 0] == scales[row, block], (
            f"block {block} of row {row} has scale {scales[row, block]}, but alone {scale[0, 0]}"
        )


def doubles_with_the_scale(
    dequantize: Callable[..., Any], convention: str, codes: np.ndarray, scales: np.ndarray
) -> None:
    """A scale that is one more doubles its block."""
    scales = np.clip(scales, 20, 230)
    x, double = np.asarray(dequantize(codes, scales)), np.asarray(dequantize(codes, scales + np.uint8(1)))
    wrong = (double != 2 * x) & ~(np.isnan(x) & np.isnan(double))
    assert not wrong.any(), f"{x[wrong]} must become twice as large, got {double[wrong]}"


def a_scale_is_nan(dequantize: Callable[..., Any], convention: str, codes: np.ndarray, scales: np.ndarray) -> None:
    """The scale 255 makes its block NaN, and no other scale does."""
    element, _, _ = element_of(convention)
    is_nan = np.repeat(scales == 255, BLOCK, axis=1)[:, : codes.shape[1]]
    if element != "int8":
        is_nan |= np.isnan(float_format.decode(codes, element))
    got = np.isnan(np.asarray(dequantize(codes, scales)))
    assert (got == is_nan).all(), (
        f"with the scales {scales.tolist()}, NaN must be {is_nan.tolist()}, got {got.tolist()}"
    )


PROPERTIES = (
    Property("quantize", amax_fits_the_rule, moderate),
    Property("quantize", elements_are_near, moderate),
    Property("quantize", blocks_are_on_their_own, moderate),
    Property("dequantize", doubles_with_the_scale, blocks),
    Property("dequantize", a_scale_is_nan, blocks),
)
AGREES = {"quantize": all_sizes, "dequantize": blocks}
LONGER = {
    "quantize": longer(all_sizes, repeated(x=1), repeated(x=0), sizes=SIZES[:8]),
    "dequantize": longer(blocks, more_columns(BLOCK, "scales"), repeated(codes=0, scales=0), sizes=SIZES[:8]),
}
