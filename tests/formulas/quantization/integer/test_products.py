"""Integer products: exact at the bound of float32 and beyond, random cases against the oracle, and the error paths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refcompress.formulas.quantization import integer
from tests.formulas.quantization.integer.checks import products as checks
from tests.gradient_check import frozen, layouts
from tests.oracles import products as oracle

TYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
INT32 = 2**31 - 1


def assert_product(matmul, a, b):
    """The oracle's integers as int32, from `matmul` of arrays and nothing changed."""
    kept = a.copy(), b.copy()
    out = matmul(frozen(a), frozen(b))
    assert type(out) is np.ndarray
    assert out.dtype == np.int32
    assert out.shape == (len(a), b.shape[1])
    assert out.tolist() == (oracle.matmul(a.tolist(), b.tolist()) if len(b) else [[0] * b.shape[1]] * len(a))
    assert np.array_equal(a, kept[0])
    assert np.array_equal(b, kept[1])


def filled(value, shape, dtype):
    return np.full(shape, value, dtype)


def literals(matmul):
    a, b = np.array([[1, -2, 3], [4, 5, -6]], np.int8), np.array([[7, 8], [-9, 10], [11, -12]], np.int8)
    assert_product(matmul, a, b)
    assert matmul(a, b).tolist() == [[58, -48], [-83, 154]]
    assert matmul(np.array([[127, -128]], np.int8), np.array([[127], [-128]], np.int8)).tolist() == [[32513]]
    assert matmul(np.array([[255]], np.uint8), np.array([[-128]], np.int8)).tolist() == [[-32640]]


def around_the_bound_of_float32(matmul):
    """Odd terms, all of one sign: the sum of K = 2²⁴ // term of them is exact, one more is no float32 where odd."""
    for dtype, left, right in (
        (np.int8, 127, 127),  # 16,129: 1,040 terms
        (np.int8, -127, 127),
        (np.int8, -127, -127),
        (np.uint8, 255, 255),  # 65,025: 258 terms
        (np.int16, 255, 1027),  # 261,885: 64 terms, the fewest at a time
        (np.int16, 255, 1029),  # 262,395: 63 terms, so in float64
        (np.int16, 4095, 4097),  # 2²⁴ − 1: one term
    ):
        limit = 2**24 // abs(left * right)
        for K in {limit - 1, limit, limit + 1, limit + 2, 2 * limit, 2 * limit + 1, 3 * limit - 1, 100} - {0}:
            if K * abs(left * right) <= INT32:
                assert_product(matmul, filled(left, (2, K), dtype), filled(right, (K, 3), dtype))


def exactly_at_the_bound(matmul):
    """K · max|a| · max|b| = 2²⁴: −128 · −128 · 1,024, and one less, one more in a single entry."""
    a, b = filled(-128, (2, 1024), np.int8), filled(-128, (1024, 3), np.int8)
    a[1, 5] = 127
    assert matmul(a, b)[0].tolist() == [2**24] * 3
    assert_product(matmul, a, b)
    odd = np.array([[1] + [-128] * 1024], np.int8)  # 128 · 1 more: 2²⁴ + 1 if b's entry is −1, which is no float32
    below = np.concatenate([filled(1, (1, 3), np.int8), b])
    assert matmul(odd, below).tolist() == [[2**24 + 1] * 3]
    assert_product(matmul, odd, below)


def large_operands(matmul):
    """What a float32 does not hold: entries around 2²⁴ and up to int32's, also unsigned and of 64 bits."""
    for value in (2**24 - 1, 2**24, 2**24 + 1, 2**25 + 3, INT32):
        for dtype in (np.int32, np.uint32, np.int64, np.uint64):
            for sign in (1, -1) if np.dtype(dtype).kind == "i" else (1,):
                large, one = np.array([[sign * value]], dtype), np.ones((1, 1), dtype)
                assert_product(matmul, np.concatenate([large, one, 0 * one]), one)
                assert_product(matmul, one, np.concatenate([large, one], axis=1))
    assert_product(matmul, np.array([[46340]], np.int32), np.array([[-46340, 46339]], np.int32))  # below √(2³¹)
    assert_product(matmul, np.array([[2**24 + 1, 9]]), np.array([[2, 1], [0, 1]]) * 30)


