"""Wrong granularities: what each property must see."""

import numpy as np

from refcompress.conformance.properties.granularity import largest, scales_of, spread


def equal_blocks(parameter, shape, axes, block_size):
    """As many blocks, all of one length or one more."""
    if block_size is None:
        return spread(parameter, shape, axes, block_size)
    a = axes[0]
    return np.take(parameter, np.arange(shape[a]) * parameter.shape[a] // shape[a], axis=a)


def interleaved(parameter, shape, axes, block_size):
    return np.take(parameter, np.arange(shape[axes[0]]) % parameter.shape[axes[0]], axis=axes[0])


def ascending(parameter, shape, axes, block_size):
    axes = tuple(sorted(a % len(shape) for a in axes))
    parameter = parameter if block_size else parameter.reshape(scales_of(shape, axes, block_size))
    return spread(parameter, shape, axes, block_size)


def last_axis(parameter, shape, axes, block_size):
    """Negative axes are all taken for the last one."""
    if axes[0] >= 0:
        return spread(parameter, shape, axes, block_size)
    return np.resize(parameter, shape)


def whole_blocks(shape, axes, block_size):
    shape = np.array(shape)
    if block_size is None:
        return shape[list(axes)]
    shape[axes[0]] //= block_size
    return shape


def without_magnitude(x, axes, block_size):
    found = largest(x - x.min(), axes, block_size)
    return found + x.min()


def half_of_the_range(x, axes, block_size):
    return (without_magnitude(x, axes, block_size) + without_magnitude(-x, axes, block_size)) / 2


def next_group(x, axes, block_size):
    return np.roll(largest(x, axes, block_size), 1)


# property: (convention, wrong implementation)
PLANTED = {
    "uses_all_as_often": ("default", equal_blocks),
    "keeps_blocks_together": ("default", interleaved),
    "takes_axes_in_their_order": ("default", ascending),
    "counts_back_from_the_end": ("default", last_axis),
    "covers_the_axis": ("default", whole_blocks),
    "is_reached_and_not_passed": ("default", half_of_the_range),
    "knows_no_sign": ("default", without_magnitude),
    "is_undone_by_spreading": ("default", next_group),
}
