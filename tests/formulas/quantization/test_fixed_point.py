"""The fixed-point quantizer: its checks against the oracle, random cases, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import fixed_point
from tests.formulas.quantization.checks import fixed_point as checks
from tests.formulas.quantization.checks.common import DTYPES, RULES, exact, frozen
from tests.oracles import fixed_point as oracle


@pytest.mark.parametrize("check", checks.FIXED_POINT)
def test_property(check):
    check(fixed_point)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
    st.integers(0, 126),
    st.integers(1, 16),
    st.sampled_from(RULES),
)
def test_float64_codes_and_errors(values, fraction_bits, bits, rule):
    checks.assert_fixed(fixed_point, frozen(values, np.float64), fraction_bits, bits, rule)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=5),
    st.integers(0, 14),
    st.integers(1, 16),
    st.sampled_from(RULES),
)
def test_float32_codes_and_errors(values, fraction_bits, bits, rule):
    checks.assert_fixed(fixed_point, frozen(values, np.float32), fraction_bits, bits, rule)


@settings(deadline=None, max_examples=30)
@given(
    st.floats(-2e4, 2e4),
    st.floats(-2e4, 2e4),
    st.sampled_from([1.0, 2.0**-13, 2.0**-60, 2.0**-130]),
    st.integers(1, 16),
)
def test_largest_fraction_bits_matches_the_oracle(a, b, size, bits):
    low, high = sorted((a * size, b * size))
    expected = oracle.largest_fraction_bits(exact(low), exact(high), bits)
    if expected is None:
        with pytest.raises(ValueError, match=r"low|high"):
            fixed_point.largest_fraction_bits(low, high, bits)
    else:
        assert fixed_point.largest_fraction_bits(low, high, bits) == expected


def test_largest_fraction_bits_per_channel():
    low, high = frozen([-1.0, 0.0, -0.25]), frozen([0.9, 0.0, 0.1])
    assert np.asarray(fixed_point.largest_fraction_bits(low, high, 8)).tolist() == [7, 7, 9]


def test_largest_fraction_bits_of_float32():
    """The ends are taken as they are: 127.5 − ulp does not become a tie on the way."""
    below = np.nextafter(np.float32(127.5), np.float32(0))
    assert fixed_point.largest_fraction_bits(np.float32(0), below, 8) == 0
    with pytest.raises(ValueError, match=r"low|high"):
        fixed_point.largest_fraction_bits(np.float32(0), np.float32(127.5), 8)
    unit = np.finfo(np.float32).smallest_subnormal  # 2^−149, whose code at f = 126 is 0
    assert fixed_point.largest_fraction_bits(-unit, unit, 8) == 126
    largest = np.finfo(np.float32).max
    with pytest.raises(ValueError, match=r"low|high"):
        fixed_point.largest_fraction_bits(-largest, largest, 16)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=5),
    st.integers(0, 12),
    st.sampled_from(RULES),
    st.integers(0, 2**32 - 1),
)
def test_monotone_under_a_shared_draw(pairs, fraction_bits, rule, seed):
    pairs = np.sort(np.array(pairs), axis=1)
    smaller, larger = (
        fixed_point.quantize(
            pairs[:, i],
            fraction_bits,
            6,
            rounding=rule,
            rng=np.random.default_rng(seed) if rule == "stochastic" else None,
        )
        for i in (0, 1)
    )
    assert (smaller <= larger).all()


def test_inputs_are_not_modified():
    for dtype in DTYPES:
        w = np.linspace(-2, 2, 12, dtype=dtype).reshape(3, 4)
        f = np.array([0, 1, 2, 3])
        before = w.tobytes(), f.tobytes()
        q = fixed_point.quantize(w, f, 4)
        codes = q.tobytes()
        restored = fixed_point.dequantize(q, f, dtype=dtype)
        assert q.shape == restored.shape == w.shape
        assert not any(np.shares_memory(a, b) for a in (q, restored) for b in (w, f))
        assert (w.tobytes(), f.tobytes(), q.tobytes()) == (*before, codes)
        assert (fixed_point.quantize(w.T, 2, 4) == fixed_point.quantize(w, 2, 4).T).all()


def test_integer_types_of_fraction_bits_and_codes():
    """Small integer types do not overflow: −f of an unsigned f, 2^f of an int8 f."""
    w = frozen([2.0**-100, -(2.0**-101)])
    for integer in (np.uint8, np.int8, np.int64):
        assert fixed_point.quantize(w, frozen([101, 101], integer), 8).tolist() == [2, -1]
        assert fixed_point.dequantize(frozen([2, -1], np.int8), frozen([101, 101], integer)).tolist() == w.tolist()
    for integer in (np.int8, np.uint8, np.int16, np.int64):
        restored = fixed_point.dequantize(frozen([1, 3], integer), 1, dtype=np.float32)
        assert restored.dtype == np.float32
        assert restored.tolist() == [0.5, 1.5]


# error paths

W = frozen([0.0, 0.5, 1.0])


@pytest.mark.parametrize("bits", [0, 17, -1])
def test_bits_out_of_range(bits):
    for call in (lambda: fixed_point.quantize(W, 2, bits), lambda: fixed_point.largest_fraction_bits(-1.0, 1.0, bits)):
        with pytest.raises(ValueError, match=rf"\bbits.*\b16\b.*{bits}"):
            call()


@pytest.mark.parametrize("bits", [4.0, True, "4", None])
def test_bits_of_the_wrong_type(bits):
    for call in (lambda: fixed_point.quantize(W, 2, bits), lambda: fixed_point.largest_fraction_bits(-1.0, 1.0, bits)):
        with pytest.raises(TypeError, match=r"\bbits"):
            call()


@pytest.mark.parametrize("f", [-1, 127, np.array([0, 1, -1]), np.array([0, 127, 3])])
def test_fraction_bits_out_of_range(f):
    for call in (
        lambda: fixed_point.quantize(W, f, 4),
        lambda: fixed_point.dequantize([1, 2, 3], f),
        lambda: fixed_point.error_bound(f),
    ):
        with pytest.raises(ValueError, match=r"fraction_bits.*\b126\b"):
            call()


@pytest.mark.parametrize("f", [2.0, True, "2", None, np.ones(3), np.ones(3, bool)])
def test_fraction_bits_of_the_wrong_type(f):
    for call in (
        lambda: fixed_point.quantize(W, f, 4),
        lambda: fixed_point.dequantize([1, 2, 3], f),
        lambda: fixed_point.error_bound(f),
    ):
        with pytest.raises(TypeError, match="fraction_bits"):
            call()


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1), (1, 3), (3, 1)])
def test_fraction_bits_must_broadcast_to_the_weights(shape):
    with pytest.raises(ValueError, match="fraction_bits"):
        fixed_point.quantize(W, np.ones(shape, int), 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(bad):
    for dtype in DTYPES:
        with pytest.raises(ValueError, match=r"\bw\b"):
            fixed_point.quantize(frozen([0.5, bad], dtype), 2, 8)
    with pytest.raises(ValueError, match="low"):
        fixed_point.largest_fraction_bits(bad, 1.0, 8)
    with pytest.raises(ValueError, match="high"):
        fixed_point.largest_fraction_bits(-1.0, bad, 8)


def test_empty_weights():
    with pytest.raises(ValueError, match=r"\bw\b"):
        fixed_point.quantize(np.zeros((3, 0)), 2, 8)


def test_ends_exchanged():
    with pytest.raises(ValueError, match=r"low.*high"):
        fixed_point.largest_fraction_bits(1.0, -1.0, 8)


@pytest.mark.parametrize("w", [np.ones(3, np.float16), np.ones(3, int), [1, 2], np.ones(3, bool)])
def test_wrong_type(w):
    with pytest.raises(TypeError, match=r"\bw\b.*float32.*float64"):
        fixed_point.quantize(w, 2, 4)


@pytest.mark.parametrize("q", [np.ones(3), np.ones(3, bool), [0.5]])
def test_codes_must_be_integers(q):
    with pytest.raises(TypeError, match=r"\bq\b"):
        fixed_point.dequantize(q, 2)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, bool])
def test_wrong_dtype(dtype):
    with pytest.raises(TypeError, match="dtype"):
        fixed_point.dequantize([1, 2], 2, dtype=dtype)


@pytest.mark.parametrize("rounding", ["nearest", "HALF_EVEN", ""])
def test_unknown_rounding(rounding):
    with pytest.raises(ValueError, match="rounding"):
        fixed_point.quantize(W, 2, 4, rounding=rounding)
    with pytest.raises(ValueError, match="rounding"):
        fixed_point.error_bound(2, rounding=rounding)


def test_rng_missing_or_superfluous():
    with pytest.raises(ValueError, match="rng"):
        fixed_point.quantize(W, 2, 4, rounding="stochastic")
    for rule in RULES[:-1]:
        with pytest.raises(ValueError, match="rng"):
            fixed_point.quantize(W, 2, 4, rounding=rule, rng=np.random.default_rng(0))
