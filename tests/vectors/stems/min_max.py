"""Vectors of the ends of a range: signs, the order of the values, one value, the smallest numbers."""

import numpy as np

from tests.oracles import min_max as oracle
from tests.vectors.specification import Function, Mutant, Stem

TINY = 2.0**-149  # float32's smallest subnormal

INPUTS = (
    (np.float32, [0.5, -1.0, 2.0]),
    (np.float32, [3.0, 4.0]),
    (np.float32, [-3.0, -4.0]),
    (np.float32, [3.0, -1.0, -2.0]),
    (np.float32, [-0.5]),
    (np.float32, [4.0, 2.5, 1.5]),
    (np.float32, [-4.0, -2.5, -1.5]),
    (np.float32, [[1.0, -1.0, 2.0], [0.5, -3.0, 4.0]]),
    (np.float32, [2.0, 3.0, 2.0, -5.0]),
    (np.float32, [-2.0, 3.0, -5.0, 7.0, 1.0]),
    (np.float32, [3 * TINY, -TINY, -2 * TINY]),
    (np.float64, [0.1, -0.7]),
    (np.float64, [1e300, -1e-300]),
)


def candidates(convention):
    for dtype, values in INPUTS:
        yield {"x": np.array(values, dtype)}


def ends(function):
    """A variant from function(x) -> (low, high), in x's dtype."""

    def answer(convention, x):
        with np.errstate(over="ignore"):
            low, high = function(x)
        return {"low": x.dtype.type(low), "high": x.dtype.type(high)}

    return answer


def largest(function):
    """A variant from function(x) -> a, in x's dtype."""

    def answer(convention, x):
        with np.errstate(over="ignore"):
            return {"a": x.dtype.type(function(x))}

    return answer


def as_integers(x):
    """Comparing bits as signed integers, which turns the order of negative floats around."""
    bits = x.view(np.int32 if x.dtype == np.float32 else np.int64).ravel()
    return x.flat[bits.argmin()], x.flat[bits.argmax()]


def else_if(x):
    low, high = np.inf, -np.inf
    for value in x.flat:
        if value < low:
            low = value
        elif value > high:
            high = value
    return low, high


def in_dtype(dtype, of):
    """A variant that passes through another dtype and stays there."""

    def answer(convention, x):
        with np.errstate(over="ignore"):
            return of(x.astype(dtype))

    return answer


def flushed(x):
    return np.where(np.abs(x) < 2.0**-126, 0, x).astype(x.dtype)


def range_of(x):
    low, high = oracle.min_max(x.ravel().tolist())
    return {"low": x.dtype.type(low), "high": x.dtype.type(high)}


MIN_MAX = Function(
    summary="the smallest and the largest value of an array",
    parameters={"x": "float32 or float64 array of any shape"},
    returns={"low": "scalar of x's dtype", "high": "scalar of x's dtype"},
    candidates=candidates,
    expected=lambda convention, x: range_of(x),
    mutants={
        "0 is put in": Mutant("the range is widened to hold 0", ends(lambda x: (min(x.min(), 0), max(x.max(), 0)))),
        "high starts at the smallest normal number": Mutant(
            "FLT_MIN or DBL_MIN instead of its negative largest, so that no high is below 0",
            ends(lambda x: (x.min(), max(x.max(), np.finfo(x.dtype).tiny)))),
        "else if": Mutant("a value that makes a new low is not compared with high, which starts at −∞", ends(else_if)),
        "compared as integers": Mutant(
            "the bits of the floats are compared: negative ones are in reverse order", ends(as_integers)),
        "symmetric": Mutant("the range is −max |x| to max |x|", ends(lambda x: (-np.abs(x).max(), np.abs(x).max()))),
        "of the magnitudes": Mutant("the smallest and largest |x|", ends(lambda x: (np.abs(x).min(), np.abs(x).max()))),
        "ends exchanged": Mutant("high comes first", ends(lambda x: (x.max(), x.min()))),
        "first and last value": Mutant("the values are taken for sorted", ends(lambda x: (x.flat[0], x.flat[-1]))),
        "first row": Mutant(
            "only the first row is looked at", ends(lambda x: (np.atleast_2d(x)[0].min(), np.atleast_2d(x)[0].max()))),
        "off by one: first value": Mutant(
            "the first value is left out",
            ends(lambda x: (x.flat[1:].min(), x.flat[1:].max()) if x.size > 1 else (0, 0))),
        "off by one: last value": Mutant(
            "the last value is left out",
            ends(lambda x: (x.flat[:-1].min(), x.flat[:-1].max()) if x.size > 1 else (0, 0))),
        "cut off to integers": Mutant(
            "the values pass through an integer", ends(lambda x: (np.trunc(x).min(), np.trunc(x).max()))),
        "by way of float16": Mutant(
            "the values pass through float16",
            ends(lambda x: (x.astype(np.float16).min(), x.astype(np.float16).max()))),
        "subnormals are zero": Mutant(
            "numbers below 2⁻¹²⁶ are flushed to zero", ends(lambda x: (flushed(x).min(), flushed(x).max()))),
        "dtype: float64": Mutant("the ends are float64 whatever x is", in_dtype(np.float64, range_of)),
        "dtype: float32": Mutant("the ends are float32 whatever x is", in_dtype(np.float32, range_of)),
    },
    provenance="tests/oracles/min_max.py, comparisons",
)  # fmt: skip


