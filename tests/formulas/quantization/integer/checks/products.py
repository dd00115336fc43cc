"""What every implementation of matmul with zero points must satisfy: functions that take one and assert."""

from itertools import product

import numpy as np

from tests.formulas.quantization.integer.checks.common import MAX, MIXES, assert_integers, codes, frozen, plain
from tests.oracles import products as products_oracle


def assert_product(f, a, b, z_a=0, z_b=0):
    K, shape = len(b), (len(a), b.shape[1])
    expected = products_oracle.matmul(plain(a), plain(b), plain(z_a), plain(z_b)) if K else [[0] * shape[1]] * shape[0]
    assert_integers(f.matmul(a, b, z_a, z_b), expected)


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
    products_match_the_oracle,
    products_at_the_bound_of_float32,
    products_largest_sums,
    products_far_from_zero_and_close_to_their_zero_points,
)
