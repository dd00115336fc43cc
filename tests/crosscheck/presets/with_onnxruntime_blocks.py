"""onnxruntime: MatMulNBits weights of 8, 4 and 2 bits, blocks along the rows of a matrix."""

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import MILLION, Pair, ranges, weight_rows
from tests.crosscheck.registry import register

SIZE = 256


def unpacked(packed, bits):
    """Codes of bytes, the lowest bits first."""
    parts = [(packed >> shift) & (2**bits - 1) for shift in range(0, 8, bits)]
    return np.stack(parts, -1).reshape(len(packed), -1)


def compared(symmetric):
    def pairs(c, rng):
        from onnxruntime.capi import _pybind_state as native

        for bits in (8, 4, 2):
            qmin, qmax = 0, 2**bits - 1
            ends = ranges(qmin, qmax, rng, smallest=1e-35)
            ends = tuple(end[: None if bits == 8 else 1500] for end in ends)
            rows, drawn = weight_rows(c, qmin, qmax, SIZE, rng, ends, MILLION if bits == 8 else 100_000)
            n = len(rows)
            packed, scales = np.zeros((n, 1, SIZE * bits // 8), np.uint8), np.zeros((n, 1), np.float32)
            points = np.zeros((n, 1), np.uint8)
            quantize = getattr(native, f"quantize_matmul_{bits}bits")
            quantize(packed, np.ascontiguousarray(rows.T), scales, points, SIZE, n, SIZE, symmetric)
            codes, scales, points = unpacked(packed[:, 0], bits), scales[:, 0], points[:, 0] & qmax

            low, high = rows.min(1), rows.max(1)
            s, Z = affine.choose(low, high, qmin, qmax, c)
            given = np.stack([low, high], 1)
            yield Pair(f"scale of a block for {bits} bits", scales, s, given)
            if not symmetric:
                yield Pair(f"zero point of a block for {bits} bits", points, Z, given)
            ours = affine.quantize(rows, s, Z, qmin, qmax, c, 0)
            yield Pair(f"quantize a block to {bits} bits", codes, ours, rows, drawn)

    return pairs


register("onnxruntime_blockwise", library="onnxruntime")(compared(symmetric=False))
register("onnxruntime_blockwise_symmetric", library="onnxruntime")(compared(symmetric=True))
