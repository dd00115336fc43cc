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
    """(K + 4)·u·Σ|g| for K terms: K roundings of the sum and of squares, one division, one root; u is that of dW."""
    K = dW[0].size + 1
    total = np.abs(dW).reshape(len(dW), -1).sum(axis=1) + (0 if db is None else np.abs(db))
    return (K + 4) * np.finfo(dW.dtype).eps / 2 * total.astype(float).max()


@pytest.mark.parametrize("shape", [(3, 5), (3, 2, 4, 5), (70, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("with_bias", [True, False])
def test_reductions_match_the_oracle(shape, dtype, with_bias):
    rng = np.random.default_rng(11)
    dW = rng.standard_normal(shape).astype(dtype)
    db = rng.standard_normal(shape[0]).astype(dtype) if with_bias else None
    bound = reduction_bound(dW, db)
    for reduce in PER_STEP if with_bias else PER_STEP[:-1]:
        for layout in (dW, np.asfortranarray(dW), dW[::-1].copy()[::-1]):
            result = reduction.neuron_gradients(layout, db, reduce)
            assert result.shape == (shape[0],)
            assert result.dtype == np.float64
            np.testing.assert_allclose(result, oracle.neuron_gradients(dW, db, reduce), rtol=0, atol=bound)
    moments = np.abs(dW)
    b_moments = None if db is None else np.abs(db)
    result = reduction.rms_of_parameter_moments(moments, b_moments)
    assert result.shape == (shape[0],)
    assert result.dtype == np.float64
    expected = oracle.rms_of_parameter_moments(moments, b_moments)
    bound = reduction_bound(moments.astype(np.float64), b_moments)  # in float64 whatever the moments are
    np.testing.assert_allclose(result, expected, rtol=0, atol=bound)


def test_the_bias_is_added_in_float64():
    """2²⁴ + 1 is no float32; the sum of the weights alone, here one, is."""
    dW, db = np.array([[2.0**24]], np.float32), np.array([1.0], np.float32)
    assert reduction.neuron_gradients(dW, db, "sum").tolist() == [2**24 + 1]
    assert reduction.neuron_gradients(dW, db, "mean").tolist() == [(2**24 + 1) / 2]
    assert reduction.neuron_gradients(-dW, -db, "mean_abs").tolist() == [(2**24 + 1) / 2]
    dW = np.array([[2.0**12]], np.float32)  # the square is 2²⁴
    assert reduction.neuron_gradients(dW, db, "l2").tolist() == [math.sqrt(2**24 + 1)]
    assert reduction.neuron_gradients(dW, np.array([0.1], np.float32), "bias").tolist() == [float(np.float32(0.1))]


@pytest.mark.parametrize("reduce", PER_STEP[:-1])
def test_sums_of_many_float32_weights(reduce):
    """4,096 weights: within n·u·Σ|d|, and on average the far less that random roundings do."""
    dW = np.random.default_rng(4).standard_normal((5, 4096)).astype(np.float32)
    error = np.abs(reduction.neuron_gradients(dW, None, reduce) - oracle.neuron_gradients(dW, None, reduce))
    divisor = 4096 if reduce in ("mean", "mean_abs") else 1
    assert (error <= reduction_bound(dW, None) / divisor).all()
    # √n roundings of partial sums that do not exceed Σ|d| (l2: whose root is ‖d‖, with half of the relative error)
    size = np.sqrt(np.sum(dW.astype(float) ** 2, axis=1)) if reduce == "l2" else np.abs(dW.astype(float)).sum(axis=1)
    assert (error <= 64 * 2.0**-24 * size / divisor).all()


def test_rms_of_norms():
    result = reduction.rms_of_norms(np.array([5.0, 0.0, 3.0], np.float32), 4)
    assert result.dtype == np.float64
    assert result.tolist() == [2.5, 0.0, 1.5]
    norms = np.array([0.1, 7.0, 1e-300])
    assert reduction.rms_of_norms(norms, np.int64(1)).tolist() == norms.tolist()
    for parameters in range(1, 40):  # one root and one quotient, and the oracle's root
        expected = oracle.rms_of_norms(norms, parameters)
        np.testing.assert_allclose(reduction.rms_of_norms(norms, parameters), expected, rtol=4 * UNIT, atol=0)


def test_rms_of_norms_is_the_rms_of_what_the_norms_are_of():
    stds = np.abs(np.random.default_rng(5).standard_normal((3, 7)))
    expected = reduction.rms_of_parameter_moments(stds[:, :6], stds[:, 6])
    result = reduction.rms_of_norms(np.sqrt((stds**2).sum(axis=1)), 7)
    np.testing.assert_allclose(result, expected, rtol=12 * UNIT, atol=0)  # 7 sums, a root and a quotient


def test_rms_of_norms_refuses():
    for parameters in (0, -1):
        with pytest.raises(ValueError, match="parameters"):
            reduction.rms_of_norms(np.ones(2), parameters)
    for parameters in (1.0, True, None):
        with pytest.raises(TypeError, match="parameters"):
            reduction.rms_of_norms(np.ones(2), parameters)
    for norms in (np.ones((2, 1)), np.float64(1)):
        with pytest.raises(ValueError, match="norms"):
            reduction.rms_of_norms(norms, 2)
    for wrong in (int, np.float16, bool):
        with pytest.raises(TypeError, match="norms"):
            reduction.rms_of_norms(np.ones(2, wrong), 2)


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


@pytest.mark.parametrize(("row", "norm"), [([3e30, 4e30], 5e30), ([3e-25, 4e-25], 5e-25), ([0, 0], 0), ([3, 4], 5)])
def test_l2_beyond_the_squares_of_float32(row, norm):
    """Rows whose squares have no float32 beside one that has: each comes out right, without a warning."""
    dW = np.array([row, [6, 8]], np.float32)
    result = reduction.neuron_gradients(dW, None, "l2")
    np.testing.assert_allclose(result, [norm, 10], rtol=1e-6)  # rounding of the row to float32, squares and root


@pytest.mark.parametrize(("reduce", "value"), [("sum", 8e38), ("mean", 2e38), ("mean_abs", 2e38)])
def test_sums_beyond_float32(reduce, value):
    """Four gradients of 2e38, whose float32 sum is infinite, beside a row that fits: each comes out right."""
    dW = np.array([[2e38] * 4, [3.0] * 4], np.float32)
    expected = [value, 12.0 if reduce == "sum" else 3.0]
    np.testing.assert_allclose(reduction.neuron_gradients(dW, None, reduce), expected, rtol=1e-6)
