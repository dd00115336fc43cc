"""Uniform b-bit quantization: 2^b equal steps from α to β (Q2 in its default reading, Q3, Q4).

Tutorial: tutorials/03_b_bit_quantization.py
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import choice, float_array, integer
from refcompress.formulas.quantization import affine_steps, conventions, qparams
from refcompress.formulas.quantization import rounding as rounding_rules

NAMES = ("w", "s", "z")


def scale_and_offset(low: ArrayLike, high: ArrayLike, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of the uniform scheme over the range [α, β] (Q4).

        s = (β − α) / (2^b − 1)        z = α

    Parameters
    ----------
    low, high : float scalars or arrays of one shape
        α and β, in the weights' unit; one of each for every channel where they are arrays.
    bits : int from 1 to 16
        b.

    Returns
    -------
    (s, z) : in the weights' unit and the dtype of low and high (a Python float counts as float64), s > 0.

    Raises
    ------
    TypeError
        If an end is neither float32 nor float64, or bits is not an integer.
    ValueError
        If α > β, an end is not finite, shapes differ, bits is out of range, s underflows to 0, or β − α (or what the
        last code stands for, s · (2^b − 1) + z) overflows.

    Notes
    -----
    A constant range, α = β, gets s = 1 and z = α, so that its code is 0 and comes back exactly.

    References
    ----------
    .. [1] source document, section 3.2, formulas Q3 and Q4.

    Examples
    --------
    >>> s, z = scale_and_offset(-1.0, 2.0, bits=2)
    >>> float(s), float(z)
    (1.0, -1.0)
    """
    return qparams.choose(low, high, 0, 2 ** integer("bits", bits, 1, 16) - 1, "source")


