"""Vectors of granularity: how many scales there are, which of them a weight has, and the largest weight of each."""

import math

import numpy as np

from tests.oracles import granularity as oracle
from tests.oracles.affine import group_of
from tests.vectors.specification import Function, Mutant, Stem

GRIDS = (  # shape, axes, block size
    ((2, 3), (0,), None),
    ((2, 3), (1,), None),
    ((3, 2), (-2,), None),
    ((3,), (), None),
    ((5,), (0,), 2),
    ((2, 5), (1,), 2),
    ((5, 2), (0,), 2),
    ((5, 2), (-2,), 2),
    ((7,), (0,), 4),
    ((7,), (0,), 3),
    ((9,), (0,), 6),
    ((6,), (0,), 3),
    ((3,), (0,), 8),
    ((2, 2, 3), (0, 1), None),
    ((2, 2, 3), (1,), None),
    ((2, 3, 2), (1, 0), None),
    ((3, 2, 2), (-1, 0), None),
    ((2, 3, 2), (1,), 2),
    ((2, 2, 3), (2,), 2),
    ((1, 2, 3), (-1,), None),
)
PARAMETERS = {
    "axes": "ints, axes along which scales differ, or the one cut into blocks; −1 is the last one; none: one scale",
    "block_size": "int, or None for no blocks; the last block may be shorter",
}


def plain(axes):
    """As the oracles have it: None for no axis."""
    return axes or None


def positive(axes, shape):
    return tuple(a % len(shape) for a in axes)


def scales_of(shape, axes, block_size):
    return oracle.parameter_shape(shape, plain(axes), block_size)


def place_of(index, shape, axes, block_size):
    return group_of(index, plain(axes), block_size, len(shape))


# Wrong places of an element's scale: of all granularities, and of blocks alone, from the place along the axis.


def everywhere(function):
    """A variant with function(axes, shape) for the axes."""
    return lambda index, shape, axes, B: place_of(index, shape, function(axes, shape), B)


def along_the_axis(function):
    """A variant of blocks with function(i, block size, n) for i // B, the block of the axis' element i."""

    def place(index, shape, axes, B):
        right = place_of(index, shape, axes, B)
        if B is None:
            return right
        (a,) = positive(axes, shape)
        return *right[:a], function(index[a], B, shape[a]), *right[a + 1 :]

    return place


def flat(index, shape, axes, B):
    if B is None:
        return place_of(index, shape, axes, B)
    scales = scales_of(shape, axes, B)
    number = int(np.ravel_multi_index(index, shape)) // B
    return tuple(int(i) for i in np.unravel_index(number % math.prod(scales), scales))


def of_the_first_row(index, shape, axes, B):
    right = place_of(index, shape, axes, B)
    return right if B is None else tuple(i if a in positive(axes, shape) else 0 for a, i in enumerate(right))


