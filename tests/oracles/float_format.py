"""Small floats by enumeration: every code's exact value from its fields, and the nearest one among all of them."""

import math
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from tests.oracles.kept import kept
from tests.oracles.rounding import to_integer


class Layout(NamedTuple):
    """Widths of the fields, the exponent's bias, and the codes that are no numbers."""

    sign: int
    exponent: int
    mantissa: int
    bias: int
    infinity: int | None  # the code of +∞
    nan: frozenset[int]  # all codes that are NaN
    quiet: int | None  # the one that a NaN becomes, where it is positive
    zeros: int  # how many codes are zero


def _ieee(bits: int, infinity: int, quiet: int) -> tuple[int, frozenset[int], int, int]:
    sign = 1 << bits - 1
    above = range(infinity + 1, sign)
    return infinity, frozenset((*above, *(sign + code for code in above))), quiet, 2


LAYOUTS = {
    "float8_e4m3fn": Layout(1, 4, 3, 7, None, frozenset((0x7F, 0xFF)), 0x7F, 2),
    "float8_e4m3fnuz": Layout(1, 4, 3, 8, None, frozenset((0x80,)), 0x80, 1),
    "float8_e5m2": Layout(1, 5, 2, 15, 0x7C, frozenset((0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF)), 0x7E, 2),
    "float8_e5m2fnuz": Layout(1, 5, 2, 16, None, frozenset((0x80,)), 0x80, 1),
    "float8_e4m3": Layout(1, 4, 3, 7, *_ieee(8, 0x78, 0x7C)),
    "float8_e3m4": Layout(1, 3, 4, 3, *_ieee(8, 0x70, 0x78)),
    "float8_e4m3b11fnuz": Layout(1, 4, 3, 11, None, frozenset((0x80,)), 0x80, 1),
    "float6_e2m3fn": Layout(1, 2, 3, 1, None, frozenset(), None, 2),
    "float6_e3m2fn": Layout(1, 3, 2, 3, None, frozenset(), None, 2),
    "float4_e2m1fn": Layout(1, 2, 1, 1, None, frozenset(), None, 2),
    "float8_e8m0fnu": Layout(0, 8, 0, 127, None, frozenset((0xFF,)), 0xFF, 0),
    "bfloat16": Layout(1, 8, 7, 127, *_ieee(16, 0x7F80, 0x7FC0)),
    "float16": Layout(1, 5, 10, 15, *_ieee(16, 0x7C00, 0x7E00)),
}
NONE: frozenset[int] = frozenset()
OWN = {  # formats that have no name
    "e2m1": Layout(1, 2, 1, 1, None, NONE, None, 2),
    "e1m2, bias 1": Layout(1, 1, 2, 1, None, NONE, None, 2),
    "e3m0, bias 3": Layout(1, 3, 0, 3, None, NONE, None, 2),
    "e4m0, all ones": Layout(1, 4, 0, 7, None, frozenset((0x0F, 0x1F)), 0x0F, 2),
    "e1m3, ieee": Layout(1, 1, 3, 0, *_ieee(5, 0x08, 0x0C)),
    "e5m3, ieee": Layout(1, 5, 3, 15, *_ieee(9, 0xF8, 0xFC)),
    "e3m3, fnuz, bias −90": Layout(1, 3, 3, -90, None, frozenset((0x40,)), 0x40, 1),
    "e4m3, bias 127": Layout(1, 4, 3, 127, None, NONE, None, 2),
    "e8m1, ieee": Layout(1, 8, 1, 127, *_ieee(10, 0x1FE, 0x1FF)),
    "ue4m3": Layout(0, 4, 3, 7, None, frozenset((0x7F,)), 0x7F, 1),
    "ue5m3": Layout(0, 5, 3, 15, None, frozenset((0xFF,)), 0xFF, 1),
    "ue4m3, ieee": Layout(0, 4, 3, 7, 0x78, frozenset(range(0x79, 0x80)), 0x7C, 1),
    "ue3m1": Layout(0, 3, 1, 3, None, frozenset((0x0F,)), 0x0F, 1),
    "ue5m0": Layout(0, 5, 0, 15, None, frozenset((0x1F,)), 0x1F, 0),
}
ALL = LAYOUTS | OWN


def bits(name: str) -> int:
    """Return the width of a code."""
    return sum(ALL[name][:3])


def decode(code: int, name: str) -> Fraction | float:
    """Return the value of a code: a rational number, or one of the floats ±inf, NaN and −0.0."""
    form = ALL[name]
    if code in form.nan:
        return math.nan
    power = 2**form.mantissa
    rest, mantissa = divmod(code, power)
    negative, exponent = divmod(rest, 2**form.exponent)
    if form.infinity is not None and exponent * power + mantissa == form.infinity:
        return -math.inf if negative else math.inf
    if form.zeros == 0:
        return scaled(1, exponent - form.bias)
    if exponent == 0:
        size = scaled(mantissa, 1 - form.bias - form.mantissa)
    else:
        size = scaled(power + mantissa, exponent - form.bias - form.mantissa)
    if size == 0:
        return -0.0 if negative else size
    return -size if negative else size


