"""Mean of every window, pixel by pixel; all options are (vertical, horizontal)."""

import numpy as np


def starts(size, kernel_size, stride, padding):
    """First positions of the windows, in unpadded coordinates."""
    return range(-padding, size + padding - kernel_size + 1, stride)


def window(shape, top, left, kernel_size):
    """Real pixels (row, column) of a window, row by row."""
    return [
        (row, column)
        for row in range(top, top + kernel_size[0])
        if 0 <= row < shape[2]
        for column in range(left, left + kernel_size[1])
        if 0 <= column < shape[3]
    ]


def forward(x, kernel_size, stride, padding, count_include_pad=True):
    shape = np.shape(x)
    tops = starts(shape[2], kernel_size[0], stride[0], padding[0])
    lefts = starts(shape[3], kernel_size[1], stride[1], padding[1])
    out = np.zeros((*shape[:2], len(tops), len(lefts)))
    for n, c, i, j in np.ndindex(out.shape):
        pixels = window(shape, tops[i], lefts[j], kernel_size)
        total = 0.0
        for row, column in pixels:
            total += float(x[n][c][row][column])
        out[n, c, i, j] = total / (kernel_size[0] * kernel_size[1] if count_include_pad else len(pixels))
    return out


def backward(dout, shape, kernel_size, stride, padding, count_include_pad=True):
    """Return dX: every pixel of a window gets dout / divisor."""
    tops = starts(shape[2], kernel_size[0], stride[0], padding[0])
    lefts = starts(shape[3], kernel_size[1], stride[1], padding[1])
    dX = np.zeros(shape)
    for n, c, i, j in np.ndindex(np.shape(dout)):
        pixels = window(shape, tops[i], lefts[j], kernel_size)
        divisor = kernel_size[0] * kernel_size[1] if count_include_pad else len(pixels)
        for row, column in pixels:
            dX[n, c, row, column] += float(dout[n][c][i][j]) / divisor
    return dX
