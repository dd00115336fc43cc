"""The uniform quantizer: its checks against the oracle, random cases, and the error paths."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from refcompress.formulas.quantization import uniform
from tests.formulas.quantization.checks import uniform as checks
from tests.formulas.quantization.checks.common import DTYPES, NEAREST, RULES, exact, frozen, shared_draw
from tests.oracles import uniform as oracle


@pytest.mark.parametrize("check", checks.UNIFORM)
def test_property(check):
    check(uniform)


def test_literals():
    """Two bits from −1 to 2: s = 1; 0.5 and 1.5 above −1 are ties."""
    w = frozen([-1.0, -0.5, 0.2, 0.5, 2.0, 9.0, -7.0])
    s, z = uniform.scale_and_offset(-1.0, 2.0, 2)
    assert (float(s), float(z)) == (1.0, -1.0)
    for rule, expected in (
        ("half_even", [0, 0, 1, 2, 3, 3, 0]),
        ("half_away", [0, 1, 1, 2, 3, 3, 0]),
        ("half_up", [0, 1, 1, 2, 3, 3, 0]),
        ("floor", [0, 0, 1, 1, 3, 3, 0]),
        ("ceil", [0, 1, 2, 2, 3, 3, 0]),
        ("toward_zero", [0, 0, 1, 1, 3, 3, 0]),
    ):
        assert uniform.quantize(w, s, z, 2, rounding=rule).tolist() == expected
    assert uniform.dequantize(frozen([0, 1, 2, 3], np.uint8), s, z).tolist() == [-1.0, 0.0, 1.0, 2.0]


def test_ties_of_the_rules_differ():
    """Ties of a negative quotient saturate at 0; inside, half even and half away separate at 0.5."""
    w = frozen([-1.5, -0.5, 0.5, 1.5, 2.5], np.float32)
    s, z = np.float32(1), np.float32(0)
    assert uniform.quantize(w, s, z, 3, rounding="half_even").tolist() == [0, 0, 0, 2, 2]
    assert uniform.quantize(w, s, z, 3, rounding="half_away").tolist() == [0, 0, 1, 2, 3]
    assert uniform.quantize(w, s, z, 3, rounding="half_up").tolist() == [0, 0, 1, 2, 3]


def test_lists_and_python_floats_are_float64():
    s, z = uniform.scale_and_offset([0.0, 1.0], [3.0, 7.0], 2)
    assert s.dtype == z.dtype == np.float64
    assert (s.tolist(), z.tolist()) == ([1.0, 2.0], [0.0, 1.0])
    assert uniform.quantize([0.0, 0.4, 2.6], 1.0, 0.0, 2).tolist() == [0, 0, 3]
    assert uniform.dequantize([0, 3], 0.5, 1.0).tolist() == [1.0, 2.5]


@st.composite
def cases(draw):
    """A range of one of the dtypes with its s and z, and weights in and around it."""
    dtype = draw(st.sampled_from(DTYPES))
    width = np.dtype(dtype).itemsize * 8
    largest = float(np.finfo(dtype).max) / 8  # the width and s·(2^bits − 1) + z do not overflow
    size = draw(st.sampled_from([1.0, 1e-3, 1e4, largest]))
    ends = st.floats(-float(dtype(size)), float(dtype(size)), width=width)
    low, high = sorted(dtype(draw(ends)) for _ in range(2))
    bits = draw(st.integers(1, 16))
    name = np.dtype(dtype).name
    s = oracle.float_scale(exact(low), exact(high), bits, name)
    assume(s > 0)
    parts = draw(st.lists(st.floats(0, 1, width=width), min_size=1, max_size=5))
    inside = [np.clip(low + dtype(part) * (high - low), low, high) for part in parts]
    outside = [dtype(x) for x in draw(st.lists(ends, max_size=2))]
    return frozen([*inside, *outside, low, high], dtype), low, high, dtype(float(s)), low, bits


@settings(deadline=None, max_examples=40)
@given(cases(), st.sampled_from(RULES), st.integers(0, 63))
def test_codes_and_errors(case, rule, u):
    w, low, high, s, z, bits = case
    got_s, got_z = uniform.scale_and_offset(low, high, bits)
    assert (got_s, got_z) == (s, z)
    checks.assert_codes(uniform, w, s, z, bits, rule, u / 64)
    checks.assert_error_within_bound(uniform, w, low, high, s, z, bits, rule)


@settings(deadline=None, max_examples=30)
@given(cases(), st.sampled_from(NEAREST), st.integers(0, 2**16 - 1))
def test_round_trip(case, rule, q):
    _, low, high, s, z, bits = case
    assume(s >= 4 * np.spacing(max(abs(low), abs(high))))
    codes = frozen([0, q % 2**bits, 2**bits - 1])
    assert uniform.quantize(uniform.dequantize(codes, s, z), s, z, bits, rounding=rule).tolist() == codes.tolist()


@settings(deadline=None, max_examples=30)
@given(cases(), st.sampled_from(RULES), st.integers(0, 2**32 - 1))
def test_monotone_under_a_shared_draw(case, rule, seed):
    w, _, _, s, z, bits = case
    first, second = w, w[::-1]
    q = [
        uniform.quantize(
            x, s, z, bits, rounding=rule, rng=np.random.default_rng(seed) if rule == "stochastic" else None
        ).astype(int)
        for x in (np.minimum(first, second), np.maximum(first, second))
    ]
    assert (q[0] <= q[1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_are_not_modified(dtype):
    w = np.arange(15, dtype=dtype).reshape(3, 5)
    s, z = np.array([[1.0], [2.0], [0.25]], dtype), np.array([[0.0], [1.0], [2.0]], dtype)
    before = [x.tobytes() for x in (w, s, z)]
    q = uniform.quantize(w, s, z, 4)
    codes = q.tobytes()
    restored = uniform.dequantize(q, s, z)
    bound, slack = uniform.error_bound(s, "floor"), uniform.float_slack(s, z, 4)
    low, high = w.min(axis=1), w.max(axis=1)
    ends = low.tobytes(), high.tobytes()
    scale, offset = uniform.scale_and_offset(low, high, 4)
    assert bound.tolist() == s.tolist()
    for result in (q, restored, slack, scale, offset):
        assert not any(np.shares_memory(result, x) for x in (w, s, z, low, high))
    assert [x.tobytes() for x in (w, s, z)] == before
    assert q.tobytes() == codes
    assert (low.tobytes(), high.tobytes()) == ends


def test_layout_of_the_weights_does_not_matter():
    w = frozen(np.random.default_rng(0).normal(size=(3, 4, 5)), np.float32)
    s, z = np.float32(0.3), np.float32(-2)
    assert (uniform.quantize(w.transpose(2, 0, 1), s, z, 4) == uniform.quantize(w, s, z, 4).transpose(2, 0, 1)).all()
    assert (uniform.quantize(w[:, ::-2], s, z, 4) == uniform.quantize(w, s, z, 4)[:, ::-2]).all()


# fake_quantize, and arrays to write to

DTYPE_TRIPLES = [(a, b, c) for a in DTYPES for b in DTYPES for c in DTYPES]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("types", DTYPE_TRIPLES, ids=lambda t: "-".join(np.dtype(x).name for x in t))
def test_fake_quantize_is_dequantize_of_quantize(types, rule):
    """Bit for bit, whatever the dtypes of w, s and z and however s and z broadcast, inside of the range and outside."""
    rng = np.random.default_rng(6)
    w = frozen(rng.normal(0, 2, (3, 4, 5)), types[0])
    rows, cells = rng.uniform(0.01, 0.5, (3, 1, 1)), rng.normal(-1, 1, (3, 4, 5))
    for s, z in ((rows, cells), (rows[0, 0, 0], rows), (rows[0, 0, 0], cells[0, 0, 0]), (abs(cells), rows[0])):
        s, z = np.asarray(s).astype(types[1]), np.asarray(z).astype(types[2])
        for bits in (1, 4, 8, 9, 16):
            rngs = [np.random.default_rng(2) if rule == "stochastic" else None for _ in range(2)]
            fake = uniform.fake_quantize(w, s, z, bits, rounding=rule, rng=rngs[0])
            expected = uniform.dequantize(uniform.quantize(w, s, z, bits, rounding=rule, rng=rngs[1]), s, z)
            assert fake.dtype == expected.dtype == np.result_type(*types[1:])
            assert fake.shape == w.shape
            assert fake.tobytes() == expected.tobytes()


@settings(deadline=None, max_examples=30)
@given(cases(), st.sampled_from(RULES))
def test_fake_values(case, rule):
    w, _, _, s, z, bits = case
    checks.assert_fake(uniform, w, s, z, bits, rule)


def test_fake_of_lists_and_numbers():
    assert uniform.fake_quantize([0.0, 0.4, 2.6], 1.0, 0.0, 2).tolist() == [0.0, 0.0, 3.0]
    fake = uniform.fake_quantize(np.float32(0.6), np.float32(0.5), np.float32(-1), 3)
    assert (float(fake), np.shape(fake), fake.dtype) == (0.5, (), np.float32)


@pytest.mark.parametrize("shape", [(), (7,), (3, 5)])
def test_out_is_filled_and_returned(shape):
    rng = np.random.default_rng(3)
    w, s, z = frozen(rng.standard_normal(shape), np.float32), np.float32(0.125), np.float64(-1)
    for bits, integers in ((8, np.uint8), (9, np.uint16)):
        codes, values = np.full(shape, 99, integers), np.full(shape, 99.0)
        assert uniform.quantize(w, s, z, bits, out=codes) is codes
        assert codes.tobytes() == uniform.quantize(w, s, z, bits).tobytes()
        assert uniform.dequantize(codes, s, z, out=values) is values
        assert values.tobytes() == uniform.dequantize(codes, s, z).tobytes()
        fakes = np.full(shape, 99.0)
        assert uniform.fake_quantize(w, s, z, bits, out=fakes) is fakes
        assert fakes.tobytes() == values.tobytes()


def test_out_may_be_a_part_of_an_array():
    """Every second column of a larger one, whose others stay as they are."""
    w, wide = frozen(np.random.default_rng(3).standard_normal((3, 5))), np.full((3, 10), 7.0)
    uniform.fake_quantize(w, 0.25, -1.0, 4, out=wide[:, ::2])
    assert wide[:, ::2].tolist() == uniform.fake_quantize(w, 0.25, -1.0, 4).tolist()
    assert (wide[:, 1::2] == 7).all()
    codes = np.full((5, 3), 99, np.uint8)
    uniform.quantize(w, 0.25, -1.0, 4, out=codes.T)
    assert codes.T.tolist() == uniform.quantize(w, 0.25, -1.0, 4).tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rule", RULES)
def test_the_weights_themselves_may_be_the_output(rule, dtype):
    w = np.random.default_rng(3).standard_normal((4, 6)).astype(dtype)
    s, z = np.linspace(0.05, 0.3, 4).astype(dtype)[:, None], dtype(-1)
    expected, result = (
        uniform.fake_quantize(v, s, z, 3, rounding=rule, rng=shared_draw(rule, w.shape), out=out)
        for v, out in ((w.copy(), None), (w, w))
    )
    assert result is w
    assert w.tobytes() == expected.tobytes()


def test_wrong_outputs():
    w, q = W.astype(np.float32), np.array([0, 1, 2], np.uint8)
    single = np.float32(0.5)
    quantize = lambda out, bits=4: uniform.quantize(w, single, single, bits, out=out)  # noqa: E731
    dequantize = lambda out: uniform.dequantize(q, single, single, out=out)  # noqa: E731
    fake = lambda out: uniform.fake_quantize(w, single, single, 4, out=out)  # noqa: E731
    for call, wanted, others in (
        (quantize, np.uint8, (np.uint16, np.int8, np.float32, bool)),
        (lambda out: quantize(out, 9), np.uint16, (np.uint8, np.int16)),
        (dequantize, np.float32, (np.float64, np.uint8)),
        (fake, np.float32, (np.float64, np.float16, np.uint8)),
    ):
        name = np.dtype(wanted).name
        for other in others:
            with pytest.raises(TypeError, match=rf"^out must be an array of {name}, got .*{np.dtype(other).name}"):
                call(np.zeros(3, other))
        for shape in ((4,), (1, 3), (3, 1), ()):
            with pytest.raises(ValueError, match=r"^out must have shape \(3,\), got"):
                call(np.zeros(shape, wanted))
        with pytest.raises(TypeError, match=rf"^out must be an array of {name}, got"):
            call([0, 0, 0])
        written = np.full(3, 9, wanted)
        with pytest.raises(ValueError, match="read-only"):
            call(frozen(written))


# error paths

W = frozen([0.0, 0.5, 1.0])
S, Z = np.float64(0.5), np.float64(0)


@pytest.mark.parametrize("bits", [0, 17, -1, 64])
def test_bits_out_of_range(bits):
    for call in (
        lambda: uniform.scale_and_offset(0.0, 1.0, bits),
        lambda: uniform.quantize(W, S, Z, bits),
        lambda: uniform.fake_quantize(W, S, Z, bits),
        lambda: uniform.float_slack(S, Z, bits),
    ):
        with pytest.raises(ValueError, match=rf"bits.*\b16\b.*{bits}"):
            call()


@pytest.mark.parametrize("bits", [4.0, True, "4", None, np.float64(4)])
def test_bits_of_the_wrong_type(bits):
    for call in (
        lambda: uniform.scale_and_offset(0.0, 1.0, bits),
        lambda: uniform.quantize(W, S, Z, bits),
        lambda: uniform.fake_quantize(W, S, Z, bits),
        lambda: uniform.float_slack(S, Z, bits),
    ):
        with pytest.raises(TypeError, match="bits"):
            call()


def test_numpy_integers_are_bits():
    assert uniform.quantize(W, S, Z, np.int32(2)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_not_finite(dtype, bad):
    good, bad = dtype(1), dtype(bad)
    for call in (uniform.quantize, uniform.fake_quantize):
        with pytest.raises(ValueError, match=r"\bw\b"):
            call(frozen([0.0, bad], dtype), good, good, 4)
        with pytest.raises(ValueError, match=r"\bs\b"):
            call(frozen([0.0, 1.0], dtype), bad, good, 4)
        with pytest.raises(ValueError, match=r"\bz\b"):
            call(frozen([0.0, 1.0], dtype), good, bad, 4)
    with pytest.raises(ValueError, match="low"):
        uniform.scale_and_offset(bad, good, 4)
    with pytest.raises(ValueError, match="high"):
        uniform.scale_and_offset(good, bad, 4)
    with pytest.raises(ValueError, match="high"):
        uniform.scale_and_offset(frozen([0, 1], dtype), frozen([1, bad], dtype), 4)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 2)])
def test_empty_weights(shape):
    for call in (uniform.quantize, uniform.fake_quantize):
        with pytest.raises(ValueError, match=r"\bw\b"):
            call(np.zeros(shape), S, Z, 4)


@pytest.mark.parametrize("s", [0.0, -0.0, -1.0, np.nan, -5e-324])
def test_scale_must_be_positive(s):
    for call in (uniform.quantize, uniform.fake_quantize):
        with pytest.raises(ValueError, match=r"\bs\b"):
            call(W, np.float64(s), Z, 4)
        with pytest.raises(ValueError, match=r"\bs\b"):
            call(W, np.array([1.0, s, 1.0]), Z, 4)


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1), (1, 3), (3, 1)])
def test_scale_must_broadcast_to_the_weights(shape):
    for call in (uniform.quantize, uniform.fake_quantize):
        with pytest.raises(ValueError, match=r"\bs\b"):
            call(W, np.ones(shape), Z, 4)
        with pytest.raises(ValueError, match=r"\bz\b"):
            call(W, S, np.ones(shape), 4)


@pytest.mark.parametrize("wrong", [np.float16, np.int32, bool, np.complex128])
def test_wrong_types(wrong):
    array = np.ones(3, wrong)
    ones, codes = np.ones(3), np.ones(3, int)
    for name, call in (
        ("w", lambda: uniform.quantize(array, S, Z, 4)),
        ("s", lambda: uniform.quantize(W, array, Z, 4)),
        ("z", lambda: uniform.quantize(W, S, array, 4)),
        ("w", lambda: uniform.fake_quantize(array, S, Z, 4)),
        ("s", lambda: uniform.fake_quantize(W, array, Z, 4)),
        ("z", lambda: uniform.fake_quantize(W, S, array, 4)),
        ("low", lambda: uniform.scale_and_offset(array, ones, 4)),
        ("high", lambda: uniform.scale_and_offset(ones, array, 4)),
        ("s", lambda: uniform.error_bound(array)),
        ("s", lambda: uniform.dequantize(codes, array, Z)),
        ("z", lambda: uniform.dequantize(codes, S, array)),
        ("s", lambda: uniform.float_slack(array, Z, 4)),
        ("z", lambda: uniform.float_slack(S, array, 4)),
    ):
        with pytest.raises(TypeError, match=rf"\b{name}\b.*float32.*float64"):
            call()


@pytest.mark.parametrize("q", [np.ones(3), np.ones(3, np.float32), np.ones(3, bool), [0.0, 1.0]])
def test_codes_must_be_integers(q):
    with pytest.raises(TypeError, match=r"\bq\b"):
        uniform.dequantize(q, S, Z)


@pytest.mark.parametrize("rounding", ["nearest", "HALF_EVEN", ""])
def test_unknown_rounding(rounding):
    for call in (uniform.quantize, uniform.fake_quantize):
        with pytest.raises(ValueError, match="rounding"):
            call(W, S, Z, 4, rounding=rounding)
    with pytest.raises(ValueError, match="rounding"):
        uniform.error_bound(S, rounding=rounding)


def test_rng_missing_or_superfluous():
    for call in (uniform.quantize, uniform.fake_quantize):
        with pytest.raises(ValueError, match="rng"):
            call(W, S, Z, 4, rounding="stochastic")
        for rule in RULES[:-1]:
            with pytest.raises(ValueError, match="rng"):
                call(W, S, Z, 4, rounding=rule, rng=np.random.default_rng(0))


def test_ends_exchanged():
    with pytest.raises(ValueError, match=r"low.*high"):
        uniform.scale_and_offset(1.0, 0.0, 4)
    with pytest.raises(ValueError, match=r"low.*high"):
        uniform.scale_and_offset(frozen([0.0, 2.0]), frozen([1.0, 1.0]), 4)


def test_shapes_of_the_ends_differ():
    with pytest.raises(ValueError, match=r"low|high"):
        uniform.scale_and_offset(frozen([0.0, 0.5]), frozen([1.0, 2.0, 3.0]), 4)
    with pytest.raises(ValueError, match=r"low|high"):
        uniform.scale_and_offset(frozen([0.0, 0.5]), np.float64(1), 4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_width_overflows(dtype):
    largest = np.finfo(dtype).max
    for low, high in ((-largest, largest), (-largest, largest / dtype(8)), ([0, -largest], [1, largest])):
        with pytest.raises(ValueError, match=r"low|high"):
            uniform.scale_and_offset(frozen(low, dtype), frozen(high, dtype), 8)
    s, z = uniform.scale_and_offset(-largest / dtype(2), largest / dtype(2), 1)  # the largest width there is
    assert (s, z) == (largest, -largest / dtype(2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_scale_underflows(dtype):
    unit = np.finfo(dtype).smallest_subnormal
    with pytest.raises(ValueError, match=r"low|high"):
        uniform.scale_and_offset(dtype(0), unit, 2)  # a third of the smallest float
    with pytest.raises(ValueError, match=r"low|high"):
        uniform.scale_and_offset(frozen([0, 0], dtype), frozen([1, unit], dtype), 2)
    assert uniform.scale_and_offset(dtype(0), unit, 1) == (unit, 0)
    assert uniform.scale_and_offset(dtype(0), dtype(2) * unit, 2) == (unit, 0)  # ⅔ rounds to 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [1, 2, 5, 8, 16])
def test_the_largest_ranges_come_back_or_are_refused(dtype, bits):
    """s is rounded, and s·(2^bits − 1) may overflow where high − low does not: then the range must not be accepted."""
    largest, refused = np.finfo(dtype).max, 0
    for low, high in ((dtype(0), largest), (-largest, dtype(0)), (-largest / dtype(2), largest / dtype(2))):
        try:
            s, z = uniform.scale_and_offset(low, high, bits)
        except ValueError:
            refused += 1
            continue
        ends = frozen([low, high], dtype)
        restored = uniform.dequantize(uniform.quantize(ends, s, z, bits), s, z)
        allowed = exact(uniform.error_bound(s)) + exact(uniform.float_slack(s, z, bits))
        for x, back in zip(ends, restored, strict=True):
            assert abs(exact(x) - exact(back)) <= allowed
    assert refused == 0 or bits > 1  # one step of one bit is the width itself


def test_out_may_be_the_weights_but_not_overlap_them():
    a = np.linspace(-1, 1, 200_000, dtype=np.float32)
    expected = uniform.fake_quantize(a, np.float32(0.1), np.float32(-1), 4)
    for w, out in ((a[:-1], a[1:]), (a.reshape(400, 500).T[:400], a.reshape(400, 500)[:, :400])):
        with pytest.raises(ValueError, match="out must be the input itself or not overlap it"):
            uniform.fake_quantize(w, np.float32(0.1), np.float32(-1), 4, out=out)
    assert uniform.fake_quantize(a, np.float32(0.1), np.float32(-1), 4, out=a) is a
    np.testing.assert_array_equal(a, expected)


def test_out_must_be_writeable():
    out = np.ones(3, np.uint8)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out must be writeable"):
        uniform.quantize(np.ones(3), 1.0, 0.0, 4, out=out)
