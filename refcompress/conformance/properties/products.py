"""Properties of integer matrix products with zero points."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated
from refcompress.conformance.properties.property import Property
from refcompress.formulas.quantization.integer import products

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "matmul": lambda convention: products.matmul,
    "matmul_per_axis": lambda convention: products.matmul,
    "matmul_int16": lambda convention: products.matmul,
}
CODES = st.integers(-128, 127)


def codes(*shape: int, dtype: Any = np.int8) -> st.SearchStrategy[np.ndarray]:
    """An array of this shape, of any codes of the type."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return st.binary(min_size=size, max_size=size).map(lambda data: np.frombuffer(data, dtype).reshape(shape).copy())


@st.composite
def matrices(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Two matrices of up to 3 by 4 codes, and zero points."""
    M, K, N = draw(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3)))
    a, b = draw(codes(M, K)), draw(codes(K, N))
    return {"a": a, "b": b, "a_zero_point": draw(CODES), "b_zero_point": draw(CODES)}


def small_codes(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """The same, all divided by 3, so that differences are codes, too."""
    return matrices(convention).map(lambda drawn: {name: value // 3 for name, value in drawn.items()})


@st.composite
def with_vectors(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """The same with a zero point for every row and every column."""
    drawn = draw(matrices(convention))
    for name, count in (("a_zero_point", drawn["a"].shape[0]), ("b_zero_point", drawn["b"].shape[1])):
        drawn[name] = draw(codes(count)).astype(np.int32)
    return drawn


@st.composite
def of_16_bits(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """A row and a column of two codes, those of b of 13 bits, so that sums stay within int32."""
    a, b = draw(codes(1, 2, dtype=np.int16)), draw(codes(2, 1, dtype=np.int16)) // 8
    z_a, z_b = st.integers(-(2**15), 2**15 - 1), st.integers(-(2**12), 2**12 - 1)
    return {"a": a, "b": b, "a_zero_point": draw(z_a), "b_zero_point": draw(z_b)}


def more_terms(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n terms a sum, those of b so much smaller that sums stay within int32."""
    less = {name: arguments[name] // n for name in ("b", "b_zero_point")}
    return repeated(a=1, b=0)(arguments | less, n)


@st.composite
def one_matrix(draw: st.DrawFn, convention: str, dtype: Any = np.int8) -> dict[str, Any]:
    """A matrix and its zero point."""
    shape, ends = draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), np.iinfo(dtype)
    return {"a": draw(codes(*shape, dtype=dtype)), "a_zero_point": draw(st.integers(ends.min, ends.max))}


def subtracts_its_zero_points(
    matmul: Callable[..., Any], convention: str, a: np.ndarray, b: np.ndarray, a_zero_point: Any, b_zero_point: Any
) -> None:
    """Codes less their zero points, with zero points of 0, have the same product."""
    out = np.asarray(matmul(a, b, a_zero_point, b_zero_point)).tolist()
    differences = (a - a_zero_point).astype(np.int8), (b - b_zero_point).astype(np.int8)
    wanted = np.asarray(matmul(*differences, 0, 0)).tolist()
    assert out == wanted, f"the product of the differences is {wanted}, that of codes and zero points {out}"


def has_an_identity(matmul: Callable[..., Any], convention: str, a: np.ndarray, a_zero_point: int) -> None:
    """The product with the identity is a less its zero point, which takes one bit more than a code."""
    out = np.asarray(matmul(a, np.eye(a.shape[1], dtype=a.dtype), a_zero_point, 0)).tolist()
    wanted = (a.astype(int) - a_zero_point).tolist()
    assert out == wanted, f"must be {wanted}, got {out}"


def adds_up_over_terms(
    matmul: Callable[..., Any], convention: str, a: np.ndarray, b: np.ndarray, a_zero_point: int, b_zero_point: int
) -> None:
    """The first terms' product and the product of the rest add up to the whole."""
    out = np.asarray(matmul(a, b, a_zero_point, b_zero_point)).astype(int)
    k = (a.shape[1] + 1) // 2
    parts = [(a[:, :k], b[:k]), (a[:, k:], b[k:])]
    wanted = sum(np.asarray(matmul(*part, a_zero_point, b_zero_point)).astype(int) for part in parts if part[1].size)
    assert np.array_equal(out, wanted), f"the parts add up to {np.array(wanted).tolist()}, got {out.tolist()}"


def transposes(
    matmul: Callable[..., Any], convention: str, a: np.ndarray, b: np.ndarray, a_zero_point: int, b_zero_point: int
) -> None:
    """The transposed matrices in the other order have the transposed product."""
    out = np.asarray(matmul(a, b, a_zero_point, b_zero_point))
    other = np.asarray(matmul(b.T.copy(), a.T.copy(), b_zero_point, a_zero_point))
    assert np.array_equal(out, other.T), f"{out.tolist()} is not the transposed {other.tolist()}"


def treats_each_sum_alone(
    matmul: Callable[..., Any], convention: str, a: np.ndarray, b: np.ndarray, a_zero_point: Any, b_zero_point: Any
) -> None:
    """The last row and column alone, with their zero points, have the last sum."""
    out = np.asarray(matmul(a, b, a_zero_point, b_zero_point))[-1, -1]
    alone = np.asarray(matmul(a[-1:], b[:, -1:].copy(), a_zero_point[-1:], b_zero_point[-1:]))[0, 0]
    assert out == alone, f"the last sum is {out}, but {alone} alone"


def keeps_16_bit_differences(matmul: Callable[..., Any], convention: str, a: np.ndarray, a_zero_point: int) -> None:
    """The product with the identity is a less its zero point, up to 65,535."""
    has_an_identity(matmul, convention, a, a_zero_point)


PROPERTIES = (
    Property("matmul", subtracts_its_zero_points, small_codes),
    Property("matmul", has_an_identity, one_matrix),
    Property("matmul", adds_up_over_terms, matrices),
    Property("matmul", transposes, matrices),
    Property("matmul_per_axis", treats_each_sum_alone, with_vectors),
    Property("matmul_int16", keeps_16_bit_differences, lambda convention: one_matrix(convention, np.int16)),
)
AGREES = {"matmul": matrices, "matmul_per_axis": with_vectors, "matmul_int16": of_16_bits}
LONGER = {
    "matmul": longer(matrices, repeated(a=1, b=0), repeated(a=0), repeated(b=1)),
    "matmul_per_axis": longer(
        with_vectors, repeated(a=1, b=0), repeated(a=0, a_zero_point=0), repeated(b=1, b_zero_point=0)
    ),
    "matmul_int16": longer(of_16_bits, more_terms, repeated(a=0), repeated(b=1)),
}
