"""Convention: every axis has its values and meanings, contradictions are refused, formulas and words say what holds."""

import dataclasses
import re
from itertools import product

import pytest

from refcompress.formulas.quantization import rounding
from refcompress.formulas.quantization.convention import AXES, PARTS, Convention
from refcompress.formulas.quantization.conventions import PRESETS
from tests.formulas.quantization.checks.common import fitting

FIELDS = {f.name: f for f in dataclasses.fields(Convention)}
OTHERS = {"smallest_range", "smallest_scale", "origin", "limits"}  # fields that are no axis of words


def test_every_field_is_an_axis_or_a_number():
    assert set(FIELDS) == set(AXES) | OTHERS
    for name, meanings in AXES.items():
        assert FIELDS[name].default in meanings
        assert len(meanings) > 1
        assert len(set(meanings.values())) == len(meanings)
        assert all(meanings.values())
    assert set(AXES["rounding"]) == {*rounding.RULES, "add_half"}


def test_every_axis_is_described():
    described = [name for names in PARTS.values() for name in names]
    assert len(described) == len(set(described))
    assert set(described) == set(FIELDS) - {"zero_point_rounding", "origin", "limits"}


@pytest.mark.parametrize("name", [*AXES, "zero_point_rounding"])
@pytest.mark.parametrize("bad", ["", "nothing", None, 3, True, ["no"]])
def test_unknown_values(name, bad):
    with pytest.raises(ValueError, match=rf"^{name} must be one of .*, got {re.escape(repr(bad))}$"):
        Convention(**{name: bad})


def test_stochastic_zero_points_are_refused():
    with pytest.raises(ValueError, match=r"^zero_point_rounding must be one of"):
        Convention(zero_point_rounding="stochastic")
    with pytest.raises(ValueError, match=r"^zero_point_rounding must be one of"):
        Convention(zero_point_rounding="add_half")


@pytest.mark.parametrize("name", ["smallest_range", "smallest_scale"])
def test_limits(name):
    for bad in (-1e-9, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=rf"^{name} must be in"):
            Convention(**{name: bad})
    for bad in ("1", None, True, 1j):
        with pytest.raises(TypeError, match=rf"^{name} must be a real number"):
            Convention(**{name: bad})
    assert getattr(Convention(**{name: 1e-5}), name) == 1e-5


def possible(form, zero_point_type, zero_point, added, quotient, scale):
    """The sentences on what fits together, one after the other."""
    offset = form in ("sq+Z", "sq-Z")
    if offset:  # Z is an end of the range, taken from x before anything else
        if (
            added != "subtracted"
            or zero_point_type != "real"
            or zero_point != ("low" if form == "sq+Z" else "negated_low")
        ):
            return False
    elif added == "subtracted" or zero_point in ("low", "negated_low"):
        return False
    elif zero_point_type == "real":  # a real zero point is no code: it is added before rounding
        if zero_point != "quotient" or added != "before" or form == "s(q+Z)":
            return False
    elif zero_point == "quotient":
        return False
    if quotient == "fused" and added != "before":
        return False
    if added == "shifted" and form != "s(q-Z)":
        return False
    inverse = scale in ("inverse_width", "inverse_absmax")  # s in codes per unit: in all three places or in none
    if len({quotient == "multiply", form == "(q-Z)/s", inverse}) != 1:
        return False
    needs_no_low = zero_point in ("zero", "middle")
    return needs_no_low == (scale not in ("asymmetric", "inverse_width"))


