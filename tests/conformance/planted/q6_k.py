"""Wrong Q6_K: what each property must see."""

from refcompress.formulas.quantization.formats import q6_k
from tests.conformance.planted.ggml_bytes import super_blocks

PLANTED = super_blocks(q6_k.dequantize)
