"""What every implementation of the integer formulas must satisfy.

Every function takes the implementation (a module, or anything with the same names) and asserts; test_<stem>.py gives it
the package's module, test_mutants.py wrong ones. Expected values are literals or come from the exact oracles.
"""

from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from tests.oracles import bias as bias_oracle
from tests.oracles import integer_conv2d as conv_oracle
from tests.oracles import multiplier as multiplier_oracle
from tests.oracles import products as products_oracle
from tests.oracles import quantized_add as add_oracle
from tests.oracles import quantized_average_pool2d as pool_oracle
from tests.oracles import quantized_conv2d as quantized_conv_oracle
from tests.oracles import quantized_matmul as quantized_matmul_oracle
from tests.oracles import requantization as requantization_oracle

MIN, MAX = -(2**31), 2**31 - 1
MODES = ("double", "double_up", "single", "float")
MIXES = list(product((np.int8, np.uint8, np.int16), repeat=2))
CODES = (np.uint8, np.int8, np.uint16, np.int16, np.int32)


def frozen(values, dtype=None):
    """Return an array that cannot be written to: a function that modifies its input raises."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def codes(rng, dtype, shape=None):
    """Random codes of a type, the ends of its range among them."""
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    return frozen(np.where(rng.random(shape) < 0.1, info.min, values), dtype)


def smallest(qmin, qmax):
    return next(np.dtype(d) for d in CODES if np.iinfo(d).min <= qmin and qmax <= np.iinfo(d).max)


def assert_integers(out, expected, dtype=np.int32):
    """The dtype, and every integer."""
    assert out.dtype == dtype, out.dtype
    assert np.asarray(out).tolist() == expected


def plain(value):
    """Arrays as lists, for the oracle."""
    return value.tolist() if isinstance(value, np.ndarray) else value


known = {}


def asked(oracle, *arguments, **options):
    """What an oracle says of arrays and numbers; every implementation is asked the same, so it is kept."""
    given = *arguments, *(value for _, value in sorted(options.items()))
    key = oracle.__module__, oracle.__name__, *sorted(options), *map(hashable, given)
    if key not in known:
        known[key] = oracle(*map(plain, arguments), **{name: plain(value) for name, value in options.items()})
    return known[key]


def hashable(value):
    return (value.tobytes(), value.dtype.str, value.shape) if isinstance(value, np.ndarray) else value


# ---- products: matmul with zero points ----


def assert_product(f, a, b, z_a=0, z_b=0):
    K, shape = len(b), (len(a), b.shape[1])
    expected = products_oracle.matmul(plain(a), plain(b), plain(z_a), plain(z_b)) if K else [[0] * shape[1]] * shape[0]
    assert_integers(f.matmul(a, b, z_a, z_b), expected)


def products_literals(f):
    """(1 − 1, −2 − 1, 3 − 1) · ((7, −9, 11) + 2) = 0 + 21 + 26; 72·(−90) − 125·150."""
    a, b = frozen([[1, -2, 3], [4, 5, -6]], np.int8), frozen([[7, 8], [-9, 10], [11, -12]], np.int8)
    assert f.matmul(a, b, 1, -2).tolist() == [[47, -56], [-92, 148]]
    assert f.matmul(a, b, frozen([1, 0]), frozen([-2, 0])).tolist() == [[47, -54], [-77, 154]]
    a, b = frozen([[200, 3]], np.uint8), frozen([[10], [250]], np.uint8)
    assert f.matmul(a, b, 128, 100).tolist() == [[-25230]]


def products_match_the_oracle(f):
    rng = np.random.default_rng(0)
    for (left, right), K in product(MIXES, (0, 1, 2, 77)):
        a, b = codes(rng, left, (3, K)), codes(rng, right, (K, 5))
        if left == right == np.int16 and K > 1:
            a, b = frozen(a >> 4), frozen(b >> 4)  # K · 4,096² within int32
        one, other = int(a[0, 0]) if K else 7, int(b[0, 0]) if K else 9
        few, more = frozen(a[:, 0] if K else [1, 2, 3]), frozen(b[0] if K else [1, 2, 3, 4, 5])
        for z_a, z_b in product((0, one, few), (0, other, more)):
            if products_oracle.fits(plain(a), plain(b), plain(z_a), plain(z_b)):
                assert_product(f, a, b, z_a, z_b)
            else:
                assert (left, right) == (np.int16, np.int16)


def products_at_the_bound_of_float32(f):
    """Products of the codes themselves add up to 2²⁴ and beyond, where zero points leave small or large differences."""
    for K in (257, 258, 259, 516, 517):  # 258 · 255² is below 2²⁴, 259 · 255² above
        a, b = frozen(np.full((2, K), 255, np.uint8)), frozen(np.full((K, 3), 255, np.uint8))
        for z_a, z_b in ((0, 0), (254, 0), (0, 254), (254, 254), (1, 2), (255, 3), (250, 5)):
            assert f.matmul(a, b, z_a, z_b).tolist() == [[K * (255 - z_a) * (255 - z_b)] * 3] * 2
    odd = np.full((2, 1025), -128, np.int8)
    odd[1, 7] = 127  # 1,025 · 2¹⁴ − 255 · 128 is even, the sum with a zero point of 1 odd
    assert_product(f, frozen(odd), frozen(np.full((1025, 3), -128, np.int8)), 1, frozen([0, 1, -1]))
    for left, right in ((255, 1027), (255, 1029), (4095, 4097)):  # 64, 63, 1 terms at a time
        for K in (63, 64, 65, 128, 129):
            a, b = frozen(np.full((1, K), left, np.int16)), frozen(np.full((K, 1), right, np.int16))
            assert f.matmul(a, b, left - 3, right + 5).tolist() == [[K * 3 * -5]]


def products_largest_sums(f):
    """K · max|a − z_a| · max|b − z_b| just inside 2³¹ − 1: 33,025 · 255², of either sign; and what leaves it before."""
    assert 33_025 * 255**2 <= MAX < 33_026 * 255**2
    low, high = frozen(np.zeros(33_025, np.uint8)), frozen(np.full(33_025, 255, np.uint8))
    for (a, z_a), (b, z_b) in product(((low, 255), (high, 0)), repeat=2):
        expected = 33_025 * 255**2 * (1 if z_a == z_b else -1)
        assert f.matmul(a[None], b[:, None], z_a, z_b).tolist() == [[expected]]
    a = frozen([[-(2**15)]], np.int16)
    assert f.matmul(a, a, 2**15 - 1, 0).tolist() == [[(2**16 - 1) * 2**15]]  # 2³¹ − 2¹⁵
    assert f.matmul(a, frozen([[0]], np.int16), 2**15 - 1, -(2**15)).tolist() == [[(1 - 2**16) * 2**15]]
    assert f.matmul(frozen([[MAX]]), frozen([[9, 9]]), 0, frozen([8, 10])).tolist() == [[MAX, -MAX]]
    # every term of the expansion leaves int32, as 200,000 · 255 · 127 does, and the total does not
    a, b = frozen(np.full((1, 200_000), 255, np.uint8)), frozen(np.full((200_000, 2), 127, np.int8))
    assert f.matmul(a, b, 250, frozen([120, 126])).tolist() == [[200_000 * 5 * 7, 200_000 * 5]]


def products_far_from_zero_and_close_to_their_zero_points(f):
    """Products near 2⁶² and beyond 2⁶³, which no float64 holds, of which small sums remain: 1·3 + 2·5."""
    a, b = frozen([[MAX - 1, MAX - 2]], np.int32), frozen([[MAX - 3], [MAX - 5]], np.int32)
    assert f.matmul(a, b, MAX, MAX).tolist() == [[13]]
    assert f.matmul(a, b, frozen([MAX]), frozen([MAX - 4])).tolist() == [[1]]  # −1·1 − 2·(−1)
    a = frozen([[2**40 + 3, 2**40 - 1], [-(2**62), 7 - 2**62]], np.int64)
    z = frozen([2**40, -(2**62)])
    assert f.matmul(a, b, z, MAX - 6).tolist() == [[3 * 3 - 1], [7]]


PRODUCTS = (
    products_literals,
    products_match_the_oracle,
    products_at_the_bound_of_float32,
    products_largest_sums,
    products_far_from_zero_and_close_to_their_zero_points,
)


# ---- integer_conv2d ----


def assert_convolution(f, x, w, z_x=0, z_w=0, **geometry):
    pairs = {k: (v, v) if isinstance(v, int) and k in ("stride", "dilation") else v for k, v in geometry.items()}
    expected = asked(conv_oracle.conv2d, x, w, z_x, z_w, **pairs)
    assert_integers(f.conv2d(x, w, z_x, z_w, **geometry), expected)


def conv_literals(f):
    x, w = frozen(np.arange(1, 7).reshape(1, 1, 2, 3), np.uint8), frozen([[[[1, -2]]]], np.int8)
    assert f.conv2d(x, w).tolist() == [[[[-3, -4], [-6, -7]]]]
    assert f.conv2d(x, w, 3).tolist() == [[[[0, -1], [-3, -4]]]]
    assert f.conv2d(x, w, 3, frozen([-2])).tolist() == [[[[-6, -3], [3, 6]]]]
    assert f.conv2d(x, w, 3, padding=(0, 1)).tolist() == [[[[4, 0, -1, 0], [-2, -3, -4, 3]]]]
    assert f.conv2d(x, w, 3, padding=(1, 0, 0, 1), stride=(2, 1)).tolist() == [[[[0, 0, 0], [-3, -4, 3]]]]
    assert f.conv2d(x, w, 3, padding=(0, 0, 1, 1), stride=(1, 2)).tolist() == [[[[0, 0], [-3, 3], [0, 0]]]]


def conv_matches_the_oracle(f):
    """N, C, H, W, O, kh, kw pairwise distinct."""
    rng = np.random.default_rng(1)
    geometries = (
        {},
        {"stride": 2},
        {"stride": (3, 2), "padding": 1},
        {"padding": (2, 1), "dilation": (2, 1)},
        {"padding": (0, 1, 2, 3), "stride": (1, 2)},
        {"padding": (3, 0, 1, 2), "dilation": 2, "stride": (2, 3)},
        {"groups": 2, "padding": (0, 4)},
        {"groups": 2, "padding": (4, 0, 0, 1), "stride": (2, 1), "dilation": (3, 1)},
    )
    for k, geometry in enumerate(geometries):
        left, right = MIXES[k]
        x, w = codes(rng, left, (2, 6, 9, 8)), codes(rng, right, (4, 6 // geometry.get("groups", 1), 3, 5))
        if left == right == np.int16:
            x, w = frozen(x >> 3), frozen(w >> 3)
        z_x = int(x[0, 0, 0, 0])
        for z_w in (0, int(w[0, 0, 0, 0]), frozen(w[:, 0, 0, 0])):
            assert_convolution(f, x, w, z_x, z_w, **geometry)
    x, w = codes(rng, np.uint8, (1, 6, 4, 5)), codes(rng, np.uint8, (12, 1, 2, 3))  # one channel a group
    assert_convolution(f, x, w, 9, frozen(np.arange(12) * 20), groups=6, padding=(1, 0))


def conv_largest_sums(f):
    """C · kh · kw · 255² just inside 2³¹ − 1: 25 · 1,321 = 33,025."""
    x, w = frozen(np.zeros((1, 1321, 5, 5), np.uint8)), frozen(np.full((2, 1321, 5, 5), 255, np.uint8))
    assert f.conv2d(x, w, 255, frozen([0, 254])).tolist() == [[[[-33_025 * 255**2]], [[-33_025 * 255]]]]


CONV = (conv_literals, conv_matches_the_oracle, conv_largest_sums)


# ---- bias ----


def bias_literals(f):
    """In units of ½ · ¼: ties at odd multiples of 1/16."""
    b = frozen([0.5, -1.25, 0.0625, 0.1875, -0.0625, -0.1875])
    assert_integers(f.quantize_bias(b, 0.5, 0.25), [4, -10, 0, 2, 0, -2])
    assert_integers(f.quantize_bias(b, 0.5, 0.25, rounding="half_away"), [4, -10, 1, 2, -1, -2])
    each = frozen([0.25, 0.5, 0.25, 1.0, 0.125, 0.25])
    assert_integers(f.quantize_bias(b, 0.5, each), [4, -5, 0, 0, -1, -2])
    ends = frozen([2.0**31 - 0.5 - 2**-22, -(2.0**31) - 0.5])
    assert_integers(f.quantize_bias(ends, 1.0, 1.0), [MAX, MIN])


def bias_matches_the_oracle(f):
    rng = np.random.default_rng(2)
    for dtype, rule in product((np.float32, np.float64), ("half_even", "half_away", "floor", "half_up")):
        b = frozen(rng.standard_normal(40), dtype)
        s_x, s_w = dtype(rng.uniform(5e-5, 1e-4)), frozen(rng.uniform(5e-5, 1e-2, 40), dtype)  # codes up to 2³⁰
        for each in (s_w, s_w[3]):
            expected = [
                bias_oracle.quantize_bias(v, s_x, s, rule) for v, s in zip(b, np.broadcast_to(each, 40), strict=True)
            ]
            assert_integers(f.quantize_bias(b, s_x, each, rounding=rule), expected)


BIAS = (bias_literals, bias_matches_the_oracle)


# ---- multiplier ----


def assert_multiplier(f, real, rounding="half_away"):
    """The oracle's pair."""
    M, shift = f.quantize_multiplier(real, rounding)
    expected = multiplier_oracle.quantize_multiplier(Fraction(float(real)), rounding)
    assert (int(M), int(shift)) == expected, float(real)
    assert M.dtype == shift.dtype == np.int32


