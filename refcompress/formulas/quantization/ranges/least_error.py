"""Least error: the range, shrunk step by step toward zero, from which the values come back best.

Tutorial: tutorials/04_conventions.py
"""

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from refcompress.formulas.checks import integer, real
from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import Convention
from refcompress.formulas.quantization.ranges.min_max import min_max


def search(
    x: ArrayLike,
    qmin: int,
    qmax: int,
    convention: Convention | str,
    norm: float = 2.4,
    grid: int = 100,
    max_shrink: float = 0.8,
) -> tuple[np.floating, np.floating]:
    """Shrunken range with the least error.

        (low, high) = p · (min x, max x)        p = argmin_p Σ |x̂_p − x|^ν,  p = 1 − i/G,  i = 0, 1, … < ⌊r·G⌋

    Parameters
    ----------
    x : float array of any shape, of a dtype that the convention takes
    qmin, qmax : int
        The codes' range.
    convention : Convention, or the name of a preset
        How s and Z follow from the range, and x̂ from them (`affine.choose`, `affine.fake_quantize`).
    norm : real number above 0
        ν: 2 for the squared error.
    grid : int of at least 1
        G.
    max_shrink : real number in (0, 1]
        r: p goes down to 1 − (⌊r·G⌋ − 1)/G, which is 0.21 by default.

    Returns
    -------
    (low, high) : scalars of x's dtype, in x's unit.

    Raises
    ------
    TypeError
        If x has a dtype that the convention does not take, or a number is not of its type.
    ValueError
        If x is empty, a value is not finite, a number is out of range, no candidate is left (r·G < 1), the convention
        has no scale for a range, or the errors overflow.

    Notes
    -----
    Ties go to the larger range: a smaller one must be better. p · min x is rounded to x's dtype, with p rounded to it
    first; errors, powers and their sum are float64. ⌊r·G⌋ is that of the float64 product (0.29 · 100 gives 28).

    GPTQ (quant.py, Quantizer.find_params with mse) is this with norm 2.4, grid 100, max_shrink 0.8 and the convention
    "gptq" or "gptq_symmetric", a row at a time, but adds powers in float32: where two candidates are equal to about
    10⁻⁶, it can take the other. llm-compressor has max_shrink 0.2, and stops after five steps without a gain.

    References
    ----------
    .. [1] Frantar et al., "GPTQ: accurate post-training quantization for generative pre-trained transformers",
       arXiv:2210.17323; its repository's quant.py.

    Examples
    --------
    >>> x = np.array([-0.1, 0.0, 0.1, 0.2, 0.3, 1.0], np.float32)
    >>> low, high = search(x, 0, 3, "gptq", norm=2.0)
    >>> round(float(low), 3), round(float(high), 3)
    (-0.087, 0.87)
    """
    low, high = min_max(x)
    x = np.asarray(x)
    norm = real("norm", norm, 0.0, open_low=True, open_high=True)
    grid = integer("grid", grid, 1)
    count = int(real("max_shrink", max_shrink, 0.0, 1.0, open_low=True) * grid)
    if count < 1:
        raise ValueError(f"max_shrink · grid must be at least 1, got {max_shrink} and {grid}")
    least, best = inf, (low, high)
    for i in range(count):
        p = 1 - i / grid
        ends = p * low, p * high
        s, Z = affine.choose(*ends, qmin, qmax, convention)
        restored = affine.fake_quantize(x, s, Z, qmin, qmax, convention)
        with np.errstate(over="ignore", under="ignore"):
            error = float((np.abs(np.subtract(restored, x, dtype=np.float64)) ** norm).sum())
        if error < least:
            least, best = error, ends
    if least == inf:
        raise ValueError(f"x must have errors whose powers are finite, got values from {low} to {high}")
    return best
