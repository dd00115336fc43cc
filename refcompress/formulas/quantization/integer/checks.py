"""The checks on arguments that the integer formulas share: scales, zero points, int32, and sums that stay within it."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.checks import code_type, float_array, float_dtype, integer, integer_array

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
CODES = tuple(np.dtype(name) for name in ("uint8", "int8", "uint16", "int16", "int32"))


def scales(name: str, value: ArrayLike, count: int | None = None, *, dtype: DTypeLike = np.float64) -> np.ndarray:
    """Scales in the dtype they are used in, checked.

        s > 0, finite

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : float scalar, or (count,) float array
    count : int, optional
        None takes a scalar only.
    dtype : float32 or float64

    Returns
    -------
    array of this dtype, () or (count,)

    Raises
    ------
    TypeError
        If the value is neither float32 nor float64 (a Python float counts as float64).
    ValueError
        If a scale is not finite or not above 0 in this dtype, or the shape is another one.

    Examples
    --------
    >>> scales("w_scale", np.array([0.5, 0.25]), 2)
    array([0.5 , 0.25])
    """
    array = float_array(name, value)
    if array.shape != () and array.shape != (count,):
        wanted = "a scalar" if count is None else f"a scalar or of shape ({count},)"
        hint = ", whose one element is to be given as a scalar" if array.size == 1 else ""
        raise ValueError(f"{name} must be {wanted}, got shape {array.shape}{hint}")
    with np.errstate(over="ignore", under="ignore"):
        result = array.astype(float_dtype(dtype))
    good = np.isfinite(result) & (result > 0)
    if not good.all():
        raise ValueError(f"{name} must be finite and above 0 in {result.dtype}, got {array[~good][0]}")
    return result


def zero_points(name: str, value: ArrayLike, count: int, ends: tuple[int, int]) -> np.ndarray:
    """Zero points as an array () or (count,), within the ends of the type of the codes that they belong to."""
    array = integer_array(name, value)
    if array.shape != () and array.shape != (count,):
        raise ValueError(f"{name} must be a scalar or of shape ({count},), got shape {array.shape}")
    if array.size and not (ends[0] <= int(array.min()) and int(array.max()) <= ends[1]):
        raise ValueError(f"{name} must be from {ends[0]} to {ends[1]}, got {array.min()} to {array.max()}")
    return array


def type_ends(dtype: DTypeLike) -> tuple[int, int]:
    """Smallest and largest integer of an integer type."""
    info = np.iinfo(np.dtype(dtype))
    return int(info.min), int(info.max)


def code_zero_point(name: str, value: int, dtype: np.dtype) -> int:
    """One zero point, within the type of the codes that it belongs to, and within int32."""
    low, high = type_ends(dtype)
    return integer(name, value, max(low, INT32_MIN), min(high, INT32_MAX))


def code_range(dtype: DTypeLike | None, qmin: int | None, qmax: int | None) -> tuple[np.dtype, int, int]:
    """Type and range of codes: the ends of the type if not given; without a type the first that holds the range.

    Examples
    --------
    >>> code_range(np.int16, None, 99)
    (dtype('int16'), -32768, 99)
    >>> code_range(None, 0, None)
    (dtype('uint8'), 0, 127)
    """
    if dtype is None:
        low = integer("qmin", -128 if qmin is None else qmin, INT32_MIN, INT32_MAX)
        high = integer("qmax", 127 if qmax is None else qmax, low, INT32_MAX)
        return code_type(low, high), low, high
    try:
        kind = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        kind = None
    if kind not in CODES:
        raise TypeError(f"dtype must be uint8, int8, uint16, int16 or int32, got {dtype!r}")
    first, last = type_ends(kind)
    low = integer("qmin", first if qmin is None else qmin, first, last)
    return kind, low, integer("qmax", last if qmax is None else qmax, low, last)


def outputs(
    name: str, first: np.ndarray, dtype: DTypeLike | None, qmin: int | None, qmax: int | None, out_zero_point: int
) -> tuple[np.dtype, int, int, int]:
    """Type, range and zero point of an operator's output, whose type is that of its first operand if not given."""
    if dtype is None and first.dtype.newbyteorder("=") not in CODES:
        raise TypeError(f"dtype must be given where {name} is none of uint8, int8, uint16, int16, int32: {first.dtype}")
    kind, low, high = code_range(first.dtype if dtype is None else dtype, qmin, qmax)
    return kind, low, high, code_zero_point("out_zero_point", out_zero_point, kind)


def int32(name: str, value: ArrayLike) -> np.ndarray:
    """Integers within int32, as int64."""
    array = integer_array(name, value)
    check_int32(name, array)
    return array.astype(np.int64)


def check_int32(name: str, array: np.ndarray) -> None:
    """Raise ValueError unless all integers are within int32."""
    if array.size and (array.min() < INT32_MIN or array.max() > INT32_MAX):
        raise ValueError(f"{name} must be within int32, got {array.min()} to {array.max()}")


def ends(array: np.ndarray, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value, of the whole array or of each row."""
    if not array.size:
        return array.ravel(), array.ravel()
    axis = 1 if each else None
    return np.asarray(array.min(axis=axis)), np.asarray(array.max(axis=axis))


def distance(low: np.ndarray, high: np.ndarray, zero: np.ndarray | None = None) -> int:
    """Largest |value − zero| as a Python integer, which does not overflow."""
    if not low.size:
        return 0
    if zero is not None and zero.ndim:
        low, high, zero = low.astype(object), high.astype(object), zero.astype(object)
        return int(max((high - zero).max(), (zero - low).max()))
    z = 0 if zero is None else int(zero)
    return max(int(high.max()) - z, z - int(low.min()))


def check_sums(names: str, terms: int, largest: int, centred: bool) -> None:
    """Raise ValueError where a sum of so many terms could leave int32."""
    if terms * largest > INT32_MAX:
        after = ", zero points subtracted" if centred else ""
        raise ValueError(f"{names} must have sums within ±{INT32_MAX}, got up to {terms} terms of {largest}{after}")
