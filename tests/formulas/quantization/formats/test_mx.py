"""MX blocks: their checks against the oracle, random blocks, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.formats import mx
from tests.formulas.quantization.formats.checks import mx as checks
from tests.formulas.quantization.formats.checks.common import frozen
from tests.formulas.quantization.formats.checks.mx import ELEMENTS, EXPONENTS

LARGEST = float(np.finfo(np.float32).max)


@pytest.mark.parametrize("check", checks.MX)
def test_property(check):
    check(mx)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-(2.0**126), 2.0**126, width=32), min_size=1, max_size=9),
    st.sampled_from(ELEMENTS),
    st.sampled_from(EXPONENTS),
    st.integers(1, 10),
)
def test_any_float32(values, element, exponent, block_size):
    checks.mx_agrees(mx, frozen(values, np.float32), element, exponent, block_size)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-(2.0**126), 2.0**126), min_size=1, max_size=9),
    st.sampled_from(ELEMENTS),
    st.sampled_from(EXPONENTS),
)
def test_any_float64(values, element, exponent):
    checks.mx_agrees(mx, frozen(values), element, exponent, 4)


def test_words():
    assert mx.ELEMENTS == ELEMENTS
    assert mx.EXPONENTS == EXPONENTS


def test_the_blocks_are_independent():
    """Other blocks change nothing, an order of memory neither."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 3, 10)).astype(np.float32)
    for axis in range(3):
        codes, scales = mx.quantize(x, "float6_e3m2fn", block_size=3, axis=axis)
        again = mx.quantize(np.asfortranarray(x), "float6_e3m2fn", block_size=3, axis=axis)
        assert (codes == again[0]).all()
        assert (scales == again[1]).all()
        other = x.copy()
        other[(slice(None),) * axis + (slice(3, None),)] *= 1000
        again = mx.quantize(other, "float6_e3m2fn", block_size=3, axis=axis)
        first = (slice(None),) * axis + (slice(0, 3),)
        assert (codes[first] == again[0][first]).all()


def test_a_block_size_beyond_any_array():
    """The one block is as long as the axis; nothing of the block's size is made."""
    x = frozen([[6.5, -3, 0.5], [0, 1, -0.25]], np.float32)
    for block_size in (4, 2**50):
        checks.mx_agrees(mx, x, "float4_e2m1fn", block_size=block_size)


def test_scales_have_an_upper_end():
    for element, exponent, value in (
        ("int8", "ceil", LARGEST),
        ("int8", "even", LARGEST),
        ("int8", "rceil", LARGEST),
        ("int8", "floor", 2.0**128),
        ("float8_e4m3fn", "floor", 2.0**136),
        ("float4_e2m1fn", "rceil", 6 * 2.0**127 * (1 + 2.0**-50)),
    ):
        with pytest.raises(ValueError, match="x must have blocks with shared exponents of at most 127, got 128"):
            mx.quantize(frozen([0.0, value]), element, exponent=exponent, block_size=1)
    for element, value in (("int8", LARGEST), ("float8_e4m3fn", 2.0**136 - 2.0**90), ("float4_e2m1fn", 6 * 2.0**127)):
        assert mx.quantize(frozen([value]), element)[1].tolist() == [254]


def test_products_beyond_float32_are_infinite():
    got = mx.dequantize(frozen([7, 15, 1, 0]), frozen([254]), "float4_e2m1fn")
    assert got.tolist() == [np.inf, -np.inf, 2.0**126, 0]


def test_inputs_are_not_modified():
    x = np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 4)
    before = x.tobytes()
    for element in ELEMENTS:
        codes, scales = mx.quantize(x, element, block_size=3)
        saved = codes.tobytes(), scales.tobytes()
        values = mx.dequantize(codes, scales, element, block_size=3)
        assert not any(np.shares_memory(a, b) for a in (codes, scales, values) for b in (x,))
        assert not np.shares_memory(values, codes)
        assert (x.tobytes(), codes.tobytes(), scales.tobytes()) == (before, *saved)


X = np.ones((3, 20), np.float32)
X.setflags(write=False)
CODES = np.zeros((3, 20), np.int64)
CODES.setflags(write=False)
SCALES = CODES[:, :1]

