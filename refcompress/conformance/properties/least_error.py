"""Properties of the search for the range with the least error."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.ranges import least_error


def _search(convention: str) -> Callable[..., Any]:
    def search(x: np.ndarray, qmin: int, qmax: int, norm: float, grid: int, max_shrink: float) -> Any:
        return least_error.search(x, qmin, qmax, convention, norm, grid, max_shrink)

    return search


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"search": _search}


@st.composite
def inputs(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 6 values, two to 16 codes, and a grid of up to 5 ranges."""
    dtype = draw(st.sampled_from((np.float32, np.float64))) if convention == "source" else np.float32
    x = np.array(draw(st.lists(st.integers(-50, 50), min_size=1, max_size=6)), dtype) / 8
    qmin = draw(st.sampled_from((0, -4))) if convention == "gptq" else 0
    grid = draw(st.integers(1, 5))
    return {
        "x": x,
        "qmin": qmin,
        "qmax": qmin + draw(st.sampled_from((1, 3, 7, 15))),
        "norm": np.float64(draw(st.sampled_from((1.0, 2.0, 2.4)))),
        "grid": grid,
        "max_shrink": np.float64(draw(st.integers(1, grid)) / grid),
    }


@st.composite
def on_codes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Integers of which the smallest and the largest are as far apart as the codes, 0 between them."""
    drawn = draw(inputs(convention))
    steps = drawn["qmax"] - drawn["qmin"]
    low = draw(st.integers(-steps, 0))
    between = draw(st.lists(st.integers(0, steps), max_size=4))
    return {**drawn, "x": np.array([0, steps, *between], drawn["x"].dtype) + low}


def error(convention: str, x: np.ndarray, low: Any, high: Any, qmin: int, qmax: int, norm: float) -> float:
    """Return Σ |x̂ − x|^norm of the values restored from this range."""
    s, Z = affine.choose(low, high, qmin, qmax, convention)
    restored = affine.fake_quantize(x, s, Z, qmin, qmax, convention)
    return float((np.abs(np.subtract(restored, x, dtype=np.float64)) ** norm).sum())


def ranges(x: np.ndarray, grid: int, max_shrink: float) -> list[tuple[Any, Any]]:
    """Return the ranges of the grid, the whole one first."""
    shares = [x.dtype.type(1 - i / grid) for i in range(int(max_shrink * grid))]
    return [(p * x.min(), p * x.max()) for p in shares]


def is_clear(convention: str, drawn: dict[str, Any]) -> bool:
    """Whether one range has an error that is less than all others by more than the roundings of any format."""
    x, qmin, qmax, norm, grid, max_shrink = drawn.values()
    errors = sorted(error(convention, x, *ends, qmin, qmax, norm) for ends in ranges(x, grid, max_shrink))
    return len(errors) == 1 or errors[0] * 1.0001 < errors[1]


def clear(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs without ties or what is nearly one."""
    return inputs(convention).filter(lambda drawn: is_clear(convention, drawn))


def longer_and_clear(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Many values without ties or what is nearly one."""
    return longer(inputs, repeated(x=0))(convention).filter(lambda drawn: is_clear(convention, drawn))


Search = Callable[..., Any]


def is_of_the_grid(
    f: Search, convention: str, x: np.ndarray, qmin: int, qmax: int, norm: float, grid: int, max_shrink: float
) -> None:
    """The range is 1 − i/G times the whole one, both ends alike, in the dtype of the values."""
    found, known = tuple(f(x, qmin, qmax, norm, grid, max_shrink)), ranges(x, grid, max_shrink)
    dtypes = [np.asarray(end).dtype for end in found]
    assert dtypes == [x.dtype, x.dtype], f"the ends must be {x.dtype}, got {dtypes}"
    assert found in known, f"{found} is none of {known}"


def is_no_worse_than_any(
    f: Search, convention: str, x: np.ndarray, qmin: int, qmax: int, norm: float, grid: int, max_shrink: float
) -> None:
    """No range of the grid leaves a smaller error, but for what is rounded."""
    low, high = f(x, qmin, qmax, norm, grid, max_shrink)
    found = error(convention, x, x.dtype.type(low), x.dtype.type(high), qmin, qmax, norm)
    for ends in ranges(x, grid, max_shrink):
        other = error(convention, x, *ends, qmin, qmax, norm)
        assert found <= other * 1.0001, f"the error is {found}, but {other} from {ends[0]} to {ends[1]}"


def keeps_what_is_exact(
    f: Search, convention: str, x: np.ndarray, qmin: int, qmax: int, norm: float, grid: int, max_shrink: float
) -> None:
    """Where all values are codes of the whole range, and so without error, it stays."""
    found = tuple(f(x, qmin, qmax, norm, grid, max_shrink))
    assert found == (x.min(), x.max()), f"{x.min()} to {x.max()} becomes {found[0]} to {found[1]}"


def scales(
    f: Search, convention: str, x: np.ndarray, qmin: int, qmax: int, norm: float, grid: int, max_shrink: float
) -> None:
    """Twice the values have twice the range; with the norms 1 and 2 nothing else is rounded."""
    norm = np.float64(min(norm, 2))
    one, twice = tuple(f(x, qmin, qmax, norm, grid, max_shrink)), tuple(f(2 * x, qmin, qmax, norm, grid, max_shrink))
    assert twice == tuple(2 * end for end in one), f"{one} becomes {twice}"


def needs_no_range_after_the_best(
    f: Search, convention: str, x: np.ndarray, qmin: int, qmax: int, norm: float, grid: int, max_shrink: float
) -> None:
    """A grid that ends with the best range has it too."""
    found, known = tuple(f(x, qmin, qmax, norm, grid, max_shrink)), ranges(x, grid, max_shrink)
    steps = known.index(found) + 1 if found in known else grid
    shorter = tuple(f(x, qmin, qmax, norm, grid, np.float64(steps / grid)))
    assert shorter == found, f"{found} of {len(known)} ranges becomes {shorter} of {steps}"


PROPERTIES = (
    Property("search", is_of_the_grid, inputs),
    Property("search", is_no_worse_than_any, inputs),
    Property("search", keeps_what_is_exact, on_codes),
    Property("search", scales, inputs),
    Property("search", needs_no_range_after_the_best, inputs),
)
AGREES = {"search": clear}
LONGER = {"search": longer_and_clear}
