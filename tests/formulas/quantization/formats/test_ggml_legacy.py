"""ggml's blocks of 32: hand-worked bytes, the float steps against the oracle, planted errors, and the error paths."""

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.formats import ggml_bytes, ggml_legacy
from tests.oracles import ggml_legacy as oracle
from tests.vectors.stems import ggml_legacy as planted
from tests.vectors.stems.ggml_legacy import Legacy

KINDS = tuple(oracle.SIZES)
TINY = np.float32(2.0**-149)  # the least float32


def head(kind):
    return 4 if kind.endswith("_1") else 2


def frozen(values, dtype=np.float32):
    array = np.array(values, dtype)
    array.setflags(write=False)
    return array


@functools.cache
def finite_halves():
    halves = np.arange(65536, dtype="<u2")
    return halves[np.isfinite(halves.view("<f2"))].view(np.uint8).reshape(-1, 2)


def half_bytes(number):
    return np.array([number], "<f2").view(np.uint8).tolist()


@functools.cache
def weights():
    """Blocks of weights: normal, ties of every kind, equal extremes of both signs, one-signed, tiny, and large ones."""
    generator = np.random.default_rng(1)
    x = generator.standard_normal((200, 32)).astype(np.float32)
    x[1::10] *= np.float32(1e-6)
    x[2::10] *= np.float32(1e4)
    shape = x[3::10].shape
    x[3::10] = generator.integers(-20, 21, shape) / np.float32(2)
    x[4::10] = generator.integers(-254, 255, shape) / np.float32(2)
    x[4::10, 0] = 127  # Q8_0: d = 1, half of the weights are ties
    x[5::10] = generator.integers(-3, 4, shape) * np.float32(0.1)
    x[6::10] = generator.integers(0, 31, shape) / np.float32(2) + np.float32(3)
    x[6::10, 5], x[6::10, 9] = 3, 18  # Q4_1: d = 1, half of the weights are ties
    x[7::10] = np.abs(x[7::10]) + np.float32(0.5)  # zero is not in the range
    x[8::10] = generator.integers(-(2**20), 2**20, shape) * TINY * np.float32(2.0**20)
    extreme = x[9::10, :1].astype(np.float64)
    x[9::10] = extreme * (generator.integers(-127, 127, shape) * 2 + 1) / 254  # Q8_0: ties but for the last bit
    x[9::10, 1:2] = extreme
    x[0], x[10], x[20], x[30], x[40] = 0, -0.0, 5.5, -3, 2.0**-24
    x.setflags(write=False)
    return x


# What an implementation of quantize(x, kind) and dequantize(data, kind) must satisfy.

