"""Vectors of the readings of a neuron's gradient: one number for its weights' and its bias's."""

from fractions import Fraction

import numpy as np

from tests.oracles import reduction as oracle
from tests.vectors.specification import Function, Mutant, Stem

READINGS = ("sum", "mean", "mean_abs", "l2", "bias")
OF_ALL, MEANS = READINGS[:-1], ("mean", "mean_abs")  # of all parameters; divided by their number

LAYERS = (  # dW, db; with a bias every neuron has 4 parameters or 2, without one 4 or 1
    ([[6.0]], None),
    ([[-6.0]], None),
    ([[3.0]], [4.0]),
    ([[3.0]], [-4.0]),
    ([[1.0, -5.0, -1.0]], [3.0]),
    ([[1.0, -5.0, -1.0], [2.0, -4.0, 5.0]], [3.0, 6.0]),
    ([[1.0, -5.0, -1.0, 3.0], [2.0, -4.0, 5.0, 6.0]], None),
    ([[[1.0, -5.0, -1.0, 3.0]], [[2.0, -4.0, 5.0, 6.0]], [[-2.0, 4.0, -4.0, 0.0]]], None),
    ([[[[1.0]], [[-5.0]], [[-1.0]]], [[[2.0]], [[-4.0]], [[5.0]]]], [3.0, 6.0]),
    ([[[[1.0, -5.0]], [[-1.0, 3.0]]], [[[2.0, -4.0]], [[5.0, 6.0]]], [[[-2.0, 4.0]], [[-4.0, 0.0]]]], None),
)
LARGE = 2.0**127  # in float32, twice this and its square are infinite
SINGLE = (
    ([[1.0, -5.0, -1.0]], [3.0]),
    ([[LARGE, LARGE, LARGE, LARGE]], None),
    ([[-LARGE, LARGE, LARGE, LARGE]], None),
    ([[3 * 2.0**100]], [4 * 2.0**100]),
    ([[3 * 2.0**-80]], [4 * 2.0**-80]),
    ([[2.0**24]], [1.0]),
)


def fractions(dW, db):
    """Every neuron's parameters, exactly."""
    return [[Fraction(float(value)) for value in row] for row in rows(dW, db)]


def is_exact(reading, dW, db):
    """Whether the result is a float as it is: no root and no quotient rounds."""
    if reading in ("sum", "bias"):
        return True
    for found, values in zip(oracle.neuron_gradients(dW, db, reading), fractions(dW, db), strict=True):
        if reading == "l2" and Fraction(found) ** 2 != sum(v * v for v in values):
            return False
        if reading != "l2" and Fraction(found) * len(values) != sum(
            map(abs if reading == "mean_abs" else Fraction, values)
        ):
            return False
    return True


def layers(reading):
    for dtype, pairs in ((np.float64, LAYERS), (np.float32, SINGLE)):
        for dW, db in pairs:
            inputs = {"dW": np.array(dW, dtype), "db": None if db is None else np.array(db, dtype)}
            if (db is not None or reading != "bias") and is_exact(reading, **inputs):
                yield inputs


def rows(dW, db):
    """(n, K + 1) float64: every neuron's parameters, or (n, K) without biases."""
    flat = dW.reshape(len(dW), -1).astype(np.float64)
    return flat if db is None else np.column_stack([flat, db])


REDUCE = {
    "sum": lambda values, P: values.sum(axis=1),
    "mean": lambda values, P: values.sum(axis=1) / P,
    "mean_abs": lambda values, P: np.abs(values).sum(axis=1) / P,
    "l2": lambda values, P: np.sqrt((values**2).sum(axis=1)),
    "bias": lambda values, P: values[:, -1],
}


def variant(sentence, function, *readings):
    """A variant from function(reading, dW, db) for these readings, all unless given."""

    def answer(reading, dW, db):
        found = function(reading, dW, db)
        return None if found is None else {"g": np.asarray(found, np.float64)}

    return Mutant(sentence, answer, lambda reading: reading in (readings or READINGS))


def another(reading):
    def answer(convention, dW, db):
        if reading == "bias" and db is None:
            return None
        return {"g": np.array(oracle.neuron_gradients(dW, db, reading))}

    return Mutant(f"reduced by {reading}", answer, lambda convention: convention != reading)


def with_divisor(P):
    """The reading with the divisor P(dW, db)."""
    return lambda reading, dW, db: REDUCE[reading](rows(dW, db), P(dW, db))


def of_values(values):
    """The reading of values(dW, db), (n, …), which P goes by too."""

    def function(reading, dW, db):
        found = values(dW, db)
        return REDUCE[reading](found, found.shape[1])

    return function


