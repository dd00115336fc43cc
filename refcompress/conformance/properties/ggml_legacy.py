"""Properties of ggml's blocks of 32."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.ggml_bytes import Layout, block_properties, blocks, with_halves
from refcompress.conformance.properties.longer import SIZES, longer, repeated, resized
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.formats import ggml_legacy

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "quantize": lambda convention: lambda x: ggml_legacy.quantize(x, convention),
    "dequantize": lambda convention: lambda data: ggml_legacy.dequantize(data, convention),
}
LAYOUTS = {
    "q4_0": Layout(18, (0,), slice(2, 18), weights=32),
    "q4_1": Layout(20, (0, 2), slice(4, 20), weights=32),
    "q5_0": Layout(22, (0,), slice(2, 22), weights=32),
    "q5_1": Layout(24, (0, 2), slice(4, 24), weights=32),
    "q8_0": Layout(34, (0,), slice(2, 34), weights=32),
}
LOWEST = {"q4_0": -8, "q4_1": 0, "q5_0": -16, "q5_1": 0, "q8_0": -127}
HIGHEST = {"q4_0": 7, "q4_1": 15, "q5_0": 15, "q5_1": 31, "q8_0": 127}
NUMBERS = st.integers(-24, 24).map(lambda n: n / 8) | st.floats(-1000, 1000, width=32)


@st.composite
def weights(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """One or two blocks, of one value each but for up to four others, ties among them."""
    x = np.repeat(np.array(draw(st.lists(st.just(0.0) | NUMBERS, min_size=1, max_size=2)), np.float32), 32)
    for place, number in draw(st.lists(st.tuples(st.integers(0, len(x) - 1), NUMBERS), max_size=4)):
        x[place] = number
    x[np.abs(x) < 2.0**-20] = 0  # 1/d must be finite
    return {"x": x}


def more_blocks(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n blocks."""
    return {"x": resized(arguments["x"].reshape(-1, 32), 0, n).ravel()}


def blocks_of(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> np.ndarray:
    """Return the blocks of bytes; AssertionError unless they have their shape."""
    data = np.asarray(quantize(x))
    wanted = (len(x) // 32, LAYOUTS[convention].size)
    assert data.shape == wanted, f"data must have shape {wanted}, got {data.shape}"
    return data


def codes_of(data: np.ndarray, convention: str) -> np.ndarray:
    """Return what d is multiplied by: the weights of the blocks with d = 1 and m = 0."""
    alone = with_halves(np.asarray(data, np.uint8), LAYOUTS[convention], 1.0, 0.0)
    return ggml_legacy.dequantize(alone, convention).reshape(-1, 32)


def half(data: np.ndarray, place: int) -> float:
    """Return a float16 number of a block."""
    return float(data[place : place + 2].copy().view("<f2")[0])


def the_extreme_has_the_end_code(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """The value that makes d has the lowest code; with m the least has the lowest and the largest the highest."""
    codes = codes_of(blocks_of(quantize, convention, x), convention)
    for part, q in zip(x.reshape(-1, 32), codes, strict=True):
        if part.min() == part.max() == 0:
            assert not q.any(), f"zeros must have codes that stand for 0, got {q}"
        elif convention.endswith("_1"):
            ends = q[part.argmin()], q[part.argmax()]
            wanted = (0, HIGHEST[convention] if part.min() < part.max() else 0)
            assert ends == wanted, f"the codes of {part.min()} and {part.max()} must be {wanted}, got {ends}"
        else:
            first = int(np.abs(part).argmax())
            end = -127 * np.sign(-part[first]) if convention == "q8_0" else LOWEST[convention]
            assert q[first] == end, f"the code of {part[first]} must be {end}, got {q[first]}"


def weights_come_back(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """A weight is half of d from the one of its code, or d at the highest code, but for d's and m's float16."""
    data = blocks_of(quantize, convention, x)
    codes = codes_of(data, convention)
    for part, block, q in zip(x.reshape(-1, 32).astype(np.float64), data, codes, strict=True):
        m = half(block, 2) if convention.endswith("_1") else 0.0
        span = part.max() - part.min() if convention.endswith("_1") else float(np.abs(part).max())
        d = span / {"q4_0": 8, "q5_0": 16}.get(convention, HIGHEST[convention])
        # d and m are rounded to float16, 11 bits or units of 2^−24; the codes in three roundings to float32
        slack = np.abs(q) * (d * 2.0**-11 + 2.0**-25) + np.abs(part).max() * (2.0**-21 + (m != 0) * 2.0**-11) + 2.0**-25
        clipped = (q == HIGHEST[convention]) & (convention in ("q4_0", "q5_0"))
        error = np.abs(part - (half(block, 0) * q + m))
        wrong = np.flatnonzero(error > np.where(clipped, d, d / 2) + slack)
        assert not wrong.size, f"{part[wrong[:1]]} comes back {error[wrong[:1]]} off, where d is {d}"


def blocks_are_written_alone(quantize: Callable[..., Any], convention: str, x: np.ndarray) -> None:
    """A block has the same bytes without the others."""
    data = blocks_of(quantize, convention, x)
    for i, block in enumerate(data):
        alone = blocks_of(quantize, convention, x[32 * i : 32 * (i + 1)])[0]
        assert np.array_equal(alone, block), f"block {i} is {block.tolist()}, but alone {alone.tolist()}"


PROPERTIES = (
    Property("quantize", the_extreme_has_the_end_code, weights),
    Property("quantize", weights_come_back, weights),
    Property("quantize", blocks_are_written_alone, weights),
    *block_properties(LAYOUTS.__getitem__),
)
AGREES = {"quantize": weights, "dequantize": blocks(LAYOUTS.__getitem__)}
LONGER = {
    "quantize": longer(weights, more_blocks, sizes=SIZES[:7]),
    "dequantize": longer(AGREES["dequantize"], repeated(data=0), sizes=SIZES[:7]),
}
