"""The picture of the vectors: which case tells which wrong variant from the formula."""

from typing import Any

import numpy as np

from refcompress.conformance import cases
from refcompress.report.pictures.canvas import BLUE, INK, canvas, to_svg


def kill_matrix(formula: str, convention: str | None = None) -> str:
    """Draw a mark where a case kills a wrong variant, filled where no case is more specific for it.

    Parameters
    ----------
    formula, convention : as for `refcompress.conformance.cases`

    Returns
    -------
    str, an <svg> element: a row for each wrong variant, a column for each case.
    """
    found = cases(formula, convention)
    mutants = list(dict.fromkeys(name for case in found for name in case.kills))
    kills = np.array([[name in case.kills for case in found] for name in mutants])
    own = np.array([[name in case.made_for for case in found] for name in mutants])
    with canvas(4.2 + 0.3 * len(found), 1.2 + 0.2 * len(mutants)) as figure:
        axes = figure.add_subplot()
        for marked, face, name in ((own, BLUE, "made for it"), (kills & ~own, "none", "kills it too")):
            rows, columns = np.nonzero(marked)
            look: dict[str, Any] = {"s": 38, "linewidths": 1.1, "zorder": 3, "clip_on": False, "marker": "s"}
            points = axes.scatter(columns, rows, edgecolors=BLUE, facecolors=face, label=name, **look)
            points.set_gid(name.split()[0])
        axes.set_yticks(range(len(mutants)), mutants)
        axes.set_xticks(range(len(found)), [case.id.rsplit("-", 1)[1] for case in found], rotation=90)
        axes.set_xlim(-0.7, len(found) - 0.3)
        axes.set_ylim(len(mutants) - 0.3, -0.7)
        axes.tick_params(length=0, colors=INK)
        axes.set_xlabel("cases, by the ends of their ids")
        title = found[0].id.rsplit("-", 1)[0]
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
        return to_svg(figure, "kills", f"Which of the {len(found)} cases of {title} tells which wrong variant apart")
