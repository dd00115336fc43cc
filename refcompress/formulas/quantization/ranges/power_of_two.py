"""Power-of-two scale: a scale that hardware applies by a shift.

Tutorial: tutorials/04_conventions.py
"""

from math import frexp, isqrt, ldexp

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import check_finite, choice, float_array, real


def scale(absmax: ArrayLike, qmax: float, rounding: str = "ceil") -> np.ndarray:
    """The power of two next to absmax/qmax.

        s = 2^⌈log₂(absmax / qmax)⌉   (ceil)        s = 2^round(log₂(absmax / qmax))   (nearest)

    Parameters
    ----------
    absmax : float scalar or array
        Largest magnitude, above 0, in the weights' unit; one for every group where it is an array.
    qmax : real number above 0
        Code of absmax: 127, or 127.5 where a convention divides by that.
    rounding : "ceil" or "nearest"
        ceil clips nothing, q · s reaches absmax; nearest can clip up to 1 − 1/√2 = 29 % of absmax.

    Returns
    -------
    array of absmax's shape and dtype, powers of two.

    Raises
    ------
    TypeError
        If absmax is neither float32 nor float64, or qmax is not a real number.
    ValueError
        If absmax is not above 0 and finite, qmax is not above 0 and finite, rounding is unknown, or s is too large or
        too small for absmax's dtype.

    Notes
    -----
    Exact: no logarithm and no quotient is rounded. With absmax = m·2^i and qmax = n·2^j, ½ ≤ m, n < 1, the quotient is
    m/n·2^(i−j) with m/n in (½, 2): ⌈log₂⌉ is i − j, and 1 more where m > n. "nearest" is nearest in the logarithm: its
    bounds, m = n·√2 and m = n/√2, are irrational, so that ties do not exist, and integers are compared.

    PyTorch 2.13 (ATen/native/quantized/cpu/QuantUtils.h, force_scale_power_of_two) is "ceil" by ⌈log s / log 2⌉ in
    float64, which is 1 too high at s = 2^29 (log 2^29 / log 2 = 29.000000000000004) and shifts a 32-bit 1 by it.

    References
    ----------
    .. [1] Jain et al., "Trained quantization thresholds for accurate and efficient fixed-point inference of deep neural
       networks", arXiv:1903.08066, section 3 (ceil).

    Examples
    --------
    >>> scale(np.array([127.0, 127.5, 1.5]), 127)
    array([1.      , 2.      , 0.015625])
    >>> float(scale(180.0, 127)), float(scale(180.0, 127, "nearest"))
    (2.0, 2.0)
    >>> float(scale(179.0, 127, "nearest"))
    1.0
    """
    absmax = float_array("absmax", absmax)
    check_finite("absmax", absmax)
    if not (absmax > 0).all():
        raise ValueError(f"absmax must be above 0, got {absmax.min()}")
    n, j = frexp(real("qmax", qmax, 0.0, open_low=True, open_high=True))
    m, i = np.frexp(absmax.astype(np.float64))
    if choice("rounding", rounding, ("ceil", "nearest")) == "ceil":
        exponent = i - j + (m > n)
    else:
        N, units = int(ldexp(n, 53)), np.ldexp(m, 53)  # in units of 2^−53, n and m are integers
        above, below = isqrt(2 * N * N), isqrt(N * N // 2)  # ⌊n·√2⌋ and ⌊n/√2⌋
        exponent = i - j + (units > above) - (units <= below)
    with np.errstate(over="ignore", under="ignore"):
        s = np.ldexp(absmax.dtype.type(1), exponent)
    good = np.isfinite(s) & (s > 0)
    if not good.all():
        raise ValueError(f"absmax / qmax must have a power of two in {s.dtype}, got 2^{exponent[~good].flat[0]}")
    return s
