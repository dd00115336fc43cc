"""Inputs of affine.quantize: readable ones, and ones searched for next to ties."""

import numpy as np

from tests.vectors.conventions import domain, scale_of, steps, zero_point_of

TIES = [0.5, 1.5, 2.5], [-0.5, -1.5, -2.5]
BESIDE = [0.5], [1.5], [-0.5], [-1.5], [0.25, 0.75, 2], [-0.25, -0.75, -2], [0.5 - 2.0**-25], [1.5 - 2.0**-23]
FAR = [3e9], [1e30]
SCALES = 0.1, 0.3, 0.007, 49


def candidates(convention):
    yield from readable(convention)
    d, c = domain(convention), steps(convention)
    if d.name == "float64":  # the quotient is the float below ½
        yield given([0.75], np.nextafter(1.5, 2), zero_point_of(convention, 0), *d.ranges[0])
    for place, scale in enumerate(SCALES):
        qmin, qmax = d.ranges[place % len(d.ranges)]
        sign = -1 if d.signed and place % 2 else 1
        s = scale_of(convention, 1 / scale if c.form == "(q-Z)/s" else sign * scale)
        if d.real:
            Z = np.float32(-0.7 if c.form == "sq+Z" else qmin + 3.3)
        else:
            Z = np.int32((qmin + qmax + 1) // 2 + (0 if d.zero or d.signed else (5, -3)[place % 2]))
        for x in searched(c, s, Z, qmin, qmax):
            yield given([x], s, Z, qmin, qmax)


def given(x, s, Z, qmin, qmax):
    return {"x": np.array(x, np.float32), "scale": s, "zero_point": Z, "qmin": qmin, "qmax": qmax}


def readable(convention):
    """Numbers that lie so many codes above the zero point, or above an offset: ties, and beyond the ends."""
    d, c = domain(convention), steps(convention)
    for qmin, qmax in d.ranges:
        zeros = zero_points(convention, qmin, qmax)
        beside = BESIDE if (qmin, qmax) == d.ranges[0] else ()
        for scale, zero in zip((1, -0.5 if d.signed else 0.5, 1, 1), zeros * (2 // len(zeros) or 1), strict=False):
            origin = 0 if c.form == "sq+Z" else zero
            top, bottom = qmax - origin, qmin - origin
            ends = [top, bottom], [top + 1], [bottom - 1], [top + 0.5], [bottom - 0.5], [top + 3], [bottom - 5]
            for positions in (*TIES, *beside, *((*ends, *FAR) if zero == zeros[0] else ())):
                s, Z, k = scale_of(convention, scale), zero_point_of(convention, zero), np.array(positions, np.float64)
                x = k / s if c.form == "(q-Z)/s" else k * s + (float(Z) if c.form == "sq+Z" else 0)
                yield given(x, s, Z, qmin, qmax)
    if d.empty:
        Z = zero_point_of(convention, zeros[0])
        yield given([Z - 1, Z + 2], scale_of(convention, 0), Z, qmin, qmax)


def zero_points(convention, qmin, qmax):
    """A few zero points, the readable ones first."""
    d, middle = domain(convention), (qmin + qmax + 1) // 2
    if d.zero or d.signed:
        return [middle]
    if d.real:
        return [0, -1.5] if steps(convention).form == "sq+Z" else [3.25, 0]
    return [3, middle, 0, 2]


def searched(c, s, Z, qmin, qmax):
    """Numbers at and beside ties for which one order of operations, or precision, gives another code than the others.

    Of those that are alike in this, one that is not itself at a tie is preferred, and a small one.
    """
    k = np.arange(qmin, qmax) + 0.5
    exact = (k - Z) / s if c.form == "(q-Z)/s" else k * s + Z if c.form == "sq+Z" else (k - Z) * np.float64(s)
    around = [exact.astype(np.float32)]
    for end in (-np.inf, np.inf):
        near = around[0]
        for _ in range(2):
            near = np.nextafter(near, np.float32(end))
            around.append(near)
    x = np.unique(np.concatenate(around))
    with np.errstate(all="ignore"):
        found = {way: (t, after) for way, t, after in ways(x, s, Z, qmin, c.form)}
    answers = np.array([rounded(t, c.rounding) + after for t, after in found.values()])
    own = found[c.quotient, c.zero_point_added, type(s)][0]
    order = np.lexsort((abs(x), own % 1 == 0.5))
    x, answers = x[order], answers[:, order]
    _, first = np.unique(answers - answers[0], axis=1, return_index=True)
    return x[sorted(first[(answers[:, first] != answers[0, first]).any(axis=0)])]


def ways(x, scale, zero_point, qmin, form):
    """Yield orders of operations in NumPy: what is rounded, and what is added after it. Only to find inputs with."""
    for dtype in (np.float32, np.float64):
        v, s, Z = x.astype(dtype), dtype(scale), dtype(zero_point)
        below = dtype(qmin) - Z
        quotients = {"divide": lambda v, s=s: v / s, "reciprocal": lambda v, s=s: v * (1 / s)}
        if form == "(q-Z)/s":
            quotients = {"multiply": lambda v, s=s: v * s}
        for name, of in quotients.items():
            if form == "sq+Z":
                yield (name, "subtracted", dtype), of(v - Z), 0
                yield (name, "before", dtype), of(v) - of(Z), 0
            else:
                yield (name, "after", dtype), of(v), Z
                yield (name, "before", dtype), of(v) + Z, 0
                yield (name, "shifted", dtype), of(v - s * below) + below, Z
                yield ("fused", "before", dtype), (of(dtype(1)) * x.astype(np.float64) + np.float64(Z)).astype(dtype), 0


def rounded(t, rule):
    half = t.dtype.type(0.5)
    if rule == "half_even":
        return np.rint(t)
    return np.floor(t + half) if rule == "add_half" else np.trunc(t + np.copysign(half, t))
