"""How time and memory grow with the sizes: slopes of log(cost) over log(size), 1 where cost is proportional to size."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from refcompress import nn
from refcompress.formulas.quantization import uniform
from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.measure import Work, peak_memory, repeats_for, seconds, threads
from tests.benchmarks.result import Figure, absolute
from tests.benchmarks.values import in_unit


def training_step(batch: int) -> Work:
    """The source's network."""
    return twins.ours(*networks.listing(batch), twins.TIMED_RATE)


def wide_step(width: int) -> Work:
    """Two hidden layers of that many neurons, batch 64."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 784), np.float32), rng.integers(0, 10, 64)
    return twins.ours(nn.networks.mlp((784, width, width, 10), rng), x, y, twins.TIMED_RATE)


def quantize(weights: int) -> Work:
    """8 bits, one range."""
    w = np.random.default_rng(0).standard_normal(weights, np.float32)
    return partial(uniform.quantize, w, *uniform.scale_and_offset(w.min(), w.max(), 8), 8)


def history(reduce: str, steps: int) -> Work:
    """A new history of so many iterations; what it keeps of them is what can grow."""
    rng = np.random.default_rng(0)
    model = nn.networks.mlp((4, 64, 10), rng)
    twins.gradients(model, rng.standard_normal((8, 4), np.float32), rng.integers(0, 10, 8))

    def record() -> nn.GradientHistory:
        kept = nn.GradientHistory(model, reduce=reduce)
        for _ in range(steps):
            kept.record()
        return kept

    return record


CASES: dict[str, tuple[Callable[[int], Work], Sequence[int]]] = {
    "training step, listing, batch 8…64": (training_step, (8, 16, 32, 64)),
    "training step, mlp, width 128…1024": (wide_step, (128, 256, 512, 1024)),
    "quantize per tensor, 8 bits, 0.1…6.4 million weights": (quantize, (100_000, 400_000, 1_600_000, 6_400_000)),
    **{
        f"history {reduce}, 128…1024 iterations": (partial(history, reduce), (128, 256, 512, 1024))
        for reduce in ("rms_of_parameter_moments", "mean")  # keeps moments; keeps a row an iteration
    },
}


def figures(context: Context) -> Iterator[Figure]:
    """A slope of time and one of peak memory for each."""
    n = context.threads[0]
    for name, (make, sizes) in CASES.items():
        sizes = context.size(sizes, tiny=(1, 2))
        with threads(n):
            one_round = time_in_turn(sizes, [make(size) for size in sizes], context.at_least)
            time = in_unit(context, f"time of {name}", "slope", one_round, threads=n)
        memory = slope(sizes, [peak_memory(make(size)) for size in sizes])
        yield from (time, absolute(f"memory of {name}", memory, "slope", threads=n))


def time_in_turn(sizes: Sequence[int], works: Sequence[Work], at_least: float) -> Callable[[], float]:
    """A round: every size once, and the slope of their times."""
    repeats = [repeats_for(work, at_least) for work in works]
    return lambda: slope(sizes, [seconds(*pair) for pair in zip(works, repeats, strict=True)])


def slope(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Least squares through (log size, log cost)."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
