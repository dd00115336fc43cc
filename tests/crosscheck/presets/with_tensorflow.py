"""TensorFlow: fake_quant_with_min_max_vars, which takes a range and gives numbers."""

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import MILLION, WITHOUT_NAN, Pair, ranges, values
from tests.crosscheck.registry import register


@register("tensorflow_fake_quant", library="tensorflow")
def fake_quant(c, rng):
    import tensorflow as tf

    def pair(x, low, high, bits, narrow, random):
        top = 2**bits - 1
        s, Z = affine.choose(low, high, int(narrow), top, c)
        ours = affine.fake_quantize(x, s, Z, int(narrow), top, c)
        theirs = tf.quantization.fake_quant_with_min_max_vars(x, low, high, bits, narrow).numpy()
        return Pair(f"{bits} bits, narrow {narrow}, range {low.item()!r} to {high.item()!r}", theirs, ours, x, random)

    sizes = np.exp(rng.normal(0, 2, (12, 2)))
    wide = [(-1, 1), (0, 6), (-0.5, 254.5), (-1.3, 2.7), (-1e-3, 7e-4), (-100, 0), (-3e5, 1e2), (2, 3), (-3, -2)]
    wide += [(-a, b) for a, b in sizes]
    for bits, random in ((8, MILLION), (4, 200_000), (2, 100_000), (16, 10_000)):
        for narrow in (False, True):
            for low, high in wide if bits < 16 else wide[3:4]:
                low, high = np.float32(low), np.float32(high)
                s, Z = affine.choose(low, high, int(narrow), 2**bits - 1, c)
                n = random // len(wide)
                x = values(s, int(Z), int(narrow), 2**bits - 1, WITHOUT_NAN, rng, n)
                yield pair(x, low, high, bits, narrow, n)
    for bits in (8, 4):
        ends = ranges(0, 2**bits - 1, rng, smallest=1e-30, empty=False, largest=1e37)
        for low, high in zip(*ends, strict=True):
            if low < high:
                x = np.concatenate([np.linspace(low, high, 24, dtype=np.float32), rng.normal(0, 1, 8)])
                yield pair(x.astype(np.float32), low, high, bits, False, 0)
