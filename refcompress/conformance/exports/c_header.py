"""The vectors as a C99 header: for every function a struct and a table of its cases."""

import json
import math
from typing import Any

import numpy as np

from refcompress.conformance.case import Case
from refcompress.conformance.exports.words import numbers
from refcompress.conformance.suite import Suite

TYPES = {f"{sign}int{width}": f"{sign}int{width}_t" for sign in ("", "u") for width in (8, 16, 32, 64)}
TYPES |= {"float32": "float", "float64": "double", "bool": "bool", "float16": "uint16_t"}

HEAD = """\
/* Vectors of {stem}, version {version}.
 *
 * Of every case: id, conventions that give this result, what it was made for, and of each argument and each result
 * the values in row-major order, their number, the number of dimensions and the sizes. A scalar has one value and no
 * dimensions; what is left out has none. An array has one type in all cases, int64_t or
 * double where its own dtypes differ; `_dtype` is its own. Floats are exact, as hexadecimal constants, which C has from
 * C99 and C++ from C++17 on; float16 are bits.
 */
#ifndef REFCOMPRESS_{guard}_H
#define REFCOMPRESS_{guard}_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
"""


def files(suite: Suite) -> dict[str, bytes]:
    """Return <stem>.h, which compiles as C99 and later."""
    guard = suite.stem.upper()
    parts = [HEAD.format(stem=suite.stem, version=suite.version, guard=guard)]
    for name in suite.functions:
        cases = [case for case in suite.cases if case.function == name]
        if cases:
            parts.append(_function(f"{suite.stem}_{name}", cases))
    return {f"{suite.stem}.h": ("\n".join([*parts, "#endif"]) + "\n").encode()}


def _function(name: str, cases: list[Case]) -> str:
    sides = [_arrays(case) for case in cases]
    types = {part: _common([side[part] for side in sides]) for part in sides[0]}
    rank = max(1, *(array.ndim for side in sides for array in side.values()))
    lines = [f"struct {name}_case {{", "    const char *id, *conventions, *made_for;"]
    for part, dtype in types.items():
        lines.append(f"    const {TYPES[dtype.name]} *{part};")
        lines.append(f"    size_t {part}_size; int {part}_ndim; size_t {part}_shape[{rank}]; const char *{part}_dtype;")
    lines.append("};")
    rows = []
    for case, side in zip(cases, sides, strict=True):
        start = case.id.replace(".", "_").replace("-", "_")
        row = [
            json.dumps(text, ensure_ascii=False)
            for text in (case.id, " ".join(case.conventions), "; ".join(case.made_for))
        ]
        for part, array in side.items():
            pointer = "NULL"
            if array.size:
                pointer = f"{start}_{part}"
                values = ", ".join(_literal(value, types[part]) for value in array.ravel())
                lines.append(f"static const {TYPES[types[part].name]} {pointer}[] = {{{values}}};")
            shape = ", ".join(map(str, array.shape or (0,)))
            row += [pointer, str(array.size), str(array.ndim), f"{{{shape}}}", f'"{array.dtype}"']
        rows.append(f"    {{{', '.join(row)}}},")
    return "\n".join([*lines, f"static const struct {name}_case {name}_cases[] = {{", *rows, "};", ""])


def _common(arrays: list[np.ndarray]) -> np.dtype:
    """Return the dtype of all, else float64 for floats and int64 for integers."""
    dtypes = {array.dtype for array in arrays if array.size}
    if len(dtypes) > 1:
        wide = np.dtype(np.float64 if any(dtype.kind == "f" for dtype in dtypes) else np.int64)
        if any(array.astype(wide).tolist() != array.tolist() for array in arrays if not np.isnan(array).any()):
            raise ValueError(f"{wide} must hold arrays of {', '.join(sorted(map(str, dtypes)))}, which it does not")
        return wide
    return dtypes.pop() if dtypes else np.dtype(np.uint8)


def _arrays(case: Case) -> dict[str, np.ndarray]:
    """Return arguments and results; the word expected goes before a result's name."""
    arrays = {name: numbers(value) for name, value in case.arguments.items()}
    for name, expected in case.expected.items():
        arrays[f"expected_{name}"] = expected.value
    return arrays


def _literal(value: Any, dtype: np.dtype) -> str:
    if dtype.kind == "b":
        return "true" if value else "false"
    if dtype == np.float16:
        return f"0x{int(np.float16(value).view(np.uint16)):04x}"
    if dtype.kind == "f":
        number = float(value)
        if math.isnan(number):
            return "NAN"
        if math.isinf(number):
            return "INFINITY" if number > 0 else "-INFINITY"
        return number.hex() + ("f" if dtype == np.float32 else "")
    if value == -(2**63):
        return "INT64_MIN"  # C has no negative literals
    if dtype.itemsize == 8 or not -(2**31) < int(value) < 2**31:
        return f"{'UINT64_C' if int(value) >= 2**63 else 'INT64_C'}({int(value)})"
    return str(int(value))
