"""Least error: its checks against the oracle, random arrays, and the error paths."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import affine, granularity
from refcompress.formulas.quantization.conventions import PRESETS
from refcompress.formulas.quantization.ranges import least_error, min_max
from tests.formulas.quantization.checks.common import DTYPES, exact, frozen
from tests.formulas.quantization.ranges import checks
from tests.oracles import least_error as oracle


@pytest.mark.parametrize("check", checks.LEAST_ERROR)
def test_property(check):
    check(least_error)


@st.composite
def cases(draw):
    """Values, a code range that the oracle's quantizer knows, a norm and a grid."""
    convention, qmin, qmax = draw(
        st.sampled_from(
            [("gptq", 0, 3), ("gptq", -4, 3), ("source", 0, 3), ("source", 0, 15), ("tflite_weights", -4, 3)]
        )
    )
    values = st.integers(-16, 16).map(lambda k: k / 8) | st.floats(-4, 4, width=16)
    x = draw(st.lists(values.filter(lambda v: v == 0 or abs(v) > 1e-3), min_size=1, max_size=6))
    norm = draw(st.sampled_from([2.0, 2.4, 1.0]))
    return frozen(x, np.float32), qmin, qmax, convention, norm, draw(st.integers(1, 8)), draw(st.floats(0.2, 1))


@settings(deadline=None, max_examples=60)
@given(cases())
def test_random_arrays(case):
    x, qmin, qmax, convention, norm, grid, max_shrink = case
    if oracle.candidates(grid, max_shrink) == 0:
        with pytest.raises(ValueError, match=r"^max_shrink · grid must be at least 1"):
            least_error.search(x, qmin, qmax, convention, norm, grid, max_shrink)
        return
    found = oracle.search(checks.fractions(x), qmin, qmax, convention, norm, grid, max_shrink, "float32")
    got = least_error.search(x, qmin, qmax, convention, norm, grid, max_shrink)
    checks.is_the_least(found, got)
    ends, errors = [ends for ends, _ in found], [error for _, error in found]
    if errors[0] == min(errors):  # the whole range is as good as any
        assert (exact(got[0]), exact(got[1])) == ends[0]


def total_error(x, low, high, qmin, qmax, convention, norm):
    """Σ |x̂ − x|^norm in float64."""
    s, Z = affine.choose(low, high, qmin, qmax, convention)
    restored = affine.fake_quantize(x, s, Z, qmin, qmax, convention)
    return float((np.abs(restored.astype(np.float64) - x) ** norm).sum())


@pytest.mark.parametrize("convention", sorted(PRESETS))
def test_not_worse_than_min_max(convention):
    """In every convention, and some range is better for a heavy tail."""
    x = frozen(np.random.default_rng(0).standard_t(2, (5, 40)), np.float32)
    qmin, qmax = (0, 15) if PRESETS[convention].zero_point != "zero" else (-8, 7)
    errors = [
        total_error(x, low, high, qmin, qmax, convention, 2.4)
        for low, high in (least_error.search(x, qmin, qmax, convention), min_max.min_max(x))
    ]
    assert errors[0] < errors[1]


def test_the_layout_does_not_matter():
    x = frozen(np.random.default_rng(1).normal(size=(3, 4, 5)), np.float32)
    whole = least_error.search(x, 0, 15, "gptq", grid=20)
    for same in (x.ravel(), x.transpose(2, 0, 1), x[::-1, :, ::-1]):
        assert least_error.search(same, 0, 15, "gptq", grid=20) == whole


def test_blocks_of_which_the_last_is_shorter():
    x = frozen([[0, 0.75, 0.75, 1, 0, 0.5, 1]], np.float32)

    def search(group):
        return least_error.search(group, 0, 1, "source", 2.0, 4)

    low, high = granularity.apply(search, x, axis=1, block_size=4)
    assert low.tolist() == [[0, 0]]
    assert high.tolist() == [[0.75, 0.75]]  # 0, ½, 1: 1/4 for the whole range, 1/8 for ¾ of it


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_arrays(dtype):
    """A range without width has s = 1 in this convention: every value comes back from the whole range."""
    for name in ("constant", "zero", "both zeros", "one element", "a scalar"):
        x = checks.extreme_arrays(dtype)[name]
        checks.is_range(least_error.search(x, 0, 15, "source"), x.min(), x.max(), dtype)
    positive = checks.extreme_arrays(dtype)["all positive"]
    low, high = least_error.search(positive, 0, 255, "source")
    assert (low, high) == (1, 9)  # shrunken ranges would clip, and 255 codes are many


