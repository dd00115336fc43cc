"""Running moments: against fractions over several spans, where sums of squares are at their worst; what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refcompress.formulas import blocks
from refcompress.formulas.pruning import streaming_moments
from refcompress.nn import running_moments
from refcompress.nn.running_moments import RunningMoments
from tests.oracles import running_moments as oracle

DTYPES = (np.float32, np.float64)
UNIT = {np.float32: 2.0**-24, np.float64: 2.0**-53}
PROMISED = {np.float32: 1e-5, np.float64: 1e-13}  # relative error of std: "about 10⁻⁶"; times 1 + |mean|/std
AFTER_AN_OUTLIER = {np.float32: 1e-4, np.float64: 1e-13}


def noise(steps, neurons, parameters, seed=0):
    return np.random.default_rng(seed).standard_normal((steps, neurons, parameters))


def outlier(steps, *shape):
    """The first gradient a thousand times larger than the others: the sums of the first span cancel most."""
    gradients = noise(steps, *shape)
    gradients[0] *= 1000
    return gradients


def first_zero(steps, *shape):
    """From 5 on, but for a gradient 0 at first."""
    gradients = 5 + 1e-3 * noise(steps, *shape)
    gradients[0] = 0
    return gradients


def decaying(steps, *shape):
    """Large at first and small later, as in training."""
    return noise(steps, *shape) * np.geomspace(1, 1e-3, steps)[:, None, None] + np.linspace(1, 0, steps)[:, None, None]


def jumping(steps, *shape):
    """The mean moves away by a thousand deviations, from span to span and within."""
    return np.where(np.arange(steps) % 5 < 2, 1.0, -3.0)[:, None, None] + 1e-3 * noise(steps, *shape)


def unlike(steps, *shape):
    """One neuron far from 0 beside one around it, one parameter far from 0 beside one of large deviations."""
    gradients = noise(steps, *shape)
    gradients[:, 0] = 1 + 1e-4 * gradients[:, 0]
    gradients[:, -1, 0] = 3 + 1e-3 * gradients[:, -1, 0]
    return gradients


STREAMS = {
    "around 0": noise,
    "one deviation from 0": lambda *shape: 1 + noise(*shape),
    "far from 0": lambda *shape: 1 + 1e-4 * noise(*shape),
    "far from 0, negative": lambda *shape: -1e3 + noise(*shape),
    "an outlier at first": outlier,
    "0 at first": first_zero,
    "decaying": decaying,
    "jumping": jumping,
    "unlike": unlike,
    "tiny": lambda *shape: 1e-15 * (1 + noise(*shape)),
    "large": lambda *shape: 1e15 * (1 + noise(*shape)),
}


def run(gradients, build=RunningMoments):
    running = build(gradients.shape[1:])
    for t, gradient in enumerate(gradients):
        assert running.count == t
        running.update(gradient)
    return running


def assert_moments(moments, gradients, span):
    """Count, means and M₂ within the derived slack of the exact ones, and std² that follows from them."""
    rows = gradients.reshape(*gradients.shape[:2], -1)
    count, means, squares = oracle.moments(rows)
    mean_off, m2_off = oracle.slack(rows, span, UNIT[gradients.dtype.type])
    assert isinstance(moments, streaming_moments.Moments)
    assert moments.count == count == len(gradients)
    assert (moments.mean.shape, moments.m2.shape) == (rows.shape[1:], rows.shape[1:2])
    assert moments.mean.dtype == moments.m2.dtype == np.float64
    assert (moments.m2 >= 0).all()
    assert (np.abs(moments.mean - np.array(means, float)) <= mean_off).all()
    assert (np.abs(moments.m2 - np.array(squares, float)) <= m2_off).all()


@pytest.fixture
def span(request, monkeypatch):
    monkeypatch.setattr(running_moments, "SPAN", request.param)
    return request.param


@pytest.mark.parametrize("span", [1, 2, 3, 7], indirect=True)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stream", STREAMS)
def test_several_short_spans(stream, dtype, span):
    """Every number of iterations up to seven spans of 3, so that spans end before, at and after the last one."""
    gradients = STREAMS[stream](22, 2, 3).astype(dtype)
    running = RunningMoments((2, 3))
    for t, gradient in enumerate(gradients, start=1):
        running.update(gradient)
        assert running.count == t
        if t in (1, 2, 3, 4, 6, 7, 8, 9, 21, 22):
            assert_moments(running.moments(), gradients[:t], span)
            assert running.count == t  # asking changes nothing


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stream", STREAMS)
def test_the_real_span(stream, dtype):
    assert running_moments.SPAN == 64
    gradients = STREAMS[stream](200, 3, 4).astype(dtype)
    for steps in (63, 64, 65, 200):
        assert_moments(run(gradients[:steps]).moments(), gradients[:steps], 64)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (2, 5), (3, 2, 1, 4), (1, 7)])
def test_any_shape(shape):
    """Biases, and filters whose last axes are one neuron's parameters in their order."""
    gradients = np.random.default_rng(3).standard_normal((70, *shape))
    moments = run(gradients).moments()
    assert moments.mean.shape == (shape[0], int(np.prod(shape[1:])))
    assert_moments(moments, gradients, 64)
    turned = np.asfortranarray(gradients)
    again = run(turned).moments()
    assert_moments(again, gradients, 64)


