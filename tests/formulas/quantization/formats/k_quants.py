"""What every k-quant's `dequantize` must satisfy: checks of (dequantize, format), shared by the tests of the five."""

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

from tests.oracles.ggml_legacy import half, value

ONE = [0x00, 0x3C]  # float16 1.0


@dataclasses.dataclass(frozen=True, eq=False)  # hashed as an object
class Format:
    oracle: Any
    halves: tuple[int, ...]  # where the float16 numbers are: d, or d and dmin
    literals: list[tuple[dict[int, int], dict[int, float]]]  # bytes that are not 0, and the weights that are not `rest`
    rest: list[float]  # of the literals: every weight that is not given


def random_blocks(format, count, seed=0):
    """Random bytes but for the float16 numbers, which are finite and from −8 to 8."""
    generator = np.random.default_rng((seed, format.oracle.SIZE))
    data = generator.integers(0, 256, (count, format.oracle.SIZE), dtype=np.uint8)
    for place in format.halves:
        data[:, place : place + 2] = generator.uniform(-8, 8, (count, 1)).astype("<f2").view(np.uint8)
    return data


def of_ones(format, count):
    """Blocks of zero bytes but for d = 1 and dmin = 1."""
    data = np.zeros((count, format.oracle.SIZE), np.uint8)
    for place in format.halves:
        data[:, place : place + 2] = ONE
    return data


@functools.cache
def finite_halves():
    halves = np.arange(65536, dtype="<u2")
    return halves[np.isfinite(halves.view("<f2"))].view(np.uint8).reshape(-1, 2)


@functools.cache
def expected(format, blocks):
    """Weights by the oracle; of weights with the same numbers in blocks with the same d and dmin it works out one."""
    found, weights = {}, []
    for block in map(list, blocks):
        halves = [tuple(block[place : place + 2]) for place in format.halves]
        for index in range(256):
            key = (*halves, *format.oracle.parts(block, index))
            if key not in found:
                found[key] = format.oracle.weight(block, index)
            weights.append(found[key])
    return np.array(weights, np.float32)


def assert_same(dequantize, format, data):
    """Bits of all weights are the oracle's: also the sign of a zero."""
    data = data.copy()
    data.setflags(write=False)
    found = dequantize(data)
    assert (found.dtype, found.shape) == (np.float32, (256 * len(data),))
    wanted = expected(format, tuple(block.tobytes() for block in data))
    differ = np.flatnonzero(found.view(np.uint32) != wanted.view(np.uint32))
    assert not differ.size, f"weight {differ[0]}: {found[differ[0]]}, not {wanted[differ[0]]}"


def literals(dequantize, format):
    for (where, weights), rest in zip(format.literals, format.rest, strict=True):
        block = np.zeros((1, format.oracle.SIZE), np.uint8)
        for place, byte in where.items():
            block[0, place] = byte
        wanted = np.full(256, rest, np.float32)
        for place, weight in weights.items():
            wanted[place] = weight
        assert dequantize(block).tolist() == wanted.tolist()
        assert format.oracle.dequantize(block[0].tolist()) == wanted.tolist()


