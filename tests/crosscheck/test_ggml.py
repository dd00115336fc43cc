"""ggml's blocks against gguf, which reads and writes llama.cpp's files: the same bytes, the same floats."""

import numpy as np
import pytest

from refcompress.formulas.quantization.formats import ggml_legacy, q2_k, q3_k, q4_k, q5_k, q6_k

gguf = pytest.importorskip("gguf", reason="gguf is not installed: python -m pip install gguf")

pytestmark = pytest.mark.crosscheck

KINDS = {"q4_0": 18, "q4_1": 20, "q5_0": 22, "q5_1": 24, "q8_0": 34}
K_QUANTS = {  # bytes of a super-block, and where its float16 numbers are
    "q2_k": (q2_k, 84, (80, 82)),
    "q3_k": (q3_k, 110, (108,)),
    "q4_k": (q4_k, 144, (0, 2)),
    "q5_k": (q5_k, 176, (0, 2)),
    "q6_k": (q6_k, 210, (208,)),
}


def theirs(function, array, kind):
    return function(array, gguf.GGMLQuantizationType[kind.upper()])


def finite_halves():
    """All 63,488 finite float16 numbers, as bytes."""
    halves = np.arange(65536, dtype="<u2")
    return halves[np.isfinite(halves.view("<f2"))].view(np.uint8).reshape(-1, 2)


def random_blocks(size, places):
    """Random bytes with every finite float16 number, shuffled, at each of the places."""
    generator, halves = np.random.default_rng(size), finite_halves()
    data = generator.integers(0, 256, (len(halves), size), dtype=np.uint8)
    for place in places:
        data[:, place : place + 2] = generator.permutation(halves)
    return data


def weights():
    """Two million weights in blocks of 32, several kinds by turns; ties and extremes of equal size among them."""
    generator = np.random.default_rng(1)
    x = generator.standard_normal((65536, 32)).astype(np.float32)
    shape = x[0::8].shape
    x[1::8] *= np.float32(1e-6)
    x[2::8] *= np.float32(1e4)
    x[3::8] = generator.integers(-20, 21, shape) / np.float32(2)  # both signs of the extreme
    x[4::8] = generator.integers(-254, 255, shape) / np.float32(2)
    x[4::8, 0] = 127  # Q8_0: d = 1, half of the weights are ties
    x[5::8] = generator.integers(-3, 4, shape) * np.float32(0.1)
    x[6::8] = np.exp2(generator.integers(-30, 12, shape)).astype(np.float32) * generator.choice([-1, 1], shape)
    x[7::8] = np.abs(x[7::8]) + np.float32(0.5)  # zero is not in the range
    x[0], x[8], x[16] = 0, 3, -3
    return x


@pytest.mark.parametrize(("kind", "size"), KINDS.items())
def test_quantize(kind, size):
    x = weights()
    data = ggml_legacy.quantize(x, kind)
    assert data.shape == (len(x), size)
    np.testing.assert_array_equal(data, theirs(gguf.quants.quantize, x, kind))
    wide = x[:60].reshape(6, 10 * 32)
    np.testing.assert_array_equal(
        ggml_legacy.quantize(wide, kind).reshape(6, -1), theirs(gguf.quants.quantize, wide, kind)
    )


@pytest.mark.parametrize(("kind", "size"), KINDS.items())
def test_dequantize(kind, size):
    """Also the sign of a zero: compared as bits."""
    data = random_blocks(size, (0, 2) if kind.endswith("1") else (0,))
    ours, expected = ggml_legacy.dequantize(data, kind), theirs(gguf.quants.dequantize, data, kind)
    assert (ours.shape, ours.dtype) == ((32 * len(data),), np.float32)
    np.testing.assert_array_equal(ours.view(np.uint32), expected.view(np.uint32).ravel())


@pytest.mark.parametrize("kind", K_QUANTS)
def test_dequantize_k(kind):
    """Sixteen million weights each; compared as bits."""
    stem, size, places = K_QUANTS[kind]
    data = random_blocks(size, places)
    ours, expected = stem.dequantize(data), theirs(gguf.quants.dequantize, data, kind)
    assert (ours.shape, ours.dtype) == ((256 * len(data),), np.float32)
    np.testing.assert_array_equal(ours.view(np.uint32), expected.view(np.uint32).ravel())


def test_the_sign_of_a_zero_scale_is_ggmls():
    """gguf takes the first of the largest |x|, ggml's C starts from +0: a block of −0 has d = −0 there, +0 in gguf."""
    for kind in ("q4_0", "q5_0"):
        for zero, differs in ((0.0, False), (-0.0, True)):
            x = np.full((1, 32), zero, np.float32)
            ours, other = ggml_legacy.quantize(x, kind), theirs(gguf.quants.quantize, x, kind)
            assert ours[0, :2].tolist() == [0, 0x80]
            assert (ours != other).any() == differs
            np.testing.assert_array_equal(ours[:, 2:], other[:, 2:])
