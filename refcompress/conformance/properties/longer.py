"""Long arrays, made of what is drawn for short ones: a loop over vectors of elements may be wrong only in these."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

Drawn = Callable[[str], st.SearchStrategy[dict[str, Any]]]
Way = Callable[[dict[str, Any], int], dict[str, Any]]

# whole vectors of any usual width, with and without a rest, and several blocks of them
SIZES = (16, 17, 31, 33, 64, 67, 130, 257, 1000, 4099)


def places(count: int, n: int) -> np.ndarray:
    """Return n of the places 0 to count − 1 in a mixed order, of which the second half are there once."""
    random = np.random.default_rng(n)
    others = random.integers((count + 1) // 2, size=max(n - count, 0))
    mixed = random.permutation(np.append(np.arange(count - 1), others))
    return np.append(mixed[: n - 1], count - 1)  # at the end, where a loop may leave out a rest


def resized(array: np.ndarray, axis: int, n: int) -> np.ndarray:
    """Return an array with n along an axis, made of its own parts, or of zeros where it has none."""
    if not array.shape[axis]:
        array = np.insert(array, 0, 0, axis)
    return np.take(array, places(array.shape[axis], n), axis)


def repeated(**axes: int) -> Way:
    """Return a way to n along the axes of these arguments, all of them alike; an argument that is None stays."""

    def way(arguments: dict[str, Any], n: int) -> dict[str, Any]:
        given = {name: arguments[name] for name in axes if arguments[name] is not None}
        return arguments | {name: resized(array, axes[name], n) for name, array in given.items()}

    return way


def more_columns(block: int, scales: str) -> Way:
    """Return a way to n columns of codes, with scales for their blocks."""

    def way(arguments: dict[str, Any], n: int) -> dict[str, Any]:
        codes = resized(arguments["codes"], 1, n)
        return arguments | {"codes": codes, scales: resized(arguments[scales], 1, -(-n // block))}

    return way


def longer(drawn: Drawn, *ways: Way, sizes: tuple[int, ...] = SIZES) -> Drawn:
    """Return a strategy of the same arguments, made n long in one of the ways."""

    def long(convention: str) -> st.SearchStrategy[dict[str, Any]]:
        chosen = st.tuples(drawn(convention), st.sampled_from(ways), st.sampled_from(sizes))
        return chosen.map(lambda c: c[1](c[0], c[2]))

    return long


def at_times_longer(drawn: Drawn, *ways: Way, sizes: tuple[int, ...] = SIZES) -> Drawn:
    """Return a strategy of the arguments as they are, or made n long."""
    return lambda convention: drawn(convention) | longer(drawn, *ways, sizes=sizes)(convention)
