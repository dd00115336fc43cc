"""Vectors of ggml's blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0, byte for byte."""

import numpy as np

from tests.oracles import ggml_legacy as oracle
from tests.vectors.specification import Function, Mutant, Stem

F = np.float32
KINDS = tuple(oracle.SIZES)


class Legacy:
    """Right blocks, every step in float32; the mutants exchange one step."""

    divisors = F(8), F(16)

    def extreme(self, x):
        place = np.argmax(np.abs(x), axis=1)
        return np.take_along_axis(x, place[:, None], 1) + F(0)

    def minimum(self, x):
        return np.take_along_axis(x, np.argmin(x, axis=1)[:, None], 1)

    def maximum(self, x):
        return np.take_along_axis(x, np.argmax(x, axis=1)[:, None], 1)

    def signed_scale(self, extreme, bits):
        return extreme / -self.divisors[bits - 4]

    def absolute_scale(self, x):
        return np.abs(self.extreme(x)) / F(127)

    def inverse(self, d):
        return np.divide(F(1), d, out=np.zeros_like(d), where=d != 0)

    def scaled(self, x, d):
        return x * self.inverse(d)

    def byte_scaled(self, x, d):
        return self.scaled(x, d)

    def code(self, t, half_up, top):
        return np.minimum(np.trunc(t + half_up), top)

    def byte_code(self, t):
        return np.trunc(t) + np.where(np.abs(t - np.trunc(t)) >= F(0.5), np.copysign(F(1), t), F(0))

    def stored(self, number):
        return number.astype("<f2").view(np.uint8)

    def heads(self, *numbers):
        return [self.stored(number) for number in numbers]

    def nibbles(self, low):
        return low[:, :16] | low[:, 16:] << 4

    def from_nibbles(self, byte):
        return np.concatenate([byte & 15, byte >> 4], axis=1)

    def high(self, bit):
        return np.packbits(bit, axis=1, bitorder="little")

    def from_high(self, byte):
        return np.unpackbits(byte, axis=1, bitorder="little")

    def quantize(self, x, kind):
        bits, top = int(kind[1]), F(2 ** int(kind[1]) - 1)
        if bits == 8:
            d = self.absolute_scale(x)
            codes = self.byte_code(self.byte_scaled(x, d))
            return np.concatenate([*self.heads(d), codes.astype(np.int8).view(np.uint8)], axis=1)
        if kind.endswith("_1"):
            m = self.minimum(x)
            d = (self.maximum(x) - m) / top
            heads, q = self.heads(d, m), self.code(self.scaled(x - m, d), F(0.5), top)
        else:
            d = self.signed_scale(self.extreme(x), bits)
            heads, q = self.heads(d), self.code(self.scaled(x, d), F(2 ** (bits - 1) + 0.5), top)
        q = q.astype(np.uint8)
        middle = [self.high(q >> 4)] if bits == 5 else []
        return np.concatenate([*heads, *middle, self.nibbles(q & 15)], axis=1)

    def read(self, field):
        return np.ascontiguousarray(field).view("<f2").astype(F)

    def offset(self, kind):
        return {"q4_0": 8, "q5_0": 16}.get(kind, 0)

    def plus_minimum(self, product, m):
        return product + m

    def bytes(self, field):
        return np.ascontiguousarray(field).view(np.int8)

    def dequantize(self, data, kind):
        start = 4 if kind.endswith("_1") else 2
        d = self.read(data[:, :2])
        if kind == "q8_0":
            return (d * self.bytes(data[:, 2:])).ravel()
        q = self.from_nibbles(data[:, -16:])
        if kind.startswith("q5"):
            q = q | self.from_high(data[:, start : start + 4]) << 4
        product = d * (q.astype(F) - self.offset(kind))
        return (self.plus_minimum(product, self.read(data[:, 2:4])) if start == 4 else product).ravel()


class NibblesSwapped(Legacy):
    """The second half of the weights is in the low nibbles."""

    def nibbles(self, low):
        return low[:, :16] << 4 | low[:, 16:]


class NibblesSwappedThereAndBack(NibblesSwapped):
    """The second half of the weights is in the low nibbles."""

    def from_nibbles(self, byte):
        return np.concatenate([byte >> 4, byte & 15], axis=1)


class Interleaved(Legacy):
    """Weights 2j and 2j + 1 are in byte j."""

    def nibbles(self, low):
        return low[:, ::2] | low[:, 1::2] << 4

    def from_nibbles(self, byte):
        return np.stack([byte & 15, byte >> 4], axis=2).reshape(-1, 32)