def multiplier_literals(f):
    for real, M, shift in (
        (0.375, 3 * 2**29, -1),
        (0.5, 2**30, 0),
        (1.0, 2**30, 1),
        (3.0, 3 * 2**29, 2),
        (2.0**29, 2**30, 30),
        (2.0**30 - 2.0**-1, 2**31 - 1, 30),
        (0.0, 0, 0),
        (1 - 2.0**-31, 2**31 - 1, 0),
        (1 - 2.0**-33, 2**30, 1),  # 2³¹ − ¼ rounds to 2³¹
        (1 - 2.0**-32, 2**30, 1),  # the tie 2³¹ − ½, up by both rules
        (1 - 3 * 2.0**-33, 2**31 - 1, 0),
        (2.0**-32, 2**30, -31),
        (2.0**-32 * (1 - 2.0**-33), 2**30, -31),  # rounds up into the range
        (2.0**-32 * (1 - 2.0**-31), 0, 0),
        (2.0**-33, 0, 0),
        (5e-324, 0, 0),
    ):
        for rounding in ("half_away", "half_even"):
            found = f.quantize_multiplier(real, rounding)
            assert (int(found[0]), int(found[1])) == (M, shift), (real, rounding)
            assert_multiplier(f, np.float64(real), rounding)


def multiplier_ties(f):
    """32 significant bits: 2³⁰ + ½, 2³⁰ + 1½; the two rules differ in the first."""
    for exponent in (-31, -7, 0, 30):
        for odd, away, even in ((2**31 + 1, 2**30 + 1, 2**30), (2**31 + 3, 2**30 + 2, 2**30 + 2)):
            real = np.ldexp(float(odd), exponent - 32)
            for rounding, M in (("half_away", away), ("half_even", even)):
                found = f.quantize_multiplier(real, rounding)
                assert (int(found[0]), int(found[1])) == (M, exponent)
                assert_multiplier(f, real, rounding)


