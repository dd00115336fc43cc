"""The error ledger: hand-worked cases, exact arithmetic, sums in any order, error paths, and planted errors."""

import math
from fractions import Fraction
from itertools import pairwise, permutations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import affine, error_ledger
from refcompress.formulas.quantization.error_ledger import Ledger
from tests.formulas.quantization.checks.common import DTYPES, exact, frozen
from tests.oracles import error_ledger as oracle

FIELDS = ("clipping", "rounding", "scale_storage", "format", "total")


def fractions(x):
    return [exact(v) for v in np.asarray(x).ravel()]


def orders(parts):
    """The sums of the parts in float64, in every order and in pairs."""
    for a, b, c, d in permutations(parts):
        yield ((a + b) + c) + d
        yield (a + b) + (c + d)


def is_exact(got, *stages):
    """Every number is a float; parts and total are those of exact arithmetic, within what the docstring derives.

    In units of u: a part is rounded 4 times by 2⁻⁵³ of at most 2⁵⁰·u, which is ½u, and once to a multiple of u, ½u; the
    total, at most 4·2⁵⁰·u, is 2u and ½u; the largest part takes what is left over, at most 3·1u + 2½u. Products below
    the normal numbers lose half of the smallest number each, and no number is finer than that.
    """
    assert isinstance(got, Ledger)
    assert got._fields == FIELDS
    assert all(type(value) is float for value in got)
    *parts, total = got
    assert all(value == total for value in orders(parts))
    assert sum(fractions(parts), Fraction(0)) == exact(total)
    assert total >= 0
    unit, underflow = oracle.unit(*stages), len(stages[0]) * Fraction(2) ** -1074
    *expected, whole = oracle.ledger(*stages)
    largest = max(range(4), key=lambda k: abs(expected[k]))
    assert abs(exact(total) - whole) <= Fraction(5, 2) * unit + underflow
    differences = [abs(exact(a) - b) for a, b in zip(parts, expected, strict=True)]
    assert sum(d > unit + underflow for d in differences) <= 1  # two parts may be as large but for their rounding
    assert max(differences) <= 7 * unit + 5 * underflow
    if differences[largest] != max(differences):
        others = [abs(e) for k, e in enumerate(expected) if k != largest]
        assert max(differences) <= unit + underflow or abs(expected[largest]) - max(others) <= 2 * unit + 2 * underflow


def ledger_literals(m):
    """x = 4 goes to 3, 2, 2.5, 1: e = −3 times −1, −1, ½ and −1½; and two weights at once."""
    assert m.ledger([4.0], [3.0], [2.0], [2.5], [1.0]) == (3, 3, -1.5, 4.5, 9)
    x, clipped = frozen([[0.25, 3.0]]), frozen([[0.25, 2.0]])
    rounded, stored = frozen([[0.0, 2.0]]), frozen([[0.0, 2.5]])
    assert m.ledger(x, clipped, rounded, stored, stored) == (0.5, 0.0625, -0.25, 0, 0.3125)
    assert m.ledger(x, x, x, x, x) == (0, 0, 0, 0, 0)
    assert m.ledger(x, clipped, clipped, clipped, clipped) == (1, 0, 0, 0, 1)
    assert m.ledger(x, x, x, x, clipped) == (0, 0, 0, 1, 1)
    assert m.ledger(x, x, x, clipped, x) == (0, 0, 0, 0, 0)  # what is undone is no error
    single = frozen([0.5], np.float32)
    assert m.ledger(single, frozen([0.25]), single, single, frozen([0.75])) == (-0.0625, 0.0625, 0, 0.0625, 0.0625)


def ledger_of_random_steps(m):
    """Five stages of any size, in either format, close to each other and far away."""
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 60):
        for scales in ((1, 1, 1, 1), (1, 1e-3, 1e-6, 1e-9), (1e-9, 1e9, 1, 1e-3), (1, 1e-18, 1e-18, 1)):
            for dtype in DTYPES:
                stages = [rng.normal(size=(size, 3))]
                for scale in scales:
                    stages.append(stages[-1] + scale * rng.normal(size=(size, 3)))
                stages = [frozen(stage, dtype) for stage in stages]
                is_exact(m.ledger(*stages), *(fractions(stage) for stage in stages))


