"""What must hold for every input, one file a formula; each property takes the implementation as an argument.

A formula's file has

    OWN          by function: own(convention) is this package's implementation, called like a target
    PROPERTIES   the invariants, each with the inputs that it is tried on
    AGREES       by function: drawn(convention), a strategy of the function's own arguments, for functions whose results
                 are determined to the last bit
    LONGER       by function: the same with long arrays, for functions of arrays of any length; optional
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from refcompress.conformance.comparison import Expected, mismatch
from refcompress.conformance.properties.longer import Drawn
from refcompress.conformance.properties.property import Property
from refcompress.conformance.suite import suite

__all__ = ["Property", "own", "properties"]


def own(stem: str, function: str, convention: str) -> Callable[..., Any]:
    """Return this package's implementation of a stem's function, with the arguments that a target takes.

    Examples
    --------
    >>> own("affine", "quantize", "onnx")(np.array([0.5, 1.5], np.float32), np.float32(1), np.int32(0), 0, 255)
    array([0, 2], dtype=uint8)
    """
    return _module(stem).OWN[function](convention)


def properties(stem: str, function: str) -> tuple[Property, ...]:
    """Return the properties of a stem's function; that it agrees with this package's comes last, on long arrays too.

    Examples
    --------
    >>> for p in properties("affine", "quantize"):
    ...     p.check(my_quantizer, "onnx", max_examples=20)  # doctest: +SKIP
    """
    module = _module(stem)
    found = [p for p in module.PROPERTIES if p.function == function]
    parameters = tuple(suite(stem).functions[function].parameters)
    agrees, agrees_on_long_arrays = _agreement_with(module.OWN[function])
    for holds, drawn in ((agrees, module.AGREES), (agrees_on_long_arrays, getattr(module, "LONGER", {}))):
        if function in drawn:
            found.append(Property(function, holds, _as_one(drawn[function], parameters)))
    return tuple(found)


def _module(stem: str) -> Any:
    return importlib.import_module(f"{__name__}.{stem}")


def _as_one(drawn: Drawn, parameters: tuple[str, ...]) -> Drawn:
    """The arguments as one dictionary, in the order of the call, whatever the order in which they are drawn."""

    def ordered(arguments: dict[str, Any]) -> dict[str, Any]:
        return {"arguments": {name: arguments[name] for name in parameters}}

    return lambda convention: drawn(convention).map(ordered)


def _agreement_with(
    implementation: Callable[[str], Callable[..., Any]],
) -> tuple[Callable[..., None], Callable[..., None]]:
    def agrees(f: Callable[..., Any], convention: str, arguments: dict[str, Any]) -> None:
        """Every result is refcompress's own, to the last bit."""
        results = implementation(convention)(*arguments.values())
        results = results if isinstance(results, tuple) else (results,)
        expected = {f"result {place}": _expected(result) for place, result in enumerate(results)}
        wrong = mismatch(expected, f(*arguments.values()))
        assert wrong is None, wrong

    def agrees_on_long_arrays(f: Callable[..., Any], convention: str, arguments: dict[str, Any]) -> None:
        """Every result for an array of many elements is refcompress's own, to the last bit."""
        agrees(f, convention, arguments)

    return agrees, agrees_on_long_arrays


def _expected(result: Any) -> Expected:
    """Codes of any integer type that holds them are right."""
    value = np.asarray(result)
    if value.dtype.kind not in "iu":
        return Expected(value)
    return Expected(value, (int(value.min(initial=0)), int(value.max(initial=0))))
