"""Small floats: their properties, random numbers against the oracle, and the error paths."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import float_format
from tests.formulas.quantization.formats import properties
from tests.formulas.quantization.formats.properties import NAMES, NO_NAN, ROUNDINGS, frozen, policies
from tests.oracles import float_format as oracle
from tests.oracles.rounding import to_format


@pytest.mark.parametrize("check", properties.FLOAT)
def test_property(check):
    check(float_format)


def assert_encodes(x, name, overflow, rounding):
    got = float_format.encode(x, name, overflow, rounding=rounding)
    expected = [oracle.encode(value, name, overflow, rounding) for value in x.tolist()]
    properties.same_codes(got, expected, properties.code_type(name))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(width=32), min_size=1, max_size=5), st.sampled_from(ROUNDINGS))
def test_any_float32(values, rounding):
    for name in NAMES:
        x = frozen([0.0 if math.isnan(v) and name in NO_NAN else v for v in values], np.float32)
        for overflow in policies(name):
            assert_encodes(x, name, overflow, rounding)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.integers(-140, 130)), min_size=1, max_size=5), st.sampled_from(ROUNDINGS)
)
def test_float64_of_every_size(pairs, rounding):
    x = frozen([math.ldexp(*pair) for pair in pairs])
    for name in NAMES:
        for overflow in policies(name):
            assert_encodes(x, name, overflow, rounding)


@settings(deadline=None, max_examples=60)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(-160, 128))
def test_the_oracle_is_ieee_754(value, exponent):
    """Its float16 is the one of the rounding oracle, and its bfloat16 float32's upper half."""
    for x in (value, math.ldexp(math.frexp(value)[0], exponent)):
        half = oracle.decode(oracle.encode(x, "float16", "nan"), "float16")
        assert float(half) == float(to_format(Fraction(x), "float16"))
    bits = np.array([x]).astype(np.float32).view(np.uint32)[0]
    assert oracle.encode(float(bits.view(np.float32)), "bfloat16", "nan", "toward_zero") == bits >> 16


def test_the_formats_are_those_of_the_oracle():
    assert tuple(float_format.FORMATS) == NAMES
    assert float_format.ROUNDINGS == ROUNDINGS
    for name, form in float_format.FORMATS.items():
        layout = oracle.LAYOUTS[name]
        assert (form.signed, form.exponent_bits, form.mantissa_bits, form.bias) == layout[:4]
        assert form.infinity == (layout.infinity is not None)
        assert form.bits == oracle.bits(name)
        assert form.largest == oracle.largest(name)


def test_defaults():
    """Half to even, and what is too large becomes the largest."""
    x = frozen([1.0625, 1.1875, 1e9, -np.inf])
    for name in NAMES[:7]:
        codes = float_format.encode(x, name)
        assert (codes == float_format.encode(x, name, "saturate", rounding="half_even")).all()
        assert (codes == float_format.encode(x, name, overflow="saturate")).all()
    assert float_format.encode(x, "float8_e4m3fn").tolist() == [0x38, 0x3A, 0x7E, 0xFE]


def test_lists_and_all_integer_types():
    assert float_format.encode([1.0, -2.5], "float4_e2m1fn").tolist() == [2, 12]
    assert float_format.decode([2, 12], "float4_e2m1fn").tolist() == [1, -2]
    assert float_format.decode([], "float16").shape == (0,)
    for integer in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64):
        for codes in (frozen([0, 127, 56], integer), frozen(np.tile([0, 127, 56], 100), integer)):
            with np.errstate(invalid="raise"):
                values = float_format.decode(codes, "float8_e5m2")
            assert values[:3].tolist()[::2] == [0, 0.5]
            assert np.isnan(values[1])


def test_signalling_nan_and_payloads():
    """Every NaN is the format's one, and NumPy does not warn."""
    patterns = np.array([0x7F800001, 0x7FFFFFFF, 0x7FC00001, 0x7FA00000], np.uint32)
    wide = np.array([0x7FF0000000000001, 0x7FF8000000000001, 0x7FFFFFFFFFFFFFFF], np.uint64)
    for name, (positive, negative) in properties.NANS.items():
        for x in (patterns.view(np.float32), wide.view(np.float64)):
            assert (float_format.encode(x, name) == positive).all()
        sign = (patterns | np.uint32(1 << 31)).view(np.float32)
        assert (float_format.encode(sign, name) == negative).all()


def test_inputs_are_not_modified():
    for dtype in (np.float32, np.float64):
        x = np.array([[np.nan, np.inf, -0.0], [1e9, -1e-9, 1.7]], dtype)
        before = x.tobytes()
        for name in properties.NANS:
            codes = float_format.encode(x, name)
            saved = codes.tobytes()
            values = float_format.decode(codes, name)
            assert not np.shares_memory(codes, x)
            assert not np.shares_memory(values, codes)
            assert (x.tobytes(), codes.tobytes()) == (before, saved)


def test_wrong_arguments_of_encode():
    one = frozen([1.0])
    for x in (frozen([1.0], np.float16), frozen([1]), frozen([True]), frozen([1j])):
        with pytest.raises(TypeError, match=f"x must be float32 or float64, got {x.dtype}"):
            float_format.encode(x, "float16")
    for name in ("fp8", "", None, "float8_e4m3fn "):
        with pytest.raises(ValueError, match=f"name must be one of float8_e4m3fn, .*, float16, got {name!r}"):
            float_format.encode(one, name)
    with pytest.raises(ValueError, match="overflow must be one of saturate, nan, got 'wrap'"):
        float_format.encode(one, "float16", "wrap")
    with pytest.raises(ValueError, match=r"rounding must be one of half_even, .*, toward_zero, got 'half_up'"):
        float_format.encode(one, "float16", rounding="half_up")
    for name in NO_NAN:
        for x in (one, one[:0]):
            with pytest.raises(ValueError, match=f"overflow must be saturate for {name}, which has neither"):
                float_format.encode(x, name, "nan")
        for nan in (np.nan, -np.nan):
            for dtype in (np.float32, np.float64):
                with pytest.raises(ValueError, match="x must not hold what the format cannot express, got nan"):
                    float_format.encode(frozen([1.0, nan], dtype), name)


def test_wrong_arguments_of_decode():
    for codes in (frozen([1.0]), frozen([True])):
        with pytest.raises(TypeError, match=f"codes must be an integer array, got {codes.dtype}"):
            float_format.decode(codes, "float16")
    with pytest.raises(ValueError, match=r"name must be one of .*, got 'float32'"):
        float_format.decode([0], "float32")
    for name in NAMES:
        top = 2 ** oracle.bits(name) - 1
        assert float_format.decode([top], name).shape == (1,)
        for codes in ([0, top + 1], [-1, 0], [2**40]):
            span = f"{min(codes)} to {max(codes)}"
            with pytest.raises(ValueError, match=f"codes must be from 0 to {top} for {name}, got {span}"):
                float_format.decode(codes, name)
    with pytest.raises(ValueError, match="codes must be from 0 to 65535"):
        float_format.decode(frozen([2**64 - 1], np.uint64), "float16")
