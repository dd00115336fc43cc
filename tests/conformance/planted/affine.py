"""Wrong affine quantizers: what each property must see."""

from dataclasses import replace

import numpy as np

from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import PRESETS

ONNX = PRESETS["onnx"]


def shifts_places(x, scale, zero_point, qmin, qmax):
    return np.roll(affine.quantize(x, scale, zero_point, qmin, qmax, "onnx"), 1)


def wraps(x, scale, zero_point, qmin, qmax):
    q = np.rint(x / scale).astype(np.int64) + zero_point
    return (q - qmin) % (qmax - qmin + 1) + qmin


def uses_all_codes(x, scale, zero_point, qmin, qmax):
    return affine.quantize(x, scale, zero_point, qmin, qmax, replace(PRESETS["brevitas"], narrow="no"))


def is_unsigned(x, scale, zero_point, qmin, qmax):
    return np.clip(np.rint(x / scale) + zero_point, max(qmin, 1), qmax).astype(int)


def avoids_the_highest(x, scale, zero_point, qmin, qmax):
    return affine.quantize(x, scale, zero_point, qmin, qmax, replace(ONNX, narrow="high"))


def adds_to_the_scale(x, scale, zero_point, qmin, qmax):
    return affine.quantize(x, scale + np.float32(1e-7), zero_point, qmin, qmax, "onnx")


def subtracts_after_the_product(q, scale, zero_point):
    return q.astype(np.float32) * scale - np.float32(zero_point)


def keeps_the_scale_in_float16(q, scale, zero_point):
    return affine.dequantize(q, scale, zero_point, replace(ONNX, scale_dtype="float16"))


def adds_to_what_it_multiplies_by(q, scale, zero_point):
    return affine.dequantize(q, scale + np.float32(1e-7), zero_point, "onnx")


# property: (convention, wrong implementation)
PLANTED = {
    "alone": ("onnx", shifts_places),
    "is_monotone": ("onnx", wraps),
    "errs_by_half_a_step": ("brevitas", uses_all_codes),
    "has_the_zero_point": ("onnx", is_unsigned),
    "gives_back_codes": ("onnx", avoids_the_highest),
    "follows_its_unit": ("onnx", adds_to_the_scale),
    "restores_the_zero_point": ("onnx", subtracts_after_the_product),
    "restores_within_roundoff": ("onnx", keeps_the_scale_in_float16),
    "restores_in_its_unit": ("onnx", adds_to_what_it_multiplies_by),
}
