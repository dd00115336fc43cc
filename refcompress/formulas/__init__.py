"""The book: pure functions, arrays in and arrays out, one formula in one file."""

from refcompress.formulas import coding, network, pruning, quantization

__all__ = ["coding", "network", "pruning", "quantization"]