@settings(deadline=None, max_examples=40)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 2), st.integers(1, 3)),
        elements=st.floats(-8, 8, width=16),
    ),
    st.sampled_from(DTYPES),
)
def test_random_streams(gradients, dtype):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running_moments, "SPAN", 3)
        assert_moments(run(gradients.astype(dtype)).moments(), gradients.astype(dtype), 3)


# ---- what the docstring promises ----


def relative_errors(gradients):
    """|std/exact − 1| of every neuron, and |mean|/std."""
    _, means, squares = oracle.moments(gradients)
    exact = np.sqrt([float(s) for s in squares]) / math.sqrt(len(gradients))
    errors = np.abs(streaming_moments.std(run(gradients).moments()) / exact - 1)
    return errors, np.sqrt(np.sum(np.array(means, float) ** 2, axis=1)) / exact


@pytest.mark.parametrize("steps", [64, 200])
@pytest.mark.parametrize("parameters", [1, 9])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stream", ["around 0", "one deviation from 0", "far from 0", "decaying", "unlike"])
def test_std_is_as_accurate_as_promised(stream, dtype, parameters, steps):
    """Also with mean 1 and std 1e-4, where the sum of squares in float32 would leave no digit."""
    errors, distance = relative_errors(STREAMS[stream](steps, 20, parameters).astype(dtype))
    assert (errors < PROMISED[dtype] * (1 + distance * (dtype == np.float64))).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stream", ["an outlier at first", "0 at first"])
def test_std_is_as_accurate_as_promised_whatever_the_first_gradient(stream, dtype):
    """200 biases, of which the worst counts: Q is then up to 64 times M₂."""
    errors, _ = relative_errors(STREAMS[stream](64, 200, 1).astype(dtype))
    assert errors.max() < AFTER_AN_OUTLIER[dtype]


@pytest.mark.parametrize("distance", [1e6, 1e8])
def test_std_is_as_accurate_as_promised_however_far_from_0(distance):
    """A mean of a million deviations, in float64, over several spans."""
    errors, distances = relative_errors(1 + noise(200, 60, 1) / distance)
    assert (errors < PROMISED[np.float64] * (1 + distances)).all()