PLACES = {
    "axes from the end": ("axis 0 is the last one", everywhere(
        lambda axes, shape: tuple(len(shape) - 1 - a for a in positive(axes, shape)))),
    "negative axes from the front": ("axis −2 is taken for axis 2", everywhere(
        lambda axes, shape: tuple(abs(a) % len(shape) for a in axes))),
    "axes from 1": ("the axis before the one that is named", everywhere(
        lambda axes, shape: tuple((a - 1) % len(shape) for a in axes))),
    "axes in ascending order": ("whatever order they are named in", everywhere(
        lambda axes, shape: tuple(sorted(positive(axes, shape))))),
    "first axis alone": ("of several axes", lambda index, shape, axes, B: (
        place_of(index, shape, axes, B) if B else place_of(index, shape, axes, B)[:1] + (0,) * (len(axes) - 1))),
    "one for all": ("the first scale", lambda index, shape, axes, B: (0,) * len(scales_of(shape, axes, B))),
    "blocks interleaved": ("element i has the scale i mod the number of blocks", along_the_axis(
        lambda i, B, n: i % -(-n // B))),
    "blocks of equal sizes": ("as many as there are, from i · number / n", along_the_axis(
        lambda i, B, n: i * -(-n // B) // n)),
    "blocks from the end": ("the first block is the shorter one", along_the_axis(
        lambda i, B, n: (i + -n % B) // B)),
    "number of blocks": ("the block size is taken for how many there are", along_the_axis(
        lambda i, B, n: i // -(-n // B))),
    "one less a block": ("a block ends an element too early", along_the_axis(lambda i, B, n: i // max(B - 1, 1))),
    "one more a block": ("a block ends an element too late", along_the_axis(lambda i, B, n: i // (B + 1))),
    "last block joined": ("a shorter one has the scale before it", along_the_axis(
        lambda i, B, n: min(i // B, max(n // B - 1, 0)))),
    "blocks of the flat array": ("they run on over the ends of rows", flat),
    "blocks of the first row": ("the other axes share the scales", of_the_first_row),
}  # fmt: skip


def wrapped(place, shape):
    """Where there is no such place, some other one is read."""
    return tuple(i % n for i, n in zip(place, shape, strict=True))


def grids(convention):
    for shape, axes, block_size in GRIDS:
        places = scales_of(shape, axes, block_size)
        parameter = np.arange(1, 1 + math.prod(places), dtype=np.float32).reshape(places)[()]
        yield {"parameter": parameter, "shape": shape, "axes": axes, "block_size": block_size}


def read_at(place):
    def answer(convention, parameter, shape, axes, block_size):
        full = np.empty(shape, np.float32)
        for index in np.ndindex(shape):
            full[index] = parameter[wrapped(place(index, shape, axes, block_size), parameter.shape)]
        return {"expanded": full}

    return answer


EXPAND = Function(
    summary="the scale (or zero point) of every weight",
    parameters={
        "parameter": "float32 array of the shape that parameter_shape gives",
        "shape": "ints, shape of the weights",
        **PARAMETERS,
    },
    returns={"expanded": "float32 array of the weights' shape"},
    candidates=grids,
    expected=lambda convention, parameter, shape, axes, block_size: {
        "expanded": oracle.expand(np.asarray(parameter), shape, plain(axes), block_size)},
    mutants={name: Mutant(sentence, read_at(place)) for name, (sentence, place) in PLACES.items()},
    provenance="tests/oracles/granularity.py, loops over indices",
)  # fmt: skip


def shapes(convention):
    for shape, axes, block_size in GRIDS:
        yield {"shape": shape, "axes": axes, "block_size": block_size}


def sizes(values):
    return {"scales": np.array(list(values), np.int64)}


def of_axes(sentence, function):
    """A variant of the shape without blocks, from function(shape, the axes from 0)."""

    def answer(convention, shape, axes, block_size):
        right = block_size or not axes
        return sizes(scales_of(shape, axes, block_size) if right else function(shape, positive(axes, shape)))

    return Mutant(sentence, answer)


def of_blocks(sentence, function):
    """A variant of the shape with blocks, from function(shape, the axis from 0, number of blocks, block size)."""

    def answer(convention, shape, axes, block_size):
        if block_size is None:
            return sizes(scales_of(shape, axes, block_size))
        (a,) = positive(axes, shape)
        return sizes(function(shape, a, -(-shape[a] // block_size), block_size))

    return Mutant(sentence, answer)


def with_size(shape, a, size):
    return [*shape[:a], size, *shape[a + 1 :]]


PARAMETER_SHAPE = Function(
    summary="shape of the scales of an array",
    parameters={"shape": "ints, shape of the weights", **PARAMETERS},
    returns={
        "scales": "(k,) array of any integer type: the sizes of the axes named, in the order of axes, none for none; "
        "for blocks the weights' shape with ⌈n / block_size⌉ for n"},
    candidates=shapes,
    expected=lambda convention, shape, axes, block_size: sizes(scales_of(shape, axes, block_size)),
    mutants={
        "axes in ascending order": of_axes(
            "whatever order they are named in", lambda shape, axes: [shape[a] for a in sorted(axes)]),
        "axes from the end": of_axes("axis 0 is the last one", lambda shape, axes: [shape[-1 - a] for a in axes]),
        "the other axes": of_axes(
            "those that are not named", lambda shape, axes: [n for a, n in enumerate(shape) if a not in axes]),
        "negative axes from the front": Mutant(
            "axis −2 is taken for axis 2",
            lambda convention, shape, axes, block_size: sizes(
                scales_of(shape, tuple(abs(a) % len(shape) for a in axes), block_size))),
        "axes kept as 1": of_axes(
            "those that are not named", lambda shape, axes: [n if a in axes else 1 for a, n in enumerate(shape)]),
        "first axis alone": of_axes("of several axes", lambda shape, axes: [shape[axes[0]]]),
        "last block lost": of_blocks("⌊n / block_size⌋", lambda shape, a, count, B: with_size(shape, a, shape[a] // B)),
        "one block too many": of_blocks(
            "⌊n / block_size⌋ + 1", lambda shape, a, count, B: with_size(shape, a, shape[a] // B + 1)),
        "block size": of_blocks("the axis has the size of a block", lambda shape, a, count, B: with_size(shape, a, B)),
        "blocks alone": of_blocks("the other axes are left out", lambda shape, a, count, B: [count]),
        "blocks of the flat array": of_blocks(
            "they run on over the ends of rows", lambda shape, a, count, B: [-(-math.prod(shape) // B)]),
        "blocks last": of_blocks(
            "behind the other axes", lambda shape, a, count, B: [*shape[:a], *shape[a + 1 :], count]),
        "size beside the number": of_blocks(
            "the axis becomes two", lambda shape, a, count, B: [*shape[:a], count, B, *shape[a + 1 :]]),
        "one for all": Mutant("whatever the axes", lambda convention, shape, axes, block_size: sizes([])),
    },
    provenance="tests/oracles/granularity.py, loops over indices",
    holds=lambda inputs: {"scales": (0, 127)},
)  # fmt: skip


def weights(convention):
    """Integers of both signs, of distinct magnitudes, in no order."""
    for k, (shape, axes, block_size) in enumerate(GRIDS):
        generator = np.random.default_rng(k)
        x = generator.permutation(np.arange(1, 1 + math.prod(shape))) * generator.choice([-1, 1], math.prod(shape))
        yield {"x": x.astype(np.float32).reshape(shape), "axes": axes, "block_size": block_size}


def grouped(function, place=place_of):
    """An answer with function(the values of a group), 0 for groups without any."""

    def answer(convention, x, axes, block_size):
        groups = {}
        out = np.zeros(scales_of(x.shape, axes, block_size), np.float32)
        for index in np.ndindex(x.shape):
            groups.setdefault(wrapped(place(index, x.shape, axes, block_size), out.shape), []).append(x[index])
        for where, values in groups.items():
            out[where] = function(values)
        return {"largest": out}

    return answer


def magnitude(values):
    return max(abs(value) for value in values)


def never_a_number(convention, x, axes, block_size):
    return {"largest": np.atleast_1d(grouped(magnitude)(convention, x, axes, block_size)["largest"])}


LARGEST = Function(
    summary="the largest |x| of the elements that share a scale",
    parameters={"x": "float32 array", **PARAMETERS},
    returns={"largest": "float32 array of the shape that parameter_shape gives"},
    candidates=weights,
    expected=lambda convention, x, axes, block_size: {
        "largest": oracle.apply(magnitude, x, plain(axes), block_size).astype(np.float32)},
    mutants={
        **{name: Mutant(sentence, grouped(magnitude, place)) for name, (sentence, place) in PLACES.items()},
        "sign kept": Mutant("the largest x, not |x|", grouped(max)),
        "sign of the largest": Mutant("the x whose |x| is the largest", grouped(lambda values: max(values, key=abs))),
        "smallest": Mutant("the smallest |x|", grouped(lambda values: min(abs(value) for value in values))),
        "first": Mutant("the first |x|", grouped(lambda values: abs(values[0]))),
        "last": Mutant("the last |x|", grouped(lambda values: abs(values[-1]))),
        "width": Mutant("half of the range", grouped(lambda values: (max(values) - min(values)) / 2)),
        "one scale as an array": Mutant("of shape (1,), not ()", never_a_number),
    },
    provenance="tests/oracles/granularity.py, loops over indices",
)  # fmt: skip

STEM = Stem({"expand": EXPAND, "parameter_shape": PARAMETER_SHAPE, "largest": LARGEST})
