"""Properties of dense packing."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.coding import packing

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "pack": lambda convention: packing.pack,
    "unpack": lambda convention: packing.unpack,
}


@st.composite
def codes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 20 codes of any width."""
    bits = draw(st.integers(1, 16))
    values = draw(st.lists(st.integers(0, 2**bits - 1), max_size=20))
    return {"q": np.array(values, np.uint8 if bits <= 8 else np.uint16), "bits": bits}


def in_bytes(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return what unpack takes."""
    return {"data": packing.pack(drawn["q"], drawn["bits"]), "bits": drawn["bits"], "count": len(drawn["q"])}


def packed(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 20 codes, packed."""
    return codes(convention).map(in_bytes)


many_codes = longer(codes, repeated(q=0))


def many_packed(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Many codes, packed."""
    return many_codes(convention).map(in_bytes)


def has_the_least_length(pack: Callable[..., Any], convention: str, q: np.ndarray, bits: int) -> None:
    """n codes of b bits take ⌈n·b/8⌉ bytes."""
    wanted = -(-len(q) * bits // 8)
    assert np.shape(pack(q, bits)) == (wanted,), f"{len(q)} codes of {bits} bits take {wanted} bytes"


def keeps_every_one(pack: Callable[..., Any], convention: str, q: np.ndarray, bits: int) -> None:
    """The bytes have as many ones as the codes: none is lost, and what is left of the last byte is 0."""
    ones = sum(int(code).bit_count() for code in q)
    assert sum(int(byte).bit_count() for byte in np.ravel(pack(q, bits))) == ones, f"there are {ones} ones in the codes"


def starts_alike(pack: Callable[..., Any], convention: str, q: np.ndarray, bits: int) -> None:
    """Eight codes fill b bytes, whatever follows: the first eight codes alone give the first b bytes."""
    data = np.ravel(pack(q, bits))[:bits]
    if len(q) >= 8:
        assert np.array_equal(pack(q[:8], bits), data), "the bytes of the first eight codes depend on the others"


def gives_back_codes(unpack: Callable[..., Any], convention: str, data: np.ndarray, bits: int, count: int) -> None:
    """Every code has at most b bits, and there are as many as asked for."""
    q = np.asarray(unpack(data, bits, count))
    assert q.shape == (count,), f"there must be {count} codes, got shape {q.shape}"
    assert all(0 <= code < 2**bits for code in q.tolist()), f"codes must be from 0 to {2**bits - 1}"


def reads_every_one(unpack: Callable[..., Any], convention: str, data: np.ndarray, bits: int, count: int) -> None:
    """The codes have as many ones as the bytes."""
    found = np.ravel(unpack(data, bits, count)).tolist()
    ones = sum(int(byte).bit_count() for byte in data)
    assert sum(int(code).bit_count() for code in found) == ones, f"there are {ones} ones in the bytes, got {found}"


def reads_groups_alone(unpack: Callable[..., Any], convention: str, data: np.ndarray, bits: int, count: int) -> None:
    """The first b bytes alone are the first eight codes."""
    if count >= 8:
        found, alone = np.asarray(unpack(data, bits, count))[:8], np.asarray(unpack(data[:bits].copy(), bits, 8))
        assert np.array_equal(found, alone), f"the first {bits} bytes alone are {alone}, not {found}"


PROPERTIES = (
    Property("pack", has_the_least_length, codes),
    Property("pack", keeps_every_one, codes),
    Property("pack", starts_alike, codes),
    Property("unpack", gives_back_codes, packed),
    Property("unpack", reads_every_one, packed),
    Property("unpack", reads_groups_alone, packed),
)
AGREES = {"pack": codes, "unpack": packed}
LONGER = {"pack": many_codes, "unpack": many_packed}
