"""Granularity by loops over indices: which scale every element has."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from tests.oracles.affine import group_of


def parameter_shape(shape: tuple[int, ...], axis: Any, block_size: int | None) -> tuple[int, ...]:
    """Return the shape that holds exactly one place for every group of elements."""
    if axis is None:
        return ()
    axes = [a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))]
    if block_size is None:
        return tuple(shape[a] for a in axes)
    return tuple(len(range(0, n, block_size)) if a == axes[0] else n for a, n in enumerate(shape))


def expand(parameter: np.ndarray, shape: tuple[int, ...], axis: Any, block_size: int | None) -> np.ndarray:
    """Return the scale of every element."""
    full = np.empty(shape, parameter.dtype)
    for index in product(*map(range, shape)):
        full[index] = parameter[group_of(index, axis, block_size, len(shape))]
    return full


def groups(x: np.ndarray, axis: Any, block_size: int | None) -> dict[tuple[int, ...], list[Any]]:
    """Return the elements of every group in row-major order, by the place of their scale."""
    found: dict[tuple[int, ...], list[Any]] = {}
    for index in product(*map(range, x.shape)):
        found.setdefault(group_of(index, axis, block_size, x.ndim), []).append(x[index])
    return found


def apply(function: Callable[[list[Any]], Any], x: np.ndarray, axis: Any, block_size: int | None) -> np.ndarray:
    """Return the function of every group."""
    out = np.empty(parameter_shape(x.shape, axis, block_size), object)
    for place, elements in groups(x, axis, block_size).items():
        out[place] = function(elements)
    return out
