"""The checks on arguments that every room shares: an error names the argument, what it got and what it takes."""

import operator
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def float_array(name: str, value: Any, *, ndim: int | tuple[int, ...] | None = None) -> np.ndarray:
    """Return `value` as an array of its own dtype; TypeError unless that is float32 or float64."""
    array = np.asarray(value)
    if array.dtype not in FLOATS:
        raise TypeError(f"{name} must be float32 or float64, got {array.dtype}")
    check_ndim(name, array, ndim)
    return array


def floats_in(name: str, value: Any, dtype: np.dtype | None) -> np.ndarray:
    """Return `value` in this dtype (None: its own), which a Python number takes; TypeError if it rounds an array."""
    if type(value) in (int, float):
        with np.errstate(over="ignore", under="ignore"):
            number = np.asarray(value, dtype or np.float64)
        if np.isfinite(value) and (not np.isfinite(number) or (number == 0) != (value == 0)):
            raise ValueError(f"{name} must be within {number.dtype}, got {value}")
        return number
    array = float_array(name, value)
    if dtype is None:
        return array
    if not np.can_cast(array.dtype, dtype):
        raise TypeError(f"{name} must be {dtype} in this convention, got {array.dtype}")
    return array.astype(dtype, copy=False)


def float_dtype(dtype: DTypeLike) -> Any:
    """Return the dtype; TypeError unless it is float32 or float64."""
    dtype = np.dtype(dtype)
    if dtype not in FLOATS:
        raise TypeError(f"dtype must be float32 or float64, got {dtype}")
    return dtype


def integer_array(name: str, value: Any, *, ndim: int | tuple[int, ...] | None = None) -> np.ndarray:
    """Return `value` as an array of its own dtype; TypeError unless that is an integer type (bool is none)."""
    array = np.asarray(value)
    if array.size == 0 and not isinstance(value, np.ndarray):
        array = array.astype(np.int64)  # an empty list has no type of its own
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer array, got {array.dtype}")
    check_ndim(name, array, ndim)
    return array


def check_ranges(rule: str, good: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Raise ValueError with the rule and the first range [low, high] that breaks it."""
    broken = np.flatnonzero(~np.asarray(good))
    if broken.size:
        raise ValueError(f"{rule}, got low = {low.flat[broken[0]]} and high = {high.flat[broken[0]]}")


def check_ndim(name: str, array: np.ndarray, ndim: int | tuple[int, ...] | None) -> None:
    """Raise ValueError unless `array` has one of the accepted numbers of dimensions."""
    accepted = (ndim,) if isinstance(ndim, int) else ndim
    if accepted is not None and array.ndim not in accepted:
        wanted = " or ".join(map(str, accepted))
        raise ValueError(f"{name} must have {wanted} dimensions, got shape {array.shape}")


def check_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `array` has exactly this shape."""
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")


def check_broadcasts(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `array` broadcasts to this shape."""
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name} must broadcast to shape {shape}, got {array.shape}")


def check_dtype(name: str, array: np.ndarray, dtype: np.dtype) -> None:
    """Raise TypeError unless `array` has exactly this dtype (nothing is cast silently)."""
    if array.dtype != dtype:
        raise TypeError(f"{name} must be {dtype} like the other arrays, got {array.dtype}")


def check_not_empty(name: str, array: np.ndarray) -> None:
    """Raise ValueError for an array without elements."""
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")


def check_finite(name: str, array: np.ndarray) -> None:
    """Raise ValueError where `array` holds NaN or infinity, naming the first place."""
    values = array.reshape(-1)
    with np.errstate(all="ignore"):
        if np.isfinite(np.dot(values, values)):  # one fast pass: NaN and infinity reach the sum
            return
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{name} must be finite, got {array[place]} at index {place}")


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return `value` as int; TypeError unless it is an integer, ValueError unless low <= value <= high."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < low or (high is not None and number > high):
        wanted = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be {wanted}, got {number}")
    return number


def real(
    name: str, value: Any, low: float, high: float = np.inf, *, open_low: bool = False, open_high: bool = False
) -> float:
    """Return `value` as float; TypeError unless it is a real number, ValueError outside of the interval, or for NaN."""
    if isinstance(value, (bool, np.bool_, str)):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a real number, got {value!r}") from None
    above = number > low if open_low else number >= low
    below = number < high if open_high else number <= high
    if not (above and below):
        interval = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
        raise ValueError(f"{name} must be in {interval}, got {number!r}")
    return number


def choice(name: str, value: Any, accepted: Collection[str]) -> str:
    """Return `value`; ValueError unless it is one of the accepted words."""
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(accepted)}, got {value!r}")
    return value


def like(name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return `value` as an array; TypeError or ValueError unless it has exactly this dtype and shape."""
    array = float_array(name, value)
    check_dtype(name, array, dtype)
    check_shape(name, array, shape)
    return array


def output(value: Any, shape: tuple[int, ...], dtype: np.dtype, source: np.ndarray) -> np.ndarray:
    """Return `value`, the caller's array for a result of this shape and dtype, or a new one where it is None.

    It may be `source`, from which the result is computed block by block, but not overlap it in another way.
    """
    if value is None:
        return np.empty(shape, dtype)
    if not isinstance(value, np.ndarray) or value.dtype != dtype:
        raise TypeError(f"out must be an array of {dtype}, got {getattr(value, 'dtype', value)!r}")
    check_shape("out", value, shape)
    if not value.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")
    same = value.ctypes.data == source.ctypes.data and value.strides == source.strides
    if np.may_share_memory(value, source) and not same:
        raise ValueError(
            "out must be the input itself or not overlap it, got an array that shares a part of its memory"
        )
    return value


def code_type(low: int, high: int) -> np.dtype:
    """The first of uint8, int8, uint16, int16 and int32 that holds integers from low to high."""
    for dtype in (np.uint8, np.int8, np.uint16, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.int32)


def generator(name: str, value: Any) -> np.random.Generator:
    """Return `value`; TypeError unless it is a numpy.random.Generator."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"{name} must be a numpy.random.Generator, got {value!r}")
    return value


def boolean(name: str, value: Any) -> bool:
    """Return `value`; TypeError unless it is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def kept_mask(count: int, indices: np.ndarray, name: str = "indices") -> np.ndarray:
    """Mask (count,) of what stays without `indices`, which must be distinct integers, in range and not all."""
    indices = integer_array(name, indices, ndim=1)
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        raise ValueError(f"{name} must be from 0 to {count - 1}, got {indices.min()} to {indices.max()}")
    keep = np.ones(count, bool)
    keep[indices] = False
    if count - keep.sum() != indices.size:
        raise ValueError(f"{name} must be distinct, got {indices.tolist()}")
    if not keep.any():
        raise ValueError(f"{name} must leave at least one neuron, got all {count}")
    return keep
