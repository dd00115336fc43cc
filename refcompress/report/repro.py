"""A failing call as text to paste: Python code, or a request for a program; floats are written with all their bits."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from refcompress.conformance.case import Case
from refcompress.conformance.checking.verdict import Failure, Report
from refcompress.conformance.text import encode

__all__ = ["literal", "repro"]

MOST_CALLS = 3  # a property's last ones


def repro(report: Report, failure: Failure, *, target: str | None = None, command: str | None = None) -> str:
    """Return code that makes the failing calls of "module:function", or of a command, a line for a shell for each."""
    if command is not None:
        return _requests(report, failure, command)
    module, _, name = (target or f":{report.function.name}").partition(":")
    lines = ["import numpy as np", *([f"from {module} import {name}"] if module else [])]
    for attempt in failure.attempts[-MOST_CALLS:]:
        lines += ["", f"result = {name}(", *_items(attempt.arguments), ")"]
        if attempt.result is not None:
            lines.append(f"# got {literal(attempt.result)}")
    if failure.case is not None:
        values = {name: expected.value for name, expected in failure.case.expected.items()}
        if len(values) == 1:
            lines += [f"expected = {literal(value)}" for value in values.values()]
        else:
            lines += ["expected = (", *_items(values), ")"]
        lines += _allowances(failure.case)
    return "\n".join(lines)


def literal(value: Any) -> str:
    """Return Python code for an argument or a result.

    Examples
    --------
    >>> literal(np.array([[0.1], [2]], np.float32))
    'np.array([float.fromhex(x) for x in "0x1.99999ap-4 0x1p+1".split()], np.float32).reshape(2, 1)'
    >>> literal((np.int8(1), 2, None))
    '(np.int8(1), 2, None)'
    """
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    if not isinstance(value, (np.ndarray, np.generic)):
        return repr(value)
    array = np.asarray(value)
    dtype = f"np.{array.dtype.name}" if array.dtype.name != "bool" else "np.bool_"
    if array.size == 0:
        return f"np.zeros({array.shape}, {dtype})"
    if array.dtype.kind != "f":
        return f"np.array({array.tolist()}, {dtype})" if array.ndim else f"{dtype}({array.item()})"
    bits = [re.sub(r"\.?0*p", "p", float(x).hex()) for x in array.ravel()]
    if array.ndim == 0:
        return f'{dtype}(float.fromhex("{bits[0]}"))'
    shape = f".reshape{array.shape}" if array.ndim > 1 else ""
    return f'np.array([float.fromhex(x) for x in "{" ".join(bits)}".split()], {dtype}){shape}'


def _items(values: Mapping[str, Any]) -> Iterable[str]:
    """Each value on a line, with its name, and of floats the decimals."""
    for name, value in values.items():
        floats = isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f"
        decimals = f" = {' '.join(map(str, encode(value)['values']))}" if floats else ""
        yield f"    {literal(value)},  # {name}{decimals}"


def _allowances(case: Case) -> Iterable[str]:
    for name, expected in case.expected.items():
        if expected.holds is not None:
            yield f"# {name} may have any integer dtype that holds {expected.holds[0]} to {expected.holds[1]}"
        if expected.tolerance:
            yield f"# {name} may be off by {expected.tolerance:.3g}"


def _requests(report: Report, failure: Failure, command: str) -> str:
    lines = []
    for number, attempt in enumerate(failure.attempts[-MOST_CALLS:], 1):
        arguments = {name: encode(value) for name, value in attempt.arguments.items()}
        request = {"id": number, "function": report.formula, "convention": report.convention, "arguments": arguments}
        lines.append(f"printf '%s\\n' {shlex.quote(json.dumps(request))} | {command}")
        if attempt.result is not None:
            lines.append(f"# got {_reply(number, attempt.result)}")
    if failure.case is not None:
        expected = tuple(e.value for e in failure.case.expected.values())
        lines += [f"# expected {_reply(1, expected)}", *_allowances(failure.case)]
    return "\n".join(lines)


def _reply(number: int, result: Any) -> str:
    results = result if isinstance(result, tuple) else (result,)
    return json.dumps({"id": number, "results": [encode(part) for part in results]})
