"""The picture of training and fine-tuning: loss and accuracy, epoch by epoch."""

import math

from refcompress.compress import Result
from refcompress.report.pictures.canvas import BLUE, GREEN, INK, ORANGE, canvas, panels, to_svg


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
    held_out = [(count, result.stages["dense"]), (removal, result.stages["pruned"])]
    if tuning:
        held_out.append((count + tuning, result.stages["finetuned"]))
    with canvas(9.2, 3.4) as figure:
        loss, accuracy = panels(figure, 2)
        for first, epochs, name, colour, marker in (
            (1, result.training, "training", BLUE, "o"),
            (count + 1, result.finetuning, "fine-tuning", ORANGE, "s"),
        ):
            if not epochs:
                continue
            x = range(first, first + len(epochs))
            shares = [math.nan if e.accuracy is None else 100 * e.accuracy for e in epochs]
            for axes, y in ((loss, [e.loss for e in epochs]), (accuracy, shares)):
                axes.plot(x, y, color=colour, marker=marker, markersize=4, label=name, gid=name)
        for axes, values in (
            (loss, [stage.loss for _, stage in held_out]),
            (accuracy, [100 * stage.accuracy for _, stage in held_out]),
        ):
            x_held = [x for x, _ in held_out]
            axes.plot(
                x_held, values, "D", markersize=6, markerfacecolor="none", color=GREEN, label="held out", gid="held"
            )
            axes.axvline(removal, color=INK, linewidth=0.9, linestyle=":", label="neurons removed")
            axes.set_xlim(0.6, count + max(tuning, 1) + 0.4)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlabel("epoch, fine-tuning's behind training's")
        loss.set_ylabel("loss (nats per image)")
        loss.set_ylim(bottom=0)
        accuracy.set_ylabel("accuracy (%)")
        figure.legend(*loss.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return to_svg(figure, "training", "Loss and accuracy by epoch of training and fine-tuning")
