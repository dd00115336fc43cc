"""The checks pass on the package and catch every planted error."""

import math

import numpy as np
import pytest

from refcompress.formulas.pruning import reduction, removal, selection, stability, streaming_moments
from tests.formulas.planted import planted
from tests.formulas.pruning import checks

PROPERTIES = {
    stability: (
        checks.mean_matches,
        checks.std_uses_its_divisor,
        checks.text_rule_holds,
        checks.listing_rule_holds,
    ),
    reduction: (
        checks.reductions_match,
        checks.moments_are_combined_by_rms,
        checks.norms_are_divided_by_the_root,
    ),
    streaming_moments: (
        checks.one_pass_matches,
        checks.every_split_merges_to_one_pass,
        checks.stable_far_from_zero,
        checks.update_and_merge_are_pure,
        checks.summed_axes_match,
        checks.shifted_sums_match,
        checks.shifted_sums_are_squared_in_float64,
        checks.rounding_does_not_make_m2_negative,
    ),
    selection: (
        checks.thresholds_are_medians,
        checks.score_is_the_selecting_factor,
        checks.smallest_takes_the_lower_index,
        checks.smallest_counts_the_decimal,
        checks.thresholds_separate,
        checks.thresholds_of_what_is_infinite,
    ),
    removal: (
        checks.rows_go,
        checks.columns_go_by_block,
        checks.folding_is_exact_on_integers,
    ),
}


def quiet(function):
    def silenced(*arguments, **options):
        with np.errstate(all="ignore"):
            return function(*arguments, **options)

    return silenced


# ---- planted errors ----


def reducer(divisor_counts_bias=True, absolute=True, root=True, bias_counts=True):
    """neuron_gradients with the parts that can be forgotten as switches."""

    def neuron_gradients(dW, db, reduce):
        flat = dW.reshape(len(dW), -1)
        if db is not None and bias_counts:
            flat = np.concatenate([flat, db[:, None]], axis=1)
        count = flat.shape[1] if divisor_counts_bias else dW[0].size
        return {
            "sum": flat.sum(axis=1),
            "mean": flat.sum(axis=1) / count,
            "mean_abs": (np.abs(flat) if absolute else flat).sum(axis=1) / count,
            "l2": np.sqrt((flat**2).sum(axis=1)) if root else (flat**2).sum(axis=1),
            "bias": db,
        }[reduce]

    return neuron_gradients


def combined(combine, with_bias=True):
    def rms_of_parameter_moments(W_moments, b_moments):
        flat = W_moments.reshape(len(W_moments), -1)
        if b_moments is not None and with_bias:
            flat = np.concatenate([flat, b_moments[:, None]], axis=1)
        return combine(flat)

    return rms_of_parameter_moments


def text_rule(test):
    def unimportant(mean, std, tau_mean, tau_std, rule="text"):
        if rule == "text":
            return test(mean, std, tau_mean, tau_std)
        return stability.unimportant(mean, std, tau_mean, tau_std, rule)

    return unimportant


def listing_rule(test):
    def unimportant(mean, std, tau_mean, tau_std, rule="text"):
        if rule == "listing":
            return quiet(test)(mean, std, tau_mean, tau_std)
        return stability.unimportant(mean, std, tau_mean, tau_std, rule)

    return unimportant


Moments = streaming_moments.Moments


def welford(deviation):
    """update with its sum of squares by `deviation(gradient, old mean, new mean)`."""

    def update(moments, gradient):
        count = moments.count + 1
        mean = moments.mean + (gradient - moments.mean) / count
        return Moments(count, mean, moments.m2 + deviation(gradient, moments.mean, mean))

    return update


def update_dividing_by_the_old_count(moments, gradient):
    mean = moments.mean + (gradient - moments.mean) / max(moments.count, 1)
    return Moments(moments.count + 1, mean, moments.m2 + (gradient - moments.mean) * (gradient - mean))


def update_in_place(moments, gradient):
    delta = gradient - moments.mean
    mean, m2 = moments.mean, moments.m2
    mean += delta / (moments.count + 1)
    m2 += delta * (gradient - mean)
    return Moments(moments.count + 1, mean, m2)


def sums_of_squares():
    """The textbook's one-pass moments: `mean` keeps Σg, `m2` keeps Σg²."""

    def update(moments, gradient):
        return Moments(moments.count + 1, moments.mean + gradient, moments.m2 + gradient**2)

    def std(moments, *, ddof=0):
        variance = moments.m2 / moments.count - (moments.mean / moments.count) ** 2
        return np.sqrt(np.maximum(variance, 0))

    return {"update": update, "std": std}


