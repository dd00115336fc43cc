"""A planted error in what a subject measures is seen: its figures do not agree, and so are not met."""

import numpy as np
import pytest
import scipy.sparse

from refcompress import compress
from refcompress.formulas.coding import packing
from refcompress.formulas.quantization import integer, uniform
from tests.benchmarks.context import Context
from tests.benchmarks.subjects import SUBJECTS


def agreeing(name, against=()):
    """What the subject's figures say where they say anything."""
    figures = SUBJECTS[name](Context(tiny=True, threads=(1,), against=frozenset(against)))
    return {figure.agrees for figure in figures} - {None}


def replaced(monkeypatch, room, name, wrong):
    right = getattr(room, name)
    monkeypatch.setattr(room, name, lambda *arguments, **options: wrong(right, *arguments, **options))


@pytest.mark.parametrize("name", ["packing", "integer_product", "sparse", "removed"])
def test_what_is_right_agrees(name):
    assert agreeing(name) == {True}


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        ("quantize", lambda right, *a: right(*a) + np.uint8(2)),
        ("dequantize", lambda right, *a: right(*a) * np.float32(1.03)),
        ("fake_quantize", lambda right, *a: right(*a) * np.float32(1.03)),
    ],
)
def test_wrong_quantization(function, wrong, monkeypatch):
    pytest.importorskip("torch")
    assert agreeing("quantization", ["torch"]) == {True}
    replaced(monkeypatch, uniform, function, wrong)
    assert False in agreeing("quantization", ["torch"])


def test_another_order_of_bits(monkeypatch):
    """One that `unpack` undoes."""
    replaced(monkeypatch, packing, "pack", lambda right, q, bits: right(q, bits)[::-1])
    replaced(monkeypatch, packing, "unpack", lambda right, data, bits, count: right(data[::-1], bits, count))
    assert False in agreeing("packing")


def test_a_code_that_does_not_come_back(monkeypatch):
    replaced(monkeypatch, packing, "unpack", lambda right, *a: np.append(right(*a)[:-1], np.uint8(0)))
    assert False in agreeing("packing")


def test_a_product_off_by_one(monkeypatch):
    replaced(monkeypatch, integer, "matmul", lambda right, a, b: right(a, b) + np.eye(len(a), 5, dtype=np.int32))
    assert agreeing("integer_product") == {False}


def test_a_product_of_another_type(monkeypatch):
    replaced(monkeypatch, integer, "matmul", lambda right, a, b: right(a, b).astype(np.float32))
    assert agreeing("integer_product") == {False}


def test_a_wrong_sparse_product(monkeypatch):
    replaced(monkeypatch, scipy.sparse, "csr_array", lambda right, W: right(W * np.float32(1.001)))
    assert agreeing("sparse") == {False}


def test_another_neuron_removed(monkeypatch):
    def wrong(right, model, neurons):
        return right(model, neurons | {"fc1": (neurons["fc1"] + 1) % len(model.layers["fc1"].parameters["weight"])})

    replaced(monkeypatch, compress, "remove_neurons", wrong)
    assert agreeing("removed") == {False}
