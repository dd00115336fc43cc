"""Integer matrix products with zero points, term by term in Python's integers."""


def matmul(a, b, a_zero_point=0, b_zero_point=0):
    """Σ_k (a[m][k] − z_a)·(b[k][n] − z_b) of lists of rows (b needs a row, from which its number of columns is read).

    A zero point is one integer, or a list with one for every row of a, every column of b.
    """
    columns = len(b[0])
    out = []
    for m, row in enumerate(a):
        sums = [0] * columns
        for factor, line in zip(row, b, strict=True):
            for n in range(columns):
                sums[n] += (int(factor) - of(a_zero_point, m)) * (int(line[n]) - of(b_zero_point, n))
        out.append(sums)
    return out


def of(value, index):
    """Entry of a list, or the one number that stands for all."""
    return int(value[index]) if isinstance(value, list) else int(value)


def centred(rows, row_zero_point=0, column_zero_point=0):
    """Every entry less the zero points of its row and its column, of which one is 0."""
    return [
        [int(value) - of(row_zero_point, m) - of(column_zero_point, n) for n, value in enumerate(row)]
        for m, row in enumerate(rows)
    ]


def largest(rows):
    """Largest absolute value, 0 of nothing."""
    return max((abs(int(value)) for row in rows for value in row), default=0)


def fits(a, b, a_zero_point=0, b_zero_point=0):
    """Whether no sum, whatever the signs, could leave int32: K · max|a − z_a| · max|b − z_b| ≤ 2³¹ − 1."""
    sizes = largest(centred(a, a_zero_point)), largest(centred(b, 0, b_zero_point))
    return overflow_bound(len(b), *sizes) <= 2**31 - 1


def overflow_bound(terms, largest_a, largest_b):
    """Add the largest product up, term by term."""
    total = 0
    for _ in range(terms):
        total += largest_a * largest_b
    return total


def columns(b):
    """Smallest, largest and sum of every column; the sum as the int32 that it is modulo 2³²."""
    count = len(b[0])
    low, high, sums = [], [], []
    for n in range(count):
        column = [int(row[n]) for row in b]
        low.append(min(column))
        high.append(max(column))
        sums.append((sum(column) + 2**31) % 2**32 - 2**31)
    return low, high, sums
