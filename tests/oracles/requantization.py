"""From an int32 sum to a code: in integers and fractions, and for "float" by exact float32 steps."""

from fractions import Fraction

from tests.oracles.kept import kept
from tests.oracles.multiplier import quantize_multiplier
from tests.oracles.rounding import to_format, to_integer

RANGES = {
    "uint8": (0, 2**8 - 1),
    "int8": (-(2**7), 2**7 - 1),
    "uint16": (0, 2**16 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
}


def code_range(dtype, qmin=None, qmax=None):
    """Ends of the codes of a type, where no narrower ones are given."""
    low, high = RANGES[dtype]
    qmin, qmax = low if qmin is None else qmin, high if qmax is None else qmax
    assert low <= qmin <= qmax <= high
    return qmin, qmax


def saturating_rounding_doubling_high_mul(a, b):
    if a == b == -(2**31):
        return 2**31 - 1
    return to_integer(Fraction(a * b, 2**31), "half_up")


def rounding_divide_by_pot(x, exponent):
    return to_integer(Fraction(x, 2**exponent), "half_away")


def clip(q, qmin, qmax):
    return qmin if q < qmin else qmax if q > qmax else q


def rounded(acc, multiplier, shift, rounding):
    """The integer nearest, more or less, to acc · real; `multiplier` is a Fraction or float for "float"."""
    if rounding == "float":
        real = to_format(Fraction(multiplier), "float32")
        return to_integer(to_format(to_format(Fraction(acc), "float32") * real, "float32"), "half_even")
    if rounding == "single":
        return to_integer(acc * multiplier * Fraction(2) ** (shift - 31), "half_up")
    t = saturating_rounding_doubling_high_mul(acc * 2 ** max(shift, 0), multiplier)
    if rounding == "double":
        return rounding_divide_by_pot(t, max(-shift, 0))
    assert rounding == "double_up"
    return to_integer(Fraction(t, 2 ** max(-shift, 0)), "half_up")


def requantize(acc, multiplier, shift, rounding="double", zero_point=0, qmin=-128, qmax=127):
    return clip(rounded(acc, multiplier, shift, rounding) + zero_point, qmin, qmax)


@kept  # every sum of a matrix has the same
def one_number(a_scale, b_scale, out_scale, rounding):
    """s_a·s_b/s_out with a rounding after each operation: (M, shift), or (float32 as a Fraction, None)."""
    name = "float32" if rounding == "float" else "float64"
    a, b, out = (to_format(Fraction(float(s)), name) for s in (a_scale, b_scale, out_scale))
    real = to_format(to_format(a * b, name) / out, name)
    return (real, None) if rounding == "float" else quantize_multiplier(real)


def rescale(acc, a_scale, b_scale, out_scale, rounding="double", bias=0, zero_point=0, qmin=-128, qmax=127):
    return requantize(acc + bias, *one_number(a_scale, b_scale, out_scale, rounding), rounding, zero_point, qmin, qmax)


def exact(acc, a_scale, b_scale, out_scale, bias=0):
    """(acc + b)·s_a·s_b/s_out, the real number itself, before any zero point."""
    return (acc + bias) * Fraction(float(a_scale)) * Fraction(float(b_scale)) / Fraction(float(out_scale))
