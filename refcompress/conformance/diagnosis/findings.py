"""Findings: what is known of a black box, axis by axis, and which presets it equals."""

from collections.abc import Mapping
from dataclasses import dataclass

from refcompress.conformance.diagnosis.interview import Array
from refcompress.conformance.diagnosis.nonfinite import Nonfinite
from refcompress.conformance.diagnosis.questions import Question
from refcompress.conformance.diagnosis.readings import DTYPES, SHOWN, Reading
from refcompress.conformance.diagnosis.separation import Separation
from refcompress.formulas.quantization.convention import AXES, Convention, middle
from refcompress.formulas.quantization.conventions import PRESETS

__all__ = ["Contradiction", "Diagnosis"]


@dataclass(frozen=True)
class Contradiction:
    """The answer that excludes the last readings which agree with all before it.

    Attributes
    ----------
    question : Question
    code : int
        The answer.
    instead : tuple of int
        What those readings give.
    """

    question: Question
    code: int
    instead: tuple[int, ...]


@dataclass(frozen=True)
class Diagnosis:
    """What is known of a black box.

    Attributes
    ----------
    qmin, qmax : int
        The range of its codes.
    numbers : int
        How many finite numbers its codes are known for.
    readings : tuple of `Reading`
        Those that give all of these codes; none if nothing fits.
    zero_point : int or None
        The only zero point at which they do: the black box does something else, or refuses, at others.
    contradiction : Contradiction or None
        Why nothing fits, or nothing at other zero points.
    disagreements : dict
        How many codes each preset gives otherwise, of all that were compared.
    nonfinite : Nonfinite or None
        What becomes of NaN and ±∞, if known.
    refused : tuple of (Question, str)
        What it raised an error for.
    apart : Separation or None
        An input that tells the readings apart, if one is known that was not asked for.
    fitted : int
        How many of the numbers are at the only zero point, or if there is none such, all.
    array : Array or None
        What became of arrays of these numbers.
    zero_point_dtype : str
        As what the black box was given zero points.
    """

    qmin: int
    qmax: int
    numbers: int
    readings: tuple[Reading, ...]
    zero_point: int | None
    contradiction: Contradiction | None
    disagreements: Mapping[str, int]
    nonfinite: Nonfinite | None
    refused: tuple[tuple[Question, str], ...] = ()
    apart: Separation | None = None
    fitted: int = 0
    array: Array | None = None
    zero_point_dtype: str = "int32"

    @property
    def fits(self) -> bool:
        """Whether some reading gives all codes, those at all zero points and those of arrays included."""
        return bool(self.readings) and self.contradiction is None and (self.array is None or self.array.other is None)

    def left(self, axis: str) -> tuple[str, ...]:
        """Return the values of an axis that are left."""
        found = {reading.value(axis) for reading in self.readings}
        return tuple(value for value in (DTYPES if axis == "compute_dtype" else AXES[axis]) if value in found)

    @property
    def presets_on_finite_numbers(self) -> tuple[str, ...]:
        """The presets that give all codes of finite numbers."""
        return tuple(name for name, preset in PRESETS.items() if self._has(preset))

    @property
    def presets(self) -> tuple[str, ...]:
        """The presets that give all codes, those of NaN and ±∞ included as far as they are known."""
        finite, known = self.presets_on_finite_numbers, self.nonfinite
        return tuple(name for name in finite if known is None or PRESETS[name].nonfinite in known.values)

    @property
    def nearest(self) -> str:
        """The preset with the fewest other values, or if nothing fits, the fewest other codes."""
        other = {name: (len(self.differences(PRESETS[name])), count) for name, count in self.disagreements.items()}
        return min(other, key=other.__getitem__)

    def differences(self, preset: Convention) -> dict[str, tuple[str, ...]]:
        """Return the axes on which a preset has none of the values left, and these values; nothing if none is left."""
        if not self.readings:
            return {}
        shown = {axis: self.left(axis) for axis in SHOWN}
        if self.nonfinite is not None and self.nonfinite.values:
            shown["nonfinite"] = self.nonfinite.values
        if preset.compute_dtype == "input" and shown["compute_dtype"] != ("mixed",):
            del shown["compute_dtype"]
        return {axis: left for axis, left in shown.items() if getattr(preset, axis) not in left}

    def _has(self, preset: Convention) -> bool:
        """Whether it is among the readings, and takes no other zero point than the only one."""
        only = {"zero": 0, "middle": middle(self.qmin, self.qmax)}.get(preset.zero_point)
        return self.zero_point in (None, only) and any(reading.is_of(preset) for reading in self.readings)
