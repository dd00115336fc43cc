"""Analytical clipping (ACIQ): the range with the least expected squared error for a Laplace or a normal distribution.

Tutorial: tutorials/04_conventions.py
"""

from math import erfc, exp, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import boolean, check_finite, check_not_empty, choice, float_array, integer

DISTRIBUTIONS = ("laplace", "gauss")
PUBLISHED = {  # bits to α/b and α/σ in the digits in use, some of them cut off instead of rounded (2.55 for 2.559)
    "laplace": {0: 1.05, 1: 1.86, 2: 2.83, 3: 3.89, 4: 5.03, 5: 6.2, 6: 7.41, 7: 8.64, 8: 9.89},
    "gauss": {1: 1.24, 2: 1.71, 3: 2.15, 4: 2.55, 5: 2.93, 6: 3.28, 7: 3.61, 8: 3.92},
}


def factor(bits: int, distribution: str = "laplace", *, positive: bool = False) -> float:
    """Optimal clipping threshold in units of b (Laplace) or σ (Gauss).

        E(α) = 2 ∫_α^∞ (x − α)² f(x) dx + α² / (3 · 4^M)            clipping, and rounding to 2^M levels

        Laplace, b = 1:    E = 2·e^(−α) + α²/(3·4^M)                             E′ = 0:  α·e^α = 3·4^M
        Gauss, σ = 1:      E = (1 + α²)·erfc(α/√2) − √(2/π)·α·e^(−α²/2) + α²/(3·4^M)
                                       E′ = 0:  α·erfc(α/√2) − √(2/π)·e^(−α²/2) + α/(3·4^M) = 0

    Parameters
    ----------
    bits : int from 1 to 16
        M.
    distribution : "laplace" or "gauss"
    positive : bool
        True: only the positive half is quantized (after ReLU), so that the levels lie twice as close: M + 1 for M.

    Returns
    -------
    float, α/b or α/σ.

    Raises
    ------
    TypeError
        If bits is not an integer, or positive is not a bool.
    ValueError
        If bits is out of range, or the distribution is unknown.

    Notes
    -----
    E′ has one zero above 0, found to 10⁻¹² by scipy.optimize.brentq. For Laplace it is W(3·4^M), W Lambert's
    function. The levels are 2^M intervals of width 2α/2^M, each restored to its middle: the levels of a convention
    differ a little, as 0 is one of them. `PUBLISHED` are the factors in use: Distiller (quantization/q_utils.py,
    AciqClipper) has these and for positive values those of one bit more, with 5.02 for the 5.03 of 3 bits and 4.2 for
    8 bits.

    References
    ----------
    .. [1] Banner et al., "Post training 4-bit quantization of convolutional networks for rapid-deployment",
       arXiv:1810.05723, section 3.

    Examples
    --------
    >>> [round(factor(M), 2) for M in (2, 3, 4)], [round(factor(M, "gauss"), 2) for M in (2, 3, 4)]
    ([2.83, 3.9, 5.03], [1.71, 2.15, 2.56])
    >>> factor(3, positive=True) == factor(4)
    True
    """
    from scipy.optimize import brentq

    M = integer("bits", bits, 1, 16) + boolean("positive", positive)
    rounding = 1 / (3 * 4**M)
    laplace = choice("distribution", distribution, DISTRIBUTIONS) == "laplace"

    def slope(a: float) -> float:
        if laplace:
            return a * rounding - exp(-a)
        return a * (erfc(a / sqrt(2)) + rounding) - sqrt(2 / pi) * exp(-a * a / 2)

    return float(brentq(slope, 0.0, 50.0, xtol=1e-12))


def clip(
    x: ArrayLike,
    bits: int,
    distribution: str = "laplace",
    *,
    positive: bool = False,
    ddof: int = 0,
    factors: dict[str, dict[int, float]] | None = None,
) -> tuple[np.floating, np.floating]:
    """Range around the mean with the least expected squared error.

        low = μ − α,  high = μ + α        α = factor · b,  b = mean |x − μ|        (Laplace)
                                          α = factor · σ,  σ = std x               (Gauss)
        low = 0,  high = α                where x is positive

    Parameters
    ----------
    x : float array of any shape
    bits, distribution, positive : as for `factor`
        positive takes no x below 0.
    ddof : 0 or 1
        Of the standard deviation: 0 divides by n, 1 by n − 1. Laplace's b always divides by n.
    factors : dict of dicts, optional
        `PUBLISHED`, or a table like it, instead of `factor`; with positive it is read at bits + 1.

    Returns
    -------
    (low, high) : scalars of x's dtype, in x's unit.

    Raises
    ------
    TypeError
        If x is neither float32 nor float64, or bits or ddof is not an integer.
    ValueError
        If x is empty, a value is not finite or below 0 where only positive ones are taken, the factors have no such
        bits, an argument is unknown or out of range, or the range is not finite.

    Notes
    -----
    Mean and deviation are computed in float64, the ends rounded once to x's dtype; they may be outside of [min x, max
    x]. A constant x gives a range without width.

    Distiller (torch.std, ddof 1) makes another range of α: for symmetric codes ±(|μ| + α); for asymmetric ones it
    starts at max(min x, μ − α) and is 2α wide, or α where positive.

    References
    ----------
    .. [1] Banner et al., arXiv:1810.05723, section 3.

    Examples
    --------
    >>> x = np.array([-1.0, 1.0, -1.0, 1.0])
    >>> low, high = clip(x, 4, factors=PUBLISHED)
    >>> float(low), float(high)
    (-5.03, 5.03)
    >>> low, high = clip(x, 4, "gauss", ddof=1)
    >>> round(float(high) / factor(4, "gauss"), 6)
    1.154701
    """
    x = float_array("x", x)
    check_not_empty("x", x)
    check_finite("x", x)
    ddof, positive = integer("ddof", ddof, 0, 1), boolean("positive", positive)
    if x.size <= ddof:
        raise ValueError(f"x must have more values than ddof {ddof}, got {x.size}")
    if positive and x.min() < 0:
        raise ValueError(f"x must not be below 0 where positive, got {x.min()}")
    if factors is None:
        width = factor(bits, distribution, positive=positive)
    else:
        width = _published(factors, bits, distribution, positive)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = x.mean(dtype=np.float64)
        spread = np.abs(x - mean).mean() if distribution == "laplace" else x.std(dtype=np.float64, ddof=ddof)
        if x.min() == x.max():  # the mean of equal values is rounded
            mean, spread = x.flat[0], np.float64(0)
        low, high = (0.0, width * spread) if positive else (mean - width * spread, mean + width * spread)
        ends = x.dtype.type(low), x.dtype.type(high)
    if not np.isfinite(ends).all():
        raise ValueError(f"x must have a finite range in {x.dtype}, got {low} to {high}")
    return ends


def _published(factors: dict[str, dict[int, float]], bits: int, distribution: str, positive: bool) -> float:
    """The table's factor; ValueError where it has none."""
    table = factors[choice("distribution", distribution, factors)]
    M = integer("bits", bits, 0) + positive
    if M not in table:
        known = ", ".join(str(m - positive) for m in table)
        raise ValueError(f"bits must be one of {known} of the factors, got {bits}")
    return table[M]
