"""Interview: questions put to a black box, one number at a time, each of which excludes as much as it can."""

import numpy as np

from refcompress.conformance.diagnosis.questions import SIMPLEST, Question, Table, together
from refcompress.conformance.targets.errors import Crashed, Raised, TargetError, one_line
from refcompress.conformance.targets.target import Call

__all__ = ["Interview", "Refused", "put"]

NUMBERS = 64 - 3  # to ask for at most, beside NaN and ±∞
NEARLY = 1.25  # a question is good enough if it leaves so many times what the best one leaves


class Interview:
    """What a black box was asked and has answered.

    Attributes
    ----------
    table : Table
        The questions, and what every class of readings answers to them.
    asked, answers : lists
        The questions' places in the table, and the codes.
    refused : list of (Question, str)
        What raised an error instead. A zero point that gave nothing else is not asked for again.
    """

    def __init__(self, call: Call, qmin: int, qmax: int, table: Table) -> None:
        self.table, self._call, self._ends = table, call, (qmin, qmax)
        self.asked: list[int] = []
        self.answers: list[int] = []
        self.refused: list[tuple[Question, str]] = []
        self._others: dict[int, np.ndarray] = {}  # how many classes answer otherwise than this one
        self._alike = np.array([], np.intp)  # the classes that no question parts
        self._open = np.ones(len(table.questions), bool)
        self._zero_points = np.array([question.zero_point for question in table.questions])
        settings = [(question.scale, question.zero_point) for question in table.questions]
        self._settings = np.unique(settings, axis=0, return_inverse=True)[1].ravel()

    @property
    def zero_points(self) -> set[float]:
        """The zero points for which there are answers."""
        return {self.table.questions[j].zero_point for j in self.asked}

    def wrong(self, zero_point: float | None = None) -> np.ndarray:
        """Return how many answers each class disagrees with: all of them, or those at one zero point."""
        among = [i for i, j in enumerate(self.asked) if zero_point in (None, self._zero_points[j])]
        answers = np.array([self.answers[i] for i in among], np.int64)
        found: np.ndarray = (self.table.codes[:, [self.asked[i] for i in among]] != answers).sum(axis=1)
        return found

    def narrow(self, zero_point: float | None = None, *, to_the_end: bool = False) -> bool:
        """Ask until the numbers are used up, and return whether a class agrees with all answers.

        While some classes agree, that is asked which parts them best. When nothing parts them any more, the rest of the
        numbers go where most other classes answer differently, at every scale and zero point in turn; when none agrees
        any more, so it goes to the end, or no further.
        """
        self._alike = self._alike[:0]
        while len(self.asked) + len(self.refused) < NUMBERS:
            wrong = self.wrong(zero_point)
            if wrong.min() > 0 and not to_the_end:
                return False
            best = np.flatnonzero(wrong == wrong.min())
            may = np.flatnonzero(self._open & (zero_point is None or self._zero_points == zero_point))
            if not may.size:
                break
            question = None if wrong.min() > 0 else self._parting(best, may)
            self._ask(self._confirming(int(best[0]), may) if question is None else question)
        known = self.zero_points if zero_point is None else self.zero_points & {zero_point}
        return bool(known) and bool(self.wrong(zero_point).min() == 0)

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

    def _confirming(self, best: int, may: np.ndarray) -> int:
        """Return the question that most classes answer otherwise, among the scales and zero points asked least."""
        times = np.bincount(self._settings[self.asked], minlength=self._settings.max() + 1)[self._settings[may]]
        may = may[times == times.min()]
        if best not in self._others:
            self._others[best] = (self.table.codes != self.table.codes[best]).sum(axis=0)
        return int(may[self._others[best][may].argmax()])

    def _ask(self, j: int) -> None:
        question = self.table.questions[j]
        self._open[j] = False
        try:
            code = put(self._call, question, *self._ends)
        except Refused as error:
            self.refused.append((question, str(error)))
            if question.zero_point not in self.zero_points:
                self._open &= self._zero_points != question.zero_point
        else:
            self.asked.append(j)
            self.answers.append(code)


class Refused(Exception):
    """The black box raised an error, or crashed: the message says which."""


def put(call: Call, question: Question, qmin: int, qmax: int) -> int:
    """Return a black box's code for one number.

    Raises
    ------
    Refused
        If it raises an error or crashes.
    TargetError
        If it does something worse.
    ValueError
        If the result is no code.
    """
    arguments = {
        "x": np.array([question.x], np.float32),
        "scale": np.float32(question.scale),
        "zero_point": np.int32(question.zero_point),
        "qmin": qmin,
        "qmax": qmax,
    }
    try:
        result = call("affine.quantize", None, arguments)
    except (Raised, Crashed) as error:
        raise Refused(one_line(str(error))) from error
    except TargetError as error:
        raise type(error)(f"{question}: {error}") from error
    array = np.asarray(result)
    if array.size == 1 and array.dtype.kind in "iuf":
        number = float(array.ravel()[0])
        if number.is_integer() and abs(number) < 2**31:
            return int(number)
    raise ValueError(f"{question}: the result must be one code, got {one_line(repr(result), 80)}")
