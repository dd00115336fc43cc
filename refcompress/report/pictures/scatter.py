"""The picture of the removal: every neuron's gradient stability, and the region that the rule selects."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from refcompress.compress import LayerStability, Result
from refcompress.report.pictures.canvas import BLUE, INK, ORANGE, canvas, panels, size, to_svg
from refcompress.report.pictures.scales import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SELECTED = "selected by the rule"
SHADE: dict[str, Any] = {"color": INK, "alpha": 0.07, "linewidth": 0}


def stability_scatter(result: Result) -> str:
    """Draw the neurons of every pruned layer: their gradients' std against the mean, kept and removed.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str, an <svg> element. By the text's rule against |mean|, both axes logarithmic; by the listing's rule against the
    mean with its sign, both axes linear, because the rule takes no absolute value.
    """
    layers, listing = result.stability, result.options.criterion.rule == "listing"
    with canvas(*size(len(layers))) as figure:
        for number, (layer, axes) in enumerate(zip(layers, panels(figure, len(layers)), strict=True)):
            (_listing_region if listing else _text_region)(axes, layer, number)
            mean = layer.mean if listing else np.abs(layer.mean)
            removed = np.isin(np.arange(len(mean)), layer.selected)
            _points(axes, mean[~removed], layer.std[~removed], "o", BLUE, "none", "kept", number)
            _points(axes, mean[removed], layer.std[removed], "x", ORANGE, ORANGE, "removed", number)
            axes.set_title(f"{layer.name}: {removed.sum()} of {len(mean)} removed")
            axes.set_xlabel("mean of the gradient" if listing else "|mean| of the gradient")
            axes.set_ylabel("std of the gradient")
        columns = 5 if len(layers) > 1 else 3
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns)
        return to_svg(figure, "stability", "Standard deviation against mean of the gradient of every neuron, by layer")


def _points(
    axes: "Axes", x: np.ndarray, y: np.ndarray, marker: str, edge: str, face: str, name: str, number: int
) -> None:
    look: dict[str, Any] = {"s": 20, "linewidths": 1.1, "zorder": 3, "clip_on": False}
    axes.scatter(x, y, marker=marker, color=edge, facecolors=face, label=name, gid=f"{name}-{number}", **look)


def _text_region(axes: "Axes", layer: LayerStability, number: int) -> None:
    """|mean| < τ_mean and std < τ_std: left of one line and below the other."""
    logarithmic(axes, "x", np.append(np.abs(layer.mean), layer.tau_mean))
    logarithmic(axes, "y", np.append(layer.std, layer.tau_std))
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    if not np.isnan([layer.tau_mean, layer.tau_std]).any():
        end, height = min(layer.tau_mean, right), min(layer.tau_std, top)
        axes.fill_between([left, end], bottom, height, label=SELECTED, gid=f"selected-{number}", **SHADE)
    _threshold(axes.axvline, layer.tau_mean, "--", "τ_mean", number)
    _threshold(axes.axhline, layer.tau_std, ":", "τ_std", number)


def _listing_region(axes: "Axes", layer: LayerStability, number: int) -> None:
    """mean < τ_mean and std/mean < τ_std: every negative mean, and a wedge below the line std = τ_std · mean."""
    seen = [*layer.mean, 0.0, *([layer.tau_mean] if np.isfinite(layer.tau_mean) else [])]
    margin = 0.06 * (max(seen) - min(seen)) or 1.0
    left, right, top = min(seen) - margin, max(seen) + margin, 1.08 * float(layer.std.max()) or 1.0
    axes.set_xlim(left, right)
    axes.set_ylim(0, top)
    axes.ticklabel_format(scilimits=(-2, 4))
    axes.locator_params(nbins=5)
    axes.fill_between([left, 0], 0, top, label=SELECTED, gid=f"selected-{number}", **SHADE)
    slope = min(layer.tau_std, 1e6 * top / right)  # an infinite one, as steep as can be seen
    end = min(layer.tau_mean, right)
    wedge = np.unique([0.0, min(top / slope, end) if slope else end, end])  # it rises as far as the axes' top
    axes.fill_between(wedge, 0, np.minimum(slope * wedge, top), gid=f"selected-wedge-{number}", **SHADE)
    _threshold(axes.axvline, layer.tau_mean, "--", "τ_mean", number)
    axes.plot([0, right], [0, slope * right], color=INK, linewidth=0.9, linestyle=":", label="std = τ_std · mean")


def _threshold(draw: Callable[..., object], tau: float, linestyle: str, label: str, number: int) -> None:
    if np.isfinite(tau):
        draw(tau, color=INK, linewidth=0.9, linestyle=linestyle, label=label, gid=f"{label}-{number}")
