"""Vectors of quantized addition: the sum of two arrays of codes, each with its own scale and zero point."""

import itertools
from fractions import Fraction

import numpy as np

from tests.oracles import quantized_add as oracle
from tests.oracles.multiplier import quantize_multiplier
from tests.oracles.requantization import clip, rounded
from tests.oracles.rounding import to_format, to_integer
from tests.vectors.integers import ROUNDINGS, by_float, by_integers, typed, wrap
from tests.vectors.specification import Function, Mutant, Stem


def each(code):
    """The answer of code(convention, a, b, scales, zero points, qmin, qmax) of integers and exact scales."""

    def answer(convention, a, b, a_scale, b_scale, out_scale, a_zero_point, b_zero_point, out_zero_point, qmin, qmax):
        scales = [Fraction(float(s)) for s in (a_scale, b_scale, out_scale)]
        rest = scales, (a_zero_point, b_zero_point, out_zero_point), qmin, qmax
        return {
            "out": np.array(
                [code(convention, x, y, *rest) for x, y in zip(a.tolist(), b.tolist(), strict=True)], np.int64
            )
        }

    return answer


def right(convention, a, b, scales, zero_points, qmin, qmax):
    names = ("a_scale", "b_scale", "out_scale", "a_zero_point", "b_zero_point", "out_zero_point")
    given = dict(zip(names, (*scales, *zero_points), strict=True))
    return oracle.add(a, b, **given, rounding=convention, dtype="int8" if qmin < 0 else "uint8", qmin=qmin, qmax=qmax)


def of_scales(change):
    return each(lambda c, a, b, scales, *rest: right(c, a, b, change(*scales), *rest))


def of_zero_points(change):
    return each(lambda c, a, b, scales, zero_points, *ends: right(c, a, b, scales, change(*zero_points), *ends))


def of_ends(change):
    return each(lambda c, a, b, scales, zero_points, *ends: right(c, a, b, scales, zero_points, *change(*ends)))


def real(a, b, scales, zero_points):
    (s_a, s_b, s_out), (z_a, z_b, _) = scales, zero_points
    return s_a * (a - z_a) / s_out, s_b * (b - z_b) / s_out


def by_rule(rule):
    """One rounding of the exact sum."""
    return each(lambda c, a, b, scales, z, *ends: clip(to_integer(sum(real(a, b, scales, z)), rule) + z[2], *ends))


def other_rounding(rounding):
    wrong = each(lambda c, *rest: right(rounding, *rest))
    return Mutant(f"rounded as by {rounding}", wrong, lambda convention: convention != rounding)


def steps(left_shift=20, bits=31):
    """The three multiplications, with another shift or shorter multipliers."""

    def times(acc, factor, convention):
        M, shift = quantize_multiplier(to_format(factor, "float64"))
        return rounded(acc, M >> (31 - bits) << (31 - bits), shift, convention)

    def code(convention, a, b, scales, z, qmin, qmax):
        s_a, s_b, s_out = scales
        S = 2 * max(s_a, s_b)
        t_a = times((a - z[0]) << left_shift, s_a / S, convention)
        t_b = times((b - z[1]) << left_shift, s_b / S, convention)
        factor = S / (2**left_shift * s_out)
        return clip(times(t_a + t_b, factor, convention) + z[2], qmin, qmax)

    return each(code)


def apart(convention, a, b, scales, z, qmin, qmax):
    return clip(sum(to_integer(term, "half_away") for term in real(a, b, scales, z)) + z[2], qmin, qmax)


def clipped_apart(convention, a, b, scales, z, qmin, qmax):
    terms = [clip(term + z[2], qmin, qmax) - z[2] for term in real(a, b, scales, z)]
    return clip(to_integer(Fraction(sum(terms)), "half_away") + z[2], qmin, qmax)


def wrapped(convention, a, b, scales, z, qmin, qmax):
    q = to_integer(sum(real(a, b, scales, z)), "half_away") + z[2]
    if qmin - 1 <= q <= qmax + 1:
        return right(convention, a, b, scales, z, qmin, qmax)
    return wrap(q, 8) if qmin < 0 else q % 256


def fl(value):
    return to_format(Fraction(value), "float32")


def float_steps(total):
    """total(a, b, r_a, r_b, F) in place of the fused sum; F holds the zero points."""

    def code(convention, a, b, scales, z, qmin, qmax):
        s_a, s_b, s_out = scales
        r_a, r_b = fl(s_a / s_out), fl(s_b / s_out)
        F = fl(z[2] - fl(fl(r_a * z[0]) + fl(r_b * z[1])))
        return clip(total(a, b, r_a, r_b, F), qmin, qmax)

    return each(code)


def half_even(value):
    return to_integer(value, "half_even")


