"""Properties of Q2_K."""

from collections.abc import Callable
from typing import Any

from refcompress.conformance.properties.ggml_bytes import Layout, blocks, super_block_properties
from refcompress.conformance.properties.longer import SIZES, longer, repeated
from refcompress.formulas.quantization.formats import q2_k

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"dequantize": lambda convention: q2_k.dequantize}
LAYOUT = Layout(84, (80, 82), codes=slice(16, 80), scales=slice(0, 16))
PROPERTIES = super_block_properties(LAYOUT)
AGREES = {"dequantize": blocks(lambda convention: LAYOUT)}
LONGER = {"dequantize": longer(AGREES["dequantize"], repeated(data=0), sizes=SIZES[:4])}
