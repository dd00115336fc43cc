import itertools

import numpy as np
import pytest

from refcompress.formulas.pruning import removal
from tests.oracles import removal as oracle


def numbered(shape, dtype=np.float64):
    """An array whose entries are their own index, one decimal digit per axis."""
    result = np.zeros(shape, dtype)
    for place in np.ndindex(*shape):
        result[place] = int("".join(map(str, place)))
    return result


def subsets(n):
    """Every set of indices but all of them, as sorted lists."""
    for size in range(n):
        for chosen in itertools.combinations(range(n), size):
            yield list(chosen)


def as_indices(chosen):
    return np.array(chosen, np.int64)


# ---- rows ----


def test_rows_by_hand():
    b = np.array([0.0, 1.0, 2.0, 3.0])
    assert removal.rows(b, as_indices([1, 3])).tolist() == [0.0, 2.0]
    W = numbered((4, 2))
    assert removal.rows(W, as_indices([0, 2])).tolist() == [[10, 11], [30, 31]]
    assert removal.rows(W, [3, 0]).tolist() == [[10, 11], [20, 21]]
    assert removal.rows(W, np.array([2], np.uint8)).tolist() == [[0, 1], [10, 11], [30, 31]]


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_every_subset(shape, dtype):
    array = numbered(shape, dtype)
    for chosen in subsets(4):
        for order in (array, np.asfortranarray(array)):
            result = removal.rows(order, as_indices(chosen[::-1]))
            assert result.tolist() == oracle.rows(array, chosen)
            assert result.dtype == dtype
            assert result.flags.c_contiguous
            assert not np.shares_memory(result, order)


# ---- columns ----


def test_columns_by_hand():
    W = numbered((2, 4))
    assert removal.columns(W, as_indices([1, 2])).tolist() == [[0, 3], [10, 13]]
    kernel = numbered((1, 3, 1, 2))
    assert removal.columns(kernel, as_indices([1])).tolist() == [[[[0, 1]], [[200, 201]]]]


def test_blocks_by_hand():
    """Through Flatten: channel i owns the columns i·block … i·block + block − 1."""
    W = numbered((2, 6))
    assert removal.columns(W, as_indices([1]), block=2).tolist() == [[0, 1, 4, 5], [10, 11, 14, 15]]
    assert removal.columns(W, as_indices([0]), block=3).tolist() == [[3, 4, 5], [13, 14, 15]]
    assert removal.columns(W, as_indices([2, 0]), 2).tolist() == [[2, 3], [12, 13]]


