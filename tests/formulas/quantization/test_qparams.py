"""Scale and zero point of a range: the checks against the oracle, random ranges, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import affine, qparams
from refcompress.formulas.quantization.convention import Convention
from tests.formulas.quantization.checks import qparams as checks
from tests.formulas.quantization.checks.common import DTYPES, fitting, frozen


@pytest.mark.parametrize("check", checks.QPARAMS)
def test_property(check):
    check(qparams)


def test_affine_offers_it():
    assert affine.choose is qparams.choose


ENDS = st.floats(-(2.0**100), 2.0**100, width=32)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(checks.CHOOSERS), ENDS, ENDS, st.sampled_from([(0, 15), (-8, 7), (0, 255), (-128, 127)]))
def test_random_ranges(c, a, b, codes):
    low, high = np.float32(min(a, b)), np.float32(max(a, b))
    if c.zero_point == "zero" and codes[0] == 0:
        codes = (-8, 7)
    if c.scale == "both_ends" and low == high == 0:
        high = np.float32(1)
    checks.assert_chosen(qparams, c, low, high, *codes)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_shapes_and_dtypes(shape, dtype):
    c = Convention() if dtype == np.float32 else Convention(compute_dtype="input", range_dtype="input")
    low, high = frozen(np.full(shape, -1), dtype), frozen(np.full(shape, 3), dtype)
    kept = low.tobytes(), high.tobytes()
    s, Z = qparams.choose(low, high, 0, 255, c)
    assert np.shape(s) == np.shape(Z) == shape
    assert (s.dtype, Z.dtype) == (dtype, np.int32)
    assert np.all(Z == 64)
    assert (low.tobytes(), high.tobytes()) == kept


def test_python_numbers_are_taken():
    for pair in ((-1.0, 3.0), (-1, 3), (np.float32(-1), 3)):
        s, Z = qparams.choose(*pair, 0, 255, "onnx")
        assert (s, s.dtype, Z) == (np.float32(4) / np.float32(255), np.float32, 64)
    assert qparams.choose(-1.0, 3.0, 0, 15, "source") == (4 / 15, -1.0)
    assert qparams.choose(-1.0, 3.0, 0, 15, "source")[0].dtype == np.float64


def test_channels_are_independent():
    low, high = frozen([-1.0, 0.0, 2.0, -0.5], np.float32), frozen([3.0, 0.0, 3.0, 253.5], np.float32)
    for c in checks.CHOOSERS:
        if c.scale == "both_ends" or c.zero_point == "zero":
            continue
        try:
            s, Z = qparams.choose(low, high, 0, 255, c)
        except ValueError:
            continue
        for i in range(4):
            assert qparams.choose(low[i], high[i], 0, 255, c) == (s[i], Z[i]), c


# single cases that general comparisons do not reach


@pytest.mark.parametrize("fields", [{"smallest_range": 1e-5}, {"smallest_scale": 1e-5 / 15}])
@pytest.mark.parametrize("value", [0.0, 5.5, -5.5])
def test_empty_ranges_that_are_raised(fields, value):
    c = Convention(include_zero="no", zero_range="smallest", **fields)
    s, _ = qparams.choose(value, value, 0, 15, c)
    assert float(s) == pytest.approx(1e-5 / 15, rel=2**-22)


def test_offsets_that_are_subtracted_do_not_count_twice():
    """s·q − Z for the last code is −Z + width = high: finite, though Z + width is not."""
    c = fitting(form="sq-Z", zero_point_added="subtracted")
    s, Z = qparams.choose(np.float32(-3e38), np.float32(0), 0, 255, c)
    assert (s, Z) == (np.float32(3e38) / np.float32(255), np.float32(3e38))


@pytest.mark.parametrize("zero_range", ["one", "unit_width"])
def test_a_nudged_empty_range(zero_range):
    s, Z = qparams.choose(0.0, 0.0, 0, 255, Convention(nudge="range", zero_range=zero_range))
    assert (float(s), int(Z)) == (1.0 if zero_range == "one" else float(np.float32(1) / np.float32(255)), 0)


@pytest.mark.parametrize("pair", [(-1.0, 3.0), (-0.7, 0.1), (0.0, 1.0), (-5.0, 0.0)])
def test_what_is_chosen_can_be_used(pair):
    """quantize takes what choose gives, in every convention."""
    for c in checks.CHOOSERS:
        if c.scale == "signed" or c.narrow != "no" or c.zero_range == "tenth" or c.include_zero != "yes":
            continue
        s, Z = qparams.choose(*pair, -8, 7, c)
        x = frozen([pair[0], 0.0, pair[1]], np.float32)
        if c.compute_dtype == "float32":
            q = affine.quantize(x, s, Z, -8, 7, c)
            assert q.shape == (3,), c


# error paths


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(dtype, bad):
    c = Convention(compute_dtype="input", range_dtype="input")
    for low, high, name in ((bad, 1.0, "low"), (0.0, bad, "high")):
        with pytest.raises(ValueError, match=rf"^{name} must be finite, got"):
            qparams.choose(dtype(low), dtype(high), 0, 255, c)
        with pytest.raises(ValueError, match=rf"^{name} must be finite, got .* at index \(1,\)"):
            qparams.choose(frozen([0, low], dtype), frozen([1, high], dtype), 0, 255, c)


def test_ends_exchanged():
    with pytest.raises(ValueError, match=r"^low must not exceed high, got low = 1\.0 and high = 0\.0"):
        qparams.choose(1.0, 0.0, 0, 255, "onnx")
    with pytest.raises(ValueError, match=r"low must not exceed high, got low = 2\.0 and high = 1\.0"):
        qparams.choose(frozen([0, 2], np.float32), frozen([1, 1], np.float32), 0, 255, "onnx")


def test_shapes_differ():
    for low, high in ((np.zeros(2), np.ones(3)), (np.zeros(2), np.ones((1, 2))), (np.zeros(()), np.ones(1))):
        with pytest.raises(ValueError, match=r"^high must have shape"):
            qparams.choose(low.astype(np.float32), high.astype(np.float32), 0, 255, "onnx")


@pytest.mark.parametrize("wrong", [np.float16, np.int32, bool, np.complex64])
def test_wrong_types(wrong):
    one = np.ones(2, np.float32)
    for low, high, name in ((np.ones(2, wrong), one, "low"), (one, np.ones(2, wrong), "high")):
        with pytest.raises(TypeError, match=rf"^{name} must be float32 or float64, got {np.dtype(wrong).name}"):
            qparams.choose(low, high, 0, 255, "onnx")
    for bad in (True, "1", None, 1j):
        with pytest.raises(TypeError, match=r"^low must be"):
            qparams.choose(bad, 2.0, 0, 255, "onnx")


def test_float64_where_float32_is_computed():
    for low, high, name in ((np.float64(0), np.float32(1), "low"), (np.float32(0), np.float64(1), "high")):
        with pytest.raises(TypeError, match=rf"^{name} must be float32 in this convention, got float64"):
            qparams.choose(low, high, 0, 255, "onnx")
    for name in ("onnxruntime_weights", "tflite_weights_dynamic_range"):  # computed in float64
        assert qparams.choose(np.float64(-1), np.float64(1), -128, 127, name)[1] == 0


@pytest.mark.parametrize(
    ("qmin", "qmax"), [(0, 0), (5, 4), (-32769, 0), (0, 65536), (-40000, -39000), (-(2**40), 2**40)]
)
def test_codes_out_of_range(qmin, qmax):
    for call in (
        lambda: qparams.choose(0.0, 1.0, qmin, qmax, "onnx"),
        lambda: affine.quantize(np.zeros(2, np.float32), 1.0, 0, qmin, qmax, "onnx"),
        lambda: affine.fake_quantize(np.zeros(2, np.float32), 1.0, 0, qmin, qmax, "onnx"),
    ):
        with pytest.raises(ValueError, match=r"^qm(in|ax) must (be|leave)"):
            call()


@pytest.mark.parametrize("bad", [0.0, True, "0", None, np.float32(3)])
def test_codes_of_the_wrong_type(bad):
    for qmin, qmax, name in ((bad, 255, "qmin"), (0, bad, "qmax")):
        with pytest.raises(TypeError, match=rf"^{name} must be an integer, got"):
            qparams.choose(0.0, 1.0, qmin, qmax, "onnx")


def test_a_narrow_range_needs_two_codes_of_its_own():
    for narrow in ("low", "high"):
        with pytest.raises(ValueError, match="qmax must leave at least two codes"):
            qparams.choose(0.0, 1.0, 0, 1, Convention(narrow=narrow))
        assert qparams.choose(0.0, 1.0, 0, 2, Convention(narrow=narrow))[0] == 1
    assert qparams.choose(0.0, 1.0, np.int8(0), np.uint8(1), Convention())[0] == 1


def test_width_overflows():
    largest = np.finfo(np.float32).max
    for low, high in ((-largest, largest), (frozen([0, -largest], np.float32), frozen([1, largest], np.float32))):
        with pytest.raises(ValueError, match="high - low must be finite"):
            qparams.choose(low, high, 0, 255, "onnx")


def test_scale_underflows():
    unit = np.float32(1e-45)
    with pytest.raises(ValueError, match="large enough"):
        qparams.choose(np.float32(0), unit, 0, 255, "onnx")
    assert qparams.choose(np.float32(0), unit, 0, 1, "onnx") == (unit, 0)
    with pytest.raises(ValueError, match="low"):
        qparams.choose(5.0, 5.0, 0, 15, Convention(include_zero="no", zero_range="error"))


def test_a_list_is_float64():
    with pytest.raises(TypeError, match="low must be float32 in this convention, got float64"):
        qparams.choose([0.0], [1.0], 0, 255, "onnx")
    assert qparams.choose([0.0], [3.0], 0, 3, "source")[0].tolist() == [1.0]
