"""Shared checks that are more than a comparison: finite numbers in one pass, and the caller's array for a result."""

import numpy as np
import pytest

from refcompress.formulas import checks

DTYPES = (np.float32, np.float64)


def finite_somehow(dtype):
    """Arrays of finite numbers, some of which overflow or vanish when they are squared."""
    info = np.finfo(dtype)
    edges = [0.0, -0.0, float(info.max), -float(info.max), float(info.smallest_subnormal), float(info.tiny), 1.0]
    yield np.array(edges, dtype)
    yield np.full((3, 5), info.max)  # the sum of squares is infinite, the numbers are not
    yield np.full((3, 5), -info.max)
    yield np.array(info.max)
    yield np.array(1.5, dtype)
    for shape in ((0,), (3, 0), (0, 2, 4)):
        yield np.zeros(shape, dtype)
    yield np.arange(24, dtype=dtype).reshape(2, 3, 4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_finite_numbers_are_accepted(dtype):
    for array in finite_somehow(dtype):
        kept = array.copy()
        for view in views(array):
            assert checks.check_finite("w", view) is None
        assert array.tobytes() == kept.tobytes()


def views(array):
    yield array
    yield array.T
    yield np.asfortranarray(array)
    if array.ndim:
        yield array[::-1]
        yield array[..., ::2]
        yield np.broadcast_to(array, (2, *array.shape))
    array = array.view()
    array.flags.writeable = False
    yield array


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rest", [0.0, 1.0, "largest"])
def test_one_that_is_not_finite_is_named(rest, bad, dtype):
    """Wherever it stands and whatever stands beside it: with the largest float, whose square is infinite too."""
    rest = np.finfo(dtype).max if rest == "largest" else rest
    for place in np.ndindex(2, 3, 4):
        array = np.full((2, 3, 4), rest, dtype)
        array[place] = bad
        with pytest.raises(
            ValueError, match=rf"^w must be finite, got {bad} at index \({place[0]}, {place[1]}, {place[2]}\)$"
        ):
            checks.check_finite("w", array)
        turned = place[::-1]
        with pytest.raises(ValueError, match=rf"got {bad} at index \({turned[0]}, {turned[1]}, {turned[2]}\)$"):
            checks.check_finite("w", array.T)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_first_place_is_named_and_no_dimension_is_one(dtype):
    array = np.array([1, np.inf, -np.inf, np.nan], dtype)  # +∞ and −∞ do not cancel
    with pytest.raises(ValueError, match=r"got inf at index \(1,\)"):
        checks.check_finite("w", array)
    with pytest.raises(ValueError, match=r"got nan at index \(\)"):
        checks.check_finite("w", np.array(np.nan, dtype))
    view = np.zeros((4, 6), dtype)
    view[2, 5] = np.nan  # beside the view
    checks.check_finite("w", view[:, ::2])
    view[3, 4] = np.nan
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        checks.check_finite("w", view[:, ::2])


def test_many_numbers():
    """More than a BLAS kernel takes at a time, with the bad one anywhere near a border."""
    for size in (1, 2, 7, 8, 31, 32, 33, 64, 65, 1000, 70_001):
        for place in {0, size // 2, size - 1}:
            array = np.ones(size, np.float32)
            checks.check_finite("w", array)
            array[place] = np.nan
            with pytest.raises(ValueError, match=rf"\({place},\)"):
                checks.check_finite("w", array)


# ---- the caller's array ----


def test_output_is_the_callers_array_or_a_new_one():
    mine = np.ones((2, 3), np.float32)
    assert checks.output(mine, (2, 3), np.dtype(np.float32), np.zeros(1)) is mine
    new = checks.output(None, (2, 3), np.dtype(np.uint8), np.zeros(1))
    assert (new.shape, new.dtype) == ((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (np.ones((2, 3)), TypeError, ("float32", "float64")),
        (np.ones((2, 3), ">f4"), TypeError, ("float32",)),
        (np.ones((2, 3), int), TypeError, ("float32", "int64")),
        ([[1.0, 2.0, 3.0]] * 2, TypeError, ("float32", "1.0")),
        (1.0, TypeError, ("float32", "1.0")),
        (np.float32(1), TypeError, ("float32",)),
        (np.ones((3, 2), np.float32), ValueError, ("(2, 3)", "(3, 2)")),
        (np.ones(6, np.float32), ValueError, ("(2, 3)", "(6,)")),
        (np.ones((1, 2, 3), np.float32), ValueError, ("(2, 3)", "(1, 2, 3)")),
    ],
)
def test_output_refuses(value, error, words):
    with pytest.raises(error, match=r"^out must ") as caught:
        checks.output(value, (2, 3), np.dtype(np.float32), np.zeros(1))
    assert all(word in str(caught.value) for word in words)


# ---- floats of a dtype ----

SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


@pytest.mark.parametrize("number", [0, 1, -3, 0.1, 1e30, 2**24 + 1])
def test_a_python_number_takes_the_dtype(number):
    for dtype in (SINGLE, DOUBLE):
        got = checks.floats_in("s", number, dtype)
        assert (got.dtype, got.shape) == (dtype, ())
        assert got == dtype.type(number)


def test_a_python_float_is_float64_of_its_own():
    assert checks.floats_in("s", 0.1, None).dtype == DOUBLE


@pytest.mark.parametrize("own", DTYPES)
def test_arrays_keep_their_dtype_or_widen(own):
    array = np.array([[0.1, np.nan], [np.inf, -0.0]], own)
    array.setflags(write=False)
    assert checks.floats_in("s", array, None) is array
    assert checks.floats_in("s", array, np.dtype(own)) is array
    assert checks.floats_in("s", own(0.1), np.dtype(own)).dtype == own
    assert checks.floats_in("s", own(0.1), None).dtype == own
    wide = checks.floats_in("s", array, DOUBLE)
    assert wide.dtype == DOUBLE
    np.testing.assert_array_equal(wide, array.astype(float))


@pytest.mark.parametrize("value", [np.float64(0.5), np.array(0.5), np.zeros(3), [0.5], (0.5, 1.0), np.zeros(0)])
def test_an_array_is_never_rounded(value):
    """Not even where its numbers would fit, and a list is an array of float64."""
    with pytest.raises(TypeError, match=r"^s must be float32 in this convention, got float64$"):
        checks.floats_in("s", value, SINGLE)
    assert checks.floats_in("s", value, DOUBLE).dtype == DOUBLE


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE, None])
@pytest.mark.parametrize(
    "value", [True, np.bool_(1), "1", None, 1j, [1, 2], np.int64(3), np.ones(3, np.float16), np.ones(3, bool), b"1"]
)
def test_what_is_no_float(value, dtype):
    with pytest.raises(TypeError, match=r"^s must be float32 or float64, got "):
        checks.floats_in("s", value, dtype)


def test_ranges_that_break_a_rule():
    low, high = np.array([[0.0, 3.0], [5.0, 1.0]]), np.array([[1.0, 2.0], [4.0, 1.0]])
    with pytest.raises(ValueError, match=r"^low must not exceed high, got low = 3\.0 and high = 2\.0$"):
        checks.check_ranges("low must not exceed high", low <= high, low, high)
    checks.check_ranges("low must not exceed high", low <= high + 1, low, high)
    with pytest.raises(ValueError, match=r"^no, got low = 1\.5 and high = 2\.0$"):
        checks.check_ranges("no", np.bool_(False), np.array(1.5), np.array(2.0))
