"""Vectors of power-of-two scales: powers themselves, the numbers beside them, √2, the smallest and the largest."""

import math
from fractions import Fraction

import numpy as np

from tests.oracles import power_of_two as oracle
from tests.vectors.specification import Function, Mutant, Stem

TINY = 2.0**-149  # float32's smallest subnormal
ABOVE, BELOW = 1 + 2.0**-23, 1 - 2.0**-24  # float32's neighbours of 1
ROOT = 1.41421353816986083984375  # the float32 below √2

INPUTS = (
    (np.float32, [1, 2, 4], 1),
    (np.float32, [127, 127.5], 127),
    (np.float32, [127.5], 127.5),
    (np.float32, [3, 5, 6], 1),
    (np.float32, [1.5, 0.75], 127),
    (np.float32, [0.1, 10], 127),
    (np.float32, [179, 180], 127),
    (np.float32, [89, 90], 127),
    (np.float32, [0.25, 0.3], 7),
    (np.float32, [64, 91, 128], 128),
    (np.float32, [BELOW, ABOVE], 1),
    (np.float32, [1024 * ABOVE, 2**-10 * ABOVE], 1),
    (np.float32, [ROOT, ROOT * ABOVE], 1),
    (np.float64, [1 + 2.0**-52, 2.0**40 * (1 + 2.0**-52)], 1),
    (np.float64, [math.sqrt(2), math.nextafter(math.sqrt(2), 0)], 1),
    (np.float64, [2.0**40 * math.sqrt(2), 2.0**41 * math.nextafter(math.sqrt(2), 0)], 1),
    (np.float64, [2.0**36, 0.75], 2.0**7),
    (np.float32, [2.0**29, 8], 1),
    (np.float32, [TINY, 3 * TINY], 1),
    (np.float32, [2.0**-127, 1], 64),
    (np.float32, [2.0**127, 1], 1),
    *((np.float32, [v], 7) for v in np.arange(0.875, 60, 0.875)),
    *((np.float32, [v], 0.1) for v in (0.1, 0.2, 0.4, 0.8)),
    *((np.float32, [np.float32(q * 2.0**k)], q) for q in (127.3, 0.3, 3.3) for k in (-2, 0, 3)),
)


def candidates(convention):
    for dtype, absmax, qmax in INPUTS:
        yield {"absmax": np.array(absmax, dtype), "qmax": np.float64(qmax)}


def exponents(convention, absmax, qmax):
    return [oracle.exponent(Fraction(float(a)), Fraction(float(qmax)), convention) for a in absmax]


def powers(exponents, dtype):
    with np.errstate(over="ignore", under="ignore"):
        return {"s": np.array([float(Fraction(2) ** k) for k in exponents]).astype(dtype)}


def scales(convention, absmax, qmax):
    return powers(exponents(convention, absmax, qmax), absmax.dtype)


def by(function):
    """A variant from function(convention, absmax, qmax), floats, to the exponent."""

    def answer(convention, absmax, qmax):
        return powers([function(convention, float(a), float(qmax)) for a in absmax], absmax.dtype)

    return answer


def of_quotient(function):
    """A variant from function(quotient), a Fraction, to the exponent."""
    return by(lambda convention, a, q: function(Fraction(a) / Fraction(q)))


def rounded(quotient, convention):
    """The exponent of a quotient that is already a number of its own."""
    return oracle.exponent(Fraction(quotient), Fraction(1), convention)


def logarithm(log, base):
    """By a logarithm in floating point."""

    def exponent(convention, a, q):
        k = float(log(type(base)(a) / type(base)(q)) / log(base))
        return math.ceil(k) if convention == "ceil" else round(k)

    return exponent


def other_base(base):
    """The logarithm of another base, exact enough, as the exponent of 2."""

    def exponent(convention, a, q):
        k = (math.log(a) - math.log(q)) / math.log(base)
        return math.ceil(k - 1e-12) if convention == "ceil" else round(k)

    return exponent


def floor(quotient):
    k = rounded(quotient, "ceil")
    return k if quotient == Fraction(2) ** k else k - 1


def nearest_number(quotient):
    """The nearer of both powers, not of both exponents; ties upward."""
    k = rounded(quotient, "ceil")
    return k if quotient >= Fraction(3, 4) * Fraction(2) ** k else k - 1


