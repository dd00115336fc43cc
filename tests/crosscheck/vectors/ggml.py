"""Bytes of ggml's blocks, and the orders of the codes in them, by gguf."""

from functools import partial

import numpy as np

from tests.crosscheck.vectors.row import library, row


def quantize(kind, x):
    return library("gguf").quants.quantize(x.reshape(-1, 32), library("gguf").GGMLQuantizationType[kind.upper()])


def dequantize(kind, data):
    return library("gguf").quants.dequantize(data, library("gguf").GGMLQuantizationType[kind.upper()])


for kind in ("q4_0", "q4_1", "q5_0", "q5_1", "q8_0"):
    row("ggml_legacy.quantize", kind, "gguf")(partial(quantize, kind))
    row("ggml_legacy.dequantize", kind, "gguf")(partial(dequantize, kind))
for kind in ("q2_k", "q3_k", "q4_k", "q5_k", "q6_k"):
    row(f"{kind}.dequantize", None, "gguf")(partial(dequantize, kind))

ONE = np.float16(1).tobytes()
FIRST = ONE + bytes(2) + bytes([1] * 4 + [0] * 4 + [1] * 4)  # d = 1, no minimum, scales of 1
LAST = bytes([1] * 16) + ONE
AROUND = {  # bytes and bits: a block's type, what is before and after its bytes of codes; the offset and unit of codes
    (64, 4): ("q4_k", FIRST, 128, b"", 0, 1),
    (32, 1): ("q5_k", FIRST, 32, bytes(128), 0, 16),
    (128, 4): ("q6_k", b"", 128, bytes(64) + LAST, 32, 1),
    (32, 2): ("q6_k", bytes(128), 64, LAST, 32, 16),
}


@row("packing_orders.unpack", "ggml_32", "gguf")  # which does not write them
@row("packing_orders.unpack", "ggml_64", "gguf")
def unpack_k(data, bits, count):
    kind, before, size, after, offset, unit = AROUND[data.size, bits]
    block = np.frombuffer(before + np.resize(data, size).tobytes() + after, np.uint8)
    return (dequantize(kind, block[None])[0, :count] + offset) / unit


@row("packing_orders.unpack", "ggml", "gguf")
def unpack(data, bits, count):
    blocks = [np.frombuffer(ONE + block.tobytes(), np.uint8) for block in data.reshape(-1, 16)]
    return dequantize("q4_0", np.stack(blocks)) + 8


@row("packing_orders.pack", "ggml", "gguf")
def pack(q, bits):
    return quantize("q4_0", q.astype(np.float32) - 8)[:, 2:]
