"""Vectors of analytical clipping: ranges of values whose mean and deviation are exact, and the factors."""

import math
from fractions import Fraction
from functools import cache
from math import erfc, exp, pi, sqrt

import mpmath
import numpy as np
from scipy.optimize import brentq

from tests.oracles import aciq as oracle
from tests.vectors.specification import Function, Mutant, Stem

CONVENTIONS = ("laplace", "gauss", "gauss_ddof1")
ROOT = sqrt(2)
PUBLISHED = {  # the factors in use, in their two digits
    "laplace": {0: 1.05, 1: 1.86, 2: 2.83, 3: 3.89, 4: 5.03, 5: 6.2, 6: 7.41, 7: 8.64, 8: 9.89},
    "gauss": {1: 1.24, 2: 1.71, 3: 2.15, 4: 2.55, 5: 2.93, 6: 3.28, 7: 3.61, 8: 3.92},
}

# each is for those conventions in whose units it is exact
INPUTS = (
    (np.float32, [1, 3], 5.0, False),
    (np.float32, [0, 2, 2, 8], 2.5, False),
    (np.float32, [0, 0, 0, 4], 2.5, False),
    (np.float32, [9, 1, -4, 0], 1.5, False),
    (np.float32, [[2, 8], [0, 2]], 1.5, False),
    (np.float32, [[0, 0], [0, 4]], 1.5, False),
    (np.float32, [2, 2, 2], 5.0, False),
    (np.float32, [0, 2, 2, 8], 1.5, True),
    (np.float32, [1, 1, 1, 5], 1.5, True),
    (np.float32, [2.0**24, 1, 1, 2], 1.0, False),
    (np.float32, [4097, 4099], 2.0, False),
    (np.float32, [4097, 4097, 4097, 4101], 2.0, False),
    (np.float64, [1 + 2.0**-30, 3 - 2.0**-30], 2.0, False),
    (np.float64, [1 + 2.0**-40, 1 + 2.0**-40, 1 + 2.0**-40, 1 + 3 * 2.0**-40], 2.0, False),
)


def exact(x):
    return [Fraction(float(v)) for v in np.ravel(x)]


def has_few_digits(x):
    return x.denominator & (x.denominator - 1) == 0


def is_exact(convention, x):
    """Whether mean and deviation are numbers of float64, so that no sum and no root is rounded."""
    values = exact(x)
    if convention == "laplace":
        return has_few_digits(oracle.mean(values)) and has_few_digits(oracle.deviation(values))
    v = oracle.variance(values, int(convention == "gauss_ddof1"))
    root = Fraction(math.isqrt(v.numerator), math.isqrt(v.denominator))
    return has_few_digits(oracle.mean(values)) and root * root == v and has_few_digits(root)


def candidates(convention):
    for dtype, values, factor, positive in INPUTS:
        if is_exact(convention, values):
            yield {"x": np.array(values, dtype), "factor": np.float64(factor), "positive": positive}


def ends(low, high, dtype):
    return {"low": dtype.type(float(low)), "high": dtype.type(float(high))}


def clip(convention, x, factor, positive):
    distribution, ddof = convention.removesuffix("_ddof1"), int(convention.endswith("ddof1"))
    with mpmath.workdps(40):
        return ends(*oracle.clip(exact(x), mpmath.mpf(float(factor)), distribution, positive, ddof), x.dtype)


def spread(convention, x):
    x = x.astype(np.float64)
    if convention == "laplace":
        return np.abs(x - x.mean()).mean()
    return x.std(ddof=int(convention == "gauss_ddof1"))


def by(spread=spread, middle=lambda x: x.mean(dtype=np.float64), of=lambda x: x):
    """A variant with another deviation spread(convention, x), another middle(x), or of other values."""

    def answer(convention, x, factor, positive):
        v = of(x)
        alpha, mean = factor * spread(convention, v), middle(v)
        return ends(0 if positive else mean - alpha, alpha if positive else mean + alpha, x.dtype)

    return answer


def with_ends(function, whatever=False):
    """A variant from function(mean, alpha) -> (low, high) where x is not positive, or whatever it is."""

    def answer(convention, x, factor, positive):
        mean, alpha = x.mean(dtype=np.float64), factor * spread(convention, x)
        return ends(*(function(mean, alpha) if whatever or not positive else (0, alpha)), x.dtype)

    return answer


def within(convention, x, factor, positive):
    right = clip(convention, x, factor, positive)
    return {"low": max(right["low"], x.min()), "high": min(right["high"], x.max())}


