"""Vectors of Q5_K: d at 0, dmin at 2, scales and minima at 4, high bits at 16, low bits at 48."""

import numpy as np

from tests.formulas.quantization.formats.k_quants import bits, changed, eight_weights_in_a_byte, exchanged, nibbles
from tests.oracles import q5_k as oracle
from tests.vectors.k_quants import D, at, block, stem
from tests.vectors.stems.q4_k import SCALE_CHANGES, SCALES

# weights 3, 40, 70, 100, 130, 170, 200 and 255, one of every group; 40, 100, 200 and 21 have a high bit
HIGH = {16 + 8: 1 << 1 | 1 << 6, 16 + 4: 1 << 3, 16 + 21: 1}
LOW = {
    48 + 3: 9,
    48 + 8: 12 << 4,
    80 + 6: 1,
    80 + 4: 2 << 4,
    112 + 2: 3,
    112 + 10: 4 << 4,
    144 + 8: 5,
    144 + 31: 6 << 4,
}
DATA = block(176, at(0, D), {3: 0x3C}, SCALES, HIGH, LOW)

CHANGES = {
    "high bits missing": ("codes have 4 bits", lambda b: changed(b, 16, 32, lambda x: x & 0)),
    "high bits reversed": (
        "the highest of a byte's high bits is the first weight's",
        lambda b: changed(b, 16, 32, bits),
    ),
    "high bits of 8 weights in a byte": (
        "a byte of high bits has eight weights that follow each other",
        lambda b: changed(b, 16, 32, eight_weights_in_a_byte),
    ),
    "nibbles exchanged": ("the first 32 of 64 weights are in the high nibbles", lambda b: changed(b, 48, 128, nibbles)),
    "qs before qh": (
        "the low bits are before the high bits",
        lambda b: exchanged(b, 16, 160, np.roll(np.arange(160), -32)),
    ),
    "high bits of scales missing": SCALE_CHANGES["high bits of scales missing"],
    "high bits of minima missing": SCALE_CHANGES["high bits of minima missing"],
    "minima added": ("minima are added, not subtracted", lambda b: changed(b, 3, 1, lambda x: x ^ 128)),
    "d and dmin exchanged": ("dmin is before d", lambda b: exchanged(b, 0, 4, [2, 3, 0, 1])),
    "d big-endian": ("the bytes of d are exchanged", lambda b: exchanged(b, 0, 4, [1, 0, 2, 3])),
}

STEM = stem("Q5_K", oracle, DATA, CHANGES)
