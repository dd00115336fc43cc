"""The checks on arguments that the integer formulas share: scales, zero points, int32, and sums that stay within it."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.checks import float_array, float_dtype, integer_array

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


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
        raise ValueError(f"{name} must be {wanted}, got shape {array.shape}")
    with np.errstate(over="ignore", under="ignore"):
        result = array.astype(float_dtype(dtype))
    good = np.isfinite(result) & (result > 0)
    if not good.all():
        raise ValueError(f"{name} must be finite and above 0 in {result.dtype}, got {array[~good][0]}")
    return result


def zero_points(name: str, value: ArrayLike, count: int) -> np.ndarray:
    """Zero points as an array () or (count,)."""
    array = integer_array(name, value)
    if array.shape != () and array.shape != (count,):
        raise ValueError(f"{name} must be a scalar or of shape ({count},), got shape {array.shape}")
    return array


def int32(name: str, value: ArrayLike) -> np.ndarray:
    """Integers within int32, as int64."""
    array = integer_array(name, value)
    if array.size and (array.min() < INT32_MIN or array.max() > INT32_MAX):
        raise ValueError(f"{name} must be within int32, got {array.min()} to {array.max()}")
    return array.astype(np.int64)


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