LITERALS = [
    # d = −16/−8 = 2: code ⌊x/2 + 8.5⌋ = ⌈j/2⌉, and 16 becomes 15
    ("q4_0", range(-16, 16), [0, 0x40, *((j + 1) // 2 + 16 * min((j + 17) // 2, 15) for j in range(16))]),
    # the largest |x| is positive: d = 8/−8 = −1, code of 8 is 0, of −7 15, of 0.5 ⌊8⌋, of 1 7, of −0.5 9, of −1.5 10
    ("q4_0", [8, -7, 0.5, 1, -0.5, -1.5, *[0] * 26], [0, 0xBC, 0x80, 0x8F, 0x88, 0x87, 0x89, 0x8A, *[0x88] * 10]),
    ("q4_0", [5.5] * 32, [0x80, 0xB9, *[0] * 16]),  # d = −0.6875
    # d = 1: code j, whose bit 4 is one from j = 16 on
    ("q5_0", range(-16, 16), [0, 0x3C, 0, 0, 255, 255, *(17 * j for j in range(16))]),
    # d = 16/−16 = −1: codes 0, 31, 17, 16 (of 0.5: ⌊16⌋) and zeros 16
    ("q5_0", [16, -15, -1, 0.5, *[0] * 28], [0, 0xBC, 0xFE, 255, 255, 255, 0, 0x0F, 0x01, *[0] * 13]),
    # m = 2, d = 15/15 = 1
    ("q4_1", [2 + j % 16 for j in range(32)], [0, 0x3C, 0, 0x40, *(17 * j for j in range(16))]),
    # m = −3, d = 2: (x + 3)/2 + 1/2 is 0.5, 15.5, 1, 1.5, 2 for −3, 27, −2, −1, 0
    ("q4_1", [-3, 27, -2, -1, *[0] * 28], [0, 0x40, 0, 0xC2, 0x20, 0x2F, 0x21, 0x21, *[0x22] * 12]),
    ("q4_1", [5.5] * 32, [0, 0, 0x80, 0x45, *[0] * 16]),
    # m = −4, d = 1
    ("q5_1", range(-4, 28), [0, 0x3C, 0, 0xC4, 0, 0, 255, 255, *(17 * j for j in range(16))]),
    # m = 0, d = 1/2: codes 31, 17 and 1 (of 1/4: a tie), at 3, 8 and 31
    (
        "q5_1",
        [0, 0, 0, 15.5, *[0] * 4, 8.5, *[0] * 22, 0.25],
        [0, 0x38, 0, 0, 8, 1, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0, 1, *[0] * 6, 0x10],
    ),
    # d = 1, ties away from zero
    (
        "q8_0",
        [127, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 126.5, -127, 0.25, *[0] * 22],
        [0, 0x3C, 127, 1, 255, 2, 254, 3, 253, 127, 129, *[0] * 23],
    ),
    ("q8_0", [-254, 3, *[0] * 30], [0, 0x40, 129, 2, *[0] * 30]),  # d = 2: absolute, 1.5 becomes 2
]


def literals(formats):
    for kind, x, data in LITERALS:
        found = formats.quantize(frozen([list(x)]), kind)
        assert found.dtype == np.uint8
        assert found.tolist() == [data], f"{kind} of {list(x)}"
        assert oracle.quantize(list(x), kind) == data


def dequantize_literals(formats):
    for kind, data, expected in (
        ("q4_0", [0, 0x40, 0x10, 0xF8, *[0x88] * 14], {0: -16, 16: -14, 1: 0, 17: 14}),  # d = 2
        (
            "q4_1",
            [0, 0xB8, 0, 0x42, 0x10, 0xF2, *[0] * 14],
            {0: 3, 16: 2.5, 1: 2, 17: -4.5, None: 3},
        ),  # d = −1/2, m = 3
        ("q5_0", [0, 0x3C, 2, 0, 1, 0, 0x21, 0x43, *[0] * 14], {0: -15, 1: 3, 16: 2, 17: -12, None: -16}),
        ("q5_1", [0, 0x3C, 0, 0xBC, 1, 0, 0, 0x80, 0x02, *[0] * 14, 0xF0], {0: 17, 31: 30, None: -1}),
        ("q8_0", [0, 0xC0, 1, 127, 128, 255, *[0] * 28], {0: -2, 1: -254, 2: 256, 3: 2}),  # d = −2
    ):
        wanted = [float(expected.get(j, expected.get(None, 0))) for j in range(32)]
        found = formats.dequantize(frozen([data], np.uint8), kind)
        assert (found.dtype, found.tolist()) == (np.float32, wanted), kind
        assert oracle.dequantize(data, kind) == wanted


@functools.cache
def quantized(kind):
    return [oracle.quantize(block, kind) for block in weights().tolist()]


def quantize_matches_the_oracle(formats):
    for kind in KINDS:
        found = formats.quantize(weights(), kind).tolist()
        for i, (block, wanted) in enumerate(zip(found, quantized(kind), strict=True)):
            assert block == wanted, f"{kind} of {weights()[i].tolist()}"


def first_of_equal_extremes(formats):
    """x_e is the first of the largest, for every pair of places: d = −x_e/8, and its code is 0."""
    pairs = [pair for pair in itertools.permutations(range(32), 2) if pair[0] < pair[1]]
    for sign in (1, -1):
        x = np.zeros((len(pairs), 32), np.float32)
        for row, (first, second) in zip(x, pairs, strict=True):
            row[first], row[second] = sign, -sign
        for kind, scale in (("q4_0", -0.125), ("q5_0", -0.0625)):
            found = formats.quantize(x, kind)
            assert (found[:, :2] == half_bytes(sign * scale)).all(), kind


def signs_of_zeros(formats):
    """Zeros and −0, the first of them at every place: d = −0 and codes of 0 in Q4_0 and Q5_0, the first one is m."""
    for place in range(32):
        for first, other in ((0.0, -0.0), (-0.0, 0.0)):
            mixed = np.array([other if j > place else first for j in range(32)], np.float32)
            larger = np.array([1.0 if j < place else first if j == place else other for j in range(32)], np.float32)
            for kind, wanted in (
                ("q4_0", [0, 0x80, *[0x88] * 16]),
                ("q5_0", [0, 0x80, *[255] * 4, *[0] * 16]),
                ("q8_0", [0] * 34),
                ("q4_1", [0, 0, *half_bytes(first), *[0] * 16]),
                ("q5_1", [0, 0, *half_bytes(first), *[0] * 20]),
            ):
                assert formats.quantize(mixed[None], kind).tolist() == [wanted], f"{kind} of {mixed.tolist()}"
            for kind in ("q4_1", "q5_1"):
                if place:
                    assert formats.quantize(larger[None], kind)[0, 2:4].tolist() == half_bytes(first), kind


@functools.cache
def blocks_of_codes(kind, seed=0):
    """Blocks of every float16 d, whose weights are exact and in which quantize finds d and m again, and their codes."""
    generator = np.random.default_rng(seed)
    if kind.endswith("_1"):  # powers of two by small numbers, so that d·q + m is exact
        exponents = generator.integers(-20, 9, 6000)
        d = (generator.integers(1, 8, 6000) * 2.0**exponents).astype("<f2")
        m = (generator.integers(-30, 31, 6000) * 2.0**exponents).astype("<f2")
        scales = np.stack([d.view(np.uint8).reshape(-1, 2), m.view(np.uint8).reshape(-1, 2)], axis=1).reshape(-1, 4)
    else:
        scales = finite_halves()
        number = scales.view("<f2")[:, 0]
        scales = scales[number > 0 if kind == "q8_0" else number != 0]
    top = {"4": 16, "5": 32, "8": 255}[kind[1]]
    q = generator.integers(0, top, (len(scales), 32), np.int16)
    rows, first = np.arange(len(q)), generator.integers(0, 32, len(q))
    places = first, (first + generator.integers(1, 32, len(q))) % 32
    if kind == "q8_0":
        q -= 127
        q[rows, places[0]] = generator.choice([-127, 127], len(q))
        body = q.astype(np.int8).view(np.uint8)
    else:
        q[rows, places[0]] = 0  # the extreme, or the minimum
        if kind.endswith("_1"):
            q[rows, places[1]] = top - 1
        low = q % 16
        body = (low[:, :16] + 16 * low[:, 16:]).astype(np.uint8)
        if kind.startswith("q5"):
            body = np.concatenate([np.packbits(q >= 16, axis=1, bitorder="little"), body], axis=1)
    return frozen(np.concatenate([scales, body], axis=1), np.uint8), frozen(q, np.int16)


def round_trip(formats):
    """Weights that are in a block's range and on its grid come back: the bytes are the same."""
    for kind in KINDS:
        data, _ = blocks_of_codes(kind)
        again = formats.quantize(formats.dequantize(data, kind).reshape(-1, 32), kind)
        differ = np.flatnonzero((again != data).any(axis=1))
        assert not differ.size, f"{kind}: {data[differ[0]].tolist()} becomes {again[differ[0]].tolist()}"


def codes_of_weights(formats):
    """d·(q − 8), d·q + m and so on in float64, where they are exact, for every float16 d."""
    for kind in KINDS:
        data, q = blocks_of_codes(kind, seed=1)
        d = data[:, :2].copy().view("<f2").astype(np.float64)
        m = data[:, 2:4].copy().view("<f2").astype(np.float64) if kind.endswith("_1") else 0
        wanted = d * (q - {"q4_0": 8, "q5_0": 16}.get(kind, 0)) + m
        assert np.array_equal(formats.dequantize(data, kind), wanted.ravel()), kind


@functools.cache
def with_every_half(kind):
    """A fifth of the finite float16 numbers for d, another in each kind, and others for m; one weight of each block."""
    generator = np.random.default_rng(1)
    halves = finite_halves()[KINDS.index(kind) :: 5]
    data = generator.integers(0, 256, (len(halves), oracle.SIZES[kind]), dtype=np.uint8)
    for place in range(0, head(kind), 2):
        data[:, place : place + 2] = generator.permutation(halves)
    places = generator.integers(0, 32, len(data))
    wanted = [oracle.weight(block, j, kind) for block, j in zip(data.tolist(), places.tolist(), strict=True)]
    return data, 32 * np.arange(len(data)) + places, np.array(wanted, np.float32)


def every_half(formats):
    for kind in KINDS:
        data, places, wanted = with_every_half(kind)
        found = np.asarray(formats.dequantize(data, kind))[places]
        assert (found.view(np.uint32) == wanted.view(np.uint32)).all(), kind


@functools.cache
def bytes_and_weights(kind):
    """Every byte at once, one bit at a time, zeros of both signs, and mixed bytes."""
    size, start, generator = oracle.SIZES[kind], head(kind), np.random.default_rng(7)
    same = np.repeat(np.arange(256, dtype=np.uint8)[:, None], size, axis=1)
    bit = np.eye(8 * size, dtype=np.uint8)[8 * start :]
    bit = np.packbits(bit, axis=1, bitorder="little")
    mixed = generator.integers(0, 256, (40, size), dtype=np.uint8)
    for blocks in (same, bit, mixed):
        blocks[:, :start] = [0, 0x3C, 0, 0xC2][:start]  # d = 1, m = −3
    zeros = mixed[:16].copy()
    zeros[:, 1] = [0, 0x80] * 8
    zeros[:, start - 1] = [0, 0, 0x80, 0x80] * 4 if start == 4 else [0, 0x80] * 8
    data = np.concatenate([same, bit, mixed, zeros])
    return data, np.array([oracle.dequantize(block, kind) for block in data.tolist()], np.float32)


def every_byte_and_bit(formats):
    for kind in KINDS:
        data, wanted = bytes_and_weights(kind)
        found = formats.dequantize(data, kind)
        assert found.shape == (wanted.size,)
        assert (found.view(np.uint32) == wanted.view(np.uint32).ravel()).all(), kind


CHECKS = (
    literals,
    dequantize_literals,
    quantize_matches_the_oracle,
    first_of_equal_extremes,
    signs_of_zeros,
    round_trip,
    codes_of_weights,
    every_half,
    every_byte_and_bit,
)


@pytest.mark.parametrize("check", CHECKS)
def test_property(check):
    check(ggml_legacy)


def outcome(function, *arguments):
    """Return bytes, or None for a refusal: ValueError here, OverflowError in the oracle."""
    try:
        return function(*arguments)
    except (ValueError, OverflowError):
        return None


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(KINDS),
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=32, max_size=32),
)
def test_any_weights(kind, x):
    """Also what is refused is what the oracle cannot store."""
    found = outcome(ggml_legacy.quantize, frozen([x]), kind)
    assert (None if found is None else found[0].tolist()) == outcome(oracle.quantize, x, kind)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(KINDS),
    st.lists(st.integers(-(2**24), 2**24), min_size=32, max_size=32),
    st.integers(-149, -8),
)
def test_any_weights_of_one_size(kind, x, exponent):
    """Integers times a power of two; the sum of the exponents reaches below the least 1/d."""
    block = np.ldexp(np.array(x, np.float64), exponent).astype(np.float32)
    found = outcome(ggml_legacy.quantize, frozen(block[None]), kind)
    assert (None if found is None else found[0].tolist()) == outcome(oracle.quantize, block.tolist(), kind)


