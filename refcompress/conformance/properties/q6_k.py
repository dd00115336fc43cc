"""Properties of Q6_K."""

from collections.abc import Callable
from typing import Any

from refcompress.conformance.properties.ggml_bytes import Layout, blocks, super_block_properties
from refcompress.conformance.properties.longer import SIZES, longer, repeated
from refcompress.formulas.quantization.formats import q6_k

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {"dequantize": lambda convention: q6_k.dequantize}
LAYOUT = Layout(210, (208,), codes=slice(0, 192), scales=slice(192, 208))
PROPERTIES = super_block_properties(LAYOUT)
AGREES = {"dequantize": blocks(lambda convention: LAYOUT)}
LONGER = {"dequantize": longer(AGREES["dequantize"], repeated(data=0), sizes=SIZES[:4])}
