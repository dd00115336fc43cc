"""Vectors of Q2_K: d at 80, dmin at 82, scales and minima at 0, codes at 16."""

import numpy as np

from tests.formulas.quantization.formats.k_quants import changed, exchanged, nibbles, pairs
from tests.oracles import q2_k as oracle
from tests.vectors.k_quants import D, at, block, stem

# weight 1 has code 3, 49 code 2, 150 code 1 and 230 code 3; only group 0 has a minimum
CODES = {16 + 1: 3, 16 + 17: 2 << 2, 48 + 22: 1, 48 + 6: 3 << 6}
DATA = block(84, {0: 0x25, 3: 0x01, 9: 0x03, 14: 0x02, 15: 0x07}, CODES, at(80, D), {83: 0x40})


def neighbours_in_a_byte(field):
    """Byte k is read as weights 4k to 4k + 3."""
    codes = (field[:, :, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).reshape(-1, 2, 4, 32)
    return (codes << np.array([0, 2, 4, 6], np.uint8)[:, None]).sum(axis=2, dtype=np.uint8).reshape(-1, 64)


CHANGES = {
    "scales and minima exchanged": ("the scale is in the high nibble", lambda b: changed(b, 0, 16, nibbles)),
    "codes from the high bits down": (
        "the first of a byte's codes is in its highest bits",
        lambda b: changed(b, 16, 64, pairs),
    ),
    "codes of neighbours in a byte": (
        "a byte has four weights that follow each other",
        lambda b: changed(b, 16, 64, neighbours_in_a_byte),
    ),
    "halves exchanged": (
        "the first 32 bytes have the last 128 weights",
        lambda b: exchanged(b, 16, 64, np.roll(np.arange(64), 32)),
    ),
    "groups of 32 weights": ("two groups share a scale", lambda b: exchanged(b, 0, 16, np.arange(16) // 2 * 2)),
    "minima added": ("minima are added, not subtracted", lambda b: changed(b, 83, 1, lambda x: x ^ 128)),
    "d and dmin exchanged": ("dmin is before d", lambda b: exchanged(b, 80, 4, [2, 3, 0, 1])),
    "d big-endian": ("the bytes of d are exchanged", lambda b: exchanged(b, 80, 4, [1, 0, 2, 3])),
}

STEM = stem("Q2_K", oracle, DATA, CHANGES)
