import math

import numpy as np
import pytest

from refcompress import nn
from refcompress.compress import Criterion, score_layers
from refcompress.formulas.pruning import stability
from tests.oracles import selection as oracle
from tests.oracles import stability as stability_oracle

REDUCTIONS = ("rms_of_parameter_moments", "sum", "mean", "mean_abs", "l2", "bias")


def history(reduce="bias", **layers):
    """A history of two iterations in which every neuron's gradients are mean ± std: layer = (means, stds).

    Of dyadic numbers the mean and the standard deviation (ddof 0) are exact.
    """
    model = nn.Sequential(
        {name: nn.Linear(np.zeros((len(means), 1)), np.zeros(len(means))) for name, (means, _) in layers.items()}
    )
    result = nn.GradientHistory(model, reduce=reduce)
    for sign in (1, -1):
        for name, (means, stds) in layers.items():
            gradients = np.array(means, float) + sign * np.array(stds, float)
            model.layers[name].gradients = {"weight": gradients.reshape(-1, 1), "bias": gradients}
        result.record()
    return result


def selected(criterion, means, stds):
    (layer,) = score_layers(history(criterion.reduce, fc=(means, stds)), ("fc",), criterion)
    assert layer.name == "fc"
    assert layer.mean.tolist() == [float(m) for m in means]
    assert layer.std.tolist() == [float(s) for s in stds]
    return layer


def by_bias(**settings):
    return Criterion(reduce="bias", **settings)


# ---- the settings ----


def fields(criterion):
    return vars(criterion)


def test_defaults():
    assert fields(Criterion()) == {
        "reduce": "rms_of_parameter_moments",
        "ddof": 0,
        "rule": "text",
        "tau_mean": None,
        "tau_std": None,
        "tau_relative_to": None,
        "fraction": 0.5,
    }
    assert fields(Criterion(rule="listing")) == {
        "reduce": "mean",
        "ddof": 1,
        "rule": "listing",
        "tau_mean": 1e-3,
        "tau_std": 1e-3,
        "tau_relative_to": None,
        "fraction": None,
    }


def test_what_is_given_stays():
    assert Criterion(tau_mean=0.0, tau_std=math.inf).fraction is None
    assert fields(Criterion(rule="listing", reduce="bias", ddof=0, tau_mean=0.5, tau_std=2.0)) == {
        "reduce": "bias",
        "ddof": 0,
        "rule": "listing",
        "tau_mean": 0.5,
        "tau_std": 2.0,
        "tau_relative_to": None,
        "fraction": None,
    }
    assert Criterion(fraction=0.0).fraction == 0.0
    assert [Criterion(reduce=reduce).reduce for reduce in REDUCTIONS] == list(REDUCTIONS)
    for reduce in ("sum", "mean", "bias"):
        assert Criterion(rule="listing", reduce=reduce).reduce == reduce


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"rule": "Text"}, ValueError, "rule must be one of text, listing"),
        ({"rule": None}, ValueError, "rule"),
        ({"reduce": "median"}, ValueError, "reduce must be one of"),
        ({"ddof": 2}, ValueError, "ddof"),
        ({"ddof": -1}, ValueError, "ddof"),
        ({"ddof": 0.0}, TypeError, "ddof"),
        ({"ddof": True}, TypeError, "ddof"),
        ({"tau_mean": 1.0}, ValueError, "tau_mean and tau_std must be given together"),
        ({"tau_std": 1.0}, ValueError, "tau_mean and tau_std must be given together"),
        ({"tau_mean": -1e-9, "tau_std": 1.0}, ValueError, "tau_mean"),
        ({"tau_mean": math.nan, "tau_std": 1.0}, ValueError, "tau_mean"),
        ({"tau_mean": 1.0, "tau_std": -1.0}, ValueError, "tau_std"),
        ({"tau_mean": 1.0, "tau_std": math.nan}, ValueError, "tau_std"),
        ({"tau_mean": "1", "tau_std": 1.0}, TypeError, "tau_mean"),
        ({"rule": "listing", "tau_std": -1.0}, ValueError, "tau_std"),
        ({"tau_relative_to": "layer-median"}, ValueError, "tau_relative_to must come with"),
        ({"tau_relative_to": "layer-median", "fraction": 0.5}, ValueError, "tau_relative_to must come with"),
        ({"tau_relative_to": "mean", "tau_mean": 1.0, "tau_std": 1.0}, ValueError, "tau_relative_to must be one of"),
        ({"rule": "listing", "fraction": 0.5}, ValueError, "fraction must not be given with the listing's rule"),
        ({"rule": "listing", "reduce": "l2"}, ValueError, "reduce must be one of sum, mean, bias with the listing"),
        ({"rule": "listing", "reduce": "mean_abs"}, ValueError, "reduce must be one of sum, mean, bias"),
        ({"rule": "listing", "reduce": "rms_of_parameter_moments"}, ValueError, "reduce must be one of sum, mean"),
        ({"rule": "listing", "tau_relative_to": "layer-median"}, ValueError, "tau_relative_to must not be given"),
        ({"fraction": 0.5, "tau_mean": 1.0, "tau_std": 1.0}, ValueError, "fraction and thresholds exclude each other"),
        ({"fraction": 1.0}, ValueError, "fraction"),
        ({"fraction": -0.1}, ValueError, "fraction"),
        ({"fraction": math.nan}, ValueError, "fraction"),
        ({"fraction": "0.5"}, TypeError, "fraction"),
        ({"fraction": True}, TypeError, "fraction"),
    ],
)
def test_refuses(settings, error, match):
    with pytest.raises(error, match=match):
        Criterion(**settings)


