"""NVFP4 blocks by torchao and by compressed-tensors."""

import numpy as np

from tests.crosscheck.vectors.row import library, row, tensor, whole


@row("nvfp4.quantize", "torchao", "torchao")
def quantize(x, tensor_scale):
    theirs = library("torchao.prototype.mx_formats.nvfp4_tensor")
    scales, packed = theirs.nvfp4_quantize(tensor(whole(x, 16)), 16, tensor(tensor_scale))
    return theirs.unpack_uint4(packed).numpy()[:, : x.shape[1]], scales.view(library("torch").uint8).numpy()


@row("nvfp4.dequantize", "torchao", "torchao")
def dequantize(codes, block_scales, tensor_scale):
    torch, theirs = library("torch"), library("torchao.prototype.mx_formats.nvfp4_tensor")
    data = library("torchao.prototype.mx_formats.kernels").pack_uint4(tensor(whole(codes, 16)))
    scales = tensor(block_scales).view(torch.float8_e4m3fn)
    values = theirs.NVFP4Tensor(data, scales, 16, torch.float32, tensor(tensor_scale)).dequantize(torch.float32)
    return values.numpy()[:, : codes.shape[1]]


@row("nvfp4.tensor_scale", "torchao", "torchao", {"0, which makes NaN": lambda x: not x.any()})
def tensor_scale(x):
    return library("torchao.prototype.mx_formats.nvfp4_tensor").per_tensor_amax_to_scale(tensor(x).abs().max())


@row("nvfp4.quantize", "compressed_tensors", "compressed-tensors")
def compressed_quantize(x, tensor_scale):
    torch, utils = library("torch"), library("compressed_tensors.quantization.utils")
    forward = library("compressed_tensors.quantization.lifecycle.forward_helpers")
    pack = library("compressed_tensors.compressors.nvfp4.helpers").pack_fp4_to_uint8
    kind = {"scale_dtype": torch.float8_e4m3fn, "zp_dtype": torch.float8_e4m3fn, "group_size": 16}
    options = library("compressed_tensors.quantization").QuantizationArgs(
        num_bits=4, type="float", strategy="tensor_group", **kind
    )
    blocks, t, six = tensor(whole(x, 16)).reshape(len(x), -1, 16), tensor(tensor_scale), torch.tensor(6.0)
    scales, _ = utils.calculate_qparams(blocks.amin(-1), blocks.amax(-1), options, global_scale=t)
    elements = forward._quantize(blocks, scales.unsqueeze(-1), None, -six, six, options, global_scale=t)
    packed = pack(elements.reshape(len(x), -1)).numpy()
    codes = np.stack([packed & 15, packed >> 4], -1).reshape(len(x), -1)[:, : x.shape[1]]
    return codes, scales.to(torch.float8_e4m3fn).view(torch.uint8).numpy()


@row("nvfp4.dequantize", "compressed_tensors", "compressed-tensors")
def compressed_dequantize(codes, block_scales, tensor_scale):
    torch, forward = library("torch"), library("compressed_tensors.quantization.lifecycle.forward_helpers")
    unpack = library("compressed_tensors.compressors.nvfp4.helpers").unpack_fp4_from_uint8
    filled = whole(codes, 16)
    elements = unpack(tensor(filled[:, ::2] | filled[:, 1::2] << 4), *filled.shape, dtype=torch.float32)
    scales = tensor(block_scales).view(torch.float8_e4m3fn).float().unsqueeze(-1)
    blocks = elements.reshape(len(codes), -1, 16)
    values = forward._dequantize(blocks, scales, None, global_scale=tensor(tensor_scale))
    return values.float().numpy().reshape(filled.shape)[:, : codes.shape[1]]


@row("nvfp4.tensor_scale", "compressed_tensors", "compressed-tensors")
def compressed_tensor_scale(x):
    return library("compressed_tensors.quantization.utils").generate_gparam(tensor(x).amin(), tensor(x).amax())
