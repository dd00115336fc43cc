"""A bound: the matrix products of a training step of the source's network alone, in the shapes of im2col.

Nothing of the kind can be faster than this, so our step beside it says what everything else costs, and it beside
PyTorch's step says what im2col could reach at best. The products are of random numbers, and are not checked.
"""

from collections.abc import Iterator

import numpy as np

from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Work
from tests.benchmarks.result import Figure

Product = tuple[int, int, int, int]  # how often, rows, terms of the sum, columns


def figures(context: Context) -> Iterator[Figure]:
    """Our step beside the products alone, and these beside PyTorch's step."""
    batch = context.size(32, tiny=3)
    model, x, y = networks.listing(batch)
    products = matrix_products(step_shapes(batch))
    step = twins.ours(model, x, y, twins.TIMED_RATE)
    yield from context.compare("training step, listing, batch 32", "matrix products only", step, products, agrees=None)
    if "torch" in context.against:
        torch_step = twins.torch_step(twins.torch_model(model), x, y, twins.TIMED_RATE)
        yield from context.compare(
            "matrix products only, listing, batch 32", "torch", products, torch_step, agrees=None
        )


def step_shapes(batch: int) -> list[Product]:
    """Forward, ∂/∂W and, but for the first layer, ∂/∂x of the two convolutions (an image a product) and two Linears."""
    conv1 = [(batch, 1024, 9, 32), (batch, 9, 1024, 32)]
    conv2 = [(batch, 1024, 288, 64), (batch, 288, 1024, 64), (batch, 1024, 576, 32)]
    fc1 = [(1, batch, 4096, 128), (1, 128, batch, 4096), (1, batch, 128, 4096)]
    fc2 = [(1, batch, 128, 10), (1, 10, batch, 128), (1, batch, 10, 128)]
    return conv1 + conv2 + fc1 + fc2


def matrix_products(shapes: list[Product]) -> Work:
    """A function that computes them all, into arrays that are there already."""
    rng = np.random.default_rng(0)

    def random(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    operands = [(n, random(m, k), random(k, o), random(m, o)) for n, m, k, o in shapes]

    def run() -> None:
        for n, a, b, out in operands:
            for _ in range(n):
                np.matmul(a, b, out=out)

    return run
