"""Properties of the readings of a neuron's gradient."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from refcompress.conformance.properties.longer import longer, repeated, resized
from refcompress.conformance.properties.property import Property
from refcompress.formulas.pruning import reduction

OWN: dict[str, Callable[[str], Callable[..., Any]]] = {
    "neuron_gradients": lambda convention: partial(reduction.neuron_gradients, reduce=convention),
    "rms_of_parameter_moments": lambda convention: reduction.rms_of_parameter_moments,
}
UNIT = 2.0**-53
FLOATS = st.floats(-1e3, 1e3, width=32)  # their squares neither overflow nor underflow
POWERS = st.sampled_from([2.0, -1.0, -0.5, 2.0**20, -(2.0**-20)])
INTEGERS = st.integers(-100, 100).map(float)


@st.composite
def layers(
    draw: st.DrawFn, convention: str, elements: st.SearchStrategy[float] = FLOATS, parameters: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Up to 3 neurons, linear or convolutional, with and without biases; of these numbers of parameters, if given."""
    neurons, bias = draw(st.integers(1, 3)), convention == "bias" or draw(st.booleans())
    counts = [P - bias for P in parameters if bias < P] or [1, 2, 3, 5]
    inputs = draw(st.sampled_from(counts))
    values = draw(st.lists(elements, min_size=neurons * (inputs + bias), max_size=neurons * (inputs + bias)))
    table = np.array(values).reshape(neurons, inputs + bias)
    dW = np.ascontiguousarray(table[:, :inputs])
    shape = (neurons, inputs, 1, 1) if draw(st.booleans()) else (neurons, inputs)
    return {"dW": dW.reshape(shape), "db": table[:, inputs].copy() if bias else None}


