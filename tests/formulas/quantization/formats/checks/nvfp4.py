"""What every implementation of NVFP4 must satisfy: functions that take one and assert."""

from fractions import Fraction
from functools import cache

import numpy as np

from tests.formulas.quantization.formats.checks.common import frozen, once, same_codes, same_floats
from tests.formulas.quantization.formats.checks.float_format import steps
from tests.oracles import nvfp4 as nvfp4_oracle

ARITHMETICS = ("torchao", "compressed_tensors")


def nvfp4_there_and_back(x, t, axis, arithmetic):
    codes, scales, t = nvfp4_oracle.quantize(x, t, axis, arithmetic)
    return codes, scales, t, nvfp4_oracle.dequantize(codes, scales, t, axis, arithmetic)


def nvfp4_agrees(subject, x, arithmetic, tensor_scale=None, axis=-1):
    t = None if tensor_scale is None else Fraction(float(np.float32(tensor_scale)))
    codes, scales, t, values = once(nvfp4_there_and_back, x, t, axis, arithmetic)
    got = subject.quantize(x, tensor_scale=tensor_scale, axis=axis, arithmetic=arithmetic)
    assert type(got[2]) is np.float32
    assert Fraction(float(got[2])) == t
    same_codes(got[1], scales, np.uint8)
    same_codes(got[0], codes, np.uint8)
    restored = subject.dequantize(*got, axis=axis, arithmetic=arithmetic)
    same_floats(restored, values)


LAST = {"torchao": 8, "compressed_tensors": 0}


def nvfp4_zeros(subject):
    x = np.zeros((2, 17), np.float32)
    x[0, 3] = -0.0
    for arithmetic, least in (("torchao", 0x08), ("compressed_tensors", 0x20)):
        codes, scales, t = subject.quantize(frozen(x), arithmetic=arithmetic)
        assert t == 1
        same_codes(scales, [[least] * 2] * 2, np.uint8)
        assert codes[0, 3] == LAST[arithmetic]
        assert np.count_nonzero(codes) == (arithmetic == "torchao")
        assert (subject.dequantize(codes, scales, t, arithmetic=arithmetic) == 0).all()


def nvfp4_negative_zeros(subject):
    """compressed_tensors takes the sign of the quotient: one below 0 gives −0, −0 gives 0, and so does underflow."""
    for value, size, expected in ((-0.0, 1.0, 0), (-1e-9, 1.0, 8), (-1e-45, 1.0, 8), (-1e-30, 1e30, 0)):
        x = frozen([size, *[value] * 15], np.float32)
        for arithmetic, code in (("torchao", 8), ("compressed_tensors", expected)):
            codes, _, _ = subject.quantize(x, arithmetic=arithmetic)
            same_codes(codes, [7, *[code] * 15], np.uint8)


def nvfp4_small_blocks(subject):
    """Blocks far smaller than the tensor: torchao's s is never below 2^−6, the other's goes down to 2^−9, then ⅛."""
    x = np.zeros((6, 16), np.float32)
    x[:, 0] = 6 * np.array([448, 2.0**-6, 2.0**-7, 2.0**-9, 2.0**-10, 2.0**-11])
    expected = {"torchao": [0x7E, 8, 8, 8, 8, 8], "compressed_tensors": [0x7E, 8, 4, 1, 0x20, 0x20]}
    elements = {"torchao": [7, 7, 5, 2, 1, 0], "compressed_tensors": [7, 7, 7, 7, 0, 0]}
    for arithmetic in ARITHMETICS:
        codes, scales, _ = subject.quantize(frozen(x), tensor_scale=1.0, arithmetic=arithmetic)
        same_codes(scales[:, 0], expected[arithmetic], np.uint8)
        same_codes(codes[:, 0], elements[arithmetic], np.uint8)
        nvfp4_agrees(subject, frozen(x), arithmetic)


def nvfp4_random(subject):
    rng = np.random.default_rng(11)
    for arithmetic in ARITHMETICS:
        x = frozen(rng.standard_normal((3, 50)) * 2.0 ** rng.integers(-12, 6, (3, 1)), np.float32)
        nvfp4_agrees(subject, x, arithmetic)
        nvfp4_agrees(subject, frozen(x.T.reshape(50, 1, 3)), arithmetic, axis=0)
        for axis in (1, -2):
            nvfp4_agrees(subject, frozen(x.T.reshape(5, 10, 3)[:, :, :2]), arithmetic, axis=axis)
        for size in (1, 15, 16, 17, 33):
            nvfp4_agrees(subject, frozen(x[0, :size]), arithmetic)


