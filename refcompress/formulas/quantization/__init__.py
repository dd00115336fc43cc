"""From floats to integers of b bits and back (Q1 to Q4), and what else is called quantization."""

from refcompress.formulas.quantization import (
    affine,
    conventions,
    decimal,
    error_ledger,
    fixed_point,
    float_format,
    formats,
    granularity,
    integer,
    qparams,
    ranges,
    rounding,
    uniform,
)

__all__ = [
    "affine",
    "conventions",
    "decimal",
    "error_ledger",
    "fixed_point",
    "float_format",
    "formats",
    "granularity",
    "integer",
    "qparams",
    "ranges",
    "rounding",
    "uniform",
]