def chan(mean_of, m2_of):
    def merge(a, b):
        count = a.count + b.count
        if count == 0:
            return a
        return Moments(count, mean_of(a, b, count), m2_of(a, b, count))

    return merge


def merged_mean(a, b, count):
    return (a.count * a.mean + b.count * b.mean) / count


def merged_m2(a, b, count):
    return a.m2 + b.m2 + (b.mean - a.mean) ** 2 * a.count * b.count / count


def last_axes(values, ndim):
    return values.sum(axis=tuple(range(ndim, values.ndim)))


def summing_update(summed):
    """update whose M₂ grows by `summed(δ · (g − mean), number of axes of M₂)`."""

    def update(moments, gradient):
        delta, count = gradient - moments.mean, moments.count + 1
        mean = moments.mean + delta / count
        return Moments(count, mean, moments.m2 + summed(delta * (gradient - mean), moments.m2.ndim))

    return update


def summing_merge(between):
    """merge whose M₂ gets `between(mean_b − mean_a, number of axes of M₂)` times T_a·T_b/T."""

    def merge(a, b):
        count = a.count + b.count
        if count == 0:
            return a
        weight = a.count * b.count / count
        return Moments(count, merged_mean(a, b, count), a.m2 + b.m2 + weight * between(b.mean - a.mean, a.m2.ndim))

    return merge


def shifted(mean=lambda c, S, T: c + S / T, m2=lambda Q, S, T: Q - last_axes(S * S, Q.ndim) / T, wide=np.float64):
    """from_shifted_sums with its parts exchanged; `wide` is what S is squared in."""

    def from_shifted_sums(count, shift, sums, squares):
        S = sums.astype(wide) if wide else sums
        m2 = np.asarray(m2_of(squares, S, count), np.float64)
        return Moments(count, np.asarray(mean(shift.astype(np.float64), S, count), np.float64), m2)

    m2_of = m2
    return from_shifted_sums


def not_below_0(Q, S, T):
    return np.maximum(Q - last_axes(S * S, Q.ndim) / T, 0)


def scored(test):
    return quiet(lambda mean, std, tau_mean, tau_std: test(mean, std, tau_mean, tau_std))


def ratio(value, tau):
    return np.where((value == 0) & (tau == 0), 0.0, np.abs(value) / tau)


def smallest_by(order, count):
    def smallest(score, fraction):
        return np.sort(order(score)[: count(fraction, len(score))])

    return smallest


def stable_order(score):
    return np.argsort(score, kind="stable")


def exact_count(fraction, n):
    return math.floor(round(fraction * n, 9))


def separating(middle, beside_infinity=lambda a: 3 * a if a else 3.0):
    """separating_thresholds with its factor by `middle(a, b)`, where `beside_infinity(a)` stands for an infinite b."""

    def separating_thresholds(score, selected, tau_mean, tau_std):
        a, b = max(score[selected], default=0.0), np.delete(score, selected).min()
        factor = middle(a, beside_infinity(a) if math.isinf(b) else b) if math.isfinite(a) else 1.0
        return tau_mean * factor, tau_std * factor

    return separating_thresholds


def half_way(a, b):
    return (a + b) / 2


def remaining(array, gone, axis):
    return np.delete(array, list(gone), axis)


def blocks(indices, block):
    return [i * block + offset for i in indices for offset in range(block)]


def columns_as_a_view(W, indices, block=1):
    return np.moveaxis(remaining(np.moveaxis(W, 1, 0), blocks(indices, block), 0), 0, 1)


def folded(columns_of, of_kernel=lambda W: W.reshape(*W.shape[:2], -1).sum(axis=2), keep_bias=True, repeat=True):
    def folded_bias(b, W, indices, activation, block=1):
        gone = columns_of(indices, block)
        values = np.repeat(activation, block) if repeat else np.resize(activation, len(gone))
        total = of_kernel(W)[:, gone] @ values[: len(gone)] if len(gone) else np.zeros(len(b))
        return b + total if keep_bias else total

    return folded_bias


def fold_in_place(b, W, indices, activation, block=1):
    b += removal.folded_bias(b, W, indices, activation, block) - b
    return b.copy()


