"""What every implementation of the uniform quantizer must satisfy: functions that take one and assert."""

from fractions import Fraction
from functools import cache

import numpy as np

from tests.formulas.quantization.checks.common import (
    DRAW,
    DTYPES,
    NEAREST,
    RULES,
    Draws,
    draw,
    exact,
    frozen,
    neighbours,
    shared_draw,
)
from tests.oracles import rounding as rounding_oracle
from tests.oracles import uniform as uniform_oracle

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
    uniform_scale_matches_the_oracle,
    uniform_scale_of_subnormal_widths,
    uniform_scale_per_channel,
    uniform_small_domain,
    uniform_codes_are_exact,
    uniform_promotes,
    uniform_saturates,
    uniform_dequantize_matches_the_oracle,
    uniform_error_within_bound,
    uniform_error_bound_literals,
    uniform_slack_is_not_silly,
    uniform_slack_per_channel,
    uniform_more_bits_can_raise_an_error,
    uniform_per_channel,
    uniform_stochastic,
    uniform_fake_matches_the_oracle,
    uniform_fake_saturates,
    uniform_fake_per_channel,
    uniform_fake_has_the_codes_zero,
)
