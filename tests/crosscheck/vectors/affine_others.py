"""The rest of affine: fake quantization by brevitas and TensorFlow, and numbers from codes by hqq and gguf."""

from functools import partial

import numpy as np

from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.conventions import PRESETS
from tests.crosscheck.presets.with_brevitas import int_quant
from tests.crosscheck.vectors.affine_chosen import ends, shown
from tests.crosscheck.vectors.asking import codes_of, values_of
from tests.crosscheck.vectors.row import library, row, tensor


def brevitas(signed, narrow, x, s, Z, qmin, qmax):
    library("brevitas")
    return int_quant(signed, narrow, 8)(x, s, Z)


def fake_quant(x, low, high, qmin, qmax):
    function = library("tensorflow").quantization.fake_quant_with_min_max_vars
    return function(x, low, high, int(qmax).bit_length(), qmin == 1).numpy()


def tensorflow(x, s, Z, qmin, qmax):
    return fake_quant(x, *ends("tensorflow_fake_quant", s, Z, qmin, qmax), qmin, qmax)


def quantize(fake, x, scale, zero_point, qmin, qmax):
    return codes_of(fake(x, scale, zero_point, qmin, qmax), scale, zero_point)


def dequantize(fake, q, scale, zero_point):
    x = values_of(q, scale, zero_point)
    return fake(x, scale, zero_point, np.iinfo(q.dtype).min, np.iinfo(q.dtype).max)


for preset, name, fake in (
    ("brevitas", "brevitas", partial(brevitas, True, True)),
    ("brevitas_shifted", "brevitas", partial(brevitas, False, False)),
    ("brevitas_activations", "brevitas", partial(brevitas, True, False)),
    ("tensorflow_fake_quant", "tensorflow", tensorflow),
):
    row("affine.quantize", preset, name)(partial(quantize, fake))
    row("affine.dequantize", preset, name)(partial(dequantize, fake))

PROBES = np.outer([-1, 1], np.geomspace(1e-9, 1e9, 20_000)).astype(np.float32).ravel()


def numbers_between(expected):
    """TensorFlow shows scale and zero point by what it makes of numbers."""
    s, Z = (e.value[()] for e in expected.values())
    x = affine.fake_quantize(PROBES, s, Z, 0, 255, PRESETS["tensorflow_fake_quant"])
    return shown((lambda _: x,), expected)


row("qparams.choose", "tensorflow_fake_quant", "tensorflow", shown=numbers_between)(partial(fake_quant, PROBES))


@row("affine.dequantize", "hqq", "hqq")
def hqq(q, scale, zero_point):
    torch, quantizer = library("torch"), library("hqq.core.quantize").Quantizer
    meta = {"packing": None, "compute_dtype": torch.float32, "shape": q.shape}
    meta |= {"scale": 1 / torch.tensor(scale), "zero": torch.tensor(zero_point)}
    return quantizer.dequantize(tensor(q), meta).numpy()


@row("affine.dequantize", "ggml_q4_0", "gguf")
@row("affine.dequantize", "ggml_q4_1", "gguf")
@row("affine.dequantize", "ggml_q8_0", "gguf")
def gguf(q, scale, zero_point):
    gguf, codes = library("gguf"), np.resize(q, 32)
    kind = "Q8_0" if codes.dtype == np.int8 else "Q4_1" if zero_point.dtype.kind == "f" else "Q4_0"
    halves = np.array([scale, zero_point] if kind == "Q4_1" else [scale], np.float16).view(np.uint8)
    data = codes.view(np.uint8) if kind == "Q8_0" else codes[:16] | codes[16:] << 4
    return gguf.quants.dequantize(np.append(halves, data)[None], gguf.GGMLQuantizationType[kind])[0, : q.size]
