"""Rows: the cases of a formula in one convention, and a function of a library that takes them."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from refcompress.conformance import cases
from tests.crosscheck.test_packing_orders import library


@dataclass(frozen=True)
class Row:
    """What is compared: a case's arguments go by name, and are left out by a predicate of them, under a reason."""

    formula: str
    convention: str | None
    library: str
    answer: Callable
    without: dict
    shown: Callable  # the expected results, by name, as the library shows them

    def __str__(self):
        return "-".join(filter(None, (self.formula, self.convention, self.library)))

    def reason(self, case):
        """Why a case is left out, or None."""
        return next((why for why, applies in self.without.items() if applies(**case.arguments)), None)

    def split(self):
        """The cases that are taken, and those that are left out."""
        every = cases(self.formula, self.convention)
        return [case for case in every if not self.reason(case)], [case for case in every if self.reason(case)]

    def wrong(self, case):
        """What the library gives instead of the expected answer, or None."""
        expected = self.shown(case.expected)
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):  # theirs
            given = self.answer(**case.arguments)
            given = given if isinstance(given, tuple) else (given,)
            given = tuple(alike(g, e) for g, e in zip(given, expected.values(), strict=True))
        return replace(case, expected=expected).mismatch(given)


ROWS = []


def row(formula, convention, name, without=None, shown=dict):
    """Compare the decorated function."""

    def keep(answer):
        ROWS.append(Row(formula, convention, name, answer, without or {}, shown))
        return answer

    return keep


def alike(given, expected):
    """The same numbers in the expected dtype and shape, if they can be had there."""
    given = np.asarray(given)
    cast = given.astype(expected.value.dtype if expected.holds is None else np.int64)
    if not np.array_equal(cast, given, equal_nan=given.dtype.kind == "f"):
        return given
    return cast.reshape(expected.value.shape) if cast.size == expected.value.size else cast


def tensor(array):
    return library("torch").from_numpy(np.array(array))


def whole(x, size):
    """Rows of whole blocks, filled with zeros."""
    return np.pad(x, [(0, 0), (0, -x.shape[1] % size)])
