"""Suites: the functions of a formula, what a target of each must look like, and their cases."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from textwrap import fill
from typing import Any

from refcompress.conformance.case import Case, parse_case

__all__ = ["Function", "Suite", "cases", "find_function", "load", "parse", "stems", "suite"]


@dataclass(frozen=True)
class Function:
    """What a target must look like.

    Attributes
    ----------
    summary : str
        What it computes.
    parameters, returns : dict of str
        By name, in order, with dtype and shape in words.
    conventions : tuple of str
        The readings of the formula that have cases.
    mutants : dict of str
        The wrong variants that the cases kill: name, and what is wrong with it.
    provenance : str
    """

    name: str
    summary: str
    parameters: dict[str, str]
    returns: dict[str, str]
    conventions: tuple[str, ...]
    mutants: dict[str, str]
    provenance: str

    def signature(self) -> str:
        """Return the call in one line, with the parameters and then the results under it."""
        every = [*self.parameters.items(), *self.returns.items()]
        width = max(len(name) for name, _ in every)
        lines = [f"f({', '.join(self.parameters)}) -> {', '.join(self.returns)}"]
        margin = " " * (width + 4)
        lines += [
            fill(text, 100, initial_indent=f"  {name:{width}}  ", subsequent_indent=margin) for name, text in every
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Suite:
    """All that is known of a stem: its functions, the first one being the formula's own, and their cases."""

    stem: str
    version: int
    functions: dict[str, Function]
    cases: tuple[Case, ...]

    def only(self, functions: Collection[str] | None = None, convention: str | None = None) -> "Suite":
        """Return the suite without other functions and without the cases of other conventions."""
        names = {name: function for name, function in self.functions.items() if functions is None or name in functions}
        kept = (case for case in self.cases if case.function in names)
        return replace(
            self, functions=names, cases=tuple(c for c in kept if convention is None or convention in c.conventions)
        )


def _folder() -> Any:
    return resources.files("refcompress.conformance") / "vectors"


def stems() -> tuple[str, ...]:
    """Return the formulas that have cases, in alphabetical order."""
    names = (path.name for path in _folder().iterdir())
    return tuple(
        sorted(name.removesuffix(".json") for name in names if name.endswith(".json") and name != "schema.json")
    )


def load(stem: str) -> dict[str, Any]:
    """Return the contents of a stem's file; ValueError if it has none."""
    if stem not in stems():
        raise ValueError(f"formula must be one of {', '.join(stems())}, got {stem!r}")
    contents: dict[str, Any] = json.loads((_folder() / f"{stem}.json").read_text(encoding="utf-8"))
    return contents


@cache
def suite(stem: str) -> Suite:
    """Return a stem's functions and cases; ValueError if it has none."""
    return parse(load(stem))


def parse(file: Mapping[str, Any]) -> Suite:
    """Return the suite of a file of vectors."""
    functions = {
        name: Function(
            name,
            entry["summary"],
            entry["parameters"],
            entry["returns"],
            tuple(entry["conventions"]),
            entry["mutants"],
            entry["provenance"],
        )
        for name, entry in file["functions"].items()
    }
    return Suite(
        file["stem"], file["version"], functions, tuple(parse_case(file["stem"], entry) for entry in file["cases"])
    )


def find_function(formula: str) -> tuple[Suite, Function]:
    """Return suite and function of "stem" (its first function) or "stem.function"; ValueError if there is none."""
    if not isinstance(formula, str):
        raise TypeError(f"formula must be a word such as affine.quantize, got {formula!r}")
    stem, _, name = formula.partition(".")
    found = suite(stem)
    if name and name not in found.functions:
        raise ValueError(f"formula must be one of {', '.join(f'{stem}.{f}' for f in found.functions)}, got {formula!r}")
    return found, found.functions[name] if name else next(iter(found.functions.values()))


def cases(formula: str, convention: str | None = None) -> tuple[Case, ...]:
    """Return the cases of a formula in one convention, to check a function of your own with.

    Parameters
    ----------
    formula : str
        A stem such as "affine", whose first function is meant, or "stem.function".
    convention : str, optional
        May be left out where the formula has only one.

    Returns
    -------
    tuple of `Case`

    Raises
    ------
    ValueError
        If there is no such formula or convention, or the convention is missing.

    Examples
    --------
    >>> from refcompress.formulas.quantization import affine
    >>> for case in cases("affine", "onnx"):
    ...     case.check(lambda *arguments: affine.quantize(*arguments, "onnx"))

    In a test of your own::

        @pytest.mark.parametrize("case", conformance.cases("affine", "onnx"), ids=str)
        def test_my_quantizer(case):
            case.check(my_quantizer)
    """
    found, function = find_function(formula)
    if convention is None and len(function.conventions) == 1:
        convention = function.conventions[0]
    if convention not in function.conventions:
        raise ValueError(f"convention must be one of {', '.join(function.conventions)}, got {convention!r}")
    return tuple(c for c in found.cases if c.function == function.name and convention in c.conventions)
