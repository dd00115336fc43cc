"""What a check found: every failure with its calls, and the known slip that explains all of them."""

from dataclasses import dataclass
from typing import Any

from refcompress.conformance.case import Case
from refcompress.conformance.suite import Function, Suite
from refcompress.conformance.text import encode

__all__ = ["Attempt", "Failure", "Report"]


@dataclass(frozen=True)
class Attempt:
    """A call that was made: the arguments by name, and what it gave, None where that is no result."""

    arguments: dict[str, Any]
    result: Any = None


@dataclass(frozen=True)
class Failure:
    """A case or a property that a target fails.

    Attributes
    ----------
    name : str
        The case's id, or the property's name.
    text : str
        What is wrong, in one line.
    attempts : tuple of `Attempt`
        The calls in question, the last one being the one that failed.
    case : `Case`, optional
        None for a property.
    alike : tuple of str
        The wrong variants that give this answer to this case.
    hung : bool
        It gave none in time, which ended the run.
    """

    name: str
    text: str
    attempts: tuple[Attempt, ...] = ()
    case: Case | None = None
    alike: tuple[str, ...] = ()
    hung: bool = False


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes
    ----------
    suite, function, convention
        What was checked.
    cases : tuple of `Case`
        All that there are; after a call that hung, the others were not run.
    properties : tuple of str
        Those that were run.
    max_examples : int
        How many inputs each of them was tried on.
    not_run : str or None
        Why properties, or some of them, were not run.
    failures : tuple of `Failure`
        In the order of the cases, in which the simple ones come first; then of the properties.
    explanation : tuple of str
        The wrong variants that give every one of the answers.
    """

    suite: Suite
    function: Function
    convention: str
    cases: tuple[Case, ...]
    properties: tuple[str, ...]
    max_examples: int
    not_run: str | None
    failures: tuple[Failure, ...]
    explanation: tuple[str, ...]

    @property
    def formula(self) -> str:
        """The stem and the function."""
        return f"{self.suite.stem}.{self.function.name}"

    @property
    def run_cases(self) -> int:
        """How many cases were run."""
        hung = [failure.case for failure in self.failures if failure.hung and failure.case]
        return [case.id for case in self.cases].index(hung[0].id) + 1 if hung else len(self.cases)

    @property
    def conforms(self) -> bool:
        """Whether nothing failed that was run."""
        return not self.failures

    @property
    def failed_cases(self) -> int:
        """How many of the failures are cases, not properties."""
        return sum(failure.case is not None for failure in self.failures)

    @property
    def shown(self) -> Failure | None:
        """The failure to look at: of the case that was made for the explanation, or the first one."""
        for failure in self.failures:
            if failure.case is not None and set(self.explanation) & set(failure.case.made_for):
                return failure
        return self.failures[0] if self.failures else None

    def to_json(self) -> dict[str, Any]:
        """Return what json.dumps takes.

        {"formula": "affine.quantize", "convention": "onnx", "version": 1, "conforms": false,
         "vectors": {"total": 9, "run": 9, "failed": 2},
         "properties": {"run": [], "failed": 0, "max_examples": 100, "not_run": "a vector failed"},
         "explanation": [{"variant": "rounding: half_away", "sentence": "ties go away from zero, not to even"}],
         "failures": [{"id": "affine.quantize-onnx-0123abcd", "kind": "vector", "text": "value: must be 0, got 1",
                       "made_for": ["rounding: half_away"], "answer_of": ["rounding: half_away"],
                       "arguments": {"x": {…}, …}, "got": {…}, "expected": {"q": {…}}}]}

        A failure's id is a case's id or a property's name; kind is "vector" or "property". Arguments and results are
        written as in `text`: got is null where there is no result, and properties expect none in particular.
        """
        return {
            "formula": self.formula,
            "convention": self.convention,
            "version": self.suite.version,
            "conforms": self.conforms,
            "vectors": {"total": len(self.cases), "run": self.run_cases, "failed": self.failed_cases},
            "properties": {
                "run": list(self.properties),
                "failed": len(self.failures) - self.failed_cases,
                "max_examples": self.max_examples,
                "not_run": self.not_run,
            },
            "explanation": [{"variant": name, "sentence": self.function.mutants[name]} for name in self.explanation],
            "failures": [
                {
                    "id": failure.name,
                    "kind": "property" if failure.case is None else "vector",
                    "text": failure.text,
                    "made_for": list(failure.case.made_for) if failure.case else [],
                    "answer_of": list(failure.alike),
                    "arguments": _coded(failure.attempts[-1].arguments if failure.attempts else {}),
                    "got": encode(failure.attempts[-1].result) if failure.attempts else None,
                    "expected": _coded({k: e.value for k, e in failure.case.expected.items()})
                    if failure.case
                    else None,
                }
                for failure in self.failures
            ],
        }


def _coded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: encode(value) for name, value in values.items()}