def multiplier_matches_the_oracle(f):
    rng = np.random.default_rng(4)
    for exponent in range(-40, 30):
        for real in (2.0**exponent, *(rng.uniform(1, 2, 4) * 2.0**exponent)):
            assert_multiplier(f, np.float64(real), "half_away")
            assert_multiplier(f, np.float32(real), "half_even")
    many = frozen(rng.uniform(0, 2, (3, 4)))
    M, shift = f.quantize_multiplier(many)
    assert M.shape == shift.shape == (3, 4)
    for place in np.ndindex(3, 4):
        pair = multiplier_oracle.quantize_multiplier(Fraction(float(many[place])))
        assert (int(M[place]), int(shift[place])) == pair


MULTIPLIER = (multiplier_literals, multiplier_ties, multiplier_matches_the_oracle)


# ---- requantization ----

EDGES = sorted(
    {sign * (2**k + d) for sign in (1, -1) for k in (0, 1, 7, 15, 16, 23, 24, 29, 30, 31) for d in (-1, 0, 1)}
    | {0, 3, -3, 1583594044, 7984}
)
EDGES = [value for value in EDGES if MIN <= value <= MAX]


def srdhm_literals(f):
    """Ties toward +∞: ½ → 1, −½ → 0, 1½ → 2, −1½ → −1; and the one pair that saturates."""
    found = f.saturating_rounding_doubling_high_mul([1, -1, 3, -3, 2, -2], 2**30)
    assert_integers(found, [1, 0, 2, -1, 1, -1])
    assert int(f.saturating_rounding_doubling_high_mul(MIN, MIN)) == MAX
    assert int(f.saturating_rounding_doubling_high_mul(MIN, MAX)) == -MAX  # −2³¹ + 1
    assert int(f.saturating_rounding_doubling_high_mul(MAX, MAX)) == MAX - 1  # 2³¹ − 2 + 2⁻³¹


