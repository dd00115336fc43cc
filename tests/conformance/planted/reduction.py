"""Wrong reductions: what each property must see."""

import numpy as np

from refcompress.formulas.pruning import reduction


def parameters(dW, db):
    flat = dW.reshape(len(dW), -1)
    return flat if db is None else np.column_stack([flat, db])


def square(dW, db):
    return (parameters(dW, db) ** 2).sum(axis=1)


def of_the_layer(dW, db):
    return np.full(len(dW), parameters(dW, db).sum())


def last_weight_twice(dW, db):
    return reduction.neuron_gradients(dW, db, "sum") + parameters(dW, None)[:, -1]


def summed(dW, db):
    return parameters(dW, db).sum(axis=1)


def divided_by_the_weights(dW, db):
    return parameters(dW, db).sum(axis=1) / dW[0].size


def mean_square(dW, db):
    return (parameters(dW, db) ** 2).mean(axis=1)


def norm(dW, db):
    return np.sqrt(square(dW, db))


def weighted(dW, db):
    values = parameters(dW, db)
    return np.sqrt((values**2 * np.linspace(0.5, 1.5, values.shape[1])).mean(axis=1))


# property: (convention, wrong implementation)
PLANTED = {
    "scales": ("l2", square),
    "looks_at_each_neuron_alone": ("sum", of_the_layer),
    "does_not_see_the_order": ("sum", last_weight_twice),
    "lies_within": ("mean", summed),
    "adds_an_idle_input": ("mean", divided_by_the_weights),
    "rms_scales": ("default", mean_square),
    "rms_lies_between": ("default", norm),
    "rms_does_not_see_the_order": ("default", weighted),
    "rms_of_an_idle_input": ("default", norm),
}
