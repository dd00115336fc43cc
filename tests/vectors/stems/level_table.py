"""Vectors of the level tables: NF4, and the FP4 of bitsandbytes."""

from fractions import Fraction

import numpy as np

from tests.oracles import level_table as oracle
from tests.vectors.specification import Function, Mutant, Stem

F = np.float32
NF4, FP4 = "nf4", "bitsandbytes_fp4"
LEVELS = {name: np.array([float(level) for level in levels], F) for name, levels in oracle.LEVELS.items()}
FLOAT4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6], F) / F(6)


def is_nf4(convention):
    return convention == NF4


def is_fp4(convention):
    return convention == FP4


# quantize


SAID = {
    NF4: " ".join(f"{level:.9g}" for level in LEVELS[NF4].tolist()),
    FP4: " ".join(str(level.limit_denominator(192)) for level in oracle.LEVELS[FP4][:8]) + " and these below 0",
}
CODES = "0 to 15, numbers of float32 levels: " + "; ".join(f"{name}: {text}" for name, text in SAID.items())


def inputs(x, block_size=64):
    return {"x": np.array(x, F), "block_size": block_size}


def quantize_candidates(convention):
    at = [float(midpoint) for midpoint in oracle.MIDPOINTS[convention]]
    yield inputs([[3, 1, -0.5], [-4, 0.25, 1]], 4)
    yield inputs([1, *at])
    yield inputs([1, 0.004, -0.004, 0.001, -0.001])
    yield inputs([0, -0.0], 4)
    yield inputs([5e-39, -2e-39])
    generator = np.random.default_rng(13)
    for size in (1 + generator.random(20)).astype(F):
        for midpoint in at:
            for v in (F(midpoint) * size, np.nextafter(F(midpoint) * size, F(9))):
                if _is_odd(v, size, convention):
                    yield inputs([-size, v])


def _is_odd(v, size, convention):
    """Whether the product with the reciprocal and the quotient are on different sides of a midpoint."""
    t = v * (F(1) / size)
    midpoints = [F(float(midpoint)) for midpoint in oracle.MIDPOINTS[convention]]
    return any(
        (t > midpoint) != (v / size > midpoint) or (t > midpoint) != (float(v) / float(size) > midpoint)
        for midpoint in midpoints
    )


def quantized(convention, x, block_size):
    codes, absmax = oracle.quantize(x, convention, block_size)
    return {"codes": codes.astype(np.uint8), "absmax": np.array([float(size) for size in absmax], F)}


def over_reciprocal(part, absmax):
    return part * (F(1) / max(absmax, F(1e-38)))


def to_codes(t, table, side="left"):
    """Codes of the nearest levels, by their float32 midpoints."""
    order = np.argsort(table, kind="stable")
    ascending = table[order]
    return order[np.searchsorted((ascending[1:] + ascending[:-1]) / F(2), t, side)]


def wrong(
    size=lambda part: np.abs(part).max(), t=over_reciprocal, codes=to_codes, table=None, stored=lambda absmax: absmax
):
    """Every step in float32, one of them exchanged."""

    def answer(convention, x, block_size):
        flat, found, largest = x.reshape(-1), [], []
        with np.errstate(all="ignore"):
            for start in range(0, flat.size, block_size):
                part = flat[start : start + block_size]
                absmax = F(size(part))
                found.append(codes(np.clip(t(part, absmax), -1, 1), LEVELS[convention] if table is None else table))
                largest.append(stored(absmax))
        return {"codes": np.concatenate(found).astype(np.uint8).reshape(x.shape), "absmax": np.array(largest, F)}

    return answer


def ties_toward_zero(t, table):
    return np.where(t < 0, to_codes(t, table, "right"), to_codes(t, table))


def by_exact_distance(t, table):
    return np.array(
        [min(range(16), key=lambda code: (abs(Fraction(float(v)) - Fraction(float(table[code]))), code)) for v in t]
    )


def truncated(t, table):
    """The largest level that is not above."""
    order = np.argsort(table, kind="stable")
    return order[np.searchsorted(table[order], t, "right") - 1]


