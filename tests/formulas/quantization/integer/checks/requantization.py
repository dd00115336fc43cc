"""What every implementation of requantize, rescale and their steps must satisfy: functions that take one and assert."""

from fractions import Fraction
from itertools import product

import numpy as np

from tests.formulas.quantization.integer.checks.common import CODES, MAX, MIN, MODES, assert_integers, frozen, smallest
from tests.oracles import requantization as requantization_oracle

EDGES = sorted(
    {sign * (2**k + d) for sign in (1, -1) for k in (0, 1, 7, 15, 16, 23, 24, 29, 30, 31) for d in (-1, 0, 1)}
    | {0, 3, -3, 1583594044, 7984}
)
EDGES = [value for value in EDGES if MIN <= value <= MAX]


def srdhm_matches_the_oracle(f):
    rng = np.random.default_rng(5)
    pairs = list(product(EDGES, repeat=2))
    pairs += [(a, b * 2**28) for a in range(-17, 18) for b in range(-8, 8)]  # every eighth, ties among them
    pairs += rng.integers(MIN, MAX, (500, 2), endpoint=True).tolist()
    a, b = frozen(pairs).T
    expected = [requantization_oracle.saturating_rounding_doubling_high_mul(*pair) for pair in pairs]
    assert_integers(f.saturating_rounding_doubling_high_mul(a, b), expected)


def divide_matches_the_oracle(f):
    rng = np.random.default_rng(6)
    for exponent in range(32):
        half = 2**exponent // 2
        ties = [odd * half + d for odd in (1, -1, 3, -3, 5, -5) for d in (-1, 0, 1)]
        values = [v for v in (*EDGES, *ties) if MIN <= v <= MAX] + rng.integers(MIN, MAX, 20).tolist()
        expected = [requantization_oracle.rounding_divide_by_pot(v, exponent) for v in values]
        assert_integers(f.rounding_divide_by_pot(frozen(values), exponent), expected)


def requantize_integers_match_the_oracle(f):
    """All shifts; the codes as wide as int32, so that nothing is hidden by the clip."""
    rng = np.random.default_rng(7)
    options = {"zero_point": -3, "qmin": MIN, "qmax": MAX}
    for rounding, shift in product(("double", "double_up", "single"), range(-31, 31)):
        M = [0, 1, 2**30, 2**30 + 1, MAX, *rng.integers(2**30, MAX, 4).tolist()]
        room = 2**31 >> max(shift, 0) if rounding.startswith("double") else 2**31
        acc = [v for v in (*EDGES, *rng.integers(-room, room, 12).tolist()) if -room <= v < room]
        acc += [v for v in (7984, -7984, 2 ** max(-shift - 1, 0), -(2 ** max(-shift - 1, 0))) if -room <= v < room]
        pairs = list(product(acc, M))
        each = frozen(np.repeat(acc, len(M)).reshape(-1, len(M)))
        found = f.requantize(each, frozen(M), shift, rounding, axis=1, **options)
        expected = [requantization_oracle.requantize(a, m, shift, rounding, **options) for a, m in pairs]
        assert_integers(np.ravel(found), expected)


def requantize_float_matches_the_oracle(f):
    """Accumulators that float32 holds and that it does not, ties of both kinds."""
    rng = np.random.default_rng(8)
    reals = [0.25, 0.5, 1.0, 2.0**-24, 1.5, *rng.uniform(1e-5, 1, 4), *np.float32(rng.uniform(1e-5, 2, 3))]
    acc = [*EDGES, 2**24 + 3, -(2**25) - 2, *range(-9, 10), *rng.integers(-(2**30), 2**30, 30).tolist()]
    for real, (zero_point, qmin, qmax) in product(reals, ((0, MIN, MAX), (5, -128, 127), (7, 0, 255))):
        found = f.requantize(frozen(acc), np.float64(real), None, "float", zero_point=zero_point, qmin=qmin, qmax=qmax)
        expected = [
            requantization_oracle.requantize(a, Fraction(float(real)), None, "float", zero_point, qmin, qmax)
            for a in acc
        ]
        assert_integers(found, expected, smallest(qmin, qmax))


def requantize_per_channel(f):
    """One multiplier and shift for every entry of an axis; dimensions 2, 3, 4."""
    rng = np.random.default_rng(10)
    acc = frozen(rng.integers(-(2**20), 2**20, (2, 3, 4)))
    for rounding, axis in product(MODES, (0, 1, 2, -1, -2, -3)):
        n = acc.shape[axis]
        real = frozen(np.linspace(1e-4, 9e-4, n))
        M, shift = frozen(2**30 + 12345 * np.arange(n)), frozen(-12 - np.arange(n))
        given = (real, None) if rounding == "float" else (M, shift)
        found = f.requantize(acc, *given, rounding, zero_point=2, qmin=-500, qmax=500, axis=axis)
        for place in np.ndindex(acc.shape):
            k = place[axis]
            one = (Fraction(float(real[k])), None) if rounding == "float" else (int(M[k]), int(shift[k]))
            expected = requantization_oracle.requantize(int(acc[place]), *one, rounding, 2, -500, 500)
            assert int(found[place]) == expected
        if rounding != "float":  # one of the two may be a scalar
            same = f.requantize(acc, M, frozen(np.full(n, -9)), rounding, axis=axis)
            assert f.requantize(acc, M, -9, rounding, axis=axis).tolist() == same.tolist()