@cache
def quarters():
    """Multiples of ¼, whose quotients are often ties or nearly so, a scale to every block."""
    rng = np.random.default_rng(5)
    x = rng.integers(-60, 61, (40, 16)) / 4
    x[:, 0] = np.arange(40) / 4 + 6.25
    return frozen(x, np.float32)


def nvfp4_ties(subject):
    """The order of operations decides: t given and not, with mantissas that round."""
    for arithmetic in ARITHMETICS:
        for tensor_scale in (None, 1.0, 0.1, 3.0):
            nvfp4_agrees(subject, quarters(), arithmetic, tensor_scale)


def nvfp4_every_scale(subject):
    """Block scales on and beside the midpoints of e4m3, where the order of operations decides."""
    values = steps("float8_e4m3fn")[8:-1]
    middle = ((values[1:] + values[:-1]) / 2).astype(np.float32)
    for arithmetic in ARITHMETICS:
        for t in (1.0, 0.1, 0.3, 7.0, 777.7):
            t = np.float32(t)
            amax = 6 * middle * t if arithmetic == "torchao" else 6 * middle / t
            x = np.stack([np.nextafter(amax, np.float32(0)), amax, np.nextafter(amax, np.float32(1e9))])
            nvfp4_agrees(subject, frozen(x.reshape(-1, 1)), arithmetic, t)


def nvfp4_every_tie(subject):
    """Elements on and beside the midpoints of e2m1, in blocks whose scale s is known."""
    middles = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], np.float32)
    for arithmetic in ARITHMETICS:
        for t in np.array([0.1, 0.37, 29, 777.7], np.float32):
            for s in np.arange(8, 16, dtype=np.float32):
                step = t * s if arithmetic == "torchao" else s / t
                at = middles * step
                near = [np.nextafter(at, np.float32(0)), at, np.nextafter(at, np.float32(np.inf))]
                rows = [np.concatenate([[6 * step], x]) for x in near]
                nvfp4_agrees(subject, frozen(rows, np.float32), arithmetic, t)


def nvfp4_extreme_scales(subject):
    """The ends of what t may be, and elements too large for it: no warning, no NaN."""
    x = frozen([[1e-38, -1e-45, 0, 1], [3e38, -1e38, 1e-3, -0.0], [1e-30, 1e-31, 5.0, 6.0]], np.float32)
    for arithmetic in ARITHMETICS:
        for t in (2.0**-117, 2.0**-60, 1e-7, 1e7, 2.0**60, 2.0**117):
            nvfp4_agrees(subject, x, arithmetic, t)


@cache
def nvfp4_values(t, arithmetic):
    """Values of all 16 elements times all 128 scales, a row for every scale."""
    codes, scales = np.tile(np.arange(16), (128, 1)), np.arange(128)[:, None]
    return nvfp4_oracle.dequantize(codes, scales, t, arithmetic=arithmetic)


def nvfp4_every_code(subject):
    """All 16 elements times all 128 scales, for scales of the tensor that round."""
    codes = np.tile(np.arange(16), (128, 1))
    scales = np.arange(128)[:, None]
    for arithmetic in ARITHMETICS:
        for t in (1.0, 0.3, 1 / 2688, 777.7, 2.0**117, 2.0**-117):
            exact = Fraction(float(np.float32(t)))
            expected = nvfp4_values(exact, arithmetic)
            assert np.isnan(expected[127]).all()
            assert not np.isnan(expected[:127]).any()
            same_floats(subject.dequantize(codes, scales, t, arithmetic=arithmetic), expected)
    literal = subject.dequantize(np.array([7, 9, 8]), np.array([0x38 + 8]), 0.25)  # s = 2
    same_floats(literal, np.array([3, -0.25, -0.0], np.float32))
    literal = subject.dequantize(np.array([7, 9, 8]), np.array([0x38 + 8]), 0.25, arithmetic="compressed_tensors")
    same_floats(literal, np.array([48, -4, -0.0], np.float32))


NVFP4 = (
    nvfp4_zeros,
    nvfp4_negative_zeros,
    nvfp4_small_blocks,
    nvfp4_random,
    nvfp4_ties,
    nvfp4_every_scale,
    nvfp4_every_tie,
    nvfp4_extreme_scales,
    nvfp4_every_code,
)
