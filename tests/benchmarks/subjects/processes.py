"""What a new process costs: importing the package, and the whole main job."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.context import Context
from tests.benchmarks.measure import process
from tests.benchmarks.neighbours import Watch
from tests.benchmarks.result import Figure, absolute
from tests.benchmarks.values import in_unit

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
IMPORTS = {
    "import refcompress": "import refcompress",
    "import refcompress and all its rooms": "from refcompress import compress, datasets, formulas, nn, report, storage",
}


def figures(context: Context) -> Iterator[Figure]:
    """Seconds and megabytes, each of a process of its own."""
    for name, statement in IMPORTS.items():
        yield _import(context, name, statement)
    for n in context.threads:
        yield from _main_job(context, n)


def _import(context: Context, name: str, statement: str) -> Figure:
    """What it adds to importing NumPy, which it may put off until later itself."""
    commands = [
        [sys.executable, "-c", context.size(code, tiny="pass")]
        for code in (f"import numpy; {statement}", "import numpy")
    ]

    def one_round() -> float:
        ours, numpy = (process(command, ONE_THREAD).seconds for command in commands)
        return ours - numpy

    one_round()  # may compile and read files
    return in_unit(context, f"{name}, beyond numpy", "s", one_round)


def _main_job(context: Context, threads: int) -> Iterator[Figure]:
    """All of it with its defaults, or few epochs under another name."""
    name, few = "main job", []
    if context.quick:
        name, few = "main job of 1 + 1 epochs", ["--epochs", "1", "--finetune-epochs", "1"]
    watch = Watch(threads)
    with tempfile.TemporaryDirectory() as folder:
        job = ["-m", "refcompress", "compress", "--out", str(Path(folder) / "compressed.npz"), *few]
        command = [sys.executable, *context.size(job, tiny=["-c", "pass"])]
        taken = process(command, {"OPENBLAS_NUM_THREADS": str(threads)})
    time = absolute(f"{name}, time", taken.seconds, "s", threads=threads)
    yield replace(time, disturbed=watch.disturbed())
    yield absolute(f"{name}, peak memory", taken.megabytes, "MB", threads=threads)
