"""Vectors of NVFP4, in the arithmetics of torchao and of compressed-tensors, whose tensor scale is the inverse."""

import math
from fractions import Fraction

import numpy as np

from tests.oracles import float_format
from tests.oracles import nvfp4 as oracle
from tests.vectors.specification import Function, Mutant, Stem

F = np.float32
BLOCK = 16
LEAST = F(2.0**-6)  # of torchao's block scales
SCALE, ELEMENT = "float8_e4m3fn", "float4_e2m1fn"
CONVENTIONS = (("torchao",), ("compressed_tensors",))


def is_torchao(convention):
    return convention == "torchao"


def is_other(convention):
    return not is_torchao(convention)


def long_row(count, values):
    """A row of zeros but for these."""
    row = np.zeros((1, count))
    for place, value in values.items():
        row[0, place] = value
    return row


# quantize


def inputs(x, t=1):
    return {"x": np.array(x, F), "tensor_scale": F(t)}


def quantize_candidates(convention):
    # 12 / 6 = 2 is the first block's scale
    yield inputs([[-12, 0.5, 1.5], [3, 0, 0]])
    yield inputs([[1, -0.0, -0.01]])
    yield inputs([[0, 0]])
    yield inputs([[6 * 2.0**-8]], 1)
    yield inputs([[6 * 2.0**-11]], 1)
    yield inputs([[6], [-3]], 0.5)
    yield inputs([[6 * 500, 1]])
    yield inputs([[6 * (1 + 3 / 16)], [6 * (1 + 1 / 16)]])
    yield inputs(long_row(18, {0: 0.5, 16: 6, 17: 1}))
    middles = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], F)
    for t in (F(0.1), F(0.37), F(29)):
        for s in map(F, (9, 11, 13)):
            step = t * s if is_torchao(convention) else s / t
            for middle in middles:
                yield inputs([[6 * step, middle * step]], t)
        for middle in np.arange(17, 32, 2, F) / F(16):
            amax = F(6) * middle * t if is_torchao(convention) else F(6) * middle / t
            for at in (amax, np.nextafter(amax, F(0)), np.nextafter(amax, F(1e9))):
                yield inputs([[at]], t)


def quantized(convention, x, tensor_scale, axis=-1):
    codes, scales, _ = oracle.quantize(x, Fraction(float(tensor_scale)), axis, convention)
    return {"codes": codes.astype(np.uint8), "block_scales": scales.astype(np.uint8)}


def e4m3(s, rounding="half_even", overflow="saturate"):
    return float_format.encode(float(s), SCALE, overflow, rounding)


def e2m1(v, rounding="half_even"):
    return 7 if math.isnan(v) else float_format.encode(float(v), ELEMENT, "saturate", rounding)


def quotient(amax, t):
    """The block's scale in torchao's arithmetic, before it is stored."""
    return amax / F(6) / t


def product(amax, t):
    """The same in compressed-tensors'."""
    return t * (amax / F(6))


def times_reciprocal(x, t, s):
    """The elements in torchao's arithmetic, before they are stored."""
    return x * ((F(1) / t) / s)


def divided(x, t, s):
    """The same in compressed-tensors', which has no −0 but of what underflows."""
    scaled = x / (s / t)
    return np.where(scaled == 0, F(0), scaled)


def largest(part):
    return np.abs(part).max()