def test_sums_of_squares_alone_would_lose_it():
    """The textbook's E[g²] − E[g]² in float32: the std of 1e-4 about a mean of 1 is lost, which the tests would see."""
    gradients = (1 + 1e-4 * noise(200, 20, 9)).astype(np.float32)
    _, _, squares = oracle.moments(gradients)
    sums, of_squares = np.zeros((20, 9), np.float32), np.zeros(20, np.float32)
    for gradient in gradients:
        sums += gradient
        of_squares += np.vecdot(gradient, gradient)
    m2 = of_squares - np.sum(sums * sums, axis=1) / 200
    assert np.abs(np.sqrt(np.maximum(m2, 0) / [float(s) for s in squares]) - 1).min() > 0.1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, -3.0, 1e-30, 1e25])
@pytest.mark.parametrize("steps", [1, 2, 64, 65, 150])
def test_constant_gradients_have_no_deviation_at_all(steps, value, dtype):
    moments = run(np.full((steps, 2, 3), value, dtype)).moments()
    assert moments.m2.tolist() == [0.0, 0.0]
    assert moments.mean.tolist() == [[float(dtype(value))] * 3] * 2


def test_deviations_whose_squares_vanish():
    """The square of 1e-18 is a float32; that of 1e-24 is 0, and std with it, but for that of the spans' means."""
    for size in (1e-18, 1e-24):
        gradients = (size * noise(100, 4, 5)).astype(np.float32)
        std = streaming_moments.std(run(gradients).moments())
        exact = np.sqrt(gradients.astype(float).var(axis=0).sum(axis=1))
        if size == 1e-18:
            np.testing.assert_allclose(std, exact, rtol=1e-5)
        else:
            assert (std < exact / 2).all()
    assert (
        streaming_moments.std(run(np.float32(1e-24) * noise(64, 4, 5).astype(np.float32)).moments()).tolist()
        == [0.0] * 4
    )


# ---- blocks ----


@pytest.mark.parametrize("most", [1, 4, 6, 20, 1000])
def test_borders_of_blocks_are_not_seen(most, monkeypatch):
    """Small integers and spans of 2, all exact in any order: bit for bit the same."""
    monkeypatch.setattr(running_moments, "SPAN", 2)
    for dtype in DTYPES:
        for shape in ((7, 3), (2, 9), (5,), (3, 2, 2, 2)):
            gradients = np.random.default_rng(2).integers(-9, 10, (4, *shape)).astype(dtype)
            whole = run(gradients).moments()
            with monkeypatch.context() as patch:
                patch.setattr(blocks, "BLOCK", most)
                parts = run(gradients).moments()
            assert parts.count == whole.count
            assert parts.mean.tobytes() == whole.mean.tobytes()
            assert parts.m2.tobytes() == whole.m2.tobytes()


# ---- two streams together ----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("span", [3, 64], indirect=True)
@pytest.mark.parametrize("split", [0, 1, 3, 5, 11])
def test_merged(split, span, dtype):
    """Either order; neither stream is changed; both go on afterwards, and so does what was merged."""
    gradients = (2 + noise(11, 2, 3)).astype(dtype)
    first, second = run_or_empty(gradients[:split]), run_or_empty(gradients[split:])
    merged = RunningMoments.merged(first, second)
    assert isinstance(merged, RunningMoments)
    assert merged.count == 11
    for both in (merged, RunningMoments.merged(second, first)):
        assert_close_to_exact(both, gradients)
    more = (5 - noise(8, 2, 3, seed=1)).astype(dtype)
    for gradient in more:
        merged.update(gradient)
        second.update(gradient)
    assert_close_to_exact(merged, np.concatenate([gradients, more]))
    assert_close_to_exact(second, np.concatenate([gradients[split:], more]))
    assert first.count == split
    if split:
        assert_close_to_exact(first, gradients[:split])


def run_or_empty(gradients):
    running = RunningMoments((2, 3))
    for gradient in gradients:
        running.update(gradient)
    return running


def assert_close_to_exact(running, gradients):
    """20 times the slack of a single stream: its spans begin elsewhere, so that its shifts are others."""
    count, means, squares = oracle.moments(gradients)
    mean_off, m2_off = oracle.slack(gradients, 64, UNIT[gradients.dtype.type])
    moments = running.moments()
    assert moments.count == count
    assert (np.abs(moments.mean - np.array(means, float)) <= 20 * mean_off).all()
    assert (np.abs(moments.m2 - np.array(squares, float)) <= 20 * m2_off).all()