def srdhm_matches_the_oracle(f):
    rng = np.random.default_rng(5)
    pairs = list(product(EDGES, repeat=2))
    pairs += [(a, b * 2**28) for a in range(-17, 18) for b in range(-8, 8)]  # every eighth, ties among them
    pairs += rng.integers(MIN, MAX, (500, 2), endpoint=True).tolist()
    a, b = frozen(pairs).T
    expected = [requantization_oracle.saturating_rounding_doubling_high_mul(*pair) for pair in pairs]
    assert_integers(f.saturating_rounding_doubling_high_mul(a, b), expected)


def divide_literals(f):
    """Ties away from zero: ½ → 1, −½ → −1, 1½ → 2, −1½ → −2."""
    assert_integers(f.rounding_divide_by_pot([1, -1, 3, -3, 5, -5], 1), [1, -1, 2, -2, 3, -3])
    assert_integers(f.rounding_divide_by_pot([1, -1, 3, -3, 2, -2, 6, -6], 2), [0, 0, 1, -1, 1, -1, 2, -2])
    assert_integers(f.rounding_divide_by_pot([MIN, MAX, 2**30, -(2**30), -(2**30) + 1], 31), [-1, 1, 1, -1, 0])
    assert_integers(f.rounding_divide_by_pot([MIN, MAX, 0], 0), [MIN, MAX, 0])
    assert_integers(f.rounding_divide_by_pot([7, 7, 7], [1, 2, 31]), [4, 2, 0])


def divide_matches_the_oracle(f):
    rng = np.random.default_rng(6)
    for exponent in range(32):
        half = 2**exponent // 2
        ties = [odd * half + d for odd in (1, -1, 3, -3, 5, -5) for d in (-1, 0, 1)]
        values = [v for v in (*EDGES, *ties) if MIN <= v <= MAX] + rng.integers(MIN, MAX, 20).tolist()
        expected = [requantization_oracle.rounding_divide_by_pot(v, exponent) for v in values]
        assert_integers(f.rounding_divide_by_pot(frozen(values), exponent), expected)


def requantize_literals(f):
    """7984 · 1583594044 · 2⁻⁴⁰ = 11.4989…: the first of two roundings makes a tie of it."""
    for rounding, expected in (("double", 12), ("double_up", 12), ("single", 11)):
        assert int(f.requantize(7984, 1583594044, -9, rounding)) == expected
        below = {"double": -12, "double_up": -11, "single": -11}[rounding]
        assert int(f.requantize(-7984, 1583594044, -9, rounding)) == below
    for rounding, expected in (
        ("double", [-2, -1, 1, 2, 3]),  # −1½, −½, ½, 1½, 2½ by 2^−2
        ("double_up", [-1, 0, 1, 2, 3]),
        ("single", [-1, 0, 1, 2, 3]),
    ):
        acc = frozen([-6, -2, 2, 6, 10])
        assert_integers(f.requantize(acc, 2**30, -1, rounding), expected, np.int8)
        assert_integers(f.requantize(acc, 2**30, -1, rounding, zero_point=7), [v + 7 for v in expected], np.int8)
    found = f.requantize(frozen([-6, -2, 2, 6, 10]), 0.25, None, "float", zero_point=1)
    assert_integers(found, [-1, 1, 1, 3, 3], np.int8)  # half even before the zero point
    # where nothing is divided again, the first rounding's ties are all there is
    for rounding in ("double", "double_up", "single"):
        assert_integers(f.requantize([-3, -1, 1, 3], 2**30, 0, rounding), [-1, 0, 1, 2], np.int8)
        assert_integers(f.requantize([-3, -1, 1, 3], 2**30, 3, rounding), [-12, -4, 4, 12], np.int8)


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


SRDHM = (srdhm_literals, srdhm_matches_the_oracle, divide_literals, divide_matches_the_oracle)
REQUANTIZATION = (
    *SRDHM,
    requantize_literals,
    requantize_integers_match_the_oracle,
    requantize_float_matches_the_oracle,
    requantize_per_channel,
    requantize_clips,
    requantize_dtype,
    rescale_matches_the_oracle,
    rescale_per_row,
    rescale_order_of_operations,
)


# ---- quantized operators ----


def most(rounding, real):
    """How far a code may be from the real number.

    double, double_up: ½, and ½ of a unit of t, which is ¼ of a code or less where t is divided again, and 2⁻³⁰ of the
    real number for the integer multiplier and two roundings in float64. single: without the quarter. float: four
    roundings in float32, of s_a · s_b, of the quotient, of the sum and of the product, 2⁻²¹ of the real number.
    """
    quarter = Fraction(1, 4) if rounding.startswith("double") else 0
    return Fraction(1, 2) + quarter + abs(real) * Fraction(1, 2**21 if rounding == "float" else 2**30)


