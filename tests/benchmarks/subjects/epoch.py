"""One epoch of LeNet-300-100 on synthetic data: `nn.fit` beside a loop in PyTorch and beside scikit-learn's fit.

All three shuffle. They are compared over one epoch in one order from the same weights: scikit-learn takes them over
between two calls of fit with warm_start, the second of which trains, in the order of the data, with a new optimizer.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from refcompress import nn
from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Work
from tests.benchmarks.result import Figure

NAME, BATCH = "epoch, lenet-300-100, batch 64", 64


def figures(context: Context) -> Iterator[Figure]:
    """Beside PyTorch and scikit-learn."""
    samples = context.size(6400, tiny=2 * BATCH)
    for peer, epoch_of in (("torch", torch_epoch), ("sklearn", sklearn_epoch)):
        if peer in context.against:
            agrees = _agrees(networks.lenet_300_100(samples), epoch_of)
            case = networks.lenet_300_100(samples)
            theirs, _ = epoch_of(case, twins.TIMED_RATE, shuffle=True)
            yield from context.compare(NAME, peer, our_epoch(case, twins.TIMED_RATE), theirs, agrees=agrees)


def our_epoch(case: networks.Case, learning_rate: float, seed: int = 0) -> Work:
    """A function that trains for one epoch."""
    sgd, rng = nn.SGD(learning_rate, momentum=0.9), np.random.default_rng(seed)
    return lambda: nn.fit(*case, optimizer=sgd, epochs=1, batch_size=BATCH, rng=rng)


def torch_epoch(case: networks.Case, learning_rate: float, *, shuffle: bool) -> tuple[Work, twins.Arrays]:
    """The same in PyTorch, with its parameters."""
    import torch

    model, x, y = twins.torch_model(case.model), torch.from_numpy(case.x), torch.from_numpy(case.y)
    sgd = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)

    def epoch() -> None:
        order = torch.randperm(len(x)) if shuffle else torch.arange(len(x))
        for batch in order.split(BATCH):
            sgd.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            sgd.step()

    return epoch, twins.torch_parameters(model)


def sklearn_epoch(case: networks.Case, learning_rate: float, *, shuffle: bool) -> tuple[Work, twins.Arrays]:
    """The same in scikit-learn, with its parameters."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        hidden_layer_sizes=(300, 100),
        solver="sgd",
        learning_rate_init=learning_rate,
        momentum=0.9,
        nesterovs_momentum=False,
        alpha=0,
        batch_size=BATCH,
        max_iter=1,
        shuffle=shuffle,
        warm_start=True,
        random_state=0,
    )

    def epoch() -> None:
        quiet_fit(model, case.x, case.y)

    epoch()
    parameters = [array for pair in zip(model.coefs_, model.intercepts_, strict=True) for array in pair]
    for theirs, ours in zip(parameters, case.model.parameters().values(), strict=True):
        theirs[:] = ours.T
    return epoch, parameters


def quiet_fit(model: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Fit a scikit-learn model without its warning that it has not converged, after one epoch of course."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y)


def _agrees(case: networks.Case, epoch_of: Callable[..., tuple[Work, twins.Arrays]]) -> bool:
    before = [array.copy() for array in case.model.parameters().values()]
    order = np.random.default_rng(0).permutation(len(case.x))  # what fit will draw
    ordered = case._replace(x=case.x[order], y=case.y[order])
    theirs, parameters = epoch_of(ordered, twins.CHECKED_RATE, shuffle=False)
    theirs()
    our_epoch(case, twins.CHECKED_RATE, seed=0)()
    turned = [b if a.shape == b.shape else b.T for a, b in zip(before, parameters, strict=True)]
    return twins.same_change(before, list(case.model.parameters().values()), turned)