def to_the_sum(convention, x, factor, positive):
    right = clip(convention, x, factor, positive)
    return ends(right["low"], right["high"] + positive * x.mean(dtype=np.float64), x.dtype)


def one_pass(convention, x):
    """The mean of the squares minus the square of the mean, all of it in x's dtype."""
    return np.sqrt(max(np.mean(x * x, dtype=x.dtype) - np.square(np.mean(x, dtype=x.dtype)), 0))


def adding_up(x):
    """The mean of a sum in x's dtype, one value after the other."""
    total = x.dtype.type(0)
    for value in x.ravel():
        total += value
    return total / x.dtype.type(x.size)


def only(*names):
    return lambda convention: convention in names


LAPLACE, GAUSS = only("laplace"), only("gauss", "gauss_ddof1")

CLIP = Function(
    summary="the range of factor times the deviation (laplace: mean |x − mean|; gauss: σ) on both sides of the mean, "
    "or where x is positive from 0 to that product; mean and deviation in float64, the ends rounded once",
    parameters={
        "x": "float32 or float64 array of any shape",
        "factor": "float64 scalar, clipping threshold in units of the deviation, as `factor` gives it",
        "positive": "bool; true where no value is below 0 and the range is to begin there",
    },
    returns={"low": "scalar of x's dtype", "high": "scalar of x's dtype"},
    conventions=tuple((name,) for name in CONVENTIONS),
    candidates=candidates,
    expected=clip,
    mutants={
        "deviation: mean distance": Mutant("Laplace's b", by(lambda c, x: spread("laplace", x)), GAUSS),
        "deviation: n": Mutant(
            "squares are divided by n", by(lambda c, x: spread("gauss", x)), only("laplace", "gauss_ddof1")),
        "deviation: n − 1": Mutant(
            "squares are divided by n − 1", by(lambda c, x: spread("gauss_ddof1", x)), only("laplace", "gauss")),
        "b over n − 1": Mutant(
            "distances are divided by n − 1", by(lambda c, x: spread(c, x) * x.size / (x.size - 1)), LAPLACE),
        "b of the magnitudes": Mutant("the mean of |x|", by(lambda c, x: np.abs(x).mean(dtype=float)), LAPLACE),
        "b around the median": Mutant(
            "distances from the median", by(lambda c, x: np.abs(x - np.median(x)).mean(dtype=float)), LAPLACE),
        "b is a median": Mutant(
            "the median of the distances", by(lambda c, x: np.median(np.abs(x - x.mean(dtype=float)))), LAPLACE),
        "|·| dropped": Mutant("distances with their signs, which add up to 0", by(lambda c, x: 0.0), LAPLACE),
        "variance": Mutant("no root is taken", by(lambda c, x: spread(c, x) ** 2), GAUSS),
        "not centred": Mutant(
            "the root of the mean square", by(lambda c, x: np.sqrt(np.mean(np.square(x, dtype=float)))), GAUSS),
        "one pass": Mutant("the mean square minus the squared mean, in x's dtype", by(one_pass), only("gauss")),
        "sums in x's dtype": Mutant(
            "values are added in float32",
            by(lambda c, x: np.abs(x - adding_up(x)).mean(dtype=float), adding_up), LAPLACE),
        "largest distance": Mutant(
            "the largest distance from the mean", by(lambda c, x: np.abs(x - x.mean(dtype=float)).max())),
        "around 0": Mutant("−α to α", by(middle=lambda x: 0)),
        "around the median": Mutant("the median is the middle", by(middle=np.median), LAPLACE),
        "around the middle": Mutant(
            "the middle of the smallest and the largest value",
            by(middle=lambda x: float(x.min()) / 2 + float(x.max()) / 2)),
        "symmetric": Mutant("±(|μ| + α)", with_ends(lambda mean, alpha: (-abs(mean) - alpha, abs(mean) + alpha))),
        "within the values": Mutant("not beyond the smallest and the largest value", within),
        "α is the whole width": Mutant(
            "α/2 on both sides", with_ends(lambda mean, alpha: (mean - alpha / 2, mean + alpha / 2))),
        "positive: around the mean": Mutant(
            "as if x were not positive", with_ends(lambda mean, alpha: (mean - alpha, mean + alpha), True)),
        "positive: from the mean": Mutant("0 to μ + α", to_the_sum),
        "positive: always": Mutant("0 to α whatever x is", with_ends(lambda mean, alpha: (0, alpha))),
        "first row": Mutant(
            "only the first row is looked at", by(of=lambda x: np.atleast_2d(x)[0])),
        "dtype: float64": Mutant("the ends are float64 whatever x is", lambda c, x, factor, positive: clip(
            c, x.astype(np.float64), factor, positive)),
        "dtype: float32": Mutant("the ends are float32 whatever x is", lambda c, x, factor, positive: clip(
            c, x.astype(np.float32), factor, positive)),
    },
    provenance="tests/oracles/aciq.py, Fraction and mpmath",
)  # fmt: skip


