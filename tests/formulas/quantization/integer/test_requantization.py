"""Requantization: its checks against the oracle, random cases, and the error paths."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import integer
from refcompress.formulas.quantization.integer import requantization
from tests.formulas.quantization.integer.checks import requantization as checks
from tests.formulas.quantization.integer.checks.common import MAX, MIN, MODES, assert_integers, frozen
from tests.oracles import requantization as oracle

INT32 = st.integers(MIN, MAX)


@pytest.mark.parametrize("check", checks.REQUANTIZATION)
def test_property(check):
    check(requantization)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(INT32, INT32), min_size=1, max_size=9))
def test_any_product(pairs):
    a, b = frozen(pairs).T
    expected = [oracle.saturating_rounding_doubling_high_mul(*pair) for pair in pairs]
    assert_integers(requantization.saturating_rounding_doubling_high_mul(a, b), expected)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(INT32, st.integers(0, 31)), min_size=1, max_size=9))
def test_any_division(pairs):
    x, exponent = frozen(pairs).T
    expected = [oracle.rounding_divide_by_pot(*pair) for pair in pairs]
    assert_integers(requantization.rounding_divide_by_pot(x, exponent), expected)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(-31, 30).flatmap(
        lambda shift: st.tuples(st.integers(MIN >> max(shift, 0), MAX >> max(shift, 0)), st.just(shift))
    ),
    st.integers(0, MAX) | st.integers(2**30, MAX),
    st.integers(-(2**15), 2**15),
)
def test_any_integer_multiplier(acc_shift, M, zero_point):
    acc, shift = acc_shift
    for rounding in ("double", "double_up", "single"):
        options = {"zero_point": zero_point, "qmin": -(2**30), "qmax": 2**30}
        found = requantization.requantize(acc, M, shift, rounding, **options)
        assert int(found) == oracle.requantize(acc, M, shift, rounding, **options)


@settings(deadline=None, max_examples=60)
@given(INT32, st.floats(2.0**-33, 2.0**13, width=32), st.integers(-(2**15), 2**15))
def test_any_float_multiplier(acc, real, zero_point):
    options = {"zero_point": zero_point, "qmin": -(2**30), "qmax": 2**30}
    found = requantization.requantize(acc, np.float32(real), None, "float", **options)
    assert int(found) == oracle.requantize(acc, Fraction(real), None, "float", **options)


def test_a_float64_multiplier_is_rounded_to_float32():
    real = 0.5 + 2.0**-26
    assert int(requantization.requantize(3, real, None, "float")) == 2  # 1½ → 2
    assert int(requantization.requantize(5, real, None, "float")) == 2  # 2½ → 2: in float64 3


def test_the_ends_of_int32():
    """Clipped, not wrapped, where the product leaves int32, and where the zero point makes it."""
    ends = {"qmin": MIN, "qmax": MAX}
    for rounding, given_ in (("single", (MAX, 30)), ("float", (3e38, None))):
        for z in (-5, 0, 5, MIN, MAX):
            found = requantization.requantize([MIN, 0, MAX], *given_, rounding, zero_point=z, **ends)
            assert_integers(found, [MIN, z, MAX])
    for rounding in ("double", "double_up"):
        assert requantization.requantize([MIN, MAX], MAX, 0, rounding, zero_point=MAX, **ends).tolist() == [0, MAX]


def test_scalars_nothing_and_lists():
    for rounding in MODES:
        given_ = (0.5, None) if rounding == "float" else (2**30, 0)
        assert requantization.requantize([], *given_, rounding).dtype == np.int8
        assert requantization.requantize(np.zeros((0, 3), np.int32), *given_, rounding).shape == (0, 3)
        assert np.shape(requantization.requantize(np.int16(4), *given_, rounding)) == ()
        assert requantization.requantize(np.array([7], np.uint8), *given_, rounding, axis=0).tolist() == [4]


def test_re_exported():
    for name in ("requantize", "rescale", "rounding_divide_by_pot", "saturating_rounding_doubling_high_mul"):
        assert getattr(integer, name) is getattr(requantization, name)


GOOD = {"acc": [1, 2, 3], "multiplier": 2**30, "shift": -1}
FLOAT = {"multiplier": 0.25, "shift": None, "rounding": "float"}


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "acc must be an integer array, got float64", {"acc": [1.0]}),
        (ValueError, "acc must be within int32, got 0 to 2147483648", {"acc": [0, 2**31]}),
        (ValueError, "acc must be within int32, got -2147483649 to 0", {"acc": [0, -(2**31) - 1]}),
        (ValueError, "rounding must be one of double, double_up, single, float, got 'up'", {"rounding": "up"}),
        (TypeError, "zero_point must be an integer", {"zero_point": 0.5}),
        (ValueError, "zero_point must be from -128 to 127, got 128", {"zero_point": 128}),
        (ValueError, "zero_point must be from 0 to 255, got -1", {"zero_point": -1, "qmin": 0}),
        (ValueError, "zero_point must be from 0 to 65535, got -1", {"zero_point": -1, "dtype": np.uint16}),
        (ValueError, "zero_point must be from -2147483648", {"zero_point": 2**31, "dtype": np.int32}),
        (TypeError, "dtype must be uint8, int8, uint16, int16 or int32, got 'int64'", {"dtype": "int64"}),
        (TypeError, "dtype must be uint8, .*, got <class 'bool'>", {"dtype": bool}),
        (ValueError, "qmin must be from 0 to 255, got -1", {"dtype": np.uint8, "qmin": -1}),
        (ValueError, "qmax must be from -128 to 127, got 128", {"dtype": np.int8, "qmax": 128}),
        (ValueError, "axis must be from -1 to 0, got 7", {"axis": 7}),
        (ValueError, "axis must be from -1 to 0, got 1", FLOAT | {"axis": 1}),
        (TypeError, "axis must be an integer", {"axis": 0.0}),
        (ValueError, r"acc must have one dimension or more where it has an axis, got shape \(\)",
         {"acc": 1, "axis": 0}),
        (ValueError, "qmin must be from -2147483648", {"qmin": -(2**31) - 1}),
        (ValueError, "qmax must be from 5 to 2147483647, got 4", {"qmin": 5, "qmax": 4}),
        (TypeError, "qmax must be an integer", {"qmax": 127.0}),
        (ValueError, "shift must be None for rounding 'float' and only there, got None", {"shift": None}),
        (ValueError, "shift must be None .*got -1 for 'float'", FLOAT | {"shift": -1}),
        (TypeError, "multiplier must be an integer array, got float64", {"multiplier": 0.5}),
        (TypeError, "multiplier must be float32 or float64, got int64", FLOAT | {"multiplier": 1}),
        (ValueError, "multiplier must be within int32", {"multiplier": 2**31}),
        (ValueError, "multiplier must be from 0 to 2147483647, got -1", {"multiplier": -1}),
        (ValueError, "multiplier must be finite and above 0 in float32, got 0.0", FLOAT | {"multiplier": 0.0}),
        (ValueError, "multiplier must be finite and above 0 in float32, got -1.0", FLOAT | {"multiplier": -1.0}),
        (ValueError, "multiplier must be finite and above 0 in float32, got nan", FLOAT | {"multiplier": np.nan}),
        (ValueError, r"multiplier must be finite and above 0 in float32, got 1e\+39", FLOAT | {"multiplier": 1e39}),
        (ValueError, "multiplier must be finite and above 0 in float32, got 1e-46", FLOAT | {"multiplier": 1e-46}),
        (TypeError, "shift must be an integer array", {"shift": 1.0}),
        (ValueError, "shift must be from -31 to 30, got -32 to -32", {"shift": -32}),
        (ValueError, "shift must be from -31 to 30, got 0 to 31", {"shift": [0, 31, 0], "axis": 0}),
        (ValueError, r"axis must be given for multiplier of shape \(3,\)", {"multiplier": [1, 2, 3]}),
        (ValueError, r"axis must be given for shift of shape \(3,\)", {"shift": [1, 2, 3]}),
        (ValueError, "axis must be from -1 to 0, got 1", {"multiplier": [1, 2, 3], "axis": 1}),
        (ValueError, r"multiplier must have shape \(3,\), got \(2,\)", {"multiplier": [1, 2], "axis": 0}),
        (ValueError, r"shift must have shape \(3,\), got \(2,\)", {"shift": [1, 2], "axis": 0}),
        (ValueError, r"multiplier must have shape \(3,\)", FLOAT | {"multiplier": np.ones(2), "axis": 0}),
        (ValueError, r"axis must be given", FLOAT | {"multiplier": np.ones(3)}),
        (ValueError, r"acc · 2\^shift must be within int32", {"acc": [2**30], "shift": 1}),
        (ValueError, r"acc · 2\^shift must be within int32",
         {"acc": [-(2**30) - 1], "shift": 1, "rounding": "double_up"}),
    ],
)  # fmt: skip
def test_requantize_refuses(error, match, change):
    with pytest.raises(error, match=match):
        requantization.requantize(**GOOD | change)


def test_the_largest_shifts_left():
    for rounding in ("double", "double_up", "single"):
        found = requantization.requantize([-(2**30), 2**30 - 1], 2**30, 1, rounding, qmin=MIN, qmax=MAX)
        assert found.tolist() == [-(2**30), 2**30 - 1]


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (TypeError, "a must be an integer array", lambda: integer.saturating_rounding_doubling_high_mul(1.0, 1)),
        (TypeError, "b must be an integer array", lambda: integer.saturating_rounding_doubling_high_mul(1, True)),
        (ValueError, "a must be within int32", lambda: integer.saturating_rounding_doubling_high_mul(2**31, 1)),
        (ValueError, "b must be within int32", lambda: integer.saturating_rounding_doubling_high_mul(1, [0, -(2**40)])),
        (ValueError, "broadcast", lambda: integer.saturating_rounding_doubling_high_mul([1, 2], [1, 2, 3])),
        (TypeError, "x must be an integer array", lambda: integer.rounding_divide_by_pot([1.5], 1)),
        (TypeError, "exponent must be an integer array", lambda: integer.rounding_divide_by_pot([1], 1.0)),
        (ValueError, "x must be within int32", lambda: integer.rounding_divide_by_pot([2**31], 1)),
        (ValueError, "exponent must be from 0 to 31, got -1 to -1", lambda: integer.rounding_divide_by_pot([1], -1)),
        (ValueError, "exponent must be .*, got 3 to 32", lambda: integer.rounding_divide_by_pot([1] * 2, [3, 32])),
        (ValueError, "broadcast", lambda: integer.rounding_divide_by_pot([1, 2], [1, 2, 3])),
    ],
)  # fmt: skip
def test_the_steps_refuse(error, match, call):
    with pytest.raises(error, match=match):
        call()


SCALES = {"acc": np.array([[1, 2], [3, 4], [5, 6]]), "a_scale": 0.5, "b_scale": 0.5, "out_scale": 0.5}


@pytest.mark.parametrize(
    ("error", "match", "change"),
    [
        (TypeError, "acc must be an integer array", {"acc": np.ones(2)}),
        (ValueError, "acc must be within int32", {"acc": [2**31]}),
        (ValueError, "acc must be within int32", {"acc": [2**31], "bias": [-1]}),
        (ValueError, r"acc \+ bias must be within int32", {"acc": [MAX], "bias": [1]}),
        (ValueError, "bias must be within int32", {"bias": [0, 2**31]}),
        (ValueError, r"bias must have shape \(2,\), got \(3,\)", {"bias": [1, 2, 3]}),
        (ValueError, r"bias must have shape \(2,\), got \(\)", {"bias": 1}),
        (TypeError, "bias must be an integer array", {"bias": [1.0, 2.0]}),
        (ValueError, "axis must be from -2 to 1, got 2", {"axis": 2}),
        (ValueError, "a_axis must be from -2 to 1, got -3", {"a_axis": -3}),
        (ValueError, "a_axis must be another axis than axis, got 1 for both", {"a_axis": 1}),
        (ValueError, r"a_scale must be a scalar or of shape \(3,\), got shape \(2,\)",
         {"a_scale": np.ones(2), "a_axis": 0}),
        (ValueError, "bias must be None where a_scale, its unit, is an array",
         {"a_scale": np.ones(3), "a_axis": 0, "bias": [1, 2]}),
        (ValueError, r"acc must have one dimension or more where it has an axis, got shape \(\)", {"acc": np.int32(5)}),
        (ValueError, r"b_scale must be .*, got shape \(1,\), whose one element is to be given as a scalar",
         {"b_scale": np.ones(1)}),
        (TypeError, "dtype must be uint8, .*, got 'int64'", {"dtype": "int64"}),
        (ValueError, "zero_point must be from 0 to 255, got -1", {"dtype": "uint8", "zero_point": -1}),
        (TypeError, "axis must be an integer", {"axis": None}),
        (ValueError, "rounding must be one of double, double_up, single, float", {"rounding": "half_even"}),
        (TypeError, "a_scale must be float32 or float64, got int64", {"a_scale": 1}),
        (ValueError, "a_scale must be a scalar", {"a_scale": np.ones(2)}),
        (ValueError, r"b_scale must be a scalar or of shape \(2,\), got shape \(3,\)", {"b_scale": np.ones(3)}),
        (ValueError, "out_scale must be finite and above 0 in float64, got 0.0", {"out_scale": 0.0}),
        (ValueError, "b_scale must be finite and above 0 in float64, got -1.0", {"b_scale": np.array([1.0, -1.0])}),
        (ValueError, "a_scale must be finite and above 0 in float64, got inf", {"a_scale": np.inf}),
        (ValueError, "out_scale must be finite and above 0 in float32, got 1e-46",
         {"out_scale": 1e-46, "rounding": "float"}),
        (ValueError, "a_scale · b_scale / out_scale must be finite and above 0 in float64, got 0.0",
         {"a_scale": 1e-200, "b_scale": 1e-200}),
        (ValueError, "a_scale · b_scale / out_scale must be finite and above 0 in float32, got inf",
         {"a_scale": 1e30, "b_scale": 1e30, "rounding": "float"}),
        (ValueError, r"round to less than 2\^30", {"a_scale": 1e10}),
        (ValueError, "qmax must be from", {"qmin": 1, "qmax": 0}),
        (ValueError, "zero_point must be from", {"zero_point": 2**31}),
    ],
)  # fmt: skip
def test_rescale_refuses(error, match, change):
    with pytest.raises(error, match=match):
        requantization.rescale(**SCALES | change)


def test_inputs_stay():
    """Read-only arrays pass, so nothing is written; the checks give nothing else."""
    acc, bias = frozen([[5, -5]], np.int32), frozen([1, 2], np.int32)
    for rounding in MODES:
        requantization.rescale(acc, 0.5, frozen([0.5, 0.25]), 0.5, rounding, bias=bias)
    assert (acc.tolist(), bias.tolist()) == ([[5, -5]], [1, 2])
