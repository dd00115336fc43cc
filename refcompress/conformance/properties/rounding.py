"""Properties of rounding to integers."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import rounding

SYMMETRIC = ("half_even", "half_away", "half_toward_zero", "toward_zero")  # the other rules move along with t


class Draws(np.random.Generator):
    """A generator that hands out the draws given."""

    def __init__(self, u: np.ndarray) -> None:
        super().__init__(np.random.PCG64(0))
        self.u = u

    def random(self, *_: Any) -> np.ndarray:  # type: ignore[override]
        """Return them."""
        return self.u


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "apply": lambda convention: lambda t: rounding.apply(t, convention),
    "stochastic": lambda convention: lambda t, u: rounding.apply(t, "stochastic", Draws(u)),
}


def arrays(dtype: Any, *others: float) -> st.SearchStrategy[np.ndarray]:
    """Ties, the floats beside them, eighths, whole and large numbers, any float, and others."""
    halves = st.integers(-9, 9).map(lambda k: k / 2)
    below = halves.map(lambda x: np.nextafter(dtype(x), dtype(-np.inf)))
    above = halves.map(lambda x: np.nextafter(dtype(x), dtype(np.inf)))
    large = st.integers(-9, 9).map(lambda k: np.copysign(2.0 ** np.finfo(dtype).nmant, k) + k / 2)
    anything = st.floats(width=32 if dtype is np.float32 else 64, allow_nan=False, allow_infinity=False)
    eighths = st.integers(-40, 40).map(lambda k: k / 8)
    numbers = halves | below | above | eighths | large | anything | st.sampled_from([-0.0, *others])
    return st.lists(numbers, min_size=1, max_size=6).map(lambda t: np.array(t, dtype))


FINITE = arrays(np.float32) | arrays(np.float64)
ANY = arrays(np.float32, np.inf, -np.inf, np.nan) | arrays(np.float64, np.inf, -np.inf, np.nan)
EIGHTHS = st.integers(0, 7).map(lambda k: k / 8)
DRAWS = st.lists(EIGHTHS | st.floats(0, 1, exclude_max=True), min_size=6, max_size=6)


def floats(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Finite floats."""
    return FINITE.map(lambda t: {"t": t})