def every_bit(dequantize, format):
    """One bit at a time, all others 0, and in blocks whose bytes are mixed: every bit of the scales and the codes."""
    places = [i for i in range(8 * format.oracle.SIZE) if not any(8 * h <= i < 8 * h + 16 for h in format.halves)]
    data = of_ones(format, len(places))
    mixed = np.repeat(random_blocks(format, 1, seed=1), len(places) // 16, axis=0)
    for i, place in enumerate(places):
        data[i, place // 8] |= 1 << place % 8
    for i, place in enumerate(places[:: len(places) // len(mixed)][: len(mixed)]):
        mixed[i, place // 8] ^= 1 << place % 8
    assert_same(dequantize, format, data)
    assert_same(dequantize, format, mixed)


def every_byte(dequantize, format):
    """All bytes of the scales and codes the same, all 256 of them."""
    data = np.repeat(np.arange(256, dtype=np.uint8)[:, None], format.oracle.SIZE, axis=1)
    for place in format.halves:
        data[:, place : place + 2] = ONE
    assert_same(dequantize, format, data)


def mixed_blocks(dequantize, format):
    assert_same(dequantize, format, random_blocks(format, 64))
    assert_same(dequantize, format, random_blocks(format, 1, seed=2))
    assert_same(dequantize, format, random_blocks(format, 1)[:0])


def extremes(dequantize, format):
    """The signs of zeros, subnormal and largest numbers, with codes and scales of 0, of 1 bits, and mixed."""
    numbers = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00, 0x3555]
    data = []
    for d in numbers:
        for dmin in numbers:
            for filled in (0, 255, 0x5A):
                block = np.full(format.oracle.SIZE, filled, np.uint8)
                for place, number in zip(format.halves, (d, dmin), strict=False):
                    block[place : place + 2] = number % 256, number // 256
                data.append(block)
    assert_same(dequantize, format, np.array(data))


@functools.cache
def with_every_half(format):
    """All 63,488 finite float16 numbers for d, and in another order for dmin, one weight of each block expected.

    All float16 numbers are integers times 2^−24, and the products of the formats with them integers below 2^53 times
    that: they are exact in int64 and in float64, so that to float32 they are rounded once. The oracle says every 16th,
    and all zeros, for their signs.
    """
    data = np.random.default_rng(3).integers(0, 256, (len(finite_halves()), format.oracle.SIZE), dtype=np.uint8)
    for place, seed in zip(format.halves, (4, 5), strict=False):
        data[:, place : place + 2] = np.random.default_rng(seed).permutation(finite_halves())
    places = np.random.default_rng(6).integers(0, 256, len(data))
    blocks = [(row.tobytes(), place) for row, place in zip(data, places.tolist(), strict=True)]
    factors = np.array([format.oracle.factors(*format.oracle.parts(*block)) for block in blocks])
    numbers = np.stack([whole_halves()[data[:, place : place + 2].copy().view("<u2")[:, 0]] for place in format.halves])
    exact = (numbers * factors.T).sum(axis=0)
    assert np.abs(exact).max() < 2**53
    wanted = (exact.astype(np.float64) * 2.0**-24).astype(np.float32)
    for i in np.flatnonzero((exact == 0) | (np.arange(len(data)) % 16 == 0)):
        weight = np.float32(format.oracle.weight(*blocks[i]))
        assert weight == wanted[i]
        wanted[i] = weight
    return data, places, wanted


@functools.cache
def whole_halves():
    """All float16 numbers times 2^24, by their code; 0 for infinities and NaN."""
    numbers = np.zeros(65536, np.int64)
    for low, high in finite_halves().tolist():
        number = value(half(low, high)) * 2**24
        assert number.denominator == 1
        numbers[low + 256 * high] = number.numerator
    return numbers


def every_half(dequantize, format):
    data, places, wanted = with_every_half(format)
    for start in range(0, len(data), 1024):
        part = slice(start, start + 1024)
        found = np.asarray(dequantize(data[part])).reshape(-1, 256)
        found = np.take_along_axis(found, places[part, None], axis=1)[:, 0]
        differ = np.flatnonzero(found.view(np.uint32) != wanted[part].view(np.uint32))
        assert not differ.size, f"{found[differ[0]]}, not {wanted[part][differ[0]]}"


CHECKS = (literals, every_bit, every_byte, mixed_blocks, extremes, every_half)


# not for the mutants


def memory_order(dequantize, format):
    data = random_blocks(format, 6)
    wanted = expected(format, tuple(block.tobytes() for block in data))
    wide = np.zeros((12, format.oracle.SIZE), np.uint8)
    wide[::2] = data
    columns = np.zeros((6, 3 * format.oracle.SIZE), np.uint8)
    columns[:, ::3] = data
    for array in (data, np.asfortranarray(data), wide[::2], columns[:, ::3], data[::-1][::-1]):
        before = array.copy()
        found = dequantize(array)
        assert found.tobytes() == wanted.tobytes()
        assert (array == before).all()
        assert found.flags.c_contiguous
        assert found.flags.writeable
        assert not np.shares_memory(found, array)


def errors(dequantize, format):
    data = random_blocks(format, 5)
    size = format.oracle.SIZE
    for dtype in (np.int8, np.uint16, np.int64):
        with pytest.raises(TypeError, match=rf"^data must be uint8, got {np.dtype(dtype)}$"):
            dequantize(data.astype(dtype))
    for dtype in (np.float32, bool):
        with pytest.raises(TypeError, match=rf"^data must be an integer array, got {np.dtype(dtype)}$"):
            dequantize(data.astype(dtype))
    for wrong in (size - 1, size + 1, 2 * size, 0):
        with pytest.raises(ValueError, match=rf"^data must have blocks of {size} bytes, got shape \(5, {wrong}\)"):
            dequantize(np.zeros((5, wrong), np.uint8))
    for shape in ((), (size,), (1, 1, size)):
        with pytest.raises(ValueError, match=r"^data must have 2 dimensions, got shape "):
            dequantize(np.zeros(shape, np.uint8))
    for place in format.halves:
        for number, name in ((0x7C00, "inf"), (0xFC00, "-inf"), (0x7E00, "nan"), (0x7C01, "nan"), (0xFFFF, "nan")):
            broken = data.copy()
            broken[3, place : place + 2] = number % 256, number // 256
            with pytest.raises(ValueError, match=rf"^data must hold finite float16 scales, got {name} in block 3$"):
                dequantize(broken)


# wrong formats: the bytes are changed before the right function reads them


def exchanged(array, place, size, permutation):
    """Return blocks whose bytes from `place` on, `size` of them, are permuted."""
    wrong = array.copy()
    wrong[:, place : place + size] = array[:, place : place + size][:, permutation]
    return wrong


def changed(array, place, size, function):
    """Return blocks with another value of every byte from `place` on, `size` of them."""
    wrong = array.copy()
    wrong[:, place : place + size] = function(array[:, place : place + size])
    return wrong


def nibbles(array):
    return array >> 4 | array << 4


def pairs(array):
    """Reverse the order of four codes of 2 bits in a byte."""
    return (array & 3) << 6 | (array & 12) << 2 | (array & 48) >> 2 | array >> 6


def bits(array):
    return np.packbits(np.unpackbits(array, axis=-1, bitorder="little"), axis=-1)


def eight_weights_in_a_byte(field):
    """Bit j of byte l of 32 is weight 8l + j, not 32j + l."""
    bit = np.unpackbits(field, axis=1, bitorder="little").reshape(-1, 8, 32).swapaxes(1, 2).reshape(-1, 256)
    return np.packbits(bit, axis=1, bitorder="little")
