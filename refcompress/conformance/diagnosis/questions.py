"""Questions: numbers, scales and zero points for which conventions of affine quantization give different codes."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from refcompress.conformance.diagnosis.readings import HIGHEST, Reading, codes, readings, unmixed
from refcompress.formulas.quantization.convention import Convention, middle
from refcompress.formulas.quantization.conventions import PRESETS

__all__ = ["SIMPLEST", "Question", "Table", "columns", "decimal", "probes", "questions", "table", "together", "widened"]

SCALES = (1.0, 2.0, 0.5, 0.1, 0.3, 0.6, 0.7, 0.01, 0.03, 0.07, 0.74, 1.3, 3.0, 7.0, 41.0, 49.0)
STEPS = (*(k / 2 for k in range(1, 24)), 0.25, 0.75)  # x in steps of the scale: ties, codes and what is between
BESIDE = (0.5, 1.0, 1.5, 2.5)  # steps of which the next floats are asked too
BEYOND = tuple(k / 2 for k in range(-4, 5))  # steps from the ends of the range
TINY = (1e-15, -1e-15, 1e-20, -1e-20)  # too small to change what it is added to
SIMPLEST = 1000  # questions that are looked at first
INEXACT = (0.3, 0.1, 0.7, 0.03, 0.74, 1.3, 0.07)  # scales that need all bits of float32
BITS = (8, 11, 16)  # of the significand: bfloat16, float16, and one between float16 and float32
GOLDEN = 0.6180339887498949  # its multiples, without their whole parts, are spread evenly however many there are


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


def _zero_points(qmin: int, qmax: int) -> tuple[int, ...]:
    wanted = {0, 1, 2, 3, 10, middle(qmin, qmax), middle(qmin, qmax) + 1, qmin, qmax}
    return tuple(Z for Z in wanted if qmin <= Z <= qmax)


@lru_cache(8)
def questions(qmin: int, qmax: int, zero_points: tuple[int, ...] | None = None) -> tuple[Question, ...]:
    """Return numbers that tell conventions apart, the simplest first.

    They are ties and codes at scales where a quotient is exact and at others, where dividing, multiplying by a rounded
    reciprocal and computing in float64 part; the floats beside ties; and the ends of the range. Every x is a float32.
    """
    if zero_points is None:
        zero_points = _zero_points(qmin, qmax)
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


def table(qmin: int, qmax: int, zero_points: tuple[int, ...] | None = None) -> Table:
    """Return the table of all readings for codes from qmin to qmax."""
    return _table(qmin, qmax, _zero_points(qmin, qmax) if zero_points is None else zero_points)


@lru_cache(8)
def _table(qmin: int, qmax: int, zero_points: tuple[int, ...]) -> Table:
    asked, found = questions(qmin, qmax, zero_points), readings(qmin, qmax)
    answers = codes(found, *columns(asked), qmin, qmax)
    alike: dict[bytes, list[int]] = {}
    for i, row in enumerate(answers):
        alike.setdefault(row.tobytes(), []).append(i)
    classes = tuple(unmixed([found[i] for i in members]) for members in alike.values())
    answers = answers[[members[0] for members in alike.values()]]
    presets = {name: _of(preset, classes, range(len(classes))) for name, preset in PRESETS.items()}
    return Table(asked, classes, answers, int(together(answers[:, :SIMPLEST]).argmin()), presets)


def widened(known: Table, more: Sequence[Question], qmin: int, qmax: int) -> Table:
    """Return a table with more questions after its own, and with those classes parted that they part."""
    members = [(i, reading) for i, alike in enumerate(known.classes) for reading in alike]
    answers = codes([reading for _, reading in members], *columns(more), qmin, qmax)
    parted: dict[tuple[int, bytes], list[int]] = {}
    for row, (i, _) in enumerate(members):
        parted.setdefault((i, answers[row].tobytes()), []).append(row)
    classes = tuple(tuple(members[row][1] for row in rows) for rows in parted.values())
    added = answers[[rows[0] for rows in parted.values()]]
    parents = [i for i, _ in parted]
    whole = np.hstack([known.codes[parents], added])
    presets = {
        name: _of(PRESETS[name], classes, [new for new, i in enumerate(parents) if i in own])
        for name, own in known.presets.items()
    }
    return Table((*known.questions, *more), classes, whole, known.first, presets)


def _of(preset: Convention, classes: Sequence[Sequence[Reading]], among: Iterable[int]) -> tuple[int, ...]:
    return tuple(i for i in among if any(reading.is_of(preset) for reading in classes[i]))


def columns(asked: Sequence[Question]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers, scales and zero points of questions."""
    x, scale, zero_point = (np.array(part) for part in zip(*asked, strict=True))
    return x, scale, zero_point