def of_one_layer(reading, dW, db):
    values = rows(dW, db).reshape(1, -1)
    return np.full(len(dW), REDUCE[reading](values, values.shape[1])[0])


def from_sums(reading, dW, db):
    """The bias joins what the weights gave."""
    weights = REDUCE[reading](rows(dW, None), dW[0].size)
    return weights if db is None else weights + np.abs(db)


def modulus_of_the_sum(reading, dW, db):
    total = np.abs(rows(dW, db).sum(axis=1))
    return total if reading == "sum" else total / parameters(dW, db)


def in_float32(where):
    """The reading in float32 where(narrow, wide), the results in float32 and in float64; in float64 elsewhere."""

    def function(reading, dW, db):
        with np.errstate(all="ignore"):
            values = rows(dW, db)
            wide = REDUCE[reading](values, values.shape[1])
            narrow = REDUCE[reading](values.astype(np.float32), np.float32(values.shape[1])).astype(np.float64)
        return np.where(where(narrow, wide), narrow, wide)

    return function


def in_their_dtype(reading, dW, db):
    with np.errstate(over="ignore"):
        return {"g": np.array(oracle.neuron_gradients(dW, db, reading), dW.dtype)}


def parameters(dW, db):
    return dW[0].size + (db is not None)


NEURON_GRADIENTS = Function(
    summary="one number for every neuron's gradient, over its incoming weights and its bias; mean, mean_abs: "
    "divided by their number, the bias counted",
    parameters={
        "dW": "(n, …) float32 or float64 array, row i belongs to neuron i",
        "db": "(n,) array of the same dtype, or null for a layer without biases",
    },
    returns={"g": "(n,) float64 array, of sums that neither overflow nor vanish in float32"},
    conventions=tuple((reading,) for reading in READINGS),
    candidates=layers,
    expected=lambda reading, dW, db: {"g": np.array(oracle.neuron_gradients(dW, db, reading))},
    mutants={
        **{f"reading: {reading}": another(reading) for reading in READINGS},
        "bias left out": variant("the weights alone", of_values(lambda dW, db: rows(dW, None)), *OF_ALL),
        "bias not in the divisor": variant("divided by K", with_divisor(lambda dW, db: dW[0].size), *MEANS),
        "a bias always in the divisor": variant(
            "divided by K + 1 also without biases", with_divisor(lambda dW, db: dW[0].size + 1), *MEANS
        ),
        "divisor: neurons": variant("divided by n", with_divisor(lambda dW, db: len(dW)), *MEANS),
        "divisor: all parameters": variant(
            "divided by the parameters of the whole layer",
            with_divisor(lambda dW, db: len(dW) * parameters(dW, db)),
            *MEANS,
        ),
        "|Σ|": variant("the modulus of the sum, not the sum of the moduli", modulus_of_the_sum, "sum", *MEANS),
        "Σ|·|": variant("the sum of the moduli", lambda reading, dW, db: np.abs(rows(dW, db)).sum(axis=1), "sum", "l2"),
        "|bias|": variant("the bias without its sign", lambda reading, dW, db: np.abs(db), "bias"),
        "last weight for the bias": variant("of the weights", lambda reading, dW, db: rows(dW, None)[:, -1], "bias"),
        "root missing": variant("the sum of squares", lambda reading, dW, db: (rows(dW, db) ** 2).sum(axis=1), "l2"),
        "root of the mean square": variant(
            "divided by the number of parameters",
            lambda reading, dW, db: np.sqrt((rows(dW, db) ** 2).mean(axis=1)),
            "l2",
        ),
        "largest": variant("the largest modulus", lambda reading, dW, db: np.abs(rows(dW, db)).max(axis=1), "l2"),
        "bias joins the result": variant("|bias| is added to the weights' norm", from_sums, "l2"),
        "axis: inputs": variant(
            "one number for every input, over the neurons",
            lambda reading, dW, db: REDUCE[reading](rows(dW, None).T, len(dW)),
            *OF_ALL,
        ),
        "first channel only": variant(
            "of a convolution, the first input channel",
            of_values(lambda dW, db: rows(dW[:, :1] if dW.ndim > 2 else dW, db)),
            *OF_ALL,
        ),
        "scope: layer": variant("one number for the whole layer", of_one_layer, *OF_ALL),
        "precision: single": variant(
            "added in float32, where a bias gets lost",
            in_float32(lambda narrow, wide: np.isfinite(narrow)),
            "sum",
            *MEANS,
        ),
        "overflow": variant(
            "a sum that has no float32 is infinite", in_float32(lambda narrow, wide: np.isinf(narrow)), *OF_ALL
        ),
        "underflow": variant("squares that have no float32 are 0", in_float32(lambda narrow, wide: narrow == 0), "l2"),
        "dtype: as the gradients": Mutant("float32 for float32", in_their_dtype),
    },
    provenance="tests/oracles/reduction.py, Fraction",
)

