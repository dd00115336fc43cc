"""Optimizers: how a parameter follows its gradient, with PyTorch's update equations.

`step(parameters, gradients)` takes two dicts of the same names and changes the parameters in place.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from refcompress.formulas.blocks import blocks
from refcompress.formulas.checks import boolean, check_shape, real

Arrays = Mapping[str, np.ndarray]


class Optimizer(ABC):
    """What all optimizers share: a learning rate that may be set between steps, and a memory for every parameter."""

    def __init__(self, learning_rate: float, weight_decay: float, memories: int) -> None:
        self.learning_rate = real("learning_rate", learning_rate, 0, np.inf, open_high=True)
        self.weight_decay = real("weight_decay", weight_decay, 0, np.inf, open_high=True)
        self._memories = memories  # arrays of its shape for every parameter, 0 at first
        self._memory: dict[str, tuple[np.ndarray, ...]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._steps: dict[str, int] = {}

    def step(self, parameters: Arrays, gradients: Arrays) -> None:
        """Change every parameter in place by its gradient; ValueError unless names and shapes agree."""
        if parameters.keys() != gradients.keys():
            raise ValueError(f"gradients must be for {sorted(parameters)}, got {sorted(gradients)}")
        for name, gradient in gradients.items():
            check_shape(f"gradients[{name!r}]", gradient, parameters[name].shape)
            if self._shapes.setdefault(name, gradient.shape) != gradient.shape:
                raise ValueError(
                    f"parameters[{name!r}] must keep the shape {self._shapes[name]}, got {gradient.shape}: "
                    "a network that changed its shape needs a new optimizer"
                )
        for name, w in parameters.items():
            if name not in self._memory:
                self._memory[name] = tuple(np.zeros_like(w) for _ in range(self._memories))
            t = self._steps[name] = self._steps.get(name, 0) + 1
            for block in blocks(w.shape):
                self._update(t, w[block], gradients[name][block], *(m[block] for m in self._memory[name]))

    @abstractmethod
    def _update(self, t: int, w: np.ndarray, g: np.ndarray, *memory: np.ndarray) -> None:
        """Change w and its memory in place by its gradient g at its step t = 1, 2, …."""


class SGD(Optimizer):
    """Stochastic gradient descent.

        g ← g + λ·w        v ← μ·v + g   (v = 0 at first)        w ← w − η·v,   with Nesterov w − η·(g + μ·v)

    Parameters
    ----------
    learning_rate : float ≥ 0
        η.
    momentum : float in [0, 1)
        μ.
    nesterov : bool
        Needs momentum > 0.
    weight_decay : float ≥ 0
        λ.

    References
    ----------
    .. [1] torch.optim.SGD with dampening 0; Sutskever et al., 2013, eqs. 1-4, up to the scaling of v by η.
    """

    def __init__(
        self, learning_rate: float, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(learning_rate, weight_decay, memories=1)
        self.momentum = real("momentum", momentum, 0, 1, open_high=True)
        self.nesterov = boolean("nesterov", nesterov)
        if nesterov and not self.momentum:
            raise ValueError("nesterov must have momentum above 0, got momentum = 0")

    def _update(self, t: int, w: np.ndarray, g: np.ndarray, *memory: np.ndarray) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * w
        if self.momentum:
            (v,) = memory
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        w -= self.learning_rate * g


class Adam(Optimizer):
    """Adam, with L2 weight decay in the gradient.

        g ← g + λ·w        m ← β₁·m + (1 − β₁)·g        v ← β₂·v + (1 − β₂)·g²
        w ← w − η/(1 − β₁^t) · m / (√v/√(1 − β₂^t) + ε)

    Parameters
    ----------
    learning_rate : float ≥ 0
        η.
    betas : two floats in [0, 1)
        β₁ and β₂.
    epsilon : float ≥ 0
        ε, outside of the root.
    weight_decay : float ≥ 0
        λ.

    References
    ----------
    .. [1] Kingma, Ba, "Adam", arXiv:1412.6980, algorithm 1; torch.optim.Adam.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay, memories=2)
        if len(betas) != 2:
            raise ValueError(f"betas must be two numbers, got {betas}")
        self.betas = (
            real("betas[0]", betas[0], 0, 1, open_high=True),
            real("betas[1]", betas[1], 0, 1, open_high=True),
        )
        self.epsilon = real("epsilon", epsilon, 0, np.inf, open_high=True)

    def _decay(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        """The gradient with its weight decay."""
        return g + self.weight_decay * w if self.weight_decay else g

    def _update(self, t: int, w: np.ndarray, g: np.ndarray, *memory: np.ndarray) -> None:
        (beta1, beta2), (m, v) = self.betas, memory
        g = self._decay(w, g)
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g * g
        denominator = np.sqrt(v) / (1 - beta2**t) ** 0.5 + self.epsilon
        w -= (self.learning_rate / (1 - beta1**t)) * m / denominator


class AdamW(Adam):
    """Adam with decoupled weight decay: w ← w − η·λ·w before Adam's step, the gradient without it.

    Parameters
    ----------
    learning_rate, betas, epsilon : as for Adam
    weight_decay : float ≥ 0
        λ.

    References
    ----------
    .. [1] Loshchilov, Hutter, "Decoupled weight decay regularization", arXiv:1711.05101, algorithm 2.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, betas, epsilon, weight_decay)

    def _decay(self, w: np.ndarray, g: np.ndarray) -> np.ndarray:
        w *= 1 - self.learning_rate * self.weight_decay
        return g
