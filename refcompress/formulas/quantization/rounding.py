"""Rounding to integers: nine rules, each exact (the "round" of Q2, whose ties the source leaves open).

Tutorial: tutorials/03_b_bit_quantization.py
"""

import numpy as np

from refcompress.formulas.checks import choice, float_array, generator

NEAREST = ("half_even", "half_away", "half_up", "half_down", "half_toward_zero")
RULES = (*NEAREST, "floor", "ceil", "toward_zero", "stochastic")
DIRECT = {"half_even": np.rint, "floor": np.floor, "ceil": np.ceil, "toward_zero": np.trunc}


def apply(t: np.ndarray, rule: str = "half_even", rng: np.random.Generator | None = None) -> np.ndarray:
    """Round to integers (the round of Q2).

        half_even:         nearest, ties to the even integer        0.5 → 0,  1.5 → 2,  −0.5 → −0
        half_away:         nearest, ties away from zero             0.5 → 1,  1.5 → 2,  −0.5 → −1
        half_up:           nearest, ties toward +∞                  0.5 → 1,  1.5 → 2,  −0.5 → −0
        half_down:         nearest, ties toward −∞                  0.5 → 0,  1.5 → 1,  −0.5 → −1
        half_toward_zero:  nearest, ties toward zero                0.5 → 0,  1.5 → 1,  −0.5 → −0
        floor, ceil, toward_zero
        stochastic:        ⌊t⌋ + [u < t − ⌊t⌋],  u uniform in [0, 1), so that the expected value is t

    Parameters
    ----------
    t : float array of any shape
    rule : one of the above
    rng : numpy.random.Generator
        For stochastic only: one float64 draw of t's shape.

    Returns
    -------
    array of t's shape and dtype, holding integers.

    Raises
    ------
    TypeError
        If t is neither float32 nor float64.
    ValueError
        If the rule is unknown, stochastic has no rng, or another rule has one.

    Notes
    -----
    Ties are the t that are ½ from the nearest integer, a difference which is exact, and t ± ½ is exact there.
    The well-known ⌊t + ½⌋ is not: at the float below ½ the sum rounds up to 1, and odd numbers beyond half of the
    significand (2²³ + 1 in float32) become even.
    (For t in (−1, 0) and stochastic rounding t − ⌊t⌋ is rounded to t's dtype, which moves the probability by at most
    half an ulp of 1.) Infinities and NaN stay what they are, and a result 0 has the sign of t.

    References
    ----------
    .. [1] IEEE 754-2019, section 4.3 (half even, half away, toward zero, floor and ceil).
    .. [2] Gupta et al., "Deep learning with limited numerical precision", arXiv:1502.02551, section 3 (stochastic).

    Examples
    --------
    >>> t = np.array([-1.5, -0.5, 0.5, 1.5, 2.5])
    >>> apply(t)
    array([-2., -0.,  0.,  2.,  2.])
    >>> apply(t, "half_away")
    array([-2., -1.,  1.,  2.,  3.])
    """
    t = float_array("t", t)
    check("rule", rule, rng)
    if rule in DIRECT:
        return DIRECT[rule](t)
    with np.errstate(invalid="ignore"):  # ∞ − ∞: no fraction, nothing to add
        if rng is not None:
            below = np.floor(t)
            return np.copysign(np.where(rng.random(t.shape) < t - below, below + 1, below), t)
        nearest = np.asarray(np.rint(t))
        tie = np.abs(t - nearest) == 0.5
    if tie.any():
        away = np.copysign(t.dtype.type(0.5), t[tie])
        step = {"half_away": away, "half_toward_zero": -away, "half_up": np.abs(away), "half_down": -np.abs(away)}[rule]
        nearest[tie] = np.copysign(t[tie] + step, away)
    return nearest[()]


def check(name: str, rule: str, rng: np.random.Generator | None) -> None:
    """Raise ValueError or TypeError unless the rule, an argument of this name, is known and has the rng it needs."""
    choice(name, rule, RULES)
    if (rng is None) == (rule == "stochastic"):
        wanted = "a numpy.random.Generator" if rng is None else "None"
        raise ValueError(f"rng must be {wanted} for {name} {rule!r}, got {rng!r}")
    if rng is not None:
        generator("rng", rng)
