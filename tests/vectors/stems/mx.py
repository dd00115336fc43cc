"""Vectors of MX blocks: float4_e2m1fn by all rules of the exponent, float8_e4m3fn by most, two more by floor."""

import math
from fractions import Fraction

import numpy as np

from tests.oracles import float_format
from tests.oracles import mx as oracle
from tests.oracles.rounding import to_integer
from tests.vectors.specification import Function, Mutant, Stem

BLOCK = 32
FLOAT4 = "float4_e2m1fn"  # its mantissa has one bit: even and even_one_bit are the same
CONVENTIONS = (
    *((f"{FLOAT4}-{rule}",) for rule in ("floor", "ceil")),
    (f"{FLOAT4}-even", f"{FLOAT4}-even_one_bit"),
    (f"{FLOAT4}-rceil",),
    *((f"float8_e4m3fn-{rule}",) for rule in oracle.RULES if rule != "ceil"),
    ("float8_e5m2-floor",),
    ("int8-floor",),
)


def parts(convention):
    """The element and the rule."""
    return tuple(convention.split("-"))


def is_int8(convention):
    return convention.startswith("int8")


def is_float(convention):
    return not is_int8(convention)


def after(x):
    return float(np.nextafter(np.float32(x), np.float32(np.inf)))


def before(x):
    return float(np.nextafter(np.float32(x), np.float32(0)))


def long_row(values):
    """A row of 33 numbers, zeros but for these."""
    row = np.zeros((1, 33))
    for place, value in values.items():
        row[0, place] = value
    return row


def inputs(x):
    return {"x": np.array(x, np.float32)}


def quantize_candidates(convention):
    element, rule = parts(convention)
    largest, m = oracle.ELEMENTS[element]
    power = 2.0 ** float_format.floor_log2(largest)
    top, ulp = float(largest), 2.0**-m
    # with an amax of this power of two every rule has X = 1
    yield inputs([[power, 1 + ulp / 2, -1 - 3 * ulp / 2], [-8 * power, power, 0]])
    yield inputs([[0, 0], [2.0**-127 * power, -0.0]])
    tie = power * (2 - ulp / 2)
    borders = [1.5 * power, 1.75 * power, top, after(top), tie, before(tie)]
    logarithm = {"floor": -before(2048 * power), "ceil": after(1024 * power), "rceil": after(1024 * top)}
    yield inputs([[a] for a in dict.fromkeys([*borders, logarithm.get(rule, top)])])
    yield inputs(long_row({0: 0.25, 20: 1, 32: 4}))


def answers(codes, scales, convention):
    codes = np.array(codes).astype(np.int8 if is_int8(convention) else np.uint8)
    return {"codes": codes, "scales": np.array(scales).astype(np.uint8)}


def quantized(convention, x, **rule):
    element, exponent = parts(convention)
    return answers(
        *oracle.quantize(x, element, rule.get("exponent", exponent), rule.get("block", BLOCK), rule.get("axis", -1)),
        convention,
    )


def instead(**rule):
    return lambda convention, x: quantized(convention, x, **rule)


def is_wrong(rule):
    """Whether the rule is another one for the convention."""

    def applies(convention):
        element, exponent = parts(convention)
        same = element == FLOAT4 and {rule, exponent} == {"even", "even_one_bit"}
        return rule != exponent and not same

    return applies


def by_blocks(exponent=None, cast=None):
    """Wrong in S of a block's values by (values, element, rule, right S), or in the cast of v / X by (v, element)."""

    def answer(convention, x):
        element, rule = parts(convention)
        right = quantized(convention, x)
        codes, scales = right["codes"].astype(np.int64), right["scales"].astype(np.int64)
        for row, block in np.ndindex(*scales.shape):
            place = row, slice(BLOCK * block, BLOCK * (block + 1))
            S = int(scales[row, block]) - 127
            if exponent:
                S = exponent([float(v) for v in x[place]], element, rule, S)
                scales[row, block] = S + 127
            values = [math.ldexp(float(v), -S) for v in x[place]]
            codes[place] = [(cast or exact_cast)(v, element) for v in values]
        return answers(codes, scales, convention)

    return answer


def exact_cast(v, element, rounding="half_even"):
    """The element's code of a number, which saturates."""
    if element != "int8":
        return float_format.encode(v, element, "saturate", rounding)
    return max(-127, min(127, to_integer(64 * Fraction(v), rounding)))


def cast_by(rounding):
    return by_blocks(cast=lambda v, element: exact_cast(v, element, rounding))


def cast_of_overflow(v, element):
    return float_format.encode(v, element, "nan")


def int8_cast(limit):
    return by_blocks(cast=lambda v, element: limit(to_integer(64 * Fraction(v), "half_even")))