def test_exactly_the_contradictions_are_refused():
    names = ("form", "zero_point_type", "zero_point", "zero_point_added", "quotient", "scale")
    accepted = {name: set() for name in names}
    for values in product(*(AXES[name] for name in names)):
        fields = dict(zip(names, values, strict=True))
        try:
            Convention(**fields)
        except ValueError:
            assert not possible(*values), fields
        else:
            assert possible(*values), fields
            for name, value in fields.items():
                accepted[name].add(value)
    assert accepted == {name: set(AXES[name]) for name in names}  # no value that nothing can have


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"form": "sq+Z"}, "zero_point_added must be 'subtracted'"),
        (
            {"zero_point_added": "subtracted"},
            "zero_point_added must be 'subtracted' for the forms sq[+]Z, sq-Z and no other",
        ),
        ({"zero_point": "low"}, "zero_point must fit"),
        ({"zero_point": "quotient"}, "zero_point must fit"),
        ({"zero_point_type": "real"}, "zero_point must fit"),
        ({"quotient": "fused"}, "zero_point_added must be 'before' for a real Z or a fused quotient"),
        ({"quotient": "fused", "zero_point_added": "before", "rounding": "add_half"}, "rounding must be exact"),
        (
            {"quotient": "fused", "zero_point_added": "before", "compute_dtype": "input"},
            "compute_dtype must be 'float32'",
        ),
        ({"quotient": "multiply"}, "must go together"),
        ({"form": "(q-Z)/s"}, "must go together"),
        ({"scale": "inverse_width"}, "must go together"),
        ({"scale": "symmetric_qmax"}, "zero_point must be 'zero' or 'middle' for a symmetric scale"),
        ({"zero_point": "zero"}, "zero_point must be 'zero' or 'middle' for a symmetric scale"),
        ({"zero_range": "zero"}, "quotient must not be 'divide' where a scale can be 0"),
        ({"scale": "symmetric_half", "zero_point": "zero", "nudge": "range"}, "nudge must be 'zero_point'"),
        ({"zero_point_from": "unrounded_scale"}, "range_dtype must be 'float64'"),
        ({"zero_point_added": "shifted", "form": "s(q+Z)"}, "form must be 's[(]q-Z[)]' for a shifted zero point"),
        ({"scale": "signed", "zero_point": "middle", "smallest_range": 1e-5}, "smallest_range must be 0 for"),
        ({"zero_range": "smallest"}, "smallest_range or smallest_scale must be above 0"),
    ],
)
def test_contradictions_say_why(fields, words):
    with pytest.raises(ValueError, match=words):
        Convention(**fields)


def test_conventions_are_values():
    a, b = Convention(rounding="floor"), Convention(rounding="floor", origin="somewhere")
    assert a == b
    assert hash(a) == hash(b)
    assert a != Convention()
    assert len({a, b, Convention()}) == 2
    assert dataclasses.replace(a, rounding="half_even") == Convention()
    with pytest.raises(dataclasses.FrozenInstanceError):
        a.rounding = "ceil"
    with pytest.raises(TypeError):
        Convention("floor")
    with pytest.raises(ValueError, match="must go together"):
        dataclasses.replace(a, quotient="multiply")


def test_differences():
    a = Convention(rounding="floor", narrow="low", origin="here")
    assert a.differences(a) == Convention().differences(Convention(origin="there")) == {}
    assert a.differences(Convention()) == {"rounding": ("floor", "half_even"), "narrow": ("low", "no")}
    assert Convention(smallest_scale=1e-5).differences(Convention()) == {"smallest_scale": (1e-5, 0.0)}


@pytest.mark.parametrize(("narrow", "codes"), [("no", (-128, 127)), ("low", (-127, 127)), ("high", (-128, 126))])
def test_codes_in_use(narrow, codes):
    assert Convention(narrow=narrow).codes(-128, 127) == codes


def test_codes_out_of_range():
    for qmin, qmax, error, words in (
        (-32769, 0, ValueError, "^qmin must be from -32768 to 65535"),
        (0, 65536, ValueError, "^qmax must be from -32768 to 65535"),
        (3, 3, ValueError, "^qmax must leave at least two codes, got 3 to 3"),
        (0.0, 3, TypeError, "^qmin must be an integer"),
        (0, True, TypeError, "^qmax must be an integer"),
    ):
        with pytest.raises(error, match=words):
            Convention().codes(qmin, qmax)
    with pytest.raises(ValueError, match=r"^qmax must leave at least two codes, got 1 to 1"):
        Convention(narrow="low").codes(0, 1)
    assert Convention().codes(-32768, 65535) == (-32768, 65535)


