"""Properties of NVFP4."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import SIZES, longer, more_columns, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import float_format
from refcompress.formulas.quantization.formats import nvfp4

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize": lambda convention: (
        lambda x, tensor_scale: nvfp4.quantize(x, tensor_scale=tensor_scale, arithmetic=convention)[:2]
    ),
    "tensor_scale": lambda convention: lambda x: nvfp4.quantize(x, arithmetic=convention)[2],
    "dequantize": lambda convention: (
        lambda codes, block_scales, tensor_scale: nvfp4.dequantize(
            codes, block_scales, tensor_scale, arithmetic=convention
        )
    ),
}
BLOCK = 16
COLUMNS = (1, 3, 16, 17, 20)
SCALES = st.sampled_from((1.0, 0.25, 8.0, 0.1, 3.0, 777.7)).map(np.float32)
NUMBERS = (
    st.sampled_from((0.0, -0.0))
    | st.integers(-80, 80).map(lambda n: n / 4)
    | st.floats(-1e4, 1e4, width=32)
    | st.floats(-1, 1, width=32)
)


@st.composite
def tensors(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """One or two rows of up to two blocks, zeros but for four numbers, ties among them."""
    x = np.zeros((draw(st.integers(1, 2)), draw(st.sampled_from(COLUMNS))), np.float32)
    for place, number in draw(st.lists(st.tuples(st.integers(0, x.size - 1), NUMBERS), max_size=4)):
        x.flat[place] = number
    return {"x": x, "tensor_scale": draw(SCALES)}


def rows(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 6 numbers, whose scale is in the accepted range."""
    sizes = NUMBERS.filter(lambda number: number == 0 or abs(number) > 1e-30)
    return st.lists(sizes, min_size=1, max_size=6).map(lambda x: {"x": np.array(x, np.float32)})


