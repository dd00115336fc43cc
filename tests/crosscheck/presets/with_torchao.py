"""torchao: choose_qparams_affine, quantize_affine and dequantize_affine, with zero points in the integer domain."""

import numpy as np

from tests.crosscheck.comparison import SPECIAL, chosen, grouped, quantized, ranges, restored
from tests.crosscheck.registry import register

CODES = ((-128, 127), (0, 255), (-8, 7), (0, 15))


def compared(mapping):
    def pairs(c, rng):
        import torch
        from torchao.quantization import quant_primitives as ao

        for i, (qmin, qmax) in enumerate(CODES):
            dtype = torch.uint8 if qmin == 0 else torch.int8

            def codes(x, s, Z, axis=0, block_size=None, dtype=dtype, qmin=qmin, qmax=qmax):
                x = torch.from_numpy(x if np.ndim(s) else x[None])
                sizes = [n if block_size is None else 1 for n in x.shape]
                sizes[axis] = block_size or 1
                s, Z = (torch.from_numpy(np.atleast_1d(p)) for p in (np.float32(s), np.int32(Z)))
                return ao.quantize_affine(x, sizes, s, Z, dtype, qmin, qmax).numpy()

            def numbers(q, s, Z, dtype=dtype, qmin=qmin, qmax=qmax):
                q = torch.from_numpy(q).to(dtype)[None]
                s, Z = torch.tensor([float(s)]), torch.tensor([int(Z)], dtype=torch.int32)
                return ao.dequantize_affine(q, q.shape, s, Z, dtype, qmin, qmax).numpy()

            def choose(low, high, dtype=dtype, qmin=qmin, qmax=qmax):
                tensor = torch.from_numpy(np.stack([low, high], 1))
                kind = getattr(ao.MappingType, mapping)
                s, Z = ao.choose_qparams_affine(tensor, kind, (1, 2), dtype, qmin, qmax)
                return s.numpy(), Z.numpy()

            if mapping == "SYMMETRIC_NO_CLIPPING_ERR" and qmin == 0:
                continue  # divides by qmin
            random = 1_050_000 if i == 0 else 100_000
            yield from quantized(c, qmin, qmax, codes, rng, special=SPECIAL, random=random)
            yield from grouped(c, qmin, qmax, codes, rng)
            yield from grouped(c, qmin, qmax, codes, rng, axes=(1,), block_sizes=(22, 11))
            yield from restored(c, qmin, qmax, numbers)
            yield from chosen(c, qmin, qmax, choose, ranges(qmin, qmax, rng))

    return pairs


register("torchao", library="torchao")(compared("ASYMMETRIC"))
register("torchao_symmetric", library="torchao")(compared("SYMMETRIC"))
register("torchao_symmetric_no_clipping", library="torchao")(compared("SYMMETRIC_NO_CLIPPING_ERR"))
