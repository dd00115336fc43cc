"""Properties of the moments in one pass."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import at_times_longer, longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.pruning import streaming_moments
from refcompress.formulas.pruning.streaming_moments import Moments


def _update(count: int, mean: np.ndarray, m2: np.ndarray, gradient: np.ndarray) -> tuple[Any, ...]:
    return tuple(streaming_moments.update(Moments(count, mean, m2), gradient))


def _merge(
    count_a: int, mean_a: np.ndarray, m2_a: np.ndarray, count_b: int, mean_b: np.ndarray, m2_b: np.ndarray
) -> tuple[Any, ...]:
    return tuple(streaming_moments.merge(Moments(count_a, mean_a, m2_a), Moments(count_b, mean_b, m2_b)))


def _std(count: int, m2: np.ndarray, ddof: int) -> np.ndarray:
    return streaming_moments.std(Moments(count, m2, m2), ddof=ddof)


def _from_shifted_sums(count: int, shift: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> tuple[Any, ...]:
    found = streaming_moments.from_shifted_sums(count, shift, sums, squares)
    return found.mean, found.m2


def _ddof(convention: str) -> int:
    return 1 if convention == "ddof_1" else 0


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "update": lambda convention: _update,
    "merge": lambda convention: _merge,
    "std": lambda convention: partial(_std, ddof=_ddof(convention)),
    "from_shifted_sums": lambda convention: _from_shifted_sums,
}
UNIT = 2.0**-53
FLOATS = st.floats(-1e3, 1e3, width=32)  # their squares neither overflow nor underflow
SIZES = st.floats(0, 1e3, width=32)
POWERS = st.sampled_from([2.0, -1.0, -0.5, 2.0**20, -(2.0**-20)])


@st.composite
def _run(draw: st.DrawFn, neurons: int, low: int = 0) -> list[Any]:
    """Count, means and M₂, each as they are or of no value at all."""
    count = draw(st.integers(low, 9))
    mean, m2 = (np.array(draw(st.lists(x, min_size=neurons, max_size=neurons))) for x in (FLOATS, SIZES))
    return [count, mean * (count > 0) + 0.0, m2 * (count > 1)]


@st.composite
def updates(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A run of 1 or 2 neurons and one more value of each; ±2^k."""
    neurons = draw(st.integers(1, 2))
    run = draw(_run(neurons))
    gradient = np.array(draw(st.lists(FLOATS, min_size=neurons, max_size=neurons)))
    return {"run": run, "gradient": gradient, "factor": draw(POWERS)}