# borders of the formats


def test_the_largest_d():
    """65520 is the border to infinity in float16; the float32 before it is stored as 65504."""
    below = np.nextafter(np.float32(65520), np.float32(0))
    for kind, factor, sign in (("q4_0", 8, 0x80), ("q5_0", 16, 0x80), ("q8_0", 127, 0)):
        x = np.zeros((3, 32), np.float32)
        x[1, 4] = below * np.float32(factor)
        assert ggml_legacy.quantize(x, kind)[1, :2].tolist() == [0xFF, 0x7B | sign]
        x[1, 4] = 65520 * factor
        with pytest.raises(
            ValueError, match=r"^x must give scales and minima which float16 holds, got -?65520.0 in block 1$"
        ):
            ggml_legacy.quantize(x, kind)
    for kind, top in (("q4_1", 15), ("q5_1", 31)):
        x = np.zeros((3, 32), np.float32)
        x[2, 31] = 65520 * top
        with pytest.raises(ValueError, match=r"^x must .*float16 holds, got 65520.0 in block 2$"):
            ggml_legacy.quantize(x, kind)
        x[2] = 65520  # d = 0, but the minimum
        with pytest.raises(ValueError, match=r"^x must .*float16 holds, got 65520.0 in block 2$"):
            ggml_legacy.quantize(x, kind)
        x[2] = below
        assert ggml_legacy.quantize(x, kind)[2].tolist() == [0, 0, 0xFF, 0x7B, *[0] * (16 + 4 * (top == 31))]
        x[2, 0], x[2, 1] = -3e38, 3e38  # max − min is infinite in float32
        with pytest.raises(ValueError, match=r"^x must .*float16 holds, got inf in block 2$"):
            ggml_legacy.quantize(x, kind)


