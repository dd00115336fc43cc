"""Wrong encoders and decoders: what each property must see."""

import numpy as np

from refcompress.formulas.quantization import float_format

E4M3, E5M2 = "float8_e4m3fn", "float8_e5m2"


def drops_the_sign(x):
    return float_format.encode(np.abs(x), E4M3)


def ties_away(x):
    return float_format.encode(x, "bfloat16", "nan", rounding="half_away")


def other_policy(x):
    return float_format.encode(x, E5M2)


def no_negative_zero(codes):
    return float_format.decode(codes, E4M3) + np.float32(0)


def as_ieee(codes):
    """The exponent of all ones is infinity's."""
    return np.where(codes & 120 == 120, np.float32(np.inf), float_format.decode(codes, E4M3))


def hidden_bit(codes):
    """Subnormal numbers with a leading one."""
    x = float_format.decode(codes, E4M3)
    return np.where(codes & 127 < 8, (8 + (codes & 7)) * np.float32(2.0**-10), x).astype(np.float32)


# property: (convention, wrong implementation)
PLANTED = {
    "puts_the_sign_into_the_highest_bit": (E4M3, drops_the_sign),
    "is_nearest": ("bfloat16-nan", ties_away),
    "is_limited": (f"{E5M2}-nan", other_policy),
    "reads_the_sign_from_the_highest_bit": (E4M3, no_negative_zero),
    "doubles_with_the_exponent": (E4M3, as_ieee),
    "is_linear_below_the_normal_numbers": (E4M3, hidden_bit),
}
