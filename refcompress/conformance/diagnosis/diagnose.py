"""Diagnosis: which convention of affine quantization does a black box follow?"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from refcompress.conformance.diagnosis import nonfinite
from refcompress.conformance.diagnosis.findings import Contradiction, Diagnosis
from refcompress.conformance.diagnosis.interview import ENOUGH, Interview
from refcompress.conformance.diagnosis.questions import table
from refcompress.conformance.diagnosis.readings import HIGHEST, REFUSED, unmixed
from refcompress.conformance.targets.errors import Raised
from refcompress.conformance.targets.target import Call, in_process, open_target
from refcompress.formulas.checks import integer
from refcompress.formulas.quantization.convention import Convention, middle

__all__ = ["code_range", "diagnose", "run"]


def diagnose(
    target: str | Callable[..., Any] | None,
    qmin: int = 0,
    qmax: int = 255,
    *,
    command: str | None = None,
    zero_points: Sequence[int] | None = None,
    timeout: float = 10.0,
) -> Diagnosis:
    """Find the conventions of affine quantization that a black box follows, from at most 64 numbers.

    Parameters
    ----------
    target : str or callable
        "module:function", which is run in a process of its own; or a function, which is called here. It is called with
        x, scale, zero_point, qmin and qmax: a float32 array, a np.float32, a np.int32 and two int.
        None if there is a command.
    qmin, qmax : int
        The codes that it is asked for.
    command : str
        A program that answers requests line by line, and its arguments.
    zero_points : sequence of int, optional
        Those to ask for, if it does not take every code.
    timeout : float
        Seconds for each call of a target in a process of its own.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TargetError
        Other than for NaN and ±∞: if it returns what is no code, hangs or changes an argument; if there is no code at
        all; or, also a ValueError, if it cannot be started.

    Notes
    -----
    The numbers are 61 finite ones, −∞, ∞ and NaN. The finite ones are then asked for once more, in arrays: those of one
    scale and zero point, over and over. Nothing follows from an error, but that a zero point is not asked for again if
    it gave nothing else; and that one which is refused as a np.int32 before there is any code is tried as a np.float32.
    If nothing fits, it is tried whether something does at a zero point of symmetric quantization alone, 0 or the middle
    code.

    Examples
    --------
    >>> found = diagnose(lambda x, s, Z, qmin, qmax: np.clip(np.rint(x / s) + Z, qmin, qmax))
    >>> found.readings[0].convention.formula()
    'q = clip(half_even(x / s) + Z, qmin, qmax);  x̂ = s·(q − Z)'
    >>> found.presets_on_finite_numbers[:3]
    ('onnx', 'onnxruntime', 'onnxruntime_weights')
    """
    Convention().codes(qmin, qmax)
    if zero_points is not None and not len(zero_points):
        raise ValueError("zero_points must not be empty")
    points = None if zero_points is None else tuple(integer("zero_points", Z, -HIGHEST, HIGHEST) for Z in zero_points)
    if callable(target):
        return run(in_process(target), qmin, qmax, points)
    with open_target(target, command, timeout) as call:
        return run(call, qmin, qmax, points)


def run(call: Call, qmin: int, qmax: int, zero_points: tuple[int, ...] | None = None) -> Diagnosis:
    """Diagnose a target that has been started."""
    interview = Interview(call, qmin, qmax, table(qmin, qmax, zero_points), fractions=zero_points is None)
    fits, only = interview.narrow(), None
    for Z in () if fits else dict.fromkeys((0, middle(qmin, qmax))):
        if only is None and interview.narrow(Z) and interview.count(Z) >= ENOUGH:
            fits, only = True, Z
    if not fits:
        interview.narrow(to_the_end=True)
    if not interview.answers:
        raise Raised(f"the black box must take a number, but all are errors: {interview.refused[0][1]}")
    if interview.refused and len(interview.zero_points) == 1 and fits:
        (only,) = map(int, interview.zero_points)
        fits = interview.count(only) >= ENOUGH
    return _result(interview, qmin, qmax, fits, only if fits else None)


def code_range(text: str) -> tuple[int, int]:
    """Return the range of codes that a word such as uint8 or int4, or two numbers with a colon, stand for.

    Examples
    --------
    >>> code_range("int4"), code_range("-127:127")
    ((-8, 7), (-127, 127))
    """
    kind = re.fullmatch(r"(u?)int([1-9]|1[0-6])", text)
    ends = re.fullmatch(r"(-?\d+):(-?\d+)", text)
    if kind is not None:
        count = 2 ** int(kind[2])
        return (0, count - 1) if kind[1] else (-count // 2, count // 2 - 1)
    if ends is None:
        raise ValueError(f"codes must be such as uint8, int4 or -127:127, got {text!r}")
    return int(ends[1]), int(ends[2])


def _result(interview: Interview, qmin: int, qmax: int, fits: bool, only: int | None) -> Diagnosis:
    answered, wrong = interview.table, interview.wrong(only)
    readings = unmixed([r for i in np.flatnonzero(wrong == 0) if fits for r in answered.classes[i]])
    asked_at = only
    if asked_at is None:  # one that is told from what NaN can become
        whole = [Z for Z in interview.zero_points if int(Z) == Z]
        asked_at = int(min(whole, key=lambda Z: (Z in (0, qmin, qmax), abs(Z))))
    narrow = dict.fromkeys(reading.value("narrow") for reading in readings) or ("no",)
    return Diagnosis(
        qmin,
        qmax,
        len(interview.asked),
        readings,
        only,
        _contradiction(interview, only),
        {name: int(min(wrong[list(own)])) for name, own in answered.presets.items() if own},
        nonfinite.ask(interview.put, asked_at, narrow, qmin, qmax),
        tuple(interview.refused),
        fitted=interview.count(only),
        array=interview.array(only),
        zero_point_dtype=interview.zero_point_type.__name__,
    )


def _contradiction(interview: Interview, only: int | None) -> Contradiction | None:
    """Return the first answer that, with all before it, leaves nothing; those at the only zero point come first."""
    questions, codes = interview.table.questions, interview.table.codes
    left = np.arange(len(codes))
    answered = zip(interview.asked, interview.answers, strict=True)
    for j, code in sorted(answered, key=lambda pair: only not in (None, questions[pair[0]].zero_point)):
        agree = left[codes[left, j] == code]
        if not agree.size:
            instead = set(codes[left, j].tolist()) - {REFUSED}
            return Contradiction(questions[j], code, tuple(sorted(instead)))
        left = agree
    return None
