"""qonnx: int_quant, which gives the numbers that the codes stand for. It takes a scale, and chooses none."""

import numpy as np

from tests.crosscheck.comparison import WITHOUT_NAN, quantized
from tests.crosscheck.registry import register

CODES = {(-128, 127): (8, True), (0, 255): (8, False), (-8, 7): (4, True), (0, 15): (4, False)}


@register("qonnx", library="qonnx")
def int_quant(c, rng):
    from qonnx.custom_op.general.intquant import int_quant

    def numbers(bits, signed):
        def of(x, s, Z):
            with np.errstate(over="ignore"):
                y = int_quant(x, np.float32(s), np.float32(Z), np.float32(bits), signed, False, "ROUND")
            return y + np.float32(0)  # its codes are floats, −0 among them

        return of

    for i, ((qmin, qmax), kind) in enumerate(CODES.items()):
        random = 1_050_000 if i == 0 else 200_000
        yield from quantized(c, qmin, qmax, numbers(*kind), rng, special=WITHOUT_NAN, random=random, fake=True)
    once = {"random": 100_000, "scales": (np.float32(0.0371),), "fake": True}
    yield from quantized(c, -32768, 32767, numbers(16, True), rng, special=WITHOUT_NAN, **once)
