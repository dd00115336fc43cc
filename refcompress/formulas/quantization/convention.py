"""Convention: what q = round(x/s) + Z leaves open, some twenty axes, each with its name and its values."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from refcompress.formulas.checks import choice, integer, real
from refcompress.formulas.quantization.axes import AXES, INTEGERS, OFFSETS, REALS, ZERO_POINTS_OF

__all__ = ["AXES", "Convention"]

PARTS = {
    "codes": ("quotient", "zero_point_added", "rounding", "clip", "narrow", "nonfinite", "compute_dtype"),
    "values": ("form", "zero_point_type", "scale_dtype"),
    "range": ("include_zero", "smallest_range", "zero_range", "scale", "smallest_scale", "zero_point",
              "zero_point_from", "nudge", "range_dtype"),
}  # fmt: skip


def middle(qmin: int, qmax: int) -> int:
    """Return the code in the middle of the range, the upper one of two."""
    return (qmin + qmax + 1) // 2


@dataclass(frozen=True, kw_only=True)
class Convention:
    """One reading of affine quantization, complete: from x to codes and back, and from a range to s and Z.

        q = clip( round(x / s) + Z, qmin, qmax )        x̂ = s · (q − Z)

    `AXES` lists the values of every field that is a word, and what each means; `describe` puts a convention into words,
    and `dataclasses.replace` makes a variant.

    Attributes
    ----------
    rounding, quotient, zero_point_added, nonfinite, compute_dtype
        From x to q.
    form, zero_point_type
        What q stands for.
    scale, zero_point, zero_point_rounding, zero_point_from, include_zero, zero_range, nudge, range_dtype
        From a range to s and Z.
    smallest_range, smallest_scale
        What the width (or the largest magnitude) of the range and the scale are raised to (s as codes per unit: lowered
        to 1/smallest_scale).
    narrow
        Which code is not used.
    clip
        Before or after rounding, as the library writes it. No code depends on it, and what NaN becomes is in nonfinite.
    scale_dtype
        In which dtype s, and an offset Z, is kept: x̂ is computed with s as it is kept, q with s as it is given.
    origin, limits
        Library, version and place that the convention was checked against, and where the library does something else
        that no field says. Not a part of ==.

    Raises
    ------
    TypeError, ValueError
        If a field has no such value, or two fields contradict each other.

    Examples
    --------
    >>> Convention(rounding="half_away").formula()
    'q = clip(half_away(x / s) + Z, qmin, qmax);  x̂ = s·(q − Z)'
    """

    rounding: str = "half_even"
    quotient: str = "divide"
    zero_point_added: str = "after"
    clip: str = "after"
    nonfinite: str = "saturate"
    compute_dtype: str = "float32"

    form: str = "s(q-Z)"
    zero_point_type: str = "integer"

    scale: str = "asymmetric"
    zero_point: str = "rounded_difference"
    zero_point_rounding: str = "half_even"
    zero_point_from: str = "rounded_scale"
    include_zero: str = "yes"
    zero_range: str = "one"
    smallest_range: float = 0.0
    smallest_scale: float = 0.0
    nudge: str = "zero_point"
    range_dtype: str = "float32"
    narrow: str = "no"
    scale_dtype: str = "float32"

    origin: str = field(default="", compare=False)
    limits: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name, meanings in AXES.items():
            choice(name, getattr(self, name), meanings)
        for name in ("smallest_range", "smallest_scale"):
            object.__setattr__(self, name, real(name, getattr(self, name), 0.0, open_high=True))
        for contradiction, reason in self._contradictions():
            if contradiction:
                raise ValueError(reason)

    def _contradictions(self) -> Iterator[tuple[bool, str]]:
        """Pairs of fields that cannot both hold."""
        fused, symmetric = self.quotient == "fused", self.scale not in ("asymmetric", "inverse_width")
        yield (
            (self.form in OFFSETS) != (self.zero_point_added == "subtracted"),
            f"zero_point_added must be 'subtracted' for the forms {', '.join(OFFSETS)} and no other, "
            f"got {self.zero_point_added!r} for {self.form!r}",
        )
        yield (
            self.zero_point
            not in ZERO_POINTS_OF.get(self.form, INTEGERS if self.zero_point_type == "integer" else REALS),
            f"zero_point must fit {self.form!r} and zero_point_type {self.zero_point_type!r}, got {self.zero_point!r}",
        )
        yield (
            self.form not in ("s(q-Z)", "(q-Z)/s")
            and self.zero_point_type != ("real" if self.form in OFFSETS else "integer"),
            f"zero_point_type must fit the form {self.form!r}, got {self.zero_point_type!r}",
        )
        yield (
            (self.zero_point == "quotient" or fused) and self.zero_point_added != "before",
            f"zero_point_added must be 'before' for a real Z or a fused quotient, got {self.zero_point_added!r}",
        )
        yield (
            fused and self.rounding == "add_half",
            "rounding must be exact for a fused quotient, got 'add_half'",
        )
        yield (
            fused and self.compute_dtype != "float32",
            f"compute_dtype must be 'float32' for a fused quotient, got {self.compute_dtype!r}",
        )
        inverse = [self.quotient == "multiply", self.form == "(q-Z)/s", self.scale.startswith("inverse")]
        yield (
            any(inverse) and not all(inverse),
            f"quotient 'multiply', form '(q-Z)/s' and an inverse scale must go together, "
            f"got {self.quotient!r}, {self.form!r} and {self.scale!r}",
        )
        yield (
            self.zero_point_added == "shifted" and self.form != "s(q-Z)",
            f"form must be 's(q-Z)' for a shifted zero point, got {self.form!r}",
        )
        yield (
            self.smallest_range > 0 and self.scale in ("signed", "both_ends"),
            f"smallest_range must be 0 for the scale {self.scale!r}, got {self.smallest_range}",
        )
        yield (
            self.smallest_scale > 0 and (self.scale == "signed" or self.nudge == "range"),
            f"smallest_scale must be 0 for a scale with a sign or a nudged range, got {self.smallest_scale}",
        )
        yield (
            bool(self.smallest_range or self.smallest_scale) and self.zero_range in ("error", "zero"),
            f"smallest_range and smallest_scale must be 0 for zero_range {self.zero_range!r}, "
            f"got {self.smallest_range} and {self.smallest_scale}",
        )
        yield (
            self.nonfinite == "int64" and self.clip == "before",
            "clip must be 'after' where nonfinite is 'int64', got 'before'",
        )
        yield (
            self.zero_range == "tenth" and self.scale != "asymmetric",
            f"scale must be 'asymmetric' for zero_range 'tenth', got {self.scale!r}",
        )
        yield (
            self.zero_range == "smallest" and not (self.smallest_range or self.smallest_scale),
            "smallest_range or smallest_scale must be above 0 for zero_range 'smallest', got 0 for both",
        )
        yield (
            self.zero_range == "zero" and self.quotient == "divide",
            "quotient must not be 'divide' where a scale can be 0, got 'divide'",
        )
        yield (
            symmetric != (self.zero_point in ("zero", "middle")),
            f"zero_point must be 'zero' or 'middle' for a symmetric scale, and for no other, "
            f"got {self.zero_point!r} for {self.scale!r}",
        )
        yield (
            self.nudge == "range" and self.zero_point not in INTEGERS[2:],
            f"nudge must be 'zero_point' where no zero point is rounded, got {self.nudge!r} for {self.zero_point!r}",
        )
        yield (
            self.zero_point_from == "unrounded_scale" and self.range_dtype != "float64",
            f"range_dtype must be 'float64' for a zero point from the unrounded scale, got {self.range_dtype!r}",
        )

    def codes(self, qmin: int, qmax: int) -> tuple[int, int]:
        """Return the lowest and the highest code that is used of [qmin, qmax]; ValueError if there are not two.

        Examples
        --------
        >>> Convention(narrow="low").codes(-128, 127)
        (-127, 127)
        """
        qmin, qmax = integer("qmin", qmin, -(2**15), 2**16 - 1), integer("qmax", qmax, -(2**15), 2**16 - 1)
        lowest, highest = qmin + (self.narrow == "low"), qmax - (self.narrow == "high")
        if lowest >= highest:
            raise ValueError(f"qmax must leave at least two codes, got {lowest} to {highest}")
        return lowest, highest

    def formula(self) -> str:
        """Return the convention in one line.

        Examples
        --------
        >>> Convention(zero_point_added="before", quotient="reciprocal", clip="before").formula()
        'q = half_even(clip(x·(1/s) + Z, qmin, qmax));  x̂ = s·(q − Z)'
        """
        sign = "−" if self.form == "s(q+Z)" else "+"
        Z = f" {sign} Z"
        x = {"sq+Z": "(x − Z)", "sq-Z": "(x + Z)"}.get(self.form, "x")
        if self.zero_point_added == "shifted":
            x = "(x − s·(qmin − Z))"
        t = x + {"divide": " / s", "multiply": "·s"}.get(self.quotient, "·(1/s)")
        if self.zero_point_added == "shifted":
            t += " + (qmin − Z)"
        if self.zero_point_added == "before":
            t = f"fma(x, 1/s, {Z.replace(' + ', '').replace(' − ', '−')})" if self.quotient == "fused" else t + Z
        after = Z if self.zero_point_added in ("after", "shifted") else ""

        def rounded(t: str) -> str:
            return f"⌊{t} + ½⌋" if self.rounding == "add_half" else f"{self.rounding}({t})"

        if self.clip == "after":
            q = f"clip({rounded(t)}{after}, qmin, qmax)"
        else:
            less = f" {'+' if sign == '−' else '−'} Z" if after else ""
            q = rounded(f"clip({t}, qmin{less}, qmax{less})") + after
        return f"q = {q};  {AXES['form'][self.form]}"

    def differences(self, other: "Convention") -> dict[str, tuple[Any, Any]]:
        """Return the axes on which two conventions differ, each with this one's and the other's value.

        Examples
        --------
        >>> Convention().differences(Convention(rounding="half_away"))
        {'rounding': ('half_even', 'half_away')}
        """
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self) if f.compare}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def describe(self) -> str:
        """Return the convention in words, with its formula as the first line.

        Examples
        --------
        >>> print(Convention(scale="symmetric_qmax", zero_point="zero", narrow="low").describe())
        q = clip(half_even(x / s) + Z, qmin, qmax);  x̂ = s·(q − Z)
        codes: x is divided by s; the zero point is added after rounding; rounding half_even; codes are clipped after
        rounding; the lowest code is not used; ±∞ saturates, NaN is an error; computed in float32
        values: x̂ = s·(q − Z); the zero point is an integer; s is kept in float32
        range: widened to hold 0; an empty range has s = 1; s = max(−low, high)/(qmax − Z); Z = 0; computed in float32
        """
        said = {name: meanings[getattr(self, name)] for name, meanings in AXES.items()}
        said["zero_point"] = said["zero_point"].replace("round(", f"{self.zero_point_rounding}(")
        said["smallest_range"] = f"at least {self.smallest_range:g} wide" if self.smallest_range else ""
        said["smallest_scale"] = f"s is at least {self.smallest_scale:g}" if self.smallest_scale else ""
        if self.form == "(q-Z)/s":  # s is codes per unit
            said["zero_point"] = said["zero_point"].replace("low/s", "low·s")
            said["smallest_scale"] = f"s is at most {1 / self.smallest_scale:g}" if self.smallest_scale else ""
        if self.zero_point not in INTEGERS[2:]:
            said["zero_point_from"] = said["nudge"] = ""
        lines = [f"{title}: " + "; ".join(said[name] for name in names if said[name]) for title, names in PARTS.items()]
        lines += [f"but: {self.limits}"] if self.limits else []
        return "\n".join([self.formula(), *(textwrap.fill(line, 118) for line in lines)])
