"""Properties of percentiles."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.ranges import percentile

FLOATS = st.sampled_from((np.float32, np.float64))
NUMBERS = st.integers(-1000, 1000).map(lambda k: k / 8) | st.integers(-3, 3).map(float)


def _percentile(convention: str) -> Callable[..., Any]:
    return lambda x, low_p, high_p: percentile.percentile(x, high_p, convention, low_p=low_p)


def _absolute(convention: str) -> Callable[..., Any]:
    return lambda x, p: percentile.absolute(x, p, convention)


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"percentile": _percentile, "absolute": _absolute}


def percents(low: float, high: float) -> st.SearchStrategy[np.float64]:
    """Percentages, whole ones among them."""
    return (st.floats(low, high) | st.integers(int(low), int(high))).map(np.float64)


@st.composite
def arrays(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 12 values, equal ones among them; the percentages leave the middle inside."""
    x = np.array(draw(st.lists(NUMBERS, min_size=1, max_size=12)), draw(FLOATS))
    return {"x": x, "low_p": draw(percents(1, 50)), "high_p": draw(percents(50, 100))}


@st.composite
def two_ranges(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Values and the percentages of two ranges."""
    return {**draw(arrays(convention)), "other_low_p": draw(percents(1, 50)), "other_high_p": draw(percents(50, 100))}


@st.composite
def of_magnitudes(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Values and two percentages that reach one at least."""
    x = draw(arrays(convention))["x"]
    some = percents(-(-50 // x.size), 100)
    return {"x": x, "p": draw(some), "other_p": draw(some)}


@st.composite
def exact(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Whatever kth takes; of interpolated percentiles, small integers at positions that are multiples of 1/8."""
    if convention == "kth":
        return draw(arrays(convention))
    n = 1 + draw(st.sampled_from((0, 1, 2, 4, 8)))
    x = draw(st.lists(st.integers(-20, 20), min_size=n, max_size=n))
    low_p, high_p = (draw(st.integers(low, low + 4)) * 12.5 for low in (0, 4))
    return {"x": np.array(x, draw(FLOATS)), "low_p": np.float64(low_p), "high_p": np.float64(high_p)}


def exact_magnitudes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same, with one percentage."""
    return exact(convention).map(lambda drawn: {"x": drawn["x"], "p": drawn["high_p"]})


def many_exact(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Many values; to be interpolated, 1 + 2^k of them, so that all is exact."""

    def more(arguments: dict[str, Any], n: int) -> dict[str, Any]:
        return repeated(x=0)(arguments, n if convention == "kth" else 2 ** (n.bit_length() - 1) + 1)

    return longer(exact, more)(convention)


def many_exact_magnitudes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same, with one percentage."""
    return many_exact(convention).map(lambda drawn: {"x": drawn["x"], "p": drawn["high_p"]})


def slack(convention: str, x: np.ndarray) -> float:
    """What roundings may add: nothing to a value, four units in the last place of the largest between two values."""
    return 0.0 if convention == "kth" else 4 * float(np.spacing(np.abs(x).max()))


def check_share(convention: str, x: np.ndarray, p: float, end: float, half: float) -> None:
    """Check that as many values are up to the end as p percent say.

    The k-th has k values up to it and k − 1 below it, and k − 1 ≤ p/100·n − ½ < k, or without the ½ where k is rounded
    up; an interpolated one has more than p/100·(n − 1) values up to it, and less than that and one more below it.
    """
    off, kth = slack(convention, x), convention == "kth"
    inside, below = int((x <= end + off).sum()), int((x < end - off).sum())
    share = p / 100 * x.size - half if kth else p / 100 * (x.size - 1)
    assert inside >= share - 1e-9, f"{inside} of {x.size} values are up to {end}, the percentile {p}"
    assert below <= share + (0 if kth else 1) + 1e-9, f"{below} of {x.size} are below {end}, the percentile {p}"


def is_a_range(f: Callable[..., Any], convention: str, x: np.ndarray, low_p: float, high_p: float) -> None:
    """Low is at most high, and both are from the smallest to the largest value."""
    low, high = f(x, low_p, high_p)
    off = slack(convention, x)
    assert x.min() - off <= low <= high + off, f"low must be from {x.min()} to {high}, got {low}"
    assert high <= x.max() + off, f"high must be at most {x.max()}, got {high}"


def leaves_its_share_outside(
    f: Callable[..., Any], convention: str, x: np.ndarray, low_p: float, high_p: float
) -> None:
    """As many values are up to each end as its percentage says, to less than one."""
    low, high = f(x, low_p, high_p)
    check_share(convention, x, low_p, low, 0.0)
    check_share(convention, x, high_p, high, 0.5)


def more_percent_is_no_less(
    f: Callable[..., Any],
    convention: str,
    x: np.ndarray,
    low_p: float,
    high_p: float,
    other_low_p: float,
    other_high_p: float,
) -> None:
    """Neither end falls where its percentage rises."""
    lows, highs = sorted((low_p, other_low_p)), sorted((high_p, other_high_p))
    ranges = [f(x, *p) for p in zip(lows, highs, strict=True)]
    for name, p, (lower, higher) in zip(("low", "high"), (lows, highs), zip(*ranges, strict=True), strict=True):
        assert lower <= higher + slack(convention, x), f"{name} is {lower} at {p[0]} and {higher} at {p[1]} percent"


def ignores_the_order(f: Callable[..., Any], convention: str, x: np.ndarray, low_p: float, high_p: float) -> None:
    """The same values in another order have the same range."""
    one, other = tuple(f(x, low_p, high_p)), tuple(f(x[::-1].copy(), low_p, high_p))
    assert one == other, f"{one} becomes {other}"


def scales(f: Callable[..., Any], convention: str, x: np.ndarray, low_p: float, high_p: float) -> None:
    """Half of every value has half of the range, to the last bit."""
    one, half = f(x, low_p, high_p), f(x / 2, low_p, high_p)
    assert tuple(half) == tuple(end / 2 for end in one), f"{tuple(one)} becomes {tuple(half)}"


def ignores_signs(f: Callable[..., Any], convention: str, x: np.ndarray, p: float, other_p: float) -> None:
    """All of x, −x and |x| have the same a."""
    found = [float(f(values, p)) for values in (x, -x, np.abs(x))]
    assert len(set(found)) == 1, f"x, −x and |x| give {found}"


def reaches_its_share(f: Callable[..., Any], convention: str, x: np.ndarray, p: float, other_p: float) -> None:
    """As many magnitudes are up to a as the percentage says, to less than one."""
    check_share(convention, np.abs(x), p, f(x, p), 0.5)


def is_among_the_magnitudes(f: Callable[..., Any], convention: str, x: np.ndarray, p: float, other_p: float) -> None:
    """The result a is from the smallest to the largest magnitude."""
    a, least, most = f(x, p), np.abs(x).min(), np.abs(x).max()
    off = slack(convention, x)
    assert least - off <= a <= most + off, f"a must be from {least} to {most}, got {a}"


def grows_with_the_percentage(f: Callable[..., Any], convention: str, x: np.ndarray, p: float, other_p: float) -> None:
    """A higher percentage has no smaller a."""
    p, other_p = sorted((p, other_p))
    less, more = f(x, p), f(x, other_p)
    assert less <= more + slack(convention, np.abs(x)), f"a is {less} at {p} and {more} at {other_p} percent"


PROPERTIES = (
    Property("percentile", is_a_range, arrays),
    Property("percentile", leaves_its_share_outside, arrays),
    Property("percentile", more_percent_is_no_less, two_ranges),
    Property("percentile", ignores_the_order, arrays),
    Property("percentile", scales, arrays),
    Property("absolute", ignores_signs, of_magnitudes),
    Property("absolute", reaches_its_share, of_magnitudes),
    Property("absolute", is_among_the_magnitudes, of_magnitudes),
    Property("absolute", grows_with_the_percentage, of_magnitudes),
)
AGREES = {"percentile": exact, "absolute": exact_magnitudes}
LONGER = {"percentile": many_exact, "absolute": many_exact_magnitudes}
