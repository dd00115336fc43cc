"""What every implementation of rounding and of the quantizers must satisfy.

Every function takes the implementation (a module, or anything with the same names) and asserts; test_<stem>.py gives it
the package's module, test_mutants.py wrong ones. Expected values are literals or come from the exact oracles.
"""

import math
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from refcompress.formulas.quantization.convention import AXES, Convention
from tests.oracles import affine as affine_oracle
from tests.oracles import decimal as decimal_oracle
from tests.oracles import fixed_point as fixed_point_oracle
from tests.oracles import qparams as qparams_oracle
from tests.oracles import rounding as rounding_oracle
from tests.oracles import uniform as uniform_oracle

DTYPES = (np.float32, np.float64)
NEAREST = ("half_even", "half_away", "half_up", "half_down", "half_toward_zero")
RULES = (*NEAREST, "floor", "ceil", "toward_zero", "stochastic")
DRAW = 0.375  # the draw shared by all elements where the stochastic rule is compared with the oracle


class Draws(np.random.Generator):
    """Stands in for a random generator: random(shape) hands out the given draws, whose shape must be the one wanted."""

    def __init__(self, u):
        super().__init__(np.random.PCG64(0))
        self.u = np.asarray(u, dtype=np.float64)

    def random(self, size):
        assert tuple(size) == self.u.shape, f"random() was asked for shape {size}, not {self.u.shape}"
        return self.u.copy()


def shared_draw(rule, shape, u=DRAW):
    """Return the generator that the rule takes: None, or the same draw for every element."""
    return Draws(np.full(shape, u)) if rule == "stochastic" else None


def draw(rule, u=DRAW):
    """Return the same draw for the oracle."""
    return Fraction(u) if rule == "stochastic" else None


def frozen(values, dtype=None):
    """Return an array that cannot be written to: a function that modifies its input raises."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def exact(value):
    """Return the rational number that a finite float (of either size) is."""
    return Fraction(float(value))


def neighbours(value, dtype, steps=2):
    """Return the float and those up to `steps` places below and above it."""
    around = [dtype(value)]
    for direction in (-np.inf, np.inf):
        x = dtype(value)
        for _ in range(steps):
            x = np.nextafter(x, dtype(direction))
            around.append(x)
    return around


# rounding: `apply(t, rule, rng)`


def assert_rounds(apply, values, rule, dtype, u=DRAW):
    t = frozen(values, dtype)
    result = apply(t, rule=rule, rng=shared_draw(rule, t.shape, u))
    assert result.dtype == dtype, f"{rule} of {np.dtype(dtype)} gives {result.dtype}"
    assert result.shape == t.shape
    for got, value in zip(result.ravel().tolist(), t.ravel().tolist(), strict=True):
        expected = rounding_oracle.apply(value, rule, u)
        same = math.isnan(got) if math.isnan(expected) else got == expected
        assert same, f"{rule} of {np.dtype(dtype)} {value!r}: {got!r}, not {expected!r}"


def rounding_of_quarters(apply):
    """Every quarter, and so every tie k + ½, of a few small integers of both signs."""
    for dtype in DTYPES:
        for rule in RULES:
            assert_rounds(apply, [k / 4 for k in range(-42, 43)], rule, dtype)


def rounding_beside_ties(apply):
    """The floats next to ties: ½ − ulp must not become 1 by adding ½."""
    for dtype in DTYPES:
        values = [x for k in range(-5, 5) for x in neighbours(k + 0.5, dtype)]
        for rule in RULES:
            assert_rounds(apply, values, rule, dtype)


def rounding_of_large_numbers(apply):
    """Where floats become integers: 2^p ± ½, odd integers above (adding ½ to them is a tie), and the largest float."""
    for dtype, last in ((np.float32, 23), (np.float64, 52)):  # the spacing is 1 from 2^last on
        values = [float(np.finfo(dtype).max), 2.0**63, 2.0**31, 2.0**62 + 2.0**40]
        values += [2.0 ** (last + 1) - 1, 2.0 ** (last + 1) - 2, 2.0 ** (last + 1) + 2]
        for power in (last - 1, last):
            values += [2.0**power + k / 2 for k in range(-7, 8)]  # + ½ rounds to 2^power itself on the way in
        for rule in RULES:
            assert_rounds(apply, values + [-value for value in values], rule, dtype)


def rounding_of_small_numbers(apply):
    """Subnormal and other tiny numbers round to 0 or to ±1."""
    for dtype in DTYPES:
        info = np.finfo(dtype)
        values = [float(info.smallest_subnormal), float(info.tiny), float(info.eps), 1e-30]
        for rule in RULES:
            assert_rounds(apply, values + [-value for value in values], rule, dtype)


def rounding_of_infinity_and_nan(apply):
    for dtype in DTYPES:
        for rule in RULES:
            assert_rounds(apply, [np.inf, -np.inf, np.nan, 1.5], rule, dtype)


def rounding_draws_once_per_element(apply):
    """The draws are rng.random(t.shape), element by element, so that the same seed gives the same bytes."""
    for dtype in DTYPES:
        t = frozen(np.linspace(-4, 4, 35).reshape(5, 7), dtype)
        first = apply(t, rule="stochastic", rng=np.random.default_rng(5))
        again = apply(t, rule="stochastic", rng=np.random.default_rng(5))
        other = apply(t, rule="stochastic", rng=np.random.default_rng(6))
        assert first.tobytes() == again.tobytes() != other.tobytes()
        u = np.random.default_rng(5).random(t.shape)
        for place in np.ndindex(t.shape):
            assert first[place] == rounding_oracle.apply(float(t[place]), "stochastic", float(u[place]))


ROUNDING = (
    rounding_of_quarters,
    rounding_beside_ties,
    rounding_of_large_numbers,
    rounding_of_small_numbers,
    rounding_of_infinity_and_nan,
    rounding_draws_once_per_element,
)


# uniform: scale_and_offset, quantize, dequantize, error_bound, float_slack

# Ranges of float32 that are ranges of float64 too. "fine" has codes closer than the floats; the width of the last
# is subnormal, and so is s.
RANGES = {
    "unit": (0.0, 1.0),
    "signed": (-1.0, 1.0),
    "skewed": (-0.7, 2.3),
    "far": (1000.1, 1001.3),
    "negative": (-5.3, -0.2),
    "tiny": (-3e-30, 7e-30),
    "large": (-1e37, 2.5e37),
    "fine": (1.0, 1.0 + 2.0**-18),
    "subnormal": (-3e-42, 5e-42),
}


def uniform_cases(widths=(1, 2, 3, 5, 8, 16)):
    """Yield dtype, low, high, s, z and bits for every range, s and z by the oracle; skip widths where s underflows."""
    for dtype in DTYPES:
        for low, high in RANGES.values():
            low, high = dtype(low), dtype(high)
            for bits in widths:
                s = uniform_oracle.float_scale(exact(low), exact(high), bits, np.dtype(dtype).name)
                if s > 0:
                    yield dtype, low, high, dtype(float(s)), low, bits


def some_codes(bits, count=9):
    """Return every code up to 4 bits, else both ends, the middle and a few others."""
    top = 2**bits - 1
    if bits <= 4:
        return list(range(top + 1))
    others = np.random.default_rng(bits).integers(0, top + 1, count).tolist()
    return sorted({0, 1, 2, top // 2, top // 2 + 1, top - 1, top, *others})


def around_codes(s, z, codes, dtype, steps=2):
    """Return the floats at and next to s·q + z and s·(q + ½) + z, in ascending order."""
    return floats_around(exact(s), exact(z), tuple(codes), dtype, steps)


# What depends on no implementation is worked out once: all of them, and all mutants, are asked the same.


@cache
def floats_around(s, z, codes, dtype, steps):
    values = set()
    for q in codes:
        for part in (Fraction(0), Fraction(1, 2)):
            centre = rounding_oracle.to_format(s * (q + part) + z, np.dtype(dtype).name)
            values.update(neighbours(float(centre), dtype, steps))
    return frozen(sorted(values), dtype)


@cache
def uniform_code(w, s, z, bits, rule, name, u):
    return uniform_oracle.float_code(exact(w), exact(s), exact(z), bits, rule, name, draw(rule, u))


@cache
def uniform_restored(w, s, z, bits, rule, names):
    return uniform_oracle.float_restored(exact(w), exact(s), exact(z), bits, rule, names, draw(rule))


def assert_codes(uniform, w, s, z, bits, rule, u=DRAW):
    """The codes are those of fl(fl(w − z)/s) rounded exactly, in the narrowest type."""
    name = np.result_type(w, s, z).name
    q = uniform.quantize(w, s, z, bits, rounding=rule, rng=shared_draw(rule, w.shape, u))
    assert q.dtype == (np.uint8 if bits <= 8 else np.uint16)
    assert q.shape == w.shape
    for place in np.ndindex(w.shape):
        expected = uniform_code(float(w[place]), float(s), float(z), bits, rule, name, u)
        if q[place] != expected:
            case = f"{rule}, {bits} bits, s={s!r}, z={z!r}, w={w[place]!r}"
            raise AssertionError(f"{case}: {q[place]}, not {expected}")
    return q


def assert_error_within_bound(uniform, w, low, high, s, z, bits, rule):
    """|w − w'| ≤ error_bound + float_slack in exact arithmetic, from low to high and to the value of the last code."""
    q = uniform.quantize(w, s, z, bits, rounding=rule, rng=shared_draw(rule, w.shape))
    restored = uniform.dequantize(q, s, z)
    allowed = exact(uniform.error_bound(s, rounding=rule)) + exact(uniform.float_slack(s, z, bits))
    low, top = exact(low), max(exact(high), exact(z) + exact(s) * (2**bits - 1))  # s is rounded: either can be larger
    for value, back in zip(w.tolist(), restored.tolist(), strict=True):
        if low <= value <= top:  # Python compares a float with a fraction exactly
            error = abs(Fraction(value) - Fraction(back))
            if error > allowed:
                case = f"{rule}, {bits} bits, s={s!r}, z={z!r}, w={value!r}"
                raise AssertionError(f"{case}: off by {float(error)} > {float(allowed)}")


def uniform_scale_literals(uniform):
    """s = (high − low)/(2^bits − 1) and z = low; a constant tensor gets s = 1 and z = its value."""
    for low, high, bits, s, z in (
        (0.0, 15.0, 4, 1.0, 0.0),
        (-1.0, 2.5, 3, 0.5, -1.0),
        (-8.0, -5.0, 1, 3.0, -8.0),
        (0.0, 65535.0, 16, 1.0, 0.0),
        (0.25, 0.25, 8, 1.0, 0.25),
        (0.0, 0.0, 1, 1.0, 0.0),
        (-3e38, -3e38, 16, 1.0, -3e38),
    ):
        for dtype in DTYPES:
            got_s, got_z = uniform.scale_and_offset(dtype(low), dtype(high), bits)
            assert np.asarray(got_s).dtype == np.asarray(got_z).dtype == dtype
            assert (float(got_s), float(got_z)) == (s, float(dtype(z)))


