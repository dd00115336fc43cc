"""Wrong Q4_K: what each property must see."""

from refcompress.formulas.quantization.formats import q4_k
from tests.conformance.planted.ggml_bytes import super_blocks

PLANTED = super_blocks(q4_k.dequantize)
