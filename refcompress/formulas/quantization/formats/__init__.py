"""Block formats: small elements that share scales, as the formats store them."""

from refcompress.formulas.quantization.formats import (
    ggml_legacy,
    level_table,
    mx,
    nvfp4,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
)

__all__ = [
    "ggml_legacy",
    "level_table",
    "mx",
    "nvfp4",
    "q2_k",
    "q3_k",
    "q4_k",
    "q5_k",
    "q6_k",
]
