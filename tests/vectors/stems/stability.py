"""Vectors of the gradient stability: which neurons are unimportant, and the two moments that tell (P1 to P3)."""

import math

import numpy as np

from tests.oracles import stability as oracle
from tests.vectors.specification import Function, Mutant, Stem

LARGE = 2.0**27  # its square plus 1 has no float64

TABLES = (
    [[1.0], [3.0]],
    [[-1.0], [3.0]],
    [[3.0, 2.0, -4.0], [1.0, 2.0, 0.0]],
    [[1.0], [2.0], [6.0]],
    [[-2.0, 1.0], [-1.0, 7.0], [0.0, 4.0]],
)
SINGLE = ([[2.0**24], [1.0], [1.0], [2.0]],)


def tables(convention):
    """Gradients whose mean is exact in whatever order an implementation takes it."""
    for rows in TABLES:
        yield {"gradients": np.array(rows)}
    for rows in SINGLE:
        yield {"gradients": np.array(rows, np.float32)}


GRADIENTS = {"gradients": "(T, n) float32 or float64 array: a row per training iteration, a column per neuron"}


def means(convention, gradients):
    return {"mean": np.array([float(m) for m in oracle.mean(gradients)])}


def mean_of(sentence, function):
    def answer(convention, gradients):
        return {"mean": np.asarray(function(gradients), np.float64)}

    return Mutant(sentence, answer)


def in_float32(gradients):
    total = np.zeros(gradients.shape[1], np.float32)
    for row in gradients.astype(np.float32):
        total += row
    return total / np.float32(len(gradients))


MEAN = Function(
    summary="the mean of every neuron's gradient over training (P1), summed in float64",
    parameters=GRADIENTS,
    returns={"mean": "(n,) float64 array"},
    candidates=tables,
    expected=means,
    mutants={
        "axis: neurons": mean_of("one mean per iteration", lambda g: g.mean(axis=1)),
        "scope: layer": mean_of(
            "every neuron has the mean of the whole layer", lambda g: np.full(g.shape[1], g.mean())
        ),
        "|g| for g": mean_of("the mean of the magnitudes", lambda g: np.abs(g).mean(axis=0)),
        "|mean|": mean_of("the mean without its sign", lambda g: np.abs(g.mean(axis=0))),
        "median": mean_of("the median over the iterations", lambda g: np.median(g, axis=0)),
        "sum": mean_of("not divided by T", lambda g: g.sum(axis=0)),
        "divisor: T − 1": mean_of("divided by T − 1", lambda g: g.sum(axis=0) / (len(g) - 1)),
        "divisor: T + 1": mean_of("divided by T + 1", lambda g: g.sum(axis=0) / (len(g) + 1)),
        "first iteration missing": mean_of("the first of T rows is not summed", lambda g: g[1:].sum(axis=0) / len(g)),
        "last iteration missing": mean_of("the last of T rows is not summed", lambda g: g[:-1].sum(axis=0) / len(g)),
        "last iteration only": mean_of("the gradient of the last row", lambda g: g[-1]),
        "precision: single": mean_of("summed in float32", in_float32),
        "dtype: as the gradients": Mutant(
            "float32 for float32",
            lambda _, gradients: {"mean": means("default", gradients)["mean"].astype(gradients.dtype)},
        ),
    },
    provenance="tests/oracles/stability.py, Fraction",
)


def ddof(convention):
    return int(convention.removeprefix("ddof_"))


DEVIATIONS = {  # sum and mean of squares are exact, on the way too, and so is the root of the divisor, which is 4
    "ddof_0": ((1, 1, -1, -1), (5, -1, -1, -3), (-3, 1, -1, 3)),
    "ddof_1": ((-1, 0, 1, -1, 1), (-5, 1, 1, 0, 3), (-5, 1, 1, 3, 0)),
}


