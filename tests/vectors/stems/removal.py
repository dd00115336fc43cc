"""Vectors of the removal of neurons: their rows, the next layer's columns, and what is folded into its bias (P4)."""

import math

import numpy as np

from tests.oracles import removal as oracle
from tests.vectors.specification import Function, Mutant, Stem


def numbered(*shape):
    """1, 2, 3 … in row-major order."""
    return np.arange(1.0, math.prod(shape) + 1).reshape(shape)


ROWS = (
    (numbered(2), [0]),
    (numbered(2), [1]),
    (numbered(4), [1, 2]),
    (numbered(4), [2, 0]),
    (numbered(4), []),
    (numbered(3, 2), [1]),
    (numbered(3, 4), [0, 1]),
    (numbered(4, 3), [0, 2]),
    (numbered(4, 1, 2, 3), [1]),
    (numbered(3).astype(np.float32), [1]),
)


def arrays(convention):
    for array, indices in ROWS:
        yield {"array": array, "indices": np.array(indices, np.int64)}


def one_after_another(indices, n):
    """What is left where every index is removed from what the ones before it have left."""
    left = list(range(n))
    for i in indices.tolist():
        del left[min(i, len(left) - 1)]
    return left


def last_into_the_gap(indices, n):
    """What is left where the last one takes every removed one's place."""
    left = list(range(n))
    for i in sorted(indices.tolist(), reverse=True):
        left[i] = left[-1]
        left.pop()
    return left


def counted_from_one(indices, n):
    return [i for i in range(n) if i + 1 not in indices]


def first_only(indices, n):
    return [i for i in range(n) if i not in indices[:1]]


def in_one_walk(indices, n):
    """What is left where the next index is looked for from the last one on."""
    left, wanted = [], indices.tolist()
    for i in range(n):
        if wanted and i == wanted[0]:
            wanted.pop(0)
        else:
            left.append(i)
    return left


def between_first_and_last(indices, n):
    return [i for i in range(n) if not indices.size or i < indices[0] or i > indices[-1]]


LEFT = {  # of the indices and n, the neurons that stay
    "shifted indices": ("indices are removed one after another, each from what the others left", one_after_another),
    "last into the gap": ("the last neuron takes a removed one's place", last_into_the_gap),
    "off by one": ("indices are counted from 1", counted_from_one),
    "first index only": ("one neuron is removed", first_only),
    "ascending only": ("indices that do not ascend are passed over", in_one_walk),
    "range": ("all from the first index to the last", between_first_and_last),
    "kept for removed": ("the neurons of the indices stay", lambda indices, n: sorted(indices.tolist())),
    "nothing": ("none is removed", lambda indices, n: list(range(n))),
    "from the end": ("as many, the last ones", lambda indices, n: list(range(n - len(indices)))),
}


def rows_left(sentence, left):
    return Mutant(sentence, lambda convention, array, indices: {"kept": array[left(indices, len(array))]})


def rows_by(sentence, function):
    """A variant from function(array, indices), which may have no answer."""

    def answer(convention, array, indices):
        kept = function(array, indices)
        return None if kept is None else {"kept": kept}

    return Mutant(sentence, answer)


def set_to_zero(array, indices):
    array[indices] = 0
    return array


def of_the_last_axis(array, indices):
    return np.delete(array, indices, -1) if max(indices, default=0) < array.shape[-1] else None


def with_flat_rows(array, indices):
    return np.delete(array, indices, 0).reshape(len(array) - len(indices), -1) if array.ndim > 2 else None


def nested(values, like, shape):
    return np.array(values, like.dtype).reshape(shape)


ROWS_FUNCTION = Function(
    summary="the neurons' own entries removed: rows of W, filters, entries of b or of a batch norm (P4)",
    parameters={
        "array": "(n, …) float32 or float64 array",
        "indices": "(k,) int64 array, distinct, from 0 to n − 1, in any order, k < n",
    },
    returns={"kept": "(n − k, …) array of the same dtype"},
    candidates=arrays,
    expected=lambda convention, array, indices: {
        "kept": nested(oracle.rows(array, indices), array, (len(array) - len(indices), *array.shape[1:]))
    },
    mutants={
        **{name: rows_left(sentence, left) for name, (sentence, left) in LEFT.items()},
        "set to zero": rows_by("rows become 0 and stay", lambda array, i: set_to_zero(array.copy(), i)),
        "axis: last": rows_by("the last axis for the first", of_the_last_axis),
        "flattened": rows_by(
            "single entries of the array in row-major order", lambda a, i: np.delete(a, i) if a.ndim > 1 else None
        ),
        "rows flattened": rows_by("every row in one dimension", with_flat_rows),
        "dtype: float64": rows_by("whatever the array is", lambda a, i: np.delete(a, i, 0).astype(np.float64)),
    },
    provenance="tests/oracles/removal.py, lists",
)

