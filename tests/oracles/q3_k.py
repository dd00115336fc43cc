"""Q3_K, one weight at a time, in exact fractions."""

from tests.oracles.ggml_legacy import half, signed, times, to_float

SIZE = 110


def parts(block: list[int], weight: int) -> tuple[int, int]:
    """Return (scale, code) of a weight: 0 … 63 and 0 … 7, as they are stored."""
    high = block[weight % 32] // 2 ** (weight // 32) % 2
    part, within = divmod(weight, 128)
    shift, byte = divmod(within, 32)
    low = block[32 + 32 * part + byte] // 4**shift % 4
    i, scales = weight // 16, block[96:108]
    nibble = scales[i] % 16 if i < 8 else scales[i - 8] // 16
    pair = scales[8 + i % 4] // 4 ** (i // 4) % 4
    return nibble + 16 * pair, low + 4 * high


def factors(s: int, q: int) -> tuple[int]:
    """Return the integer by which d is multiplied."""
    return ((s - 32) * (q - 4),)


def weight(block: list[int], index: int) -> float:
    s, q = parts(block, index)
    return to_float(times(times(half(*block[108:110]), signed(s - 32)), signed(q - 4)))


def dequantize(block: list[int]) -> list[float]:
    return [weight(block, index) for index in range(256)]
