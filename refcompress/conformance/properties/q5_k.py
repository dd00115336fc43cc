"""Properties of Q5_K."""

from collections.abc import Callable
from typing import Any

from refcompress.conformance.properties.ggml_bytes import Layout, blocks, super_block_properties
from refcompress.conformance.properties.longer import SIZES, longer, repeated
from refcompress.formulas.quantization.formats import q5_k

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"dequantize": lambda convention: q5_k.dequantize}
LAYOUT = Layout(176, (0, 2), codes=slice(16, 176), scales=slice(4, 16), group=32)
PROPERTIES = super_block_properties(LAYOUT)
AGREES = {"dequantize": blocks(lambda convention: LAYOUT)}
LONGER = {"dequantize": longer(AGREES["dequantize"], repeated(data=0), sizes=SIZES[:4])}
