"""Oracle for the removal of neurons (P4): nested lists, built entry by entry."""

from fractions import Fraction


def rows(array, indices):
    """The array, as nested lists, without the entries `indices` of its first axis."""
    kept = []
    for i in range(len(array)):
        if i not in indices:
            kept.append(array[i].tolist())
    return kept


def columns(W, indices, block=1):
    """W, as nested lists, without columns i·block … i·block + block − 1 for each i of `indices`."""
    gone = set()
    for i in indices:
        for offset in range(block):
            gone.add(int(i) * block + offset)
    result = []
    for m in range(len(W)):
        result.append([W[m][d].tolist() for d in range(len(W[m])) if d not in gone])
    return result


def folded_bias(b, W, indices, activation, block=1):
    """b + Σ W·activation over the removed columns and their kernel positions, as Fractions."""
    result = []
    for m in range(len(b)):
        total = Fraction(float(b[m]))
        for i, value in zip(indices, activation, strict=True):
            for offset in range(block):
                for weight in W[m][int(i) * block + offset].ravel():
                    total += Fraction(float(weight)) * Fraction(float(value))
        result.append(total)
    return result