# ---- a fraction ----

# |mean| has the median 2, std the median 1: scores max(|m|/2, s/1) = 0.5, 4, 1, 0.5, 2, 4, 1
MEANS = [1, -8, 2, -1, 4, 0, 2]
STDS = [0.5, 1, 1, 0.5, 1, 4, 0.25]
SCORES = [0.5, 4, 1, 0.5, 2, 4, 1]


@pytest.mark.parametrize(
    ("fraction", "expected", "growth"),
    [
        (0.0, [], 0.25),  # midway between 0 and the smallest score
        (0.1, [], 0.25),
        (1 / 7, [], 0.25),  # as a decimal, 0.14285714285714285 of 7 is below 1
        (0.15, [0], 0.5),  # the tie of 0 and 3 goes to the lower index
        (0.3, [0, 3], 0.75),
        (0.43, [0, 2, 3], 1),
        (0.58, [0, 2, 3, 6], 1.5),
        (0.72, [0, 2, 3, 4, 6], 3),
        (0.9, [0, 1, 2, 3, 4, 6], 4),
        (0.999, [0, 1, 2, 3, 4, 6], 4),
    ],
)
def test_a_fraction_with_ties(fraction, expected, growth):
    assert oracle.smallest(SCORES, fraction) == expected
    layer = selected(by_bias(fraction=fraction), MEANS, STDS)
    assert layer.selected.tolist() == expected
    assert layer.selected.dtype == np.int64
    assert (layer.tau_mean, layer.tau_std) == (2 * growth, growth)


def test_the_default_fraction_is_a_half():
    assert selected(by_bias(), MEANS, STDS).selected.tolist() == [0, 2, 3]
    assert selected(by_bias(), MEANS[:4], STDS[:4]).selected.tolist() == [0, 3]


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.75, 0.95])
def test_the_thresholds_select_that_fraction(fraction):
    """Without ties, P3 at the reported thresholds gives the very selection, whatever was rounded on the way."""
    rng, checked = np.random.default_rng(int(100 * fraction)), 0
    for count in (2, 3, 10, 31):
        for _ in range(50):
            means, stds = rng.standard_normal(count), np.abs(rng.standard_normal(count))
            recorded = history(fc=(means, stds))
            (layer,) = score_layers(recorded, ("fc",), by_bias(fraction=fraction))
            medians = oracle.median_thresholds(layer.mean, layer.std)
            score, k = sorted(oracle.score(layer.mean, layer.std, *medians)), len(layer.selected)
            if k and score[k - 1] == score[k]:
                continue  # the neurons at the two medians, for one, both have the score 1
            checked += 1
            again = stability_oracle.unimportant(layer.mean, layer.std, layer.tau_mean, layer.tau_std)
            assert np.flatnonzero(again).tolist() == layer.selected.tolist()
            assert len(layer.selected) == math.floor(fraction * count)  # exact for these numbers
    assert checked > 150


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.6, 0.75])
def test_thresholds_of_a_layer_of_mostly_dead_neurons(fraction):
    """More than half never had a gradient: the medians are 0, but the thresholds are still numbers."""
    layer = selected(by_bias(fraction=fraction), [0, 0, 0, 0, 0, 0, 2, 3], [0, 0, 0, 0, 0, 0, 2, 3])
    assert layer.selected.tolist() == list(range(int(8 * fraction)))
    assert layer.tau_mean >= 0  # neither is NaN
    assert layer.tau_std >= 0
    stability.unimportant(layer.mean, layer.std, layer.tau_mean, layer.tau_std)