def magnitude_candidates(convention):
    yield from candidates(convention)
    for dtype, values in ((np.float32, [0.0, 0.0]), (np.float32, [0.0, -2.5, 1.5]), (np.float32, [-0.75, 0.5])):
        yield {"x": np.array(values, dtype)}


def magnitude(x):
    return {"a": x.dtype.type(oracle.absolute_maximum(x.ravel().tolist()))}


def signed_largest(x):
    return x.flat[np.abs(x).argmax()]


ABSOLUTE_MAXIMUM = Function(
    summary="the largest magnitude, end of the smallest symmetric range that clips nothing",
    parameters={"x": "float32 or float64 array of any shape"},
    returns={"a": "scalar of x's dtype, at least 0, and not −0"},
    candidates=magnitude_candidates,
    expected=lambda convention, x: magnitude(x),
    mutants={
        "|·| dropped": Mutant("the largest value", largest(lambda x: x.max())),
        "low end only": Mutant("the magnitude of the smallest value", largest(lambda x: -x.min() + 0)),
        "width": Mutant("the largest minus the smallest value", largest(lambda x: x.max() - x.min())),
        "half of the width": Mutant("as if the range lay around 0", largest(lambda x: (x.max() - x.min()) / 2)),
        "smallest magnitude": Mutant("the least |x|", largest(lambda x: np.abs(x).min())),
        "mean magnitude": Mutant("the mean of |x|", largest(lambda x: np.abs(x).astype(float).mean())),
        "sign kept": Mutant("the value that is largest in magnitude, with its sign", largest(signed_largest)),
        "magnitude of an integer": Mutant(
            "C's abs, which cuts off the fraction", largest(lambda x: np.trunc(np.abs(x)).max())),
        "negative values are 0": Mutant("the largest value, or 0", largest(lambda x: np.maximum(x, 0).max())),
        "first row": Mutant("only the first row is looked at", largest(lambda x: np.abs(np.atleast_2d(x)[0]).max())),
        "off by one: first value": Mutant(
            "the first value is left out", largest(lambda x: np.abs(x.flat[1:]).max(initial=0))),
        "off by one: last value": Mutant(
            "the last value is left out", largest(lambda x: np.abs(x.flat[:-1]).max(initial=0))),
        "−0 for zeros": Mutant(
            "max(−low, high) of zeros is −0", largest(lambda x: np.abs(x).max() if x.any() else -0.0)),
        "by way of float16": Mutant(
            "the values pass through float16", largest(lambda x: np.abs(x.astype(np.float16)).max())),
        "subnormals are zero": Mutant(
            "numbers below 2⁻¹²⁶ are flushed to zero", largest(lambda x: np.abs(flushed(x)).max())),
        "dtype: float64": Mutant("the result is float64 whatever x is", in_dtype(np.float64, magnitude)),
        "dtype: float32": Mutant("the result is float32 whatever x is", in_dtype(np.float32, magnitude)),
    },
    provenance="tests/oracles/min_max.py, comparisons",
)  # fmt: skip

STEM = Stem({"min_max": MIN_MAX, "absolute_maximum": ABSOLUTE_MAXIMUM})
