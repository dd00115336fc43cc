"""Q4_K, one weight at a time, exact until it is rounded to float32."""

from tests.oracles.ggml_legacy import half, minus, signed, times, to_float

SIZE = 144


def scale_and_min(scales: list[int], i: int) -> tuple[int, int]:
    """Return scale and minimum i of eight, from 12 bytes."""
    if i < 4:
        return scales[i] % 64, scales[i + 4] % 64
    return scales[i + 4] % 16 + scales[i - 4] // 64 * 16, scales[i + 4] // 16 + scales[i] // 64 * 16


def write_scales_and_mins(s: list[int], m: list[int]) -> list[int]:
    """Return the 12 bytes of eight scales and eight minima."""
    low = [s[i] + s[i + 4] // 16 * 64 for i in range(4)]
    middle = [m[i] + m[i + 4] // 16 * 64 for i in range(4)]
    return low + middle + [s[i] % 16 + m[i] % 16 * 16 for i in range(4, 8)]


def parts(block: list[int], weight: int) -> tuple[int, int, int]:
    """Return (scale, minimum, code) of a weight: integers as they are stored."""
    pair, within = divmod(weight, 64)
    byte = block[16 + 32 * pair + within % 32]
    return *scale_and_min(block[4:16], weight // 32), byte % 16 if within < 32 else byte // 16


def factors(s: int, m: int, q: int) -> tuple[int, int]:
    """Return the integers by which d and dmin are multiplied; a weight is the sum."""
    return s * q, -m


def weight(block: list[int], index: int) -> float:
    d, dmin = half(*block[0:2]), half(*block[2:4])
    s, m, q = parts(block, index)
    return to_float(minus(times(times(d, signed(s)), signed(q)), times(dmin, signed(m))))


def dequantize(block: list[int]) -> list[float]:
    return [weight(block, index) for index in range(256)]