COLUMNS = (
    (numbered(1, 2), [0], 1),
    (numbered(1, 4), [1, 2], 1),
    (numbered(1, 4), [2, 0], 1),
    (numbered(2, 4), [0, 2], 1),
    (numbered(3, 4), [1], 1),
    (numbered(2, 3), [], 1),
    (numbered(1, 4), [0], 2),
    (numbered(1, 6), [1], 2),
    (numbered(2, 6), [1], 3),
    (numbered(2, 12), [2, 0], 3),
    (numbered(2, 3, 1, 2), [1], 1),
    (numbered(3, 2, 2, 1), [1], 1),
    (numbered(1, 6, 2), [1], 2),
    (numbered(1, 3).astype(np.float32), [1], 1),
)


def consumers(convention):
    for W, indices, block in COLUMNS:
        yield {"W": W, "indices": np.array(indices, np.int64), "block": block}


def blocks_of(neurons, block):
    return [i * block + k for i in neurons for k in range(block)]


def columns_left(sentence, left):
    def answer(convention, W, indices, block):
        return {"kept": W[:, blocks_of(left(indices, W.shape[1] // block), block)]}

    return Mutant(sentence, answer)


def columns_without(sentence, gone):
    """A variant from gone(indices, block, n), the columns that it removes."""

    def answer(convention, W, indices, block):
        return {"kept": np.delete(W, np.array(gone(indices, block, W.shape[1] // block), np.int64), 1)}

    return Mutant(sentence, answer)


def columns_by(sentence, function):
    def answer(convention, W, indices, block):
        kept = function(W, indices, block)
        return None if kept is None else {"kept": kept}

    return Mutant(sentence, answer)


def columns_to_zero(W, indices, block):
    W = W.copy()
    W[:, blocks_of(indices, block)] = 0
    return W


COLUMNS_FUNCTION = Function(
    summary="the edges out of the neurons removed: columns or input channels of the next layer's W (P4)",
    parameters={
        "W": "(M, n·block, …) float32 or float64 array",
        "indices": "(k,) int64 array, distinct, from 0 to n − 1, in any order, k < n",
        "block": "int, columns per neuron: H·W where a Flatten stands between the two layers, else 1",
    },
    returns={"kept": "(M, (n − k)·block, …) array of the same dtype"},
    candidates=consumers,
    expected=lambda convention, W, indices, block: {
        "kept": nested(
            oracle.columns(W, indices, block), W, (len(W), W.shape[1] - len(indices) * block, *W.shape[2:])
        )
    },
    mutants={
        **{name: columns_left(sentence, left) for name, (sentence, left) in LEFT.items()},
        "block ignored": columns_without("one column for every index", lambda i, block, n: i),
        "first of the block": columns_without("one column of every block", lambda i, block, n: i * block),
        "channels last": columns_without(
            "every n-th column, as if the channel were the last axis before the Flatten",
            lambda i, block, n: [k * n + j for j in i for k in range(block)],
        ),
        "set to zero": columns_by("columns become 0 and stay", columns_to_zero),
        "axis: rows": columns_by("rows for columns", lambda W, i, block: (
            np.delete(W, i, 0) if max(i, default=0) < len(W) else None
        )),
        "axis: last": columns_by("the kernel's last axis for the channels", lambda W, i, block: (
            np.delete(W, i, -1) if W.ndim > 2 and max(i, default=0) < W.shape[-1] else None
        )),
        "dtype: float64": columns_by(
            "whatever W is", lambda W, i, block: np.delete(W, blocks_of(i, block), 1).astype(np.float64)
        ),
    },
    provenance="tests/oracles/removal.py, lists",
)  # fmt: skip

FOLDED = (  # b, W, indices, activation, block
    ([5.0], numbered(1, 2), [1], [10.0], 1),
    ([5.0], numbered(1, 2), [1], [-1.0], 1),
    ([5.0, 7.0], numbered(2, 2), [0], [10.0], 1),
    ([5.0], numbered(1, 3), [0, 2], [10.0, 100.0], 1),
    ([5.0], numbered(1, 3), [2, 0], [10.0, 100.0], 1),
    ([5.0], numbered(1, 2), [], [], 1),
    ([5.0], numbered(1, 4), [1], [10.0], 2),
    ([5.0, 7.0], numbered(2, 6), [0, 2], [10.0, 100.0], 2),
    ([5.0], numbered(1, 6), [1], [10.0], 3),
    ([5.0, 7.0], numbered(2, 3, 1, 2), [1], [10.0], 1),
    ([5.0], numbered(1, 2, 3, 3), [1], [10.0], 1),
    ([5.0], numbered(1, 4, 1, 2), [1], [10.0], 2),
)


def folds(convention):
    for dtype in (np.float64, np.float32):
        for b, W, indices, activation, block in FOLDED:
            yield {
                "b": np.array(b, dtype),
                "W": W.astype(dtype),
                "indices": np.array(indices, np.int64),
                "activation": np.array(activation, dtype),
                "block": block,
            }


def folded(convention, b, W, indices, activation, block):
    found = oracle.folded_bias(b, W, indices, activation, block)
    return {"bias": np.array([float(value) for value in found], b.dtype)}


def fold_of(sentence, of_kernel=lambda kernel: kernel.sum(axis=-1), of_block=lambda w: w.sum(axis=-1), join=None):
    """A variant; a neuron's weights (M, n, block, kernel positions) are reduced in two steps and join the bias."""

    def answer(convention, b, W, indices, activation, block):
        weights = W.reshape(len(W), -1, block, math.prod(W.shape[2:]))
        sums = of_block(of_kernel(weights))
        return {"bias": np.asarray((join or joined)(b, sums, indices, activation), b.dtype)}

    return Mutant(sentence, answer)


def joined(b, sums, indices, activation):
    return b + sums[:, indices] @ activation


def center(kernel):
    return kernel[..., kernel.shape[-1] // 2]


def in_float64(**inputs):
    return {"bias": folded("default", **inputs)["bias"].astype(np.float64)}


FOLDED_FUNCTION = Function(
    summary="the next layer's bias, where neurons of constant activation c are folded into it before their removal: "
    "b + Σ c·(all weights that read the neuron)",
    parameters={
        "b": "(M,) float32 or float64 array",
        "W": "(M, n·block, …) array of the same dtype, before the removal",
        "indices": "(k,) int64 array, distinct, from 0 to n − 1, in any order, k < n",
        "activation": "(k,) array of the same dtype, c in the order of the indices",
        "block": "int, columns per neuron",
    },
    returns={"bias": "(M,) array of the same dtype"},
    candidates=folds,
    expected=folded,
    mutants={
        "bias forgotten": fold_of("the sum alone", join=lambda b, sums, i, c: sums[:, i] @ c),
        "sum forgotten": fold_of("the bias alone", join=lambda b, sums, i, c: b),
        "minus": fold_of("subtracted", join=lambda b, sums, i, c: b - sums[:, i] @ c),
        "activation is 1": fold_of("weights as they are", join=lambda b, sums, i, c: b + sums[:, i].sum(axis=1)),
        "activation by neuron": fold_of(
            "activations in ascending order of the indices", join=lambda b, sums, i, c: b + sums[:, np.sort(i)] @ c),
        "first activation": fold_of(
            "one activation for all", join=lambda b, sums, i, c: b + sums[:, i].sum(axis=1) * (c[0] if c.size else 0)),
        "first index only": fold_of("one neuron is folded", join=lambda b, sums, i, c: b + sums[:, i[:1]] @ c[:1]),
        "off by one": fold_of("indices are counted from 1", join=lambda b, sums, i, c: b + sums[:, i - 1] @ c),
        "all neurons": fold_of(
            "weights of the neurons that stay, too", join=lambda b, sums, i, c: b + sums.sum(axis=1) * c.sum()),
        "other rows": fold_of(
            "one sum for all outputs", join=lambda b, sums, i, c: b + (sums[:, i] @ c).sum()),
        "kernel: first position": fold_of("one weight of every kernel", lambda kernel: kernel[..., 0]),
        "kernel: center": fold_of("one weight of every kernel", center),
        "kernel: mean": fold_of("the mean of the kernel", lambda kernel: kernel.mean(axis=-1)),
        "block: first column": fold_of("one column of every block", of_block=lambda weights: weights[..., 0]),
        "block: mean": fold_of("the mean of the block", of_block=lambda weights: weights.mean(axis=-1)),
        "block ignored": Mutant(
            "one column for every index", lambda convention, block, **inputs: folded(convention, block=1, **inputs)),
        "channels last": Mutant(
            "every n-th column is a neuron's", lambda convention, W, block, **inputs: folded(
                convention, W=W.reshape(len(W), block, -1, *W.shape[2:]).swapaxes(1, 2).reshape(W.shape), block=block,
                **inputs)),
        "dtype: float64": Mutant("whatever the arrays are", lambda convention, **inputs: in_float64(**inputs)),
    },
    provenance="tests/oracles/removal.py, Fraction",
)  # fmt: skip

STEM = Stem({"rows": ROWS_FUNCTION, "columns": COLUMNS_FUNCTION, "folded_bias": FOLDED_FUNCTION})
