"""Vectors of requantization: the two steps of gemmlowp, and from int32 sums to codes under each rounding."""

import itertools
from fractions import Fraction

import numpy as np

from tests.oracles import requantization as oracle
from tests.oracles.multiplier import quantize_multiplier
from tests.oracles.multiplier import real as exact_real
from tests.oracles.rounding import to_format, to_integer
from tests.vectors.integers import MAX, MIN, ROUNDINGS, by_float, by_integers, typed, wrap
from tests.vectors.requantization_steps import DIVIDE, HALF, HIGH_MUL, PROVENANCE, high, int32
from tests.vectors.specification import Function, Mutant, Stem


def requantized(code):
    """The answer of a function (convention, acc, multiplier, shift, zero_point, qmin, qmax) of integers.

    For float the multiplier is a Fraction.
    """

    def answer(convention, acc, multiplier, shift, zero_point, qmin, qmax):
        M = Fraction(float(multiplier)) if convention == "float" else multiplier
        q = [code(convention, a, M, shift, zero_point, qmin, qmax) for a in acc.tolist()]
        return {"q": np.array(q, np.int64)}

    return answer


def right(convention, acc, M, shift, zero_point, qmin, qmax):
    return oracle.requantize(acc, M, shift, convention, zero_point, qmin, qmax)


def rounded_by(rounded):
    """Other codes before the zero point is added: rounded(convention, acc, M, shift)."""
    return requantized(lambda c, a, M, s, z, low, high: oracle.clip(rounded(c, a, M, s) + z, low, high))


def given(change):
    """The formula of other arguments than the given ones."""
    return requantized(lambda c, *arguments: right(c, *change(*arguments)))


def exact(convention, acc, M, shift):
    return acc * (M if convention == "float" else exact_real(M, shift))


def by_rule(rule):
    return rounded_by(lambda *arguments: to_integer(exact(*arguments), rule))


def other_rounding(rounding):
    """Another convention, given the same real number."""

    def code(convention, acc, M, shift):
        if convention == "float":
            pair = quantize_multiplier(M)
        elif rounding == "float":
            pair = exact_real(M, shift), None
        else:
            pair = M, shift
        return oracle.rounded(acc, *pair, rounding)

    return Mutant(f"rounded as by {rounding}", rounded_by(code), lambda convention: convention != rounding)


def two_steps(convention):
    return convention.startswith("double")


def first_step(rule):
    """The first of two roundings by another rule."""

    def code(convention, acc, M, shift):
        t = to_integer(Fraction(acc * 2 ** max(shift, 0) * M, 2**31), rule)
        rules = {"double": "half_away", "double_up": "half_up"}
        return to_integer(Fraction(t, 2 ** max(-shift, 0)), rules[convention])

    return rounded_by(code)


def second_step(rule):
    def code(convention, acc, M, shift):
        t = high(acc * 2 ** max(shift, 0), M)
        return to_integer(Fraction(t, 2 ** max(-shift, 0)), rule)

    return rounded_by(code)


def left_shift_afterwards(convention, acc, M, shift):
    return oracle.rounded(acc, M, min(shift, 0), convention) << max(shift, 0)


def narrow_product(convention, acc, M, shift):
    return to_integer(wrap(acc * M) * Fraction(2) ** (shift - 31), "half_up")


def float_steps(rule="half_even", acc_format="float32", real_format="float64"):
    def code(convention, acc, M, shift):
        real = to_format(min(M, 65504), real_format)  # float16's largest
        product = to_format(Fraction(acc), acc_format) * real
        return to_integer(to_format(product, "float32"), rule)

    return rounded_by(code)


def through_int32(convention, acc, M, shift):
    q = oracle.rounded(acc, M, shift, convention)
    return q if MIN <= q <= MAX else MIN


def inside_the_rounding(convention, acc, M, shift, z, low, high_):
    if convention == "float":
        q = to_integer(to_format(to_format(Fraction(acc), "float32") * M, "float32") + z, "half_even")
    else:
        t = high(acc * 2 ** max(shift, 0), M)
        q = to_integer(Fraction(t, 2 ** max(-shift, 0)) + z, "half_away")
    return oracle.clip(q, low, high_)


def within_8_bits(convention, acc, M, shift, z, low, high_):
    q = oracle.rounded(acc, M, shift, convention) + z
    return wrap(q, 8) if low < 0 else q % 256


