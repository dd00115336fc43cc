"""Maximum of every window, pixel by pixel; all options are (vertical, horizontal)."""

import math

import numpy as np


def winners(x, kernel_size, stride, padding):
    """Yield (n, c, i, j, row, column): window i, j has its first maximum, row by row, there; NaN beats numbers."""
    N, C, height, width = np.shape(x)
    for n in range(N):
        for c in range(C):
            for i, top in enumerate(range(-padding[0], height + padding[0] - kernel_size[0] + 1, stride[0])):
                for j, left in enumerate(range(-padding[1], width + padding[1] - kernel_size[1] + 1, stride[1])):
                    best = None
                    for row in range(max(top, 0), min(top + kernel_size[0], height)):
                        for column in range(max(left, 0), min(left + kernel_size[1], width)):
                            value = float(x[n][c][row][column])
                            if best is None or value > best or (math.isnan(value) and not math.isnan(best)):
                                best, place = value, (row, column)
                    yield n, c, i, j, *place


def forward(x, kernel_size, stride, padding):
    found = {
        place[:4]: float(x[place[0]][place[1]][place[4]][place[5]])
        for place in winners(x, kernel_size, stride, padding)
    }
    out = np.zeros([last + 1 for last in max(found)])
    for place, value in found.items():
        out[place] = value
    return out


def backward(dout, x, kernel_size, stride, padding):
    """Return dX: the winner of a window gets all of its dout."""
    dX = np.zeros(np.shape(x))
    for n, c, i, j, row, column in winners(x, kernel_size, stride, padding):
        dX[n, c, row, column] += float(dout[n][c][i][j])
    return dX
