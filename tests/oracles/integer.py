"""Integer matrix products, term by term in Python's integers."""


def matmul(a, b):
    """Σ_k a[m][k]·b[k][n] of lists of rows (b needs a row, from which its number of columns is read)."""
    columns = len(b[0])
    out = []
    for row in a:
        sums = [0] * columns
        for factor, line in zip(row, b, strict=True):
            for n in range(columns):
                sums[n] += int(factor) * int(line[n])
        out.append(sums)
    return out


def largest(rows):
    """Largest absolute value, 0 of nothing."""
    return max((abs(int(value)) for row in rows for value in row), default=0)


def fits(a, b):
    """Whether no sum, whatever the signs, could leave int32: K · max|a| · max|b| ≤ 2³¹ − 1."""
    return len(b) * largest(a) * largest(b) <= 2**31 - 1
