"""What the checks of the integer formulas share: codes, answers of the oracles, dtypes of outputs."""

from fractions import Fraction
from itertools import product

import numpy as np

from tests.oracles import requantization as requantization_oracle

MIN, MAX = -(2**31), 2**31 - 1
MODES = ("double", "double_up", "single", "float")
MIXES = list(product((np.int8, np.uint8, np.int16), repeat=2))
CODES = (np.uint8, np.int8, np.uint16, np.int16, np.int32)


def frozen(values, dtype=None):
    """Return an array that cannot be written to: a function that modifies its input raises."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def codes(rng, dtype, shape=None):
    """Random codes of a type, the ends of its range among them."""
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    return frozen(np.where(rng.random(shape) < 0.1, info.min, values), dtype)


def smallest(qmin, qmax):
    return next(np.dtype(d) for d in CODES if np.iinfo(d).min <= qmin and qmax <= np.iinfo(d).max)


def assert_integers(out, expected, dtype=np.int32):
    """The dtype, and every integer."""
    assert out.dtype == dtype, out.dtype
    assert np.asarray(out).tolist() == expected


def plain(value):
    """Arrays as lists, for the oracle."""
    return value.tolist() if isinstance(value, np.ndarray) else value


known = {}


def asked(oracle, *arguments, **options):
    """What an oracle says of arrays and numbers; every implementation is asked the same, so it is kept."""
    given = *arguments, *(value for _, value in sorted(options.items()))
    key = oracle.__module__, oracle.__name__, *sorted(options), *map(hashable, given)
    if key not in known:
        known[key] = oracle(*map(plain, arguments), **{name: plain(value) for name, value in options.items()})
    return known[key]


def hashable(value):
    return (value.tobytes(), value.dtype.str, value.shape) if isinstance(value, np.ndarray) else value


def most(rounding, real):
    """How far a code may be from the real number.

    double, double_up: ½, and ½ of a unit of t, which is ¼ of a code or less where t is divided again, and 2⁻³⁰ of the
    real number for the integer multiplier and two roundings in float64. single: without the quarter. float: four
    roundings in float32, of s_a · s_b, of the quotient, of the sum and of the product, 2⁻²¹ of the real number.
    """
    quarter = Fraction(1, 4) if rounding.startswith("double") else 0
    return Fraction(1, 2) + quarter + abs(real) * Fraction(1, 2**21 if rounding == "float" else 2**30)


def assert_near(found, real, rounding, zero_point, qmin, qmax):
    """Within `most` of the real number, hence at most one code from the nearest; saturated where that is outside."""
    for q, r in zip(found, real, strict=True):
        bound = most(rounding, r)
        assert bound < 1
        if qmin + 1 < r + zero_point < qmax - 1:
            assert abs(q - zero_point - r) <= bound
        elif not qmin - 1 < r + zero_point < qmax + 1:
            assert q == (qmin if r + zero_point < qmin else qmax)


def flat(nested):
    return flat([v for part in nested for v in part]) if isinstance(nested[0], list) else nested


OUTPUTS = ((0, -128, 127), (-5, -128, 127), (131, 0, 255), (-20, -20, 127), (-100, -100, 30), (0, -32768, 32767))


def output(z, qmin, qmax):
    """The arguments of an output, in a type that holds its codes."""
    return {"out_zero_point": z, "qmin": qmin, "qmax": qmax, "dtype": smallest(qmin, qmax).name}


def output_dtypes(run):
    """The first operand's type or the one that is asked for, and its ends; a fused ReLU with z = 0 keeps it.

    `run` gives the codes of −40, 5, 90, 150, 300, 999, whose rounding is nowhere at stake, from a first operand of a
    type.
    """
    real = (-40, 5, 90, 150, 300, 999)
    for first, dtype in product((np.uint8, np.int8, np.int16), (None, *CODES)):
        name = np.dtype(first if dtype is None else dtype).name
        for options in ({}, {"qmin": 0}, {"qmin": 3, "qmax": 99}, {"qmax": 100}):
            low, high = requantization_oracle.code_range(name, **options)
            given = options | ({} if dtype is None else {"dtype": dtype})
            expected = [requantization_oracle.clip(v, low, high) for v in real]
            for rounding in MODES:
                assert_integers(np.ravel(run(np.dtype(first), rounding=rounding, **given)), expected, name)
