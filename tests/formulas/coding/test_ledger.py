"""The ledger: literals, bytes counted one by one, what packing really gives, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.coding import ledger, packing
from tests.formulas.coding import checks
from tests.oracles import ledger as oracle


@pytest.mark.parametrize("check", checks.LEDGER)
def test_property(check):
    check(ledger)


def test_names_of_an_entry():
    entry = ledger.entry(count=9, bits=4, groups=3, float_bytes=8)
    assert isinstance(entry, ledger.Entry)
    assert entry._fields == ("payload", "scales", "offsets")
    assert entry == ledger.Entry(payload=5, scales=24, offsets=24)
    assert all(type(part) is int for part in entry)
    assert ledger.entry(9, 4, 3) == ledger.entry(9, 4, 3, float_bytes=4)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 300), st.integers(1, 16), st.integers(1, 50), st.sampled_from([2, 4, 8]))
def test_random_entries(count, bits, groups, float_bytes):
    assert ledger.entry(count, bits, groups, float_bytes) == (
        oracle.payload(count, bits),
        groups * float_bytes,
        groups * float_bytes,
    )
    assert ledger.unused_bits(count, bits) == oracle.unused_bits(count, bits)


def test_payload_is_the_length_of_the_packed_codes():
    for bits in range(1, 17):
        for count in (1, 2, 3, 7, 8, 9, 30):
            assert ledger.entry(count, bits, 1).payload == packing.pack(np.zeros(count, int), bits).size


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_ratio(original, compressed):
    assert ledger.ratio(original, compressed) == float(oracle.ratio(original, compressed))


def test_numpy_integers():
    assert ledger.entry(np.int64(9), np.int32(4), np.uint8(3)) == (5, 12, 12)
    assert ledger.unused_bits(np.int64(3), np.int64(4)) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", -1),
        ("bits", 0),
        ("bits", -4),
        ("groups", -1),
        ("float_bytes", -4),
    ],
)
def test_out_of_range(name, value):
    arguments = {"count": 9, "bits": 4, "groups": 3, "float_bytes": 4, name: value}
    with pytest.raises(ValueError, match=rf"{name}.*{value}"):
        ledger.entry(**arguments)
    if name in ("count", "bits"):
        with pytest.raises(ValueError, match=rf"{name}.*{value}"):
            ledger.unused_bits(arguments["count"], arguments["bits"])


@pytest.mark.parametrize("name", ["count", "bits", "groups", "float_bytes"])
@pytest.mark.parametrize("value", [4.0, True, "4", None])
def test_wrong_type(name, value):
    arguments = {"count": 9, "bits": 4, "groups": 3, "float_bytes": 4, name: value}
    with pytest.raises(TypeError, match=name):
        ledger.entry(**arguments)
    if name in ("count", "bits"):
        with pytest.raises(TypeError, match=name):
            ledger.unused_bits(arguments["count"], arguments["bits"])


@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_compressed_bytes_out_of_range(value):
    with pytest.raises(ValueError, match="compressed_bytes"):
        ledger.ratio(10, value)


@pytest.mark.parametrize("value", ["4", None, True])
def test_bytes_of_the_wrong_type(value):
    with pytest.raises(TypeError, match="original_bytes"):
        ledger.ratio(value, 5)
    with pytest.raises(TypeError, match="compressed_bytes"):
        ledger.ratio(5, value)
