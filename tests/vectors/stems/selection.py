"""Vectors of the selection by score: thresholds, scores, what goes first, and thresholds that select the same."""

import math

import numpy as np

from tests.oracles import selection as oracle
from tests.vectors.specification import Function, Mutant, Stem

INF = math.inf
SCORES = (
    ([2.0, 1.0], 0.5),
    ([1.0, 1.0], 0.5),
    ([1.0, 2.0], 0.0),
    ([1.0, INF, 2.0], 0.4),
    ([INF, 3.0], 0.5),
    ([INF, 1.0, 2.0], 0.7),
    ([3.0, 2.0, 1.0], 0.7),
    ([2.0, 1.0, 1.0, 1.0], 0.5),
    ([1.0, 2.0, 1.0, 2.0, 1.0], 0.4),
    ([5.0, 3.0, 4.0, 1.0, 2.0], 0.5),
    ([5.0, 3.0, 4.0, 1.0, 2.0], 0.7),
    ([3.0, 1.0, 2.0, 1.0], 0.75),
    ([-2.0, 1.0, -0.5], 0.4),
    ([0.0, -0.0], 0.5),
    ([1 + 2.0**-40, 1.0], 0.5),
    ([3.0, 1.0, 2.0], 1 / 3),  # sixteen threes: of 3, below 1
    ([5.0, 1.0, 4.0, 2.0, 3.0], 0.99),
    ([float(7 * k % 50) for k in range(50)], 0.58),  # 29, in floats below it
)


def scores(convention):
    for score, fraction in SCORES:
        yield {"score": np.array(score), "fraction": fraction}


def indices(values):
    return {"selected": np.array(values, np.int64)}


def right(convention, score, fraction):
    return indices(oracle.smallest(score, fraction))


def by_key(sentence, key):
    """Selects by key(score, index), the smallest first."""

    def answer(convention, score, fraction):
        order = sorted(range(len(score)), key=lambda i: key(float(score[i]), i))
        return indices(sorted(order[: oracle.count(fraction, len(score))]))

    return Mutant(sentence, answer)


def by_count(sentence, count):
    """Selects count(fraction, n) of them."""

    def answer(convention, score, fraction):
        n = len(score)
        order = sorted(range(n), key=lambda i: (score[i], i))
        return indices(sorted(order[: min(max(count(float(fraction), n), 0), n)]))

    return Mutant(sentence, answer)


def in_their_order(convention, score, fraction):
    order = sorted(range(len(score)), key=lambda i: (score[i], i))
    return indices(order[: oracle.count(fraction, len(score))])


def by_threshold(sentence, below):
    """Selects what is below(score, k-th smallest score)."""

    def answer(convention, score, fraction):
        k = oracle.count(fraction, len(score))
        return indices(np.flatnonzero(below(score, np.sort(score)[k - 1])) if k else [])

    return Mutant(sentence, answer)


def others(convention, score, fraction):
    chosen = oracle.smallest(score, fraction)
    return indices([i for i in range(len(score)) if i not in chosen])


def unstable(score, i):
    """A key that tells equal scores apart by something else than their place."""
    return score, -i if i % 2 else i


SMALLEST = Function(
    summary="the ⌊fraction·n⌋ neurons of the smallest scores, the lower index first among equal ones (−0 equals 0)",
    parameters={
        "score": "(n,) float64 array without NaN, may be infinity",
        "fraction": "float64 scalar from 0 to below 1; counted as the decimal that it prints as",
    },
    returns={"selected": "(⌊fraction·n⌋,) array of indices, ascending, of any integer type"},
    candidates=scores,
    expected=right,
    mutants={
        "ties: higher index": by_key("of equal scores the last goes first", lambda s, i: (s, -i)),
        "ties: unstable": by_key("of equal scores any goes first", unstable),
        "largest": by_key("the largest scores go", lambda s, i: (-s, i)),
        "|score|": by_key("by the modulus of the score", lambda s, i: (abs(s), i)),
        "−0 below 0": by_key("zeros are told apart by their sign", lambda s, i: (s, math.copysign(1, s), i)),
        "infinity first": by_key("infinite scores count as none", lambda s, i: (-1 if s == INF else s, i)),
        "precision: single": by_key("scores are rounded to float32 first", lambda s, i: (float(np.float32(s)), i)),
        "first": by_key("the first neurons, whatever their scores", lambda s, i: i),
        "count: round": by_count("rounded to the nearest", lambda f, n: math.floor(f * n + 0.5)),
        "count: ceil": by_count("rounded up, as n − ⌊n·(1 − fraction)⌋ is", lambda f, n: math.ceil(round(f * n, 9))),
        "count: binary floor": by_count("⌊·⌋ of the product in floats", lambda f, n: math.floor(f * n)),
        "count: with ε": by_count("just below an integer is the integer", lambda f, n: math.floor(f * n + 1e-9)),
        "count: one at least": by_count("never none", lambda f, n: max(oracle.count(f, n), 1)),
        "count: one more": by_count("off by one", lambda f, n: oracle.count(f, n) + 1),
        "count: one less": by_count("off by one", lambda f, n: oracle.count(f, n) - 1),
        "threshold: ≤": by_threshold("every score up to the k-th smallest", lambda s, k: s <= k),
        "threshold: <": by_threshold("every score below the k-th smallest", lambda s, k: s < k),
        "order of the scores": Mutant("indices as they are found, not ascending", in_their_order),
        "kept indices": Mutant("the neurons that stay", others),
    },
    provenance="tests/oracles/selection.py, Fraction of the decimal and a plain sort",
    holds=lambda inputs: {"selected": (0, len(inputs["score"]) - 1)},
)  # fmt: skip

