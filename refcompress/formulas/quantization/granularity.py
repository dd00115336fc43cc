"""Granularity: how many weights share a scale: a tensor, a channel, a token, or a block.

Tutorial: tutorials/04_conventions.py
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_broadcasts, check_not_empty, check_shape, integer

Axis = int | tuple[int, ...] | None


def parameter_shape(shape: tuple[int, ...], axis: Axis = None, block_size: int | None = None) -> tuple[int, ...]:
    """Shape of the scales of an array of this shape.

        per tensor                   axis None                 ()
        per channel, per token       axis a                    (n_a,)
        per token of a batch         axes (a, b, …)            (n_a, n_b, …)
        per block of B               axis a, block_size B      shape with n_a replaced by ⌈n_a / B⌉

    Parameters
    ----------
    shape : tuple of int
        Shape of the weights or activations.
    axis : None, int, or tuple of int
        The axes along which scales differ; with a block size the one axis that is cut into blocks. Negative axes count
        from the end.
    block_size : int of at least 1, optional
        B. The last block may be shorter.

    Returns
    -------
    tuple of int

    Raises
    ------
    TypeError
        If an axis or the block size is not an integer.
    ValueError
        If an axis is out of range or named twice, or the block size is below 1 or has not one axis.

    Notes
    -----
    A block is cut along one axis. Blocks of two axes (128 × 128) are not here.

    References
    ----------
    .. [1] ONNX operators, QuantizeLinear-21 (per tensor, per axis, blocked).

    Examples
    --------
    >>> parameter_shape((6, 5), axis=0), parameter_shape((6, 5), axis=1, block_size=2)
    ((6,), (6, 3))
    """
    axes = _axes(shape, axis)
    if block_size is None:
        return tuple(shape[a] for a in axes)
    B = integer("block_size", block_size, 1)
    if len(axes) != 1:
        raise ValueError(f"axis must be one axis for block_size {B}, got {axis}")
    return tuple(-(-n // B) if a == axes[0] else n for a, n in enumerate(shape))


def expand(
    name: str, parameter: np.ndarray, shape: tuple[int, ...], axis: Axis = None, block_size: int | None = None
) -> np.ndarray:
    """Bring scales (or zero points) of any granularity to a shape that broadcasts to the weights.

        expanded[i_0, …, i_k] = parameter[i_a]                 per channel or token
        expanded[…, i_a, …]   = parameter[…, ⌊i_a / B⌋, …]     per block

    Parameters
    ----------
    name : str
        What errors call the parameter.
    parameter : array of the shape that `parameter_shape` gives, or of none; with axis None any that broadcasts
    shape, axis, block_size : as for `parameter_shape`

    Returns
    -------
    array that broadcasts to shape; for blocks a new one, else a view.

    Raises
    ------
    TypeError, ValueError
        As `parameter_shape`, or if the parameter has another shape.

    Examples
    --------
    >>> expand("scale", np.array([1.0, 2.0]), (2, 3), axis=0)
    array([[1.],
           [2.]])
    >>> expand("scale", np.array([1.0, 2.0]), (3,), axis=0, block_size=2)
    array([1., 1., 2.])
    """
    wanted = parameter_shape(shape, axis, block_size)
    if parameter.ndim == 0:
        return parameter
    if axis is None:
        check_broadcasts(name, parameter, shape)
        return parameter
    check_shape(name, parameter, wanted)
    axes = _axes(shape, axis)
    if block_size is not None:
        repeated = np.repeat(parameter, min(block_size, shape[axes[0]]), axis=axes[0])
        return repeated[tuple(slice(n) for n in shape)]
    order = np.argsort(axes)
    return parameter.transpose(order).reshape([n if a in axes else 1 for a, n in enumerate(shape)])


def apply(function: Callable[[np.ndarray], Any], x: ArrayLike, axis: Axis = None, block_size: int | None = None) -> Any:
    """Apply a function of an array, such as the search for a range, to every group that shares a scale.

        out[g] = function(the weights of group g)

    Parameters
    ----------
    function : callable
        Takes the weights of a group as an array of one dimension, gives a number or a tuple of numbers.
    x : array
        Weights; not empty.
    axis, block_size : as for `parameter_shape`

    Returns
    -------
    array of the shape that `parameter_shape` gives, or a tuple of such arrays.

    Raises
    ------
    TypeError, ValueError
        As `parameter_shape`, if x is empty, or as the function does.

    Examples
    --------
    >>> apply(lambda group: (group.min(), group.max()), np.arange(5.0), axis=0, block_size=2)
    (array([0., 2., 4.]), array([1., 3., 4.]))
    """
    x = np.asarray(x)
    check_not_empty("x", x)
    shape = parameter_shape(x.shape, axis, block_size)
    results = [function(group) for group in _groups(x, axis, block_size)]
    if isinstance(results[0], tuple):
        return tuple(np.array(values).reshape(shape) for values in zip(*results, strict=True))
    return np.array(results).reshape(shape)


def _axes(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The axes as numbers from 0; ValueError unless they are distinct axes of the shape."""
    named = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    ndim = len(shape)
    axes = tuple(integer("axis", a, -ndim, ndim - 1) % max(ndim, 1) for a in named)
    if len(set(axes)) != len(axes):
        raise ValueError(f"axis must name distinct axes, got {axis}")
    return axes


def _groups(x: np.ndarray, axis: Axis, block_size: int | None) -> Iterator[np.ndarray]:
    """The groups one after the other, in the row-major order of their scales."""
    axes = _axes(x.shape, axis)
    if block_size is None:
        moved = np.moveaxis(x, axes, range(len(axes)))
        yield from moved.reshape(-1, int(np.prod(moved.shape[len(axes) :])))
        return
    for index in np.ndindex(parameter_shape(x.shape, axis, block_size)):
        a, k = axes[0], index[axes[0]] * block_size
        yield x[(*index[:a], slice(k, k + block_size), *index[a + 1 :])]
