"""One array in the .npy format, read without unpickling and without trusting the size that it declares."""

import math
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
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"{name} must be in version 1.0 or 2.0 of the .npy format, got {version}")
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled Python objects, which are never loaded")
    declared = math.prod(shape) * dtype.itemsize
    data = stream.read(declared + 1)  # one more, which must not be there
    if len(data) != declared:
        got = len(data) if len(data) < declared else "more"
        raise ValueError(f"{name} of shape {shape} and {dtype} must have {declared} bytes, got {got}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")
