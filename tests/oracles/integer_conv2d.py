"""Cross-correlation of integers with zero points, stride, padding, dilation and groups, pixel by pixel."""

from itertools import product

from tests.oracles.products import of


def border(padding):
    """(top, left, bottom, right) of one, two or four numbers."""
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 2:
        return padding[0], padding[1], padding[0], padding[1]
    return tuple(padding)


def count(size, kernel_size, stride, before, after, dilation):
    """Count the starts 0, stride, … at which the dilated kernel still lies inside the padded axis."""
    starts, start = 0, 0
    while start + dilation * (kernel_size - 1) <= before + size + after - 1:
        starts, start = starts + 1, start + stride
    return starts


def conv2d(x, w, x_zero_point=0, w_zero_point=0, stride=(1, 1), padding=0, dilation=(1, 1), groups=1):
    """Nested lists (N, O, H_out, W_out); positions outside of the image are left out of the sums."""
    N, height, width = len(x), len(x[0][0]), len(x[0][0][0])
    O, D, kh, kw = len(w), len(w[0]), len(w[0][0]), len(w[0][0][0])
    top, left, bottom, right = border(padding)
    rows = count(height, kh, stride[0], top, bottom, dilation[0])
    wide = count(width, kw, stride[1], left, right, dilation[1])
    out = [[[[0] * wide for _ in range(rows)] for _ in range(O)] for _ in range(N)]
    for n, o, i, j in product(range(N), range(O), range(rows), range(wide)):
        first = o // (O // groups) * D  # the first input channel of filter o's group
        for d, u, v in product(range(D), range(kh), range(kw)):
            row, column = i * stride[0] + u * dilation[0] - top, j * stride[1] + v * dilation[1] - left
            if 0 <= row < height and 0 <= column < width:
                pixel = int(x[n][first + d][row][column]) - int(x_zero_point)
                out[n][o][i][j] += pixel * (int(w[o][d][u][v]) - of(w_zero_point, o))
    return out
