"""A program that answers lines with lines, whatever else it does."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading

from refcompress.conformance.targets.errors import Crashed, Garbage, Hung, one_line

__all__ = ["Program"]

LONGEST = 1 << 24  # bytes of an answer
WAIT = 1.0  # seconds for a process to end, and for its last words


class Program:
    """A running program; OSError or ValueError if it cannot be started.

    One thread writes each line and then reads the answer, so that neither a program that does not read nor one that
    does not write can hold up the caller; another one keeps the last line of standard error.
    """

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a group of its own: all that it starts can be ended with it
        )
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._said = b""
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._exchange, self._listen)]
        for thread in self._threads:
            thread.start()

    def ask(self, line: str, timeout: float) -> bytes:
        """Write a line, if it is not empty, and return the next one; Crashed, Hung or Garbage if there is none."""
        self._requests.put(line.encode())
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise Hung(f"gave no answer within {timeout:g} seconds") from None
        if answer.endswith(b"\n"):
            return answer
        if len(answer) == LONGEST:
            raise Garbage(f"wrote {LONGEST} bytes without an end of line")
        raise Crashed(self._last_words(" in the middle of a line" if answer else ""))

    def end(self, patience: float = WAIT) -> None:
        """Close its standard input, wait for its end, then end by force what is left of its process group.

        Without process groups (Windows) only the program itself is ended.
        """
        self._requests.put(None)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._kill()
        self._process.wait()
        for thread, stream in zip(self._threads, (self._process.stdout, self._process.stderr), strict=True):
            thread.join(WAIT)
            if stream is not None and not thread.is_alive():
                stream.close()

    def _kill(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _exchange(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        for line in iter(self._requests.get, None):
            with contextlib.suppress(OSError):  # it has closed its standard input; its answer says more
                stdin.write(line)
                stdin.flush()
            self._answers.put(stdout.readline(LONGEST))
        with contextlib.suppress(OSError):
            stdin.close()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        while line := self._process.stderr.readline(1 << 12):
            self._said = line if line.strip() else self._said

    def _last_words(self, where: str) -> str:
        """Say how it ended, and its last line on standard error."""
        try:
            status = self._process.wait(WAIT)
        except subprocess.TimeoutExpired:
            return f"closed its standard output{where}"
        self._threads[1].join(WAIT)
        how = f"crashed: {_signal(-status)}" if status < 0 else f"ended with exit status {status}{where}"
        said = one_line(self._said.decode(errors="replace"))
        return f"{how}; its last line on standard error: {said}" if said else how


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
