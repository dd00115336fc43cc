import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refcompress.formulas.pruning import reduction, stability
from tests.oracles import reduction as oracle

UNIT = 2.0**-53
PER_STEP = ("sum", "mean", "mean_abs", "l2", "bias")

# float32 values, so that squares neither overflow nor underflow in float64
values = st.floats(-1e3, 1e3, width=32)


def test_constants():
    assert reduction.REDUCTIONS == ("rms_of_parameter_moments", "sum", "mean", "mean_abs", "l2", "bias")
    assert reduction.SIGNED_REDUCTIONS == ("sum", "mean", "bias")


# The source's example: T = 2, the gradients of (w1, w2, b) of one neuron.
EXAMPLE = [((1.0, -1.0), 0.0), ((-1.0, 1.0), 0.0)]


@pytest.mark.parametrize(
    ("reduce", "step_values", "mean"),
    [
        ("sum", [0.0, 0.0], 0.0),
        ("mean", [0.0, 0.0], 0.0),
        ("mean_abs", [2 / 3, 2 / 3], 2 / 3),
        ("l2", [math.sqrt(2), math.sqrt(2)], math.sqrt(2)),
        ("bias", [0.0, 0.0], 0.0),
    ],
)
def test_the_example_reduced_at_every_step(reduce, step_values, mean):
    rows = [reduction.neuron_gradients(np.array([w]), np.array([b]), reduce) for w, b in EXAMPLE]
    assert [row.tolist() for row in rows] == [[value] for value in step_values]
    assert stability.mean(np.array(rows)).tolist() == [mean]
    assert stability.std(np.array(rows)).tolist() == [0.0]
    assert stability.std(np.array(rows), ddof=1).tolist() == [0.0]


@pytest.mark.parametrize(("ddof", "square"), [(0, 2 / 3), (1, 4 / 3)])
def test_the_example_by_rms_of_parameter_moments(ddof, square):
    table = np.array([[*w, b] for w, b in EXAMPLE])
    means, stds = stability.mean(table), stability.std(table, ddof=ddof)
    assert means.tolist() == [0.0, 0.0, 0.0]
    assert reduction.rms_of_parameter_moments(means[None, :2], means[2:]).tolist() == [0.0]
    result = reduction.rms_of_parameter_moments(stds[None, :2], stds[2:])
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, [math.sqrt(square)], rtol=8 * UNIT, atol=0)


def test_every_reduction_of_three_neurons():
    dW = np.array([[3.0, -4.0], [0.0, 2.0], [-1.0, -1.0]])
    db = np.array([0.0, 1.0, -4.0])
    expected = {
        "sum": [-1.0, 3.0, -6.0],
        "mean": [-1 / 3, 1.0, -2.0],
        "mean_abs": [7 / 3, 1.0, 2.0],
        "l2": [5.0, math.sqrt(5), math.sqrt(18)],
        "bias": [0.0, 1.0, -4.0],
    }
    for reduce, literal in expected.items():
        result = reduction.neuron_gradients(dW, db, reduce)
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, literal, rtol=8 * UNIT, atol=0)


def test_reductions_without_bias_divide_by_the_weights_alone():
    dW = np.array([[3.0, -4.0], [0.0, 2.0], [-1.0, -1.0]])
    expected = {
        "sum": [-1.0, 2.0, -2.0],
        "mean": [-0.5, 1.0, -1.0],
        "mean_abs": [3.5, 1.0, 1.0],
        "l2": [5.0, 2.0, math.sqrt(2)],
    }
    for reduce, literal in expected.items():
        np.testing.assert_allclose(reduction.neuron_gradients(dW, None, reduce), literal, rtol=8 * UNIT, atol=0)
    with pytest.raises(ValueError, match=r"bias|db"):
        reduction.neuron_gradients(dW, None, "bias")
    assert reduction.rms_of_parameter_moments(np.array([[3.0, 4.0, 0.0, 0.0]]), None).tolist() == [2.5]


