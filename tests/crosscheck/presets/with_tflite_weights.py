"""TFLite: what the converter makes of weights, per channel."""

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import Pair, ranges, weight_rows
from tests.crosscheck.presets.tflite_models import converted_weights
from tests.crosscheck.registry import register

SIZE = 64


def compared(calibrated):
    def pairs(c, rng):
        ends = tuple(end[::3] for end in ranges(-128, 127, rng, smallest=1e-36, largest=1e30))
        rows, drawn = weight_rows(c, -128, 127, SIZE, rng, ends, 1_500_000)
        for start in range(0, len(rows), 8000):
            part = rows[start : start + 8000]
            codes, scales = converted_weights(np.ascontiguousarray(part.T), calibrated)
            ours = part.astype(np.float64) if c.compute_dtype == "input" else part
            s, Z = affine.choose(ours.min(1), ours.max(1), -128, 127, c)
            yield Pair("scale of a channel", scales, s.astype(np.float32), part[:, :2])
            what, random = f"weights {start} to {start + len(part)}", drawn if start == 0 else 0
            yield Pair(what, codes, affine.quantize(ours, s, Z, -128, 127, c, 0), part, random)

    return pairs


register("tflite_weights", library="tensorflow")(compared(calibrated=True))
register("tflite_weights_dynamic_range", library="tensorflow")(compared(calibrated=False))