def test_the_least_d():
    """1/d overflows up to d = 2^−128, and not for the next float32; a d that underflows is 0."""
    border = np.float32(2.0**-128)
    for kind, factor, divisor in (
        ("q4_0", 8, -8),
        ("q5_0", 16, -16),
        ("q4_1", 15, 15),
        ("q5_1", 31, 31),
        ("q8_0", 127, 127),
    ):
        x = np.zeros((2, 32), np.float32)
        for size in (border, TINY):
            x[1, 7] = size * np.float32(factor)
            with pytest.raises(ValueError, match=r"^x must give scales d with a finite 1/d, got d = -?\S+ in block 1$"):
                ggml_legacy.quantize(x, kind)
        x[1, 7] = (border + TINY) * np.float32(factor)
        data = ggml_legacy.quantize(x, kind)
        assert data[1].tolist() == oracle.quantize(x[1].tolist(), kind)
        assert data[1, 0] == 0  # stored as 0 or −0
        assert data[1].tolist() != data[0].tolist()  # but the codes are not those of zeros
        x[1, 7] = TINY  # TINY / divisor is 0
        assert np.float32(TINY) / np.float32(divisor) == 0
        data = ggml_legacy.quantize(x, kind)
        assert data[1].tolist() == oracle.quantize(x[1].tolist(), kind)
        assert data[1].tolist() == data[0].tolist()


