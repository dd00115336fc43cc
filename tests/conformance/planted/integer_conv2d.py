"""Wrong convolutions: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.integer import integer_conv2d


def right(x, w, x_zero_point, w_zero_point, stride, padding, dilation, groups):
    return integer_conv2d.conv2d(
        x, w, x_zero_point, w_zero_point, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def pads_with_codes_0(x, w, x_zero_point, w_zero_point, stride, padding, *rest):
    top, left, bottom, right_ = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right_)))
    return right(x, w, x_zero_point, w_zero_point, stride, (0, 0, 0, 0), *rest)


def stride_swapped(x, w, x_zero_point, w_zero_point, stride, *rest):
    return right(x, w, x_zero_point, w_zero_point, stride[::-1], *rest)


def dilation_ignored(x, w, x_zero_point, w_zero_point, stride, padding, dilation, groups):
    return right(x, w, x_zero_point, w_zero_point, stride, padding, (1, 1), groups)


def filters_interleaved(x, w, *rest):
    """Filter o belongs to group o % groups."""
    groups = rest[-1]
    order = [o for g in range(groups) for o in range(g, len(w), groups)]
    return right(x, w[order], *rest)[:, np.argsort(order)]


def flipped(x, w, *rest):
    return right(x, w[..., ::-1, ::-1], *rest)


def first_zero_point(x, w, x_zero_point, w_zero_point, *rest):
    return right(x, w, x_zero_point, w_zero_point[0], *rest)


# property: (convention, wrong implementation)
PLANTED = {
    "padding_stands_for_the_zero_point": ("default", pads_with_codes_0),
    "a_stride_leaves_out_positions": ("default", stride_swapped),
    "a_dilation_spreads_filters": ("default", dilation_ignored),
    "groups_are_apart": ("default", filters_interleaved),
    "a_filter_of_one_pixel_moves_the_image": ("default", flipped),
    "treats_each_filter_alone": ("default", first_zero_point),
}
