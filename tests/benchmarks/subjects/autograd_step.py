"""One training step of the source's network beside HIPS autograd, where a convolution is nine shifts of the image."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from refcompress import nn
from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure


def figures(context: Context) -> Iterator[Figure]:
    """The listing network at batch 32."""
    if "autograd" not in context.against:
        return
    batch = context.size(32, tiny=3)
    agrees = _agrees(networks.listing(batch))
    model, x, y = networks.listing(batch)
    ours = twins.ours(model, x, y, twins.TIMED_RATE)
    theirs = autograd_step(autograd_parameters(model), x, y, twins.TIMED_RATE)
    yield from context.compare("training step, listing, batch 32", "autograd", ours, theirs, agrees=agrees)


def autograd_parameters(model: nn.Network) -> list[np.ndarray]:
    """Copies of the weights, laid out (kh, kw, C, O) and (D, M) for products from the right, and of the biases."""
    return [_turned(array).copy() for array in model.parameters().values()]


def _turned(array: np.ndarray) -> np.ndarray:
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T


def autograd_step(parameters: list[np.ndarray], x: np.ndarray, y: np.ndarray, learning_rate: float) -> twins.Step:
    """The same step; the parameters change in place."""
    from autograd import value_and_grad

    images, rows = x.transpose(0, 2, 3, 1), np.arange(len(y))  # (N, H, W, C)
    velocities = [np.zeros_like(p) for p in parameters]
    loss_and_gradients = value_and_grad(lambda p: _cross_entropy(_logits(p, images), rows, y))

    def step() -> float:
        loss, gradients = loss_and_gradients(parameters)
        for p, v, g in zip(parameters, velocities, gradients, strict=True):
            v *= 0.9
            v += g
            p -= learning_rate * v
        return float(loss)

    return step


def _logits(parameters: list[Any], x: Any) -> Any:
    import autograd.numpy as anp

    W1, b1, W2, b2, W3, b3, W4, b4 = parameters
    h = anp.maximum(_nine_shifts(x, W1) + b1, 0)
    h = anp.maximum(_nine_shifts(h, W2) + b2, 0)
    n, height, width, channels = h.shape
    h = anp.mean(anp.reshape(h, (n, height // 4, 4, width // 4, 4, channels)), axis=(2, 4))
    h = anp.reshape(anp.transpose(h, (0, 3, 1, 2)), (n, -1))  # channels outermost, as Flatten does
    return anp.dot(anp.maximum(anp.dot(h, W3) + b3, 0), W4) + b4


def _nine_shifts(x: Any, w: np.ndarray) -> Any:
    import autograd.numpy as anp

    height, width = x.shape[1:3]
    xp = anp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "constant")
    return sum(anp.matmul(xp[:, i : i + height, j : j + width], w[i, j]) for i in range(3) for j in range(3))


def _cross_entropy(logits: Any, rows: np.ndarray, y: np.ndarray) -> Any:
    import autograd.numpy as anp

    shifted = logits - anp.max(logits, axis=1, keepdims=True)
    return anp.mean(anp.log(anp.sum(anp.exp(shifted), axis=1)) - shifted[rows, y])


def _agrees(case: networks.Case) -> bool:
    parameters = autograd_parameters(case.model)
    ours = [_turned(array) for array in case.model.parameters().values()]
    theirs = autograd_step(parameters, case.x, case.y, twins.CHECKED_RATE)
    return twins.same_training(twins.ours(*case, twins.CHECKED_RATE), ours, theirs, parameters)
