"""Oracle for the streaming moments: nothing streams, all gradients are kept and summed as exact fractions."""

from fractions import Fraction

from tests.oracles import stability


def moments(gradients):
    """(count, means, sums of squared deviations) of the rows, the last two as Fractions."""
    count = len(gradients)
    return count, stability.mean(gradients), [value * count for value in stability.variance(gradients)]


def summed(gradients, parameters):
    """The same where every `parameters` columns in a row are one neuron's: its sum of squares is over all of them."""
    count, means, squares = moments(gradients)
    return count, means, [sum(squares[i : i + parameters]) for i in range(0, len(squares), parameters)]


def sums(gradients, shift):
    """Σ (g − c) and Σ (g − c)² of every column, as Fractions."""
    columns = [[Fraction(float(row[k])) - Fraction(float(shift[k])) for row in gradients] for k in range(len(shift))]
    return [sum(column) for column in columns], [sum(d * d for d in column) for column in columns]


def std(gradients, ddof=0):
    """Standard deviations of the rows' columns as floats."""
    return stability.std(gradients, ddof)


def std_of_dyadics(values, places, ddof=0):
    """Standard deviation of many multiples of 2^−places, in integers: no greatest common divisors to take."""
    codes = []
    for value in values:
        code = Fraction(float(value)) * 2**places
        assert code.denominator == 1
        codes.append(code.numerator)
    total, squares = 0, 0
    for code in codes:
        total += code
        squares += code * code
    count = len(codes)
    # Σ(c − c̄)² = (count·Σc² − (Σc)²)/count
    return stability.root(Fraction(count * squares - total * total, count * (count - ddof) * 4**places))
