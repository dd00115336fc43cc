"""Write the files of vectors: `python -m tests.vectors [STEM …]`; and what README shows of them."""

import argparse
import sys
from pathlib import Path

from tests.vectors import index
from tests.vectors.generate import FOLDER, current, names


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    parser.add_argument("stems", nargs="*", metavar="STEM", help="default: all")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file is not current")
    parser.add_argument("--markdown", action="store_true", help="only print README's table of figures")
    parser.add_argument("--picture", metavar="FILE", type=Path, help="only draw README's kill matrix")
    args = parser.parse_args()
    if args.markdown:
        print(index.markdown())
        return 0
    if args.picture:
        index.picture(args.picture)
        return 0
    stale = 0
    for stem in args.stems or names():
        wanted, there = current(stem)
        if wanted == there:
            continue
        stale += 1
        print(f"{stem}: {'is not current' if args.check else 'written'}")
        if not args.check:
            (FOLDER / f"{stem}.json").write_text(wanted, encoding="utf-8", newline="\n")
    return int(args.check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
