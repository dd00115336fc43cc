"""The child process of a Python target: it serves one function by the line protocol of `targets`.

Print requests to `python -m refcompress.conformance.targets.serve module:function` to see what it replies. Before
that it replies once with "id": 0, when the function has been imported or could not be.
"""

import importlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from refcompress.conformance.comparison import contents
from refcompress.conformance.text import decode, encode

__all__ = ["reply"]

PATIENCE = 1.0  # seconds for a call to end after there is nobody any more to answer to


def reply(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a function with coded arguments, in order, and return what the protocol replies, without the id.

    A result is an array, a NumPy scalar or a Python bool, int or float, or a tuple of these. Nothing else is taken for
    one, no list and no other library's tensor: what dtype it has would be a guess. The reply is one of

        {"results": […], "modified": name}   modified only where an argument is not what it was
        {"error": "Type: message"}           an exception
        {"returned": "a list"}               something else than results
    """
    values = {name: decode(coded) for name, coded in arguments.items()}
    before = {name: contents(value) for name, value in values.items()}
    try:
        result = function(*values.values())
    except (Exception, SystemExit) as error:
        return {"error": _one_line(error)}
    results = result if isinstance(result, tuple) else (result,)
    for part in results:
        if not isinstance(part, (np.ndarray, np.generic, bool, int, float)) or isinstance(part, str):
            return {"returned": _described(part)}
        if isinstance(part, int) and not -(2**63) <= part < 2**64:
            return {"returned": "an int of more than 64 bits"}
    try:
        answer: dict[str, Any] = {"results": [encode(part) for part in results]}
    except TypeError:  # a dtype that no formula has
        return {"returned": ", ".join(f"an array of {np.asarray(part).dtype}" for part in results)}
    for name, value in values.items():
        if contents(value) != before[name]:
            answer["modified"] = name
    return answer


def _one_line(error: BaseException) -> str:
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be made)"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _described(value: Any) -> str:
    if value is None:
        return "None"
    module, name = type(value).__module__, type(value).__qualname__
    name = name if module == "builtins" else f"{module}.{name}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _found(target: str) -> Callable[..., Any]:
    """Return the function of "module:function"; ValueError if there is none."""
    module, _, name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{module} cannot be imported: {_one_line(error)}") from error
    if not callable(found):
        raise ValueError(f"{module} has no function {name!r}")
    return found


def _private_streams() -> tuple[IO[str], IO[str]]:
    """Return standard input and output under other numbers; the target reads nothing, and prints on standard error."""
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return requests, answers


def _read(requests: IO[str], lines: "queue.SimpleQueue[str | None]") -> None:
    """Pass lines on, and see to it that the process ends with its input, even in the middle of a call."""
    for line in requests:
        lines.put(line)
    lines.put(None)
    time.sleep(PATIENCE)
    os._exit(1)


def main(target: str) -> None:
    """Serve until standard input ends."""
    sys.argv[:] = [target]
    requests, answers = _private_streams()
    sys.path.insert(0, str(Path.cwd()))
    try:
        function = _found(target)
    except ValueError as error:
        print(json.dumps({"id": 0, "error": str(error)}), file=answers, flush=True)
        return
    print(json.dumps({"id": 0, "results": []}), file=answers, flush=True)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, lines), daemon=True).start()
    for line in iter(lines.get, None):
        request = json.loads(line)
        answer = {"id": request["id"], **reply(function, request["arguments"])}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
