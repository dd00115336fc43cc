"""Conventions in vectors: which are the same function, and what they are given."""

from functools import cache
from typing import NamedTuple

import numpy as np

from refcompress.formulas.quantization.conventions import PRESETS
from tests.oracles.conventions import BYTE, SIGNED, SIGNED_4, TWINS, UNSIGNED_4

RANGES = BYTE, SIGNED, UNSIGNED_4, SIGNED_4


class Steps(NamedTuple):
    """What of a convention the codes of finite numbers depend on."""

    rounding: str
    quotient: str
    zero_point_added: str
    form: str
    narrow: str
    nonfinite: str  # "int64" or "saturate"
    clip = "after"  # no code depends on it


class Domain(NamedTuple):
    """What a convention is given."""

    ranges: tuple[tuple[int, int], ...]  # those that its library has
    real: bool  # its zero point is a real number
    zero: bool  # its zero point is always 0
    signed: bool  # its scale can be below 0, and its zero point is the middle code
    empty: bool  # its scale can be 0
    name: str  # the format of its scale


@cache
def steps(convention):
    c = PRESETS[convention]
    nonfinite = "int64" if c.nonfinite == "int64" else "saturate"
    return Steps(c.rounding, c.quotient, c.zero_point_added, c.form, c.narrow, nonfinite)


@cache
def domain(convention):
    c = PRESETS[convention]
    wide = c.compute_dtype == "input" and c.range_dtype == "float64"
    return Domain(
        tuple(r for r in RANGES if r in TWINS[convention].ranges),
        c.zero_point_type == "real",
        c.zero_point == "zero",
        c.scale == "signed",
        c.zero_range == "zero",
        "float64" if wide else "float32",
    )


def groups(*keys):
    """Return the presets, those together for which all keys are the same."""
    found = {}
    for convention in PRESETS:
        found.setdefault(tuple(key(convention) for key in keys), []).append(convention)
    return tuple(map(tuple, found.values()))


def only(holds):
    """Return what tells whether a mutant applies, from the convention's steps and domain."""
    return lambda convention: holds(steps(convention), domain(convention))


def scale_of(convention, value):
    return np.dtype(domain(convention).name).type(value)


def zero_point_of(convention, value):
    return (np.float32 if domain(convention).real else np.int32)(value)
