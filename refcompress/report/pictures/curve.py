"""The picture of training and fine-tuning: loss and accuracy, epoch by epoch."""

import math
from typing import Any

from refcompress.compress import Result
from refcompress.report.pictures.canvas import BLUE, GREEN, INK, ORANGE, canvas, panels, size, to_svg


def training_curve(result: Result) -> str:
    """Draw loss and accuracy against the epoch, in training and, behind the removal of neurons, in fine-tuning.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str, an <svg> element. Lines are means over an epoch's training images while the weights change; diamonds are
    held-out figures of the dense, pruned and fine-tuned network.
    """
    from matplotlib.ticker import MaxNLocator

    count, tuning = len(result.training), len(result.finetuning)
    removal = count + 0.5  # between the last epoch of training and the first of fine-tuning
    held_out = {"dense": count, "pruned": removal, **({"finetuned": count + tuning} if tuning else {})}
    runs = [("training", BLUE, "o", 1, result.training)]
    if tuning:
        runs.append(("fine-tuning", ORANGE, "s", count + 1, result.finetuning))
    with canvas(*size(2)) as figure:
        for quantity, axes in zip(("loss", "accuracy"), panels(figure, 2), strict=True):
            unit = 1 if quantity == "loss" else 100
            for name, colour, marker, first, epochs in runs:
                values = [getattr(epoch, quantity) for epoch in epochs]
                y = [math.nan if value is None else unit * value for value in values]
                x = range(first, first + len(y))
                axes.plot(x, y, marker, ls="-", color=colour, markersize=4, label=name, gid=f"{name}-{quantity}")
            y = [unit * getattr(result.stages[stage], quantity) for stage in held_out]
            look: dict[str, Any] = {"color": GREEN, "markersize": 6, "markerfacecolor": "none"}
            axes.plot(list(held_out.values()), y, "D", label="held out", gid=f"held-out-{quantity}", **look)
            axes.axvline(removal, color=INK, linewidth=0.9, linestyle=":", label="neurons removed")
            axes.set_xlim(0.6, count + tuning + (0.4 if tuning else 0.9))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlabel("epoch (training, then fine-tuning)")
            axes.set_ylabel("loss (nats per image)" if quantity == "loss" else "accuracy (%)")
        figure.axes[0].set_ylim(bottom=0)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return to_svg(figure, "training", "Loss and accuracy by epoch of training and fine-tuning")
