"""Timing: two sides in turn, so that whatever slows the machine down slows both."""

import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.benchmarks.neighbours import Watch, wait_until_quiet

Work = Callable[[], object]
Clock = Callable[[], float]

AT_LEAST = 0.02  # seconds a side and round: some 10⁴ times what reading the clock costs
# OpenBLAS's threads wait busily for 2²⁶ ticks, 30 ms, on a core that the other side then lacks; until the system has
# sorted both sides' threads out again, a step of 1 ms takes 2. Measured: 0.12 s are too few, 0.25 s are enough.
SETTLE = 0.25


@dataclass(frozen=True)
class Ratio:
    """Time of ours over time of theirs: median over the rounds, and the distance between the quartiles."""

    median: float
    spread: float
    ours_seconds: float
    theirs_seconds: float
    disturbed: bool = False  # did other programs take a core that the threads needed, in most rounds?


def alternate(
    ours: Work,
    theirs: Work,
    rounds: int,
    *,
    threads: int = 1,
    at_least: float = AT_LEAST,
    settle: float = SETTLE,
    patience: float = 0,
    clock: Clock = time.perf_counter,
) -> Ratio:
    """Time both sides in turn; a side of a round is repeated until it takes `at_least` seconds."""
    repeats = [repeats_for(work, at_least, clock) for work in (ours, theirs)]
    before = settle if threads > 1 else 0

    def one_round() -> tuple[float, float]:
        return timed(ours, repeats[0], before, clock), timed(theirs, repeats[1], before, clock)

    return in_rounds(one_round, rounds, threads=threads, patience=patience)


def in_rounds(one_round: Callable[[], tuple[float, float]], rounds: int, *, threads: int, patience: float) -> Ratio:
    """Summary of so many rounds, each of which gives the seconds of both sides.

    Other programs are waited for, and a round that one disturbed is done again, for `patience` seconds in all.
    """
    end = time.perf_counter() + patience
    wait_until_quiet(threads, patience)
    times: list[tuple[float, float]] = []
    disturbed = 0
    while len(times) < rounds:
        watch = Watch(threads)
        pair = one_round()
        was_disturbed = watch.disturbed()
        if was_disturbed and (left := end - time.perf_counter()) > 0:
            wait_until_quiet(threads, left)
            continue
        times.append(pair)
        disturbed += was_disturbed
    return replace(ratio_of(times), disturbed=2 * disturbed > rounds)


def timed(work: Work, repeats: int, settle: float = 0, clock: Clock = time.perf_counter) -> float:
    """Mean seconds of a call, after calls that do not count: one, or as many as fill `settle` seconds."""
    began = clock()
    work()
    while clock() - began < settle:
        work()
    return seconds(work, repeats, clock)


def ratio_of(times: Sequence[tuple[float, float]]) -> Ratio:
    """Summary of the rounds' (ours, theirs) seconds."""
    ratios = [a / b for a, b in times]
    sides = [statistics.median(side) for side in zip(*times, strict=True)]
    return Ratio(statistics.median(ratios), quartile_distance(ratios), *sides)


def quartile_distance(values: Sequence[float]) -> float:
    """Third minus first quartile, linear between the values; 0 for a single one."""
    if len(values) < 2:
        return 0.0
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return third - first


def seconds(work: Work, repeats: int = 1, clock: Clock = time.perf_counter) -> float:
    """Mean time of one call."""
    began = clock()
    for _ in range(repeats):
        work()
    return (clock() - began) / repeats


def repeats_for(work: Work, at_least: float, clock: Clock = time.perf_counter) -> int:
    """How many calls fill `at_least` seconds; the first call, which warms up, does not count."""
    work()
    repeats = 1
    while at_least > 0 and (taken := seconds(work, repeats, clock) * repeats) < at_least:
        repeats = max(repeats + 1, min(10 * repeats, int(1.2 * repeats * at_least / max(taken, 1e-9))))
    return repeats


def threads_can_be_set() -> bool:
    """Is threadpoolctl installed?"""
    return importlib.util.find_spec("threadpoolctl") is not None


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Let the BLAS of NumPy, and PyTorch where it is loaded, run n threads."""
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:
        if os.environ.get("OPENBLAS_NUM_THREADS") != str(n):
            raise
        yield  # as many as the environment says already
        return
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else None
    with threadpool_limits(n):
        if torch:
            torch.set_num_threads(n)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


@dataclass(frozen=True)
class Process:
    """What a command took: wall-clock seconds, and the largest resident memory in MB (10⁶ bytes)."""

    seconds: float
    megabytes: float


# Linux counts the memory of the process that forks as the child's own, so a small one starts the command.
LAUNCHER = """
import json, os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([time.perf_counter() - began, usage.ru_maxrss * unit / 1e6, os.waitstatus_to_exitcode(status)]))
"""


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
    """Run a command in this environment with some variables changed; RuntimeError where it fails."""
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, *command],
        env=dict(os.environ) | dict(environment or {}),
        capture_output=True,
        text=True,
        check=True,
    )
    taken, megabytes, code = json.loads(done.stdout)
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}: {done.stderr.strip()[-500:]}")
    return Process(taken, megabytes)


def peak_memory(work: Work) -> float:
    """Most MB (10⁶ bytes) of Python objects and NumPy arrays that one call holds at a time beyond what was there."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        return (tracemalloc.get_traced_memory()[1] - before) / 1e6
    finally:
        tracemalloc.stop()
