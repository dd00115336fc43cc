"""What every implementation of choose must satisfy: functions that take one and assert."""

from fractions import Fraction
from functools import cache

import numpy as np

from refcompress.formulas.quantization.convention import AXES
from tests.formulas.quantization.checks.common import RULES, axis_values, exact, fitting, neighbours
from tests.oracles import qparams as qparams_oracle


@cache
def oracle_choice(c, low, high, qmin, qmax, given):
    return qparams_oracle.choose(exact(low), exact(high), qmin, qmax, c, given)


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
