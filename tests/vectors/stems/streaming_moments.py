"""Vectors of the moments in one pass: one value more, two runs together, and from sums about any constant."""

from fractions import Fraction

import numpy as np

from tests.oracles import stability
from tests.oracles import streaming_moments as oracle
from tests.vectors.specification import Function, Mutant, Stem

LARGE = 2.0**27  # its square plus 1 has no float64
SEEN = {}  # the rows of gradients behind a function's inputs: the oracle starts from them


def moments(count, mean, m2):
    means, squares = ([float(value) for value in values] for values in (mean, m2))
    return {"count": np.int64(count), "mean": np.array(means), "m2": np.array(squares)}


def run(rows, neurons=1, copies=1):
    """(count, mean, m2) of rows, as often as copies says; of no rows, what an implementation starts with."""
    count, mean, m2 = oracle.moments(rows) if rows else (0, [0] * neurons, [0] * neurons)
    found = moments(count * copies, mean, [square * copies for square in m2])
    SEEN[key(**found)] = rows, copies
    return int(found["count"]), found["mean"], found["m2"]


def key(count, mean, m2):
    return int(count), tuple(mean.tolist()), tuple(m2.tolist())


MOMENTS = {
    "count": "int, T, the number of values seen",
    "mean": "(n,) float64 array, zeros for T = 0",
    "m2": "(n,) float64 array, Σ (g − mean)², zeros for T = 0",
}
RETURNED = {"count": "int", "mean": "(n,) float64 array", "m2": "(n,) float64 array"}

UPDATES = (  # what has been seen, and one row more; every mean on the way is exact
    ([], [3.0]),
    ([], [-3.0]),
    ([[1.0]], [3.0]),
    ([[3.0]], [1.0]),
    ([[-1.0]], [-5.0]),
    ([[1.0], [3.0]], [8.0]),
    ([[1.0], [3.0]], [2.0]),
    ([[1.0], [1.0], [1.0]], [5.0]),
    ([[1.0, 4.0, -2.0], [3.0, 4.0, 0.0]], [-4.0, 7.0, 2.0]),
    ([[LARGE - 1]], [LARGE + 1]),
    ([[2.0**24]], [2.0**24 + 2]),
)


def updates(convention):
    for rows, row in UPDATES:
        count, mean, m2 = run(rows, len(row))
        yield {"count": count, "mean": mean, "m2": m2, "gradient": np.array(row)}


def updated(convention, gradient, **seen):
    rows, _ = SEEN[key(**seen)]
    return moments(*oracle.moments([*rows, gradient]))


def new_mean(old, g, T):
    return old + (g - old) / T


def grown(m2, old, new, g, T):
    return m2 + (g - old) * (g - new)


def update_by(sentence, mean_of=new_mean, m2_of=grown, count_of=lambda count: count + 1):
    """A variant by mean_of(old, g, T), m2_of(m2, old, new, g, T) and count_of(count)."""

    def answer(convention, count, mean, m2, gradient):
        T = count + 1
        new = mean_of(mean, gradient, T)
        return moments(count_of(count), new, m2_of(m2, mean, new, gradient, T))

    return Mutant(sentence, answer)


def by_squares(m2, old, new, g, T):
    return (m2 + (T - 1) * old * old) + g * g - T * new * new


def in_float32(convention, count, mean, m2, gradient):
    old, square, g = (values.astype(np.float32) for values in (mean, m2, gradient))
    new = new_mean(old, g, np.float32(count + 1))
    return moments(count + 1, new, grown(square, old, new, g, count + 1))


