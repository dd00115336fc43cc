"""Q6_K, one weight at a time, in exact fractions."""

from tests.oracles.ggml_legacy import half, signed, times, to_float

SIZE = 210


def parts(block: list[int], weight: int) -> tuple[int, int]:
    """Return (scale, code) of a weight: −128 … 127 and 0 … 63, as they are stored."""
    part, within = divmod(weight, 128)
    byte = block[64 * part + within % 64]
    low = byte % 16 if within < 64 else byte // 16
    shift, column = divmod(within, 32)
    high = block[128 + 32 * part + column] // 4**shift % 4
    s = block[192 + weight // 16]
    return s if s < 128 else s - 256, low + 16 * high


def factors(s: int, q: int) -> tuple[int]:
    """Return the integer by which d is multiplied."""
    return (s * (q - 32),)


def weight(block: list[int], index: int) -> float:
    s, q = parts(block, index)
    return to_float(times(times(half(*block[208:210]), signed(s)), signed(q - 32)))


def dequantize(block: list[int]) -> list[float]:
    return [weight(block, index) for index in range(256)]