def float32_logarithm(values, element, rule, S):
    """The logarithm of amax, or for rceil of amax / max, rounded to float32."""
    amax = max(map(abs, values))
    if amax < 2.0**-100:
        return S
    largest = float(oracle.ELEMENTS[element][0])
    logarithm = float(np.float32(math.log2(amax / (largest if rule == "rceil" else 1))))
    emax = 0 if rule == "rceil" else float_format.floor_log2(oracle.ELEMENTS[element][0])
    return (math.floor if rule == "floor" else math.ceil)(logarithm) - emax


def of_amax(amax, element, rule):
    return oracle.shared_exponent(Fraction(amax), element, rule)


def without_emax(values, element, rule, S):
    return S + float_format.floor_log2(oracle.ELEMENTS[element][0]) if any(values) else S


def without_magnitude(values, element, rule, S):
    return of_amax(max(0, *values), element, rule)


def one_for_all(convention, x):
    element, rule = parts(convention)
    S = of_amax(float(np.abs(x).max()), element, rule)
    return by_blocks(exponent=lambda *_: S)(convention, x)


def at_least(limit):
    return by_blocks(exponent=lambda values, element, rule, S: max(S, limit))


def short_block_joins(convention, x):
    if x.shape[1] <= BLOCK:
        return quantized(convention, x)
    return quantized(convention, x, block=x.shape[1])


def changed_scales(change):
    def answer(convention, x):
        right = quantized(convention, x)
        return right | {"scales": change(right["scales"].astype(np.int64)).astype(np.uint8)}

    return answer


def no_negative_zero(convention, x):
    return (
        quantized(convention, x + np.float32(0))
        if is_int8(convention)
        else by_blocks(cast=lambda v, e: exact_cast(v, e) if v else 0)(convention, x)
    )


QUANTIZE = Function(
    summary="elements and shared powers of two of MX blocks: 32 values along the last axis, less in the last block; "
    "a convention is an element and a rule for the exponent, at least −127; elements saturate, ties to even, −0 stays",
    parameters={"x": "(rows, n) float32 array"},
    returns={
        "codes": "(rows, n) array of element codes: uint8, or int8 for element int8",
        "scales": "(rows, ⌈n/32⌉) uint8 array, shared exponents + 127",
    },
    candidates=quantize_candidates,
    expected=quantized,
    mutants={
        "exponent: floor": Mutant("S is ⌊log₂ amax⌋ − emax", instead(exponent="floor"), is_wrong("floor")),
        "exponent: ceil": Mutant("S is ⌈log₂ amax⌉ − emax", instead(exponent="ceil"), is_wrong("ceil")),
        "exponent: even": Mutant(
            "S is that of amax rounded to the element's mantissa bits", instead(exponent="even"), is_wrong("even")
        ),
        "exponent: even_one_bit": Mutant(
            "S is that of amax rounded to one mantissa bit", instead(exponent="even_one_bit"), is_wrong("even_one_bit")
        ),
        "exponent: rceil": Mutant("S is ⌈log₂(amax / max)⌉", instead(exponent="rceil"), is_wrong("rceil")),
        "exponent: float32 logarithm": Mutant(
            "the logarithm rounds to a whole number that it is not",
            by_blocks(exponent=float32_logarithm),
            lambda convention: parts(convention)[1] in ("floor", "ceil", "rceil"),
        ),
        "exponent: emax missing": Mutant(
            "S is not lowered by the exponent of the element's largest value",
            by_blocks(exponent=without_emax),
            is_float,  # emax of int8 is 0
        ),
        "exponent: emax of integers": Mutant(
            "elements are taken for integers up to 127, so that S is lower by 6",
            by_blocks(exponent=lambda values, element, rule, S: max(S - 6, -127)),
            is_int8,
        ),
        "exponent: at least −126": Mutant("X is not below float32's smallest normal number", at_least(-126)),
        "block of zeros: X = 1": Mutant(
            "a block of zeros has S = 0", by_blocks(exponent=lambda values, element, rule, S: S if any(values) else 0)
        ),
        "amax: without magnitude": Mutant(
            "the largest value, not the largest magnitude", by_blocks(exponent=without_magnitude)
        ),
        "blocks: one for all": Mutant("the whole tensor has one exponent", one_for_all),
        "blocks: of 16": Mutant("16 values share a scale, as in NVFP4", instead(block=16)),
        "blocks: along the first axis": Mutant("values of a column share a scale", instead(axis=0)),
        "blocks: the short one joins": Mutant("what is left of a row belongs to the block before", short_block_joins),
        "scale: no bias": Mutant(
            "S is stored in two's complement", changed_scales(lambda scales: (scales - 127) & 255)
        ),
        "elements: ties away": Mutant("a tie takes the larger magnitude", cast_by("half_away")),
        "elements: truncated": Mutant("elements round to the smaller magnitude", cast_by("toward_zero")),
        "elements: overflow": Mutant(
            "what is too large becomes infinity or NaN",
            by_blocks(cast=cast_of_overflow),
            # the other rules clip nothing, the other elements have neither
            lambda convention: convention in ("float8_e4m3fn-floor", "float8_e4m3fn-even", "float8_e5m2-floor"),
        ),
        "elements: wrap": Mutant("128 becomes −128", int8_cast(lambda q: (q + 128) % 256 - 128), is_int8),
        "elements: −128 used": Mutant(
            "the least integer is −128", int8_cast(lambda q: max(-128, min(127, q))), is_int8
        ),
        "elements: no negative zero": Mutant("−0 becomes 0", no_negative_zero, is_float),
    },
    provenance="tests/oracles/mx.py, fractions",
    conventions=CONVENTIONS,
)


