"""Packing orders: hand-worked bytes, every bit of every order against the oracle, and the error paths."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.coding import packing, packing_orders
from tests.formulas.coding.checks import code_dtype, frozen, raises_value_error
from tests.oracles import packing_orders as oracle

KINDS = [(order, bits) for order, widths in oracle.WIDTHS.items() for bits in widths]
WHOLE = [(order, bits) for order, bits in KINDS if order != "torchao_uintx" or bits in (1, 2, 4)]  # codes stay whole
WORDS = [(order, bits) for order, bits in WHOLE if order not in ("lsb", "int32_dense")]


def counts(order, bits):
    """Counts that the order takes: all to 70, and the first whole blocks of orders whose blocks are longer."""
    step = oracle.multiple(bits, order)
    return [*range(0, 71, step), *(count for count in (step, 2 * step, 3 * step) if count > 70)]


@functools.cache
def codes_of(bits, count, seed=0):
    return frozen(np.random.default_rng((seed, bits, count)).integers(0, 2**bits, count), code_dtype(bits))


@functools.cache
def full(bits, count):
    return frozen(np.full(count, 2**bits - 1), code_dtype(bits))


def zeros_but(count, **codes):
    """Return zeros but for the codes given by their place: c5=7 is a 7 in place 5."""
    found = [0] * count
    for place, code in codes.items():
        found[int(place[1:])] = code
    return found


# What an implementation of pack(q, bits, order) and unpack(data, bits, count, order) must satisfy.

LITERALS = [
    # compressed-tensors 0.20, pack_to_int32: code k at bit k·b of one stream, which ends with a whole word
    ("int32_dense", 4, [1, 2, 3, 4, 5, 6, 7, 8], [0x21, 0x43, 0x65, 0x87]),
    ("int32_dense", 4, [1, 2, 3], [0x21, 0x03, 0, 0]),
    ("int32_dense", 3, zeros_but(11, c10=7), [0, 0, 0, 0xC0, 0x01, 0, 0, 0]),  # bits 30, 31 | 32
    ("int32_dense", 5, [31, 0, 0, 0, 0, 0, 31], [0x1F, 0, 0, 0xC0, 0x07, 0, 0, 0]),  # 30, 31 | 32 … 34
    # compressed-tensors 0.9 and qlinear kernels of GPTQ: 32 // b codes in a word, the first lowest
    ("int32_words", 4, [1, 2, 3, 4, 5, 6, 7, 8, 9], [0x21, 0x43, 0x65, 0x87, 9, 0, 0, 0]),
    ("int32_words", 3, zeros_but(11, c10=7), [0, 0, 0, 0, 7, 0, 0, 0]),
    ("int32_words", 3, zeros_but(10, c9=7), [0, 0, 0, 0x38]),  # bits 27 … 29
    ("int32_words", 5, [1, 2, 3, 4, 5, 6, 7], [0x41, 0x0C, 0x52, 0x0C, 7, 0, 0, 0]),  # 0x0C520C41
    ("int32_words", 7, [127, 0, 0, 127, 1], [0x7F, 0, 0xE0, 0x0F, 1, 0, 0, 0]),  # bits 0 … 6 and 21 … 27
    ("int32_words", 8, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0, 0, 0]),
    # AutoAWQ, order_map [0, 2, 4, 6, 1, 3, 5, 7]: the word is 0x75316420
    ("awq", 4, [0, 1, 2, 3, 4, 5, 6, 7], [0x20, 0x64, 0x31, 0x75]),
    ("awq", 4, zeros_but(16, c9=15), [0, 0, 0, 0, 0, 0, 0x0F, 0]),  # nibble 4 of the second word
    # ONNX, IR spec on 4-bit and 2-bit tensors: the first element in the least significant bits
    ("low_nibble_first", 4, [1, 2, 3], [0x21, 0x03]),
    ("low_nibble_first", 2, [0, 1, 2, 3, 1], [0xE4, 0x01]),
    # bitsandbytes, quantize_4bit: even elements << 4 | odd elements
    ("high_nibble_first", 4, [1, 2, 3, 4], [0x12, 0x34]),
    ("high_nibble_first", 2, [0, 1, 2, 3], [0x1B]),
    # ggml, block_q4_0: qs[j] has weight j low and weight j + 16 high
    ("ggml", 4, [*range(16), *range(15, -1, -1)], [16 * (15 - j) + j for j in range(16)]),
    ("ggml", 4, zeros_but(64, c33=7, c50=9), [*[0] * 17, 0x07, 0x90, *[0] * 13]),
    # ggml, block_q4_K (qs), block_q2_K (qs) and block_q3_K (hmask)
    ("ggml_32", 4, [1] * 32 + [2] * 32, [0x21] * 32),
    ("ggml_32", 4, zeros_but(128, c33=7, c66=9), [0, 0x70, *[0] * 32, 0x09, *[0] * 29]),
    ("ggml_32", 2, [0] * 32 + [1] * 32 + [2] * 32 + [3] * 32, [0xE4] * 32),
    ("ggml_32", 1, [1] * 32 + [0] * 192 + [1] * 32, [0x81] * 32),
    # ggml, block_q6_K (ql)
    ("ggml_64", 4, zeros_but(128, c3=9, c65=5), [0, 0x50, 0, 0x09, *[0] * 60]),
    # hqq 0.2.8, BitPack: pack_4bit_u8 is W[:n/2] << 4 | W[n/2:], and so on for 2 and 1 bits; ten of 3 bits in an int32
    ("hqq", 4, [0, 1, 2, 3, 4, 5, 6, 7], [0x04, 0x15, 0x26, 0x37]),
    ("hqq", 2, [0, 1, 2, 3, 3, 2, 1, 0], [0b00_10_11_01, 0b01_11_10_00]),
    ("hqq", 1, zeros_but(16, c0=1, c15=1, c2=1), [0b1100_0000, 0b0000_0001]),
    ("hqq", 8, [1, 254, 3], [1, 254, 3]),
    ("hqq", 3, [1, 2, 3, 4, 5, 6, 7, 0, 1, 2], [0x0A, 0xEE, 0x72, 0x0A]),  # 0o1234567012
    ("hqq", 3, zeros_but(12, c11=7), [0, 0, 0, 0, 0, 0x70, 0, 0]),  # 7 << 12 in the second word
    ("hqq", 3, [5], [0, 0, 0, 0x28]),  # 5 << 27
    # torchao 0.18, uintx bitpacking: shards of 4, 2 and 1 bits, of each the first part of the codes lowest
    ("torchao_uintx", 4, [0, 1, 2, 3, 4, 5, 6, 7], [0x40, 0x51, 0x62, 0x73]),
    ("torchao_uintx", 3, [0, 1, 2, 3, 4, 5, 6, 7], [0x88, 0xDD, 0xF0]),
    ("torchao_uintx", 7, zeros_but(8, c5=0b1_01_1010), [0, 0xA0, 0, 0, 0, 0x10, 0x20]),
    ("torchao_uintx", 1, [1, 0, 0, 0, 0, 0, 1, 1], [0b1100_0001]),
]


def order_literals(packing):
    for order, bits, codes, data in LITERALS:
        assert packing.pack(frozen(codes), bits, order).tolist() == data, f"{order}, {bits} bits, {codes}"
        assert packing.unpack(frozen(data, np.uint8), bits, len(codes), order).tolist() == codes


def order_every_count(packing):
    """Every order and width: counts 0 … 70 and whole blocks; full, and mixed codes."""
    for order, bits in KINDS:
        for count in counts(order, bits):
            for q in (codes_of(bits, count), full(bits, count)):
                assert_packs(packing, q, bits, order)


@functools.cache
def packed(codes, bits, order):
    """The oracle's bytes; every implementation is asked the same, so they are kept."""
    return oracle.pack(list(codes), bits, order)


