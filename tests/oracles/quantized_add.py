"""Sum of two codes with scales of their own: by `requantization` three times, or by exact float32 steps."""

from fractions import Fraction

from tests.oracles.multiplier import quantize_multiplier
from tests.oracles.requantization import clip, code_range, rounded
from tests.oracles.rounding import to_format, to_integer


def add(
    a, b, *, a_scale, b_scale, out_scale, a_zero_point=0, b_zero_point=0, out_zero_point=0, rounding="double",
    left_shift=20, dtype="int8", qmin=None, qmax=None,
):  # fmt: skip
    """One code of two."""
    scales, ends = (a_scale, b_scale, out_scale), code_range(dtype, qmin, qmax)
    if rounding == "float":
        total = fused(a, b, scales, (a_zero_point, b_zero_point, out_zero_point))
        return clip(to_integer(total, "half_even"), *ends)
    s_a, s_b, s_out = (Fraction(float(s)) for s in scales)
    S = 2 * max(s_a, s_b)
    t_a = times((a - a_zero_point) * 2**left_shift, s_a / S, rounding)
    t_b = times((b - b_zero_point) * 2**left_shift, s_b / S, rounding)
    return clip(times(t_a + t_b, S / (2**left_shift * s_out), rounding) + out_zero_point, *ends)


def times(acc, real, rounding):
    """acc·real by a multiplier that float64 holds."""
    return rounded(acc, *quantize_multiplier(to_format(real, "float64")), rounding)


def fused(a, b, scales, zero_points):
    """fl(a·r_a + fl(b·r_b + F)), every fl one rounding to float32."""

    def fl(value):
        return to_format(Fraction(value), "float32")

    s_a, s_b, s_out = (fl(float(s)) for s in scales)
    z_a, z_b, z_out = map(fl, zero_points)
    r_a, r_b = fl(s_a / s_out), fl(s_b / s_out)
    F = fl(z_out - fl(fl(r_a * z_a) + fl(r_b * z_b)))
    return fl(fl(a) * r_a + fl(fl(b) * r_b + F))


def exact(a, b, *, a_scale, b_scale, out_scale, a_zero_point=0, b_zero_point=0):
    """The same in real numbers: (out − z_out) before it is rounded."""
    s_a, s_b, s_out = (Fraction(float(s)) for s in (a_scale, b_scale, out_scale))
    return (s_a * (a - a_zero_point) + s_b * (b - b_zero_point)) / s_out
