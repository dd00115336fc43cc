"""Wrong choices of scale and zero point: what each property must see."""

from dataclasses import replace

import numpy as np

from refcompress.formulas.quantization import qparams
from refcompress.formulas.quantization.conventions import PRESETS

ONNX = PRESETS["onnx"]


def one_code_more(low, high, qmin, qmax):
    return qparams.choose(low, high, qmin, qmax + 1, ONNX)


def leaves_zero_out(low, high, qmin, qmax):
    return qparams.choose(low, high, qmin, qmax, replace(ONNX, include_zero="no"))


def one_code_less(low, high, qmin, qmax):
    return qparams.choose(low, high, qmin, qmax - 1, ONNX)


def adds_to_the_scale(low, high, qmin, qmax):
    s, Z = qparams.choose(low, high, qmin, qmax, ONNX)
    return s + np.float32(1e-7), Z


# property: (convention, wrong implementation)
PLANTED = {
    "is_usable": ("onnx", one_code_more),
    "covers_the_range": ("onnx", leaves_zero_out),
    "is_as_fine_as_it_can_be": ("onnx", one_code_less),
    "follows_its_unit": ("onnx", adds_to_the_scale),
}