def ledger_of_a_quantization_by_hand(m):
    """s = ½, codes 0 to 3: 2 is clipped at 1.5, ⅜ goes to ½; s stored as ¾ makes ¾, ¾ and 2¼ of ½, ½ and 1½."""
    x = frozen([0.375, 0.5, 2.0], np.float32)
    s, stored = np.float32(0.5), np.float32(0.75)
    assert m.of(x, s, 0, 0, 3, "onnx") == (0.25, 0.015625, 0, 0, 0.265625)
    # e = ⅜, ¼, ¼: clipping −½·¼; rounding ⅛·⅜; storage ¼·⅜ + ¼·¼ + ¾·¼
    assert m.of(x, s, 0, 0, 3, "onnx", stored_scale=stored) == (-0.125, 0.046875, 0.34375, 0, 0.265625)
    # codes anew: ⅜/¾ = ½ is a tie, to 0; e = −⅜, ¼, ¼
    again = m.of(x, s, 0, 0, 3, "onnx", stored_scale=stored, requantize=True)
    assert again == (-0.125, -0.046875, 0.4375, 0, 0.265625)
    # Z = 1: −1 is clipped at −½, and 2 at 1
    assert m.of(frozen([-1, 0, 2], np.float32), s, 1, 0, 3, "onnx") == (1.25, 0, 0, 0, 1.25)
    # float16 has eleven bits: 2049·s is 2048·s there, the even one
    big = frozen([2049], np.float32)
    assert m.of(big, np.float32(1), 0, 0, 4095, "onnx", dtype=np.float16) == (0, 0, 0, 1, 1)
    assert m.of(big, np.float32(1), 0, 0, 4095, "onnx", dtype=np.float32) == (0, 0, 0, 0, 0)


def ledger_of_matches_the_oracle(m):
    rng = np.random.default_rng(1)
    for qmin, qmax, Z in ((0, 15, 7), (-8, 7, 0), (0, 255, 0)):
        x = frozen(rng.normal(size=(3, 8)), np.float32)
        s = np.float32(3 / (qmax - qmin))
        stored = np.float32(np.float16(s))
        for requantize in (False, True):
            for dtype in (np.float16, np.float32):
                got = m.of(x, s, Z, qmin, qmax, "onnx", stored_scale=stored, requantize=requantize, dtype=dtype)
                name = np.dtype(dtype).name
                stages = oracle.stages(fractions(x), exact(s), Z, qmin, qmax, exact(stored), requantize, name)
                is_exact(got, *stages)
                assert (got.format == 0) == (dtype == np.float32)


def sqnr_literals(m):
    """25 to ¼ is a hundred; 4 to 2 is two; 1 to 1 and 1 to 100; 1 to 10⁴ and 10⁶."""
    assert m.sqnr([3.0, 4.0], [3.0, 4.5]) == 20
    assert m.sqnr([1.0], [2.0]) == 0
    assert m.sqnr([1.0], [11.0]) == -20
    assert m.sqnr([2.0, 0.0], [1.0, 1.0]) == pytest.approx(3.010299956639812, rel=1e-15)
    assert m.sqnr(frozen([1.0, 0.0], np.float32), frozen([1.0, 0.125], np.float32)) == pytest.approx(
        18.061799739838872, rel=1e-15
    )
    assert m.sqnr([3.0, 4.0], [3.0, 4.0]) == math.inf
    assert m.sqnr([[5.0]], [[0.0]]) == 0


LEDGER = (
    ledger_literals,
    ledger_of_random_steps,
    ledger_of_a_quantization_by_hand,
    ledger_of_matches_the_oracle,
    sqnr_literals,
)


@pytest.mark.parametrize("check", LEDGER)
def test_property(check):
    check(error_ledger)