def integers(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Integers; sums are exact."""
    return layers(convention, INTEGERS)


def exact(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Integers of 1, 2 or 4 parameters a neuron: quotients are exact."""
    return layers(convention, INTEGERS, (2, 4, 1))


def exact_moments(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """Integers of 1 or 4 parameters a neuron: before the root or after it, the quotient is exact."""
    return layers(convention, INTEGERS, (4, 1)).map(lambda layer: {"W_moments": layer["dW"], "b_moments": layer["db"]})


def more_parameters(arguments: dict[str, Any], n: int) -> dict[str, Any]:
    """A power of 4 parameters a neuron: quotients are exact, before a root and after it."""
    (name, weights), (_, biases) = arguments.items()
    count = 4 ** (n.bit_length() // 2)
    return arguments | {name: resized(weights, 1, count - (biases is not None))}


def scaled(convention: str) -> st.SearchStrategy[dict[str, Any]]:
    """A layer, and ±2^k."""
    return st.builds(lambda layer, factor: {**layer, "factor": factor}, layers(convention), POWERS)


def _values(dW: np.ndarray, db: np.ndarray | None) -> np.ndarray:
    """Return every neuron's parameters, (n, P)."""
    flat = dW.reshape(len(dW), -1)
    return flat if db is None else np.column_stack([flat, db])


def _close(found: Any, wanted: np.ndarray, values: np.ndarray) -> None:
    """Check within (P + 6)·u·Σ|values|: P sums or squares, a quotient, a root, and those of the wanted value."""
    slack = (values.shape[1] + 6) * UNIT * np.abs(values).sum(axis=1)
    assert np.shape(found) == wanted.shape, f"there are {len(values)} neurons, got shape {np.shape(found)}"
    assert (np.abs(found - wanted) <= slack).all(), f"must be {wanted}, got {found}"


def scales(f: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None, factor: float) -> None:
    """Gradients times ±2^k give the result times ±2^k, to the last bit (mean_abs, l2: times 2^k)."""
    other = np.asarray(f(factor * dW, None if db is None else factor * db))
    wanted = (abs(factor) if convention in ("mean_abs", "l2") else factor) * np.asarray(f(dW, db))
    assert np.array_equal(other, wanted), f"gradients times {factor:g} must give {wanted}, got {other}"


def looks_at_each_neuron_alone(f: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None) -> None:
    """A neuron's number does not depend on the others."""
    found = np.asarray(f(dW, db))
    parts = [np.asarray(f(dW[i : i + 1], None if db is None else db[i : i + 1])) for i in range(len(dW))]
    alone = np.concatenate(parts)
    assert np.array_equal(found, alone), f"the neurons alone give {alone}, together {found}"


def does_not_see_the_order(f: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None) -> None:
    """A neuron's inputs may change places."""
    found, turned = np.asarray(f(dW, db)), np.asarray(f(np.ascontiguousarray(dW[:, ::-1]), db))
    assert np.array_equal(found, turned), f"the inputs in reverse give {turned}, not {found}"


def lies_within(f: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None) -> None:
    """The mean is between the smallest and the largest gradient, mean_abs so for moduli, l2 from max |·| to Σ|·|."""
    found, values = np.asarray(f(dW, db)), _values(dW, db)
    sizes = np.abs(values)
    low, high = {
        "sum": (-sizes.sum(axis=1), sizes.sum(axis=1)),
        "mean": (values.min(axis=1), values.max(axis=1)),
        "mean_abs": (sizes.min(axis=1), sizes.max(axis=1)),
        "l2": (sizes.max(axis=1), sizes.sum(axis=1)),
        "bias": (values[:, -1], values[:, -1]),
    }[convention]
    _close(found, np.clip(found, low, high), values)


def adds_an_idle_input(f: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None) -> None:
    """One more weight whose gradient is 0 changes nothing but P: the means become P/(P + 1) of what they were."""
    values = _values(dW, db)
    P = values.shape[1]
    wider = np.concatenate([dW, np.zeros((len(dW), 1, *dW.shape[2:]))], axis=1)
    found = np.asarray(f(dW, db))
    _close(f(wider, db), found * P / (P + 1) if convention in ("mean", "mean_abs") else found, values)


def rms_scales(rms: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None, factor: float) -> None:
    """Moments times ±2^k have the root mean square times 2^k, to the last bit."""
    other = np.asarray(rms(factor * dW, None if db is None else factor * db))
    wanted = abs(factor) * np.asarray(rms(dW, db))
    assert np.array_equal(other, wanted), f"moments times {factor:g} must give {wanted}, got {other}"


def rms_lies_between(rms: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None) -> None:
    """The root mean square is between the smallest and the largest modulus."""
    found, values = np.asarray(rms(dW, db)), _values(dW, db)
    _close(found, np.clip(found, np.abs(values).min(axis=1), np.abs(values).max(axis=1)), values)


def rms_does_not_see_the_order(rms: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None) -> None:
    """A neuron's parameters may change places."""
    found, turned = np.asarray(rms(dW, db)), np.asarray(rms(np.ascontiguousarray(dW[:, ::-1]), db))
    assert np.array_equal(found, turned), f"the inputs in reverse give {turned}, not {found}"


def rms_of_an_idle_input(rms: Callable[..., Any], convention: str, dW: np.ndarray, db: np.ndarray | None) -> None:
    """One more weight whose moment is 0 makes the root mean square √(P/(P + 1)) of what it was."""
    values = _values(dW, db)
    P = values.shape[1]
    wider = np.concatenate([dW, np.zeros((len(dW), 1, *dW.shape[2:]))], axis=1)
    _close(rms(wider, db), np.asarray(rms(dW, db)) * math.sqrt(P / (P + 1)), values)


PROPERTIES = (
    Property("neuron_gradients", scales, scaled),
    Property("neuron_gradients", looks_at_each_neuron_alone, exact),
    Property("neuron_gradients", does_not_see_the_order, integers),
    Property("neuron_gradients", lies_within, layers),
    Property("neuron_gradients", adds_an_idle_input, layers),
    Property("rms_of_parameter_moments", rms_scales, scaled),
    Property("rms_of_parameter_moments", rms_lies_between, layers),
    Property("rms_of_parameter_moments", rms_does_not_see_the_order, integers),
    Property("rms_of_parameter_moments", rms_of_an_idle_input, layers),
)
AGREES = {"neuron_gradients": exact, "rms_of_parameter_moments": exact_moments}
LONGER = {
    "neuron_gradients": longer(exact, more_parameters, repeated(dW=0, db=0)),
    "rms_of_parameter_moments": longer(exact_moments, more_parameters, repeated(W_moments=0, b_moments=0)),
}
