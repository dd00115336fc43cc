"""dtype, then shape, then value; and nothing else is said."""

import numpy as np
import pytest

from refcompress.conformance.comparison import Expected, mismatch

CODES = {"q": Expected(np.array([1, 2], np.uint8), holds=(0, 255))}
FLOATS = {"x": Expected(np.array([0.5, -0.0, np.nan, np.inf], np.float32))}
PAIR = {"scale": Expected(np.array(0.5)), "zero_point": Expected(np.array(3, np.int32), holds=(0, 255))}


@pytest.mark.parametrize(
    ("expected", "result"),
    [
        (CODES, np.array([1, 2], np.uint8)),
        (CODES, np.array([1, 2], np.int16)),
        (CODES, np.array([1, 2], ">i8")),
        (FLOATS, np.array([0.5, -0.0, -np.nan, np.inf], np.float32)),
        (PAIR, (0.5, 3)),
        (PAIR, (np.array(0.5), np.array(3))),
        ({"x": Expected(np.array([1.0]), tolerance=0.25)}, np.array([1.25])),
        ({"m": Expected(np.array([True, False]))}, np.array([True, False])),
        ({"x": Expected(np.array([np.inf]), tolerance=0.25)}, np.array([np.inf])),
    ],
)
def test_right(expected, result):
    assert mismatch(expected, result) is None


@pytest.mark.parametrize(
    ("expected", "result", "message"),
    [
        (CODES, np.array([1, 2], np.int8), "dtype: must be an integer type that holds 0 to 255, got int8"),
        (CODES, np.array([1.0, 2.0]), "dtype: must be an integer type that holds 0 to 255, got float64"),
        (CODES, np.array([True, False]), "dtype: must be an integer type that holds 0 to 255, got bool"),
        (CODES, np.array([[1, 2]]), "shape: must be (2,), got (1, 2)"),
        (CODES, np.array([9, 9], np.int8), "dtype: must be an integer type that holds 0 to 255, got int8"),
        (CODES, np.array([1, 3]), "value at [1]: must be 2, got 3"),
        (CODES, np.array([1, 258]), "value at [1]: must be 2, got 258"),
        (CODES, None, "must be an array or a number, got None"),
        (CODES, [1, 2], "must be an array or a number, got list"),
        (CODES, [[1], [2, 3]], "must be an array or a number, got list"),
        (PAIR, [0.5, 3], "must return 2 results (scale, zero_point), got 1"),
        (FLOATS, np.array([0.5, -0.0, np.nan, np.inf]), "dtype: must be float32, got float64"),
        (FLOATS, np.array([0.5, 0, np.nan, np.inf], np.float32), "[1]: must be -0.0 (-0x0.0p+0), got 0.0 (0x0.0p+0)"),
        (FLOATS, np.array([0.5, -0.0, 1, np.inf], np.float32), "[2]: must be nan (nan), got 1.0 (0x1.0"),
        (FLOATS, np.array([0.5, -0.0, np.nan, -np.inf], np.float32), "at [3]: must be inf (inf), got -inf (-inf)"),
        (PAIR, 0.5, "must return 2 results (scale, zero_point), got 1"),
        (PAIR, (0.5, 3, 4), "must return 2 results (scale, zero_point), got 3"),
        (PAIR, (0.5, 3.0), "zero_point: dtype: must be an integer type that holds 0 to 255, got float64"),
        (PAIR, (1, 3), "scale: dtype: must be float64, got int64"),
        (PAIR, (0.25, 3), "scale: value: must be 0.5 (0x1.0000000000000p-1), got 0.25 (0x1.0000000000000p-2)"),
        ({"x": Expected(np.array([1.0]), tolerance=0.25)}, np.array([1.26]), "± 0.25"),
        ({"x": Expected(np.array([np.inf]), tolerance=0.25)}, np.array([1e308]), "must be inf"),
        ({"m": Expected(np.array([True, False]))}, np.array([1, 0]), "dtype: must be bool, got int64"),
        ({"d": Expected(np.zeros(0, np.uint8))}, np.zeros((0, 1), np.uint8), "shape: must be (0,), got (0, 1)"),
    ],
)  # fmt: skip
def test_wrong(expected, result, message):
    assert message in mismatch(expected, result)