LAYERS = (
    ([1.0], [2.0]),
    ([-1.0], [2.0]),
    ([1.0, 4.0], [2.0, 8.0]),
    ([3.0, -1.0, 8.0], [4.0, 1.0, 0.5]),
    ([-5.0, 1.0, -2.0, 0.5], [0.5, 0.0, 4.0, 1.0]),
    ([-8.0, 1.0, -2.0, 0.5, 7.0], [0.5, 0.0, 4.0, 1.0, 3.0]),
)


def layers(convention):
    for mean, std in LAYERS:
        yield {"mean": np.array(mean), "std": np.array(std)}


def thresholds_by(sentence, of_mean, of_std=None):
    """Variants of the two, each from its array."""

    def answer(convention, mean, std):
        return {"tau_mean": np.float64(of_mean(mean)), "tau_std": np.float64((of_std or of_mean)(std))}

    return Mutant(sentence, answer)


def middle(rank):
    """Of |·|, the one at rank(n) in ascending order."""
    return lambda values: np.sort(np.abs(values))[rank(len(values))]


def before_the_middle(values):
    return float(np.mean([middle(lambda n: n // 2)(values), middle(lambda n: max(n // 2 - 1, 0))(values)]))


def medians(convention, mean, std):
    tau_mean, tau_std = oracle.median_thresholds(mean, std)
    return {"tau_mean": np.float64(tau_mean), "tau_std": np.float64(tau_std)}


def medians_exchanged(convention, mean, std):
    tau_mean, tau_std = oracle.median_thresholds(mean, std)
    return {"tau_mean": np.float64(tau_std), "tau_std": np.float64(tau_mean)}


MEDIANS = Function(
    summary="thresholds in the layer's own unit: the medians of |mean| and of std, of an even number the mean of the "
    "two middle values",
    parameters={"mean": "(n,) float64 array", "std": "(n,) float64 array, ≥ 0"},
    returns={"tau_mean": "float64 scalar", "tau_std": "float64 scalar"},
    candidates=layers,
    expected=medians,
    mutants={
        "|·| dropped": thresholds_by("the median of the signed means", np.median),
        "|·| after the median": thresholds_by("the modulus of the median", lambda values: abs(np.median(values))),
        "mean": thresholds_by("the mean of the moduli", lambda values: np.abs(values).mean()),
        "lower middle": thresholds_by("of an even number, the lower of the two", middle(lambda n: (n - 1) // 2)),
        "upper middle": thresholds_by("of an even number, the upper of the two", middle(lambda n: n // 2)),
        "not sorted": thresholds_by(
            "the middle of the array as it is",
            lambda v: (abs(v[(len(v) - 1) // 2]) + abs(v[len(v) // 2])) / 2),
        "always two": thresholds_by("of an odd number, the middle and the one before it", before_the_middle),
        "largest": thresholds_by("the largest", lambda values: np.abs(values).max()),
        "exchanged": Mutant("the two change places", medians_exchanged),
    },
    provenance="tests/oracles/selection.py, Fraction",
)  # fmt: skip

NEURONS = (
    ([1.0], [6.0], 2.0, 2.0),
    ([-4.0], [2.0], 2.0, 2.0),
    ([1.0, -4.0], [6.0, 2.0], 2.0, 2.0),
    ([6.0], [1.0], 2.0, 4.0),
    ([-3.0, 3.0], [1.0, 1.0], 2.0, 1.0),
    ([0.0], [0.0], 0.0, 1.0),
    ([0.0], [1.0], 0.0, 2.0),
    ([2.0], [0.5], 0.0, 2.0),
    ([-2.0], [0.5], 0.0, 2.0),
    ([0.5], [0.0], 1.0, 0.0),
    ([0.5], [0.25], 1.0, 0.0),
    ([49.0], [0.0], 49.0, 1.0),
    ([0.0], [49.0], 1.0, 49.0),
    ([1e300], [0.0], 1e-300, 1.0),
)


def neurons(convention):
    for mean, std, tau_mean, tau_std in NEURONS:
        yield {"mean": np.array(mean), "std": np.array(std), "tau_mean": tau_mean, "tau_std": tau_std}


def scored(sentence, function):
    """A variant from function(mean, std, τ_mean, τ_std)."""

    def answer(convention, mean, std, tau_mean, tau_std):
        with np.errstate(all="ignore"):
            return {"score": function(mean, std, tau_mean, tau_std)}

    return Mutant(sentence, answer)


def ratio(value, tau, of_nothing=0.0, of_something=INF):
    """|value|/τ, and at τ = 0 these two."""
    if tau == 0:
        return np.where(value == 0, of_nothing, of_something)
    return np.abs(value) / tau


def both(join, quotient=ratio):
    return lambda m, s, tm, ts: join(quotient(m, tm), quotient(s, ts))


SCORE = Function(
    summary="the factor by which both thresholds must grow until a neuron is unimportant: "
    "max(|mean|/τ_mean, std/τ_std), quotients rounded once; at τ = 0, 0/0 is 0 and anything else infinity",
    parameters={
        "mean": "(n,) float64 array",
        "std": "(n,) float64 array, ≥ 0",
        "tau_mean": "float64 scalar ≥ 0",
        "tau_std": "float64 scalar ≥ 0",
    },
    returns={"score": "(n,) float64 array"},
    candidates=neurons,
    expected=lambda convention, mean, std, tau_mean, tau_std: {
        "score": np.array(oracle.score(mean, std, float(tau_mean), float(tau_std)))
    },
    mutants={
        "|·| dropped": scored("a negative mean has a negative quotient", lambda m, s, tm, ts: np.maximum(
            np.where(m < 0, m, ratio(m, tm)), ratio(s, ts))),
        "smaller": scored("the smaller of the two", both(np.minimum)),
        "sum": scored("the sum of the two", both(np.add)),
        "product": scored("the product of the two", both(np.multiply)),
        "norm": scored("the root of the sum of squares", both(np.hypot)),
        "mean alone": scored("the std is not looked at", lambda m, s, tm, ts: ratio(m, tm)),
        "std alone": scored("the mean is not looked at", lambda m, s, tm, ts: ratio(s, ts)),
        "τ/value": scored("the quotient upside down", both(np.maximum, lambda v, tau: ratio(tau, np.abs(v).max()))),
        "difference": scored("what is above the threshold", both(np.maximum, lambda v, tau: np.abs(v) - tau)),
        "thresholds exchanged": scored(
            "τ_mean and τ_std change places", lambda m, s, tm, ts: np.maximum(ratio(m, ts), ratio(s, tm))),
        "0/0: NaN": scored("0 over a threshold of 0 is NaN", both(np.maximum, lambda v, tau: ratio(v, tau, np.nan))),
        "0/0: infinity": scored(
            "0 over a threshold of 0 is infinite", both(np.maximum, lambda v, tau: ratio(v, tau, INF))),
        "0/0: 1": scored("0 over a threshold of 0 is 1", both(np.maximum, lambda v, tau: ratio(v, tau, 1.0))),
        "x/0: 0": scored("a threshold of 0 is not looked at", both(np.maximum, lambda v, tau: ratio(v, tau, 0.0, 0.0))),
        "τ + ε": scored(
            "a small number is added so as not to divide by 0",
            both(np.maximum, lambda v, tau: np.abs(v) / (tau + 1e-12))),
        "reciprocal": scored(
            "multiplied by 1/τ, which rounds twice",
            both(np.maximum, lambda v, tau: np.abs(v) * (1 / tau) if tau else ratio(v, tau))),
        "overflow: largest": scored(
            "a quotient beyond the floats is the largest of them",
            both(np.maximum, lambda v, tau: np.minimum(ratio(v, tau), np.finfo(float).max) if tau else ratio(v, tau))),
    },
    provenance="tests/oracles/selection.py, Fraction quotients rounded once",
)  # fmt: skip

SELECTED = (
    ([1.0, 3.0], [0], 2.0, 8.0),
    ([1.0, 3.0], [], 2.0, 8.0),
    ([3.0, 1.0, 2.0, 1.0], [1, 3], 16.0, 1.0),
    ([3.0, 2.0, 1.0, 8.0, 6.0], [0, 1, 2], 2.0, 1.0),
    ([1.0, 1.0, 2.0], [0], 2.0, 1.0),
    ([1.0, 3.0], [0], 0.0, 4.0),
    ([INF, 4.0], [1], 2.0, 1.0),
    ([INF, 0.0, INF], [1], 2.0, 1.0),
    ([INF, INF], [], 2.0, 1.0),
    ([INF, 4.0, INF], [0, 1], 2.0, 1.0),
    ([2.0**1023, 1.5 * 2.0**1023], [0], 2.0**-4, 2.0**-5),
)


def selections(convention):
    for score, selected, tau_mean, tau_std in SELECTED:
        yield {
            "score": np.array(score),
            "selected": np.array(selected, np.int64),
            "tau_mean": tau_mean,
            "tau_std": tau_std,
        }


def separated(convention, score, selected, tau_mean, tau_std):
    values = oracle.separating_thresholds(score, selected.tolist(), float(tau_mean), float(tau_std))
    return dict(zip(("tau_mean", "tau_std"), map(np.float64, values), strict=True))


def of_none(values):
    return max(values, default=0.0)


def three(a):
    return 3 * a or 3.0


def separated_by(
    sentence, factor, of_std=None, beside=lambda a: 3 * a or 3.0, endless=1.0, largest=of_none, smallest=min
):
    """A variant from factor(a, b), where beside(a) stands for an infinite b, and endless is for an infinite a."""

    def answer(convention, score, selected, tau_mean, tau_std):
        a = largest(score[selected].tolist())
        b = smallest(np.delete(score, selected).tolist())
        with np.errstate(all="ignore"):
            b = beside(a) if math.isinf(b) else b
            factors = [f(np.float64(a), np.float64(b)) if a < INF else endless for f in (factor, of_std or factor)]
            return {"tau_mean": np.float64(tau_mean * factors[0]), "tau_std": np.float64(tau_std * factors[1])}

    return Mutant(sentence, answer)


def half_way(a, b):
    return a + (b - a) / 2


def separated_exchanged(*args, tau_mean, tau_std, **inputs):
    return separated(*args, tau_mean=tau_std, tau_std=tau_mean, **inputs)


SEPARATING = Function(
    summary="the thresholds at which P3 selects what has been selected by score: τ·(a + b)/2, a the largest selected "
    "score (0 without any), b the smallest other one; an infinite b counts as 3a (3 for a = 0), an infinite a leaves "
    "τ; (a + b)/2 without intermediate overflow or underflow",
    parameters={
        "score": "(n,) float64 array without NaN, may be infinity",
        "selected": "(k,) int64 array of indices, k < n",
        "tau_mean": "float64 scalar ≥ 0",
        "tau_std": "float64 scalar ≥ 0",
    },
    returns={"tau_mean": "float64 scalar", "tau_std": "float64 scalar"},
    candidates=selections,
    expected=separated,
    mutants={
        "at the largest selected": separated_by("a for (a + b)/2", lambda a, b: a),
        "at the smallest other": separated_by("b for (a + b)/2", lambda a, b: b),
        "half the distance": separated_by("(b − a)/2", lambda a, b: (b - a) / 2),
        "geometric": separated_by("√(a·b)", lambda a, b: np.sqrt(a) * np.sqrt(b)),
        "sum": separated_by("a + b", lambda a, b: a + b),
        "sum overflows": separated_by("(a + b)/2, whose sum can be infinite", lambda a, b: (a + b) / 2),
        "τ_std as it is": separated_by("τ_mean alone grows", half_way, lambda a, b: 1.0),
        "exchanged": Mutant("τ_mean and τ_std change places", separated_exchanged),
        "a of the last": separated_by(
            "the last selected score, not the largest", half_way, largest=lambda values: values[-1] if values else 0.0),
        "b of the first": separated_by(
            "the first other score, not the smallest", half_way, smallest=lambda values: values[0]),
        "infinite b: infinity": separated_by("infinite thresholds", half_way, beside=lambda a: np.inf),
        "infinite b: 3a": separated_by("0 beside a score of 0", half_way, beside=lambda a: 3 * a),
        "infinite b: a": separated_by("no margin above the largest", half_way, beside=lambda a: a),
        "none selected: τ as it is": separated_by(
            "with nothing below them, the thresholds stay", lambda a, b: half_way(a, b) if a >= 0 else 1.0,
            largest=lambda values: max(values, default=-1.0)),
        "infinite a: infinity": separated_by("infinite thresholds", half_way, endless=INF),
    },
    provenance="tests/oracles/selection.py, Fraction",
)  # fmt: skip

STEM = Stem({
    "smallest": SMALLEST,
    "score": SCORE,
    "median_thresholds": MEDIANS,
    "separating_thresholds": SEPARATING,
})  # fmt: skip
