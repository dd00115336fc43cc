"""Small floats: their checks against the oracle, random numbers, and the error paths."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import float_format
from refcompress.formulas.quantization.float_format import Format
from tests.formulas.quantization.formats.checks import float_format as checks
from tests.formulas.quantization.formats.checks.common import frozen, same_codes, same_floats
from tests.formulas.quantization.formats.checks.float_format import NAMES, NO_NAN, ROUNDINGS, policies
from tests.oracles import float_format as oracle
from tests.oracles.rounding import to_format


@pytest.mark.parametrize("check", checks.FLOAT)
def test_property(check):
    check(float_format)


OWN = {
    "e2m1": Format(2, 1, 1, False, "none"),
    "e1m2, bias 1": Format(1, 2, 1, False, "none"),
    "e3m0, bias 3": Format(3, 0, 3, False, "none"),
    "e4m0, all ones": Format(4, 0, 7, False, "all_ones"),
    "e1m3, ieee": Format(1, 3, 0, True, "ieee"),
    "e5m3, ieee": Format(5, 3, 15, True, "ieee"),
    "e3m3, fnuz, bias −90": Format(3, 3, -90, False, "negative_zero"),
    "e4m3, bias 127": Format(4, 3, 127, False, "none"),
    "e8m1, ieee": Format(8, 1, 127, True, "ieee"),
    "ue4m3": Format(4, 3, 7, False, "all_ones", signed=False),
    "ue5m3": Format(5, 3, 15, False, "all_ones", signed=False),
    "ue4m3, ieee": Format(4, 3, 7, True, "ieee", signed=False),
    "ue3m1": Format(3, 1, 3, False, "all_ones", signed=False),
    "ue5m0": Format(5, 0, 15, False, "all_ones", signed=False),
}


class Own:
    """The package, given formats of one's own by their names in the oracle."""

    def __init__(self, change=lambda form: form):
        self.change = change

    def encode(self, x, name, overflow="saturate", *, rounding="half_even"):
        return float_format.encode(x, self.change(OWN[name]), overflow, rounding=rounding)

    def decode(self, codes, name):
        return float_format.decode(codes, self.change(OWN[name]))


def test_formats_without_a_name():
    """Every value, midpoint and neighbour of both dtypes, under every rule; and every code."""
    assert OWN.keys() == oracle.OWN.keys()
    checks.float_points(Own(), tuple(OWN))
    for name, form in OWN.items():
        assert (form.bits, form.largest) == (oracle.bits(name), oracle.largest(name))
        codes = np.arange(1 << form.bits)
        expected = frozen([float(oracle.decode(code, name)) for code in codes.tolist()], np.float32)
        same_floats(float_format.decode(codes, form), expected)
        if form.nan != "none":
            assert_encodes(frozen([np.nan, -np.nan]), name, "nan", "half_even", form)


def test_errors_in_formats_without_a_name_are_seen():
    for change in (
        lambda form: form._replace(bias=form.bias - 1),
        lambda form: form._replace(signed=True),
        lambda form: form._replace(mantissa_bits=form.mantissa_bits + 1),
    ):
        with pytest.raises(AssertionError):
            checks.float_points(Own(change), ("ue4m3",))


def test_a_format_is_what_its_name_says():
    for name in NAMES:
        form = float_format.FORMATS[name]
        codes = np.arange(1 << form.bits)
        values = float_format.decode(codes, name)
        same_floats(float_format.decode(codes, form), values)
        number = values[np.isfinite(values)]
        assert (float_format.encode(number, form) == float_format.encode(number, name)).all()


def test_block_scales_by_hand():
    """UE4M3 and UE5M3: zero, the smallest subnormal and normal number, one, the largest, and what is none of them."""
    x = frozen([0.0, -0.0, 2.0**-9, 2.0**-6, 1.0, 448.0, 449.0, 1e9, np.inf, -1e-30, -1.0, -np.inf, np.nan])
    codes = [0, 0, 1, 8, 0x38, 0x7E, 0x7E, 0x7E, 0x7E, 0x7F, 0x7F, 0x7F, 0x7F]
    same_codes(float_format.encode(x, OWN["ue4m3"]), codes, np.uint8)
    codes[7:9] = [0x7F, 0x7F]
    same_codes(float_format.encode(x, OWN["ue4m3"], "nan"), codes, np.uint8)
    x = frozen([2.0**-17, 2.0**-14, 1.0, 114688.0, -1.0], np.float32)  # 1.75 · 2^16
    same_codes(float_format.encode(x, OWN["ue5m3"]), [1, 8, 0x78, 0xFE, 0xFF], np.uint8)
    same_floats(float_format.decode([1, 8, 0x78, 0xFE], OWN["ue5m3"]), x[:4])


