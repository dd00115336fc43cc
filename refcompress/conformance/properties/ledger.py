"""Properties of the ledger."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from refcompress.conformance.properties.property import Property
from refcompress.formulas.coding import ledger


def _entry(count: int, bits: int, groups: int, float_bytes: int) -> tuple[int, ...]:
    return tuple(ledger.entry(count, bits, groups, float_bytes))


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "entry": lambda convention: _entry,
    "unused_bits": lambda convention: ledger.unused_bits,
    "ratio": lambda convention: ledger.ratio,
}
COUNTS = st.integers(0, 40) | st.integers(0, 2**40)
BITS = st.integers(1, 64)


def tensors(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Small counts and some beyond 32 bits."""
    groups, float_bytes = st.integers(0, 1000), st.sampled_from([4, 2, 1, 8])
    return st.builds(dict, count=COUNTS, bits=BITS, groups=groups, float_bytes=float_bytes)


def codes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Small counts and some beyond 32 bits."""
    return st.builds(dict, count=COUNTS, bits=BITS)


def sizes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Bytes of two models."""
    positive = st.integers(1, 100) | st.integers(1, 2**45)
    return st.builds(dict, original_bytes=positive, compressed_bytes=positive)


def fits_and_not_a_byte_more(
    entry: Callable[..., Any], convention: str, count: int, bits: int, groups: int, float_bytes: int
) -> None:
    """n codes of b bits fit into the payload, and not into a byte less."""
    payload = int(entry(count, bits, groups, float_bytes)[0])
    room = 8 * payload - count * bits
    assert 0 <= room < 8, f"{count} codes of {bits} bits leave {room} bits of {payload} bytes"


def groups_cost_alike(
    entry: Callable[..., Any], convention: str, count: int, bits: int, groups: int, float_bytes: int
) -> None:
    """Every group costs a scale and an offset of float_bytes, and no payload."""
    found, more = (list(map(int, entry(count, bits, n, float_bytes))) for n in (groups, groups + 1))
    cost = [b - a for a, b in zip(found, more, strict=True)]
    assert cost == [0, float_bytes, float_bytes], f"one group more must cost twice {float_bytes} bytes, got {cost}"
    assert found[1:] == [groups * float_bytes] * 2, f"{groups} groups of {float_bytes} bytes cost {found[1:]}"


def fills_the_last_byte(unused_bits: Callable[..., Any], convention: str, count: int, bits: int) -> None:
    """With the unused bits the codes are whole bytes, and there are fewer than 8 of them."""
    found = int(unused_bits(count, bits))
    assert 0 <= found < 8, f"there must be 0 to 7 unused bits, got {found}"
    assert (count * bits + found) % 8 == 0, f"{count} codes of {bits} bits and {found} more are no whole bytes"


def is_the_other_way_round(
    ratio: Callable[..., Any], convention: str, original_bytes: int, compressed_bytes: int
) -> None:
    """The ratio times the ratio the other way round is 1, and above 1 is what is smaller."""
    there, back = float(ratio(original_bytes, compressed_bytes)), float(ratio(compressed_bytes, original_bytes))
    assert abs(there * back - 1) <= 2.0**-51, f"{there} times {back} must be 1"  # three roundings
    larger = (original_bytes > compressed_bytes) - (original_bytes < compressed_bytes)
    assert larger * there >= larger, f"{original_bytes} to {compressed_bytes} bytes is {there}"


PROPERTIES = (
    Property("entry", fits_and_not_a_byte_more, tensors),
    Property("entry", groups_cost_alike, tensors),
    Property("unused_bits", fills_the_last_byte, codes),
    Property("ratio", is_the_other_way_round, sizes),
)
AGREES = {"entry": tensors, "unused_bits": codes, "ratio": sizes}
