"""Winograd's F(4×4, 3×3): one tile in fractions, and the absolute values that bound what roundings do to whole images.

The numbers themselves are those of tests/oracles/conv2d.py.
"""

from fractions import Fraction

import numpy as np

BT = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
]
G = [
    [Fraction(1, 4), Fraction(0), Fraction(0)],
    [Fraction(-1, 6), Fraction(-1, 6), Fraction(-1, 6)],
    [Fraction(-1, 6), Fraction(1, 6), Fraction(-1, 6)],
    [Fraction(1, 24), Fraction(1, 12), Fraction(1, 6)],
    [Fraction(1, 24), Fraction(-1, 12), Fraction(1, 6)],
    [Fraction(0), Fraction(0), Fraction(1)],
]
AT = [
    [1, 1, 1, 1, 1, 0],
    [0, 1, -1, 2, -2, 0],
    [0, 1, 1, 4, 4, 0],
    [0, 1, -1, 8, -8, 1],
]


# one tile: lists of rows of Fractions or integers


def transposed(M):
    return [[M[i][j] for i in range(len(M))] for j in range(len(M[0]))]


def times(L, R):
    return [[sum(L[i][k] * R[k][j] for k in range(len(R))) for j in range(len(R[0]))] for i in range(len(L))]


def around(M, X):
    """M X Mᵀ."""
    return times(times(M, X), transposed(M))


def elementwise(X, Y):
    return [[x * y for x, y in zip(*rows, strict=True)] for rows in zip(X, Y, strict=True)]


def tile(d, g, BT=BT, G=G, AT=AT):
    """16 outputs of the filter g (3×3) on d (6×6) from 36 products: Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A."""
    return around(AT, elementwise(around(G, g), around(BT, d)))


def tile_dg(d, dy, BT=BT, G=G, AT=AT):
    """What dy (4×4) does to the filter: Gᵀ [(Bᵀ d B) ⊙ (A dy Aᵀ)] G."""
    return around(transposed(G), elementwise(around(BT, d), around(transposed(AT), dy)))


def tile_dd(g, dy, BT=BT, G=G, AT=AT):
    """What dy does to the pixels: B [(G g Gᵀ) ⊙ (A dy Aᵀ)] Bᵀ."""
    return around(transposed(BT), elementwise(around(G, g), around(transposed(AT), dy)))


def direct(d, g):
    """The 16 outputs from 144 products."""
    return [
        [sum(d[i + u][j + v] * g[u][v] for u in range(3) for v in range(3)) for j in range(len(d[0]) - 2)]
        for i in range(len(d) - 2)
    ]


def direct_dg(d, dy):
    return [[sum(d[i + u][j + v] * dy[i][j] for i in range(4) for j in range(4)) for v in range(3)] for u in range(3)]


def direct_dd(g, dy):
    total = [[0] * 6 for _ in range(6)]
    for i in range(4):
        for j in range(4):
            for u in range(3):
                for v in range(3):
                    total[i + u][j + v] += g[u][v] * dy[i][j]
    return total


# whole images: sums of absolute values, which n roundings of relative size u move by at most about n·u times as much


def sizes(x, W, b, padding):
    """Per output |b[o]| + |Aᵀ| [ Σ_c (|G| |W[o, c]| |Gᵀ|) ⊙ (|Bᵀ| |d_tile[c]| |B|) ] |A|, as (N, O, H_out, W_out)."""
    (N, C, height, width), O = np.shape(x), len(W)
    BT_, G_, AT_ = absolute(BT), absolute(G), absolute(AT)
    rows, columns, padded = tiled(x, padding)
    out = np.zeros((N, O, 4 * rows, 4 * columns))
    for n, r, k in np.ndindex(N, rows, columns):
        V = [BT_ @ padded[n, c, 4 * r : 4 * r + 6, 4 * k : 4 * k + 6] @ BT_.T for c in range(C)]
        for o in range(O):
            products = sum((G_ @ absolute(W[o][c]) @ G_.T) * V[c] for c in range(C))
            out[n, o, 4 * r : 4 * r + 4, 4 * k : 4 * k + 4] = AT_ @ products @ AT_.T
    if b is not None:
        out += absolute(b)[:, None, None]
    return out[:, :, : height + 2 * padding[0] - 2, : width + 2 * padding[1] - 2]


def backward_sizes(dout, x, W, padding):
    """The same for dX, dW and db, and the number of tiles."""
    (N, C, height, width), O = np.shape(x), len(W)
    BT_, G_, AT_ = absolute(BT), absolute(G), absolute(AT)
    rows, columns, padded = tiled(x, padding)
    dy = np.zeros((N, O, 4 * rows, 4 * columns))
    dy[:, :, : np.shape(dout)[2], : np.shape(dout)[3]] = absolute(dout)
    dX, dU = np.zeros(padded.shape), np.zeros((O, C, 6, 6))
    for n, r, k in np.ndindex(N, rows, columns):
        part = (slice(4 * r, 4 * r + 6), slice(4 * k, 4 * k + 6))
        dP = [AT_.T @ dy[n, o, 4 * r : 4 * r + 4, 4 * k : 4 * k + 4] @ AT_ for o in range(O)]
        for c in range(C):
            V = BT_ @ padded[(n, c, *part)] @ BT_.T
            for o in range(O):
                dU[o, c] += V * dP[o]
            products = sum((G_ @ absolute(W[o][c]) @ G_.T) * dP[o] for o in range(O))
            dX[(n, c, *part)] += BT_.T @ products @ BT_
    dW = np.array([[G_.T @ dU[o, c] @ G_ for c in range(C)] for o in range(O)])
    (top, left), db = padding, absolute(dout).sum(axis=(0, 2, 3))
    return (dX[:, :, top : top + height, left : left + width], dW, db), N * rows * columns


def absolute(values):
    return np.abs(np.array(values, dtype=np.float64))


def tiled(x, padding):
    """Rows and columns of tiles, and |x| with zeros around it up to the last tile's end."""
    N, C, height, width = np.shape(x)
    rows, columns = (-(-(size + 2 * p - 2) // 4) for size, p in zip((height, width), padding, strict=True))
    padded = np.zeros((N, C, 4 * rows + 2, 4 * columns + 2))
    padded[:, :, padding[0] : padding[0] + height, padding[1] : padding[1] + width] = absolute(x)
    return rows, columns, padded
