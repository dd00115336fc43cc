"""TFLite: QUANTIZE and DEQUANTIZE by the reference kernels and by the default interpreter; ranges by the converter."""

import numpy as np

from tests.crosscheck.comparison import MILLION, SCALES, SPECIAL, chosen, grouped, quantized, ranges, restored
from tests.crosscheck.presets.tflite_models import TYPES, activation_parameters, one_operator, run
from tests.crosscheck.registry import register


def compared(c, rng, kinds, reference, special):
    for kind in kinds:
        qmin, qmax = TYPES[kind]

        def codes(x, s, Z, axis=None, block_size=None, kind=kind):
            return run(one_operator("QUANTIZE", kind, x.shape, s, Z, axis), x, reference)

        def numbers(q, s, Z, kind=kind):
            return run(one_operator("DEQUANTIZE", kind, q.shape, s, Z), q.astype(kind), reference)

        wide = {"scales": (np.float32(0.0371),), "at": (0,)} if kind == "int16" else {}
        random = MILLION if kind == "int8" else 200_000
        yield from quantized(c, qmin, qmax, codes, rng, special=special, random=random, **wide)
        if kind != "int16":
            yield from restored(c, qmin, qmax, numbers, SCALES)  # XNNPACK takes no subnormal scale
            if reference:
                yield from grouped(c, qmin, qmax, codes, rng)

    low, high = ranges(-128, 127, rng)
    some = np.concatenate([np.arange(0, len(low), len(low) // 200), np.flatnonzero(np.abs(high - low) < 1e-4)[::8]])
    low, high = np.append(low[some], np.float32(0)), np.append(high[some], np.float32(0))

    def choose(low, high):
        return np.array(activation_parameters(tuple(zip(low.tolist(), high.tolist(), strict=True)))).T

    yield from chosen(c, -128, 127, choose, (low, high), "by the converter")


@register("tflite_reference", library="tensorflow")
def reference_kernels(c, rng):
    """Without huge, infinite and NaN values: the kernels convert them to int32, which has no place for them."""
    yield from compared(c, rng, ("int8", "uint8", "int16"), reference=True, special=())


@register("tflite_activations", library="tensorflow")
def default_interpreter(c, rng):
    """Without int16, which XNNPACK leaves to other kernels."""
    yield from compared(c, rng, ("int8", "uint8"), reference=False, special=SPECIAL)