def zeros_and_nothing(matmul):
    """K = 0 sums to 0; no rows, no columns; a factor of zeros beside the largest integers there are."""
    for M, K, N in ((2, 0, 3), (0, 4, 3), (2, 4, 0), (0, 0, 0), (0, 0, 3)):
        assert_product(matmul, np.ones((M, K), np.int8), np.ones((K, N), np.int8))
    for dtype in (np.int64, np.uint64):
        info = np.iinfo(dtype)
        ends = np.array([[info.min, info.max, 5]] * 2, dtype)
        assert_product(matmul, ends, np.zeros((3, 4), dtype))
    assert_product(matmul, np.zeros((2, 100), np.int64), np.full((100, 3), INT32))


CHECKS = (literals, around_the_bound_of_float32, exactly_at_the_bound, large_operands, zeros_and_nothing)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("prepared", [False, True])
def test_property(check, prepared):
    check((lambda a, b: integer.matmul(a, integer.prepare(b))) if prepared else integer.matmul)


@st.composite
def operands(draw):
    """Matrices of any two integer types whose sums fit int32, often at the ends of their ranges."""
    M, K, N = draw(st.integers(0, 3)), draw(st.integers(0, 90)), draw(st.integers(0, 4))
    matrices, room = [], INT32 // max(K, 1)
    for shape in ((M, K), (K, N)):
        info = np.iinfo(draw(st.sampled_from(TYPES)))
        size = draw(st.integers(0, room))
        low, high = max(int(info.min), -size), min(int(info.max), size)
        elements = st.integers(low, high) | st.sampled_from([low, high])
        matrices.append(draw(hnp.arrays(info.dtype, shape, elements=elements, fill=st.sampled_from([low, high]))))
        room //= max(oracle.largest(matrices[-1].tolist()), 1)
    return matrices


@settings(deadline=None, max_examples=150)
@given(operands())
def test_equals_pythons_integers(case):
    a, b = case
    assert oracle.fits(a.tolist(), b.tolist())
    assert_product(integer.matmul, a, b)
    assert_product(lambda a, b: integer.matmul(a, integer.prepare(b)), a, b)


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_random_codes(bits):
    """Long sums of both signs, as a quantized layer has them."""
    rng, dtype = np.random.default_rng(bits), np.int8 if bits <= 8 else np.int16
    half = 2 ** (bits - 1)
    a, b = (rng.integers(-half, half, shape).astype(dtype) for shape in ((3, 500), (500, 4)))
    assert_product(integer.matmul, a, b)


def test_memory_layout_does_not_matter():
    rng = np.random.default_rng(5)
    a, b = rng.integers(-128, 128, (3, 70)).astype(np.int8), rng.integers(-128, 128, (70, 5)).astype(np.int8)
    for a_, b_ in zip(layouts_of(a), layouts_of(b), strict=True):
        assert_product(integer.matmul, a_, b_)


def layouts_of(matrix):
    """As tests.gradient_check.layouts, whose filler is NaN and needs floats."""
    return (array.astype(matrix.dtype, order="K") for array in layouts(matrix.astype(float)))


def test_lists_are_matrices():
    assert integer.matmul([[1, 2]], [[3], [4]]).tolist() == [[11]]
    assert integer.matmul([[1, 2]], integer.prepare([[3], [4]])).tolist() == [[11]]


def test_prepare():
    """The integers as floats that hold them, and the largest of them."""
    for values, dtype, largest in (
        ([[1, -3]], np.int8, 3),
        ([[-128, 127]], np.int8, 128),
        ([[0, 0]], np.int8, 0),
        ([[255, 0]], np.uint8, 255),
        ([[2**24, -(2**24)]], np.int32, 2**24),
        ([[2**24 + 1, 5]], np.int32, 2**24 + 1),
        ([[5, -INT32]], np.int64, INT32),
    ):
        factor = integer.prepare(frozen(np.array(values, dtype)))
        assert isinstance(factor, integer.Factor)
        assert factor._fields[:2] == ("values", "largest")
        assert factor.values.dtype == (np.float32 if largest <= 2**24 else np.float64)
        assert factor.values.tolist() == values
        assert (type(factor.largest), factor.largest) == (int, largest)
    assert integer.prepare(np.zeros((0, 3), np.int8)).largest == 0


def test_a_prepared_factor_is_used_again_and_follows_nothing():
    b = np.array([[1, -2], [3, 4]], np.int8)
    factor = integer.prepare(b)
    b[:] = 99
    for _ in range(2):
        assert integer.matmul(np.array([[1, 10]], np.int8), factor).tolist() == [[31, 38]]


