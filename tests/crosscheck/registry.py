"""Which comparison checks which preset. Registering imports no library."""

import functools
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from refcompress.formulas.quantization.conventions import PRESETS, Convention
from tests.crosscheck.comparison import Comparison, Pair, compare

RUN = "run"
EXACT = "exact arithmetic, not run"
SEED = 4


@dataclass(frozen=True)
class Entry:
    """One preset, and the function that yields what a library and refcompress say about it."""

    preset: str
    pairs: Callable[[Convention, np.random.Generator], Iterator[Pair]]
    library: str
    needs: str | None  # the module to import, None for exact arithmetic
    how: str
    version: str | None

    @property
    def installed(self) -> bool:
        return self.needs is None or importlib.util.find_spec(self.needs) is not None

    def empty(self) -> Comparison:
        """The record before anything was compared."""
        version = self.version or (installed_version(self.needs) if self.installed and self.needs else "")
        return Comparison(self.preset, self.library, version, self.how)

    def run(self, convention: Convention | None = None, *, stop: bool = False) -> Comparison:
        """Compare the preset, or another convention in its place."""
        c = PRESETS[self.preset] if convention is None else convention
        return compare(self.empty(), lambda: self.pairs(c, np.random.default_rng(SEED)), stop=stop)


ENTRIES: dict[str, Entry] = {}


def register(
    *presets: str, library: str, needs: str | None = None, how: str = RUN, version: str | None = None
) -> Callable[[Callable], Callable]:
    """Make a generator of pairs the comparison of these presets."""

    def keep(pairs: Callable) -> Callable:
        for preset in presets:
            assert preset not in ENTRIES, f"{preset} is registered twice"
            module = None if how == EXACT else needs or library.replace("-", "_")
            ENTRIES[preset] = Entry(preset, pairs, library, module, how, version)
        return pairs

    return keep


@functools.cache
def installed_version(module: str) -> str:
    """Version of the distribution that holds a module."""
    return importlib.metadata.version(importlib.metadata.packages_distributions()[module][0])
