"""What a subject is told: how much to measure, against whom, and with how many threads."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from tests.benchmarks.measure import AT_LEAST, SETTLE, Work, alternate, threads
from tests.benchmarks.result import Figure, relative

Size = TypeVar("Size")
THREADS = tuple(n for n in (1, 2) if n <= (os.cpu_count() or 1))


@dataclass(frozen=True)
class Context:
    """`quick` measures fewer rounds; `tiny` runs everything once on the smallest sizes, for the tests."""

    quick: bool = False
    tiny: bool = False
    against: frozenset[str] = frozenset()
    threads: tuple[int, ...] = THREADS

    @property
    def rounds(self) -> int:
        """Rounds of a comparison."""
        return 1 if self.tiny else 5 if self.quick else 15

    @property
    def at_least(self) -> float:
        """Seconds that a side of a round shall take."""
        return 0 if self.tiny else AT_LEAST

    @property
    def settle(self) -> float:
        """Seconds before a side is timed, at more threads than one."""
        return 0 if self.tiny else SETTLE

    @property
    def patience(self) -> float:
        """Seconds to wait for other programs, for every figure."""
        return 0 if self.tiny else 5 if self.quick else 30

    def size(self, full: Size, tiny: Size) -> Size:
        """The size to measure at."""
        return tiny if self.tiny else full

    def compare(self, name: str, against: str, ours: Work, theirs: Work, *, agrees: bool | None) -> Iterator[Figure]:
        """A ratio for every number of threads; `agrees`: do both sides compute the same? None where they need not."""
        timing = {"at_least": self.at_least, "settle": self.settle, "patience": self.patience}
        for n in self.threads:
            with threads(n):
                ratio = alternate(ours, theirs, self.rounds, threads=n, **timing)
            yield relative(name, against, ratio, threads=n, agrees=agrees)
