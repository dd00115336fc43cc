"""Vectors of Q3_K: high bits at 0, low bits at 32, scales at 96, d at 108."""

import numpy as np

from tests.formulas.quantization.formats.k_quants import (
    bits,
    changed,
    eight_weights_in_a_byte,
    exchanged,
    nibbles,
    pairs,
)
from tests.oracles import q3_k as oracle
from tests.vectors.k_quants import D, at, block, stem

# All high bits but those of weights 35 and 200 are 1, and low bits 0, but of weights 17, 83, 130 and 230: q − 4 = 0
HIGH = {3: 0xFD, 8: 0xBF}
LOW = {32 + 17: 1, 32 + 19: 3 << 4, 64 + 2: 2, 64 + 6: 3 << 6}
# s_i − 32 is i, but 16 + 5, 16 + 14 and 8 − 16 in groups 5, 14 and 8
SCALES = {96 + i: i | 8 + i << 4 for i in range(8)} | {104: 0x9A, 105: 0xAE, 106: 0xEA, 107: 0xAA}
DATA = block(110, HIGH, LOW, SCALES, at(108, D), rest={(0, 32): 255})


def high_pairs_in_order(b):
    """High bits of scales 4i … 4i + 3 in byte 8 + i, as if they were packed densely."""
    pair = (b[:, 104:108, None] >> np.array([0, 2, 4, 6], np.uint8)) & 3
    wrong = b.copy()
    wrong[:, 104:108] = (pair.swapaxes(1, 2) << np.array([0, 2, 4, 6], np.uint8)).sum(axis=2)
    return wrong


CHANGES = {
    "nibbles of scales exchanged": (
        "the first eight scales have the high nibbles",
        lambda b: changed(b, 96, 8, nibbles),
    ),
    "high bits of scales in order": (
        "the high bits of four scales that follow each other are in a byte",
        high_pairs_in_order,
    ),
    "high bits of scales reversed": (
        "the first of a byte's high bits are its highest",
        lambda b: changed(b, 104, 4, pairs),
    ),
    "hmask of 8 weights in a byte": (
        "a byte of high bits has eight weights that follow each other",
        lambda b: changed(b, 0, 32, eight_weights_in_a_byte),
    ),
    "hmask reversed": ("the highest of a byte's high bits is the first weight's", lambda b: changed(b, 0, 32, bits)),
    "codes from the high bits down": (
        "the first of a byte's codes is in its highest bits",
        lambda b: changed(b, 32, 64, pairs),
    ),
    "halves exchanged": (
        "the first 32 bytes of low bits have the last 128 weights",
        lambda b: exchanged(b, 32, 64, np.roll(np.arange(64), 32)),
    ),
    "d big-endian": ("the bytes of d are exchanged", lambda b: exchanged(b, 108, 2, [1, 0])),
}

STEM = stem("Q3_K", oracle, DATA, CHANGES)
