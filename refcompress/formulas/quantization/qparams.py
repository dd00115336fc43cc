"""Scale and zero point of a range, in any convention.

Tutorial: tutorials/04_conventions.py
"""

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_finite, check_ranges, check_shape, floats_in
from refcompress.formulas.quantization import conventions
from refcompress.formulas.quantization import rounding as rounding_rules
from refcompress.formulas.quantization.axes import OFFSETS
from refcompress.formulas.quantization.convention import Convention, middle

TINY = np.finfo(np.float32).tiny
EPSILON = np.float32(2.0**-23)
SMALL = np.float32(6.1e-5)


def choose(
    low: ArrayLike, high: ArrayLike, qmin: int, qmax: int, convention: Convention | str
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point for the range [low, high].

        s = (high − low) / (qmax − qmin)        Z = round(qmin − low / s)        or what the convention says

    Parameters
    ----------
    low, high : float scalars or arrays of one shape
        Ends of the range, in the weights' unit; one of each for every channel, token or block where they are arrays.
    qmin, qmax : int from −32,768 to 65,535
        The codes' range, the unused code of a narrow range included.
    convention : Convention, or the name of a preset

    Returns
    -------
    (s, Z) : arrays of low's shape. s is float32, or of the range's dtype in a convention that takes any. Z is int32, or
        like s where it is a real number.

    Raises
    ------
    TypeError
        If an end is neither float32 nor float64, or float64 where the convention computes in float32.
    ValueError
        If low > high, an end is not finite, shapes differ, there are not two codes, s is infinite, or s is 0 and the
        convention has no such scale.

    Notes
    -----
    Every operation is rounded to the convention's range dtype, in the order in which its formulas are written; (qmax −
    qmin)/2 is exact. Z is clipped to the codes' range: a range that leaves 0 out has its zero point outside.

    References
    ----------
    .. [1] Jacob et al., arXiv:1712.05877, section 3, eq. 13.

    Examples
    --------
    >>> s, Z = choose(np.float32(-1), np.float32(3), 0, 255, "onnx")
    >>> float(s), int(Z)
    (0.01568627543747425, 64)
    """
    c = conventions.named(convention)
    lowest, highest = c.codes(qmin, qmax)
    dtype = None if c.range_dtype == "input" else np.dtype(c.range_dtype)
    low, high = floats_in("low", low, dtype), floats_in("high", high, dtype)
    check_shape("high", high, low.shape)
    check_finite("low", low)
    check_finite("high", high)
    check_ranges("low must not exceed high", low <= high, low, high)
    _check_codes(lowest, highest, c)
    with np.errstate(all="ignore"):
        start, end = _widened(low, high, c)
        if c.scale in ("asymmetric", "mirrored", "inverse_width"):
            check_ranges(f"high - low must be finite in {low.dtype}", np.isfinite(end - start), low, high)
        exact = _scale(start.astype(low.dtype), end.astype(low.dtype), lowest, highest, c)
        if c.zero_range == "tenth":
            exact, start, end = _at_least_small(exact, start, end, highest - lowest)
        s = exact if c.compute_dtype == "input" else exact.astype(np.float32)
        wide = np.dtype(np.float64) if c.zero_point_from.startswith("float64") else low.dtype
        used = exact if c.zero_point_from == "unrounded_scale" else s
        Z = _zero_point(start.astype(wide), end.astype(wide), used.astype(wide), lowest, highest, c)
        if c.zero_point_type == "real":
            Z = Z.astype(s.dtype)
        if c.nudge == "range":
            s = np.where(start < end, _covering(start, end, Z, lowest, highest).astype(s.dtype), s)
        if c.zero_range == "one_below_normal":
            small = np.abs(exact) < TINY
            s, Z = np.where(small, s.dtype.type(1), s), np.where(small, Z.dtype.type(0), Z)
        if c.zero_range == "epsilon":
            if c.scale == "asymmetric":
                Z = np.where(s == 0, np.where(start < 0, highest, 0), Z).astype(Z.dtype)
            s = np.where(s == 0, EPSILON, s)
        last = s * highest + (Z if c.form == "sq+Z" else -Z) if c.form in OFFSETS else s
    check_ranges(f"high - low must be finite in {s.dtype}", np.isfinite(s) & np.isfinite(last), low, high)
    check_ranges("high - low must be large enough for a scale above 0", (s != 0) | (c.zero_range == "zero"), low, high)
    return s[()], -Z[()] if c.form == "s(q+Z)" else Z[()]


def _check_codes(qmin: int, qmax: int, c: Convention) -> None:
    """Raise ValueError unless the zero point is a code and the scale's divisor above 0."""
    if c.zero_point in ("zero", "middle"):
        Z = middle(qmin, qmax) if c.zero_point == "middle" else 0
        below = c.scale in ("symmetric_qmin", "signed", "both_ends")
        above = c.scale in ("symmetric_qmax", "inverse_absmax", "both_ends")
        if not (qmin + below <= Z <= qmax - above):
            raise ValueError(f"qmin and qmax must leave codes on the sides of Z = {Z} that s needs, got {qmin}, {qmax}")