def test_the_oracle_two_ways():
    """Parts as products with the whole error, and as squares and cross terms."""
    rng = np.random.default_rng(2)
    stages = [fractions(rng.integers(-9, 9, 5)) for _ in range(5)]
    assert oracle.ledger(*stages)[:4] == oracle.pairs(*stages)
    assert sum(oracle.pairs(*stages)) == oracle.ledger(*stages)[4]
    one = [Fraction(1)], [Fraction(3)], [Fraction(3)], [Fraction(3)], [Fraction(3)]
    assert oracle.unit(*one) == Fraction(8, 2**50)  # 4 is not above 4


@st.composite
def steps(draw):
    """Five stages of at most six values, of sizes from tiny to large."""
    count = draw(st.integers(1, 6))
    size = draw(st.sampled_from([1.0, 1e-30, 1e100, 5e-324, 1e-155]))
    values = st.integers(-8, 8).map(lambda k: k * size) | st.floats(-1, 1).map(lambda v: v * size)
    return [draw(st.lists(values, min_size=count, max_size=count)) for _ in range(5)]


@settings(deadline=None, max_examples=60)
@given(steps())
def test_random_stages(stages):
    arrays = [frozen(stage, np.float64) for stage in stages]
    is_exact(error_ledger.ledger(*arrays), *(fractions(array) for array in arrays))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=6), st.floats(2.0**-7, 1, width=32), st.integers(0, 15)
)
def test_random_quantizations(values, s, Z):
    x, s = frozen(values, np.float32), np.float32(s)
    stored = np.float32(np.float16(s))
    got = error_ledger.of(x, s, Z, 0, 15, "onnx", stored_scale=stored, dtype=np.float16)
    is_exact(got, *oracle.stages(fractions(x), exact(s), Z, 0, 15, exact(stored), False, "float16"))
    restored = affine.dequantize(affine.quantize(x, s, Z, 0, 15, "onnx"), stored, Z, "onnx").astype(np.float16)
    direct = np.square(restored.astype(np.float64) - x).sum()
    assert got.total == pytest.approx(direct, rel=1e-13, abs=1e-300)


def test_parts_of_a_grid_of_conventions():
    """The total is the squared error of what affine gives, and only scales that are stored otherwise have a part."""
    rng = np.random.default_rng(3)
    x = frozen(rng.normal(size=(4, 10)), np.float32)
    for convention, qmin, qmax in (("onnx", 0, 15), ("ggml_q8_0", -128, 127), ("ggml_q4_0", 0, 15), ("gptq", 0, 7)):
        s, Z = affine.choose(np.float32(-1.3), np.float32(1.1), qmin, qmax, convention)
        got = error_ledger.of(x, s, Z, qmin, qmax, convention)
        back = affine.fake_quantize(x, s, Z, qmin, qmax, convention)
        assert got.total == pytest.approx(np.square(back.astype(np.float64) - x).sum(), rel=1e-13)
        assert (got.scale_storage != 0) == convention.startswith("ggml")
        assert got.clipping > 0
        assert got.format == 0
        assert all(value == got.total for value in orders(got[:4]))


def test_float16_is_the_scale_that_the_convention_stores():
    """The preset keeps float16(s): the same as handing it in beside a convention that keeps what it is given."""
    x = frozen(np.random.default_rng(4).normal(size=30), np.float32)
    s = np.float32(0.0123)
    stored = np.float32(np.float16(s))
    assert stored != s
    codes = affine.quantize(x, s, 0, -128, 127, "ggml_q8_0")
    clipped = np.clip(x, -128 * s, 127 * s)
    rounded, kept = codes.astype(np.float32) * s, codes.astype(np.float32) * stored
    expected = oracle.ledger(*(fractions(stage) for stage in (x, clipped, rounded, kept, kept)))
    got = error_ledger.of(x, s, 0, -128, 127, "ggml_q8_0")
    np.testing.assert_allclose(got, [float(v) for v in expected], rtol=1e-12, atol=1e-15)


