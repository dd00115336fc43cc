"""MX blocks by torchao, and their scales by compressed-tensors."""

from functools import partial

import numpy as np

from tests.crosscheck.vectors.row import library, row, tensor, whole

FOUR = "float4_e2m1fn"
EXPONENTS = {
    FOUR: ("floor", "ceil", "even", "rceil"),
    "float8_e4m3fn": ("floor", "even", "rceil"),
    "float8_e5m2": ("floor",),
}
LARGEST = {FOUR: 6, "float8_e4m3fn": 448}


def tiny_scale(x):
    """In a block with numbers besides 0."""
    return bool(np.any((x.max(1) > 0) & (x.max(1) < 1e-33)))


def whole_logarithm(largest, x):
    """Of a quotient that is no power of two."""
    quotient = x.max(1) / np.float32(largest)
    return bool(np.any((quotient > 1) & (np.frexp(quotient)[0] != 0.5) & (np.log2(quotient) % 1 == 0)))


TINY = {"takes 2^-126, or 1, for the scale 2^-127": tiny_scale}
ROUNDED = "takes a logarithm in float32, which rounds to a whole number"
ZEROS = {"log2 of 0 is -inf": lambda x: bool(np.any(x.max(-1) == 0))}


def element(name):
    torch = library("torch")
    return torch.float4_e2m1fn_x2 if name == FOUR else getattr(torch, name)


def quantize(name, exponent, x):
    theirs = library("torchao.prototype.mx_formats.mx_tensor")
    mode = library("torchao.prototype.mx_formats.config").ScaleCalculationMode[exponent.upper()]
    scales, packed = theirs.to_mx(tensor(whole(x, 32)), element(name), 32, mode)
    codes = theirs.unpack_uint4(packed) if name == FOUR else packed.view(library("torch").uint8)
    return codes.numpy().reshape(len(x), -1)[:, : x.shape[1]], scales.view(library("torch").uint8).numpy()


def dequantize(name, codes, scales):
    torch, theirs = library("torch"), library("torchao.prototype.mx_formats.mx_tensor")
    data, pack = tensor(whole(codes, 32)), library("torchao.prototype.mx_formats.kernels").pack_uint4
    data = pack(data) if name == FOUR else data.view(element(name))
    values = theirs.to_dtype(data, tensor(scales).view(torch.float8_e8m0fnu), element(name), 32, torch.float32)
    return values.numpy()[:, : codes.shape[1]]


def compressed_scales(bits, x):
    theirs = library("compressed_tensors.quantization.utils.mxfp_utils")
    return theirs.generate_mx_scales(tensor(np.abs(whole(x, 32).reshape(len(x), -1, 32)).max(-1)), bits).numpy()


for name, exponents in EXPONENTS.items():
    row("mx.dequantize", name, "torchao")(partial(dequantize, name))
    for exponent in exponents:
        without = TINY | ({ROUNDED: partial(whole_logarithm, LARGEST[name])} if exponent == "rceil" else {})
        row("mx.quantize", f"{name}-{exponent}", "torchao", without)(partial(quantize, name, exponent))
for convention, bits in ((f"{FOUR}-even", 4), ("float8_e4m3fn-even_one_bit", 8)):
    only_scales = lambda expected: {"scales": expected["scales"]}  # noqa: E731
    row("mx.quantize", convention, "compressed-tensors", ZEROS, only_scales)(partial(compressed_scales, bits))