BAD_QUANTIZE = [
    (TypeError, "x must be float32 or float64, got float16", (X.astype(np.float16), "int8"), {}),
    (TypeError, "x must be float32 or float64, got int64", (CODES, "int8"), {}),
    (ValueError, "element must be one of .*, int8, got 'float8_e4m3'", (X, "float8_e4m3"), {}),
    (
        ValueError,
        "exponent must be one of floor, ceil, even, even_one_bit, rceil, got 'x'",
        (X, "int8"),
        {"exponent": "x"},
    ),
    (ValueError, "block_size must be at least 1, got 0", (X, "int8"), {"block_size": 0}),
    (ValueError, "block_size must be at least 1, got -32", (X, "int8"), {"block_size": -32}),
    (TypeError, "block_size must be an integer, got 2.0", (X, "int8"), {"block_size": 2.0}),
    (TypeError, "block_size must be an integer, got True", (X, "int8"), {"block_size": True}),
    (ValueError, "axis must be from -2 to 1, got 2", (X, "int8"), {"axis": 2}),
    (ValueError, "axis must be from -2 to 1, got -3", (X, "int8"), {"axis": -3}),
    (TypeError, "axis must be an integer, got 0.0", (X, "int8"), {"axis": 0.0}),
    (TypeError, "axis must be an integer, got None", (X, "int8"), {"axis": None}),
    (ValueError, r"x must not be empty, got shape \(0, 20\)", (X[:0], "int8"), {}),
    (ValueError, r"x must have at least 1 dimension, got shape \(\)", (np.float32(1), "int8"), {}),
    (ValueError, r"x must be finite, got nan at index \(1,\)", (frozen([1, np.nan]), "int8"), {}),
    (ValueError, r"x must be finite, got -inf at index \(1,\)", (frozen([1, -np.inf], np.float32), "int8"), {}),
]
BAD_DEQUANTIZE = [
    (TypeError, "codes must be an integer array, got float32", (X, SCALES, "int8"), {}),
    (TypeError, "scales must be an integer array, got float32", (CODES, X[:, :1], "int8"), {}),
    (ValueError, r"scales must have shape \(3, 1\), got \(3, 20\)", (CODES, CODES, "int8"), {}),
    (ValueError, r"scales must have shape \(1, 20\), got \(3, 1\)", (CODES, SCALES, "int8"), {"axis": 0}),
    (ValueError, r"scales must have shape \(3, 2\), got \(3, 1\)", (CODES, SCALES, "int8"), {"block_size": 19}),
    (ValueError, "element must be one of .*, int8, got 'int4'", (CODES, SCALES, "int4"), {}),
    (ValueError, "codes must be from 0 to 15 .*got 16 to 16", (CODES + 16, SCALES, "float4_e2m1fn"), {}),
    (ValueError, "codes must be from 0 to 63 .*got 64 to 64", (CODES + 64, SCALES, "float6_e2m3fn"), {}),
    (ValueError, "codes must be from 0 to 255 .*got -1 to -1", (CODES - 1, SCALES, "float8_e5m2"), {}),
    (ValueError, "codes must be from -128 to 127 .*got 128 to 128", (CODES + 128, SCALES, "int8"), {}),
    (ValueError, "codes must be from -128 to 127 .*got -129 to -129", (CODES - 129, SCALES, "int8"), {}),
    (ValueError, "scales must be from 0 to 255.*got 256 to 256", (CODES, SCALES + 256, "int8"), {}),
    (ValueError, "scales must be from 0 to 255.*got -1 to -1", (CODES, SCALES - 1, "int8"), {}),
    (ValueError, "block_size must be at least 1, got 0", (CODES, SCALES, "int8"), {"block_size": 0}),
    (TypeError, "block_size must be an integer, got 1.5", (CODES, SCALES, "int8"), {"block_size": 1.5}),
    (ValueError, "axis must be from -2 to 1, got 2", (CODES, SCALES, "int8"), {"axis": 2}),
    (TypeError, "axis must be an integer, got 'a'", (CODES, SCALES, "int8"), {"axis": "a"}),
    (ValueError, r"codes must have at least 1 dimension, got shape \(\)", (CODES[0, 0], SCALES[0, 0], "int8"), {}),
]


@pytest.mark.parametrize(("error", "message", "args", "options"), BAD_QUANTIZE)
def test_wrong_arguments_of_quantize(error, message, args, options):
    with pytest.raises(error, match=message):
        mx.quantize(*args, **options)


@pytest.mark.parametrize(("error", "message", "args", "options"), BAD_DEQUANTIZE)
def test_wrong_arguments_of_dequantize(error, message, args, options):
    with pytest.raises(error, match=message):
        mx.dequantize(*args, **options)
