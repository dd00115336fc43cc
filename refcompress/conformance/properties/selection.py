"""Properties of the selection by score."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, places, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.pruning import selection

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "smallest": lambda convention: selection.smallest,
    "score": lambda convention: selection.score,
    "median_thresholds": lambda convention: selection.median_thresholds,
    "separating_thresholds": lambda convention: selection.separating_thresholds,
}
GRID = st.sampled_from([k / 4 for k in range(13)])  # with ties, and exact wherever it is divided by a power of two
SIGNED = st.sampled_from([sign * k / 4 for k in range(13) for sign in (1.0, -1.0)])
SCORES = st.sampled_from([*(k / 4 for k in range(13)), math.inf])
THRESHOLDS = st.sampled_from([1.0, 2.0, 0.5, 8.0, 0.125, 0.0])
POWERS = st.sampled_from([1.0, 2.0, 0.5, 8.0, 0.125])


def _array(elements: st.SearchStrategy[float], low: int = 1, high: int = 12) -> st.SearchStrategy[np.ndarray]:
    return st.lists(elements, min_size=low, max_size=high).map(np.array)


def hundredths(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Scores with ties, of which some are infinite, and a whole number of hundredths to select."""
    scores = _array(SCORES, high=20)
    return st.builds(dict, score=scores, percent=st.integers(0, 99))


