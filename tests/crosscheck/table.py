"""The comparisons as a table, and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tests.crosscheck.comparison import Comparison

HEAD = ("preset", "compared with", "version", "how", "what", "values", "mismatches")


def merged(own: Iterable[Comparison], others: Iterable[Comparison]) -> list[Comparison]:
    """One row a preset: the own one, or one of the others where the own did not run."""
    elsewhere = {row.preset: row for row in others if row.ran}
    return [row if row.ran else elsewhere.get(row.preset, row) for row in own]


def markdown(rows: Iterable[Comparison]) -> str:
    """The table."""
    cells = [HEAD, ("---", "---", "---", "---", "---", "---:", "---:")]
    for row in rows:
        counts = (f"{row.values:,}", f"{row.mismatches:,}") if row.ran else ("not run", "")
        cells.append((f"`{row.preset}`", row.library, row.version, row.how, row.parts, *counts))
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def shown(rows: Iterable[Comparison], page: str) -> bool:
    """Whether every comparison ran, and the page holds their table between its marks."""
    rows = list(rows)
    return all(row.ran for row in rows) and f"<!-- presets -->\n{markdown(rows)}\n<!-- /presets -->" in page


def text(rows: Iterable[Comparison]) -> str:
    """The table in columns for a terminal, and the first mismatch of every preset that has one."""
    rows = list(rows)
    lines = [[cell.strip("` ") for cell in line.strip("|").split("|")] for line in markdown(rows).splitlines()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    aligned = [*[str.ljust] * 5, *[str.rjust] * 2]
    columns = [
        "  ".join(align(cell, width) for align, cell, width in zip(aligned, line, widths, strict=True)).rstrip()
        for line in (lines[0], *lines[2:])
    ]
    return "\n".join(columns + [f"{row.preset}: {row.first}" for row in rows if row.first])


def save(path: str, rows: Iterable[Comparison]) -> None:
    Path(path).write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n")


def load(path: str) -> list[Comparison]:
    return [Comparison(**row) for row in json.loads(Path(path).read_text())]
