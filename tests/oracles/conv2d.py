"""Cross-correlation with stride, padding, dilation and groups, pixel by pixel; options are (vertical, horizontal)."""

from itertools import product

import numpy as np


def output_size(size, kernel_size, stride, padding, dilation):
    """Count the starts s, s + stride, … at which the dilated kernel still lies inside the padded axis."""
    count, start = 0, 0
    while start + dilation * (kernel_size - 1) <= size + 2 * padding - 1:
        count, start = count + 1, start + stride
    return count


def reached(outputs, size, kernel_size, stride, padding, dilation):
    """Return, for every output along an axis, the (tap, input) that lie inside of the image."""
    found = []
    for i in range(outputs):
        places = [(p, i * stride + p * dilation - padding) for p in range(kernel_size)]
        found.append([(p, place) for p, place in places if 0 <= place < size])
    return found


def reaching(size, outputs, kernel_size, stride, padding, dilation):
    """Return, for every input along an axis, the (tap, output) that it goes into."""
    found = []
    for place in range(size):
        # Solve i·stride + p·dilation − padding = place for i: only whole solutions inside the output exist.
        solved = [(p, *divmod(place + padding - p * dilation, stride)) for p in range(kernel_size)]
        found.append([(p, i) for p, i, rest in solved if rest == 0 and 0 <= i < outputs])
    return found


def forward(x, W, b, stride, padding, dilation, groups):
    (N, _, height, width), (M, D, kh, kw) = np.shape(x), np.shape(W)
    x, W = np.asarray(x, float).tolist(), np.asarray(W, float).tolist()
    out = np.zeros(
        (
            N,
            M,
            output_size(height, kh, stride[0], padding[0], dilation[0]),
            output_size(width, kw, stride[1], padding[1], dilation[1]),
        )
    )
    down = reached(out.shape[2], height, kh, stride[0], padding[0], dilation[0])
    right = reached(out.shape[3], width, kw, stride[1], padding[1], dilation[1])
    for n, o, i, j in np.ndindex(out.shape):
        first = o // (M // groups) * D  # the first input channel of filter o's group
        total = 0.0 if b is None else float(b[o])
        for d, (p, row), (q, column) in product(range(D), down[i], right[j]):
            total += x[n][first + d][row][column] * W[o][d][p][q]
        out[n, o, i, j] = total
    return out


def backward(dout, x, W, stride, padding, dilation, groups):
    """Return dX, dW, db, each entry gathered from the outputs that it reaches."""
    (N, C, height, width), (M, D, kh, kw) = np.shape(x), np.shape(W)
    _, _, rows, columns = np.shape(dout)
    dout, x, W = np.asarray(dout, float).tolist(), np.asarray(x, float).tolist(), np.asarray(W, float).tolist()
    filters = M // groups
    dX, dW, db = np.zeros((N, C, height, width)), np.zeros((M, D, kh, kw)), np.zeros(M)
    down = reaching(height, rows, kh, stride[0], padding[0], dilation[0])
    right = reaching(width, columns, kw, stride[1], padding[1], dilation[1])
    for n, c, row, column in np.ndindex(dX.shape):
        group, d = divmod(c, D)
        total = 0.0
        for o, (p, i), (q, j) in product(range(group * filters, (group + 1) * filters), down[row], right[column]):
            total += dout[n][o][i][j] * W[o][d][p][q]
        dX[n, c, row, column] = total
    for o, d, p, q in np.ndindex(dW.shape):
        c = o // filters * D + d
        total = 0.0
        for n, i, j in product(range(N), range(rows), range(columns)):
            row = i * stride[0] + p * dilation[0] - padding[0]
            column = j * stride[1] + q * dilation[1] - padding[1]
            if 0 <= row < height and 0 <= column < width:
                total += dout[n][o][i][j] * x[n][c][row][column]
        dW[o, d, p, q] = total
    for n, o, i, j in product(range(N), range(M), range(rows), range(columns)):
        db[o] += dout[n][o][i][j]
    return dX, dW, db


def macs(W, output_height, output_width):
    """Count the products one by one, padding included."""
    count = 0
    for _ in product(np.ndindex(np.shape(W)), range(output_height), range(output_width)):
        count += 1
    return count
