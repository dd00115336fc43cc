"""Every packing order against the library it is named after: the library's bytes, and the codes back from them.

Libraries that are not installed are skipped one by one, since no environment need hold them all.
"""

import importlib.util
import warnings

import numpy as np
import pytest

from refcompress.formulas.coding import packing, packing_orders

pytestmark = pytest.mark.crosscheck


def library(name):
    """Import a module of a library, or skip the test if the library is not installed; a missing module is an error."""
    top = name.split(".")[0]
    if importlib.util.find_spec(top) is None:
        pytest.skip(f"{top} is not installed")
    with warnings.catch_warnings(action="ignore"):  # their own, of what they import
        return importlib.import_module(name)


def random_codes(bits, *shape):
    return np.random.default_rng(bits).integers(0, 2**bits, shape, dtype=np.uint8)


def check(codes, bits, order, theirs):
    """Ours and theirs are the same bytes, in both directions."""
    theirs = np.ascontiguousarray(theirs).view(np.uint8).ravel()
    np.testing.assert_array_equal(packing.pack(codes, bits, order), theirs)
    np.testing.assert_array_equal(packing.unpack(theirs, bits, codes.size, order), codes.ravel())


# compressed-tensors


@pytest.mark.parametrize("columns", [1, 3, 31, 32, 33, 100, 4096])
@pytest.mark.parametrize("bits", range(1, 9))
def test_int32_dense_is_a_row_of_compressed_tensors(bits, columns):
    theirs = library("compressed_tensors.compressors.pack_quantized.helpers")
    torch = library("torch")
    codes = random_codes(bits, 5, columns)
    signed = torch.from_numpy((codes.astype(np.int16) - 2 ** (bits - 1)).astype(np.int8))
    packed = theirs.pack_to_int32(signed, bits)
    for row, words in zip(codes, packed.numpy(), strict=True):
        check(row, bits, "int32_dense", words)
    down = theirs.pack_to_int32(signed.T.contiguous(), bits, packed_dim=0)
    assert torch.equal(down.T, packed)  # along the other axis: the rows of the transpose


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_int32_words_is_compressed_tensors_where_no_code_straddles(bits):
    theirs = library("compressed_tensors.compressors.pack_quantized.helpers")
    torch = library("torch")
    for columns in (1, 33, 777):
        codes = random_codes(bits, columns)
        signed = torch.from_numpy((codes.astype(np.int16) - 2 ** (bits - 1)).astype(np.int8))
        check(codes, bits, "int32_words", theirs.pack_to_int32(signed[None], bits).numpy())


def test_awq_is_what_compressed_tensors_reads_as_autoawq():
    theirs = library("compressed_tensors.entrypoints.convert.converters.autoawq").AutoAWQConverter
    torch = library("torch")
    codes = random_codes(4, 6, 24 * 8)
    words = packing.pack(codes, 4, "awq").view("<i4").reshape(6, 24)
    nibbles, _ = theirs.unpack_awq(torch.from_numpy(words), None, 4)
    back, _ = theirs.reverse_awq_order(nibbles, None, 4)
    np.testing.assert_array_equal(back.numpy() & 15, codes)


def test_lsb_is_the_six_bits_of_compressed_tensors():
    theirs = library("compressed_tensors.compressors.mxfp6.helpers")
    torch = library("torch")
    codes = np.arange(64, dtype=np.uint8).reshape(4, 16)
    magnitudes = theirs.kE2M3ToFloat.numpy()[codes & 31]
    values = torch.from_numpy(np.where(codes & 32, -magnitudes, magnitudes))
    check(codes, 6, "lsb", theirs.pack_fp6_to_uint8(values).numpy())


# onnx


@pytest.mark.parametrize(
    ("bits", "order", "name"),
    [
        (2, "low_nibble_first", "uint2"),
        (4, "low_nibble_first", "uint4"),
        (4, "low_nibble_first", "float4_e2m1fn"),
        (6, "lsb", "float6_e2m3fn"),
    ],
)
@pytest.mark.parametrize("count", [*range(1, 10), 1000, 1001])
def test_low_nibble_first_is_onnx(bits, order, name, count):
    numpy_helper, types = library("onnx.numpy_helper"), library("ml_dtypes")
    if not hasattr(types, name):
        pytest.skip(f"this ml_dtypes has no {name}")
    codes = random_codes(bits, count)
    values = codes.astype(name) if name.startswith("u") else codes.view(getattr(types, name))
    data = np.frombuffer(numpy_helper.from_array(values).raw_data, np.uint8)
    check(codes, bits, order, data)
    np.testing.assert_array_equal(packing.pack(codes, bits), data)  # and dense


# bitsandbytes


@pytest.mark.parametrize("count", [64, 66, 64 * 40, 64 * 40 + 30])
@pytest.mark.parametrize("name", ["nf4", "fp4"])
def test_high_nibble_first_is_bitsandbytes(name, count):
    functional, torch = library("bitsandbytes.functional"), library("torch")
    levels = functional.get_4bit_type(name, device="cpu").numpy()
    codes = random_codes(4, count)
    codes[codes == np.where(levels == 0)[0][-1]] = np.where(levels == 0)[0][0]  # fp4 has two zeros
    codes[::32] = np.argmax(np.abs(levels))  # every block has the largest level, so that its scale is 1
    packed, state = functional.quantize_4bit(torch.from_numpy(levels[codes]), blocksize=64, quant_type=name)
    assert state.absmax.eq(1).all()
    check(codes, 4, "high_nibble_first", packed.numpy())


