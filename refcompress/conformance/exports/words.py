"""Arguments and results as arrays of plain numbers, which is all that C and Verilog know."""

from typing import Any

import numpy as np

__all__ = ["bits", "numbers"]


def numbers(value: Any) -> np.ndarray:
    """Return an argument as an array: an int is int64, a word its bytes, None has no elements, a tuple is one array."""
    if value is None:
        return np.zeros(0, np.uint8)
    if isinstance(value, str):
        return np.frombuffer(value.encode(), np.uint8)
    if isinstance(value, int) and not isinstance(value, bool):
        return np.array(value, np.int64)
    return np.asarray(value)


def bits(array: np.ndarray, width: int) -> list[str]:
    """Return every element as hexadecimal digits of `width` bits: floats as they are, integers in two's complement."""
    if array.dtype.kind == "f":
        array = array.view(f"u{array.itemsize}")
    return [f"{int(value) % 2**width:0{width // 4}x}" for value in array.ravel()]
