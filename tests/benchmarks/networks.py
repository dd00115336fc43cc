"""The networks that are measured, with a batch for each: synthetic numbers from a seed."""

from typing import NamedTuple

import numpy as np

from refcompress import nn


class Case(NamedTuple):
    """A network and a batch for it."""

    model: nn.Network
    x: np.ndarray
    y: np.ndarray


def listing(batch: int, seed: int = 0) -> Case:
    """The source's network."""
    rng = np.random.default_rng(seed)
    return _case(nn.networks.listing(rng), (1, 32, 32), batch, rng)


def listing_with_winograd(batch: int, seed: int = 0) -> Case:
    """The source's network, its convolutions by Winograd's algorithm: the same weights, the same batch."""
    default = listing(batch, seed)
    model = nn.networks.listing(np.random.default_rng(seed), winograd=True)
    model.load_state(default.model.state())
    return default._replace(model=model)


def lenet_5(batch: int, seed: int = 0) -> Case:
    """LeNet-5."""
    rng = np.random.default_rng(seed)
    return _case(nn.networks.lenet_5(rng), (1, 32, 32), batch, rng)


def lenet_300_100(batch: int, seed: int = 0) -> Case:
    """LeNet-300-100."""
    rng = np.random.default_rng(seed)
    return _case(nn.networks.lenet_300_100(rng), (784,), batch, rng)


def _case(model: nn.Network, shape: tuple[int, ...], batch: int, rng: np.random.Generator) -> Case:
    return Case(model, rng.standard_normal((batch, *shape), np.float32), rng.integers(0, 10, batch))