def exact_tables(convention):
    """Gradients whose standard deviations are exact in whatever order an implementation takes them."""
    small, first, second = (np.array([deviations], float).T for deviations in DEVIATIONS[convention])
    for one in (small, first + 5, second - 2, np.hstack([first + 1, 0 * small + 2, -first - 2]), LARGE + first):
        yield {"gradients": one}
    yield {"gradients": (2.0**24 + 10 + 2 * first).astype(np.float32)}


def stds(convention, gradients):
    return {"std": np.array(oracle.std(gradients, ddof(convention)))}


def std_of(sentence, function, applies=lambda convention: True):
    """A variant from function(gradients, divisor)."""

    def answer(convention, gradients):
        wide = gradients.astype(np.float64)
        return {"std": np.asarray(function(wide, len(wide) - ddof(convention)), np.float64)}

    return Mutant(sentence, answer, applies)


def squares(g, about=None):
    return ((g - (g.mean(axis=0) if about is None else about)) ** 2).sum(axis=0)


def by_squares(g, divisor):
    return np.sqrt(np.maximum((g * g).sum(axis=0) - len(g) * g.mean(axis=0) ** 2, 0) / divisor)


def std_in_float32(convention, gradients):
    single = gradients.astype(np.float32)
    deviations = single - in_float32(single)
    total = np.zeros(single.shape[1], np.float32)
    for row in deviations:
        total += row * row
    return {"std": np.sqrt(total / np.float32(len(single) - ddof(convention))).astype(np.float64)}


def divided_by(sentence, other, convention):
    return std_of(sentence, lambda g, divisor: np.sqrt(squares(g) / other(len(g))), lambda own: own == convention)


STD = Function(
    summary="the standard deviation of every neuron's gradient over training (P2), with the divisor T − ddof, in "
    "float64, the mean first",
    parameters=GRADIENTS,
    returns={"std": "(n,) float64 array"},
    conventions=(("ddof_0",), ("ddof_1",)),
    candidates=exact_tables,
    expected=stds,
    mutants={
        "divisor: T − 1": divided_by("divided by T − 1", lambda T: T - 1, "ddof_0"),
        "divisor: T": divided_by("divided by T", lambda T: T, "ddof_1"),
        "divisor: T + 1": std_of("divided by one more", lambda g, divisor: np.sqrt(squares(g) / (divisor + 1))),
        "variance": std_of("the root is missing", lambda g, divisor: squares(g) / divisor),
        "root before the divisor": std_of("√Σ/T for √(Σ/T)", lambda g, divisor: np.sqrt(squares(g)) / divisor),
        "not divided": std_of("√Σ", lambda g, divisor: np.sqrt(squares(g))),
        "about zero": std_of("deviations from 0", lambda g, divisor: np.sqrt(squares(g, 0) / divisor)),
        "about the median": std_of(
            "deviations from the median", lambda g, divisor: np.sqrt(squares(g, np.median(g, axis=0)) / divisor)
        ),
        "about the layer's mean": std_of(
            "deviations from one mean for all neurons", lambda g, divisor: np.sqrt(squares(g, g.mean()) / divisor)
        ),
        "mean absolute deviation": std_of(
            "magnitudes for squares", lambda g, divisor: np.abs(g - g.mean(axis=0)).sum(axis=0) / divisor
        ),
        "sign of the mean": std_of(
            "negative where the mean is", lambda g, divisor: np.copysign(np.sqrt(squares(g) / divisor), g.mean(axis=0))
        ),
        "one pass": std_of("√(Σg² − T·mean²) cancels where the mean is large", by_squares),
        "last iteration missing": std_of(
            "the last of T rows is not summed",
            lambda g, divisor: np.sqrt(((g - g.mean(axis=0))[:-1] ** 2).sum(axis=0) / divisor),
        ),
        "precision: single": Mutant("summed in float32", std_in_float32),
        "dtype: as the gradients": Mutant(
            "float32 for float32",
            lambda convention, gradients: {"std": stds(convention, gradients)["std"].astype(gradients.dtype)},
        ),
    },
    provenance="tests/oracles/stability.py, Fraction",
)

