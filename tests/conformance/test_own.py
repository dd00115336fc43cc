"""The package's own functions are the kit's first customer; and every property fails on its planted mutant."""

import importlib
from dataclasses import replace

import pytest

from refcompress.conformance.properties import own, properties
from refcompress.conformance.suite import cases, find_function, stems

FUNCTIONS = [
    (stem, function, convention)
    for stem in stems()
    for function, entry in find_function(stem)[0].functions.items()
    for convention in entry.conventions
]
EXAMPLES = 10  # each convention of each function; the formulas' own tests are elsewhere


def planted(stem):
    return importlib.import_module(f"tests.conformance.planted.{stem}").PLANTED


@pytest.mark.parametrize(("stem", "function", "convention"), FUNCTIONS)
def test_own_functions_conform(stem, function, convention):
    f = own(stem, function, convention)
    found = cases(f"{stem}.{function}", convention)
    assert found
    for case in found:
        case.check(f)
    if any(convention == case.conventions[0] for case in found):  # the others of a group are the same function
        for p in properties(stem, function):
            p.check(f, convention, EXAMPLES)


PROPERTIES = [
    (stem, p.name)
    for stem in stems()
    for function in find_function(stem)[0].functions
    for p in properties(stem, function)
    if p.name != "agrees"
]


class Seen(BaseException):
    """Ends the search: no Exception, of which Hypothesis would look for a simpler example."""


@pytest.mark.parametrize(("stem", "name"), PROPERTIES)
def test_every_property_sees_its_planted_mutant(stem, name):
    convention, wrong = planted(stem)[name]
    (p,) = (p for function in find_function(stem)[0].functions for p in properties(stem, function) if p.name == name)
    assert p.sentence.endswith(".")

    def holds(f, convention, **drawn):
        try:
            p.holds(f, convention, **drawn)
        except AssertionError as error:
            raise Seen(str(error)) from None

    with pytest.raises(Seen, match=r"\w"):
        replace(p, holds=holds).check(wrong, convention, 200)


@pytest.mark.parametrize("stem", stems())
def test_every_mutant_of_the_vectors_is_killed(stem):
    suite = find_function(stem)[0]
    for name, function in suite.functions.items():
        mine = [case for case in suite.cases if case.function == name]
        assert {mutant for case in mine for mutant in case.kills} == set(function.mutants)
        assert all(case.kills for case in mine)
