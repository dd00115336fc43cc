"""`python -m tests.benchmarks`: measure, print the table, write it as JSON, compare it with an earlier one."""

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from typing import NoReturn

from refcompress.storage.atomic import check_writable, write_beside
from tests.benchmarks import machine, peers, result
from tests.benchmarks.context import Context
from tests.benchmarks.measure import threads_can_be_set
from tests.benchmarks.subjects import SUBJECTS


class Parser(argparse.ArgumentParser):
    """One line for what is wrong, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """The command line."""
    p = Parser("python -m tests.benchmarks", description=__doc__, allow_abbrev=False)
    p.add_argument("--quick", action="store_true", help="fewer rounds: minutes instead of a quarter of an hour")
    p.add_argument("--against", metavar="PEER,…", help=f"of {', '.join(peers.PEERS)}; default: every installed one")
    p.add_argument("--only", nargs="+", metavar="NAME", choices=SUBJECTS, help=f"of {', '.join(SUBJECTS)}")
    p.add_argument("--json", metavar="FILE", help="write the figures there")
    p.add_argument("--compare", metavar="OLD.json", help="an earlier --json, to print the changes since")
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 where a subject failed or computed something else than its peer, 2 where the arguments are wrong."""
    p = parser()
    options = p.parse_args(arguments)
    try:
        against = peers.chosen(options.against)
        old = result.load(options.compare) if options.compare else None
        if options.json:
            check_writable(options.json)
    except ValueError as error:
        p.error(str(error))
    if not threads_can_be_set():
        p.error(
            "threadpoolctl, which sets the number of threads, is not installed: python -m pip install threadpoolctl"
        )
    context = Context(quick=options.quick, against=against)
    print(machine.header(against, context.rounds), flush=True)

    figures, failed = [], []
    for name in options.only or SUBJECTS:
        began = time.perf_counter()
        try:
            figures += SUBJECTS[name](context)
            print(f"measured {name} in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        except Exception:  # the others are still worth measuring
            traceback.print_exc()
            failed.append(name)

    print("", result.table(figures), "", result.summary(figures), sep="\n")
    if old is not None:
        print(f"\nsince {options.compare}", result.compare(old, figures), sep="\n")
    if options.json:
        write_beside(options.json, result.to_json(figures).encode())
    for name in failed:
        print(f"failed: {name}", file=sys.stderr)
    return 1 if failed or any(figure.agrees is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