@st.composite
def merges(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Two runs of 1 or 2 neurons, of which one or both may be empty; ±2^k."""
    neurons = draw(st.integers(1, 2))
    return {"a": draw(_run(neurons)), "b": draw(_run(neurons)), "factor": draw(POWERS)}


@st.composite
def exact_updates(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Integers that make 1, 2, 4 or 8 values: all is exact."""
    count = draw(st.sampled_from([1, 0, 3, 7]))
    mean, m2, gradient = (
        np.array(draw(st.lists(st.integers(low, 100).map(float), min_size=2, max_size=2))) for low in (-100, 0, -100)
    )
    return {"count": count, "mean": mean * (count > 0) + 0.0, "m2": m2 * (count > 1), "gradient": gradient}


@st.composite
def exact_merges(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """The same for two runs: their counts make 0, 1, 2, 4 or 8."""
    T = draw(st.sampled_from([2, 4, 8, 1, 0]))
    T_a = draw(st.integers(0, T))
    runs: dict[str, Any] = {}
    for of, count in (("a", T_a), ("b", T - T_a)):
        mean, m2 = (
            np.array(draw(st.lists(st.integers(low, 100).map(float), min_size=2, max_size=2))) for low in (-100, 0)
        )
        runs |= {f"count_{of}": count, f"mean_{of}": mean * (count > 0) + 0.0, f"m2_{of}": m2 * (count > 1)}
    return runs


@st.composite
def squares(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Counts above ddof and M₂."""
    count = draw(st.integers(1 + _ddof(convention), 9))
    return {"count": count, "m2": np.array(draw(st.lists(SIZES, min_size=1, max_size=3)))}


many_squares = at_times_longer(squares, repeated(m2=0))


@st.composite
def sums(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """1, 2, 4 or 8 rows of integers and a constant for every neuron: their sums and moments are exact."""
    rows, neurons = draw(st.sampled_from([2, 1, 4, 8])), draw(st.integers(1, 2))
    integers = st.integers(-50, 50).map(float)
    values = draw(st.lists(integers, min_size=(rows + 1) * neurons, max_size=(rows + 1) * neurons))
    table = np.array(values).reshape(rows + 1, neurons)
    return {"gradients": table[1:], "shift": table[0]}


def exact_sums(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Sums of deviations of such rows from the constant."""
    return sums(convention).map(lambda drawn: _deviations(**drawn))


def _deviations(gradients: np.ndarray, shift: np.ndarray) -> dict[str, Any]:
    deviations = gradients - shift
    found = deviations.sum(axis=0), (deviations**2).sum(axis=0)
    return {"count": len(gradients), "shift": shift, "sums": found[0], "squares": found[1]}


def _totals(run: Any) -> list[tuple[Fraction, Fraction]]:
    """Return every neuron's Σ g = T·mean and Σ g² = M₂ + T·mean², exactly."""
    count, mean, m2 = (np.asarray(part).tolist() for part in run)
    return [(count * Fraction(m), Fraction(s) + count * Fraction(m) ** 2) for m, s in zip(mean, m2, strict=True)]


def _check_totals(found: Any, wanted: list[tuple[Fraction, Fraction]], T: int, largest: float, square: float) -> None:
    """Check the count, Σ g and Σ g² of a result, within the few roundings of each.

    The mean has four roundings of at most 2·max|mean|, so Σ g is within 8·u·T·max|mean|, and what that makes of
    T·mean² within 16·u·T·max|mean|²; M₂ has six of at most M₂ + 4·T·max|mean|².
    """
    assert int(found[0]) == T, f"the count must be {T}, got {found[0]}"
    assert np.isfinite(found[1]).all(), f"the means must be finite, got {found[1]}"
    assert np.isfinite(found[2]).all(), f"M₂ must be finite, got {found[2]}"
    slack = 8 * UNIT * T * largest, 8 * UNIT * (square + 6 * T * largest**2)
    for (total, squared), (right, right_squared) in zip(_totals(found), wanted, strict=True):
        assert abs(total - right) <= slack[0], f"T·mean must be Σ g = {float(right)}, got {float(total)}"
        wrong = f"M₂ + T·mean² must be Σ g² = {float(right_squared)}, got {float(squared)}"
        assert abs(squared - right_squared) <= slack[1], wrong


def _check_stays(found: Any, run: list[Any], T: int) -> None:
    """Check that mean and M₂ are the run's, within four roundings of a mean and what they make of M₂."""
    _, mean, m2 = run
    assert int(found[0]) == T, f"the count must be {T}, got {found[0]}"
    assert (np.abs(found[1] - mean) <= 4 * UNIT * np.abs(mean)).all(), f"the means must stay {mean}, got {found[1]}"
    assert (np.abs(found[2] - m2) <= 4 * UNIT * (m2 + T * mean**2)).all(), f"M₂ must stay {m2}, got {found[2]}"


def counts_one_value_more(
    update: Callable[..., Any], convention: str, run: list[Any], gradient: np.ndarray, factor: float
) -> None:
    """The moments are those of Σ g + g, Σ g² + g² and T + 1, but for roundings."""
    values = map(Fraction, gradient.tolist())
    wanted = [(s + g, q + g * g) for (s, q), g in zip(_totals(run), values, strict=True)]
    largest = max(np.abs(run[1]).max(), np.abs(gradient).max())
    _check_totals(update(*run, gradient), wanted, run[0] + 1, float(largest), float(run[2].max()))


def its_own_mean_adds_nothing(
    update: Callable[..., Any], convention: str, run: list[Any], gradient: np.ndarray, factor: float
) -> None:
    """A value that is the mean leaves mean and M₂ as they are, but for roundings."""
    _check_stays(update(*run, run[1].copy()), run, run[0] + 1)


def update_scales(
    update: Callable[..., Any], convention: str, run: list[Any], gradient: np.ndarray, factor: float
) -> None:
    """Values times ±2^k have means times ±2^k and M₂ times 4^k, to the last bit."""
    _check_scales(update(*run, gradient), update(*_times(run, factor), factor * gradient), factor)


def _times(run: list[Any], factor: float) -> list[Any]:
    return [run[0], factor * run[1], factor**2 * run[2]]


def _check_scales(found: Any, other: Any, factor: float) -> None:
    means, squared = factor * np.asarray(found[1]), factor**2 * np.asarray(found[2])
    assert np.array_equal(other[1], means), f"the means of {factor:g}·g must be {means}, got {other[1]}"
    assert np.array_equal(other[2], squared), f"M₂ of {factor:g}·g must be {squared}, got {other[2]}"


def counts_both_runs(merge: Callable[..., Any], convention: str, a: list[Any], b: list[Any], factor: float) -> None:
    """The moments are those of both Σ g, Σ g² and T together, but for roundings."""
    wanted = [(s + t, p + q) for (s, p), (t, q) in zip(_totals(a), _totals(b), strict=True)]
    largest = max(np.abs(a[1]).max(), np.abs(b[1]).max())
    _check_totals(merge(*a, *b), wanted, a[0] + b[0], float(largest), float((a[2] + b[2]).max()))


def an_empty_run_adds_nothing(
    merge: Callable[..., Any], convention: str, a: list[Any], b: list[Any], factor: float
) -> None:
    """With an empty run, before or after, the moments stay as they are, but for roundings."""
    empty = [0, np.zeros(len(a[1])), np.zeros(len(a[1]))]
    for found in (merge(*a, *empty), merge(*empty, *a)):
        _check_stays(found, a, a[0])


def merge_scales(merge: Callable[..., Any], convention: str, a: list[Any], b: list[Any], factor: float) -> None:
    """Values times ±2^k have means times ±2^k and M₂ times 4^k, to the last bit."""
    _check_scales(merge(*a, *b), merge(*_times(a, factor), *_times(b, factor)), factor)


def is_the_root_of_m2(std: Callable[..., Any], convention: str, count: int, m2: np.ndarray) -> None:
    """The square of the std times T − ddof is M₂, but for roundings."""
    found = np.asarray(std(count, m2))
    squared = found * found * (count - _ddof(convention))
    close = np.abs(squared - m2) <= 8 * UNIT * m2  # two roots and a quotient at most, whose errors the square doubles
    assert close.all(), f"std²·{count - _ddof(convention)} must be {m2}, got {squared}"


def std_scales(std: Callable[..., Any], convention: str, count: int, m2: np.ndarray) -> None:
    """Four times the M₂ have twice the std, to the last bit, and 0 has 0."""
    wanted, found = 2 * np.asarray(std(count, m2)), np.asarray(std(count, 4 * m2))
    assert np.array_equal(found, wanted), f"the stds of 4·M₂ must be {wanted}, got {found}"
    nothing = np.asarray(std(count, np.zeros(2)))
    assert (nothing == 0).all(), f"the stds of M₂ = 0 must be 0, got {nothing}"


def the_constant_does_not_matter(
    from_shifted_sums: Callable[..., Any], convention: str, gradients: np.ndarray, shift: np.ndarray
) -> None:
    """Deviations from any constant give the same mean and M₂ as those from 0 (exactly, as they are integers)."""
    wanted = from_shifted_sums(*_deviations(gradients, np.zeros_like(shift)).values())
    found = from_shifted_sums(*_deviations(gradients, shift).values())
    for name, right, other in zip(("means", "M₂"), wanted, found, strict=True):
        assert np.array_equal(right, other), f"the {name} about 0 are {right}, but {other} about {shift}"


def is_of_these_values(
    from_shifted_sums: Callable[..., Any], convention: str, gradients: np.ndarray, shift: np.ndarray
) -> None:
    """T·mean is Σ g, and M₂ + T·mean² is Σ g²; M₂ is not below 0."""
    mean, m2 = map(np.asarray, from_shifted_sums(*_deviations(gradients, shift).values()))
    T, total, squared = len(gradients), gradients.sum(axis=0), (gradients**2).sum(axis=0)
    assert np.array_equal(T * mean, total), f"T·mean must be Σ g = {total}, got {T * mean}"
    assert (m2 >= 0).all(), f"M₂ must not be below 0, got {m2}"
    assert np.array_equal(m2 + T * mean**2, squared), f"M₂ + T·mean² must be Σ g² = {squared}, got {m2 + T * mean**2}"


PROPERTIES = (
    Property("update", counts_one_value_more, updates),
    Property("update", its_own_mean_adds_nothing, updates),
    Property("update", update_scales, updates),
    Property("merge", counts_both_runs, merges),
    Property("merge", an_empty_run_adds_nothing, merges),
    Property("merge", merge_scales, merges),
    Property("std", is_the_root_of_m2, many_squares),
    Property("std", std_scales, many_squares),
    Property("from_shifted_sums", the_constant_does_not_matter, sums),
    Property("from_shifted_sums", is_of_these_values, sums),
)
AGREES = {"update": exact_updates, "merge": exact_merges, "from_shifted_sums": exact_sums}
LONGER = {
    "update": longer(exact_updates, repeated(mean=0, m2=0, gradient=0)),
    "merge": longer(exact_merges, repeated(mean_a=0, m2_a=0, mean_b=0, m2_b=0)),
    "from_shifted_sums": longer(exact_sums, repeated(shift=0, sums=0, squares=0)),
}
