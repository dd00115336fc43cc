"""Wrong packing orders: what each property must see."""

import numpy as np

from refcompress.formulas.coding import packing


def no_whole_words(q, bits):
    return packing.pack(q, bits, "lsb")


def sorted_first(q, bits):
    return packing.pack(np.sort(q), bits, "awq")


def as_many_as_the_words_hold(data, bits, count):
    return packing.unpack(data, bits, len(data) // 4 * (32 // bits), "int32_words")


def sorted_codes(data, bits, count):
    return np.sort(packing.unpack(data, bits, count, "ggml"))


# property: (convention, wrong implementation)
PLANTED = {
    "has_whole_words": ("int32_dense", no_whole_words),
    "has_a_place_for_every_bit": ("awq", sorted_first),
    "reads_codes": ("int32_words", as_many_as_the_words_hold),
    "reads_every_bit_by_itself": ("ggml", sorted_codes),
}