def test_all_neurons_equal():
    layer = selected(by_bias(fraction=0.75), [1, 1, 1, 1], [2, 2, 2, 2])
    assert layer.selected.tolist() == [0, 1, 2]
    assert (layer.tau_mean, layer.tau_std) == (1, 2)


def test_one_neuron_stays():
    assert selected(by_bias(fraction=0.999), [1], [2]).selected.tolist() == []


# ---- thresholds ----


@pytest.mark.parametrize(
    ("tau_mean", "tau_std", "expected"),
    [
        (2.0, 1.0, [0, 3]),  # strict: |mean| = 2 and std = 1 are not below
        (2.5, 1.5, [0, 2, 3, 6]),
        (math.inf, 0.75, [0, 3, 6]),
        (1.0, math.inf, [5]),
        (0.0, 9.0, []),
        (9.0, 0.0, []),
        (8.0, 9.0, [0, 2, 3, 4, 5, 6]),
    ],
)
def test_absolute_thresholds(tau_mean, tau_std, expected):
    layer = selected(by_bias(tau_mean=tau_mean, tau_std=tau_std), MEANS, STDS)
    assert layer.selected.tolist() == expected
    assert (layer.tau_mean, layer.tau_std) == (tau_mean, tau_std)


@pytest.mark.parametrize(
    ("tau_mean", "tau_std", "expected"),
    [(1.0, 1.0, [0, 3]), (1.25, 1.5, [0, 2, 3, 6]), (2.0, 3.0, [0, 2, 3, 6]), (2.5, 3.0, [0, 2, 3, 4, 6])],
)
def test_thresholds_relative_to_the_layers_median(tau_mean, tau_std, expected):
    criterion = by_bias(tau_mean=tau_mean, tau_std=tau_std, tau_relative_to="layer-median")
    layer = selected(criterion, MEANS, STDS)
    assert layer.selected.tolist() == expected
    assert (layer.tau_mean, layer.tau_std) == (2 * tau_mean, tau_std)


def test_every_layer_has_its_own_median():
    criterion = by_bias(tau_mean=1.25, tau_std=1.5, tau_relative_to="layer-median")
    recorded = history(a=(MEANS, STDS), b=([1024 * m for m in MEANS], [16 * s for s in STDS]))
    first, second = score_layers(recorded, ("a", "b"), criterion)
    assert first.selected.tolist() == second.selected.tolist() == [0, 2, 3, 6]
    assert (second.name, second.tau_mean, second.tau_std) == ("b", 2560, 24)


def test_the_listings_rule():
    """mean < τ and std/mean < τ as printed: a negative mean passes both, a large positive one neither."""
    criterion = Criterion(rule="listing", reduce="bias", ddof=0, tau_mean=1.0, tau_std=0.5)
    means, stds = [-8, 0.5, 0.5, 2, 0, 0, 0.25], [4, 0.125, 0.25, 0, 0, 1, 0]
    # std/mean: −0.5, 0.25, 0.5 (not below), 0 (but the mean is 2), 0/0, ∞, 0
    assert selected(criterion, means, stds).selected.tolist() == [0, 1, 6]


