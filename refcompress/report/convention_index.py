"""The presets of affine quantization as text: all of them, one, or what two differ in and where that shows."""

from refcompress.conformance.diagnosis.questions import decimal
from refcompress.conformance.diagnosis.readings import FIELDS
from refcompress.conformance.diagnosis.separation import separate
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
    """The axes on which two presets differ, with what each value means, and a number that tells them apart."""
    a, b = named(name), named(other)
    lines = [f"{name:>{len(other)}}  {a.formula()}", f"{other:>{len(name)}}  {b.formula()}"]
    for axis, values in a.differences(b).items():
        meanings = AXES.get(axis, {})
        lines.append(f"{axis}")
        lines += [f"    {who}: {meanings.get(value, value)}" for who, value in zip((name, other), values, strict=True)]
    return "\n".join([*lines, apart(name, other)] if len(lines) > 2 else [*lines, "no axis differs"])


def apart(name: str, other: str) -> str:
    """The simplest number of which two presets give different codes, in one line."""
    found = separate(name, other)
    if found is None:
        return "finite numbers do not tell them apart"
    (question,), ((code,), (instead,)) = found.questions, found.codes
    return f"apart at: {question}, codes {found.qmin} to {found.qmax}: {code} against {instead}"


PAIRS = (
    ("onnx", "tflite_reference"),
    ("tflite_reference", "tflite_activations"),
    ("onnx", "torch_quantize"),
    ("onnx", "torch_fake_quantize"),
    ("torch_quantize", "torch_quantize_per_channel"),
    ("tflite_reference", "gemmlowp"),
    ("gemmlowp", "onnxruntime_blockwise"),
    ("onnx", "tensorflow_fake_quant"),
    ("onnx", "onnxruntime"),
)


def pairs_markdown() -> str:
    """How well-known pairs of presets differ, as a table: in which axes that codes show, and of which number."""
    lines = ["| presets | differ in | x | scale | zero point | codes |", "|---|---|--:|--:|--:|---|"]
    for name, other in PAIRS:
        a, b = PRESETS[name], PRESETS[other]
        axes = [axis for axis in (*FIELDS, "nonfinite") if getattr(a, axis) != getattr(b, axis)]
        cells = [f"`{name}`, `{other}`", ", ".join(axes)]
        found = separate(name, other)
        if found is None:
            cells += ["", "", "", "the same for all finite numbers"]
        else:
            (question,), ((code,), (instead,)) = found.questions, found.codes
            cells += [*map(decimal, question), f"{code}, {instead}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
