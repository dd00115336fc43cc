"""The presets of affine quantization as text: all of them, one, or what two differ in."""

from refcompress.formulas.quantization.axes import AXES
from refcompress.formulas.quantization.conventions import PRESETS, named


def table() -> str:
    """Every preset's name and formula, one a line."""
    width = max(map(len, PRESETS))
    return "\n".join(f"{name:{width}}  {convention.formula()}" for name, convention in PRESETS.items())


def describe(name: str) -> str:
    """One preset in words, and what it was checked against."""
    convention = named(name)
    return f"{name}\n{convention.describe()}\nchecked against: {convention.origin}"


def compare(name: str, other: str) -> str:
    """The axes on which two presets differ, with what each value means."""
    a, b = named(name), named(other)
    lines = [f"{name:>{len(other)}}  {a.formula()}", f"{other:>{len(name)}}  {b.formula()}"]
    for axis, values in a.differences(b).items():
        meanings = AXES.get(axis, {})
        lines.append(f"{axis}")
        lines += [f"    {who}: {meanings.get(value, value)}" for who, value in zip((name, other), values, strict=True)]
    return "\n".join(lines if len(lines) > 2 else [*lines, "no axis differs"])
