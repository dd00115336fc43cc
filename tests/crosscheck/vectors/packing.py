"""Packed bytes by NumPy, compressed-tensors, ONNX, bitsandbytes, hqq and torchao."""

import numpy as np

from refcompress.formulas.coding import packing_orders
from tests.crosscheck.vectors.row import library, row, tensor

STRADDLING = {"puts the rest of a code into the next word": lambda bits, **_: 32 % bits != 0}
FILLED = np.full(64, 15, np.uint8)  # with the largest level, so that the scale is 1


@row("packing.pack", None, "numpy")
@row("packing_orders.pack", "lsb", "numpy")
def numpy_pack(q, bits):
    return np.packbits(q[:, None] >> np.arange(bits) & 1, bitorder="little")


@row("packing.unpack", None, "numpy")
@row("packing_orders.unpack", "lsb", "numpy")
def numpy_unpack(data, bits, count):
    return np.unpackbits(data, count=bits * count, bitorder="little").reshape(count, bits) @ (1 << np.arange(bits))


@row("packing_orders.pack", "int32_dense", "compressed-tensors")
@row("packing_orders.pack", "int32_words", "compressed-tensors", STRADDLING)
def compressed_pack(q, bits):
    theirs = library("compressed_tensors.compressors.pack_quantized.helpers")
    signed = (q.astype(np.int16) - 2 ** (bits - 1)).astype(np.int8)
    return theirs.pack_to_int32(tensor(signed[None]), bits).numpy().view(np.uint8)


@row("packing_orders.unpack", "int32_dense", "compressed-tensors")
@row("packing_orders.unpack", "int32_words", "compressed-tensors", STRADDLING)
def compressed_unpack(data, bits, count):
    theirs = library("compressed_tensors.compressors.pack_quantized.helpers")
    signed = theirs.unpack_from_int32(tensor(data.view("<i4")[None]), bits, library("torch").Size([1, count]))
    return signed.numpy().astype(np.int64) + 2 ** (bits - 1)


@row("packing_orders.unpack", "awq", "compressed-tensors")  # which does not write it
def awq_unpack(data, bits, count):
    theirs = library("compressed_tensors.entrypoints.convert.converters.autoawq").AutoAWQConverter
    nibbles, _ = theirs.unpack_awq(tensor(data.view("<i4")[None]), None, bits)
    return theirs.reverse_awq_order(nibbles, None, bits)[0].numpy() & 15


@row("packing_orders.pack", "low_nibble_first", "onnx")
def onnx_pack(q, bits):
    library("ml_dtypes")
    return np.frombuffer(library("onnx.numpy_helper").from_array(q.astype(f"uint{bits}")).raw_data, np.uint8)


@row("packing_orders.unpack", "low_nibble_first", "onnx")
def onnx_unpack(data, bits, count):
    onnx = library("onnx")
    proto = onnx.helper.make_tensor("q", onnx.TensorProto.DataType.Value(f"UINT{bits}"), [count], data.tobytes(), True)
    return onnx.numpy_helper.to_array(proto).astype(np.uint8)


def nf4(codes):
    """Levels, and those of codes as bitsandbytes packs them: bytes, and what it needs to read them."""
    theirs = library("bitsandbytes.functional")
    levels = theirs.get_4bit_type("nf4", device="cpu")
    return levels.numpy(), *theirs.quantize_4bit(levels[tensor(codes).int()], blocksize=64, quant_type="nf4")


@row("packing_orders.pack", "high_nibble_first", "bitsandbytes, torchao")
def high_nibble_pack(q, bits):
    if bits == 2:
        theirs = library("torchao.prototype.quantized_training.bitnet")
        return theirs._pack_i2_in_i8(tensor(q.view(np.int8)[None])).numpy().view(np.uint8)
    return nf4(np.append(q, FILLED[q.size :]))[1].numpy()[: q.size // 2]


@row("packing_orders.unpack", "high_nibble_first", "bitsandbytes, torchao")
def high_nibble_unpack(data, bits, count):
    if bits == 2:
        theirs = library("torchao.prototype.quantized_training.bitnet")
        return theirs._unpack_i2_in_i8(tensor(data.view(np.int8)[None])).numpy() & 3
    levels, packed, state = nf4(FILLED)
    packed[: data.size, 0] = tensor(data)
    values = library("bitsandbytes.functional").dequantize_4bit(packed, state).flatten()[:count]
    return np.searchsorted(levels, values.numpy())


def hqq(direction, bits, column):
    kind = "3bit_32" if bits == 3 else f"{bits}bit_u8"
    return getattr(library("hqq.core.bitpack").BitPack, f"{direction}_{kind}")(tensor(column[:, None])).numpy()


row("packing_orders.pack", "hqq", "hqq")(lambda q, bits: hqq("pack", bits, q).view(np.uint8))
row("packing_orders.unpack", "hqq", "hqq")(
    lambda data, bits, count: hqq("unpack", bits, data.view("<i4") if bits == 3 else data)[:count]
)


@row("packing_orders.pack", "torchao_uintx", "torchao")
def torchao_pack(q, bits):
    return np.concatenate(library("torchao.prototype.dtypes.uintx.bitpacking").pack_cpu(tensor(q), bits, -1))


@row("packing_orders.unpack", "torchao_uintx", "torchao")
def torchao_unpack(data, bits, count):
    widths = packing_orders.parts(bits, "torchao_uintx")
    shards = np.split(data, np.cumsum([count * width // 8 for width in widths])[:-1])
    theirs = library("torchao.prototype.dtypes.uintx.bitpacking")
    return theirs.unpack_cpu(list(map(tensor, shards)), bits, -1)
