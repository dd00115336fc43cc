"""Rounding and moments by Python's own modules, NumPy and SciPy."""

import decimal
import statistics

import numpy as np
from scipy import stats

from tests.crosscheck.vectors.row import row

row("stability.mean", None, "numpy")(lambda gradients: gradients.astype(np.float64).mean(0))
row("stability.mean", None, "statistics")(lambda gradients: [statistics.mean(g) for g in gradients.T.tolist()])
for ddof, function in enumerate((statistics.pstdev, statistics.stdev)):
    for name, answer in {
        "numpy": lambda gradients, d=ddof: gradients.astype(np.float64).std(0, ddof=d),
        "scipy": lambda gradients, d=ddof: stats.tstd(gradients.astype(np.float64), ddof=d),
        "statistics": lambda gradients, f=function: [f(g) for g in gradients.T.tolist()],
    }.items():
        row("stability.std", f"ddof_{ddof}", name)(answer)


def by_decimal(below, above):
    """Modes for negative and for other numbers; what decimal calls half up and down is half away and toward zero."""

    def answer(t):
        numbers = [decimal.Decimal(number) for number in t.tolist()]
        return np.array([float(n.to_integral_value(f"ROUND_{below if n.is_signed() else above}")) for n in numbers])

    return answer


for name, modes in {
    "half_even": ("HALF_EVEN", "HALF_EVEN"),
    "half_away": ("HALF_UP", "HALF_UP"),
    "half_toward_zero": ("HALF_DOWN", "HALF_DOWN"),
    "half_up": ("HALF_DOWN", "HALF_UP"),
    "half_down": ("HALF_UP", "HALF_DOWN"),
    "floor": ("FLOOR", "FLOOR"),
    "ceil": ("CEILING", "CEILING"),
    "toward_zero": ("DOWN", "DOWN"),
}.items():
    row("rounding.apply", name, "decimal")(by_decimal(*modes))
for name, function in {"half_even": np.rint, "floor": np.floor, "ceil": np.ceil, "toward_zero": np.trunc}.items():
    row("rounding.apply", name, "numpy")(lambda t, f=function: f(t))
