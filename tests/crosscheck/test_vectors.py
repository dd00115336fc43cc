"""The shipped conformance vectors against real libraries: each gives the vector's answer, to the last bit.

The vectors come from exact oracles of this project; a library that computes the same formula is an opinion of somebody
else's. A case is left out of a comparison only by a predicate with a reason, and only if the library does not answer it
alike. Libraries that are not installed are skipped one by one.
"""

import collections
import importlib.util
import platform
from dataclasses import replace

import numpy as np
import pytest

from tests.crosscheck.vectors import ROWS

pytestmark = [
    pytest.mark.crosscheck,
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the orders of operations of x86"),
]


COUNTS = {  # stem: cases by library, of all its kernels
    "affine": {
        "onnx": 9, "onnxruntime": 45, "tensorflow": 38, "qonnx": 11, "torch": 70, "torchao": 33, "hqq": 5, "gguf": 20,
        "compressed-tensors": 19, "bitsandbytes": 5, "IST-DASLab/gptq": 18, "mit-han-lab/llm-awq": 9, "brevitas": 28,
    },
    "qparams": {
        "onnx": 5, "onnxruntime": 28, "tensorflow": 23, "torch": 47, "torchao": 15, "compressed-tensors": 13, "hqq": 6,
        "gguf": 12, "IST-DASLab/gptq": 11, "mit-han-lab/llm-awq": 7, "brevitas": 15,
    },
    "float_format": {"ml_dtypes": 82, "onnx": 20, "torch": 26},
    "ggml_legacy": {"gguf": 17}, **{f"q{bits}_k": {"gguf": 1} for bits in range(2, 7)},
    "mx": {"torchao": 31, "compressed-tensors": 6},
    "nvfp4": {"torchao": 15, "compressed-tensors": 17},
    "packing": {"numpy": 34},
    "packing_orders": {
        "numpy": 6, "compressed-tensors": 13, "onnx": 4, "bitsandbytes, torchao": 4, "torchao": 14, "gguf": 6,
        "hqq": 10,
    },
    "products": {"onnxruntime": 4, "onnx": 1, "torch": 3},
    "integer_conv2d": {"torch": 11, "onnxruntime": 10},
    "quantized_matmul": {"onnxruntime": 6, "tensorflow": 16},
    "quantized_conv2d": {"onnxruntime": 8, "tensorflow": 20},
    "quantized_add": {"onnxruntime": 7, "tensorflow": 14},
    "quantized_average_pool2d": {"onnxruntime": 10, "tensorflow": 18},
    "min_max": {"torch": 8}, "moving_average": {"torch": 5, "tensorflow": 4}, "histogram": {"torch": 11},
    "entropy": {"onnxruntime": 7}, "percentile": {"numpy": 7, "brevitas": 12}, "aciq": {"scipy": 2},
    "stability": {"numpy": 9, "statistics": 9, "scipy": 6},
    "rounding": {"decimal": 42, "numpy": 20},
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Two cores are soon busy with waiting."""
    if importlib.util.find_spec("torch"):
        importlib.import_module("torch").set_num_threads(1)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_library_gives_the_vectors_answers(row):
    taken, _ = row.split()
    wrong = {case.id: row.wrong(case) for case in taken}
    assert wrong
    assert {name: what for name, what in wrong.items() if what} == {}


@pytest.mark.parametrize("row", [row for row in ROWS if row.without], ids=str)
def test_what_is_left_out_is_answered_otherwise(row):
    """Or not at all; and every reason is one for some case."""
    _, left_out = row.split()
    assert {row.reason(case) for case in left_out} == set(row.without)
    for case in left_out:
        try:
            wrong = row.wrong(case)
        except Exception as error:
            wrong = repr(error)
        assert wrong, f"{case.id} need not be left out"


def changed(expected, name):
    """The last number of this result is the next one, or off by 1 where there is a tolerance."""
    value = np.array(expected[name].value)
    number = value.flat[-1]
    if value.dtype.kind == "f" and not expected[name].tolerance:
        value.flat[-1] = 1 if np.isnan(number) else np.nextafter(number, value.dtype.type(-np.inf))
    else:
        value.flat[-1] = number + 1 if value.dtype.kind == "f" else number ^ 1
    return {**expected, name: replace(expected[name], value=value)}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_changed_expectation_is_seen(row):
    case = next(case for case in reversed(row.split()[0]) if all(e.value.size for e in case.expected.values()))
    for name in row.shown(case.expected):
        planted = replace(row, shown=lambda expected, name=name: changed(row.shown(expected), name))
        assert "value" in planted.wrong(case)


def test_so_many_cases_are_compared():
    """Of every formula with every library; counted without them, so that none is lost where it is not installed."""
    found = collections.defaultdict(collections.Counter)
    for row in ROWS:
        found[row.formula.split(".")[0]][row.library.split(" (")[0]] += len(row.split()[0])
    assert {stem: dict(libraries) for stem, libraries in found.items()} == COUNTS