def scaled(integer: int, exponent: int) -> Fraction:
    """Return integer · 2^exponent."""
    return Fraction(integer << exponent) if exponent >= 0 else Fraction(integer, 1 << -exponent)


_ladders: dict[str, list[Fraction]] = {}


def ladder(name: str) -> list[Fraction]:
    """Return the finite values of codes 0, 1, 2, … in ascending order, and the next one, had the exponent no end.

    In a format without zero the lowest is rounded to as if it were 0, and stays what it is.
    """
    if name not in _ladders:
        form = ALL[name]
        steps: list[Fraction] = []
        for code in range(2 ** (form.exponent + form.mantissa)):
            value = decode(code, name)
            if isinstance(value, float):
                break
            steps.append(value)
        assert all(a < b for a, b in pairwise(steps))
        exponent = max((len(steps) - 1) >> form.mantissa, 1)
        steps.append(steps[-1] + scaled(1, exponent - form.bias - form.mantissa))
        if form.zeros == 0:
            steps[0] = Fraction(0)
        _ladders[name] = steps
    return _ladders[name]


def largest(name: str) -> int:
    """Return the code of the largest finite value."""
    return len(ladder(name)) - 2


@kept  # the tests ask for every rule of rounding, and for both signs
def between(size: Fraction, name: str) -> tuple[int, int | None]:
    """Return the code below a number, and −1, 0 or 1 if it is nearer to that, a tie, nearer to the next; None if equal.

    Too large numbers have none.
    """
    steps = ladder(name)
    low, high = 0, len(steps) - 1  # steps[low] <= size < steps[high]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if steps[middle] <= size else (low, middle)
    if size == steps[low]:
        return low, None
    middle = (steps[low] + steps[high]) / 2
    return low, (size > middle) - (size < middle)


def nearest(size: Fraction, name: str, rounding: str) -> int:
    """Return the code of a positive number; one above `largest` if it is too large."""
    steps = ladder(name)
    if size >= steps[-1]:
        return len(steps) - 1
    if size <= decode(0, name):
        return 0
    low, side = between(size, name)
    high = low + 1
    if side is None or rounding == "toward_zero":
        return low
    if rounding == "away":
        return high
    if side != 0:
        return low if side < 0 else high
    if rounding == "half_away":
        return high
    if rounding == "half_toward_zero":
        return low
    if rounding != "half_even":
        raise KeyError(rounding)
    if ALL[name].mantissa == 0:  # significands 1 and 2, of which 2 is even; or 0 and 1
        return high if low > 0 else low
    return low if low % 2 == 0 else high


def encode(x: float, name: str, overflow: str = "saturate", rounding: str = "half_even") -> int | None:
    """Return the code of a float; None where there is none to give."""
    form = ALL[name]
    negative = math.copysign(1, x) < 0
    sign = 2 ** (form.exponent + form.mantissa) if negative else 0
    if overflow == "nan" and form.infinity is None and form.quiet is None:
        return None
    if form.zeros == 0 and (x == 0 or negative or math.isnan(x)):
        return form.quiet
    if not form.sign and x < 0:
        return form.quiet
    if math.isnan(x):
        return form.quiet if form.quiet is None or form.zeros == 1 else form.quiet + sign
    code = largest(name) + 1 if math.isinf(x) else nearest(Fraction(abs(x)), name, rounding)
    if code > largest(name):
        if overflow == "saturate":
            code = largest(name)
        elif form.infinity is not None:
            code = form.infinity
        else:
            return form.quiet if form.zeros < 2 else form.quiet + sign
    return 0 if code == 0 and form.zeros == 1 else code + sign


def unit(x: Fraction, name: str) -> Fraction:
    """Return the distance of the format's neighbours around x, if the exponent had no upper end."""
    form = ALL[name]
    exponent = max(floor_log2(abs(x)), 1 - form.bias) if x else 1 - form.bias
    return Fraction(2) ** (exponent - form.mantissa)


def floor_log2(x: Fraction) -> int:
    """Return the largest k with 2^k <= x."""
    k = x.numerator.bit_length() - x.denominator.bit_length()
    return k if Fraction(2) ** k <= x else k - 1


def ceil_log2(x: Fraction) -> int:
    """Return the smallest k with x <= 2^k."""
    k = floor_log2(x)
    return k if Fraction(2) ** k == x else k + 1


def to_int8(x: Fraction) -> int:
    """Return the nearest multiple of 1/64 in 64ths, ties to even, from −127 to 127."""
    return max(-127, min(127, to_integer(64 * x, "half_even")))
