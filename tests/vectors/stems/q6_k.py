"""Vectors of Q6_K: low bits at 0, high bits at 128, scales at 192, d at 208."""

import numpy as np

from tests.formulas.quantization.formats.k_quants import changed, exchanged, nibbles, pairs
from tests.oracles import q6_k as oracle
from tests.vectors.k_quants import D, at, block, stem

# q − 32 is 0 but for weights 7, 71, 90, 150, 200 and 250; the high bits of 90 and 200 are 3 and 1
LOW = {7: 0x95, 26: 0x30, 64 + 22: 0x04, 64 + 8: 0x20, 64 + 58: 0x60}
HIGH = {128 + 26: 0xAA | 1 << 4, 160 + 8: 0xAA ^ 3 << 4}
# the scales are 1 to 16, but −2 in group 4 and −128 in group 9
SCALES = {192 + i: i + 1 for i in range(16)} | {196: 0xFE, 201: 0x80}
DATA = block(210, LOW, HIGH, SCALES, at(208, D), rest={(128, 192): 0xAA})

CHANGES = {
    "nibbles exchanged": ("the first 64 of 128 weights are in the high nibbles", lambda b: changed(b, 0, 128, nibbles)),
    "runs of 32 for 64": (
        "the second 32 bytes of 64 have the first weights",
        lambda b: exchanged(b, 0, 128, np.arange(128).reshape(2, 2, 32)[:, ::-1].ravel()),
    ),
    "halves of ql exchanged": (
        "the first 64 bytes have the last 128 weights",
        lambda b: exchanged(b, 0, 128, np.roll(np.arange(128), 64)),
    ),
    "high bits from the top down": (
        "the first of a byte's high bits are its highest",
        lambda b: changed(b, 128, 64, pairs),
    ),
    "halves of qh exchanged": (
        "the first 32 bytes of high bits have the last 128 weights",
        lambda b: exchanged(b, 128, 64, np.roll(np.arange(64), 32)),
    ),
    "scales without a sign": (
        "the highest bit of a scale is not read",
        lambda b: changed(b, 192, 16, lambda x: x & 127),
    ),
    "scale −128 as −127": (
        "the least scale is −127",
        lambda b: changed(b, 192, 16, lambda x: np.where(x == 128, 129, x)),
    ),
    "d big-endian": ("the bytes of d are exchanged", lambda b: exchanged(b, 208, 2, [1, 0])),
}

STEM = stem("Q6_K", oracle, DATA, CHANGES)