MOMENTS = (
    ([[2.0]], None),
    ([[-2.0]], None),
    ([[3.0, 4.0, 0.0]], [0.0]),
    ([[1.0, 5.0, 1.0]], [3.0]),
    ([[1.0, 5.0, 1.0], [2.0, 4.0, 5.0]], [3.0, 6.0]),
    ([[1.0, -5.0, -1.0], [2.0, -4.0, 5.0]], [3.0, 6.0]),
    ([[1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]], [0.0]),
    ([[[1.0, 5.0, 1.0, 3.0]], [[2.0, 4.0, 5.0, 6.0]], [[2.0, 4.0, 4.0, 0.0]]], None),
    ([[[[1.0, 5.0]], [[1.0, 3.0]]], [[[2.0, 4.0]], [[5.0, 6.0]]], [[[2.0, 4.0]], [[4.0, 0.0]]]], None),
)
WIDE = (([[3 * 2.0**100, 4 * 2.0**100, 0.0]], [0.0]), ([[3 * 2.0**-80, 4 * 2.0**-80, 0.0]], [0.0]))


def moments(convention):
    for dtype, pairs in ((np.float64, MOMENTS), (np.float32, WIDE)):
        for W, b in pairs:
            yield {"W_moments": np.array(W, dtype), "b_moments": None if b is None else np.array(b, dtype)}


def combined(sentence, function):
    """A variant from function(values), values being (n, parameters)."""

    def answer(convention, W_moments, b_moments):
        with np.errstate(all="ignore"):
            return {"moment": np.asarray(function(rows(W_moments, b_moments)), np.float64)}

    return Mutant(sentence, answer)


def rms(values, P=None):
    return np.sqrt((values**2).sum(axis=1) / (P or values.shape[1]))


def rms_of(sentence, values, P):
    """A variant of the root of the mean square from what is squared, values(W, b), and its divisor, P(W, b)."""

    def answer(convention, W_moments, b_moments):
        return {"moment": rms(values(W_moments, b_moments), P(W_moments, b_moments))}

    return Mutant(sentence, answer)


RMS = Function(
    summary="one number for every neuron from a moment (mean or std) of each of its parameters: their root mean "
    "square, in float64",
    parameters={
        "W_moments": "(n, …) float32 or float64 array, row i belongs to neuron i",
        "b_moments": "(n,) array of the same dtype, or null for a layer without biases",
    },
    returns={"moment": "(n,) float64 array, ≥ 0"},
    candidates=moments,
    expected=lambda convention, W_moments, b_moments: {
        "moment": np.array(oracle.rms_of_parameter_moments(W_moments, b_moments))
    },
    mutants={
        "mean": combined("the mean of the moments", lambda values: values.mean(axis=1)),
        "mean of the moduli": combined("|·| for squares", lambda values: np.abs(values).mean(axis=1)),
        "norm": combined("not divided", lambda values: np.sqrt((values**2).sum(axis=1))),
        "mean square": combined("the root is missing", lambda values: (values**2).mean(axis=1)),
        "root before the divisor": combined(
            "√Σ/P for √(Σ/P)", lambda values: np.sqrt((values**2).sum(axis=1)) / values.shape[1]
        ),
        "largest": combined("the largest modulus", lambda values: np.abs(values).max(axis=1)),
        "square of the mean": combined("√(mean²)", lambda values: np.abs(values.mean(axis=1))),
        "scope: layer": combined("one number for the whole layer", lambda v: np.full(len(v), rms(v.reshape(1, -1))[0])),
        "bias left out": rms_of("the weights alone", lambda W, b: rows(W, None), lambda W, b: W[0].size),
        "bias not in the divisor": rms_of("divided by K", rows, lambda W, b: W[0].size),
        "a bias always in the divisor": rms_of(
            "divided by K + 1 also without biases", rows, lambda W, b: W[0].size + 1
        ),
        "first channel only": rms_of(
            "of a convolution, the first input channel",
            lambda W, b: rows(W[:, :1] if W.ndim > 2 else W, b),
            lambda W, b: rows(W[:, :1] if W.ndim > 2 else W, b).shape[1],
        ),
        "precision: single": combined(
            "squared in float32, whose range the squares leave", lambda v: rms(v.astype(np.float32)).astype(np.float64)
        ),
    },
    provenance="tests/oracles/reduction.py, Fraction",
)

STEM = Stem({"neuron_gradients": NEURON_GRADIENTS, "rms_of_parameter_moments": RMS})
