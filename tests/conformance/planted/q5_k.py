"""Wrong Q5_K: what each property must see."""

from refcompress.formulas.quantization.formats import q5_k
from tests.conformance.planted.ggml_bytes import super_blocks

PLANTED = super_blocks(q5_k.dequantize)