NEURONS = (  # mean, std, τ_mean, τ_std
    ([0.25], [0.25], 0.5, 0.5),
    ([-0.25], [0.25], 0.5, 0.5),
    ([2.0], [0.25], 0.5, 0.5),
    ([-2.0], [0.25], 0.5, 0.5),
    ([-2.0], [3.0], 0.5, 0.5),
    ([0.25], [2.0], 0.5, 0.5),
    ([0.25], [0.5], 0.5, 4.0),
    ([0.5], [0.25], 0.5, 1.0),
    ([-0.5], [0.25], 0.5, 1.0),
    ([0.25], [0.5], 1.0, 0.5),
    ([0.5], [0.25], 1.0, 0.5),
    ([0.25], [0.0625], 1.0, 0.125),
    ([0.5], [0.0625], 1.0, 0.25),
    ([2.0], [0.75], 4.0, 0.5),
    ([0.25], [2.0], 0.5, 4.0),
    ([2.0], [0.25], 4.0, 0.5),
    ([0.0], [0.0], 0.5, 0.5),
    ([0.0], [0.25], 0.5, 0.5),
    ([-0.0], [0.25], 0.5, 0.5),
    ([-0.25], [0.0], 0.5, 0.0),
    ([0.0], [0.0], 0.0, 0.5),
    ([0.0], [0.0], 0.5, 0.0),
    ([0.25], [0.25], math.inf, 0.5),
    ([0.25, 2.0, -0.25], [0.25, 0.25, 0.125], 0.5, 0.5),
    ([-2.0, 0.25, 0.125], [0.25, 0.125, 4.0], 0.5, 0.75),
    ([math.nextafter(0.7, 0)], [0.25], 0.7, 0.5),
    ([0.25], [math.nextafter(0.7, 0)], 0.5, 0.7),
    ([0.5], [math.nextafter(0.35, 0)], 1.0, 0.7),
)


def neurons(convention):
    for mean, std, tau_mean, tau_std in NEURONS:
        yield {"mean": np.array(mean), "std": np.array(std), "tau_mean": tau_mean, "tau_std": tau_std}


def comparison(sentence, function, *conventions):
    """A variant from function(mean, std, τ_mean, τ_std) for these conventions, all unless given."""

    def answer(convention, mean, std, tau_mean, tau_std):
        with np.errstate(all="ignore"):
            return {"unimportant": function(mean, std, tau_mean, tau_std)}

    return Mutant(sentence, answer, lambda convention: convention in (conventions or ("text", "listing")))


def combination(sentence, function):
    """A variant from function(m, s, τ_mean, τ_std), where m and s are what the convention compares."""

    def answer(convention, mean, std, tau_mean, tau_std):
        with np.errstate(all="ignore"):
            compared = (np.abs(mean), std) if convention == "text" else (mean, std / mean)
        return {"unimportant": function(*compared, tau_mean, tau_std)}

    return Mutant(sentence, answer)


def right(convention, mean, std, tau_mean, tau_std):
    return {"unimportant": np.array(oracle.unimportant(mean, std, tau_mean, tau_std, convention))}


def changed(sentence, function):
    """What function(right answer) makes of it."""
    return Mutant(sentence, lambda *args, **inputs: {"unimportant": function(right(*args, **inputs)["unimportant"])})


def thresholds_exchanged(convention, mean, std, tau_mean, tau_std):
    return right(convention, mean, std, tau_std, tau_mean)


def in_single(convention, mean, std, tau_mean, tau_std):
    numbers = (float(np.float32(tau)) for tau in (tau_mean, tau_std))
    return right(convention, mean.astype(np.float32), std.astype(np.float32), *numbers)