def test_d_below_float16():
    """2^−25 is a tie to 0 in float16, the next float32 is not; the codes are those of d."""
    for size, stored in ((2.0**-25, 0), (np.nextafter(np.float32(2.0**-25), np.float32(1)), 1)):
        x = np.float32(size) * np.arange(-127, -95, dtype=np.float32)
        data = ggml_legacy.quantize(x[None], "q8_0")[0]
        assert data[:2].tolist() == [stored, 0]
        assert data[2:].view(np.int8).tolist() == list(range(-127, -95))


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_memory_order(kind):
    """Blocks are cut in row-major order; what is given is not changed."""
    x = np.random.default_rng(0).standard_normal((2, 3, 64)).astype(np.float32)
    wanted = [oracle.quantize(block, kind) for block in x.reshape(-1, 32).tolist()]
    wide = np.zeros((2, 3, 128), np.float32)
    wide[..., ::2] = x
    for array in (x, x.reshape(6, 64), x.ravel(), np.asfortranarray(x), wide[..., ::2]):
        before = array.copy()
        data = ggml_legacy.quantize(array, kind)
        assert data.tolist() == wanted
        assert data.flags.c_contiguous
        assert data.flags.writeable
        assert (array == before).all()
    weights = np.array([oracle.dequantize(block, kind) for block in wanted], np.float32).ravel()
    wide = np.zeros((12, 3 * oracle.SIZES[kind]), np.uint8)
    wide[:, ::3] = wanted
    for array in (data, np.asfortranarray(data), wide[:, ::3]):
        before = array.copy()
        found = ggml_legacy.dequantize(array, kind)
        assert found.tobytes() == weights.tobytes()
        assert found.flags.writeable
        assert not np.shares_memory(found, array)
        assert (array == before).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_blocks(kind):
    for shape in ((0,), (0, 32), (5, 0), (0, 64)):
        data = ggml_legacy.quantize(np.zeros(shape, np.float32), kind)
        assert (data.shape, data.dtype) == ((0, oracle.SIZES[kind]), np.uint8)
    found = ggml_legacy.dequantize(np.zeros((0, oracle.SIZES[kind]), np.uint8), kind)
    assert (found.shape, found.dtype) == ((0,), np.float32)


