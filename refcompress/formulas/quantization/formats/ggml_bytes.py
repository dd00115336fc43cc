"""The bytes of ggml's blocks, which its formats share: fields, and float16 numbers in them."""

import numpy as np

from refcompress.formulas.checks import integer_array


def fields(data: np.ndarray, *sizes: int, name: str = "data") -> list[np.ndarray]:
    """Cut blocks of bytes (blocks, Σ sizes) into their fields (blocks, size), contiguous.

    TypeError unless the data, an argument of this name, are uint8, ValueError unless they are such blocks.

    Examples
    --------
    >>> fields(np.array([[1, 2, 3]], np.uint8), 1, 2)
    [array([[1]], dtype=uint8), array([[2, 3]], dtype=uint8)]
    """
    data = integer_array(name, data, ndim=2)
    if data.dtype != np.uint8:
        raise TypeError(f"{name} must be uint8, got {data.dtype}")
    if data.shape[1] != sum(sizes):
        raise ValueError(f"{name} must have blocks of {sum(sizes)} bytes, got shape {data.shape}")
    return [np.ascontiguousarray(field) for field in np.split(data, np.cumsum(sizes)[:-1], axis=1)]


def half(field: np.ndarray) -> np.ndarray:
    """Read a field (blocks, 2) that `fields` has cut as little-endian float16, exactly, to float32 (blocks, 1).

    ValueError for a number that is not finite.

    Examples
    --------
    >>> half(np.array([[0, 0x3C]], np.uint8))
    array([[1.]], dtype=float32)
    """
    value = field.view("<f2").astype(np.float32)
    broken = np.flatnonzero(~np.isfinite(value))
    if broken.size:
        raise ValueError(f"data must hold finite float16 scales, got {value.flat[broken[0]]} in block {broken[0]}")
    return value
