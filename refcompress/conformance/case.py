"""Cases: what a formula gives on a few small inputs, to the last bit, and which wrong ones each case tells from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from refcompress.conformance.comparison import Expected, contents, mismatch
from refcompress.conformance.text import decode

__all__ = ["Case", "parse_case", "parse_results"]


@dataclass(frozen=True)
class Case:
    """One call of a function and what it must give.

    Attributes
    ----------
    id : str
        Never used for another input or result.
    stem, function : str
        The formula's file and the function in it.
    conventions : tuple of str
        Those that give this result.
    expected : dict of `Expected`
        By the results' names, in their order.
    kills : dict
        What is told apart by this case: a wrong variant's name, and what that gives, like expected.
    made_for : tuple of str
        Of these, the ones that no case is more specific for.
    provenance : str
        Where the expected values come from.
    """

    id: str
    stem: str
    function: str
    conventions: tuple[str, ...]
    coded_arguments: Mapping[str, Any]
    expected: dict[str, Expected]
    kills: dict[str, dict[str, Expected]]
    made_for: tuple[str, ...]
    provenance: str

    @property
    def arguments(self) -> dict[str, Any]:
        """Return new arrays, scalars and words, by the parameters' names, in their order."""
        return {name: decode(value) for name, value in self.coded_arguments.items()}

    def mismatch(self, result: Any) -> str | None:
        """Say what is wrong with a result, or None."""
        return mismatch(self.expected, result)

    def check(self, function: Callable[..., Any]) -> None:
        """Call a function with the arguments in order; AssertionError if it gives something else or modifies one."""
        arguments = self.arguments
        before = {name: contents(value) for name, value in arguments.items()}
        wrong = self.mismatch(function(*arguments.values()))
        if wrong:
            raise AssertionError(f"{self.id}: {wrong}; this case is for: {', '.join(self.made_for)}")
        for name, value in arguments.items():
            if contents(value) != before[name]:
                raise AssertionError(f"{self.id}: the argument {name} was modified")

    def __str__(self) -> str:
        return self.id


def parse_case(stem: str, entry: Mapping[str, Any]) -> Case:
    """Return a case of a file of vectors."""
    return Case(
        entry["id"],
        stem,
        entry["function"],
        tuple(entry["conventions"]),
        entry["arguments"],
        parse_results(entry["expected"]),
        {name: _answer(entry["expected"], answer) for name, answer in entry["kills"].items()},
        tuple(entry["made_for"]),
        entry["provenance"],
    )


def parse_results(coded: Mapping[str, Any]) -> dict[str, Expected]:
    """Return results as a file of vectors writes them."""
    return {
        name: Expected(
            np.asarray(decode({key: part for key, part in value.items() if key not in ("holds", "tolerance")})),
            tuple(value["holds"]) if "holds" in value else None,
            float.fromhex(value.get("tolerance", "0x0p+0")),
        )
        for name, value in coded.items()
    }


def _answer(expected: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Expected]:
    """A wrong variant's results; what they do not say of themselves is as expected."""
    return parse_results({name: {**_without_values(expected[name]), **part} for name, part in answer.items()})


def _without_values(coded: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in coded.items() if key not in ("values", "hex")}