def nudge_in_int32(convention, acc, M, shift):
    return (acc * M + wrap(2 ** ((30 - shift) % 32))) >> (31 - shift)


ACCS = (4, 6, 2, -2, -6, 10, 3, -3, 5, -5, 7, 0)
RANGES = ((0, -128, 127), (3, -128, 127), (-5, -128, 127), (10, 0, 255), (7, 7, 127), (-20, -20, 100))
INT8 = RANGES[0]


def requantize_cases(convention):
    """(acc, M, shift, zero point, qmin, qmax): real is M · 2^(shift − 31)."""
    for acc in ACCS:
        yield acc, HALF, -1, *INT8  # ¼
    for acc, (M, shift) in itertools.product((1, -1, 3, -3, 5), ((HALF, 0), (HALF, 3), (3 * 2**29, -1))):
        yield acc, M, shift, *INT8  # ½, 4, 3/8
    for output, acc in itertools.product(RANGES, (*ACCS, 1000, -1000)):
        yield acc, HALF, -1, *output
    for output, acc in itertools.product(RANGES, (500, -500, 200)):
        yield acc, HALF, 1, *output  # 1
    for acc in (2**15 + 4, 2**16, -(2**18), 2**24, -(2**30)):
        yield acc, HALF, 5 - abs(acc).bit_length(), *INT8  # ±32
    for acc in (MIN, MAX, -HALF, HALF):
        yield acc, HALF, -31, *INT8  # up to ±½
    for acc in (7984, -7984, 7983):
        yield acc, 1583594044, -9, *INT8  # 11.4991…, of which the first of two roundings makes a tie
    rng = np.random.default_rng(0)
    for shift, beside in itertools.product(range(-23, -4), (-1, 0, 1)):  # the sums closest to ties
        M, k = int(rng.integers(HALF, 2**31)), int(rng.integers(-60, 60))
        yield round((k + 0.5) / (M * 2.0 ** (shift - 31))) + beside, M, shift, *INT8
    for tie, beside in itertools.product((64.5, 65.5, -64.5, -65.5), (-1, 0, 1)):  # sums of 25 bits
        yield int(tie * 2**18) + beside, HALF, -17, *INT8
    if convention in ("single", "float"):
        yield MAX, HALF, 30, -1, -128, 127  # beyond int32 before the clip


def requantize_candidates(convention):
    for acc, M, shift, z, qmin, qmax in requantize_cases(convention):
        given_ = {"multiplier": M, "shift": shift}
        if convention == "float":
            given_ = {"multiplier": np.float32(M * 2.0 ** (shift - 31)), "shift": None}
        yield {"acc": int32([acc]), **given_, "zero_point": z, "qmin": qmin, "qmax": qmax}


def clipped_first(convention, acc, M, shift, z, low, high_):
    return oracle.clip(oracle.rounded(acc, M, shift, convention), low, high_) + z


