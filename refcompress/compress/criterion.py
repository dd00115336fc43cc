"""The pruning criterion: which reading of gradient stability, which thresholds, which neurons (P1 to P3 applied)."""

from dataclasses import dataclass

import numpy as np

from refcompress.formulas.checks import choice, integer, real
from refcompress.formulas.pruning import reduction, selection, stability
from refcompress.nn import GradientHistory

DEFAULT_FRACTION = 0.5
LISTING_TAU = 1e-3  # the threshold of the source's listing
RELATIVE_TO = ("layer-median",)


@dataclass(frozen=True)
class Criterion:
    """Which neurons are unimportant: by thresholds, or a fraction of every layer.

    None stands for what fits the other fields; after construction `reduce` and `ddof` hold the values that are used,
    and so do either `fraction` or the two thresholds.

    Parameters
    ----------
    reduce : one of reduction.REDUCTIONS
        What a neuron's gradient is. Default "rms_of_parameter_moments"; "mean" with the listing's rule.
    ddof : {0, 1}
        Default 0; 1 with the listing's rule.
    rule : {"text", "listing"}
    tau_mean, tau_std : float ≥ 0
        Thresholds, given together. The listing's rule has 1e-3 as default.
    tau_relative_to : {"layer-median"}, optional
        The thresholds are multiples of the layer's median |mean| and median std.
    fraction : float in [0, 1)
        Remove this fraction of every layer, smallest score first. Default 0.5 where no threshold is given.

    Raises
    ------
    TypeError, ValueError
        If a value is out of range, or two fields exclude each other.
    """

    reduce: str | None = None
    ddof: int | None = None
    rule: str = "text"
    tau_mean: float | None = None
    tau_std: float | None = None
    tau_relative_to: str | None = None
    fraction: float | None = None

    def __post_init__(self) -> None:
        listing = choice("rule", self.rule, stability.RULES) == "listing"
        resolved = {
            "reduce": self.reduce if self.reduce is not None else "mean" if listing else reduction.REDUCTIONS[0],
            "ddof": self.ddof if self.ddof is not None else int(listing),
            "tau_mean": LISTING_TAU if listing and self.tau_mean is None else self.tau_mean,
            "tau_std": LISTING_TAU if listing and self.tau_std is None else self.tau_std,
        }
        for name, value in resolved.items():
            object.__setattr__(self, name, value)
        choice("reduce", self.reduce, reduction.REDUCTIONS)
        integer("ddof", self.ddof, 0, 1)
        if (self.tau_mean is None) != (self.tau_std is None):
            raise ValueError(f"tau_mean and tau_std must be given together, got {self.tau_mean} and {self.tau_std}")
        if self.tau_mean is not None:
            real("tau_mean", self.tau_mean, 0)
            real("tau_std", self.tau_std, 0)
        if self.tau_relative_to is not None:
            choice("tau_relative_to", self.tau_relative_to, RELATIVE_TO)
            if self.tau_mean is None:
                raise ValueError("tau_relative_to must come with tau_mean and tau_std, got neither")
        if listing and self.fraction is not None:
            raise ValueError(f"fraction must not be given with the listing's rule, got {self.fraction}")
        if listing and self.reduce not in reduction.SIGNED_REDUCTIONS:
            signed = ", ".join(reduction.SIGNED_REDUCTIONS)
            raise ValueError(f"reduce must be one of {signed} with the listing's rule, got {self.reduce!r}")
        if listing and self.tau_relative_to is not None:
            raise ValueError("tau_relative_to must not be given with the listing's rule, whose τ_std is a pure number")
        if self.fraction is not None and self.tau_mean is not None:
            raise ValueError("fraction and thresholds exclude each other, got both")
        if self.tau_mean is None:
            fraction = DEFAULT_FRACTION if self.fraction is None else self.fraction
            object.__setattr__(self, "fraction", real("fraction", fraction, 0, 1, open_high=True))


@dataclass(frozen=True, eq=False)
class LayerStability:
    """One layer's stability and selection: (n,) mean and std, the thresholds, and (k,) indices of what goes."""

    name: str
    mean: np.ndarray
    std: np.ndarray
    tau_mean: float
    tau_std: float
    selected: np.ndarray


def score_layers(history: GradientHistory, layers: tuple[str, ...], criterion: Criterion) -> list[LayerStability]:
    """Score layers by gradient stability and select their unimportant neurons (P1, P2, P3).

    Parameters
    ----------
    history : GradientHistory
        Recorded with the criterion's reduction.
    layers : names of the layers to prune
    criterion : Criterion

    Returns
    -------
    list of LayerStability. With a fraction, the thresholds are `selection.separating_thresholds`.

    Raises
    ------
    ValueError
        If the history does not fit, or the thresholds select a whole layer; the error says which.
    """
    if history.reduce != criterion.reduce:
        raise ValueError(f"history must be recorded with reduce {criterion.reduce!r}, got {history.reduce!r}")
    return [_score_layer(name, history, criterion) for name in layers]


def _score_layer(name: str, history: GradientHistory, criterion: Criterion) -> LayerStability:
    mean, std = history.mean(name), history.std(name, ddof=criterion.ddof or 0)
    if criterion.fraction is not None:
        tau_mean, tau_std = selection.median_thresholds(mean, std)
        score = selection.score(mean, std, tau_mean, tau_std)
        selected = selection.smallest(score, criterion.fraction)
        tau_mean, tau_std = selection.separating_thresholds(score, selected, tau_mean, tau_std)
        return LayerStability(name, mean, std, tau_mean, tau_std, selected)
    tau_mean, tau_std = float(criterion.tau_mean or 0), float(criterion.tau_std or 0)
    if criterion.tau_relative_to is not None:
        median_mean, median_std = selection.median_thresholds(mean, std)
        tau_mean, tau_std = tau_mean * median_mean, tau_std * median_std
    selected = np.flatnonzero(stability.unimportant(mean, std, tau_mean, tau_std, rule=criterion.rule))
    if len(selected) == len(mean):
        raise ValueError(
            f"tau_mean = {tau_mean:g} and tau_std = {tau_std:g} select the whole layer {name!r}: {len(mean)} neurons"
        )
    return LayerStability(name, mean, std, tau_mean, tau_std, selected)
