"""Gradient history: what every neuron's gradient did over training (the T × n data behind P1 and P2)."""

from collections import deque

import numpy as np

from refcompress.formulas.checks import choice, integer, like
from refcompress.formulas.pruning import reduction, stability, streaming_moments
from refcompress.formulas.pruning.streaming_moments import Moments
from refcompress.nn.layers import Conv2d, Linear
from refcompress.nn.network import Network
from refcompress.nn.running_moments import RunningMoments

Gradients = dict[str, np.ndarray]


class GradientHistory:
    """Record the gradient of every neuron of every Linear and Conv2d layer.

    Call `record()` after every `backward`; `nn.fit(…, history=…)` does.

    Parameters
    ----------
    model : Network
    start : int ≥ 0
        Iterations to skip before the first one that counts.
    last : int ≥ 1, optional
        Keep only the last so many of those that count.
    reduce : one of reduction.REDUCTIONS
        How a neuron's gradient, a vector, becomes one number. "rms_of_parameter_moments" (default) takes the moments
        of every parameter first; the others reduce at every iteration.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or "bias" meets a layer without biases.

    Notes
    -----
    The default keeps `RunningMoments`, three numbers a parameter, whatever T is (with `last`, that many gradients as
    they came); the other reductions keep T × neurons float64 numbers.
    """

    def __init__(
        self,
        model: Network,
        start: int = 0,
        last: int | None = None,
        reduce: str = "rms_of_parameter_moments",
    ) -> None:
        self.start = integer("start", start, 0)
        self.last = None if last is None else integer("last", last, 1)
        self.reduce = choice("reduce", reduce, reduction.REDUCTIONS)
        self._layers = {n.name: n.layer for n in model.nodes if isinstance(n.layer, Linear | Conv2d)}
        if reduce == "bias":
            without = [name for name, layer in self._layers.items() if "bias" not in layer.parameters]
            if without:
                raise ValueError(f"reduce must not be 'bias' for layers without biases, got {without}")
        self._seen = 0
        self._moments: dict[str, dict[str, RunningMoments]] = {}
        self._kept: dict[str, deque[Gradients]] = {}
        self._rows: dict[str, deque[np.ndarray]] = {}
        for name, layer in self._layers.items():
            self._moments[name] = {key: RunningMoments(p.shape) for key, p in layer.parameters.items()}
            self._kept[name] = deque(maxlen=self.last)
            self._rows[name] = deque(maxlen=self.last)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the recorded layers, in the network's order."""
        return tuple(self._layers)

    def record(self) -> None:
        """Take in the gradients of the last `backward`.

        TypeError or ValueError, and nothing is taken in, where one is missing, of another shape or dtype than its
        parameter, not finite, or so large that sums overflow (10³⁶ in float32).
        """
        if self._seen < self.start:
            self._seen += 1
            return
        for name, layer in self._layers.items():  # all is checked before anything is taken in
            if layer.gradients.keys() != layer.parameters.keys():
                raise ValueError(f"model must have run backward before record, got no gradients in {name!r}")
            for key, gradient in layer.gradients.items():
                like(f"gradient of {name}.{key}", gradient, layer.parameters[key].shape, layer.parameters[key].dtype)
                RunningMoments.check(f"gradient of {name}.{key}", gradient)
        self._seen += 1
        for name, layer in self._layers.items():
            gradients = layer.gradients
            if self.reduce != "rms_of_parameter_moments":
                row = reduction.neuron_gradients(gradients["weight"], gradients.get("bias"), self.reduce)
                self._rows[name].append(row)
            elif self.last is not None:
                self._kept[name].append({key: g.copy() for key, g in gradients.items()})
            else:
                for key, gradient in gradients.items():
                    self._moments[name][key].update(gradient)

    def steps(self, layer: str) -> int:
        """T, the number of iterations that count for this layer."""
        self._check_layer(layer)
        if self.reduce != "rms_of_parameter_moments":
            return len(self._rows[layer])
        return self._moments[layer]["weight"].count + len(self._kept[layer])

    def mean(self, layer: str) -> np.ndarray:
        """Mean of every neuron's gradient (P1): (n,) float64; ValueError before the first iteration."""
        self._check_recorded(layer)
        if self.reduce != "rms_of_parameter_moments":
            return stability.mean(self.gradients(layer))
        return reduction.rms_of_parameter_moments(self._neuron_moments(layer).mean, None)

    def std(self, layer: str, ddof: int = 0) -> np.ndarray:
        """Standard deviation of every neuron's gradient (P2): (n,) float64; ValueError unless T > ddof."""
        self._check_recorded(layer)
        if self.reduce != "rms_of_parameter_moments":
            return stability.std(self.gradients(layer), ddof=ddof)
        moments = self._neuron_moments(layer)
        return reduction.rms_of_norms(streaming_moments.std(moments, ddof=ddof), moments.mean.shape[1])

    def gradients(self, layer: str) -> np.ndarray:
        """The T × n array of the neurons' gradients in float64; ValueError for the reduction that keeps moments."""
        self._check_recorded(layer)
        if self.reduce == "rms_of_parameter_moments":
            raise ValueError("reduce must be a per-neuron reduction for gradients, got 'rms_of_parameter_moments'")
        return np.stack(self._rows[layer])

    def merge(self, other: "GradientHistory") -> "GradientHistory":
        """The history of both runs; ValueError unless networks and settings agree and neither keeps only the last."""
        if not isinstance(other, GradientHistory):
            raise TypeError(f"other must be a GradientHistory, got {other!r}")
        if self.last is not None or other.last is not None:
            raise ValueError("last must be None to merge histories: which iterations were last is not known")
        for setting in ("reduce", "start"):
            ours, theirs = getattr(self, setting), getattr(other, setting)
            if ours != theirs:
                raise ValueError(f"{setting} must agree to merge histories, got {ours!r} and {theirs!r}")
        if self.layers != other.layers:
            raise ValueError(f"other must have the layers {self.layers}, got {other.layers}")
        merged = GradientHistory.__new__(GradientHistory)
        merged.__dict__.update(self.__dict__)
        merged._seen = self._seen + other._seen
        merged._moments, merged._rows = {}, {}
        for name in self.layers:
            a, b = self._moments[name], other._moments[name]
            if a.keys() != b.keys():
                raise ValueError(f"other must have the parameters {sorted(a)} in {name!r}, got {sorted(b)}")
            for key in a:
                if a[key].shape != b[key].shape:
                    raise ValueError(f"other's {name}.{key} must have shape {a[key].shape}, got {b[key].shape}")
            merged._moments[name] = {key: RunningMoments.merged(a[key], b[key]) for key in a}
            merged._rows[name] = deque((*self._rows[name], *other._rows[name]))
        return merged

    def _neuron_moments(self, layer: str) -> Moments:
        """Moments of all parameters of each neuron, weights and bias: mean (n, parameters), M₂ (n,)."""
        parts = self._moments[layer]
        if self.last is not None:
            parts = {key: RunningMoments(gradient.shape) for key, gradient in self._kept[layer][0].items()}
            for gradients in self._kept[layer]:
                for key, gradient in gradients.items():
                    parts[key].update(gradient)
        moments = [part.moments() for part in parts.values()]
        mean = np.concatenate([m.mean for m in moments], axis=1)
        return Moments(moments[0].count, mean, np.sum([m.m2 for m in moments], axis=0))

    def _check_layer(self, layer: str) -> None:
        if layer not in self._layers:
            raise ValueError(f"layer must be one of {', '.join(self._layers)}, got {layer!r}")

    def _check_recorded(self, layer: str) -> None:
        if self.steps(layer) == 0:
            raise ValueError(f"history must hold at least one iteration, got none for {layer!r}")
