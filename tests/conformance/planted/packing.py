"""Wrong packers: what each property must see."""

import numpy as np

from refcompress.formulas.coding import packing


def truncates(q, bits):
    return packing.pack(q, bits)[: len(q) * bits // 8]


def sets_the_padding(q, bits):
    data = packing.pack(q, bits)
    if len(q) * bits % 8:
        data[-1] |= 128
    return data


def last_first(q, bits):
    return packing.pack(q[::-1], bits)


def signed(data, bits, count):
    q = packing.unpack(data, bits, count).astype(np.int32)
    return q - (q >> bits - 1 << bits)


def top_bit_lost(data, bits, count):
    return packing.unpack(data, bits, count) & (2**bits - 1 >> 1)


def from_the_end(data, bits, count):
    return packing.unpack(data, bits, count)[::-1]


# property: (convention, wrong implementation)
PLANTED = {
    "has_the_least_length": ("default", truncates),
    "keeps_every_one": ("default", sets_the_padding),
    "starts_alike": ("default", last_first),
    "gives_back_codes": ("default", signed),
    "reads_every_one": ("default", top_bit_lost),
    "reads_groups_alone": ("default", from_the_end),
}
