import itertools
from fractions import Fraction

import numpy as np
import pytest

from refcompress.datasets import stratified_split


def loop_split(labels, fraction, seed):
    """Independent loop over the documented rule: exact shares, one permutation, ties to the smaller label."""
    fraction = Fraction(fraction)
    sizes = {}
    for label in labels:
        sizes[label] = sizes.get(label, 0) + 1
    doubled = 2 * fraction * len(labels)  # round half to even, by hand
    total = int((doubled + 1) // 2)
    if doubled.denominator == 1 and doubled % 2 == 1 and total % 2 == 1:
        total -= 1
    counts = {label: int(fraction * size) for label, size in sizes.items()}
    while sum(counts.values()) < total:
        best = None
        for label in sorted(sizes):
            rest = fraction * sizes[label] - counts[label]
            if best is None or rest > fraction * sizes[best] - counts[best]:
                best = label
        counts[best] += 1
    test = []
    for index in np.random.default_rng(seed).permutation(len(labels)).tolist():
        if counts[labels[index]] > 0:
            counts[labels[index]] -= 1
            test.append(index)
    return [i for i in range(len(labels)) if i not in test], sorted(test)


@pytest.mark.parametrize(
    ("sizes", "fraction", "counts"),
    [
        ((5, 3, 2), 0.5, [3, 1, 1]),  # shares 2.5, 1.5, 1; total 5: one left over, the tie goes to label 0
        ((7, 5, 9), 0.3, [2, 1, 3]),  # shares 2.1, 1.5, 2.7; total round(6.3) = 6: the one left over goes to 2.7
        ((4, 4, 4), 0.25, [1, 1, 1]),  # nothing left over
        ((3, 3, 3), 0.5, [2, 1, 1]),  # shares 1.5; 4.5 rounds to even, 4
        ((57, 43), 0.575, [33, 25]),  # 57.5 rounds to 58 (the float product is below 57.5); shares 32.775 and 24.725
        ((6, 2), 0.9, [5, 2]),  # shares 5.4 and 1.8; total round(7.2) = 7: class 1 is wholly in the test part
        ((2, 2), 0.25, [1, 0]),  # shares 0.5 each; total 1
    ],
)
def test_counts_by_class(sizes, fraction, counts):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    train, test = stratified_split(labels, fraction, np.random.default_rng(3))
    assert np.bincount(labels[test], minlength=len(sizes)).tolist() == counts
    assert sorted(train.tolist() + test.tolist()) == list(range(sum(sizes)))


def test_equals_the_loop_for_all_small_class_sizes():
    compared = 0
    for sizes in itertools.product(range(2, 6), repeat=3):
        labels = np.random.default_rng(9).permutation(np.repeat([7, 0, 4], sizes))  # labels need not be 0 … C − 1
        for text in ("0.1", "0.25", "0.3", "0.5", "0.77"):
            train, test = stratified_split(labels, float(text), np.random.default_rng(compared))
            assert (train.tolist(), test.tolist()) == loop_split(labels.tolist(), text, compared)
            compared += 1
    assert compared == 320


def test_indices_are_sorted_int64_and_fixed_by_the_rng():
    labels = np.array([0, 1, 2] * 20, dtype=np.uint8)
    train, test = stratified_split(labels, 0.2, np.random.default_rng(1))
    assert train.dtype == test.dtype == np.int64
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    again = stratified_split(labels, 0.2, np.random.default_rng(1))
    other = stratified_split(labels, 0.2, np.random.default_rng(2))
    assert (train.tobytes(), test.tobytes()) == (again[0].tobytes(), again[1].tobytes())
    assert test.tobytes() != other[1].tobytes()


def test_the_caller_s_labels_stay_as_they_are():
    labels = np.array([1, 0, 1, 0, 0])
    stratified_split(labels, 0.4, np.random.default_rng(0))
    assert labels.tolist() == [1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("labels", "fraction", "message"),
    [
        ([0, 0, 1, 2, 2], 0.5, "labels must hold every class at least twice, got class 1 once"),
        ([[0, 0], [1, 1]], 0.5, "labels must have 1 dimensions"),
        ([0, 0, 1, 1], 0, r"test_fraction must be in \(0, 1\), got 0.0"),
        ([0, 0, 1, 1], 1, r"test_fraction must be in \(0, 1\), got 1.0"),
        ([0, 0, 1, 1], float("nan"), r"test_fraction must be in \(0, 1\), got nan"),
        ([0, 0, 1, 1], 0.1, "test_fraction must leave both parts non-empty, got 0.1 of 4 samples"),
        ([0, 0, 1, 1], 0.9, "test_fraction must leave both parts non-empty, got 0.9 of 4 samples"),
        ([0.0, 0.0], 0.5, "labels must be an integer array, got float64"),
        ([0, 0, 1, 1], "0.5", "test_fraction must be a real number, got '0.5'"),
    ],
)
def test_bad_arguments(labels, fraction, message):
    error = TypeError if "integer array" in message or "real number" in message else ValueError
    with pytest.raises(error, match=message):
        stratified_split(labels, fraction, np.random.default_rng(0))


def test_empty_labels():
    with pytest.raises(ValueError, match="labels must not be empty"):
        stratified_split(np.array([], dtype=np.int64), 0.5, np.random.default_rng(0))


def test_rng_must_be_a_generator():
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator, got 0"):
        stratified_split(np.array([0, 0, 1, 1]), 0.5, 0)
