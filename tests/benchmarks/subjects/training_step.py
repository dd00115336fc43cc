"""One training step, forward, backward and SGD with momentum, beside PyTorch's."""

from collections.abc import Callable, Iterator

from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure

CASES: dict[str, tuple[Callable[..., networks.Case], int]] = {
    "training step, listing, batch 32": (networks.listing, 32),
    "training step, listing with winograd, batch 32": (networks.listing_with_winograd, 32),
    "training step, lenet-5, batch 64": (networks.lenet_5, 64),
    "training step, lenet-300-100, batch 64": (networks.lenet_300_100, 64),
}


def figures(context: Context) -> Iterator[Figure]:
    """Every network beside PyTorch."""
    if "torch" not in context.against:
        return
    for name, (case, batch) in CASES.items():
        batch = context.size(batch, tiny=3)
        agrees = _agrees(case(batch))
        model, x, y = case(batch)
        ours = twins.ours(model, x, y, twins.TIMED_RATE)
        theirs = twins.torch_step(twins.torch_model(model), x, y, twins.TIMED_RATE)
        yield from context.compare(name, "torch", ours, theirs, agrees=agrees)


def _agrees(case: networks.Case) -> bool:
    peer = twins.torch_model(case.model)
    return twins.same_training(
        twins.ours(*case, twins.CHECKED_RATE),
        list(case.model.parameters().values()),
        twins.torch_step(peer, case.x, case.y, twins.CHECKED_RATE),
        twins.torch_parameters(peer),
    )
