"""Readings: all conventions of affine quantization that codes can tell apart, and the codes that each gives."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import DTypeLike

from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.convention import AXES, Convention

__all__ = [
    "DTYPES",
    "FIELDS",
    "HIGHEST",
    "LOWEST",
    "REFUSED",
    "SHOWN",
    "Reading",
    "codes",
    "meaning",
    "readings",
    "unmixed",
]

REFUSED = int(np.iinfo(np.int32).min)  # in place of a code where a reading takes no such zero point
LOWEST, HIGHEST = -(2**15), 2**16 - 1  # the widest range of codes
FIELDS = ("quotient", "zero_point_added", "rounding", "narrow", "form", "zero_point_type")
DTYPES = {
    "float32": "computed in float32",
    "float64": "computed in float64",
    "mixed": "the quotient is computed in float32, and Z added in float64, as NumPy does with an int32",
}
SHOWN = (*FIELDS, "compute_dtype")  # the axes that codes of finite numbers can show


@dataclass(frozen=True)
class Reading:
    """A convention as far as codes show it, and the dtype in which it is computed, whatever that of x is."""

    convention: Convention
    compute_dtype: str

    def value(self, axis: str) -> str:
        """Return the value on one of the axes that codes show."""
        return self.compute_dtype if axis == "compute_dtype" else str(getattr(self.convention, axis))

    def is_of(self, other: Convention) -> bool:
        """Whether a convention gives these codes, for float32 or float64 if it computes in x's dtype."""
        follows = other.compute_dtype == "input" and self.compute_dtype != "mixed"
        dtype = follows or other.compute_dtype == self.compute_dtype
        return dtype and all(getattr(self.convention, name) == getattr(other, name) for name in FIELDS)


def unmixed(alike: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return readings that give the same codes without those that mix dtypes, if there are others."""
    plain = tuple(reading for reading in alike if reading.compute_dtype != "mixed")
    return plain or tuple(alike)


def meaning(axis: str, value: str) -> str:
    """Return what a value says, in words."""
    known = AXES[axis] if axis != "compute_dtype" else {**AXES[axis], **DTYPES}
    return known[value]


@cache
def readings(qmin: int, qmax: int) -> tuple[Reading, ...]:
    """Return every combination of values without a contradiction that leaves two codes."""
    return tuple(reading for reading in _all() if qmax - qmin > (reading.convention.narrow != "no"))


def _all() -> Iterator[Reading]:
    for dtype, *values in itertools.product(DTYPES, *(AXES[name] for name in FIELDS)):
        fields = dict(zip(FIELDS, values, strict=True))
        # the axes that codes do not show get what fits the others
        rest = {"nonfinite": "nan_low", "compute_dtype": "float32" if dtype == "float32" else "input"}
        if fields["form"] in ("sq+Z", "sq-Z"):
            rest["zero_point"] = "low" if fields["form"] == "sq+Z" else "negated_low"
        elif fields["zero_point_type"] == "real":
            rest["zero_point"] = "quotient"
        if fields["form"] == "(q-Z)/s":
            rest["scale"] = "inverse_width"
        sum_alone = dtype == "mixed" and (fields["zero_point_added"] != "before" or fields["quotient"] == "fused")
        if fields["rounding"] != "stochastic" and not sum_alone:
            try:
                convention = Convention(**fields, **rest)  # type: ignore[arg-type]
            except ValueError:  # a contradiction
                continue
            yield Reading(convention, dtype)


def codes(
    found: Sequence[Reading], x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, qmin: int, qmax: int
) -> np.ndarray:
    """Return the codes (readings, n) of n finite numbers, each with its scale and zero point, by every reading."""
    wide: dict[tuple[str, ...], np.ndarray] = {}
    table = np.empty((len(found), x.size), np.int32)
    for row, reading in zip(table, found, strict=True):
        if reading.convention.zero_point_added == "shifted":  # the lowest code is a part of the formula
            row[:] = _codes(reading, x, scale, zero_point, qmin, qmax)
        else:  # no code depends on the range, until it is clipped
            key = tuple(reading.value(axis) for axis in SHOWN if axis != "narrow")
            if key not in wide:
                whole = Reading(replace(reading.convention, narrow="no"), reading.compute_dtype)
                wide[key] = _codes(whole, x, scale, zero_point, LOWEST, HIGHEST)
            np.clip(wide[key], *reading.convention.codes(qmin, qmax), out=row)
            row[wide[key] == REFUSED] = REFUSED
    return table


def _codes(
    reading: Reading, x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, qmin: int, qmax: int
) -> np.ndarray:
    dtype, c = np.dtype("float32" if reading.compute_dtype == "float32" else "float64"), reading.convention
    if reading.compute_dtype == "mixed":
        x, scale = _quotient(_in(np.float32, x), _in(np.float32, scale), c.quotient), np.ones(scale.shape)
    x, scale = _in(dtype, x), _in(dtype, scale)
    if c.zero_point_type == "real":
        return affine.quantize(x, scale, _in(dtype, zero_point), qmin, qmax, c).astype(np.int32)
    low, high = (-qmax, -qmin) if c.form == "s(q+Z)" else (qmin, qmax)
    taken = (zero_point == np.rint(zero_point)) & (low <= zero_point) & (zero_point <= high)
    q = np.full(x.shape, REFUSED, np.int32)
    if taken.any():
        q[taken] = affine.quantize(x[taken], scale[taken], zero_point[taken].astype(np.int64), qmin, qmax, c)
    return q


def _quotient(x: np.ndarray, s: np.ndarray, quotient: str) -> np.ndarray:
    with np.errstate(all="ignore"):  # what overflows is clipped
        return x / s if quotient == "divide" else x * s if quotient == "multiply" else x * (1 / s)


def _in(dtype: DTypeLike, values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return values.astype(dtype)
