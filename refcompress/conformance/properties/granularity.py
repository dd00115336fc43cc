"""Properties of granularity."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import SIZES, longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization import granularity

Shape = tuple[int, ...]


def scales_of(shape: Shape, axes: Shape, block_size: int | None) -> Shape:
    """The shape of the scales, of no axis too."""
    return granularity.parameter_shape(shape, axes or None, block_size)


def spread(parameter: np.ndarray, shape: Shape, axes: Shape, block_size: int | None) -> np.ndarray:
    """The scale of every element."""
    expanded = granularity.expand("parameter", np.asarray(parameter), shape, axes or None, block_size)
    return np.broadcast_to(expanded, shape)


def largest(x: np.ndarray, axes: Shape, block_size: int | None) -> np.ndarray:
    """The largest magnitude of every group."""
    return granularity.apply(lambda group: np.abs(group).max(), x, axes or None, block_size)


OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "expand": lambda convention: spread,
    "parameter_shape": lambda convention: (
        lambda shape, axes, block_size: np.array(scales_of(shape, axes, block_size), np.int64)
    ),
    "largest": lambda convention: largest,
}


@st.composite
def grids(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A shape of up to 18 elements, and axes of its, or one that is cut into blocks."""
    sizes = st.lists(st.integers(1, 6), min_size=1, max_size=3).filter(lambda sizes: math.prod(sizes) <= 18)
    shape = tuple(draw(sizes))
    names = st.integers(-len(shape), len(shape) - 1)
    axes = draw(st.lists(names, min_size=1, max_size=3, unique_by=lambda a: a % len(shape)))
    block_size = draw(st.integers(1, 5)) if len(axes) == 1 and draw(st.booleans()) else None
    return {"shape": shape, "axes": tuple(axes), "block_size": block_size}