def quantize(
    w: ArrayLike,
    s: ArrayLike,
    z: ArrayLike,
    bits: int,
    *,
    rounding: str = "half_even",
    rng: np.random.Generator | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Codes q_i of the parameters w_i in the uniform scheme (Q1, Q2).

        q = clip( round((w − z) / s),  0,  2^b − 1 )

    Parameters
    ----------
    w : float array of any shape
        Weights.
    s, z : float scalars or arrays that broadcast to w's shape
        Scale (s > 0) and offset, in the weights' unit.
    bits : int from 1 to 16
        b.
    rounding : one of `rounding.RULES`
    rng : numpy.random.Generator
        For stochastic rounding only.
    out : array of the result's shape and dtype, optional
        Where to write the result; if an error is raised, its contents are undefined.

    Returns
    -------
    array of w's shape, uint8 up to 8 bits, else uint16.

    Raises
    ------
    TypeError
        If an array is neither float32 nor float64, out is of another dtype, or bits is not an integer.
    ValueError
        If w is empty, a value is not finite, s ≤ 0, shapes do not fit, bits is out of range, or rounding is unknown.

    Notes
    -----
    One subtraction, one division, one rounding to an integer, then saturation, all in the promoted dtype of w, s and z
    (a Python float counts as float64).

    References
    ----------
    .. [1] source document, section 3.2, formula Q2.

    Examples
    --------
    >>> quantize(np.array([-1.0, 0.4, 0.5, 7.0]), s=1.0, z=-1.0, bits=2)
    array([0, 1, 2, 3], dtype=uint8)
    """
    return affine_steps.to_codes(_task(w, s, z, bits, rounding, rng), rng, out)


def dequantize(q: ArrayLike, s: ArrayLike, z: ArrayLike, *, out: np.ndarray | None = None) -> np.ndarray:
    """Weights from codes (Q3).

        w′ = s · q + z

    Parameters
    ----------
    q : integer array of any shape
    s, z : float scalars or arrays that broadcast to q's shape
        Scale and offset, in the weights' unit.
    out : array of the result's shape and dtype, optional
        Where to write the result.

    Returns
    -------
    array of q's shape in the promoted dtype of s and z.

    Raises
    ------
    TypeError
        If q is not of integers, s or z is neither float32 nor float64, or out is of another dtype.
    ValueError
        If s or z is not finite, or shapes do not fit.

    Notes
    -----
    The product is rounded before the sum (no fused multiply-add).

    References
    ----------
    .. [1] source document, section 3.2, formula Q3.

    Examples
    --------
    >>> dequantize(np.array([0, 1, 3]), s=0.5, z=-1.0)
    array([-1. , -0.5,  0.5])
    """
    return affine_steps.from_codes(q, s, z, "source", None, None, out, NAMES)


def fake_quantize(
    w: ArrayLike,
    s: ArrayLike,
    z: ArrayLike,
    bits: int,
    *,
    rounding: str = "half_even",
    rng: np.random.Generator | None = None,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Weights as they come back from their codes, without the codes (Q2 and Q3 in one pass).

        w′ = s · clip( round((w − z) / s),  0,  2^b − 1 ) + z

    Parameters
    ----------
    w, s, z, bits, rounding, rng : as for `quantize`
    out : array of the result's shape and dtype, optional
        Where to write the result, w itself if it is of that dtype; if an error is raised, its contents are undefined.

    Returns
    -------
    array of w's shape in the promoted dtype of s and z, bit for bit dequantize(quantize(w, …), s, z).

    Raises
    ------
    TypeError, ValueError
        As `quantize` does.

    References
    ----------
    .. [1] source document, section 3.2, formulas Q2 and Q3.

    Examples
    --------
    >>> fake_quantize(np.array([-1.0, 0.4, 0.5, 7.0]), s=1.0, z=-1.0, bits=2)
    array([-1.,  0.,  1.,  2.])
    """
    return affine_steps.there_and_back(_task(w, s, z, bits, rounding, rng), rng, out)


def error_bound(s: ArrayLike, rounding: str = "half_even") -> np.ndarray:
    """Largest error of a weight inside of [α, β], in exact arithmetic.

        |w − w′| ≤ s/2   for the nearest rules        |w − w′| < s   for the others

    Parameters
    ----------
    s : float scalar or array
        Scale, in the weights' unit.
    rounding : one of `rounding.RULES`

    Returns
    -------
    array of s's shape and dtype, in the weights' unit.

    Raises
    ------
    TypeError
        If s is neither float32 nor float64.
    ValueError
        If rounding is unknown.

    Notes
    -----
    Floating point adds at most `float_slack`.

    References
    ----------
    .. [1] source document, section 3.2, formulas Q2 and Q3: w − w′ = s · (t − round(t)) for t = (w − z)/s.

    Examples
    --------
    >>> float(error_bound(0.5)), float(error_bound(0.5, "floor"))
    (0.25, 0.5)
    """
    s = float_array("s", s)
    nearest = choice("rounding", rounding, rounding_rules.RULES) in rounding_rules.NEAREST
    return s / (2 if nearest else 1)


def float_slack(s: ArrayLike, z: ArrayLike, bits: int) -> np.ndarray:
    """What floating point can add to `error_bound` on [α, β].

        slack = u · (3 · N · s + max(|z|, |z + N · s|)) · (1 + 16u) + 2 · N · η,     N = 2^b − 1

    u is the unit roundoff (half of the machine epsilon) and η the smallest subnormal of the promoted dtype of s and z.
    Each rounded operation errs by a factor 1 ± u, or by η where the result is subnormal:

        w − z, then its quotient by s      two factors on t ≤ N: 2u·N in units of s, so 2u·N·s
        s · q                              one factor on at most N·s: u·N·s
        … + z                              one factor on w′: u · max(|z|, |z + N·s|)
        s itself, where it is subnormal    N·s misses β − α by at most N·η

    (1 + 16u) covers the products of these factors and the rounding of this formula.

    Parameters
    ----------
    s, z : float scalars or arrays that broadcast
        Scale and offset, in the weights' unit.
    bits : int from 1 to 16

    Returns
    -------
    float64 array, in the weights' unit.

    Raises
    ------
    TypeError
        If s or z is neither float32 nor float64, or bits is not an integer.
    ValueError
        If bits is out of range.

    References
    ----------
    .. [1] Higham, "Accuracy and stability of numerical algorithms", 2002, section 2.2 (the standard model).

    Examples
    --------
    >>> bool(float_slack(np.float32(0.1), np.float32(-0.75), 4) < 1e-5 * error_bound(0.1))
    True
    """
    s, z = float_array("s", s), float_array("z", z)
    info = np.finfo(np.result_type(s, z))
    levels = 2 ** integer("bits", bits, 1, 16) - 1
    u, width = float(info.eps) / 2, levels * s.astype(np.float64)
    largest = np.maximum(np.abs(z), np.abs(z + width))
    return (3 * (u * width) + u * largest) * (1 + 16 * u) + 2 * levels * float(info.smallest_subnormal)


def _task(
    w: ArrayLike, s: ArrayLike, z: ArrayLike, bits: int, rounding: str, rng: np.random.Generator | None
) -> affine_steps.Task:
    """The preset "source" with this rounding, and the weights it is to quantize."""
    last = 2 ** integer("bits", bits, 1, 16) - 1
    rounding_rules.check("rounding", rounding, rng)
    return affine_steps.prepare(w, s, z, 0, last, replace(conventions.named("source"), rounding=rounding), names=NAMES)
