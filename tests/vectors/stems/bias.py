"""Vectors of quantized biases: integers in the unit of the sums that they are added to."""

from fractions import Fraction

import numpy as np

from tests.oracles import bias as oracle
from tests.oracles.rounding import to_format, to_integer
from tests.vectors.integers import INT32, typed
from tests.vectors.specification import Function, Mutant, Stem

CONVENTIONS = ("half_even", "half_away", "half_up")


def literals():
    yield [3.0], 0.5, [0.25]
    yield [0.25], 0.5, [0.25]
    for tie in (0.5, 1.5, 2.5, -0.5, -1.5, -2.5):
        yield [tie], 1.0, [1.0]
    for near in (0.75, 1.25, -0.25, -0.75):
        yield [near], 1.0, [1.0]
    yield [1.0, 1.0], 0.5, [0.25, 0.5]
    yield [3.0], 2.0, [4.0]
    yield [1.0], 0.375, [4.0]
    yield [4e4], 1.0, [0.5]
    yield [1e7], 0.375, [1.0]
    yield [1e7], 0.1, [0.3]
    for divisor in range(41, 100, 2):  # quotients that are ties, which a reciprocal may miss
        for k in range(8):
            yield [(k + 0.5) * divisor], float(divisor), [1.0]


def candidates(convention):
    for b, x_scale, w_scale in literals():
        yield {"b": np.array(b, np.float32), "x_scale": np.float32(x_scale), "w_scale": np.array(w_scale, np.float32)}


def expected(convention, b, x_scale, w_scale):
    values = [oracle.quantize_bias(v, x_scale, s, convention) for v, s in zip(b, w_scale, strict=True)]
    return {"q": np.array(values, np.int32)}


def by(convert):
    """A mutant that makes one code of one exact bias and two exact scales."""

    def answer(convention, b, x_scale, w_scale):
        s_x = Fraction(float(x_scale))
        pairs = [(Fraction(float(v)), Fraction(float(s))) for v, s in zip(b, w_scale, strict=True)]
        return {"q": np.array([convert(convention, v, s_x, s) for v, s in pairs], np.int64)}

    return answer


def rounding(rule):
    return Mutant(
        f"rounded by {rule}", by(lambda _, b, s_x, s_w: to_integer(b / (s_x * s_w), rule)), lambda c: c != rule
    )


def first_scale(convention, b, x_scale, w_scale):
    return expected(convention, b, x_scale, np.full_like(w_scale, w_scale[0]))


def unit_in_float32(convention, b, s_x, s_w):
    return to_integer(b / to_format(s_x * s_w, "float32"), convention)


def float32_inside(convention, b, s_x, s_w):
    return to_integer(to_format(b / to_format(s_x * s_w, "float32"), "float32"), convention)


def reciprocal(convention, b, s_x, s_w):
    return to_integer(to_format(b * to_format(1 / (s_x * s_w), "float64"), "float64"), convention)


def rounded_twice(convention, b, s_x, s_w):
    return to_integer(to_integer(b / s_x, convention) / s_w, convention)


def int16(convention, b, s_x, s_w):
    return (to_integer(b / (s_x * s_w), convention) + 2**15) % 2**16 - 2**15


QUANTIZE_BIAS = Function(
    summary="biases as int32 in units of the product of the scales of input and weights, zero point 0: "
    "round(b / (x_scale · w_scale)), product and quotient each rounded in float64",
    parameters={
        "b": "(n,) float32 array",
        "x_scale": "float32 scalar, of the input",
        "w_scale": "(n,) float32 array, of the weights, one for every output",
    },
    returns={"q": "(n,) array of integers within int32"},
    conventions=tuple((rule,) for rule in CONVENTIONS),
    candidates=candidates,
    expected=expected,
    mutants={
        **{f"rounding: {rule}": rounding(rule) for rule in (*CONVENTIONS, "floor", "toward_zero")},
        "unit: scale of the weights": Mutant(
            "divided by the scale of the weights alone", by(lambda c, b, s_x, s_w: to_integer(b / s_w, c))
        ),
        "unit: scale of the input": Mutant(
            "divided by the scale of the input alone", by(lambda c, b, s_x, s_w: to_integer(b / s_x, c))
        ),
        "multiplied by the unit": Mutant(
            "multiplied by the product of the scales", by(lambda c, b, s_x, s_w: to_integer(b * s_x * s_w, c))
        ),
        "one scale for all": Mutant("the first scale of the weights is taken for every output", first_scale),
        "unit in float32": Mutant("the product of the scales is rounded to float32", by(unit_in_float32)),
        "quotient in float32": Mutant(
            "the quotient is rounded to float32",
            by(lambda c, b, s_x, s_w: to_integer(to_format(b / (s_x * s_w), "float32"), c)),
        ),
        "dtype: float32 inside": Mutant(
            "the product of the scales and the quotient are rounded to float32", by(float32_inside)
        ),
        "reciprocal": Mutant("multiplied by the reciprocal, even in float64", by(reciprocal)),
        "rounded twice": Mutant("divided by one scale and rounded, then by the other", by(rounded_twice)),
        "int16": Mutant("the codes wrap at 16 bits", by(int16)),
    },
    provenance="tests/oracles/bias.py, fractions",
    holds=lambda inputs: {"q": INT32},
)

STEM = Stem({"quantize_bias": typed(QUANTIZE_BIAS)})
