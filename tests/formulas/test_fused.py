"""fma: one rounding for a product and a sum, against rational numbers, where two roundings go astray."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.fused import fma
from tests.oracles import rounding as oracle


def exact(*numbers):
    a, b, c = (Fraction(float(x)) for x in numbers)
    return a * b + c


def rounded_once(a, b, c):
    return np.float32(float(oracle.to_format(exact(a, b, c), "float32")))


def naive(a, b, c):
    """Two roundings: the sum in float64, which is not wide enough, then float32."""
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


def astray():
    """Triples where the naive form is wrong: the exact result lies beside a tie of float32 by less than float64 sees.

    a·b = (1 + k·2⁻²³)·(1 + m·2⁻²³) has up to 48 bits; c places the sum so that the bits of a·b beyond float32's are
    exactly one half, and what is left of the other operand lies below float64's last place.
    """
    found = []
    for size in (1, 2**7, 2.0**-60, 2.0**40):
        for k in (1, 3, 1001, 2**22 + 1):
            for sign in (1, -1):
                big = np.float32((1 + k * 2.0**-23) * size)  # an odd significand
                half_ulp = float(np.spacing(big)) / 2
                for tiny in (2.0**-40, 2.0**-33, 3 * 2.0**-50):
                    for below in (1, -1):
                        # c = ± the large number, a·b = its half ulp and a little more or less
                        a = np.float32(half_ulp * (1 + below * 2.0**-12)) * np.float32(sign)
                        b = np.float32(1 - below * 2.0**-12)  # the product: half_ulp·(1 − 2⁻²⁴)
                        found.append((a, b, np.float32(sign) * big))
                        # a·b = a large number with a tie at its end, c what float64 loses
                        a, b = np.float32((2**12 + 1) * size), np.float32(2**12 + 1)  # 2²⁴ + 2¹³ + 1: a tie
                        c = np.float32(below * tiny * 2.0**-20 * size)
                        found.append((a * np.float32(sign), b, c))
    return sorted(set(found))


def test_where_two_roundings_go_astray():
    cases = astray()
    wrong = [case for case in cases if naive(*case) != rounded_once(*case)]
    assert len(wrong) >= 20  # the naive form fails on so many
    a, b, c = (np.array(column, np.float32) for column in zip(*cases, strict=True))
    expected = np.array([rounded_once(*case) for case in cases])
    assert fma(a, b, c).tobytes() == expected.tobytes()


def test_literal():
    """(1 + 2⁻¹²)² + 2⁻⁴⁰ is beside the tie of 1 + 2⁻¹¹ and 1 + 2⁻¹¹ + 2⁻²³, above it; with −2⁻⁴⁰ below it."""
    a = np.float32([1 + 2**-12] * 2)
    c = np.float32([2**-40, -(2**-40)])
    assert fma(a, a, c).tolist() == [1 + 2**-11 + 2**-23, 1 + 2**-11]
    far = np.float32([2.0**-100, -(2.0**-100)])  # far below what float64 sees
    assert fma(a, a, far).tolist() == [1 + 2**-11 + 2**-23, 1 + 2**-11]
    assert (a.astype(float) * a + far).astype(np.float32).tolist() == [1 + 2**-11] * 2


def test_random_numbers_of_all_sizes():
    generator = np.random.default_rng(0)
    for spread in (0, 3, 12, 24, 40):
        a, b, c = (
            (generator.uniform(1, 2, 1500) * 2.0 ** generator.integers(-spread, spread + 1, 1500)).astype(np.float32)
            * generator.choice([-1, 1], 1500).astype(np.float32)
            for _ in range(3)
        )
        got = fma(a, b, c)
        assert got.dtype == np.float32
        for case, value in zip(zip(a, b, c, strict=True), got, strict=True):
            assert value == rounded_once(*case), case


def test_cancellation_is_exact():
    """c = −fl(a·b): what is left is the product's rounding error, exactly."""
    generator = np.random.default_rng(1)
    a, b = generator.uniform(-2, 2, (2, 2000)).astype(np.float32)
    c = -(a * b)
    for case, value in zip(zip(a, b, c, strict=True), fma(a, b, c), strict=True):
        assert Fraction(float(value)) == exact(*case)


SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(SINGLE, SINGLE, SINGLE), min_size=1, max_size=8))
def test_any_numbers(cases):
    """Subnormal results and overflow too."""
    a, b, c = (np.array(column, np.float32) for column in zip(*cases, strict=True))
    with np.errstate(over="ignore", under="ignore"):
        got = fma(a, b, c)
    assert got.tolist() == [float(rounded_once(*case)) for case in zip(a, b, c, strict=True)]


@settings(deadline=None, max_examples=60)
@given(st.integers(2**23, 2**24 - 1), st.integers(2**23, 2**24 - 1), st.integers(-60, 30), SINGLE)
def test_products_at_ties(k, m, power, tail):
    """c is the product's rounded part, so that what is left of the product is near a tie of the sum."""
    a, b = np.float32(k), np.float32(m * 2.0**-24)
    for c in (np.float32(-(k * m) * 2.0**-24), np.float32(2.0**power), np.float32(tail)):
        arrays = [np.array([x], np.float32) for x in (a, b, c)]
        assert fma(*arrays)[0] == rounded_once(a, b, c)


def test_subnormal_results():
    """Beside ties of subnormal numbers, where float64's bits that float32 has not are more than 29."""
    unit = 2.0**-149
    cases = []
    for k in range(12):
        for eighth in range(8):
            for tiny in (0.0, 2.0**-149):
                a = np.float32((k + eighth / 8) * 2.0**-60)
                cases.append((a, np.float32(2.0**-89), np.float32(tiny)))
    a, b, c = (np.array(column, np.float32) for column in zip(*cases, strict=True))
    expected = [float(rounded_once(*case)) for case in cases]
    assert fma(a, b, c).tolist() == expected
    assert max(expected) > 10 * unit


def test_subnormal_ties_that_float64_does_not_see():
    """a·b = 2⁻¹⁵⁰ + 2⁻¹⁹⁶, half a subnormal and a little: 2⁻¹³⁰ + a·b rounds up, and float64 loses the little."""
    a, b = np.float32([8392705 * 2.0**-98]), np.float32([8384513 * 2.0**-98])  # 8392705 · 8384513 = 2⁴⁶ + 1
    assert 8392705 * 8384513 == 2**46 + 1
    for c, expected in ((2.0**-130, 2.0**-130 + 2.0**-149), (-(2.0**-130), -(2.0**-130) + 2.0**-149)):
        assert exact(a[0], b[0], c) == Fraction(c) + Fraction(2) ** -150 + Fraction(2) ** -196
        assert rounded_once(a[0], b[0], np.float32(c)) == np.float32(expected)
        assert fma(a, b, np.float32([c])).tolist() == [expected]


def test_special_numbers():
    a = np.float32([np.inf, np.nan, 1, 0, np.inf, -np.inf, 3e38, 1, 0, -0.0])
    b = np.float32([1, 1, 1, 5, 0, 2, 10, np.nan, -1, 1])
    c = np.float32([1, 1, np.inf, -7, 1, np.inf, 1, 1, 0, -0.0])
    with np.errstate(all="ignore"):
        got = fma(a, b, c)
    np.testing.assert_array_equal(
        got, np.float32([np.inf, np.nan, np.inf, -7, np.nan, np.nan, np.inf, np.nan, 0, -0.0])
    )
    assert np.signbit(got[-1])


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1,)])
def test_shapes_broadcast(shape):
    generator = np.random.default_rng(2)
    a = generator.normal(size=shape).astype(np.float32)
    a.setflags(write=False)
    for b, c in (
        (np.float32(0.1), np.float32(3)),
        (np.full(shape, 0.1, np.float32), np.float32(3)),
        (np.array(0.1, np.float32), generator.normal(size=shape).astype(np.float32)),
    ):
        got = fma(a, b, c)
        assert got.shape == shape
        for index in np.ndindex(shape):
            assert got[index] == rounded_once(
                a[index], np.broadcast_to(b, shape)[index], np.broadcast_to(c, shape)[index]
            )
    whole = fma(np.array(0.1, np.float32), np.float32(2), np.float32(1))
    assert np.shape(whole) == ()
    assert whole == rounded_once(np.float32(0.1), 2, 1)
