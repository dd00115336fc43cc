"""The rules for ranges against the libraries that have them, bit for bit where the module says so."""

import contextlib
import io
import math
import warnings

import numpy as np
import pytest

from refcompress.formulas.quantization import affine
from refcompress.formulas.quantization.ranges import (
    aciq,
    entropy,
    histogram,
    least_error,
    min_max,
    moving_average,
    percentile,
    power_of_two,
)

pytestmark = pytest.mark.crosscheck

KINDS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "uniform": lambda rng, n: rng.uniform(-1, 2, n),
    "skewed": lambda rng, n: rng.exponential(1, n) ** 2,
    "heavy-tailed": lambda rng, n: rng.standard_t(2, n),
    "after ReLU": lambda rng, n: np.maximum(rng.standard_normal(n), 0),
    "on a grid": lambda rng, n: rng.integers(-30, 30, n) / 8,
    "constant": lambda rng, n: np.full(n, float(rng.integers(-2, 3))),
}


def torch():
    module = pytest.importorskip("torch", reason="PyTorch is not installed: python -m pip install '.[crosscheck]'")
    module.set_num_threads(1)
    return module


def observers():
    torch()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch 2.13 says that it will remove them
        import torch.ao.quantization.observer as module
    return module


def tensors(seed, count, kind, longest=3000):
    """So many float32 tensors of this kind, of lengths and scales that differ."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        scale = 10 ** rng.uniform(-3, 3)
        yield (KINDS[kind](rng, int(rng.integers(1, longest))) * scale).astype(np.float32)


def both(pair):
    return tuple(float(value) for value in pair)


@pytest.mark.parametrize("kind", KINDS)
def test_min_max_is_the_observers(kind):
    module = observers()
    for x in tensors(0, 20, kind):
        observer = module.MinMaxObserver()
        observer(torch().tensor(x))
        assert both(min_max.min_max(x)) == (observer.min_val.item(), observer.max_val.item())


@pytest.mark.parametrize("c", [0.01, 0.1, 1 / 3, 1.0])
def test_moving_average_is_the_observers(c):
    observer = observers().MovingAverageMinMaxObserver(averaging_constant=c)
    rng = np.random.default_rng(1)
    average = None
    for _ in range(300):
        x = (rng.standard_normal(37) * rng.uniform(0.1, 10) + rng.uniform(-5, 5)).astype(np.float32)
        observer(torch().tensor(x))
        average = moving_average.update(average, x, c)
        assert both(average) == (observer.min_val.item(), observer.max_val.item())


def test_moving_average_is_tensorflows():
    """As TensorFlow Model Optimization calls it: zero in the range, from (-6, 6), decay 0.999, no debiasing."""
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    from tensorflow.python.training.moving_averages import assign_moving_average

    low, high = tf.Variable(-6.0), tf.Variable(6.0)
    average = np.float32(-6), np.float32(6)
    rng = np.random.default_rng(2)
    for _ in range(300):
        x = (rng.standard_normal(37) * rng.uniform(0.1, 10) + rng.uniform(-5, 5)).astype(np.float32)
        assign_moving_average(low, tf.minimum(tf.reduce_min(x), 0.0), 0.999, zero_debias=False)
        assign_moving_average(high, tf.maximum(tf.reduce_max(x), 0.0), 0.999, zero_debias=False)
        average = moving_average.update(average, x, 1 - 0.999, include_zero=True)
        assert both(average) == (float(low.numpy()), float(high.numpy()))


@pytest.mark.parametrize("kind", KINDS)
def test_interpolated_percentile(kind):
    """float64: NumPy's bits, PyTorch's to 2 units of the largest value. float32: PyTorch rounds the position h too."""
    rng = np.random.default_rng(3)
    for x in tensors(3, 60, kind, 400):
        p = float(rng.choice([rng.uniform(50, 100), 99.9, 99, 75, 50]))
        wide = x.astype(np.float64)
        low, high = percentile.percentile(wide, p, "interpolated")
        assert (low, high) == (np.percentile(wide, 100 - p), np.percentile(wide, p))
        theirs = torch().quantile(torch().tensor(wide), p / 100).item()
        assert abs(theirs - high) <= 2 * np.finfo(np.float64).eps * np.abs(wide).max()
        # h = (p/100)·(n − 1) in float32 has two rounded factors, 2·2⁻²⁴·h, and lies between values at most max − min
        # apart; the interpolation rounds three times
        theirs = torch().quantile(torch().tensor(x), p / 100).item()
        slack = 2 * 2.0**-24 * x.size * float(np.ptp(x)) + 4 * 2.0**-24 * float(np.abs(x).max())
        assert abs(theirs - float(percentile.percentile(x, p, "interpolated")[1])) <= slack


def test_kth_percentile_is_brevitas():
    stats = pytest.importorskip("brevitas.core.stats.stats_op", reason="Brevitas is not installed")
    rng = np.random.default_rng(4)
    for x in tensors(4, 200, "normal", 500):
        p, low_p = float(rng.choice([rng.uniform(60, 100), 99.9, 95, 75])), float(rng.uniform(0.1, 40))
        if x.size < 2:
            continue
        t = torch().tensor(x)
        low, high = percentile.percentile(x, p, low_p=low_p)
        floor = min(low, np.float32(0))
        assert float(percentile.absolute(x, p)) == stats.AbsPercentile(p, None)(t).item()
        assert float(floor) == stats.NegativePercentileOrZero(low_p)(t).item()
        assert float(abs(high - floor)) == stats.PercentileInterval(low_p, p)(t).item()


@pytest.mark.parametrize("kind", KINDS)
def test_histogram_search_is_the_observers(kind):
    """Histograms of one to four batches, and the range that is found in them."""
    module = observers()
    rng = np.random.default_rng(5)
    for batches in (1, 1, 2, 3, 4) * (1 if kind == "constant" else 4):
        observer, ours = module.HistogramObserver(), None
        for growth, x in enumerate(tensors(int(rng.integers(2**31)), batches, kind), 1):
            batch = x * np.float32(growth)
            observer(torch().tensor(batch))
            ours = histogram.collect(batch, ours)
        assert both(ours[1:]) == (observer.min_val.item(), observer.max_val.item())
        np.testing.assert_array_equal(ours.counts, observer.histogram.numpy())
        low, high = observer._non_linear_param_search()
        assert both(histogram.search(ours)) == (low.item(), high.item())


def test_the_observer_never_keeps_the_whole_range():
    """256 equal values at each of 256 levels need no clipping, and are clipped."""
    x = np.repeat(np.arange(256, dtype=np.float32), 256)
    observer = observers().HistogramObserver()
    observer(torch().tensor(x))
    low, high = observer._non_linear_param_search()
    assert both(histogram.search(histogram.collect(x))) == (low.item(), high.item()) != (0.0, 255.0)


def onnxruntime_entropy(x, bins, target_bins):
    calibrate = pytest.importorskip("onnxruntime.quantization.calibrate", reason="ONNX Runtime is not installed")
    collector = calibrate.HistogramCollector("entropy", False, bins, target_bins, 99.9, None)
    with contextlib.redirect_stdout(io.StringIO()):
        collector.collect({"x": x})
        return both(collector.compute_collection_result()["x"][:2])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bins", "target_bins"), [(256, 128), (255, 64), (300, 37), (129, 128), (128, 128)])
def test_entropy_is_onnxruntimes(kind, bins, target_bins):
    for x in tensors(6, 5, kind):
        assert both(entropy.threshold(x, bins, target_bins)) == onnxruntime_entropy(x, bins, target_bins)


def test_entropy_is_onnxruntimes_with_2048_bins():
    for kind in ("normal", "skewed", "heavy-tailed"):
        for x in tensors(7, 2, kind):
            assert both(entropy.threshold(x)) == onnxruntime_entropy(x, 2048, 128)


@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntimes_default_entropy_range_is_the_min_max_range(kind):
    for x in tensors(8, 5, kind):
        assert onnxruntime_entropy(x, 128, 128) == (float(x.min()), float(x.max()))


def gptq(x, bits, symmetric, norm):
    """Scale and zero point of the published search: round(x/s) + Z, in PyTorch's float32."""
    t, top = torch().tensor(x), 2**bits - 1
    low, high = min(t.min().item(), 0.0), max(t.max().item(), 0.0)
    if symmetric:
        high = max(-low, high)
        low = -high if low < 0 else low
    if low == high == 0:
        low, high = -1.0, 1.0
    low, high = torch().tensor(low), torch().tensor(high)
    least, found = math.inf, None
    for step in range(80):
        p = 1 - step / 100
        scale = (high * p - low * p) / top
        zero = torch().tensor((top + 1) / 2) if symmetric else torch().round(low * -p / scale)
        restored = (torch().clamp(torch().round(t / scale) + zero, 0, top) - zero) * scale
        error = (restored - t).abs().pow(norm).sum().item()
        if error < least:
            least, found = error, (scale.item(), zero.item())
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("symmetric", [False, True])
def test_least_error_is_gptqs(kind, symmetric):
    convention = "gptq_symmetric" if symmetric else "gptq"
    for i, x in enumerate(tensors(9, 12, kind, 600)):
        bits, norm = (2, 3, 4, 8)[i % 4], (2.0, 2.4)[i % 2]
        low, high = least_error.search(x, 0, 2**bits - 1, convention, norm)
        s, Z = affine.choose(low, high, 0, 2**bits - 1, convention)
        assert (float(s), float(Z)) == gptq(x, bits, symmetric, norm)


