"""What must hold for every input, one file a formula; each property takes the implementation as an argument.

A formula's file has

    OWN          by function: own(convention) is this package's implementation, called like a target
    PROPERTIES   the invariants, each with the inputs that it is tried on
    AGREES       by function: drawn(convention), a strategy of the function's own arguments, for functions whose results
                 are determined to the last bit
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis.strategies import SearchStrategy

from refcompress.conformance.comparison import Expected, mismatch
from refcompress.conformance.properties.property import Property
from refcompress.conformance.suite import suite

__all__ = ["Property", "own", "properties"]

Drawn = Callable[[str], SearchStrategy[dict[str, Any]]]


def own(stem: str, function: str, convention: str) -> Callable[..., Any]:
    """Return this package's implementation of a stem's function, with the arguments that a target takes.

    Examples
    --------
    >>> own("affine", "quantize", "onnx")(np.array([0.5, 1.5], np.float32), np.float32(1), np.int32(0), 0, 255)
    array([0, 2], dtype=uint8)
    """
    return _module(stem).OWN[function](convention)


def properties(stem: str, function: str) -> tuple[Property, ...]:
    """Return the properties of a stem's function; that it agrees with this package's comes last.

    Examples
    --------
    >>> for p in properties("affine", "quantize"):
    ...     p.check(my_quantizer, "onnx", max_examples=20)  # doctest: +SKIP
    """
    module = _module(stem)
    found = [p for p in module.PROPERTIES if p.function == function]
    if function in module.AGREES:
        parameters = tuple(suite(stem).functions[function].parameters)
        drawn = _as_one(module.AGREES[function], parameters)
        found.append(Property(function, _agrees_with(module.OWN[function]), drawn))
    return tuple(found)


def _module(stem: str) -> Any:
    return importlib.import_module(f"{__name__}.{stem}")


def _as_one(drawn: Drawn, parameters: tuple[str, ...]) -> Drawn:
    """The arguments as one dictionary, in the order of the call, whatever the order in which they are drawn."""

    def ordered(arguments: dict[str, Any]) -> dict[str, Any]:
        return {"arguments": {name: arguments[name] for name in parameters}}

    return lambda convention: drawn(convention).map(ordered)


def _agrees_with(implementation: Callable[[str], Callable[..., Any]]) -> Callable[..., None]:
    def agrees(f: Callable[..., Any], convention: str, arguments: dict[str, Any]) -> None:
        """Every result is refcompress's own, to the last bit."""
        results = implementation(convention)(*arguments.values())
        results = results if isinstance(results, tuple) else (results,)
        expected = {f"result {place}": _expected(result) for place, result in enumerate(results)}
        wrong = mismatch(expected, f(*arguments.values()))
        assert wrong is None, wrong

    return agrees


def _expected(result: Any) -> Expected:
    """Codes of any integer type that holds them are right."""
    value = np.asarray(result)
    if value.dtype.kind not in "iu":
        return Expected(value)
    return Expected(value, (int(value.min(initial=0)), int(value.max(initial=0))))
