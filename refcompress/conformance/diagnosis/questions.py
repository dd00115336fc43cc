"""Questions: numbers, scales and zero points for which conventions of affine quantization give different codes."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from refcompress.conformance.diagnosis.readings import Reading, codes, readings, unmixed
from refcompress.formulas.quantization.convention import middle
from refcompress.formulas.quantization.conventions import PRESETS

__all__ = ["SIMPLEST", "Question", "Table", "decimal", "questions", "table", "together"]

SCALES = (1.0, 2.0, 0.5, 0.1, 0.3, 0.6, 0.7, 0.01, 0.03, 0.07, 0.74, 1.3, 3.0, 7.0, 41.0, 49.0)
STEPS = (*(k / 2 for k in range(1, 24)), 0.25, 0.75)  # x in steps of the scale: ties, codes and what is between
BESIDE = (0.5, 1.0, 1.5, 2.5)  # steps of which the next floats are asked too
BEYOND = tuple(k / 2 for k in range(-4, 5))  # steps from the ends of the range
TINY = (1e-15, -1e-15, 1e-20, -1e-20)  # too small to change what it is added to
SIMPLEST = 1000  # questions that are looked at first


class Question(NamedTuple):
    """One number, a scale and a zero point: of which code is asked."""

    x: float
    scale: float
    zero_point: float

    def __str__(self) -> str:
        return f"x = {decimal(self.x)}, scale {decimal(self.scale)}, zero point {decimal(self.zero_point)}"

    def simplicity(self) -> tuple[float, ...]:
        """Return what sorts the simplest question first: digits, then size."""
        digits = sum(len(decimal(value).lstrip("-0.")) for value in self)
        return digits, abs(self.scale - 1), abs(self.zero_point), self.zero_point, abs(self.x), -self.x


def decimal(value: float) -> str:
    """Return the shortest decimal that reads back as the same float32, or float64 if it is none.

    Examples
    --------
    >>> decimal(0.5), decimal(3.0), decimal(float(np.float32(0.35)))
    ('0.5', '3', '0.35')
    """
    short = np.float32(value)
    return str(short if short == value else float(value)).removesuffix(".0")


@lru_cache(8)
def questions(qmin: int, qmax: int, zero_points: tuple[int, ...] | None = None) -> tuple[Question, ...]:
    """Return numbers that tell conventions apart, the simplest first.

    They are ties and codes at scales where a quotient is exact and at others, where dividing, multiplying by a rounded
    reciprocal and computing in float64 part; the floats beside ties; and the ends of the range. Every x is a float32.
    """
    if zero_points is None:
        wanted = {0, 1, 2, 3, 10, middle(qmin, qmax), middle(qmin, qmax) + 1, qmin, qmax}
        zero_points = tuple(Z for Z in wanted if qmin <= Z <= qmax)
    found = set()
    for scale in (float(np.float32(scale)) for scale in SCALES):
        for Z in zero_points:
            ends = [(end - Z + step) * scale for end in (qmin, qmax) for step in BEYOND]
            sides = [np.nextafter(np.float32(step * scale), np.float32(to)) for step in BESIDE for to in (0, np.inf)]
            steps = [step * scale for step in STEPS] + [step / scale for step in STEPS[:6]]
            signed = [sign * float(x) for x in (*sides, *steps) for sign in (1, -1)]
            found |= {Question(float(np.float32(x)), scale, Z) for x in (0.0, *TINY, *signed, *ends)}
    return tuple(sorted(found, key=Question.simplicity))


class Table(NamedTuple):
    """What every reading answers to every question.

    Attributes
    ----------
    classes : tuple of tuples of `Reading`
        Those that answer alike.
    codes : (classes, questions) array
    first : int
        The question to begin with: of the simplest, the one that parts the classes best.
    presets : dict
        Each preset's classes, by name.
    """

    questions: tuple[Question, ...]
    classes: tuple[tuple[Reading, ...], ...]
    codes: np.ndarray
    first: int
    presets: dict[str, tuple[int, ...]]


@lru_cache(8)
def table(qmin: int, qmax: int, zero_points: tuple[int, ...] | None = None) -> Table:
    """Return the table of all readings for codes from qmin to qmax."""
    asked, found = questions(qmin, qmax, zero_points), readings(qmin, qmax)
    x, scale, zero_point = (np.array(part) for part in zip(*asked, strict=True))
    answers = codes(found, x, scale, zero_point, qmin, qmax)
    alike: dict[bytes, list[int]] = {}
    for i, row in enumerate(answers):
        alike.setdefault(row.tobytes(), []).append(i)
    classes = tuple(unmixed([found[i] for i in members]) for members in alike.values())
    answers = answers[[members[0] for members in alike.values()]]
    presets = {
        name: tuple(i for i, members in enumerate(classes) if any(reading.is_of(preset) for reading in members))
        for name, preset in PRESETS.items()
    }
    return Table(asked, classes, answers, int(together(answers[:, :SIMPLEST]).argmin()), presets)


def together(answers: np.ndarray) -> np.ndarray:
    """Return for every column the sum of squares of how often each value occurs: rows times what is left on average."""
    ordered = np.sort(answers, axis=0)
    rows = np.arange(len(ordered), dtype=np.int32)[:, None]
    starts = np.zeros(ordered.shape, np.int32)
    starts[1:] = np.where(ordered[1:] != ordered[:-1], rows[1:], 0)
    found: np.ndarray = (2 * (rows - np.maximum.accumulate(starts, axis=0)) + 1).sum(axis=0)
    return found
