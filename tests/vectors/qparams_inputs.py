"""Inputs of qparams.choose: readable ranges, empty and small ones, and ones searched for at zero points' ties."""

import numpy as np

from refcompress.formulas.quantization.conventions import PRESETS
from tests.vectors.conventions import domain

WIDE = (
    (-1, 3), (-3, 1), (-1, 1), (0, 1), (-1, 0), (2, 3), (-3, -2), (-0.7, 2.3), (-0.1, 0.8), (-0.3, 0.4), (-0.1, 0.5),
    (-0.7, 0.01), (0, 0), (5.5, 5.5), (-5.5, -5.5),
)  # fmt: skip
SMALL = (
    (0, 2e-6), (-5e-7, 5e-7), (0, 1e-7), (-1e-7, 0), (0, 5e-5), (-5e-5, 1e-4), (-5e-4, 0), (0, 5e-4), (0, 1e-5),
    (0, 1e-10), (-1e-11, 0), (0, 1e-37), (-1e-37, 0), (-1e-37, 2e-37), (0, 1e-42), (-3e-39, 0),
)  # fmt: skip


def candidates(convention):
    ranges = domain(convention).ranges
    unsigned, signed = (next((r for r in ranges if (r[0] < 0) == below), None) for below in (False, True))
    for qmin, qmax in ranges:
        steps = qmax - qmin
        pairs = [
            *(WIDE if (qmin, qmax) in (unsigned, signed) else ()),
            *((-k - 0.5, steps - k - 0.5) for k in (0, 1, 2)),  # s = 1, and zero points at ties
            (-steps + 0.5, 0.5),
            (-steps / 4 + 0.25, 0.75 * steps),
            *(SMALL if (qmin, qmax) == ranges[0] else ()),
        ]
        for low, high in pairs:
            if low or PRESETS[convention].zero_point != "quotient":  # whose 0 is −0 in the library
                yield given(low, high, qmin, qmax)
    if PRESETS[convention].zero_point in ("rounded_quotient", "rounded_difference", "nearer_end"):
        for low, high in searched(*(signed or unsigned), PRESETS[convention]):
            yield given(low, high, *(signed or unsigned))


def given(low, high, qmin, qmax):
    return {"low": np.float32(low), "high": np.float32(high), "qmin": qmin, "qmax": qmax}


def searched(qmin, qmax, c):
    """Ranges whose zero point depends on the precision, or on what is rounded first: at ties of s = 0.1."""
    k = np.arange(qmax - qmin) + 0.5
    low, high = (-0.1 * k).astype(np.float32), (0.1 * (qmax - qmin - k)).astype(np.float32)
    low, high = np.concatenate([low, np.nextafter(low, np.float32(0))]), np.tile(high, 2)
    answers = np.array([np.clip(way, qmin, qmax) for way in ways(low, high, qmin, qmax, c)])
    _, first = np.unique(answers - answers[0], axis=1, return_index=True)
    found = sorted(first[(answers[:, first] != answers[0, first]).any(axis=0)], key=lambda i: -low[i])
    return zip(low[found], high[found], strict=True)


def ways(low, high, qmin, qmax, c):
    """Yield zero points in NumPy, computed in one way and another. Only to find inputs with."""
    for dtype in (np.float32, np.float64):
        s = (high.astype(dtype) - low.astype(dtype)) / dtype(qmax - qmin)
        for used, wide in ((s, dtype), (s.astype(np.float32), np.float64)):
            below, above = low.astype(wide) / used.astype(wide), high.astype(wide) / used.astype(wide)
            yield qmin - rounded(below, c)
            yield rounded(qmin - below, c)
            yield rounded((qmin - below).astype(np.float32), c)
            yield rounded(qmax - above, c)


def rounded(t, c):
    return np.rint(t) if c.zero_point_rounding == "half_even" else np.trunc(t + np.copysign(t.dtype.type(0.5), t))