def test_aciq_solves_its_equation():
    """Against Lambert's W for Laplace, and for Gauss against mpmath's root in 40 digits."""
    mp = pytest.importorskip("mpmath")
    with mp.workdps(40):
        for M in range(1, 17):
            laplace = mp.lambertw(3 * 4**M)
            gauss = mp.findroot(
                lambda a, M=M: (
                    a * (mp.erfc(a / mp.sqrt(2)) + mp.mpf(1) / (3 * 4**M)) - mp.sqrt(2 / mp.pi) * mp.exp(-a * a / 2)
                ),
                1.2 + 0.3 * M,
            )
            assert abs(aciq.factor(M) - laplace) < 1e-11
            assert abs(aciq.factor(M, "gauss") - gauss) < 1e-11


def test_aciq_gives_the_factors_in_print():
    """The tables that programs carry: seven digits of each, from a numerical search that is good to about 10⁻⁶."""
    laplace = [2.83068299, 3.89722946, 5.02864014, 6.20476633, 7.41312622, 8.64561995, 9.89675982]
    gauss = [1.71063519, 2.15159277, 2.55913646, 2.93620062, 3.28691474, 3.6151146, 3.92403714]
    np.testing.assert_allclose([aciq.factor(M) for M in range(2, 9)], laplace, atol=1e-6)
    np.testing.assert_allclose([aciq.factor(M, "gauss") for M in range(2, 9)], gauss, atol=2e-6)
    exponential = [*laplace[1:], 11.16268502]
    np.testing.assert_allclose([aciq.factor(M, positive=True) for M in range(2, 9)], exponential, atol=1e-6)


def test_aciq_has_the_published_deviation():
    for x in tensors(10, 5, "normal"):
        low, high = aciq.clip(x, 4, "gauss", ddof=1)
        sigma = torch().tensor(x.astype(np.float64)).std().item()
        assert float(high - low) == pytest.approx(2 * aciq.factor(4, "gauss") * sigma, rel=1e-6)


def test_power_of_two_where_logarithms_err():
    """⌈log s / log 2⌉ in float64, PyTorch's QuantUtils.h, against the exact exponent."""
    wrong = [k for k in range(1, 31) if math.ceil(math.log(2.0**k) / math.log(2.0)) != k]
    assert wrong == [29]
    for k in range(1, 31):
        assert float(power_of_two.scale(2.0**k * 127, 127)) == 2.0**k
