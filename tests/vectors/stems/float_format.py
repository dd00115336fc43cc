"""Vectors of the small floats: formats by their names, which without an ending saturate; with "-nan" they do not."""

import math
from fractions import Fraction

import numpy as np

from tests.oracles import float_format as oracle
from tests.oracles.rounding import to_integer
from tests.vectors.specification import Function, Mutant, Stem

NAMES = tuple(oracle.LAYOUTS)
NO_NAN = tuple(name for name in NAMES if oracle.LAYOUTS[name].quiet is None)
# Formats that are cast to by one policy alone have only that.
SATURATE = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", *NO_NAN)
CONVENTIONS = (*SATURATE, *(f"{name}-nan" for name in NAMES if name not in NO_NAN))


def layout(convention):
    """The format, its name and the policy."""
    name, _, ending = convention.partition("-")
    return oracle.LAYOUTS[name], name, ending or "saturate"


def is_scale(convention):
    return layout(convention)[0].zeros == 0


def is_ieee(convention):
    return layout(convention)[0].infinity is not None


def is_fnuz(convention):
    return layout(convention)[0].zeros == 1


def saturates(convention):
    return layout(convention)[2] == "saturate"


def signed(convention):
    return not is_scale(convention)


def has_negative_zero(convention):
    return layout(convention)[0].zeros == 2


def has_nan(convention):
    return layout(convention)[0].quiet is not None


def code_type(name):
    return np.uint8 if oracle.bits(name) <= 8 else np.uint16


# encode


def numbers(convention):
    """What is rounded: ties, their neighbours and a carry; what is large; what is small; NaN."""
    form, name, _ = layout(convention)
    u, steps = 2.0**-form.mantissa, [float(step) for step in oracle.ladder(name)]
    largest, beyond = steps[-2], steps[-1]
    if is_scale(convention):
        yield [1, 1.5, 3, 1.5 - 2.0**-20, 2.75, 0.3]
        yield [2.0**127, 1.25 * 2.0**127, 1.75 * 2.0**127, math.inf]
        yield [0, -0.0]
        yield [-1, -math.inf]
    else:
        yield [1 + u / 2, 1 + 3 * u / 2, 1 + u / 2 + 2.0**-20, -1 - 0.6 * u, 2 - u / 4]
        yield [steps[1], steps[3 if form.mantissa > 1 else 1] - steps[1] / 4, 0, -0.0, -steps[1] / 4]
        near = largest + (beyond - largest) / 4
        yield [largest, -largest, *([near] if near < 2.0**128 else []), min(1.75 * beyond, 2.0**128 * (1 - 2.0**-24))]
        yield [math.inf, -math.inf]
    if has_nan(convention):
        yield [math.nan]


def encode_candidates(convention):
    for values in numbers(convention):
        x = np.array(values, np.float32)
        assert is_scale(convention) or len(values) == len(np.unique(x[x != 0])) + int((x == 0).sum())
        yield {"x": x}


def encoded(one):
    """All codes of x by a function of one number, the format's name and the policy."""

    def answer(convention, x):
        _, name, overflow = layout(convention)
        return {"codes": np.array([one(float(v), name, overflow) for v in x], code_type(name))}

    return answer


def rounded(rule):
    return encoded(lambda v, name, overflow: oracle.encode(v, name, overflow, rule))


def parts(v, name):
    """The sign bit, the size's significand in units of its last place, and its exponent from 1, without upper end."""
    form = oracle.LAYOUTS[name]
    sign = math.copysign(1, v) < 0
    size = Fraction(2) ** 128 if math.isinf(v) else Fraction(abs(v))
    E = max(oracle.floor_log2(size), 1 - form.bias) if size else 1 - form.bias
    return sign << form.exponent + form.mantissa, size / Fraction(2) ** (E - form.mantissa), E + form.bias


def is_number(v, name):
    return not math.isnan(v) and (oracle.LAYOUTS[name].zeros > 0 or v > 0)


def magnitude(code, name):
    form = oracle.LAYOUTS[name]
    return code & (2 ** (form.exponent + form.mantissa) - 1)


def changed(change):
    """A code is changed after it is right, where it is a number's."""

    def one(v, name, overflow):
        code = oracle.encode(v, name, overflow)
        return change(v, code, name, overflow) if is_number(v, name) else code

    return encoded(one)


