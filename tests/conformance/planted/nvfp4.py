"""Wrong NVFP4: what each property must see."""

import numpy as np

from refcompress.formulas.quantization.formats import nvfp4


def without_6(x, tensor_scale):
    return nvfp4.quantize(x, tensor_scale=tensor_scale * np.float32(6))[:2]


def half_elements(x, tensor_scale):
    """Elements of half the values."""
    scales = nvfp4.quantize(x, tensor_scale=tensor_scale)[1]
    return nvfp4.quantize(x / np.float32(2), tensor_scale=tensor_scale)[0], scales


def whole_rows(x, tensor_scale):
    """The first block's scale for a row."""
    codes, scales, _ = nvfp4.quantize(x, tensor_scale=tensor_scale)
    return codes, np.repeat(scales[:, :1], scales.shape[1], axis=1)


def without_448(x):
    largest = np.abs(x).max()
    return largest / np.float32(6) if largest else np.float32(1)


def without_magnitude(x):
    return nvfp4.quantize(np.maximum(x, 0))[2]


def never_nan(codes, block_scales, tensor_scale):
    return nvfp4.dequantize(codes, np.minimum(block_scales, 126), tensor_scale)


def inverse(codes, block_scales, tensor_scale):
    return nvfp4.dequantize(codes, block_scales, tensor_scale, arithmetic="compressed_tensors")


# property: (convention, wrong implementation)
PLANTED = {
    "scales_reach_amax": ("torchao", without_6),
    "elements_are_near": ("torchao", half_elements),
    "blocks_are_on_their_own": ("torchao", whole_rows),
    "brings_the_largest_to_2688": ("torchao", without_448),
    "doubles_with_the_tensor": ("torchao", without_magnitude),
    "a_scale_is_nan": ("torchao", never_nan),
    "is_the_product": ("torchao", inverse),
}
