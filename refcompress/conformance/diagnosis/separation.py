"""Separation: the shortest input on which conventions of affine quantization give different codes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from refcompress.conformance.diagnosis.questions import Question, questions
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.convention import Convention
from refcompress.formulas.quantization.conventions import named

__all__ = ["Separation", "separate", "separation", "shortest"]

RANGES = ((0, 255), (-128, 127))
HUGE = (1e20, -1e20)  # beyond the integers


@dataclass(frozen=True)
class Separation:
    """An input that tells conventions apart, and what each of them gives: codes[i][j] is convention i's code of x[j].

    The numbers are float32; each has its own scale and zero point.
    """

    x: tuple[float, ...]
    scale: tuple[float, ...]
    zero_point: tuple[float, ...]
    qmin: int
    qmax: int
    codes: tuple[tuple[int, ...], ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """The numbers one by one."""
        return tuple(map(Question, self.x, self.scale, self.zero_point))


def separate(*conventions: Convention | str, ranges: Iterable[tuple[int, int]] = RANGES) -> Separation | None:
    """Search the shortest input of finite float32 numbers that tells conventions apart.

    Parameters
    ----------
    *conventions : Convention or str
        At least two, or the names of presets.
    ranges : pairs (qmin, qmax)
        Of codes, in the order in which they are tried.

    Returns
    -------
    Separation or None
        The fewest numbers (if more than two are needed: found one after the other), and of as many, the simplest
        decimals. None if two of the conventions give the same codes for all that was tried.

    Examples
    --------
    >>> separate("onnx", "torch_quantize")
    Separation(x=(0.5,), scale=(1.0,), zero_point=(1,), qmin=0, qmax=255, codes=((1,), (2,)))
    >>> separate("onnx", "onnxruntime") is None
    True
    """
    if len(conventions) < 2:
        raise ValueError(f"there must be at least two conventions, got {len(conventions)}")
    found = [named(convention) for convention in conventions]
    for qmin, qmax in ranges:
        asked = [*questions(qmin, qmax), *(Question(x, 1.0, Z) for x in HUGE for Z in (0, 1) if qmin <= Z <= qmax)]
        if any(c.form == "s(q+Z)" for c in found):  # which takes the negative of a code
            asked = [question for question in asked if qmin <= -question.zero_point <= qmax]
        x, scale, zero_point = (np.array(part) for part in zip(*asked, strict=True))
        answers = np.array([_codes(c, x, scale, zero_point, qmin, qmax) for c in found])
        chosen = shortest(answers)
        if chosen is not None:
            return separation([asked[j] for j in chosen], qmin, qmax, answers[:, chosen])
    return None


def _codes(c: Convention, x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, qmin: int, qmax: int) -> np.ndarray:
    Z = zero_point if c.zero_point_type == "integer" else zero_point.astype(np.float32)
    return affine.quantize(x.astype(np.float32), scale.astype(np.float32), Z, qmin, qmax, c).astype(np.int32)


def separation(asked: Sequence[Question], qmin: int, qmax: int, answers: np.ndarray) -> Separation:
    """Return questions and their answers (conventions, questions) as a separation."""
    x, scale, zero_point = zip(*asked, strict=True)
    return Separation(x, scale, zero_point, qmin, qmax, tuple(tuple(row) for row in answers.tolist()))


def shortest(answers: np.ndarray) -> list[int] | None:
    """Return the fewest columns in which no two rows are equal, the first of as many; None if two rows are equal."""
    rows = len(answers)
    if rows < 2:
        return []
    distinct = counted(answers)
    one = np.flatnonzero(distinct == rows)
    if one.size:
        return [int(one[0])]
    most = distinct.max()
    if most**2 >= rows:
        enough = np.flatnonzero(distinct * most >= rows)
        # columns that part the rows alike: the first of them is enough
        first = {_parts(answers[:, j].tolist()): int(j) for j in enough[::-1]}
        for a, b in sorted(combinations(sorted(first.values()), 2), key=lambda pair: (sum(pair), pair)):
            if distinct[a] * distinct[b] >= rows:
                pairs = zip(answers[:, a].tolist(), answers[:, b].tolist(), strict=True)
                if len(set(pairs)) == rows:
                    return [a, b]
    return _one_after_the_other(answers)


def counted(answers: np.ndarray) -> np.ndarray:
    """Return how many different values each column has."""
    ordered = np.sort(answers, axis=0)
    return 1 + np.count_nonzero(ordered[1:] != ordered[:-1], axis=0)


def _parts(column: list[int]) -> tuple[int, ...]:
    """Return for every row the first one that is equal to it."""
    first: dict[int, int] = {}
    return tuple(first.setdefault(value, i) for i, value in enumerate(column))


def _one_after_the_other(answers: np.ndarray) -> list[int] | None:
    """Return columns of which each parts the rows that are still together into as many groups as one more can."""
    chosen: list[int] = []
    groups = np.zeros(len(answers), np.int64)
    while groups.size:
        parts = counted(groups[:, None] * 2**32 + answers)
        best = int(parts.argmax())
        if parts[best] == np.unique(groups).size:
            return None
        chosen.append(best)
        groups, sizes = np.unique(groups * 2**32 + answers[:, best], return_inverse=True, return_counts=True)[1:]
        together = sizes[groups] > 1
        answers, groups = answers[together], groups[together]
    return chosen
