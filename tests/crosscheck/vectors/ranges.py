"""Rules for ranges by PyTorch, TensorFlow, ONNX Runtime, Brevitas, NumPy and SciPy."""

from dataclasses import replace

import numpy as np
from scipy.special import lambertw

from tests.crosscheck.test_ranges import onnxruntime_entropy
from tests.crosscheck.vectors.row import library, row, tensor

FLOAT64 = {"its observers keep float32": lambda x, **_: x.dtype == np.float64 and not np.array_equal(x, np.float32(x))}
FLOAT32_DECAY = {"keeps the decay as float32": lambda x, c, **_: x.dtype == np.float64 and c != np.float32(c)}


def observer(name, **options):
    return getattr(library("torch.ao.quantization.observer"), name)(**options)


def observed(found, *batches):
    """Its ends after the batches."""
    for x in batches:
        found(tensor(x))
    return found.min_val, found.max_val


row("min_max.min_max", None, "torch", FLOAT64)(lambda x: observed(observer("MinMaxObserver"), x))
row("min_max.absolute_maximum", None, "torch")(lambda x: library("torch").linalg.vector_norm(tensor(x), float("inf")))


@row("moving_average.update", "torch", "torch")
@row("moving_average.run", "torch", "torch")
def moving_average(x, c, **ends):
    batches = (np.array([*ends.values()], np.float32), x) if ends else x
    return observed(observer("MovingAverageMinMaxObserver", averaging_constant=float(c)), *batches)


@row("moving_average.update", "tensorflow", "tensorflow", FLOAT32_DECAY)
@row("moving_average.run", "tensorflow", "tensorflow")
def tensorflow_average(x, c, low=None, high=None):
    """As TensorFlow Model Optimization calls it: zero in the range, no debiasing."""
    tf, averages = library("tensorflow"), library("tensorflow.python.training.moving_averages")
    zero, batches = x.dtype.type(0), x if low is None else [x]
    low, high = (tf.Variable(zero + n if end is None else end) for end, n in ((low, -6), (high, 6)))
    for batch in batches:
        for end, seen in ((low, np.minimum(batch.min(), zero)), (high, np.maximum(batch.max(), zero))):
            averages.assign_moving_average(end, seen, 1 - float(c), zero_debias=False)
    return low.numpy(), high.numpy()


def histogram(bins, **state):
    """With a state of counts and ends."""
    found = observer("HistogramObserver", bins=bins)
    vars(found)["_buffers"].update(zip(("histogram", "min_val", "max_val"), map(tensor, state.values()), strict=False))
    return found


@row("histogram.collect", None, "torch")
@row("histogram.merge", None, "torch")
def collect(x, bins=None, **state):
    found = histogram(bins or state["counts"].size, **state)
    ends = observed(found, x)
    return found.histogram, *ends


@row("histogram.search", None, "torch")
def search(levels, **state):
    found = histogram(state["counts"].size, **state)
    found.dst_nbins = levels
    return found._non_linear_param_search()


row("entropy.threshold", None, "onnxruntime")(onnxruntime_entropy)
row("percentile.percentile", "interpolated", "numpy")(lambda x, **ends: tuple(np.percentile(x, [*ends.values()])))
row("percentile.absolute", "interpolated", "numpy")(lambda x, p: np.percentile(np.abs(x), p))


def with_zero(expected):
    """Brevitas gives the low end, not above 0, and the width from there."""
    low, high = (e.value for e in expected.values())
    floor = np.minimum(low, low.dtype.type(0))
    return {name: replace(expected["low"], value=v) for name, v in (("low", floor), ("width", abs(high - floor)))}


@row("percentile.percentile", "kth", "brevitas", shown=with_zero)
def brevitas_percentile(x, low_p, high_p):
    stats = library("brevitas.core.stats.stats_op")
    ends = stats.NegativePercentileOrZero(float(low_p)), stats.PercentileInterval(float(low_p), float(high_p))
    return tuple(end(tensor(x)) for end in ends)


@row("percentile.absolute", "kth", "brevitas")
def brevitas_absolute(x, p):
    return library("brevitas.core.stats.stats_op").AbsPercentile(float(p), None)(tensor(x))


# α exp α = 3·4^M, with a bit more where only one side is quantized
row("aciq.factor", "laplace", "scipy")(lambda bits, positive: lambertw(3 * 4.0 ** (bits + positive)).real)
