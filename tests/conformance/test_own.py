"""The package's own functions are the kit's first customer; and every property fails on its planted mutant."""

import importlib
from dataclasses import replace

import numpy as np
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
    if p.name not in ("agrees", "agrees_on_long_arrays")
]
AGREEMENTS = [
    (stem, function, p)
    for stem in stems()
    for function in find_function(stem)[0].functions
    for p in properties(stem, function)
    if p.name in ("agrees", "agrees_on_long_arrays")
]


class Seen(BaseException):
    """Ends the search: no Exception, of which Hypothesis would look for a simpler example."""


@pytest.mark.parametrize(("stem", "name"), PROPERTIES)
def test_every_property_sees_its_planted_mutant(stem, name):
    convention, wrong = planted(stem)[name]
    (p,) = (p for function in find_function(stem)[0].functions for p in properties(stem, function) if p.name == name)
    sees(p, wrong, convention)


def sees(p, wrong, convention):
    assert p.sentence.endswith(".")

    def holds(f, convention, **drawn):
        try:
            p.holds(f, convention, **drawn)
        except AssertionError as error:
            raise Seen(str(error)) from None

    with pytest.raises(Seen, match=r"\w"):
        replace(p, holds=holds).check(wrong, convention, 200)


def last_bit(result, place):
    """The result, or the first of several, with another last bit of an element."""
    if isinstance(result, tuple):
        return last_bit(result[0], place), *result[1:]
    array = np.array(result)
    if array.size:
        array.view(f"u{array.itemsize}").flat[place(array.size)] ^= 1
    return array


def has_vectors(arguments):
    return max(np.size(argument) for argument in arguments) >= 16


def of_the_last_element(f):
    return lambda *arguments: last_bit(f(*arguments), lambda size: size - 1)


def of_whole_vectors(f):
    """Wrong only where there are 16 elements or more, and not in a rest of less."""

    def wrong(*arguments):
        result = f(*arguments)
        return last_bit(result, lambda size: (size // 16 * 16 or size) - 1) if has_vectors(arguments) else result

    return wrong


@pytest.mark.parametrize(("stem", "function", "p"), AGREEMENTS, ids=lambda part: getattr(part, "name", part))
def test_a_wrong_bit_is_seen(stem, function, p):
    convention = find_function(stem)[0].functions[function].conventions[0]
    f = own(stem, function, convention)
    sees(p, of_the_last_element(f), convention)
    if p.name == "agrees_on_long_arrays":
        sees(p, of_whole_vectors(f), convention)


# functions of arrays of any length whose results are not determined to the last bit
WITHIN_ROUNDING = [
    ("entropy", "threshold"),
    ("error_ledger", "sqnr"),
    ("histogram", "search"),
    ("stability", "std"),
    ("streaming_moments", "std"),
]


@pytest.mark.parametrize(("stem", "function"), WITHIN_ROUNDING)
def test_a_wrong_result_of_many_elements_is_seen(stem, function):
    convention = find_function(stem)[0].functions[function].conventions[0]
    f = own(stem, function, convention)

    def wrong(*arguments):
        result = f(*arguments)
        if not has_vectors(arguments):
            return result
        return tuple(1.25 * part for part in result) if isinstance(result, tuple) else 1.25 * result

    def seen(p):
        try:
            p.check(wrong, convention, 30)
        except AssertionError:
            return True
        return False

    assert any(map(seen, properties(stem, function)))


@pytest.mark.parametrize("stem", stems())
def test_every_mutant_of_the_vectors_is_killed(stem):
    suite = find_function(stem)[0]
    for name, function in suite.functions.items():
        mine = [case for case in suite.cases if case.function == name]
        assert {mutant for case in mine for mutant in case.kills} == set(function.mutants)
        assert all(case.kills for case in mine)
