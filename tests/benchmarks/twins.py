"""The same network, the same training step, in the package and in PyTorch; and do they compute the same?"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from refcompress import nn
from refcompress.formulas.network import softmax_cross_entropy

Step = Callable[[], float]
Arrays = Sequence[np.ndarray]

# Timed steps repeat one batch thousands of times: with a rate this small no neuron dies, whose velocity would fade into
# denormal numbers, which are slow. Checked steps shall change the weights by percents.
TIMED_RATE, CHECKED_RATE = 1e-5, 1e-2

# float32 rounds by u = 6e-8. A gradient of a weight is a sum of up to 32 · 1024 terms, relative error √K·u ≈ 1e-5;
# where rounding decides on which side of 0 a ReLU's input is, one term comes or goes, up to 1/√K of the sum for one
# filter of 32: 1e-3. A momentum of 0.89 for 0.9 would change three steps by 6e-3.
TOLERANCE = 2e-3


def ours(model: nn.Network, x: np.ndarray, y: np.ndarray, learning_rate: float) -> Step:
    """A function that does one training step on this batch and returns the loss before it."""
    sgd = nn.SGD(learning_rate, momentum=0.9)

    def step() -> float:
        loss = gradients(model, x, y)
        sgd.step(model.parameters(), model.gradients())
        return loss

    return step


def gradients(model: nn.Network, x: np.ndarray, y: np.ndarray) -> float:
    """Forward and backward: sets the model's gradients, returns the loss."""
    loss, cache = softmax_cross_entropy.forward(model.forward(x, training=True), y)
    model.backward(softmax_cross_entropy.backward(1.0, cache))
    return float(loss)


def torch_model(model: nn.Network) -> Any:
    """The network as a torch.nn.Sequential with the same weights."""
    import torch

    def twin(layer: nn.Layer) -> Any:
        weight, s = layer.parameters.get("weight"), layer.settings
        match layer:
            case nn.Conv2d():
                return torch.nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2:], padding=s["padding"])
            case nn.Linear():
                return torch.nn.Linear(weight.shape[1], weight.shape[0])
            case nn.AveragePool2d():
                return torch.nn.AvgPool2d(s["kernel_size"])
            case nn.MaxPool2d():
                return torch.nn.MaxPool2d(s["kernel_size"])
            case nn.ReLU():
                return torch.nn.ReLU()
            case nn.Flatten():
                return torch.nn.Flatten()
        raise ValueError(f"no twin for {layer}")

    twins = torch.nn.Sequential(*(twin(node.layer) for node in model.nodes))
    with torch.no_grad():
        for tensor, array in zip(twins.parameters(), model.parameters().values(), strict=True):
            tensor.copy_(torch.from_numpy(array))
    return twins


def torch_step(model: Any, x: np.ndarray, y: np.ndarray, learning_rate: float) -> Step:
    """The same step in PyTorch."""
    import torch

    images, labels = torch.from_numpy(x), torch.from_numpy(y)
    sgd = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)

    def step() -> float:
        sgd.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        sgd.step()
        return float(loss.detach())

    return step


def torch_parameters(model: Any) -> list[np.ndarray]:
    """Its parameters, in the network's order: the arrays themselves."""
    return [tensor.detach().numpy() for tensor in model.parameters()]


def same_training(ours: Step, our_parameters: Arrays, theirs: Step, their_parameters: Arrays) -> bool:
    """Do three steps of both, from the same weights on, give the same losses and change the weights alike?"""
    before = [array.copy() for array in our_parameters]
    losses = [(ours(), theirs()) for _ in range(3)]
    return same_losses(losses) and same_change(before, our_parameters, their_parameters)


def same_losses(losses: Sequence[tuple[float, float]]) -> bool:
    """Losses are means of logits, sums of up to 4096 terms: relative error a few √K·u ≈ 4e-6."""
    return bool(np.allclose(*zip(*losses, strict=True), rtol=2e-5, atol=0))


def same_change(before: Arrays, ours: Arrays, theirs: Arrays) -> bool:
    """Did training change every array alike, relative to how much it changed it?"""
    changes = [(a - start, b - start) for start, a, b in zip(before, ours, theirs, strict=True)]
    return all(np.linalg.norm(b) > 0 and distance(a, b) <= TOLERANCE for a, b in changes)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """‖a − b‖ / ‖b‖."""
    if a.shape != b.shape:
        return float("inf")
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))
