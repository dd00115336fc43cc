"""The picture of the quantization: the weights of every layer, and the levels that they are rounded to."""

from typing import TYPE_CHECKING

import numpy as np

from refcompress.compress import Result
from refcompress.formulas.quantization import uniform
from refcompress.report.pictures.canvas import BLUE, INK, ORANGE, canvas, panels, size, to_svg
from refcompress.storage import QuantizedTensor

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

BINS = 41
MOST_LEVELS = 256  # drawn one by one


def weights_and_levels(result: Result) -> str:
    """Draw a histogram of every layer's weights before quantization, and its levels.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str, an <svg> element. Where every neuron has a range of its own, the levels are those of neuron 0, whose own
    weights stand out. Levels are drawn from the lowest to the highest that is used.
    """
    layers = [layer.name for layer in result.layers]
    with canvas(*size(len(layers))) as figure:
        handles: dict[str, Artist] = {}
        for number, (name, axes) in enumerate(zip(layers, panels(figure, len(layers)), strict=True)):
            tensor = result.compressed.tensors[f"{name}.weight"]
            assert isinstance(tensor, QuantizedTensor)  # weights always are
            _panel(axes, number, name, result.model.layers[name].parameters["weight"], tensor)
            handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=3)
        return to_svg(figure, "levels", "Weights of every layer with the levels that they are quantized to")


def levels(tensor: QuantizedTensor) -> np.ndarray:
    """The levels s · q + z of a tensor's first range, from the lowest to the highest code in use."""
    codes = tensor.codes[0] if tensor.groups > 1 else tensor.codes
    q = np.arange(int(codes.min()), int(codes.max()) + 1)
    return uniform.dequantize(q, tensor.scale[0], tensor.offset[0])


def _panel(axes: "Axes", number: int, name: str, weights: np.ndarray, tensor: QuantizedTensor) -> None:
    edges = np.histogram_bin_edges(weights, BINS).tolist()
    axes.hist(weights.ravel(), edges, weights=_shares(weights), color=INK, alpha=0.25, label="all weights of the layer")
    whose = ""
    if tensor.groups > 1:
        own = weights[0]
        axes.hist(
            own.ravel(), edges, weights=_shares(own), histtype="step", color=BLUE, label="weights of neuron 0 alone"
        )
        whose = "neuron 0's "
    drawn = levels(tensor)
    top = axes.get_ylim()[1]
    axes.set_ylim(-0.12 * top, top)  # the levels stand below the bars
    if len(drawn) <= MOST_LEVELS:
        axes.vlines(
            drawn,
            -0.1 * top,
            -0.02 * top,
            color=ORANGE,
            linewidth=min(1.2, 60 / len(drawn)),
            label="levels",
            gid=f"levels-{number}",
        )
    axes.set_title(f"{name}: {whose}{len(drawn):,} levels")
    axes.set_xlabel("weight")
    axes.set_ylabel("share of the weights (%)")
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= top])


def _shares(weights: np.ndarray) -> np.ndarray:
    return np.full(weights.size, 100 / weights.size)