def test_the_kinds():
    assert tuple(ggml_legacy.KINDS) == KINDS
    assert {kind: tuple(entry) for kind, entry in ggml_legacy.KINDS.items()} == {
        kind: (int(kind[1]), kind.endswith("_1")) for kind in KINDS
    }


# fields and half


def test_fields():
    data = frozen(np.arange(24).reshape(2, 12), np.uint8)
    first, nothing, second = ggml_bytes.fields(data, 2, 0, 10)
    assert (first.tolist(), second[1].tolist()) == ([[0, 1], [12, 13]], list(range(14, 24)))
    assert nothing.shape == (2, 0)
    for array in (first, second, *ggml_bytes.fields(np.asfortranarray(data), 4, 8)):
        assert array.flags.c_contiguous
    with pytest.raises(TypeError, match=r"^data must be uint8, got int8$"):
        ggml_bytes.fields(data.astype(np.int8), 2, 10)
    with pytest.raises(TypeError, match=r"^data must be an integer array, got float32$"):
        ggml_bytes.fields(data.astype(np.float32), 2, 10)
    with pytest.raises(ValueError, match=r"^data must have 2 dimensions"):
        ggml_bytes.fields(data[0], 2, 10)
    with pytest.raises(ValueError, match=r"^data must have blocks of 11 bytes, got shape \(2, 12\)$"):
        ggml_bytes.fields(data, 2, 9)