def requantize_clips(f):
    """The range of the codes, also that of a fused ReLU or ReLU6, and the dtype that it has."""
    acc = frozen([-1000, -3, 0, 1, 70, 1000])
    for rounding in MODES:
        one = (1.0, None) if rounding == "float" else (2**30, 1)  # real = 1
        for (qmin, qmax, z), expected in (
            ((-128, 127, 0), [-128, -3, 0, 1, 70, 127]),
            ((0, 255, 0), [0, 0, 0, 1, 70, 255]),
            ((5, 127, 5), [5, 5, 5, 6, 75, 127]),  # ReLU
            ((-10, 40, -10), [-10, -10, -10, -9, 40, 40]),
            ((-300, 300, 10), [-300, 7, 10, 11, 80, 300]),
            ((0, 65535, 10), [0, 7, 10, 11, 80, 1010]),
            ((4, 4, 9), [4] * 6),
            ((-1, 65535, 0), [-1, -1, 0, 1, 70, 1000]),
        ):
            found = f.requantize(acc, *one, rounding, zero_point=z, qmin=qmin, qmax=qmax)
            assert_integers(found, expected, smallest(qmin, qmax))


def requantize_dtype(f):
    """The type that is asked for, its ends where no others are given, also for a fused ReLU with z = 0."""
    acc = frozen([-3_000_000, -1000, -3, 0, 1, 70, 200, 1000, 50_000, 3_000_000])
    for rounding, dtype in product(MODES, CODES):
        one = (1.0, None) if rounding == "float" else (2**30, 1)  # real = 1
        name, scales = np.dtype(dtype).name, (1.0, 1.0, 1.0, rounding)
        for ends in ({}, {"qmin": 0}, {"qmax": 99}, {"qmin": 3, "qmax": 5}):
            low, high = requantization_oracle.code_range(name, **ends)
            expected = [requantization_oracle.clip(v + 1, low, high) for v in acc.tolist()]
            assert_integers(f.requantize(acc, *one, rounding, zero_point=1, dtype=dtype, **ends), expected, dtype)
            assert_integers(f.rescale(acc, *scales, zero_point=1, dtype=name, **ends), expected, dtype)


def rescale_per_row(f):
    """One scale for every entry of two axes, in either order; dimensions 2, 3, 4."""
    rng = np.random.default_rng(19)
    acc = frozen(rng.integers(-(2**18), 2**18, (2, 3, 4)))
    for rounding, (a_axis, axis) in product(MODES, ((0, 1), (2, 0), (-3, -1), (1, 2))):
        s_a, s_b = (frozen(rng.uniform(0.01, 0.1, acc.shape[d]), np.float32) for d in (a_axis, axis))
        for each_a, each_b in ((s_a, s_b), (s_a, s_b[0])):
            found = f.rescale(acc, each_a, each_b, np.float32(7.1), rounding, axis=axis, a_axis=a_axis)
            for place in np.ndindex(acc.shape):
                one = s_a[place[a_axis]], s_b[place[axis]] if np.ndim(each_b) else s_b[0]
                expected = requantization_oracle.rescale(int(acc[place]), *one, np.float32(7.1), rounding)
                assert int(found[place]) == expected


def rescale_matches_the_oracle(f):
    """Codes of 8 bits, and sums of 24 bits as codes of 31, where every rounding of a scale is seen."""
    rng = np.random.default_rng(11)
    for rounding, dtype, (bits, out) in product(MODES, (np.float32, np.float64), ((17, 5.0), (24, 2e-4))):
        acc, bias = frozen(rng.integers(-(2**bits), 2**bits, (5, 3, 4))), rng.integers(-(2**15), 2**15, 4)
        s_a, s_b, s_out = dtype(rng.uniform(0.01, 0.1)), frozen(rng.uniform(0.001, 0.1, 4), dtype), dtype(out * 1.0371)
        options = {"zero_point": -4} | ({} if bits == 17 else {"qmin": MIN, "qmax": MAX})
        for axis, each, b in product((-1, 0), (True, False), (True, False)):
            n = acc.shape[axis]
            scales, biases = np.resize(s_b, n) if each else [s_b[1]] * n, np.resize(bias, n) if b else [0] * n
            found = f.rescale(
                acc, s_a, frozen(scales) if each else s_b[1], s_out, rounding, bias=frozen(biases) if b else None,
                axis=axis, **options,
            )  # fmt: skip
            for place in np.ndindex(acc.shape):
                k, v = place[axis], int(acc[place])
                expected = requantization_oracle.rescale(v, s_a, scales[k], s_out, rounding, int(biases[k]), **options)
                assert int(found[place]) == expected


def rescale_order_of_operations(f):
    """(s_a · s_b) / s_out with two roundings to float32 for "float", not s_a · (s_b / s_out), and not in float64."""
    rng, differing = np.random.default_rng(12), np.zeros(2, int)
    for _ in range(40):
        s_a, s_b, s_out = rng.uniform(0.5, 2, 3).astype(np.float32)
        acc = frozen(rng.integers(2**22, 2**23, 50))
        found = f.rescale(acc, s_a, s_b, s_out, "float", qmin=0, qmax=MAX).tolist()
        assert found == [
            requantization_oracle.rescale(v, s_a, s_b, s_out, "float", qmin=0, qmax=MAX) for v in acc.tolist()
        ]
        others = s_a * (s_b / s_out), np.float32(float(s_a) * float(s_b) / float(s_out))
        differing += [np.rint(acc.astype(np.float32) * r).tolist() != found for r in others]
    assert differing.min() > 5  # the scales tell the orders apart


SRDHM = (srdhm_matches_the_oracle, divide_matches_the_oracle)
REQUANTIZATION = (
    *SRDHM,
    requantize_integers_match_the_oracle,
    requantize_float_matches_the_oracle,
    requantize_per_channel,
    requantize_clips,
    requantize_dtype,
    rescale_matches_the_oracle,
    rescale_per_row,
    rescale_order_of_operations,
)
