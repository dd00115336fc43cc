"""From floats to integers of b bits and back (Q1 to Q4)."""

from refcompress.formulas.quantization import (
    decimal,
    fixed_point,
    integer,
    rounding,
    uniform,
)

__all__ = [
    "decimal",
    "fixed_point",
    "integer",
    "rounding",
    "uniform",
]
