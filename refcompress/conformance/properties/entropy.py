"""Properties of entropy calibration."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import Drawn, at_times_longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.ranges import entropy

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"threshold": lambda convention: entropy.threshold}


@st.composite
def tensors(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 12 numbers, integers or not, of which the last is not 0, and up to 16 bins."""
    unit = draw(st.sampled_from((1.0, 0.7, 1e-3, 1e6)))
    x = [*draw(st.lists(st.integers(-20, 20), max_size=11)), draw(st.integers(1, 20)) * draw(st.sampled_from((1, -1)))]
    bins = draw(st.integers(2, 16))
    dtype = draw(st.sampled_from((np.float32, np.float64)))
    return {"x": np.array(x, dtype) * dtype(unit), "bins": bins, "target_bins": draw(st.integers(2, bins))}


long_tensors = at_times_longer(tensors, repeated(x=0))


def borders(x: np.ndarray, bins: int) -> np.ndarray:
    """Return where the bins begin, and the last one ends."""
    largest = float(np.abs(x).max())
    return np.linspace(-largest, largest, bins + 1)


def slack(x: np.ndarray) -> float:
    """The roundings of a border: four units in the last place of the largest."""
    return 4 * float(np.spacing(np.abs(x).max()))


def lies_within_the_values(f: Callable[..., Any], convention: str, x: np.ndarray, bins: int, target_bins: int) -> None:
    """Neither end is beyond the smallest and the largest value; low is at most high where 0 is between these.

    Of values on one side of 0, all may be outside of the best candidate, whose other end then stays where it is.
    """
    low, high = map(np.asarray, f(x, bins, target_bins))
    assert (low.dtype, high.dtype) == (x.dtype, x.dtype), f"the ends must be {x.dtype}, got {low.dtype}"
    assert low >= x.min(), f"low must be at least {x.min()}, got {low}"
    assert high <= x.max(), f"high must be at most {x.max()}, got {high}"
    assert low <= high or x.min() > 0 or x.max() < 0, f"low must be at most high, got {low} and {high}"


def ends_where_bins_end(f: Callable[..., Any], convention: str, x: np.ndarray, bins: int, target_bins: int) -> None:
    """An end is where a bin begins or ends, or the smallest or largest value."""
    for end, own in zip(f(x, bins, target_bins), (x.min(), x.max()), strict=True):
        off = np.abs(borders(x, bins) - float(end)).min()
        assert end == own or off <= slack(x), f"{end} is {off} from the next border of a bin"


def holds_the_narrowest_range(
    f: Callable[..., Any], convention: str, x: np.ndarray, bins: int, target_bins: int
) -> None:
    """No range is narrower than ⌊T/2⌋ bins on both sides of the middle one, but for the values' own ends."""
    low, high = f(x, bins, target_bins)
    begin, stop = bins // 2 - target_bins // 2, min(bins // 2 + target_bins // 2 + 1, bins)
    least, most = borders(x, bins)[[begin, stop]]
    assert low <= max(least, float(x.min())) + slack(x), f"low must be at most {least}, got {low}"
    assert high >= min(most, float(x.max())) - slack(x), f"high must be at least {most}, got {high}"


def keeps_all_with_a_code_for_every_bin(
    f: Callable[..., Any], convention: str, x: np.ndarray, bins: int, target_bins: int
) -> None:
    """With as many codes as bins the whole range is the only candidate."""
    found = tuple(f(x, bins, bins))
    assert found == (x.min(), x.max()), f"{x.min()} to {x.max()} becomes {found[0]} to {found[1]}"


def ignores_the_order(f: Callable[..., Any], convention: str, x: np.ndarray, bins: int, target_bins: int) -> None:
    """The same values in another order have the same range."""
    one, other = tuple(f(x, bins, target_bins)), tuple(f(x[::-1].copy(), bins, target_bins))
    assert one == other, f"{one} becomes {other}"


def scales(f: Callable[..., Any], convention: str, x: np.ndarray, bins: int, target_bins: int) -> None:
    """Half of every value has half of the range."""
    one, half = tuple(f(x, bins, target_bins)), tuple(f(x / 2, bins, target_bins))
    assert half == tuple(end / 2 for end in one), f"{one} becomes {half}"


PROPERTIES = (
    Property("threshold", lies_within_the_values, long_tensors),
    Property("threshold", ends_where_bins_end, long_tensors),
    Property("threshold", holds_the_narrowest_range, long_tensors),
    Property("threshold", keeps_all_with_a_code_for_every_bin, long_tensors),
    Property("threshold", ignores_the_order, long_tensors),
    Property("threshold", scales, long_tensors),
)
# two divergences may be equal but for their roundings
AGREES: dict[str, Drawn] = {}
