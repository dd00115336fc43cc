"""Wrong Q3_K: what each property must see."""

from refcompress.formulas.quantization.formats import q3_k
from tests.conformance.planted.ggml_bytes import super_blocks

PLANTED = super_blocks(q3_k.dequantize)
