"""Vectors of entropy calibration: few bins of whole numbers, and a divergence that is less than all others by 1/100."""

from fractions import Fraction
from functools import cache

import numpy as np

from tests.oracles import entropy as oracle
from tests.vectors.specification import Function, Mutant, Stem

EPSILON = 1e-4


def counted(counts):
    """Values in the middles of equal bins from −B to B, so many in each, but one in the last bin is B itself."""
    bins = len(counts)
    values = [2 * k + 1 - bins for k, n in enumerate(counts) for _ in range(n)]
    return [*values[:-1], bins]


def literals():
    yield [-4, -2, 0, 0, 2, 4], 4, 2  # on borders
    yield [-8, -6, -4, -4, 0, 2, 2, 6, 8], 8, 2
    yield [0, 7], 7, 4
    yield [3, 3, 1, 4], 4, 2
    yield [2.5, 2.5], 4, 2
    for counts in ([0, 3, 3, 1], [3, 3, 3, 1], [1, 0, 1, 2, 3, 0, 2], [2, 3, 0, 1, 5, 1], [4, 0, 0, 1], [1, 2, 2, 1]):
        yield counted(counts), len(counts), 2
    yield counted([1, 0, 1, 2, 1, 0, 1, 2]), 8, 3
    yield counted([0, 1, 2, 2, 1, 1]), 6, 6
    rng = np.random.default_rng(0)
    for k in range(80):
        bins, target = ((5, 2), (8, 4), (7, 4), (6, 2))[k % 4]
        counts = rng.integers(0, 4, bins - 1) * rng.integers(0, 2, bins - 1)
        yield counted([*counts.tolist(), 1]), bins, target
        yield [*(2 * rng.integers(-4, 4, 3) + 1).tolist(), 9], 9, 5  # on borders


def candidates(convention):
    for values, bins, target in literals():
        dtype = np.float64 if values[0] == 2.5 or len(values) % 5 == 0 else np.float32
        x = np.array(values, dtype)
        if is_clear(tuple(values), bins, target):
            yield {"x": x.reshape(2, -1) if values == [3, 3, 1, 4] else x, "bins": bins, "target_bins": target}


@cache
def found(values, bins, target):
    """Every candidate of the exact values, with its ends."""
    x = [Fraction(v) for v in values]
    largest = max(map(abs, x))
    every = oracle.candidates(oracle.histogram(x, bins, largest), target)
    return [(c.divergence, *clipped(x, *(oracle.edge(k, bins, largest) for k in c[:2]))) for c in every]


def clipped(x, low, high):
    return max(low, min(x)), min(high, max(x))


def is_clear(values, bins, target):
    every = found(values, bins, target)
    least = min(every)
    return all(d > least[0] + Fraction(1, 100) for d, *ends in every if ends != list(least[1:]))


def right(convention, x, bins, target_bins):
    _, low, high = min(found(tuple(x.ravel().tolist()), bins, target_bins), key=lambda candidate: candidate[0])
    return {"low": x.dtype.type(float(low)), "high": x.dtype.type(float(high))}


def histogram(x, bins, first=lambda x: (-np.abs(x).max(), np.abs(x).max()), right_closed=False):
    """Counts and borders; of borders that are no values' places, or belong to the lower bin."""
    low, high = first(x)
    borders = low + (high - low) * np.arange(bins + 1) / bins
    k = np.searchsorted(borders[1:-1], x, "left" if right_closed else "right")
    return np.bincount(k, minlength=bins), borders


def reference(h, start, stop):
    p = h[start:stop].copy()
    p[0] += h[:start].sum()
    p[-1] += h[stop:].sum()
    return p


def inside_only(h, start, stop):
    return h[start:stop].copy()


def mean(total, filled, run):
    return total // filled if filled else 0


def coarse(h, p, target, mean=mean, empties=True, rest="counted"):
    """Q: of what is inside in `target` runs."""
    run = len(h) // target
    q = np.zeros(len(h))
    for t in range(target):
        own = slice(t * run, len(h) if rest == "spread" and t == target - 1 else (t + 1) * run)
        total = h[t * run :].sum() if rest == "counted" and t == target - 1 else h[own].sum()
        q[own] = mean(total, np.count_nonzero(p[own]), own.stop - own.start)
        q[own] *= empties or p[own] != 0
    return q


def smoothed(p):
    empty = p == 0
    return np.where(empty, EPSILON, p - EPSILON * empty.sum() / (~empty).sum())


def divergence(p, q, normal=True):
    if not (p.any() and q.any()):
        return np.inf
    p, q = smoothed(p), smoothed(q)
    if normal:
        p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def without_empty(p, q):
    both = (p > 0) & (q > 0)
    p, q = p / max(p.sum(), 1), q / max(q.sum(), 1)
    return float((p[both] * np.log(p[both] / q[both])).sum())


def distance(p, q):
    return float(np.abs(p / p.sum() - q / q.sum()).sum()) if q.any() else np.inf


