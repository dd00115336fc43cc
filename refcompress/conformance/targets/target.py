"""Targets: implementations in other processes, which can crash, hang or talk nonsense without harm to us.

A target in another language is a program that is started once, reads requests line by line on standard input and
writes one line of JSON for each on standard output, and flushes it, until standard input ends:

    {"id": 1, "function": "packing.pack", "convention": "default", "arguments": {"q": {"dtype": "uint8", "shape": [2],
     "values": [1, 2]}, "bits": 4}}
    {"id": 1, "results": [{"dtype": "uint8", "shape": [1], "values": [33]}]}     or     {"id": 1, "error": "…"}

Arrays are written as in `text`, floats with their bits as "hex" beside "values"; a reply may have either. "results" are
in the order in which the function returns them. Standard error is the program's own. A Python function is served by the
same protocol (`serve`). No shell is involved.
"""

import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from refcompress.conformance.targets import replies
from refcompress.conformance.targets.errors import (
    Crashed,
    Garbage,
    Hung,
    NotStarted,
    Raised,
    TargetError,
    one_line,
)
from refcompress.conformance.targets.program import Program
from refcompress.conformance.targets.serve import reply
from refcompress.conformance.text import encode

__all__ = ["Call", "Target", "in_process", "open_target"]

IMPORT_SECONDS = 60.0  # a Python target may need a large library
# Serves a Python target (-P: no json.py beside it is imported instead of the standard library's). What can be imported
# here can be imported there, after what that process finds by itself.
SERVE = (
    "import sys; sys.path += sys.argv[2:]; from refcompress.conformance.targets.serve import main; main(sys.argv[1])"
)

Call = Callable[[str, str | None, dict[str, Any]], Any]


class Target:
    """A started target: call it with a function's and a convention's name and the arguments by name.

    The result is an array or a scalar, or a tuple of them; a TargetError is raised where there is none. After a crash,
    a hang or garbage the program is started anew by the next call.
    """

    def __init__(self, name: str, command: list[str], timeout: float, ready: float | None = None) -> None:
        """Start it. ready: the seconds in which it has to say that it can be called; None: it does not say so."""
        self._name, self._command, self._timeout, self._ready = name, command, timeout, ready
        self._id = 0
        self._program: Program | None = None
        self._start()

    def __call__(self, function: str, convention: str | None, arguments: dict[str, Any]) -> Any:
        """Make one call."""
        if self._program is None:
            self._start()
        self._id += 1
        coded = {name: encode(value) for name, value in arguments.items()}
        request = {"id": self._id, "function": function, "convention": convention, "arguments": coded}
        return replies.results(self._ask(json.dumps(request) + "\n", self._id, self._timeout))

    def close(self) -> None:
        """End the program, and what it has started in its own process group."""
        if self._program is not None:
            self._program.end()
        self._program = None

    def _start(self) -> None:
        try:
            self._program = Program(self._command)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise NotStarted(f"{self._name} cannot be started: {one_line(reason)}") from error
        if self._ready is None:
            return
        try:
            replies.results(self._ask("", 0, self._ready))
        except BaseException as error:  # an interruption too: nobody else knows yet that there is a process
            self.close()
            if isinstance(error, Raised):
                raise NotStarted(str(error)) from None
            if isinstance(error, TargetError):
                raise NotStarted(f"{self._name} cannot be imported: {error}") from None
            raise

    def _ask(self, request: str, number: int, timeout: float) -> dict[str, Any]:
        assert self._program is not None
        try:
            return replies.parse(self._program.ask(request, timeout), number)
        except (Crashed, Garbage, Hung):
            self._program.end(patience=0)
            self._program = None
            raise


@contextmanager
def open_target(target: str | None = None, command: str | None = None, timeout: float = 10.0) -> Iterator[Target]:
    """Start a target, give it to be called, and end it.

    Parameters
    ----------
    target : str
        "module:function"; modules are found from the current folder.
    command : str
        Or a program and its arguments, split like a shell's.
    timeout : float
        Seconds for each call.

    Raises
    ------
    NotStarted
        If it cannot be imported or started.
    ValueError
        If an argument is wrong.
    """
    if (target is None) == (command is None):
        raise ValueError("there must be exactly one of target and command")
    if not isinstance(target or command, str):
        raise TypeError(f"target must be a function or module:function, got {target!r}")
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number of seconds, got {timeout!r}")
    if not 0 < timeout <= threading.TIMEOUT_MAX:
        raise ValueError(f"timeout must be a number of seconds above 0, got {timeout}")
    found = _python(target, timeout) if target is not None else _command(command or "", timeout)
    try:
        yield found
    finally:
        found.close()


def _python(target: str, timeout: float) -> Target:
    module, _, name = target.partition(":")
    if not module or not name.isidentifier():
        raise ValueError(f"target must be module:function, got {target!r}")
    return Target(target, [sys.executable, "-P", "-c", SERVE, target, *sys.path], timeout, max(timeout, IMPORT_SECONDS))


def _command(command: str, timeout: float) -> Target:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"command must be a program and its arguments, got {command!r}: {error}") from None
    if not words:
        raise ValueError("command must be a program and its arguments, got nothing")
    return Target(words[0], words, timeout)


def in_process(function: Callable[..., Any]) -> Call:
    """Return a function of this process as a target: the same rules, without protection from crashes and hangs."""

    def call(name: str, convention: str | None, arguments: dict[str, Any]) -> Any:
        return replies.results(reply(function, {name: encode(value) for name, value in arguments.items()}))

    return call