class Prepared:
    """The package's product of a prepared factor."""

    @staticmethod
    def matmul(a, b, z_a=0, z_b=0):
        return integer.matmul(a, integer.prepare(b), z_a, z_b)


@pytest.mark.parametrize("check", checks.PRODUCTS)
@pytest.mark.parametrize("products", [integer, Prepared])
def test_zero_points(check, products):
    check(products)


@st.composite
def codes_with_zero_points(draw):
    """Matrices of codes and zero points of their type, one or a vector; int16 in 12 bits."""
    M, K, N = draw(st.integers(0, 3)), draw(st.integers(0, 40)), draw(st.integers(1, 4))
    out = []
    for shape, count in (((M, K), M), ((K, N), N)):
        info = np.iinfo(draw(st.sampled_from([np.int8, np.uint8, np.int16])))
        low, high = (-2048, 2047) if info.dtype == np.int16 else (int(info.min), int(info.max))
        elements = st.integers(low, high) | st.sampled_from([low, high])
        vectors = st.lists(elements, min_size=count, max_size=count)
        out += [draw(hnp.arrays(info.dtype, shape, elements=elements)), draw(elements | vectors)]
    return out


@settings(deadline=None, max_examples=60)
@given(codes_with_zero_points())
def test_zero_points_equal_pythons_integers(case):
    a, z_a, b, z_b = case
    for products in (integer, Prepared):
        checks.assert_product(products, frozen(a), frozen(b), z_a, z_b)


def test_zero_points_may_be_of_any_integer_type():
    a, b = np.array([[200, 3]], np.uint8), np.array([[10], [250]], np.uint8)
    for z_a, z_b in ((np.uint8(128), np.array([100], np.uint8)), (np.array([128], np.uint64), np.int64(100))):
        assert integer.matmul(a, b, z_a, z_b).tolist() == [[-25230]]


def test_what_prepare_knows_of_columns():
    b = np.random.default_rng(3).integers(-(2**31) + 1, 2**31, (7, 4))
    factor = integer.prepare(b)
    low, high, sums = oracle.columns(b.tolist())
    assert (factor.low.tolist(), factor.high.tolist(), factor.sums.tolist()) == (low, high, sums)
    assert factor.sums.dtype == np.int32
    assert factor.ends == (-(2**63), 2**63 - 1)
    nothing = integer.prepare(np.zeros((0, 3), np.int8))
    assert nothing.ends == (-128, 127)
    assert nothing.low.tolist() == nothing.high.tolist() == nothing.sums.tolist() == [0, 0, 0]


def test_overflow_bound():
    for terms, a, b in ((0, 5, 7), (1, 255, 255), (33_025, 255, 255), (3, 2**40, 2**41), (9, 0, 4)):
        assert integer.overflow_bound(terms, a, b) == oracle.overflow_bound(terms, a, b)
    assert type(integer.overflow_bound(np.int64(2), np.int8(3), np.uint8(4))) is int


# ---- tests of the tests ----


def in_chunks(terms, dtype=np.float32, out=np.int32):
    """A product in parts of so many terms, in this float."""

    def matmul(a, b):
        total = np.zeros((len(a), b.shape[1]), np.int64)
        for k in range(0, a.shape[1], terms):
            part = a[:, k : k + terms].astype(dtype) @ b[k : k + terms].astype(dtype)
            total += part.astype(np.int64)
        return total.astype(out)

    return matmul


def without_chunks(a, b):
    with np.errstate(invalid="ignore"):
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(np.int32)


def of_its_own_type(a, b):
    return (a @ b).astype(np.int32)


def magnitude_by_abs(a, b):
    """|−128| of int8 is −128: the bound is taken too low."""
    largest = [int(np.abs(m).max()) if m.size else 0 for m in (a, b)]
    terms = 2**24 // max(abs(largest[0] * largest[1]), 1) if min(largest) > 0 else 2**24
    return in_chunks(max(terms, 1))(a, b)


def last_chunk_dropped(a, b):
    whole = a.shape[1] // 64 * 64 or a.shape[1]
    return in_chunks(64, np.float64)(a[:, :whole], b[:whole])