def by_float_rule(rule):
    return float_steps(lambda a, b, r_a, r_b, F: to_integer(fl(a * r_a + fl(b * r_b + F)), rule))


def zero_point_afterwards(convention, a, b, scales, z, qmin, qmax):
    return clip(half_even(oracle.fused(a, b, scales, (*z[:2], 0))) + z[2], qmin, qmax)


def differences(convention, a, b, scales, z, qmin, qmax):
    """Codes less their zero points, as numbers; the output's zero point added last."""
    r_a, r_b = (fl(s / scales[2]) for s in scales[:2])
    return clip(half_even(fl(fl((a - z[0]) * r_a + fl((b - z[1]) * r_b)) + z[2])), qmin, qmax)


def candidates(convention):
    def inputs(a, b, scales, zero_points=(0, 0, 0), ends=(-128, 127)):
        s_a, s_b, s_out = (np.float32(s) for s in scales)
        z_a, z_b, z_out = zero_points
        return {
            "a": np.array([a], np.int8),
            "b": np.array([b], np.int8),
            "a_scale": s_a,
            "b_scale": s_b,
            "out_scale": s_out,
            "a_zero_point": z_a,
            "b_zero_point": z_b,
            "out_zero_point": z_out,
            "qmin": ends[0],
            "qmax": ends[1],
        }

    for a, b in ((10, 1), (-20, 3), (1, 0), (-1, 0), (3, 0), (-3, 0), (127, 127), (-128, -128), (100, -90)):
        for scales in ((0.5, 0.25, 0.5), (0.5, 0.5, 1), (0.25, 0.5, 0.125)):
            for zero_points in ((0, 0, 0), (3, 0, 0), (0, -4, 0), (0, 0, 5), (2, 1, 3)):
                yield inputs(a, b, scales, zero_points)
            for z, ends in ((7, (7, 127)), (-20, (-20, 100)), (10, (0, 255))):
                yield inputs(a, b, scales, (0, 0, z), ends)
    rng = np.random.default_rng(0)
    if convention == "float":
        for a, b, *rest in order_matters(rng):
            yield inputs(a, b, rest[:3], (*rest[3:], 0))
        return
    for s_a, s_b in itertools.product((1, 3, 5, 7, 9), repeat=2):  # tenths over 0.2: ties but for the scales' roundings
        a, b, z_a, z_b = (int(v) for v in rng.integers(-15, 16, 4))
        yield inputs(a, b, (s_a / 10, s_b / 10, 0.2), (z_a, z_b, 0))
    for exponent, sign in itertools.product(range(-18, -7), (1, -1, 1, -1)):  # sums beside a tie
        s_a, s_b, k = rng.uniform(0.2, 0.9), rng.uniform(0.2, 0.9), int(rng.integers(1, 4))
        a, b = (int(v) for v in rng.integers(2, 9, 2))
        yield inputs(a, b, (s_a, s_b, (s_a * a + s_b * b) / (k + 0.5) * (1 + sign * 2.0**exponent)))


def order_matters(rng):
    """(a, b, scales, zero points) on which the orders of float32 operations give different codes: 1 of 500 or so.

    Scales are tenths, so that sums are ties but for the roundings.
    """
    a, b, z_a, z_b = rng.integers(-128, 128, (4, 4000)).astype(np.float32)
    s_a, s_b = (rng.integers(1, 30, (2, 4000)) / 10).astype(np.float32)
    s_out = rng.choice([0.4, 0.8], 4000).astype(np.float32)
    r_a, r_b = s_a / s_out, s_b / s_out
    F = -(r_a * z_a + r_b * z_b)
    wide = [v.astype(np.float64) for v in (a, r_a, b, r_b, F)]
    exact = wide[0] * wide[1] + wide[2] * wide[3] + wide[4]
    not_fused = a * r_a + (b * r_b + F)
    a_first = (wide[2] * wide[3] + (wide[0] * wide[1] + wide[4]).astype(np.float32)).astype(np.float32)
    b_first = (wide[0] * wide[1] + (wide[2] * wide[3] + wide[4]).astype(np.float32)).astype(np.float32)
    codes = [np.rint(v) for v in (exact, not_fused, a_first, b_first)]
    found = np.any([c != codes[0] for c in codes], axis=0) & (abs(exact) < 127)
    for k in np.flatnonzero(found):
        yield int(a[k]), int(b[k]), s_a[k], s_b[k], s_out[k], int(z_a[k]), int(z_b[k])


