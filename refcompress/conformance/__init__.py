"""The conformance kit: does another implementation compute the formula, and if not, what does it do instead?"""

import importlib
from typing import TYPE_CHECKING, Any

from refcompress.conformance.case import Case
from refcompress.conformance.suite import cases

if TYPE_CHECKING:
    from refcompress.conformance.checking.check import check
    from refcompress.conformance.diagnosis.diagnose import diagnose
    from refcompress.conformance.diagnosis.from_arrays import diagnose_arrays
    from refcompress.conformance.diagnosis.separation import separate

__all__ = ["Case", "cases", "check", "diagnose", "diagnose_arrays", "separate"]

# imported where they are used: the process that serves a Python target imports as little as it can
LATE = {
    "check": "checking.check",
    "diagnose": "diagnosis.diagnose",
    "diagnose_arrays": "diagnosis.from_arrays",
    "separate": "diagnosis.separation",
}


def __getattr__(name: str) -> Any:
    if name in LATE:
        return getattr(importlib.import_module(f"{__name__}.{LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