def test_fields_of_narrow_integers():
    form = Format(np.uint8(5), np.uint8(3), np.int8(15), True, "ieee")
    assert float_format.encode(frozen([1.0, -np.inf]), form, "nan").tolist() == [0x78, 0x1F8]
    assert float_format.decode([0x78, 0x1F8], form).tolist() == [1, -np.inf]


def test_formats_cannot_be_changed():
    with pytest.raises(TypeError, match="item assignment"):
        float_format.FORMATS["float16"] = float_format.FORMATS["bfloat16"]


NOT_FORMATS = [
    (ValueError, "name must be one of float8_e4m3fn, .*", (4, 3, 7, False, "none")),
    (TypeError, "exponent_bits must be an integer, got 4.0", Format(4.0, 3, 7, False, "none")),
    (ValueError, "exponent_bits must be at least 1, got 0", Format(0, 3, 7, False, "none")),
    (ValueError, "mantissa_bits must be at least 0, got -1", Format(4, -1, 7, False, "none")),
    (ValueError, "name must be a format of at most 16 bits, got 17", Format(6, 10, 31, True, "ieee")),
    (TypeError, "infinity must be True or False, got 0", Format(4, 3, 7, 0, "none")),
    (TypeError, "signed must be True or False, got 1", Format(4, 3, 7, False, "none", 1)),
    (ValueError, "nan must be one of ieee, .*, none, got 'fn'", Format(4, 3, 7, False, "fn")),
    (ValueError, "infinity must come with nan ieee", Format(4, 3, 7, True, "all_ones")),
    (ValueError, "infinity must come with nan ieee", Format(4, 3, 7, False, "ieee")),
    (ValueError, "infinity must come with nan ieee and a mantissa", Format(4, 0, 7, True, "ieee")),
    (ValueError, "nan must not be negative_zero in a format without", Format(4, 3, 7, False, "negative_zero", False)),
    (ValueError, "nan must be all_ones in a format with neither", Format(4, 0, 7, False, "none", False)),
    (ValueError, "name must be a format with more than one number", Format(1, 0, 1, False, "all_ones")),
    (ValueError, "bias must be from -112 to 127, got 128", Format(4, 3, 128, False, "none")),
    (ValueError, "bias must be from -112 to 127, got -113", Format(4, 3, -113, False, "none")),
    (ValueError, "bias must be from 128 to 127, got 127", Format(8, 3, 127, False, "none")),
    (TypeError, "bias must be an integer, got None", Format(4, 3, None, False, "none")),
]


@pytest.mark.parametrize(("error", "message", "form"), NOT_FORMATS)
def test_what_is_no_format(error, message, form):
    with pytest.raises(error, match=message):
        float_format.encode(frozen([1.0]), form)
    with pytest.raises(error, match=message):
        float_format.decode([0], form)


def test_what_a_format_without_a_name_refuses():
    unsigned = Format(4, 3, 7, False, "none", signed=False)
    assert float_format.encode(frozen([0.0, -0.0, 1.0, 1e9]), unsigned).tolist() == [0, 0, 0x38, 0x7F]
    for value in (-1.0, -np.inf, np.nan):
        with pytest.raises(ValueError, match=f"x must not hold what the format cannot express, got {value}"):
            float_format.encode(frozen([1.0, value]), unsigned)
    with pytest.raises(ValueError, match=r"overflow must be saturate for Format\(exponent_bits=4, .*, which has"):
        float_format.encode(frozen([1.0]), unsigned, "nan")
    with pytest.raises(ValueError, match=r"codes must be from 0 to 127 for Format\(.*, got 128 to 128"):
        float_format.decode([128], unsigned)


def assert_encodes(x, name, overflow, rounding, form=None):
    got = float_format.encode(x, form or name, overflow, rounding=rounding)
    expected = [oracle.encode(value, name, overflow, rounding) for value in x.tolist()]
    same_codes(got, expected, checks.code_type(name))


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
    for name, (positive, negative) in checks.NANS.items():
        for x in (patterns.view(np.float32), wide.view(np.float64)):
            assert (float_format.encode(x, name) == positive).all()
        sign = (patterns | np.uint32(1 << 31)).view(np.float32)
        assert (float_format.encode(sign, name) == negative).all()


def test_inputs_are_not_modified():
    for dtype in (np.float32, np.float64):
        x = np.array([[np.nan, np.inf, -0.0], [1e9, -1e-9, 1.7]], dtype)
        before = x.tobytes()
        for name in checks.NANS:
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
    with pytest.raises(ValueError, match=r"rounding must be one of half_even, .*, away, got 'half_up'"):
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
