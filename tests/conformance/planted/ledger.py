"""Wrong ledgers: what each property must see."""


def one_byte_more(count, bits, groups, float_bytes):
    return count * bits // 8 + 1, groups * float_bytes, groups * float_bytes


def no_offsets(count, bits, groups, float_bytes):
    return -(-count * bits // 8), groups * float_bytes, 0


def eight_for_none(count, bits):
    return 8 - count * bits % 8


def integer_division(original_bytes, compressed_bytes):
    return float(original_bytes // compressed_bytes)


# property: (convention, wrong implementation)
PLANTED = {
    "fits_and_not_a_byte_more": ("default", one_byte_more),
    "groups_cost_alike": ("default", no_offsets),
    "fills_the_last_byte": ("default", eight_for_none),
    "is_the_other_way_round": ("default", integer_division),
}
