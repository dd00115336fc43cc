"""ggml's blocks of 32 weights, from exact fractions: a number is (is it negative, its size), so that −0 is one."""

from fractions import Fraction
from typing import NamedTuple

from tests.oracles.kept import kept
from tests.oracles.rounding import to_format, to_integer


class Signed(NamedTuple):
    negative: bool
    size: Fraction


def signed(x: Fraction | int) -> Signed:
    return Signed(x < 0, Fraction(abs(x)))


def value(x: Signed) -> Fraction:
    return -x.size if x.negative else x.size


def from_float(x: float) -> Signed:
    return Signed(str(x).startswith("-"), abs(Fraction(x)))


def times(a: Signed, b: Signed) -> Signed:
    return Signed(a.negative != b.negative, a.size * b.size)


def plus(a: Signed, b: Signed) -> Signed:
    """Return the sum; a sum of 0 is −0 only where both are."""
    total = value(a) + value(b)
    return signed(total) if total != 0 else Signed(a.negative and b.negative, Fraction(0))


def minus(a: Signed, b: Signed) -> Signed:
    return plus(a, Signed(not b.negative, b.size))


def over(a: Signed, b: Signed) -> Signed:
    return Signed(a.negative != b.negative, a.size / b.size)


def float32(x: Signed) -> Signed:
    """Round to float32; OverflowError where that is infinity."""
    rounded = to_format(x.size, "float32")
    if not isinstance(rounded, Fraction):
        raise OverflowError(str(x))
    return Signed(x.negative, rounded)


def to_float(x: Signed) -> float:
    """Return a Python float, after rounding to float32."""
    size = float(float32(x).size)
    return -size if x.negative else size


# float16


@kept
def half(low: int, high: int) -> Signed:
    """Return the number of two bytes: 1 bit of sign, 5 of exponent, 10 of significand."""
    exponent, significand = high // 4 % 32, high % 4 * 256 + low
    if exponent == 31:
        raise OverflowError("not finite")
    if exponent == 0:
        return Signed(high >= 128, Fraction(significand, 2**24))
    return Signed(high >= 128, Fraction(1024 + significand) * Fraction(2) ** (exponent - 25))


def half_bytes(x: Signed) -> list[int]:
    """Return the two bytes of the nearest float16, ties to even; OverflowError where that is infinity."""
    exponent = 1
    while x.size.numerator * 2**14 >= x.size.denominator * 2**exponent:
        exponent += 1
    # significands from 0 below 2^−14, else from 1024; one of 2048 carries over into the exponent by itself
    significand = Fraction(x.size.numerator * 2**24, x.size.denominator * 2 ** (exponent - 1))
    number = 1024 * (exponent - 1) + to_integer(significand, "half_even")
    if number >= 31 * 1024:
        raise OverflowError(str(x))
    return [number % 256, number // 256 + (128 if x.negative else 0)]


# quantize


SIZES = {"q4_0": 18, "q4_1": 20, "q5_0": 22, "q5_1": 24, "q8_0": 34}


def quantize(x: list[float], kind: str) -> list[int]:
    """Return the bytes of one block of 32 weights, every operation rounded to float32."""
    numbers = [from_float(v) for v in x]
    bits = int(kind[1])
    if kind.endswith("_1"):
        least = most = numbers[0]
        for v in numbers:
            if value(v) < value(least):
                least = v
            if value(v) > value(most):
                most = v
        d = float32(over(float32(minus(most, least)), signed(2**bits - 1)))
        shifted = [float32(minus(v, least)) for v in numbers]
        head, half_up = [*half_bytes(d), *half_bytes(least)], Fraction(1, 2)
    else:
        largest = Signed(False, Fraction(0))  # +0, and no zero replaces it
        for v in numbers:
            if v.size > largest.size:
                largest = v
        if kind == "q8_0":
            d = float32(over(Signed(False, largest.size), signed(127)))
        else:
            d = float32(over(largest, signed(-(2 ** (bits - 1)))))
        shifted, head, half_up = numbers, half_bytes(d), 2 ** (bits - 1) + Fraction(1, 2)
    inverse = signed(0) if d.size == 0 else float32(over(signed(1), d))
    scaled = [float32(times(v, inverse)) for v in shifted]
    if kind == "q8_0":
        return head + [to_integer(value(v), "half_away") % 256 for v in scaled]
    codes = []
    for v in scaled:
        t = float32(plus(v, signed(half_up)))
        codes.append(min(to_integer(value(t), "toward_zero"), 2**bits - 1))
    return head + write_codes(codes, bits)


def write_codes(codes: list[int], bits: int) -> list[int]:
    """Return the bytes of 32 codes of 4 or 5 bits."""
    high = []
    if bits == 5:
        for byte in range(4):
            high.append(sum(2**j for j in range(8) if codes[8 * byte + j] >= 16))
    return high + [codes[j] % 16 + 16 * (codes[j + 16] % 16) for j in range(16)]


# dequantize


def code(block: list[int], j: int, kind: str) -> int:
    """Return code j of a block, as it is stored."""
    if kind == "q8_0":
        return block[2 + j] if block[2 + j] < 128 else block[2 + j] - 256
    head = 4 if kind.endswith("_1") else 2
    if kind.startswith("q5"):
        number = sum(256**i * block[head + i] for i in range(4))
        head, high = head + 4, number // 2**j % 2
    else:
        high = 0
    byte = block[head + j % 16]
    return (byte % 16 if j < 16 else byte // 16) + 16 * high


def weight(block: list[int], j: int, kind: str) -> float:
    """Return weight j of a block."""
    return of_code(tuple(block[: 4 if kind.endswith("_1") else 2]), code(block, j, kind), kind)


@kept  # most blocks of the tests share a few scales
def of_code(scales: tuple[int, ...], q: int, kind: str) -> float:
    """Return the weight of a code in blocks with these bytes of d, or of d and m."""
    d = half(*scales[:2])
    if kind.endswith("_1"):
        return to_float(plus(times(d, signed(q)), half(*scales[2:])))
    return to_float(times(d, signed(q - {"q4_0": 8, "q5_0": 16, "q8_0": 0}[kind])))


def dequantize(block: list[int], kind: str) -> list[float]:
    return [weight(block, j, kind) for j in range(32)]