MUTANTS = {
    "float32 without chunks": (without_chunks, around_the_bound_of_float32),
    "float32 without chunks, at the bound": (without_chunks, exactly_at_the_bound),
    "float32 for large operands": (in_chunks(1), large_operands),
    "chunks a few terms too long": (in_chunks(1043), around_the_bound_of_float32),
    "float16": (lambda a, b: in_chunks(1, np.float16)(a, b), literals),
    "the operands' own type": (of_its_own_type, literals),
    "|−128| is −128": (magnitude_by_abs, exactly_at_the_bound),
    "the last chunk is lost": (last_chunk_dropped, around_the_bound_of_float32),
    "int64": (in_chunks(1, np.float64, np.int64), literals),
    "float64 results": (lambda a, b: a.astype(float) @ b.astype(float), zeros_and_nothing),
    "transposed": (lambda a, b: of_its_own_type(a.astype(int), b.astype(int)).T, zeros_and_nothing),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_second_correct_product_passes(check):
    check(lambda a, b: in_chunks(7, np.float64)(a, b))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_error_is_caught(name):
    wrong, check = MUTANTS[name]
    with pytest.raises(AssertionError):
        check(wrong)


def test_the_limits_of_the_package_are_needed(monkeypatch):
    """With a higher limit a sum leaves int32."""
    a, b = np.full((1, 3), 2**15), np.full((3, 1), 2**15)
    with pytest.raises(ValueError, match="sums"):
        integer.matmul(a, b)
    monkeypatch.setattr(integer.checks, "INT32_MAX", 2**40)
    with pytest.raises(AssertionError), np.errstate(invalid="ignore"):
        assert_product(integer.matmul, a, b)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("K", "left", "right"),
    [
        (1, 2**16, 2**15),  # 2³¹
        (3, 2**15, 2**15),
        (131_073, 128, 128),
        (2, 2**30, 1),
        (1, 2**31, 1),
        (1, 2**62, 1),
        (5, 2**62, 2**20),  # 5·2⁸² is no int64
    ],
)
def test_sums_that_could_leave_int32(K, left, right):
    assert K * left * right > INT32
    for signs in ((1, 1), (-1, 1)):
        a, b = np.full((1, K), signs[0] * left), np.full((K, 1), signs[1] * right)
        for factor in (b, integer.prepare(b)):
            with pytest.raises(ValueError, match=rf"a and b .*\b{INT32}\b.*\b{K} terms of {left * right}\b"):
                integer.matmul(a, factor)
    short = np.full((1, K), left)
    short[0, 1:] = 0  # what could be counts, not what is
    if K > 1:
        with pytest.raises(ValueError, match="a and b"):
            integer.matmul(short, np.full((K, 1), right))


def test_the_largest_sums_there_are():
    assert integer.matmul(np.array([[INT32]]), np.array([[-1]])).tolist() == [[-INT32]]
    a, b = np.full((1, 131_071), -128, np.int8), np.full((131_071, 1), -128, np.int8)  # (2¹⁷ − 1)·2¹⁴
    assert integer.matmul(a, b).tolist() == [[131_071 * 2**14]]


def test_a_factor_beyond_int32():
    for value in (2**31, -(2**31), 2**40):
        for call in (integer.prepare, lambda b: integer.matmul(np.zeros((1, 1), int), b)):
            with pytest.raises(ValueError, match=rf"\bb\b.*\b{INT32}\b.*\b{abs(value)}\b"):
                call(np.array([[value]]))


@pytest.mark.parametrize("wrong", [float, np.float32, np.float16, bool, complex, object])
def test_only_integers(wrong):
    good = np.ones((2, 2), np.int8)
    bad = np.ones((2, 2)).astype(wrong)
    for name, call in (
        ("a", lambda: integer.matmul(bad, good)),
        ("b", lambda: integer.matmul(good, bad)),
        ("b", lambda: integer.prepare(bad)),
        ("a", lambda: integer.matmul(bad, integer.prepare(good))),
    ):
        with pytest.raises(TypeError, match=rf"\b{name}\b.*integer"):
            call()


