"""The functions of libraries that the conformance vectors are given to; importing the package registers them all."""

import importlib
import pkgutil

from tests.crosscheck.vectors.row import ROWS

__all__ = ["ROWS"]

for info in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{info.name}")
