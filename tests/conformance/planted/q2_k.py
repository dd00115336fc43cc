"""Wrong Q2_K: what each property must see."""

from refcompress.formulas.quantization.formats import q2_k
from tests.conformance.planted.ggml_bytes import super_blocks

PLANTED = super_blocks(q2_k.dequantize)