def uniform_scale_matches_the_oracle(uniform):
    for _, low, high, s, z, bits in uniform_cases(range(1, 17)):
        got_s, got_z = uniform.scale_and_offset(low, high, bits)
        assert (got_s, got_z) == (s, z), f"[{low!r}, {high!r}], {bits} bits: {got_s!r}, {got_z!r}, not {s!r}, {z!r}"


def uniform_scale_of_subnormal_widths(uniform):
    """A width of n subnormals: s as the oracle has it, ValueError where it rounds to 0."""
    for dtype in DTYPES:
        unit = np.finfo(dtype).smallest_subnormal
        for n in range(1, 41):
            for bits in range(1, 8):
                low, high = dtype(-3) * unit, dtype(n - 3) * unit
                expected = uniform_oracle.float_scale(exact(low), exact(high), bits, np.dtype(dtype).name)
                try:
                    s, z = uniform.scale_and_offset(low, high, bits)
                except ValueError:
                    assert expected == 0
                else:
                    assert expected > 0, f"a width of {n} subnormals, {bits} bits: s = {s!r} underflows"
                    assert (exact(s), z) == (expected, low)


def uniform_scale_per_channel(uniform):
    """Arrays give arrays, channel by channel, a constant channel beside others too."""
    for dtype in DTYPES:
        low, high = frozen([-1.0, 2.0, 0.5], dtype), frozen([2.0, 2.0, 8.0], dtype)
        s, z = uniform.scale_and_offset(low, high, 2)
        assert s.dtype == z.dtype == dtype
        assert (s.tolist(), z.tolist()) == ([1.0, 1.0, 2.5], [-1.0, 2.0, 0.5])
        s, z = uniform.scale_and_offset(low.reshape(3, 1), high.reshape(3, 1), 2)
        assert s.shape == z.shape == (3, 1)


def uniform_small_domain(uniform):
    """Up to 4 bits: every code, tie k + ½ and quarter, outside too, in exact arithmetic (s a power of 2)."""
    for dtype in DTYPES:
        for bits in (1, 2, 3, 4):
            for s, z in ((1.0, 0.0), (0.25, -1.0), (2.0, 6.0)):
                w = frozen([s * k / 4 + z for k in range(-10, 4 * 2**bits + 8)], dtype)
                for rule in RULES:
                    rng = shared_draw(rule, w.shape)
                    q = uniform.quantize(w, dtype(s), dtype(z), bits, rounding=rule, rng=rng)
                    expected = [uniform_oracle.code(exact(x), exact(s), exact(z), bits, rule, draw(rule)) for x in w]
                    assert q.tolist() == expected
                    restored = uniform.dequantize(q, dtype(s), dtype(z)).tolist()
                    assert restored == [float(uniform_oracle.value(k, exact(s), exact(z))) for k in expected]
                    inside = [(x, y) for x, y in zip(w, restored, strict=True) if z <= x <= z + s * (2**bits - 1)]
                    largest = max(abs(exact(x) - exact(y)) for x, y in inside)
                    assert largest == exact(s) / 2 if rule in NEAREST else largest < exact(s)  # s is never reached


def uniform_codes_are_exact(uniform):
    """Bit for bit fl(fl(w − z)/s), then the exact rounding: at, beside and between the codes, and outside."""
    for dtype, _, _, s, z, bits in uniform_cases((1, 4, 8, 15)):
        w = around_codes(s, z, [-2, -1, *some_codes(bits, 5), 2**bits, 2**bits + 1], dtype, steps=1)
        for rule in ("half_even", "half_away", "floor", "stochastic"):
            assert_codes(uniform, w, s, z, bits, rule)


def uniform_divides(uniform):
    """Dividing is not multiplying by 1/s (127.49999 is not 127.5), and float32 is not float64 rounded later."""
    x, s = np.float32(0.273939937), np.float32(0.00214854861)
    assert uniform.quantize(frozen([x]), s, np.float32(0), 8).tolist() == [127]
    generator = np.random.default_rng(3)
    for _ in range(12):
        s, z = generator.uniform(0.001, 0.02, 2).astype(np.float32)
        assert_codes(uniform, around_codes(s, z, range(100, 256, 9), np.float32, steps=1), s, z, 8, "half_even")


def uniform_promotes(uniform):
    """float32 weights with float64 s and z, or the other way round, are computed in float64."""
    s, z = np.float64(0.1), np.float64(0.05)
    w = around_codes(np.float32(s), np.float32(z), range(16), np.float32)
    assert_codes(uniform, w, s, z, 4, "half_even")
    assert_codes(uniform, frozen(w, np.float64), np.float32(s), np.float32(z), 4, "half_even")


def uniform_saturates(uniform):
    """Far outside of the range the codes are the ends, also where w − z or its quotient overflows."""
    for dtype in DTYPES:
        largest = float(np.finfo(dtype).max)
        w = frozen([-largest, -1e30, -0.51, 7.51, 300.0, 70000.0, 1e30, largest], dtype)
        for bits in (1, 3, 8, 9, 16):
            top = 2**bits - 1
            for rule in RULES:
                for s, z, x, expected in (
                    (1e-10, 0, w, [0, 0, 0, top, top, top, top, top]),
                    (1, largest, w[[0, -1]], [0, 0]),
                    (1, -largest, w[[0, -1]], [0, top]),
                ):
                    rng = shared_draw(rule, x.shape)
                    q = uniform.quantize(x, dtype(s), dtype(z), bits, rounding=rule, rng=rng)
                    assert q.tolist() == expected
        # Saturation comes after the rounding: clipping w at fl(z + s·255) first would make it code 256, as s < ulp(z).
        s = np.finfo(dtype).eps / dtype(128)
        w = frozen(neighbours(1.0, dtype, 4), dtype)
        assert_codes(uniform, w, s, dtype(1), 8, "half_even")


def uniform_dequantize_matches_the_oracle(uniform):
    """fl(fl(s·q) + z) in the dtype of s and z, whatever integer type q has."""
    for dtype, _, _, s, z, bits in uniform_cases((1, 3, 8, 16)):
        codes = some_codes(bits)
        expected = [uniform_oracle.float_value(k, exact(s), exact(z), np.dtype(dtype).name) for k in codes]
        for integer in (np.uint8 if bits <= 8 else np.uint16, np.int64, np.int32):
            restored = uniform.dequantize(frozen(codes, integer), s, z)
            assert restored.dtype == dtype
            assert [exact(x) for x in restored] == expected


def uniform_error_within_bound(uniform):
    for dtype, low, high, s, z, bits in uniform_cases():
        w = around_codes(s, z, some_codes(bits, 5), dtype)
        w = frozen([low, high, *w], dtype)
        for rule in RULES:
            assert_error_within_bound(uniform, w, low, high, s, z, bits, rule)


def uniform_error_bound_literals(uniform):
    for dtype in DTYPES:
        s = frozen([0.5, 3.0], dtype)
        for rule in RULES:
            bound = uniform.error_bound(s, rounding=rule)
            assert bound.tolist() == ([0.25, 1.5] if rule in NEAREST else [0.5, 3.0])