class HighBitsReversed(Legacy):
    """The highest bit of a byte of high bits is its first weight's."""

    def high(self, bit):
        return np.packbits(bit, axis=1, bitorder="big")

    def from_high(self, byte):
        return np.unpackbits(byte, axis=1, bitorder="big")


class HighBitsBigEndian(Legacy):
    """The four bytes of high bits are in the contrary order."""

    def high(self, bit):
        return super().high(bit)[:, ::-1]

    def from_high(self, byte):
        return super().from_high(byte[:, ::-1])


class HighBitMissing(Legacy):
    """Weight 31 has no high bit."""

    def from_high(self, byte):
        bit = super().from_high(byte)
        bit[:, 31] = 0
        return bit


class HighBitsLost(Legacy):
    """The high bits are 0."""

    def high(self, bit):
        return 0 * super().high(bit)

    def from_high(self, byte):
        return 0 * super().from_high(byte)


class ScalesBigEndian(Legacy):
    """The bytes of float16 numbers are exchanged."""

    def stored(self, number):
        return super().stored(number)[:, ::-1]

    def read(self, field):
        return super().read(field[:, ::-1])


class MinimumFirst(Legacy):
    """m is before d."""

    def heads(self, *numbers):
        return super().heads(*numbers[::-1])


class MinimumNegated(Legacy):
    """m is stored as −min x, like the dmin of the k-quants."""

    def heads(self, d, *m):
        return super().heads(d, *(-number for number in m))


class MinimumSubtracted(Legacy):
    """m is subtracted, like the dmin of the k-quants."""

    def plus_minimum(self, product, m):
        return product - m


class ScalesTruncated(Legacy):
    """d is cut off to float16, not rounded."""

    def stored(self, number):
        half = number.astype("<f2")
        return (
            np.where(np.abs(half) > np.abs(number), np.nextafter(half, np.float16(0)), half)
            .astype("<f2")
            .view(np.uint8)
        )


class AbsoluteExtreme(Legacy):
    """d comes from the largest magnitude, without its sign."""

    def extreme(self, x):
        return np.abs(super().extreme(x))


class LastExtreme(Legacy):
    """Of equal magnitudes with different signs the last one makes d."""

    def extreme(self, x):
        return super().extreme(x[:, ::-1])


class ZeroInTheRange(Legacy):
    """The minimum is at most 0."""

    def minimum(self, x):
        return np.minimum(super().minimum(x), F(0))


class PositiveScale(Legacy):
    """d is the extreme over 2^(b−1), not over −2^(b−1)."""

    def signed_scale(self, extreme, bits):
        return extreme / self.divisors[bits - 4]


class SymmetricDivisor(Legacy):
    """d is the extreme over 1 − 2^(b−1)."""

    divisors = F(7), F(15)


class HalfSteps(Legacy):
    """d is the extreme over half of the largest code."""

    divisors = F(7.5), F(15.5)


class DivisorOf128(Legacy):
    """d is the largest magnitude over 128."""

    def absolute_scale(self, x):
        return np.abs(self.extreme(x)) / F(128)


class Divided(Legacy):
    """Divides by d, and does not multiply by its rounded reciprocal."""

    def scaled(self, x, d):
        return np.divide(x, d, out=np.zeros_like(x), where=d != 0)


class CodesOfTheStoredScale(Legacy):
    """The codes come from d as float16 holds it."""

    def inverse(self, d):
        return super().inverse(d.astype(np.float16).astype(F))


class OneRounding(Legacy):
    """Product and sum are one fused multiply-add."""

    def scaled(self, x, d):
        return x.astype(np.float64) * self.inverse(d)

    def code(self, t, half_up, top):
        return super().code((t + np.float64(half_up)).astype(F), F(0), top)


class InverseOfTheExtreme(Legacy):
    """Multiplies by 127/max|x|, as ggml's vector code does, not by 1/(max|x|/127)."""

    def byte_scaled(self, x, d):
        extreme = np.abs(self.extreme(x))
        return x * np.divide(F(127), extreme, out=np.zeros_like(d), where=d != 0)


class BytesRoundedToEven(Legacy):
    """A tie goes to the even code, as in ggml's vector code."""

    def byte_code(self, t):
        return np.rint(t)


class BytesTruncated(Legacy):
    """Codes are cut off toward zero."""

    def byte_code(self, t):
        return np.trunc(t)


class CodesRoundedToEven(Legacy):
    """A tie goes to the even code."""

    def code(self, t, half_up, top):
        return super().code(np.rint(t + half_up - F(0.5)), F(0), top)


