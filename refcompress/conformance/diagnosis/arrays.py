"""Arrays of a black box: numbers, scales, zero points and the codes that it gave, read and checked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from refcompress.conformance.diagnosis.readings import HIGHEST, LOWEST, Reading, codes
from refcompress.formulas.checks import check_broadcasts, check_finite, check_not_empty, check_shape, integer
from refcompress.formulas.quantization.convention import Convention

__all__ = ["Arrays", "checked", "read_arrays"]

KEYS = ("x", "scale", "zero_point", "q")
FIRST, MOST = 2**9, 2**16  # numbers that are compared first, and at a time


class Arrays(NamedTuple):
    """Numbers, what goes with each, and the range of the codes."""

    x: np.ndarray
    scale: np.ndarray
    zero_point: np.ndarray
    q: np.ndarray
    qmin: int
    qmax: int

    def some(self, which: Any) -> "Arrays":
        """Return those of a slice or a mask."""
        return self._replace(
            x=self.x[which], scale=self.scale[which], zero_point=self.zero_point[which], q=self.q[which]
        )

    def chunks(self) -> Iterator["Arrays"]:
        """Return all of them, a few first, then more and more."""
        start, size = 0, FIRST
        while start < self.x.size:
            yield self.some(slice(start, start + size))
            start, size = start + size, min(8 * size, MOST)

    def codes(self, found: Sequence[Reading]) -> np.ndarray:
        """Return the codes that readings give."""
        return codes(found, self.x, self.scale, self.zero_point, self.qmin, self.qmax)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Return x, scale, zero_point and q of an .npz file, and qmin and qmax if it has them; nothing is unpickled."""
    with Path(path).open("rb") as data:  # np.load would leave a damaged file open
        try:
            file = np.load(data, allow_pickle=False)
        except Exception:  # a damaged zip raises nearly anything: BadZipFile, zlib.error, NotImplementedError, …
            file = None
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError(f"{path} must be an .npz file")
        if not set(KEYS) <= set(file.files):
            raise ValueError(f"{path} must have {', '.join(KEYS)}, got {', '.join(file.files) or 'nothing'}")
        return {key: _member(file, key) for key in (*KEYS, "qmin", "qmax") if key in file.files}


def _member(file: Any, key: str) -> np.ndarray:
    try:
        return file[key]
    except Exception as error:
        raise ValueError(f"{key} cannot be read: {error or type(error).__name__}") from error


def checked(
    x: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    q: ArrayLike,
    qmin: ArrayLike | None,
    qmax: ArrayLike | None,
) -> Arrays:
    """Return the arrays, flat and as long as x; TypeError or ValueError with the name of the one that is wrong."""
    x, scale, zero_point, q = np.asarray(x), np.asarray(scale), np.asarray(zero_point), np.asarray(q)
    for name, array, kinds, wanted in (
        ("x", x, "f", "floats"),
        ("scale", scale, "f", "floats"),
        ("zero_point", zero_point, "iuf", "integers or floats"),
        ("q", q, "iu", "integers"),
    ):
        if array.dtype.kind not in kinds or array.dtype.itemsize > 8:
            raise TypeError(f"{name} must be {wanted}, got {array.dtype}")
    check_not_empty("x", x)
    check_shape("q", q, x.shape)
    for name, array in (("scale", scale), ("zero_point", zero_point)):
        check_broadcasts(name, array, x.shape)
        check_finite(name, np.asarray(array, np.float64))
    with np.errstate(over="ignore", under="ignore"):
        single = scale.astype(np.float32)
    if not (single > 0).all() or not np.isfinite(single).all():
        raise ValueError(f"scale must be above 0 and finite in float32, got {scale.min()} to {scale.max()}")
    scale, zero_point = np.broadcast_to(scale, x.shape), np.broadcast_to(zero_point, x.shape)
    return Arrays(x.ravel(), scale.ravel(), zero_point.ravel(), q.ravel(), *_range(q, qmin, qmax))


def _range(q: np.ndarray, qmin: ArrayLike | None, qmax: ArrayLike | None) -> tuple[int, int]:
    """Return the range of codes, given or that of q's dtype."""
    if (qmin is None or qmax is None) and q.dtype.itemsize > 2:
        raise ValueError(f"qmin and qmax must be given where q is {q.dtype}")
    known = np.iinfo(q.dtype)
    ends = [
        integer(name, np.asarray(default if end is None else end)[()], LOWEST, HIGHEST)
        for name, end, default in (("qmin", qmin, known.min), ("qmax", qmax, known.max))
    ]
    return Convention().codes(*ends)
