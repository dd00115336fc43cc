"""Is a result the one that is wanted? First its dtype, then its shape, then its values."""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Expected", "contents", "mismatch"]


@dataclass(frozen=True)
class Expected:
    """One result of a case: the array, or a scalar as an array of no dimensions.

    Attributes
    ----------
    value : array
    holds : (low, high) or None
        For codes: any integer dtype that holds low to high is right. None: the dtype is value's own.
    tolerance : float
        How far a float may be off, in the value's unit; 0 means to the last bit, the sign of zero included.
    """

    value: np.ndarray
    holds: tuple[int, int] | None = None
    tolerance: float = 0.0


def mismatch(expected: dict[str, Expected], result: Any) -> str | None:
    """Say what is wrong with a function's result, or None: one array, or as many in a tuple as are expected."""
    results = result if isinstance(result, tuple) else (result,)
    if len(results) != len(expected):
        return f"must return {len(expected)} results ({', '.join(expected)}), got {len(results)}"
    for (name, want), got in zip(expected.items(), results, strict=True):
        wrong = _wrong(want, got)
        if wrong:
            return f"{name}: {wrong}" if len(expected) > 1 else wrong
    return None


def contents(value: Any) -> Any:
    """Return what is not equal any more if an argument is modified, by a bit: only arrays can be."""
    return (value.dtype, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else None


def _wrong(want: Expected, got: Any) -> str | None:
    if not isinstance(got, (np.ndarray, np.generic, bool, int, float)):
        return f"must be an array or a number, got {'None' if got is None else type(got).__name__}"
    array = np.asarray(got)
    right = want.value
    if want.holds is not None:
        low, high = want.holds
        if array.dtype.kind not in "iu" or not (np.iinfo(array.dtype).min <= low and high <= np.iinfo(array.dtype).max):
            return f"dtype: must be an integer type that holds {low} to {high}, got {array.dtype}"
    elif array.dtype != right.dtype and not (right.ndim == 0 and _same_number_type(right.dtype, got)):
        return f"dtype: must be {right.dtype}, got {array.dtype}"
    if array.shape != right.shape:
        return f"shape: must be {right.shape}, got {array.shape}"
    equal = _equal(right, array, want.tolerance)
    if equal.all():
        return None
    place = tuple(int(i) for i in np.unravel_index(int(equal.argmin()), right.shape))
    at = f" at {list(place)}" if place else ""
    return f"value{at}: must be {_bits(right[place])}{_within(want.tolerance)}, got {_bits(array[place])}"


def _same_number_type(dtype: np.dtype, got: Any) -> bool:
    """A Python number is taken where a scalar of the same kind is expected: float is float64, int any integer."""
    return (type(got) is float and dtype == np.float64) or (type(got) is int and dtype.kind in "iu")


def _equal(right: np.ndarray, got: np.ndarray, tolerance: float) -> np.ndarray:
    if right.dtype.kind != "f":
        return np.asarray(right == got)
    if tolerance:
        with np.errstate(invalid="ignore"):  # ∞ − ∞
            alike = (right == got) | (np.abs(right.astype(np.float64) - got.astype(np.float64)) <= tolerance)
    else:
        alike = (right == got) & (np.signbit(right) == np.signbit(got))
    return np.asarray(alike | (np.isnan(right) & np.isnan(got)))


def _bits(value: Any) -> str:
    return f"{value} ({float(value).hex()})" if np.asarray(value).dtype.kind == "f" else str(value)


def _within(tolerance: float) -> str:
    return f" ± {tolerance:.3g}" if tolerance else ""
