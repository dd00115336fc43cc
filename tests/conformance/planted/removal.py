"""Wrong removals: what each property must see."""

import numpy as np

from refcompress.formulas.pruning import removal


def kept_for_removed(array, indices):
    return array[np.sort(indices)]


def one_after_another(array, indices):
    for i in indices:
        array = np.delete(array, min(i, len(array) - 1), 0)
    return array


def channels_last(W, indices, block):
    n = W.shape[1] // block
    return np.delete(W, [k * n + i for i in indices for k in range(block)], 1)


def block_ignored(W, indices, block):
    return np.delete(W, indices, 1)


def in_ascending_order(b, W, indices, activation, block):
    return removal.folded_bias(b, W, np.sort(indices), activation, block)


def all_weights(b, W, indices, activation, block):
    return b + W.reshape(len(W), -1).sum(axis=1) * (activation.sum() if activation.any() else 1)


# property: (convention, wrong implementation)
PLANTED = {
    "keeps_the_other_rows": ("default", kept_for_removed),
    "rows_go_in_any_order": ("default", one_after_another),
    "columns_removed_are_masked": ("default", channels_last),
    "columns_go_by_block": ("default", block_ignored),
    "folds_what_the_neurons_gave": ("default", in_ascending_order),
    "neurons_at_zero_fold_nothing": ("default", all_weights),
}