def fractions(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same with any fraction, and integers over the number of scores among them."""
    parts = st.floats(0, 1, exclude_max=True) | st.builds(lambda k, n: min(k, n - 1) / n, st.integers(0, 9), _COUNTS)
    return st.builds(dict, score=_array(SCORES, high=20), fraction=parts)


_COUNTS = st.integers(1, 20)


def counts_hundredths_down(smallest: Callable[..., Any], convention: str, score: np.ndarray, percent: int) -> None:
    """Of n scores, p/100 are ⌊p·n/100⌋, in integers."""
    found, wanted = np.size(smallest(score, percent / 100)), percent * len(score) // 100
    assert found == wanted, f"{percent / 100} of {len(score)} is {wanted}, got {found}"


def selects_the_smallest(smallest: Callable[..., Any], convention: str, score: np.ndarray, percent: int) -> None:
    """No score that stays is below one that goes, nor equal to it and before it; the indices ascend."""
    found = np.asarray(smallest(score, percent / 100)).tolist()
    assert found == sorted(set(found)), f"the indices must ascend, got {found}"
    values = score.tolist()
    goes = [(values[i], i) for i in found]
    stays = [(values[i], i) for i in range(len(score)) if i not in found]
    if goes:
        assert max(goes) < min(stays), f"{max(goes)} goes, but {min(stays)} (score, index) stays"


def grows_with_the_fraction(smallest: Callable[..., Any], convention: str, score: np.ndarray, percent: int) -> None:
    """What goes at one fraction goes at every larger one."""
    found: set[int] = set()
    for more in range(percent, 100, 20):
        lost, found = found, set(np.asarray(smallest(score, more / 100)).tolist())
        assert lost <= found, f"{sorted(lost - found)} go at {(more - 20) / 100} and stay at {more / 100}"


@st.composite
def neurons(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Neurons on a grid, and thresholds that are powers of two or 0: quotients are exact."""
    count = draw(st.integers(1, 5))
    sizes = [np.array(draw(st.lists(GRID, min_size=count, max_size=count))) for _ in range(2)]
    signs = np.array(draw(st.lists(st.sampled_from([1.0, -1.0]), min_size=count, max_size=count)))
    tau_mean, tau_std = draw(THRESHOLDS), draw(THRESHOLDS)
    return {"mean": signs * sizes[0], "std": sizes[1], "tau_mean": tau_mean, "tau_std": tau_std}


@st.composite
def any_neurons(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Neurons and thresholds of any size: quotients round, and leave the range."""
    count = draw(st.integers(1, 5))
    size = st.floats(0, 1e300) | GRID
    mean = draw(st.lists(size | st.floats(-1e300, 0), min_size=count, max_size=count))
    std = draw(st.lists(size, min_size=count, max_size=count))
    return {"mean": np.array(mean), "std": np.array(std), "tau_mean": draw(size), "tau_std": draw(size)}


def is_the_factor(
    score: Callable[..., Any], convention: str, mean: np.ndarray, std: np.ndarray, tau_mean: float, tau_std: float
) -> None:
    """At both thresholds times the score, |mean| or std is at its threshold and none is above."""
    found = np.asarray(score(mean, std, tau_mean, tau_std))
    assert found.shape == mean.shape, f"there are {len(mean)} neurons, got shape {found.shape}"
    for factor, m, s in zip(found, np.abs(mean), std, strict=True):
        endless = (m > 0 and tau_mean == 0) or (s > 0 and tau_std == 0)
        assert endless == math.isinf(factor), f"the score of {m:g}, {s:g} at {tau_mean:g}, {tau_std:g} is {factor}"
        if not endless:
            grown = factor * tau_mean, factor * tau_std
            none_above = m <= grown[0] and s <= grown[1]
            at = f"{grown[0]:g}, {grown[1]:g}, the thresholds times {factor:g}"
            assert none_above, f"{m:g}, {s:g} are above {at}"
            least = factor == 0 or m == grown[0] > 0 or s == grown[1] > 0
            assert least, f"{m:g}, {s:g} are below {at}"


def score_ignores_the_sign(
    score: Callable[..., Any], convention: str, mean: np.ndarray, std: np.ndarray, tau_mean: float, tau_std: float
) -> None:
    """The score is the same for −mean."""
    found, turned = score(mean, std, tau_mean, tau_std), score(-mean, std, tau_mean, tau_std)
    assert np.array_equal(found, turned), f"mean gives {found}, −mean {turned}"


@st.composite
def layers(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 6 neurons on a grid: medians are exact."""
    count = draw(st.integers(1, 6))
    mean, std = (np.array(draw(st.lists(x, min_size=count, max_size=count))) for x in (SIGNED, GRID))
    return {"mean": mean, "std": std}


def has_as_many_below_as_above(medians: Callable[..., Any], convention: str, mean: np.ndarray, std: np.ndarray) -> None:
    """At most half of the |mean| are below τ_mean, and at most half above; so for std."""
    for name, tau, values in zip(("τ_mean", "τ_std"), medians(mean, std), (np.abs(mean), std), strict=True):
        below, above = int((values < tau).sum()), int((values > tau).sum())
        assert 2 * max(below, above) <= len(values), f"{name} = {tau} has {below} below and {above} above"


def mirrors(medians: Callable[..., Any], convention: str, mean: np.ndarray, std: np.ndarray) -> None:
    """Sizes 3 − x have the thresholds 3 − τ: of two in the middle, neither is taken."""
    found = np.array(medians(mean, std), np.float64)
    mirrored = np.array(medians(3 - np.abs(mean), 3 - std), np.float64)
    assert np.array_equal(mirrored, 3 - found), f"the thresholds are {found}, but {mirrored} of 3 − x"


@st.composite
def selections(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Scores, some of them selected, and thresholds that are powers of two or 0: all is exact."""
    score = draw(_array(SCORES, high=8))
    chosen = draw(st.sets(st.integers(0, len(score) - 1), max_size=len(score) - 1))
    thresholds = {name: draw(THRESHOLDS) for name in ("tau_mean", "tau_std")}
    return {"score": score, "selected": np.array(sorted(chosen), np.int64), **thresholds}


def more_scores(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n scores, selected wherever they are repeated from one that is."""
    of = places(len(arguments["score"]), n)
    selected = np.flatnonzero(np.isin(of, arguments["selected"]))
    return arguments | {"score": arguments["score"][of], "selected": selected}


@st.composite
def smallest_selected(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Different finite scores, of which the smallest are selected."""
    score = np.array(draw(st.lists(GRID, min_size=1, max_size=8, unique=True)))
    chosen = np.sort(np.argsort(score)[: draw(st.integers(0, len(score) - 1))])
    return {"score": score, "selected": chosen, "tau_mean": draw(POWERS), "tau_std": draw(POWERS)}


def separates(
    f: Callable[..., Any], convention: str, score: np.ndarray, selected: np.ndarray, tau_mean: float, tau_std: float
) -> None:
    """Scores below τ′/τ are those selected, and no score is at it (but 0 where none is selected)."""
    for grown, tau in zip(f(score, selected, tau_mean, tau_std), (tau_mean, tau_std), strict=True):
        below = np.flatnonzero(score < grown / tau)
        assert np.array_equal(below, selected), f"{below} are below {grown / tau:g}, not {selected}"
        assert not (score[score > 0] == grown / tau).any(), f"a score is at {grown / tau:g}"


def both_thresholds_grow_alike(
    f: Callable[..., Any], convention: str, score: np.ndarray, selected: np.ndarray, tau_mean: float, tau_std: float
) -> None:
    """τ′_mean/τ_mean is τ′_std/τ_std, and thresholds of 0 stay 0."""
    grown = f(score, selected, tau_mean, tau_std)
    assert grown[0] * tau_std == grown[1] * tau_mean, f"{tau_mean:g}, {tau_std:g} become {grown}"
    assert all(math.isfinite(g) and (t > 0 or g == 0) for g, t in zip(grown, (tau_mean, tau_std), strict=True)), (
        f"{tau_mean:g}, {tau_std:g} become {grown}"
    )


PROPERTIES = (
    Property("smallest", counts_hundredths_down, hundredths),
    Property("smallest", selects_the_smallest, hundredths),
    Property("smallest", grows_with_the_fraction, hundredths),
    Property("score", is_the_factor, neurons),
    Property("score", score_ignores_the_sign, any_neurons),
    Property("median_thresholds", has_as_many_below_as_above, layers),
    Property("median_thresholds", mirrors, layers),
    Property("separating_thresholds", separates, smallest_selected),
    Property("separating_thresholds", both_thresholds_grow_alike, selections),
)
AGREES = {
    "smallest": fractions,
    "score": any_neurons,
    "median_thresholds": layers,
    "separating_thresholds": selections,
}
LONGER = {
    "smallest": longer(fractions, repeated(score=0)),
    "score": longer(any_neurons, repeated(mean=0, std=0)),
    "median_thresholds": longer(layers, repeated(mean=0, std=0)),
    "separating_thresholds": longer(selections, more_scores),
}
