"""What is kept: quantized tensors, the model that they make up, and their bytes on disk."""

from refcompress.storage.atomic import check_writable, write_beside
from refcompress.storage.compressed_model import CompressedModel, NodeRecord
from refcompress.storage.file import ledger, load, read, save
from refcompress.storage.quantized_tensor import QuantizedTensor

__all__ = [
    "CompressedModel",
    "NodeRecord",
    "QuantizedTensor",
    "check_writable",
    "ledger",
    "load",
    "read",
    "save",
    "write_beside",
]
