"""A million float32 values through every convention and format, beside PyTorch's quantizer and a copy of the array."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from refcompress.formulas.quantization import affine, float_format, integer
from refcompress.formulas.quantization.conventions import PRESETS
from refcompress.formulas.quantization.formats import level_table, mx, nvfp4
from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure

QUICK = ("source", "onnx", "torch_quantize", "torch_fake_quantize", "tflite_weights", "ggml_q4_0")
FLOATS = ("float8_e4m3fn", "float4_e2m1fn", "bfloat16")


def figures(context: Context) -> Iterator[Figure]:
    """Every preset's three functions, then formats and requantization; no BLAS, so one thread."""
    context = replace(context, threads=context.threads[:1])
    x = np.random.default_rng(0).standard_normal(context.size((1_000_000,), tiny=(1000,)), np.float32)
    for name in QUICK if context.quick or context.tiny else PRESETS:
        yield from _preset(context, x, name)
    for name in FLOATS:
        codes = float_format.encode(x, name)
        yield from _beside_a_copy(context, f"encode {name}", partial(float_format.encode, x, name), x)
        yield from _beside_a_copy(context, f"decode {name}", partial(float_format.decode, codes, name), x)
    yield from _beside_a_copy(context, "quantize MXFP4", partial(mx.quantize, x, "float4_e2m1fn"), x)
    yield from _beside_a_copy(context, "quantize NVFP4", partial(nvfp4.quantize, x), x)
    yield from _beside_a_copy(context, "quantize NF4", partial(level_table.quantize, x), x)
    acc, (M, shift) = (x * 1000).astype(np.int32), integer.quantize_multiplier(0.01)
    yield from _beside_a_copy(context, "requantize, double", partial(integer.requantize, acc, M, shift), x)


def _preset(context: Context, x: np.ndarray, name: str) -> Iterator[Figure]:
    convention = PRESETS[name]
    qmin, qmax = (0, 15) if name.startswith("ggml_q4") else (-128, 127) if convention.zero_point == "zero" else (0, 255)
    s, Z = affine.choose(x.min(), x.max(), qmin, qmax, convention)
    q = affine.quantize(x, s, Z, qmin, qmax, convention)
    quantize = partial(affine.quantize, x, s, Z, qmin, qmax, convention)
    if name == "torch_quantize" and "torch" in context.against:
        import torch

        theirs = partial(torch.quantize_per_tensor, torch.from_numpy(x), float(s), int(Z), torch.quint8)
        with warnings.catch_warnings():  # once a process, so the timed calls are without it
            warnings.filterwarnings("ignore", "torch.quantize_per_tensor, .* are deprecated", UserWarning)
            agrees = np.array_equal(q, theirs().int_repr().numpy())
        yield from context.compare(f"quantize {name}, a million values", "torch", quantize, theirs, agrees=agrees)
    yield from _beside_a_copy(context, f"quantize {name}", quantize, x)
    yield from _beside_a_copy(context, f"dequantize {name}", partial(affine.dequantize, q, s, Z, convention), x)


def _beside_a_copy(context: Context, name: str, work: partial[object], x: np.ndarray) -> Iterator[Figure]:
    yield from context.compare(f"{name}, a million values", "memory copy", work, x.copy, agrees=None)
