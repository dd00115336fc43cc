"""Blocks: large arrays are worked through in parts that stay in the cache, so that temporaries never reach memory."""

import math
from collections.abc import Iterator
from typing import Any

BLOCK = 1 << 16  # elements: with a temporary or two in float32, most of a second-level cache

Index = tuple[Any, ...]  # of integers and slices


def blocks(shape: tuple[int, ...]) -> Iterator[Index]:
    """Indices that cut an array of this shape, in row-major order, into blocks of at most BLOCK elements.

    Examples
    --------
    >>> for index in blocks((2, 70_000)):
    ...     print(index)
    (0, slice(0, 65536, None))
    (0, slice(65536, 131072, None))
    (1, slice(0, 65536, None))
    (1, slice(65536, 131072, None))
    """
    if math.prod(shape) <= BLOCK:
        yield (...,)
        return
    length, rest = shape[0], math.prod(shape[1:])
    if rest > BLOCK:
        yield from ((i, *inner) for i in range(length) for inner in blocks(shape[1:]))
        return
    step = BLOCK // rest
    yield from ((slice(i, i + step),) for i in range(0, length, step))