def probes(reading: Reading, qmin: int, qmax: int, zero_points: Sequence[float], count: int) -> tuple[Question, ...]:
    """Return numbers that show whether what has a reading's codes so far has them with all bits, and everywhere.

    They are spread over codes, scales and zero points. Each is beside a number at which the reading's code changes, so
    near that x, s or the quotient rounded to fewer bits gives another code; of several distances, it is at the one that
    shows most of what few before it have shown.
    """
    low, high = reading.convention.codes(qmin, qmax)
    places = np.arange(count)
    scale = np.array(INEXACT, np.float32)[places % len(INEXACT)].astype(np.float64)
    point = (places + places // len(INEXACT)) % len(zero_points)  # each with every scale
    zero_point = np.array(zero_points)[point]
    code = low + np.floor((high - low) * ((places + 0.5) * GOLDEN % 1))

    def given(x: np.ndarray, s: np.ndarray) -> np.ndarray:
        x, s, Z = (part.ravel() for part in np.broadcast_arrays(np.atleast_2d(x), s, zero_point))
        return codes([reading], x, s, Z, qmin, qmax).reshape(-1, count)

    end = 2 * HIGHEST * np.maximum(scale, 1 / scale)
    # the last number with this code or one below it, and the next one, by halves
    x, above = (-end).astype(np.float32), end.astype(np.float32)
    for _ in range(64):
        half = x / 2 + above / 2
        more = given(half, scale)[0] > code
        x, above = np.where(more, x, half), np.where(more, half, above)
    beside = np.array([x * (1 + sign * 2.0 ** -(bits + 3)) for bits in BITS for sign in (1, -1)], np.float32)
    own = given(beside, scale)
    shown = np.array([given(*rough) != own for rough in _rough(beside, scale, reading.value("quotient"))])
    shown &= (own == code) | (own == code + 1)
    found, times = [], np.zeros(len(shown))
    for j in places:
        best = int((0.5**times @ shown[:, :, j]).argmax())
        if shown[:, best, j].any():
            times += shown[:, best, j]
            found.append(Question(float(beside[best, j]), float(scale[j]), zero_points[point[j]]))
    return tuple(dict.fromkeys(found))


def _rough(x: np.ndarray, s: np.ndarray, quotient: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield numbers and scales that give the codes of arithmetic with fewer bits."""
    for bits in BITS:

        def rounded(v: np.ndarray, bits: int = bits) -> np.ndarray:
            fraction, exponent = np.frexp(v)
            return np.ldexp(np.rint(np.ldexp(fraction, bits)), exponent - bits)

        yield from ((rounded(x), s), (x, rounded(s)), (rounded(x), rounded(s)))
        for a, b in ((x, s), (rounded(x), rounded(s))):
            yield rounded(a * b if quotient == "multiply" else a / b), np.ones(s.shape)


def together(answers: np.ndarray) -> np.ndarray:
    """Return for every column the sum of squares of how often each value occurs: rows times what is left on average."""
    ordered = np.sort(answers, axis=0)
    rows = np.arange(len(ordered), dtype=np.int32)[:, None]
    starts = np.zeros(ordered.shape, np.int32)
    starts[1:] = np.where(ordered[1:] != ordered[:-1], rows[1:], 0)
    found: np.ndarray = (2 * (rows - np.maximum.accumulate(starts, axis=0)) + 1).sum(axis=0)
    return found
