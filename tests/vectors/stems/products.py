"""Vectors of integer matrix products with zero points."""

import numpy as np

from tests.oracles import products as oracle
from tests.vectors.integers import INT32, clamp, typed, wrap
from tests.vectors.specification import Function, Mutant, Stem

PROVENANCE = "tests/oracles/products.py, integers"


def plain(zero_point):
    return zero_point.tolist() if isinstance(zero_point, np.ndarray) else zero_point


def expected(convention, a, b, a_zero_point, b_zero_point):
    sums = oracle.matmul(a.tolist(), b.tolist(), plain(a_zero_point), plain(b_zero_point))
    return {"out": np.array(sums, np.int64)}


def by(function):
    """A mutant's answer from a and b in int64, and zero points that broadcast to them: (M, 1) and (1, N)."""

    def answer(convention, a, b, a_zero_point, b_zero_point):
        z_a, z_b = np.reshape(a_zero_point, (-1, 1)), np.reshape(b_zero_point, (1, -1))
        return {"out": np.asarray(function(a.astype(np.int64), b.astype(np.int64), z_a, z_b), np.int64)}

    return answer


def right(a, b, z_a, z_b):
    return (a - z_a) @ (b - z_b)


def expansion(change):
    """The four terms a·b, −z_b Σa, −z_a Σb, K z_a z_b, changed before they are added."""

    def total(a, b, z_a, z_b):
        terms = a @ b, -z_b * a.sum(1, keepdims=True), -z_a * b.sum(0, keepdims=True), a.shape[1] * z_a * z_b
        return np.zeros((len(a), b.shape[1]), np.int64) + sum(change(*terms, a.shape[1]))

    return by(total)


def in_float32(a, b, z_a, z_b):
    """Terms added from left to right."""
    sums = np.zeros((len(a), b.shape[1]), np.float32)
    for k in range(a.shape[1]):
        sums += ((a - z_a)[:, k : k + 1] * (b - z_b)[k]).astype(np.float32)
    return sums


def of_differences(change, bits):
    """Codes less their zero points, put into as many bits as the codes have."""

    def answer(convention, a, b, a_zero_point, b_zero_point):
        z_a, z_b = np.reshape(a_zero_point, (-1, 1)), np.reshape(b_zero_point, (1, -1))
        return {"out": change(a.astype(np.int64) - z_a, bits) @ change(b.astype(np.int64) - z_b, bits)}

    return answer


def pairs_saturate(a, b, z_a, z_b):
    """Products of codes as they are, added in pairs that saturate at 16 bits; the zero points' terms afterwards."""
    K = a.shape[1]
    total = np.zeros((len(a), b.shape[1]), np.int64)
    for k in range(0, K, 2):
        total += clamp(a[:, k : k + 2] @ b[k : k + 2], 16)
    return total + right(a, b, z_a, z_b) - a @ b


def without_tail(count):
    """What is beyond the last whole group of terms is lost."""

    def total(a, b, z_a, z_b):
        K = a.shape[1] // count * count or a.shape[1]
        return right(a[:, :K], b[:K], z_a, z_b)

    return by(total)


def signs_of(other):
    """Codes of one of the two read in the other signedness."""

    def answer(convention, a, b, a_zero_point, b_zero_point):
        types = {np.dtype(np.int8): np.uint8, np.dtype(np.uint8): np.int8}
        if other == "a":
            a = a.view(types[a.dtype])
        else:
            b = b.view(types[b.dtype])
        return expected(convention, a, b, a_zero_point, b_zero_point)

    return answer


def other_layout(a, b, z_a, z_b):
    return right(a, b.reshape(b.shape[::-1]).T, z_a, z_b)


