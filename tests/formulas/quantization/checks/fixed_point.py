"""What every implementation of the fixed-point quantizer must satisfy: functions that take one and assert."""

import numpy as np

from tests.formulas.quantization.checks.common import (
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
from tests.oracles import fixed_point as fixed_point_oracle


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
    fixed_small_domain,
    fixed_codes_and_errors,
    fixed_saturates,
    fixed_per_channel,
    fixed_error_bound_literals,
    fixed_stochastic,
    fixed_largest_fraction_bits,
)