def without_subnormals(v, code, name, overflow):
    form = oracle.LAYOUTS[name]
    size = magnitude(code, name)
    return code - size * (0 < size < 2**form.mantissa and form.zeros > 0)


def subnormals_of_the_exponent_below(v, code, name, overflow):
    """The last place is half as large below the smallest normal number."""
    sign, significand, X = parts(v, name)
    if X == 1 and significand < 2 ** oracle.LAYOUTS[name].mantissa:
        size = to_integer(2 * significand, "half_even")
        return sign + size if size or oracle.LAYOUTS[name].zeros == 2 else 0
    return code


def no_carry(v, code, name, overflow):
    m = oracle.LAYOUTS[name].mantissa
    sign, significand, X = parts(v, name)
    if to_integer(significand, "half_even") == 2 ** (m + 1) and code != oracle.encode(math.inf, name, overflow):
        return sign + (X << m)
    return code


def unlimited(v, name):
    """The sign bit, and the size's code if the exponent had no upper end."""
    sign, significand, X = parts(v, name)
    return sign, to_integer(significand, "half_even") + (X - 1 << oracle.LAYOUTS[name].mantissa)


def wrapped(v, code, name, overflow):
    sign, size = unlimited(v, name)
    return sign + magnitude(size, name)


def too_large_before_rounding(v, code, name, overflow):
    too_large = abs(v) > oracle.ladder(name)[-2]
    return oracle.encode(math.copysign(math.inf, v), name, overflow) if too_large else code


def infinity_not_saturated(v, code, name, overflow):
    return oracle.encode(v, name, "nan") if math.isinf(v) else code


def top_exponent_lost(v, code, name, overflow):
    """The exponent of all ones is taken for infinity's and NaN's."""
    form = oracle.LAYOUTS[name]
    size, limit = magnitude(code, name), ((2**form.exponent - 1) << form.mantissa) - 1
    if size <= limit:
        return code
    return code - size + limit if overflow == "saturate" else oracle.encode(math.copysign(math.inf, v), name, overflow)


def all_ones_is_largest(v, code, name, overflow):
    sign, size = unlimited(v, name)
    return sign + min(size, magnitude(-1, name))


def through_float16(v, name, overflow):
    half = oracle.decode(oracle.encode(v, "float16", "nan"), "float16")
    return oracle.encode(float(half), name, overflow)


def nan_instead(find):
    return encoded(lambda v, name, o: find(name) if math.isnan(v) else oracle.encode(v, name, o))


def tie_to_even_code(v, name, overflow):
    fraction, exponent = math.frexp(v)
    lower = exponent - 1 + oracle.LAYOUTS[name].bias
    return lower + lower % 2 if fraction == 0.75 else oracle.encode(v, name, overflow)


def scale_of_magnitude(v, name, overflow):
    return oracle.encode(abs(v), name, overflow) if v < 0 else oracle.encode(v, name, overflow)


def times(factor):
    return encoded(lambda v, name, overflow: oracle.encode(factor * v, name, overflow))


def other_policy(v, name, overflow):
    return oracle.encode(v, name, "nan" if overflow == "saturate" else "saturate")


def no_negative_zero(v, code, name, overflow):
    return code if magnitude(code, name) else 0


def negative_zero_is_nan(v, code, name, overflow):
    return code or oracle.LAYOUTS[name].quiet * (math.copysign(1, v) < 0)


def zero_is_code_0(v, name, overflow):
    return oracle.encode(v, name, overflow) if v else 0


def said_of_nan():
    """The code that NaN becomes in every format that has one."""
    with_sign, without = {}, {}
    for name, form in oracle.LAYOUTS.items():
        if form.quiet is not None:
            (with_sign if form.zeros == 2 else without).setdefault(f"0x{form.quiet:x}", []).append(name)
    of_both = (
        ", ".join(f"{code} in {' '.join(names)}" for code, names in found.items()) for found in (with_sign, without)
    )
    return "; without its sign ".join(of_both)


