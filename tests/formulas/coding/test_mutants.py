"""Tests of the tests: every error planted in the package's module fails the check named beside it."""

import math

import numpy as np
import pytest

from refcompress.formulas.coding import ledger, packing
from tests.formulas.coding import checks
from tests.formulas.coding import test_packing_orders as orders
from tests.formulas.planted import planted
from tests.oracles import packing_orders as orders_oracle


def packs(change):
    """The module that packs change(q, bits)."""
    return planted(packing, pack=lambda q, bits: packing.pack(change(np.asarray(q), bits), bits))


def lowest_bit_lost(q, bits):
    """Of the fifth of 8 codes, where a second word of 64 bits begins."""
    q = q.copy()
    if bits > 8 and q.size >= 24:
        q.reshape(-1)[4::8] &= 2**bits - 2
    return q


def groups_exchanged(q, bits):
    q = q.ravel()
    return q if q.size < 24 else np.concatenate([q[8:16], q[:8], q[16:]])


def with_codes(allowed):
    """The module that packs the codes of allowed(q, bits), or raises ValueError, and masks the others."""

    def change(q, bits):
        if not np.all(allowed(q, bits)):
            raise ValueError("code")
        return np.array([int(code) & 2**bits - 1 for code in q.flat], np.uint16)

    return packs(change)


def sized(data, bits, count):
    """As many bytes as the codes have, zeros at the end."""
    return np.resize(np.append(data, np.zeros(64, np.uint8)), -(-count * bits // 8))


def unpacks(change):
    """The module that unpacks change(data, bits, count)."""
    return planted(packing, unpack=lambda data, bits, count: packing.unpack(change(data, bits, count), bits, count))


def not_shorter(data, bits, count):
    return sized(data, bits, count) if data.size * 8 >= count * bits else data


def spare_bits_cleared(first):
    """Those from the first-th last bit on."""

    def change(data, bits, count):
        data, used = data.copy(), count * bits % 8
        if used and data.size == -(-count * bits // 8):
            data[-1] &= (1 << used) - 1 | (0x100 - (0x100 >> first))
        return data

    return unpacks(change)


def always_uint16(data, bits, count):
    return packing.unpack(data, bits, count).astype(np.uint16)


def nothing_is_float(q, bits):
    return packing.pack(q, bits) if np.asarray(q).size else np.array([])


def payload_in_floats(count, bits, groups, float_bytes=4):
    return ledger.entry(count, bits, groups, float_bytes)._replace(payload=math.ceil(count * bits / 8))


MUTANTS = {
    "words overlap": (packs(lowest_bit_lost), checks.packing_every_bit),
    "groups exchanged": (packs(groups_exchanged), checks.packing_every_bit),
    "columns first": (packs(lambda q, bits: q.ravel(order="F")), checks.packing_of_arrays),
    "memory order": (packs(lambda q, bits: q.ravel(order="K")), checks.packing_of_arrays),
    "codes are masked": (with_codes(lambda q, bits: True), checks.packing_refuses_codes),
    "negative codes": (with_codes(lambda q, bits: q < 2**bits), checks.packing_refuses_codes),
    "the code 2^b": (with_codes(lambda q, bits: (q >= 0) & (q <= 2**bits)), checks.packing_refuses_codes),
    "codes are cast first": (
        with_codes(lambda q, bits: q.astype(np.uint16) < 2**bits),
        checks.packing_refuses_codes,
    ),
    "the first code is checked": (
        with_codes(lambda q, bits: (q.ravel()[:1] >= 0) & (q.ravel()[:1] < 2**bits)),
        checks.packing_refuses_codes,
    ),
    "any length": (unpacks(sized), checks.unpacking_refuses_data),
    "any longer length": (unpacks(not_shorter), checks.unpacking_refuses_data),
    "spare bits": (spare_bits_cleared(0), checks.unpacking_refuses_data),
    "the last spare bit": (spare_bits_cleared(1), checks.unpacking_refuses_data),
    "always uint16": (planted(packing, unpack=always_uint16), checks.packing_small_domain),
    "nothing is float": (planted(packing, pack=nothing_is_float), checks.packing_of_nothing),
    "payload in floats": (planted(ledger, entry=payload_in_floats), checks.ledger_is_exact_for_large_counts),
    "eight unused bits": (
        planted(ledger, unused_bits=lambda count, bits: 8 - count * bits % 8),
        checks.ledger_matches_the_oracle,
    ),
}


# Orders.


def taken_for(one, other):
    """The module in which an order is another."""
    return planted(
        packing,
        pack=lambda q, bits, order: packing.pack(q, bits, other if order == one else order),
        unpack=lambda data, bits, count, order: packing.unpack(data, bits, count, other if order == one else order),
    )


def packs_in_order(change):
    """The module that packs change(q, bits, order)."""
    return planted(packing, pack=lambda q, bits, order: packing.pack(change(q, bits, order), bits, order))


def unpacks_in_order(change):
    """The module that unpacks change(data, bits, count, order)."""
    return planted(
        packing,
        unpack=lambda data, bits, count, order: packing.unpack(change(data, bits, count, order), bits, count, order),
    )


def bytes_for_words(q, bits, order):
    data = packing.pack(q, bits, order)
    return data[: orders_oracle.size(q.size, bits, "lsb")] if order == "int32_dense" else data


def highest_bit_missing(q, bits, order):
    return q & (2**bits - 1) // 2 if order == "torchao_uintx" and bits == 7 else q


def filling_cleared(last):
    """Bits that no code has, but for those in the last bits."""

    def change(data, bits, count, order):
        data = data.copy()
        for place in orders_oracle.unused(count, bits, order):
            if place < 8 * data.size - last:
                data[place // 8] &= ~np.uint8(1 << place % 8)
        return data

    return unpacks_in_order(change)


def filled_up(q, bits, order):
    q = q.ravel()
    return np.append(q, np.zeros(-q.size % orders_oracle.multiple(bits, order), q.dtype))


def longer_data(data, bits, count, order):
    size = orders_oracle.size(count, bits, order)
    return data[:size]


def any_width(q, bits, order):
    return packing.pack(q, bits, order if bits in orders_oracle.WIDTHS[order] else "lsb")


ORDER_MUTANTS = {
    "AWQ in order": (taken_for("awq", "lsb"), orders.order_literals),
    "bytes for words": (planted(packing, pack=bytes_for_words), orders.order_every_count),
    "the highest bit of 7 missing": (packs_in_order(highest_bit_missing), orders.order_every_bit),
    "filling ignored": (filling_cleared(0), orders.order_refuses_padding),
    "only the last word is checked": (filling_cleared(32), orders.order_refuses_padding),
    "filled up silently": (packs_in_order(filled_up), orders.order_refuses_counts),
    "any longer length": (unpacks_in_order(longer_data), orders.order_refuses_lengths),
    "codes are masked": (packs_in_order(lambda q, bits, order: q & 2**bits - 1), orders.order_refuses_codes),
    "any width": (planted(packing, pack=any_width), orders.order_refuses_widths),
}
MUTANTS |= {f"orders: {name}": pair for name, pair in ORDER_MUTANTS.items()}


@pytest.mark.parametrize("name", MUTANTS)
def test_wrong_is_caught(name):
    wrong, check = MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)
