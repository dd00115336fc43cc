"""`python -m tests.crosscheck`: compare every preset with its library, as far as that is installed."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from refcompress.formulas.quantization.conventions import PRESETS
from tests.crosscheck import table
from tests.crosscheck.presets import ENTRIES


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser("python -m tests.crosscheck", description=__doc__, allow_abbrev=False)
    p.add_argument("--only", nargs="+", metavar="PRESET", choices=list(PRESETS), help="compare only these")
    p.add_argument("--json", metavar="FILE", help="write the records there")
    p.add_argument("--merge", nargs="+", metavar="FILE", default=[], help="take what did not run here from these")
    p.add_argument("--markdown", action="store_true", help="print the table of README.md")
    p.add_argument("--check", metavar="FILE", type=Path, help="fail unless all ran and this file shows the table")
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 where a preset and its library differ."""
    options = parser().parse_args(arguments)
    elsewhere = [row for path in options.merge for row in table.load(path)]
    rows = []
    for preset in PRESETS:
        began, entry = time.perf_counter(), ENTRIES[preset]
        wanted = entry.installed and preset in (options.only or PRESETS)
        rows.append(entry.run() if wanted else entry.empty())
        if wanted:
            print(f"compared {preset} in {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    if options.json:
        table.save(options.json, rows)
    rows = table.merged(rows, elsewhere)
    print(table.markdown(rows) if options.markdown else table.text(rows))
    if options.check and not table.shown(rows, options.check.read_text()):
        print(f"{options.check} does not show this table, or a part of it did not run", file=sys.stderr)
        return 1
    return 1 if any(row.mismatches for row in rows) else 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
