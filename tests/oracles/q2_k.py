"""Q2_K, one weight at a time, exact until it is rounded to float32."""

from tests.oracles.ggml_legacy import half, minus, signed, times, to_float

SIZE = 84


def parts(block: list[int], weight: int) -> tuple[int, int, int]:
    """Return (scale, minimum, code) of a weight: integers as they are stored."""
    sixteen = block[weight // 16]
    part, within = divmod(weight, 128)
    shift, byte = divmod(within, 32)
    return sixteen % 16, sixteen // 16, block[16 + 32 * part + byte] // 4**shift % 4


def factors(s: int, m: int, q: int) -> tuple[int, int]:
    """Return the integers by which d and dmin are multiplied; a weight is the sum."""
    return s * q, -m


def weight(block: list[int], index: int) -> float:
    d, dmin = half(*block[80:82]), half(*block[82:84])
    s, m, q = parts(block, index)
    return to_float(minus(times(times(d, signed(s)), signed(q)), times(dmin, signed(m))))


def dequantize(block: list[int]) -> list[float]:
    return [weight(block, index) for index in range(256)]
