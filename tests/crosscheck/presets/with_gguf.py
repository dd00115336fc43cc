"""gguf, which writes llama.cpp's files: Q4_0, Q5_0, Q4_1, Q5_1 and Q8_0 blocks of 32 weights."""

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import Pair, ranges, weight_rows
from tests.crosscheck.registry import register

SIZE = 32


def fields(data, kind):
    """Codes, and the float16 numbers that a block keeps: its scale, and with _1 its minimum."""
    halves = np.ascontiguousarray(data[:, : 4 if kind.endswith("1") else 2]).view("<f2")
    rest = data[:, 2 * halves.shape[1] :]
    if kind == "q8_0":
        return rest.view(np.int8), halves
    high = np.zeros((len(data), SIZE), np.uint8)
    if kind.startswith("q5"):
        high, rest = np.unpackbits(rest[:, :4], axis=1, bitorder="little"), rest[:, 4:]
    return np.concatenate([rest & 15, rest >> 4], axis=1) | high << 4, halves


def compared(*kinds):
    def pairs(c, rng):
        import gguf

        for kind in kinds:
            qmin, qmax = (-128, 127) if kind == "q8_0" else (0, 2 ** int(kind[1]) - 1)
            # between what float16 holds; the low end stands first, so that it is the first of two equally large
            ends = ranges(qmin, qmax, rng, smallest=1e-30, largest=6e4)
            rows, drawn = weight_rows(c, qmin, qmax, SIZE, rng, ends, 1_300_000 if kind == kinds[0] else 100_000)
            code = getattr(gguf.GGMLQuantizationType, kind.upper())
            data = gguf.quants.quantize(rows, code)
            codes, halves = fields(data, kind)
            s, Z = affine.choose(rows.min(1), rows.max(1), qmin, qmax, c)
            given = rows[:, :2]
            yield Pair(f"float16 scale of a {kind} block", halves[:, 0].astype(np.float32), kept(s, c), given)
            if kind.endswith("1"):
                yield Pair(f"float16 minimum of a {kind} block", halves[:, 1].astype(np.float32), kept(Z, c), given)
            yield Pair(f"{kind} codes", codes, affine.quantize(rows, s, Z, qmin, qmax, c, 0), rows, drawn)
            numbers = gguf.quants.dequantize(data, code)
            yield Pair(f"{kind} numbers", numbers, affine.dequantize(codes.astype(np.int32), s, Z, c, 0), codes)
            yield Pair(f"{kind} there and back", numbers, affine.fake_quantize(rows, s, Z, qmin, qmax, c, 0), rows)

    return pairs


def kept(number, c):
    """A number as the convention keeps it."""
    return number.astype(c.scale_dtype).astype(np.float32)


register("ggml_q4_0", library="gguf")(compared("q4_0", "q5_0"))
register("ggml_q4_1", library="gguf")(compared("q4_1", "q5_1"))
register("ggml_q8_0", library="gguf")(compared("q8_0"))