def test_shapes():
    a, b = np.ones((2, 3), np.int8), np.ones((3, 4), np.int8)
    for wrong in (a[0], a[None], np.int8(1)):
        with pytest.raises(ValueError, match=r"\ba\b.*2 dimensions"):
            integer.matmul(wrong, b)
    for wrong in (b[:, 0], b[None], np.int8(1)):
        with pytest.raises(ValueError, match=r"\bb\b.*2 dimensions"):
            integer.matmul(a, wrong)
        with pytest.raises(ValueError, match=r"\bb\b.*2 dimensions"):
            integer.prepare(wrong)
    for wrong in (b[:2], b.T, b[:1], b[:0]):
        for factor in (wrong, integer.prepare(wrong)):
            with pytest.raises(ValueError, match=rf"\bb\b.*\b3\b.*\b{len(wrong)}\b"):
                integer.matmul(a, factor)


def test_sums_that_zero_points_could_make_leave_int32():
    """33,025 · 255² is inside, one more term is not; the zero points count, not the codes."""
    for terms in (33_025, 33_026):
        a, b = np.zeros((1, terms), np.uint8), np.zeros((terms, 1), np.uint8)
        assert integer.matmul(a, b, 0, 255).tolist() == [[0]]
        for call in (integer.matmul, Prepared.matmul):
            if terms == 33_025:
                assert call(a, b, 255, np.array([255])).tolist() == [[terms * 255**2]]
                continue
            for z_a, z_b in ((255, 255), (np.array([255]), 255), (255, np.array([255]))):
                with pytest.raises(
                    ValueError, match=r"a and b .*2147483647.*33026 terms of 65025, zero points subtract"
                ):
                    call(a, b, z_a, z_b)
    full = np.full((1, 1), -(2**15), np.int16)
    assert integer.matmul(full, full, 2**15 - 1, 0).tolist() == [[2**31 - 2**15]]
    with pytest.raises(ValueError, match="1 terms of 4294836225"):  # (2¹⁶ − 1)²
        integer.matmul(full, full, 2**15 - 1, 2**15 - 1)
    rows = np.array([[0, 1], [0, 50_000]])  # one row and one column too far from their zero points
    with pytest.raises(ValueError, match="2 terms of 2500000000"):
        integer.matmul(rows, rows.T, np.array([50_000, 0]), np.array([50_000, 0]))
    with pytest.raises(ValueError, match="a and b"):
        integer.matmul(np.array([[1]]), np.array([[1]]), 2**63 - 1, -(2**63))


@pytest.mark.parametrize("name", ["a_zero_point", "b_zero_point"])
def test_zero_points_that_do_not_fit(name):
    a, b = np.ones((2, 3), np.int8), np.ones((3, 4), np.int8)
    count = {"a_zero_point": 2, "b_zero_point": 4}[name]
    for wrong in (1.0, True, np.ones(count), [0.5] * count, "1", None):
        with pytest.raises(TypeError, match=f"{name} must be an integer array"):
            integer.matmul(a, b, **{name: wrong})
    for wrong in (np.ones(3, int), np.ones((count, 1), int), [1]):
        with pytest.raises(ValueError, match=rf"{name} must be a scalar or of shape \({count},\), got shape"):
            integer.matmul(a, b, **{name: wrong})


@pytest.mark.parametrize("name", ["a_zero_point", "b_zero_point"])
def test_zero_points_that_are_no_codes(name):
    """Of the type of their own array, whatever the other's is; also of one that was prepared."""
    for dtype, low, high in ((np.uint8, 0, 255), (np.int8, -128, 127), (np.int16, -32768, 32767)):
        arrays = [np.zeros((2, 3), np.int64), np.zeros((3, 2), np.int64)]
        k = 0 if name == "a_zero_point" else 1
        arrays[k] = arrays[k].astype(dtype)
        for a, b in (arrays, (arrays[0], integer.prepare(arrays[1]))):
            for inside in (low, high, np.array([low, high])):
                assert integer.matmul(a, b, **{name: inside}).tolist() == [[0, 0], [0, 0]]
            for wrong in (low - 1, high + 1, np.array([low, high + 1]), np.array([low - 1, high])):
                with pytest.raises(ValueError, match=f"{name} must be from {low} to {high}, got"):
                    integer.matmul(a, b, **{name: wrong})


def test_overflow_bound_of_what_is_no_size():
    for k, name in enumerate(("terms", "largest_a", "largest_b")):
        good = [1, 2, 3]
        for wrong, error, match in ((-1, ValueError, "at least 0"), (1.0, TypeError, "integer"), (True, TypeError, "")):
            with pytest.raises(error, match=f"{name} must be .*{match}"):
                integer.overflow_bound(*good[:k], wrong, *good[k + 1 :])
