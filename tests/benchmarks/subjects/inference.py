"""Outputs of a batch of 64 without training, beside PyTorch under no_grad."""

from collections.abc import Callable, Iterator

import numpy as np

from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure

CASES: dict[str, Callable[[int], networks.Case]] = {
    "listing": networks.listing,
    "listing with winograd": networks.listing_with_winograd,
    "lenet-5": networks.lenet_5,
    "lenet-300-100": networks.lenet_300_100,
}

# An output is a sum of up to 4096 terms, after three or four layers of such sums: a few √K·u, u = 6e-8 of float32.
TOLERANCE = 2e-5


def figures(context: Context) -> Iterator[Figure]:
    """Every network beside PyTorch."""
    if "torch" not in context.against:
        return
    import torch

    for name, case in CASES.items():
        model, x, _ = case(context.size(64, tiny=3))
        peer, images = twins.torch_model(model).eval(), torch.from_numpy(x)

        def ours(model=model, x=x) -> np.ndarray:
            return model.predict(x, batch_size=64)

        @torch.no_grad()
        def theirs(peer=peer, images=images) -> torch.Tensor:
            return peer(images)

        agrees = twins.distance(ours(), theirs().numpy()) <= TOLERANCE
        yield from context.compare(f"inference, {name}, batch 64", "torch", ours, theirs, agrees=agrees)
