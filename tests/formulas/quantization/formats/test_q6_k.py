"""Q6_K: hand-worked blocks, every bit and float16 number against the oracle, planted errors, and the error paths."""

import numpy as np
import pytest

from refcompress.formulas.quantization.formats import q6_k
from tests.formulas.quantization.formats import k_quants
from tests.formulas.quantization.formats.k_quants import changed
from tests.oracles import q6_k as oracle

# ql at 0, qh at 128, scales at 192, d at 208
FORMAT = k_quants.Format(
    oracle,
    (208,),
    [
        # q_0 = 63, s_0 = 3; the other 15 weights of the group have q − 32 = −32
        ({0: 0x0F, 128: 0b11, 192: 3, 209: 0x3C}, dict.fromkeys(range(1, 16), -96.0) | {0: 93.0}),
        # byte 7 of ql: weight 7 low, weight 71 high (groups 0 and 4); s_4 = −1
        (
            {7: 0x95, 192: 1, 196: 0xFF, 209: 0x3C},
            dict.fromkeys(range(16), -32.0) | dict.fromkeys(range(64, 80), 32.0) | {7: -27.0, 71: 23.0},
        ),
        # byte 32 + 20 of qh: weights 148, 180, 212, 244 of groups 9, 11, 13, 15, with 16·(2, 1, 3, 1); d = 1/2
        (
            {128 + 52: 0b01_11_01_10, 201: 2, 203: 2, 205: 2, 207: 2, 209: 0x38},
            {i: -32.0 for g in (9, 11, 13, 15) for i in range(16 * g, 16 * g + 16)}
            | {148: 0.0, 180: -16.0, 212: 16.0, 244: -16.0},
        ),
        # byte 64 + 40 of ql: weights 168 and 232, groups 10 and 14; s = 127 and −128; d = −2
        (
            {64 + 40: 0xF1, 202: 127, 206: 128, 209: 0xC0},
            dict.fromkeys(range(160, 176), 8128.0)
            | dict.fromkeys(range(224, 240), -8192.0)
            | {168: 7874.0, 232: -4352.0},
        ),
    ],
    [0, 0, 0, 0],
)

MUTANTS = {
    "d without a sign": (lambda b: changed(b, 209, 1, lambda x: x & 127), k_quants.literals),
    "blocks one early": (lambda b: np.roll(b, -1, axis=0), k_quants.mixed_blocks),
}


@pytest.mark.parametrize("check", k_quants.CHECKS)
def test_property(check):
    check(q6_k.dequantize, FORMAT)


@pytest.mark.parametrize("wrong", MUTANTS)
def test_wrong_format_is_caught(wrong):
    change, check = MUTANTS[wrong]
    with pytest.raises(AssertionError):
        check(lambda data: q6_k.dequantize(change(data)), FORMAT)


def test_weights_of_float16_are_caught():
    with pytest.raises(AssertionError), np.errstate(over="ignore"):
        k_quants.every_half(lambda data: q6_k.dequantize(data).astype(np.float16).astype(np.float32), FORMAT)


def test_any_memory_order():
    k_quants.memory_order(q6_k.dequantize, FORMAT)


def test_error_paths():
    k_quants.errors(q6_k.dequantize, FORMAT)