def test_a_narrow_range_clips_at_the_codes_in_use():
    """−128 is not used: −1.28 is clipped at −1.27."""
    s = np.float32(2.0**-7)
    got = error_ledger.of(frozen([-1.0], np.float32), s, 0, -128, 127, "tflite_weights")
    assert got == (2.0**-14, 0, 0, 0, 2.0**-14)


def test_groups_and_blocks_sum():
    """Rows with scales of their own, and blocks of which the last is shorter."""
    x = frozen(np.random.default_rng(5).integers(-64, 64, (3, 5)) / 16, np.float32)
    s = frozen([0.5, 0.25, 1], np.float32)
    whole = error_ledger.of(x, s, np.array([1, 2, 3]), 0, 7, "onnx", axis=0)
    rows = [error_ledger.of(x[k], s[k], k + 1, 0, 7, "onnx") for k in range(3)]
    assert whole == tuple(map(sum, zip(*rows, strict=True)))
    s, Z = frozen([[0.5, 0.25, 1]] * 3, np.float32), np.array([[1, 2, 3]] * 3)
    whole = error_ledger.of(x, s, Z, 0, 7, "onnx", axis=1, block_size=2)
    blocks = [error_ledger.of(x[:, 2 * k : 2 * k + 2], s[0, k], k + 1, 0, 7, "onnx") for k in range(3)]
    assert whole == tuple(map(sum, zip(*blocks, strict=True)))


def test_a_large_tensor():
    """A sum of a million squares has no error but that of its grid: the value by hand is 10⁶/16."""
    x = np.full(1_000_000, 0.25, np.float32)
    got = error_ledger.of(x, np.float32(1), 0, 0, 3, "onnx")
    assert got == (0, 62_500, 0, 0, 62_500)


def test_extreme_values():
    tiny, large = 5e-324, 2.0**499
    assert error_ledger.ledger([tiny], [0.0], [0.0], [0.0], [0.0]) == (0, 0, 0, 0, 0)  # its square is 0 in float64
    assert error_ledger.ledger([0.0], [2.0**-537], *[[2.0**-537]] * 3) == (tiny, 0, 0, 0, tiny)
    assert error_ledger.ledger([0.0], [large], *[[large]] * 3) == (2.0**998, 0, 0, 0, 2.0**998)
    single = np.finfo(np.float32).max
    got = error_ledger.ledger(*([np.zeros(1, np.float32)] * 4), np.array([single]))
    assert got.format == got.total == float(single) ** 2
    for bad in (1e200, np.finfo(np.float64).max):
        with pytest.raises(ValueError, match=r"^x must leave squared errors with a sum below 2\^1000, got an error of"):
            error_ledger.ledger([0.0], [0.0], [0.0], [0.0], [bad])
    with pytest.raises(ValueError, match=r"^x must leave squared errors with a sum below 2\^1000, got an error of inf"):
        error_ledger.ledger([-1.7e308], *[[1.7e308]] * 4)


def test_the_largest_squares():
    """2⁴⁹⁹ squared is 2⁹⁹⁸; from 2¹⁰⁰⁰ on there is no room for a grid above the sums."""
    assert error_ledger.ledger([2.0**499], [0.0], [0.0], [0.0], [0.0]) == (2.0**998, 0, 0, 0, 2.0**998)
    with pytest.raises(ValueError, match=r"^x must leave squared errors with a sum below 2\^1000, got"):
        error_ledger.ledger([2.0**500], [0.0], [0.0], [0.0], [0.0])


@pytest.mark.parametrize("size", [1e-300, 5e-324, 1e-30, 1.0, 1e300])
def test_sqnr_of_any_size(size):
    """The unit does not matter: 4 and 3 with an error of 1 in 4, in units of any power of two."""
    unit = 2.0 ** math.floor(math.log2(size))
    x, restored = frozen([4 * unit, 3 * unit]), frozen([3 * unit, 3 * unit])
    assert error_ledger.sqnr(x, restored) == pytest.approx(10 * math.log10(25), rel=1e-14)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1, 1)), min_size=1, max_size=6), st.integers(-200, 200))
