"""Q4_K: hand-worked blocks, every bit and float16 number against the oracle, planted errors, and the error paths."""

import numpy as np
import pytest

from refcompress.formulas.quantization.formats import q4_k
from tests.formulas.quantization.formats import k_quants
from tests.formulas.quantization.formats.k_quants import changed
from tests.oracles import q4_k as oracle

# d at 0, dmin at 2, scales B_0 … B_11 at 4, codes at 16
FORMAT = k_quants.Format(
    oracle,
    (0, 2),
    [
        # s_0 = 5, m_0 = 2, weight 0 has code 15
        ({1: 0x3C, 3: 0x3C, 4: 5, 8: 2, 16: 0x0F}, dict.fromkeys(range(32), -2.0) | {0: 73.0}),
        # s_0 = 1, s_1 = 10: byte 3 of qs has weight 3 low and weight 35 high
        ({1: 0x3C, 4: 1, 5: 10, 16 + 3: 0x4C}, {3: 12.0, 35: 40.0}),
        # s_4: low 4 bits in B_8, high 2 in B_0: 9 + 16·2 = 41; byte 64 + 1 of qs has weights 129 and 161 (s_5 = 0)
        ({1: 0x3C, 4: 0x80, 12: 0x09, 16 + 65: 0x33}, {129: 123.0}),
        # m_7: high 4 bits of B_11 and high 2 of B_7: 6 + 16·3 = 54, dmin = −1/2
        ({3: 0xB8, 4 + 7: 0xC0, 15: 0x60}, dict.fromkeys(range(224, 256), 27.0)),
        # s_7: B_11 low and B_3 high: 63; the last byte has weights 223 (s_6 = 0) and 255; d = 2
        ({1: 0x40, 4 + 3: 0xC0, 15: 0x0F, 143: 0xFF}, {255: 1890.0}),
    ],
    [0, 0, 0, 0, 0],
)

MUTANTS = {
    "dmin without a sign": (lambda b: changed(b, 3, 1, lambda x: x & 127), k_quants.literals),
    "blocks one early": (lambda b: np.roll(b, -1, axis=0), k_quants.mixed_blocks),
}


# scales_and_mins


def read(scales):
    s, m = q4_k.scales_and_mins(np.array(scales, np.uint8))
    assert s.dtype == m.dtype == np.uint8
    return s.tolist(), m.tolist()


def test_every_scale_and_minimum():
    """All 64 · 64 pairs at each of eight places, the others mixed: what the oracle writes is what is read."""
    generator = np.random.default_rng(0)
    for place in range(8):
        s, m = generator.integers(0, 64, (2, 4096, 8))
        s[:, place], m[:, place] = np.divmod(np.arange(4096), 64)
        written = [oracle.write_scales_and_mins(*pair) for pair in zip(s.tolist(), m.tolist(), strict=True)]
        assert read(written) == (s.tolist(), m.tolist())


def test_every_bit_of_the_scales():
    for place in range(96):
        field = [0] * 12
        field[place // 8] = 1 << place % 8
        s, m = read([field])
        assert list(zip(*s, *m, strict=True)) == [oracle.scale_and_min(field, i) for i in range(8)]
        assert sum(s[0]) + sum(m[0]) in (1, 2, 4, 8, 16, 32)  # every bit has one place
    assert read(np.zeros((0, 12))) == ([], [])


def test_scales_by_hand():
    assert read([[0xC1, 2, 3, 4, 5, 6, 7, 8, 0x29, 0, 0, 0]]) == (
        [[1, 2, 3, 4, 57, 0, 0, 0]],
        [[5, 6, 7, 8, 2, 0, 0, 0]],
    )
    assert read([[0, 0, 0, 0x40, 0, 0, 0, 0xBF, 0, 0, 0, 0x7A]]) == (
        [[0, 0, 0, 0, 0, 0, 0, 26]],
        [[0, 0, 0, 63, 0, 0, 0, 39]],
    )
    assert read([[255] * 12]) == ([[63] * 8], [[63] * 8])


def test_the_field_of_scales_is_checked():
    with pytest.raises(TypeError, match=r"^data must be uint8|^scales must be uint8"):
        q4_k.scales_and_mins(np.zeros((1, 12), np.int8))
    for wrong in (11, 13):
        with pytest.raises(ValueError, match=rf"must have blocks of 12 bytes, got shape \(2, {wrong}\)"):
            q4_k.scales_and_mins(np.zeros((2, wrong), np.uint8))
    with pytest.raises(ValueError, match="must have 2 dimensions"):
        q4_k.scales_and_mins(np.zeros(12, np.uint8))


@pytest.mark.parametrize("check", k_quants.CHECKS)
def test_property(check):
    check(q4_k.dequantize, FORMAT)


@pytest.mark.parametrize("wrong", MUTANTS)
def test_wrong_format_is_caught(wrong):
    change, check = MUTANTS[wrong]
    with pytest.raises(AssertionError):
        check(lambda data: q4_k.dequantize(change(data)), FORMAT)


def test_weights_of_float16_are_caught():
    with pytest.raises(AssertionError), np.errstate(over="ignore"):
        k_quants.every_half(lambda data: q4_k.dequantize(data).astype(np.float16).astype(np.float32), FORMAT)


def test_any_memory_order():
    k_quants.memory_order(q4_k.dequantize, FORMAT)


def test_error_paths():
    k_quants.errors(q4_k.dequantize, FORMAT)
