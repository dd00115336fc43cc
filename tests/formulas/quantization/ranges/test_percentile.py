"""Percentile: its checks against the oracle, random arrays, and the error paths."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.ranges import percentile
from tests.formulas.quantization.checks.common import DTYPES, exact, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import percentile as oracle

METHODS = ("kth", "interpolated")


@pytest.mark.parametrize("check", checks.PERCENTILE)
def test_property(check):
    check(percentile)


@st.composite
def arrays(draw, size=12):
    dtype = draw(st.sampled_from(DTYPES))
    largest = float(np.finfo(dtype).max) / 4  # no difference of two overflows
    values = st.floats(-largest, largest, width=np.dtype(dtype).itemsize * 8) | st.integers(-3, 3).map(float)
    return frozen(draw(st.lists(values, min_size=1, max_size=size)), dtype)


PERCENTS = st.floats(50, 100) | st.integers(50, 100).map(float)


@settings(deadline=None, max_examples=60)
@given(arrays(), PERCENTS)
def test_kth_is_a_value(x, p):
    k = oracle.high_k(p, x.size), oracle.low_k(100.0 - p, x.size)
    assume(k[1] > 0)
    low, high = percentile.percentile(x, p)
    checks.is_range((low, high), oracle.kth(x.tolist(), k[1]), oracle.kth(x.tolist(), k[0]), x.dtype)
    assert float(percentile.absolute(x, p)) == oracle.kth(np.abs(x).tolist(), k[0])


@settings(deadline=None, max_examples=60)
@given(arrays(), PERCENTS)
def test_interpolated_is_between(x, p):
    low, high = percentile.percentile(x, p, "interpolated")
    slack = checks.interpolation_slack(x, x.dtype)
    for end, percent in ((low, 100.0 - p), (high, p)):
        assert abs(exact(end) - oracle.interpolated(x.tolist(), percent)) <= slack
    assert x.min() <= low <= x.max()
    assert x.min() <= high <= x.max()
    assert exact(low) <= exact(high) + slack


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_as_numpy(dtype):
    """NumPy interpolates in the dtype of x: within the roundings of both."""
    x = frozen(np.random.default_rng(1).normal(size=(3, 11)), dtype)
    for p in (50, 66.6, 90, 99, 100):
        got = percentile.percentile(x, p, "interpolated")
        numpys = np.percentile(x, [100 - p, p])
        np.testing.assert_allclose(got, numpys, rtol=0, atol=4 * np.finfo(dtype).eps * float(np.abs(x).max()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS)
def test_extreme_arrays(dtype, method):
    for name, x in checks.extreme_arrays(dtype).items():
        if name != "huge":
            ends = percentile.percentile(x, 50, method)
            assert ends[0].dtype == ends[1].dtype == dtype
            assert x.min() <= ends[0] <= ends[1] <= x.max()
        assert float(percentile.percentile(x, 100, method, low_p=100)[1]) == float(x.max())
    constant = frozen(np.full((2, 3), 0.1), dtype)
    checks.is_range(percentile.percentile(constant, 77.7, method), dtype(0.1), dtype(0.1), dtype)


def test_huge_neighbours_are_interpolated_or_refused():
    """0 lies in the middle of ±1.7·10³⁰⁸, and the smaller one is the 0th percentile."""
    x = frozen([-1.7e308, 1.7e308])
    for p, low, high in ((100, -1.7e308, 1.7e308), (50, 0, 0)):
        try:
            ends = percentile.percentile(x, p, "interpolated")
        except ValueError:
            continue
        checks.is_range(ends, low, high, np.float64)


def test_ends_in_order_or_refused():
    """Of ten values and p = p′ = 50.4, k is ⌈5.04⌉ = 6 from below and ⌊5.54⌋ = 5 from above."""
    try:
        low, high = percentile.percentile(np.arange(1.0, 11.0), 50.4, low_p=50.4)
    except ValueError:
        return
    assert low <= high


def test_the_dtype_is_kept_where_float64_is_computed():
    x = frozen([0.1, 0.2], np.float32)
    low, high = percentile.percentile(x, 75, "interpolated")
    exact_low = (3 * exact(x[0]) + exact(x[1])) / 4
    assert low == np.float32(float(exact_low))
    assert high == np.float32(float((exact(x[0]) + 3 * exact(x[1])) / 4))


@pytest.mark.parametrize("method", METHODS)
def test_wrong_values(method):
    checks.refuses_what_is_no_finite_float_array(lambda x: percentile.percentile(x, 50, method))
    checks.refuses_what_is_no_finite_float_array(lambda x: percentile.absolute(x, 50, method))


def test_wrong_percentiles():
    x = frozen([1.0, 2.0, 3.0])
    for p in (-0.1, 100.1, np.nan, np.inf):
        for call in (percentile.percentile, percentile.absolute):
            with pytest.raises(ValueError, match=r"^p must be in \[0, 100\], got"):
                call(x, p)
        with pytest.raises(ValueError, match=r"^low_p must be in \[0, 100\], got"):
            percentile.percentile(x, 90, low_p=p)
    for p in (True, "50", None, 1j):
        for call in (percentile.percentile, percentile.absolute):
            with pytest.raises(TypeError, match=r"^p must be a real number, got"):
                call(x, p)
    with pytest.raises(TypeError, match=r"^low_p must be a real number, got"):
        percentile.percentile(x, 90, low_p="10")
    for options in ({}, {"low_p": 49.5}):
        with pytest.raises(ValueError, match=r"^low_p must be at most p, got (51|49)\.[05] and 49\.0"):
            percentile.percentile(x, 49, **options)


@pytest.mark.parametrize("method", ["nearest", "KTH", "", None, 1])
def test_unknown_method(method):
    for call in (percentile.percentile, percentile.absolute):
        with pytest.raises(ValueError, match=r"^method must be one of kth, interpolated, got"):
            call(frozen([1.0]), 90, method)


def test_no_value_is_reached():
    """⌈0·n⌉ = 0 below, and ⌊0.05·9 + ½⌋ = 0 above."""
    with pytest.raises(ValueError, match=r"^p and low_p must each reach a value, got k = 0 of 3 values"):
        percentile.percentile(frozen([1.0, 2.0, 3.0]), 100)
    with pytest.raises(ValueError, match=r"^p and low_p must each reach a value, got k = 0 of 9 values"):
        percentile.absolute(np.ones(9), 5)
    checks.is_range(percentile.percentile(np.ones(3), 100, "interpolated"), 1, 1, np.float64)