REQUANTIZE_MUTANTS = {
    **{f"rounding: {rounding}": other_rounding(rounding) for rounding in ROUNDINGS},
    "truncation: toward −∞": Mutant("shifted without rounding", by_rule("floor")),
    "truncation: toward zero": Mutant("divided without rounding", by_rule("toward_zero")),
    "ties: away from zero": Mutant("one rounding, ties away from zero", by_rule("half_away"), by_integers),
    "ties: to even": Mutant("one rounding, ties to the even integer", by_rule("half_even"), by_integers),
    "first step: truncated": Mutant("the high product is not rounded", first_step("floor"), two_steps),
    "second step: truncated": Mutant("the second step shifts without rounding", second_step("floor"), two_steps),
    "left shift: ignored": Mutant(
        "a shift above 0 is not carried out", given(lambda a, M, s, *rest: (a, M, min(s, 0), *rest)), by_integers
    ),
    "left shift: afterwards": Mutant(
        "a shift above 0 is carried out after the product was rounded", rounded_by(left_shift_afterwards), by_integers
    ),
    "shift: one more to the right": Mutant(
        "half of the result", given(lambda a, M, s, *rest: (a, M, s - 1, *rest)), by_integers
    ),
    "shift: one less to the right": Mutant(
        "twice the result", given(lambda a, M, s, *rest: (a, M, s + 1, *rest)), by_integers
    ),
    "shift: right is positive": Mutant(
        "the shift has the other sign", given(lambda a, M, s, *rest: (a, M, -s, *rest)), by_integers
    ),
    "product in int32": Mutant("acc · M wraps at 32 bits", rounded_by(narrow_product), by_integers),
    "nudge in int32": Mutant(
        "1 << (30 − shift) is formed in 32 bits", rounded_by(nudge_in_int32), lambda c: c == "single"
    ),
    "multiplier: 16 bits": Mutant(
        "the lower 16 bits of M are dropped", given(lambda a, M, *rest: (a, M >> 16 << 16, *rest)), by_integers
    ),
    "acc in int16": Mutant("the sums wrap at 16 bits", given(lambda a, *rest: (wrap(a, 16), *rest))),
    "acc in float32": Mutant(
        "the sums are rounded to float32",
        given(lambda a, *rest: (int(to_format(Fraction(a), "float32")), *rest)),
        by_integers,
    ),
    "ties: away from zero, in float32": Mutant("ties go away from zero", float_steps("half_away"), by_float),
    "ties: toward +∞, in float32": Mutant("ties go up", float_steps("half_up"), by_float),
    "exact product": Mutant("the product is formed in float64", by_rule("half_even"), by_float),
    "exact sum": Mutant(
        "the sum is not rounded to float32, its product is", float_steps(acc_format="float64"), by_float
    ),
    "multiplier in float16": Mutant(
        "the multiplier is rounded to float16", float_steps(real_format="float16"), by_float
    ),
    "beyond int32": Mutant(
        "what leaves int32 becomes −2^31, as a conversion to int32 makes it",
        rounded_by(through_int32),
        lambda c: not two_steps(c),
    ),
    "zero point: ignored": Mutant("the zero point is not added", given(lambda a, M, s, z, *ends: (a, M, s, 0, *ends))),
    "zero point: subtracted": Mutant(
        "the zero point is subtracted", given(lambda a, M, s, z, *ends: (a, M, s, -z, *ends))
    ),
    "zero point: after the clip": Mutant("clipped, then shifted by the zero point", requantized(clipped_first)),
    "zero point: before the rounding": Mutant(
        "the zero point is added inside of the rounding, which moves ties",
        requantized(inside_the_rounding),
        lambda convention: convention in ("double", "float"),
    ),  # +∞ stays up
    "clip: missing": Mutant("codes leave their range", given(lambda a, M, s, z, low, high: (a, M, s, z, MIN, MAX))),
    "clip: wraps": Mutant("codes wrap at 8 bits and are not clipped", requantized(within_8_bits)),
    "clip: ends of the type": Mutant(
        "clipped to the 8 bits of the type, without the fused ReLU",
        given(lambda a, M, s, z, low, high: (a, M, s, z, *((-128, 127) if low < 0 else (0, 255)))),
    ),
    "clip: −127": Mutant(
        "clipped to −127 where −128 is meant", given(lambda a, M, s, z, low, high: (a, M, s, z, max(low, -127), high))
    ),
}

REQUANTIZE = Function(
    summary="codes from int32 sums: clip(round(acc · M · 2^(shift − 31)) + zero_point, qmin, qmax); float: acc as "
    "float32 times the multiplier, rounded to float32, then half to even",
    parameters={
        "acc": "(n,) int32 array; for double and double_up acc · 2^shift, where shift > 0, must fit int32 too",
        "multiplier": "int M from 0 to 2^31 − 1; for float a float32 scalar, the real multiplier itself",
        "shift": "int from −31 to 30, above 0 to the left; for float null",
        "zero_point": "int, added to the rounded product",
        "qmin": "int",
        "qmax": "int",
    },
    returns={"q": "(n,) array of codes, of any integer type that holds qmin to qmax"},
    conventions=tuple((rounding,) for rounding in ROUNDINGS),
    candidates=requantize_candidates,
    expected=requantized(right),
    mutants=REQUANTIZE_MUTANTS,
    provenance=PROVENANCE,
    holds=lambda inputs: {"q": (inputs["qmin"], inputs["qmax"])},
)

STEM = Stem(
    {
        "requantize": typed(REQUANTIZE),
        "saturating_rounding_doubling_high_mul": typed(HIGH_MUL),
        "rounding_divide_by_pot": typed(DIVIDE),
    }
)