MUTANTS = {
    # stability
    "mean of the magnitudes": (checks.mean_matches, planted(stability, mean=lambda g: np.abs(g).mean(axis=0))),
    "ddof ignored": (checks.std_uses_its_divisor, planted(stability, std=lambda g, *, ddof=0: g.std(axis=0))),
    "bias left out": (checks.reductions_match, planted(reduction, neuron_gradients=reducer(bias_counts=False))),
    "mean of the moments instead of RMS": (
        checks.moments_are_combined_by_rms,
        planted(reduction, rms_of_parameter_moments=combined(lambda flat: flat.mean(axis=1))),
    ),
    "text with exchanged thresholds": (
        checks.text_rule_holds,
        planted(stability, unimportant=text_rule(lambda m, s, tm, ts: (np.abs(m) < ts) & (s < tm))),
    ),
    "listing multiplied out": (
        checks.listing_rule_holds,
        planted(stability, unimportant=listing_rule(lambda m, s, tm, ts: (m < tm) & (s < ts * m))),
    ),
    # streaming moments
    "Welford dividing by the old count": (
        checks.one_pass_matches,
        planted(streaming_moments, update=update_dividing_by_the_old_count),
    ),
    "merge with an unweighted delta²": (
        checks.every_split_merges_to_one_pass,
        planted(streaming_moments, merge=chan(merged_mean, lambda a, b, n: a.m2 + b.m2 + (b.mean - a.mean) ** 2)),
    ),
    "sums of squares": (checks.stable_far_from_zero, planted(streaming_moments, **sums_of_squares())),
    "δ summed before it is squared": (
        checks.summed_axes_match,
        planted(streaming_moments, merge=summing_merge(lambda delta, ndim: last_axes(delta, ndim) ** 2)),
    ),
    "δ² of the first parameter": (
        checks.summed_axes_match,
        planted(streaming_moments, merge=summing_merge(lambda delta, ndim: delta[:, 0] ** 2)),
    ),
    "nothing summed at first": (
        checks.summed_axes_match,
        planted(streaming_moments, empty=lambda shape, *, summed=0: streaming_moments.empty(shape)),
    ),
    "sum of the stds": (
        checks.norms_are_divided_by_the_root,
        planted(reduction, rms_of_norms=lambda norms, parameters: norms),
    ),
    "a norm divided by the count": (
        checks.norms_are_divided_by_the_root,
        planted(reduction, rms_of_norms=lambda norms, parameters: norms / parameters),
    ),
    "a norm squared on the way": (
        checks.norms_are_divided_by_the_root,
        planted(reduction, rms_of_norms=quiet(lambda norms, parameters: np.sqrt(norms**2 / parameters))),
    ),
    "Q alone": (
        checks.shifted_sums_match,
        planted(streaming_moments, from_shifted_sums=shifted(m2=lambda Q, S, T: Q)),
    ),
    "S squared in float32": (
        checks.shifted_sums_are_squared_in_float64,
        planted(streaming_moments, from_shifted_sums=shifted(wide=None)),
    ),
    "M₂ below 0": (
        checks.rounding_does_not_make_m2_negative,
        planted(streaming_moments, from_shifted_sums=shifted()),
    ),
    "update in place": (checks.update_and_merge_are_pure, planted(streaming_moments, update=update_in_place)),
    # selection
    "means instead of medians": (
        checks.thresholds_are_medians,
        planted(selection, median_thresholds=lambda m, s: (float(np.abs(m).mean()), float(s.mean()))),
    ),
    "score by the smaller factor": (
        checks.score_is_the_selecting_factor,
        planted(selection, score=scored(lambda m, s, tm, ts: np.minimum(ratio(m, tm), ratio(s, ts)))),
    ),
    "indices in the order of their scores": (
        checks.smallest_takes_the_lower_index,
        planted(selection, smallest=lambda score, f: stable_order(score)[: exact_count(f, len(score))]),
    ),
    "ceil instead of floor": (
        checks.smallest_counts_the_decimal,
        planted(selection, smallest=smallest_by(stable_order, lambda f, n: math.ceil(round(f * n, 9)))),
    ),
    "half the distance instead of half way": (
        checks.thresholds_separate,
        planted(selection, separating_thresholds=separating(lambda a, b: (b - a) / 2)),
    ),
    "infinite thresholds": (
        checks.thresholds_of_what_is_infinite,
        planted(selection, separating_thresholds=separating(half_way, lambda a: math.inf)),
    ),
    # removal
    "rows in memory order": (
        checks.rows_go,
        planted(removal, rows=lambda a, i: np.asfortranarray(remaining(a, i, 0))),
    ),
    "rows that return their input": (
        checks.rows_go,
        planted(removal, rows=lambda a, i: remaining(a, i, 0).copy() if len(i) else a),
    ),
    "columns of a view": (
        checks.columns_go_by_block,
        planted(removal, columns=columns_as_a_view),
    ),
    "fold in place": (checks.folding_is_exact_on_integers, planted(removal, folded_bias=fold_in_place)),
}

