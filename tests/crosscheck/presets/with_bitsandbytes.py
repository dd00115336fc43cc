"""bitsandbytes: int8_vectorwise_quant on rows. It keeps the largest magnitude, not a scale: codes are compared."""

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import Pair, ranges, weight_rows
from tests.crosscheck.registry import register


@register("bitsandbytes", library="bitsandbytes")
def rows(c, rng):
    import torch
    from bitsandbytes.functional import int8_vectorwise_quant

    ends = ranges(-128, 127, rng, smallest=1e-35)
    for size in (256, 33):
        x, drawn = weight_rows(c, -128, 127, size, rng, ends, 1_500_000)
        q, _, _ = int8_vectorwise_quant(torch.from_numpy(x))
        low, high = x.min(1), x.max(1)
        s, Z = affine.choose(low, high, -128, 127, c)
        yield Pair("quantize a row", q.numpy(), affine.quantize(x, s, Z, -128, 127, c, 0), x, drawn)
