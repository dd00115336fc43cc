"""Moving average: its checks against the oracle, random batches, and the error paths."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization.ranges import moving_average
from tests.formulas.quantization.checks.common import DTYPES, exact, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import moving_average as oracle


@pytest.mark.parametrize("check", checks.MOVING_AVERAGE)
def test_property(check):
    check(moving_average)


@st.composite
def cases(draw):
    """A dtype, the ends of an average, a batch, c and whether 0 is put in."""
    dtype = draw(st.sampled_from(DTYPES))
    largest = float(np.finfo(dtype).max) / 4  # no difference overflows
    values = st.floats(-largest, largest, width=np.dtype(dtype).itemsize * 8) | st.sampled_from([-0.5, 0.0, 0.1, 3.0])
    low, high, *batch = (dtype(v) for v in draw(st.lists(values, min_size=3, max_size=7)))
    c = draw(st.sampled_from([0.01, 0.5, 1.0, 1 - 0.999]) | st.floats(1e-6, 1))
    return dtype, min(low, high), max(low, high), batch, c, draw(st.booleans())


@settings(deadline=None, max_examples=60)
@given(cases())
def test_every_operation_is_rounded_once(case):
    dtype, low, high, batch, c, include_zero = case
    got = moving_average.update((low, high), frozen(batch, dtype), c, include_zero=include_zero)
    name, start = np.dtype(dtype).name, (exact(low), exact(high))
    expected = oracle.update(start, checks.fractions(batch), Fraction(c), name, include_zero)
    checks.is_range(got, *expected, dtype)


def test_many_batches_have_the_closed_form():
    """Powers of 1 − c by hand: with c = ½ and c = ¼ nothing is rounded."""
    for c in (0.5, 0.25):
        ends, state = [Fraction(k % 5 - 2) for k in range(12)], None
        for k in [0, *(int(end) for end in ends)]:
            state = moving_average.update(state, frozen([k, k + 8.0]), c)
        expected = oracle.closed_form(Fraction(0), ends, Fraction(c))
        checks.is_range(state, expected, expected + 8, np.float64)


def test_the_start_of_tensorflow_counts_37_percent_after_1000_batches():
    state = (np.float32(-6), np.float32(6))
    for _ in range(1000):
        state = moving_average.update(state, frozen([0.0], np.float32), c=1 - 0.999, include_zero=True)
    assert float(state[1]) == pytest.approx(6 * 0.999**1000, rel=1e-4)  # 1000 roundings of 6·10⁻⁸
    assert float(state[0]) == -float(state[1])
    assert float(state[1]) / 6 == pytest.approx(0.368, abs=5e-4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_batches(dtype):
    for x in checks.extreme_arrays(dtype).values():
        checks.is_range(moving_average.update(None, x), x.min(), x.max(), dtype)
        checks.is_range(moving_average.update((x.min(), x.max()), x), x.min(), x.max(), dtype)
    tiny = np.finfo(dtype).smallest_subnormal
    # a quarter of the smallest number is rounded to 0, ¾ of it to itself
    checks.is_range(
        moving_average.update((dtype(0), dtype(0)), frozen([tiny], dtype), c=0.25), dtype(0), dtype(0), dtype
    )
    checks.is_range(moving_average.update((dtype(0), dtype(0)), frozen([tiny], dtype), c=0.75), tiny, tiny, dtype)


def test_wrong_values():
    checks.refuses_what_is_no_finite_float_array(lambda x: moving_average.update(None, x))
    before = (np.float32(0), np.float32(1))
    checks.refuses_what_is_no_finite_float_array(lambda x: moving_average.update(before, x))


@pytest.mark.parametrize("c", [0.0, -0.1, 1.0000001, np.nan, np.inf])
def test_c_out_of_range(c):
    with pytest.raises(ValueError, match=r"^c must be in \(0, 1\], got"):
        moving_average.update(None, frozen([1.0]), c)


@pytest.mark.parametrize("c", [True, "0.1", None, 1j])
def test_c_of_the_wrong_type(c):
    with pytest.raises(TypeError, match=r"^c must be a real number, got"):
        moving_average.update(None, frozen([1.0]), c)


@pytest.mark.parametrize("include_zero", [1, None, "yes"])
def test_include_zero_of_the_wrong_type(include_zero):
    with pytest.raises(TypeError, match=r"^include_zero must be True or False, got"):
        moving_average.update(None, frozen([1.0]), include_zero=include_zero)


@pytest.mark.parametrize("place", [0, 1])
def test_wrong_averages(place):
    name, x = ("low", "high")[place], frozen([0.5], np.float32)

    def update(value):
        average = [np.float32(0), np.float32(1)]
        average[place] = value
        return moving_average.update(tuple(average), x)

    for wrong in (np.float64(0.5), 0.5):
        with pytest.raises(TypeError, match=rf"^average's {name} must be float32 like the other arrays, got float64"):
            update(wrong)
    with pytest.raises(TypeError, match=rf"^average's {name} must be float32 or float64, got int32"):
        update(np.int32(1))
    with pytest.raises(ValueError, match=rf"^average's {name} must have shape \(\), got \(2,\)"):
        update(np.zeros(2, np.float32))
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match=rf"^average's {name} must be finite.*got {bad} and 0.5"):
            update(np.float32(bad))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_difference_overflows(dtype):
    largest = np.finfo(dtype).max
    with pytest.raises(ValueError, match=r"^average's low must be finite, and its difference from the batch's too"):
        moving_average.update((-largest, dtype(0)), frozen([largest], dtype), c=0.5)
    with pytest.raises(ValueError, match=r"^average's high must be finite, and its difference from the batch's too"):
        moving_average.update((-largest, largest), frozen([-largest], dtype), c=0.5)
