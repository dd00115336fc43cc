"""Properties that all formats of ggml's blocks share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.property import Property


class Layout(NamedTuple):
    """Where the bytes of a block are."""

    size: int
    halves: tuple[int, ...]  # the float16 numbers: d, or d and a second one
    codes: slice
    scales: slice = slice(0)  # small ones, each of which is shared by a group
    weights: int = 256
    group: int = 16


Layouts = Callable[[str], Layout]
HALVES = st.sampled_from((1.0, -0.5, 0.0, -0.0, 2.0**-24, 65504.0)) | st.floats(
    width=16, allow_nan=False, allow_infinity=False
)


def with_halves(data: np.ndarray, layout: Layout, *numbers: float) -> np.ndarray:
    """Return blocks with these float16 numbers, the last of which is used where there are more."""
    data = data.copy()
    for i, place in enumerate(layout.halves):
        data[:, place : place + 2] = np.array([numbers[min(i, len(numbers) - 1)]], "<f2").view(np.uint8)
    return data


def blocks(layouts: Layouts) -> Callable[[str], st.SearchStrategy[dict[str, Any]]]:
    """Return a strategy of one or two blocks, of zeros or random bytes but for a few, and finite float16 numbers."""

    @st.composite
    def drawn(draw: st.DrawFn, convention: str) -> dict[str, Any]:
        layout = layouts(convention)
        count, seed = draw(st.integers(1, 2)) * layout.size, draw(st.integers(0, 2**16))
        data = np.random.default_rng(seed).integers(0, 256 if seed else 1, count, np.uint8)
        for place, byte in draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, 255)), max_size=5)):
            data[place] = byte
        return {"data": with_halves(data.reshape(-1, layout.size), layout, draw(HALVES), draw(HALVES))}

    return drawn


def bits(layouts: Layouts, field: str) -> Callable[[str], st.SearchStrategy[dict[str, Any]]]:
    """Return a strategy of places of a bit in the codes or the scales, and of a byte for all codes."""

    def drawn(convention: str) -> st.SearchStrategy[dict[str, Any]]:
        places: slice = getattr(layouts(convention), field)
        bit = st.integers(8 * places.start, 8 * places.stop - 1)
        return st.fixed_dictionaries({"bit": bit, "codes": st.sampled_from((0, 255, 0x5A))})

    return drawn


def changed_weights(dequantize: Callable[..., Any], layout: Layout, bit: int, codes: int) -> list[int]:
    """Return the weights that a bit changes, in a block whose scales are not 0."""
    data = np.full((1, layout.size), codes, np.uint8)
    data[:, layout.scales] = 0x11
    data = with_halves(data, layout, 1.0)
    other = data.copy()
    other[0, bit // 8] ^= 1 << bit % 8
    return np.flatnonzero(np.asarray(dequantize(data)) != np.asarray(dequantize(other))).tolist()


def block_properties(layouts: Layouts) -> tuple[Property, ...]:
    """Return the properties of a `dequantize` of blocks with such layouts."""

    def blocks_are_on_their_own(dequantize: Callable[..., Any], convention: str, data: np.ndarray) -> None:
        """A block has the same weights without the others."""
        layout = layouts(convention)
        x = np.asarray(dequantize(data))
        wanted = (layout.weights * len(data),)
        assert x.shape == wanted, f"{len(data)} blocks have weights of shape {wanted}, got {x.shape}"
        for i, block in enumerate(x.reshape(len(data), -1)):
            alone = np.asarray(dequantize(data[i : i + 1]))
            assert np.array_equal(alone, block), f"weights of block {i} are {block}, but alone {alone}"

    def doubles_with_the_float16_scales(dequantize: Callable[..., Any], convention: str, data: np.ndarray) -> None:
        """Where all float16 numbers are twice as large, so are all weights."""
        layout = layouts(convention)
        halves = [float(data[0, place : place + 2].copy().view("<f2")[0]) for place in layout.halves]
        halves = [max(-3e4, min(3e4, half)) for half in halves]
        x = np.asarray(dequantize(with_halves(data, layout, *halves)))
        double = np.asarray(dequantize(with_halves(data, layout, *(2 * half for half in halves))))
        wrong = np.flatnonzero(double != 2 * x)
        assert not wrong.size, f"weight {wrong[0]} must become {2 * x[wrong[0]]}, got {double[wrong[0]]}"

    def a_bit_of_the_codes_is_of_one_weight(
        dequantize: Callable[..., Any], convention: str, bit: int, codes: int
    ) -> None:
        """Every bit of the codes changes one weight."""
        changed = changed_weights(dequantize, layouts(convention), bit, codes)
        assert len(changed) == 1, f"bit {bit % 8} of byte {bit // 8} must change one weight, got {changed}"

    return (
        Property("dequantize", blocks_are_on_their_own, blocks(layouts)),
        Property("dequantize", doubles_with_the_float16_scales, blocks(layouts)),
        Property("dequantize", a_bit_of_the_codes_is_of_one_weight, bits(layouts, "codes")),
    )


def super_block_properties(layout: Layout) -> tuple[Property, ...]:
    """Return these and those of the scales, which the formats of 256 weights have."""

    def a_bit_of_the_scales_is_of_one_group(
        dequantize: Callable[..., Any], convention: str, bit: int, codes: int
    ) -> None:
        """Every bit of the scales and minima changes the weights of one group, and of no other."""
        changed = changed_weights(dequantize, layout, bit, 255)
        group = layout.group
        whole = [i for i in range(256) if changed and i // group == changed[0] // group]
        where = f"bit {bit % 8} of byte {bit // 8}"
        assert changed, f"{where} must change weights"
        assert changed == whole, f"{where} must change the weights {whole}, got {changed}"

    return (
        *block_properties(lambda _: layout),
        Property("dequantize", a_bit_of_the_scales_is_of_one_group, bits(lambda _: layout, "scales")),
    )
