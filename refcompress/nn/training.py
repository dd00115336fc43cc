"""The training loop, the validation, and a pass that only looks at gradients."""

import time
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import numpy as np

from refcompress.formulas.checks import check_finite, check_not_empty, float_array, generator, integer
from refcompress.formulas.network import softmax_cross_entropy
from refcompress.nn.history import GradientHistory
from refcompress.nn.network import Network
from refcompress.nn.optimizers import Optimizer
from refcompress.nn.schedules import Schedule


class Epoch(NamedTuple):
    """One pass over the training data: mean loss, share of right answers (None without classes), seconds."""

    number: int
    loss: float
    accuracy: float | None
    learning_rate: float
    seconds: float


class Evaluation(NamedTuple):
    """What a network does on held-out data: share of right answers, mean loss, and the counts behind them."""

    accuracy: float
    loss: float
    correct: int
    total: int


def fit(
    model: Network,
    x: np.ndarray,
    y: np.ndarray,
    *,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    schedule: Schedule | None = None,
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
    loss: ModuleType = softmax_cross_entropy,
    history: GradientHistory | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> list[Epoch]:
    """Train a network by mini-batches.

    Parameters
    ----------
    model : Network
        Its parameters change in place.
    x : (N, …) float array
        Samples.
    y : (N, …) array
        Class indices, or targets of a regression, as the loss takes them.
    optimizer : Optimizer
    epochs : int ≥ 1
    batch_size : int ≥ 1
        The last batch of an epoch is smaller where batch_size does not divide N.
    rng : numpy.random.Generator
        Draws the order of every epoch (one `permutation(N)`), then what `augment` asks for, batch by batch.
    schedule : function t → learning rate, optional
        Sets the optimizer's rate before iteration t, counted from 0.
    augment : function (x, rng) → x, optional
        Changes every batch before it is seen.
    loss : module with forward(output, y) and backward(1.0, cache)
    history : GradientHistory, optional
        Records every iteration.
    on_step, on_epoch : functions (step, steps) and (Epoch), optional
        Called after every iteration and epoch.

    Returns
    -------
    list of Epoch

    Raises
    ------
    TypeError, ValueError
        If shapes, labels or numbers do not fit, or the loss becomes infinite or NaN.
    """
    _check_samples(x, y)
    epochs, batch_size = integer("epochs", epochs, 1), integer("batch_size", batch_size, 1)
    generator("rng", rng)
    steps = epochs * steps_per_epoch(len(x), batch_size)
    curve: list[Epoch] = []
    step = 0
    for number in range(1, epochs + 1):
        began, order = time.perf_counter(), rng.permutation(len(x))
        total, correct = 0.0, 0
        for i in range(0, len(x), batch_size):
            batch = order[i : i + batch_size]
            x_batch = x[batch] if augment is None else augment(x[batch], rng)
            if schedule is not None:
                optimizer.learning_rate = schedule(step)
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is an error
                out, value = _gradients(model, x_batch, y[batch], loss)
                _check_converging(value, step, optimizer)
                if history is not None:
                    history.record()
                optimizer.step(model.parameters(), model.gradients())
            total += value * len(batch)
            if _is_classes(y):
                correct += int((out.argmax(axis=1) == y[batch]).sum())
            step += 1
            if on_step is not None:
                on_step(step, steps)
        for array in model.parameters().values():
            _check_converging(array, step - 1, optimizer)
        accuracy = correct / len(x) if _is_classes(y) else None
        rate, seconds = optimizer.learning_rate, time.perf_counter() - began
        curve.append(Epoch(number, total / len(x), accuracy, rate, seconds))
        if on_epoch is not None:
            on_epoch(curve[-1])
    return curve


def gradient_pass(
    model: Network,
    x: np.ndarray,
    y: np.ndarray,
    *,
    batch_size: int,
    history: GradientHistory,
    loss: ModuleType = softmax_cross_entropy,
) -> None:
    """Record the gradients at fixed weights: one pass over the data in its order, without an update.

    Parameters
    ----------
    model : Network
        Stays as it is, but for the running statistics of batch norms.
    x, y : (N, …) arrays
        Samples and labels.
    batch_size : int ≥ 1
    history : GradientHistory
        Records every batch as one iteration.
    loss : module with forward(output, y) and backward(1.0, cache)

    Raises
    ------
    TypeError, ValueError
        If shapes, labels or numbers do not fit.
    """
    batch_size = integer("batch_size", batch_size, 1)
    _check_samples(x, y)
    for i in range(0, len(x), batch_size):
        _gradients(model, x[i : i + batch_size], y[i : i + batch_size], loss)
        history.record()


def evaluate(model: Network, x: np.ndarray, y: np.ndarray, *, batch_size: int = 64) -> Evaluation:
    """Accuracy and mean cross-entropy of a classifier.

    Parameters
    ----------
    model : Network
    x : (N, …) float array
    y : (N,) integer array
        Class indices.
    batch_size : int ≥ 1

    Returns
    -------
    Evaluation(accuracy, loss, correct, total), accuracy in [0, 1], loss in nats per sample.

    Raises
    ------
    TypeError, ValueError
        If shapes or labels do not fit, or an output is not finite.

    Notes
    -----
    Among equal outputs the lower class counts as the answer.
    """
    logits = model.predict(x, batch_size=batch_size)
    check_finite("output of the network", logits)
    loss, _ = softmax_cross_entropy.forward(logits.astype(np.float64), y)
    correct = int((logits.argmax(axis=1) == y).sum())
    return Evaluation(correct / len(y), float(loss), correct, len(y))


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Iterations of one epoch: ⌈count / batch_size⌉."""
    return -(-count // batch_size)


def _gradients(model: Network, x: np.ndarray, y: np.ndarray, loss: ModuleType) -> tuple[np.ndarray, float]:
    """Output and loss of one batch; sets the model's gradients."""
    out = model.forward(x, training=True)
    value, cache = loss.forward(out, y)
    dout = loss.backward(1.0, cache)
    model.backward(dout[0] if isinstance(dout, tuple) else dout)
    return out, float(value)


def _check_samples(x: np.ndarray, y: np.ndarray) -> None:
    check_not_empty("x", float_array("x", x))
    if len(y) != len(x):
        raise ValueError(f"y must have {len(x)} entries like x, got {len(y)}")


def _check_converging(values: np.ndarray | float, step: int, optimizer: Optimizer) -> None:
    """Raise ValueError where the loss, or a parameter, has become infinite or NaN."""
    if not np.isfinite(values).all():
        raise ValueError(
            f"training diverged: not finite at iteration {step + 1} with learning_rate = {optimizer.learning_rate:g}; "
            "a smaller one may help"
        )


def _is_classes(y: np.ndarray) -> bool:
    return y.ndim == 1 and y.dtype.kind in "iu"