UPDATE = Function(
    summary="count, mean and M₂ = Σ (g − mean)² after one value more for every neuron, in float64: with δ = g − mean, "
    "mean + δ/T and M₂ + δ·(g − the new mean), T the new count",
    parameters={**MOMENTS, "gradient": "(n,) float64 array, g"},
    returns=RETURNED,
    candidates=updates,
    expected=updated,
    mutants={
        "δ² with the old mean": update_by("(g − old mean)²", m2_of=lambda m2, old, new, g, T: m2 + (g - old) ** 2),
        "δ² with the new mean": update_by("(g − new mean)²", m2_of=lambda m2, old, new, g, T: m2 + (g - new) ** 2),
        "|δ| for δ²": update_by("the modulus of the deviation", m2_of=lambda m2, old, new, g, T: m2 + abs(g - new)),
        "Σ g²": update_by("squares of the values", m2_of=lambda m2, old, new, g, T: m2 + g * g),
        "Σ g² − T·mean²": update_by("cancels where the mean is large", m2_of=by_squares),
        "variance": update_by("M₂ divided by T", m2_of=lambda *args: grown(*args) / args[-1]),
        "M₂ starts anew": update_by("what was before is lost", m2_of=lambda m2, *args: grown(0, *args)),
        "δ divided by the old T": update_by("one too few", mean_of=lambda old, g, T: new_mean(old, g, max(T - 1, 1))),
        "δ divided by T + 1": update_by("one too many", mean_of=lambda old, g, T: new_mean(old, g, T + 1)),
        "sum for mean": update_by("not divided", mean_of=lambda old, g, T: old + g),
        "halfway": update_by("the mean of the old mean and g", mean_of=lambda old, g, T: (old + g) / 2),
        "exponential": update_by("a moving average", mean_of=lambda old, g, T: old + (g - old) / 8 if T > 1 else g),
        "first value lost": update_by(
            "the mean stays 0", mean_of=lambda old, g, T: new_mean(old, g, T) if T > 1 else old
        ),
        "scope: layer": update_by(
            "one M₂ for all neurons", m2_of=lambda *args: np.full_like(args[0], grown(*args).sum())
        ),
        "count stays": update_by("T is not counted up", count_of=lambda count: count),
        "precision: single": Mutant("in float32", in_float32),
    },
    provenance="tests/oracles/streaming_moments.py: all values kept, Fraction",
    holds=lambda inputs: {"count": (0, inputs["count"] + 1)},
)

MERGES = (  # two runs and how often each value was seen
    ([], [], 1),
    ([], [[3.0]], 1),
    ([[3.0]], [], 1),
    ([], [[1.0], [3.0]], 1),
    ([[1.0], [3.0]], [], 1),
    ([[1.0]], [[3.0]], 1),
    ([[1.0]], [[3.0], [3.0], [9.0]], 1),
    ([[3.0], [3.0], [9.0]], [[1.0]], 1),
    ([[1.0], [3.0]], [[-6.0], [-8.0]], 1),
    ([[1.0, 4.0, -2.0]], [[5.0, 4.0, 1.0], [3.0, 1.0, 1.0], [7.0, 7.0, 4.0]], 1),
    ([[LARGE - 1]], [[LARGE + 1]], 1),
    ([[2.0**24]], [[2.0**24 + 2]], 1),
    ([[0.0]], [[1.0]], 2**17),
)


def merges(convention):
    for *runs, copies in MERGES:
        neurons = max(len(row) for rows in (*runs, [[0.0]]) for row in rows)
        found = (run(rows, neurons, copies) for rows in runs)
        names = [f"{name}_{of}" for of in "ab" for name in ("count", "mean", "m2")]
        yield dict(zip(names, [part for parts in found for part in parts], strict=True))


def merged(convention, count_a, mean_a, m2_a, count_b, mean_b, m2_b):
    """The runs' rows together; with copies of each, k copies of them."""
    (a, copies), (b, _) = SEEN[key(count_a, mean_a, m2_a)], SEEN[key(count_b, mean_b, m2_b)]
    if not a and not b:
        return moments(0, mean_a, m2_a)
    count, mean, m2 = oracle.moments([*a, *b])
    return moments(count * copies, mean, [square * copies for square in m2])


def merged_mean(a, b, delta, T_a, T_b):
    return a + delta * (T_b / (T_a + T_b))


def merged_m2(m2_a, m2_b, delta, T_a, T_b):
    return m2_a + m2_b + delta * delta * (T_a * T_b / (T_a + T_b))