@pytest.mark.parametrize(
    ("fields", "formula"),
    [
        ({}, "q = clip(half_even(x / s) + Z, qmin, qmax);  x̂ = s·(q − Z)"),
        ({"clip": "before"}, "q = half_even(clip(x / s, qmin − Z, qmax − Z)) + Z;  x̂ = s·(q − Z)"),
        ({"zero_point_added": "before"}, "q = clip(half_even(x / s + Z), qmin, qmax);  x̂ = s·(q − Z)"),
        (
            {"zero_point_added": "before", "clip": "before", "quotient": "reciprocal", "rounding": "ceil"},
            "q = ceil(clip(x·(1/s) + Z, qmin, qmax));  x̂ = s·(q − Z)",
        ),
        (
            {"zero_point_added": "before", "quotient": "fused"},
            "q = clip(half_even(fma(x, 1/s, Z)), qmin, qmax);  x̂ = s·(q − Z)",
        ),
        ({"rounding": "add_half"}, "q = clip(⌊x / s + ½⌋ + Z, qmin, qmax);  x̂ = s·(q − Z)"),
        (
            {"zero_point_added": "shifted"},
            "q = clip(half_even((x − s·(qmin − Z)) / s + (qmin − Z)) + Z, qmin, qmax);  x̂ = s·(q − Z)",
        ),
        ({"form": "s(q+Z)"}, "q = clip(half_even(x / s) − Z, qmin, qmax);  x̂ = s·(q + Z)"),
        ({"form": "s(q+Z)", "clip": "before"}, "q = half_even(clip(x / s, qmin + Z, qmax + Z)) − Z;  x̂ = s·(q + Z)"),
        (
            {"form": "s(q+Z)", "zero_point_added": "before", "quotient": "fused"},
            "q = clip(half_even(fma(x, 1/s, −Z)), qmin, qmax);  x̂ = s·(q + Z)",
        ),
        (
            {"form": "sq+Z", "zero_point_added": "subtracted"},
            "q = clip(half_even((x − Z) / s), qmin, qmax);  x̂ = s·q + Z",
        ),
        (
            {"form": "sq-Z", "zero_point_added": "subtracted", "quotient": "reciprocal"},
            "q = clip(half_even((x + Z)·(1/s)), qmin, qmax);  x̂ = s·q − Z",
        ),
        (
            {"form": "(q-Z)/s", "quotient": "multiply"},
            "q = clip(half_even(x·s) + Z, qmin, qmax);  x̂ = (q − Z)·(1/s)",
        ),
    ],
)
def test_formulas(fields, formula):
    assert fitting(**fields).formula() == formula


def test_formulas_tell_orders_apart():
    """Two conventions whose codes or values are computed in another order have another formula."""
    names = ("rounding", "quotient", "zero_point_added", "clip", "form")
    formulas = {}
    for values in product(*(AXES[name] for name in names)):
        c = fitting(**dict(zip(names, values, strict=True)))
        if c is not None:
            assert formulas.setdefault(c.formula(), values) == values
    assert len(formulas) > 100


@pytest.mark.parametrize("c", [*PRESETS.values(), Convention()], ids=[*PRESETS, "default"])
def test_descriptions(c):
    text = c.describe()
    lines = text.splitlines()
    assert lines[0] == c.formula()
    assert max(map(len, lines[1:])) <= 118
    words = " ".join(lines[1:])
    for name in (
        "rounding",
        "quotient",
        "zero_point_added",
        "clip",
        "narrow",
        "nonfinite",
        "form",
        "zero_range",
        "scale",
    ):
        assert AXES[name][getattr(c, name)] in words
    for title in PARTS:
        assert f"{title}: " in words
    assert ("Z is moved" in words) == (c.zero_point in ("rounded_quotient", "rounded_difference", "nearer_end"))
    inverse = c.form == "(q-Z)/s"
    assert ("at least" in words) == bool(c.smallest_range or (c.smallest_scale and not inverse))
    assert ("s is at most" in words) == bool(c.smallest_scale and inverse)
    assert ("low/s" in words) == (c.zero_point in ("rounded_quotient", "rounded_difference", "nearer_end"))
    assert ("low·s" in words) == (c.zero_point == "quotient" and inverse)
    assert lines[-1].startswith("but: ") == bool(c.limits)


def test_a_description_says_how_the_zero_point_is_rounded():
    text = Convention(zero_point_rounding="half_away", smallest_range=1e-5, smallest_scale=0.25).describe()
    assert "Z = half_away(qmin − low/s)" in " ".join(text.split())
    assert "at least 1e-05 wide" in text
    assert "s is at least 0.25" in " ".join(text.split())
