"""Biases as integers: the product of scales and the quotient by it, each rounded once to float64, then the rule."""

from fractions import Fraction

from tests.oracles.rounding import to_format, to_integer


def quantize_bias(b, x_scale, w_scale, rounding="half_even"):
    """One integer; all three are floats."""
    unit = to_format(Fraction(float(x_scale)) * Fraction(float(w_scale)), "float64")
    return to_integer(to_format(Fraction(float(b)) / unit, "float64"), rounding)