class CodesTruncated(Legacy):
    """Codes are cut off, not rounded."""

    def code(self, t, half_up, top):
        return super().code(t, half_up - F(0.5), top)


class TopCodeWraps(Legacy):
    """A code of 2^b becomes 0, not 2^b − 1."""

    def code(self, t, half_up, top):
        return super().code(t, half_up, F(255)).astype(np.uint8) & np.uint8(top)


class ZeroDivision(Legacy):
    """A block of zeros has codes of 0, as where x·(1/0) is not a number."""

    def quantize(self, x, kind):
        data = super().quantize(x, kind)
        head = np.arange(data.shape[1]) < 2
        return np.where(head | x.any(axis=1)[:, None], data, 0)


class OffsetOneLess(Legacy):
    """Codes are shifted by 2^(b−1) − 1."""

    def offset(self, kind):
        return max(super().offset(kind) - 1, 0)


class UnsignedBytes(Legacy):
    """Codes are from 0 to 255."""

    def bytes(self, field):
        return field


class WeightsOfFloat16(Legacy):
    """Weights are rounded to float16."""

    def dequantize(self, data, kind):
        with np.errstate(over="ignore"):
            return super().dequantize(data, kind).astype(np.float16).astype(F)


def of_4_and_5_bits(kind):
    return kind != "q8_0"


def of_5_bits(kind):
    return kind.startswith("q5")


def of_bytes(kind):
    return kind == "q8_0"


def with_minimum(kind):
    return kind.endswith("_1")


def with_extreme(kind):
    return kind in ("q4_0", "q5_0")


def every(kind):
    return True


# quantize


def block(*values):
    """Of 32 weights, the last of which are zeros."""
    x = np.zeros(32, F)
    x[: len(values)] = values
    return x


def odd_block(kind):
    """A block on which roundings are seen: d is no float16, and values are beside a border of two codes."""
    generator = np.random.default_rng(5)
    others = Divided, InverseOfTheExtreme if of_bytes(kind) else OneRounding, CodesOfTheStoredScale
    low, high = {"q4_0": (-7, 7), "q4_1": (0, 15), "q5_0": (-15, 15), "q5_1": (0, 31), "q8_0": (-126, 127)}[kind]
    while True:
        first = F(1 + generator.random()) * (1 if with_minimum(kind) else -1)
        borders = (np.arange(low, high) + 0.5).astype(F) * (abs(first) / F(high + 1 if with_extreme(kind) else high))
        near = np.concatenate([borders, np.nextafter(borders, F(-9)), np.nextafter(borders, F(9))])
        x = np.array([block(first, v) for v in near])
        differ = [differs(other, kind, x) for other in others]
        if all(rows.any() for rows in differ) and differs(ScalesTruncated, kind, x).all():
            return block(first, *(near[rows.argmax()] for rows in differ))


def differs(subject, kind, x):
    return (subject().quantize(x, kind) != Legacy().quantize(x, kind)).any(axis=1)


def quantize_candidates(kind):
    if of_bytes(kind):
        yield {"x": block(-127, 0.5, -1.5, 2.5, 127, 3)}
    elif with_minimum(kind):
        top = 2.0 ** int(kind[1]) - 1
        yield {"x": block(*[-1] * 30, top - 1, -0.5)}
        x = np.full(32, 2, F)
        x[[1, 2, 17, 18, 30]] = 2 + top, 2.5, 3.5, 5, 1 + top
        yield {"x": x}
    else:
        half = 2.0 ** (int(kind[1]) - 1)
        yield {"x": block(half, -half, 0.5, -0.5, 1, -1.5, *[0] * 11, 3, half - 1)}
    yield {"x": odd_block(kind)}
    yield {"x": block(0)}


def quantized(kind, x):
    return {"data": np.array([oracle.quantize(part, kind) for part in x.reshape(-1, 32).tolist()], np.uint8)}


def wrong(subject):
    def answer(kind, x):
        with np.errstate(over="ignore"):
            return {"data": subject().quantize(x.reshape(-1, 32), kind).astype(np.uint8)}

    return answer