# the same parts put together without an error: what the planted errors differ from
CORRECT = {
    "reductions": (checks.reductions_match, planted(reduction, neuron_gradients=reducer())),
    "RMS": (
        checks.moments_are_combined_by_rms,
        planted(reduction, rms_of_parameter_moments=combined(lambda flat: np.sqrt((flat**2).mean(axis=1)))),
    ),
    "text": (
        checks.text_rule_holds,
        planted(stability, unimportant=text_rule(lambda m, s, tm, ts: (np.abs(m) < tm) & (s < ts))),
    ),
    "listing": (
        checks.listing_rule_holds,
        planted(stability, unimportant=listing_rule(lambda m, s, tm, ts: (m < tm) & (s / m < ts))),
    ),
    "Welford": (
        checks.one_pass_matches,
        planted(streaming_moments, update=welford(lambda g, old, new: (g - old) * (g - new))),
    ),
    "Chan": (
        checks.every_split_merges_to_one_pass,
        planted(streaming_moments, merge=chan(merged_mean, merged_m2)),
    ),
    "summing Welford and Chan": (
        checks.summed_axes_match,
        planted(
            streaming_moments,
            update=summing_update(last_axes),
            merge=summing_merge(lambda delta, ndim: last_axes(delta**2, ndim)),
        ),
    ),
    "norms": (
        checks.norms_are_divided_by_the_root,
        planted(reduction, rms_of_norms=lambda norms, parameters: norms * parameters**-0.5),
    ),
    "shifted sums": (checks.shifted_sums_match, planted(streaming_moments, from_shifted_sums=shifted())),
    "shifted sums in float64": (
        checks.shifted_sums_are_squared_in_float64,
        planted(streaming_moments, from_shifted_sums=shifted()),
    ),
    "shifted sums not below 0": (
        checks.rounding_does_not_make_m2_negative,
        planted(streaming_moments, from_shifted_sums=shifted(m2=not_below_0)),
    ),
    "score": (
        checks.score_is_the_selecting_factor,
        planted(selection, score=scored(lambda m, s, tm, ts: np.maximum(ratio(m, tm), ratio(s, ts)))),
    ),
    "order": (
        checks.smallest_takes_the_lower_index,
        planted(selection, smallest=smallest_by(stable_order, exact_count)),
    ),
    "count": (
        checks.smallest_counts_the_decimal,
        planted(selection, smallest=smallest_by(stable_order, exact_count)),
    ),
    "separating thresholds": (
        checks.thresholds_separate,
        planted(selection, separating_thresholds=separating(half_way)),
    ),
    "infinite scores": (
        checks.thresholds_of_what_is_infinite,
        planted(selection, separating_thresholds=separating(half_way)),
    ),
    "columns": (
        checks.columns_go_by_block,
        planted(removal, columns=lambda W, i, block=1: remaining(W, blocks(i, block), 1).copy()),
    ),
    "fold": (checks.folding_is_exact_on_integers, planted(removal, folded_bias=folded(blocks))),
}


@pytest.mark.parametrize(
    ("module", "check"),
    [
        pytest.param(module, check, id=f"{module.__name__.rpartition('.')[2]}-{check.__name__}")
        for module, checks in PROPERTIES.items()
        for check in checks
    ],
)
def test_the_package_has_the_property(module, check):
    check(module)


@pytest.mark.parametrize("name", CORRECT)
def test_a_second_correct_implementation_passes(name):
    check, implementation = CORRECT[name]
    check(implementation)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_planted_error_is_caught(name):
    check, mutant = MUTANTS[name]
    with pytest.raises(AssertionError):
        check(mutant)


def test_every_property_has_a_planted_error():
    checks = {check for checks in PROPERTIES.values() for check in checks}
    assert {check for check, _ in MUTANTS.values()} == checks