def reduction_bound(dW, db):
    """(K + 4)·u·(Σ|g|) for K terms: K roundings of the sum and of squares, one division, one root."""
    K = dW[0].size + 1
    total = np.abs(dW).reshape(len(dW), -1).sum(axis=1) + (0 if db is None else np.abs(db))
    return (K + 4) * UNIT * total.max()


@pytest.mark.parametrize("shape", [(3, 5), (3, 2, 4, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("with_bias", [True, False])
def test_reductions_match_the_oracle(shape, dtype, with_bias):
    rng = np.random.default_rng(11)
    dW = rng.standard_normal(shape).astype(dtype)
    db = rng.standard_normal(shape[0]).astype(dtype) if with_bias else None
    bound = reduction_bound(dW, db)
    for reduce in PER_STEP if with_bias else PER_STEP[:-1]:
        result = reduction.neuron_gradients(np.asfortranarray(dW), db, reduce)
        assert result.shape == (shape[0],)
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, oracle.neuron_gradients(dW, db, reduce), rtol=0, atol=bound)
    moments = np.abs(dW)
    b_moments = None if db is None else np.abs(db)
    result = reduction.rms_of_parameter_moments(moments, b_moments)
    assert result.shape == (shape[0],)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, oracle.rms_of_parameter_moments(moments, b_moments), rtol=0, atol=bound)


def test_float32_reductions_are_summed_in_float64():
    dW = np.array([[2.0**24, 1.0]], np.float32)
    db = np.array([1.0], np.float32)
    assert reduction.neuron_gradients(dW, db, "sum").tolist() == [2**24 + 2]
    assert reduction.neuron_gradients(dW, db, "mean_abs").tolist() == [(2**24 + 2) / 3]
    # a float32 square of 1e30 would overflow
    big = np.array([[1e30, 0.0]], np.float32)
    np.testing.assert_allclose(reduction.neuron_gradients(big, None, "l2"), [float(np.float32(1e30))], rtol=4 * UNIT)


@settings(deadline=None, max_examples=40)
@given(hnp.arrays(np.float64, (2, 3), elements=values), hnp.arrays(np.float64, (2,), elements=values))
def test_reductions_keep_their_order(dW, db):
    """|mean| ≤ mean_abs ≤ l2 ≤ Σ|g|, and sum is the mean times the count, within the roundings."""
    bound = 2 * reduction_bound(dW, db)
    result = {reduce: reduction.neuron_gradients(dW, db, reduce) for reduce in PER_STEP}
    assert (np.abs(result["mean"]) <= result["mean_abs"] + bound).all()
    assert (result["mean_abs"] <= result["l2"] + bound).all()
    assert (result["l2"] <= 4 * result["mean_abs"] + 4 * bound).all()
    np.testing.assert_allclose(4 * result["mean"], result["sum"], rtol=0, atol=4 * bound)
    assert (result["bias"] == db).all()


def test_neuron_gradients_refuses():
    dW, db = np.ones((3, 2)), np.ones(3)
    for reduce in ("rms_of_parameter_moments", "median", ""):
        with pytest.raises(ValueError, match="reduce"):
            reduction.neuron_gradients(dW, db, reduce)
    with pytest.raises(ValueError, match="db"):
        reduction.neuron_gradients(dW, np.ones(2), "sum")
    with pytest.raises(ValueError, match="db"):
        reduction.neuron_gradients(dW, np.ones((3, 1)), "bias")
    with pytest.raises(TypeError, match="dW"):
        reduction.neuron_gradients(np.ones((3, 2), int), db, "sum")
    with pytest.raises(TypeError, match="db"):
        reduction.neuron_gradients(dW, np.ones(3, np.float16), "sum")


def test_rms_of_parameter_moments_refuses():
    with pytest.raises(ValueError, match="b_moments"):
        reduction.rms_of_parameter_moments(np.ones((3, 2)), np.ones(2))
    with pytest.raises(TypeError, match="W_moments"):
        reduction.rms_of_parameter_moments(np.ones((3, 2), int), None)
