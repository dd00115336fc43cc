"""Q3_K: hand-worked blocks, every bit and float16 number against the oracle, planted errors, and the error paths."""

import numpy as np
import pytest

from refcompress.formulas.quantization.formats import q3_k
from tests.formulas.quantization.formats import k_quants
from tests.formulas.quantization.formats.k_quants import changed
from tests.oracles import q3_k as oracle

# s_i − 32 and q − 4: a block of zero bytes but for d = 1 has 32·4 = 128 everywhere
FORMAT = k_quants.Format(
    oracle,
    (108,),
    [
        ({109: 0x3C}, {}),
        # high bit and low bits of weight 0: q = 7, and s_0 = 32 + 2 has its high bits in byte 8 of scales
        ({0: 1, 32: 3, 96: 0x02, 96 + 8: 0x02, 109: 0x3C}, dict.fromkeys(range(1, 16), -8.0) | {0: 6.0}),
        # bit j of byte l of hmask is weight 32j + l: q = 4, so 0
        ({3: 0b1000_0010, 109: 0x3C}, {35: 0.0, 227: 0.0}),
        # byte 32 + 17 of qs: weights 145, 177, 209, 241 with codes 1, 3, 2, 1: −32·(q − 4)
        ({32 + 32 + 17: 0b01_10_11_01, 109: 0x3C}, {145: 96.0, 177: 32.0, 209: 64.0, 241: 96.0}),
        # s_9 is in the high nibble of byte 1, s_9's high bits in byte 8 + 1, bits 4 and 5: s = 5 + 16·3 = 53
        ({96 + 1: 0x50, 96 + 9: 0b11_0000, 109: 0x3C}, dict.fromkeys(range(144, 160), -84.0)),
        # s_6 = 2·16: byte 6 low 0, high bits in byte 8 + 2, bits 2 and 3, so 0·(−4) = −0 where d = 1
        ({96 + 10: 0b1000, 109: 0x3C}, dict.fromkeys(range(96, 112), -0.0)),
        # s_15: high nibble of byte 7, bits 6 and 7 of byte 11: 63, and d = −2
        ({96 + 7: 0xF0, 96 + 11: 0xC0, 109: 0xC0}, dict.fromkeys(range(240, 256), 248.0)),
    ],
    [128, 128, 128, 128, 128, 128, -256],
)


MUTANTS = {
    "d without a sign": (lambda b: changed(b, 109, 1, lambda x: x & 127), k_quants.literals),
    "blocks one early": (lambda b: np.roll(b, -1, axis=0), k_quants.mixed_blocks),
}


@pytest.mark.parametrize("check", k_quants.CHECKS)
def test_property(check):
    check(q3_k.dequantize, FORMAT)


@pytest.mark.parametrize("wrong", MUTANTS)
def test_wrong_format_is_caught(wrong):
    change, check = MUTANTS[wrong]
    with pytest.raises(AssertionError):
        check(lambda data: q3_k.dequantize(change(data)), FORMAT)


def test_weights_of_float16_are_caught():
    with pytest.raises(AssertionError), np.errstate(over="ignore"):
        k_quants.every_half(lambda data: q3_k.dequantize(data).astype(np.float16).astype(np.float32), FORMAT)


def test_any_memory_order():
    k_quants.memory_order(q3_k.dequantize, FORMAT)


def test_error_paths():
    k_quants.errors(q3_k.dequantize, FORMAT)