def flushed(convention, absmax, qmax):
    s = scales(convention, absmax, qmax)["s"]
    return {"s": np.where(s < np.finfo(s.dtype).tiny, 0, s).astype(s.dtype)}


def in_dtype(dtype):
    return lambda convention, absmax, qmax: powers(exponents(convention, absmax, qmax), dtype)


def only(name):
    return lambda convention: convention == name


SCALE = Function(
    summary="the power of two next to absmax/qmax, for every group: the least one not below it, or the nearest "
    "by the logarithm; neither quotient nor logarithm is rounded",
    parameters={
        "absmax": "(n,) float32 or float64 array, above 0",
        "qmax": "float64 scalar above 0, code of absmax",
    },
    returns={"s": "(n,) array of absmax's dtype"},
    conventions=(("ceil",), ("nearest",)),
    candidates=candidates,
    expected=scales,
    mutants={
        "rounding: floor": Mutant("the power below", of_quotient(floor)),
        "rounding: ceil": Mutant("the power above", of_quotient(lambda t: rounded(t, "ceil")), only("nearest")),
        "rounding: nearest": Mutant(
            "the exponent is rounded", of_quotient(lambda t: rounded(t, "nearest")), only("ceil")),
        "floor + 1": Mutant("a power of two has the next one", of_quotient(lambda t: floor(t) + 1), only("ceil")),
        "cut off": Mutant("the exponent is cut off toward zero", of_quotient(
            lambda t: rounded(t, "ceil") if t < 1 else floor(t))),
        "nearest number": Mutant(
            "the nearer power: the bound is 1.5 and not √2", of_quotient(nearest_number), only("nearest")),
        "float32 logarithm": Mutant("a float32 logarithm is rounded", by(logarithm(np.log2, np.float32(2)))),
        "float64 logarithm": Mutant(
            "a float64 logarithm is rounded, which has few places left at 2⁴⁰", by(logarithm(np.log2, np.float64(2)))),
        "log s / log 2": Mutant(
            "of two natural logarithms in float64 the quotient is too large at 2²⁹",
            by(logarithm(np.log, np.float64(2))), only("ceil")),
        "base: e": Mutant("the exponent is the natural logarithm", by(other_base(math.e))),
        "base: 10": Mutant("the exponent is the decimal logarithm", by(other_base(10))),
        "quotient in float32": Mutant("absmax / qmax is rounded to float32 first", by(
            lambda convention, a, q: rounded(float(np.float32(np.float32(a) / np.float32(q))), convention))),
        "qmax + 1": Mutant(
            "divided by 128 where qmax is 127",
            by(lambda convention, a, q: rounded(Fraction(a) / Fraction(q + 1), convention))),
        "qmax cut off": Mutant(
            "qmax is an integer", by(lambda convention, a, q: rounded(Fraction(a) / max(int(q), 1), convention))),
        "rounded one by one": Mutant(
            "the power of absmax divided by that of qmax",
            by(lambda convention, a, q: rounded(a, convention) - rounded(q, convention))),
        "multiplied": Mutant(
            "absmax · qmax", by(lambda convention, a, q: rounded(Fraction(a) * Fraction(q), convention))),
        "inverse": Mutant(
            "the reciprocal of the scale",
            by(lambda convention, a, q: -rounded(Fraction(a) / Fraction(q), convention))),
        "frexp": Mutant("frexp's exponent, of a fraction from ½ to 1", of_quotient(lambda t: math.frexp(t)[1])),
        "one scale for all": Mutant("that of the largest absmax", lambda convention, absmax, qmax: scales(
            convention, np.full_like(absmax, absmax.max()), qmax)),
        "subnormals are zero": Mutant("a scale below 2⁻¹²⁶ becomes 0", flushed),
        "exponent for scale": Mutant("the exponents themselves", lambda convention, absmax, qmax: {
            "s": np.array(exponents(convention, absmax, qmax), absmax.dtype)}),
        "dtype: float64": Mutant("the scales are float64 whatever absmax is", in_dtype(np.float64)),
        "dtype: float32": Mutant("the scales are float32 whatever absmax is", in_dtype(np.float32)),
    },
    provenance="tests/oracles/power_of_two.py, Fraction",
)  # fmt: skip

STEM = Stem({"scale": SCALE})
