"""Q2_K: hand-worked blocks, every bit and float16 number against the oracle, planted errors, and the error paths."""

import numpy as np
import pytest

from refcompress.formulas.quantization.formats import q2_k
from tests.formulas.quantization.formats import k_quants
from tests.formulas.quantization.formats.k_quants import changed, exchanged
from tests.oracles import q2_k as oracle

# d at 80, dmin at 82: 0x3C00 is 1, 0x4000 is 2, 0xB800 is −0.5
FORMAT = k_quants.Format(
    oracle,
    (80, 82),
    [
        # s_0 = 3, m_0 = 2, and byte 0 of qs has weights 0, 32, 64, 96 with codes 3, 0, 1, 2
        ({0: 0x23, 16: 0b10_01_00_11, 81: 0x3C, 83: 0x3C}, dict.fromkeys(range(16), -2.0) | {0: 7.0}),
        # s_i = 1 for all: weight 32j + l of the first half is in bits 2j of byte l
        (
            dict.fromkeys(range(16), 1) | {16 + 5: 0b10_01_00_11, 81: 0x40, 83: 0x3C},
            {5: 6.0, 69: 2.0, 101: 4.0},
        ),
        # byte 32 + 17 of qs: weights 128 + 17 + 32j, which are in groups 9, 11, 13, 15
        (
            {9: 0x02, 11: 0x03, 13: 0x04, 15: 0x05, 16 + 32 + 17: 0b01_10_11_01, 81: 0x3C},
            {145: 2, 177: 9, 209: 8, 241: 5},
        ),
        # m_15 = 15, dmin = −1/2: +7.5 in the last 16 weights
        ({15: 0xF0, 83: 0xB8}, dict.fromkeys(range(240, 256), 7.5)),
    ],
    [0, 0, 0, 0],
)

MUTANTS = {
    "codes one byte late": (lambda b: exchanged(b, 16, 64, np.roll(np.arange(64), 1)), k_quants.literals),
    "dmin without a sign": (lambda b: changed(b, 83, 1, lambda x: x & 127), k_quants.every_half),
    "blocks one early": (lambda b: np.roll(b, -1, axis=0), k_quants.mixed_blocks),
}


@pytest.mark.parametrize("check", k_quants.CHECKS)
def test_property(check):
    check(q2_k.dequantize, FORMAT)


@pytest.mark.parametrize("wrong", MUTANTS)
def test_wrong_format_is_caught(wrong):
    change, check = MUTANTS[wrong]
    with pytest.raises(AssertionError):
        check(lambda data: q2_k.dequantize(change(data)), FORMAT)


def test_weights_of_float16_are_caught():
    with pytest.raises(AssertionError), np.errstate(over="ignore"):
        k_quants.every_half(lambda data: q2_k.dequantize(data).astype(np.float16).astype(np.float32), FORMAT)


def test_any_memory_order():
    k_quants.memory_order(q2_k.dequantize, FORMAT)


def test_error_paths():
    k_quants.errors(q2_k.dequantize, FORMAT)
