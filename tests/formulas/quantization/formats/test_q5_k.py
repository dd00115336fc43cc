"""Q5_K: hand-worked blocks, every bit and float16 number against the oracle, planted errors, and the error paths."""

import numpy as np
import pytest

from refcompress.formulas.quantization.formats import q5_k
from tests.formulas.quantization.formats import k_quants
from tests.formulas.quantization.formats.k_quants import changed
from tests.oracles import q5_k as oracle

# d at 0, dmin at 2, scales B_0 … B_11 at 4, high bits at 16, low bits at 48
FORMAT = k_quants.Format(
    oracle,
    (0, 2),
    [
        # s_0 = 5, m_0 = 2, weight 0 has code 31
        ({1: 0x3C, 3: 0x3C, 4: 5, 8: 2, 16: 1, 48: 0x0F}, dict.fromkeys(range(32), -2.0) | {0: 153.0}),
        # s_0 … s_3 = 1, 2, 3, 4: bits 1 and 3 of byte 7 of qh are weights 39 and 103
        ({1: 0x3C, 4: 1, 5: 2, 6: 3, 7: 4, 16 + 7: 0b1010}, {39: 32.0, 103: 64.0}),
        # byte 32 + 3 of qs: weight 67 low, weight 99 high
        ({1: 0x3C, 6: 3, 7: 4, 48 + 35: 0x4C}, {67: 36.0, 99: 16.0}),
        # m_7: high 4 bits of B_11 and high 2 of B_7: 6 + 16·3 = 54, dmin = −1/2
        ({3: 0xB8, 4 + 7: 0xC0, 15: 0x60}, dict.fromkeys(range(224, 256), 27.0)),
        # s_7 = 63, d = 2: the last byte of qs and bit 7 of the last of qh
        ({1: 0x40, 4 + 3: 0xC0, 15: 0x0F, 47: 0x80, 175: 0xFF}, {255: 3906.0}),
    ],
    [0, 0, 0, 0, 0],
)


MUTANTS = {
    "high bits of the last group missing": (lambda b: changed(b, 16, 32, lambda x: x & 127), k_quants.literals),
    "blocks one early": (lambda b: np.roll(b, -1, axis=0), k_quants.mixed_blocks),
}


@pytest.mark.parametrize("check", k_quants.CHECKS)
def test_property(check):
    check(q5_k.dequantize, FORMAT)


@pytest.mark.parametrize("wrong", MUTANTS)
def test_wrong_format_is_caught(wrong):
    change, check = MUTANTS[wrong]
    with pytest.raises(AssertionError):
        check(lambda data: q5_k.dequantize(change(data)), FORMAT)


def test_weights_of_float16_are_caught():
    with pytest.raises(AssertionError), np.errstate(over="ignore"):
        k_quants.every_half(lambda data: q5_k.dequantize(data).astype(np.float16).astype(np.float32), FORMAT)


def test_any_memory_order():
    k_quants.memory_order(q5_k.dequantize, FORMAT)


def test_error_paths():
    k_quants.errors(q5_k.dequantize, FORMAT)
