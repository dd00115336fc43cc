"""Neural-network compression as a pure-NumPy reference: every formula once, small, tested and exact.

The rooms are `formulas`, `nn`, `conformance`, `datasets`, `storage`, `compress` and `report`; each is imported when it
is first used.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"
__all__ = ["compress", "conformance", "datasets", "formulas", "nn", "report", "storage"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
