"""What all pictures share: the paper, the colours, the panels, and how a figure becomes SVG text."""

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind readers can tell apart, those of them that show on white and on black
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
INK = "#010203"  # becomes "currentColor": the colour of the text around the picture
STYLE: dict[str, Any] = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.facecolor": "none",
    "font.size": 9,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "refcompress",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}


def require_matplotlib() -> None:
    """Raise ModuleNotFoundError, which says how to install it, unless matplotlib is there."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("the report needs matplotlib: python -m pip install 'refcompress[viz]'") from error


@contextmanager
def canvas(width: float, height: float) -> Iterator["Figure"]:
    """Hand out an empty figure of so many inches, drawn in this style whatever the user's own settings are.

    Nothing outside is changed; `to_svg` must be called inside.
    """
    require_matplotlib()
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with style.context(STYLE, after_reset=True):
        yield Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08))


def panels(figure: "Figure", count: int) -> list["Axes"]:
    """Draw so many empty panels in a grid, in a figure of the `size` for them."""
    rows, columns = _grid(count)
    return [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def size(count: int) -> tuple[float, float]:
    """Width and height in inches of a figure of so many panels, with a legend below."""
    rows, columns = _grid(count)
    return (5.6 if columns == 1 else 9.6), 2.9 * rows + 0.5


def _grid(count: int) -> tuple[int, int]:
    """Rows and columns: at most three panels side by side, four as two by two."""
    columns = 2 if count == 4 else min(count, 3)
    return -(-count // columns), columns


def to_svg(figure: "Figure", name: str, description: str) -> str:
    """Turn a figure into an <svg> element.

    Parameters
    ----------
    figure : Figure
    name : str
        Stands before every id, so that several pictures can be in one page.
    description : str
        What the picture shows, for readers who do not see it.

    Returns
    -------
    str
    """
    stream = io.StringIO()
    # With no metadata at all, no date and no addresses are written
    figure.savefig(stream, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    svg = stream.getvalue()
    svg = svg[svg.index("<svg ") :].replace(INK, "currentColor")
    svg = re.sub(r'( id="|xlink:href="#|url\(#)', rf"\g<1>{name}-", svg)
    return svg.replace(
        "<svg ", f'<svg role="img" style="color-scheme: light dark" aria-label="{html.escape(description)}" ', 1
    )
