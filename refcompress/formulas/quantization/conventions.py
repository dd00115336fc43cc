"""Conventions: what each library means by affine quantization, to the last bit.

Tutorial: tutorials/04_conventions.py
"""

from collections.abc import Mapping
from types import MappingProxyType

from refcompress.formulas.quantization.convention import Convention

__all__ = ["PRESETS", "Convention", "named"]

PRESETS: Mapping[str, Convention] = MappingProxyType({
    "source": Convention(
        nonfinite="error", compute_dtype="input", zero_point_added="subtracted", form="sq+Z", zero_point_type="real",
        zero_point="low", include_zero="no", range_dtype="input", scale_dtype="input",
        origin="source document, section 3.2, formulas Q2 to Q4",
    ),
    "onnx": Convention(
        zero_range="unit_width",
        origin="onnx 1.23.2, reference/ops/op_quantize_linear.py:50, op_dequantize_linear.py:16 and the dynamic one",
        limits="beyond 2³¹ steps, and for NaN, the reference casts to int32, which NumPy leaves undefined",
    ),
    "onnxruntime": Convention(
        clip="before", nonfinite="nan_low",
        origin="onnxruntime 1.32.0, QuantizeLinear and DynamicQuantizeLinear on x86, mlas/lib/quantize.cpp",
    ),
    "onnxruntime_weights": Convention(
        nonfinite="nan_zero", range_dtype="float64", zero_point_from="unrounded_scale", zero_range="one_below_normal",
        origin="onnxruntime 1.32.0, quantization/quant_utils.py:233 compute_scale_zp, :185 quantize_nparray",
    ),
    "onnxruntime_weights_symmetric": Convention(
        nonfinite="nan_zero", range_dtype="float64", scale="symmetric_half", zero_point="middle",
        zero_range="one_below_normal",
        origin="onnxruntime 1.32.0, the same with symmetric=True",
        limits="int8 has codes −127 to 127",
    ),
    "onnxruntime_blockwise": Convention(
        rounding="half_away", quotient="reciprocal", zero_point_added="before", zero_point_rounding="half_away",
        zero_range="zero",
        origin="onnxruntime 1.32.0, quantize_matmul_4bits and _8bits, mlas/lib/q4_dq.cpp",
    ),
    "onnxruntime_blockwise_symmetric": Convention(
        rounding="half_away", quotient="reciprocal", zero_point_added="before", scale="signed", zero_point="middle",
        zero_range="zero",
        origin="onnxruntime 1.32.0, the same with is_symmetric",
    ),
    "tensorflow_fake_quant": Convention(
        rounding="add_half", zero_point_added="shifted", zero_point_rounding="half_away", include_zero="no",
        zero_range="error",
        origin="tensorflow 2.21.0, fake_quant_with_min_max_vars, core/kernels/fake_quant_ops_functor.h:41",
    ),
    "tflite_reference": Convention(
        rounding="half_away", zero_point_rounding="half_away", zero_point_from="float64_to_float32",
        zero_range="grown",
        origin="tensorflow 2.21.0, TFLite's QUANTIZE in reference/quantize.h; range: the converter",
    ),
    "tflite_activations": Convention(
        quotient="reciprocal", clip="before", nonfinite="nan_high", zero_point_rounding="half_away",
        zero_point_from="float64_to_float32", zero_range="grown",
        origin="tensorflow 2.21.0, TFLite's QUANTIZE by the default interpreter, XNNPACK; range: the converter",
        limits="8 bits; int16 codes are computed by another kernel",
    ),
    "tflite_weights": Convention(
        rounding="half_away", quotient="reciprocal", scale="symmetric_qmax", zero_point="zero", narrow="low",
        smallest_range=5e-7, zero_range="smallest",
        origin="tensorflow 2.21.0, TFLiteConverter to int8, weights per channel",
    ),
    "tflite_weights_dynamic_range": Convention(
        rounding="half_away", compute_dtype="input", range_dtype="float64", scale="symmetric_qmax", zero_point="zero",
        narrow="low", smallest_range=5e-7, zero_range="smallest",
        origin="tensorflow 2.21.0, TFLiteConverter, dynamic-range quantization of weights, computed in double",
    ),
    "gemmlowp": Convention(
        rounding="half_away", zero_point_added="before", clip="before", zero_point_rounding="half_away",
        zero_point_from="float64", zero_range="error",
        origin="gemmlowp, doc/quantization_example.cc",
        limits="read, not run",
    ),
    "qonnx": Convention(
        zero_point_added="before", clip="before",
        origin="qonnx 1.0.0, custom_op/general/intquant.py:100 int_quant",
        limits="the library is given its scale: the range is ONNX's",
    ),
    "ggml_q4_0": Convention(
        rounding="add_half", quotient="reciprocal", zero_point_added="before", scale="signed", zero_point="middle",
        zero_range="zero", scale_dtype="float16",
        origin="gguf 0.19.0, quants.py, Q4_0 with codes 0 to 15, Q5_0 with 0 to 31; ggml-quants.c",
        limits="of ends equal in size Q4_0 takes the first in its block, this the low one; see formats/ggml_legacy",
    ),
    "ggml_q4_1": Convention(
        rounding="add_half", quotient="reciprocal", zero_point_added="subtracted", form="sq+Z",
        zero_point_type="real", zero_point="low", include_zero="no", zero_range="zero", scale_dtype="float16",
        origin="gguf 0.19.0, quants.py, Q4_1 with codes 0 to 15, Q5_1 with 0 to 31; ggml-quants.c",
    ),
    "ggml_q8_0": Convention(
        rounding="half_away", quotient="reciprocal", scale="symmetric_qmax", zero_point="zero", zero_range="zero",
        scale_dtype="float16",
        origin="gguf 0.19.0, quants.py, Q8_0; ggml-quants.c",
    ),
    "torch_quantize": Convention(
        quotient="fused", zero_point_added="before", nonfinite="nan_high", zero_point="rounded_quotient",
        smallest_scale=2**-23, zero_range="smallest",
        origin="torch 2.13.0, quantize_per_tensor to 8 bits, x86; range: observer.py:349, MinMaxObserver",
    ),
    "torch_quantize_per_channel": Convention(
        quotient="reciprocal", zero_point_added="before", nonfinite="nan_zero", zero_point="rounded_quotient",
        smallest_scale=2**-23, zero_range="smallest",
        origin="torch 2.13.0, quantize_per_channel to 8 bits on x86; range: PerChannelMinMaxObserver",
    ),
    "torch_quantize_dynamic": Convention(
        quotient="fused", zero_point_added="before", nonfinite="error", range_dtype="float64",
        zero_point="nearer_end", zero_point_from="unrounded_scale", zero_range="tenth",
        origin="torch 2.13.0, quantize_per_tensor_dynamic; ATen/native/quantized/cpu/QuantUtils.h:71",
        limits="torch keeps the scale as float64; the codes are computed with its float32, which is given here",
    ),
    "torch_fake_quantize": Convention(
        quotient="reciprocal", nonfinite="nan_low", zero_point="rounded_quotient", smallest_scale=2**-23,
        zero_range="smallest",
        origin="torch 2.13.0, fake_quantize_per_tensor_affine, x86; range: ao/quantization/observer.py:349",
    ),
    "torch_fake_quantize_per_channel": Convention(
        quotient="reciprocal", nonfinite="int64", zero_point="rounded_quotient", smallest_scale=2**-23,
        zero_range="smallest",
        origin="torch 2.13.0, fake_quantize_per_channel_affine with int32 zero points, x86; range: observer.py:349",
    ),
    "torch_observer_affine": Convention(
        quotient="reciprocal", nonfinite="nan_low", zero_point="rounded_quotient", smallest_scale=2**-23,
        zero_range="smallest",
        origin="torch 2.13.0, ao/quantization/observer.py:349, MinMaxObserver; equal to torch_fake_quantize",
    ),
    "torch_observer_symmetric": Convention(
        quotient="reciprocal", nonfinite="nan_low", scale="symmetric_half", zero_point="middle",
        smallest_scale=2**-23, zero_range="smallest",
        origin="torch 2.13.0, the same with qscheme per_tensor_symmetric",
        limits="with a custom quant_min unsigned codes have their zero point at ⌊(qmin + qmax)/2⌋",
    ),
    "torchao": Convention(
        quotient="reciprocal", nonfinite="nan_zero", zero_point="rounded_quotient", smallest_scale=2**-126,
        zero_range="smallest",
        origin="torchao 0.18.0, quantization/quant_primitives.py:1230, :434, :815, ASYMMETRIC",
    ),
    "torchao_symmetric": Convention(
        quotient="reciprocal", nonfinite="nan_zero", scale="symmetric_half", zero_point="middle",
        smallest_scale=2**-126, zero_range="smallest",
        origin="torchao 0.18.0, quantization/quant_primitives.py:1230, SYMMETRIC",
    ),
    "torchao_symmetric_no_clipping": Convention(
        quotient="reciprocal", nonfinite="nan_zero", scale="both_ends", zero_point="middle", smallest_scale=2**-126,
        zero_range="smallest",
        origin="torchao 0.18.0, quantization/quant_primitives.py:1230, SYMMETRIC_NO_CLIPPING_ERR",
    ),
    "compressed_tensors": Convention(
        zero_point_added="before", clip="before", nonfinite="nan_zero", zero_range="epsilon",
        origin="compressed-tensors 0.20.0, quantization/utils/helpers.py:52, lifecycle/forward_helpers.py:523",
    ),
    "compressed_tensors_symmetric": Convention(
        zero_point_added="before", clip="before", nonfinite="nan_zero", scale="symmetric_half", zero_point="zero",
        zero_range="epsilon",
        origin="compressed-tensors 0.20.0, the same, symmetric",
    ),
    "brevitas": Convention(
        zero_point_added="before", scale="symmetric_qmax", zero_point="zero", narrow="low", smallest_range=1e-10,
        zero_range="smallest",
        origin="brevitas 0.13.4, core/quant/int_base.py:67, core/stats/stats_op.py:184; Int8WeightPerTensorFloat",
    ),
    "brevitas_activations": Convention(
        zero_point_added="before", scale="symmetric_qmin", zero_point="zero", smallest_range=1e-10,
        zero_range="smallest",
        origin="brevitas 0.13.4, core/scaling/runtime.py:78; Int8ActPerTensorFloat",
        limits="signed codes; the range is a percentile, averaged over batches",
    ),
    "brevitas_shifted": Convention(
        zero_point_added="before", include_zero="low", smallest_range=1e-10, zero_range="smallest",
        origin="brevitas 0.13.4, core/zero_point.py:50; ShiftedUint8WeightPerTensorFloat",
    ),
    "gptq": Convention(
        zero_range="unit_ends",
        origin="IST-DASLab/gptq at 2d65066, quant.py:36 find_params, :6 quantize; the final affine step",
    ),
    "gptq_symmetric": Convention(
        scale="mirrored", zero_point="middle", zero_range="unit_ends",
        origin="IST-DASLab/gptq at 2d65066, quant.py:36, sym=True",
    ),
    "awq": Convention(
        include_zero="no", zero_point="rounded_quotient", smallest_range=1e-5, zero_range="smallest",
        origin="mit-han-lab/llm-awq at d6e797a, quantizer.py:61 pseudo_quantize_tensor, zero_point=True",
    ),
    "hqq": Convention(
        quotient="multiply", zero_point_added="before", form="(q-Z)/s", zero_point_type="real", include_zero="no",
        scale="inverse_width", zero_point="quotient", zero_range="one_below_1e-4", smallest_scale=5e-5,
        origin="hqq 0.2.8, core/quantize.py:77, Quantizer.quantize with optimize=False, round_zero=False",
        limits="with nbits=4 its default configuration rounds the zero point (round_zero)",
    ),
    "bitsandbytes": Convention(
        quotient="multiply", form="(q-Z)/s", scale="inverse_absmax", zero_point="zero", narrow="low",
        zero_range="zero",
        origin="bitsandbytes 0.50.2, backends/default/ops.py:142, int8_vectorwise_quant",
        limits="the library keeps absmax and restores (q·absmax)·(1/127), not q·(1/s)",
    ),
})  # fmt: skip


def named(convention: Convention | str) -> Convention:
    """Return a convention itself, or the preset of that name.

    Parameters
    ----------
    convention : Convention or str

    Returns
    -------
    Convention

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If there is no such preset.

    Examples
    --------
    >>> named("onnx").formula()
    'q = clip(half_even(x / s) + Z, qmin, qmax);  x̂ = s·(q − Z)'
    """
    if isinstance(convention, Convention):
        return convention
    if not isinstance(convention, str):
        raise TypeError(f"convention must be a Convention or a preset's name, got {convention!r}")
    if convention not in PRESETS:
        raise ValueError(f"convention must be one of {', '.join(PRESETS)}, got {convention!r}")
    return PRESETS[convention]
