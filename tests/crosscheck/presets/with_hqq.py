"""hqq: Quantizer.quantize without its optimization, in groups."""

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import MILLION, Pair, ranges, weight_rows
from tests.crosscheck.registry import register

SIZE = 64


@register("hqq", library="hqq")
def quantizer(c, rng):
    import torch
    from hqq.core.quantize import Quantizer

    setting = {"channel_wise": True, "group_size": SIZE, "optimize": False, "round_zero": False, "axis": 1}
    for bits in (8, 4, 3, 2):
        top = 2**bits - 1
        ends = tuple(end[: None if bits == 8 else 2000] for end in ranges(0, top, rng))
        rows, drawn = weight_rows(c, 0, top, SIZE, rng, ends, MILLION if bits == 8 else 100_000)
        q, meta = Quantizer.quantize(torch.from_numpy(rows), nbits=bits, bitpack=False, device="cpu", **setting)
        meta["compute_dtype"] = torch.float32
        s, Z = affine.choose(rows.min(1), rows.max(1), 0, top, c)
        given = rows[:, :2]
        yield Pair(f"1/scale of a group for {bits} bits", meta["scale"].numpy().ravel(), np.float32(1) / s, given)
        zero = meta["zero"].numpy().ravel() + np.float32(0)  # −0 where the low end is 0
        yield Pair(f"zero point of a group for {bits} bits", zero, Z, given)
        ours = affine.quantize(rows, s, Z, 0, top, c, 0)
        yield Pair(f"quantize a group to {bits} bits", q.numpy().reshape(rows.shape), ours, rows, drawn)
        numbers = Quantizer.dequantize(q, meta).numpy().reshape(rows.shape)
        yield Pair(f"dequantize a group of {bits} bits", numbers, affine.dequantize(ours, s, Z, c, 0), rows)
