"""Codes by scales that are given, numbers from codes, and scales from ranges, as the presets' comparisons ask for."""

from functools import partial

import numpy as np

from tests.crosscheck.registry import ENTRIES
from tests.crosscheck.vectors.asking import ask, codes_of, values_of
from tests.crosscheck.vectors.row import row

INT32 = {"converts quotients to int32, which has no place for it": lambda x, **_: np.abs(x).max() > 2**31}
UINT8 = {"DynamicQuantizeLinear gives uint8 only": lambda qmin, **_: qmin < 0}
INT8 = {"the converter gives int8 only": lambda qmin, **_: qmin == 0}
WITHOUT = {
    "affine.quantize": {"onnx": INT32, "tflite_reference": INT32},
    "qparams.choose": {"onnx": UINT8, "onnxruntime": UINT8, "tflite_reference": INT8, "tflite_activations": INT8},
}


def quantize(preset, x, scale, zero_point, qmin, qmax):
    given = np.resize(x, 8 * x.size), scale, zero_point  # groups take a multiple of 8
    codes = ask(preset, "quantized", qmin, qmax, *given)
    if codes is None:
        codes = codes_of(ask(preset, "fake", qmin, qmax, *given), scale, zero_point)
    return np.ravel(codes)[: x.size]


def dequantize(preset, q, scale, zero_point):
    ends = np.iinfo(q.dtype).min, np.iinfo(q.dtype).max
    numbers = ask(preset, "restored", *ends, q.astype(np.int64), scale, zero_point)
    if numbers is None:
        numbers = ask(preset, "fake", *ends, values_of(q, scale, zero_point), scale, zero_point)
    return numbers


def choose(preset, low, high, qmin, qmax):
    found = ask(preset, "chosen", qmin, qmax, np.atleast_1d(low), np.atleast_1d(high))
    assert found is not None, "the library has no such codes"
    return tuple(found)


CODES = ("gptq", "gptq_symmetric", "awq")  # transcriptions into torch's operations, as they are no packages
CODES_AND_NUMBERS = ("qonnx",)
ALL = (
    *("onnx", "onnxruntime", "onnxruntime_weights", "onnxruntime_weights_symmetric"),
    *("tflite_reference", "tflite_activations"),
    *("torch_quantize", "torch_quantize_per_channel", "torch_fake_quantize", "torch_fake_quantize_per_channel"),
    *("torch_observer_affine", "torch_observer_symmetric"),
    *("torchao", "torchao_symmetric", "torchao_symmetric_no_clipping"),
    *("compressed_tensors", "compressed_tensors_symmetric"),
)
for formula, function, names in (
    ("affine.quantize", quantize, (*CODES, *CODES_AND_NUMBERS, *ALL)),
    ("affine.dequantize", dequantize, (*CODES_AND_NUMBERS, *ALL)),
    ("qparams.choose", choose, ALL),
):
    for name in names:
        without = WITHOUT.get(formula, {}).get(name)
        row(formula, name, ENTRIES[name].library, without)(partial(function, name))