NANS = f"NaN is, with its sign, {said_of_nan()}"
ENCODE = Function(
    summary="codes of the nearest values in a small float format, ties to even; what is too large, infinity too, "
    "becomes the largest, or with -nan infinity, or NaN where there is none, with x's sign; "
    "0 and below is NaN in float8_e8m0fnu, whose tie goes to the larger power of two",
    parameters={"x": "(n,) float32 array"},
    returns={"codes": f"(n,) array of codes in the low bits: uint8, or uint16 for formats of 16 bits; {NANS}"},
    candidates=encode_candidates,
    expected=rounded("half_even"),
    mutants={
        # e8m0 has one significand, and its ties go to the larger power of two
        "ties: away from zero": Mutant("a tie takes the larger magnitude", rounded("half_away"), signed),
        "ties: toward zero": Mutant("a tie takes the smaller magnitude", rounded("half_toward_zero")),
        "truncation": Mutant("rounds to the smaller magnitude", rounded("toward_zero")),
        "rounded up": Mutant("rounds to the larger magnitude", rounded("away"), is_scale),
        "ties: to the even code": Mutant(
            "a tie between powers of two takes the even code, not the larger power", encoded(tie_to_even_code), is_scale
        ),
        "double rounding: through float16": Mutant(
            "rounds to float16 first",
            encoded(through_float16),
            lambda convention: oracle.bits(layout(convention)[1]) <= 8,
        ),
        "no carry": Mutant(
            "a significand that rounds up to 2 becomes 1 with the same exponent", changed(no_carry), signed
        ),
        "bias: one more": Mutant("the exponent's bias is too large by one", times(2)),
        "bias: one less": Mutant("the exponent's bias is too small by one", times(0.5)),
        "subnormals flushed": Mutant(
            "what is below the smallest normal number becomes zero", changed(without_subnormals), signed
        ),
        "subnormals: exponent one less": Mutant(
            "subnormal numbers have the exponent −bias, not 1 − bias", changed(subnormals_of_the_exponent_below), signed
        ),
        "overflow: the other policy": Mutant(
            "saturates where it must not, or does not where it must", encoded(other_policy), has_nan
        ),
        "overflow: wraps": Mutant(
            "the exponent's bits that do not fit are lost",
            changed(wrapped),
            lambda convention: layout(convention)[0].exponent < 8,  # no float32 exceeds 8 bits
        ),
        "overflow: before rounding": Mutant(
            "above the largest value all is too large, also what rounds to it",
            changed(too_large_before_rounding),
            lambda convention: not saturates(convention),
        ),
        "overflow: infinity stays": Mutant(
            "infinity does not saturate",
            changed(infinity_not_saturated),
            lambda convention: saturates(convention) and has_nan(convention),
        ),
        "largest: the top exponent lost": Mutant(
            "the exponent of all ones is left to infinity and NaN, as in IEEE 754",
            changed(top_exponent_lost),
            lambda convention: signed(convention) and not is_ieee(convention),
        ),
        "largest: all ones": Mutant(
            "saturates to the code of all ones, which is NaN's",
            changed(all_ones_is_largest),
            lambda convention: saturates(convention) and has_nan(convention) and not is_fnuz(convention),
        ),
        "NaN: the largest": Mutant("NaN becomes the largest value", nan_instead(oracle.largest), has_nan),
        "NaN: all ones": Mutant(
            "NaN becomes the code of all ones but for the sign",
            nan_instead(lambda name: magnitude(-1, name)),
            lambda convention: is_ieee(convention) or is_fnuz(convention),
        ),
        "sign dropped": Mutant(
            "the magnitude's code", encoded(lambda v, name, o: oracle.encode(abs(v), name, o)), signed
        ),
        "zero: no sign": Mutant("−0, and what rounds to it, becomes 0", changed(no_negative_zero), has_negative_zero),
        "zero: NaN": Mutant(
            "−0 becomes the sign bit alone, which is NaN's code", changed(negative_zero_is_nan), is_fnuz
        ),
        "zero: the smallest": Mutant("0 becomes the smallest power of two", encoded(zero_is_code_0), is_scale),
        "negative: magnitude": Mutant("a negative number becomes its magnitude", encoded(scale_of_magnitude), is_scale),
    },
    provenance="tests/oracles/float_format.py, fractions; the value of every code",
    conventions=tuple((convention,) for convention in CONVENTIONS),
)


# decode