ZERO_POINTS = {
    "zero point of a: ignored": Mutant(
        "a's zero point is not subtracted", by(lambda a, b, z_a, z_b: right(a, b, 0, z_b))
    ),
    "zero point of b: ignored": Mutant(
        "b's zero point is not subtracted", by(lambda a, b, z_a, z_b: right(a, b, z_a, 0))
    ),
    "zero point of a: added": Mutant("a's zero point is added", by(lambda a, b, z_a, z_b: right(a, b, -z_a, z_b))),
    "zero point of b: added": Mutant("b's zero point is added", by(lambda a, b, z_a, z_b: right(a, b, z_a, -z_b))),
    "expansion: no constant": Mutant(
        "a·b − z_b Σa − z_a Σb without K z_a z_b", expansion(lambda ab, rows, columns, constant, K: (ab, rows, columns))
    ),
    "expansion: constant without K": Mutant(
        "z_a z_b is added once", expansion(lambda ab, rows, columns, constant, K: (ab, rows, columns, constant // K))
    ),
    "expansion: constant subtracted": Mutant(
        "K z_a z_b is subtracted", expansion(lambda ab, rows, columns, constant, K: (ab, rows, columns, -constant))
    ),
}


# ---- matmul: 8 bits ----

LITERALS = (
    ([[2]], [[3]]), ([[5]], [[-7]]), ([[1, 2]], [[3], [4]]), ([[1, 2]], [[3, 5, 7], [4, 6, 8]]),
    ([[1, -2, 3], [4, 5, -6]], [[7, 8, 1, 3], [-9, 10, 2, -1], [11, -12, 0, 5]]),
    ([[1, 2, 3], [4, 5, 6]], [[1], [2], [4]]), ([[-128, 127]], [[-128], [127]]),
    ([[1, 2, 3, 4, 5]], [[1]] * 5), ([[1] * 17], [[2]] * 17),
)  # fmt: skip
UNSIGNED = (([[200, 3]], [[10], [250]]), ([[255]], [[255]]), ([[255, 255]], [[255], [255]]))
MIXED = (([[255, 255]], [[127], [127]]), ([[200, 100]], [[-128], [-128]]), ([[130]], [[-3]]))
LONG = np.array([[255] * 271 + [254]], np.uint8), np.full((272, 1), 255, np.uint8)  # their sum is odd and above 2²⁴


def candidates(convention):
    for z_a, z_b in ((0, 0), (1, 0), (0, 2), (3, -2), (-128, 0), (0, -128), (127, 1), (-128, -128)):
        for a, b in LITERALS:
            yield {"a": np.array(a, np.int8), "b": np.array(b, np.int8), "a_zero_point": z_a, "b_zero_point": z_b}
    for z_a, z_b in ((0, 0), (128, 0), (128, 100), (255, 1)):
        for a, b in UNSIGNED:
            yield {"a": np.array(a, np.uint8), "b": np.array(b, np.uint8), "a_zero_point": z_a, "b_zero_point": z_b}
        for a, b in MIXED:
            yield {"a": np.array(a, np.uint8), "b": np.array(b, np.int8), "a_zero_point": z_a, "b_zero_point": 0}
    yield {"a": LONG[0], "b": LONG[1], "a_zero_point": 0, "b_zero_point": 0}


MATMUL = Function(
    summary="Σ_k (a[m, k] − a_zero_point) · (b[k, n] − b_zero_point), exact",
    parameters={
        "a": "(M, K) int8 or uint8 array",
        "b": "(K, N) int8 or uint8 array",
        "a_zero_point": "int, a code of a's type",
        "b_zero_point": "int, a code of b's type",
    },
    returns={"out": "(M, N) array of int32, or of any integer type that holds it"},
    candidates=candidates,
    expected=expected,
    mutants={
        **ZERO_POINTS,
        "zero points: swapped": Mutant(
            "each matrix gets the other one's zero point", by(lambda a, b, z_a, z_b: right(a, b, z_b, z_a))
        ),
        "differences: wrap": Mutant("code less zero point wraps at 8 bits", of_differences(wrap, 8)),
        "differences: saturate": Mutant("code less zero point saturates at 8 bits", of_differences(clamp, 8)),
        "accumulator: int16": Mutant("sums wrap at 16 bits", by(lambda *given: wrap(right(*given), 16))),
        "accumulator: int16, saturating": Mutant(
            "sums saturate at 16 bits", by(lambda *given: clamp(right(*given), 16))
        ),
        "accumulator: pairs saturate": Mutant(
            "products of codes are added in pairs that saturate at 16 bits, as x86 does without VNNI",
            by(pairs_saturate),
        ),
        "accumulator: 24 bits": Mutant("sums wrap at 24 bits", by(lambda *given: wrap(right(*given), 24))),
        "accumulator: float32": Mutant("sums are formed in float32, exact only up to 2^24", by(in_float32)),
        "signs: a": Mutant("a's codes are read in the other signedness", signs_of("a")),
        "signs: b": Mutant("b's codes are read in the other signedness", signs_of("b")),
        "layout: b": Mutant("b's memory is read as (N, K)", by(other_layout)),
        "transposed": Mutant("(N, M) in place of (M, N)", by(lambda *given: right(*given).T)),
        "tail: of 4": Mutant("terms beyond the last whole group of 4 are lost", without_tail(4)),
        "tail: of 16": Mutant("terms beyond the last whole group of 16 are lost", without_tail(16)),
    },
    provenance=PROVENANCE,
    holds=lambda inputs: {"out": INT32},
)


# ---- matmul_per_axis: one zero point for every row of a, every column of b ----


def per_axis_candidates(convention):
    for a, b in (([[9], [7]], [[5, 6, 8]]), ([[1, 2, 3]] * 2, [[4], [5], [6]]), LITERALS[4]):
        M, N = len(a), len(b[0])
        one, other = [1, 3][:M], [2, -4, 6, 9][:N]
        for z_a, z_b in ((one, [0] * N), ([0] * M, other), (one, other)):
            yield {
                "a": np.array(a, np.int8),
                "b": np.array(b, np.int8),
                "a_zero_point": np.array(z_a, np.int32),
                "b_zero_point": np.array(z_b, np.int32),
            }


def along_terms(a, b, z_a, z_b):
    """One for every k in place of one for every row and column, as far as they go."""
    K = a.shape[1]
    return right(a, b, np.resize(z_a, K), np.resize(z_b, K)[:, None])


MATMUL_PER_AXIS = Function(
    summary="Σ_k (a[m, k] − a_zero_point[m]) · (b[k, n] − b_zero_point[n]), exact",
    parameters={
        "a": "(M, K) int8 array",
        "b": "(K, N) int8 array",
        "a_zero_point": "(M,) int32 array, codes of a's type, one for every row",
        "b_zero_point": "(N,) int32 array, codes of b's type, one for every column",
    },
    returns={"out": "(M, N) array of int32, or of any integer type that holds it"},
    candidates=per_axis_candidates,
    expected=expected,
    mutants={
        **ZERO_POINTS,
        "zero point of a: first": Mutant(
            "the first row's zero point for all rows", by(lambda a, b, z_a, z_b: right(a, b, z_a[:1], z_b))
        ),
        "zero point of b: first": Mutant(
            "the first column's zero point for all columns", by(lambda a, b, z_a, z_b: right(a, b, z_a, z_b[:, :1]))
        ),
        "zero points: along K": Mutant("one for every term, not for every row and column", by(along_terms)),
        "expansion: first constant": Mutant(
            "K z_a z_b of the first row and column",
            expansion(lambda ab, rows, columns, constant, K: (ab, rows, columns, constant[:1, :1])),
        ),
    },
    provenance=PROVENANCE,
    holds=lambda inputs: {"out": INT32},
)


# ---- matmul_int16: sums up to the ends of int32 ----


def int16_candidates(convention):
    low, high = -(2**15), 2**15 - 1
    for a, b, z_a, z_b in (
        ([[300]], [[-200]], 0, 0),
        ([[4097]], [[4097]], 0, 0),
        ([[300, -2]], [[5], [7]], 10, -20),
        ([[low]], [[low]], 0, 0),
        ([[low]], [[low]], high, 0),
        ([[low]], [[0]], high, low),
        ([[high, high, high]], [[high], [high], [high]], high - 2, high - 3),
        ([[high] * 5], [[low]] * 5, high - 1, low + 1),
    ):
        yield {"a": np.array(a, np.int16), "b": np.array(b, np.int16), "a_zero_point": z_a, "b_zero_point": z_b}


MATMUL_INT16 = Function(
    summary="Σ_k (a[m, k] − a_zero_point) · (b[k, n] − b_zero_point) of 16-bit codes, sums up to the ends of int32",
    parameters={
        "a": "(M, K) int16 array",
        "b": "(K, N) int16 array",
        "a_zero_point": "int, a code of a's type",
        "b_zero_point": "int, a code of b's type",
    },
    returns={"out": "(M, N) array of int32, or of any integer type that holds it"},
    candidates=int16_candidates,
    expected=expected,
    mutants={
        "zero point of a: ignored": ZERO_POINTS["zero point of a: ignored"],
        "zero point of b: ignored": ZERO_POINTS["zero point of b: ignored"],
        "differences: wrap": Mutant("code less zero point wraps at 16 bits", of_differences(wrap, 16)),
        "differences: saturate": Mutant("code less zero point saturates at 16 bits", of_differences(clamp, 16)),
        "accumulator: int16": Mutant("sums wrap at 16 bits", by(lambda *given: wrap(right(*given), 16))),
        "accumulator: 24 bits": Mutant("sums wrap at 24 bits", by(lambda *given: wrap(right(*given), 24))),
        "accumulator: 31 bits": Mutant("sums saturate at 31 bits", by(lambda *given: clamp(right(*given), 31))),
        "accumulator: float32": Mutant("sums are formed in float32, exact only up to 2^24", by(in_float32)),
        "expansion: saturates": Mutant(
            "a·b, z_b Σa, z_a Σb and K z_a z_b saturate at 32 bits, though not their sum",
            expansion(lambda *terms: [clamp(term, 32) for term in terms[:4]]),
        ),
    },
    provenance=PROVENANCE,
    holds=lambda inputs: {"out": INT32},
)

STEM = Stem({"matmul": typed(MATMUL), "matmul_per_axis": typed(MATMUL_PER_AXIS), "matmul_int16": typed(MATMUL_INT16)})
