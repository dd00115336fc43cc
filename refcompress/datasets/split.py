"""Divide labelled samples into a training and a test part, class by class."""

from fractions import Fraction

import numpy as np

from refcompress.formulas import checks


def stratified_split(
    labels: np.ndarray, test_fraction: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Split the indices of `labels` so that both parts hold the classes in the same proportions.

        total = round(f · N)
        k_c = ⌊f · n_c⌋, plus 1 for the classes with the largest remainders f · n_c − ⌊f · n_c⌋, so that Σ k_c = total

    Parameters
    ----------
    labels : (N,) integer array
        Class of every sample; n_c samples are of class c.
    test_fraction : float
        f, the wanted share of test samples, 0 < f < 1.
    rng : numpy.random.Generator
        Chooses which samples of a class are for testing.

    Returns
    -------
    train_indices, test_indices : int64 arrays
        Each sorted in ascending order; together every index 0 … N − 1 once. len(test_indices) = total.

    Raises
    ------
    TypeError
        If the labels are not integers, f is not a real number, or rng is not a Generator.
    ValueError
        If f is not between 0 and 1, labels is not one-dimensional, a class has fewer than 2 members, or a part would
        be empty.

    Notes
    -----
    f is taken as its shortest decimal, and f · N and f · n_c are exact: 0.575 of 100 is 57.5, which rounds to 58 (a
    half rounds to even). Equal remainders: the smaller label first. The draw is one call, order = rng.permutation(N);
    the test samples of class c are the first k_c of its members in that order. A small class can be wholly in one part.

    Examples
    --------
    >>> labels = np.array([0, 1, 0, 1, 0, 0, 1, 0, 0])
    >>> train, test = stratified_split(labels, 0.33, np.random.default_rng(0))
    >>> labels[test].tolist(), train.tolist()
    ([0, 0, 1], [0, 1, 2, 3, 7, 8])
    """
    labels = checks.integer_array("labels", labels, ndim=1)
    checks.check_not_empty("labels", labels)
    fraction = Fraction(repr(checks.real("test_fraction", test_fraction, 0, 1, open_low=True, open_high=True)))
    checks.generator("rng", rng)
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < 2:
        raise ValueError(f"labels must hold every class at least twice, got class {classes[sizes.argmin()]} once")
    total = round(fraction * labels.size)
    if not 0 < total < labels.size:
        raise ValueError(f"test_fraction must leave both parts non-empty, got {test_fraction} of {labels.size} samples")

    order = rng.permutation(labels.size)
    counts = _counts(sizes.tolist(), fraction, total)
    chosen = [order[labels[order] == c][:k] for c, k in zip(classes, counts, strict=True)]
    test = np.sort(np.concatenate(chosen))
    return np.setdiff1d(np.arange(labels.size), test), test


def _counts(sizes: list[int], fraction: Fraction, total: int) -> list[int]:
    """Shares of `total` by largest remainder; sorted() is stable, so a tie goes to the earlier class."""
    shares = [fraction * size for size in sizes]
    counts = [int(share) for share in shares]
    by_remainder = sorted(range(len(sizes)), key=lambda c: counts[c] - shares[c])
    for c in by_remainder[: total - sum(counts)]:
        counts[c] += 1
    return counts