ADD = Function(
    summary="clip(round((a_scale · (a − a_zero_point) + b_scale · (b − b_zero_point)) / out_scale) + out_zero_point); "
    "all but float: differences shifted to the left by 20, S = 2 · max(a_scale, b_scale), multiplied by a_scale / S "
    "and b_scale / S, their sum by S / (2^20 · out_scale), each product rounded as in requantization; float: "
    "fma(a, r_a, fma(b, r_b, F)) with float32 r = scale / out_scale and F = out_zero_point − (r_a · a_zero_point + "
    "r_b · b_zero_point), rounded half to even",
    parameters={
        "a": "(n,) int8 array",
        "b": "(n,) int8 array",
        "a_scale": "float32 scalar",
        "b_scale": "float32 scalar",
        "out_scale": "float32 scalar",
        "a_zero_point": "int",
        "b_zero_point": "int",
        "out_zero_point": "int",
        "qmin": "int",
        "qmax": "int",
    },
    returns={"out": "(n,) array of codes, of any integer type that holds qmin to qmax"},
    conventions=tuple((rounding,) for rounding in ROUNDINGS),
    candidates=candidates,
    expected=each(right),
    mutants={
        **{f"rounding: {rounding}": other_rounding(rounding) for rounding in ROUNDINGS},
        "truncation: toward −∞": Mutant("shifted without rounding", by_rule("floor")),
        "truncation: toward zero": Mutant("cut off, not rounded", by_rule("toward_zero")),
        "terms: exact": Mutant("the two terms are not rounded, only their sum is", by_rule("half_away"), by_integers),
        "terms: rounded to codes": Mutant("each term is rounded to a code, then both are added", each(apart)),
        "terms: clipped": Mutant("each term is clipped, then their sum", each(clipped_apart)),
        "left shift: 15": Mutant(
            "the terms are shifted by 15 bits, as those of int16 are", steps(left_shift=15), by_integers
        ),
        "left shift: 7": Mutant("the terms are shifted by 7 bits", steps(left_shift=7), by_integers),
        "multipliers: 15 bits": Mutant("the lower 16 bits of the multipliers are dropped", steps(bits=15), by_integers),
        "zero point of a: ignored": Mutant(
            "a's zero point is not subtracted", of_zero_points(lambda a, b, out: (0, b, out))
        ),
        "zero point of b: ignored": Mutant(
            "b's zero point is not subtracted", of_zero_points(lambda a, b, out: (a, 0, out))
        ),
        "zero point of a: added": Mutant("a's zero point is added", of_zero_points(lambda a, b, out: (-a, b, out))),
        "zero point of b: added": Mutant("b's zero point is added", of_zero_points(lambda a, b, out: (a, -b, out))),
        "output's zero point: ignored": Mutant(
            "the output's zero point is not added", of_zero_points(lambda a, b, out: (a, b, 0))
        ),
        "output's zero point: subtracted": Mutant(
            "the output's zero point is subtracted", of_zero_points(lambda a, b, out: (a, b, -out))
        ),
        "scales: swapped": Mutant("a gets b's scale and b gets a's", of_scales(lambda a, b, out: (b, a, out))),
        "scales: one for both": Mutant("b gets a's scale", of_scales(lambda a, b, out: (a, a, out))),
        "scales: ignored": Mutant("codes are added", of_scales(lambda a, b, out: (out, out, out))),
        "output's scale: ignored": Mutant("the output's scale is 1", of_scales(lambda a, b, out: (a, b, Fraction(1)))),
        "clip: wraps": Mutant("codes wrap at 8 bits and are not clipped", each(wrapped)),
        "clip: ends of the type": Mutant(
            "clipped to the 8 bits of the type, without the fused ReLU",
            of_ends(lambda low, high: (-128, 127) if low < 0 else (0, 255)),
        ),
        "float: not fused": Mutant(
            "products are rounded before they are added",
            float_steps(lambda a, b, r_a, r_b, F: half_even(fl(fl(a * r_a) + fl(fl(b * r_b) + F)))),
            by_float,
        ),
        "float: a first": Mutant(
            "a's product is the inner one",
            float_steps(lambda a, b, r_a, r_b, F: half_even(fl(b * r_b + fl(a * r_a + F)))),
            by_float,
        ),
        "float: exact": Mutant(
            "the sum is formed in float64",
            float_steps(lambda a, b, r_a, r_b, F: half_even(a * r_a + b * r_b + F)),
            by_float,
        ),
        "float: differences": Mutant(
            "codes less their zero points are multiplied, without a constant", each(differences), by_float
        ),
        "float: zero point afterwards": Mutant(
            "the output's zero point is added after the rounding", each(zero_point_afterwards), by_float
        ),
        "float: ties away from zero": Mutant("ties go away from zero", by_float_rule("half_away"), by_float),
        "float: ties toward +∞": Mutant("ties go up", by_float_rule("half_up"), by_float),
    },
    provenance="tests/oracles/quantized_add.py, integers and fractions; float: by exact float32 steps",
    holds=lambda inputs: {"out": (inputs["qmin"], inputs["qmax"])},
)

STEM = Stem({"add": typed(ADD)})