def test_sqnr_matches_the_oracle(pairs, exponent):
    """Differences, squares and the quotient: 8 roundings of 2⁻⁵³ of the ratio, 4.4 dB each; then those of the sum."""
    x = frozen([math.ldexp(a, exponent) for a, _ in pairs])
    restored = frozen([math.ldexp(a + b, exponent) for a, b in pairs])
    assume(x.any())
    expected = oracle.sqnr(fractions(x), fractions(restored))
    got = error_ledger.sqnr(x, restored)
    assert type(got) is float
    if expected == math.inf:
        assert got == math.inf
    else:
        assert abs(got - expected) <= 8 * 4.4 * 2**-53 + 2**-50 * (abs(float(expected)) + 100)


# error paths


def stages_with(name, value):
    """Arguments of `ledger` with one of them exchanged."""
    arguments = {key: np.ones((2, 3)) for key in ("x", "clipped", "rounded", "stored", "restored")}
    return arguments | {name: value}


@pytest.mark.parametrize("name", ["x", "clipped", "rounded", "stored", "restored"])
def test_wrong_stages(name):
    for wrong in (np.float16, np.int32, bool):
        with pytest.raises(TypeError, match=rf"^{name} must be float32 or float64, got {np.dtype(wrong).name}"):
            error_ledger.ledger(**stages_with(name, np.ones((2, 3), wrong)))
    for bad in (np.nan, np.inf, -np.inf):
        value = np.ones((2, 3))
        value[1, 2] = bad
        with pytest.raises(ValueError, match=rf"^{name} must be finite, got {bad} at index \(1, 2\)"):
            error_ledger.ledger(**stages_with(name, value))
    wanted = r"^clipped must have shape \(3, 2\), got \(2, 3\)" if name == "x" else rf"^{name} must have shape \(2, 3\)"
    with pytest.raises(ValueError, match=wanted):
        error_ledger.ledger(**stages_with(name, np.ones((3, 2))))


def test_nothing_to_share():
    with pytest.raises(ValueError, match=r"^x must not be empty, got shape \(0, 3\)"):
        error_ledger.ledger(*[np.ones((0, 3))] * 5)
    with pytest.raises(ValueError, match=r"^x must not be empty, got shape \(0,\)"):
        error_ledger.sqnr(np.ones(0), np.ones(0))


def test_wrong_arguments_of_of():
    x, s = frozen([0.5, 1.0], np.float32), np.float32(0.5)
    with pytest.raises(ValueError, match=r"^stored_scale must be given to requantize with, got None"):
        error_ledger.of(x, s, 0, 0, 3, "onnx", requantize=True)
    for wrong in (1, None, "yes"):
        with pytest.raises(TypeError, match=r"^requantize must be True or False, got"):
            error_ledger.of(x, s, 0, 0, 3, "onnx", requantize=wrong)
    for wrong in (np.int8, np.complex64, bool):
        with pytest.raises(TypeError, match=r"^dtype must be float16, float32 or float64, got"):
            error_ledger.of(x, s, 0, 0, 3, "onnx", dtype=wrong)
    with pytest.raises(ValueError, match=r"^the output in float16 must be finite, got inf"):
        error_ledger.of(frozen([1, 1e6], np.float32), np.float32(1e5), 0, 0, 15, "onnx", dtype=np.float16)
    with pytest.raises(ValueError, match=r"^convention must be one of"):
        error_ledger.of(x, s, 0, 0, 3, "nothing")
    with pytest.raises(ValueError, match="scale"):
        error_ledger.of(x, np.float32(0), 0, 0, 3, "onnx")
    with pytest.raises(ValueError, match="scale"):
        error_ledger.of(x, s, 0, 0, 3, "onnx", stored_scale=np.float32(np.nan))
    with pytest.raises(ValueError, match="zero_point"):
        error_ledger.of(x, s, 4, 0, 3, "onnx")
    with pytest.raises(TypeError, match=r"\bx\b.*float32"):
        error_ledger.of(np.ones(2), s, 0, 0, 3, "onnx")
    with pytest.raises(ValueError, match=r"^x must not be empty"):
        error_ledger.of(np.ones(0, np.float32), s, 0, 0, 3, "onnx")


