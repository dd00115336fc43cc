"""Wrong decimal quantizers: what each property must see."""

import numpy as np

from refcompress.formulas.quantization import decimal


def truncates(w, places):
    return decimal.quantize(w, places, rounding="toward_zero")


def floors(w, places):
    return decimal.quantize(w, places, rounding="floor")


def half_away(w, places):
    return decimal.quantize(w, places, rounding="half_away")


def one_byte(w, places):
    return decimal.quantize(w, places).astype(np.int8)


def up_to_16_bits(w, places):
    return np.clip(decimal.quantize(w, places), -32768, 32767)


def binary(q, places):
    return (q / 2.0**places).astype(np.float32)


def whole(q, places):
    return (q // 10**places).astype(np.float32)


def through_int32(q, places):
    return decimal.dequantize(q.astype(np.int32), places, np.float32)


# property: (convention, wrong implementation)
PLANTED = {
    "errs_by_half_a_step": ("default", truncates),
    "is_monotone": ("default", one_byte),
    "is_odd": ("default", floors),
    "takes_ties_to_even": ("default", half_away),
    "gives_back_decimals": ("default", up_to_16_bits),
    "restores_within_roundoff": ("float32", binary),
    "restores_odd": ("float32", whole),
    "restores_in_order": ("float32", through_int32),
}
