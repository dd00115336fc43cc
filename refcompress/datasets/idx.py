"""Read one file of the IDX format, in which MNIST and Fashion-MNIST are published."""

import gzip
import math
import os
import struct
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import IO

import numpy as np

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CHUNK = 1 << 20  # bytes read at once: what a file declares is never allocated before it has arrived


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read one IDX file, plain or gzipped.

        0, 0, type, d │ d sizes, big-endian uint32 │ the elements, big-endian, last index fastest

    Parameters
    ----------
    path : path of a file
        gzip is recognised by the first two bytes 1f 8b, whatever the name. Types: 08 uint8, 09 int8, 0B int16,
        0C int32, 0D float32, 0E float64.

    Returns
    -------
    array of d dimensions, d ≥ 1, in the file's type and native byte order

    Raises
    ------
    ValueError
        If the file cannot be opened, is not IDX, has fewer or more bytes than it declares, or its gzip is damaged.
        The message names the file. Reading stops at the first byte too many, so a small file cannot unpack endlessly.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with gzip.GzipFile(fileobj=file) if zipped else nullcontext(file) as stream:
                return _parse(stream)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError(f"{path} cannot be read as IDX: {error}") from error


def _parse(stream: IO[bytes] | gzip.GzipFile) -> np.ndarray:
    """The array of an uncompressed IDX stream; everything wrong with it is a ValueError."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[3] == 0:
        got = magic.hex(" ") or "nothing"
        raise ValueError(f"it must begin with 00 00, a type and a number of dimensions, got {got}")
    if magic[2] not in DTYPES:
        raise ValueError(f"its type must be one of {', '.join(f'{t:02X}' for t in DTYPES)}, got {magic[2]:02X}")
    dtype, ndim = np.dtype(DTYPES[magic[2]]), magic[3]
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"it ends within its {ndim} sizes")
    shape = struct.unpack(f">{ndim}I", sizes)
    declared = math.prod(shape) * dtype.itemsize
    data = bytearray()
    while len(data) <= declared and (chunk := stream.read(min(CHUNK, declared + 1 - len(data)))):
        data += chunk
    if len(data) != declared:
        got = f"only {len(data)}" if len(data) < declared else "more"
        raise ValueError(f"its shape {shape} of {dtype.name} declares {declared} bytes, got {got}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
