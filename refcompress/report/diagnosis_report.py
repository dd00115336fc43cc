"""A diagnosis as text, and as what json.dumps takes."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from refcompress.conformance.diagnosis.findings import Diagnosis
from refcompress.conformance.diagnosis.nonfinite import NAMES
from refcompress.conformance.diagnosis.questions import Question, decimal, table
from refcompress.conformance.diagnosis.readings import DTYPES, SHOWN, meaning
from refcompress.conformance.diagnosis.separation import Separation
from refcompress.formulas.quantization.conventions import named

__all__ = ["text", "to_json"]

UNSEEN = (
    "Codes cannot show how scale and zero point are chosen from a range (include_zero, smallest_range, zero_range, "
    "scale, smallest_scale, zero_point, zero_point_rounding, zero_point_from, nudge, range_dtype), how numbers come "
    "back from codes (scale_dtype), and whether codes are clipped before or after rounding (clip)."
)
MOST_LINES = 12
ALIKE = "not told apart by these codes"


def text(diagnosis: Diagnosis, against: str = "onnx") -> str:
    """Return what every axis is, what is not known, and the presets that fit.

    Parameters
    ----------
    diagnosis : Diagnosis
    against : str
        The preset to list differences from.
    """
    named(against)
    parts = _axes(diagnosis), _errors(diagnosis), _apart(diagnosis.apart), [UNSEEN], _verdict(diagnosis, against)
    return "\n\n".join("\n".join(_wrapped(lines)) for lines in parts if lines)


def to_json(diagnosis: Diagnosis, against: str = "onnx") -> dict[str, Any]:
    """Return the same as dictionaries, lists, strings and numbers."""
    d, other = diagnosis, diagnosis.contradiction
    found: dict[str, Any] = {
        "qmin": d.qmin,
        "qmax": d.qmax,
        "numbers": d.numbers,
        "fits": d.fits,
        "presets": list(d.presets),
        "presets_on_finite_numbers": list(d.presets_on_finite_numbers),
        "axes": {axis: list(d.left(axis)) for axis in SHOWN},
        "zero_point": d.zero_point,
        "numbers_at_it": d.fitted,
        "zero_point_dtype": d.zero_point_dtype,
        "array": d.array and asdict(d.array),
        "nonfinite": None if d.nonfinite is None else {**d.nonfinite.outcomes, "values": list(d.nonfinite.values)},
        "errors": [{**question._asdict(), "error": error} for question, error in d.refused],
        "contradiction": other and {**other.question._asdict(), "code": other.code, "instead": list(other.instead)},
        "nearest": None if d.presets else {"preset": d.nearest, "other_codes": d.disagreements.get(d.nearest)},
        "against": {"preset": against, "differs_in": {a: list(v) for a, v in d.differences(named(against)).items()}},
        "apart": None if d.apart is None else _asked(d.apart),
    }
    return found


def _asked(apart: Separation) -> list[dict[str, Any]]:
    codes = np.transpose(apart.codes).tolist()
    return [{**q._asdict(), "codes": sorted(set(c))} for q, c in zip(apart.questions, codes, strict=True)]


def _axes(d: Diagnosis) -> list[str]:
    lines = [f"from {_numbers(d)}, codes {d.qmin} to {d.qmax}:"]
    if d.readings:
        lines += [_row(axis, d.left(axis)) for axis in SHOWN]
    if d.nonfinite is None:
        lines.append(f"  {'nonfinite':17} not known: neither NaN nor ±∞ is among the numbers")
    elif d.nonfinite.values:
        lines.append(_row("nonfinite", d.nonfinite.values))
    else:
        became = ", ".join(f"{NAMES[name]} → {outcome}" for name, outcome in d.nonfinite.outcomes.items())
        lines.append(f"  {'nonfinite':17} none of the known values: {became}")
    return lines


def _numbers(d: Diagnosis) -> str:
    """Return what is known, in one phrase."""
    only, some = "", ""
    if d.zero_point is not None:
        only, some = f", at zero point {d.zero_point} alone", f"{d.fitted} of " if d.fitted < d.numbers else ""
    others = [f"arrays of {d.array.length}"] if d.array is not None and d.array.error is None else []
    if d.nonfinite is not None:
        known = [NAMES[name] for name in d.nonfinite.outcomes]
        others.append("NaN, ±∞" if len(known) == len(NAMES) else ", ".join(known))
    return f"{some}{d.numbers} finite number{'s' * (d.numbers > 1)}{only}" + "".join(
        f"{',' if other != others[-1] else ' and'} {other}" for other in others
    )


def _row(axis: str, left: Sequence[str]) -> str:
    said = meaning(axis, left[0]) if len(left) == 1 else ALIKE
    of = f" (of {', '.join(DTYPES)})" if axis == "compute_dtype" else ""
    return f"  {axis:17} {' or '.join(left)}{of}: {said}"


def _errors(d: Diagnosis) -> list[str]:
    errors: dict[str, list[Question]] = {}
    for question, error in d.refused:
        errors.setdefault(error, []).append(question)
    lines = [f"{len(asked)} errors, such as for {asked[0]}: {error}" for error, asked in errors.items()]
    if d.zero_point_dtype != "int32":
        lines.append(f"zero points were given as {d.zero_point_dtype}: as int32 they are errors")
    if d.array is not None and d.array.error is not None:
        lines.append(f"one number at a time is taken, an array of {d.array.length} is an error: {d.array.error}")
    if d.contradiction is not None and d.zero_point is None:
        c = d.contradiction
        instead = " or ".join(map(str, c.instead)) or "none"
        lines.append(f"{c.question}: the code is {c.code}; what fits all numbers before it gives {instead}")
    return lines


def _apart(apart: Separation | None) -> list[str]:
    if apart is None:
        return []
    asked = zip(apart.questions, np.transpose(apart.codes).tolist(), strict=True)
    lines = [f"  {question}: {' or '.join(map(str, sorted(set(codes))))}" for question, codes in asked]
    more = [f"  and {len(lines) - MOST_LINES} more (--json has all)"] if len(lines) > MOST_LINES else []
    return ["what is left would be told apart by:", *lines[:MOST_LINES], *more]


def _verdict(d: Diagnosis, against: str) -> list[str]:
    if not d.readings:
        other = f"{d.disagreements[d.nearest]} of {d.numbers} codes"
        lines = [f"no convention fits; the nearest preset is `{d.nearest}`, from which {other} differ"]
    else:
        lines = [_said(d)]
        for preset in [against] if d.presets else dict.fromkeys((d.nearest, against)):
            if preset not in d.presets:
                lines += _differences(d, preset)
        if len(d.presets) == 1 and len(lines) > 1 and d.fits:
            lines[:2] = [f"{lines[0]}; {lines[1]}"]
    if d.array is not None and d.array.other is not None:
        lines.append(f"an array of {d.array.length} numbers {d.array.other}")
    return lines


def _said(d: Diagnosis) -> str:
    """Return which presets fit, and where only."""
    finite, c = d.presets_on_finite_numbers, d.contradiction
    if len(d.presets) == 1:
        said = f"this equals preset `{d.presets[0]}`"
    elif d.presets and d.apart is None:
        said = f"these presets cannot be told apart by codes {d.qmin} to {d.qmax}: {_names(d.presets)}"
    elif d.presets:
        said = f"these presets fit: {_names(d.presets)}"
    elif finite:
        said = f"all {d.fitted} finite numbers, but not NaN and ±∞, fit {_names(finite)}"
    else:
        said = f"this is no preset; the nearest is `{d.nearest}`"
    if d.zero_point is None:
        return said
    if c is None:
        return f"only at zero point {d.zero_point}, others are errors: {said}"
    return (
        f"only at zero point {d.zero_point}: {said}; at zero point {decimal(c.question.zero_point)} it does something "
        f"else: {c.question}: the code is {c.code}"
    )


def _differences(d: Diagnosis, preset: str) -> list[str]:
    lines = []
    for axis, left in d.differences(named(preset)).items():
        own = "; or ".join(meaning(axis, value) for value in left)
        lines.append(f"  {axis}: {own} ({preset}: {meaning(axis, getattr(named(preset), axis))})")
    example = _example(d, preset)
    who = "they differ" if len(d.presets) > 1 else "it differs"
    return [f"{who} from `{preset}` in:", *lines, *([f"  {example}"] if example else [])] if lines else []


def _example(d: Diagnosis, preset: str) -> str | None:
    """Return the simplest number for which all readings left have one code, and the preset another, if there is one."""
    known, left = table(d.qmin, d.qmax), set(d.readings)
    own = known.codes[[i for i, members in enumerate(known.classes) if not left.isdisjoint(members)]]
    other = known.codes[list(known.presets[preset])]
    if not len(own) or not len(other):
        return None
    asked = np.array([d.zero_point in (None, question.zero_point) for question in known.questions])
    found = np.flatnonzero(asked & (own == own[0]).all(axis=0) & (other != own[0]).all(axis=0))
    if not found.size:
        return None
    j = found[0]
    return f"{known.questions[j]}: the code is {own[0, j]} ({preset}: {other[0, j]})"


def _wrapped(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        indent = "    " if line.startswith(" ") else "  "
        yield textwrap.fill(line, 118, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _names(presets: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in presets)