def _widened(low: np.ndarray, high: np.ndarray, c: Convention) -> tuple[np.ndarray, np.ndarray]:
    """The range with 0 in it and not too small, where the convention says so."""
    if c.include_zero != "no":
        low = np.minimum(low, 0)
    if c.include_zero == "yes":
        high = np.maximum(high, 0)
    if c.zero_range in ("unit_width", "unit_ends"):
        below, above = (-1, 1) if c.zero_range == "unit_ends" else (low, low + 1)
        low, high = np.where(low == high, below, low), np.where(low == high, above, high)
    if c.zero_range == "grown":
        low, high = low.astype(np.float64), high.astype(np.float64)
        short = high - low <= 1e-6
        low, high = np.where(short, low - 1e-6, low), np.where(short, high + 1e-6, high)
    return low, high


def _scale(low: np.ndarray, high: np.ndarray, qmin: int, qmax: int, c: Convention) -> np.ndarray:
    """Return s, as `AXES["scale"]` writes it."""
    number, empty = low.dtype.type, low == high
    Z = middle(qmin, qmax) if c.zero_point == "middle" else 0
    largest = np.maximum(np.maximum(-low, high), number(c.smallest_range))
    if c.scale == "mirrored":
        low, high = np.where(low < 0, -largest, low), largest
    width = np.maximum(high - low, number(c.smallest_range))
    s: np.ndarray
    if c.scale == "signed":
        s = np.where(high > -low, high, low) / number(qmin - Z)
    elif c.scale == "both_ends":
        s = np.maximum(low / number(qmin - Z), high / number(qmax - Z))
    elif c.scale == "symmetric_qmax":
        s = largest / number(qmax - Z)
    elif c.scale == "symmetric_half":
        s = largest / number((qmax - qmin) / 2)
    elif c.scale == "symmetric_qmin":
        s = largest / number(Z - qmin)
    elif c.scale == "inverse_width":
        s = (1 / width) * number(qmax - qmin)
    elif c.scale == "inverse_absmax":
        s = np.where(largest == 0, 0, (1 / largest) * number(qmax)).astype(low.dtype)
    else:
        s = width / number(qmax - qmin)
    if c.zero_range == "one":
        s = np.where(empty, number(1), s)
    if c.zero_range == "one_below_1e-4":
        s = np.where(width <= number(1e-4), number(1), s)
    if c.smallest_scale:
        inverse = c.scale.startswith("inverse")
        s = np.minimum(s, number(1 / c.smallest_scale)) if inverse else np.maximum(s, number(c.smallest_scale))
    return np.asarray(s)


def _at_least_small(
    s: np.ndarray, low: np.ndarray, high: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale and range of the zero range "tenth", with the products in float32 as QuantUtils.h takes them."""
    single = s.astype(np.float32)
    s = np.where((single == 0) | np.isinf(1 / single), 0.1, s)
    few, factor, width = s < SMALL, SMALL / single, SMALL * np.float32(steps)
    wider_low = np.where(high == 0, -width, low.astype(np.float32) * factor)
    wider_high = np.where(low == 0, width, high.astype(np.float32) * factor)
    return (
        np.where(few, float(SMALL), s),
        np.where(few & (low != 0), wider_low, low),
        np.where(few & ((low == 0) | (high != 0)), wider_high, high),
    )


def _zero_point(low: np.ndarray, high: np.ndarray, s: np.ndarray, qmin: int, qmax: int, c: Convention) -> np.ndarray:
    """Return Z, as `AXES["zero_point"]` writes it."""
    if c.zero_point in ("zero", "middle"):
        return np.full(low.shape, 0 if c.zero_point == "zero" else middle(qmin, qmax), np.int32)
    if c.form in OFFSETS:
        return low if c.form == "sq+Z" else -low
    inverse = c.form == "(q-Z)/s"
    below, above = (end * s if inverse else np.where(s == 0, 0, end / s).astype(s.dtype) for end in (low, high))
    if c.zero_point == "quotient":
        return qmin - below
    if c.zero_point == "rounded_quotient":
        Z = qmin - rounding_rules.apply(below, c.zero_point_rounding)
    else:
        Z = qmin - below
        if c.zero_point == "nearer_end":
            Z = np.where(abs(qmin) - np.abs(below) < abs(qmax) - np.abs(above), Z, qmax - above)
        if c.zero_point_from == "float64_to_float32":
            Z = Z.astype(np.float32)
        Z = rounding_rules.apply(Z, c.zero_point_rounding)
    return np.clip(Z, qmin, qmax).astype(np.int32)


def _covering(low: np.ndarray, high: np.ndarray, Z: np.ndarray, qmin: int, qmax: int) -> np.ndarray:
    """Return the smallest s with which both ends fit between the codes, Z given."""
    below, above = low / (qmin - Z).astype(low.dtype), high / (qmax - Z).astype(low.dtype)
    return np.fmax(np.where(qmin < Z, below, np.nan), np.where(qmax > Z, above, np.nan))
