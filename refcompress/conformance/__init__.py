"""The conformance kit: does another implementation compute the formula, and if not, what does it do instead?"""

import importlib
from typing import TYPE_CHECKING, Any

from refcompress.conformance.case import Case, cases

if TYPE_CHECKING:
    from refcompress.conformance.checking import check
    from refcompress.conformance.diagnosis import diagnose
    from refcompress.conformance.from_arrays import diagnose_arrays
    from refcompress.conformance.separation import separate

__all__ = ["Case", "cases", "check", "diagnose", "diagnose_arrays", "separate"]

# imported where they are used: the process that serves a Python target imports as little as it can
LATE = {"check": "checking", "diagnose": "diagnosis", "diagnose_arrays": "from_arrays", "separate": "separation"}


def __getattr__(name: str) -> Any:
    if name in LATE:
        return getattr(importlib.import_module(f"{__name__}.{LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
