"""What cannot be run, in exact arithmetic: the source document's formulas, and gemmlowp's example."""

from fractions import Fraction

import numpy as np

from refcompress.formulas.quantization import affine
from tests.crosscheck.comparison import SCALES, Pair, ranges, values
from tests.crosscheck.registry import EXACT, register
from tests.oracles import rounding, uniform


@register("source", library="source document", how=EXACT)
def source(c, rng):
    """Formulas Q2 to Q4 with every operation rounded to the weights' dtype."""
    for number, name in ((np.float32, "float32"), (np.float64, "float64")):
        low, high = (end[:: 1 + len(end) // 1000].astype(number) for end in ranges(0, 255, rng, smallest=1e-36))
        for bits in (8, 4):
            s, Z = affine.choose(low, high, 0, 2**bits - 1, c)
            ends = [(Fraction(float(a)), Fraction(float(b))) for a, b in zip(low, high, strict=True)]
            scales = np.array([float(uniform.float_scale(a, b, bits, name)) for a, b in ends], number)
            given = np.stack([low, high], 1)
            yield Pair(f"{name} scale of a range for {bits} bits", scales, s, given)
            yield Pair(f"{name} zero point of a range for {bits} bits", low, Z, given)
        for bits, step, start in ((8, 0.0371, -1.3), (4, 1 / 3, -2.5), (4, 0.5, 0.25), (3, 7.3e-4, 123.4)):
            top, s, z = 2**bits - 1, number(step), number(start)
            x = values(np.float32(s), float(-z / s), 0, top, ("huge",), rng, 800).astype(number)
            if number is np.float64:
                x = np.concatenate([x, (np.arange(-2, top + 2) + 0.5) * s + z])
            exact = [Fraction(float(p)) for p in (s, z)]
            codes = [uniform.float_code(Fraction(float(w)), *exact, bits, "half_even", name) for w in x]
            what = f"{name} to {bits} bits by scale {s.item()!r} and offset {z.item()!r}"
            ours = affine.quantize(x, s, z, 0, top, c)
            yield Pair(f"quantize {what}", np.array(codes), ours, x, 800)
            numbers = [float(uniform.float_value(int(q), *exact, name)) for q in range(top + 1)]
            q = np.arange(top + 1)
            yield Pair(f"dequantize {what}", np.array(numbers, number), affine.dequantize(q, s, z, c), q)


def rounded(x, name="float32"):
    return rounding.to_format(x, name)


@register("gemmlowp", library="gemmlowp", how=EXACT, version="")
def gemmlowp(c, rng):
    """The example's float steps: scale a float quotient, zero point in double; codes clipped, then half away."""
    low, high = (end[:: 1 + len(end) // 1500] for end in ranges(0, 255, rng, smallest=1e-36, empty=False))
    kept = (low != 0) | (high != 0)
    low, high = low[kept], high[kept]
    found = []
    for a, b in zip(low, high, strict=True):
        first, last = min(Fraction(float(a)), Fraction(0)), max(Fraction(float(b)), Fraction(0))
        s = rounded(rounded(last - first) / 255)
        Z = rounded(0 - rounded(first / s, "float64"), "float64")
        found.append((float(s), min(max(rounding.to_integer(Fraction(Z), "half_away"), 0), 255)))
    scales, points = np.array(found).T
    s, Z = affine.choose(low, high, 0, 255, c)
    given = np.stack([low, high], 1)
    yield Pair("scale of a range", scales.astype(np.float32), s, given)
    yield Pair("zero point of a range", points, Z, given)

    for scale in SCALES:
        for point in (0, 3, 128, 255):
            x, s = values(scale, point, 0, 255, (), rng, 200), Fraction(float(scale))
            x = x if scale == SCALES[3] else np.concatenate([x[:-218:7], x[-218:]])  # fractions are slow
            codes = []
            for w in x:
                t = rounded(point + rounded(Fraction(float(w)) / s))
                codes.append(rounding.to_integer(min(max(t, Fraction(0)), Fraction(255)), "half_away"))
            what = f"by scale {scale.item()!r} and zero point {point}"
            yield Pair(f"quantize {what}", np.array(codes), affine.quantize(x, scale, point, 0, 255, c), x, 200)
            numbers = [float(rounded(s * (q - point))) for q in range(256)]
            q = np.arange(256)
            yield Pair(f"dequantize {what}", np.array(numbers, np.float32), affine.dequantize(q, scale, point, c), q)
