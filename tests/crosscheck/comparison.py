"""Values and ranges on which conventions differ, and the record of a comparison with a library."""

import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import Convention

SCALES = tuple(np.float32(s) for s in (1, 0.5, 0.1, 0.0371, 1 / 3, 7.3e-4, 123.4, 2**-20))
EXTREME_SCALES = np.float32(1e-40), np.float32(1e30)
MILLION = 1_050_000
SPECIAL = {
    "huge": (1e25, -1e25, 1e30, -1e30, 3.4028235e38, -3.4028235e38),
    "infinite": (np.inf, -np.inf),
    "nan": (np.nan, -np.nan),
}
WITHOUT_NAN = ("huge", "infinite")
SMALL = (0.0, -0.0, 1e-45, -1e-45, 1e-40, -1e-40, 1.1754944e-38, -1.1754944e-38)
QUOTIENTS = (0.49999997, 8388607.5, 8388608.5, 16777217.0, 2.0**30)  # of x by s, both signs

Range = tuple[np.ndarray, np.ndarray]


class Pair(NamedTuple):
    """What a library and refcompress say about the same question."""

    what: str
    theirs: np.ndarray
    ours: np.ndarray
    given: np.ndarray | None = None  # a row, or a number, for every answer
    random: int = 0  # how many of the answers are about random values


@dataclass(frozen=True)
class Comparison:
    """How often refcompress and a library differ in one preset."""

    preset: str
    library: str
    version: str
    how: str
    values: int = 0
    random: int = 0
    mismatches: int = 0
    first: str = ""
    parts: str = ""  # of codes, values and range: what was compared

    @property
    def ran(self) -> bool:
        return self.values > 0


def compare(empty: Comparison, pairs: Callable[[], Iterator[Pair]], *, stop: bool = False) -> Comparison:
    """The record, filled: bit for bit, but that any NaN is a NaN; `stop` ends at the first mismatch."""
    values = random = mismatches = 0
    first, parts = "", set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other libraries warn of is not ours
        for pair in pairs():
            wrong = differences(pair.theirs, pair.ours)
            parts |= compared(pair.what)
            values, random, mismatches = values + wrong.size, random + pair.random, mismatches + int(wrong.sum())
            if wrong.any():
                first = first or repro(pair, int(np.flatnonzero(wrong)[0]))
                if stop:
                    break
    named = ", ".join(part for part in ("codes", "values", "range") if part in parts)
    return Comparison(empty.preset, empty.library, empty.version, empty.how, values, random, mismatches, first, named)


def compared(what: str) -> set[str]:
    """Whether a pair is about codes, the numbers that they stand for, or scales and zero points of ranges."""
    first = what.split()[0]
    return {"quantize": {"codes"}, "fake_quantize": {"codes", "values"}, "dequantize": {"values"}}.get(first, {"range"})


