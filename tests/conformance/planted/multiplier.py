"""Wrong multipliers: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.integer import multiplier


def without_carry(real):
    """2^31 where rounding makes it."""
    q, shift = np.frexp(real)
    M = np.rint(np.ldexp(q, 31))
    return (0, 0) if M == 0 or shift < -31 else (int(M), int(shift))


def through_float32(real):
    return multiplier.quantize_multiplier(np.float32(real))


def right_shifts_only(real):
    M, shift = multiplier.quantize_multiplier(real)
    return M, min(shift, 0)


def ties_away(real):
    return multiplier.quantize_multiplier(real, "half_away")


# property: (convention, wrong implementation)
PLANTED = {
    "is_normalized": ("half_even", without_carry),
    "is_the_nearest_multiplier": ("half_away", through_float32),
    "doubles_with_the_shift": ("half_away", right_shifts_only),
    "breaks_ties_of_the_last_bit": ("half_even", ties_away),
}
