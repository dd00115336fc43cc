"""Pieces of an HTML page; all text is escaped here."""

from collections.abc import Mapping
from html import escape

from refcompress.report.rows import Table


def table(content: Table, explanation: str, css: str = "") -> str:
    """A <table> with its explanation, in a box that scrolls where it is too wide; `css` is the table's class."""
    kind = f' class="{css}"' if css else ""
    rows = [_row(row, "td", content.left) for row in content.rows]
    foot = f"\n<tfoot>{rows.pop()}</tfoot>" if content.has_sum else ""
    lines = "\n".join(rows)
    return (
        f'<p class="soft">{escape(explanation)}</p>\n<div class="scroll"><table{kind}>\n'
        f"<thead>{_row(content.header, 'th', content.left)}</thead>\n<tbody>\n{lines}\n</tbody>{foot}</table></div>"
    )


def figure(svg: str, explanation: str) -> str:
    """A picture with its explanation."""
    return f"<figure>\n{svg}\n<figcaption>{escape(explanation)}</figcaption></figure>"


def terms(explained: Mapping[str, str]) -> str:
    """A list of terms and what they mean."""
    lines = (f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in explained.items())
    return f'<dl class="terms">{"".join(lines)}</dl>'


def _row(cells: tuple[str, ...], tag: str, left: int) -> str:
    """A row whose first cell is a header, and the others `tag`s."""
    html = []
    for i, cell in enumerate(cells):
        name = "th" if i == 0 else tag
        scope = "" if name == "td" else f' scope="{"col" if tag == "th" else "row"}"'
        css = ' class="left"' if i < left else ""
        html.append(f"<{name}{scope}{css}>{escape(cell)}</{name}>")
    return f"<tr>{''.join(html)}</tr>"
