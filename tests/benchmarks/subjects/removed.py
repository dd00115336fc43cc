"""Half of the source's network removed, beside all of it: what structured pruning gains where it really deletes."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from refcompress import compress, nn
from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure

LAYERS = {"conv1": "conv2", "conv2": "fc1", "fc1": "fc2"}  # who reads whom

# A sum of K terms in another order differs by some √K·u of its size, K ≤ 4096 and u = 6e-8, in each of four layers. One
# neuron of 128 more or less would be percents.
TOLERANCE = 2e-5


def figures(context: Context) -> Iterator[Figure]:
    """Inference of a batch of 64; what is compared is the removed network with one whose neurons nobody reads."""
    model, x, _ = networks.listing(context.size(64, tiny=3))
    rng = np.random.default_rng(0)
    halves = {name: rng.permutation(n := len(model.layers[name].parameters["weight"]))[: n // 2] for name in LAYERS}
    removed = compress.remove_neurons(model, halves)
    agrees = twins.distance(removed.predict(x), _unread(model, halves).predict(x)) <= TOLERANCE
    yield from context.compare(
        "inference, listing with half of its neurons removed, batch 64",
        "dense",
        partial(removed.predict, x, batch_size=64),
        partial(model.predict, x, batch_size=64),
        agrees=agrees,
    )


def _unread(model: nn.Network, neurons: dict[str, np.ndarray]) -> nn.Network:
    """The same network of the same size; the weights that read those neurons are 0."""
    masked = model.copy()
    for name, indices in neurons.items():
        count, weight = len(model.layers[name].parameters["weight"]), masked.layers[LAYERS[name]].parameters["weight"]
        weight.reshape(len(weight), count, -1)[:, indices] = 0  # a view: (M, neurons, weights that read one)
    return masked