def assert_near(found, real, rounding, zero_point, qmin, qmax):
    """Within `most` of the real number, hence at most one code from the nearest; saturated where that is outside."""
    for q, r in zip(found, real, strict=True):
        bound = most(rounding, r)
        assert bound < 1
        if qmin + 1 < r + zero_point < qmax - 1:
            assert abs(q - zero_point - r) <= bound
        elif not qmin - 1 < r + zero_point < qmax + 1:
            assert q == (qmin if r + zero_point < qmin else qmax)


def flat(nested):
    return flat([v for part in nested for v in part]) if isinstance(nested[0], list) else nested


OUTPUTS = ((0, -128, 127), (-5, -128, 127), (131, 0, 255), (-20, -20, 127), (-100, -100, 30), (0, -32768, 32767))


def output(z, qmin, qmax):
    """The arguments of an output, in a type that holds its codes."""
    return {"out_zero_point": z, "qmin": qmin, "qmax": qmax, "dtype": smallest(qmin, qmax).name}


def output_dtypes(run):
    """The first operand's type or the one that is asked for, and its ends; a fused ReLU with z = 0 keeps it.

    `run` gives the codes of −40, 5, 90, 150, 300, 999, whose rounding is nowhere at stake, from a first operand of a
    type.
    """
    real = (-40, 5, 90, 150, 300, 999)
    for first, dtype in product((np.uint8, np.int8, np.int16), (None, *CODES)):
        name = np.dtype(first if dtype is None else dtype).name
        for options in ({}, {"qmin": 0}, {"qmin": 3, "qmax": 99}, {"qmax": 100}):
            low, high = requantization_oracle.code_range(name, **options)
            given = options | ({} if dtype is None else {"dtype": dtype})
            expected = [requantization_oracle.clip(v, low, high) for v in real]
            for rounding in MODES:
                assert_integers(np.ravel(run(np.dtype(first), rounding=rounding, **given)), expected, name)


def matmul_cases():
    rng = np.random.default_rng(13)
    for k, (left, right) in enumerate(MIXES[:-1] + MIXES[:4]):
        M, K, N = 4, (7, 1, 60)[k % 3], 5
        a, b = codes(rng, left, (M, K)), codes(rng, right, (K, N))
        z_a = int(a[0, 0]) if k % 2 else frozen(a[::-1, 0])
        z_b = int(b[0, 0]) if k % 3 else frozen(b[0, ::-1])
        s_b = frozen(rng.uniform(0.001, 0.1, N), np.float32) if k % 2 else np.float32(2.0**-5)
        s_a = np.float32(rng.uniform(0.01, 0.1) if k % 4 else 2.0**-4)
        bias = frozen(rng.integers(-2000, 2000, N)) if k % 5 else None
        if bias is None:  # whose unit is one for all rows
            s_a = frozen(s_a * np.linspace(0.5, 1, M), np.float32)
        acc = np.abs(quantized_matmul_oracle.sums(plain(a), plain(b), plain(bias), plain(z_a), plain(z_b))).max()
        z, qmin, qmax = OUTPUTS[k % len(OUTPUTS)]
        s_out = np.float32(acc * np.max(s_a) * np.max(s_b) / (0.6 * (qmax - qmin)))
        s_out = s_out if k % 4 else np.float32(2.0 ** np.round(np.log2(s_out)))  # powers of two make ties
        scales = {"a_scale": s_a, "b_scale": s_b, "out_scale": s_out, "a_zero_point": z_a, "b_zero_point": z_b}
        yield (a, b, bias), scales, (z, qmin, qmax)


def matmul_end_to_end(f):
    for arrays, scales, outputs in matmul_cases():
        given, options = [plain(v) for v in arrays], {k: plain(v) for k, v in scales.items()}
        real = flat(quantized_matmul_oracle.exact(*given, **options))
        for rounding in MODES:
            found = f.matmul(*arrays, **scales, **output(*outputs), rounding=rounding)
            expected = quantized_matmul_oracle.matmul(*given, **options, **output(*outputs), rounding=rounding)
            assert_integers(found, expected, smallest(*outputs[1:]))
            assert_near(flat(found.tolist()), real, rounding, *outputs)


def matmul_literals(f):
    """((16, 34)) / 4, and 10 − 6 + 1: ¼ · [[16 + 4·…]]; bias in units of s_a · s_b."""
    a, b = frozen([[10, 20]], np.uint8), frozen([[2, -1], [1, 3]], np.int8)
    scales = {"a_scale": 0.5, "b_scale": 0.25, "out_scale": 0.5}
    assert_integers(f.matmul(a, b, **scales, a_zero_point=8), [[4, 9]], np.uint8)  # 16 / 4, 34 / 4 = 8½
    assert_integers(f.matmul(a, b, **scales, a_zero_point=8, rounding="float"), [[4, 8]], np.uint8)
    assert_integers(f.matmul(a, b, frozen([4, -34]), **scales, a_zero_point=8), [[5, 0]], np.uint8)
    scales["dtype"] = np.int8
    found = f.matmul(a, b, **scales | {"b_scale": frozen([0.25, 1.0])}, a_zero_point=8, out_zero_point=100)
    assert_integers(found, [[104, 127]], np.int8)
    found = f.matmul(a, b, frozen([-50, -50]), **scales, a_zero_point=8, out_zero_point=-3, qmin=-3)
    assert_integers(found, [[-3, -3]], np.int8)  # ReLU
    assert (
        f.matmul(frozen(np.zeros((2, 0), int)), frozen(np.zeros((0, 3), int)), frozen([8, -8, 0]), **scales).tolist()
        == [[2, -2, 0]] * 2
    )


