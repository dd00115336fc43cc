"""Vectors of quantized multipliers: a real number as a 31-bit integer and a power of two."""

from fractions import Fraction

import numpy as np

from tests.oracles import multiplier as oracle
from tests.oracles.rounding import to_format, to_integer
from tests.vectors.integers import INT32, typed
from tests.vectors.specification import Function, Mutant, Stem

CONVENTIONS = ("half_away", "half_even")

REALS = (
    0.375, 0.5, 1.0, 0.25, 3.0, 0.75, 0.1, 0.3, 1e-5, 0.0, 2.0**-32, 2.0**-33, 1e-30, 2.0**29, 2.0**30 - 0.5,
    2.0**-32 * (1 - 2.0**-31), 2.0**-32 * (1 - 2.0**-33), 1 - 2.0**-31, 1 - 2.0**-32, 1 - 2.0**-33, 1 - 3 * 2.0**-33,
    *((2**31 + odd) * 2.0 ** (shift - 32) for shift in (0, 1, -7) for odd in (1, 3)),
)  # fmt: skip


def pair(M, shift):
    return {"multiplier": np.array(M, np.int64), "shift": np.array(shift, np.int64)}


def normalized(real):
    """(q, shift), ½ ≤ q < 1."""
    shift = 0
    while real >= Fraction(2) ** shift:
        shift += 1
    while real and 2 * real < Fraction(2) ** shift:
        shift -= 1
    return real / Fraction(2) ** shift, shift


def quantized(convention, real, bits=31, rule=None, carry=True, smallest=-31):
    """The formula, each step of which can be another one."""
    q, shift = normalized(Fraction(float(real)))
    M = to_integer(q * 2**bits, rule or convention)
    if 2**bits == M and carry:
        M, shift = M // 2, shift + 1
    return pair(M, shift) if shift >= smallest else pair(0, 0)


def with_(sentence, applies=lambda convention: True, **changes):
    return Mutant(sentence, lambda convention, real: quantized(convention, real, **changes), applies)


def saturated(convention, real):
    found = quantized(convention, real, carry=False)
    return pair(min(int(found["multiplier"]), 2**31 - 1), found["shift"])


def dropped_before_carry(convention, real):
    return pair(0, 0) if normalized(Fraction(float(real)))[1] < -31 else quantized(convention, real)


def shifted(by, sign=1):
    def answer(convention, real):
        found = quantized(convention, real)
        return pair(found["multiplier"], sign * found["shift"] + by) if found["multiplier"] else found

    return answer


def from_one_to_two(convention, real):
    found = quantized(convention, real)
    return pair(found["multiplier"] // 2, found["shift"] + 1) if found["multiplier"] else found


def right_shifts_only(convention, real):
    found = quantized(convention, real)
    return pair(found["multiplier"], min(int(found["shift"]), 0))


QUANTIZE_MULTIPLIER = Function(
    summary="a real multiplier as M · 2^(shift − 31), M of 31 bits, so that 2^30 ≤ M; an M that rounds up to 2^31 is "
    "2^30 with the shift one more; 0, and what then has a shift below −31, as M = 0",
    parameters={"real": "float64 scalar, from 0 to below 2^30"},
    returns={
        "multiplier": "integer scalar, M: 0, or from 2^30 to 2^31 − 1",
        "shift": "integer scalar, from −31 to 30, above 0 to the left; 0 where M is",
    },
    conventions=tuple((rule,) for rule in CONVENTIONS),
    candidates=lambda convention: ({"real": np.float64(real)} for real in REALS),
    expected=lambda convention, real: pair(*oracle.quantize_multiplier(Fraction(float(real)), convention)),
    mutants={
        "rounding: half_away": with_("rounded half away from zero", lambda c: c != "half_away", rule="half_away"),
        "rounding: half_even": with_("rounded half to even", lambda c: c != "half_even", rule="half_even"),
        "truncated": with_("what is below the last bit is cut off", rule="floor"),
        "carry missing": with_("where rounding makes M = 2^31, it stays 2^31", carry=False),
        "carry: saturates": Mutant("where rounding makes M = 2^31, it becomes 2^31 − 1", saturated),
        "float32": Mutant(
            "the real number is rounded to float32 first",
            lambda c, real: quantized(c, to_format(Fraction(float(real)), "float32")),
        ),
        "30 bits": with_("M has 30 bits, not 31", bits=30),
        "15 bits": with_("M has 15 bits, not 31", bits=15),
        "normalized from 1 to 2": Mutant("M is from 2^29 to 2^30, the shift one more", from_one_to_two),
        "shift: right is positive": Mutant("the shift has the other sign", shifted(0, -1)),
        "shift: off by one": Mutant("the shift is one too small", shifted(-1)),
        "shift: 31 included": Mutant("the shift belongs to M as an integer", shifted(-31)),
        "no left shift": Mutant("multipliers of 1 and more lose their shift", right_shifts_only),
        "tiny kept": with_("no limit: shifts below −31", smallest=-1000),
        "tiny: too early": with_("M = 0 from a shift of −31 on", smallest=-30),
        "tiny: before the carry": Mutant("M = 0 for what would be rounded up to a shift of −31", dropped_before_carry),
    },
    provenance="tests/oracles/multiplier.py, fractions",
    holds=lambda inputs: {"multiplier": INT32, "shift": (-31, 30)},
)

STEM = Stem({"quantize_multiplier": typed(QUANTIZE_MULTIPLIER)})
