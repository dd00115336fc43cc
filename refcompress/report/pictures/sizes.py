"""The picture of the outcome: what every stage's accuracy costs in bytes."""

import numpy as np

from refcompress.compress import Result
from refcompress.report.pictures.canvas import BLUE, GREEN, INK, ORANGE, canvas, to_svg
from refcompress.report.pictures.scales import logarithmic
from refcompress.report.rows import STAGE_NAMES

LOOKS = {"dense": (INK, "o"), "pruned": (ORANGE, "v"), "finetuned": (BLUE, "s"), "quantized": (GREEN, "D")}


def accuracy_against_bytes(result: Result) -> str:
    """Draw every stage's held-out accuracy, with its 95 % interval, against its bytes on a logarithmic axis.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str, an <svg> element. Labels stand above the axes in the order of the bytes, so that none hides another.
    """
    stages = sorted(result.stages.items(), key=lambda item: item[1].bytes)  # stable: pruned before fine-tuned
    with canvas(9.6, 3.9) as figure:
        axes = figure.add_subplot()
        for slot, (name, stage) in enumerate(stages):
            colour, marker = LOOKS[name]
            low, high = (100 * abs(stage.accuracy - end) for end in stage.interval)
            position = (stage.bytes, 100 * stage.accuracy)
            caps = 10 if name == "pruned" else 5  # pruned and fine-tuned have the same bytes
            axes.errorbar(*position, yerr=[[low], [high]], fmt="none", color=colour, linewidth=1.3, capsize=caps)
            axes.plot(*position, marker, color=colour, markersize=7, gid=name)
            axes.annotate(
                f"{STAGE_NAMES[name]}\n{100 * stage.accuracy:.2f} %\n{stage.bytes:,} bytes",
                position,
                xytext=((slot + 0.5) / len(stages), 1.04),
                textcoords="axes fraction",
                horizontalalignment="center",
                arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.5, "linewidth": 0.8, "shrinkB": 5},
            )
        logarithmic(axes, "x", np.array([stage.bytes for _, stage in stages]), lambda m, e: f"{m * 10**e:,}")
        axes.set_xlabel("bytes (logarithmic; 4 per number before quantization, the whole file after it)")
        axes.set_ylabel("held-out accuracy (%)")
        return to_svg(figure, "sizes", "Held-out accuracy of every stage against its bytes")
