"""Mean of the codes of every window, over the positions that are in the image: exact, or by exact float32 steps."""

from fractions import Fraction
from itertools import product

from tests.oracles.integer_conv2d import border, count
from tests.oracles.requantization import clip, code_range
from tests.oracles.rounding import to_format, to_integer


def windows(x, kernel_size, stride, padding):
    """Nested lists (N, C, H_out, W_out) of lists of the codes in the window, row by row."""
    height, width = len(x[0][0]), len(x[0][0][0])
    top, left, bottom, right = border(padding)
    rows = count(height, kernel_size[0], stride[0], top, bottom, 1)
    columns = count(width, kernel_size[1], stride[1], left, right, 1)

    def window(plane, i, j):
        places = [
            (i * stride[0] + u - top, j * stride[1] + v - left)
            for u, v in product(range(kernel_size[0]), range(kernel_size[1]))
        ]
        return [int(plane[r][c]) for r, c in places if 0 <= r < height and 0 <= c < width]

    return [[[[window(plane, i, j) for j in range(columns)] for i in range(rows)] for plane in image] for image in x]


def mean(codes):
    return to_integer(Fraction(sum(codes), len(codes)), "half_away")


def float_mean(codes, x_scale, out_scale, x_zero_point, out_zero_point):
    s_x, s_out = (to_format(Fraction(float(s)), "float32") for s in (x_scale, out_scale))
    total = Fraction(0)
    for q in codes:
        value = to_format(s_x * to_format(Fraction(q - x_zero_point), "float32"), "float32")
        total = to_format(total + value, "float32")
    ratio = to_format(to_format(total / len(codes), "float32") / s_out, "float32")
    return to_integer(to_format(ratio + out_zero_point, "float32"), "half_even")


def average_pool2d(
    x, kernel_size, *, stride=None, padding=0, rounding="integer", x_scale=None, out_scale=None, x_zero_point=0,
    out_zero_point=0, dtype="int8", qmin=None, qmax=None,
):  # fmt: skip
    ends = code_range(dtype, qmin, qmax)

    def code(codes):
        if rounding == "integer":
            return clip(mean(codes), *ends)
        return clip(float_mean(codes, x_scale, out_scale, x_zero_point, out_zero_point), *ends)

    found = windows(x, kernel_size, stride or kernel_size, padding)
    return [[[[code(codes) for codes in row] for row in plane] for plane in image] for image in found]
