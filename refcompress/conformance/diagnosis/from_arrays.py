"""Diagnosis from arrays: which conventions of affine quantization give these codes?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from refcompress.conformance.diagnosis.arrays import Arrays, checked
from refcompress.conformance.diagnosis.findings import Contradiction, Diagnosis
from refcompress.conformance.diagnosis.nonfinite import NUMBERS, observed
from refcompress.conformance.diagnosis.questions import Question, table
from refcompress.conformance.diagnosis.readings import REFUSED, Reading, readings
from refcompress.conformance.diagnosis.separation import Separation, separation, shortest
from refcompress.formulas.quantization.conventions import PRESETS

__all__ = ["diagnose_arrays"]


def diagnose_arrays(
    x: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    q: ArrayLike,
    qmin: ArrayLike | None = None,
    qmax: ArrayLike | None = None,
) -> Diagnosis:
    """Find the conventions of affine quantization that give these codes.

    Parameters
    ----------
    x : float array of any shape
        Readings that compute in float32 round it, and the scale, to float32 if it is float64.
    scale, zero_point : scalars or arrays that broadcast to x
        scale > 0; the zero point integers, or real numbers.
    q : integer array of x's shape
    qmin, qmax : int
        Default: the range of q's dtype, if that is one of 8 or 16 bits.

    Returns
    -------
    Diagnosis
        With an input that tells apart the readings that are left, if there is one.

    Raises
    ------
    TypeError, ValueError
        If an array has another dtype or shape; the message begins with its name.

    Examples
    --------
    >>> x = np.array([0.5, 1.5, 2.5], np.float32)
    >>> found = diagnose_arrays(x, 1.0, 1, np.array([1, 3, 3], np.uint8))
    >>> found.left("rounding"), "onnx" in found.presets, "torch_quantize" in found.presets
    (('half_even',), True, False)
    """
    every = checked(x, scale, zero_point, q, qmin, qmax)
    numbers = every.some(np.isfinite(every.x))
    if not numbers.x.size:
        raise ValueError("x must hold a finite number, got none")
    left, contradiction = _agreeing(numbers)
    narrow = dict.fromkeys(reading.value("narrow") for reading in left) or ("no",)
    same = {name: np.isnan(every.x) if name == "nan" else every.x == value for name, value in NUMBERS.items()}
    outcomes = {name: _only(every.q[which]) for name, which in same.items() if which.any()}
    return Diagnosis(
        every.qmin,
        every.qmax,
        numbers.x.size,
        left,
        None,
        contradiction,
        _disagreements(numbers, left),
        observed(outcomes, narrow, every.qmin, every.qmax) if outcomes else None,
        apart=_apart(left, every.qmin, every.qmax),
        fitted=numbers.x.size,
    )


def _agreeing(numbers: Arrays) -> tuple[tuple[Reading, ...], Contradiction | None]:
    """Return the readings that give all codes, or else what contradicts the last ones."""
    left = tuple(reading for members in table(numbers.qmin, numbers.qmax).classes for reading in members)
    for some in numbers.chunks():
        wrong = some.codes(left) != some.q
        if wrong.any(axis=1).all():
            first = wrong.argmax(axis=1)
            at = int(first.max())
            one = some.some(slice(at, at + 1))
            lasting = [reading for reading, place in zip(left, first, strict=True) if place == at]
            instead = set(one.codes(lasting).ravel().tolist()) - {REFUSED}
            question = Question(one.x.item(), one.scale.item(), one.zero_point.item())
            return (), Contradiction(question, one.q.item(), tuple(sorted(instead)))
        left = tuple(reading for reading, row in zip(left, wrong, strict=True) if not row.any())
    return left, None


def _disagreements(numbers: Arrays, left: Sequence[Reading]) -> dict[str, int]:
    """Return how many codes each preset gives otherwise; if there are some that give all, only these."""
    own = {
        name: tuple(reading for reading in readings(numbers.qmin, numbers.qmax) if reading.is_of(preset))
        for name, preset in PRESETS.items()
    }
    right = {name: 0 for name, mine in own.items() if not set(left).isdisjoint(mine)}
    if right:
        return right
    tried = tuple(dict.fromkeys(reading for mine in own.values() for reading in mine))
    count = sum((some.codes(tried) != some.q).sum(axis=1) for some in numbers.chunks())
    counts = dict(zip(tried, count.tolist(), strict=True))
    return {name: min(counts[reading] for reading in mine) for name, mine in own.items() if mine}


def _apart(left: Sequence[Reading], qmin: int, qmax: int) -> Separation | None:
    """Return an input on which the readings that are left, but for those that are alike, differ."""
    if len(left) < 2:
        return None
    known = table(qmin, qmax)
    rows = [i for i, members in enumerate(known.classes) if not set(left).isdisjoint(members)]
    chosen = shortest(known.codes[rows])
    if not chosen:
        return None
    return separation([known.questions[j] for j in chosen], qmin, qmax, known.codes[np.ix_(rows, chosen)])


def _only(codes: np.ndarray) -> int | str:
    """Return the code that all have."""
    found = np.unique(codes).tolist()
    return int(found[0]) if len(found) == 1 else "several codes"