def test_the_listings_ddof():
    """ddof 1 of two iterations grows the std by √2."""
    recorded = history("mean", fc=([0.5, 0.5, 4], [0.25, 0.375, 0]))
    default = Criterion(rule="listing", tau_mean=1.0, tau_std=0.75)
    (layer,) = score_layers(recorded, ("fc",), default)
    np.testing.assert_allclose(layer.std, [0.25 * 2**0.5, 0.375 * 2**0.5, 0], rtol=4 * 2.0**-53)
    assert layer.selected.tolist() == [0]  # 0.71 passes, 1.06 does not
    (layer,) = score_layers(recorded, ("fc",), Criterion(rule="listing", ddof=0, tau_mean=1.0, tau_std=0.8))
    assert layer.selected.tolist() == [0, 1]  # 0.5 and 0.75 do


def test_the_default_reduction_ignores_the_sign():
    layer = score_layers(
        history("rms_of_parameter_moments", fc=(MEANS, STDS)), ("fc",), Criterion(tau_mean=2.5, tau_std=1.5)
    )[0]
    # two equal parameters: the root mean square is |mean|, after a square and a root
    np.testing.assert_allclose(layer.mean, np.abs(MEANS), rtol=4 * 2.0**-53)
    np.testing.assert_allclose(layer.std, STDS, rtol=4 * 2.0**-53)
    assert layer.selected.tolist() == [0, 2, 3, 6]


# ---- what is refused ----


@pytest.mark.parametrize(
    "criterion",
    [
        by_bias(tau_mean=9.0, tau_std=9.0),
        by_bias(tau_mean=math.inf, tau_std=math.inf),
        by_bias(tau_mean=99.0, tau_std=99.0, tau_relative_to="layer-median"),
    ],
)
def test_a_whole_layer_is_refused_by_name(criterion):
    recorded = history(first=([99], [99]), second=(MEANS, STDS))
    assert score_layers(history(first=([99, 1, 1], [99, 1, 1])), ("first",), by_bias(tau_mean=9, tau_std=9))
    with pytest.raises(ValueError, match=r"the whole layer 'second'.*7 neurons"):
        score_layers(recorded, ("second",), criterion)


def test_a_whole_layer_by_the_listings_rule():
    criterion = Criterion(rule="listing", reduce="bias", ddof=0)
    with pytest.raises(ValueError, match=r"the whole layer 'fc'.*2 neurons"):
        score_layers(history(fc=([-1, -2], [1, 1])), ("fc",), criterion)


def test_the_history_must_fit():
    recorded = history("sum", fc=(MEANS, STDS))
    with pytest.raises(ValueError, match="history must be recorded with reduce 'bias', got 'sum'"):
        score_layers(recorded, ("fc",), by_bias())
    with pytest.raises(ValueError, match="'nothing'"):
        score_layers(recorded, ("nothing",), Criterion(reduce="sum"))
    empty = nn.GradientHistory(nn.Sequential({"fc": nn.Linear(np.zeros((2, 1)), np.zeros(2))}), reduce="bias")
    with pytest.raises(ValueError, match="at least one iteration"):
        score_layers(empty, ("fc",), by_bias())


def test_no_layers():
    assert score_layers(history(fc=(MEANS, STDS)), (), by_bias()) == []


# ---- tests of the tests ----


def by_mean_alone(mean, std, tau_mean, tau_std, rule="text"):
    return np.abs(mean) < tau_mean


def without_absolute_value(mean, std, tau_mean, tau_std, rule="text"):
    return (mean < tau_mean) & (std < tau_std)


def not_strict(mean, std, tau_mean, tau_std, rule="text"):
    return (np.abs(mean) <= tau_mean) & (std <= tau_std)


@pytest.mark.parametrize(
    ("mutant", "case"),
    [
        (by_mean_alone, (2.0, 1.0, [0, 3])),
        (without_absolute_value, (2.5, 1.5, [0, 2, 3, 6])),
        (not_strict, (2.0, 1.0, [0, 3])),
    ],
)
def test_a_planted_error_is_caught(mutant, case, monkeypatch):
    test_absolute_thresholds(*case)
    monkeypatch.setattr(stability, "unimportant", mutant)
    with pytest.raises(AssertionError):
        test_absolute_thresholds(*case)


def test_swapped_ddof_is_caught(monkeypatch):
    right = nn.GradientHistory.std
    monkeypatch.setattr(nn.GradientHistory, "std", lambda self, layer, ddof=0: right(self, layer, ddof=1 - ddof))
    with pytest.raises(AssertionError):
        test_absolute_thresholds(2.0, 1.0, [0, 3])