def test_wrong_arguments_of_sqnr():
    one = frozen([1.0])
    for wrong in (np.float16, np.int32, bool):
        with pytest.raises(TypeError, match=r"^x must be float32 or float64, got"):
            error_ledger.sqnr(np.ones(1, wrong), one)
        with pytest.raises(TypeError, match=r"^restored must be float32 or float64, got"):
            error_ledger.sqnr(one, np.ones(1, wrong))
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=rf"^x must be finite, got {bad}"):
            error_ledger.sqnr([bad], one)
        with pytest.raises(ValueError, match=rf"^restored must be finite, got {bad}"):
            error_ledger.sqnr(one, [bad])
    with pytest.raises(ValueError, match=r"^restored must have shape \(1,\), got \(2,\)"):
        error_ledger.sqnr(one, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^x must not be all zero"):
        error_ledger.sqnr([0.0, -0.0], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"^x - restored must be finite, got inf"):
        error_ledger.sqnr([1.7e308], [-1.7e308])


# planted errors


def shared(x, clipped, rounded, stored, restored):
    """The parts without a common grid: right but for the last bits of their sum."""
    stages = [np.asarray(stage, np.float64) for stage in (x, clipped, rounded, stored, restored)]
    e = stages[-1] - stages[0]
    parts = [float(((b - a) * e).sum()) for a, b in pairwise(stages)]
    return Ledger(*parts, float((e * e).sum()))


def squares(x, clipped, rounded, stored, restored):
    """Every step's own square, and no cross terms."""
    stages = [np.asarray(stage, np.float64) for stage in (x, clipped, rounded, stored, restored)]
    parts = [float(((b - a) ** 2).sum()) for a, b in pairwise(stages)]
    return Ledger(*parts, sum(parts))


def swapped(x, clipped, rounded, stored, restored):
    return error_ledger.ledger(x, rounded, clipped, stored, restored)


def storage_after_format(x, clipped, rounded, stored, restored):
    parts = error_ledger.ledger(x, clipped, rounded, stored, restored)
    return parts._replace(scale_storage=parts.format, format=parts.scale_storage)


def mean_of_squares(x, *stages):
    return Ledger(*(value / np.size(x) for value in error_ledger.ledger(x, *stages)))


def always_anew(*arguments, **options):
    return error_ledger.of(*arguments, **options | {"requantize": options.get("stored_scale") is not None})


def never_anew(*arguments, **options):
    return error_ledger.of(*arguments, **options | {"requantize": False})


def no_output_format(*arguments, **options):
    return error_ledger.of(*arguments, **options | {"dtype": None})


def amplitude(x, restored):
    return error_ledger.sqnr(x, restored) / 2


def of_the_restored(x, restored):
    return error_ledger.sqnr(restored, x)


MUTANTS = {
    "no common grid": ({"ledger": shared}, ledger_of_random_steps),
    "no cross terms": ({"ledger": squares}, ledger_literals),
    "clipping and rounding swapped": ({"ledger": swapped}, ledger_literals),
    "storage and format swapped": ({"ledger": storage_after_format}, ledger_literals),
    "a mean": ({"ledger": mean_of_squares}, ledger_literals),
    "codes from the stored scale": ({"of": always_anew}, ledger_of_a_quantization_by_hand),
    "codes never from the stored scale": ({"of": never_anew}, ledger_of_a_quantization_by_hand),
    "the output's dtype is forgotten": ({"of": no_output_format}, ledger_of_a_quantization_by_hand),
    "10 log₁₀ of amplitudes": ({"sqnr": amplitude}, sqnr_literals),
    "signal of the restored": ({"sqnr": of_the_restored}, sqnr_literals),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_planted_error_is_caught(name):
    wrong, check = MUTANTS[name]
    names = {"ledger": error_ledger.ledger, "of": error_ledger.of, "sqnr": error_ledger.sqnr}
    check(SimpleNamespace(**names))
    with pytest.raises(AssertionError):
        check(SimpleNamespace(**names | wrong))
