"""Properties of the level tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import SIZES, longer, repeated, resized
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.formats import level_table
from refcompress.formulas.quantization.formats.level_table import LEVELS

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize": lambda convention: lambda x, block_size: level_table.quantize(x, convention, block_size=block_size),
    "dequantize": lambda convention: (
        lambda codes, absmax, block_size: level_table.dequantize(codes, absmax, convention, block_size=block_size)
    ),
}
NUMBERS = (
    st.sampled_from((0.0, -0.0, 1.0, -1.0, 2.0**-130))
    | st.integers(-96, 96).map(lambda n: n / 8)
    | st.floats(-(2.0**100), 2.0**100, width=32)
)
SHAPES = st.sampled_from(((1,), (3,), (2, 5), (3, 2, 2), (20,)))
BLOCK_SIZES = st.sampled_from((1, 2, 3, 7, 64))


@st.composite
def tensors(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 20 numbers, in blocks that may go across rows and be longer than all."""
    shape = draw(SHAPES)
    count = int(np.prod(shape))
    x = np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count)), np.float32)
    return {"x": x.reshape(shape), "block_size": draw(BLOCK_SIZES)}


@st.composite
def code_blocks(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 20 codes and the largest magnitudes of their blocks."""
    shape, block_size = draw(SHAPES), draw(BLOCK_SIZES)
    count = int(np.prod(shape))
    codes = draw(st.lists(st.integers(0, 15), min_size=count, max_size=count))
    size = st.sampled_from((0.0, 1.0, 3.3)) | st.floats(0, 2.0**100, width=32)
    absmax = draw(st.lists(size, min_size=-(-count // block_size), max_size=-(-count // block_size)))
    return {
        "codes": np.array(codes, np.uint8).reshape(shape),
        "absmax": np.array(absmax, np.float32),
        "block_size": block_size,
    }


def more_blocks(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n codes along the last axis, and as many magnitudes as these have blocks."""
    codes = resized(arguments["codes"], -1, n)
    absmax = resized(arguments["absmax"], 0, -(-codes.size // arguments["block_size"]))
    return arguments | {"codes": codes, "absmax": absmax}


def results(quantize: Callable[..., Any], x: np.ndarray, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and absmax as arrays; AssertionError unless they have their shapes, and codes are from 0 to 15."""
    codes, absmax = (np.asarray(result) for result in quantize(x, block_size))
    count = -(-x.size // block_size)
    assert codes.shape == x.shape, f"codes must have shape {x.shape}, got {codes.shape}"
    assert absmax.shape == (count,), f"absmax must have shape {(count,)}, got {absmax.shape}"
    assert ((codes >= 0) & (codes <= 15)).all(), f"codes must be from 0 to 15, got {codes.tolist()}"
    return codes, absmax


def absmax_is_the_largest_magnitude(
    quantize: Callable[..., Any], convention: str, x: np.ndarray, block_size: int
) -> None:
    """A block's absmax is the largest magnitude of its values, exactly."""
    _, absmax = results(quantize, x, block_size)
    sizes = np.abs(x).reshape(-1)
    for block, got in enumerate(absmax.tolist()):
        wanted = float(sizes[block * block_size : (block + 1) * block_size].max())
        assert got == wanted, f"absmax of block {block} of {x.reshape(-1).tolist()} must be {wanted}, got {got}"


def levels_are_near(quantize: Callable[..., Any], convention: str, x: np.ndarray, block_size: int) -> None:
    """No level is nearer to x/absmax than the code's, but for its roundings; a block of zeros has codes of level 0."""
    codes, absmax = results(quantize, x, block_size)
    spread = np.repeat(absmax, block_size)[: x.size].astype(np.float64)
    for v, code, size in zip(x.reshape(-1).tolist(), codes.reshape(-1).tolist(), spread.tolist(), strict=True):
        if 0 < size < 1e-38:
            continue  # blocks that do not reach the outer levels
        t = v / size if size else 0.0
        distances = np.abs(LEVELS[convention].astype(np.float64) - t)
        # reciprocal, product and midpoint are rounded to float32: at most 2^−24 each, of numbers up to 1
        least = distances.min() + 2.0**-22
        assert distances[code] <= least, f"{t} must have code {distances.argmin()}, got {code}"


def is_monotone(quantize: Callable[..., Any], convention: str, x: np.ndarray, block_size: int) -> None:
    """In a block a larger value has no lower level."""
    x = np.sort(x.reshape(-1))
    codes, _ = results(quantize, x, x.size)
    levels = LEVELS[convention][codes]
    assert (np.diff(levels) >= 0).all(), f"the levels of {x.tolist()} must ascend, got {levels.tolist()}"


def multiplies_the_level(
    dequantize: Callable[..., Any], convention: str, codes: np.ndarray, absmax: np.ndarray, block_size: int
) -> None:
    """A value is its code's level times absmax of its block, but for one rounding to float32."""
    x = np.asarray(dequantize(codes, absmax, block_size))
    spread = np.repeat(absmax.astype(np.float64), block_size)[: codes.size].reshape(codes.shape)
    wanted = LEVELS[convention].astype(np.float64)[codes] * spread
    assert x.shape == codes.shape, f"values must have shape {codes.shape}, got {x.shape}"
    wrong = np.abs(x - wanted) > np.abs(wanted) * 2.0**-24 + 2.0**-150
    assert not wrong.any(), f"must be {wanted[wrong]}, got {x[wrong]}"


def one_is_absmax(
    dequantize: Callable[..., Any], convention: str, codes: np.ndarray, absmax: np.ndarray, block_size: int
) -> None:
    """The codes of the levels 1 and −1 give ± absmax."""
    level = LEVELS[convention]
    for code in (int(level.argmax()), int(level.argmin())):
        x = np.asarray(dequantize(np.full_like(codes, code), absmax, block_size)).reshape(-1)
        wanted = level[code] * np.repeat(absmax, block_size)[: codes.size]
        assert np.array_equal(x, wanted), f"code {code} must give {wanted}, got {x}"


PROPERTIES = (
    Property("quantize", absmax_is_the_largest_magnitude, tensors),
    Property("quantize", levels_are_near, tensors),
    Property("quantize", is_monotone, tensors),
    Property("dequantize", multiplies_the_level, code_blocks),
    Property("dequantize", one_is_absmax, code_blocks),
)
AGREES = {"quantize": tensors, "dequantize": code_blocks}
LONGER = {
    "quantize": longer(tensors, repeated(x=-1), sizes=SIZES[:9]),
    "dequantize": longer(code_blocks, more_blocks, sizes=SIZES[:9]),
}
