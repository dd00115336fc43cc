"""Property: a sentence that holds for every input, and the inputs to try it on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

__all__ = ["Property"]


@dataclass(frozen=True)
class Property:
    """One invariant of a function.

    Attributes
    ----------
    function : str
        Of the stem, as in its vectors.
    holds : callable
        holds(f, convention, **drawn): calls f, the implementation in question, and raises AssertionError with a
        sentence where the invariant does not hold. Its docstring's first line states the invariant.
    drawn : callable
        drawn(convention): a strategy of dictionaries of the further arguments of holds.
    """

    function: str
    holds: Callable[..., None]
    drawn: Callable[[str], SearchStrategy[dict[str, Any]]]

    @property
    def name(self) -> str:
        """Return the name of holds."""
        return self.holds.__name__

    @property
    def sentence(self) -> str:
        """Return what is stated."""
        return (self.holds.__doc__ or "").splitlines()[0]

    def check(self, f: Callable[..., Any], convention: str, max_examples: int = 100) -> None:
        """Try it on max_examples inputs, the same ones every time; AssertionError for the simplest that fails."""

        @settings(
            max_examples=max_examples,
            deadline=None,
            database=None,
            derandomize=True,
            report_multiple_bugs=False,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(self.drawn(convention))
        def example(drawn: dict[str, Any]) -> None:
            self.holds(f, convention, **drawn)

        example()
