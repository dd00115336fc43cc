"""From sums of quantized products to codes: the way that matrix products and convolutions share, and wrong variants."""

from fractions import Fraction

import numpy as np

from tests.oracles import requantization
from tests.oracles.multiplier import quantize_multiplier
from tests.oracles.multiplier import real as exact_real
from tests.oracles.rounding import to_format, to_integer
from tests.vectors.integers import ROUNDINGS, by_float, by_integers, wrap
from tests.vectors.specification import Mutant


def number(convention, s_a, s_b, s_out):
    """The multiplier of one channel: (M, shift), or (Fraction, None) for float."""
    return requantization.one_number(s_a, s_b, s_out, convention)


def code(convention, acc, pair, zero_point, qmin, qmax):
    return requantization.requantize(acc, *pair, convention, zero_point, qmin, qmax)


def rescaled(convention, acc, a_scale, b_scale, out_scale, *output, axis=1, number=number, code=code):
    """Codes of an array of sums with a scale of b for every entry of an axis."""
    pairs = [number(convention, a_scale, s_b, out_scale) for s_b in b_scale]
    q = [code(convention, int(acc[place]), pairs[place[axis]], *output) for place in np.ndindex(acc.shape)]
    return np.array(q, np.int64).reshape(acc.shape)


def fractions(*scales):
    return [Fraction(float(s)) for s in scales]


def of_real(real, rounding):
    return (real, None) if rounding == "float" else quantize_multiplier(real)


def by_real(real):
    """The multiplier of another real number, from exact scales."""
    return lambda convention, *scales: of_real(real(*fractions(*scales)), convention)


def in_float32(convention, *scales):
    s_a, s_b, s_out = fractions(*scales)
    return quantize_multiplier(to_format(to_format(s_a * s_b, "float32") / s_out, "float32"))


def product_in_float32(convention, *scales):
    s_a, s_b, s_out = fractions(*scales)
    return quantize_multiplier(to_format(to_format(s_a * s_b, "float32") / s_out, "float64"))


def quotient_first(convention, *scales):
    s_a, s_b, s_out = fractions(*scales)
    return to_format(s_a * to_format(s_b / s_out, "float32"), "float32"), None


def truncated_multiplier(convention, *scales):
    s_a, s_b, s_out = fractions(*scales)
    return quantize_multiplier(s_a * s_b / s_out, "floor")


def exact_product(convention, acc, pair):
    return acc * (pair[0] if convention == "float" else exact_real(*pair))


def by_rule(rule):
    def found(convention, acc, pair, zero_point, qmin, qmax):
        return requantization.clip(to_integer(exact_product(convention, acc, pair), rule) + zero_point, qmin, qmax)

    return found


def by_rounding(rounding):
    """Another convention, from the scales on."""
    return {
        "number": lambda convention, *scales: number(rounding, *scales),
        "code": lambda convention, *rest: code(rounding, *rest),
    }


def zero_point_inside(convention, acc, pair, zero_point, qmin, qmax):
    t = to_format(to_format(Fraction(acc), "float32") * pair[0], "float32")
    return requantization.clip(to_integer(t + zero_point, "half_even"), qmin, qmax)


def wrapped(convention, acc, pair, zero_point, qmin, qmax):
    q = requantization.rounded(acc, *pair, convention) + zero_point
    return wrap(q, 8) if qmin < 0 else q % 256


def type_ends(convention, acc, pair, zero_point, qmin, qmax):
    return code(convention, acc, pair, zero_point, *((-128, 127) if qmin < 0 else (0, 255)))


def clipped_first(convention, acc, pair, zero_point, qmin, qmax):
    return code(convention, acc, pair, 0, qmin, qmax) + zero_point


def with_zero_point(change):
    return lambda convention, acc, pair, zero_point, *ends: code(convention, acc, pair, change(zero_point), *ends)


def step_mutants(mutant):
    """Wrong variants of the way from sums to codes; mutant(**changes of `rescaled`) makes the answer."""
    return {
        **{
            f"rounding: {rounding}": Mutant(
                f"rounded as by {rounding}",
                mutant(**by_rounding(rounding)),
                lambda convention, rounding=rounding: convention != rounding,
            )
            for rounding in ROUNDINGS
        },
        "truncation: toward −∞": Mutant("shifted without rounding", mutant(code=by_rule("floor"))),
        "truncation: toward zero": Mutant("divided without rounding", mutant(code=by_rule("toward_zero"))),
        "output's scale: multiplied": Mutant(
            "the output's scale is a factor, not a divisor",
            mutant(number=by_real(lambda s_a, s_b, s_out: s_a * s_b * s_out)),
        ),
        "output's scale: ignored": Mutant(
            "the output's scale is 1", mutant(number=by_real(lambda s_a, s_b, s_out: s_a * s_b))
        ),
        "first scale: ignored": Mutant(
            "the scale of the first operand is 1", mutant(number=by_real(lambda s_a, s_b, s_out: s_b / s_out))
        ),
        "second scale: ignored": Mutant(
            "the scale of the second operand is 1", mutant(number=by_real(lambda s_a, s_b, s_out: s_a / s_out))
        ),
        "multiplier: from float32": Mutant(
            "the multiplier is made of the scales' product and quotient in float32",
            mutant(number=in_float32),
            by_integers,
        ),
        "multiplier: product in float32": Mutant(
            "the product of the scales is rounded to float32, the quotient is not",
            mutant(number=product_in_float32),
            by_integers,
        ),
        "multiplier: truncated": Mutant(
            "the multiplier's last bit is cut off, not rounded", mutant(number=truncated_multiplier), by_integers
        ),
        "multiplier: exact": Mutant(
            "the scales' product and quotient are formed in float64, then rounded to float32",
            mutant(number=lambda convention, *scales: (to_format(exact_quotient(*scales), "float32"), None)),
            by_float,
        ),
        "multiplier: quotient first": Mutant(
            "the second scale is divided by the output's, then multiplied by the first",
            mutant(number=quotient_first),
            by_float,
        ),
        "output's zero point: ignored": Mutant(
            "the output's zero point is not added", mutant(code=with_zero_point(lambda z: 0))
        ),
        "output's zero point: subtracted": Mutant(
            "the output's zero point is subtracted", mutant(code=with_zero_point(lambda z: -z))
        ),
        "output's zero point: after the clip": Mutant(
            "clipped, then shifted by the zero point", mutant(code=clipped_first)
        ),
        "output's zero point: before the rounding": Mutant(
            "the zero point is added inside of the rounding, which moves ties",
            mutant(code=zero_point_inside),
            by_float,
        ),
        "clip: wraps": Mutant("codes wrap at 8 bits and are not clipped", mutant(code=wrapped)),
        "clip: ends of the type": Mutant(
            "clipped to the 8 bits of the type, without the fused ReLU", mutant(code=type_ends)
        ),
    }


def exact_quotient(*scales):
    s_a, s_b, s_out = fractions(*scales)
    return s_a * s_b / s_out


def scale_literals():
    """(s_a, s_b, s_out, sum): scales whose product and quotient are rounded, and sums beside a tie of theirs."""
    rng = np.random.default_rng(0)
    for k in range(32):
        s_a, s_b, s_out = (np.float32(v) for v in rng.uniform([0.01, 1e-4, 20], [0.02, 2e-4, 40]))
        real = float(s_a) * float(s_b) / float(s_out)
        for beside in (-1, 0, 1):
            yield s_a, s_b, s_out, round((k - 19.5) / real) + beside