def differences(theirs: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Where two arrays are not the same numbers; floats bit for bit."""
    theirs, ours = np.asarray(theirs).ravel(), np.asarray(ours).ravel()
    assert theirs.size == ours.size > 0, (theirs.shape, ours.shape)
    if ours.dtype.kind != "f":
        return theirs.astype(np.float64) != ours  # float64 holds every code, and NaN is none
    assert theirs.dtype == ours.dtype, (theirs.dtype, ours.dtype)
    bits = {4: np.uint32, 8: np.uint64}[ours.itemsize]
    return (theirs.view(bits) != ours.view(bits)) & ~(np.isnan(theirs) & np.isnan(ours))


def repro(pair: Pair, i: int) -> str:
    """One mismatch, with all that is needed to see it again."""
    theirs, ours = np.asarray(pair.theirs).ravel(), np.asarray(pair.ours).ravel()
    given = "" if pair.given is None else f" of {np.asarray(pair.given).reshape(theirs.size, -1)[i].tolist()}"
    return f"{pair.what}{given}: library {theirs[i].item()!r}, refcompress {ours[i].item()!r}"


def neighbours(x: np.ndarray) -> np.ndarray:
    """The numbers, and those up to two ulp beside them."""
    up, down = np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))
    beyond = [np.nextafter(up, np.float32(np.inf)), np.nextafter(down, np.float32(-np.inf))]
    return np.concatenate([x, up, down, *beyond])


def values(
    scale: np.float32,
    zero_point: float,
    qmin: int,
    qmax: int,
    special: Collection[str],
    rng: np.random.Generator,
    random: int = 4000,
) -> np.ndarray:
    """Numbers to quantize, float32: all ties and codes with their neighbours, zeros, special and random values.

    A tie is built as the nearest to (k + ½)·s, and as what gives k + ½ when multiplied by the rounded 1/s. The last
    4·⌈random/4⌉ values are random, of four widths. Without "huge" no quotient by s exceeds 2³⁰.
    """
    s = np.float64(scale)
    codes = np.arange(qmin - 3, qmax + 4)
    k = np.concatenate([codes, codes + 0.5]) - zero_point
    with np.errstate(over="ignore", under="ignore"):
        ties = np.concatenate([k * s, k / np.float64(np.float32(1) / scale)]).astype(np.float32)
        quotients = np.array(QUOTIENTS) * s
        fixed = [neighbours(ties), SMALL, quotients, -quotients, *(SPECIAL[name] for name in special)]
        n, width, centre = -(-random // 4), (qmax - qmin) * s, ((qmax + qmin) / 2 - zero_point) * s
        largest = 80.0 if "huge" in special else min(80.0, np.log(2**30 * s))
        drawn = [
            centre + rng.uniform(-0.55, 0.55, n) * width,
            rng.normal(0, 2 * s, n),
            rng.normal(centre, width, n),
            np.exp(rng.uniform(-80, largest, n)) * rng.choice([-1, 1], n),
        ]
        return np.concatenate([*fixed, *drawn]).astype(np.float32)


def ranges(
    qmin: int, qmax: int, rng: np.random.Generator, *, smallest: float = 0.0, empty: bool = True, largest: float = 1e38
) -> Range:
    """Ends of ranges, float32: zero-point ties, one-sided, constant, symmetric, tiny and random ones, and [0, 0].

    Those that hold nothing as large as `smallest` are left out, but not [0, 0]; without `empty`, all of width 0.
    """
    span = min(qmax - qmin, 300)
    k = np.arange(span) + 0.5
    size = 10.0 ** rng.integers(-8, 6, 500)
    a, b = rng.random((2, 500)) * size
    drawn = np.sort(rng.standard_normal((2500, 2)) * 10.0 ** rng.integers(-8, 6, (2500, 1)))
    tiny = 10.0 ** np.arange(-44, -3)
    steps = np.repeat([1, 0.25, *(rng.random(6) * 3 + 1e-3)], span)
    ends = [
        (-np.tile(k, 8) * steps, (qmax - qmin - np.tile(k, 8)) * steps),  # low/s = −(k + ½)
        (-np.tile(k, 8) * steps, (span - np.tile(k, 8)) * steps),
        (drawn[:, 0], drawn[:, 1]),
        (0 * a, b), (-a, 0 * a), (a, a + b), (-a - b, -a), (-a, a), (a, a), (-a, -a),
        (0 * tiny, tiny), (-tiny, 0 * tiny), (-tiny, tiny), (tiny, tiny), (-tiny, -tiny), (-tiny, 3 * tiny),
        (np.array([0, -1e38, 0, -1e37, 0]), np.array([1e38, 0, 1e37, 1e38, 0])),
    ]  # fmt: skip
    with np.errstate(under="ignore"):
        low, high = (np.concatenate(end).astype(np.float32) for end in zip(*ends, strict=True))
    magnitude = np.maximum(np.abs(low), np.abs(high))
    kept = ((magnitude >= smallest) & (magnitude <= largest)) | (magnitude == 0)
    kept &= (low < high) | empty
    return low[kept], high[kept]


def zero_points(c: Convention, qmin: int, qmax: int) -> tuple[int, ...]:
    """Zero points to quantize with: the one of a symmetric convention, else both ends and two between."""
    middle = (qmin + qmax + 1) // 2
    fixed = {"zero": (0,), "middle": (middle,)}
    return fixed.get(c.zero_point, tuple(sorted({qmin, min(max(qmin, 0) + 3, qmax), middle, qmax})))


def quantized(
    c: Convention,
    qmin: int,
    qmax: int,
    theirs: Callable,
    rng: np.random.Generator,
    *,
    special: Collection[str] = (),
    random: int = MILLION,
    scales: Collection[np.float32] = SCALES,
    fake: bool = False,
    at: Collection[int] | None = None,
) -> Iterator[Pair]:
    """Codes, or with `fake` what they stand for, by theirs(x, s, Z); at every zero point, or only `at` these."""
    points = zero_points(c, qmin, qmax) if at is None else at
    n = -(-random // (len(scales) * len(points)))
    for s in scales:
        for Z in points:
            x = values(s, Z, qmin, qmax, special, rng, n)
            function = affine.fake_quantize if fake else affine.quantize
            ours = function(x, s, Z, qmin, qmax, c)
            what = f"{function.__name__} to codes {qmin} to {qmax} by scale {s.item()!r} and zero point {Z}"
            yield Pair(what, theirs(x, s, Z), ours, x, n)


def grouped(
    c: Convention,
    qmin: int,
    qmax: int,
    theirs: Callable,
    rng: np.random.Generator,
    *,
    axes: Collection[int] = (0, 1, 2),
    block_sizes: Collection[int | None] = (None,),
) -> Iterator[Pair]:
    """Codes by theirs(x, s, Z, axis, block size), each channel or block with its own scale and zero point."""
    shape = (19, 66, 6)
    for axis in axes:
        for size in block_sizes:
            n = shape[axis] if size is None else -(-shape[axis] // size)
            kept = tuple(n if a == axis else shape[a] if size else 1 for a in range(3))
            s = rng.uniform(0.01, 1, kept).astype(np.float32)
            s.flat[::3] = 0.25
            points = zero_points(c, qmin, qmax)
            Z = np.full(kept, points[0]) if len(points) == 1 else rng.integers(qmin, qmax + 1, kept)
            whole, repeats = rng.integers(qmin - 5, qmax + 6, shape), size or 1
            wide = s if size is None else np.repeat(s, repeats, axis).take(range(shape[axis]), axis)
            x = np.where(rng.random(shape) < 0.5, (whole + 0.5) * wide, rng.normal(0, 40, shape) * wide)
            x = x.astype(np.float32)
            parameters = (s, Z) if size else (s.ravel(), Z.ravel())
            ours = affine.quantize(x, *parameters, qmin, qmax, c, axis, block_size=size)
            what = f"quantize to codes {qmin} to {qmax} along axis {axis}" + (f" in blocks of {size}" if size else "")
            yield Pair(what, theirs(x, *parameters, axis, size), ours, x, x.size // 2)


def restored(
    c: Convention, qmin: int, qmax: int, theirs: Callable, scales: Collection[np.float32] = SCALES + EXTREME_SCALES
) -> Iterator[Pair]:
    """Numbers of every code by theirs(q, s, Z)."""
    q = np.arange(qmin, qmax + 1)
    for s in scales:
        for Z in zero_points(c, qmin, qmax):
            what = f"dequantize codes {qmin} to {qmax} by scale {s.item()!r} and zero point {Z}"
            yield Pair(what, theirs(q, s, Z), affine.dequantize(q, s, Z, c), q)


def chosen(
    c: Convention, qmin: int, qmax: int, theirs: Callable, ends: Range, what: str = "", *, zero_point: bool = True
) -> Iterator[Pair]:
    """Scales and zero points by theirs(low, high)."""
    low, high = ends
    s, Z = affine.choose(low, high, qmin, qmax, c)
    scales, points = theirs(low, high)
    of, given = f"of a range for codes {qmin} to {qmax} {what}".rstrip(), np.stack([low, high], 1)
    yield Pair(f"scale {of}", np.asarray(scales, s.dtype), s, given)
    if zero_point:
        yield Pair(f"zero point {of}", points, Z, given)


def weight_rows(
    c: Convention, qmin: int, qmax: int, size: int, rng: np.random.Generator, ends: Range, random: int = MILLION
) -> tuple[np.ndarray, int]:
    """Rows of weights, each with a scale of its own (the ends of its range first, then what lies between), and how many
    of the weights are random.

    Every range once, with random weights; then several scales and zero points, with all ties.
    """
    low, high = ends
    inside = rng.uniform(low[:, None], high[:, None], (len(low), size - 2)).astype(np.float32)
    rows = [np.concatenate([low[:, None], high[:, None], np.clip(inside, low[:, None], high[:, None])], axis=1)]
    steps = [1.0, 0.25, 0.1, 0.0371, 1 / 3, 7.3e-4, 123.4]
    span = qmax - qmin
    offsets = [(k, span - k) for k in (0, (span + 1) // 2, span // 3 + 0.25, span)]
    offsets.append((span // 2, span // 2))  # a divisor of 127 (7, 1) gives the step itself, and exact ties
    drawn = inside.size
    n = 3 * -(-max(random - drawn, 4) // (len(steps) * len(offsets)))  # two of three lie outside of the range
    for step in steps:
        for below, above in offsets:
            first, last = np.float32(-below * step), np.float32(above * step)
            s, Z = affine.choose(first, last, qmin, qmax, c)
            if c.quotient == "multiply":
                s = np.float32(1) / s
            point = {"sq+Z": -Z / s, "sq-Z": Z / s}.get(c.form, Z)
            x = values(np.abs(s), point if s > 0 else -point, qmin - 1, qmax + 1, (), rng, n)
            between = (first <= x) & (x <= last)
            drawn += int(between[-n:].sum())
            x = x[between]
            x = np.concatenate([x, np.full(-len(x) % (size - 2), first)]).reshape(-1, size - 2)
            rows.append(np.concatenate([np.full((len(x), 1), first), np.full((len(x), 1), last), x], axis=1))
    return np.concatenate(rows).astype(np.float32), drawn
