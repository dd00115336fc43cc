"""Error ledger: which step of quantization the squared error comes from, in parts that sum to it exactly.

Tutorial: tutorials/04_conventions.py
"""

from dataclasses import replace
from math import frexp, fsum, inf, ldexp, log10
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from refcompress.formulas.checks import boolean, check_finite, check_not_empty, check_shape, float_array
from refcompress.formulas.quantization import affine, conventions
from refcompress.formulas.quantization.conventions import Convention
from refcompress.formulas.quantization.granularity import Axis


class Ledger(NamedTuple):
    """Parts of a squared error, in the square of the weights' unit; their sum is the total, exactly."""

    clipping: float
    rounding: float
    scale_storage: float
    format: float
    total: float


def ledger(x: ArrayLike, clipped: ArrayLike, rounded: ArrayLike, stored: ArrayLike, restored: ArrayLike) -> Ledger:
    """Share the squared error among the steps x → clipped → rounded → stored → restored.

        e = restored − x = e₁ + e₂ + e₃ + e₄        e_k: what step k adds
        part_k = Σ e_k · e                          Σ_k part_k = Σ e² = total

    Parameters
    ----------
    x : float array of any shape
        The weights.
    clipped : float array of x's shape
        After clipping to what the codes reach: e₁ is clipping.
    rounded : float array of x's shape
        As it comes back with the scale as computed: e₂ is rounding.
    stored : float array of x's shape
        As it comes back with the scale as stored: e₃ is scale storage.
    restored : float array of x's shape
        In the output's format: e₄ is format.

    Returns
    -------
    Ledger

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If x is empty, shapes differ, a value is not finite, or a square overflows float64.

    Notes
    -----
    Since e² = e·Σ e_k, part_k is Σ e_k² and, for every other step j, Σ e_k·e_j: each cross term 2·e_j·e_k is shared
    between its two steps in equal parts. A part below 0 says that the step undoes what others did (a scale stored too
    large makes clipped weights right again); a step that changes nothing has part 0.

    Differences and products are rounded to float64, products added without further error (fsum). Then all five
    numbers are rounded to multiples of one u, 2⁻⁵⁰ times a power of two above every Σ |e_k·e|, and the largest part
    takes what the others leave of the total, less than 7u (16 roundings of 2⁻⁵³ in the parts and 4 in the total,
    which is at most 4·Σ |e_k·e|, are 4.1u; five roundings to the grid 2.5u; where no product is subnormal). Now the
    sum of the parts is the total exactly, added in any order: the parts are integers times u, four integers below
    2⁵¹, so that every partial sum is below 2⁵³ and no addition rounds.

    References
    ----------
    .. [1] The same sharing of a variance among the summands of a variable, Var(e) = Σ_k Cov(e_k, e): Tasche, "Capital
       allocation to business units and sub-portfolios: the Euler principle", arXiv:0708.2542.

    Examples
    --------
    >>> x = np.array([0.25, 3.0])
    >>> clipped, rounded, stored = np.array([0.25, 2.0]), np.array([0.0, 2.0]), np.array([0.0, 2.5])
    >>> ledger(x, clipped, rounded, stored, restored=stored)
    Ledger(clipping=0.5, rounding=0.0625, scale_storage=-0.25, format=0.0, total=0.3125)
    """
    x = float_array("x", x)
    check_not_empty("x", x)
    check_finite("x", x)
    stages = [x.astype(np.float64)]
    for name, stage in (("clipped", clipped), ("rounded", rounded), ("stored", stored), ("restored", restored)):
        array = float_array(name, stage)
        check_shape(name, array, x.shape)
        check_finite(name, array)
        stages.append(array.astype(np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        e = stages[-1] - stages[0]
        products = [(stages[k + 1] - stages[k]) * e for k in range(4)]
        largest = max(float(np.abs(product).sum()) for product in products)
    if not largest < 2.0**1000:
        raise ValueError(f"x must leave squared errors with a sum below 2^1000, got an error of {np.abs(e).max():g}")
    sums = [fsum(terms.reshape(-1).tolist()) for terms in (*products, e * e)]
    return Ledger(*_balanced(sums, largest))


def of(
    x: ArrayLike,
    scale: ArrayLike,
    zero_point: ArrayLike,
    qmin: int,
    qmax: int,
    convention: Convention | str,
    axis: Axis = None,
    *,
    block_size: int | None = None,
    stored_scale: ArrayLike | None = None,
    requantize: bool = False,
    dtype: DTypeLike | None = None,
    rng: np.random.Generator | None = None,
) -> Ledger:
    """Ledger of a tensor that is quantized by a convention.

        clipped = clip(x, x̂(qmin), x̂(qmax))     rounded = x̂(q), both with s and Z as given
        stored = x̂(q) with s and Z as stored     restored = stored in the output's dtype

    Parameters
    ----------
    x, scale, zero_point, qmin, qmax, convention, axis, block_size, rng : as for `affine.quantize`
        Scale and zero point as computed.
    stored_scale : float scalar or array like scale, optional
        s as stored, for any format; if not given, the convention's scale_dtype says what is stored.
    requantize : bool
        False: all codes come from the scale as given, and only the reader uses the stored one (ggml's Q4_0). True: the
        third step's codes are made again, with the stored scale.
    dtype : float16, float32 or float64, optional
        The output's dtype; if not given, that of `affine.dequantize`, and the format's part is 0.

    Returns
    -------
    Ledger

    Raises
    ------
    TypeError, ValueError
        As `affine.quantize` and `ledger`, if there is nothing to requantize with, dtype is no such type, or a value
        overflows it.

    Notes
    -----
    The rounding of s·(q − Z) itself counts as rounding. A code range that the convention narrows clips at its used
    ends.

    References
    ----------
    .. [1] `ledger`; for the storage of a scale as float16, ggml's block formats.

    Examples
    --------
    >>> x = np.array([0.11, 0.5, -0.3, 1.0], np.float32)
    >>> s, Z = affine.choose(np.float32(-0.3), np.float32(0.8), 0, 15, "onnx")
    >>> parts = of(x, s, Z, 0, 15, "onnx", stored_scale=np.float32(np.float16(s)))
    >>> parts.clipping > parts.rounding > parts.scale_storage > parts.format == 0
    True
    >>> sum(parts[:4]) == parts.total
    True
    """
    c = conventions.named(convention)
    as_given = replace(c, scale_dtype="input")
    if boolean("requantize", requantize) and stored_scale is None:
        raise ValueError("stored_scale must be given to requantize with, got None")
    if requantize and rng is not None:
        raise ValueError(f"rng must be None with requantize, which would draw again, got {rng!r}")

    def codes(s: ArrayLike) -> np.ndarray:
        return affine.quantize(x, s, zero_point, qmin, qmax, c, axis, block_size=block_size, rng=rng)

    def values(q: np.ndarray, s: ArrayLike, convention: Convention) -> np.ndarray:
        return affine.dequantize(q, s, zero_point, convention, axis, block_size=block_size)

    q = codes(scale)
    ends = [values(np.full(q.shape, code), scale, as_given) for code in c.codes(qmin, qmax)]
    clipped = np.clip(np.asarray(x), np.minimum(*ends), np.maximum(*ends))  # with s < 0 the first end is the upper one
    rounded = values(q, scale, as_given)
    kept = scale if stored_scale is None else stored_scale
    stored = values(codes(kept) if requantize else q, kept, c)
    return ledger(x, clipped, rounded, stored, _formatted(stored, dtype))


def sqnr(x: ArrayLike, restored: ArrayLike) -> float:
    """Signal to quantization noise ratio.

        SQNR = 10 · log₁₀( Σ x² / Σ (x − x̂)² )

    Parameters
    ----------
    x : float array of any shape
    restored : float array of x's shape
        x̂.

    Returns
    -------
    float, in decibels; ∞ where x̂ is x.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64.
    ValueError
        If x is empty or all zero, shapes differ, a value is not finite, or a difference overflows.

    Notes
    -----
    Computed in float64, the sums without further error (fsum), of values divided by a power of two, so that squares
    neither overflow nor vanish. No ε is added to either sum. Over several tensors, the ratio of all squares is not
    the mean of the tensors' ratios.

    References
    ----------
    .. [1] Widrow and Kollár, "Quantization noise", 2008, chapter 1.

    Examples
    --------
    >>> sqnr(np.array([3.0, 4.0]), np.array([3.0, 4.5]))
    20.0
    >>> sqnr(np.array([3.0, 4.0]), np.array([3.0, 4.0]))
    inf
    """
    x, restored = float_array("x", x), float_array("restored", restored)
    check_not_empty("x", x)
    check_shape("restored", restored, x.shape)
    check_finite("x", x)
    check_finite("restored", restored)
    if not x.any():
        raise ValueError("x must not be all zero, its ratio to any noise is undefined")
    with np.errstate(over="ignore"):
        error = x.astype(np.float64) - restored
    check_finite("x - restored", error)
    if not error.any():
        return inf
    (signal, i), (noise, j) = _sum_of_squares(x.astype(np.float64)), _sum_of_squares(error)
    return 10 * (log10(signal / noise) + 2 * (i - j) * log10(2))


def _balanced(sums: list[float], largest: float) -> list[float]:
    """Parts and total as multiples of one power of two, the largest part such that they balance."""
    exponent = max(frexp(largest)[1] - 50, -1074)  # of u; −1074 is the smallest there is
    *parts, total = (round(ldexp(value, -exponent)) for value in sums)
    k = max(range(len(parts)), key=lambda i: abs(parts[i]))
    parts[k] += total - sum(parts)
    return [ldexp(units, exponent) for units in (*parts, total)]


def _formatted(x: np.ndarray, dtype: DTypeLike | None) -> np.ndarray:
    """x in the output's dtype, as an array of its own."""
    if dtype is None:
        return x
    wanted = np.dtype(dtype)
    if wanted not in (np.float16, np.float32, np.float64):
        raise TypeError(f"dtype must be float16, float32 or float64, got {wanted}")
    with np.errstate(over="ignore", under="ignore"):
        formatted = x.astype(wanted)
    check_finite(f"the output in {wanted}", formatted)
    return formatted.astype(x.dtype)


def _sum_of_squares(x: np.ndarray) -> tuple[float, int]:
    """S and i with Σ x² = S · 4^i."""
    i = int(np.frexp(np.abs(x).max())[1])
    with np.errstate(under="ignore"):
        scaled = np.ldexp(x, -i)
        return fsum((scaled * scaled).reshape(-1).tolist()), i