def test_bitsandbytes_fills_an_odd_count_with_the_code_of_zero():
    functional, torch = library("bitsandbytes.functional"), library("torch")
    levels = functional.get_4bit_type("nf4", device="cpu").numpy()
    codes = np.array([15, 1, 2], np.uint8)
    packed, _ = functional.quantize_4bit(torch.from_numpy(levels[codes]), blocksize=64, quant_type="nf4")
    with pytest.raises(ValueError, match="multiple of 2"):
        packing.pack(codes, 4, "high_nibble_first")
    check(np.append(codes, 7), 4, "high_nibble_first", packed.numpy())


# hqq


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_hqq(bits):
    pack = library("hqq.core.bitpack").BitPack
    torch = library("torch")
    name = "3bit_32" if bits == 3 else f"{bits}bit_u8"
    for rows, columns in ((40, 1), (40, 7), (120, 33)):
        codes = random_codes(bits, rows, columns)
        packed = getattr(pack, f"pack_{name}")(torch.from_numpy(codes))
        check(codes, bits, "hqq", packed.numpy())
        back = packing.unpack(packed.numpy().view(np.uint8).ravel(), bits, codes.size, "hqq")
        np.testing.assert_array_equal(back, getattr(pack, f"unpack_{name}")(packed).numpy().ravel())


def test_hqq_fills_rows_of_three_bits():
    pack, torch = library("hqq.core.bitpack").BitPack, library("torch")
    for rows in range(1, 32):
        column = random_codes(3, rows, 1)
        check(column, 3, "hqq", pack.pack_3bit_32(torch.from_numpy(column)).numpy())
        codes = random_codes(3, rows, 5)
        filled = np.zeros((-(-rows // 10) * 10, 5), np.uint8)
        filled[:rows] = codes
        check(filled, 3, "hqq", pack.pack_3bit_32(torch.from_numpy(codes)).numpy())


# torchao


@pytest.mark.parametrize("function", ["pack", "pack_cpu"])
@pytest.mark.parametrize("bits", range(1, 8))
def test_torchao_uintx(bits, function):
    theirs, torch = library("torchao.prototype.dtypes.uintx.bitpacking"), library("torch")
    for shape, dim in (((8,), -1), ((1024,), -1), ((24, 5), 0), ((40, 3), 0)):
        codes = random_codes(bits, *shape)
        shards = getattr(theirs, function)(torch.from_numpy(codes), bits, dim)
        widths = packing_orders.parts(bits, "torchao_uintx")
        assert [shard.numel() for shard in shards] == [codes.size * width // 8 for width in widths]
        check(codes, bits, "torchao_uintx", np.concatenate([shard.numpy().ravel() for shard in shards]))


def test_torchao_has_both_nibble_orders():
    torch = library("torch")
    codes = random_codes(4, 6, 10)
    low = library("torchao.prototype.mx_formats.kernels").pack_uint4(torch.from_numpy(codes))
    check(codes, 4, "low_nibble_first", low.numpy())
    twos = random_codes(2, 6, 12)
    high = library("torchao.prototype.quantized_training.bitnet")._pack_i2_in_i8(torch.from_numpy(twos.view(np.int8)))
    check(twos, 2, "high_nibble_first", high.numpy())


# gguf


def test_ggml_is_gguf():
    """Blocks with d = 1 (and in Q6_K all scales 1) dequantize to their codes, less an offset."""
    gguf = library("gguf")
    codes = random_codes(4, 64, 256)
    one = np.tile(np.array([0x00, 0x3C], np.uint8), (512, 1))
    data = np.concatenate([one, packing.pack(codes, 4, "ggml").reshape(-1, 16)], axis=1)
    values = gguf.quants.dequantize(data, gguf.GGMLQuantizationType.Q4_0)
    np.testing.assert_array_equal(values.reshape(64, 256) + 8, codes)

    twos, ones = random_codes(2, 64, 256), np.ones((64, 16), np.uint8)
    low, high = packing.pack(codes, 4, "ggml_64"), packing.pack(twos, 2, "ggml_32")
    data = np.concatenate([low.reshape(64, 128), high.reshape(64, 64), ones, one[:64]], axis=1)
    values = gguf.quants.dequantize(data, gguf.GGMLQuantizationType.Q6_K)
    np.testing.assert_array_equal(values + 32, codes + 16 * twos)

    scales = np.zeros((64, 12), np.uint8)
    scales[:, :4] = scales[:, 8:] = 1
    qh = packing.pack(twos & 1, 1, "ggml_32").reshape(64, 32)
    qs = packing.pack(codes, 4, "ggml_32").reshape(64, 128)
    values = gguf.quants.dequantize(
        np.concatenate([one[:64], 0 * one[:64], scales, qh, qs], axis=1), gguf.GGMLQuantizationType.Q5_K
    )
    np.testing.assert_array_equal(values, codes + 16 * (twos & 1))
