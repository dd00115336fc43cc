"""The vectors for a Verilog testbench: memories that $readmemh fills, one of inputs and one of outputs."""

from collections.abc import Iterable

import numpy as np

from refcompress.conformance.case import Case
from refcompress.conformance.exports.words import bits, numbers
from refcompress.conformance.suite import Suite

HEAD = """\
// {title}
// reg [{top}:0] {kind} [0:{last}];  $readmemh("{name}", {kind});
// Word 0 is the number of cases. Then, for every case, come {what}: each the number of its words, and the words.
// Floats are their IEEE 754 bits, integers are in two's complement, both in the low bits of a word; rows come first.
"""


def files(suite: Suite) -> dict[str, bytes]:
    """Return for every function, and every group of conventions that share their cases, two files of words."""
    contents = {}
    for function in suite.functions.values():
        mine = [case for case in suite.cases if case.function == function.name]
        for group in dict.fromkeys(case.conventions for case in mine):
            chosen = [case for case in mine if case.conventions == group]
            start = f"{suite.stem}.{function.name}" + ("" if group == ("default",) else f"-{group[0]}")
            title = f"{suite.stem}.{function.name}, convention {', '.join(group)}, vectors version {suite.version}"
            for kind, sides in (("inputs", map(_inputs, chosen)), ("outputs", map(_outputs, chosen))):
                name = f"{start}.{kind}.hex"
                assert name not in contents, f"two groups of conventions must not begin with {group[0]}"
                contents[name] = _file(title, kind, name, chosen, list(sides)).encode()
    return contents


def _inputs(case: Case) -> dict[str, np.ndarray]:
    return {name: numbers(value) for name, value in case.arguments.items()}


def _outputs(case: Case) -> dict[str, np.ndarray]:
    return {name: expected.value for name, expected in case.expected.items()}


def _file(title: str, kind: str, name: str, cases: Iterable[Case], sides: list[dict[str, np.ndarray]]) -> str:
    width = max(32, max(_width(array) for side in sides for array in side.values()))
    lines = [f"{len(sides):0{width // 4}x}  // cases"]
    words = 1
    for case, side in zip(cases, sides, strict=True):
        lines.append(f"// {case.id}: {'; '.join(case.made_for)}")
        for part, array in side.items():
            label = "integer" if type(case.coded_arguments.get(part)) is int else array.dtype.name
            lines.append(f"{array.size:0{width // 4}x}  // {part}: {label}, shape {list(array.shape)}")
            lines += [" ".join(bits(array, width))] if array.size else []
            words += 1 + array.size
    what = ", ".join(sides[0])
    return (
        HEAD.format(title=title, top=width - 1, last=words - 1, kind=kind, name=name, what=what)
        + "\n".join(lines)
        + "\n"
    )


def _width(array: np.ndarray) -> int:
    """Integers take 32 bits if these hold them, signed or not like their dtype."""
    if array.dtype.kind == "f" or not array.size:
        return 8 * array.itemsize if array.size else 32
    word = np.iinfo(np.uint32 if array.dtype.kind == "u" else np.int32)
    return 32 if word.min <= int(array.min()) and int(array.max()) <= word.max else 64