def test_nothing_yet():
    running = RunningMoments((2, 3, 4))
    moments = running.moments()
    assert (running.count, moments.count) == (0, 0)
    assert moments.mean.tolist() == [[0.0] * 12] * 2
    assert moments.m2.tolist() == [0.0] * 2
    both = RunningMoments.merged(running, RunningMoments((2, 3, 4)))
    assert both.count == 0
    both.update(np.ones((2, 3, 4)))
    assert both.moments().mean.tolist() == [[1.0] * 12] * 2


def test_by_hand(monkeypatch):
    """(1, −4), (3, 4) | (5, 0) in spans of two: means 3 and 0, squared deviations 8 + 32."""
    monkeypatch.setattr(running_moments, "SPAN", 2)
    moments = run(np.array([[[1.0, -4.0]], [[3.0, 4.0]], [[5.0, 0.0]]])).moments()
    assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (3, [[3.0, 0.0]], [40.0])


# ---- whose arrays ----


def test_gradients_are_read_and_not_kept():
    gradients = noise(70, 2, 3)
    running = RunningMoments((2, 3))
    for gradient in gradients:
        mine = gradient.copy()
        mine.flags.writeable = False
        running.update(mine)
        mine.flags.writeable = True
        mine[:] = 99
    assert_moments(running.moments(), gradients, 64)


@pytest.mark.parametrize("steps", [0, 1, 5, 64, 70])
def test_results_do_not_follow_what_comes_later(steps):
    running = RunningMoments((2, 3))
    gradients = noise(steps + 80, 2, 3)
    for gradient in gradients[:steps]:
        running.update(gradient)
    before = running.moments()
    kept = before.mean.copy(), before.m2.copy()
    for gradient in gradients[steps:]:
        running.update(gradient)
    assert np.array_equal(before.mean, kept[0])
    assert np.array_equal(before.m2, kept[1])


# ---- tests of the tests ----


class Planted:
    """Running moments of its own, with the parts that can be wrong as switches."""

    def __init__(self, shape, *, shift="best", give_back=True, past=True, squares=np.float64, one=False, late=0):
        self.shift, self.give_back, self.past, self.late, self.one = shift, give_back, past, late, one
        self.squares, self.shape, self.seen, self.spans = squares, shape, [], []

    @property
    def count(self):
        return sum(len(span) for span in self.spans) + len(self.seen)

    def update(self, gradient):
        self.seen.append(gradient.copy())
        if len(self.seen) == running_moments.SPAN:
            self.spans.append(self.seen)
            self.seen = []

    def moments(self):
        total = streaming_moments.empty(self.shape, summed=1)
        for span in [*self.spans, *([self.seen] if self.seen else [])]:
            gradients = np.array(span)
            if self.shift == "none" or (self.shift == "first" and total.count):
                c = np.zeros_like(span[0])
            else:
                c = total.mean.astype(gradients.dtype) if total.count else span[0]
            d = gradients - c
            S, Q = d.sum(axis=0, dtype=gradients.dtype), np.zeros(len(c), self.squares)
            for row in d:
                Q += np.vecdot(row, row).astype(self.squares)
            part = streaming_moments.from_shifted_sums(
                len(span) - self.late, c if self.give_back else 0 * c, S, Q.astype(np.float64)
            )
            total = streaming_moments.merge(total, part) if self.past else part._replace(count=total.count + part.count)
        return total._replace(m2=np.full_like(total.m2, total.m2.mean())) if self.one else total


