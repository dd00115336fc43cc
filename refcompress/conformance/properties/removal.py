"""Properties of the removal of neurons."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import SIZES, longer, repeated, resized
from refcompress.conformance.properties.property import Property
from refcompress.formulas.pruning import removal

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "rows": lambda convention: removal.rows,
    "columns": lambda convention: removal.columns,
    "folded_bias": lambda convention: removal.folded_bias,
}
TYPES = st.sampled_from([np.float64, np.float32])


def _numbered(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return 1, 2, 3 …: every entry is told from every other."""
    return np.arange(1, np.prod(shape) + 1, dtype=dtype).reshape(shape)


def _indices(draw: st.DrawFn, neurons: int) -> np.ndarray:
    chosen = draw(st.lists(st.integers(0, neurons - 1), unique=True, max_size=neurons - 1))
    return np.array(chosen, np.int64)


@st.composite
def layers(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 5 neurons with biases, weights or filters, numbered; some to remove, in any order."""
    neurons = draw(st.integers(1, 5))
    shape = (neurons, *draw(st.sampled_from([(), (3,), (2, 1, 2)])))
    return {"array": _numbered(shape, draw(TYPES)), "indices": _indices(draw, neurons)}


@st.composite
def consumers(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """Up to 3 outputs of up to 4 neurons, linear or convolutional, numbered; blocks of up to 3 columns."""
    neurons, block = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    shape = (draw(st.integers(1, 3)), neurons * block, *draw(st.sampled_from([(), (1, 2)])))
    return {"W": _numbered(shape, draw(TYPES)), "indices": _indices(draw, neurons), "block": block}


@st.composite
def folds(draw: st.DrawFn, convention: str) -> dict[str, Any]:
    """The same with biases and the activations of what is removed: small integers, so that all sums are exact."""
    drawn = draw(consumers(convention))
    W, indices = drawn["W"], drawn["indices"]
    b = draw(st.lists(st.integers(-8, 8), min_size=len(W), max_size=len(W)))
    c = draw(st.lists(st.integers(-8, 8), min_size=len(indices), max_size=len(indices)))
    return {
        "b": np.array(b, W.dtype),
        "W": W,
        "indices": indices,
        "activation": np.array(c, W.dtype),
        "block": drawn["block"],
    }


def more_neurons(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n times as many neurons, of which as large a part is removed."""
    W, indices, block = arguments["W"], arguments["indices"], arguments["block"]
    neurons = W.shape[1] // block
    more = {"W": resized(W, 1, n * W.shape[1]), "indices": _again(indices, neurons, n)}
    if "activation" in arguments:
        more["activation"] = np.tile(arguments["activation"], n)
    return arguments | more


def more_rows(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """n times as many rows, of which as large a part is removed."""
    array, count = arguments["array"], len(arguments["array"])
    return {"array": resized(array, 0, n * count), "indices": _again(arguments["indices"], count, n)}


def _again(indices: np.ndarray, count: int, n: int) -> np.ndarray:
    """Return the same indices in n runs of count."""
    return (indices + count * np.arange(n)[:, None]).ravel()


def keeps_the_other_rows(rows: Callable[..., Any], convention: str, array: np.ndarray, indices: np.ndarray) -> None:
    """What is left are whole rows of the array, in their order, all but the removed ones."""
    kept = np.asarray(rows(array, indices))
    wanted = len(array) - len(indices), *array.shape[1:]
    assert (kept.dtype, kept.shape) == (array.dtype, wanted), f"must be {wanted}, got {kept.dtype} {kept.shape}"
    entries = kept.ravel().tolist()
    assert entries == sorted(set(entries) & set(array.ravel().tolist())), (
        f"entries must keep their order, got {entries}"
    )
    removed = np.isin(np.arange(len(array)), indices)
    found = np.array([any(entry in row for entry in entries) for row in array.reshape(len(array), -1)])
    assert np.array_equal(found, ~removed), f"rows {np.flatnonzero(~removed)} must stay, got {np.flatnonzero(found)}"


def rows_go_in_any_order(rows: Callable[..., Any], convention: str, array: np.ndarray, indices: np.ndarray) -> None:
    """The order of the indices does not matter."""
    found, turned = np.asarray(rows(array, indices)), np.asarray(rows(array, indices[::-1].copy()))
    assert np.array_equal(found, turned), f"{indices[::-1]} leaves something else than {indices}"


def columns_removed_are_masked(
    columns: Callable[..., Any], convention: str, W: np.ndarray, indices: np.ndarray, block: int
) -> None:
    """What the rest reads is what all of W reads with the removed neurons at 0."""
    x = np.arange(1, W.shape[1] + 1) % 7 + 1.0
    gone = np.isin(np.arange(W.shape[1]) // block, indices)
    kept = np.asarray(columns(W, indices, block))
    wanted = len(W), int((~gone).sum()), *W.shape[2:]
    assert (kept.dtype, kept.shape) == (W.dtype, wanted), f"must be {wanted}, got {kept.dtype} {kept.shape}"
    reads = np.tensordot(W, np.where(gone, 0, x), (1, 0)), np.tensordot(kept, x[~gone], (1, 0))
    assert np.array_equal(*reads), f"reads {reads[1].tolist()} where masking gives {reads[0].tolist()}"


def columns_go_by_block(
    columns: Callable[..., Any], convention: str, W: np.ndarray, indices: np.ndarray, block: int
) -> None:
    """A block's columns are removed like as many neurons of one column."""
    single = (indices[:, None] * block + np.arange(block)).ravel()
    found, alone = np.asarray(columns(W, indices, block)), np.asarray(columns(W, single, 1))
    assert np.array_equal(found, alone), f"blocks {indices} leave something else than columns {single}"


def folds_what_the_neurons_gave(
    folded_bias: Callable[..., Any],
    convention: str,
    b: np.ndarray,
    W: np.ndarray,
    indices: np.ndarray,
    activation: np.ndarray,
    block: int,
) -> None:
    """With the removed neurons at 0, the new bias gives what the old one gives with them at their activations."""
    x = np.zeros(W.shape[1])
    for i, c in zip(indices, activation, strict=True):
        x[i * block : (i + 1) * block] = c
    kernels = W.reshape(*W.shape[:2], -1).sum(axis=2)
    found, wanted = np.asarray(folded_bias(b, W, indices, activation, block)), b + kernels @ x
    assert found.dtype == b.dtype, f"must be {b.dtype}, got {found.dtype}"
    assert np.array_equal(found, wanted), f"the biases must be {wanted}, got {found}"


def neurons_at_zero_fold_nothing(
    folded_bias: Callable[..., Any],
    convention: str,
    b: np.ndarray,
    W: np.ndarray,
    indices: np.ndarray,
    activation: np.ndarray,
    block: int,
) -> None:
    """Activations of 0 leave the bias as it is."""
    found = np.asarray(folded_bias(b, W, indices, np.zeros_like(activation), block))
    assert np.array_equal(found, b), f"the biases must stay {b}, got {found}"


PROPERTIES = (
    Property("rows", keeps_the_other_rows, layers),
    Property("rows", rows_go_in_any_order, layers),
    Property("columns", columns_removed_are_masked, consumers),
    Property("columns", columns_go_by_block, consumers),
    Property("folded_bias", folds_what_the_neurons_gave, folds),
    Property("folded_bias", neurons_at_zero_fold_nothing, folds),
)
AGREES = {"rows": layers, "columns": consumers, "folded_bias": folds}
LONGER = {
    "rows": longer(layers, more_rows, sizes=SIZES[:8]),
    "columns": longer(consumers, more_neurons, repeated(W=0), sizes=SIZES[:8]),
    "folded_bias": longer(folds, more_neurons, repeated(b=0, W=0), sizes=SIZES[:8]),
}