def uniform_slack_is_not_silly(uniform):
    """A constructed case needs at least a fifth of the slack, on top of s/2.

    Derivation, with u the unit roundoff (2^−24 or 2^−53) and L = 2^bits − 1: fl(w − z), the quotient and s·q each err
    by at most u·s·L, the final sum by u·max(|z|, |z + s·L|), up to terms in u². So 3·u·s·L + u·max(|z|, |z + s·L|)
    suffices. Where z = 0 the difference and the sum are exact, and half of that is the most a case can need; where |z|
    is far larger than s·L the sum alone counts. How much is needed depends on where ties fall on the grid of floats,
    hence five ranges each.
    """
    generator = np.random.default_rng(2)
    for dtype, low, high, bits in (
        (np.float32, 0.0, 0.9, 16),
        (np.float32, -0.7, 2.3, 12),
        (np.float32, 1000.1, 1001.3, 8),
        (np.float64, 0.0, 0.9, 16),
        (np.float64, 1000.1, 1001.3, 8),
    ):
        top = 2**bits - 1
        codes = generator.integers(2 * top // 3, top, 60).tolist()
        shares = []
        for part in (1, 0.97, 0.93, 0.91, 0.89):
            z, end = dtype(low), dtype(low + part * (high - low))
            s = dtype(float(uniform_oracle.float_scale(exact(z), exact(end), bits, np.dtype(dtype).name)))
            w = around_codes(s, z, codes, dtype)
            restored = uniform.dequantize(uniform.quantize(w, s, z, bits), s, z)
            needed = max(abs(exact(x) - exact(y)) for x, y in zip(w, restored, strict=True)) - exact(s) / 2
            shares.append(needed / exact(uniform.float_slack(s, z, bits)))
        assert Fraction(1, 5) <= max(shares) <= 1, f"{np.dtype(dtype)}, {bits} bits: {float(max(shares)):.3f} of it"


def uniform_slack_per_channel(uniform):
    """Arrays of s and z give an array, each channel's slack that of its own s and z."""
    for dtype in DTYPES:
        s, z = frozen([0.5, 3.0, 0.01], dtype), frozen([-1.0, 200.0, 0.0], dtype)
        slack = np.asarray(uniform.float_slack(s, z, 5))
        assert slack.shape == (3,)
        assert slack.tolist() == [float(uniform.float_slack(a, b, 5)) for a, b in zip(s, z, strict=True)]


def uniform_round_trip(uniform):
    """quantize(dequantize(q)) = q for the nearest rules where s ≥ 4 ulp(max(|low|, |high|))."""
    tried = 0
    for _, low, high, s, z, bits in uniform_cases():
        if s < 4 * np.spacing(max(abs(low), abs(high))):
            continue
        codes = frozen(range(2**bits), np.uint16 if bits > 8 else np.uint8)
        restored = uniform.dequantize(codes, s, z)
        for rule in NEAREST:
            assert (uniform.quantize(restored, s, z, bits, rounding=rule) == codes).all()
        tried += 1
    assert tried > 60


def uniform_is_monotone(uniform):
    """w₁ ≤ w₂ gives q₁ ≤ q₂, for stochastic rounding under a shared draw."""
    for dtype, _, _, s, z, bits in uniform_cases((2, 8, 16)):
        w = around_codes(s, z, [-1, *some_codes(bits), 2**bits], dtype)
        for rule in RULES:
            q = uniform.quantize(w, s, z, bits, rounding=rule, rng=shared_draw(rule, w.shape)).astype(int)
            assert (np.diff(q) >= 0).all()
    generator = np.random.default_rng(8)
    smaller = frozen(generator.uniform(-1, 1, 64), np.float64)
    larger = frozen(smaller + generator.uniform(0, 0.3, 64), np.float64)
    s, z = np.float64(0.125), np.float64(-1)
    q1, q2 = (
        uniform.quantize(w, s, z, 4, rounding="stochastic", rng=np.random.default_rng(1)) for w in (smaller, larger)
    )
    assert (q1 <= q2).all()


def uniform_more_bits_can_raise_an_error(uniform):
    """{0, ⅓, 1} is exact at 2 bits and not at 3, where the code next to ⅓ is 2/7."""
    w = frozen([0.0, 1 / 3, 1.0])
    errors = []
    for bits in (2, 3):
        s, z = uniform.scale_and_offset(np.float64(0), np.float64(1), bits)
        q = uniform.quantize(w, s, z, bits)
        assert q.tolist() == ([0, 1, 3] if bits == 2 else [0, 2, 7])
        errors.append(np.abs(w - uniform.dequantize(q, s, z)).max())
    assert errors[0] == 0
    assert 0.047 < errors[1] < 0.048  # 1/3 − 2/7 = 1/21


def uniform_per_channel(uniform):
    """s and z of shape (3, 1) and (5,) against w of shape (3, 5): every row, or every column, has its own."""
    for dtype in DTYPES:
        w = frozen(np.arange(15).reshape(3, 5) - 4, dtype)
        s, z = frozen([[1.0], [2.0], [0.5]], dtype), frozen([[-4.0], [1.0], [7.0]], dtype)
        q = uniform.quantize(w, s, z, 3)
        assert q.tolist() == [[0, 1, 2, 3, 4], [0, 0, 1, 2, 2], [0, 0, 2, 4, 6]]  # ties (0.5, 1.5, 2) go to even
        restored = uniform.dequantize(q, s, z)
        assert restored.tolist() == [[-4, -3, -2, -1, 0], [1, 1, 3, 5, 5], [7, 7, 8, 9, 10]]
        s, z = frozen([1.0, 2.0, 4.0, 8.0, 0.25], dtype), frozen([0.0, -3.0, 0.0, 1.0, 0.0], dtype)
        assert uniform.quantize(w, s, z, 4).tolist() == [[0, 0, 0, 0, 0], [1, 2, 1, 0, 15], [6, 5, 2, 1, 15]]
        assert uniform.quantize(w, dtype(1), z, 4).tolist() == [[0, 0, 0, 0, 0], [1, 5, 3, 3, 5], [6, 10, 8, 8, 10]]


def uniform_stochastic(uniform):
    """Over the eight draws exactly j of 8 round code n + j/8 up; the same seed gives the same bytes."""
    u = np.arange(8) / 8
    for dtype in DTYPES:
        for n in (0, 5):
            for j in range(8):
                w = frozen(np.full(8, 2 * (n + j / 8) - 3), dtype)
                q = uniform.quantize(w, dtype(2), dtype(-3), 4, rounding="stochastic", rng=Draws(u))
                assert q.tolist() == [n + 1] * j + [n] * (8 - j)
        w = frozen(np.linspace(-1, 1, 35).reshape(7, 5), dtype)
        s, z = dtype(0.125), dtype(-1)
        q = uniform.quantize(w, s, z, 4, rounding="stochastic", rng=np.random.default_rng(4))
        again = uniform.quantize(w, s, z, 4, rounding="stochastic", rng=np.random.default_rng(4))
        assert q.tobytes() == again.tobytes()
        draws = np.random.default_rng(4).random(w.shape)
        for place in np.ndindex(w.shape):
            weight, u_ = exact(w[place]), exact(draws[place])
            expected = uniform_oracle.float_code(weight, exact(s), exact(z), 4, "stochastic", w.dtype.name, u_)
            assert q[place] == expected


def assert_fake(uniform, w, s, z, bits, rule):
    """fake_quantize gives the oracle's values, in the dtype of s and z, and dequantize(quantize) bit for bit."""
    fake = uniform.fake_quantize(w, s, z, bits, rounding=rule, rng=shared_draw(rule, w.shape))
    names = np.result_type(w, s, z).name, np.result_type(s, z).name
    assert (fake.dtype.name, fake.shape) == (names[1], w.shape)
    for place in np.ndindex(w.shape):
        expected = uniform_restored(float(w[place]), float(s), float(z), bits, rule, names)
        if exact(fake[place]) != expected:
            case = f"{rule}, {bits} bits, s={s!r}, z={z!r}, w={w[place]!r}"
            raise AssertionError(f"{case}: {fake[place]!r}, not {float(expected)!r}")
    q = uniform.quantize(w, s, z, bits, rounding=rule, rng=shared_draw(rule, w.shape))
    assert fake.tobytes() == uniform.dequantize(q, s, z).tobytes()


def uniform_fake_matches_the_oracle(uniform):
    """At, beside and between the codes, and outside; s and z may be of another dtype than the weights."""
    for dtype, _, _, s, z, bits in uniform_cases((1, 4, 9)):
        w = around_codes(s, z, [-2, *some_codes(bits, 5)[:6], 2**bits - 1, 2**bits + 1], dtype, steps=1)
        for rule in ("half_even", "floor", "stochastic"):
            assert_fake(uniform, w, s, z, bits, rule)
    for s, z in ((0.1, 0.05), (0.007, -0.4)):
        for single in (np.float32, np.float64):
            other = np.float64 if single is np.float32 else np.float32
            w = around_codes(np.float32(s), np.float32(z), range(-1, 17), np.float32).astype(single)
            assert_fake(uniform, w, other(s), other(z), 4, "half_even")


def uniform_fake_saturates(uniform):
    """Far outside of the range the values are those of the end codes, also where w − z overflows."""
    for dtype in DTYPES:
        largest = float(np.finfo(dtype).max)
        w = frozen([-largest, -1e30, 300.0, 1e30, largest], dtype)
        for rule in RULES:
            for bits in (1, 8, 16):
                fake = uniform.fake_quantize(w, dtype(0.5), dtype(-1), bits, rounding=rule, rng=shared_draw(rule, (5,)))
                top = 0.5 * (2**bits - 1) - 1
                assert fake.tolist() == [-1, -1, min(top, 300.0), top, top]
            fake = uniform.fake_quantize(w, dtype(1), dtype(-largest), 8, rounding=rule, rng=shared_draw(rule, (5,)))
            assert fake.tolist() == [-largest] + [float(dtype(-largest) + dtype(255))] * 4


def uniform_fake_per_channel(uniform):
    """Rows of their own s and z, stochastic rounding with one draw an element."""
    for dtype in DTYPES:
        w = frozen(np.arange(15).reshape(3, 5) - 4.25, dtype)
        s, z = frozen([[1.0], [2.0], [0.5]], dtype), frozen([[-4.0], [1.0], [7.0]], dtype)
        for rule in RULES:
            rngs = [np.random.default_rng(3) if rule == "stochastic" else None for _ in range(2)]
            fake = uniform.fake_quantize(w, s, z, 3, rounding=rule, rng=rngs[0])
            q = uniform.quantize(w, s, z, 3, rounding=rule, rng=rngs[1])
            assert fake.tobytes() == uniform.dequantize(q, s, z).tobytes()
        wanted = [[-4, -3, -2, -1, 0], [1, 1, 3, 3, 5], [7, 7, 8, 9, 10]]
        assert uniform.fake_quantize(w + dtype(0.125), s, z, 3).tolist() == wanted


def uniform_fake_has_the_codes_zero(uniform):
    """Code 0 has no sign: with z = −0 its value is 0 and not −0, from either side of 0."""
    for dtype in DTYPES:
        w = frozen([-3.0, -0.25, -0.0, 0.0, 0.25], dtype)
        for rule in ("half_even", "half_away", "half_up", "toward_zero"):
            for z in (dtype(0), dtype(-0.0)):
                fake = uniform.fake_quantize(w, dtype(1), z, 2, rounding=rule)
                restored = uniform.dequantize(uniform.quantize(w, dtype(1), z, 2, rounding=rule), dtype(1), z)
                assert fake.tobytes() == restored.tobytes(), f"{rule}, z = {z!r}: {fake}, not {restored}"


UNIFORM = (
    uniform_scale_literals,
    uniform_scale_matches_the_oracle,
    uniform_scale_of_subnormal_widths,
    uniform_scale_per_channel,
    uniform_small_domain,
    uniform_codes_are_exact,
    uniform_divides,
    uniform_promotes,
    uniform_saturates,
    uniform_dequantize_matches_the_oracle,
    uniform_error_within_bound,
    uniform_error_bound_literals,
    uniform_slack_is_not_silly,
    uniform_slack_per_channel,
    uniform_round_trip,
    uniform_is_monotone,
    uniform_more_bits_can_raise_an_error,
    uniform_per_channel,
    uniform_stochastic,
    uniform_fake_matches_the_oracle,
    uniform_fake_saturates,
    uniform_fake_per_channel,
    uniform_fake_has_the_codes_zero,
)


# decimal: quantize, dequantize, error_bound, float_slack


def around_decimals(codes, places, dtype, steps=2):
    """Return the floats at and next to q·10^−places and (q + ½)·10^−places, in ascending order."""
    values = set()
    for q in codes:
        for part in (Fraction(0), Fraction(1, 2)):
            centre = rounding_oracle.to_format((q + part) / 10**places, np.dtype(dtype).name)
            values.update(neighbours(float(centre), dtype, steps))
    return frozen(sorted(values), dtype)


def decimal_codes_of(places, dtype, largest=None):
    """Return codes of both signs up to the largest integer of the dtype, for values from tiny to large."""
    largest = largest or (2**23 if dtype is np.float32 else 2**52)
    others = np.random.default_rng(places).integers(0, largest, 6).tolist()
    positive = [0, 1, 2, 5, 12, 10**places // 3, 10**places, *others, largest - 1]
    return sorted({sign * q for q in positive for sign in (1, -1) if q <= largest})


def assert_decimal(decimal, w, places, rule):
    """The codes are those of fl(w·10^places), and the error is within bound and slack, in exact arithmetic."""
    name = w.dtype.name
    q = decimal.quantize(w, places, rounding=rule, rng=shared_draw(rule, w.shape))
    assert q.dtype == np.int64
    assert q.shape == w.shape
    restored = decimal.dequantize(q, places, dtype=w.dtype.type)
    slack = np.asarray(decimal.float_slack(w, places))
    assert slack.shape == w.shape
    bound = exact(decimal.error_bound(places, rounding=rule))
    for x, k, back, extra in zip(w, q.tolist(), restored, slack, strict=True):
        expected = decimal_oracle.float_code(exact(x), places, rule, name, draw(rule))
        assert k == expected, f"{rule}, {places} places: {x!r}: {k}, not {expected}"
        error = abs(exact(x) - exact(back))
        assert error <= bound + exact(extra), f"{rule}, {places} places: {x!r}: off by {float(error)}"


def decimal_literals(decimal):
    w = frozen([0.125, -0.125, 2.0, 0.375, -1.5, 0.0])
    for dtype in DTYPES:
        for rule, expected in (
            ("half_even", [12, -12, 200, 38, -150, 0]),
            ("half_away", [13, -13, 200, 38, -150, 0]),
            ("half_up", [13, -12, 200, 38, -150, 0]),
            ("floor", [12, -13, 200, 37, -150, 0]),
            ("ceil", [13, -12, 200, 38, -150, 0]),
            ("toward_zero", [12, -12, 200, 37, -150, 0]),
        ):
            assert decimal.quantize(w.astype(dtype), 2, rounding=rule).tolist() == expected
    assert decimal.quantize(w, 0).tolist() == [0, 0, 2, 0, -2, 0]
    assert decimal.quantize(frozen([3.0]), 15).tolist() == [3 * 10**15]


def decimal_codes_and_errors(decimal):
    for dtype in DTYPES:
        for places in (0, 1, 2, 5, 6, 7, 9, 11, 13, 15):
            w = around_decimals(decimal_codes_of(places, dtype), places, dtype, steps=1)
            for rule in ("half_even", "half_away", "floor", "stochastic"):
                assert_decimal(decimal, w, places, rule)


def decimal_small_domain(decimal):
    """At 0 places every quarter and so every tie of small integers, exactly, under all rules."""
    for dtype in DTYPES:
        w = frozen([k / 4 for k in range(-34, 35)], dtype)
        for rule in RULES:
            q = decimal.quantize(w, 0, rounding=rule, rng=shared_draw(rule, w.shape))
            assert q.tolist() == [decimal_oracle.code(exact(x), 0, rule, draw(rule)) for x in w]


def decimal_dequantize_matches_the_oracle(decimal):
    """fl(fl(10^−places)·fl(q)): 3·0.1 is 0.30000000000000004."""
    assert decimal.dequantize(frozen([3]), 1).tolist() == [3 * 0.1]
    assert decimal.dequantize(frozen([3]), 1).dtype == np.float64
    for dtype in DTYPES:
        for places in range(16):
            codes = decimal_codes_of(places, dtype, 2**53)
            restored = decimal.dequantize(frozen(codes, np.int64), places, dtype=dtype)
            assert restored.dtype == dtype
            assert [exact(x) for x in restored] == [
                decimal_oracle.float_value(q, places, np.dtype(dtype).name) for q in codes
            ]


def decimal_error_bound_literals(decimal):
    for rule in RULES:
        for places, half in ((0, 0.5), (1, 0.05), (6, 5e-7), (15, 5e-16)):
            bound = decimal.error_bound(places, rounding=rule)
            expected = half if rule in NEAREST else 2 * half
            assert abs(bound - expected) <= 2**-52 * expected  # 10^−places has no exact float


def decimal_largest_codes(decimal):
    """±2^53 is a code; what lies beyond, or overflows, raises."""
    limit = 2**53
    for dtype, value, places, expected in (
        (np.float64, limit, 0, limit),
        (np.float64, -limit, 0, -limit),
        (np.float32, limit, 0, limit),
        (np.float32, -limit, 0, -limit),
        (np.float64, limit + 2, 0, None),
        (np.float64, -limit - 2, 0, None),
        (np.float64, 9.1, 15, None),
        (np.float64, 1e300, 15, None),
        (np.float32, 2.0**54, 0, None),
        (np.float32, -1e8, 8, None),
        (np.float32, 3e38, 3, None),
        (np.float64, 1.7e308, 1, None),
    ):
        try:
            got = decimal.quantize(frozen([0.0, value], dtype), places).tolist()
        except ValueError:
            got = None
        assert got == (None if expected is None else [0, expected]), f"{value!r} at {places} places: {got}"


def decimal_slack_is_not_silly(decimal):
    """A constructed case needs at least a fifth of the slack, and in float32 it dominates from about 6 places on.

    Derivation, with u the unit roundoff: the product w·10^places errs by u·|w| in the unit of w, another u·|w| where
    10^places is no float (float32 beyond 10^10); code and step as floats and their product by up to u·|w'| each:
    5·u·|w| up to terms in u². Up to 10^10, and for codes that are floats, only 3 of these 5 occur, and never all at
    their worst.
    """
    generator = np.random.default_rng(9)
    for dtype, places, largest in (
        (np.float32, 6, 2**21),
        (np.float32, 7, 2**23),
        (np.float64, 6, 2**50),
        (np.float64, 15, 2**52),
    ):
        w = around_decimals(generator.integers(largest // 2, largest, 200).tolist(), places, dtype)
        restored = decimal.dequantize(decimal.quantize(w, places), places, dtype=dtype)
        bound = decimal_oracle.error_bound(places, "half_even")
        extra = [
            (abs(exact(x) - exact(y)) - bound) / exact(slack)
            for x, y, slack in zip(w, restored, decimal.float_slack(w, places), strict=True)
        ]
        assert Fraction(1, 5) <= max(extra) <= 1, f"{np.dtype(dtype)}, {places} places: {float(max(extra)):.3f} of it"
    for places, weight in ((6, 4.0), (7, 1.0)):  # 3 or more roundings of 2^−24 relative against ½·10^−places
        w = frozen([weight], np.float32)
        assert decimal.float_slack(w, places)[0] > decimal.error_bound(places)
    w = frozen(generator.uniform(0.5, 1, 200), np.float32)
    restored = decimal.dequantize(decimal.quantize(w, 7), 7, dtype=np.float32)
    assert max(abs(exact(x) - exact(y)) for x, y in zip(w, restored, strict=True)) > Fraction(1, 2 * 10**7)


def decimal_round_trip(decimal):
    """quantize(dequantize(q)) = q while the roundings (4 relative ones of u) stay far below half a code."""
    for dtype, largest in ((np.float32, 2**20), (np.float64, 2**49)):
        for places in range(11):
            codes = frozen(decimal_codes_of(places, dtype, largest), np.int64)
            restored = decimal.dequantize(codes, places, dtype=dtype)
            for rule in NEAREST:
                assert decimal.quantize(restored, places, rounding=rule).tolist() == codes.tolist()


def decimal_is_monotone(decimal):
    for dtype in DTYPES:
        for places in (0, 3, 7):
            w = around_decimals(decimal_codes_of(places, dtype), places, dtype)
            for rule in RULES:
                q = decimal.quantize(w, places, rounding=rule, rng=shared_draw(rule, w.shape))
                assert (np.diff(q) >= 0).all()


def decimal_stochastic(decimal):
    u = np.arange(8) / 8
    for dtype in DTYPES:
        for n in (-3, 0, 6):
            for j in range(8):
                w = frozen(np.full(8, n + j / 8), dtype)
                q = decimal.quantize(w, 0, rounding="stochastic", rng=Draws(u))
                assert q.tolist() == [n + 1] * j + [n] * (8 - j)
    w = frozen(np.linspace(-1, 1, 35).reshape(7, 5))
    q, again = (decimal.quantize(w, 1, rounding="stochastic", rng=np.random.default_rng(4)) for _ in range(2))
    assert q.tobytes() == again.tobytes()


DECIMAL = (
    decimal_literals,
    decimal_codes_and_errors,
    decimal_small_domain,
    decimal_dequantize_matches_the_oracle,
    decimal_error_bound_literals,
    decimal_largest_codes,
    decimal_slack_is_not_silly,
    decimal_round_trip,
    decimal_is_monotone,
    decimal_stochastic,
)


# fixed_point: quantize, dequantize, error_bound, largest_fraction_bits


def around_fixed(codes, fraction_bits, dtype, steps=1):
    """Return the floats at and next to q·2^−f and (q + ½)·2^−f, in ascending order."""
    values = set()
    for q in codes:
        for part in (0.0, 0.5):
            values.update(neighbours((q + part) * 2.0**-fraction_bits, dtype, steps))
    return frozen(sorted(values), dtype)


def assert_fixed(fixed_point, w, fraction_bits, bits, rule):
    """The codes are exact, and so are the values: within the range the error needs no slack."""
    q = fixed_point.quantize(w, fraction_bits, bits, rounding=rule, rng=shared_draw(rule, w.shape))
    assert q.dtype == (np.int8 if bits <= 8 else np.int16)
    assert q.shape == w.shape
    restored = fixed_point.dequantize(q, fraction_bits, dtype=w.dtype.type)
    assert restored.dtype == w.dtype
    bound = exact(fixed_point.error_bound(fraction_bits, rounding=rule))
    low, high = (fixed_point_oracle.value(k, fraction_bits) for k in (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    for x, k, back in zip(w, q.tolist(), restored, strict=True):
        expected = fixed_point_oracle.code(exact(x), fraction_bits, bits, rule, draw(rule))
        assert k == expected, f"{rule}, f = {fraction_bits}, {bits} bits: {x!r}: {k}, not {expected}"
        assert exact(back) == fixed_point_oracle.value(k, fraction_bits)
        if low <= exact(x) <= high:
            error = abs(exact(x) - exact(back))
            assert error <= bound if rule in NEAREST else error < bound


def fixed_literals(fixed_point):
    w = frozen([0.375, -0.375, 1.0, -5.0, 7.9, 0.0])
    for dtype in DTYPES:
        for rule, expected in (
            ("half_even", [2, -2, 4, -8, 7, 0]),
            ("half_away", [2, -2, 4, -8, 7, 0]),
            ("half_up", [2, -1, 4, -8, 7, 0]),
            ("floor", [1, -2, 4, -8, 7, 0]),
            ("ceil", [2, -1, 4, -8, 7, 0]),
            ("toward_zero", [1, -1, 4, -8, 7, 0]),
        ):
            assert fixed_point.quantize(w.astype(dtype), 2, 4, rounding=rule).tolist() == expected
    assert fixed_point.dequantize(frozen([-8, 7, 0, 3], np.int8), 2).tolist() == [-2.0, 1.75, 0.0, 0.75]
    assert fixed_point.dequantize(frozen([1]), 126, dtype=np.float32).tolist() == [2.0**-126]


def fixed_small_domain(fixed_point):
    """Up to 4 bits: every code, every tie and their neighbours, also outside of the range."""
    for dtype in DTYPES:
        for bits in (1, 2, 3, 4):
            half = 2 ** (bits - 1)
            for fraction_bits in (0, 1, 3, 40):
                w = around_fixed(range(-half - 3, half + 3), fraction_bits, dtype)
                for rule in RULES:
                    assert_fixed(fixed_point, w, fraction_bits, bits, rule)


def fixed_codes_and_errors(fixed_point):
    for dtype in DTYPES:
        for bits in (5, 8, 9, 16):
            half = 2 ** (bits - 1)
            codes = [-half - 1, -half, -half + 1, -7, -2, -1, 0, 1, 2, 6, half - 2, half - 1, half]
            for fraction_bits in (0, 7, 15, 126):
                w = around_fixed(codes, fraction_bits, dtype)
                for rule in RULES:
                    assert_fixed(fixed_point, w, fraction_bits, bits, rule)


def fixed_saturates(fixed_point):
    """Also where w·2^f overflows, and for subnormal weights, which scale without loss."""
    for dtype in DTYPES:
        info = np.finfo(dtype)
        w = frozen([-float(info.max), -1e9, 1e9, float(info.max), float(info.smallest_subnormal)], dtype)
        for bits in (1, 8, 16):
            half = 2 ** (bits - 1)
            for fraction_bits in (0, 3, 126):
                for rule in NEAREST:
                    q = fixed_point.quantize(w, fraction_bits, bits, rounding=rule)
                    assert q.tolist() == [-half, -half, half - 1, half - 1, 0]


def fixed_round_trip(fixed_point):
    for dtype in DTYPES:
        for bits in (1, 4, 8, 16):
            codes = frozen(range(-(2 ** (bits - 1)), 2 ** (bits - 1)), np.int32)
            for fraction_bits in (0, 5, 126):
                restored = fixed_point.dequantize(codes, fraction_bits, dtype=dtype)
                for rule in (*NEAREST, "floor", "ceil", "toward_zero"):  # no rounding is left to do
                    assert (fixed_point.quantize(restored, fraction_bits, bits, rounding=rule) == codes).all()


def fixed_is_monotone(fixed_point):
    for dtype in DTYPES:
        w = frozen(np.sort(np.random.default_rng(1).normal(0, 3, 200)), dtype)
        for rule in RULES:
            for fraction_bits in (2, 4, 9):
                q = fixed_point.quantize(w, fraction_bits, 8, rounding=rule, rng=shared_draw(rule, w.shape))
                assert (np.diff(q.astype(int)) >= 0).all()


def fixed_per_channel(fixed_point):
    for dtype in DTYPES:
        w = frozen(np.array([[1.0, 0.5, -0.25, 0.3125, 3.0]] * 3), dtype)
        f = frozen([[0], [1], [4]])
        q = fixed_point.quantize(w, f, 4)
        assert q.tolist() == [[1, 0, 0, 0, 3], [2, 1, 0, 1, 6], [7, 7, -4, 5, 7]]
        restored = fixed_point.dequantize(q, f, dtype=dtype)
        assert restored.tolist() == [[1, 0, 0, 0, 3], [1, 0.5, 0, 0.5, 3], [0.4375, 0.4375, -0.25, 0.3125, 0.4375]]
        f = frozen([0, 1, 2, 3, 1])
        assert fixed_point.quantize(w, f, 4).tolist() == [[1, 1, -1, 2, 6]] * 3
        assert np.asarray(fixed_point.error_bound(f)).tolist() == [0.5, 0.25, 0.125, 0.0625, 0.25]


def fixed_error_bound_literals(fixed_point):
    for rule in RULES:
        for fraction_bits in (0, 1, 7, 126):
            step = 2.0**-fraction_bits
            assert fixed_point.error_bound(fraction_bits, rounding=rule) == (step / 2 if rule in NEAREST else step)


def fixed_stochastic(fixed_point):
    u = np.arange(8) / 8
    for n in (-4, -1, 0, 2):
        for j in range(8):
            w = frozen(np.full(8, (n + j / 8) / 4), np.float32)
            q = fixed_point.quantize(w, 2, 4, rounding="stochastic", rng=Draws(u))
            assert q.tolist() == [n + 1] * j + [n] * (8 - j)
    w = frozen(np.linspace(-1, 1, 35).reshape(7, 5))
    q, again = (fixed_point.quantize(w, 2, 8, rounding="stochastic", rng=np.random.default_rng(4)) for _ in range(2))
    assert q.tobytes() == again.tobytes()


# low, high, bits and the largest f (None: even 0 saturates).
# 127.5 is a tie that goes to 128 and saturates, −128.5 one that goes to −128
EDGES = (
    (-1.0, 0.99, 8, 7),
    (-1.0, 1.0, 8, 6),
    (0.0, 127.5 / 128, 8, 6),
    (0.0, float(np.nextafter(127.5 / 128, 0)), 8, 7),
    (-128.5 / 128, 0.0, 8, 7),
    (float(np.nextafter(-128.5 / 128, -2)), 0.0, 8, 6),
    (0.0, 0.0, 8, 7),
    (0.0, 0.0, 1, 0),
    (0.0, 0.0, 16, 15),
    (0.0, 5e-324, 8, 126),
    (-1e-45, 1e-45, 1, 126),
    (0.0, 127.0, 8, 0),
    (0.0, 127.49, 8, 0),
    (-128.5, 3.0, 8, 0),
    (0.0, 0.5, 1, 0),
    (-1.5, 0.0, 1, None),
    (-1.0, 0.25, 1, 0),
    (-0.7, 0.0, 1, 1),
    (5.0, 6.0, 4, 0),
    (-6.0, -5.0, 4, 0),
    (-4.25, -0.125, 4, 1),
    (0.0, 2.0**-119, 8, 125),
    (0.0, 2.0**-120, 8, 126),
    (0.0, 127.5, 8, None),
    (-129.0, 0.0, 8, None),
    (0.0, 0.51, 1, None),
    (-1e300, 1e300, 16, None),
    (200.0, 300.0, 8, None),
    (-300.0, -200.0, 8, None),
)


def fixed_largest_fraction_bits(fixed_point):
    """The largest f without saturation, found by the oracle by trying all; ValueError where f = 0 saturates."""
    for low, high, bits, expected in EDGES:
        assert fixed_point_oracle.largest_fraction_bits(exact(low), exact(high), bits) == expected
        try:
            got = fixed_point.largest_fraction_bits(low, high, bits)
        except ValueError:
            got = None
        assert got == expected, f"[{low!r}, {high!r}], {bits} bits: {got}, not {expected}"


FIXED_POINT = (
    fixed_literals,
    fixed_small_domain,
    fixed_codes_and_errors,
    fixed_saturates,
    fixed_round_trip,
    fixed_is_monotone,
    fixed_per_channel,
    fixed_error_bound_literals,
    fixed_stochastic,
    fixed_largest_fraction_bits,
)


# affine: choose, quantize, dequantize, fake_quantize under conventions


def fitting(**fields):
    """Return a convention with these fields, and with those of the range that they ask for; None if they contradict."""
    form = fields.get("form", "s(q-Z)")
    if form in ("sq+Z", "sq-Z"):
        needed = {"zero_point": "low" if form == "sq+Z" else "negated_low", "zero_point_type": "real"}
    elif fields.get("zero_point_type") == "real":
        needed = {"zero_point": "quotient"}
    else:
        needed = {}
    if form == "(q-Z)/s":
        needed["scale"] = "inverse_width"
    try:
        return Convention(**(needed | fields))
    except ValueError:
        return None


def axis_values(*names):
    """Return the dictionaries of all combinations of these axes' values."""
    return [dict(zip(names, values, strict=True)) for values in product(*(AXES[name] for name in names))]


# Every combination, without contradictions, of what happens between x and q, under two rules of rounding; and every
# rule of rounding where the zero point is added after, before, and not at all.
ORDERS = [
    c
    for fields in axis_values("quotient", "zero_point_added", "form", "zero_point_type", "clip", "compute_dtype")
    for rounding in ("half_even", "add_half")
    if (c := fitting(**fields, rounding=rounding)) is not None
]
ROUNDINGS = [
    c
    for rounding in AXES["rounding"]
    for fields in (
        {},
        {"zero_point_added": "before", "clip": "before"},
        {"zero_point_added": "before", "quotient": "reciprocal"},
        {"zero_point_added": "subtracted", "form": "sq+Z"},
        {"form": "s(q+Z)"},
    )
    if (c := fitting(**fields, rounding=rounding)) is not None
]
FORMS = [
    c
    for fields in axis_values("form", "zero_point_type", "scale_dtype", "compute_dtype")
    for order in ({}, {"zero_point_added": "before"}, {"zero_point_added": "subtracted"})
    for quotient in ("divide", "multiply")
    if (c := fitting(**fields, **order, quotient=quotient)) is not None
]


def affine_parameters(c, qmin, qmax):
    """Yield scales and zero points, as float32 numbers and integers, that suit the convention."""
    for s in (1.0, 0.1, 0.0371):
        step = np.float32(1 / s if c.form == "(q-Z)/s" else s)
        if c.form in ("sq+Z", "sq-Z"):
            zeros = [np.float32(-0.7 * s), np.float32(23.3 * s)]
        elif c.zero_point_type == "real":
            zeros = [np.float32(0.37), np.float32(qmin + 3.7)]
        else:
            zeros = [-k if c.form == "s(q+Z)" else k for k in sorted({qmin, qmin + 3, (qmin + qmax + 1) // 2})]
        for Z in zeros:
            yield step, Z


def affine_edges(c, s, Z, positions, dtype=np.float32, steps=1):
    """Return the floats at and next to the numbers whose exact quotient, zero point added, are these positions."""
    return edges(c, exact(s), exact(Z), tuple(positions), dtype, steps)


# What depends on no implementation is worked out once: all of them, and all mutants, are asked the same.


@cache
def edges(c, s, Z, positions, dtype, steps):
    values = set()
    for k in positions:
        x = affine_oracle.ideal_value(Fraction(k), s, Z, c)
        centre = float(rounding_oracle.to_format(x, np.dtype(dtype).name))
        values.update(neighbours(centre, dtype, steps))
    return frozen(sorted(values), dtype)


@cache
def oracle_codes(c, x, s, Z, qmin, qmax, name):
    return affine_oracle.codes(x, s, Z, qmin, qmax, c, name, draw(c.rounding))


@cache
def oracle_values(c, q, s, Z, name):
    return affine_oracle.values(q, s, Z, c, name)


@cache
def oracle_choice(c, low, high, qmin, qmax, given):
    return qparams_oracle.choose(exact(low), exact(high), qmin, qmax, c, given)


def halves(qmin, qmax):
    """Return every integer and tie from below the codes to above them."""
    return [Fraction(k, 2) for k in range(2 * qmin - 3, 2 * qmax + 4)]


def case_of(c, s, Z, qmin, qmax):
    return f"{c.formula()} ({c.compute_dtype}, narrow {c.narrow}), codes {qmin} to {qmax}, s = {s!r}, Z = {Z!r}"


def affine_numbers(values):
    """Return an array's numbers, exactly."""
    return [affine_oracle.number(v) for v in np.asarray(values).ravel().tolist()]


def assert_affine_codes(affine, c, x, s, Z, qmin, qmax):
    """The codes are those of the oracle, one element after the other; so are their numbers, and fake_quantize's."""
    name = affine_oracle.dtype_name(c, x.dtype.name, np.asarray(s).dtype.name)
    q = affine.quantize(x, s, Z, qmin, qmax, c, rng=shared_draw(c.rounding, x.shape))
    expected = oracle_codes(c, tuple(x.tolist()), float(s), float(Z), qmin, qmax, name)
    for value, got, wanted in zip(x.tolist(), q.tolist(), expected, strict=True):
        assert got == wanted, f"{case_of(c, s, Z, qmin, qmax)}, x = {value!r}: {got}, not {wanted}"
    return q


def assert_affine_values(affine, c, q, s, Z):
    name = np.asarray(s).dtype.name if c.scale_dtype == "input" and c.compute_dtype == "input" else "float32"
    values = affine_numbers(affine.dequantize(q, s, Z, c))
    expected = oracle_values(c, tuple(q.tolist()), float(s), float(Z), name)
    for k, got, wanted in zip(q.tolist(), values, expected, strict=True):
        assert got == wanted, f"{case_of(c, s, Z, 0, 0)}, scale in {c.scale_dtype}: {k} is {got}, not {wanted}"


def affine_literals(affine):
    """s = 1, Z = 1, codes 0 to 7: what the rules make of ties, and where the zero point is added."""
    x = frozen([-1.5, -0.5, 0.5, 1.5, 2.5, 9.0], np.float32)
    for fields, expected in (
        ({}, [0, 1, 1, 3, 3, 7]),
        ({"rounding": "half_away"}, [0, 0, 2, 3, 4, 7]),
        ({"rounding": "half_up"}, [0, 1, 2, 3, 4, 7]),
        ({"rounding": "half_down"}, [0, 0, 1, 2, 3, 7]),
        ({"rounding": "half_toward_zero"}, [0, 1, 1, 2, 3, 7]),
        ({"rounding": "floor"}, [0, 0, 1, 2, 3, 7]),
        ({"rounding": "ceil"}, [0, 1, 2, 3, 4, 7]),
        ({"rounding": "toward_zero"}, [0, 1, 1, 2, 3, 7]),
        ({"rounding": "add_half"}, [0, 1, 2, 3, 4, 7]),
        ({"zero_point_added": "before"}, [0, 0, 2, 2, 4, 7]),
        ({"zero_point_added": "before", "quotient": "fused"}, [0, 0, 2, 2, 4, 7]),
        ({"zero_point_added": "before", "rounding": "toward_zero"}, [0, 0, 1, 2, 3, 7]),
        ({"zero_point_added": "shifted"}, [0, 1, 1, 3, 3, 7]),
        ({"narrow": "low"}, [1, 1, 1, 3, 3, 7]),
        ({"narrow": "high"}, [0, 1, 1, 3, 3, 6]),
        ({"clip": "before"}, [0, 1, 1, 3, 3, 7]),
    ):
        c = fitting(**fields)
        assert affine.quantize(x, 1.0, 1, 0, 7, c).tolist() == expected, c.formula()
    per_unit = fitting(form="(q-Z)/s", quotient="multiply")
    assert affine.quantize(frozen([0.75, -0.25], np.float32), 2.0, 1, 0, 7, per_unit).tolist() == [3, 1]
    q = frozen([0, 1, 7], np.uint8)
    for fields, zero, expected in (
        ({}, 1, [-0.5, 0.0, 3.0]),
        ({"form": "s(q+Z)"}, -1, [-0.5, 0.0, 3.0]),
        ({"form": "sq+Z", "zero_point_added": "subtracted"}, 1.0, [1.0, 1.5, 4.5]),
        ({"form": "sq-Z", "zero_point_added": "subtracted"}, 1.0, [-1.0, -0.5, 2.5]),
        ({"form": "(q-Z)/s", "quotient": "multiply"}, 1, [-2.0, 0.0, 12.0]),
        ({"form": "(q-Z)/s", "quotient": "multiply", "zero_point_type": "real", "zero_point_added": "before"}, 0.5,
         [-1.0, 1.0, 13.0]),
    ):  # fmt: skip
        assert affine.dequantize(q, 0.5, zero, fitting(**fields)).tolist() == expected, fields


def affine_orders_match_the_oracle(affine):
    """Every combination of quotient, zero point, form, clip and dtype, at, beside and between the codes and ties."""
    for c in ORDERS:
        for qmin, qmax in ((-8, 7), (0, 15)):
            for s, Z in list(affine_parameters(c, qmin, qmax))[1::3]:
                x = affine_edges(c, s, Z, halves(qmin, qmax)[qmin & 1 :: 3])
                assert_affine_codes(affine, c, x, s, Z, qmin, qmax)


def affine_roundings_match_the_oracle(affine):
    for c in ROUNDINGS:
        for s, Z in list(affine_parameters(c, -8, 7))[::2]:
            x = affine_edges(c, s, Z, halves(-8, 7))
            assert_affine_codes(affine, c, x, s, Z, -8, 7)


def affine_add_half_is_one_sum(affine):
    """⌊fl(t + ½)⌋: the float below ½ rounds up; with Z before there is the one sum t + (Z + ½)."""
    below = np.nextafter(np.float32(0.5), np.float32(0))
    for fields, zero, expected in (({}, 0, 1), ({}, 8, 9), ({"zero_point_added": "before"}, 8, 9)):
        c = fitting(rounding="add_half", **fields)
        assert affine.quantize(frozen([below]), 1.0, zero, 0, 15, c).tolist() == [expected]
        exact_rule = fitting(rounding="half_up", **fields)
        if not fields:
            assert affine.quantize(frozen([below]), 1.0, zero, 0, 15, exact_rule).tolist() == [zero]
    # One sum: fl(t + fl(Z + ½)), where fl(fl(t + Z) + ½) can be another; for integers Z it is not.
    generator = np.random.default_rng(8)
    for fields, zeros in (({}, (8, 128, 1000)), ({"zero_point_type": "real"}, np.float32([0.37, 3.3, 7.77, 100.1]))):
        c = fitting(rounding="add_half", zero_point_added="before", quotient="reciprocal", **fields)
        for zero in zeros:
            ties = generator.integers(-int(zero), int(zero) + 1, 40) + 0.5 - (zero - int(zero))
            x = frozen([v for t in ties for v in neighbours(np.float32(t), np.float32, 3)], np.float32)
            assert_affine_codes(affine, c, x, np.float32(1), zero, 0, 2 * int(zero) + 3)


def affine_divides_or_multiplies(affine):
    """x/s = 127.49999 where x·(1/s) = 127.5; fused, one rounding instead of two decides."""
    x, s = frozen([0.273939937], np.float32), np.float32(0.00214854861)
    for fields, expected in (({}, 127), ({"quotient": "reciprocal"}, 128)):
        assert affine.quantize(x, s, 0, 0, 255, fitting(**fields)).tolist() == [expected]
    for quotient in ("divide", "reciprocal", "fused"):
        c = fitting(quotient=quotient, zero_point_added="before")
        for s, Z in ((np.float32(0.1), 3), (np.float32(0.0371), 100)):
            for other in ("divide", "reciprocal"):
                edges = affine_edges(c, s, Z, [Fraction(k, 2) for k in range(1, 511, 2)], steps=1)
                if other == "reciprocal":
                    edges = edges[::3]
                assert_affine_codes(affine, c, edges, s, Z, 0, 255)


def affine_computes_in_its_dtype(affine):
    """float32 stays float32; where the input's dtype counts, one float64 makes all float64."""
    for types in product(DTYPES, DTYPES):
        for quotient in ("divide", "reciprocal"):
            for added in ("after", "before", "shifted"):
                c = fitting(compute_dtype="input", scale_dtype="input", quotient=quotient, zero_point_added=added)
                for s, Z in ((types[1](0.1), 3), (types[1](0.0371), 100)):
                    x = affine_edges(c, s, Z, [Fraction(k, 2) for k in range(-1, 260, 5)], types[0])
                    assert_affine_codes(affine, c, x, s, Z, 0, 127)
    c = fitting(compute_dtype="input", zero_point_added="subtracted", form="sq+Z", scale_dtype="input")
    for types in product(DTYPES, DTYPES):
        s, Z = types[1](0.1), types[1](0.7)
        assert_affine_codes(affine, c, affine_edges(c, s, Z, halves(0, 15), types[0]), s, Z, 0, 15)


def affine_values_match_the_oracle(affine):
    """Every form, s kept in every dtype."""
    q = frozen([*range(-20, 28, 3), -128, 127], np.int8)
    for c in FORMS:
        for s, Z in affine_parameters(c, -8, 7):
            assert_affine_values(affine, c, q, s, Z)
        for s, Z in list(affine_parameters(c, -8, 7))[::4]:
            if c.compute_dtype == "input":
                assert_affine_values(affine, c, q, np.float64(s) * 0.9, Z)
    for c in FORMS:
        if c.compute_dtype == "input":
            values = affine.dequantize(q, np.float64(0.1), 3.25 if c.zero_point_type == "real" else 3, c)
            assert np.asarray(values).dtype == (np.float64 if c.scale_dtype == "input" else np.float32)


def affine_specials(affine):
    """Infinity saturates or is an error; NaN has the code its axis says, or is an error; so has 0·∞."""
    numbers = [3.4e38, -3.4e38, 1e30, -1e30, 1e-45, -1e-45, 0.0, -0.0]
    nans = {"error": None, "saturate": None, "nan_low": -8, "nan_high": 7, "nan_zero": 0, "int64": -8}
    for nonfinite, nan in nans.items():
        for fields in (
            {},
            {"clip": "before"},
            {"quotient": "reciprocal"},
            {"quotient": "reciprocal", "clip": "before"},
            {"zero_point_added": "before", "quotient": "fused"},
            {"zero_point_added": "shifted"},
            {"zero_point_added": "subtracted", "form": "sq+Z"},
            {"rounding": "add_half"},
            {"rounding": "half_away", "zero_point_added": "before", "clip": "before"},
            {"rounding": "stochastic"},
        ):
            if nonfinite == "int64" and "clip" in fields:
                continue
            c = fitting(nonfinite=nonfinite, **fields)
            Z = np.float32(0.5) if c.form == "sq+Z" else -3
            assert_affine_codes(affine, c, frozen(numbers, np.float32), np.float32(0.1), Z, -8, 7)
            for x, expected in ((np.inf, -8 if nonfinite == "int64" else 7), (-np.inf, -8), (np.nan, nan)):
                wanted = None if nonfinite == "error" else expected
                for size in (1, 3):
                    array = frozen([0.1, 0.2, x][-size:], np.float32)
                    try:
                        got = affine.quantize(
                            array, np.float32(0.1), Z, -8, 7, c, rng=shared_draw(c.rounding, array.shape)
                        ).tolist()[-1]
                    except ValueError:
                        got = None
                    assert got == wanted, f"{c.formula()}, {nonfinite}: {x} gives {got}, not {wanted}"


def affine_signed_scales(affine):
    """s < 0 turns the codes around; s = 0 gives the code of 0."""
    signed = fitting(scale="signed", zero_point="middle", zero_range="zero", quotient="reciprocal")
    x = frozen([-2.0, -0.9, 0.0, 0.4, 1.0, np.inf, -np.inf], np.float32)
    assert affine.quantize(x, -0.25, 8, 0, 15, signed).tolist() == [15, 12, 8, 6, 4, 0, 15]
    assert affine.dequantize(frozen([0, 8, 15], np.uint8), -0.25, 8, signed).tolist() == [2.0, 0.0, -1.75]
    assert affine.quantize(x[:5], 0.0, 8, 0, 15, signed).tolist() == [8] * 5
    for added in ("after", "before"):
        c = fitting(
            scale="signed", zero_point="middle", zero_range="zero", quotient="reciprocal", zero_point_added=added
        )
        for s in (-0.1, -0.0371, 0.0):
            s = np.float32(s)
            x = affine_edges(c, s, 8, halves(0, 15)) if s else frozen([-1.0, 0.0, 3.0], np.float32)
            assert_affine_codes(affine, c, x, s, 8, 0, 15)


def affine_narrow(affine):
    """The unused code is never given, and that of NaN is neither."""
    x = frozen([-9e9, -3.0, 0.2, 3.0, 9e9], np.float32)
    for narrow, (low, high) in (("no", (-4, 3)), ("low", (-3, 3)), ("high", (-4, 2))):
        for clip in ("after", "before"):
            q = affine.quantize(x, 0.5, 0, -4, 3, fitting(narrow=narrow, clip=clip))
            assert (min(q.tolist()), max(q.tolist())) == (low, high)


def affine_clip_commutes(affine):
    """Before or after rounding is the same for numbers: rounding is monotone and keeps the integers at the ends."""
    x = frozen([k / 8 for k in range(-90, 91)] + [1e30, -1e30], np.float32)
    for rounding in AXES["rounding"]:
        for added in ("after", "before"):
            a, b = (
                affine.quantize(x, 0.5, 3, 0, 15, fitting(rounding=rounding, zero_point_added=added, clip=clip),
                                rng=shared_draw(rounding, x.shape)).tolist()
                for clip in ("after", "before")
            )  # fmt: skip
            assert a == b


# Of the conventions with an exact rule for ties, those which differ in the order of their operations.
NEAREST_ORDERS = [
    fitting(**fields)
    for fields in (
        {},
        {"quotient": "reciprocal", "rounding": "half_away"},
        {"zero_point_added": "before", "clip": "before"},
        {"zero_point_added": "before", "quotient": "fused", "rounding": "half_down"},
        {"zero_point_added": "before", "quotient": "reciprocal", "rounding": "add_half"},
        {"zero_point_added": "shifted", "rounding": "half_up"},
        {"zero_point_added": "shifted", "rounding": "add_half"},
        {"form": "s(q+Z)", "rounding": "half_toward_zero"},
        {"form": "sq+Z", "zero_point_added": "subtracted"},
        {"form": "sq-Z", "zero_point_added": "subtracted", "quotient": "reciprocal"},
        {"form": "(q-Z)/s", "quotient": "multiply"},
        {"form": "(q-Z)/s", "quotient": "multiply", "zero_point_type": "real", "zero_point_added": "before"},
        {"compute_dtype": "input", "scale_dtype": "input", "range_dtype": "input"},
    )
]


def affine_slack(c, s, Z, qmin, qmax):
    """What floats can move a quotient by, in codes; times a step it is what they can add to an error.

    No step of any convention has an operand beyond P = |qmin| + |qmax| + |Z| + 2 codes, where an offset counts as |Z|/s
    codes; each of at most six roundings on the way to a code (of s, 1/s, the offset, the quotient and two sums) and of
    three on the way back errs by u·P: nine in all, and 10 with the terms in u².
    """
    step, zero = abs(exact(s)), abs(exact(Z))
    if c.form in ("sq+Z", "sq-Z"):
        zero /= step
    P = abs(qmin) + abs(qmax) + zero + 2
    return 10 * Fraction(1, 2**24) * P


def step_of(c, s):
    """The distance between two codes' numbers."""
    return 1 / exact(s) if c.form == "(q-Z)/s" else abs(exact(s))


def affine_error_within_bound(affine):
    """|x − x̂| ≤ s/2 for the nearest rules, < s for the others, and the slack, between the ends."""
    directed = [fitting(rounding=rule) for rule in ("floor", "ceil", "toward_zero", "stochastic")]
    reached = Fraction(0)
    for c in [*NEAREST_ORDERS, *directed]:
        for s, Z in affine_parameters(c, -8, 7):
            x = affine_edges(c, s, Z, halves(-8, 7)[2:-2])
            q = affine.quantize(x, s, Z, -8, 7, c, rng=shared_draw(c.rounding, x.shape))
            restored = affine_numbers(affine.dequantize(q, s, Z, c))
            ends = sorted(affine_oracle.ideal_value(Fraction(k), exact(s), exact(Z), c) for k in (-8, 7))
            step = step_of(c, s)
            most = step / (1 if c in directed else 2) + step * affine_slack(c, s, Z, -8, 7)
            for value, back in zip(affine_numbers(x), restored, strict=True):
                if ends[0] <= value <= ends[1]:
                    error = abs(value - back)
                    reached = max(reached, error / step)
                    assert error <= most, f"{case_of(c, s, Z, -8, 7)}, x = {float(value)!r}: off by {float(error)}"
    assert reached > Fraction(9, 10)


def affine_round_trip(affine):
    """quantize(dequantize(q)) = q for all codes and nearest rules, as the slack is far below half a code.

    For floor, ceil and the like it holds where nothing is rounded, as with s a power of 2, and not in general: of the
    codes 0 to 255 at s = 0.0371 some come back as their neighbour.
    """
    for qmin, qmax, dtype in ((-8, 7, np.int8), (0, 255, np.uint8), (-128, 127, np.int8), (-32768, 32767, np.int16)):
        for c in NEAREST_ORDERS:
            for s, Z in affine_parameters(c, qmin, qmax):
                assert affine_slack(c, s, Z, qmin, qmax) < Fraction(1, 4)
                q = frozen(range(qmin, qmax + 1, 1 if qmax < 300 else 997), dtype)
                x = affine.dequantize(q, s, Z, c)
                got = affine.quantize(x, s, Z, qmin, qmax, c)
                assert got.dtype == dtype
                assert got.tolist() == q.tolist(), case_of(c, s, Z, qmin, qmax)
    q = frozen(range(256), np.uint8)
    for rounding in ("floor", "ceil", "toward_zero", "stochastic"):
        for quotient in ("divide", "reciprocal"):
            c = fitting(rounding=rounding, quotient=quotient)
            for s in (0.25, 2.0):
                x = affine.dequantize(q, s, 3, c)
                back = affine.quantize(x, s, 3, 0, 255, c, rng=shared_draw(rounding, x.shape))
                assert back.tolist() == q.tolist()
    c = fitting(rounding="floor")
    lost = affine.quantize(affine.dequantize(q, 0.0371, 3, c), 0.0371, 3, 0, 255, c) != q
    assert lost.any()


def affine_zero_is_exact(affine):
    """A range that holds 0 and an integer zero point: 0 has the code Z, which comes back as 0."""
    zero = frozen([0.0, -0.0], np.float32)
    for c in NEAREST_ORDERS:
        if c.zero_point_type == "real":
            continue
        for low, high in ((-1.0, 3.0), (-0.7, 0.01), (0.0, 1.0), (-5.0, 0.0), (2.0, 3.0), (-3.0, -2.0)):
            s, Z = affine.choose(low, high, 0, 255, c)
            q = affine.quantize(zero, s, Z, 0, 255, c)
            assert q.tolist() == [-Z if c.form == "s(q+Z)" else Z] * 2
            back = affine.dequantize(q, s, Z, c)
            assert back.tolist() == [0.0, 0.0]
            assert not np.signbit(back).any()


def affine_floats_stay_beside_the_ideal(affine):
    """The code in floats and in exact arithmetic differ by one at most, and only next to a tie."""
    differ = 0
    for c in NEAREST_ORDERS:
        for (s, Z), size in zip(affine_parameters(c, 0, 255), (1, 1, 1, 2, 2, 2, 2, 2, 2), strict=False):
            positions = [Fraction(k, 2) for k in range(1, 511, 6 // size)]
            x = affine_edges(c, s, Z, positions)
            q = affine.quantize(x, s, Z, 0, 255, c)
            slack = affine_slack(c, s, Z, 0, 255)
            for value, k in zip(affine_numbers(x), q.tolist(), strict=True):
                ideal = affine_oracle.ideal_code(value, exact(s), exact(Z), 0, 255, c)
                if k != ideal:
                    differ += 1
                    place = affine_oracle.ideal_position(value, exact(s), exact(Z), c)
                    if c.zero_point_type == "real" and c.zero_point_added == "after":
                        place -= exact(Z)
                    from_tie = abs(place - Fraction(math.floor(place)) - Fraction(1, 2))
                    assert abs(k - ideal) == 1
                    assert from_tie <= slack, f"{case_of(c, s, Z, 0, 255)}, x = {float(value)!r}: {k}, not {ideal}"
    assert differ > 0


def affine_fake_is_dequantize_of_quantize(affine):
    """Bit for bit, the signs of zeros too."""
    for c in [*ORDERS[::3], *ROUNDINGS, *NEAREST_ORDERS, *FORMS]:
        for s, Z in affine_parameters(c, 0, 15):
            for zero in (Z, np.float32(0) if c.zero_point_type == "real" else 0):
                x = affine_edges(c, s, zero, halves(0, 15)[::3])
                x = frozen([*x.tolist(), 0.0, -0.0, -0.3 * float(step_of(c, s)), -1e-30], np.float32)
                rngs = [shared_draw(c.rounding, x.shape) for _ in range(2)]
                fake = affine.fake_quantize(x, s, zero, 0, 15, c, rng=rngs[0])
                expected = affine.dequantize(affine.quantize(x, s, zero, 0, 15, c, rng=rngs[1]), s, zero, c)
                assert fake.dtype == expected.dtype
                same = fake.view(f"u{fake.itemsize}") == expected.view(f"u{fake.itemsize}")
                first = int(np.argmin(same))
                case = case_of(c, s, zero, 0, 15)
                assert same.all(), f"{case}, x = {x[first]!r}: {fake[first]!r}, not {expected[first]!r}"


AFFINE = (
    affine_literals,
    affine_orders_match_the_oracle,
    affine_roundings_match_the_oracle,
    affine_add_half_is_one_sum,
    affine_divides_or_multiplies,
    affine_computes_in_its_dtype,
    affine_values_match_the_oracle,
    affine_specials,
    affine_signed_scales,
    affine_narrow,
    affine_clip_commutes,
    affine_error_within_bound,
    affine_round_trip,
    affine_zero_is_exact,
    affine_floats_stay_beside_the_ideal,
    affine_fake_is_dequantize_of_quantize,
)


# qparams: choose(low, high, qmin, qmax, convention)


def choosers(**fixed):
    """Return the conventions with these fields and every value of every axis of the range, a few axes at a time."""
    found = [
        fitting(**fields, **fixed)
        for fields in (
            *axis_values("include_zero", "scale", "zero_point"),
            *axis_values("zero_point", "zero_point_from", "range_dtype"),
            *axis_values("zero_range", "zero_point", "include_zero"),
            *axis_values("zero_range", "scale", "zero_point"),
            *axis_values("narrow", "scale", "zero_point"),
            *(
                fields | order
                for fields in axis_values("form", "zero_point", "scale", "zero_point_type")
                for order in (
                    {},
                    {"zero_point_added": "before"},
                    {"zero_point_added": "subtracted"},
                    {"quotient": "multiply"},
                    {"quotient": "multiply", "zero_point_added": "before"},
                )
            ),
            *axis_values("nudge", "zero_point", "include_zero"),
            *axis_values("compute_dtype", "range_dtype", "zero_point", "zero_point_from"),
            *(
                fields | {"zero_point_type": "real", "zero_point_added": "before"} | inverse
                for fields in axis_values("zero_point_from", "range_dtype", "include_zero", "compute_dtype")
                for inverse in ({}, {"form": "(q-Z)/s", "quotient": "multiply"})
            ),
            *({"zero_point_rounding": r, "zero_point": z} for r in RULES[:-1] for z in AXES["zero_point"]),
            *(
                fields | {"smallest_range": width, "smallest_scale": scale}
                for fields in axis_values("scale", "zero_point")
                for width, scale in ((0.5, 0.0), (0.0, 0.01), (0.5, 0.1))
            ),
        )
    ]
    return list(dict.fromkeys(c for c in found if c is not None))


# (low, high) as multiples of 1/8: generic, one-signed, symmetric, constant; and ties of zero points at s = 1 and s = ¼
RANGE_PAIRS = [
    (-1.0, 3.0), (-0.7, 2.3), (0.0, 1.0), (-1.0, 0.0), (2.0, 3.0), (-3.0, -2.0), (-1.0, 1.0), (-2.5, 2.5), (0.1, 0.3),
    (-0.1, 0.03), (-1000.1, 3.3), (-1e-3, 5e-3), (-1e30, 2e30), (-3e-30, 1e-30), (-4.0, 3.5),
]  # fmt: skip
TIE_PAIRS = [(-k - 0.5, n - k - 0.5) for n in (15, 255) for k in (0, 1, 2, 7, n - 2)] + [
    ((-k - 0.5) * 0.1, (15 - k - 0.5) * 0.1) for k in range(15)
]  # fmt: skip
EMPTY_PAIRS = [(0.0, 0.0), (5.5, 5.5), (-5.5, -5.5)]


def assert_chosen(qparams, c, low, high, qmin, qmax):
    """Scale and zero point, or the error, are the oracle's."""
    given = np.asarray(low).dtype.name
    if c.range_dtype == "float32" and given == "float64":
        low, high, given = np.float32(low), np.float32(high), "float32"
    expected = oracle_choice(c, float(low), float(high), qmin, qmax, given)
    try:
        s, Z = qparams.choose(low, high, qmin, qmax, c)
        got = (exact(s), exact(Z))
    except ValueError:
        got = None
    shown = [None if pair is None else tuple(map(float, pair)) for pair in (got, expected)]
    assert got == expected, f"{c}, codes {qmin} to {qmax}, [{low!r}, {high!r}]: {shown[0]}, not {shown[1]}"
    if got is not None:
        assert np.asarray(Z).dtype == (np.int32 if c.zero_point_type == "integer" else s.dtype), f"{c}: {Z.dtype}"


def both_signs(c):
    """Codes for which every scale of the convention has a divisor: those of both signs where Z = 0 divides."""
    return ((-8, 7), (-128, 127)) if c.zero_point == "zero" else ((0, 15), (-8, 7))


def qparams_literals(qparams):
    """[−1, 3] and codes −8 to 7."""
    for fields, s, Z in (
        ({}, 4 / 15, -4),  # −8 + 3.75
        ({"zero_point": "rounded_quotient"}, 4 / 15, -4),
        ({"scale": "symmetric_qmax", "zero_point": "zero"}, 3 / 7, 0),
        ({"scale": "symmetric_half", "zero_point": "zero"}, 3 / 7.5, 0),
        ({"scale": "symmetric_half", "zero_point": "middle"}, 3 / 7.5, 0),
        ({"scale": "symmetric_qmin", "zero_point": "zero"}, 3 / 8, 0),
        ({"scale": "signed", "zero_point": "zero"}, -3 / 8, 0),
        ({"scale": "both_ends", "zero_point": "zero"}, 3 / 7, 0),
        ({"scale": "mirrored", "zero_point": "middle"}, 6 / 15, 0),
        ({"scale": "symmetric_qmax", "zero_point": "zero", "narrow": "low"}, 3 / 7, 0),
        ({"scale": "symmetric_qmin", "zero_point": "zero", "narrow": "low"}, 3 / 7, 0),
        ({"scale": "symmetric_half", "zero_point": "zero", "narrow": "high"}, 3 / 7, 0),
        ({"narrow": "low"}, 4 / 14, -4),  # −7 + 3.5 = −3.5, to even
        ({"nudge": "range"}, 3 / 11, -4),
        ({"smallest_range": 6.0}, 6 / 15, -6),  # −8 + 2.5 = −5.5
        ({"smallest_scale": 0.5}, 0.5, -6),
        ({"form": "sq+Z", "zero_point_added": "subtracted"}, 4 / 15, -1.0),
        ({"form": "sq-Z", "zero_point_added": "subtracted"}, 4 / 15, 1.0),
        ({"form": "(q-Z)/s", "quotient": "multiply"}, 15 / 4, -4),
        ({"zero_point_type": "real", "zero_point_added": "before"}, 4 / 15, -8 + 3.75),
    ):
        c = fitting(**fields)
        got = qparams.choose(-1.0, 3.0, -8, 7, c)
        assert abs(float(got[0]) - s) <= 2**-23 * abs(s), f"{fields}: {got}"
        assert abs(float(got[1]) - Z) <= 1e-6, f"{fields}: {got}"
    # the form whose Z is added has the negative of a code
    assert qparams.choose(-1.0, 3.0, 0, 255, fitting(form="s(q+Z)"))[1] == -64


def qparams_match_the_oracle(qparams):
    """Every axis value, on generic ranges."""
    for c in CHOOSERS:
        for qmin, qmax in both_signs(c)[:1]:
            for low, high in RANGE_PAIRS:
                assert_chosen(qparams, c, np.float32(low), np.float32(high), qmin, qmax)


def qparams_on_ties(qparams):
    """Zero points at ties: s rounded or not, in float32 or float64, before the subtraction or after it."""
    for c in CHOOSERS:
        if c.zero_point in ("rounded_quotient", "rounded_difference", "nearer_end"):
            for qmin, qmax in ((0, 15), (-127, 127)):
                for low, high in TIE_PAIRS:
                    assert_chosen(qparams, c, np.float32(low), np.float32(high), qmin, qmax)


def qparams_in_float64(qparams):
    """Ranges of float64: computed, and given out, in the dtype the convention names."""
    for c in CHOOSERS:
        if c.range_dtype != "float32" and (c.compute_dtype == "input" or c.range_dtype == "float64"):
            for low, high in RANGE_PAIRS[:8] + TIE_PAIRS[::5]:
                low, high = np.float64(low) * 1.1, np.float64(high) * 1.1
                assert_chosen(qparams, c, low, high, *both_signs(c)[0])
                s, _ = qparams.choose(low, high, *both_signs(c)[0], c)
                assert s.dtype == (np.float32 if c.compute_dtype == "float32" else np.float64)


def qparams_of_empty_ranges(qparams):
    """What an empty or a very small range becomes, or that it is an error."""
    for c in CHOOSERS:
        if c.scale == "both_ends" or (c.scale == "mirrored" and c.smallest_range):
            continue  # a quotient of 0 by 0; mirrored about 0 and raised, nothing says which comes first
        for low, high in EMPTY_PAIRS if c.scale == "asymmetric" else EMPTY_PAIRS[:1]:
            assert_chosen(qparams, c, np.float32(low), np.float32(high), *both_signs(c)[0])
    for zero_range, s, Z in (
        ("one", 1.0, 0), ("zero", 0.0, 0), ("one_below_normal", 1.0, 0), ("epsilon", 2.0**-23, 0), ("tenth", 0.1, 0),
        ("unit_width", 1 / 15, 0), ("unit_ends", 2 / 15, 7), ("grown", 2e-6 / 15, 8),
    ):  # fmt: skip
        # fl(1/fl(2/15)) is the float below 7.5; fl(fl(1e-6)/fl(2e-6/15)) is 7.5, which rounds to 8
        quotient = "reciprocal" if zero_range == "zero" else "divide"
        got = qparams.choose(0.0, 0.0, 0, 15, fitting(zero_range=zero_range, quotient=quotient))
        assert abs(float(got[0]) - s) <= 2**-23 * s, f"{zero_range}: {got}"
        assert got[1] == Z, f"{zero_range}: {got}"
    try:
        got = qparams.choose(0.0, 0.0, 0, 15, fitting(zero_range="error"))
    except ValueError:
        got = None
    assert got is None


def qparams_of_small_ranges(qparams):
    """Where the axis asks for a limit: below, at, and above it."""
    for zero_range, limits in (
        ("one_below_normal", (2.0**-126 * 15,)),
        ("tenth", (6.1e-5 * 15, 2.0**-128 * 15)),
        ("one_below_1e-4", (1e-4,)),
        ("grown", (1e-6,)),
        ("epsilon", (2.0**-149,)),
        ("zero", (2.0**-149,)),
    ):
        inverse = {"form": "(q-Z)/s", "quotient": "multiply"} if zero_range == "one_below_1e-4" else {}
        quotient = {"quotient": "reciprocal"} if zero_range == "zero" else {}
        c = fitting(
            zero_range=zero_range, range_dtype="float64" if zero_range == "tenth" else "float32", **inverse, **quotient
        )
        for limit in limits:
            for high in [*neighbours(limit, np.float32), np.float32(limit / 3), np.float32(limit * 3)]:
                if high <= 0:
                    continue
                for share in (0.0, 0.25, 1.0):
                    low = np.float32(-share * float(high))
                    top = np.float32(0) if share == 1.0 else high
                    assert_chosen(qparams, c, low, top, 0, 15)


def qparams_cover_the_range(qparams):
    """The lowest and the highest code's number lie within half a step of the ends; with the range nudged, beyond them.

    s = (high − low)/(qmax − qmin) puts low at Z₀ = qmin − low/s, a real number. Rounding Z₀ to Z moves the numbers of
    both ends by |Z − Z₀|·s ≤ s/2, and the slack of floats adds to that. A Z that is rounded to an end of the codes
    leaves no code for a low < 0 (a high > 0) beyond it, whatever the scale.
    """
    for fields in ({}, {"zero_point": "rounded_quotient"}, {"zero_point": "nearer_end"}, {"nudge": "range"}):
        c = fitting(**fields)
        for pair in RANGE_PAIRS + TIE_PAIRS:
            low, high = (exact(np.float32(end)) for end in pair)
            s, Z = map(exact, qparams.choose(np.float32(pair[0]), np.float32(pair[1]), 0, 255, c))
            low, high = min(low, Fraction(0)), max(high, Fraction(0))
            slack = s * 600 * Fraction(1, 2**24)
            fits = not (Z == 0 and low < 0) and not (Z == 255 and high > 0)
            most = slack + (0 if "nudge" in fields and fits else s * Fraction(51, 100))
            assert s * (0 - Z) <= low + most
            assert s * (255 - Z) >= high - most


CHOOSERS = choosers()
QPARAMS = (
    qparams_literals,
    qparams_match_the_oracle,
    qparams_on_ties,
    qparams_in_float64,
    qparams_of_empty_ranges,
    qparams_of_small_ranges,
    qparams_cover_the_range,
)
