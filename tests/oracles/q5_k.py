"""Q5_K, one weight at a time, exact until it is rounded to float32."""

from tests.oracles.ggml_legacy import half, minus, signed, times, to_float
from tests.oracles.q4_k import scale_and_min

SIZE = 176


def parts(block: list[int], weight: int) -> tuple[int, int, int]:
    """Return (scale, minimum, code) of a weight: integers as they are stored."""
    pair, within = divmod(weight, 64)
    byte = block[48 + 32 * pair + within % 32]
    low = byte % 16 if within < 32 else byte // 16
    high = block[16 + weight % 32] // 2 ** (weight // 32) % 2
    return *scale_and_min(block[4:16], weight // 32), low + 16 * high


def factors(s: int, m: int, q: int) -> tuple[int, int]:
    """Return the integers by which d and dmin are multiplied; a weight is the sum."""
    return s * q, -m


def weight(block: list[int], index: int) -> float:
    d, dmin = half(*block[0:2]), half(*block[2:4])
    s, m, q = parts(block, index)
    return to_float(minus(times(times(d, signed(s)), signed(q)), times(dmin, signed(m))))


def dequantize(block: list[int]) -> list[float]:
    return [weight(block, index) for index in range(256)]