def other_zero(t, table):
    """Of FP4's two zeros the other one, on either side."""
    codes = to_codes(t, table)
    return np.where(codes & 7 == 0, codes ^ 8, codes)


def in_rows(convention, x, block_size):
    """Blocks start again with every row."""
    parts = [quantized(convention, row, block_size) for row in np.atleast_2d(x)]
    codes, absmax = (np.concatenate([part[key] for part in parts]) for key in ("codes", "absmax"))
    return {"codes": codes.reshape(x.shape), "absmax": absmax}


def column_major(convention, x, block_size):
    right = quantized(convention, x.T.reshape(-1), block_size)
    return right | {"codes": right["codes"].reshape(x.T.shape).T}


def one_longer(convention, x, block_size):
    return quantized(convention, x, block_size + 1)


def one_for_all(convention, x, block_size):
    right = quantized(convention, x, x.size)
    return right | {"absmax": np.repeat(right["absmax"], -(-x.size // block_size))}


QUANTIZE = Function(
    summary="codes of the levels nearest to x/absmax, and absmax, the largest magnitude, of blocks in row-major order: "
    "x times the float32 1/max(absmax, 1e-38), in float32, is compared with the float32 midpoints of the levels; on a "
    "midpoint the lower level, of equal levels the smaller code",
    parameters={"x": "float32 array of any shape", "block_size": "int of at least 1; the last block may be shorter"},
    returns={"codes": f"array of x's shape, {CODES}", "absmax": "(⌈n/block_size⌉,) float32 array"},
    candidates=quantize_candidates,
    expected=quantized,
    mutants={
        "ties: upper level": Mutant(
            "what is halfway between two levels takes the upper one",
            wrong(codes=lambda t, table: to_codes(t, table, "right")),
        ),
        "ties: toward zero": Mutant(
            "what is halfway between two levels takes the one nearer to zero", wrong(codes=ties_toward_zero)
        ),
        "exact distances": Mutant(
            "levels are compared by exact distances, not by their midpoints in float32",
            wrong(codes=by_exact_distance),
            is_nf4,
        ),
        "the level below": Mutant("the largest level that is not above x/absmax", wrong(codes=truncated)),
        "division": Mutant(
            "divides by absmax, and does not multiply by its rounded reciprocal",
            wrong(t=lambda part, absmax: part / max(absmax, F(1e-38))),
        ),
        "float64": Mutant(
            "divides in float64", wrong(t=lambda part, absmax: part.astype(np.float64) / max(float(absmax), 1e-38))
        ),
        "absmax: sign kept": Mutant(
            "the number of the largest magnitude, with its sign", wrong(size=lambda part: part[np.abs(part).argmax()])
        ),
        "absmax: without magnitude": Mutant(
            "the largest value, not the largest magnitude", wrong(size=lambda part: max(part.tolist()))
        ),
        "absmax: float16": Mutant("absmax is rounded to float16", wrong(stored=lambda absmax: F(np.float16(absmax)))),
        "absmax: at least 1e-38": Mutant(
            "absmax is stored as 1e-38 where it is below", wrong(stored=lambda absmax: max(absmax, F(1e-38)))
        ),
        "reciprocal: not limited": Mutant(
            "also what is below 1e-38 is inverted", wrong(t=lambda part, absmax: part / absmax)
        ),
        "levels: in order": Mutant("codes number the levels from the least", wrong(table=np.sort(LEVELS[FP4])), is_fp4),
        "levels: float4_e2m1fn": Mutant("the levels are those of float4_e2m1fn, over 6", wrong(table=FLOAT4), is_fp4),
        "levels: negated": Mutant("levels are numbered from 1 to −1", wrong(table=-LEVELS[NF4]), is_nf4),
        "zero: the other code": Mutant("of the two codes of 0 the other one", wrong(codes=other_zero), is_fp4),
        "blocks: in rows": Mutant("blocks start again with every row", in_rows),
        "blocks: column-major": Mutant("blocks go down the columns", column_major),
        "blocks: one longer": Mutant("blocks are longer by one value", one_longer),
        "blocks: one for all": Mutant("the whole tensor has one absmax", one_for_all),
    },
    provenance="tests/oracles/level_table.py, fractions, with every rounding to float32 written out",
    conventions=((NF4,), (FP4,)),
    holds=lambda inputs: {"codes": (0, 15)},
)


# dequantize


def dequantize_candidates(convention):
    yield {"codes": np.arange(16, dtype=np.uint8), "absmax": np.array([3.3], F), "block_size": 16}
    yield {"codes": np.array([[1, 15, 6], [3, 9, 1]], np.uint8), "absmax": np.array([1, 2], F), "block_size": 4}


def values(convention, codes, absmax, block_size):
    return {"x": oracle.dequantize(codes, absmax, convention, block_size)}


def restored(table=None, value=lambda level, absmax: level * absmax, change=lambda codes: codes):
    def answer(convention, codes, absmax, block_size):
        levels = LEVELS[convention] if table is None else table
        spread = np.repeat(absmax, block_size)[: codes.size].reshape(codes.shape)
        return {"x": value(levels[change(codes)], spread).astype(F)}

    return answer


def float16(x):
    return x.astype(np.float16).astype(F)


def values_in_rows(convention, codes, absmax, block_size):
    """A row's blocks: None where there are more than there is absmax for."""
    count = -(-codes.shape[-1] // block_size)
    rows = np.atleast_2d(codes)
    sizes = np.resize(absmax, (len(rows), count))
    return {
        "x": np.concatenate(
            [values(convention, row, size, block_size)["x"] for row, size in zip(rows, sizes, strict=True)]
        ).reshape(codes.shape)
    }


def values_of_first(convention, codes, absmax, block_size):
    return values(convention, codes, np.full_like(absmax, absmax[0]), block_size)


DEQUANTIZE = Function(
    summary="values of codes in a level table: the float32 level times absmax of its block, of blocks in row-major "
    "order, rounded to float32",
    parameters={
        "codes": f"uint8 array of any shape, {CODES}",
        "absmax": "(⌈n/block_size⌉,) float32 array",
        "block_size": "int of at least 1; the last block may be shorter",
    },
    returns={"x": "float32 array of the codes' shape"},
    candidates=dequantize_candidates,
    expected=values,
    mutants={
        "levels: float16": Mutant(
            "levels are rounded to float16", restored(value=lambda level, absmax: float16(level) * absmax)
        ),
        "levels: in order": Mutant(
            "codes number the levels from the least", restored(table=np.sort(LEVELS[FP4])), is_fp4
        ),
        "levels: float4_e2m1fn": Mutant(
            "the levels are those of float4_e2m1fn, over 6", restored(table=FLOAT4), is_fp4
        ),
        "levels: negated": Mutant("levels are numbered from 1 to −1", restored(table=-LEVELS[NF4]), is_nf4),
        "levels: symmetric": Mutant(
            "the negative levels are those of the positive codes, mirrored",
            restored(table=np.concatenate([-LEVELS[NF4][:7:-1], LEVELS[NF4][8:]])),
            is_nf4,
        ),
        "sign dropped": Mutant("the highest bit is not read", restored(change=lambda codes: codes & 7), is_fp4),
        "absmax: left out": Mutant("the levels themselves", restored(value=lambda level, absmax: level)),
        "absmax: float16": Mutant(
            "absmax is rounded to float16", restored(value=lambda level, absmax: level * float16(absmax))
        ),
        "values: float16": Mutant(
            "values are rounded to float16", restored(value=lambda level, absmax: float16(level * absmax))
        ),
        "blocks: one for all": Mutant("the first absmax is taken for all blocks", values_of_first),
        "blocks: in rows": Mutant("blocks start again with every row", values_in_rows),
    },
    provenance="tests/oracles/level_table.py, fractions",
    conventions=((NF4,), (FP4,)),
)

STEM = Stem({"quantize": QUANTIZE, "dequantize": DEQUANTIZE})
