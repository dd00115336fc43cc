"""Wrong pooling: what each property must see."""

import numpy as np

from refcompress.conformance.properties.quantized_average_pool2d import pool, pool_float


def sums(x, kernel_size, stride, padding):
    """Sums over the windows, nothing outside."""
    top, left, bottom, right = padding
    padded = np.pad(x.astype(int), ((0, 0), (0, 0), (top, bottom), (left, right)))
    view = np.lib.stride_tricks.sliding_window_view(padded, kernel_size, axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1]].sum((4, 5))


def ties_up(x, kernel_size, stride, padding, qmin, qmax):
    total = sums(x, kernel_size, stride, padding)
    n = sums(np.ones_like(x), kernel_size, stride, padding)
    return np.clip((2 * total + n) // (2 * n), qmin, qmax)


def counts_the_padding(x, kernel_size, stride, padding, qmin, qmax):
    n = kernel_size[0] * kernel_size[1]
    return np.clip(np.rint(sums(x, kernel_size, stride, padding) / n).astype(int), qmin, qmax)


def stride_swapped(x, kernel_size, stride, *rest):
    return pool(x, kernel_size, stride[::-1], *rest)


def scales_swapped(x, kernel_size, stride, padding, x_scale, out_scale, *rest):
    return pool_float(x, kernel_size, stride, padding, out_scale, x_scale, *rest)


def zero_point_kept(x, kernel_size, stride, padding, x_scale, out_scale, x_zero_point, *rest):
    return pool_float(x, kernel_size, stride, padding, x_scale, out_scale, 0, *rest)


# property: (convention, wrong implementation)
PLANTED = {
    "is_the_mean_of_the_window": ("default", ties_up),
    "keeps_a_constant_image": ("default", counts_the_padding),
    "is_odd": ("default", ties_up),
    "a_stride_leaves_out_windows": ("default", stride_swapped),
    "is_near_the_real_mean": ("default", scales_swapped),
    "zero_points_stand_for_zero": ("default", zero_point_kept),
}
