"""Replies of targets: lines of the protocol, or a file of results, as arrays and scalars."""

import json
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from refcompress.conformance.targets.errors import Garbage, Missing, Modified, Raised, one_line
from refcompress.conformance.text import decode

__all__ = ["parse", "read_results", "results"]


def parse(line: bytes, number: int) -> dict[str, Any]:
    """Return the reply to a request; Garbage if it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or type(found.get("id")) is not int or found["id"] != number:
        raise Garbage(f'must answer with a JSON object of "id" {number}, got {_short(line)}')
    return found


def results(found: dict[str, Any]) -> Any:
    """Return the results of a reply, a single one by itself; TargetError if there are none."""
    if "error" in found:
        error = found["error"]
        raise Raised(one_line(error if isinstance(error, str) else reprlib.repr(error)) or "error without a message")
    if "returned" in found:
        raise Garbage(f"must return arrays, NumPy scalars or Python numbers, got {_short(found['returned'])}")
    if "results" not in found:
        raise Garbage('must answer with "results" or "error", got neither')
    decoded = _decoded(found["results"])
    if "modified" in found:
        raise Modified(f"must leave its arguments alone, changed {_short(found['modified'])}")
    return decoded


def _decoded(coded: Any) -> Any:
    """Return results, a single one by itself; Garbage if they are none."""
    if not isinstance(coded, list):
        raise Garbage(f'"results" must be a list, got {reprlib.repr(coded)}')
    try:
        found = tuple(decode(result) for result in coded)
    except (ValueError, RecursionError) as error:
        raise Garbage(f"the results must be arrays: {one_line(str(error))}") from None
    for result, text in zip(found, coded, strict=True):
        if not isinstance(result, (np.ndarray, np.generic, bool, int, float)):
            raise Garbage(f"the results must be arrays or numbers, got {reprlib.repr(text)}")
    return found[0] if len(found) == 1 else found


def _short(value: Any) -> str:
    """Return a line, a word or whatever else came, such as it can be printed."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return one_line(value if isinstance(value, str) else reprlib.repr(value), 80) or "nothing"


def read_results(path: str | Path) -> Callable[[str], Any]:
    """Return what gives a case's results by its id, from a file: a JSON object of lists of results, or of single ones.

    OSError if it cannot be read, ValueError if it is no JSON object; TargetError where a case has no results.
    """
    try:
        found = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} must be a JSON object: {one_line(str(error))}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} must be a JSON object of results by the cases' ids, got {_short(found)}")

    def of_case(case: str) -> Any:
        if case not in found:
            raise Missing(f"{path} has no results of this case")
        return _decoded(found[case] if isinstance(found[case], list) else [found[case]])

    return of_case
