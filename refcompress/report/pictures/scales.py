"""Logarithmic axes with plain labels, on which 0 has a place."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MARGIN = 1.3  # the factor between the outermost value and the axis' end
LEAST_SPAN = 3.0  # the factor between the ends, below which there might be no two ticks
MOST_DECADES = 8  # labelled on one axis


def power(multiple: int, exponent: int) -> str:
    """The label of the tick at multiple · 10^exponent.

    Examples
    --------
    >>> power(1, -3), power(5, 2)
    ('10⁻³', '5·10²')
    """
    text = f"10{str(exponent).translate(_SUPERSCRIPT)}"
    return text if multiple == 1 else f"{multiple}·{text}"


def logarithmic(
    axes: "Axes", which: Literal["x", "y"], values: np.ndarray, label: Callable[[int, int], str] = power
) -> None:
    """Make an axis logarithmic over values ≥ 0; linear near 0 where a value is 0, and everywhere where all are.

    Parameters
    ----------
    axes : matplotlib Axes
    which : {"x", "y"}
    values : (n,) float array ≥ 0
        What must be seen; infinite and NaN ones are left out.
    label : function (multiple, exponent) → str
    """
    set_scale, set_limits = (axes.set_xscale, axes.set_xlim) if which == "x" else (axes.set_yscale, axes.set_ylim)
    axis = axes.xaxis if which == "x" else axes.yaxis
    positive = values[(values > 0) & np.isfinite(values)]
    if positive.size == 0:
        set_limits(-0.05, 1)
        return
    least, most = float(positive.min()), float(positive.max())
    margin = max(MARGIN, math.sqrt(LEAST_SPAN * least / most))
    low, high = least / margin, most * margin
    ticks = tick_positions(low, high)
    at, labels = [m * 10.0**e for m, e in ticks], [label(m, e) for m, e in ticks]
    if (values == 0).any():
        threshold = 10.0 ** math.floor(math.log10(least))
        set_scale("symlog", linthresh=threshold, linscale=0.5)
        set_limits(-0.2 * threshold, high)
        shown = [i for i, tick in enumerate(at) if tick >= threshold]
        at, labels = [0.0, *(at[i] for i in shown)], ["0", *(labels[i] for i in shown)]
    else:
        set_scale("log")
        set_limits(low, high)
    axis.set_ticks(at, labels=labels)
    axis.set_ticks([], minor=True)


def tick_positions(low: float, high: float) -> list[tuple[int, int]]:
    """Ticks m · 10^e between two ends as pairs (m, e): few over many decades, more over few.

    Examples
    --------
    >>> tick_positions(0.9, 30.0)
    [(1, 0), (3, 0), (1, 1), (3, 1)]
    """
    span = math.log10(high / low)
    multiples = (1, 2, 3, 4, 6, 8) if span <= 0.7 else (1, 2, 5) if span <= 1.2 else (1, 3) if span <= 2 else (1,)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    step = -(-len(exponents) // MOST_DECADES)
    return [(m, e) for e in exponents if e % step == 0 for m in multiples if low <= m * 10.0**e <= high]
