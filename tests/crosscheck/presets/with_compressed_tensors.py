"""compressed-tensors: calculate_qparams, quantize and dequantize per tensor, channel and group."""

import numpy as np

from tests.crosscheck.comparison import SPECIAL, chosen, quantized, ranges, restored
from tests.crosscheck.registry import register


def compared(symmetric):
    def pairs(c, rng):
        import torch
        from compressed_tensors.quantization import QuantizationArgs
        from compressed_tensors.quantization.lifecycle.forward import dequantize, quantize
        from compressed_tensors.quantization.utils import calculate_qparams

        for bits, random in ((8, 1_050_000), (4, 100_000)):
            qmin, qmax = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

            def setting(strategy, bits=bits):
                size = {"group_size": 8} if strategy == "group" else {}
                return QuantizationArgs(num_bits=bits, symmetric=symmetric, strategy=strategy, **size)

            def codes(strategy):
                def of(x, s, Z):
                    x = x[: x.size // 8 * 8]
                    shape = {"tensor": (1,), "channel": (1, 1), "group": (1, x.size // 8)}[strategy]
                    s, Z = torch.full(shape, float(s)), torch.full(shape, int(Z), dtype=torch.int8)
                    return quantize(torch.from_numpy(x)[None], s, Z, setting(strategy), dtype=torch.int8).numpy()

                return of

            def numbers(q, s, Z):
                s, Z = torch.tensor([float(s)]), torch.tensor([int(Z)], dtype=torch.int8)
                return dequantize(torch.from_numpy(q).to(torch.int8)[None], s, Z, setting("tensor")).numpy()

            def choose(low, high):
                s, Z = calculate_qparams(torch.from_numpy(low), torch.from_numpy(high), setting("channel"))
                return s.numpy(), Z.numpy()

            for strategy, share in (("tensor", 1), ("channel", 10), ("group", 10)):
                for pair in quantized(c, qmin, qmax, codes(strategy), rng, special=SPECIAL, random=random // share):
                    n = np.size(pair.theirs)  # whole groups only
                    yield pair._replace(ours=pair.ours[:n], given=pair.given[:n])
            yield from restored(c, qmin, qmax, numbers)
            yield from chosen(c, qmin, qmax, choose, ranges(qmin, qmax, rng))

    return pairs


register("compressed_tensors", library="compressed-tensors")(compared(symmetric=False))
register("compressed_tensors_symmetric", library="compressed-tensors")(compared(symmetric=True))
