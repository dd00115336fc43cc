"""Questions of one's own to the libraries that the comparisons of the presets call."""

import collections
import contextlib
import inspect
import itertools

import numpy as np
import pytest

from refcompress.formulas.quantization.conventions import PRESETS
from tests.crosscheck import presets
from tests.crosscheck.registry import ENTRIES

ROWS = 100  # of equal weights: a few are left as they are, or are too few to take one of


@contextlib.contextmanager
def comparison(preset, **functions):
    """What a preset's comparison yields with other functions in place of those that make up its questions."""
    if not ENTRIES[preset].installed:
        pytest.skip(f"{ENTRIES[preset].needs} is not installed")
    with pytest.MonkeyPatch.context() as patch:
        for module in filter(inspect.ismodule, vars(presets).values()):
            for name in functions.keys() & vars(module).keys():
                patch.setattr(module, name, functions[name])
        yield ENTRIES[preset].pairs(PRESETS[preset], np.random.default_rng(1))


def ask(preset, question, qmin, qmax, *arguments):
    """What all of the library's functions give alike, per tensor, per channel, in groups; None if it has none."""
    answers = []

    def asking(kind):
        def instead(c, low, high, theirs, *rest, fake=False, **options):
            if (low, high) == (qmin, qmax) and question == ("fake" if fake else kind):
                answers.append(theirs(*arguments))  # asked here, since these are closures
            return ()

        return instead

    functions = {kind: asking(kind) for kind in ("quantized", "restored", "chosen", "grouped")}
    functions["weight_rows"] = lambda c, low, high, size, *rest: (np.eye(ROWS, size, 1, np.float32), 0)
    with comparison(preset, **functions) as pairs:
        collections.deque(pairs, maxlen=0)
    for other in answers[1:]:
        np.testing.assert_array_equal(np.ravel(other), np.ravel(answers[0]))
    return answers[0] if answers else None


def ask_of_weights(preset, count, w, qmin, qmax):
    """So many of scale, zero point (if it has one) and codes of a row, by a library that chooses scales itself."""
    asked = []

    def instead(c, low, high, size, *rest):
        asked.append((low, high) == (qmin, qmax))
        return np.tile(np.concatenate([w, np.full(size - w.size, w[0], w.dtype)]), (ROWS, 1)), 0

    with comparison(preset, weight_rows=instead, quantized=lambda *_, **options: ()) as pairs:
        answers = (np.reshape(pair.theirs, (ROWS, -1))[0] for pair in pairs if asked[-1])
        return list(itertools.islice(answers, count))


def codes_of(x, scale, zero_point):
    """The codes of what fake quantization gives."""
    return np.rint(np.float64(x) / np.float64(scale) + zero_point)


def values_of(q, scale, zero_point):
    """What fake quantization leaves as it is."""
    return (np.float64(scale) * (q - np.float64(zero_point))).astype(np.float32)