@functools.cache
def place_of(code, j, count, bits, order):
    return oracle.bit(code, j, count, bits, order)


def assert_packs(packing, q, bits, order):
    expected = packed(tuple(q.ravel().tolist()), bits, order)
    data = packing.pack(q, bits, order)
    assert (data.dtype, data.ndim) == (np.uint8, 1)
    assert data.tolist() == expected, f"{order}, {bits} bits, {q.tolist()}: {data.tolist()}, not {expected}"
    back = packing.unpack(frozen(expected, np.uint8), bits, q.size, order)
    assert (back.dtype, back.shape) == (code_dtype(bits), (q.size,))
    assert back.tolist() == q.ravel().tolist(), f"{order}, {bits} bits, {expected}: {back.tolist()}"


def order_every_bit(packing):
    """One bit of every code at a time, in three words or two blocks: it is where the oracle says, and alone."""
    for order, bits in KINDS:
        step = oracle.multiple(bits, order)
        count = 2 * step if step >= 32 else -(-21 // step) * step
        size = oracle.size(count, bits, order)
        for code in range(count):
            for j in range(bits):
                place = place_of(code, j, count, bits, order)
                q, data = np.zeros(count, np.uint16), np.zeros(size, np.uint8)
                q[code], data[place // 8] = 1 << j, 1 << place % 8
                assert packing.pack(q, bits, order).tolist() == data.tolist(), f"{order}, {bits} bits: {code}, {j}"
                assert packing.unpack(data, bits, count, order).tolist() == q.tolist(), f"{order}: {code}, {j}"


def order_refuses_padding(packing):
    """A one in any bit that no code has raises, with all codes 0 and with all bits of the codes 1."""
    for order, bits in KINDS:
        for count in [count for count in counts(order, bits) if count <= 24]:
            ones = packed((2**bits - 1,) * count, bits, order)
            for place in oracle.unused(count, bits, order):
                for data in (np.zeros(len(ones), np.uint8), np.array(ones, np.uint8)):
                    data[place // 8] |= 1 << place % 8
                    assert raises_value_error(packing.unpack, data, bits, count, order), f"{order}, {bits}: {place}"


def order_refuses_lengths(packing):
    for order, bits in KINDS:
        for count in [count for count in counts(order, bits) if count <= 64]:
            size = oracle.size(count, bits, order)
            for wrong in {0, size - 1, size + 1, size + 4, 2 * size} - {size, -1}:
                data = np.zeros(wrong, np.uint8)
                assert raises_value_error(packing.unpack, data, bits, count, order), f"{order}, {bits}: {wrong} bytes"


def order_refuses_counts(packing):
    """Counts that do not fill the words of the order; nothing is filled up silently."""
    for order, bits in KINDS:
        step = oracle.multiple(bits, order)
        for count in [count for count in range(1, 71) if count % step]:
            assert raises_value_error(packing.pack, np.zeros(count, np.uint8), bits, order), f"{order}, {bits}: {count}"
            for size in (count * bits // 8, -(-count * bits // 8), 4 * -(-count * bits // 32)):
                assert raises_value_error(packing.unpack, np.zeros(size, np.uint8), bits, count, order)


def order_refuses_codes(packing):
    for order, bits in KINDS:
        count = oracle.multiple(bits, order)
        for code in (-1, 2**bits, 2**bits + 1, 2**8 + 1, 2**16, 2**32 + 1):
            if not 0 <= code < 2**bits:
                for place in (0, count - 1):
                    q = np.zeros(count, np.int64)
                    q[place] = code
                    assert raises_value_error(packing.pack, q, bits, order), f"{order}, {bits} bits accept {code}"


def order_refuses_widths(packing):
    for order, widths in oracle.WIDTHS.items():
        for bits in set(range(-1, 19)) - set(widths):
            assert raises_value_error(packing.pack, np.zeros(512, np.uint8), bits, order), f"{order} takes {bits} bits"
            assert raises_value_error(packing.unpack, np.zeros(64 * abs(bits), np.uint8), bits, 512, order)


ORDERED = (
    order_literals,
    order_every_count,
    order_every_bit,
    order_refuses_padding,
    order_refuses_lengths,
    order_refuses_counts,
    order_refuses_codes,
    order_refuses_widths,
)


@pytest.mark.parametrize("check", ORDERED)
def test_property(check):
    check(packing)


# ORDERS and parts


def test_the_orders_and_their_widths():
    assert {order: tuple(entry.words) for order, entry in packing_orders.ORDERS.items()} == oracle.WIDTHS
    assert all(entry.text for entry in packing_orders.ORDERS.values())


def test_parts():
    for order, bits in KINDS:
        expected = oracle.PIECES[bits] if order == "torchao_uintx" else (bits,)
        assert packing_orders.parts(bits, order) == expected
        assert packing_orders.parts(np.int64(bits), order) == expected


def test_which_libraries_agree():
    """With 4 bits and whole words, three orders are one; where b divides 32, the orders of 32-bit words are one."""
    codes = np.arange(64) % 16
    dense = packing.pack(codes, 4).tolist()
    for order in ("low_nibble_first", "int32_dense", "int32_words"):
        assert packing.pack(codes, 4, order).tolist() == dense
    assert packing.pack(codes[:32], 4, "torchao_uintx").tolist() == packing.pack(codes[:32], 4, "ggml").tolist()
    codes = [*[0] * 40, 1]
    for bits in (1, 2, 4, 8):
        assert packing.pack(codes, bits, "int32_dense").tolist() == packing.pack(codes, bits, "int32_words").tolist()
    for bits in (3, 5, 6, 7):
        assert packing.pack(codes, bits, "int32_dense").tolist() != packing.pack(codes, bits, "int32_words").tolist()


# layout


@pytest.mark.parametrize(
    ("count", "bits", "order", "expected"),
    [
        (5, 3, "lsb", (1, 5, 1)),
        (0, 3, "lsb", (1, 0, 1)),
        (5, 3, "int32_dense", (1, 5, 1)),
        (11, 3, "int32_words", (2, 10, 1)),
        (10, 3, "int32_words", (1, 10, 1)),
        (13, 5, "int32_words", (3, 6, 1)),
        (0, 5, "int32_words", (0, 6, 1)),
        (24, 4, "awq", (3, 8, 1)),
        (3, 4, "low_nibble_first", (2, 2, 1)),
        (5, 2, "low_nibble_first", (2, 4, 1)),
        (6, 4, "high_nibble_first", (3, 2, 1)),
        (96, 4, "ggml", (48, 2, 16)),
        (128, 4, "ggml_32", (64, 2, 32)),
        (128, 2, "ggml_32", (32, 4, 32)),
        (512, 1, "ggml_32", (64, 8, 32)),
        (256, 4, "ggml_64", (128, 2, 64)),
        (24, 2, "hqq", (6, 4, 6)),
        (24, 1, "hqq", (3, 8, 3)),
        (7, 8, "hqq", (7, 1, 7)),
        (10, 3, "hqq", (1, 10, 1)),
        (21, 3, "hqq", (3, 10, 3)),
        (24, 4, "torchao_uintx", (12, 2, 12)),
        (24, 1, "torchao_uintx", (3, 8, 3)),
    ],
)
def test_layout(count, bits, order, expected):
    found = packing_orders.layout(count, bits, order)
    assert found == expected
    assert all(type(number) is int for number in found)


@pytest.mark.parametrize(("order", "bits"), WORDS)
def test_layout_is_where_the_bits_are(order, bits):
    """The words are all bytes; neighbours in a word are s codes apart; a word has k of them."""
    for count in counts(order, bits)[1:]:
        words, k, s = packing_orders.layout(count, bits, order)
        numbered = oracle.arrange(list(range(1, count + 1)), bits, order)
        assert (words, k) == (len(numbered), len(numbered[0]))
        if k * s <= count:  # the first word is full
            row = sorted(numbered[0])
            assert [b - a for a, b in itertools.pairwise(row)] == [s] * (k - 1)


# arrange and restore


def test_arrange_literals():
    for order, bits, count, expected in (
        ("lsb", 3, 3, [[0, 1, 2]]),
        ("int32_dense", 5, 3, [[0, 1, 2]]),
        ("int32_words", 8, 6, [[0, 1, 2, 3], [4, 5, 0, 0]]),
        ("awq", 4, 16, [[0, 2, 4, 6, 1, 3, 5, 7], [8, 10, 12, 14, 9, 11, 13, 15]]),
        ("low_nibble_first", 4, 3, [[0, 1], [2, 0]]),
        ("high_nibble_first", 4, 4, [[1, 0], [3, 2]]),
        ("high_nibble_first", 2, 4, [[3, 2, 1, 0]]),
        ("ggml", 4, 32, [[j, j + 16] for j in range(16)]),
        ("ggml", 4, 64, [*([j, j + 16] for j in range(16)), *([j + 32, j + 48] for j in range(16))]),
        ("ggml_32", 2, 128, [[j, j + 32, j + 64, j + 96] for j in range(32)]),
        ("ggml_64", 4, 128, [[j, j + 64] for j in range(64)]),
        ("hqq", 4, 6, [[3, 0], [4, 1], [5, 2]]),
        ("hqq", 3, 12, [[0, 0, 0, 0, 10, 8, 6, 4, 2, 0], [0, 0, 0, 0, 11, 9, 7, 5, 3, 1]]),
        ("torchao_uintx", 2, 8, [[0, 2, 4, 6], [1, 3, 5, 7]]),
    ):
        codes = frozen(np.arange(count))
        found = packing_orders.arrange(codes, bits, order)
        assert found.tolist() == expected, order
        assert packing_orders.restore(frozen(expected), bits, order, count).tolist() == codes.tolist()


@pytest.mark.parametrize(("order", "bits"), WORDS)
def test_arrange_is_the_oracles(order, bits):
    """Codes are numbers of their own here: arranging is not about their size."""
    for count in counts(order, bits):
        for dtype in (np.int64, np.uint16, np.int32):
            codes = frozen(np.arange(1, count + 1), dtype)
            found = packing_orders.arrange(codes, bits, order)
            assert (found.dtype, found.ndim) == (np.dtype(dtype), 2)
            assert found.tolist() == oracle.arrange(codes.tolist(), bits, order)
            back = packing_orders.restore(frozen(found), bits, order, count)
            assert (back.dtype, back.tolist()) == (np.dtype(dtype), codes.tolist())


@pytest.mark.parametrize(("order", "bits"), WORDS)
def test_arrange_of_strided_and_negative_codes(order, bits):
    count = 3 * oracle.multiple(bits, order)
    wide = np.arange(-count, count)
    for codes in (wide[::2], wide[::-2]):
        found = packing_orders.arrange(codes, bits, order)
        assert found.tolist() == oracle.arrange(codes.tolist(), bits, order)
        assert packing_orders.restore(found[::-1][::-1], bits, order, count).tolist() == codes.tolist()
    assert wide.tolist() == list(range(-count, count))


@pytest.mark.parametrize(("order", "bits"), WORDS)
def test_places_without_a_code_must_be_zero(order, bits):
    for count in [count for count in counts(order, bits) if 0 < count <= 24]:
        numbered = oracle.arrange(list(range(1, count + 1)), bits, order)
        for word, row in enumerate(numbered):
            for place in [place for place, code in enumerate(row) if code == 0]:
                wrong = np.array(numbered)
                wrong[word, place] = 1
                with pytest.raises(ValueError, match=rf"arranged.*zeros.*\b{count} codes"):
                    packing_orders.restore(wrong, bits, order, count)


@st.composite
def words(draw):
    order, bits = draw(st.sampled_from(KINDS))
    step = oracle.multiple(bits, order)
    count = step * draw(st.integers(0, max(1, 80 // step)))
    return order, bits, draw(st.lists(st.integers(0, 2**bits - 1), min_size=count, max_size=count))


@settings(deadline=None, max_examples=60)
@given(words())
def test_round_trip(word):
    order, bits, codes = word
    assert_packs(packing, frozen(codes, np.int64), bits, order)
    assert oracle.unpack(oracle.pack(codes, bits, order), bits, len(codes), order) == codes


# error paths

CALLS = {
    "parts": lambda bits, order: packing_orders.parts(bits, order),
    "layout": lambda bits, order: packing_orders.layout(8, bits, order),
    "arrange": lambda bits, order: packing_orders.arrange(np.zeros(8, int), bits, order),
    "restore": lambda bits, order: packing_orders.restore(np.zeros((1, 8), int), bits, order, 8),
    "pack": lambda bits, order: packing.pack(np.zeros(8, int), bits, order),
    "unpack": lambda bits, order: packing.unpack(np.zeros(4, np.uint8), bits, 8, order),
}


@pytest.mark.parametrize("call", CALLS)
class TestBitsAndOrder:
    @pytest.mark.parametrize("order", ["", "LSB", "msb", None, 3, ["lsb"]])
    def test_unknown_order(self, call, order):
        with pytest.raises(ValueError, match=r"^order must be one of lsb, int32_dense, .*got"):
            CALLS[call](4, order)

    @pytest.mark.parametrize(
        ("bits", "order"), [(3, "awq"), (8, "ggml"), (3, "high_nibble_first"), (5, "hqq"), (9, "int32_dense")]
    )
    def test_bits_of_another_order(self, call, bits, order):
        widths = ", ".join(map(str, oracle.WIDTHS[order]))
        with pytest.raises(ValueError, match=rf"^bits must be one of {widths} for the order '{order}', got {bits}$"):
            CALLS[call](bits, order)

    @pytest.mark.parametrize("bits", [0, -1, 17])
    def test_bits_out_of_range(self, call, bits):
        with pytest.raises(ValueError, match=rf"^bits .*\b16\b.*{bits}"):
            CALLS[call](bits, "lsb")

    @pytest.mark.parametrize("bits", [4.0, True, "4", None])
    def test_bits_of_the_wrong_type(self, call, bits):
        with pytest.raises(TypeError, match=r"^bits must be an integer"):
            CALLS[call](bits, "awq")


@pytest.mark.parametrize("bits", [3, 5, 6, 7])
def test_codes_that_are_cut(bits):
    for call in ("layout", "arrange", "restore"):
        with pytest.raises(ValueError, match=rf"^bits must be .*part.*'torchao_uintx', got {bits}"):
            CALLS[call](bits, "torchao_uintx")


def test_count():
    with pytest.raises(ValueError, match=r"^count must be at least 0, got -1"):
        packing_orders.layout(-1, 4, "awq")
    with pytest.raises(ValueError, match=r"^count must be at least 0, got -1"):
        packing_orders.restore(np.zeros((0, 8), int), 4, "awq", -1)
    for count in (3.0, True, None, "8"):
        with pytest.raises(TypeError, match=r"^count must be an integer"):
            packing_orders.layout(count, 4, "lsb")
        with pytest.raises(TypeError, match=r"^count must be an integer"):
            packing_orders.restore(np.zeros((1, 8), int), 4, "lsb", count)


@pytest.mark.parametrize(("order", "bits"), WORDS)
def test_counts_that_do_not_fill_the_words(order, bits):
    step = oracle.multiple(bits, order)
    for count in [count for count in range(1, 71) if count % step]:
        message = rf"^the number of codes must be a multiple of {step} in the order '{order}', got {count}$"
        with pytest.raises(ValueError, match=message):
            packing_orders.layout(count, bits, order)
        with pytest.raises(ValueError, match=message):
            packing_orders.arrange(np.zeros(count, int), bits, order)
        with pytest.raises(ValueError, match=message):
            packing_orders.restore(np.zeros((1, 1), int), bits, order, count)


def test_codes_to_arrange():
    for dtype in (np.float32, bool, complex):
        with pytest.raises(TypeError, match=r"^codes must be an integer array"):
            packing_orders.arrange(np.zeros(8, dtype), 4, "awq")
        with pytest.raises(TypeError, match=r"^arranged must be an integer array"):
            packing_orders.restore(np.zeros((1, 8), dtype), 4, "awq", 8)
    for shape in ((), (1, 8)):
        with pytest.raises(ValueError, match=r"^codes must have 1 dimensions"):
            packing_orders.arrange(np.zeros(shape, int), 4, "awq")
    for shape in ((8,), (1, 2, 4)):
        with pytest.raises(ValueError, match=r"^arranged must have 2 dimensions"):
            packing_orders.restore(np.zeros(shape, int), 4, "awq", 8)
    for shape in ((2, 8), (1, 7), (8, 1), (0, 8)):
        with pytest.raises(ValueError, match=r"^arranged must have shape \(1, 8\)"):
            packing_orders.restore(np.zeros(shape, int), 4, "awq", 8)
