"""NVFP4: its checks against the oracle, random tensors, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.formats import nvfp4
from tests.formulas.quantization.formats.checks import nvfp4 as checks
from tests.formulas.quantization.formats.checks.common import frozen
from tests.formulas.quantization.formats.checks.nvfp4 import ARITHMETICS


@pytest.mark.parametrize("check", checks.NVFP4)
def test_property(check):
    check(nvfp4)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=20),
    st.sampled_from(ARITHMETICS),
)
def test_any_tensor(values, arithmetic):
    x = frozen([1e-3, *values], np.float32)  # the largest is at least 1e-3, so that t is in range
    checks.nvfp4_agrees(nvfp4, x, arithmetic)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-(2.0**127), 2.0**127, width=32), min_size=1, max_size=5),
    st.floats(2.0**-117, 2.0**117),
    st.sampled_from(ARITHMETICS),
)
def test_any_tensor_scale(values, t, arithmetic):
    checks.nvfp4_agrees(nvfp4, frozen(values, np.float32), arithmetic, t)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-80, 80), min_size=1, max_size=16), st.sampled_from(ARITHMETICS))
def test_quarters(values, arithmetic):
    checks.nvfp4_agrees(nvfp4, frozen(values, np.float32) / np.float32(4), arithmetic)


def test_an_input_on_which_the_arithmetics_differ():
    """1.75 is 3.5 steps of 3/6: the roundings before it decide between 3 and 4."""
    x = frozen([3.0, 1.75], np.float32)
    codes = [nvfp4.quantize(x, arithmetic=arithmetic)[0].tolist() for arithmetic in ARITHMETICS]
    assert codes == [[7, 5], [7, 6]]
    assert nvfp4.quantize(x)[0].tolist() == [7, 5]  # torchao's is the default
    assert nvfp4.ARITHMETICS == ARITHMETICS


def test_the_limits_of_the_tensor_scale():
    """Both ends are accepted, given or computed; what is computed is the largest value over 2688, or 2688 over it."""
    one = frozen([1.0], np.float32)
    for arithmetic in ARITHMETICS:
        for t in (2.0**-117, 2.0**117, np.float32(2.0**117)):
            found = nvfp4.quantize(one, tensor_scale=t, arithmetic=arithmetic)[2]
            assert found == np.float32(t)
        for t in (2.0**-118, 2.0**118):
            with pytest.raises(ValueError, match=r"tensor_scale must be in \[6.01853e-36, 1.66153e\+35\], got "):
                nvfp4.quantize(one, tensor_scale=t, arithmetic=arithmetic)
            with pytest.raises(ValueError, match="tensor_scale must be in"):
                nvfp4.dequantize(frozen([1]), frozen([1]), t, arithmetic=arithmetic)
    least = np.float32(2688 * 2.0**-117)
    assert nvfp4.quantize(least * one)[2] == 2.0**-117
    assert nvfp4.quantize(least * one, arithmetic="compressed_tensors")[2] == 2.0**117
    below = np.nextafter(least, np.float32(0)) * one
    for arithmetic in ARITHMETICS:
        with pytest.raises(ValueError, match="tensor_scale must be in"):
            nvfp4.quantize(below, arithmetic=arithmetic)
    for tiny in (1e-38, 1e-45):
        with pytest.raises(ValueError, match=r"tensor_scale must be in .*, got inf"):
            nvfp4.quantize(frozen([tiny], np.float32), arithmetic="compressed_tensors")
    largest = np.finfo(np.float32).max * one
    for arithmetic in ARITHMETICS:
        codes, scales, t = nvfp4.quantize(largest, arithmetic=arithmetic)
        assert (codes.tolist(), scales.tolist()) == ([7], [0x7E])
        checks.nvfp4_agrees(nvfp4, largest, arithmetic)


def test_the_tensor_scale_is_rounded_to_float32():
    x = checks.quarters()
    given = nvfp4.quantize(x, tensor_scale=0.1)
    rounded = nvfp4.quantize(x, tensor_scale=np.float32(0.1))
    assert all((a == b).all() for a, b in zip(given, rounded, strict=True))
    wide = nvfp4.dequantize(given[0], given[1], 0.1)
    assert (wide == nvfp4.dequantize(given[0], given[1], np.float32(0.1))).all()


def test_inputs_are_not_modified():
    x = np.linspace(-3, 3, 34, dtype=np.float32).reshape(2, 17)
    before = x.tobytes()
    for arithmetic in ARITHMETICS:
        codes, scales, t = nvfp4.quantize(x, arithmetic=arithmetic)
        saved = codes.tobytes(), scales.tobytes()
        values = nvfp4.dequantize(codes, scales, t, arithmetic=arithmetic)
        assert not np.shares_memory(values, codes)
        assert (x.tobytes(), codes.tobytes(), scales.tobytes()) == (before, *saved)


X = np.ones((3, 20), np.float32)
CODES = np.zeros((3, 20), np.int64)
SCALES = CODES[:, :2]
T = "tensor_scale"

BAD_QUANTIZE = [
    (TypeError, "x must be float32, got float64", X.astype(np.float64), {}),
    (TypeError, "x must be float32.*, got int64", CODES, {}),
    (TypeError, "tensor_scale must be a real number, got '1'", X, {T: "1"}),
    (TypeError, "tensor_scale must be a real number, got True", X, {T: True}),
    (TypeError, "tensor_scale must be a real number, got array", X, {T: np.ones(2)}),
    (ValueError, r"tensor_scale must be in .*, got 0.0", X, {T: 0}),
    (ValueError, r"tensor_scale must be in .*, got -1.0", X, {T: -1}),
    (ValueError, r"tensor_scale must be in .*, got nan", X, {T: np.nan}),
    (ValueError, r"tensor_scale must be in .*, got inf", X, {T: np.inf}),
    (ValueError, r"tensor_scale must be in .*, got 1e\+300", X, {T: 1e300}),
    (ValueError, "axis must be from -2 to 1, got 2", X, {"axis": 2}),
    (ValueError, "axis must be from -2 to 1, got -3", X, {"axis": -3}),
    (TypeError, "axis must be an integer, got 1.0", X, {"axis": 1.0}),
    (ValueError, "arithmetic must be one of torchao, compressed_tensors, got 'x'", X, {"arithmetic": "x"}),
    (ValueError, r"x must not be empty, got shape \(0, 20\)", X[:0], {}),
    (ValueError, r"x must have at least 1 dimension, got shape \(\)", np.float32(1), {}),
    (ValueError, r"x must be finite, got nan at index \(1,\)", frozen([1, np.nan], np.float32), {}),
    (ValueError, r"x must be finite, got inf at index \(1,\)", frozen([1, np.inf], np.float32), {T: 1.0}),
]
BAD_DEQUANTIZE = [
    (TypeError, "codes must be an integer array, got float32", (X, SCALES, 1), {}),
    (TypeError, "block_scales must be an integer array, got float32", (CODES, X[:, :2], 1), {}),
    (ValueError, r"block_scales must have shape \(3, 2\), got \(3, 1\)", (CODES, SCALES[:, :1], 1), {}),
    (ValueError, r"block_scales must have shape \(1, 20\), got \(3, 2\)", (CODES, SCALES, 1), {"axis": 0}),
    (ValueError, "codes must be from 0 to 15 .*got 16 to 16", (CODES + 16, SCALES, 1), {}),
    (ValueError, "codes must be from 0 to 15 .*got -1 to -1", (CODES - 1, SCALES, 1), {}),
    (ValueError, "block_scales must be from 0 to 127, got 128 to 128", (CODES, SCALES + 128, 1), {}),
    (ValueError, "block_scales must be from 0 to 127, got -1 to -1", (CODES, SCALES - 1, 1), {}),
    (TypeError, "tensor_scale must be a real number, got None", (CODES, SCALES, None), {}),
    (ValueError, "tensor_scale must be in .*, got 0.0", (CODES, SCALES, 0), {}),
    (ValueError, "tensor_scale must be in .*, got nan", (CODES, SCALES, np.nan), {}),
    (ValueError, "axis must be from -2 to 1, got 2", (CODES, SCALES, 1), {"axis": 2}),
    (TypeError, "axis must be an integer, got None", (CODES, SCALES, 1), {"axis": None}),
    (ValueError, "arithmetic must be one of torchao, .*, got 'x'", (CODES, SCALES, 1), {"arithmetic": "x"}),
    (ValueError, r"codes must have at least 1 dimension, got shape \(\)", (CODES[0, 0], SCALES[0, 0], 1), {}),
]


@pytest.mark.parametrize(("error", "message", "x", "options"), BAD_QUANTIZE)
def test_wrong_arguments_of_quantize(error, message, x, options):
    with pytest.raises(error, match=message):
        nvfp4.quantize(x, **options)


@pytest.mark.parametrize(("error", "message", "args", "options"), BAD_DEQUANTIZE)
def test_wrong_arguments_of_dequantize(error, message, args, options):
    with pytest.raises(error, match=message):
        nvfp4.dequantize(*args, **options)
