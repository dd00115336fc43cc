"""One module a library; importing the package registers every comparison, and imports none of the libraries."""

from tests.crosscheck.presets import (
    exact,
    with_bitsandbytes,
    with_brevitas,
    with_compressed_tensors,
    with_gguf,
    with_hqq,
    with_onnx,
    with_onnxruntime,
    with_onnxruntime_blocks,
    with_qonnx,
    with_tensorflow,
    with_tflite,
    with_tflite_weights,
    with_torch,
    with_torchao,
    with_transcriptions,
)
from tests.crosscheck.registry import ENTRIES

__all__ = [
    "ENTRIES",
    "exact",
    "with_bitsandbytes",
    "with_brevitas",
    "with_compressed_tensors",
    "with_gguf",
    "with_hqq",
    "with_onnx",
    "with_onnxruntime",
    "with_onnxruntime_blocks",
    "with_qonnx",
    "with_tensorflow",
    "with_tflite",
    "with_tflite_weights",
    "with_torch",
    "with_torchao",
    "with_transcriptions",
]
