"""What a second BLAS thread does to a small network: an epoch of 64-100-10 on the digits, ours and scikit-learn's.

The products are so small that waiting for the other thread costs more than it brings, above all beside other programs.
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from refcompress import datasets, nn
from tests.benchmarks.context import Context
from tests.benchmarks.measure import alternate, threads
from tests.benchmarks.result import Figure, relative
from tests.benchmarks.subjects.epoch import quiet_fit

Epoch = Callable[[], object]


def figures(context: Context) -> Iterator[Figure]:
    """Two threads beside one, the same work on both sides."""
    if 2 not in context.threads:
        return
    digits = datasets.digits(seed=0)
    x, y = digits.x_train.reshape(len(digits.x_train), -1), digits.y_train
    if context.tiny:
        x, y = x[:64], y[:64]
    peers = {"": ours, "scikit-learn, ": sklearn} if "sklearn" in context.against else {"": ours}
    for peer, epoch_of in peers.items():
        epoch = epoch_of(x, y)
        two, one = functools.partial(limited, epoch, 2), functools.partial(limited, epoch, 1)
        ratio = alternate(
            two, one, context.rounds, threads=2, at_least=0, settle=context.settle, patience=context.patience
        )
        yield relative(f"{peer}epoch, 64-100-10 on the digits, batch 32", "one thread", ratio, threads=2, agrees=None)


def limited(epoch: Epoch, n: int) -> None:
    """An epoch with so many threads."""
    with threads(n):
        epoch()


def ours(x: np.ndarray, y: np.ndarray) -> Epoch:
    """Our epoch."""
    rng = np.random.default_rng(0)
    model, sgd = nn.networks.mlp((64, 100, 10), rng), nn.SGD(0.01, momentum=0.9)
    return lambda: nn.fit(model, x, y, optimizer=sgd, epochs=1, batch_size=32, rng=rng)


def sklearn(x: np.ndarray, y: np.ndarray) -> Epoch:
    """The same in scikit-learn."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((100,), solver="sgd", learning_rate_init=0.01, batch_size=32, max_iter=1, random_state=0)
    return lambda: quiet_fit(model, x, y)