UNIMPORTANT = Function(
    summary="which neurons are unimportant (P3); text: |mean| < τ_mean and std < τ_std, "
    "listing: mean < τ_mean and std/mean < τ_std (a quotient of IEEE 754, also over 0 and −0); in float64",
    parameters={
        "mean": "(n,) float64 array",
        "std": "(n,) float64 array, ≥ 0",
        "tau_mean": "float64 scalar ≥ 0, may be infinity",
        "tau_std": "float64 scalar ≥ 0, may be infinity",
    },
    returns={"unimportant": "(n,) bool array"},
    conventions=(("text",), ("listing",)),
    candidates=neurons,
    expected=right,
    mutants={
        "≤ for <: mean": combination("a mean at its threshold passes", lambda m, s, tm, ts: (m <= tm) & (s < ts)),
        "≤ for <: std": combination("a std at its threshold passes", lambda m, s, tm, ts: (m < tm) & (s <= ts)),
        "or for and": combination("one of the two is enough", lambda m, s, tm, ts: (m < tm) | (s < ts)),
        "mean alone": combination("the std is not looked at", lambda m, s, tm, ts: m < tm),
        "std alone": combination("the mean is not looked at", lambda m, s, tm, ts: s < ts),
        "|·| dropped": comparison("any negative mean passes", lambda m, s, tm, ts: (m < tm) & (s < ts), "text"),
        "std/|mean|": comparison(
            "the std is tested relative to the mean",
            lambda m, s, tm, ts: (np.abs(m) < tm) & (s / np.abs(m) < ts),
        ),
        "variance": comparison(
            "the square of the std is tested", lambda m, s, tm, ts: (np.abs(m) < tm) & (s * s < ts), "text"
        ),
        "rule: listing": comparison(
            "mean and std/mean are tested, with their signs", lambda m, s, tm, ts: (m < tm) & (s / m < ts), "text"
        ),
        "rule: text": comparison(
            "|mean| and std are tested", lambda m, s, tm, ts: (np.abs(m) < tm) & (s < ts), "listing"
        ),
        "|·| on the mean": comparison(
            "a negative mean is not always below", lambda m, s, tm, ts: (np.abs(m) < tm) & (s / m < ts), "listing"
        ),
        "|·| on the quotient": comparison(
            "a negative quotient is not always below", lambda m, s, tm, ts: (m < tm) & (np.abs(s / m) < ts), "listing"
        ),
        "multiplied out": comparison(
            "std < τ_std·mean, which turns round at a negative mean",
            lambda m, s, tm, ts: (m < tm) & (s < ts * m),
            "listing",
        ),
        "std not divided": comparison(
            "std is tested for std/mean", lambda m, s, tm, ts: (m < tm) & (s < ts), "listing"
        ),
        "0/0 passes": comparison(
            "not (std/mean ≥ τ_std), which NaN passes", lambda m, s, tm, ts: (m < tm) & ~(s / m >= ts), "listing"
        ),
        "a mean of zero never passes": comparison(
            "std/−0 is not −∞", lambda m, s, tm, ts: (m < tm) & (m != 0) & (s / m < ts), "listing"
        ),
        "mean + ε": comparison(
            "a small number is added so as not to divide by 0",
            lambda m, s, tm, ts: (m < tm) & (s / (m + 1e-8) < ts),
            "listing",
        ),
        "thresholds exchanged": Mutant("τ_mean and τ_std change places", thresholds_exchanged),
        "mask of the important": changed("True where the neuron stays", lambda mask: ~mask),
        "all or nothing": changed("one neuron decides for the layer", lambda mask: np.full(len(mask), mask[0])),
        "precision: single": Mutant("mean, std and thresholds are rounded to float32 first", in_single),
    },
    provenance="tests/oracles/stability.py, Fraction quotients rounded once",
)

STEM = Stem({"unimportant": UNIMPORTANT, "mean": MEAN, "std": STD})
