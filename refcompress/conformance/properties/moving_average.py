"""Properties of the moving average of a range."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import SIZES, longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.ranges import moving_average

FLOATS = st.sampled_from((np.float32, np.float64))
NUMBERS = st.floats(-(2.0**125), 2.0**125, width=32) | st.integers(-4, 4).map(float)  # no difference overflows
WEIGHTS = (st.sampled_from((0.01, 0.25, 0.5, 1.0, 1 - 0.999)) | st.floats(1e-6, 1)).map(np.float64)
START = 6.0  # of the average in TensorFlow: −6 to 6


def _update(convention: str) -> Callable[..., Any]:
    def update(low: np.floating, high: np.floating, x: np.ndarray, c: float) -> Any:
        return moving_average.update((low, high), x, c, include_zero=convention == "tensorflow")

    return update


def _run(convention: str) -> Callable[..., Any]:
    def run(x: np.ndarray, c: float) -> Any:
        average = (x.dtype.type(-START), x.dtype.type(START)) if convention == "tensorflow" else None
        for batch in x:
            average = moving_average.update(average, batch, c, include_zero=convention == "tensorflow")
        return average

    return run


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"update": _update, "run": _run}


@st.composite
def one_batch(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A range, up to 6 values and a weight."""
    dtype = draw(FLOATS)
    low, high, *x = np.array(draw(st.lists(NUMBERS, min_size=3, max_size=8)), dtype) + dtype(0)
    return {"low": min(low, high), "high": max(low, high), "x": np.array(x), "c": draw(WEIGHTS)}


@st.composite
def two_weights(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A range, up to 6 values, and a second weight."""
    return {**draw(one_batch(convention)), "more": draw(WEIGHTS)}


@st.composite
def batches(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 5 batches of 1 to 3 values, and a weight."""
    n = draw(st.integers(1, 3))
    rows = draw(st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1, max_size=5))
    return {"x": np.array(rows, draw(FLOATS)) + np.float32(0), "c": draw(WEIGHTS)}


def of_batch(convention: str, x: np.ndarray) -> tuple[float, float]:
    """Return the ends of a batch, 0 among them where the convention puts it in."""
    zeros = [0.0] * (convention == "tensorflow")
    return min([*x.flat, *zeros]), max([*x.flat, *zeros])


def between(end: np.floating, old: np.floating, new: np.floating) -> bool:
    """Whether an end is from the old one to the new one, but for two units in the last place of the larger.

    The difference of the two is rounded to half a unit of twice the larger, and the sum to half a unit once more.
    """
    slack = 2 * np.spacing(max(abs(old), abs(new)))
    return bool(min(old, new) - slack <= end <= max(old, new) + slack)


def lies_between(
    f: Callable[..., Any], convention: str, low: np.floating, high: np.floating, x: np.ndarray, c: float
) -> None:
    """Every end is between the old one and the batch's."""
    for end, old, new in zip(f(low, high, x, c), (low, high), of_batch(convention, x), strict=True):
        assert between(end, old, x.dtype.type(new)), f"{end} is not between {old} and {new}"


def stays_where_it_is(
    f: Callable[..., Any], convention: str, low: np.floating, high: np.floating, x: np.ndarray, c: float
) -> None:
    """A batch with the average's own range moves nothing."""
    own = of_batch(convention, np.array([low, high]))
    ends = tuple(map(x.dtype.type, own))
    moved = f(*ends, np.array(ends), c)
    assert tuple(moved) == own, f"{own} becomes {tuple(moved)}"


def more_weight_moves_further(
    f: Callable[..., Any], convention: str, low: np.floating, high: np.floating, x: np.ndarray, c: float, more: float
) -> None:
    """With more weight no end stays nearer to the old one."""
    for old, end, further in zip(
        (low, high), f(low, high, x, min(c, more)), f(low, high, x, max(c, more)), strict=True
    ):
        near, far = abs(end - old), abs(further - old)
        assert near <= far, f"{old} moves by {near} with the weight {min(c, more)}, by {far} with {max(c, more)}"


def mirrors(
    f: Callable[..., Any], convention: str, low: np.floating, high: np.floating, x: np.ndarray, c: float
) -> None:
    """Of negative values and a negative average the ends are the negative ones, exchanged."""
    (a, b), (mirrored_a, mirrored_b) = f(low, high, x, c), f(-high, -low, -x, c)
    assert (mirrored_a, mirrored_b) == (-b, -a), f"{a} to {b} become {mirrored_a} to {mirrored_b}"


def lies_among_all(f: Callable[..., Any], convention: str, x: np.ndarray, c: float) -> None:
    """Every end is among those of all batches and the start."""
    start = ((-START,), (START,)) if convention == "tensorflow" else ((), ())
    ends = zip(*(of_batch(convention, batch) for batch in x), strict=True)
    for end, own, first in zip(f(x, c), ends, start, strict=True):
        least, most = x.dtype.type(min(*own, *own, *first)), x.dtype.type(max(*own, *own, *first))
        slack = 2 * len(x) * np.spacing(max(abs(least), abs(most)))
        assert least - slack <= end <= most + slack, f"{end} is not from {least} to {most}"


def forgets_at_full_weight(f: Callable[..., Any], convention: str, x: np.ndarray, c: float) -> None:
    """With the weight 1 nothing but the last batch is left, but for the roundings of one step."""
    slack = 2 * np.spacing(max(np.abs(x).max(), x.dtype.type(START)))
    for end, own in zip(f(x, np.float64(1)), of_batch(convention, x[-1]), strict=True):
        assert abs(end - own) <= slack, f"{own} of the last batch becomes {end}"


def stays_at_equal_batches(f: Callable[..., Any], convention: str, x: np.ndarray, c: float) -> None:
    """The same batch any number of times gives its own range, or moves the start toward it and not beyond."""
    ends = of_batch(convention, x[0])
    start = (-START, START) if convention == "tensorflow" else ends
    for end, old, new in zip(f(np.tile(x[0], (len(x), 1)), c), start, ends, strict=True):
        slack = 2 * len(x) * np.spacing(x.dtype.type(max(abs(old), abs(new)))) if old != new else 0
        assert min(old, new) - slack <= end <= max(old, new) + slack, f"{new} becomes {end}"


PROPERTIES = (
    Property("update", lies_between, one_batch),
    Property("update", stays_where_it_is, one_batch),
    Property("update", more_weight_moves_further, two_weights),
    Property("update", mirrors, one_batch),
    Property("run", lies_among_all, batches),
    Property("run", forgets_at_full_weight, batches),
    Property("run", stays_at_equal_batches, batches),
)
AGREES = {"update": one_batch, "run": batches}
LONGER = {
    "update": longer(one_batch, repeated(x=0)),
    "run": longer(batches, repeated(x=1), repeated(x=0), sizes=SIZES[:8]),
}
