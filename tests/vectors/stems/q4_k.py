"""Vectors of Q4_K: d at 0, dmin at 2, scales and minima at 4, codes at 16."""

import numpy as np

from tests.formulas.quantization.formats.k_quants import changed, exchanged, nibbles
from tests.oracles import q4_k as oracle
from tests.vectors.k_quants import D, at, block, stem

# scales 1, 2, 3, 4, 5 + 16, 6 + 32, 7 + 48 and 8; only group 5 has a minimum, 1 + 16
SCALES = at(4, dict(enumerate([0x41, 0x82, 0xC3, 0x04, 0, 0x40, 0, 0, 0x05, 0x16, 0x07, 0x08])))
# weights 3, 40, 70, 100, 130, 170, 200 and 255, one of every group
CODES = {
    16 + 3: 9,
    16 + 8: 12 << 4,
    48 + 6: 1,
    48 + 4: 2 << 4,
    80 + 2: 3,
    80 + 10: 4 << 4,
    112 + 8: 5,
    112 + 31: 6 << 4,
}
DATA = block(144, at(0, D), {3: 0x3C}, SCALES, CODES)


def dense(field):
    """Scales and then minima, 6 bits each, side by side."""
    numbers = [int.from_bytes(row.tobytes(), "little") for row in field]
    six = [[number >> 6 * i & 63 for i in range(16)] for number in numbers]
    return np.array([oracle.write_scales_and_mins(values[:8], values[8:]) for values in six], np.uint8)


def runs_of_64(field):
    """Byte l of a half of 64 bytes has weights l and l + 64."""
    return field[:, np.arange(128).reshape(2, 2, 32).swapaxes(0, 1).ravel()]


SCALE_CHANGES = {
    "scales and minima exchanged": ("minima are before scales", lambda b: exchanged(b, 4, 8, [4, 5, 6, 7, 0, 1, 2, 3])),
    "low bits of scales and minima exchanged": (
        "from the fifth on, scales have the high nibbles",
        lambda b: changed(b, 12, 4, nibbles),
    ),
    "scales densely packed": ("the 16 numbers of 6 bits are side by side", lambda b: changed(b, 4, 12, dense)),
    "high bits of scales missing": (
        "from the fifth on, scales have 4 bits",
        lambda b: changed(b, 4, 4, lambda x: x & 63),
    ),
    "high bits of minima missing": (
        "from the fifth on, minima have 4 bits",
        lambda b: changed(b, 8, 4, lambda x: x & 63),
    ),
}
CHANGES = SCALE_CHANGES | {
    "nibbles exchanged": ("the first 32 of 64 weights are in the high nibbles", lambda b: changed(b, 16, 128, nibbles)),
    "halves of 64 bytes": (
        "the first 64 bytes have the low nibbles' weights in order",
        lambda b: changed(b, 16, 128, runs_of_64),
    ),
    "minima added": ("minima are added, not subtracted", lambda b: changed(b, 3, 1, lambda x: x ^ 128)),
    "d and dmin exchanged": ("dmin is before d", lambda b: exchanged(b, 0, 4, [2, 3, 0, 1])),
    "d big-endian": ("the bytes of d are exchanged", lambda b: exchanged(b, 0, 4, [1, 0, 2, 3])),
}

STEM = stem("Q4_K", oracle, DATA, CHANGES)