def test_every_half():
    """All 65,536 float16 codes: the finite ones are exact, each of the others raises."""
    found = ggml_bytes.half(finite_halves())
    assert (found.dtype, found.shape) == (np.float32, (63488, 1))
    wanted = [oracle.to_float(oracle.half(low, high)) for low, high in finite_halves().tolist()]
    assert (found.ravel().view(np.uint32) == np.array(wanted, np.float32).view(np.uint32)).all()
    assert [oracle.half_bytes(oracle.half(*code)) for code in finite_halves()[::3].tolist()] == finite_halves()[
        ::3
    ].tolist()
    for number in (*range(0x7C00, 0x8000), *range(0xFC00, 0x10000)):
        with pytest.raises(ValueError, match=r"^data must hold finite float16 scales, got (-?inf|nan) in block 0$"):
            ggml_bytes.half(np.array([[number % 256, number // 256]], np.uint8))


# error paths


@pytest.mark.parametrize("kind", ["q4_2", "Q4_0", "", None, 4, ["q4_0"]])
def test_unknown_kind(kind):
    message = r"^kind must be one of q4_0, q4_1, q5_0, q5_1, q8_0, got "
    with pytest.raises(ValueError, match=message):
        ggml_legacy.quantize(np.zeros((1, 32), np.float32), kind)
    with pytest.raises(ValueError, match=message):
        ggml_legacy.dequantize(np.zeros((1, 18), np.uint8), kind)


@pytest.mark.parametrize("kind", KINDS)
class TestErrors:
    def test_dtype(self, kind):
        for dtype in (np.float64, np.float16, np.int32, bool, complex):
            with pytest.raises(TypeError, match=rf"^x must be .*float32.*got {np.dtype(dtype)}$"):
                ggml_legacy.quantize(np.zeros((1, 32), dtype), kind)
        for dtype in (np.int8, np.int64):
            with pytest.raises(TypeError, match=rf"^data must be uint8, got {np.dtype(dtype)}$"):
                ggml_legacy.dequantize(np.zeros((1, oracle.SIZES[kind]), dtype), kind)
        with pytest.raises(TypeError, match=r"^data must be an integer array, got float32$"):
            ggml_legacy.dequantize(np.zeros((1, oracle.SIZES[kind]), np.float32), kind)

    def test_not_finite(self, kind):
        for number in (np.nan, np.inf, -np.inf):
            for place in ((0, 0), (2, 31)):
                x = np.ones((3, 32), np.float32)
                x[place] = number
                message = rf"^x must be finite, got {number} at index \({place[0]}, {place[1]}\)$"
                with pytest.raises(ValueError, match=message):
                    ggml_legacy.quantize(x, kind)

    def test_last_axis(self, kind):
        for shape in ((), (31,), (33,), (32, 1), (2, 16), (1, 32, 8)):
            with pytest.raises(ValueError, match=r"^x must have a last axis that is a multiple of 32, got shape \("):
                ggml_legacy.quantize(np.zeros(shape, np.float32), kind)

    def test_length_of_a_block(self, kind):
        size = oracle.SIZES[kind]
        for wrong in (size - 1, size + 1, 2 * size, 0):
            with pytest.raises(ValueError, match=rf"^data must have blocks of {size} bytes, got shape \(3, {wrong}\)$"):
                ggml_legacy.dequantize(np.zeros((3, wrong), np.uint8), kind)
        for shape in ((), (size,), (1, 1, size)):
            with pytest.raises(ValueError, match=r"^data must have 2 dimensions, got shape "):
                ggml_legacy.dequantize(np.zeros(shape, np.uint8), kind)

    def test_scales_that_are_not_finite(self, kind):
        for place in range(0, head(kind), 2):
            for number, name in ((0x7C00, "inf"), (0xFC00, "-inf"), (0x7E00, "nan"), (0x7C01, "nan"), (0xFFFF, "nan")):
                data = np.zeros((4, oracle.SIZES[kind]), np.uint8)
                data[2, place : place + 2] = number % 256, number // 256
                with pytest.raises(ValueError, match=rf"^data must hold finite float16 scales, got {name} in block 2$"):
                    ggml_legacy.dequantize(data, kind)


# Tests of the tests: a correct stand-in passes every check, and planted errors fail the one named beside them.


class ZeroExtremeKeepsItsSign(Legacy):
    def extreme(self, x):
        return np.take_along_axis(x, np.argmax(np.abs(x), axis=1)[:, None], 1)


class LastMinimum(Legacy):
    def minimum(self, x):
        return super().minimum(x[:, ::-1])


class LastMaximum(Legacy):
    """−0 − 0 is −0: the sign of d in a block of zeros."""

    def maximum(self, x):
        return super().maximum(x[:, ::-1])


class FirstBlockForAll(Legacy):
    def inverse(self, d):
        return super().inverse(d[:1] + 0 * d)


class BlocksOneLate(Legacy):
    def dequantize(self, data, kind):
        return np.roll(super().dequantize(data, kind), 32)


class NoNegativeZero(Legacy):
    def dequantize(self, data, kind):
        return super().dequantize(data, kind) + np.float32(0)


MUTANTS = {
    planted.NibblesSwapped: literals,
    planted.LastExtreme: first_of_equal_extremes,
    ZeroExtremeKeepsItsSign: signs_of_zeros,
    LastMinimum: signs_of_zeros,
    LastMaximum: signs_of_zeros,
    planted.OffsetOneLess: dequantize_literals,
    FirstBlockForAll: quantize_matches_the_oracle,
    BlocksOneLate: codes_of_weights,
    planted.WeightsOfFloat16: every_half,
    NoNegativeZero: every_byte_and_bit,
}


@pytest.mark.parametrize("check", CHECKS)
def test_correct_blocks_pass(check):
    check(Legacy())


@pytest.mark.parametrize("wrong", MUTANTS)
def test_wrong_blocks_are_caught(wrong):
    with pytest.raises(AssertionError):
        MUTANTS[wrong](wrong())
