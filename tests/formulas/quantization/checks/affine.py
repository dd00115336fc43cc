"""What every implementation of the affine quantizer must satisfy: functions that take one and assert."""

import math
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from refcompress.formulas.quantization.convention import AXES
from tests.formulas.quantization.checks.common import (
    DTYPES,
    axis_values,
    draw,
    exact,
    fitting,
    frozen,
    neighbours,
    shared_draw,
)
from tests.oracles import affine as affine_oracle
from tests.oracles import rounding as rounding_oracle

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
