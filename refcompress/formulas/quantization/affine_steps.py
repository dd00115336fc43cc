"""The steps that the functions of affine quantization and of the uniform scheme share: one block after the other."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.blocks import Index, blocks
from refcompress.formulas.checks import (
    check_finite,
    check_not_empty,
    code_type,
    float_array,
    floats_in,
    integer_array,
    output,
)
from refcompress.formulas.fused import fma
from refcompress.formulas.quantization import conventions, granularity
from refcompress.formulas.quantization import rounding as rounding_rules
from refcompress.formulas.quantization.convention import Convention
from refcompress.formulas.quantization.granularity import Axis

NAN_CODES: dict[str, Callable[[int, int], int]] = {
    "nan_low": lambda qmin, qmax: qmin,
    "nan_high": lambda qmin, qmax: qmax,
    "nan_zero": lambda qmin, qmax: 0,
}
NAMES = ("x", "scale", "zero_point")  # what errors call the arguments


class Task(NamedTuple):
    """Checked arguments of `quantize`: s and Z of one dtype, numbers or broadcastable to x."""

    x: np.ndarray
    s: np.ndarray
    Z: np.ndarray
    ends: tuple[int, int]
    c: Convention
    names: tuple[str, str, str]


def prepare(
    x: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    qmin: int,
    qmax: int,
    convention: Convention | str,
    axis: Axis = None,
    block_size: int | None = None,
    names: tuple[str, str, str] = NAMES,
) -> Task:
    """Return the arguments of `quantize`, checked; errors call them by these names."""
    c, name = conventions.named(convention), names[0]
    x = np.asarray(x) if c.compute_dtype == "input" else floats_in(name, np.asarray(x), np.dtype(np.float32))
    x = float_array(name, x)
    check_not_empty(name, x)
    if c.nonfinite == "error" and c.clip == "before":  # which would hide an infinity
        check_finite(name, x)
    c.codes(qmin, qmax)
    s, Z = _parameters(scale, zero_point, x.shape, c, axis, block_size, names)
    if c.zero_point_type == "integer":
        low, high = (-qmax, -qmin) if c.form == "s(q+Z)" else (qmin, qmax)
        if Z.size and not (low <= Z.min() and Z.max() <= high):
            raise ValueError(f"{names[2]} must be from {low} to {high}, got {Z.min():g} to {Z.max():g}")
    return Task(x, s, Z, (qmin, qmax), c, names)


def to_codes(task: Task, rng: np.random.Generator | None, out: np.ndarray | None) -> np.ndarray:
    """Return what `quantize` does."""
    q = output(out, task.x.shape, code_type(*task.ends), task.x)
    for block, t in _codes(task, rng):
        q[block] = t
    return q


def from_codes(
    q: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    convention: Convention | str,
    axis: Axis,
    block_size: int | None,
    out: np.ndarray | None,
    names: tuple[str, str, str] = NAMES,
) -> np.ndarray:
    """Return what `dequantize` does; errors call scale and zero point by these names."""
    c, q = conventions.named(convention), integer_array("q", q)
    s, Z = _kept(*_parameters(scale, zero_point, q.shape, c, axis, block_size, names), c)
    x = output(out, q.shape, s.dtype, q)
    for block in blocks(q.shape):
        _values(q[block], _part(s, q.shape, block), _part(Z, q.shape, block), c, out=x[block])
    return x


def there_and_back(task: Task, rng: np.random.Generator | None, out: np.ndarray | None) -> np.ndarray:
    """Return what `fake_quantize` does."""
    x, c = task.x, task.c
    s, Z = _kept(task.s, task.Z, c)
    result = output(out, x.shape, s.dtype, x)
    for block, t in _codes(task, rng):
        _values(t, _part(s, x.shape, block), _part(Z, x.shape, block), c, out=result[block])
    return result


def _codes(task: Task, rng: np.random.Generator | None) -> Iterator[tuple[Index, np.ndarray]]:
    """Codes of one block of x after the other, as floats."""
    x, s, Z, ends, c, names = task
    qmin, qmax = c.codes(*ends)
    if c.rounding != "add_half":
        rounding_rules.check("rounding", c.rounding, rng)
    elif rng is not None:
        raise ValueError(f"rng must be None for rounding 'add_half', got {rng!r}")
    dtype = np.result_type(x, s)
    s, Z = s.astype(dtype, copy=False), Z.astype(dtype, copy=False)
    if c.form == "s(q+Z)":
        Z = -Z
    offset = -Z if c.form == "sq-Z" else Z
    if c.zero_point_added == "shifted":
        offset = s * (qmin - Z)
    factor = s if c.quotient in ("divide", "multiply") else _reciprocal(s)
    for block in blocks(x.shape):
        f, z, o = (_part(parameter, x.shape, block) for parameter in (factor, Z, offset))
        with np.errstate(all="ignore"):  # what overflows is clipped, and NaN found below
            t = _unclipped(x[block], f, z, o, qmin, qmax, c, rng)
        if not (t.min() >= qmin and t.max() <= qmax):
            if c.nonfinite == "int64":
                t = np.where(np.abs(t) < 2.0**63, t, t.dtype.type(qmin))
            elif c.nonfinite in NAN_CODES:
                t = np.where(np.isnan(t), t.dtype.type(NAN_CODES[c.nonfinite](qmin, qmax)), t)
            elif np.isnan(t).any() or (c.nonfinite == "error" and not np.isfinite(x[block]).all()):
                _check_numbers(x, t, s, c, names)
            t = np.clip(t, qmin, qmax)
        yield block, t


def _unclipped(
    x: np.ndarray,
    factor: np.ndarray,
    Z: np.ndarray,
    offset: np.ndarray,
    qmin: int,
    qmax: int,
    c: Convention,
    rng: np.random.Generator | None,
) -> np.ndarray:
    """q = round(x / s) + Z of one block, in the convention's order of operations; factor is s or 1/s."""
    before, shifted = c.zero_point_added == "before", c.zero_point_added == "shifted"
    after = shifted or c.zero_point_added == "after"
    if shifted or c.zero_point_added == "subtracted":
        x = x - offset
    if c.quotient == "fused":
        t = fma(x, factor, Z)
    else:
        t = x / factor if c.quotient == "divide" else x * factor
        if shifted:
            t += qmin - Z
        if c.rounding == "add_half":
            t += Z + t.dtype.type(0.5) if before else t.dtype.type(0.5)
        elif before:
            t += Z
    if c.clip == "before":
        t = np.clip(t, qmin - Z, qmax - Z) if after else np.clip(t, qmin, qmax)
    q = np.floor(t) if c.rounding == "add_half" else rounding_rules.apply(t, c.rounding, rng)
    if after:
        q += Z
    return q