@st.composite
def blocks(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Two rows of up to two blocks, with a few codes that are not 0 and any scales."""
    codes = np.zeros((2, draw(st.sampled_from(COLUMNS))), np.uint8)
    for place, code in draw(st.lists(st.tuples(st.integers(0, codes.size - 1), st.integers(0, 15)), max_size=4)):
        codes.flat[place] = code
    count = 2 * -(-codes.shape[1] // BLOCK)
    scales = draw(st.lists(st.just(127) | st.integers(0, 127), min_size=count, max_size=count))
    return {"codes": codes, "block_scales": np.array(scales, np.uint8).reshape(2, -1), "tensor_scale": draw(SCALES)}


def results(quantize: Callable[..., Any], x: np.ndarray, t: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and block scales as arrays; AssertionError unless they have their shapes and ranges."""
    codes, scales = (np.asarray(result) for result in quantize(x, t))
    count = -(-x.shape[1] // BLOCK)
    assert codes.shape == x.shape, f"codes must have shape {x.shape}, got {codes.shape}"
    assert scales.shape == (len(x), count), f"block scales must have shape {(len(x), count)}, got {scales.shape}"
    for name, array, most in (("codes", codes, 15), ("block scales", scales, 126)):
        assert ((array >= 0) & (array <= most)).all(), f"{name} must be from 0 to {most}, got {array.tolist()}"
    return codes, scales


def factor(t: np.float32, convention: str) -> float:
    """Return what a block scale is multiplied by."""
    return float(t) if convention == "torchao" else 1 / float(t)


def scales_reach_amax(quantize: Callable[..., Any], convention: str, x: np.ndarray, tensor_scale: np.float32) -> None:
    """Six times a block's scale is its largest magnitude but for 1/16 of it, from the least scale to 448."""
    _, scales = results(quantize, x, tensor_scale)
    least = 2.0**-6 if convention == "torchao" else 2.0**-9
    for row, block in np.ndindex(*scales.shape):
        amax = float(np.abs(x[row, BLOCK * block : BLOCK * (block + 1)]).max())
        wanted = amax / 6 / factor(tensor_scale, convention)
        s = float(float_format.decode(scales[row, block], "float8_e4m3fn"))
        where = f"the scale of block {block} of row {row}"
        if wanted < least / 2 * (1 - 1e-6):
            assert s == (least if convention == "torchao" else 0.125), f"{where}, almost 0, must be the least, got {s}"
        elif wanted > least / 2 * (1 + 1e-6):
            ideal = min(max(wanted, least), 448)
            # half of an e4m3 place: 1/16, or 2^−10 below 2^−6; and three roundings to float32
            slack = max(ideal / 16, 2.0**-10) * (1 + 1e-6)
            assert abs(s - ideal) <= slack, f"{where} must be {ideal} ± {slack}, got {s}"


def elements_are_near(quantize: Callable[..., Any], convention: str, x: np.ndarray, tensor_scale: np.float32) -> None:
    """An element is within half a place of the value over its scales, from −6 to 6."""
    codes, scales = results(quantize, x, tensor_scale)
    step = float_format.decode(scales, "float8_e4m3fn").astype(np.float64) * factor(tensor_scale, convention)
    q = float_format.decode(codes, "float4_e2m1fn")
    t = x / np.repeat(step, BLOCK, axis=1)[:, : x.shape[1]]
    wanted = np.clip(t, -6, 6)
    half = np.where(np.abs(wanted) >= 4, 1, np.where(np.abs(wanted) >= 2, 0.5, 0.25))
    # four roundings to float32 of the quotient
    wrong = np.abs(q - wanted) > half + np.abs(wanted) * 2.0**-21
    assert not wrong.any(), f"the elements of {t[wrong]} must be at most {half[wrong]} off, got {q[wrong]}"


def blocks_are_on_their_own(
    quantize: Callable[..., Any], convention: str, x: np.ndarray, tensor_scale: np.float32
) -> None:
    """A block has the same codes and scale without the others."""
    codes, scales = results(quantize, x, tensor_scale)
    for row, block in np.ndindex(*scales.shape):
        place = slice(row, row + 1), slice(BLOCK * block, BLOCK * (block + 1))
        alone, scale = results(quantize, x[place], tensor_scale)
        assert (alone == codes[place]).all(), f"block {block} of row {row} is {codes[place]}, but alone {alone}"
        assert scale[0, 0] == scales[row, block], (
            f"block {block} of row {row} has scale {scales[row, block]}, but alone {scale[0, 0]}"
        )


def doubles_with_the_tensor(tensor_scale: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """The scale of 2·x is twice that of x, or half of it where it divides; the signs do not matter."""
    t, other = float(tensor_scale(x)), float(tensor_scale(-2 * x))
    wanted = t if not x.any() else 2 * t if convention == "torchao" else t / 2
    assert other == wanted, f"the scale of −2·x must be {wanted}, got {other}"


def brings_the_largest_to_2688(tensor_scale: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """The largest magnitude over the scale is 448·6, but for its rounding to float32."""
    t, largest = float(tensor_scale(x)), float(np.abs(x).max())
    ideal = 1 if largest == 0 else largest / 2688 if convention == "torchao" else 2688 / largest
    assert abs(t - ideal) <= ideal * 2.0**-23, f"the scale must be {ideal}, got {t}"


def a_scale_is_nan(
    dequantize: Callable[..., Any],
    convention: str,
    codes: np.ndarray,
    block_scales: np.ndarray,
    tensor_scale: np.float32,
) -> None:
    """The block scale 127 makes its block NaN, and no other does."""
    wanted = np.repeat(block_scales == 127, BLOCK, axis=1)[:, : codes.shape[1]]
    got = np.isnan(np.asarray(dequantize(codes, block_scales, tensor_scale)))
    assert (got == wanted).all(), f"with {block_scales.tolist()}, NaN must be {wanted.tolist()}, got {got.tolist()}"


def is_the_product(
    dequantize: Callable[..., Any],
    convention: str,
    codes: np.ndarray,
    block_scales: np.ndarray,
    tensor_scale: np.float32,
) -> None:
    """A value is element times block scale times, or over, tensor scale, but for two roundings to float32."""
    q = float_format.decode(codes, "float4_e2m1fn").astype(np.float64)
    s = float_format.decode(np.minimum(block_scales, 126), "float8_e4m3fn").astype(np.float64)
    wanted = q * np.repeat(s, BLOCK, axis=1)[:, : codes.shape[1]] * factor(tensor_scale, convention)
    got = np.asarray(dequantize(codes, np.minimum(block_scales, np.uint8(126)), tensor_scale))
    wrong = np.abs(got - wanted) > np.abs(wanted) * 2.0**-22
    assert not wrong.any(), f"must be {wanted[wrong]}, got {got[wrong]}"


PROPERTIES = (
    Property("quantize", scales_reach_amax, tensors),
    Property("quantize", elements_are_near, tensors),
    Property("quantize", blocks_are_on_their_own, tensors),
    Property("tensor_scale", brings_the_largest_to_2688, rows),
    Property("tensor_scale", doubles_with_the_tensor, rows),
    Property("dequantize", a_scale_is_nan, blocks),
    Property("dequantize", is_the_product, blocks),
)
AGREES = {"quantize": tensors, "tensor_scale": rows, "dequantize": blocks}
LONGER = {
    "quantize": longer(tensors, repeated(x=1), repeated(x=0), sizes=SIZES[:8]),
    "tensor_scale": longer(rows, repeated(x=0)),
    "dequantize": longer(
        blocks, more_columns(BLOCK, "block_scales"), repeated(codes=0, block_scales=0), sizes=SIZES[:8]
    ),
}