def decode_candidates(name):
    """Near one, the ends of the subnormal and the normal numbers, a negative; zeros; infinity and NaN."""
    form = oracle.LAYOUTS[name]
    one, sign = form.bias << form.mantissa, 1 << oracle.bits(name) - 1
    if form.zeros == 0:
        codes = [one, 1, 0, oracle.largest(name)]
        yield {"codes": np.array(codes, code_type(name))}
        yield {"codes": np.array([form.quiet], code_type(name))}
        return
    codes = [one + 1, 1, 2**form.mantissa, oracle.largest(name), sign + one, sign + 2**form.mantissa - 1]
    yield {"codes": np.array(codes, code_type(name))}
    yield {"codes": np.array([0, *([sign] if form.zeros == 2 else [])], code_type(name))}
    if form.infinity is not None:
        yield {"codes": np.array([form.infinity, sign + form.infinity, form.infinity + 1], code_type(name))}
    if form.nan:
        yield {"codes": np.array(sorted({min(form.nan), max(form.nan)}), code_type(name))}


def decoded(one):
    """All values of the codes by a function of one code and the format's name."""

    def answer(name, codes):
        with np.errstate(over="ignore"):
            return {"x": np.array([float(one(int(code), name)) for code in codes], np.float32)}

    return answer


def finite(change):
    """A value is changed after it is right, where it is a number."""

    def one(code, name):
        value = oracle.decode(code, name)
        return change(value, code, name) if math.isfinite(value) else value

    return decoded(one)


def as_number(code, name):
    """The fields' value, whatever the code means."""
    form = oracle.LAYOUTS[name]
    rest, M = divmod(code, 2**form.mantissa)
    sign, X = divmod(rest, 2**form.exponent)
    if X or form.zeros == 0:
        M += 2**form.mantissa
    size = math.ldexp(M, (max(X, 1) if form.zeros else X) - form.bias - form.mantissa)
    size = size if size < 2.0**128 else math.inf
    return -size if sign else size


def subnormal(code, name):
    form = oracle.LAYOUTS[name]
    return form.zeros > 0 and magnitude(code, name) < 2**form.mantissa


def as_ieee(value, code, name):
    """The exponent of all ones is infinity's and NaN's."""
    form = oracle.LAYOUTS[name]
    top = (2**form.exponent - 1) << form.mantissa
    if magnitude(code, name) < top:
        return value
    return math.copysign(math.inf, value) if magnitude(code, name) == top else math.nan


def multiplied(factor):
    return finite(lambda value, code, name: math.copysign(float(value) * factor, value))


def subnormals_multiplied(factor):
    return finite(
        lambda value, code, name: math.copysign(float(value) * (factor if subnormal(code, name) else 1), value)
    )


def hidden_bit(value, code, name):
    form = oracle.LAYOUTS[name]
    if not subnormal(code, name):
        return value
    return math.copysign(math.ldexp(magnitude(code, name) + 2**form.mantissa, -form.bias - form.mantissa), value)


DECODE = Function(
    summary="values of the codes of a small float format",
    parameters={"codes": "(n,) uint8 array, or uint16 for formats of 16 bits"},
    returns={"x": "(n,) float32 array"},
    candidates=decode_candidates,
    expected=decoded(oracle.decode),
    mutants={
        "bias: one more": Mutant("the exponent's bias is too large by one", multiplied(0.5)),
        "bias: one less": Mutant("the exponent's bias is too small by one", multiplied(2)),
        "subnormals flushed": Mutant("subnormal numbers are zero", subnormals_multiplied(0), signed),
        "subnormals: exponent one less": Mutant(
            "subnormal numbers have the exponent −bias, not 1 − bias", subnormals_multiplied(0.5), signed
        ),
        "subnormals: hidden bit": Mutant(
            "a one is put before every mantissa, also where the exponent's bits are 0", finite(hidden_bit), signed
        ),
        "specials: as in IEEE 754": Mutant(
            "the exponent of all ones is infinity and NaN",
            finite(as_ieee),
            lambda name: signed(name) and not is_ieee(name),
        ),
        "specials: none": Mutant("infinity and NaN are read as numbers", decoded(as_number), has_nan),
        "sign dropped": Mutant("the sign bit is not read", finite(lambda value, code, name: abs(value)), signed),
        "zero: no sign": Mutant("−0 becomes 0", finite(lambda value, code, name: value or 0), has_negative_zero),
        "code 0: zero": Mutant(
            "code 0 is 0, not the smallest power of two",
            finite(lambda value, code, name: value if code else 0),
            is_scale,
        ),
    },
    provenance="tests/oracles/float_format.py, fractions",
    conventions=tuple((name,) for name in NAMES),
)

STEM = Stem({"encode": ENCODE, "decode": DECODE})
