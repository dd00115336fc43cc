"""The vectors as one .npz a formula, which numpy.load and its readers in other languages take."""

import io
from typing import Any

import numpy as np

from refcompress.conformance.exports.words import numbers
from refcompress.conformance.suite import Suite


def files(suite: Suite) -> dict[str, bytes]:
    """Return <stem>.npz: arrays named "id/arguments/name" and "id/expected/name", in the arguments' order.

    What is no array is one of no dimensions: int64 for integers, text for words; None is an empty uint8 array, and
    a tuple of integers an int64 array. Nothing is pickled.
    """
    arrays: dict[str, Any] = {}
    for case in suite.cases:
        for name, value in case.arguments.items():
            arrays[f"{case.id}/arguments/{name}"] = np.array(value) if isinstance(value, str) else numbers(value)
        for name, expected in case.expected.items():
            arrays[f"{case.id}/expected/{name}"] = expected.value
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return {f"{suite.stem}.npz": buffer.getvalue()}