@st.composite
def scales(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Distinct scales, 1 to n, for one."""
    grid = draw(grids(convention))
    places = scales_of(**grid)
    parameter = np.arange(1, 1 + math.prod(places), dtype=np.float32).reshape(places)
    return {"parameter": parameter, **grid}


def more_scales(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """A shape with n along its last axis, and scales for it."""
    grid = {"shape": (*arguments["shape"][:-1], n), "axes": arguments["axes"], "block_size": arguments["block_size"]}
    places = scales_of(**grid)
    return {"parameter": np.arange(1, 1 + math.prod(places), dtype=np.float32).reshape(places), **grid}


@st.composite
def blocks(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Scales of blocks."""
    return draw(scales(convention).filter(lambda drawn: drawn["block_size"] is not None))


@st.composite
def weights(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Integers of both signs."""
    grid = draw(grids(convention))
    size = math.prod(grid["shape"])
    x = draw(st.lists(st.integers(-50, 50), min_size=size, max_size=size))
    return {"x": np.array(x, np.float32).reshape(grid["shape"]), "axes": grid["axes"], "block_size": grid["block_size"]}


def uses_all_as_often(
    f: Callable[..., Any], convention: str, parameter: np.ndarray, shape: Shape, axes: Shape, block_size: int | None
) -> None:
    """Every scale stands at as many places as its group has: the shape's size over the scales', or a block's length."""
    expanded = np.asarray(f(parameter, shape, axes, block_size))
    assert expanded.shape == shape, f"there must be a scale for each of {shape}, got shape {expanded.shape}"
    for place in np.ndindex(parameter.shape):
        count = np.count_nonzero(expanded == parameter[place])
        wanted = math.prod(shape) // parameter.size
        if block_size is not None:
            a = axes[0] % len(shape)
            wanted = min(block_size, shape[a] - place[a] * block_size)
        assert count == wanted, f"the scale at {list(place)} is that of {wanted} elements, got {count}"


def keeps_blocks_together(
    f: Callable[..., Any], convention: str, parameter: np.ndarray, shape: Shape, axes: Shape, block_size: int
) -> None:
    """Neighbours along the axis share a scale, unless a block ends between them."""
    lines = np.moveaxis(np.asarray(f(parameter, shape, axes, block_size)), axes[0], 0)
    for i in range(1, len(lines)):
        same = (lines[i] == lines[i - 1]).all()
        assert same == (i % block_size != 0), (
            f"blocks of {block_size} must end before {block_size}, got {lines.tolist()}"
        )


def takes_axes_in_their_order(
    f: Callable[..., Any], convention: str, parameter: np.ndarray, shape: Shape, axes: Shape, block_size: int | None
) -> None:
    """Axes named the other way round go with transposed scales."""
    if block_size is None:
        expanded, other = (np.asarray(f(p, shape, a, None)) for p, a in ((parameter, axes), (parameter.T, axes[::-1])))
        assert np.array_equal(expanded, other), f"{axes} give {expanded.tolist()}, the other way {other.tolist()}"


def counts_back_from_the_end(
    f: Callable[..., Any], convention: str, parameter: np.ndarray, shape: Shape, axes: Shape, block_size: int | None
) -> None:
    """An axis and the same one less the number of dimensions are one."""
    other = tuple(a - len(shape) if a >= 0 else a + len(shape) for a in axes)
    expanded, again = (np.asarray(f(parameter, shape, named, block_size)) for named in (axes, other))
    assert np.array_equal(expanded, again), f"axes {axes} give {expanded.tolist()}, {other} {again.tolist()}"


def covers_the_axis(f: Callable[..., Any], convention: str, shape: Shape, axes: Shape, block_size: int | None) -> None:
    """The blocks reach to the end of the axis, and the last one is not empty; the other axes keep their sizes."""
    scales = [int(n) for n in np.asarray(f(shape, axes, block_size))]
    if block_size is None:
        wanted = [shape[a] for a in axes]
        assert scales == wanted, f"the axes {axes} have the sizes {wanted}, got {scales}"
        return
    a = axes[0] % len(shape)
    assert len(scales) == len(shape), f"there must be {len(shape)} sizes, got {scales}"
    assert scales[a] * block_size >= shape[a], f"{scales[a]} blocks of {block_size} do not hold {shape[a]}"
    assert (scales[a] - 1) * block_size < shape[a], f"of {scales[a]} blocks of {block_size} for {shape[a]} one is empty"
    rest = [[n for i, n in enumerate(sizes) if i != a] for sizes in (scales, shape)]
    assert rest[0] == rest[1], f"the other axes have the sizes {rest[1]}, got {rest[0]}"


def is_reached_and_not_passed(
    f: Callable[..., Any], convention: str, x: np.ndarray, axes: Shape, block_size: int | None
) -> None:
    """No |x| of a group is above its largest, and one of them is it."""
    found = np.asarray(f(x, axes, block_size))
    above = spread(found, x.shape, axes, block_size)
    assert (np.abs(x) <= above).all(), f"{x.tolist()} has an |x| above {found.tolist()}"
    sums = np.asarray(largest((np.abs(x) == above).astype(np.float32), axes, block_size))
    assert sums.all(), f"{found.tolist()} holds a number that is no |x| of its group, {x.tolist()}"


def knows_no_sign(f: Callable[..., Any], convention: str, x: np.ndarray, axes: Shape, block_size: int | None) -> None:
    """−x has the largest |x| that x has."""
    found, other = (np.asarray(f(values, axes, block_size)) for values in (x, -x))
    assert np.array_equal(found, other), f"{x.tolist()} has {found.tolist()}, its negative {other.tolist()}"


def is_undone_by_spreading(
    f: Callable[..., Any], convention: str, parameter: np.ndarray, shape: Shape, axes: Shape, block_size: int | None
) -> None:
    """Scales that are spread over the weights are the largest of their groups."""
    found = np.asarray(f(spread(parameter, shape, axes, block_size).copy(), axes, block_size))
    assert np.array_equal(found, parameter), f"{parameter.tolist()}, spread over {shape}, come back as {found.tolist()}"


PROPERTIES = (
    Property("expand", uses_all_as_often, scales),
    Property("expand", keeps_blocks_together, blocks),
    Property("expand", takes_axes_in_their_order, scales),
    Property("expand", counts_back_from_the_end, scales),
    Property("parameter_shape", covers_the_axis, grids),
    Property("largest", is_reached_and_not_passed, weights),
    Property("largest", knows_no_sign, weights),
    Property("largest", is_undone_by_spreading, scales),
)
AGREES = {"expand": scales, "parameter_shape": grids, "largest": weights}
LONGER = {
    "expand": longer(scales, more_scales, sizes=SIZES[:8]),
    "largest": longer(weights, repeated(x=-1), sizes=SIZES[:8]),
}