def merge_by(sentence, mean_of=merged_mean, m2_of=merged_m2, empty=True):
    """A variant by mean_of(a, b, δ, T_a, T_b) and m2_of(M₂_a, M₂_b, δ, T_a, T_b); empty: two empty runs are right."""

    def answer(convention, count_a, mean_a, m2_a, count_b, mean_b, m2_b):
        T = count_a + count_b
        if T == 0:
            return moments(0, mean_a, m2_a) if empty else moments(0, mean_a * np.nan, m2_a * np.nan)
        delta = mean_b - mean_a
        mean = mean_of(mean_a, mean_b, delta, count_a, count_b)
        return moments(T, mean, m2_of(m2_a, m2_b, delta, count_a, count_b))

    return Mutant(sentence, answer)


def between(weight):
    """M₂ with this weight(T_a, T_b) of δ²."""
    return lambda a, b, delta, T_a, T_b: a + b + delta * delta * weight(T_a, T_b)


def product_of_32_bits(T_a, T_b):
    return float(np.int64(T_a * T_b).astype(np.int32)) / (T_a + T_b)


def merge_by_squares(convention, count_a, mean_a, m2_a, count_b, mean_b, m2_b):
    T = count_a + count_b
    mean = merged_mean(mean_a, mean_b, mean_b - mean_a, count_a, count_b) if T else mean_a
    squares = m2_a + count_a * mean_a**2 + (m2_b + count_b * mean_b**2)
    return moments(T, mean, squares - T * mean**2)


def merge_in_float32(convention, count_a, mean_a, m2_a, count_b, mean_b, m2_b):
    if count_a + count_b == 0:
        return moments(0, mean_a, m2_a)
    a, b, m2 = (values.astype(np.float32) for values in (mean_a, mean_b, m2_a + m2_b))
    delta, T_a, T_b = b - a, np.float32(count_a), np.float32(count_b)
    return moments(count_a + count_b, merged_mean(a, b, delta, T_a, T_b), merged_m2(m2, 0, delta, T_a, T_b))


def one_empty(convention, count_a, mean_a, m2_a, count_b, mean_b, m2_b):
    return moments(count_a, mean_a, m2_a) if count_a else moments(count_b, mean_b, m2_b)


MERGE = Function(
    summary="count, mean and M₂ = Σ (g − mean)² of two runs together, either or both of which may be empty: with "
    "δ = mean_b − mean_a, mean_a + δ·T_b/T and M₂_a + M₂_b + δ²·T_a·T_b/T, in float64",
    parameters={f"{name}_{of}": text for of in "ab" for name, text in MOMENTS.items()},
    returns=RETURNED,
    candidates=merges,
    expected=merged,
    mutants={
        "δ² missing": merge_by("what the means differ by is forgotten", m2_of=between(lambda T_a, T_b: 0)),
        "δ² not weighted": merge_by("δ² for δ²·T_a·T_b/T", m2_of=between(lambda T_a, T_b: 1)),
        "δ² · T_a·T_b": merge_by("not divided by T", m2_of=between(lambda T_a, T_b: T_a * T_b)),
        "δ² · T_b/T": merge_by("the weight of the mean", m2_of=between(lambda T_a, T_b: T_b / (T_a + T_b))),
        "T_a·T_b in 32 bits": merge_by("the product overflows", m2_of=between(product_of_32_bits)),
        "|δ| for δ²": merge_by("not squared", m2_of=lambda a, b, delta, *T: merged_m2(a, b, np.sqrt(abs(delta)), *T)),
        "M₂ of variances": merge_by(
            "M₂ weighted like the means, as variances are", m2_of=lambda a, b, delta, T_a, T_b: merged_m2(
                a * T_a / (T_a + T_b), b * T_b / (T_a + T_b), delta, T_a, T_b)),
        "M₂ of a missing": merge_by("a's M₂ is lost", m2_of=lambda a, *args: merged_m2(0, *args)),
        "mean of the means": merge_by("not weighted", mean_of=lambda a, b, *args: (a + b) / 2),
        "weights exchanged": merge_by(
            "δ·T_a/T", mean_of=lambda a, b, delta, T_a, T_b: merged_mean(a, b, delta, T_b, T_a)),
        "empty counts as one": merge_by(
            "the zeros of an empty run are taken for a value",
            mean_of=lambda a, b, delta, T_a, T_b: merged_mean(a, b, delta, max(T_a, 1), max(T_b, 1))),
        "scope: layer": merge_by(
            "δ² is summed over the neurons", m2_of=lambda a, b, delta, *T: merged_m2(a, b, np.linalg.norm(delta), *T)),
        "mean of b": merge_by("the later mean stays", mean_of=lambda a, b, *args: b),
        "both empty: NaN": merge_by("0/0", empty=False),
        "b ignored": Mutant("a run is taken as it is where there is one", one_empty),
        "Σ g² − T·mean²": Mutant("cancels where the mean is large", merge_by_squares),
        "precision: single": Mutant("in float32", merge_in_float32),
    },
    provenance="tests/oracles/streaming_moments.py: all values kept, Fraction",
    holds=lambda inputs: {"count": (0, inputs["count_a"] + inputs["count_b"])},
)  # fmt: skip


