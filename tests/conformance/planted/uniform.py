"""Wrong uniform quantizers: what each property must see."""

import numpy as np

from refcompress.formulas.quantization import uniform


def one_code_more(w, s, z, bits):
    return np.clip(np.rint((w - z) / s), 0, 2**bits).astype(np.int32)


def wraps(w, s, z, bits):
    return np.mod(np.rint((w.astype(np.float64) - z) / s), 2**bits).astype(np.uint16)


def truncates(w, s, z, bits):
    return uniform.quantize(w, s, z, bits, rounding="floor")


def half_away(w, s, z, bits):
    return uniform.quantize(w, s, z, bits, rounding="half_away")


def with_epsilon(w, s, z, bits):
    return uniform.quantize(w, s + s.dtype.type(1e-3), z, bits)


def narrow(w, s, z, bits):
    return np.clip(uniform.quantize(w, s, z, bits), 1, None)


def middles(q, s, z):
    return uniform.dequantize(q, s, z) + s / 2


def in_float16(q, s, z):
    return uniform.dequantize(q, s.astype(np.float16).astype(s.dtype), z)


def signed(q, s, z):
    return uniform.dequantize(q.view(f"i{q.itemsize}"), s, z)


def scale_with_epsilon(q, s, z):
    return uniform.dequantize(q, s + s.dtype.type(1e-3), z)


def as_many_steps_as_codes(low, high, bits):
    return (high - low) / low.dtype.type(2**bits), low


def middle(low, high, bits):
    return uniform.scale_and_offset(low, high, bits)[0], (low + high) / 2


def epsilon_for_nothing(low, high, bits):
    s, z = uniform.scale_and_offset(low, high, bits)
    return (s if low < high else np.finfo(low.dtype).eps), z


def levels_of_a_byte(low, high, bits):
    """From 9 bits on the count of steps wraps."""
    return uniform.scale_and_offset(low, high, (bits - 1) % 8 + 1)


# property: (convention, wrong implementation)
PLANTED = {
    "stays_inside": ("default", one_code_more),
    "is_monotone": ("default", wraps),
    "errs_by_half_a_step": ("default", truncates),
    "follows_its_unit": ("default", with_epsilon),
    "gives_back_codes": ("default", narrow),
    "takes_ties_to_even": ("default", half_away),
    "starts_at_z": ("default", middles),
    "restores_within_roundoff": ("default", in_float16),
    "restores_in_order": ("default", signed),
    "restores_in_its_unit": ("default", scale_with_epsilon),
    "spans_the_range": ("default", as_many_steps_as_codes),
    "offset_is_low": ("default", middle),
    "constant_has_unit_scale": ("default", epsilon_for_nothing),
    "is_finer_with_more_bits": ("default", levels_of_a_byte),
}
