"""What recording the gradient history adds to a training step, for every reduction, as a share of the step's time.

LeNet-300-100: steps with and steps without `record()` in turn, and the share is (with − without)/without; it holds
what recording does to the caches too. The source's network takes some 50 ms a step, and from round to round such a
difference varies by as much as the goal, 5 % of the step. There `record()` is timed where it stands in real steps,
between backward and update, and the share is its time over the rest of the same steps. No numbers are compared.
"""

import itertools
import time
from collections.abc import Callable, Iterator

from refcompress import nn
from refcompress.formulas.pruning.reduction import REDUCTIONS
from tests.benchmarks import networks, twins
from tests.benchmarks.context import Context
from tests.benchmarks.goals import SHARE
from tests.benchmarks.measure import in_rounds, repeats_for, threads, timed
from tests.benchmarks.result import Figure, relative

BATCHES = 16  # as in training, gradients vary from step to step
Round = Callable[[], tuple[float, float]]  # seconds of what recording adds, and of the step without it


def figures(context: Context) -> Iterator[Figure]:
    """Every reduction on the two networks."""
    for network, case, batch, rounds in (
        ("listing", networks.listing, 32, timed_within_steps),
        ("lenet-300-100", networks.lenet_300_100, 64, with_minus_without),
    ):
        for reduce in REDUCTIONS:
            size = context.size(batch, tiny=3)
            one_round = rounds(case(BATCHES * size), size, reduce, context.at_least)
            for n in context.threads:
                with threads(n):
                    ratio = in_rounds(one_round, context.rounds, threads=n, patience=context.patience)
                yield relative(f"history {reduce}, {network}", SHARE, ratio, threads=n, agrees=None)


def with_minus_without(case: networks.Case, batch: int, reduce: str, at_least: float) -> Round:
    """Steps with and without recording in turn."""
    gradients, update = parts(case, batch)
    history = nn.GradientHistory(case.model, reduce=reduce)

    def without() -> None:
        gradients()
        update()

    def with_history() -> None:
        gradients()
        history.record()
        update()

    repeats = repeats_for(without, 3 * at_least)  # a difference of two times needs each more precisely

    def one_round() -> tuple[float, float]:
        slow, fast = timed(with_history, repeats), timed(without, repeats)
        return slow - fast, fast

    return one_round


def timed_within_steps(case: networks.Case, batch: int, reduce: str, at_least: float) -> Round:
    """`record()` by itself, between backward and update."""
    gradients, update = parts(case, batch)
    history = nn.GradientHistory(case.model, reduce=reduce)

    def one_round() -> tuple[float, float]:
        recording = rest = steps = 0.0
        while rest <= 3 * at_least:
            steps += 1
            times = [time.perf_counter()]
            for part in (gradients, history.record, update):
                part()
                times.append(time.perf_counter())
            recording += times[2] - times[1]
            rest += times[1] - times[0] + times[3] - times[2]
        return recording / steps, rest / steps

    one_round()  # the first step allocates
    return one_round


def parts(case: networks.Case, batch: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """The two halves of a step, between which a history records."""
    model, x, y = case
    sgd = nn.SGD(twins.TIMED_RATE, momentum=0.9)
    starts = itertools.cycle(range(0, len(x), batch))

    def gradients() -> None:
        i = next(starts)
        twins.gradients(model, x[i : i + batch], y[i : i + batch])

    return gradients, lambda: sgd.step(model.parameters(), model.gradients())