MUTANTS = {
    "no shift": ({"shift": "none"}, "far from 0", np.float64),
    "no shift in float32": ({"shift": "none"}, "far from 0, negative", np.float32),
    "a shift only at first": ({"shift": "first"}, "far from 0", np.float32),
    "the shift is not given back": ({"give_back": False}, "one deviation from 0", np.float32),
    "earlier spans are forgotten": ({"past": False}, "around 0", np.float32),
    "a span of one less": ({"late": 1}, "around 0", np.float32),
    "one M₂ for all neurons": ({"one": True}, "around 0", np.float32),
    "squares in float16": ({"squares": np.float16}, "around 0", np.float32),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stream", STREAMS)
def test_second_correct_running_moments_pass(stream, dtype, monkeypatch):
    monkeypatch.setattr(running_moments, "SPAN", 8)
    gradients = STREAMS[stream](22, 2, 3).astype(dtype)
    assert_moments(run(gradients, Planted).moments(), gradients, 8)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_error_is_caught(name, monkeypatch):
    monkeypatch.setattr(running_moments, "SPAN", 8)
    parts, stream, dtype = MUTANTS[name]
    gradients = STREAMS[stream](22, 2, 3).astype(dtype)
    with pytest.raises(AssertionError):
        assert_moments(run(gradients, lambda shape: Planted(shape, **parts)).moments(), gradients, 8)


# ---- what is refused ----


@pytest.mark.parametrize("after", [0, 1, 63, 64, 65])
def test_shapes_and_dtypes_stay(after):
    """Those of the first gradient, within a span and at the beginning of the next."""
    running = run(noise(after, 2, 3).astype(np.float32)) if after else RunningMoments((2, 3))
    for shape in ((3, 2), (2,), (2, 1), (6,), (1, 2, 3), ()):
        with pytest.raises(ValueError, match="gradient"):
            running.update(np.ones(shape, np.float32))
    for wrong in (np.float16, int, bool, complex):
        with pytest.raises(TypeError, match="gradient"):
            running.update(np.ones((2, 3), wrong))
    if after:
        with pytest.raises(TypeError, match="gradient"):
            running.update(np.ones((2, 3)))
    assert running.count == after
    running.update(np.ones((2, 3), np.float32))
    assert running.count == after + 1


@pytest.mark.parametrize("steps", [2, 63])
def test_squares_beyond_float32_are_taken_in_float64(steps):
    """0 and 1e25 in turn: half of the span 1e25, whatever the shift."""
    gradients = np.zeros((steps, 2, 3), np.float32)
    gradients[1::2] = 1e25
    moments = run(gradients).moments()
    high = steps // 2
    square = (1e25**2) * high * (steps - high) / steps  # Σ (g − mean)² of one parameter
    np.testing.assert_allclose(moments.m2, 3 * square, rtol=1e-5)  # 63 roundings of sums in float32, twice: 8e-6
    np.testing.assert_allclose(moments.mean, 1e25 * high / steps, rtol=1e-5)


@pytest.mark.parametrize("steps", [2, 63])
@pytest.mark.parametrize(("dtype", "large", "what"), [(np.float32, 3e38, "sum"), (np.float64, 1e200, "squares")])
def test_sums_that_overflow(steps, dtype, large, what):
    """Finite gradients whose sums leave their dtype are an error, not an infinity, and no warning before."""
    running = RunningMoments((2, 3))
    for t in range(steps):
        running.update(np.full((2, 3), large * (-1) ** t, dtype))
    with pytest.raises(ValueError, match=rf"{what}.*finite"):
        running.moments()


def test_merged_refuses_other_shapes():
    for shape in ((3, 2), (2,), (2, 4), (2, 3, 1)):
        with pytest.raises(ValueError, match="shape"):
            RunningMoments.merged(RunningMoments((2, 3)), RunningMoments(shape))


def test_merged_refuses_another_dtype():
    single, double = RunningMoments((2,)), RunningMoments((2,))
    single.update(np.ones(2, np.float32))
    assert RunningMoments.merged(single, double).count == 1  # nothing was seen there, of no dtype
    double.update(np.ones(2))
    with pytest.raises(TypeError, match="b must be of float32 like a, got float64"):
        RunningMoments.merged(single, double)