def wrong(size=BLOCK, amax=largest, scale=None, least=LEAST, store=e4m3, zero=0x20, scaled=None, element=e2m1):
    """Every step in float32, one of them exchanged."""

    def answer(convention, x, tensor_scale):
        torchao, t = is_torchao(convention), tensor_scale
        to_scale = scale or (quotient if torchao else product)
        to_elements = scaled or (times_reciprocal if torchao else divided)
        codes = np.zeros(x.shape, np.uint8)
        scales = np.zeros((len(x), -(-x.shape[1] // size)), np.uint8)
        with np.errstate(all="ignore"):
            for row, block in np.ndindex(*scales.shape):
                place = row, slice(size * block, size * (block + 1))
                s = to_scale(amax(x[place]), t)
                code = store(np.clip(s, least, F(448)) if torchao else s)
                code = zero if code == 0 and not torchao else code
                s = F(float_format.decode(code, SCALE))
                scales[row, block] = code
                codes[place] = [element(v) for v in to_elements(x[place], t, s)]
        return {"codes": codes, "block_scales": scales}

    return answer


def changed_tensor_scale(change):
    return lambda convention, x, tensor_scale: quantized(convention, x, change(tensor_scale))


def one_for_all(convention, x, tensor_scale):
    return wrong(amax=lambda part: np.abs(x).max())(convention, x, tensor_scale)


def power_of_two(s):
    """A scale as MX has it."""
    return e4m3(2.0 ** math.floor(math.log2(s)) if s > 0 else s)


def other_arithmetic(convention, x, tensor_scale):
    return quantized("compressed_tensors" if is_torchao(convention) else "torchao", x, tensor_scale)


QUANTIZE = Function(
    summary="elements and block scales of NVFP4, 16 along the last axis sharing a scale, the last block may be "
    "shorter; operations are rounded to float32 in the definition's order; x = −0 is −0, in compressed_tensors 0",
    parameters={
        "x": "(rows, n) float32 array",
        "tensor_scale": "float32, which multiplies in torchao and divides in compressed_tensors",
    },
    returns={
        "codes": "(rows, n) array of float4_e2m1fn codes",
        "block_scales": "(rows, ⌈n/16⌉) array of float8_e4m3fn codes",
    },
    candidates=quantize_candidates,
    expected=quantized,
    mutants={
        "arithmetic: the other": Mutant(
            "computes as the other library does, with the same tensor scale", other_arithmetic
        ),
        "tensor scale: inverse": Mutant(
            "the tensor scale is taken for its inverse", changed_tensor_scale(lambda t: F(1) / t)
        ),
        "tensor scale: left out": Mutant("the tensor scale is taken for 1", changed_tensor_scale(lambda t: F(1))),
        "blocks: of 32": Mutant("32 values share a scale, as in MX", wrong(size=32)),
        "blocks: one for all": Mutant("the whole tensor has one scale", one_for_all),
        "blocks: along the first axis": Mutant(
            "values of a column share a scale",
            lambda convention, x, tensor_scale: quantized(convention, x, tensor_scale, 0),
        ),
        "amax: without magnitude": Mutant(
            "the largest value, not the largest magnitude", wrong(amax=lambda part: max(F(0), part.max()))
        ),
        "scale: 6 left out": Mutant(
            "amax becomes 1, not the largest element",
            lambda convention, x, tensor_scale: wrong(
                scale=(lambda amax, t: amax / t) if is_torchao(convention) else (lambda amax, t: amax * t)
            )(convention, x, tensor_scale),
        ),
        "scale: power of two": Mutant("the scale rounds down to a power of two, as in MX", wrong(store=power_of_two)),
        "scale: ties away": Mutant(
            "a scale that is a tie takes the larger one", wrong(store=lambda s: e4m3(s, "half_away"))
        ),
        "scale: truncated": Mutant(
            "the scale rounds to the smaller one", wrong(store=lambda s: e4m3(s, "toward_zero"))
        ),
        "scale: overflow": Mutant(
            "a scale above 448 becomes NaN", wrong(store=lambda s: e4m3(s, overflow="nan")), is_other
        ),  # torchao clips it before
        "scale: no least": Mutant("a scale may be below 2^−6, and 0", wrong(least=F(0)), is_torchao),
        "scale: 0 stays": Mutant("a scale of 0 does not become 1/8", wrong(zero=0), is_other),
        "scale: amax / (6·t)": Mutant(
            "6 and the tensor scale are multiplied first", wrong(scale=lambda amax, t: amax / (F(6) * t)), is_torchao
        ),
        "scale: amax / t / 6": Mutant(
            "the tensor scale divides before 6", wrong(scale=lambda amax, t: amax / t / F(6)), is_torchao
        ),
        "scale: t·amax / 6": Mutant(
            "the tensor scale multiplies before 6 divides", wrong(scale=lambda amax, t: t * amax / F(6)), is_other
        ),
        "elements: x / (t·s)": Mutant(
            "divides by the product of the scales", wrong(scaled=lambda x, t, s: x / (t * s)), is_torchao
        ),
        "elements: x / t / s": Mutant(
            "divides by one scale after the other", wrong(scaled=lambda x, t, s: x / t / s), is_torchao
        ),
        "elements: x·(t / s)": Mutant(
            "multiplies by a quotient of the scales", wrong(scaled=lambda x, t, s: x * (t / s) + F(0)), is_other
        ),
        "elements: x·t / s": Mutant(
            "multiplies by one scale and divides by the other", wrong(scaled=lambda x, t, s: x * t / s + F(0)), is_other
        ),
        "elements: ties away": Mutant(
            "a tie takes the larger magnitude", wrong(element=lambda v: e2m1(v, "half_away"))
        ),
        "elements: truncated": Mutant(
            "elements round to the smaller magnitude", wrong(element=lambda v: e2m1(v, "toward_zero"))
        ),
        "elements: no negative zero": Mutant(
            "a negative number that rounds to zero becomes 0", wrong(element=lambda v: e2m1(v) if e2m1(v) != 8 else 0)
        ),
        "elements: −0 keeps its sign": Mutant("−0 becomes −0", wrong(scaled=lambda x, t, s: x / (s / t)), is_other),
    },
    provenance="tests/oracles/nvfp4.py, fractions, with every rounding to float32 written out",
    conventions=CONVENTIONS,
    holds=lambda inputs: {"codes": (0, 15), "block_scales": (0, 127)},
)


# tensor_scale


def tensor_scale_candidates(convention):
    yield {"x": np.array([1, -6], F)}
    yield {"x": np.array([0, 0], F)}
    for value in np.arange(1, 40, dtype=F):
        yield {"x": np.array([value], F)}


def of_largest(function):
    def answer(convention, x):
        with np.errstate(divide="ignore"):
            return {"tensor_scale": F(function(np.abs(x).max(), convention))}

    return answer


def right_tensor_scale(convention, x):
    return {"tensor_scale": F(float(oracle.tensor_scale(Fraction(float(np.abs(x).max())), convention)))}


def by(first, second):
    """A quotient for torchao and one for compressed-tensors, and 1 for zeros."""
    return of_largest(
        lambda largest, convention: F(1) if largest == 0 else (first if is_torchao(convention) else second)(largest)
    )


def without_magnitude(convention, x):
    return right_tensor_scale(convention, np.maximum(x, 0))


TENSOR_SCALE = Function(
    summary="NVFP4's scale of a tensor: max |x| / 2688, in compressed_tensors 2688 / max |x|, a quotient; 1 for zeros",
    parameters={"x": "(n,) float32 array"},
    returns={"tensor_scale": "float32"},
    candidates=tensor_scale_candidates,
    expected=right_tensor_scale,
    mutants={
        "inverse": Mutant("the other library's scale", by(lambda a: F(2688) / a, lambda a: a / F(2688))),
        "6 left out": Mutant("as if the largest element were 1", by(lambda a: a / F(448), lambda a: F(448) / a)),
        "448 left out": Mutant("as if the largest block scale were 1", by(lambda a: a / F(6), lambda a: F(6) / a)),
        "two roundings": Mutant("divides twice", by(lambda a: a / F(448) / F(6), lambda a: F(1) / (a / F(2688)))),
        "zeros: no 1": Mutant(
            "a tensor of zeros has scale 0, or its inverse",
            of_largest(lambda largest, convention: largest / F(2688) if is_torchao(convention) else F(2688) / largest),
        ),
        "without magnitude": Mutant("the largest value, not the largest magnitude", without_magnitude),
    },
    provenance="tests/oracles/nvfp4.py, fractions",
    conventions=CONVENTIONS,
)


# dequantize


def dequantize_candidates(convention):
    codes = np.array([[7, 9, 8], [1, 0, 2]], np.uint8)
    yield {"codes": codes, "block_scales": np.array([[0x40], [0x3C]], np.uint8), "tensor_scale": F(0.25)}
    yield {"codes": codes, "block_scales": np.array([[0x7F], [0x01]], np.uint8), "tensor_scale": F(1)}
    row = long_row(17, {0: 2, 16: 2}).astype(np.uint8)
    yield {"codes": row, "block_scales": np.array([[0x38, 0x40]], np.uint8), "tensor_scale": F(1)}
    for t in (F(0.1), F(0.3), F(7), F(777.7)):
        for scale in range(0x39, 0x40):
            yield {
                "codes": np.array([[3, 5]], np.uint8),
                "block_scales": np.array([[scale]], np.uint8),
                "tensor_scale": t,
            }


def values(convention, codes, block_scales, tensor_scale):
    return {"x": oracle.dequantize(codes, block_scales, Fraction(float(tensor_scale)), -1, convention)}


def restored(first=lambda q, t, s: q * (t * s), second=lambda q, t, s: q * (s / t), size=BLOCK, scale=None, sign=True):
    """In float32, with torchao's product and compressed-tensors', one step exchanged."""

    def answer(convention, codes, block_scales, tensor_scale):
        x = np.zeros(codes.shape, F)
        with np.errstate(over="ignore"):
            for row, index in np.ndindex(*codes.shape):
                code = int(block_scales[row, min(index // size, block_scales.shape[1] - 1)])
                s = F(scale(code) if scale else float_format.decode(code, SCALE))
                q = F(float_format.decode(int(codes[row, index]) & (15 if sign else 7), ELEMENT))
                x[row, index] = (first if is_torchao(convention) else second)(q, tensor_scale, s)
        return {"x": x}

    return answer


def first_scale(convention, codes, block_scales, tensor_scale):
    return values(convention, codes, np.full_like(block_scales, block_scales[0, 0]), tensor_scale)


DEQUANTIZE = Function(
    summary="values of NVFP4: q·(t·s), or in compressed_tensors q·(s/t), with both operations rounded to float32",
    parameters={
        "codes": "(rows, n) uint8 array of float4_e2m1fn codes",
        "block_scales": "(rows, ⌈n/16⌉) uint8 array of float8_e4m3fn codes; 127 is NaN",
        "tensor_scale": "float32",
    },
    returns={"x": "(rows, n) float32 array"},
    candidates=dequantize_candidates,
    expected=values,
    mutants={
        "tensor scale: inverse": Mutant(
            "as the other library does", restored(lambda q, t, s: q * (s / t), lambda q, t, s: q * (t * s))
        ),
        "tensor scale: left out": Mutant(
            "the tensor scale is taken for 1", restored(lambda q, t, s: q * s, lambda q, t, s: q * s)
        ),
        "order: tensor scale first": Mutant(
            "element and tensor scale first", restored(lambda q, t, s: (q * t) * s, lambda q, t, s: (q / t) * s)
        ),
        "order: block scale first": Mutant(
            "element and block scale first", restored(lambda q, t, s: (q * s) * t, lambda q, t, s: (q * s) / t)
        ),
        "order: reciprocal": Mutant(
            "multiplies by the reciprocal of the tensor scale",
            restored(second=lambda q, t, s: q * (s * (F(1) / t))),
            is_other,
        ),
        "scale: NaN a number": Mutant(
            "the scale 127 is 480",
            restored(scale=lambda code: 480 if code == 0x7F else float_format.decode(code, SCALE)),
        ),
        "scale: power of two": Mutant(
            "the scale is read as MX's, an exponent", restored(scale=lambda code: 2.0 ** (code - 127))
        ),
        "blocks: one for all": Mutant("the first scale is taken for all blocks", first_scale),
        "blocks: of 32": Mutant("32 values share a scale, as in MX", restored(size=32)),
        "elements: sign dropped": Mutant("the sign bit is not read", restored(sign=False)),
    },
    provenance="tests/oracles/nvfp4.py, fractions, with every rounding to float32 written out",
    conventions=CONVENTIONS,
)

STEM = Stem({"quantize": QUANTIZE, "tensor_scale": TENSOR_SCALE, "dequantize": DEQUANTIZE})
