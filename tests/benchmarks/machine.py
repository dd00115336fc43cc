"""What the figures were measured on."""

import os
import platform
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import refcompress
from tests.benchmarks.peers import PEERS, installed, version


def header(against: Iterable[str], rounds: int) -> str:
    """Lines about versions, processor and settings, for the top of a report."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    missing = [name for name in PEERS if not installed(name)]
    lines = [
        f"refcompress {refcompress.__version__}, Python {platform.python_version()}, numpy {np.__version__} "
        f"({blas['name']} {blas['version']})",
        f"beside {', '.join(version(name) for name in PEERS if name in against) or 'no other library'}"
        + (f"; not installed: {', '.join(missing)}" if missing else ""),
        f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        f"ratio = time of ours / time of theirs in turn, median of {rounds} rounds; ± = distance of the quartiles; "
        "same = both sides were checked to compute the same",
    ]
    return "\n".join(lines)


def processor() -> str:
    """Name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