def variant(
    histogram=histogram,
    reference=reference,
    of=lambda h, p: h,
    coarse=coarse,
    divergence=divergence,
    first=lambda target: target // 2,
    stop=lambda last, bins: min(last + 1, bins),
    least=0,
    clip=True,
):
    """The calibration with one of its parts exchanged; least is the place among the divergences in order."""

    def answer(convention, x, bins, target_bins):
        h, borders = histogram(x.ravel().astype(float), bins)
        middle, every = bins // 2, []
        for i in range(first(target_bins), middle + 1):
            begin, end = middle - i, stop(middle + i, bins)
            p = reference(h, begin, end)
            q = coarse(of(h[begin:end], p), p, target_bins)
            every.append((divergence(p.astype(float), q), borders[begin], borders[end]))
        if not every:
            return None
        _, low, high = sorted(every, key=lambda candidate: candidate[0])[least]
        low, high = clipped(x.ravel(), low, high) if clip else (low, high)
        return {"low": x.dtype.type(low), "high": x.dtype.type(high)}

    return answer


def in_dtype(dtype):
    return lambda convention, **inputs: {key: dtype(value) for key, value in right(convention, **inputs).items()}


def min_max(convention, x, bins, target_bins):
    return {"low": x.min(), "high": x.max()}


def symmetric(convention, x, bins, target_bins):
    ends = variant(clip=False)(convention, x, bins, target_bins)
    return {"low": -ends["high"], "high": ends["high"]}


def some(function, **options):
    return lambda *arguments: function(*arguments, **options)


THRESHOLD = Function(
    summary="the range whose histogram, made as coarse as the codes are, has the least divergence from itself, both "
    "smoothed with ε = 10⁻⁴ (see the definition); the narrowest such range, its ends not outside of [min x, max x]",
    parameters={
        "x": "float32 or float64 array of any shape",
        "bins": "int, B, of the histogram over −max |x| to max |x|; a bin holds its beginning, the last its end too",
        "target_bins": "int up to bins, T, how many codes the divergence is measured with",
    },
    returns={"low": "scalar of x's dtype, at least min x", "high": "scalar of x's dtype, at most max x"},
    candidates=candidates,
    expected=right,
    mutants={
        "min and max": Mutant("the smallest and the largest value", min_max),
        "largest divergence": Mutant("the last of the candidates, not the first", variant(least=-1)),
        "KL(Q‖P)": Mutant("P and Q change places", variant(divergence=lambda p, q: divergence(q, p))),
        "distance": Mutant("Σ |P − Q|", variant(divergence=distance)),
        "not divided by the sums": Mutant(
            "counts are taken for probabilities", variant(divergence=some(divergence, normal=False))),
        "smoothing: none": Mutant("bins that are empty in P or Q are left out", variant(divergence=without_empty)),
        "P: outside dropped": Mutant(
            "values outside of the range are not added to the ends of P", variant(reference=inside_only)),
        "Q: outside counted": Mutant("Q is made from P, with what is outside in its ends", variant(of=lambda h, p: p)),
        "Q: mean over all bins": Mutant("empty bins count in the mean of a run", variant(
            coarse=some(coarse, mean=lambda total, filled, run: total // run))),
        "Q: mean not cut off": Mutant("the mean of a run is no integer", variant(
            coarse=some(coarse, mean=lambda total, filled, run: total / max(filled, 1)))),
        "Q: sum": Mutant(
            "every bin of a run has its sum",
            variant(coarse=some(coarse, mean=lambda total, filled, run: total * (filled > 0)))),
        "Q: empty stay empty": Mutant(
            "the mean goes only into bins that are not empty in P", variant(coarse=some(coarse, empties=False))),
        "Q: rest dropped": Mutant("the n mod T last bins are in no run", variant(coarse=some(coarse, rest="dropped"))),
        "Q: rest in the last run": Mutant(
            "the last run goes on to the end", variant(coarse=some(coarse, rest="spread"))),
        "candidates: a bin less": Mutant("as many bins on both sides", variant(stop=lambda last, bins: last)),
        "candidates: from T on": Mutant("the narrowest has 2·T bins", variant(first=lambda target: target)),
        "bins: closed on the right": Mutant(
            "a value between two bins is in the lower one", variant(histogram=some(histogram, right_closed=True))),
        "bins: min to max": Mutant("the histogram goes from the smallest to the largest value", variant(
            histogram=some(histogram, first=lambda x: (x.min(), x.max() + (x.min() == x.max()))))),
        "not clipped": Mutant("the ends may be beyond the smallest and the largest value", variant(clip=False)),
        "symmetric": Mutant("−high to high", symmetric),
        "first row": Mutant("only the first row is looked at", lambda convention, x, bins, target_bins: variant()(
            convention, np.atleast_2d(x)[0], bins, target_bins)),
        "dtype: float64": Mutant("the ends are float64 whatever x is", in_dtype(np.float64)),
        "dtype: float32": Mutant("the ends are float32 whatever x is", in_dtype(np.float32)),
    },
    provenance="tests/oracles/entropy.py, Fraction and mpmath",
)  # fmt: skip

STEM = Stem({"threshold": THRESHOLD})
