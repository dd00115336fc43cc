"""Wrong fixed-point quantizers: what each property must see."""

import numpy as np

from refcompress.formulas.quantization import fixed_point


def one_code_more(w, fraction_bits, bits):
    t = np.rint(np.ldexp(w.astype(np.float64), fraction_bits))
    return np.clip(t, -(2 ** (bits - 1)), 2 ** (bits - 1)).astype(np.int32)


def adds_half(w, fraction_bits, bits):
    """The float below ½ becomes 1."""
    t = np.floor(np.ldexp(w, fraction_bits) + w.dtype.type(0.5))
    return np.clip(t, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(np.int16)


def wraps(w, fraction_bits, bits):
    half = 2 ** (bits - 1)
    t = np.rint(np.ldexp(w.astype(np.float64), fraction_bits))
    return (np.mod(t + half, 2 * half) - half).astype(np.int16)


def modulo_32(w, fraction_bits, bits):
    return fixed_point.quantize(w, fraction_bits % 32, bits)


def narrow(w, fraction_bits, bits):
    return np.maximum(fixed_point.quantize(w, fraction_bits, bits), -max(2 ** (bits - 1) - 1, 1))


def half_away(w, fraction_bits, bits):
    return fixed_point.quantize(w, fraction_bits, bits, rounding="half_away")


def decimal(q, fraction_bits):
    return (q / 10.0**fraction_bits).astype(np.float32)


def without_rounding(low, high, bits):
    """The last f at which the ends themselves are inside; 0.99 is taken for its floor."""
    return fixed_point.largest_fraction_bits(np.trunc(low), np.trunc(high), bits)


def one_less(low, high, bits):
    return max(int(fixed_point.largest_fraction_bits(low, high, bits)) - 1, 0)


def all_for_zeros(low, high, bits):
    return 126 if low == high == 0 else fixed_point.largest_fraction_bits(low, high, bits)


# property: (convention, wrong implementation)
PLANTED = {
    "stays_inside": ("default", one_code_more),
    "errs_by_half_a_step": ("default", adds_half),
    "is_monotone": ("default", wraps),
    "moves_the_point": ("default", modulo_32),
    "gives_back_codes": ("default", narrow),
    "takes_ties_to_even": ("default", half_away),
    "restores_exactly": ("float32", decimal),
    "saturates_nothing": ("default", without_rounding),
    "is_the_finest": ("default", one_less),
    "zeros_have_a_sign_bit": ("default", all_for_zeros),
}
