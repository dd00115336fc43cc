"""Interview: questions put to a black box, one number at a time, each of which excludes as much as it can."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refcompress.conformance.diagnosis.questions import SIMPLEST, Question, Table, probes, together, widened
from refcompress.conformance.targets.errors import Crashed, Garbage, Raised, TargetError, one_line
from refcompress.conformance.targets.target import Call

__all__ = ["ENOUGH", "Array", "Interview", "Refused"]

NUMBERS = 64 - 3  # to ask for at most, beside NaN and ±∞
NEARLY = 1.25  # a question is good enough if it leaves so many times what the best one leaves, or shows so much less
SOME = 500  # questions, simple ones and others, among which to look for one more
PROBES = 24  # of the numbers that are left when nothing parts what fits
ENOUGH = 24  # numbers at one zero point, for something to fit there alone
LENGTH = 67  # of arrays: full vectors of 4, 8, 16 or 32 numbers, and a rest
FRACTIONS = (0.3, 2.7)  # zero points that only real ones can be


@dataclass(frozen=True)
class Array:
    """What became of arrays of numbers that had been asked one by one.

    Attributes
    ----------
    length : int
    error : str or None
        Why there are no codes of it: the black box takes one number at a time.
    other : str or None
        What an array does that its numbers alone do not.
    """

    length: int
    error: str | None = None
    other: str | None = None


class Interview:
    """What a black box was asked and has answered.

    Attributes
    ----------
    table : Table
        The questions, and what every class of readings answers to them. When nothing parts the classes that agree with
        all answers, it gets more questions, and classes that these part.
    asked, answers : lists
        The questions' places in the table, and the codes.
    refused : list of (Question, str)
        What raised an error instead. A zero point that gave nothing else is not asked for again.
    zero_point_type : type
        np.int32; np.float32 if that is taken, and the first ones were refused as np.int32.
    """

    def __init__(self, call: Call, qmin: int, qmax: int, table: Table, *, fractions: bool = False) -> None:
        """fractions: whether zero points that are no integers may be asked for, where real ones are taken."""
        self._call, self._ends, self._fractions = call, (qmin, qmax), fractions
        self.asked: list[int] = []
        self.answers: list[int] = []
        self.refused: list[tuple[Question, str]] = []
        self.zero_point_type: type[np.int32] | type[np.float32] = np.int32
        self._calls = 0
        self._open = np.array([], bool)
        self._use(table)

    def _use(self, table: Table) -> None:
        self.table = table
        self._alike = np.array([], np.intp)  # the classes that no question parts
        self._open = np.append(self._open, np.ones(len(table.questions) - len(self._open), bool))
        self._zero_points = np.array([question.zero_point for question in table.questions])
        settings = [(question.scale, question.zero_point) for question in table.questions]
        self._settings = np.unique(settings, axis=0, return_inverse=True)[1].ravel()

    @property
    def zero_points(self) -> set[float]:
        """The zero points for which there are answers."""
        return {self.table.questions[j].zero_point for j in self.asked}

    def count(self, zero_point: float | None) -> int:
        """Return how many answers there are at a zero point, or at all."""
        return sum(zero_point in (None, self._zero_points[j]) for j in self.asked)

    def wrong(self, zero_point: float | None = None) -> np.ndarray:
        """Return how many answers each class disagrees with: all of them, or those at one zero point."""
        among = [i for i, j in enumerate(self.asked) if zero_point in (None, self._zero_points[j])]
        answers = np.array([self.answers[i] for i in among], np.int64)
        found: np.ndarray = (self.table.codes[:, [self.asked[i] for i in among]] != answers).sum(axis=1)
        return found

    def narrow(self, zero_point: float | None = None, *, to_the_end: bool = False) -> bool:
        """Ask until the numbers are used up, and return whether a class agrees with all answers.

        While some classes agree, that is asked which parts them best. When nothing parts them any more, the rest of the
        numbers are in turn probes of what fits, and those that many other classes answer differently, at every scale
        and zero point in turn; when none agrees any more, so it goes to the end, or no further.
        """
        self._alike = self._alike[:0]
        probing: list[int] | None = None
        while self._calls < NUMBERS:
            wrong = self.wrong(zero_point)
            if wrong.min() > 0 and not to_the_end:
                return False
            best = np.flatnonzero(wrong == wrong.min())
            may = np.flatnonzero(self._open & (zero_point is None or self._zero_points == zero_point))
            if not may.size:
                break
            question = None if wrong.min() > 0 else self._parting(best, may)
            if question is None and wrong.min() == 0 and probing is None:
                probing = self._widen(best, may)
                continue
            if question is None and len(self.asked) % 2:
                question = next((j for j in probing or () if self._open[j]), None)
            self._ask(self._confirming(int(best[0]), may, wrong) if question is None else question)
        known = self.zero_points if zero_point is None else self.zero_points & {zero_point}
        return bool(known) and bool(self.wrong(zero_point).min() == 0)

    def array(self, zero_point: float | None = None) -> Array:
        """Ask for an array at each scale and zero point, all numbers asked there over and over, until one is wrong."""
        settings: dict[int, list[int]] = {}
        for i, j in enumerate(self.asked):
            if zero_point in (None, self._zero_points[j]):
                settings.setdefault(int(self._settings[j]), []).append(i)
        for own in settings.values():
            try:
                other = self._otherwise(np.resize(own, LENGTH))
            except Raised as error:
                return Array(LENGTH, error=one_line(str(error)))
            except TargetError as error:
                other = one_line(str(error))
            if other:
                return Array(LENGTH, other=other)
        return Array(LENGTH)

    def _otherwise(self, places: np.ndarray) -> str | None:
        """Return what is otherwise for an array of answered numbers; Raised if one code is all that is returned."""
        questions = [self.table.questions[self.asked[i]] for i in places]
        result = self._result([question.x for question in questions], questions[0]).ravel()
        if result.size == 1:
            raise Raised("one code is all that is returned")
        if result.size != places.size or result.dtype.kind not in "iuf":
            return f"gives {result.size} values of {result.dtype}"
        for i, (code, place) in enumerate(zip(result.tolist(), places, strict=True)):
            if code != self.answers[place]:
                instead = f"{code:g} instead of {self.answers[place]}"
                return f"gives other codes than its numbers alone: {questions[i]} at index {i}: {instead}"
        return None

    def put(self, question: Question) -> int:
        """Return a black box's code for one number.

        Raises
        ------
        Refused
            If it raises an error or crashes.
        TargetError
            If it does something worse, such as returning what is no code.
        """
        self._calls += 1
        try:
            result = self._result([question.x], question)
        except (Raised, Crashed) as error:
            raise Refused(one_line(str(error))) from error
        except TargetError as error:
            raise type(error)(f"{question}: {error}") from error
        if result.size == 1 and result.dtype.kind in "iuf":
            number = float(result.ravel()[0])
            if number.is_integer() and abs(number) < 2**31:
                return int(number)
        raise Garbage(f"{question}: the result must be one code, got {one_line(repr(result), 80)}")

    def _result(self, x: Sequence[float], question: Question) -> np.ndarray:
        arguments: dict[str, Any] = {
            "x": np.array(x, np.float32),
            "scale": np.float32(question.scale),
            "zero_point": self.zero_point_type(question.zero_point),
            "qmin": self._ends[0],
            "qmax": self._ends[1],
        }
        return np.asarray(self._call("affine.quantize", None, arguments))

    def _parting(self, best: np.ndarray, may: np.ndarray) -> int | None:
        """Return the simplest of the questions that nearly leave the fewest of these classes together.

        It is one of the simplest of all if these part them, else of all.
        """
        if len(best) == len(self.table.classes) and len(may) == len(self.table.questions):
            return self.table.first
        if np.array_equal(best, self._alike):  # fewer questions do not part them either
            return None
        for some in (may[:SIMPLEST], may):
            left = together(self.table.codes[np.ix_(best, some)])
            if left.min() < len(best) ** 2:
                return int(some[np.flatnonzero(left <= NEARLY * left.min())[0]])
        self._alike = best
        return None

    def _widen(self, best: np.ndarray, may: np.ndarray) -> list[int]:
        """Add probes of the first of these classes to the table, and return their places."""
        fit = [reading for i in best for reading in self.table.classes[i]]
        points = tuple(dict.fromkeys(self.table.questions[j].zero_point for j in may))
        real = [reading for reading in fit if reading.value("zero_point_type") == "real"]
        if real and self.zero_point_type is np.float32 and self._fractions and len(points) > 1:
            fit, points = real, (*points, *(float(np.float32(Z)) for Z in FRACTIONS))
        found = probes(fit[0], *self._ends, points, PROBES)
        known = len(self.table.questions)
        places = {question: j for j, question in enumerate(self.table.questions)}
        new = [question for question in found if question not in places]
        if new:
            self._use(widened(self.table, new, *self._ends))
        places |= {question: known + i for i, question in enumerate(new)}
        return [places[question] for question in found]

    def _confirming(self, best: int, may: np.ndarray, wrong: np.ndarray) -> int:
        """Return a question that many classes answer otherwise, most of all those that few answers have excluded.

        It is at a scale and zero point asked least; of those that are nearly as good, it is another one every time.
        """
        times = np.bincount(self._settings[self.asked], minlength=self._settings.max() + 1)[self._settings[may]]
        may = may[times == times.min()]
        may = may[:: -(-may.size // SOME)]
        shown = 0.5**wrong @ (self.table.codes[:, may] != self.table.codes[best, may])
        good = may[shown * NEARLY >= shown.max()]
        return int(good[len(self.asked) % len(good)])

    def _ask(self, j: int) -> None:
        question = self.table.questions[j]
        self._open[j] = False
        try:
            code = self._first_put(question) if not self.asked else self.put(question)
        except Refused as error:
            self.refused.append((question, str(error)))
            if question.zero_point not in self.zero_points:
                self._open &= self._zero_points != question.zero_point
        else:
            self.asked.append(j)
            self.answers.append(code)

    def _first_put(self, question: Question) -> int:
        """Return the code; if it is refused, the one with a real zero point, and go on with these if there is one."""
        try:
            return self.put(question)
        except Refused as error:
            self.zero_point_type = np.float32
            try:
                return self.put(question)
            except Refused:
                self.zero_point_type = np.int32
                raise error from None


class Refused(Exception):
    """The black box raised an error, or crashed: the message says which."""
