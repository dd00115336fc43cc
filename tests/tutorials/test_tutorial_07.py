"""Tutorial 07: what it says about cases and properties holds, and without hypothesis it goes on."""

import re
import sys
from itertools import pairwise

import pytest

from tests.tutorials.test_tutorials import CONFORMANCE as NAME
from tests.tutorials.test_tutorials import execute, missing, numbers, wanted_lines


@pytest.fixture(scope="module")
def printed():
    return execute(NAME)


def test_random_numbers_hardly_find_it(printed):
    ((wrong,),) = numbers(r"^1,000,000 random numbers: wrong codes (\d+)$", printed)
    assert 1 <= wrong <= 2  # "one or two show it"


def test_cases_kill_and_tell_apart_as_the_text_says(printed):
    ((cases, slips, told, pairs),) = numbers(
        r"^(\d+) cases kill (\d+) slips and tell (\d+) of their (\d+) pairs apart$", printed
    )
    assert told == pairs == slips * (slips - 1) / 2  # "the same cases kill both, by other codes"
    left = [slips, *(count for (count,) in numbers(r"slips left: (\d+)$", printed))]
    assert len(left) == cases + 1
    assert all(before >= after for before, after in pairwise(left))
    assert left[-1] == 1
    failed = re.findall(r"^(\w+): (\d+) of \d+ cases fail, explanation \((.*)\)$", printed, re.MULTILINE)
    assert [(name, explanation) for name, _, explanation in failed] == [
        ("somebodys", "'rounding: add_half',"), ("mended", ""), ("with_two_slips", "'rounding: ceil',")
    ]  # fmt: skip
    assert [int(count) > 0 for _, count, _ in failed] == [True, False, True]


def test_properties_hold_and_fail_as_the_text_says(printed):
    said = dict(re.findall(r"^truncating, (\w+): (.*)$", printed, re.MULTILINE))
    assert said["is_monotone"] == "holds"
    assert all(said[name] != "holds" for name in ("errs_by_half_a_step", "agrees", "agrees_on_long_arrays"))
    assert re.findall(r"^the parrot, (\w+): ", printed, re.MULTILINE) == ["agrees", "agrees_on_long_arrays"]
    ((tie,),) = numbers(r"^the parrot, agrees: .*\n    x = array\(\[([^,]+)\], dtype=float32\)$", printed)
    assert tie % 1 == 0.5  # "it sees the tie", and "one short number is left"
    assert f"the parrot has {len(said) - 2} of {len(said)} properties" in printed


def test_diagnosis_asks_for_few_numbers(printed):
    ((count,),) = numbers(r"^(\d+) numbers: q = clip\(half_even\(x·\(1/s\) \+ Z\), qmin, qmax\)", printed)
    assert count <= 64


def test_without_hypothesis_it_says_so_and_goes_on(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("refcompress.conformance.properties")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    printed = execute(NAME)
    assert missing(wanted_lines(NAME), printed) == []
    assert "properties need hypothesis: python -m pip install 'refcompress[conformance]'" in printed