def ddof(convention):
    return int(convention.removeprefix("ddof_"))


SQUARES = ((1, [0.0]), (2, [9.0]), (4, [16.0, 0.0, 64.0]), (5, [16.0, 0.0, 64.0]))


def counted(convention):
    """M₂ whose root and whose divisor's root are exact."""
    for count, squares in SQUARES:
        if count - ddof(convention) in (1, 4):
            yield {"count": count, "m2": np.array(squares)}


def std_by(sentence, function, *conventions):
    """A variant from function(M₂, T, ddof)."""

    def answer(convention, count, m2):
        with np.errstate(all="ignore"):
            return {"std": function(m2, count, ddof(convention))}

    return Mutant(sentence, answer, lambda convention: convention in (conventions or ("ddof_0", "ddof_1")))


STD = Function(
    summary="the standard deviation √(M₂/(T − ddof)) of the values seen (P2)",
    parameters={"count": "int, T > ddof", "m2": "(n,) float64 array, Σ (g − mean)²"},
    returns={"std": "(n,) float64 array"},
    conventions=(("ddof_0",), ("ddof_1",)),
    candidates=counted,
    expected=lambda convention, count, m2: {
        "std": np.array([stability.root(Fraction(square) / (count - ddof(convention))) for square in m2.tolist()])
    },
    mutants={
        "divisor: T − 1": std_by("divided by T − 1", lambda m2, T, ddof: np.sqrt(m2 / (T - 1)), "ddof_0"),
        "divisor: T": std_by("divided by T", lambda m2, T, ddof: np.sqrt(m2 / T), "ddof_1"),
        "divisor: T + 1": std_by("divided by one more", lambda m2, T, ddof: np.sqrt(m2 / (T - ddof + 1))),
        "variance": std_by("the root is missing", lambda m2, T, ddof: m2 / (T - ddof)),
        "not divided": std_by("√M₂", lambda m2, T, ddof: np.sqrt(m2)),
        "root before the divisor": std_by("√M₂/T", lambda m2, T, ddof: np.sqrt(m2) / (T - ddof)),
        "standard error": std_by("the mean's", lambda m2, T, ddof: np.sqrt(m2 / (T - ddof) / T)),
    },
    provenance="tests/oracles/stability.py, the root of a Fraction",
)

SHIFTED = (  # rows and the constant; S²/T and S/T are exact
    ([[3.0]], [0.0]),
    ([[1.0], [3.0]], [0.0]),
    ([[1.0], [3.0]], [1.0]),
    ([[1.0], [3.0]], [4.0]),
    ([[-5.0], [3.0], [1.0], [5.0]], [2.0]),
    ([[1.0, 4.0, -2.0], [3.0, 4.0, 0.0]], [1.0, -1.0, 2.0]),
)


