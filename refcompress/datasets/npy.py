"""One array in the .npy format, read without unpickling and without trusting the size that it declares."""

import math
import sys
from typing import IO

import numpy as np


def read_npy(name: str, stream: IO[bytes]) -> np.ndarray:
    """Read a .npy file: a header, then exactly the elements that it declares.

    Parameters
    ----------
    name : str
        What the errors call the array.
    stream : binary file
        Read to its end, and not beyond what is declared.

    Returns
    -------
    array of the declared shape and dtype; read-only

    Raises
    ------
    ValueError
        If the header is damaged or of another version than 1.0 or 2.0, the array is pickled, or the number of bytes is
        not the declared one.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> np.save(file, np.array([1, 2], np.uint8))
    >>> read_npy("a", io.BytesIO(file.getvalue()))
    array([1, 2], dtype=uint8)
    """
    shape, fortran_order, dtype = _header(name, stream)
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled Python objects, which are never loaded")
    declared = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or declared >= sys.maxsize:
        raise ValueError(f"{name} must have a possible shape, got {shape}")
    data = stream.read(declared + 1)  # one more, which must not be there
    if len(data) != declared:
        got = len(data) if len(data) < declared else "more"
        raise ValueError(f"{name} of shape {shape} and {dtype} must have {declared} bytes, got {got}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")


def _header(name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and dtype, whatever NumPy's parser of a Python literal raises on a damaged one."""
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(stream)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(stream)
    except Exception as error:
        raise ValueError(f"{name} must have a sound .npy header: {error or type(error).__name__}") from error
    raise ValueError(f"{name} must be in version 1.0 or 2.0 of the .npy format, got {version}")
