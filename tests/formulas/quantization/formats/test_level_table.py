"""Level tables: their checks against the oracle, random blocks, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.formats import level_table
from tests.formulas.quantization.formats.checks import level_table as checks
from tests.formulas.quantization.formats.checks.common import frozen
from tests.formulas.quantization.formats.checks.level_table import TABLES


@pytest.mark.parametrize("check", checks.LEVEL)
def test_property(check):
    check(level_table)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=20),
    st.sampled_from(TABLES),
    st.integers(1, 21),
)
def test_any_float32(values, levels, block_size):
    checks.level_agrees(level_table, frozen(values, np.float32), levels, block_size)


def test_the_six_midpoints_that_are_not_the_exact_ones():
    """By exact distances the upper level is nearer to these midpoints, which float32 rounded up; they go down."""
    bounds = np.array([0, 1, 3, 4, 12, 14])
    table = level_table.LEVELS["nf4"]
    middle = ((table[1:].astype(np.float64) + table[:-1]) / 2).astype(np.float32)[bounds]
    nearer_above = table[bounds + 1].astype(np.float64) - middle < middle - table[bounds].astype(np.float64)
    assert nearer_above.all()
    codes, _ = level_table.quantize(np.concatenate([middle, [np.float32(1)]]))
    assert codes.tolist() == [*bounds, 15]


def test_levels_survive():
    """Codes of the values of codes, where absmax is in the block; of −0's two codes the smaller, for −0 and 0."""
    for levels in TABLES:
        codes = np.arange(16)
        for size in (1.0, 0.75, 3e30):
            values = level_table.dequantize(codes, frozen([size], np.float32), levels)
            again, absmax = level_table.quantize(values, levels)
            expected = np.where((codes == 8) & (levels == "bitsandbytes_fp4"), 0, codes)
            assert again.tolist() == expected.tolist()
            assert absmax == np.float32(size)


def test_a_block_size_beyond_any_array():
    """The one block is as long as x; nothing of the block's size is made."""
    x = frozen([[6.5, -3, 0.5], [0, 1, -0.25]], np.float32)
    for block_size in (7, 2**50):
        checks.level_agrees(level_table, x, "nf4", block_size)


def test_large_arrays():
    """More than is worked through at once, with a short last block."""
    x = np.resize(frozen([0.5, -2, 0, 2, 0.25, -0.125, 1], np.float32), (3, 70_003))
    codes, absmax = level_table.quantize(x, block_size=7)
    assert codes.reshape(-1)[:7].tolist() == codes.reshape(-1)[7 * 20_000 : 7 * 20_001].tolist()
    assert (codes.reshape(-1) == np.resize(codes.reshape(-1)[:7], x.size)).all()
    assert absmax.shape == (-(-x.size // 7),)
    assert (absmax[:-1] == 2).all()
    table = level_table.LEVELS["nf4"]
    expected = table[codes.reshape(-1)] * np.repeat(absmax, 7)[: x.size]
    assert (level_table.dequantize(codes, absmax, block_size=7).reshape(-1) == expected).all()
    one, largest = level_table.quantize(x, block_size=x.size + 5)
    assert largest.tolist() == [2]
    assert (one.reshape(-1)[:-7] == codes.reshape(-1)[:-7]).all()


def test_inputs_are_not_modified():
    x = np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 4)
    before = x.tobytes()
    for levels in TABLES:
        codes, absmax = level_table.quantize(x, levels, block_size=5)
        saved = codes.tobytes(), absmax.tobytes()
        values = level_table.dequantize(codes, absmax, levels, block_size=5)
        assert not np.shares_memory(absmax, x)
        assert not np.shares_memory(values, level_table.LEVELS[levels])
        assert (x.tobytes(), codes.tobytes(), absmax.tobytes()) == (before, *saved)


X = np.ones((3, 20), np.float32)
CODES = np.zeros((3, 20), np.int64)
ONE = np.ones(1, np.float32)
SIZE = "block_size"

BAD_QUANTIZE = [
    (TypeError, "x must be float32, got float64", (X.astype(np.float64),), {}),
    (TypeError, "x must be float32.*, got int64", (CODES,), {}),
    (ValueError, "levels must be one of nf4, bitsandbytes_fp4, got 'fp4'", (X, "fp4"), {}),
    (ValueError, "block_size must be at least 1, got 0", (X,), {SIZE: 0}),
    (TypeError, "block_size must be an integer, got 1.5", (X,), {SIZE: 1.5}),
    (TypeError, "block_size must be an integer, got True", (X,), {SIZE: True}),
    (ValueError, r"x must not be empty, got shape \(0, 20\)", (X[:0],), {}),
    (ValueError, r"x must be finite, got nan at index \(1,\)", (frozen([1, np.nan], np.float32),), {}),
    (ValueError, r"x must be finite, got inf at index \(0,\)", (frozen([np.inf, 0], np.float32),), {}),
]
BAD_DEQUANTIZE = [
    (TypeError, "codes must be an integer array, got float32", (X, ONE), {}),
    (TypeError, "absmax must be float32, got float64", (CODES, np.ones(1)), {}),
    (ValueError, r"absmax must have shape \(1,\), got \(2,\)", (CODES, np.ones(2, np.float32)), {}),
    (ValueError, r"absmax must have shape \(4,\), got \(1,\)", (CODES, ONE), {SIZE: 19}),
    (ValueError, r"absmax must have 1 dimensions, got shape \(1, 1\)", (CODES, ONE[None]), {}),
    (ValueError, "codes must be from 0 to 15, got 16 to 16", (CODES + 16, ONE), {}),
    (ValueError, "codes must be from 0 to 15, got -1 to -1", (CODES - 1, ONE), {}),
    (ValueError, r"absmax must be finite, got nan at index \(0,\)", (CODES, ONE * np.float32(np.nan)), {}),
    (ValueError, r"absmax must be finite, got inf at index \(0,\)", (CODES, ONE * np.float32(np.inf)), {}),
    (ValueError, "levels must be one of nf4, bitsandbytes_fp4, got 'x'", (CODES, ONE, "x"), {}),
    (ValueError, "block_size must be at least 1, got 0", (CODES, ONE), {SIZE: 0}),
    (TypeError, "block_size must be an integer, got 'a'", (CODES, ONE), {SIZE: "a"}),
]


@pytest.mark.parametrize(("error", "message", "args", "options"), BAD_QUANTIZE)
def test_wrong_arguments_of_quantize(error, message, args, options):
    with pytest.raises(error, match=message):
        level_table.quantize(*args, **options)


@pytest.mark.parametrize(("error", "message", "args", "options"), BAD_DEQUANTIZE)
def test_wrong_arguments_of_dequantize(error, message, args, options):
    with pytest.raises(error, match=message):
        level_table.dequantize(*args, **options)