# dequantize


def dequantize_candidates(element):
    if element == "int8":
        one, other = np.array([64, -127], np.int8)
    else:
        one = np.uint8(float_format.LAYOUTS[element].bias << oracle.ELEMENTS[element][1])
        other = np.uint8((1 << float_format.bits(element) - 1) + 1)  # the smallest negative number
    codes = np.array([[one, other], [other, one]])
    for scales in ((127, 129), (0, 1), (255, 127), (254, 126)):
        yield {"codes": codes, "scales": np.array(scales, np.uint8)[:, None]}
    row = long_row({0: one, 20: one, 32: one}).astype(codes.dtype)
    yield {"codes": row, "scales": np.array([[127, 128]], np.uint8)}


def values(codes, scales, element, value=oracle.value, place=lambda index, count: index // BLOCK):
    out = np.zeros(codes.shape, np.float32)
    for row, index in np.ndindex(*codes.shape):
        scale = scales[row, place(index, scales.shape[1])]
        with np.errstate(over="ignore"):
            out[row, index] = value(int(codes[row, index]), int(scale), element)
    return {"x": out}


def restored(**wrong):
    return lambda element, codes, scales: values(codes, scales, element, **wrong)


def times_power(power):
    """The element times 2^power(scale)."""

    def value(code, scale, element):
        return float(oracle.value(code, 127, element)) * 2.0 ** power(scale)

    return value


def first_scale(element, codes, scales):
    return values(codes, np.repeat(scales[:1, :1], len(scales), axis=0).repeat(scales.shape[1], axis=1), element)


DEQUANTIZE = Function(
    summary="values of MX blocks: elements times 2^(scale − 127), 32 along the last axis sharing a scale; int8 is in "
    "64ths; products beyond float32 are infinite",
    parameters={
        "codes": "(rows, n) array of element codes: uint8, or int8 for element int8",
        "scales": "(rows, ⌈n/32⌉) uint8 array; 255 is NaN",
    },
    returns={"x": "(rows, n) float32 array"},
    candidates=dequantize_candidates,
    expected=restored(),
    mutants={
        "scale: bias 128": Mutant("X is 2^(scale − 128)", restored(value=lambda c, s, e: oracle.value(c, s, e) / 2)),
        "scale: no bias": Mutant(
            "the scale is an exponent in two's complement", restored(value=times_power(lambda s: (s + 128) % 256 - 128))
        ),
        "scale: 255 a number": Mutant("the scale 255 is 2^128", restored(value=times_power(lambda s: s - 127))),
        "scale: 0 is zero": Mutant(
            "the scale 0 is 0, not 2^−127",
            restored(value=lambda c, s, e: oracle.value(c, s, e) if s else oracle.value(c, 127, e) * 0),
        ),
        "blocks: one for all": Mutant("the first scale is taken for all blocks", first_scale),
        "blocks: of 16": Mutant(
            "16 values share a scale, as in NVFP4",
            restored(place=lambda index, count: min(index // 16, count - 1)),
        ),
        "elements: integers": Mutant(
            "elements are integers, without 6 fraction bits",
            restored(value=lambda c, s, e: oracle.value(c, s, e) * 64),
            is_int8,
        ),
        "elements: unsigned": Mutant(
            "codes are taken for numbers from 0 to 255",
            restored(value=lambda c, s, e: oracle.value(c % 256, s, e)),
            is_int8,
        ),
        "elements: sign dropped": Mutant(
            "the sign bit is not read", restored(value=lambda c, s, e: abs(oracle.value(c, s, e))), is_float
        ),
    },
    provenance="tests/oracles/mx.py, fractions",
    conventions=(("float4_e2m1fn",), ("float8_e4m3fn",), ("float8_e5m2",), ("int8",)),
)

STEM = Stem({"quantize": QUANTIZE, "dequantize": DEQUANTIZE})
