"""What every implementation of rounding and of the quantizers must satisfy.

Every function takes the implementation (a module, or anything with the same names) and asserts; test_<stem>.py gives it
the package's module, test_mutants.py wrong ones. Expected values are literals or come from the exact oracles.
"""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np

from tests.oracles import decimal as decimal_oracle
from tests.oracles import fixed_point as fixed_point_oracle
from tests.oracles import rounding as rounding_oracle
from tests.oracles import uniform as uniform_oracle

DTYPES = (np.float32, np.float64)
NEAREST = ("half_even", "half_away", "half_up")
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


def rounding_keeps_the_sign_of_zero(apply):
    for dtype in DTYPES:
        for rule in RULES:
            t = frozen([0.0, -0.0], dtype)
            result = apply(t, rule=rule, rng=shared_draw(rule, t.shape))
            assert result.tolist() == [0.0, 0.0]
            assert np.signbit(result).tolist() == [False, True], f"{rule} of -0.0 gives 0.0"


def rounding_moves_less_than_one(apply):
    """|round(t) − t| ≤ ½ for the nearest rules, < 1 for the others; and round is monotone."""
    generator = np.random.default_rng(11)
    for dtype in DTYPES:
        t = np.sort(generator.uniform(-20, 20, 301).astype(dtype))
        for rule in RULES:
            result = apply(t, rule=rule, rng=shared_draw(rule, t.shape))
            moved = [abs(exact(a) - exact(b)) for a, b in zip(result, t, strict=True)]
            assert max(moved) <= Fraction(1, 2) if rule in NEAREST else max(moved) < 1
            assert (np.diff(result) >= 0).all()


def rounding_stochastic_counts(apply):
    """Over the eight draws 0, 1/8 … 7/8 exactly j of 8 round n + j/8 up: unbiased, and never an integer."""
    u = np.arange(8) / 8
    for dtype in DTYPES:
        for n in (-3, -1, 0, 4):
            for j in range(8):
                t = frozen(np.full(8, n + j / 8), dtype)
                result = apply(t, rule="stochastic", rng=Draws(u))
                assert result.tolist() == [n + 1] * j + [n] * (8 - j)
                assert result.sum() == 8 * n + j  # the mean is t


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
    rounding_keeps_the_sign_of_zero,
    rounding_moves_less_than_one,
    rounding_stochastic_counts,
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
    values = set()
    for q in codes:
        for part in (Fraction(0), Fraction(1, 2)):
            centre = rounding_oracle.to_format(exact(s) * (q + part) + exact(z), np.dtype(dtype).name)
            values.update(neighbours(float(centre), dtype, steps))
    return frozen(sorted(values), dtype)


def assert_codes(uniform, w, s, z, bits, rule, u=DRAW):
    """The codes are those of fl(fl(w − z)/s) rounded exactly, in the narrowest type."""
    name = np.result_type(w, s, z).name
    q = uniform.quantize(w, s, z, bits, rounding=rule, rng=shared_draw(rule, w.shape, u))
    assert q.dtype == (np.uint8 if bits <= 8 else np.uint16)
    assert q.shape == w.shape
    for place in np.ndindex(w.shape):
        expected = uniform_oracle.float_code(exact(w[place]), exact(s), exact(z), bits, rule, name, draw(rule, u))
        case = f"{rule}, {bits} bits, s={s!r}, z={z!r}, w={w[place]!r}"
        assert q[place] == expected, f"{case}: {q[place]}, not {expected}"
    return q


def assert_error_within_bound(uniform, w, low, high, s, z, bits, rule):
    """|w − w'| ≤ error_bound + float_slack in exact arithmetic, from low to high and to the value of the last code."""
    q = uniform.quantize(w, s, z, bits, rounding=rule, rng=shared_draw(rule, w.shape))
    restored = uniform.dequantize(q, s, z)
    allowed = exact(uniform.error_bound(s, rounding=rule)) + exact(uniform.float_slack(s, z, bits))
    top = max(exact(high), exact(z) + exact(s) * (2**bits - 1))  # s is rounded: either can be the larger
    for value, back in zip(w, restored, strict=True):
        if exact(low) <= exact(value) <= top:
            error = abs(exact(value) - exact(back))
            case = f"{rule}, {bits} bits, s={s!r}, z={z!r}, w={value!r}"
            assert error <= allowed, f"{case}: off by {float(error)} > {float(allowed)}"


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


def uniform_more_bits_do_not_raise_the_bound(uniform):
    for dtype in DTYPES:
        for low, high in RANGES.values():
            bounds = []
            for bits in range(1, 17):
                try:
                    s, _ = uniform.scale_and_offset(dtype(low), dtype(high), bits)
                except ValueError:  # s underflows from here on
                    break
                bounds.append(uniform.error_bound(s))
            assert len(bounds) >= 10
            assert all(a >= b for a, b in pairwise(bounds))


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


def uniform_constant_is_exact(uniform):
    for dtype in DTYPES:
        for value in (0.0, 0.1, -7.3e20):
            w = frozen(np.full((2, 3), value), dtype)
            for bits in (1, 8, 16):
                s, z = uniform.scale_and_offset(w.min(), w.max(), bits)
                q = uniform.quantize(w, s, z, bits)
                assert not q.any()
                assert uniform.dequantize(q, s, z).tobytes() == w.tobytes()


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
        numbers = exact(w[place]), exact(s), exact(z)
        expected = uniform_oracle.float_restored(*numbers, bits, rule, names, draw(rule))
        case = f"{rule}, {bits} bits, s={s!r}, z={z!r}, w={w[place]!r}"
        assert exact(fake[place]) == expected, f"{case}: {fake[place]!r}, not {float(expected)!r}"
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
    uniform_more_bits_do_not_raise_the_bound,
    uniform_more_bits_can_raise_an_error,
    uniform_constant_is_exact,
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
