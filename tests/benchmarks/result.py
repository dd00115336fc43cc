"""Figures: what was measured, as a table, as JSON, and beside an earlier run."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from refcompress.nn.text_table import columns
from tests.benchmarks.goals import SHARE
from tests.benchmarks.goals import goal as goal_of
from tests.benchmarks.measure import Ratio

DRIFT = 0.1  # how much the same ratio differs from run to run


@dataclass(frozen=True)
class Figure:
    """One number: a ratio of times ours/theirs, or a value with its unit; `agrees` is None without a comparison."""

    name: str
    against: str
    ratio: float | None
    spread: float | None
    goal: float | None
    threads: int
    agrees: bool | None
    met: bool | None
    value: float | None = None
    unit: str | None = None
    sense: str = "lower"
    ours_seconds: float | None = None
    theirs_seconds: float | None = None
    disturbed: bool = False

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells this figure from all others of a run."""
        return self.name, self.against, self.threads

    @property
    def number(self) -> float:
        """The ratio, or the value."""
        number = self.value if self.ratio is None else self.ratio
        assert number is not None
        return number


def relative(name: str, against: str, ratio: Ratio, *, threads: int, agrees: bool | None) -> Figure:
    """A ratio of times beside its goal; without agreement it is not met, however fast."""
    goal = goal_of(name, against, threads)
    met = False if agrees is False else None if goal is None else ratio.median <= goal
    measured = {
        "ours_seconds": ratio.ours_seconds,
        "theirs_seconds": ratio.theirs_seconds,
        "disturbed": ratio.disturbed,
    }
    return Figure(name, against, ratio.median, ratio.spread, goal, threads, agrees, met, **measured)


def absolute(
    name: str,
    value: float,
    unit: str,
    *,
    threads: int,
    sense: str = "lower",
    spread: float | None = None,
    against: str = "",
    agrees: bool | None = None,
) -> Figure:
    """A value beside its goal."""
    goal = goal_of(name, against, threads)
    reached = goal is not None and (value <= goal if sense == "lower" else value >= goal)
    met = False if agrees is False else None if goal is None else reached
    return Figure(name, against, None, spread, goal, threads, agrees, met, value, unit, sense)


def table(figures: Iterable[Figure]) -> str:
    """One line a figure."""
    header = ("figure", "against", "threads", "ours", "theirs", "ratio", "±", "", "same", "goal", "")
    return columns([header, *map(_row, figures)], left=2)


def summary(figures: Iterable[Figure]) -> str:
    """How many goals are met, and what to doubt."""
    figures = list(figures)
    met = [figure.met for figure in figures if figure.met is not None]
    lines = [f"{sum(met)} of {len(met)} goals met"]
    busy = sum(figure.disturbed for figure in figures)
    if busy:
        lines.append(f"{busy} figures measured on a busy machine, where two threads can be ten times as slow as one")
    wrong = sum(figure.agrees is False for figure in figures)
    if wrong:
        lines.append(f"{wrong} figures whose sides do NOT compute the same")
    return "; ".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = {True: "met", False: "missed", None: ""}[figure.met]
    if figure.disturbed:
        verdict = f"{verdict} (machine busy)".strip()
    sign = "≤" if figure.sense == "lower" else "≥"
    goal = "" if figure.goal is None else f"{sign} {_short(figure.goal)}"
    same = {True: "yes", False: "NO", None: ""}[figure.agrees]
    cells = figure.name, figure.against, str(figure.threads)
    spread = "" if figure.spread is None else _short(figure.spread)
    if figure.ratio is None:
        return *cells, f"{_short(figure.number)} {figure.unit}", "", "", spread, "", same, goal, verdict
    sides, words = (_time(figure.ours_seconds), _time(figure.theirs_seconds)), _in_words(figure.against, figure.ratio)
    return *cells, *sides, _short(figure.ratio), spread, words, same, goal, verdict


def _in_words(against: str, ratio: float) -> str:
    if against == SHARE or ratio <= 0:
        return f"{100 * ratio:+.1f} %"
    return f"{_short(1 / ratio)}× faster" if ratio < 1 else f"{_short(ratio)}× slower"


def _short(number: float) -> str:
    """Three digits: 0.0123, 1.50, 21.4, 356, 1.23e+09."""
    if number == 0 or not 1e-5 <= abs(number) < 1e6:
        return f"{number:.2e}" if number else "0"
    return f"{number:,.{max(0, 2 - math.floor(math.log10(abs(number))))}f}"


def _time(value: float | None) -> str:
    return "" if value is None else f"{_short(value)} s" if value >= 1 else f"{_short(1e3 * value)} ms"


def to_json(figures: Iterable[Figure]) -> str:
    """A list of objects, one a figure."""
    return json.dumps([asdict(figure) for figure in figures], indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> list[Figure]:
    """What `to_json` wrote; ValueError or TypeError where it is something else."""
    content = json.loads(text)
    if not isinstance(content, list):
        raise ValueError(f"it holds a {type(content).__name__}")
    return [_figure(item) for item in content]


def load(path: str | Path) -> list[Figure]:
    """Read what `to_json` wrote; ValueError with one line where this is not possible."""
    try:
        return from_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: is no list of figures as --json writes it: {error}") from None


def _figure(item: object) -> Figure:
    if not isinstance(item, dict):
        raise ValueError(f"an entry is a {type(item).__name__}")
    figure = Figure(**{field.name: item[field.name] for field in fields(Figure) if field.name in item})
    number = figure.value if figure.ratio is None else figure.ratio
    numbers = (number, figure.threads, figure.spread or 0)
    texts = (figure.name, figure.against)
    if not all(isinstance(n, int | float) for n in numbers) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"an entry is {item}")
    return figure


def compare(old: Sequence[Figure], new: Sequence[Figure]) -> str:
    """Table of all new figures beside the old ones."""
    before = {figure.key: figure for figure in old}
    rows = [("figure", "against", "threads", "old", "new", "change", "")]
    for b in new:
        a = before.pop(b.key, None)
        change = f"{100 * (b.number / a.number - 1):+.0f} %" if a and a.number else ""
        rows.append((*map(str, b.key), _short(a.number) if a else "", _short(b.number), change, verdict(a, b)))
    missing = f"\n{len(before)} figures of the earlier run were not measured" if before else ""
    return columns(rows, left=2) + missing


def verdict(old: Figure | None, new: Figure) -> str:
    """ "better" or "worse" beyond both runs' spreads and a machine's drift between runs, else "same", or why not."""
    if old is None:
        return "new"
    if old.disturbed or new.disturbed:
        return "machine busy"
    change = new.number - old.number
    if abs(change) <= max((old.spread or 0) + (new.spread or 0), DRIFT * abs(old.number)):
        return "same"
    return "better" if (change < 0) == (new.sense == "lower") else "worse"
