"""What README shows of the vectors: figures for each group of formulas, and the picture of one kill matrix."""

from pathlib import Path

from refcompress.conformance.suite import stems, suite
from refcompress.report import formula_index
from refcompress.report.pictures.kills import kill_matrix

MARKS = "<!-- vectors -->\n", "\n<!-- /vectors -->"
SHOWN = "affine", "onnx"


def groups() -> dict[str, list[str]]:
    """Return the stems that have vectors, by group."""
    found: dict[str, list[str]] = {}
    for entry in formula_index.entries():
        if entry.stem in stems():
            found.setdefault(entry.group, []).append(entry.stem)
    return found


def markdown() -> str:
    """Return the table of figures."""
    lines = ["| formulas | stems | functions | conventions | cases | wrong variants | killed |"]
    lines.append("| --- |" + " ---: |" * 6)
    total = [0] * 6
    for group, members in groups().items():
        suites = [suite(stem) for stem in members]
        functions = [function for s in suites for function in s.functions.values()]
        killed = {(s.stem, case.function, name) for s in suites for case in s.cases for name in case.kills}
        row = [
            len(suites),
            len(functions),
            sum(len(function.conventions) for function in functions),
            sum(len(s.cases) for s in suites),
            sum(len(function.mutants) for function in functions),
            len(killed),
        ]
        total = [a + b for a, b in zip(total, row, strict=True)]
        lines.append(f"| {group} | " + " | ".join(map(str, row)) + " |")
    return "\n".join([*lines, "| **all** | " + " | ".join(map(str, total)) + " |"])


def in_readme(readme: str) -> str:
    """Return the table that README holds."""
    return readme.split(MARKS[0])[1].split(MARKS[1])[0]


def picture(path: Path) -> None:
    """Write the kill matrix that README shows."""
    path.write_text(kill_matrix(*SHOWN) + "\n", encoding="utf-8")