def floats_and_specials(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Infinities and NaN among them."""
    return ANY.map(lambda t: {"t": t})


@st.composite
def moves(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Floats to mirror, or quarters and an integer to move them by."""
    if convention in SYMMETRIC:
        return draw(floats(convention)) | {"n": 0}
    quarters = st.integers(-40, 40).map(lambda k: k / 4)
    t = draw(st.lists(quarters, min_size=1, max_size=6))
    return {"t": np.array(t, draw(st.sampled_from([np.float32, np.float64]))), "n": draw(st.integers(-9, 9))}


def moves_less_than_one(f: Callable[..., Any], convention: str, t: np.ndarray) -> None:
    """The result is an integer nearer to t than 1, and at most ½ away for the nearest rules."""
    for x, r in zip(t.tolist(), np.asarray(f(t)).tolist(), strict=True):
        assert float(r).is_integer(), f"{x!r} becomes {r!r}, which is no integer"
        moved = abs(Fraction(r) - Fraction(x))
        most = "≤ 1/2" if convention in rounding.NEAREST else "< 1"
        assert moved <= Fraction(1, 2) if convention in rounding.NEAREST else moved < 1, f"|{r} − {x!r}| must be {most}"


def keeps_integers(f: Callable[..., Any], convention: str, t: np.ndarray) -> None:
    """Integers, infinities and NaN stay what they are."""
    whole = t[~np.isfinite(t) | (np.trunc(t) == t)]
    if len(whole):
        result = np.asarray(f(whole))
        same = np.array_equal(result, whole, equal_nan=True)
        assert same, f"{whole.tolist()} must stay, but became {result.tolist()}"


def keeps_the_sign(f: Callable[..., Any], convention: str, t: np.ndarray) -> None:
    """The result has the sign of t, also where it is 0."""
    for x, r in zip(t.tolist(), np.asarray(f(t)).tolist(), strict=True):
        assert np.signbit(r) == np.signbit(x), f"{x!r} and its result {r!r} must have one sign"


def is_monotone(f: Callable[..., Any], convention: str, t: np.ndarray) -> None:
    """A greater t never gives a smaller result."""
    t = np.sort(t)
    r = np.asarray(f(t))
    falls = np.flatnonzero(r[1:] < r[:-1])
    assert not falls.size, f"{t[falls[0]]!r} gives {r[falls[0]]}, the greater {t[falls[0] + 1]!r} {r[falls[0] + 1]}"


def takes_its_side(f: Callable[..., Any], convention: str, t: np.ndarray) -> None:
    """Ties, and for floor, ceil and toward_zero all numbers, go to the side that the rule says."""
    for x, r in zip(t.tolist(), np.asarray(f(t)).tolist(), strict=True):
        side = {
            "half_even": r % 2 == 0,
            "half_away": abs(r) > abs(x),
            "half_up": r > x,
            "half_down": r < x,
            "half_toward_zero": abs(r) < abs(x),
            "floor": r <= x,
            "ceil": r >= x,
            "toward_zero": abs(r) <= abs(x),
        }
        if convention not in rounding.NEAREST or abs(x) % 1 == 0.5:
            assert side[convention], f"{x!r} must not become {r} by {convention}"


def mirrors_or_moves_along(f: Callable[..., Any], convention: str, t: np.ndarray, n: int) -> None:
    """round(−t) = −round(t); for half_up, half_down, floor and ceil instead round(t + n) = round(t) + n."""
    r = np.asarray(f(t))
    if convention in SYMMETRIC:
        other, wanted, text = np.asarray(f(-t)), -r, "the mirrored"
    else:
        other, wanted, text = np.asarray(f(t + t.dtype.type(n))), r + n, f"those {n} further"
    assert np.array_equal(other, wanted), f"{t.tolist()} give {r.tolist()}, but {text} {other.tolist()}"


@st.composite
def draws(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Numbers outside of −1 to 0, where t − ⌊t⌋ is exact, and a draw for each, often at the border."""
    drawn, u = draw(FINITE), draw(DRAWS)
    t = drawn[~((drawn > -1) & (drawn < 0))]
    return {"t": t, "u": np.array(u[: len(t)], np.float64)}


@st.composite
def eighths(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """n + j/8, of which t − ⌊t⌋ is exact everywhere."""
    return {
        "n": draw(st.integers(-9, 9)),
        "j": draw(st.integers(0, 7)),
        "dtype": draw(st.sampled_from([np.float32, np.float64])),
    }


def is_beside_t(f: Callable[..., Any], convention: str, t: np.ndarray, u: np.ndarray) -> None:
    """The result is ⌊t⌋ or ⌈t⌉, whatever the draw, so that an integer stays, the sign of 0 too."""
    r = np.asarray(f(t, u))
    beside = ((r == np.floor(t)) | (r == np.ceil(t))) & ((t != 0) | (np.signbit(r) == np.signbit(t)))
    outside = np.flatnonzero(~beside)
    assert not outside.size, f"{t[outside[0]]!r} becomes {r[outside[0]]} at the draw {u[outside[0]]}"


def goes_up_in_proportion(f: Callable[..., Any], convention: str, n: int, j: int, dtype: type) -> None:
    """Of the draws 0, 1/8, …, 7/8 exactly j take n + j/8 up."""
    r = np.asarray(f(np.full(8, n + j / 8, dtype), np.arange(8) / 8))
    assert r.sum() == 8 * n + j, f"{n + j / 8} must go up {j} times of 8, got {r.tolist()}"


def falls_with_the_draw(f: Callable[..., Any], convention: str, n: int, j: int, dtype: type) -> None:
    """A greater draw never gives a greater result."""
    r = np.asarray(f(np.full(8, n + j / 8, dtype), np.arange(8) / 8))
    assert (np.diff(r) <= 0).all(), f"{n + j / 8} at the draws 0, 1/8, …, 7/8 must not rise, got {r.tolist()}"


def uses_its_own_draw(f: Callable[..., Any], convention: str, t: np.ndarray, u: np.ndarray) -> None:
    """Every result depends on its own t and draw only."""
    r = np.asarray(f(t, u)).tolist()
    alone = [np.asarray(f(t[i : i + 1], u[i : i + 1])).tolist()[0] for i in range(len(t))]
    assert r == alone, f"together {r}, one by one {alone}"


PROPERTIES = (
    Property("apply", moves_less_than_one, floats),
    Property("apply", keeps_integers, floats_and_specials),
    Property("apply", keeps_the_sign, floats),
    Property("apply", is_monotone, floats),
    Property("apply", takes_its_side, floats),
    Property("apply", mirrors_or_moves_along, moves),
    Property("stochastic", is_beside_t, draws),
    Property("stochastic", goes_up_in_proportion, eighths),
    Property("stochastic", falls_with_the_draw, eighths),
    Property("stochastic", uses_its_own_draw, draws),
)
AGREES = {"apply": floats_and_specials, "stochastic": draws}
LONGER = {"apply": longer(floats_and_specials, repeated(t=0)), "stochastic": longer(draws, repeated(t=0, u=0))}
