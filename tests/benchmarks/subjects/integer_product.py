"""Exact products of int8 matrices, beside float32 products of the same shapes, and beside other exact ones."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from refcompress.formulas.quantization import integer
from tests.benchmarks.context import Context
from tests.benchmarks.result import Figure

SHAPES = ((256, 1024, 1024), (1024, 4096, 1024), (8192, 288, 64))  # rows, terms of a sum, columns
SMALL_SHAPES = ((32, 1024, 1024), (512, 288, 64))  # NumPy's own integer product needs 0.1 s for these


def figures(context: Context) -> Iterator[Figure]:
    """The right operand, the weights, is converted beforehand on every side that can."""
    for shape in SHAPES:
        a, b = _operands(context.size(shape, tiny=(3, 7, 5)))
        name = f"int8 product, {_times(shape)}"
        ours, fa, fb, exact = partial(integer.matmul, a, integer.prepare(b)), *map(np.float32, (a, b)), _exact(a, b)
        right = _same(ours(), exact)
        agrees = right and _near(fa @ fb, fa, fb, exact)
        yield from context.compare(name, "sgemm", ours, partial(np.matmul, fa, fb), agrees=agrees)
        unprepared = partial(integer.matmul, a, b)
        yield from context.compare(
            f"{name}, weights not converted beforehand",
            "sgemm",
            unprepared,
            partial(np.matmul, fa, fb),
            agrees=agrees and _same(unprepared(), exact),
        )
        if "torch" in context.against:
            theirs = _torch(a, b)
            agrees = right and _same(theirs().numpy(), exact)
            yield from context.compare(name, "torch", ours, theirs, agrees=agrees)
        if "onnxruntime" in context.against and importlib.util.find_spec("onnx"):
            for n in context.threads:
                theirs = _onnxruntime(a, b, n)
                agrees = right and _same(theirs()[0], exact)
                yield from replace(context, threads=(n,)).compare(name, "onnxruntime", ours, theirs, agrees=agrees)
    for shape in SMALL_SHAPES:
        a, b = _operands(context.size(shape, tiny=(3, 7, 5)))
        ours, theirs = partial(integer.matmul, a, integer.prepare(b)), partial(np.matmul, *map(np.int32, (a, b)))
        agrees = _same(ours(), _exact(a, b)) and _same(theirs(), _exact(a, b))
        yield from context.compare(f"int8 product, {_times(shape)}", "numpy integer @", ours, theirs, agrees=agrees)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _operands(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng, (rows, terms, columns) = np.random.default_rng(0), shape
    a, b = (rng.integers(-127, 128, size, np.int8) for size in ((rows, terms), (terms, columns)))
    return a, b


def _exact(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product in float64, which is exact: K · 127² < 2^53."""
    return a.astype(np.float64) @ b.astype(np.float64)


def _same(product: np.ndarray, exact: np.ndarray) -> bool:
    return product.dtype == np.int32 and np.array_equal(product, exact)


def _near(product: np.ndarray, a: np.ndarray, b: np.ndarray, exact: np.ndarray) -> bool:
    """Is a float32 product within K·u/(1 − K·u) of |a||b|, the bound for sums of K terms in any order?"""
    ku = a.shape[1] * 2.0**-24
    return bool((np.abs(product - exact) <= ku / (1 - ku) * _exact(np.abs(a), np.abs(b))).all())


def _torch(a: np.ndarray, b: np.ndarray) -> Any:
    import torch

    return partial(torch._int_mm, torch.from_numpy(a), torch.from_numpy(b))


def _onnxruntime(a: np.ndarray, b: np.ndarray, threads: int) -> Any:
    """A session with the one node MatMulInteger; b is a constant, which it may pack beforehand.

    It is fast only where a is unsigned, so a goes in as a + 128 with the zero point 128: the same product.
    """
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b", "zero"], ["product"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, a.shape)],
        [helper.make_tensor_value_info("product", TensorProto.INT32, (len(a), b.shape[1]))],
        [numpy_helper.from_array(b, "b"), numpy_helper.from_array(np.uint8(128), "zero")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, {"a": (a.astype(np.int16) + 128).astype(np.uint8)})