def shifted_sums(convention):
    for rows, shift in SHIFTED:
        S, Q = (np.array([float(value) for value in values]) for values in oracle.sums(rows, shift))
        yield known(rows, np.array(shift), S, Q)
    # float32's 24 bits do not hold the square; of three thirds, Q a float below S²/T
    yield known([[4097.0]], np.zeros(1, np.float32), np.array([4097.0], np.float32), np.array([4097.0**2]))
    yield known([[1 / 3]] * 3, np.zeros(1), np.ones(1), np.array([np.nextafter(1 / 3, 0)]))


def known(rows, shift, sums, squares):
    inputs = {"count": len(rows), "shift": shift, "sums": sums, "squares": squares}
    SEEN[len(rows), *(tuple(array.tolist()) for array in (shift, sums, squares))] = rows, 1
    return inputs


def of_sums(mean, m2):
    means, squares = ([float(value) for value in values] for values in (mean, m2))
    return {"mean": np.array(means), "m2": np.array(squares)}


def from_sums(convention, count, **arrays):
    rows, _ = SEEN[count, *(tuple(array.tolist()) for array in arrays.values())]
    _, mean, m2 = oracle.moments(rows)
    return of_sums(mean, m2)


def shifted_mean(c, S, T):
    return c + S / T


def shifted_m2(Q, S, T):
    return np.maximum(Q - S * S / T, 0)


def sums_by(sentence, mean_of=shifted_mean, m2_of=shifted_m2, squared_in=np.float64):
    """A variant by mean_of(c, S, T) and m2_of(Q, S, T), which gets S in this dtype."""

    def answer(convention, count, shift, sums, squares):
        mean = mean_of(shift.astype(np.float64), sums.astype(np.float64), count)
        return of_sums(mean, m2_of(squares, sums.astype(squared_in), count))

    return Mutant(sentence, answer)


FROM_SHIFTED_SUMS = Function(
    summary="mean and M₂ = Σ (g − mean)² from sums of deviations from any constant c: c + S/T and Q − S²/T, at least "
    "0, in float64",
    parameters={
        "count": "int ≥ 1, T",
        "shift": "(n,) float32 or float64 array, c",
        "sums": "(n,) float32 or float64 array, S = Σ (g − c)",
        "squares": "(n,) float32 or float64 array, Q = Σ (g − c)²",
    },
    returns={"mean": "(n,) float64 array", "m2": "(n,) float64 array, ≥ 0"},
    candidates=shifted_sums,
    expected=from_sums,
    mutants={
        "shift forgotten": sums_by("S/T", mean_of=lambda c, S, T: S / T),
        "shift subtracted": sums_by("S/T − c", mean_of=lambda c, S, T: S / T - c),
        "S not divided": sums_by("c + S", mean_of=lambda c, S, T: c + S),
        "shift divided": sums_by("(c + S)/T", mean_of=lambda c, S, T: (c + S) / T),
        "S² not divided": sums_by("Q − S²", m2_of=lambda Q, S, T: np.maximum(Q - S * S, 0)),
        "S² over T²": sums_by("Q − (S/T)²", m2_of=lambda Q, S, T: np.maximum(Q - (S / T) ** 2, 0)),
        "Q alone": sums_by("M₂ about c, not about the mean", m2_of=lambda Q, S, T: Q),
        "variance": sums_by("M₂ divided by T", m2_of=lambda *args: shifted_m2(*args) / args[-1]),
        "below 0": sums_by("what rounding makes negative stays so", m2_of=lambda Q, S, T: Q - S * S / T),
        "modulus": sums_by("what rounding makes negative is turned round", m2_of=lambda Q, S, T: abs(Q - S * S / T)),
        "precision: single": sums_by("S is squared in its float32", squared_in=np.float32),
    },
    provenance="tests/oracles/streaming_moments.py: all values kept, Fraction",
)  # fmt: skip

STEM = Stem({"update": UPDATE, "merge": MERGE, "std": STD, "from_shifted_sums": FROM_SHIFTED_SUMS})