def factor_candidates(convention):
    for bits, positive in ((4, False), (2, False), (3, True)):
        yield {"bits": bits, "positive": positive}


@cache
def best(bits, distribution):
    return float(oracle.factor(bits, distribution))


def solved(bits, positive, distribution, rounding=None, tails=2.0, unit=ROOT):
    """The zero of the slope with another rounding error r·α², other tails of the density, or another unit in erfc."""
    M = bits + positive
    r = 1 / (3 * 4.0**M) if rounding is None else rounding(M)

    def slope(a):
        if distribution == "laplace":
            return 2 * a * r - tails * exp(-a)
        return 2 * a * r - tails * (sqrt(2 / pi) * exp(-a * a / 2) - a * erfc(a / unit))

    return {"alpha": np.float64(brentq(slope, 1e-3, 60.0, xtol=1e-13))}


def variant(**options):
    return lambda convention, bits, positive: solved(bits, positive, convention, **options)


def published(convention, bits, positive):
    alpha = PUBLISHED[convention].get(bits + positive)
    return None if alpha is None else {"alpha": np.float64(alpha)}


def scaled(share):
    """A variant from share(convention, positive), by which the right factor is multiplied."""
    return lambda convention, bits, positive: {
        "alpha": np.float64(best(bits + positive, convention) * share(convention, positive))
    }


FACTOR = Function(
    summary="the clipping threshold with the least expected squared error, in units of Laplace's b or of σ",
    parameters={
        "bits": "int from 1 to 16, M: 2^M levels",
        "positive": "bool; true where only the positive half is quantized, so that the levels lie twice as close",
    },
    returns={"alpha": "float64 scalar, α/b or α/σ"},
    conventions=(("laplace",), ("gauss",)),
    candidates=factor_candidates,
    expected=lambda convention, bits, positive: {"alpha": np.float64(best(bits + positive, convention))},
    mutants={
        "off by one: a bit more": Mutant(
            "levels for M + 1 bits, as where α is taken for the whole width",
            lambda c, bits, positive: solved(bits + 1, positive, c)),
        "off by one: a bit less": Mutant(
            "levels for M − 1 bits", lambda c, bits, positive: solved(bits - 1, positive, c)),
        "positive ignored": Mutant(
            "as many levels as where x is not positive", lambda c, bits, positive: solved(bits, False, c)),
        "positive: half": Mutant("half of the factor", scaled(lambda c, positive: 0.5 if positive else 1)),
        "the other distribution": Mutant(
            "the factor of the normal distribution for Laplace's, or the other way round",
            lambda c, bits, positive: solved(bits, positive, "gauss" if c == "laplace" else "laplace")),
        "the other unit": Mutant(
            "in units of the other deviation: σ = √2·b of Laplace's distribution, b = √(2/π)·σ of the normal one",
            scaled(lambda c, positive: sqrt(0.5) if c == "laplace" else sqrt(pi / 2))),
        "digits: published": Mutant("the two digits of the published table", published),
        "levels: 2^M − 1": Mutant(
            "the width is divided by the steps between levels",
            variant(rounding=lambda M: 1 / (3 * (2.0**M - 1) ** 2))),
        "levels: 2^M for 4^M": Mutant("the width is not squared", variant(rounding=lambda M: 1 / (3 * 2.0**M))),
        "rounding error: Δ²/4": Mutant(
            "that of the worst place between two levels, not the mean Δ²/12", variant(rounding=lambda M: 1 / 4.0**M)),
        "one tail": Mutant("only values above α are clipped", variant(tails=1.0)),
        "erfc(α)": Mutant("erfc of α, not of α/√2", variant(unit=1.0), only("gauss")),
    },
    provenance="tests/oracles/aciq.py, mpmath",
    # far less than the published digits leave out; what a solver in float64 leaves, 10⁻⁹ at most, is far less than this
    tolerance=lambda inputs: {"alpha": 1e-6},
)  # fmt: skip

STEM = Stem({"clip": CLIP, "factor": FACTOR})
