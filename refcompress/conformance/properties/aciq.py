"""Properties of analytical clipping."""

from collections.abc import Callable
from math import erfc, exp, pi, sqrt
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.ranges import aciq

FLOATS = st.sampled_from((np.float32, np.float64))


def _clip(convention: str) -> Callable[..., Any]:
    distribution, ddof = convention.removesuffix("_ddof1"), int(convention.endswith("_ddof1"))

    def clip(x: np.ndarray, factor: float, positive: bool) -> Any:
        factors = {distribution: {4 + positive: factor}}
        return aciq.clip(x, 4, distribution, positive=positive, ddof=ddof, factors=factors)

    return clip


def _factor(convention: str) -> Callable[..., Any]:
    return lambda bits, positive: aciq.factor(bits, convention, positive=positive)


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"clip": _clip, "factor": _factor}


@st.composite
def values(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Two to 8 values of a sign or of both, and a factor."""
    positive = draw(st.booleans())
    eighths = draw(st.lists(st.integers(0 if positive else -800, 800), min_size=2, max_size=8))
    factor = draw(st.integers(1, 80).map(lambda k: k / 8) | st.floats(0.1, 10))
    return {"x": np.array(eighths, draw(FLOATS)) / 8, "factor": np.float64(factor), "positive": positive}


@st.composite
def exact(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Values whose mean and deviation are exact: 2, 4 or 8 for Laplace's b, else equally many m − d and m + d.

    With n − 1, m itself is one of them, so that (m ± d − m)² adds up to (n − 1)·d².
    """
    if convention == "laplace":
        n = 2 ** draw(st.integers(1, 3))
        x = draw(st.lists(st.integers(0, 100), min_size=n, max_size=n))
    else:
        m, d, pairs = draw(st.integers(50, 100)), draw(st.integers(0, 50)), draw(st.integers(1, 3))
        x = draw(st.permutations([m - d, m + d] * pairs + [m] * (convention == "gauss_ddof1")))
    factor = np.float64(draw(st.integers(1, 80)) / 8)
    return {"x": np.array(x, draw(FLOATS)), "factor": factor, "positive": draw(st.booleans())}


def longer_exact(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """All of them as often, n or a few more in all, so that mean and deviation stay; m, if it is one, only once."""
    x = np.sort(arguments["x"])
    middle = np.arange(x.size // 2, x.size // 2 + x.size % 2)
    pairs, m = np.delete(x, middle), x[middle]
    return arguments | {"x": np.append(np.tile(pairs, -(-n // pairs.size)), m)}


def numbers_of_bits(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """One to 15 bits."""
    return st.fixed_dictionaries({"bits": st.integers(1, 15), "positive": st.booleans()})


def slack(x: np.ndarray, factor: float) -> float:
    """A rounding of the ends to x's dtype, and a hundred of sums of float64, of numbers up to this size."""
    size = float(np.abs(x).max()) * (1 + 2 * factor)
    return size * (float(np.finfo(x.dtype).eps) + 100 * 2.0**-53)


def ends(f: Callable[..., Any], x: np.ndarray, factor: float, positive: bool) -> tuple[float, float]:
    """Return the range as floats."""
    low, high = f(x, np.float64(factor), positive)
    return float(low), float(high)


def lies_around_the_mean(f: Callable[..., Any], convention: str, x: np.ndarray, factor: float, positive: bool) -> None:
    """The mean is in the middle; where only positive values are taken, low is 0."""
    low, high = ends(f, x, factor, positive)
    if positive:
        assert low == 0, f"low must be 0, got {low}"
    else:
        mean = float(x.mean(dtype=np.float64))
        assert abs((low + high) / 2 - mean) <= slack(x, factor), f"the mean is {mean}, the range {low} to {high}"


def grows_with_the_factor(f: Callable[..., Any], convention: str, x: np.ndarray, factor: float, positive: bool) -> None:
    """Twice the factor is twice the width."""
    (low, high), (wide_low, wide_high) = ends(f, x, factor, positive), ends(f, x, 2 * factor, positive)
    off = abs((wide_high - wide_low) - 2 * (high - low))
    assert off <= 6 * slack(x, 2 * factor), f"{low} to {high} becomes {wide_low} to {wide_high}"


def is_as_wide_as_the_values_allow(
    f: Callable[..., Any], convention: str, x: np.ndarray, factor: float, positive: bool
) -> None:
    """The deviation is from 1/n to 1/√2 of what is between the smallest and the largest of n values."""
    low, high = ends(f, x, factor, positive)
    deviation, width = (high - low) / (factor if positive else 2 * factor), float(x.max() - x.min())
    off = 2 * slack(x, factor) / factor
    assert width / x.size - off <= deviation <= width / sqrt(2) + off, (
        f"{width} is between the ends of x, and {deviation}"
    )


def moves_with_the_values(f: Callable[..., Any], convention: str, x: np.ndarray, factor: float, positive: bool) -> None:
    """Added to every value, a number is added to both ends, or to none where low is 0."""
    added = 64.0
    (low, high), moved = ends(f, x, factor, positive), ends(f, x + x.dtype.type(added), factor, positive)
    if not positive:
        low, high = low + added, high + added
    off = 4 * slack(np.abs(x) + added, factor)
    assert abs(moved[0] - low) <= off, f"low becomes {moved[0]} instead of {low}"
    assert abs(moved[1] - high) <= off, f"high becomes {moved[1]} instead of {high}"


def a_constant_has_no_width(
    f: Callable[..., Any], convention: str, x: np.ndarray, factor: float, positive: bool
) -> None:
    """Equal values give a range without width: themselves, or 0 where low is 0."""
    found = ends(f, np.full_like(x, x[0]), factor, positive)
    wanted = 0.0 if positive else float(x[0])
    assert found == (wanted, wanted), f"{len(x)} times {x[0]} has the range {found[0]} to {found[1]}"


def expected_error(alpha: float, bits: int, convention: str) -> float:
    """Return the squared error that clipping and 2^bits levels are expected to leave."""
    rounding = alpha**2 / (3 * 4.0**bits)
    if convention == "laplace":
        return 2 * exp(-alpha) + rounding
    tail = (1 + alpha**2) * erfc(alpha / sqrt(2)) - sqrt(2 / pi) * alpha * exp(-(alpha**2) / 2)
    return tail + rounding


def has_the_least_error(f: Callable[..., Any], convention: str, bits: int, positive: bool) -> None:
    """A factor that is larger or smaller by a thousandth is expected to leave a larger error."""
    alpha = float(f(bits, positive))
    least = expected_error(alpha, bits + positive, convention)
    for other in (alpha * 0.999, alpha * 1.001):
        error = expected_error(other, bits + positive, convention)
        assert error > least, f"{alpha} leaves the error {least}, {other} leaves {error}"


def grows_with_the_bits(f: Callable[..., Any], convention: str, bits: int, positive: bool) -> None:
    """More bits clip less."""
    one, more = float(f(bits, positive)), float(f(bits + 1, positive))
    assert one < more, f"{bits} bits have the factor {one}, one bit more {more}"


def positive_is_a_bit_more(f: Callable[..., Any], convention: str, bits: int, positive: bool) -> None:
    """Where only the positive half is quantized, the levels lie as close as with one bit more for both halves."""
    half, both = float(f(bits, True)), float(f(bits + 1, False))
    assert abs(half - both) <= 2e-6, f"{bits} bits for positive values have {half}, {bits + 1} for all of them {both}"


PROPERTIES = (
    Property("clip", lies_around_the_mean, values),
    Property("clip", grows_with_the_factor, values),
    Property("clip", is_as_wide_as_the_values_allow, values),
    Property("clip", moves_with_the_values, values),
    Property("clip", a_constant_has_no_width, values),
    Property("factor", has_the_least_error, numbers_of_bits),
    Property("factor", grows_with_the_bits, numbers_of_bits),
    Property("factor", positive_is_a_bit_more, numbers_of_bits),
)
AGREES = {"clip": exact}
LONGER = {"clip": longer(exact, longer_exact)}
