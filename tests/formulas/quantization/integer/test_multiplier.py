"""Quantized multipliers: their checks against the oracle, random cases, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas import blocks as formula_blocks
from refcompress.formulas.quantization import integer
from refcompress.formulas.quantization.integer import multiplier
from tests.formulas.quantization.integer.checks import multiplier as checks


@pytest.mark.parametrize("check", checks.MULTIPLIER)
def test_property(check):
    check(multiplier)


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 2.0**30 - 1) | st.floats(0, 1e-8), st.sampled_from(["half_away", "half_even"]))
def test_any_real(real, rounding):
    checks.assert_multiplier(multiplier, np.float64(real), rounding)
    assert integer.quantize_multiplier is multiplier.quantize_multiplier


@pytest.mark.parametrize("size", [1, 5])
def test_blocks_do_not_matter(monkeypatch, size):
    monkeypatch.setattr(formula_blocks, "BLOCK", size)
    checks.multiplier_matches_the_oracle(multiplier)


def test_scalars_and_nothing():
    M, shift = multiplier.quantize_multiplier(0.5)
    assert (M.shape, shift.shape) == ((), ())
    M, shift = multiplier.quantize_multiplier(np.zeros((0, 3)))
    assert (M.shape, shift.shape) == ((0, 3), (0, 3))


@pytest.mark.parametrize(
    ("error", "match", "real"),
    [
        (TypeError, "real must be float32 or float64, got int64", 1),
        (TypeError, "real must be float32 or float64, got float16", np.float16(1)),
        (ValueError, "real must be finite, got nan", np.nan),
        (ValueError, "real must be finite, got inf", np.array([0.5, np.inf])),
        (ValueError, r"real must be at least 0 and round to less than 2\^30, got -0.25", np.array([0.5, -0.25])),
        (ValueError, r"real must be at least 0 and round to less than 2\^30, got -5e-324", -5e-324),
        (ValueError, r"real must be .* round to less.*, got 1073741824.0", 2.0**30),
        (ValueError, r"real must be at least 0 and round to less than 2\^30, got 1e\+300", 1e300),
        (
            ValueError,
            r"real must be at least 0 and round to less than 2\^30",
            np.nextafter(2.0**30, 0),
        ),  # rounds up to 2³⁰
    ],
)
def test_refused(error, match, real):
    for rounding in ("half_away", "half_even"):
        with pytest.raises(error, match=match):
            multiplier.quantize_multiplier(real, rounding)


def test_an_unknown_rounding():
    with pytest.raises(ValueError, match="rounding must be one of half_away, half_even, got 'half_up'"):
        multiplier.quantize_multiplier(0.5, "half_up")