QUANTIZERS = {
    "nibbles: swapped": (NibblesSwapped, of_4_and_5_bits),
    "nibbles: neighbours in a byte": (Interleaved, of_4_and_5_bits),
    "high bits: reversed": (HighBitsReversed, of_5_bits),
    "high bits: big-endian": (HighBitsBigEndian, of_5_bits),
    "high bits: missing": (HighBitsLost, of_5_bits),
    "scale: big-endian": (ScalesBigEndian, every),
    "scale: truncated": (ScalesTruncated, every),
    "scale: magnitude": (AbsoluteExtreme, with_extreme),
    "scale: last of equals": (LastExtreme, with_extreme),
    "scale: positive divisor": (PositiveScale, with_extreme),
    "scale: symmetric range": (SymmetricDivisor, with_extreme),
    "scale: half of the codes": (HalfSteps, with_extreme),
    "scale: over 128": (DivisorOf128, of_bytes),
    "minimum: before the scale": (MinimumFirst, with_minimum),
    "minimum: negated": (MinimumNegated, with_minimum),
    "minimum: at most 0": (ZeroInTheRange, with_minimum),
    "codes: division": (Divided, every),
    "codes: of the stored scale": (CodesOfTheStoredScale, every),
    "codes: fused": (OneRounding, of_4_and_5_bits),
    "codes: 127 over the largest": (InverseOfTheExtreme, of_bytes),
    "codes: bytes to even": (BytesRoundedToEven, of_bytes),
    "codes: bytes truncated": (BytesTruncated, of_bytes),
    "codes: to even": (CodesRoundedToEven, of_4_and_5_bits),
    "codes: truncated": (CodesTruncated, of_4_and_5_bits),
    "codes: the top one wraps": (TopCodeWraps, with_extreme),
    "zeros: codes of 0": (ZeroDivision, with_extreme),
}


def mutants(table, answer):
    return {
        name: Mutant(subject.__doc__.rstrip("."), answer(subject), applies)
        for name, (subject, applies) in table.items()
    }


QUANTIZE = Function(
    summary="bytes of ggml's blocks of 32 weights, as its reference functions write them, every operation in float32 "
    "and none fused; codes come from d before it is rounded to float16, and its rounded reciprocal",
    parameters={"x": "(32·blocks,) float32 array"},
    returns={"data": "(blocks, bytes of a block) uint8 array"},
    candidates=quantize_candidates,
    expected=quantized,
    mutants=mutants(QUANTIZERS, wrong),
    provenance="tests/oracles/ggml_legacy.py, fractions, with every rounding to float32 written out",
    conventions=tuple((kind,) for kind in KINDS),
)


# dequantize


def dequantize_candidates(kind):
    """A few weights that are not 0: 1, 2, 17, 30 and 31."""
    if of_bytes(kind):
        yield {"data": np.array([[0x01, 0x3C, 0, 127, 128, *[0] * 13, 255, *[0] * 15]], np.uint8)}
        return
    zero = 0x88 if kind == "q4_0" else 0
    low = np.full(16, zero, np.uint8)
    low[[1, 2, 14, 15]] = zero ^ 0x51, zero ^ 0x03, zero ^ 0x20, zero ^ 0x90
    head = [0x01, 0x3C, *([0x00, 0xC0] if with_minimum(kind) else [])]
    high = []
    if kind == "q5_0":
        high = [0b11111101, 255, 255, 255]
    if kind == "q5_1":
        high = [0b10, 0, 0, 128]
    yield {"data": np.array([[*head, *high, *low]], np.uint8)}


def dequantized(kind, data):
    return {"x": np.array([weight for part in data.tolist() for weight in oracle.dequantize(part, kind)], F)}


DEQUANTIZERS = {
    "nibbles: swapped": (NibblesSwappedThereAndBack, of_4_and_5_bits),
    "nibbles: neighbours in a byte": (Interleaved, of_4_and_5_bits),
    "high bits: reversed": (HighBitsReversed, of_5_bits),
    "high bits: big-endian": (HighBitsBigEndian, of_5_bits),
    "high bits: missing": (HighBitsLost, of_5_bits),
    "high bits: the last missing": (HighBitMissing, of_5_bits),
    "scale: big-endian": (ScalesBigEndian, every),
    "minimum: subtracted": (MinimumSubtracted, with_minimum),
    "offset: one less": (OffsetOneLess, with_extreme),
    "codes: unsigned": (UnsignedBytes, of_bytes),
    "weights: float16": (WeightsOfFloat16, every),
}

DEQUANTIZE = Function(
    summary="weights of ggml's blocks of 32, of bytes as quantize writes them, whose float16 numbers are finite",
    parameters={"data": "(blocks, bytes of a block) uint8 array"},
    returns={"x": "(32·blocks,) float32 array"},
    candidates=dequantize_candidates,
    expected=dequantized,
    mutants=mutants(DEQUANTIZERS, lambda subject: lambda kind, data: {"x": subject().dequantize(data, kind)}),
    provenance="tests/oracles/ggml_legacy.py, fractions",
    conventions=tuple((kind,) for kind in KINDS),
)

STEM = Stem({"quantize": QUANTIZE, "dequantize": DEQUANTIZE})
