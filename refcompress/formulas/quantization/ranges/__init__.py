"""Which range [low, high] of a tensor the codes are spread over: seven rules, and one for the scale itself."""

from refcompress.formulas.quantization.ranges import (
    aciq,
    entropy,
    histogram,
    least_error,
    min_max,
    moving_average,
    percentile,
    power_of_two,
)

__all__ = [
    "aciq",
    "entropy",
    "histogram",
    "least_error",
    "min_max",
    "moving_average",
    "percentile",
    "power_of_two",
]
