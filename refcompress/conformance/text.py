"""Arrays as JSON and back: dtype, shape, and values as decimals beside exact hexadecimal floats."""

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["decode", "encode"]

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
DTYPES = ("bool", *INTEGERS, *FLOATS)
DIGITS = {2: 5, 4: 9, 8: 17}  # of a decimal that tells every float of so many bytes from its neighbours
HEXADECIMAL = re.compile(r"([+-]?)0x([0-9a-f]+)\.?([0-9a-f]*)p([+-]?[0-9]{1,4})", re.IGNORECASE)
DECIMAL = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,4})?|inf|infinity|nan)", re.IGNORECASE)


def encode(value: Any) -> Any:
    """Return an argument or a result as what json.dumps takes.

    None, bool, int and str stay as they are and a tuple becomes a list; an array, a NumPy scalar or a float becomes an
    object with dtype, shape, values in row-major order and, of floats, hex: the same values as `float.hex` writes
    them, "nan", "inf" or "-inf". In values these three are strings too.

    Examples
    --------
    >>> encode(np.array([0.1, np.inf], np.float32))
    {'dtype': 'float32', 'shape': [2], 'values': [0.1, 'inf'], 'hex': ['0x1.99999a0000000p-4', 'inf']}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    array = np.asarray(value)
    if array.dtype.name not in DTYPES:
        raise TypeError(f"value must be an array of {', '.join(DTYPES)}, got {array.dtype}")
    coded = {"dtype": array.dtype.name, "shape": list(array.shape), "values": array.ravel().tolist()}
    if array.dtype.name in FLOATS:
        coded["hex"] = [float(x).hex() for x in array.ravel()]
        # str of a NumPy float is the shortest decimal that reads back as itself, in its own dtype
        coded["values"] = [float(str(x)) if math.isfinite(x) else str(x) for x in array.ravel()]
    return coded


def decode(coded: Any) -> Any:
    """Return what `encode` was given; ValueError if it is no such thing.

    Floats are read from hex, or where there is none, from values: numbers, or strings such as "nan" and "0x1.8p+0". No
    value is rounded to its dtype: it must be one of its numbers, or a decimal that stands for one, which is the
    shortest that does, or has the 5, 9 or 17 digits (C's "%.9g") that a float16, float32 or float64 needs.

    Examples
    --------
    >>> decode({"dtype": "uint8", "shape": [1, 2], "values": [1, 2]})
    array([[1, 2]], dtype=uint8)
    """
    if coded is None or isinstance(coded, (bool, int, float, str)):
        return coded
    if isinstance(coded, list):
        return tuple(decode(item) for item in coded)
    if not isinstance(coded, dict) or not {"dtype", "shape"} <= coded.keys() or not coded.keys() & {"values", "hex"}:
        raise ValueError("an array must be an object with dtype, shape and values")
    name, shape = coded["dtype"], coded["shape"]
    if name not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {name!r}")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"shape must be a list of integers, got {shape!r}")
    values = coded.get("hex", coded.get("values"))
    if not isinstance(values, list) or len(values) != math.prod(shape):
        raise ValueError(f"there must be {math.prod(shape)} values for shape {shape}, got {_short(values)}")
    kinds = "bool" if name == "bool" else "integer" if name in INTEGERS else "float"
    array = np.array([_READ[kinds](value, np.dtype(name)) for value in values], name).reshape(shape)
    return array if shape else array[()]


def _boolean(value: Any, _: np.dtype) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"values must be true or false, got {_short(value)}")
    return value


def _integer(value: Any, dtype: np.dtype) -> int:
    if type(value) is not int or not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        raise ValueError(f"values must be integers of {dtype}, got {_short(value)}")
    return value


def _float(value: Any, dtype: np.dtype) -> Any:
    number = _number(value)
    with np.errstate(over="ignore"):
        rounded = dtype.type(number)
    accepted = float(rounded), float(str(rounded)), float(f"{float(rounded):.{DIGITS[dtype.itemsize]}g}")
    if math.isfinite(number) and (not np.isfinite(rounded) or number not in accepted):
        raise ValueError(f"values must be numbers of {dtype}, got {_short(value)}")
    return rounded


def _number(value: Any) -> float:
    """Return a number or a string as float64, which an integer and a hexadecimal float must be exactly."""
    text = value if isinstance(value, str) else str(value) if type(value) in (int, float) else ""
    bits = HEXADECIMAL.fullmatch(text)
    try:
        if bits is not None:
            number = float.fromhex(text)
            sign, whole, fraction, exponent = bits.groups()
            exact = int(f"{sign}{whole}{fraction}", 16) * Fraction(2) ** (int(exponent) - 4 * len(fraction)) == number
        else:
            number = float(text if DECIMAL.fullmatch(text) else "no number")
            exact = not isinstance(value, int) or int(number) == value
            if math.isinf(number) and text[-1].isdigit():
                raise OverflowError
    except (ValueError, OverflowError):
        raise ValueError(f"values must be numbers, got {_short(value)}") from None
    if not exact:
        raise ValueError(f"values must be numbers of at most 53 bits, got {_short(value)}")
    return number


_READ = {"bool": _boolean, "integer": _integer, "float": _float}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
