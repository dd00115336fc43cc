"""Does an implementation conform to a formula, and if not, which known slip is it?"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from refcompress.conformance.case import Case
from refcompress.conformance.checking.verdict import Attempt, Failure, Report
from refcompress.conformance.comparison import Expected, mismatch
from refcompress.conformance.suite import cases, find_function
from refcompress.conformance.targets.errors import Hung, TargetError, Unsteady
from refcompress.conformance.targets.target import Call, in_process, open_target
from refcompress.formulas.checks import integer

__all__ = ["check", "run", "run_results"]


def check(
    target: str | Callable[..., Any] | None,
    formula: str,
    convention: str | None = None,
    *,
    command: str | None = None,
    max_examples: int = 100,
    timeout: float = 10.0,
) -> Report:
    """Check an implementation against the vectors of a formula, and then, if these pass, against its properties.

    Parameters
    ----------
    target : str or callable
        "module:function", which is run in a process of its own; or a function, which is called here, so that a crash or
        a hang is one of this process. None if there is a command.
    formula : str
        A stem such as "affine", whose first function is meant, or "stem.function".
    convention : str, optional
        May be left out where the formula has only one.
    command : str
        A program that answers requests line by line, and its arguments.
    max_examples : int
        Inputs of each property; 0 leaves properties out.
    timeout : float
        Seconds for each call of a target in a process of its own.

    Returns
    -------
    `Report`
        Its conforms is True or False; its failures say what is wrong.

    Raises
    ------
    ValueError
        If there is no such formula, convention or target.
    ModuleNotFoundError
        If hypothesis is missing and max_examples is not 0.

    Examples
    --------
    >>> from refcompress.formulas.coding import packing
    >>> check(packing.pack, "packing", max_examples=20).conforms
    True
    >>> report = check(lambda q, bits: packing.pack(q[::-1], bits), "packing")
    >>> report.explanation
    ('code order: last first',)
    """
    if callable(target):
        return run(in_process(target), formula, convention, max_examples=max_examples)
    cases(formula, convention)  # says so before anything is started
    with open_target(target, command, timeout) as call:
        return run(call, formula, convention, max_examples=max_examples)


def run(call: Call, formula: str, convention: str | None = None, *, max_examples: int = 100) -> Report:
    """Check a target that has been started."""
    if integer("max_examples", max_examples, 0):
        require_hypothesis()
    suite, function = find_function(formula)
    found, name = cases(formula, convention), convention or function.conventions[0]

    def once(arguments: dict[str, Any]) -> Any:
        return call(f"{suite.stem}.{function.name}", name, arguments)

    def twice(case: Case) -> Any:
        first = once(case.arguments)
        again = _difference(first, once(case.arguments))
        if again:
            raise Unsteady(f"made again, the same call must give the same result: {again}")
        return first

    failures, answers = _vectors(found, twice)
    tried: list[str] = []
    not_run = "a vector failed" if failures else None if max_examples else "no examples were asked for"
    if not_run is None:
        from refcompress.conformance.checking.trial import trial
        from refcompress.conformance.properties import properties

        for p in properties(suite.stem, function.name):
            tried.append(p.name)
            failure = trial(p, once, tuple(function.parameters), name, max_examples)
            failures += [failure] if failure else []
            if failure and failure.hung:
                not_run = "a call hung"
                break
    explanation = _explanation(found, answers)
    return Report(suite, function, name, found, tuple(tried), max_examples, not_run, tuple(failures), explanation)


def run_results(results: Callable[[str], Any], formula: str, convention: str | None = None) -> Report:
    """Check results that were computed elsewhere, which are given by the cases' ids."""
    suite, function = find_function(formula)
    found, name = cases(formula, convention), convention or function.conventions[0]
    failures, answers = _vectors(found, lambda case: results(case.id))
    explanation = _explanation(found, answers)
    return Report(suite, function, name, found, (), 0, "there is nothing to call", tuple(failures), explanation)


def require_hypothesis() -> None:
    """ModuleNotFoundError, with what to install, if hypothesis is missing."""
    try:
        importlib.import_module("hypothesis")
    except ModuleNotFoundError as error:
        install = "pip install 'refcompress[conformance]'"
        raise ModuleNotFoundError(f"properties (max_examples above 0) need hypothesis: {install}") from error


def _vectors(found: tuple[Case, ...], answer: Callable[[Case], Any]) -> tuple[list[Failure], dict[str, Any]]:
    """Return the failures, and the answers by the cases' ids."""
    failures, answers = [], {}
    for case in found:
        try:
            answers[case.id] = answer(case)
        except TargetError as error:
            hung = isinstance(error, Hung)
            failures.append(Failure(case.id, str(error), (Attempt(case.arguments),), case, hung=hung))
            if hung:
                break
            continue
        wrong = case.mismatch(answers[case.id])
        if wrong:
            alike = tuple(name for name, other in case.kills.items() if mismatch(other, answers[case.id]) is None)
            failures.append(Failure(case.id, wrong, (Attempt(case.arguments, answers[case.id]),), case, alike))
    return failures, answers


def _explanation(found: tuple[Case, ...], answers: dict[str, Any]) -> tuple[str, ...]:
    """Return the wrong variants that give every one of these answers; where a case does not kill one, it is right."""
    if any(case.id not in answers for case in found):
        return ()
    return tuple(
        name
        for name in dict.fromkeys(name for case in found for name in case.kills)
        if all(mismatch(case.kills.get(name, case.expected), answers[case.id]) is None for case in found)
    )


def _difference(first: Any, second: Any) -> str | None:
    results = first if isinstance(first, tuple) else (first,)
    return mismatch({f"result {place}": Expected(np.asarray(result)) for place, result in enumerate(results)}, second)