def _values(q: np.ndarray, s: np.ndarray, Z: np.ndarray, c: Convention, out: np.ndarray) -> None:
    """Numbers of one block of codes, in place."""
    out[...] = q
    if c.form == "sq+Z":
        out *= s
        out += Z
    elif c.form == "sq-Z":
        out *= s
        out += 0 - Z  # not −Z, with which a code of −0 would stay −0
    else:
        out += Z if c.form == "s(q+Z)" else 0 - Z
        out *= _reciprocal(s) if c.form == "(q-Z)/s" else s


def _check_numbers(x: np.ndarray, t: np.ndarray, s: np.ndarray, c: Convention, names: tuple[str, str, str]) -> None:
    """Raise ValueError for the NaN or infinity in x, or else for the scale that made NaN of a number."""
    saturates = c.nonfinite == "saturate" and bool(np.all(s != 0))
    check_finite(names[0], np.where(np.isinf(x), x.dtype.type(0), x) if saturates else x)
    if np.isnan(t).any():
        raise ValueError(f"{names[1]} must have a finite reciprocal in {s.dtype}, got {np.abs(s).min()}")


def _parameters(
    scale: ArrayLike,
    zero_point: ArrayLike,
    shape: tuple[int, ...],
    c: Convention,
    axis: Axis,
    block_size: int | None,
    names: tuple[str, str, str],
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point, checked, of one float dtype and a shape that broadcasts to `shape`."""
    dtype = None if c.compute_dtype == "input" else np.dtype(np.float32)
    s, Z = floats_in(names[1], scale, dtype), np.asarray(zero_point)
    if c.zero_point_type == "real":
        Z = floats_in(names[2], zero_point, dtype)
    else:
        Z = integer_array(names[2], zero_point)
    for name, parameter in zip(names[1:], (s, Z), strict=True):
        check_finite(name, parameter)
    signed, zero = c.scale == "signed", c.zero_range == "zero"
    if not ((s > 0) | (signed & (s < 0)) | (zero & (s == 0))).all():
        raise ValueError(
            f"{names[1]} must be {'other than' if signed else 'at least' if zero else 'above'} 0, got {s.min()}"
        )
    dtype = np.result_type(s, Z) if c.zero_point_type == "real" else s.dtype
    s, Z = s.astype(dtype), np.asarray(Z.astype(dtype) + dtype.type(0))  # no −0, so that no code comes back as −0
    s, Z = (granularity.expand(n, p, shape, axis, block_size) for n, p in zip(names[1:], (s, Z), strict=True))
    return s[()], Z[()]


def _kept(s: np.ndarray, Z: np.ndarray, c: Convention) -> tuple[np.ndarray, np.ndarray]:
    """Return s, and an offset Z, rounded to the dtype in which the convention keeps them."""
    if c.scale_dtype == "input" or c.scale_dtype == s.dtype:
        return s, Z
    with np.errstate(over="ignore"):
        s_kept = s.astype(c.scale_dtype).astype(np.float32)
        Z_kept = Z.astype(c.scale_dtype if c.zero_point_type == "real" else np.float32).astype(np.float32)
    check_finite(f"scale in {c.scale_dtype}", s_kept)
    check_finite(f"zero_point in {c.scale_dtype}", Z_kept)
    return s_kept, Z_kept


def _reciprocal(s: np.ndarray) -> np.ndarray:
    """Return the rounded 1/s, and 0 for a scale of 0."""
    with np.errstate(divide="ignore", over="ignore"):
        inverse = 1 / s
    return inverse if np.all(s) else np.where(s == 0, s.dtype.type(0), inverse)[()]


def _part(parameter: Any, shape: tuple[int, ...], block: Index) -> Any:
    """The part of a parameter that a block of x needs."""
    if np.ndim(parameter) == 0:
        return parameter
    return np.broadcast_to(parameter, shape)[block]