@pytest.mark.parametrize(("shape", "block"), [((2, 4), 1), ((5, 4, 3, 2), 1), ((3, 8), 2), ((2, 9), 3), ((7, 5), 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_of_every_subset(shape, block, dtype):
    W = numbered(shape, dtype)
    for chosen in subsets(shape[1] // block):
        for order in (W, np.asfortranarray(W)):
            result = removal.columns(order, as_indices(chosen[::-1]), block=block)
            assert result.tolist() == oracle.columns(W, chosen, block)
            assert result.dtype == dtype
            assert result.flags.c_contiguous
            assert not np.shares_memory(result, order)


def test_nothing_removed_is_still_a_copy():
    W = numbered((3, 2))
    for result in (removal.rows(W, as_indices([])), removal.columns(W, as_indices([]))):
        assert result.tolist() == W.tolist()
        result[:] = -1
    assert W.tolist() == [[0, 1], [10, 11], [20, 21]]


# ---- the bias that takes over a constant activation ----


def test_folded_bias_by_hand():
    b = np.array([100.0, 200.0])
    W = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    assert removal.folded_bias(b, W, as_indices([1]), np.array([10.0])).tolist() == [120.0, 260.0]
    assert removal.folded_bias(b, W, as_indices([3, 0]), np.array([10.0, -1.0])).tolist() == [139.0, 275.0]
    # block 2: the pair of columns 2 and 3 shares the activation
    assert removal.folded_bias(b, W, as_indices([1]), np.array([10.0]), block=2).tolist() == [170.0, 350.0]
    assert removal.folded_bias(b, W, as_indices([]), np.array([])).tolist() == [100.0, 200.0]
    assert b.tolist() == [100.0, 200.0]


def test_folded_bias_sums_the_kernel_positions():
    W = np.array([[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], [[9.0, 9.0], [9.0, 9.0]]]])  # (1, 3, 2, 2)
    assert removal.folded_bias(np.array([1.0]), W, as_indices([1]), np.array([2.0])).tolist() == [53.0]
    assert removal.folded_bias(np.array([1.0]), W, as_indices([0, 1]), np.array([1.0, 2.0])).tolist() == [63.0]


@pytest.mark.parametrize(("shape", "block"), [((2, 5), 1), ((3, 4, 2, 5), 1), ((3, 8), 2), ((2, 12), 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_folded_bias_is_exact_on_integers(shape, block, dtype):
    """Small integers: every product and sum stays below 2²⁴, so no order of summation can differ."""
    rng = np.random.default_rng(5)
    W = rng.integers(-9, 10, shape).astype(dtype)
    b = rng.integers(-9, 10, shape[0]).astype(dtype)
    for chosen in subsets(shape[1] // block):
        shuffled = [int(i) for i in rng.permutation(chosen)]
        activation = rng.integers(-9, 10, len(chosen)).astype(dtype)
        result = removal.folded_bias(b, np.asfortranarray(W), as_indices(shuffled), activation, block=block)
        assert result.dtype == dtype
        assert result.shape == (shape[0],)
        assert not np.shares_memory(result, b)
        assert result.tolist() == oracle.folded_bias(b, W, shuffled, activation, block)


def test_folded_bias_within_the_bound_of_reordered_sums():
    """|error| ≤ γ_K·(|b| + Σ|w||a|) with K = terms + 1, for floats."""
    rng = np.random.default_rng(6)
    W, b = rng.standard_normal((3, 5, 2, 2)), rng.standard_normal(3)
    activation = rng.standard_normal(2)
    exact = oracle.folded_bias(b, W, [4, 1], activation)
    size = np.abs(b) + (np.abs(W[:, [4, 1]]).sum(axis=(2, 3)) * np.abs(activation)).sum(axis=1)
    result = removal.folded_bias(b, W, as_indices([4, 1]), activation)
    K = 2 * 4 + 2
    np.testing.assert_array_less(np.abs(result - np.array([float(e) for e in exact])), K * 2.0**-53 * size * 1.01)


# ---- what is refused ----

CALLS = {
    "rows": lambda indices: removal.rows(np.ones((4, 2)), indices),
    "columns": lambda indices: removal.columns(np.ones((3, 4)), indices),
    "columns of blocks": lambda indices: removal.columns(np.ones((3, 8)), indices, block=2),
    "folded_bias": lambda indices: removal.folded_bias(
        np.ones(3), np.ones((3, 8)), indices, np.ones(np.size(indices)), block=2
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_bad_indices(name):
    call = CALLS[name]
    for bad in ([4], [-1], [0, 0], [2, 1, 2], [[0]], 1):
        with pytest.raises(ValueError, match="indices"):
            call(np.array(bad, np.int64))
    for bad in ([0.0], [True, False, False, True], ["0"]):
        with pytest.raises(TypeError, match="indices"):
            call(np.array(bad))


@pytest.mark.parametrize("name", CALLS)
def test_removing_everything_is_refused(name):
    with pytest.raises(ValueError, match="indices"):
        CALLS[name](as_indices([3, 1, 0, 2]))


def test_bad_blocks():
    W, b, one = np.ones((3, 6)), np.ones(3), np.ones(1)
    for block, error in [(0, ValueError), (-1, ValueError), (4, ValueError), (2.0, TypeError), (True, TypeError)]:
        with pytest.raises(error, match="block"):
            removal.columns(W, as_indices([0]), block=block)
        with pytest.raises(error, match="block"):
            removal.folded_bias(b, W, as_indices([0]), one, block=block)
    with pytest.raises(ValueError, match="indices"):
        removal.columns(W, as_indices([3]), block=2)  # there are three blocks


def test_bad_arrays():
    W, b, one = np.ones((3, 6)), np.ones(3), np.ones(1)
    zero = as_indices([0])
    with pytest.raises(ValueError, match="W"):
        removal.columns(np.ones(6), zero)
    with pytest.raises(TypeError, match="W"):
        removal.columns(np.ones((3, 6), int), zero)
    with pytest.raises(TypeError, match="array"):
        removal.rows(np.ones((3, 6), np.float16), zero)
    with pytest.raises(ValueError, match="array"):
        removal.rows(np.array(1.0), zero)
    with pytest.raises(ValueError, match="b"):
        removal.folded_bias(np.ones(2), W, zero, one)
    for activation in (np.ones(2), np.ones((1, 1)), np.ones(0)):
        with pytest.raises(ValueError, match="activation"):
            removal.folded_bias(b, W, zero, activation)
    with pytest.raises(TypeError, match="activation"):
        removal.folded_bias(b, W, zero, np.ones(1, int))