def matmul_dtype(f):
    b = frozen([[-40, 5, 90, 150, 300, 999]], np.int16)

    def run(first, **options):
        return f.matmul(frozen([[1]], first), b, a_scale=1.0, b_scale=1.0, out_scale=1.0, **options)

    output_dtypes(run)


MATMUL = (matmul_literals, matmul_end_to_end, matmul_dtype)


def conv_cases():
    rng = np.random.default_rng(14)
    geometries = (
        {},
        {"padding": 1},
        {"padding": (1, 2), "stride": (2, 1)},
        {"padding": (0, 1, 2, 3), "dilation": (1, 2)},
        {"groups": 2, "padding": (2, 0, 1, 0), "stride": (2, 2)},
    )
    for k, geometry in enumerate(geometries):
        left, right = MIXES[k]
        x, w = codes(rng, left, (2, 4, 7, 8)), codes(rng, right, (6, 4 // geometry.get("groups", 1), 3, 5))
        z_x, z_w = int(x[0, 0, 0, 0]), frozen(w[:, 0, 0, 0]) if k % 2 else int(w[0, 0, 0, 0])
        s_x = np.float32(rng.uniform(0.01, 0.1))
        s_w = np.float32(0.03) if k % 2 else frozen(rng.uniform(0.001, 0.1, 6), np.float32)
        bias = None if k == 1 else frozen(rng.integers(-5000, 5000, 6))
        z, qmin, qmax = OUTPUTS[k]
        pairs = {"stride": (1, 1), "dilation": (1, 1), "padding": 0, "groups": 1} | geometry
        acc = np.abs(quantized_conv_oracle.sums(plain(x), plain(w), plain(bias), z_x, plain(z_w), pairs)).max()
        s_out = np.float32(acc * s_x * np.max(s_w) / (0.6 * (qmax - qmin)))
        scales = {"x_scale": s_x, "w_scale": s_w, "out_scale": s_out, "x_zero_point": z_x, "w_zero_point": z_w}
        yield (x, w, bias), scales, (z, qmin, qmax), pairs


@cache
def conv_answers():
    """Return the cases, their real numbers, and the codes under every rounding."""
    found = []
    for arrays, scales, outputs, geometry in conv_cases():
        given, options = [plain(v) for v in arrays], {k: plain(v) for k, v in scales.items()} | geometry
        real = flat(quantized_conv_oracle.exact(*given, **options))
        options |= output(*outputs)
        answers = [quantized_conv_oracle.conv2d(*given, **options, rounding=rounding) for rounding in MODES]
        found.append((arrays, scales, outputs, geometry, real, answers))
    return found


def conv_end_to_end(f):
    for arrays, scales, outputs, geometry, real, answers in conv_answers():
        for rounding, expected in zip(MODES, answers, strict=True):
            found = f.conv2d(*arrays, **scales, **output(*outputs), rounding=rounding, **geometry)
            assert_integers(found, expected, smallest(*outputs[1:]))
            assert_near(flat(found.tolist()), real, rounding, *outputs)


def quantized_conv_literals(f):
    """Filters (1, −2) on (1, 2, 3), (4, 5, 6) less 3: see conv_literals; scales 2 and 1 of the filters' channels."""
    x, w = frozen(np.arange(1, 7).reshape(1, 1, 2, 3), np.uint8), frozen([[[[1, -2]]], [[[1, -2]]]], np.int8)
    options = {"x_scale": 0.5, "w_scale": frozen([2.0, 1.0]), "out_scale": 1.0, "x_zero_point": 3, "padding": (0, 1)}
    options["dtype"] = np.int8
    first, second = [[4, 0, -1, 0], [-2, -3, -4, 3]], [[2, 0, -1, 0], [-1, -2, -2, 2]]  # ½ → 1, −½ → −1
    # ½ is M = 2³⁰, shift 0: one rounding, −½ → 0, −1½ → −1
    second = [[2, 0, 0, 0], [-1, -1, -2, 2]]
    assert_integers(f.conv2d(x, w, **options), [[first, second]], np.int8)
    found = f.conv2d(x, w, frozen([1, -2]), **options, out_zero_point=10)
    more = [[11 + v for v in row] for row in first]
    assert_integers(found, [[more, [[11, 9, 9, 9], [8, 8, 7, 11]]]], np.int8)


def quantized_conv_dtype(f):
    w = frozen([-40, 5, 90, 150, 300, 999], np.int16).reshape(6, 1, 1, 1)

    def run(first, **options):
        x = frozen(np.ones((1, 1, 1, 1)), first)
        return f.conv2d(x, w, x_scale=1.0, w_scale=1.0, out_scale=1.0, **options)

    output_dtypes(run)


QUANTIZED_CONV = (quantized_conv_literals, conv_end_to_end, quantized_conv_dtype)


def assert_pooled(f, x, kernel_size, **options):
    size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    given = {"dtype": x.dtype.name} | options
    if isinstance(options.get("stride"), int):
        given["stride"] = (options["stride"],) * 2
    expected = asked(pool_oracle.average_pool2d, x, size, **given)
    assert_integers(f.average_pool2d(x, kernel_size, **options), expected, given["dtype"])


def pool_ties(f):
    """Ties away from zero: ½ → 1, −½ → −1, 1½ → 2, −1½ → −2; thirds and quarters to the nearest."""
    x = frozen([[[[0, 1, 0, -1, 1, 2, -1, -2]]]], np.int8)
    assert_integers(f.average_pool2d(x, (1, 2)), [[[[1, -1, 2, -2]]]], np.int8)
    x = frozen([[[[1, 0, 0, 1, 1, 0, -1, 0, 0, -1, -1, 0]]]], np.int8)
    assert_integers(f.average_pool2d(x, (1, 3)), [[[[0, 1, 0, -1]]]], np.int8)
    x = frozen([[[[1, 2, 0, 0, -1, -2], [0, 0, 0, 2, 0, 0]]]], np.int8)
    assert_integers(f.average_pool2d(x, 2), [[[[1, 1, -1]]]], np.int8)  # 3/4, 2/4, −3/4


def pool_counts(f):
    """Only positions of the image are counted: a constant image stays constant, also rescaled."""
    x = frozen(np.full((2, 1, 4, 5), -77, np.int8))
    for padding in (1, (2, 1), (0, 1, 2, 0), (2, 2, 0, 1)):
        found = f.average_pool2d(
            x, 3, stride=1, padding=padding, rounding="float", x_scale=0.5, out_scale=0.25, x_zero_point=-80,
            out_zero_point=3,
        )  # fmt: skip
        assert set(np.ravel(found).tolist()) == {9}  # (−77 + 80) · 2 + 3
    x = frozen([[[[4, 8], [6, -20]]]], np.int8)
    assert_integers(f.average_pool2d(x, 2, stride=1, padding=(1, 1, 0, 0)), [[[[4, 6], [5, -1]]]], np.int8)  # −2/4


def pool_matches_the_oracle(f):
    rng = np.random.default_rng(15)
    geometries = (
        (2, {}),
        ((3, 2), {"stride": (2, 1)}),
        ((2, 3), {"padding": (1, 2), "stride": 1}),
        ((4, 3), {"padding": (3, 0, 1, 2), "stride": (3, 2)}),
    )
    for (kernel, geometry), dtype in product(geometries, (np.int8, np.uint8, np.int16)):
        x = codes(rng, dtype, (2, 3, 7, 6))
        assert_pooled(f, x, kernel, **geometry)
        assert_pooled(f, x, kernel, dtype="int8", **geometry)
        assert_pooled(f, x, kernel, qmin=10, qmax=60, x_zero_point=10, out_zero_point=10, **geometry)
        for s_x, s_out in ((0.5, 0.25), (np.float32(0.037), np.float32(0.041)), (0.1, 0.3)):
            options = {"rounding": "float", "x_scale": s_x, "out_scale": s_out}
            assert_pooled(f, x, kernel, x_zero_point=int(x[0, 0, 0, 0]), out_zero_point=7, **options, **geometry)
    assert_pooled(f, frozen([[[[MAX, MAX - 1, MIN, MIN]]]], np.int32), (1, 2), qmin=MIN, qmax=MAX)
    x = frozen([[[[MAX, 2**24 + 1, -(2**24) - 3, 5]]]], np.int32)
    options = {"x_scale": 0.5, "out_scale": 0.5, "x_zero_point": -1, "out_zero_point": 0, "qmin": MIN, "qmax": MAX}
    assert_pooled(f, x, (1, 2), rounding="float", **options)


def pool_float_ties(f):
    """Half even, the zero point added before: 1½ + 1 → 2, ½ + 1 → 2, ½ → 0."""
    x = frozen([[[[1, 2, 0, 1, -1, 0]]]], np.int8)
    options = {"rounding": "float", "x_scale": 0.5, "out_scale": 0.5}
    assert_integers(f.average_pool2d(x, (1, 2), **options), [[[[2, 0, 0]]]], np.int8)
    assert_integers(f.average_pool2d(x, (1, 2), **options, out_zero_point=1), [[[[2, 2, 0]]]], np.int8)


def pool_dtype(f):
    """Type and ends of the output: those of x, or of the type that is asked for."""
    for first, low in ((np.uint8, 0), (np.int8, -128)):
        x = frozen([[[[low + 99, 100, 120, low + 40]]]], first)
        for dtype, options in product((None, *CODES), ({}, {"qmin": 0}, {"qmin": 3, "qmax": 90})):
            given = options | ({} if dtype is None else {"dtype": np.dtype(dtype).name})
            assert_pooled(f, x, 1, **given)
            assert_pooled(f, x, (1, 2), rounding="float", x_scale=0.5, out_scale=0.25, **given)


def pool_large_windows(f):
    """As large as the image, and sums of 1,900 codes far beyond int32."""
    rng = np.random.default_rng(20)
    x = codes(rng, np.int32, (1, 2, 50, 38))
    assert_pooled(f, x, (50, 38))
    assert_pooled(f, x, (49, 37), stride=1)
    assert_pooled(f, frozen(np.full((1, 1, 41, 43), MIN, np.int32)), (41, 40), stride=(1, 3), padding=(9, 8, 7, 6))


POOL = (pool_ties, pool_counts, pool_matches_the_oracle, pool_float_ties, pool_dtype, pool_large_windows)


def assert_added(f, a, b, options, rounding):
    found = f.add(a, b, rounding=rounding, **options)
    flat_a, flat_b = map(np.ravel, np.broadcast_arrays(a, b))
    given = {"dtype": a.dtype.name} | options
    expected = asked(added, flat_a, flat_b, rounding=rounding, **given)
    assert_integers(np.ravel(found), expected, given["dtype"])
    return list(zip(flat_a.tolist(), flat_b.tolist(), strict=True)), np.ravel(found).tolist()


def added(a, b, **options):
    return [add_oracle.add(x, y, **options) for x, y in zip(a, b, strict=True)]


def add_literals(f):
    """10.5 and 1.5 and 190.5 in units of the output; equal scales leave only the last rounding."""
    a, b = frozen([10, -20, 127, 2], np.int8), frozen([1, 2, 127, -1], np.int8)
    scales = {"a_scale": 0.5, "b_scale": 0.25, "out_scale": 0.5}
    for rounding, expected in (
        ("double", [11, -19, 127, 2]),
        ("double_up", [11, -19, 127, 2]),
        ("single", [11, -19, 127, 2]),
        ("float", [10, -19, 127, 2]),
    ):
        assert_integers(f.add(a, b, **scales, rounding=rounding), expected, np.int8)
    a, b = frozen([1, -1, -3, 3], np.int8), frozen([0], np.int8)
    scales = {"a_scale": 0.5, "b_scale": 0.5, "out_scale": 1.0}
    assert_integers(f.add(a, b, **scales), [1, -1, -2, 2], np.int8)
    assert_integers(f.add(a, b, **scales, rounding="single"), [1, 0, -1, 2], np.int8)
    assert_integers(f.add(a, b, **scales, rounding="double_up"), [1, 0, -1, 2], np.int8)
    assert_integers(f.add(a, b, **scales, rounding="float"), [0, 0, -2, 2], np.int8)
    assert_integers(f.add(a, b, **scales, rounding="float", out_zero_point=1), [2, 0, 0, 2], np.int8)


def add_cases():
    rng = np.random.default_rng(16)
    for k, (left, right) in enumerate([*MIXES[:2], *MIXES[3:5]] * 3):
        a, b = codes(rng, left, (4, 1, 3)), codes(rng, right, (5, 1))
        s_a, s_b = rng.uniform(0.01, 0.5, 2).astype(np.float32)
        s_out = np.float32(rng.uniform(0.05, 0.9))
        if k % 3 == 0:
            s_a, s_b, s_out = np.float32([0.5, 0.5, 1.0])
        z, qmin, qmax = OUTPUTS[k % len(OUTPUTS)]
        yield a, b, {
            "a_scale": s_a, "b_scale": s_b, "out_scale": s_out, "a_zero_point": int(a[0, 0, 0]),
            "b_zero_point": int(b[0, 0]), **output(z, qmin, qmax),
        }  # fmt: skip


def add_end_to_end(f):
    """The real number, too.

    Every t is off by ½, by ¼ for a second rounding, and by 2⁻³¹ · 2³⁰ for its multiplier: both together by less than 4
    units of S / (2²⁰ · s_out) < 2⁻¹⁵ code. Then ½ and ¼, and 2⁻³⁰ of less than 2¹⁵ codes. float: eight roundings by at
    most 2⁻²⁴ of |z_out| + r_a (|a| + |z_a|) + r_b (|b| + |z_b|) each.
    """
    for a, b, options in add_cases():
        scales = {name: options[name] for name in ("a_scale", "b_scale", "out_scale", "a_zero_point", "b_zero_point")}
        z, qmin, qmax = options["out_zero_point"], options["qmin"], options["qmax"]
        size = 511 * float(options["a_scale"] + options["b_scale"]) / float(options["out_scale"]) + abs(z)
        more = {"double": 0.25 + 2.0**-12, "double_up": 0.25 + 2.0**-12, "single": 2.0**-12, "float": size * 2.0**-20}
        assert 2 * max(options["a_scale"], options["b_scale"]) / options["out_scale"] < 2**5
        for rounding in MODES:
            pairs, found = assert_added(f, a, b, options, rounding)
            for (x, y), q in zip(pairs, found, strict=True):
                real = add_oracle.exact(x, y, **scales)
                if qmin + 1 < real + z < qmax - 1:
                    assert abs(q - z - real) <= Fraction(1, 2) + Fraction(more[rounding])


def add_left_shifts(f):
    """L = 0, 15 and 20, and with few bits the error of the terms is seen; int16 with 15."""
    rng = np.random.default_rng(17)
    a, b = codes(rng, np.int8, (9, 1)), codes(rng, np.uint8, 7)
    for left_shift, rounding in product((0, 1, 2, 7, 15, 20, 22), ("double", "double_up", "single")):
        options = {"a_scale": 0.3, "b_scale": 0.2, "out_scale": 0.7, "b_zero_point": 128, "left_shift": left_shift}
        assert_added(f, a, b, options, rounding)
    a, b = codes(rng, np.int16, (9, 1)), codes(rng, np.int16, 7)
    options = {"a_scale": 0.3, "b_scale": 0.2, "out_scale": 0.4, "left_shift": 15}
    for rounding in ("double", "double_up", "single"):
        assert_added(f, a, b, options, rounding)


def add_float_is_fused(f):
    """16 bits of codes and sums of up to 25: what rounds the products, or a's before b's, differs by 1 and more."""
    rng = np.random.default_rng(18)
    a, b = codes(rng, np.int16, (9, 1)), codes(rng, np.int16, 11)
    for _ in range(4):
        s_a, s_b = rng.uniform(0.5, 2, 2).astype(np.float32)
        options = {"a_scale": s_a, "b_scale": s_b, "out_scale": np.float32(0.0037), "dtype": "int32"}
        zero_points = {"a_zero_point": 1234, "b_zero_point": -99, "out_zero_point": 5}
        assert_added(f, a, b, options | zero_points, "float")


def add_dtype(f):
    b = frozen([-41, 4, 89, 149, 299, 998], np.int16)

    def run(first, **options):
        shift = {} if options["rounding"] == "float" else {"left_shift": 18}
        scales = {"a_scale": 1.0, "b_scale": 1.0, "out_scale": 1.0}
        return f.add(frozen([1], first), b, **scales, **shift, **options)

    output_dtypes(run)


ADD = (add_literals, add_end_to_end, add_left_shifts, add_float_is_fused, add_dtype)
