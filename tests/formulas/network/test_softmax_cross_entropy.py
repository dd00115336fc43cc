import math

import numpy as np
import pytest

from refcompress.formulas.network import softmax_cross_entropy
from tests.gradient_check import assert_within, check_gradient, frozen, gamma, layouts
from tests.oracles import softmax_cross_entropy as oracle

N, C = 5, 7


def arrays(dtype=np.float64, scale=3.0):
    rng = np.random.default_rng(1)
    return frozen((scale * rng.standard_normal((N, C))).astype(dtype)), frozen(rng.integers(0, C, N))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, np.float64(0.75)])
@pytest.mark.parametrize("scale", [3.0, 1e4])
def test_equals_the_loops(scale, smoothing, reduction, dtype):
    logits, labels = arrays(dtype, scale)
    loss, cache = softmax_cross_entropy.forward(logits, labels, reduction=reduction, label_smoothing=smoothing)
    # With A = max|l − max l| + log C + 1 a log-probability takes a difference, C exponentials and sums, a logarithm and
    # a difference: C + 12 roundings of A; then C products, N sums and a division. Twice, because the oracle rounds too.
    A = np.ptp(logits.astype(float), axis=1) + math.log(C) + 1
    bound = gamma(2 * (2 * C + N + 16), dtype) * (A.mean() if reduction == "mean" else A.sum())
    assert_within(loss, oracle.forward(logits, labels, reduction, smoothing), bound, dtype)
    dlogits = softmax_cross_entropy.backward(dtype(-1.5), cache)
    # A probability's exponent is wrong by A roundings, which is relative in the probability.
    share = 1.5 / (N if reduction == "mean" else 1)
    bound = 2 * (gamma(2 * (C + 16), dtype) + A[:, None] * gamma(4, dtype)) * share
    assert_within(dlogits, oracle.backward(-1.5, logits, labels, reduction, smoothing), bound, dtype)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradient(smoothing, reduction):
    logits, labels = arrays()
    check_gradient(
        lambda logits: softmax_cross_entropy.forward(logits, labels, reduction=reduction, label_smoothing=smoothing),
        softmax_cross_entropy.backward,
        (logits,),
    )


def test_literals():
    # softmax of (log 1, log 2, log 5) is (⅛, ¼, ⅝)
    logits = np.log([[1.0, 2.0, 5.0], [5.0, 1.0, 2.0]])
    labels = np.array([2, 1])
    loss, cache = softmax_cross_entropy.forward(logits, labels)
    assert math.isclose(loss, (math.log(8 / 5) + math.log(8)) / 2, rel_tol=1e-15)
    np.testing.assert_allclose(softmax_cross_entropy.backward(16.0, cache), [[1, 2, -3], [5, -7, 2]], rtol=1e-14)
    loss, cache = softmax_cross_entropy.forward(logits, labels, reduction="sum")
    assert math.isclose(loss, math.log(8 / 5) + math.log(8), rel_tol=1e-15)
    np.testing.assert_allclose(softmax_cross_entropy.backward(8.0, cache), [[1, 2, -3], [5, -7, 2]], rtol=1e-14)


def test_label_smoothing_literals():
    # The target of label 2 is ½·(0, 0, 1) + ½/3: (1/6, 1/6, 4/6).
    loss, cache = softmax_cross_entropy.forward(np.log([[1.0, 2.0, 5.0]]), np.array([2]), label_smoothing=0.5)
    assert math.isclose(loss, (math.log(8) + math.log(4) + 4 * math.log(8 / 5)) / 6, rel_tol=1e-14)
    np.testing.assert_allclose(softmax_cross_entropy.backward(24.0, cache), [[-1, 2, -1]], rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_far_apart(dtype):
    # e^10000 overflows and warns, and warnings are errors here.
    logits = np.array([[1e4, 0, -1e4]] * 3, dtype)
    for label, loss_expected in enumerate([0, 1e4, 2e4]):
        loss, cache = softmax_cross_entropy.forward(logits[:1], np.array([label]))
        assert loss == loss_expected
        one_hot = [[float(c == label) for c in range(3)]]
        np.testing.assert_array_equal(softmax_cross_entropy.backward(1.0, cache), np.array([[1, 0, 0]]) - one_hot)
    assert softmax_cross_entropy.forward(logits + dtype(1e4), np.array([0, 1, 2]), reduction="sum")[0] == 3e4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_of_the_loss(dtype):
    logits, labels = arrays(dtype)
    loss, cache = softmax_cross_entropy.forward(logits, labels)
    assert np.shape(loss) == ()
    assert loss.dtype == dtype
    for dout in (1.0, dtype(1), np.ones((), dtype), loss):
        assert softmax_cross_entropy.backward(dout, cache).dtype == dtype


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_labels_of_any_integer_type(dtype):
    logits, labels = arrays()
    loss, cache = softmax_cross_entropy.forward(logits, labels.astype(dtype))
    assert_within(loss, oracle.forward(logits, labels), 1e-14, np.float64)
    assert_within(softmax_cross_entropy.backward(1.0, cache), oracle.backward(1.0, logits, labels), 1e-15, np.float64)


def test_memory_layout_does_not_matter():
    logits, labels = arrays()
    for logits_ in layouts(logits):
        loss, cache = softmax_cross_entropy.forward(frozen(logits_), labels)
        assert_within(loss, oracle.forward(logits, labels), 1e-14, np.float64)
        assert_within(
            softmax_cross_entropy.backward(1.0, cache), oracle.backward(1.0, logits, labels), 1e-15, np.float64
        )


def test_wrong_arguments():
    logits, labels = arrays()
    for wrong in (logits[0], logits[None]):
        with pytest.raises(ValueError, match=r"\blogits\b"):
            softmax_cross_entropy.forward(wrong, labels)
    for wrong in (logits.astype(int), logits.astype(np.float16)):
        with pytest.raises(TypeError, match=r"\blogits\b"):
            softmax_cross_entropy.forward(wrong, labels)
    for wrong in (
        labels[:-1],
        labels[:1],
        labels[None],
        labels[0],
        labels - C,
        labels + C,
        np.array([0, 0, 0, 0, -1]),
        np.array([C, 0, 0, 0, 0]),
    ):
        with pytest.raises(ValueError, match=r"\blabels\b"):
            softmax_cross_entropy.forward(logits, wrong)
    for wrong in (labels.astype(float), labels > 2, np.eye(C)[labels]):
        with pytest.raises(TypeError, match=r"\blabels\b"):
            softmax_cross_entropy.forward(logits, wrong)
    for wrong in ("none", "MEAN", "", None, 1):
        with pytest.raises((ValueError, TypeError), match=r"\breduction\b"):
            softmax_cross_entropy.forward(logits, labels, reduction=wrong)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"\blabel_smoothing\b"):
            softmax_cross_entropy.forward(logits, labels, label_smoothing=wrong)
    with pytest.raises(TypeError, match=r"\blabel_smoothing\b"):
        softmax_cross_entropy.forward(logits, labels, label_smoothing="0.1")
    _, cache = softmax_cross_entropy.forward(logits, labels)
    for wrong in (np.ones(N), logits, "1", None):
        with pytest.raises((ValueError, TypeError), match=r"\bdout\b"):
            softmax_cross_entropy.backward(wrong, cache)
