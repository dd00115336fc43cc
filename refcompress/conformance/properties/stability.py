"""Properties of the gradient stability."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import at_times_longer, longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.pruning import stability

UNIT = 2.0**-53


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "unimportant": lambda convention: partial(stability.unimportant, rule=convention),
    "mean": lambda convention: stability.mean,
    "std": lambda convention: partial(stability.std, ddof=_ddof(convention)),
}


def _ddof(convention: str) -> int:
    return 1 if convention == "ddof_1" else 0


def _slack(gradients: np.ndarray) -> float:
    """Return how far a mean or std over T rows may be off.

    The mean: T sums and a quotient, or, updated row by row, three roundings of at most 2·max|g| a row, damped by
    1 − 1/t; the std is a norm of deviations that are as wrong, with T + 3 roundings of its own, and T − 1 in the
    divisor stretches by √2 at most. 16·(T + 4)·u·max|g| covers all of it.
    """
    return 16 * (len(gradients) + 4) * UNIT * float(np.abs(gradients).max())


@st.composite
def _tables(draw: st.DrawFn, elements: st.SearchStrategy[float], rows: st.SearchStrategy[int]) -> np.ndarray:
    shape = draw(rows), draw(st.integers(1, 3))
    values = draw(st.lists(elements, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    return np.array(values).reshape(shape)


TWELVES = st.integers(-100, 100).map(lambda k: 12.0 * k)
FLOATS = st.floats(-1e3, 1e3, width=32)  # their squares neither overflow nor underflow
POWERS = st.sampled_from([2.0, -1.0, -0.5, 2.0**20, -(2.0**-20)])


def exact(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Multiples of 12 in 1, 2 or 4 rows: the mean of the first 1, 2, 3 or 4 is exact, however it is taken."""
    return st.builds(dict, gradients=_tables(TWELVES, st.sampled_from([2, 4, 1])))


