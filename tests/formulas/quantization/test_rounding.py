"""Rounding: literals, the exact oracle at every kind of edge, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import rounding
from tests.formulas.quantization.checks import rounding as checks
from tests.formulas.quantization.checks.common import DTYPES, NEAREST, RULES, Draws, exact, frozen, neighbours
from tests.oracles import rounding as oracle


@pytest.mark.parametrize("check", checks.ROUNDING)
def test_property(check):
    check(rounding.apply)


def test_names():
    assert rounding.NEAREST == ("half_even", "half_away", "half_up", "half_down", "half_toward_zero")
    assert rounding.RULES[5:] == ("floor", "ceil", "toward_zero", "stochastic")
    assert rounding.RULES[:5] == rounding.NEAREST
    assert (NEAREST, RULES) == (rounding.NEAREST, rounding.RULES)


LITERALS = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.3, -0.7]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("half_even", [-2, -2, 0, 0, 2, 2, 0, -1]),
        ("half_away", [-3, -2, -1, 1, 2, 3, 0, -1]),
        ("half_up", [-2, -1, 0, 1, 2, 3, 0, -1]),
        ("half_down", [-3, -2, -1, 0, 1, 2, 0, -1]),
        ("half_toward_zero", [-2, -1, 0, 0, 1, 2, 0, -1]),
        ("floor", [-3, -2, -1, 0, 1, 2, 0, -1]),
        ("ceil", [-2, -1, 0, 1, 2, 3, 1, 0]),
        ("toward_zero", [-2, -1, 0, 0, 1, 2, 0, 0]),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_literals(dtype, rule, expected):
    assert rounding.apply(frozen(LITERALS, dtype), rule).tolist() == expected


def test_stochastic_literals():
    t = frozen([1.25, -1.25, 0.75, 3.0, -3.0])
    for u, expected in ((0.0, [2, -1, 1, 3, -3]), (0.25, [1, -1, 1, 3, -3]), (0.75, [1, -2, 0, 3, -3])):
        assert rounding.apply(t, "stochastic", Draws([u] * 5)).tolist() == expected


def test_default_is_half_even():
    assert rounding.apply(frozen([0.5, 1.5, 2.5])).tolist() == [0, 2, 2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_rules_that_mirror_each_other(dtype):
    """half_down is half_up of −t, negated."""
    t = frozen([x for k in range(-9, 9) for x in neighbours(k / 2, dtype)])
    assert rounding.apply(t, "half_down").tobytes() == (-rounding.apply(-t, "half_up")).tobytes()


def test_list_becomes_float64():
    result = rounding.apply([0.5, 2.25])
    assert result.dtype == np.float64
    assert result.tolist() == [0, 2]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rule", RULES)
def test_shape_and_input_are_kept(dtype, rule):
    generator = np.random.default_rng(0)
    for shape in ((2, 3, 5), (0,), (4, 0), (1,), ()):
        t = generator.normal(0, 3, shape).astype(dtype)
        before = t.tobytes()
        result = np.asarray(rounding.apply(t, rule, np.random.default_rng(1) if rule == "stochastic" else None))
        assert result.shape == shape
        assert result.dtype == dtype
        assert not np.shares_memory(result, t)
        assert t.tobytes() == before
    t = generator.normal(0, 3, (3, 5)).astype(dtype).T  # not contiguous
    checks.assert_rounds(rounding.apply, t, rule, dtype)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(width=64), min_size=1, max_size=6), st.sampled_from(RULES))
def test_float64_matches_the_oracle(values, rule):
    checks.assert_rounds(rounding.apply, values, rule, np.float64)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(width=32), min_size=1, max_size=6), st.sampled_from(RULES))
def test_float32_matches_the_oracle(values, rule):
    checks.assert_rounds(rounding.apply, values, rule, np.float32)


@pytest.mark.parametrize(("name", "dtype", "precision"), [("float32", np.float32, 24), ("float64", np.float64, 53)])
def test_format_of_the_oracle(name, dtype, precision):
    """The oracle's rounding to a format, from its definition: literals, ties, subnormals and the overflow threshold."""
    one, half, info = exact(1), exact(0.5), np.finfo(dtype)
    step = half**precision * 2  # the spacing above 1
    for x, expected in (
        (one, one),
        (one + step / 2, one),
        (one + step * 3 / 2, one + 2 * step),
        (one + step / 2 + half**200, one + step),
        (-one - step / 2, -one),
        (one - step / 4, one),
        (one - step * 3 / 4, one - step),
    ):
        assert oracle.to_format(x, name) == expected
    subnormal = exact(info.smallest_subnormal)
    assert [oracle.to_format(subnormal * k / 4, name) / subnormal for k in range(-7, 8)] == [
        -2,
        -2,
        -1,
        -1,
        -1,
        0,
        0,
        0,
        0,
        0,
        1,
        1,
        1,
        2,
        2,
    ]
    largest = exact(info.max)
    unit = largest - exact(np.nextafter(info.max, dtype(0)))
    assert oracle.to_format(largest + unit / 2 - half**80, name) == largest
    assert oracle.to_format(largest + unit / 2, name) == np.inf
    assert oracle.to_format(-largest - unit, name) == -np.inf


@settings(deadline=None, max_examples=80)
@given(st.fractions(max_denominator=10**30), st.integers(-200, 200))
def test_format_of_the_oracle_is_that_of_python(x, power):
    """Python's division of integers is correctly rounded to float64."""
    x *= exact(2.0**power)
    assert oracle.to_format(x, "float64") == exact(x.numerator / x.denominator)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, bool, complex])
def test_wrong_type(dtype):
    with pytest.raises(TypeError, match=r"\bt\b.*float32.*float64"):
        rounding.apply(np.zeros(3, dtype))


@pytest.mark.parametrize("rule", ["nearest", "HALF_EVEN", "", None, 0])
def test_unknown_rule(rule):
    with pytest.raises((ValueError, TypeError), match="rule"):
        rounding.apply(np.zeros(3), rule)


def test_missing_rng():
    with pytest.raises(ValueError, match="rng"):
        rounding.apply(np.zeros(3), "stochastic")


@pytest.mark.parametrize("rng", [3, np.random.RandomState(0), "0"], ids=["int", "RandomState", "str"])
def test_rng_of_another_type(rng):
    with pytest.raises(TypeError, match=r"\brng must be a numpy\.random\.Generator, got "):
        rounding.apply(np.zeros(3), "stochastic", rng)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "stochastic"])
def test_superfluous_rng(rule):
    with pytest.raises(ValueError, match="rng"):
        rounding.apply(np.zeros(3), rule, np.random.default_rng(0))


def test_a_stochastic_zero_has_the_sign_of_t():
    always_up = Draws(np.zeros(3))
    result = rounding.apply(np.array([-0.25, -0.0, 0.0]), "stochastic", always_up)
    assert (result.tolist(), np.signbit(result).tolist()) == ([0.0, 0.0, 0.0], [True, True, False])
