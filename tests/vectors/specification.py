"""What a file of vectors is made from: a function's inputs, the oracle that knows the results, and wrong variants."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Inputs = Mapping[str, Any]
Outputs = Mapping[str, Any]


@dataclass(frozen=True)
class Mutant:
    """A wrong variant.

    answer(convention, **inputs) gives what it returns, by the outputs' names, or None where it has no answer. applies
    tells for which conventions it is wrong at all; where it is, the candidates must kill it.
    """

    sentence: str
    answer: Callable[..., Outputs | None]
    applies: Callable[[str], bool] = lambda convention: True


@dataclass(frozen=True)
class Function:
    """One function of a stem; see `refcompress.conformance.suite.Function`.

    conventions are given in groups that are one and the same on all inputs, so that they share their cases.
    candidates(convention) yields inputs, the simplest first; expected(convention, **inputs) is the oracle's answer.
    holds(inputs) is the range that the integer type of an output must hold, by the outputs' names; an output that it
    does not name has exactly the dtype of the expected value. tolerance is absolute, by the outputs' names, 0 for the
    rest.
    """

    summary: str
    parameters: Mapping[str, str]
    returns: Mapping[str, str]
    candidates: Callable[[str], Iterable[Inputs]]
    expected: Callable[..., Outputs]
    mutants: Mapping[str, Mutant]
    provenance: str
    conventions: tuple[tuple[str, ...], ...] = (("default",),)
    holds: Callable[[Inputs], Mapping[str, tuple[int, int]]] = lambda inputs: {}
    tolerance: Callable[[Inputs], Mapping[str, float]] = lambda inputs: {}


@dataclass(frozen=True)
class Stem:
    """A formula's functions, its own first, by name."""

    functions: Mapping[str, Function]