def shifted(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same, and a multiple of 12 to add."""
    return st.builds(dict, gradients=_tables(TWELVES, st.sampled_from([2, 4])), shift=TWELVES)


def scaled(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Up to 6 rows, and ±2^k."""
    return st.builds(dict, gradients=_tables(FLOATS, st.integers(2, 6)), factor=POWERS)


def any_table(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """2 to 6 rows."""
    return st.builds(dict, gradients=_tables(FLOATS, st.integers(2, 6)))


def two_rows(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """2 rows."""
    return st.builds(dict, gradients=_tables(FLOATS, st.just(2)))


many_scaled = at_times_longer(scaled, repeated(gradients=0), repeated(gradients=1))
any_long_table = at_times_longer(any_table, repeated(gradients=0), repeated(gradients=1))
two_long_rows = at_times_longer(two_rows, repeated(gradients=1))


def mean_lies_between(mean: Callable[..., Any], convention: str, gradients: np.ndarray) -> None:
    """Every neuron's mean is between its smallest and its largest gradient."""
    found, slack = np.asarray(mean(gradients)), _slack(gradients)
    low, high = gradients.min(axis=0) - slack, gradients.max(axis=0) + slack
    assert found.shape == low.shape, f"there are {low.size} neurons, got shape {found.shape}"
    assert ((low <= found) & (found <= high)).all(), f"means {found} must be within {low} to {high}"


def mean_moves_along(mean: Callable[..., Any], convention: str, gradients: np.ndarray, shift: float) -> None:
    """Gradients that are all larger by c have a mean larger by c (exactly: they are integers)."""
    found, moved = np.asarray(mean(gradients)), np.asarray(mean(gradients + shift))
    assert np.array_equal(moved, found + shift), f"the means of g + {shift:g} must be {found + shift}, got {moved}"


def mean_scales(mean: Callable[..., Any], convention: str, gradients: np.ndarray, factor: float) -> None:
    """Gradients times ±2^k have the mean times ±2^k, to the last bit."""
    found, other = np.asarray(mean(gradients)), np.asarray(mean(factor * gradients))
    assert np.array_equal(other, factor * found), f"the means of {factor:g}·g must be {factor * found}, got {other}"


def std_scales(std: Callable[..., Any], convention: str, gradients: np.ndarray, factor: float) -> None:
    """Gradients times ±2^k have the std times 2^k, to the last bit."""
    wanted, other = abs(factor) * np.asarray(std(gradients)), np.asarray(std(factor * gradients))
    assert np.array_equal(other, wanted), f"the stds of {factor:g}·g must be {wanted}, got {other}"


def std_stays(std: Callable[..., Any], convention: str, gradients: np.ndarray, shift: float) -> None:
    """Gradients that are all larger by c have the same std (exactly: they are integers)."""
    found, moved = np.asarray(std(gradients)), np.asarray(std(gradients + shift))
    assert np.array_equal(moved, found), f"the stds of g + {shift:g} must be {found}, got {moved}"


def std_of_two(std: Callable[..., Any], convention: str, gradients: np.ndarray) -> None:
    """The std of two gradients is their distance over 2, or over √2 with the divisor T − 1."""
    wanted = np.abs(gradients[1] - gradients[0]) / (math.sqrt(2) if _ddof(convention) else 2)
    found = np.asarray(std(gradients))
    assert found.shape == wanted.shape, f"there are {wanted.size} neurons, got shape {found.shape}"
    assert (np.abs(found - wanted) <= _slack(gradients)).all(), f"the stds must be {wanted}, got {found}"


def std_is_within_the_range(std: Callable[..., Any], convention: str, gradients: np.ndarray) -> None:
    """0 ≤ std ≤ (largest − smallest gradient)/2 · √(T/(T − ddof))."""
    found, rows = np.asarray(std(gradients)), len(gradients)
    largest = np.ptp(gradients, axis=0) / 2 * math.sqrt(rows / (rows - _ddof(convention))) + _slack(gradients)
    assert (found >= 0).all(), f"no std is below 0, got {found}"
    assert (found <= largest).all(), f"the stds must be at most {largest}, got {found}"


@st.composite
def neurons(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 5 neurons and thresholds on one grid, so that they meet; zeros of both signs, and infinite thresholds."""
    count = draw(st.integers(1, 5))
    means = st.sampled_from([0.0, -0.0, *(sign * k / 4 for k in (1, 2, 3, 8) for sign in (1, -1))])
    sizes = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0])
    thresholds = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0, math.inf])
    return {
        "mean": np.array(draw(st.lists(means, min_size=count, max_size=count))),
        "std": np.array(draw(st.lists(sizes, min_size=count, max_size=count))),
        "tau_mean": draw(thresholds),
        "tau_std": draw(thresholds),
    }


def looks_at_each_alone(
    unimportant: Callable[..., Any],
    convention: str,
    mean: np.ndarray,
    std: np.ndarray,
    tau_mean: float,
    tau_std: float,
) -> None:
    """Whether a neuron is unimportant does not depend on the others."""
    found = np.asarray(unimportant(mean, std, tau_mean, tau_std))
    parts = [np.asarray(unimportant(mean[i : i + 1], std[i : i + 1], tau_mean, tau_std)) for i in range(len(mean))]
    alone = np.concatenate(parts)
    assert np.array_equal(found, alone), f"the neurons alone give {alone}, together {found}"


def growing_thresholds_keep_neurons(
    unimportant: Callable[..., Any],
    convention: str,
    mean: np.ndarray,
    std: np.ndarray,
    tau_mean: float,
    tau_std: float,
) -> None:
    """What is unimportant stays so when a threshold grows."""
    found = np.asarray(unimportant(mean, std, tau_mean, tau_std))
    for thresholds in ((tau_mean + 0.25, tau_std), (tau_mean, tau_std + 0.25)):
        lost = found & ~np.asarray(unimportant(mean, std, *thresholds))
        assert not lost.any(), f"neurons {np.flatnonzero(lost)} are not unimportant any more at {thresholds}"


def is_strict(
    unimportant: Callable[..., Any],
    convention: str,
    mean: np.ndarray,
    std: np.ndarray,
    tau_mean: float,
    tau_std: float,
) -> None:
    """A neuron is not below thresholds that it reaches, and below the next larger floats."""
    for m, s in zip(np.abs(mean), std, strict=True):
        compared = s if convention == "text" else s / m if m else 0.0
        inputs = np.array([m]), np.array([s])
        above = math.nextafter(m, math.inf), math.nextafter(compared, math.inf)
        for thresholds in ((m, above[1]), (above[0], compared)):
            assert not np.any(unimportant(*inputs, *thresholds)), f"{m:g}, {s:g} must not be below {thresholds}"
        if convention == "text" or m:
            assert np.all(unimportant(*inputs, *above)), f"{m:g}, {s:g} must be below the floats next to them"


def takes_the_sign_as_its_rule(
    unimportant: Callable[..., Any],
    convention: str,
    mean: np.ndarray,
    std: np.ndarray,
    tau_mean: float,
    tau_std: float,
) -> None:
    """The text's rule gives the same for −mean; in the listing's every negative mean passes where std > 0."""
    found = np.asarray(unimportant(mean, std, tau_mean, tau_std))
    if convention == "text":
        turned = np.asarray(unimportant(-mean, std, tau_mean, tau_std))
        assert np.array_equal(found, turned), f"mean gives {found}, −mean {turned}"
    else:
        wanted = (mean < 0) & (std > 0)
        assert found[wanted].all(), f"neurons {np.flatnonzero(wanted & ~found)} must pass: their means are negative"


PROPERTIES = (
    Property("unimportant", looks_at_each_alone, neurons),
    Property("unimportant", growing_thresholds_keep_neurons, neurons),
    Property("unimportant", is_strict, neurons),
    Property("unimportant", takes_the_sign_as_its_rule, neurons),
    Property("mean", mean_lies_between, any_long_table),
    Property("mean", mean_moves_along, shifted),
    Property("mean", mean_scales, many_scaled),
    Property("std", std_scales, many_scaled),
    Property("std", std_stays, shifted),
    Property("std", std_of_two, two_long_rows),
    Property("std", std_is_within_the_range, any_long_table),
)
AGREES = {"unimportant": neurons, "mean": exact}
LONGER = {"unimportant": longer(neurons, repeated(mean=0, std=0)), "mean": longer(exact, repeated(gradients=1))}
