"""Moments of gradients while they come: sums in their own precision, taken into float64 every few iterations."""

import math

import numpy as np

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import check_dtype, check_finite, check_shape, float_array
from refcompress.formulas.pruning import streaming_moments
from refcompress.formulas.pruning.streaming_moments import Moments

SPAN = 64  # iterations


class RunningMoments:
    """Mean of every parameter's gradient, and M₂ summed over the parameters of every neuron (P1, P2).

        d = g(t) − c        S ← S + d        Q_i ← Q_i + Σ_p d_ip²

    After SPAN iterations, T, c, S and Q become moments (`streaming_moments.from_shifted_sums`), which are merged with
    those before (`streaming_moments.merge`). c is the first gradient in the first span, then 0, or the mean so far if
    some neuron's mean is larger than its std: Q and S²/T must not cancel.

    Parameters
    ----------
    shape : (n, …)
        Shape of the gradients; row i belongs to neuron i.

    Notes
    -----
    Two or three passes over the gradients, a quarter of the time of Welford's recurrence in float64. In float32, std
    errs by about 10⁻⁶ of itself, and by less than 10⁻⁴ where the first gradient lies far from the others; the mean
    errs by as much of std. Deviations below 10⁻¹⁹ lose accuracy, and below 10⁻²³ they count as 0. In float64, std errs
    by less than 10⁻¹³ · (1 + |mean|/std) of itself.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._past: Moments | None = None  # before this span
        self._count = 0  # of this span
        self._shift: np.ndarray | None = None  # c, None for 0
        self._sums = self._squares = np.empty(0)
        self._dtype = self._sums.dtype  # of the gradients, once there is one

    @property
    def count(self) -> int:
        """T, the number of iterations seen."""
        return self._count if self._past is None else self._past.count + self._count

    @staticmethod
    def check(name: str, gradient: np.ndarray) -> None:
        """Raise ValueError unless all of `gradient` is finite and so small that no sum in `update` overflows."""
        limit = min(float(np.finfo(gradient.dtype).max) / (4 * SPAN), 1e148)
        values = gradient.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            if np.dot(values, values) < limit:  # one fast pass: then no value is larger
                return
        check_finite(name, gradient)
        if np.abs(gradient).max() > limit:
            raise ValueError(f"{name} must be within ±{limit:.1e}, got {np.abs(gradient).max()}")

    def update(self, gradient: np.ndarray) -> None:
        """Take in one more gradient; TypeError or ValueError unless its shape and dtype are those of the others."""
        gradient = float_array("gradient", gradient)
        check_shape("gradient", gradient, self.shape)
        g = gradient.reshape(len(gradient), -1)
        if self.count == 0:
            self._dtype = g.dtype
        check_dtype("gradient", g, self._dtype)
        if self._count == 0:
            self._begin(g)
        with np.errstate(over="ignore"):  # an error in `moments`
            for block in blocks(g.shape):
                d = g[block] if self._shift is None else g[block] - self._shift[block]
                self._sums[block] += d
                squares = np.vecdot(d, d)
                if not np.isfinite(squares).all():  # beyond the range of float32
                    d = d.astype(np.float64)
                    squares = np.vecdot(d, d)
                self._squares[block[0]] += squares
        self._count += 1
        if self._count >= SPAN:
            self._past, self._count = self.moments(), 0

    def moments(self) -> Moments:
        """The moments so far: mean (n, parameters of a neuron), M₂ (n,); ValueError where a sum overflowed."""
        past = self._past or streaming_moments.empty((self.shape[0], math.prod(self.shape[1:])), summed=1)
        if self._count == 0:
            return past
        check_finite("sum of the gradients", self._sums)
        check_finite("sum of the gradients' squares", self._squares)
        shift = np.zeros_like(self._sums) if self._shift is None else self._shift
        span = streaming_moments.from_shifted_sums(self._count, shift, self._sums, self._squares)
        return streaming_moments.merge(past, span)

    def _begin(self, g: np.ndarray) -> None:
        """Begin a span with the gradient g."""
        past = self._past
        if past is None:
            self._shift = g.copy()
        else:
            far = past.count * np.vecdot(past.mean, past.mean) > past.m2
            self._shift = past.mean.astype(g.dtype) if far.any() else None
        self._sums, self._squares = np.zeros_like(g), np.zeros(len(g))

    @classmethod
    def merged(cls, a: "RunningMoments", b: "RunningMoments") -> "RunningMoments":
        """Moments of both streams together; ValueError unless the shapes agree, TypeError unless the dtypes do."""
        if a.shape != b.shape:
            raise ValueError(f"b must have shape {a.shape} like a, got {b.shape}")
        if a.count and b.count and a._dtype != b._dtype:
            raise TypeError(f"b must be of {a._dtype} like a, got {b._dtype}")
        both = cls(a.shape)
        if a.count + b.count:
            both._past = streaming_moments.merge(a.moments(), b.moments())
            both._dtype = a._dtype if a.count else b._dtype
        return both
