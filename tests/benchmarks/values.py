"""Figures that are no ratio, measured in rounds like the ratios."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.benchmarks.context import Context
from tests.benchmarks.measure import in_rounds
from tests.benchmarks.result import Figure, absolute


def in_unit(
    context: Context, name: str, unit: str, one_round: Callable[[], float], *, threads: int = 1, **settings: Any
) -> Figure:
    """The median of what the rounds give, and the distance between the quartiles."""
    over_one = in_rounds(lambda: (one_round(), 1.0), context.rounds, threads=threads, patience=context.patience)
    figure = absolute(name, over_one.median, unit, spread=over_one.spread, threads=threads, **settings)
    return replace(figure, disturbed=over_one.disturbed)
