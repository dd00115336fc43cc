"""Power-of-two scale: its checks against the oracle, random magnitudes, and the error paths."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.ranges import power_of_two
from tests.formulas.quantization.checks.common import DTYPES, exact, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import power_of_two as oracle


@pytest.mark.parametrize("check", checks.POWER_OF_TWO)
def test_property(check):
    check(power_of_two)


@st.composite
def magnitudes(draw):
    dtype = draw(st.sampled_from(DTYPES))
    info = np.finfo(dtype)
    least, width = float(info.smallest_subnormal), np.dtype(dtype).itemsize * 8
    x = draw(st.floats(least, float(info.max), width=width) | st.floats(0.125, 1000, width=width))
    return frozen([x], dtype)


@settings(deadline=None, max_examples=60)
@given(
    magnitudes(), st.floats(1e-3, 1e5) | st.sampled_from([7, 127, 127.5, 255, 1]), st.sampled_from(["ceil", "nearest"])
)
def test_random_magnitudes(absmax, qmax, rounding):
    info = np.finfo(absmax.dtype)
    k = oracle.exponent(exact(absmax[0]), Fraction(qmax), rounding)
    assume(exact(info.smallest_subnormal) <= Fraction(2) ** k <= exact(info.max))
    s = power_of_two.scale(absmax, qmax, rounding)
    assert (s.dtype, s.shape) == (absmax.dtype, absmax.shape)
    assert exact(s[0]) == Fraction(2) ** k


def test_shapes():
    x = frozen([[[1.0, 2.0]], [[3.0, 5.0]], [[0.1, 8.0]]], np.float32)
    assert power_of_two.scale(x, 1).tolist() == [[[1, 2]], [[4, 8]], [[0.125, 8]]]
    assert power_of_two.scale(x.T, 1).tolist() == power_of_two.scale(x, 1).T.tolist()
    scalar = power_of_two.scale(np.float32(3), 2)
    assert (scalar.dtype, scalar.shape, float(scalar)) == (np.float32, (), 2)
    assert power_of_two.scale(3.0, 2).dtype == np.float64
    assert float(power_of_two.scale(3.0, np.int8(2))) == 2


@pytest.mark.parametrize("rounding", ["ceil", "nearest"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_too_large_and_too_small(dtype, rounding):
    info = np.finfo(dtype)
    top = math.frexp(float(info.max))[1]
    bottom = math.frexp(float(info.smallest_subnormal))[1] - 1
    with pytest.raises(
        ValueError, match=rf"^absmax / qmax must have a power of two in {dtype.__name__}, got 2\^{top}$"
    ):
        power_of_two.scale(dtype(info.max), 1.0, rounding)
    wanted = rf"^absmax / qmax must have a power of two in {dtype.__name__}, got 2\^{bottom - 1}$"
    with pytest.raises(ValueError, match=wanted):
        power_of_two.scale(frozen([1, info.smallest_subnormal], dtype), 2.0, rounding)
    assert power_of_two.scale(info.smallest_subnormal, 1.0, rounding) == info.smallest_subnormal
    assert power_of_two.scale(info.smallest_subnormal, 1.25, rounding) == info.smallest_subnormal


@pytest.mark.parametrize("bad", [0.0, -0.0, -1.0])
def test_absmax_must_be_positive(bad):
    for x in (bad, frozen([1.0, bad])):
        with pytest.raises(ValueError, match=rf"^absmax must be above 0, got {bad}"):
            power_of_two.scale(x, 127)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(bad):
    with pytest.raises(ValueError, match=rf"^absmax must be finite, got {bad}"):
        power_of_two.scale(frozen([1.0, bad]), 127)
    with pytest.raises(ValueError, match=r"^qmax must be in \(0, inf\), got"):
        power_of_two.scale(1.0, bad)


def test_wrong_arguments():
    for wrong in (np.float16, np.int32, bool):
        with pytest.raises(TypeError, match=r"^absmax must be float32 or float64, got"):
            power_of_two.scale(np.ones(2, wrong), 127)
    for qmax in (0, -1, -0.0):
        with pytest.raises(ValueError, match=r"^qmax must be in \(0, inf\), got"):
            power_of_two.scale(1.0, qmax)
    for qmax in (True, "127", None):
        with pytest.raises(TypeError, match=r"^qmax must be a real number, got"):
            power_of_two.scale(1.0, qmax)
    for rounding in ("floor", "CEIL", "", None):
        with pytest.raises(ValueError, match=r"^rounding must be one of ceil, nearest, got"):
            power_of_two.scale(1.0, 127, rounding)
