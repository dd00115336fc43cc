"""Properties of the packing orders."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import Drawn, longer, resized
from refcompress.conformance.properties.property import Property
from refcompress.formulas.coding import packing
from refcompress.formulas.coding.packing_orders import ORDERS

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "pack": lambda convention: partial(packing.pack, order=convention),
    "unpack": lambda convention: partial(packing.unpack, order=convention),
}


def _multiple(order: str, bits: int) -> int:
    """Return what a count must be a multiple of."""
    entry = ORDERS[order]
    if entry.dense or bits in entry.padded:
        return 1
    return max(entry.multiple, 8 * entry.words[bits] // bits * (entry.stride or 1))


@st.composite
def codes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Codes of a width that the order has: up to 20, or where it takes only whole blocks, one block or two."""
    bits = draw(st.sampled_from(sorted(ORDERS[convention].words, reverse=True)))
    step = _multiple(convention, bits)
    count = step * draw(st.integers(0, max(20 // step, 2)))
    q = np.frombuffer(draw(st.binary(min_size=2 * count, max_size=2 * count)), "<u2") & (2**bits - 1)
    return {"q": q.astype(np.uint8 if bits <= 8 else np.uint16), "bits": bits}


def many_codes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Many codes, up to whole blocks where the order takes only these."""

    def more_codes(drawn: dict[str, Any], n: int) -> dict[str, Any]:
        step = _multiple(convention, drawn["bits"])
        return drawn | {"q": resized(drawn["q"], 0, -(-n // step) * step)}

    return longer(codes, more_codes)(convention)


def _packed(codes: Drawn) -> Drawn:
    """Return a strategy of the same, packed."""

    def in_bytes(convention: str, q: np.ndarray, bits: int) -> dict[str, Any]:
        return {"data": packing.pack(q, bits, convention), "bits": bits, "count": len(q)}

    return lambda convention: codes(convention).map(lambda drawn: in_bytes(convention, **drawn))


packed, many_packed = _packed(codes), _packed(many_codes)


def has_whole_words(pack: Callable[..., Any], convention: str, q: np.ndarray, bits: int) -> None:
    """The bytes are whole words of the order, 1 or 4 bytes each, and as few as hold the codes."""
    size, entry = np.size(pack(q, bits)), ORDERS[convention]
    word = entry.words[bits]
    # codes that run on from word to word, or are cut, fill all bits; else a word has ⌊bits of it/b⌋ whole ones
    least = -(-len(q) * bits // 8 // word) if entry.dense or entry.parts else -(-len(q) // (8 * word // bits))
    assert size == least * word, f"{len(q)} codes of {bits} bits take {least} words of {word} bytes, got {size} bytes"


def has_a_place_for_every_bit(pack: Callable[..., Any], convention: str, q: np.ndarray, bits: int) -> None:
    """Every bit of a code is one bit of the bytes, wherever the others are 0 or 1, and what no code has is 0."""
    data, others = np.asarray(pack(q, bits)), np.asarray(pack(q ^ (2**bits - 1), bits))
    assert data.shape == others.shape, f"as many codes take {data.size} and {others.size} bytes"
    assert not (data & others).any(), f"{data} and {others}, of all other bits, overlap"
    ones = [sum(int(number).bit_count() for number in array) for array in (q, data, others)]
    wanted = [ones[0], ones[0], len(q) * bits - ones[0]]
    assert ones == wanted, f"{wanted[1]} ones and {wanted[2]} zeros give {ones[1]} ones, turned round {ones[2]}"


def reads_codes(unpack: Callable[..., Any], convention: str, data: np.ndarray, bits: int, count: int) -> None:
    """There are as many codes as asked for, of b bits, with as many ones as the bytes."""
    q = np.asarray(unpack(data, bits, count))
    assert q.shape == (count,), f"there must be {count} codes, got shape {q.shape}"
    assert all(0 <= code < 2**bits for code in q.tolist()), f"codes must be from 0 to {2**bits - 1}, got {q}"
    ones = sum(int(byte).bit_count() for byte in data)
    assert sum(int(code).bit_count() for code in q) == ones, f"there are {ones} ones in the bytes, got {q}"


def reads_every_bit_by_itself(
    unpack: Callable[..., Any], convention: str, data: np.ndarray, bits: int, count: int
) -> None:
    """Where every bit that a code has is turned round, so is every bit of the codes."""
    top = 2**bits - 1
    turned = data ^ packing.pack(np.full(count, top), bits, convention)
    q, other = np.asarray(unpack(data, bits, count)), np.asarray(unpack(turned, bits, count))
    assert np.array_equal(q ^ top, other), f"{data} is {q}, but turned round {other}"


PROPERTIES = (
    Property("pack", has_whole_words, codes),
    Property("pack", has_a_place_for_every_bit, codes),
    Property("unpack", reads_codes, packed),
    Property("unpack", reads_every_bit_by_itself, packed),
)
AGREES = {"pack": codes, "unpack": packed}
LONGER = {"pack": many_codes, "unpack": many_packed}