def test_subnormal_and_huge_values():
    tiny, large = np.finfo(np.float64).smallest_subnormal, np.finfo(np.float64).max
    # 0 to 4 units in three steps: s is one unit, errors to a power are 0, and the whole range is the first
    checks.is_range(least_error.search(frozen([0, 3 * tiny]), 0, 3, "source", grid=1, max_shrink=1.0), 0, 3 * tiny,
                        np.float64)  # fmt: skip
    with pytest.raises(ValueError, match="high - low must be large enough for a scale above 0"):
        least_error.search(frozen([0, 3 * tiny]), 0, 15, "source")
    with pytest.raises(ValueError, match="high - low must be finite"):
        least_error.search(frozen([-large, large]), 0, 15, "source")
    with pytest.raises(ValueError, match=r"^x must have errors whose powers are finite, got values from"):
        least_error.search(frozen([0.0, 1e300, 7e299, 1e299]), 0, 3, "source")
    checks.is_range(
        least_error.search(frozen([0.0, 1e300, 7e299, 1e299]), 0, 3, "source", norm=0.5, grid=1, max_shrink=1.0),
        0, 1e300, np.float64,
    )  # fmt: skip


def test_wrong_values():
    checks.refuses_what_is_no_finite_float_array(lambda x: least_error.search(x, 0, 15, "source"))
    with pytest.raises(TypeError, match=r"^low must be float32 in this convention, got float64"):
        least_error.search(np.ones(3), 0, 15, "gptq")


X = frozen([0.0, 0.5, 1.0], np.float32)


def test_wrong_numbers():
    for norm in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"^norm must be in \(0, inf\), got"):
            least_error.search(X, 0, 15, "gptq", norm)
    for grid in (0, -5):
        with pytest.raises(ValueError, match=rf"^grid must be at least 1, got {grid}"):
            least_error.search(X, 0, 15, "gptq", grid=grid)
    for shrink in (0, -0.5, 1.01, np.nan):
        with pytest.raises(ValueError, match=r"^max_shrink must be in \(0, 1\], got"):
            least_error.search(X, 0, 15, "gptq", max_shrink=shrink)
    with pytest.raises(ValueError, match=r"^max_shrink · grid must be at least 1, got 0.5 and 1"):
        least_error.search(X, 0, 15, "gptq", grid=1, max_shrink=0.5)
    with pytest.raises(TypeError, match=r"^norm must be a real number, got '2'"):
        least_error.search(X, 0, 15, "gptq", "2")
    for grid in (10.0, True, "10"):
        with pytest.raises(TypeError, match=r"^grid must be an integer, got"):
            least_error.search(X, 0, 15, "gptq", grid=grid)
    with pytest.raises(TypeError, match=r"^max_shrink must be a real number, got True"):
        least_error.search(X, 0, 15, "gptq", max_shrink=True)


def test_wrong_conventions_and_codes():
    with pytest.raises(ValueError, match=r"^convention must be one of .*gptq"):
        least_error.search(X, 0, 15, "GPTQ")
    with pytest.raises(TypeError, match=r"^convention must be a Convention or a preset's name, got 4"):
        least_error.search(X, 0, 15, 4)
    with pytest.raises(ValueError, match=r"^qmax must leave at least two codes, got 3 to 3"):
        least_error.search(X, 3, 3, "gptq")
    with pytest.raises(TypeError, match=r"^qmin must be an integer, got 0.0"):
        least_error.search(X, 0.0, 3, "gptq")


def test_the_oracle_s_quantizers_by_hand():
    """Range [−1, 2] with codes 0 to 3: s = 1, Z = 1, and ½ goes to the even code; tflite's −4 is not used."""
    x = [Fraction(k, 4) for k in (-4, -2, 0, 2, 6, 9)]
    ends = Fraction(-1), Fraction(2)
    assert oracle.gptq(x, *ends, 0, 3, "float32") == [-1, 0, 0, 0, 2, 2]
    assert oracle.source(x, *ends, 0, 3, "float32") == [-1, -1, 0, 1, 1, 2]
    assert oracle.symmetric([*x, Fraction(-9)], Fraction(-1), Fraction(3), -4, 3, "float32") == [-1, -1, 0, 1, 2, 2, -3]
