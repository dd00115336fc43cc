"""Analytical clipping: its checks against the oracle, the published factors, random arrays, and the error paths."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.ranges import aciq
from tests.formulas.quantization.checks.common import DTYPES, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import aciq as oracle


@pytest.mark.parametrize("check", checks.ACIQ)
def test_property(check):
    check(aciq)


@pytest.mark.parametrize("distribution", aciq.DISTRIBUTIONS)
def test_no_other_threshold_has_a_smaller_error(distribution):
    for bits in (1, 4, 8):
        alpha = mpmath.mpf(aciq.factor(bits, distribution))
        least = oracle.expected_error(alpha, bits, distribution)
        for other in (alpha - 0.001, alpha + 0.001, alpha * 0.7, alpha * 1.4):
            assert oracle.expected_error(other, bits, distribution) > least


def test_the_expected_error_as_printed():
    """The closed forms of the docstring are the integrals."""
    for a in (0.5, 2.0, 5.0):
        rounding = a**2 / (3 * 4**3)
        laplace = 2 * math.exp(-a) + rounding
        assert abs(oracle.expected_error(a, 3, "laplace") - laplace) < 1e-12
        gauss = (1 + a**2) * math.erfc(a / math.sqrt(2)) - math.sqrt(2 / math.pi) * a * math.exp(-(a**2) / 2) + rounding
        assert abs(oracle.expected_error(a, 3, "gauss") - gauss) < 1e-12


def test_laplace_is_lambert_s_function():
    for bits in (1, 2, 4, 8, 16):
        assert abs(aciq.factor(bits) - mpmath.lambertw(3 * mpmath.mpf(4) ** bits).real) < 4e-12


def test_the_published_factors_are_rounded_or_cut_off():
    """Zero bits: W(3) = 1.0499."""
    for distribution, table in aciq.PUBLISHED.items():
        for bits, published in table.items():
            found = checks.best_factor(bits, distribution)
            assert 0 <= found - published < 0.01 or abs(found - published) <= 0.005
    assert aciq.PUBLISHED["laplace"][4] == 5.03
    assert aciq.PUBLISHED["gauss"][4] == 2.55
    assert checks.best_factor(4, "gauss") > 2.5585  # so that 2.55 is cut off


@st.composite
def cases(draw):
    dtype, positive = draw(st.sampled_from(DTYPES)), draw(st.booleans())
    size = draw(st.sampled_from([1e-30, 1.0, 1e30]))
    values = st.floats(0 if positive else -1, 1, width=16).map(lambda v: v * size)
    x = frozen(draw(st.lists(values, min_size=2, max_size=8)), dtype)
    return x, positive, draw(st.sampled_from(aciq.DISTRIBUTIONS)), draw(st.integers(0, 1)), draw(st.integers(1, 8))


@settings(deadline=None, max_examples=60)
@given(cases())
def test_random_arrays(case):
    """Sums of n numbers in float64 err by n·2⁻⁵³ of the largest; the factor multiplies that; a root halves it.

    A variance of nearly equal values is a small difference, but of the size of its own rounding: (Σ of n squares of
    deviations that err by n·2⁻⁵³·max) moves σ by at most that error.
    """
    x, positive, distribution, ddof, bits = case
    alpha = mpmath.mpf(aciq.PUBLISHED["laplace"][8])
    ends = aciq.clip(
        x, bits, distribution, positive=positive, ddof=ddof, factors={distribution: {bits + positive: float(alpha)}}
    )
    expected = oracle.clip(checks.fractions(x), alpha, distribution, positive, ddof)
    largest = float(np.abs(x).max())
    info = np.finfo(x.dtype)
    for end, wanted in zip(ends, expected, strict=True):
        slack = float(alpha) * 2 * (2 * x.size + 8) * 2**-53 * largest
        assert end.dtype == x.dtype
        assert abs(float(end) - wanted) <= slack + info.eps / 2 * abs(wanted) + float(info.smallest_subnormal)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_arrays(dtype):
    arrays = checks.extreme_arrays(dtype)
    for name in ("constant", "zero", "one element", "a scalar"):
        x = arrays[name]
        for distribution in aciq.DISTRIBUTIONS:
            checks.is_range(aciq.clip(x, 4, distribution), x.min(), x.max(), dtype)
    checks.is_range(aciq.clip(frozen([3, 3], dtype), 4, positive=True), 0, 0, dtype)
    with pytest.raises(ValueError, match=rf"^x must have a finite range in {dtype.__name__}, got"):
        aciq.clip(arrays["huge"], 4)
    tiny = np.finfo(dtype).smallest_subnormal
    low, high = aciq.clip(frozen([-4 * tiny, 4 * tiny], dtype), 4)
    assert -low == high == dtype(20 * tiny)  # 5.03·4 = 20.1, rounded to the numbers there are


def test_a_constant_has_no_width():
    for n in (3, 6, 7, 11):
        low, high = aciq.clip(frozen([0.1] * n), 4)
        assert low == high


def test_layout():
    x = frozen(np.random.default_rng(0).normal(size=(3, 4, 5)), np.float32)
    low, high = aciq.clip(x, 4)
    for same in (x.transpose(2, 0, 1), x[::-1].ravel()):
        np.testing.assert_allclose(aciq.clip(same, 4), (low, high), rtol=2 * np.finfo(np.float32).eps)


def test_wrong_values():
    checks.refuses_what_is_no_finite_float_array(lambda x: aciq.clip(x, 4))


def test_negative_values_are_not_positive():
    with pytest.raises(ValueError, match=r"^x must not be below 0 where positive, got -1.0"):
        aciq.clip(frozen([1.0, -1.0, 2.0]), 4, positive=True)
    assert aciq.clip(frozen([-0.0, 1.0]), 4, positive=True)[0] == 0


def test_wrong_numbers():
    x = frozen([0.0, 1.0])
    for call in (lambda bits: aciq.factor(bits), lambda bits: aciq.clip(x, bits)):
        for bits in (0, -1, 17):
            with pytest.raises(ValueError, match=rf"^bits must be from 1 to 16, got {bits}"):
                call(bits)
        for bits in (4.0, True, "4", None):
            with pytest.raises(TypeError, match=r"^bits must be an integer, got"):
                call(bits)
    for ddof in (-1, 2):
        with pytest.raises(ValueError, match=rf"^ddof must be from 0 to 1, got {ddof}"):
            aciq.clip(x, 4, "gauss", ddof=ddof)
    with pytest.raises(TypeError, match=r"^ddof must be an integer, got"):
        aciq.clip(x, 4, "gauss", ddof=1.0)
    with pytest.raises(ValueError, match=r"^x must have more values than ddof 1, got 1"):
        aciq.clip(frozen([1.0]), 4, "gauss", ddof=1)


def test_wrong_words():
    x = frozen([0.0, 1.0])
    for call in (lambda name: aciq.factor(4, name), lambda name: aciq.clip(x, 4, name)):
        for name in ("normal", "Laplace", "", None):
            with pytest.raises(ValueError, match=r"^distribution must be one of laplace, gauss, got"):
                call(name)
    for call in (lambda word: aciq.factor(4, positive=word), lambda word: aciq.clip(x, 4, positive=word)):
        for word in (1, None, "yes"):
            with pytest.raises(TypeError, match=r"^positive must be True or False, got"):
                call(word)


def test_wrong_factors():
    x = frozen([0.0, 1.0])
    with pytest.raises(ValueError, match=r"^bits must be one of 1, 2, 3, 4, 5, 6, 7, 8 of the factors, got 9"):
        aciq.clip(x, 9, "gauss", factors=aciq.PUBLISHED)
    with pytest.raises(ValueError, match=r"^bits must be one of 0, 1, 2, 3, 4, 5, 6, 7 of the factors, got 8"):
        aciq.clip(x, 8, "gauss", positive=True, factors=aciq.PUBLISHED)
    with pytest.raises(ValueError, match=r"^distribution must be one of laplace, got 'gauss'"):
        aciq.clip(x, 4, "gauss", factors={"laplace": {4: 5.03}})
    low, high = aciq.clip(frozen([-1.0, 1.0]), 0, factors=aciq.PUBLISHED)
    assert (float(low), float(high)) == (-1.05, 1.05)
