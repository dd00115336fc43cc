"""The picture of the removal: every neuron's gradient stability, and the region that the rule selects."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from refcompress.compress import LayerStability, Result
from refcompress.report.pictures.canvas import BLUE, INK, ORANGE, canvas, grid, panels, to_svg
from refcompress.report.pictures.scales import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADE: dict[str, Any] = {"color": INK, "alpha": 0.07, "linewidth": 0, "label": "selected by the rule"}

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
    rows, columns = grid(len(layers))
    with canvas(max(5.6, 3.3 * columns), 2.9 * rows + 0.5) as figure:
        for number, (layer, axes) in enumerate(zip(layers, panels(figure, len(layers)), strict=True)):
            mean = layer.mean if listing else np.abs(layer.mean)
            removed = np.isin(np.arange(len(mean)), layer.selected)
            if listing:
                _listing_region(axes, layer)
            else:
                _text_region(axes, layer)
            for name, which, colour, marker in (("kept", ~removed, BLUE, "o"), ("removed", removed, ORANGE, "x")):
                face = {"facecolors": "none"} if marker == "o" else {}
                axes.scatter(
                    mean[which],
                    layer.std[which],
                    s=20,
                    color=colour,
                    marker=marker,
                    linewidths=1.1,
                    label=name,
                    gid=f"{name}-{number}",
                    zorder=3,
                    clip_on=False,
                    **face,
                )
            axes.set_title(f"{layer.name}: {removed.sum()} of {len(mean)} removed")
            axes.set_xlabel("mean of the gradient" if listing else "|mean| of the gradient")
            axes.set_ylabel("std of the gradient")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return to_svg(figure, "stability", "Standard deviation against mean of the gradient of every neuron, by layer")


def _text_region(axes: "Axes", layer: LayerStability) -> None:
    """|mean| < τ_mean and std < τ_std: left of one line and below the other."""
    logarithmic(axes, "x", np.append(np.abs(layer.mean), layer.tau_mean))
    logarithmic(axes, "y", np.append(layer.std, layer.tau_std))
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    end, height = min(layer.tau_mean, right), min(layer.tau_std, top)
    axes.fill_between([left, end], bottom, height, **SHADE)
    _threshold(axes.axvline, layer.tau_mean, "--", "τ_mean")
    _threshold(axes.axhline, layer.tau_std, ":", "τ_std")


def _listing_region(axes: "Axes", layer: LayerStability) -> None:
    """mean < τ_mean and std/mean < τ_std: every negative mean, and a wedge below the line std = τ_std · mean."""
    seen = [*layer.mean, 0.0, *([layer.tau_mean] if np.isfinite(layer.tau_mean) else [])]
    margin = 0.06 * (max(seen) - min(seen)) or 1.0
    left, right, top = min(seen) - margin, max(seen) + margin, 1.08 * float(layer.std.max()) or 1.0
    axes.set_xlim(left, right)
    axes.set_ylim(0, top)
    steep = min(layer.tau_std, 1e6 * top / right)  # an infinite slope, as far as can be seen
    mean = np.linspace(0, right, 200)
    axes.fill_between([left, 0], 0, top, **SHADE)
    wedge = mean[mean <= layer.tau_mean]
    axes.fill_between(wedge, 0, np.minimum(steep * wedge, top), **{**SHADE, "label": None})
    _threshold(axes.axvline, layer.tau_mean, "--", "τ_mean")
    axes.plot(mean, steep * mean, color=INK, linewidth=0.9, linestyle=":", label="std = τ_std · mean", gid="tau")


def _threshold(draw: Callable[..., object], tau: float, linestyle: str, label: str) -> None:
    if np.isfinite(tau):
        draw(tau, color=INK, linewidth=0.9, linestyle=linestyle, label=label, gid="tau")
